//! Waiting for a predicate under a lock.
