//! Model checking of the algorithms: every interleaving and every reordering the memory model allows, within
//! a bound on preemptions, and for every shared access a run in which a participant dies just before it.
//!
//! `cargo xtask loom` runs it; `-- --nocapture` shows what was explored. The patches in `tests/mutants`
//! weaken the algorithms one line at a time, and each must make a model here fail.
#![cfg(loom)]

mod explore;
mod world;

mod barrier;
mod claim;
mod condition;
mod event;
mod frames;
mod pipe;
mod queue;
mod rwlock;
mod semaphore;
mod snapshot;
mod stream;
mod version;
