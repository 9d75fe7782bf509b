//! Memory mappings, and typed references into them.
#![allow(unsafe_code)] // Mapped memory is only reachable through raw pointers; everything else sees `Shared<T>`.

use crate::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap, mmap_anonymous, munmap};
use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::Arc;

/// How a mapping may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

impl Access {
    fn protection(self) -> ProtFlags {
        match self {
            Self::Read => ProtFlags::READ,
            Self::ReadWrite => ProtFlags::READ | ProtFlags::WRITE,
        }
    }
}

/// Part of a file, mapped shared, until the last [`Shared`] into it is gone.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    len: usize,
    access: Access,
}

// SAFETY: a mapping is plain memory with a fixed address; all access through `Shared` is atomic or guarded by
// a protocol.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// Types that may be laid over shared bytes.
///
/// # Safety
/// Every bit pattern is valid, there is no padding whose value matters, and every field is an atomic of fixed
/// width or (recursively) such a type, so another process's writes are never a data race.
pub(crate) unsafe trait SharedBytes {}

// SAFETY: an atomic integer is valid for all bits.
unsafe impl SharedBytes for AtomicU8 {}
// SAFETY: as above.
unsafe impl SharedBytes for AtomicU16 {}
// SAFETY: as above.
unsafe impl SharedBytes for AtomicU32 {}
// SAFETY: as above.
unsafe impl SharedBytes for AtomicU64 {}

/// A reference into a mapping that keeps the mapping alive.
#[derive(Debug)]
pub(crate) struct Shared<T: ?Sized> {
    target: NonNull<T>,
    mapping: Arc<Mapping>,
}

// SAFETY: the target is `SharedBytes` (atomics only) and lives as long as the mapping that is kept.
unsafe impl<T: ?Sized> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized> Sync for Shared<T> {}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { target: self.target, mapping: Arc::clone(&self.mapping) }
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: in range and aligned as checked by `Mapping::check`, alive because `mapping` is.
        unsafe { self.target.as_ref() }
    }
}

impl Mapping {
    /// Maps `len` bytes of `file` from `offset` (a multiple of the page size).
    pub(crate) fn new(file: impl AsFd, offset: u64, len: usize, access: Access) -> Result<Arc<Self>, Errno> {
        // SAFETY: a fresh mapping at an address the kernel chooses touches no memory of ours.
        let start =
            unsafe { mmap(std::ptr::null_mut(), len, access.protection(), MapFlags::SHARED, file, offset) }?;
        let start = NonNull::new(start.cast()).ok_or(Errno::FAULT)?;
        Ok(Arc::new(Self { start, len, access }))
    }

    /// Maps `len` bytes of `file` from `offset` (both multiples of the page size) twice, one behind the other: of a
    /// ring, every piece of up to `len` bytes is in one piece, wherever it begins.
    pub(crate) fn mirrored(
        file: impl AsFd,
        offset: u64,
        len: usize,
        access: Access,
    ) -> Result<Arc<Self>, Errno> {
        let whole = Self::reserved(len.checked_mul(2).ok_or(Errno::NOMEM)?, access)?;
        for copy in 0..2 {
            // SAFETY: the copy lies in the range just reserved, which is ours alone and nothing refers to yet.
            unsafe {
                let start = whole.start.as_ptr().add(copy * len).cast();
                mmap(
                    start,
                    len,
                    access.protection(),
                    MapFlags::SHARED | MapFlags::FIXED,
                    file.as_fd(),
                    offset,
                )
            }?;
        }
        Ok(Arc::new(whole))
    }

