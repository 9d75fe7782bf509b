//! A pipe with a name. Whoever is killed in the midst of a message leaves half of it there.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Result, ensure};
use harness::{Incoming, Keeps, Outgoing, Passing, Terms, Wait};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::io::Errno;

pub(crate) enum Fifo {}

impl Passing for Fifo {
    const NAME: &'static str = "fifo";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = false;
    type Sender = Outgoing<File>;
    type Receiver = Incoming<File>;

    fn sender(_: &Terms, lane: &str) -> Result<Outgoing<File>> {
        Ok(Outgoing(open(lane, OFlags::empty())?))
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Incoming<File>> {
        ensure!(terms.readers == 1, "a message goes to one reader");
        let flags = if terms.wait == Wait::Busy { OFlags::NONBLOCK } else { OFlags::empty() };
        let lane = lane.to_owned();
        Incoming::open(terms.size, move || open(&lane, flags))
    }
}

/// To read and to write, so that neither end waits for the other one to be opened, or sees its end.
fn open(lane: &str, flags: OFlags) -> Result<File> {
    let path = format!("/dev/shm/{lane}");
    match mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0) {
        Ok(()) | Err(Errno::EXIST) => (),
        Err(error) => return Err(error.into()),
    }
    Ok(OpenOptions::new().read(true).write(true).custom_flags(flags.bits() as i32).open(path)?)
}
