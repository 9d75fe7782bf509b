//! rwlock
