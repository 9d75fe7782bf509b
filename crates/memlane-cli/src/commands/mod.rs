//! The commands, one verb a file: first those that look, then those that change something.

pub(crate) mod get;
pub(crate) mod ls;
pub(crate) mod show;
pub(crate) mod watch;

pub(crate) mod bw;
pub(crate) mod hz;

pub(crate) mod doctor;
pub(crate) mod locks;
pub(crate) mod ps;

pub(crate) mod create;
pub(crate) mod rm;
pub(crate) mod set;

pub(crate) mod event;
pub(crate) mod put;
pub(crate) mod sem;
pub(crate) mod stream;
pub(crate) mod take;

pub(crate) mod discover;
pub(crate) mod gui;
pub(crate) mod host;
pub(crate) mod legacy;
pub(crate) mod myo;
pub(crate) mod myo_dongle;

pub(crate) mod completions;
pub(crate) mod connect;