    /// Addresses without memory.
    fn reserved(len: usize, access: Access) -> Result<Self, Errno> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a fresh mapping at an address the kernel chooses touches no memory of ours.
        let start = unsafe { mmap_anonymous(std::ptr::null_mut(), len, ProtFlags::empty(), flags) }?;
        Ok(Self { start: NonNull::new(start.cast()).ok_or(Errno::FAULT)?, len, access })
    }

    /// Keeps this mapping out of forked children.
    pub(crate) fn exclude_from_fork(&self) -> Result<(), Errno> {
        // SAFETY: the range is this mapping, whole; a child that lacks it never uses it (see `presence`).
        unsafe { madvise(self.start.as_ptr().cast(), self.len, Advice::LinuxDontFork) }
    }

    /// Brings every page in and keeps it there.
    pub(crate) fn make_resident(&self) -> Result<(), Errno> {
        // SAFETY: locking our own mapped range changes no byte of it.
        unsafe { mlock(self.start.as_ptr().cast(), self.len) }
    }

    /// The atomics at `offset`; `None` when they do not fit or are not aligned.
    pub(crate) fn shared<T: SharedBytes>(self: &Arc<Self>, offset: usize) -> Option<Shared<T>> {
        let start = self.check(offset, size_of::<T>(), align_of::<T>())?;
        Some(Shared { target: start.cast(), mapping: Arc::clone(self) })
    }

    /// `count` atomics in a row at `offset`.
    pub(crate) fn shared_slice<T: SharedBytes>(
        self: &Arc<Self>,
        offset: usize,
        count: usize,
    ) -> Option<Shared<[T]>> {
        let start = self.check(offset, size_of::<T>().checked_mul(count)?, align_of::<T>())?;
        let target = NonNull::slice_from_raw_parts(start.cast(), count);
        Some(Shared { target, mapping: Arc::clone(self) })
    }

    /// Asks for the cache line at `offset`, which may be anywhere.
    #[inline]
    pub(crate) fn prefetch(&self, offset: usize) {
        prefetch(self.address(offset));
    }

    /// The address at `offset`, which may be anywhere.
    pub(crate) fn address(&self, offset: usize) -> *mut u8 {
        self.start.as_ptr().wrapping_add(offset)
    }

    /// Plain bytes for reading.
    ///
    /// # Safety
    /// For as long as the result lives, no process writes these bytes.
    #[inline]
    pub(crate) unsafe fn bytes(&self, range: Range<usize>) -> &[u8] {
        debug_assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: the caller's promise about writers; the range was checked when the layout was validated.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(range.start), range.len()) }
    }

    /// Plain bytes for writing.
    ///
    /// # Safety
    /// For as long as the result lives, nobody else, in any process, reads or writes these bytes, and the
    /// mapping was made with [`Access::ReadWrite`].
    #[inline]
    #[allow(clippy::mut_from_ref)] // The exclusion is the caller's protocol, not this reference.
    pub(crate) unsafe fn bytes_mut(&self, range: Range<usize>) -> &mut [u8] {
        debug_assert!(range.start <= range.end && range.end <= self.len && self.access == Access::ReadWrite);
        // SAFETY: the caller's promise of exclusion; the range was checked when the layout was validated.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(range.start), range.len()) }
    }

    fn check(&self, offset: usize, size: usize, align: usize) -> Option<NonNull<u8>> {
        let end = offset.checked_add(size)?;
        (end <= self.len && offset.is_multiple_of(align)).then_some(())?;
        // SAFETY: `offset` is within the mapping, as just checked.
        Some(unsafe { self.start.add(offset) })
    }
}

/// Asks for a cache line, where the processor can be asked.
#[inline]
pub(crate) fn prefetch<T>(target: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint: it reads nothing, and an address that is not mapped is ignored.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(target.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = target;
}

/// Asks for a cache line as its only owner: whoever has a copy loses it now and not when it is written.
#[inline]
pub(crate) fn prefetch_to_write<T>(target: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint: it changes nothing, and an address that is not mapped is ignored. A processor
    // that does not know the instruction does nothing (Intel SDM 2B, PREFETCHW). The intrinsic would ask for a copy.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) target, options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = target;
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is ours alone, and no `Shared` is left (each keeps this mapping alive).
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
    }
}
