//! Records of fixed size, kept for a while.
