//! The text protocol of the original shared-memory manager, in both roles.
