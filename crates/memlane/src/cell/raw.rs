//! Raw regions: so many bytes, for programs that lay their own types over them.
//!
//! What the bytes mean is their users' affair, and so is what belongs together: whoever changes several places
//! as one takes the region's lock (`raw.region().lock()`); the next locker is told when a holder died half-way.
//! Bytes are copied in and out in words of eight, by atomics; eight aligned bytes that are written at once are
//! read at once. Bindings lay arrays and structures over [`Raw::as_mut_ptr`] instead, which begins on a page.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | writing | of each byte the old or the new one | nobody | the same |
//! | changing several places under the lock | some changed | the next locker, who is told | `owner_died` |
//! | after the bytes, before the version | the new bytes, the old version | the next writer | the new bytes; sleepers sleep on |
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let scratch = memlane::Raw::open_or_create(&space, "robot/scratch", 1000)?;
//! scratch.write(996, b"tail")?;
//! let mut bytes = [0; 6];
//! scratch.read(994, &mut bytes)?;
//! assert_eq!((scratch.len(), &bytes), (1000, b"\0\0tail"));
//! # Ok(()) }
//! ```

use super::newer::Newer;
use super::snapshot::{load_bytes, store_bytes};
use crate::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, fence};
use crate::error::{Error, Result};
use crate::header::{Blueprint, Description};
use crate::kind::Kind;
use crate::layout::{self, RawLayout};
use crate::os::mapping::{Mapping, Shared};
use crate::region::{Opening, Region};
use crate::schema::{Schema, SchemaError};
use crate::space::Space;
use std::sync::Arc;
use std::time::Duration;

const WORD: usize = size_of::<u64>();

/// A region of kind `raw`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Raw {
    region: Region,
    bytes: Bytes,
}

impl Raw {
    /// Opens the bytes `id`, which must be `size`, or makes them, all zero.
    pub fn open_or_create(space: &Space, id: &str, size: usize) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, size)
    }

    /// Makes the bytes `id`, which must not exist: `size` of them, at least 1.
    pub fn create(space: &Space, id: &str, size: usize) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, size)
    }

    /// Opens the bytes `id`, which must exist.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, size: usize) -> Result<Self> {
        Self::of(Region::obtain(space, id, opening, &blueprint(space, id, size)?)?)
    }

    fn of(region: Region) -> Result<Self> {
        region.expect_kind(Kind::Raw)?;
        let bytes = Bytes::new(region.description(), region.attachment().mapping());
        Ok(Self { bytes: bytes.map_err(|what| region.corrupt(what))?, region })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// How many bytes: as many as were asked for when it was made.
    pub fn len(&self) -> usize {
        self.bytes.size
    }

    /// Whether there are none, which never is so.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `bytes` with what stands from `offset` on. Somebody may write meanwhile, and then some are the old ones.
    pub fn read(&self, offset: usize, bytes: &mut [u8]) -> Result<()> {
        self.check(offset, bytes.len())?;
        self.bytes.copy_out(offset, bytes);
        Ok(())
    }

    /// Writes `bytes` from `offset` on, and wakes who waits for newer ones.
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        self.check(offset, bytes.len())?;
        self.bytes.copy_in(offset, bytes);
        self.changed();
        Ok(())
    }

    /// Raises the change counter and wakes who waits for newer bytes: for who wrote through the pointer.
    pub fn changed(&self) {
        self.region.changed();
    }

    /// Waits for a change counter other than `seen` (see [`Region::version`]).
    pub fn wait_newer(&self, seen: u64, timeout: Option<Duration>) -> Result<u64> {
        self.newer(seen).wait(timeout)
    }

    /// A version other than `seen`, to wait for among other things.
    pub fn newer(&self, seen: u64) -> Newer {
        Newer::than(&self.region, seen, None)
    }

    /// Where the first of the [`len`](Self::len) bytes lies, at the beginning of a page: for bindings that lay types of
    /// their own over them.
    ///
    /// What lies there is shared: other processes may write it at any instant, so there must be no Rust reference to it
    /// except to atomics, and whoever writes calls [`changed`](Self::changed) if others are to notice. It stays mapped
    /// at this place as long as the `Raw`, a clone of it or a clone of its [`Region`] is alive, in a forked child too.
    ///
    /// ```
    /// # fn main() -> memlane::Result<()> {
    /// # let directory = tempfile::tempdir().expect("a directory for the example");
    /// # let space = memlane::Space::at(directory.path())?;
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// let raw = memlane::Raw::create(&space, "counters", 64)?;
    /// // SAFETY: it is aligned, there are 64 bytes, all zero, and `raw` keeps them mapped.
    /// let counter = unsafe { &*raw.as_mut_ptr().cast::<AtomicU32>() };
    /// counter.fetch_add(7, Relaxed);
    /// raw.changed();
    /// let mut bytes = [0; 4];
    /// raw.read(0, &mut bytes)?;
    /// assert_eq!((u32::from_le_bytes(bytes), raw.region().version()), (7, 1));
    /// # Ok(()) }
    /// ```
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.bytes.words.as_ptr().cast::<u8>().cast_mut()
    }

    fn check(&self, offset: usize, count: usize) -> Result<()> {
        self.region.expect_range("byte", offset, count, self.len())
    }
}

