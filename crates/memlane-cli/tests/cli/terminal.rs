//! Somebody at a terminal: runs the real program in a space of the test's own.

use crate::scratch::Scratch;
use memlane::Space;
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The program, and a space to run it in.
#[derive(Debug)]
pub(crate) struct Terminal {
    pub(crate) scratch: Scratch,
    pub(crate) space: Space,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) messages: String,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let scratch = Scratch::new();
        let space = scratch.space();
        Self { scratch, space }
    }

    /// The command, ready to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_memlane"));
        command.arg("--space").arg(self.scratch.path()).args(arguments);
        command.env_remove("MEMLANE_DIR").env_remove("MEMLANE_AT").env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().expect("the program can be started"))
    }

    /// Runs a command that reads `input`.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program can be started");
        let written = child.stdin.take().expect("piped above").write_all(input);
        written.expect("the program reads its input");
        Ran::from(child.wait_with_output().expect("it is a child"))
    }

    /// The output of a command that works.
    pub(crate) fn output(&self, arguments: &[&str]) -> String {
        self.run(arguments).worked()
    }

    /// The JSON of a command that works.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [&["--json"], arguments].concat();
        let output = self.output(&arguments);
        serde_json::from_str(&output).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        Self { code: output.status.code(), output: text(output.stdout), messages: text(output.stderr) }
    }
}

impl Ran {
    /// Its output, if it worked and had nothing to complain about.
    pub(crate) fn worked(self) -> String {
        assert_eq!((self.code, self.messages.as_str()), (Some(0), ""), "{}", self.output);
        self.output
    }

    /// Checks its exit code, and that its one message has all these parts.
    pub(crate) fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.messages.starts_with("memlane: "), "{self:?}");
        assert_eq!(self.messages.lines().count(), 1, "{self:?}");
        for part in parts {
            assert!(self.messages.contains(part), "no {part:?} in {self:?}");
        }
    }
}
