//! A block by its name: made or attached, read, written, kept under its name, removed.

use super::error::Error;
use super::image::{self, BLOCK_BYTES, Image};
use super::lock::{Held, Lock};
use super::record::{self, Record};
use crate::name::Name;
use crate::segment::{self, Access, Identity, Segment};
use std::io;
use std::path::{Path, PathBuf};

const KEEP_PREFIX: &str = ".memlane-keep-";

/// As Python's shared memory: nobody but its user.
const MODE: u32 = 0o600;

/// Two programs that write at once, against the odds, do so rarely three times in a row.
const WRITE_ATTEMPTS: u32 = 4;

/// One text that programs on this machine share, the original among them.
///
/// Calls wait for the lock for up to [`LOCK_TIMEOUT`](super::LOCK_TIMEOUT) and block their thread meanwhile.
/// Threads may share a block.
///
/// Whoever may write the block can shrink its file under this map, which ends the process by SIGBUS; that is
/// only the same user.
#[derive(Debug)]
pub struct TextBlock {
    name: Name,
    lock: Lock,
    /// The second name, of a host.
    keep: Option<PathBuf>,
}

impl TextBlock {
    /// Becomes the host of a block. One that a memlane host left behind when it was killed is taken over, with
    /// its text; a new one is empty.
    ///
    /// The block stays when the host is dropped or dies; [`unlink`](Self::unlink) removes it.
    ///
    /// # Errors
    /// [`Error::Busy`], after a fifth of a second, while another memlane host of that name lives;
    /// [`Error::Exists`] if the name is somebody else's.
    pub fn create(name: &Name) -> Result<Self, Error> {
        let failed = |action| Error::io(name, action);
        record::sweep(name, KEEP_PREFIX).map_err(failed("list the directory of"))?;
        let keep = name.beside(KEEP_PREFIX);
        let named = Identity::at(name.path()).map_err(failed("look for"))?;
        if named.is_some() && named != Identity::at(&keep).map_err(failed("look for"))? {
            return Err(Error::Exists { name: name.clone() });
        }
        let record = Record::of_host(name).map_err(failed("make the record of"))?;
        let Some(record) = record else { return Err(Error::Busy { name: name.clone() }) };
        let block = Segment::open_or_create(&keep, MODE).map_err(failed("make"))?;
        let identity = block.identity().map_err(failed("look at"))?;
        let is_private = block.grants_at_most(MODE).map_err(failed("look at"))?;
        // Before it has its name, so that whoever attaches finds all of it.
        let lock = Lock::new(block, BLOCK_BYTES, record).map_err(failed("map"))?;
        if is_private && take_name(&keep, identity, name).map_err(failed("name"))? {
            return Ok(Self { name: name.clone(), lock, keep: Some(keep) });
        }
        Err(Error::Exists { name: name.clone() })
    }

    /// Joins a block that exists, whoever made it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Truncated`] if it is too short; [`Error::Io`] if it is not this user's to
    /// write.
    pub fn attach(name: &Name) -> Result<Self, Error> {
        record::sweep(name, KEEP_PREFIX).map_err(Error::io(name, "list the directory of"))?;
        let opened = Segment::open(name.path(), Access::ReadWrite).map_err(Error::io(name, "open"))?;
        let Some(block) = opened else { return Err(Error::NotFound { name: name.clone() }) };
        let found = block.metadata().map_err(Error::io(name, "look at"))?.len();
        if found < BLOCK_BYTES as u64 {
            return Err(Error::Truncated { name: name.clone(), found });
        }
        let record = Record::beside(name).map_err(Error::io(name, "open the record of"))?;
        let lock = Lock::new(block, BLOCK_BYTES, record).map_err(Error::io(name, "map"))?;
        Ok(Self { name: name.clone(), lock, keep: None })
    }

    /// The block's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Whether anybody, memlane or not, holds the lock at this moment.
    pub fn is_locked(&self) -> bool {
        self.lock.is_held()
    }

    /// The text that stands. What is not UTF-8 in it becomes U+FFFD.
    ///
    /// # Errors
    /// [`Error::LockTimeout`] if somebody holds the lock all the time; [`Error::Io`] if the block was shrunk.
    pub fn read(&self) -> Result<String, Error> {
        let held = self.acquire()?;
        Ok(image::decode(&self.image(&held)?))
    }

