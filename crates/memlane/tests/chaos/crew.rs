//! The child processes of a run: started, killed, started again.

use crate::role::{self, Part};
use crate::{clerk, locker, maker, promptness, publisher, subscriber, talker, worker};
use memlane::Space;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A user without rights of its own: `nobody`.
pub(crate) const NOBODY: u32 = 65534;

/// How long a process may take to end when it is told to, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_millis(1);

/// How the file of a complaint begins: a process that is about to fail may be killed before its status says
/// so.
const COMPLAINT: &str = ".complaint-";

/// Child: plays its part.
pub(crate) fn perform(part: &Part) {
    let complaint = part.directory.join(format!("{COMPLAINT}{}", std::process::id()));
    std::panic::set_hook(Box::new(move |panic| {
        let _ = std::fs::write(&complaint, panic.to_string());
    }));
    let space = Space::at(&part.directory).expect("the parent made the space");
    let played = match part.role.as_str() {
        "publisher" => publisher::perform(&space, part.number(0)),
        "subscriber" => subscriber::perform(&space, part.number(0)),
        "locker" => locker::perform(&space, part.number(0)),
        "clerk" => clerk::perform(&space, part.number(0)),
        "worker" => worker::perform(&space, part.number(0)),
        "talker" => talker::perform(&space, part.number(0)),
        "maker" => maker::perform(&space, part.number(0), part.number(1)),
        "holder" => promptness::hold(&space, part.number(0)),
        other => panic!("there is no role {other}"),
    };
    if let Err(error) = played {
        panic!("the {}: {error}", part.role);
    }
    let left = crate::scratch::mappings_of(&part.directory);
    assert!(left.is_empty(), "the {} ends with mappings: {left:?}", part.role);
}

/// A place among the processes of a run, and the process that fills it now.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) role: &'static str,
    directory: PathBuf,
    user: Option<u32>,
    child: Child,
}

impl Member {
    /// Starts the first process of a place, as another user if one is given.
    pub(crate) fn start(
        role: &'static str,
        directory: &Path,
        arguments: &[u64],
        user: Option<u32>,
    ) -> std::io::Result<Self> {
        let child = spawn(role, directory, arguments, user)?;
        Ok(Self { role, directory: directory.to_owned(), user, child })
    }

    /// Starts the next one.
    pub(crate) fn restart(&mut self, arguments: &[u64]) {
        let child = spawn(self.role, &self.directory, arguments, self.user);
        self.child = child.expect("the test program can start itself");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the process, and says what was wrong with it if something was.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        let _ = self.child.kill();
        let status = self.child.wait().expect("it is a child");
        self.judge(status, status.signal() == Some(libc::SIGKILL))
    }

    /// Says what is wrong when the process has ended by itself.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let status = self.child.try_wait().expect("it is a child");
        status.map_or(Ok(()), |status| self.judge(status, false))
    }

    /// Waits for the end of a process that was told to end.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        let start = Instant::now();
        loop {
            match self.child.try_wait().expect("it is a child") {
                Some(status) => return self.judge(status, status.success()),
                None if start.elapsed() > PATIENCE => return Err(format!("the {} does not end", self.role)),
                None => std::thread::sleep(REST),
            }
        }
    }

    /// What is to be said of an end that is as expected, or not.
    fn judge(&self, status: ExitStatus, is_as_expected: bool) -> Result<(), String> {
        let path = self.directory.join(format!("{COMPLAINT}{}", self.pid()));
        let complaint = std::fs::read_to_string(&path);
        if complaint.is_err() && is_as_expected {
            return Ok(());
        }
        let _ = std::fs::remove_file(path);
        let words = complaint.unwrap_or_default();
        Err(format!("the {} (pid {}) ended by itself: {status} {words}", self.role, self.pid()))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(role: &str, directory: &Path, arguments: &[u64], user: Option<u32>) -> std::io::Result<Child> {
    let arguments: Vec<_> = arguments.iter().map(u64::to_string).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut command = role::command(role, directory, &arguments);
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()
}
