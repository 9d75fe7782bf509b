//! A child process, seen from the demo.

use super::Role;
use super::message::{Order, Report};
use crate::failure::{Exit, Failure, Outcome};
use crate::stage::Stage;
use clap::ValueEnum;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child as Process, ChildStderr, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

/// A child's word, or its end.
#[derive(Debug)]
pub(super) struct Message {
    /// Whose.
    pub(super) pid: u32,
    pub(super) news: News,
}

/// What a child has to say.
#[derive(Debug)]
pub(super) enum News {
    Report(Report),
    /// It has ended, and this is what it said on the standard error.
    Gone(String),
}

/// A child process; it does not outlive this value.
#[derive(Debug)]
pub(super) struct Child {
    process: Process,
    orders: Option<ChildStdin>,
}

impl Child {
    /// Starts this program again in a role; what it reports goes to `messages`.
    pub(super) fn start(role: Role, stage: &Stage, messages: &Sender<Message>) -> Outcome<Self> {
        let name = role.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let mut process = stage
            .program()
            .map_err(|error| not_started(&error))?
            .arg("--space")
            .arg(stage.directory())
            .args(["demo", "--role", &name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for the demo, which ends its children in good order.
            .process_group(0)
            .spawn()
            .map_err(|error| not_started(&error))?;
        let (orders, reports, complaints) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (pid, messages) = (process.id(), messages.clone());
        thread::spawn(move || pass_on(pid, reports, complaints, &messages));
        Ok(Self { process, orders })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Tells it something. A child that has ended does not hear it, and says so itself.
    pub(super) fn order(&mut self, order: Order) {
        if let Some(orders) = &mut self.orders {
            let _ = writeln!(orders, "{order}");
        }
    }

    /// SIGKILL, at once; it is gone when this returns.
    pub(super) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads what a child reports until it ends. Lines that are no reports are nobody's.
fn pass_on(
    pid: u32,
    reports: Option<ChildStdout>,
    complaints: Option<ChildStderr>,
    messages: &Sender<Message>,
) {
    let lines = reports.into_iter().flat_map(|reports| BufReader::new(reports).lines()).map_while(Result::ok);
    for report in lines.filter_map(|line| line.parse().ok()) {
        // Nobody listens when the demo is at its end.
        let _ = messages.send(Message { pid, news: News::Report(report) });
    }
    let mut complaint = String::new();
    if let Some(mut complaints) = complaints {
        let _ = complaints.read_to_string(&mut complaint);
    }
    let _ = messages.send(Message { pid, news: News::Gone(complaint) });
}

fn not_started(error: &io::Error) -> Failure {
    Failure::new(Exit::Failure, format!("this program cannot be started again as a child process: {error}"))
}