/// The bytes in words of one width, for members and observers alike, so that no two accesses mix sizes. Behind the
/// last byte a page is filled up with zeros, so the last word is whole.
#[derive(Debug, Clone)]
pub(crate) struct Bytes {
    words: Shared<[AtomicU64]>,
    size: usize,
}

impl Bytes {
    /// Lays words over them. The error says what is wrong with the region.
    pub(crate) fn new(description: &Description, mapping: &Arc<Mapping>) -> Result<Self, String> {
        let size = usize::try_from(description.parameters[0]).unwrap_or(usize::MAX);
        if !schema_of(size).is_ok_and(|schema| description.schema.as_ref() == Some(&schema)) {
            let schema = description.schema.as_ref().map_or_else(|| "none".to_owned(), Schema::to_string);
            return Err(format!("it says that it has {size} bytes, and its schema is {schema}"));
        }
        let offset = RawLayout::new(description.body_offset, size).bytes_offset;
        let words = mapping.shared_slice(offset, size.div_ceil(WORD));
        Ok(Self { words: words.ok_or("its body is too short")?, size })
    }

    /// All bytes.
    pub(crate) fn all(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.size];
        self.copy_out(0, &mut bytes);
        bytes
    }

    fn copy_out(&self, offset: usize, bytes: &mut [u8]) {
        let Place { before, head, first, words } = self.place(offset, bytes.len());
        let (head, rest) = bytes.split_at_mut(head);
        if let Some(word) = first {
            for (to, from) in head.iter_mut().zip(word.load(Relaxed).to_le_bytes().iter().skip(before)) {
                *to = *from;
            }
        }
        load_bytes(words, rest);
        // Whoever reads what a `copy_in` wrote also sees what was done before it.
        fence(Acquire);
    }

    fn copy_in(&self, offset: usize, bytes: &[u8]) {
        // Pairs with the fence in `copy_out`.
        fence(Release);
        let Place { before, head, first, words } = self.place(offset, bytes.len());
        let (head, rest) = bytes.split_at(head);
        if let Some(word) = first {
            patch(word, before, head);
        }
        let (whole, tail) = rest.split_at(rest.len() - rest.len() % WORD);
        store_bytes(words, whole);
        if let Some(word) = words.get(whole.len() / WORD).filter(|_| !tail.is_empty()) {
            patch(word, 0, tail);
        }
    }

    /// Where `count` bytes from `offset` on lie.
    fn place(&self, offset: usize, count: usize) -> Place<'_> {
        let words = self.words.get(offset / WORD..).unwrap_or_default();
        match (offset % WORD, words.split_first()) {
            (before @ 1.., Some((first, words))) => {
                Place { before, head: count.min(WORD - before), first: Some(first), words }
            }
            _ => Place { before: 0, head: 0, first: None, words },
        }
    }
}

/// Bytes that begin inside of a word: so many before them in the first word, so many of them in it, and the words
/// behind it. Without a first word where they begin with a word.
struct Place<'a> {
    before: usize,
    head: usize,
    first: Option<&'a AtomicU64>,
    words: &'a [AtomicU64],
}

/// Puts bytes into a part of a word. Its other bytes may be written at the same instant, and stay as they are then.
fn patch(word: &AtomicU64, before: usize, bytes: &[u8]) {
    let mut seen = word.load(Relaxed);
    loop {
        let mut patched = seen.to_le_bytes();
        for (to, from) in patched.iter_mut().skip(before).zip(bytes) {
            *to = *from;
        }
        match word.compare_exchange_weak(seen, u64::from_le_bytes(patched), Relaxed, Relaxed) {
            Ok(_) => return,
            Err(changed) => seen = changed,
        }
    }
}

fn schema_of(size: usize) -> Result<Schema, SchemaError> {
    Schema::of::<u8>().with_shape(&[size])
}

fn blueprint(space: &Space, id: &str, size: usize) -> Result<Blueprint> {
    if size == 0 {
        let limit = "at least 1 byte".into();
        return Err(Error::BadParameter { id: id.into(), parameter: "the size", limit, found: 0 });
    }
    let schema = schema_of(size).map_err(|source| Error::Schema { id: id.into(), source })?;
    let layout = RawLayout::new(layout::body_offset(space.participants), size);
    Ok(Blueprint {
        kind: Kind::Raw,
        schema: Some(schema),
        parameters: [size as u64, 0, 0, 0, 0, 0, 0, 0],
        control_size: layout.total_size,
        total_size: layout.total_size as u64,
        initial: Vec::new(),
    })
}
