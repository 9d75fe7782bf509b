//! What a work is done with, as the driver says it.

use serde::{Deserialize, Serialize};

/// What a work is done with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// Letters, digits and hyphens, at most forty; nothing else on the machine has this name.
    pub name: String,
    /// Bytes of a message.
    #[serde(default = "eight")]
    pub size: usize,
    /// What a receiver does until there is something.
    #[serde(default)]
    pub wait: Wait,
    /// How a message gets to where it is read.
    #[serde(default)]
    pub write: Write,
    /// Messages in a second, where the sender keeps time.
    #[serde(default)]
    pub rate: Option<u32>,
    /// How many receive.
    #[serde(default = "one")]
    pub readers: usize,
    /// Whether those do so all the time, or are there and rest.
    #[serde(default)]
    pub rest: bool,
}

impl Default for Terms {
    /// Eight bytes to one receiver, which looks again and again; without a name yet.
    fn default() -> Self {
        Self {
            name: String::new(),
            size: eight(),
            wait: Wait::default(),
            write: Write::default(),
            rate: None,
            readers: one(),
            rest: false,
        }
    }
}

fn eight() -> usize {
    8
}

fn one() -> usize {
    1
}

/// What a receiver does until there is something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Looks again and again, and has a core for itself.
    #[default]
    Busy,
    /// Sleeps until it is woken, by what the peer has for this.
    Asleep,
}

/// How a message gets to where it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// The sender has it in memory of its own.
    #[default]
    Copy,
    /// The sender makes it where it is read: its first and last eight bytes are written.
    InPlace,
}
