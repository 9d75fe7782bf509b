//! A counter that anyone may raise.
