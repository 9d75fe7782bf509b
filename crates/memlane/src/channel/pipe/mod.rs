//! Messages between two ends.
