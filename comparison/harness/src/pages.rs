//! Shared memory for peers that bring none.
#![allow(unsafe_code)] // Maps a file, and says what lies in it.

use std::ffi::c_void;
use std::fs::{File, OpenOptions, hard_link, remove_file};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::AtomicU64;

use anyhow::{Context, Result};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Memory that processes share by a name, for peers that bring none of their own: a file in `/dev/shm`, which goes with
/// whoever made it.
pub struct Pages {
    start: NonNull<c_void>,
    size: usize,
    made: Option<PathBuf>,
}

impl Pages {
    /// Opens it, or makes it first, of zeros; `prepare` does with these what is to be done before others see them.
    pub fn open_or_create(
        name: &str,
        size: usize,
        prepare: impl FnOnce(&Self) -> Result<()>,
    ) -> Result<Self> {
        if let Some(pages) = Self::open(name, size)? {
            return Ok(pages);
        }
        let (path, unseen) = (path_of(name), path_of(&format!("{name}.{}", process::id())));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&unseen)?;
        file.set_len(size as u64)?;
        let mut pages = Self::map(&file, size)?;
        prepare(&pages)?;
        let linked = hard_link(&unseen, &path);
        remove_file(&unseen)?;
        match linked {
            Ok(()) => {
                pages.made = Some(path);
                Ok(pages)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::open(name, size)?.context("it was removed while it was opened")
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Opens it, if it is there.
    pub fn open(name: &str, size: usize) -> Result<Option<Self>> {
        match OpenOptions::new().read(true).write(true).open(path_of(name)) {
            Ok(file) => Self::map(&file, size).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| name.to_owned()),
        }
    }

    fn map(file: &File, size: usize) -> Result<Self> {
        // SAFETY: a mapping of its own, where the kernel finds room for it.
        let start =
            unsafe { mmap(null_mut(), size, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, file, 0) };
        let start = NonNull::new(start?).context("mapped at zero")?;
        Ok(Self { start, size, made: None })
    }

    /// Where so many bytes lie, for as long as these pages live.
    ///
    /// # Panics
    ///
    /// When not all of them are within.
    pub fn bytes(&self, offset: usize, size: usize) -> *mut u8 {
        assert!(offset.checked_add(size).is_some_and(|end| end <= self.size), "beyond the end");
        // SAFETY: within the mapping, as was just checked.
        unsafe { self.start.as_ptr().cast::<u8>().add(offset) }
    }

    /// Where a `T` lies.
    ///
    /// # Panics
    ///
    /// When it is not within, or not aligned.
    pub fn at<T>(&self, offset: usize) -> *mut T {
        let place = self.bytes(offset, size_of::<T>()).cast::<T>();
        assert!(place.is_aligned(), "not aligned");
        place
    }

    /// A word, to be changed by atomic operations only.
    pub fn word(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: aligned and within, as `at` checks, and any eight bytes are a number.
        unsafe { &*self.at(offset) }
    }
}

fn path_of(name: &str) -> PathBuf {
    PathBuf::from(format!("/dev/shm/{name}"))
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: this mapping, which nothing refers to that outlives the pages.
        let _ = unsafe { munmap(self.start.as_ptr(), self.size) };
        if let Some(path) = &self.made {
            let _ = remove_file(path);
        }
    }
}