    /// Replaces the text, less white space at its end.
    ///
    /// # Errors
    /// [`Error::TooLong`] and [`Error::Nul`] for texts that no block can hold; [`Error::LockTimeout`];
    /// [`Error::Overwritten`] if another program disregards the lock again and again.
    pub fn write(&self, text: &str) -> Result<(), Error> {
        let image = image::encode(text)?;
        self.replace(&image, |_| Ok(())).map(|_: Result<(), ()>| ())
    }

    /// Replaces the text if it is still `expected`, as [`read`](Self::read) gave it; else gives back what
    /// stands.
    ///
    /// # Errors
    /// As of [`write`](Self::write).
    pub fn write_if(&self, expected: &str, text: &str) -> Result<Result<(), String>, Error> {
        let image = image::encode(text)?;
        self.replace(&image, |found| {
            let found = image::decode(found);
            if found == expected { Ok(()) } else { Err(found) }
        })
    }

    /// Gives the block its name back if another program has removed it, as Python processes older than 3.13
    /// do when they end; says whether that was so. For a host to do again and again.
    ///
    /// # Errors
    /// [`Error::Replaced`] if the name leads to something else by now.
    pub fn ensure_named(&self) -> Result<bool, Error> {
        let Some(keep) = &self.keep else { return Ok(false) };
        if self.has_its_name()? {
            return Ok(false);
        }
        let identity = self.identity()?;
        if take_name(keep, identity, &self.name).map_err(Error::io(&self.name, "name"))? {
            return Ok(true);
        }
        Err(Error::Replaced { name: self.name.clone() })
    }

    /// Removes the block of a host: its name, if it still leads here, and what stands beside it. Those who are
    /// attached keep the memory. Of a block that was attached nothing is removed.
    pub fn unlink(&self) -> Result<(), Error> {
        let Some(keep) = &self.keep else { return Ok(()) };
        let failed = |action| Error::io(&self.name, action);
        if self.has_its_name()? {
            segment::unlink(self.name.path()).map_err(failed("remove"))?;
        }
        // The second name goes later, so that a death in between leaves a block that is taken over.
        segment::unlink(keep).map_err(failed("remove the second name of"))?;
        self.lock.record().remove().map_err(failed("remove the record of"))
    }

    fn identity(&self) -> Result<Identity, Error> {
        self.lock.block().identity().map_err(Error::io(&self.name, "look at"))
    }

    fn has_its_name(&self) -> Result<bool, Error> {
        let named = Identity::at(self.name.path()).map_err(Error::io(&self.name, "look for"))?;
        Ok(named == Some(self.identity()?))
    }

    fn acquire(&self) -> Result<Held<'_>, Error> {
        let held = self.lock.acquire().map_err(Error::io(&self.name, "lock"))?;
        held.ok_or_else(|| Error::LockTimeout { name: self.name.clone() })
    }

    fn image(&self, held: &Held) -> Result<Image, Error> {
        held.image().map_err(Error::io(&self.name, "read"))
    }

    /// Writes until what was written stands. Whether it is to be written is asked once: what stands after a
    /// write that was spoilt is nobody's text.
    fn replace<E>(
        &self,
        image: &Image,
        permit: impl FnOnce(&Image) -> Result<(), E>,
    ) -> Result<Result<(), E>, Error> {
        let mut permit = Some(permit);
        for _ in 0..WRITE_ATTEMPTS {
            let held = self.acquire()?;
            if let Some(permit) = permit.take()
                && let Err(refused) = permit(&self.image(&held)?)
            {
                return Ok(Err(refused));
            }
            if held.write(image).map_err(Error::io(&self.name, "write"))? {
                return Ok(Ok(()));
            }
        }
        Err(Error::Overwritten { name: self.name.clone(), attempts: WRITE_ATTEMPTS })
    }
}

/// Lets the name lead to the block that `keep` leads to; `false` if it leads to another one.
fn take_name(keep: &Path, identity: Identity, name: &Name) -> io::Result<bool> {
    match segment::link(keep, name.path()) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(Identity::at(name.path())? == Some(identity))
        }
        linked => linked.map(|()| true),
    }
}
