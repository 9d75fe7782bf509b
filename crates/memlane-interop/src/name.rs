//! The name of a POSIX shared-memory segment and the file behind it.
//!
//! `shm_open("/camera")` opens `/dev/shm/camera` on Linux; a name is that file. Both spellings, `/camera`
//! and `camera`, are met in the field and mean the same. A name says nothing about whether the segment
//! exists.

use std::fmt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Where Linux keeps POSIX shared memory.
const POSIX_DIRECTORY: &str = "/dev/shm";

/// The longest file name, in bytes, that Linux file systems take (`NAME_MAX`).
const NAME_BYTES_MAX: usize = 255;

/// How the names of what memlane keeps beside segments begin.
const RESERVED_PREFIX: &str = ".memlane-";

/// A checked segment name: one file in one directory. Displays as the path of that file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    directory: PathBuf,
    path: PathBuf,
}

/// Why a text is no segment name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// Nothing is left once the leading slash is gone.
    #[error("empty segment name, expected a name such as `/camera`")]
    Empty,
    /// `.` or `..`, which name directories.
    #[error("segment name `{name}` is a directory, expected a name such as `/camera`")]
    Directory {
        /// The name as it was given.
        name: String,
    },
    /// A slash anywhere but in front.
    #[error(
        "segment name `{name}` contains a slash, expected one only at its beginning; leave out the directory"
    )]
    Slash {
        /// The name as it was given.
        name: String,
    },
    /// A NUL byte, which ends a name for the operating system.
    #[error("segment name {name:?} contains a NUL byte; remove it")]
    Nul {
        /// The name as it was given.
        name: String,
    },
    /// More bytes than a file name can have.
    #[error("segment name of {found} bytes, expected at most {NAME_BYTES_MAX}; choose a shorter one")]
    TooLong {
        /// Bytes of the name without its leading slash.
        found: usize,
    },
    /// The prefix of what memlane keeps beside segments, and may sweep away.
    #[error("segment name `{name}` begins with the reserved `{RESERVED_PREFIX}`; choose another")]
    Reserved {
        /// The name as it was given.
        name: String,
    },
}

impl Name {
    /// The segment that `shm_open(name)` means: `/camera` or `camera` is the file `/dev/shm/camera`.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        Self::in_directory(POSIX_DIRECTORY, name)
    }

    /// A segment in another directory, for tests and for containers that mount their shared memory
    /// elsewhere.
    pub fn in_directory(directory: impl Into<PathBuf>, name: &str) -> Result<Self, InvalidName> {
        let file_name = checked(name)?;
        let directory = directory.into();
        let path = directory.join(file_name);
        Ok(Self { directory, path })
    }

    /// The file behind the name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name as `shm_open` takes it, without a slash.
    pub fn text(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// A file of memlane's own beside the segment.
    pub(crate) fn beside(&self, prefix: &str) -> PathBuf {
        self.directory.join(format!("{prefix}{}", self.text()))
    }

    /// The directory of that file.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(formatter)
    }
}

fn checked(name: &str) -> Result<&str, InvalidName> {
    let file_name = name.strip_prefix('/').unwrap_or(name);
    let owned = || name.to_owned();
    match file_name {
        "" => Err(InvalidName::Empty),
        "." | ".." => Err(InvalidName::Directory { name: owned() }),
        _ if file_name.contains('/') => Err(InvalidName::Slash { name: owned() }),
        _ if file_name.contains('\0') => Err(InvalidName::Nul { name: owned() }),
        _ if file_name.len() > NAME_BYTES_MAX => Err(InvalidName::TooLong { found: file_name.len() }),
        _ if file_name.starts_with(RESERVED_PREFIX) => Err(InvalidName::Reserved { name: owned() }),
        _ => Ok(file_name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_the_same_file() {
        let with_slash = Name::new("/mmaptest_shm").unwrap();
        assert_eq!(with_slash.path(), Path::new("/dev/shm/mmaptest_shm"));
        assert_eq!(with_slash, Name::new("mmaptest_shm").unwrap());
    }

    #[test]
    fn names_that_leave_the_directory_or_name_nothing_are_refused() {
        assert_eq!(Name::new(""), Err(InvalidName::Empty));
        assert_eq!(Name::new("/"), Err(InvalidName::Empty));
        assert_eq!(Name::new("/.."), Err(InvalidName::Directory { name: "/..".into() }));
        assert_eq!(Name::new("."), Err(InvalidName::Directory { name: ".".into() }));
        assert_eq!(Name::new("a/b"), Err(InvalidName::Slash { name: "a/b".into() }));
        assert_eq!(Name::new("//a"), Err(InvalidName::Slash { name: "//a".into() }));
        assert_eq!(Name::new("a\0b"), Err(InvalidName::Nul { name: "a\0b".into() }));
    }

    #[test]
    fn the_longest_name_fits_and_one_byte_more_does_not() {
        assert!(Name::new(&"n".repeat(NAME_BYTES_MAX)).is_ok());
        assert_eq!(Name::new(&"n".repeat(NAME_BYTES_MAX + 1)), Err(InvalidName::TooLong { found: 256 }));
    }

    #[test]
    fn the_names_of_what_stands_beside_segments_are_reserved() {
        let name = format!("/{}0123", crate::draft::DRAFT_PREFIX);
        assert_eq!(Name::new(&name), Err(InvalidName::Reserved { name }));
    }
}
