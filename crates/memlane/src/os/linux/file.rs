//! Files and directories of a space: unnamed until complete, linked in one step.

use super::mapping::Access;
use rustix::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use rustix::fs::{self, AtFlags, CWD, FallocateFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// Folder of a space that is ours: temporary files and what hosts keep there.
pub(crate) const OWN_FOLDER: &str = ".memlane";
/// How the name of a file or folder begins that never got its real one.
pub(crate) const TEMPORARY_PREFIX: &str = ".tmp-";

/// What the kernel says of an open file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) links: u64,
    pub(crate) is_file: bool,
    pub(crate) is_directory: bool,
    pub(crate) owner: u32,
    pub(crate) mode: u32,
    /// Seconds since the file was last written or linked.
    pub(crate) age_seconds: i64,
}

pub(crate) fn status(file: impl AsFd) -> Result<Status, Errno> {
    fs::fstat(file).map(|stat| status_of(&stat))
}

/// [`status`] of what `path` leads to.
pub(crate) fn status_at(path: &Path) -> Result<Status, Errno> {
    fs::stat(path).map(|stat| status_of(&stat))
}

fn status_of(stat: &fs::Stat) -> Status {
    let kind = FileType::from_raw_mode(stat.st_mode);
    let now = (super::clock::wall() / 1_000_000_000) as i64;
    Status {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: stat.st_size as u64,
        links: stat.st_nlink,
        is_file: kind == FileType::RegularFile,
        is_directory: kind == FileType::Directory,
        owner: stat.st_uid,
        mode: stat.st_mode & 0o7777,
        age_seconds: now - stat.st_ctime,
    }
}

/// Opens an existing region file. Never follows a link, never hangs on a pipe somebody left there.
pub(crate) fn open(path: &Path, access: Access) -> Result<OwnedFd, Errno> {
    let access = match access {
        Access::Read => OFlags::RDONLY,
        Access::ReadWrite => OFlags::RDWR,
    };
    fs::open(path, access | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK, Mode::empty())
}

/// An open region file that knows which file it is. A program may close all descriptors under us, as daemons do, and
/// open other files by their numbers: what is asked of those would be answered about something else.
#[derive(Debug)]
pub(crate) struct RegionFile {
    file: Option<OwnedFd>,
    device: u64,
    inode: u64,
}

impl RegionFile {
    pub(crate) fn new(file: OwnedFd, status: Status) -> Self {
        Self { file: Some(file), device: status.device, inode: status.inode }
    }

    /// The descriptor, as long as it still is this file's.
    pub(crate) fn get(&self) -> Result<&OwnedFd, Errno> {
        self.file.as_ref().filter(|file| self.is(file)).ok_or(Errno::BADF)
    }

    /// The descriptor, as long as it still is this file's and a name leads to the file.
    pub(crate) fn named(&self) -> Option<&OwnedFd> {
        let file = self.file.as_ref()?;
        (self.status_if_it_is(file)?.links > 0).then_some(file)
    }

    /// Whether another open file is this one.
    pub(crate) fn is(&self, other: impl AsFd) -> bool {
        self.status_if_it_is(other).is_some()
    }

    /// The status of another open file, if it is this one.
    fn status_if_it_is(&self, other: impl AsFd) -> Option<Status> {
        status(other).ok().filter(|status| (status.device, status.inode) == (self.device, self.inode))
    }

    /// Opens the same file again as an open file of its own; `path` is the way when /proc is missing or the descriptor
    /// is lost.
    pub(crate) fn open_again(&self, path: &Path) -> Result<OwnedFd, Errno> {
        let again = self
            .get()
            .and_then(|file| fs::open(own_descriptor(file), OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()));
        match again {
            Err(Errno::NOENT | Errno::BADF) => {
                let again = open(path, Access::ReadWrite)?;
                self.is(&again).then_some(again).ok_or(Errno::STALE)
            }
            other => other,
        }
    }

    /// Whether no name leads to the file any more.
    pub(crate) fn is_unlinked(&self) -> bool {
        let status = self.file.as_ref().and_then(|file| self.status_if_it_is(file));
        status.is_some_and(|status| status.links == 0)
    }
}

impl Drop for RegionFile {
    fn drop(&mut self) {
        // The number may be somebody else's by now: then it is not ours to close.
        if self.get().is_err()
            && let Some(lost) = self.file.take()
        {
            let _ = lost.into_raw_fd();
        }
    }
}

