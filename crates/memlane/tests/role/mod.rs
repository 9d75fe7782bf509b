//! Child processes of the tests: the test program starts itself again, in another role.
//!
//! A suite that uses roles has a test of the name [`ENTRY`] which calls [`play`]. In the parent that test
//! does nothing; in a child it is the only one, and plays the part that the environment names. Parent and
//! child talk by lines: the child [`say`]s and [`listen`]s, the parent [`Role::hear`]s and [`Role::tell`]s. A
//! child never outlives its parent.
#![allow(dead_code)] // Every suite uses a part.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Name of the test that plays a child's part.
pub(crate) const ENTRY: &str = "role";

const ROLE_VARIABLE: &str = "MEMLANE_TEST_ROLE";
const SPACE_VARIABLE: &str = "MEMLANE_TEST_SPACE";
const ARGUMENTS_VARIABLE: &str = "MEMLANE_TEST_ARGUMENTS";

/// Tells the child's lines from what the test harness prints.
pub(crate) const MARK: &str = "role: ";

/// Far beyond anything but a hang, also on a machine with much else to do.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// What this process was started as.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) role: String,
    pub(crate) directory: PathBuf,
    pub(crate) arguments: Vec<String>,
}

impl Part {
    /// The part this process is to play; `None` for the program that a person started.
    pub(crate) fn of_this_process() -> Option<Self> {
        let role = std::env::var(ROLE_VARIABLE).ok()?;
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        let arguments = std::env::var(ARGUMENTS_VARIABLE).unwrap_or_default();
        Some(Self {
            role,
            directory: std::env::var_os(SPACE_VARIABLE)?.into(),
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
        })
    }

    pub(crate) fn number(&self, index: usize) -> u64 {
        self.arguments[index].parse().expect("the parent gave a number")
    }
}

/// Plays the part of this process, if it has one, and ends it.
pub(crate) fn play(perform: impl FnOnce(&Part)) {
    if let Some(part) = Part::of_this_process() {
        perform(&part);
        std::process::exit(0);
    }
}

/// Child: tells the parent a line.
pub(crate) fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // The harness may have left a line unfinished.
    let said = write!(output, "\n{MARK}{line}\n").and_then(|()| output.flush());
    said.expect("the parent listens");
}

/// Child: waits for the parent's next line; `None` when it has no more to tell.
pub(crate) fn listen() -> Option<String> {
    let mut line = String::new();
    let count = std::io::stdin().lock().read_line(&mut line).expect("the parent writes text");
    (count > 0).then(|| line.trim_end().to_owned())
}

/// The command that starts this program in a role.
pub(crate) fn command(role: &str, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("/proc is mounted"));
    command
        .args([ENTRY, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE_VARIABLE, role)
        .env(SPACE_VARIABLE, directory)
        .env(ARGUMENTS_VARIABLE, arguments.join(" "));
    command
}

/// A child process, killed when dropped.
#[derive(Debug)]
pub(crate) struct Role {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What it said last.
    last: RefCell<String>,
}

impl Role {
    pub(crate) fn start(role: &str, directory: &Path, arguments: &[&str]) -> Self {
        Self::try_start(role, command(role, directory, arguments)).expect("the test program can start itself")
    }

    /// Starts a [`command`] that may be refused.
    pub(crate) fn try_start(role: &str, mut command: Command) -> std::io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stdout.take().expect("piped above"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let said = output.lines().map_while(Result::ok);
            for line in said.filter_map(|line| line.strip_prefix(MARK).map(str::to_owned)) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { name: role.to_owned(), input: child.stdin.take(), child, lines, last: RefCell::default() })
    }

    /// Its next line.
    pub(crate) fn hear(&self) -> String {
        self.hear_or_end().unwrap_or_else(|| panic!("the {} ended after {:?}", self.name, self.last.borrow()))
    }

    /// Its next line; `None` when it has ended and said no more.
    pub(crate) fn hear_or_end(&self) -> Option<String> {
        match self.receive(DEADLINE) {
            Err(RecvTimeoutError::Timeout) => {
                panic!("the {} said nothing for {DEADLINE:?} after {:?}", self.name, self.last.borrow())
            }
            line => line.ok(),
        }
    }

    /// Its next line, if it comes in time.
    pub(crate) fn hear_within(&self, patience: Duration) -> Option<String> {
        let line = self.receive(patience);
        let ended = line == Err(RecvTimeoutError::Disconnected);
        assert!(!ended, "the {} ended after {:?}", self.name, self.last.borrow());
        line.ok()
    }

    fn receive(&self, patience: Duration) -> Result<String, RecvTimeoutError> {
        self.lines.recv_timeout(patience).inspect(|line| line.clone_into(&mut self.last.borrow_mut()))
    }

    pub(crate) fn expect(&self, line: &str) {
        assert_eq!(self.hear(), line, "the {} said something else", self.name);
    }

    pub(crate) fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it was not told everything yet");
        writeln!(input, "{line}").expect("it listens");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGKILL; gives back the moment before.
    pub(crate) fn kill(&mut self) -> Instant {
        let before = Instant::now();
        self.child.kill().expect("it was not waited for yet");
        before
    }

    /// Sends SIGKILL and waits until it is gone.
    pub(crate) fn kill_and_wait(&mut self) -> ExitStatus {
        self.kill();
        self.child.wait().expect("it is a child")
    }

    /// Tells it that there is no more to do, and waits for its end.
    pub(crate) fn finish(mut self) -> ExitStatus {
        drop(self.input.take());
        while self.hear_or_end().is_some() {}
        self.child.wait().expect("it is a child")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.process(), signal).expect("it was not waited for yet");
    }

    /// Waits until the kernel reports a change of its state, and leaves it to be waited for again.
    pub(crate) fn await_state(&self, change: WaitIdOptions) -> WaitIdStatus {
        let status = rustix::process::waitid(WaitId::Pid(self.process()), change | WaitIdOptions::NOWAIT);
        status.expect("it is a child").expect("waiting ends with a change")
    }

    fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
