//! A flag to wait for.
