//! memlane for C: conversion, nothing else. Every kind has the name, the nouns and the promises of the core's type
//! behind it; `include/memlane.h` is generated from this crate, `include/memlane.hpp` is C++ over that header.
//!
//! What C hands in becomes a reference in one place (`argument.rs`), handles are opened, checked and closed in one
//! (`handle.rs`), errors and panics become a status in one (`status.rs`), and waits end by a function of the caller's
//! in one (`wait.rs`).
#![deny(unsafe_code)]
// Functions and types have the names that they have in C, and what is written above them is for who calls them from
// there: which pointers are good is said once, at the top of the header. A status has its type's name in its own
// already.
#![allow(
    non_camel_case_types,
    clippy::enum_glob_use,
    clippy::result_large_err,
    clippy::not_unsafe_ptr_arg_deref,
    clippy::needless_pass_by_value,
    clippy::doc_link_with_quotes
)]

mod argument;
mod handle;
mod status;
mod wait;

mod region;
mod space;

mod array;
mod barrier;
mod condition;
mod event;
mod frames;
mod lock;
mod pipe;
mod queue;
mod raw;
mod record;
mod rwlock;
mod semaphore;
mod stream;
mod text;
mod value;

mod wait_any;