/// Reads up to `buffer.len()` bytes from `offset`; fewer only at the end of the file.
pub(crate) fn read_at(file: impl AsFd, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(&file, rest, offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// A file that has no name yet, so nobody can see it half-made. Dropped unlinked, it is gone; so it is when
/// its maker dies.
#[derive(Debug)]
pub(crate) struct Unnamed {
    file: OwnedFd,
    /// Where the file system has no unnamed files, or /proc is missing.
    temporary: Option<TemporaryName>,
}

/// A name that nobody else has.
pub(crate) fn temporary_name() -> String {
    format!("{TEMPORARY_PREFIX}{:016x}", super::process::random_u64())
}

/// A name that goes when its owner does. What a killed owner leaves is recognised by its prefix and swept.
#[derive(Debug)]
struct TemporaryName(PathBuf);

impl Drop for TemporaryName {
    fn drop(&mut self) {
        let _ = fs::unlink(&self.0);
    }
}

impl Unnamed {
    /// A new, empty file in the directory `space`.
    pub(crate) fn create(space: &Path, mode: u32) -> Result<Self, Errno> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let unnamed = fs::open(space, flags, Mode::from_raw_mode(mode));
        match unnamed {
            Ok(file) if Path::new("/proc/self/fd").exists() => Ok(Self { file, temporary: None }),
            Ok(_) | Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => Self::create_named(space, mode),
            Err(error) => Err(error),
        }
    }

    fn create_named(space: &Path, mode: u32) -> Result<Self, Errno> {
        let folder = space.join(OWN_FOLDER);
        create_directory_if_missing(&folder, 0o700)?;
        let path = folder.join(temporary_name());
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
        let file = fs::open(&path, flags, Mode::from_raw_mode(mode))?;
        Ok(Self { file, temporary: Some(TemporaryName(path)) })
    }

    /// Sets the mode past the umask.
    pub(crate) fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        fs::fchmod(&self.file, Mode::from_raw_mode(mode))
    }

    /// Reserves every block now: a full file system is an error here, not a SIGBUS later.
    pub(crate) fn reserve(&self, size: u64) -> Result<(), Errno> {
        loop {
            match fs::fallocate(&self.file, FallocateFlags::empty(), 0, size) {
                Err(Errno::INTR) => {}
                other => return other,
            }
        }
    }

    /// Writes all of `bytes` at `offset`.
    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), Errno> {
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            match rustix::io::pwrite(&self.file, rest, offset + done as u64) {
                Ok(0) => return Err(Errno::IO),
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Gives the file its name, which must be free.
    pub(crate) fn link(&self, path: &Path) -> Result<(), Errno> {
        match &self.temporary {
            None => fs::linkat(CWD, own_descriptor(&self.file), CWD, path, AtFlags::SYMLINK_FOLLOW),
            Some(temporary) => fs::linkat(CWD, &temporary.0, CWD, path, AtFlags::empty()),
        }
    }

    pub(crate) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// The same file, opened once more.
    pub(crate) fn reopen(&self) -> Result<OwnedFd, Errno> {
        match &self.temporary {
            None => fs::open(own_descriptor(&self.file), OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()),
            Some(temporary) => open(&temporary.0, Access::ReadWrite),
        }
    }

    /// The open file; a temporary name it may have had is gone.
    pub(crate) fn into_file(self) -> OwnedFd {
        self.file
    }
}

/// Makes one directory; that it exists already is fine.
pub(crate) fn create_directory_if_missing(path: &Path, mode: u32) -> Result<(), Errno> {
    match fs::mkdir(path, Mode::from_raw_mode(mode)) {
        Ok(()) => fs::chmod(path, Mode::from_raw_mode(mode)),
        Err(Errno::EXIST) => status_at(path)?.is_directory.then_some(()).ok_or(Errno::NOTDIR),
        Err(error) => Err(error),
    }
}

/// Gives a directory another name; an empty directory that has it makes way.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Errno> {
    fs::rename(from, to)
}

pub(crate) fn unlink(path: &Path) -> Result<(), Errno> {
    fs::unlink(path)
}

pub(crate) fn remove_empty_directory(path: &Path) -> Result<(), Errno> {
    fs::rmdir(path)
}

/// One name in a directory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) is_directory: bool,
}

/// The names in a directory, without `.` and `..`; names that are not UTF-8 cannot be ours and are left out.
pub(crate) fn entries(path: &Path) -> Result<Vec<Entry>, Errno> {
    let mut found = Vec::new();
    let listing =
        std::fs::read_dir(path).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    for entry in listing.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        found.push(Entry { name, is_directory });
    }
    Ok(found)
}

/// Lets this thread rest before it looks at the file system again, which has nothing to sleep on.
pub(crate) fn rest(pause: std::time::Duration) {
    std::thread::sleep(pause);
}

/// An environment variable, when it is set and not empty.
pub(crate) fn environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where per-user temporary files go.
pub(crate) fn temporary_directory() -> PathBuf {
    std::env::temp_dir()
}

fn own_descriptor(file: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
