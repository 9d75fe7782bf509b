//! A process that plays a part: it is told a command, a line, and answers with a line.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::language::Language;
use crate::failure::{Failure, Outcome};

/// Longer than whatever a scenario waits for.
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) struct Role {
    process: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
}

impl Role {
    pub(crate) fn start(language: &Language, space: &Path) -> Outcome<Self> {
        let mut command = Command::new(&language.program);
        command.args(&language.arguments).env("MEMLANE_DIR", space);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = spawned.map_err(Failure::at(&language.program))?;
        let (Some(commands), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            unreachable!("both were asked for");
        };
        let (sender, answers) = channel();
        // It ends with the process, or with the first line that nobody wants.
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Ok(Self { process, commands, answers })
    }

    pub(crate) fn tell(&mut self, command: &str) -> Outcome {
        let told = writeln!(self.commands, "{command}");
        told.map_err(|error| Failure::new(format!("{command}: it hears no more: {error}")))
    }

    pub(crate) fn hear(&self, expected: &str) -> Outcome {
        match self.answers.recv_timeout(PATIENCE) {
            Ok(answer) if answer == expected => Ok(()),
            Ok(answer) => Err(Failure::new(format!("expected `{expected}`, got `{answer}`"))),
            Err(why) => Err(Failure::new(format!("expected `{expected}`, got no answer: {why}"))),
        }
    }

    /// SIGKILL; it is gone when this returns.
    pub(crate) fn kill(&mut self) -> Outcome {
        let killed = self.process.kill().and_then(|()| self.process.wait());
        killed.map(drop).map_err(|error| Failure::new(format!("it cannot be killed: {error}")))
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.kill();
    }
}
