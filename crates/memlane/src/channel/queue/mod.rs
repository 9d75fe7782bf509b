//! Messages, each taken once.
