//! The memlane command line as a library, so that other packages can offer it under their own name.
//!
//! ```no_run
//! memlane_cli::run(["memlane", "ls", "--json"].map(Into::into), vec!["memlane".into()]);
//! ```
//!
//! Commands that look (`ls`, `show`, `get`, `watch`, `hz`, `bw`, `ps`, `locks`, `top`, `doctor`) are observers: they
//! need permission to read, take no place among the participants, and nothing waits for them. Killed at any
//! moment, a command leaves what any participant leaves: nothing that anybody has to repair.
//!
//! The text is for people and may change; with `--json` the names are stable (module `view` of memlane-net).
//!
#![doc = "```text"]
#![doc = include_str!("exit_codes.txt")]
#![doc = "```"]
#![deny(unsafe_code)]

mod arguments;
mod commands;

mod context;
mod failure;

mod rate;
mod selection;
mod source;
mod stage;
mod survey;

mod browser;
mod human;
mod table;
mod words;

mod bench;
mod demo;
mod frame;
mod top;

use memlane_net::view::{datum_json, document, edit, pattern, sight, standing};

pub use arguments::run;
