//! A pseudo-terminal behind a link that keeps its name.
//!
//! The dongle writes at the one end; a program opens the link as it opens a serial port. While nobody has it open,
//! what the dongle says is lost, as it is with a real one. When the dongle is pulled out, the link goes away and
//! whoever had it open is told; it comes back, at another terminal, a moment later.

use super::dongle::Dongle;
use crate::stop::{LOOK, Stop};
use memlane::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the dongle is out when it was pulled.
const UNPLUGGED: Duration = Duration::from_millis(300);
/// What waits for a program that does not read; then the air loses the rest.
const BACKLOG: usize = 64 * 1024;
const READ_SIZE: usize = 4096;

/// The dongle's end, and the link. Dropped, it takes the link along.
#[derive(Debug)]
pub struct Terminal {
    link: PathBuf,
    controller: Option<OwnedFd>,
    /// Bytes that the terminal has not taken yet.
    backlog: Vec<u8>,
    /// Whether a program has it open, as far as the last look told.
    is_open: bool,
}

impl Terminal {
    /// Makes a pseudo-terminal and a link to it. A link that is there already is replaced; anything else that is
    /// there is an error.
    pub fn open(link: &Path) -> io::Result<Self> {
        let mut terminal =
            Self { link: link.to_owned(), controller: None, backlog: Vec::new(), is_open: false };
        terminal.plug_in()?;
        Ok(terminal)
    }

    fn plug_in(&mut self) -> io::Result<()> {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&controller)?;
        unlockpt(&controller)?;
        // Until a program has set it up, it would answer by an echo.
        let mut settings = tcgetattr(&controller)?;
        settings.make_raw();
        tcsetattr(&controller, OptionalActions::Now, &settings)?;
        fcntl_setfl(&controller, fcntl_getfl(&controller)? | OFlags::NONBLOCK)?;
        let path = ptsname(&controller, Vec::new())?;
        remove_link(&self.link)?;
        symlink(OsStr::from_bytes(path.as_bytes()), &self.link)?;
        self.controller = Some(controller);
        self.backlog.clear();
        Ok(())
    }

    /// Lets the dongle speak and listen until a stop is requested.
    pub fn serve(&mut self, dongle: &mut Dongle, stop: &Stop) -> io::Result<()> {
        while !stop.is_requested() {
            let now = Timestamp::now().monotonic;
            if dongle.is_unplugged(now) {
                self.controller = None;
                remove_link(&self.link)?;
                stop.sleep(UNPLUGGED);
                self.plug_in()?;
                continue;
            }
            for bytes in dongle.say(now) {
                if self.backlog.len() + bytes.len() <= BACKLOG {
                    self.backlog.extend_from_slice(&bytes);
                }
                // A write for each: pieces are meant to arrive as such.
                self.write()?;
            }
            self.write()?;
            let wait =
                dongle.due().map_or(LOOK, |due| Duration::from_nanos(due.saturating_sub(now))).min(LOOK);
            self.read(dongle, wait, stop)?;
        }
        Ok(())
    }

    /// Writes what the terminal takes.
    fn write(&mut self) -> io::Result<()> {
        let Some(controller) = &self.controller else { return Ok(()) };
        if !self.is_open {
            self.backlog.clear();
        }
        while !self.backlog.is_empty() {
            match rustix::io::write(controller, &self.backlog) {
                Ok(count) => drop(self.backlog.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits up to that long for bytes from the host, and takes them.
    fn read(&mut self, dongle: &mut Dongle, wait: Duration, stop: &Stop) -> io::Result<()> {
        let Some(controller) = &self.controller else { return Ok(()) };
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        let mut ready = [PollFd::new(controller, PollFlags::IN)];
        match poll(&mut ready, Some(&wait)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let events = ready[0].revents();
        // Never before a program has opened it for the first time, when there is nothing to say.
        self.is_open = !events.contains(PollFlags::HUP);
        if events.contains(PollFlags::IN) {
            let mut bytes = [0; READ_SIZE];
            match rustix::io::read(controller, &mut bytes) {
                Ok(count) => dongle.take(&bytes[..count], Timestamp::now().monotonic),
                Err(Errno::AGAIN | Errno::INTR | Errno::IO) => {}
                Err(error) => return Err(error.into()),
            }
        } else if !self.is_open {
            // It says so at once, as long as nobody has it open.
            stop.sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Left behind, it leads nowhere, and the next one replaces it.
        let _ = remove_link(&self.link);
    }
}

/// Removes a link, and nothing that is none.
fn remove_link(link: &Path) -> io::Result<()> {
    match fs::symlink_metadata(link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(found) if !found.is_symlink() => {
            let what = format!(
                "expected no file or a link at {}, found something else; choose another name",
                link.display()
            );
            Err(io::Error::new(io::ErrorKind::AlreadyExists, what))
        }
        found => found.and_then(|_| fs::remove_file(link)),
    }
}
