//! Linux: futexes, mappings, unnamed files, presence locks, fork handling.

pub(crate) mod clock;
pub(crate) mod file;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod mapping;
pub(crate) mod presence;
pub(crate) mod process;
