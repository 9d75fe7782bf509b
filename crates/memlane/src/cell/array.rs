//! Arrays: elements in place, each changed by one instruction; several at once under the region's lock.
//!
//! Elements of up to 8 bytes are atomic. Whoever changes or reads several as one takes the region's lock
//! ([`Array::lock`]); the next locker is told when a holder died half-way. [`Array::snapshot`] is consistent
//! against writers that take the lock.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | storing one element | the old or the new element | nobody | one of the two |
//! | changing several under the lock | some changed | the next locker, who is told | `owner_died` |
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let joints = memlane::Array::<f32>::open_or_create(&space, "robot/joints", &[6])?;
//! joints.store(2, 0.25)?;
//! joints.lock()?.write(0, &[1.0, 1.0])?;
//! assert_eq!(joints.snapshot()?, [1.0, 1.0, 0.25, 0.0, 0.0, 0.0]);
//! # Ok(()) }
//! ```

use super::newer::Newer;
use crate::atomic::Ordering::{AcqRel, Acquire, Release};
use crate::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};
use crate::error::{Error, Result};
use crate::header::Blueprint;
use crate::kind::Kind;
use crate::layout;
use crate::os::mapping::{Mapping, Shared};
use crate::region::{Opening, Region};
use crate::schema::{Datum, Element, Primitive, Schema, SchemaError};
use crate::space::Space;
use crate::sync::lock::{Lock, LockGuard};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// A region of kind `array` whose element type is known.
#[derive(Debug)]
pub struct Array<T> {
    elements: Elements,
    lock: Lock,
    _type: PhantomData<fn(T) -> T>,
}

/// A region of kind `array` of any element type: for tools.
#[derive(Debug)]
pub struct AnyArray {
    elements: Elements,
    lock: Lock,
}

/// The array's lock, held; reads and writes of several elements are one change for whoever takes the lock
/// too.
#[derive(Debug)]
#[must_use = "the lock is given back when the guard is dropped"]
pub struct ArrayGuard<'a, T> {
    array: &'a Array<T>,
    guard: LockGuard<'a>,
}

impl<T: Element> Array<T> {
    /// Opens the array `id`, which must be of `T` with this shape, or makes it, all zero.
    pub fn open_or_create(space: &Space, id: &str, shape: &[usize]) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, shape)
    }

    /// Makes the array `id`, which must not exist.
    pub fn create(space: &Space, id: &str, shape: &[usize]) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, shape)
    }

    /// Opens the array `id`, which must exist and be of `T`.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        let region = Region::open(space, id)?;
        region.expect_kind(Kind::Array)?;
        let expected = schema_of::<T>(id, region.schema()?.shape())?;
        region.expect_schema(Kind::Array, Some(&expected))?;
        Self::of(region)
    }

    fn obtain(space: &Space, id: &str, opening: Opening, shape: &[usize]) -> Result<Self> {
        Self::of(Region::obtain(space, id, opening, &blueprint(space, schema_of::<T>(id, shape)?))?)
    }

    fn of(region: Region) -> Result<Self> {
        Ok(Self { lock: region.lock(), elements: Elements::new(region)?, _type: PhantomData })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.elements.region
    }

    /// Lengths of the axes; elements lie in C order.
    pub fn shape(&self) -> &[usize] {
        self.elements.schema.shape()
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.elements.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index` in C order.
    #[inline]
    pub fn load(&self, index: usize) -> Result<T> {
        self.elements.load(index).map(T::from_bits)
    }

    /// Sets the element at `index`.
    #[inline]
    pub fn store(&self, index: usize, value: T) -> Result<()> {
        self.elements.store(index, value.to_bits())
    }

    /// Lets `change` make the new element from the old one, again if somebody came in between; gives back the
    /// new one.
    pub fn update(&self, index: usize, mut change: impl FnMut(T) -> T) -> Result<T> {
        let mut seen = self.elements.load(index)?;
        loop {
            let next = change(T::from_bits(seen)).to_bits();
            match self.elements.compare_exchange(index, seen, next)? {
                Ok(_) => return Ok(T::from_bits(next)),
                Err(changed) => seen = changed,
            }
        }
    }

    /// Takes the region's lock for reading and writing several elements as one.
    pub fn lock(&self) -> Result<ArrayGuard<'_, T>> {
        Ok(ArrayGuard { array: self, guard: self.lock.lock()? })
    }

    /// All elements, consistent against writers that take the lock.
    pub fn snapshot(&self) -> Result<Vec<T>> {
        self.lock()?.read(0, self.len())
    }

    /// Waits for a change counter other than `seen` (see [`Region::version`]).
    pub fn wait_newer(&self, seen: u64, timeout: Option<Duration>) -> Result<u64> {
        self.newer(seen).wait(timeout)
    }

    /// A version other than `seen`, to wait for among other things.
    pub fn newer(&self, seen: u64) -> Newer {
        Newer::than(self.region(), seen, None)
    }
}

impl<T: Element> ArrayGuard<'_, T> {
    /// The guard of the lock itself, which tells of a dead owner.
    pub fn guard(&self) -> &LockGuard<'_> {
        &self.guard
    }

    /// `count` elements from `start`.
    pub fn read(&self, start: usize, count: usize) -> Result<Vec<T>> {
        let elements = &self.array.elements;
        elements.check(start, count)?;
        (start..start + count).map(|index| elements.load(index).map(T::from_bits)).collect()
    }

    /// Sets the elements from `start` on; the change counter goes up once.
    pub fn write(&self, start: usize, values: &[T]) -> Result<()> {
        let elements = &self.array.elements;
        elements.check(start, values.len())?;
        for (index, value) in (start..).zip(values) {
            elements.set(index, value.to_bits());
        }
        elements.changed();
        Ok(())
    }
}

impl AnyArray {
    /// Opens the array `id`, which must exist.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        let region = Region::open(space, id)?;
        region.expect_kind(Kind::Array)?;
        Self::of(region)
    }

    /// Opens the array `id`, whose schema must be `schema`, or makes it, all zero.
    pub fn open_or_create(space: &Space, id: &str, schema: Schema) -> Result<Self> {
        Self::of(Region::obtain(space, id, Opening::OpenOrCreate, &blueprint(space, schema))?)
    }

    /// Makes the array `id` of any schema, which must not exist.
    pub fn create(space: &Space, id: &str, schema: Schema) -> Result<Self> {
        Self::of(Region::obtain(space, id, Opening::Create, &blueprint(space, schema))?)
    }

    fn of(region: Region) -> Result<Self> {
        Ok(Self { lock: region.lock(), elements: Elements::new(region)? })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.elements.region
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.elements.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index` in C order.
    pub fn load(&self, index: usize) -> Result<Datum> {
        self.elements.check(index, 1)?;
        let mut bytes = vec![0; self.elements.schema.item_size()];
        self.elements.units.copy_out(index * self.elements.units_per_item, &mut bytes);
        self.elements.schema.dtype().decode(&bytes).map_err(|source| self.unfit(source))
    }

    /// Sets the element at `index`; one of more than 8 bytes is written under the lock.
    pub fn store(&self, index: usize, value: &Datum) -> Result<()> {
        self.elements.check(index, 1)?;
        let mut bytes = vec![0; self.elements.schema.item_size()];
        self.elements.schema.dtype().encode(value, &mut bytes).map_err(|source| self.unfit(source))?;
        let _guard = if self.elements.units_per_item > 1 { Some(self.lock.lock()?) } else { None };
        self.elements.units.copy_in(index * self.elements.units_per_item, &bytes);
        self.elements.changed();
        Ok(())
    }

    /// Sets the element at `index` to `new` if it is `current`; else gives back what it is. For numbers and truth values
    /// in this machine's byte order; [`Error::Schema`] for other types.
    pub fn compare_exchange(
        &self,
        index: usize,
        current: &Datum,
        new: &Datum,
    ) -> Result<Result<Datum, Datum>> {
        let primitive = self.scalar()?;
        let bits = |datum| primitive.bits_of(datum).map_err(|source| self.unfit(source));
        let exchanged = self.elements.compare_exchange(index, bits(current)?, bits(new)?)?;
        Ok(exchanged.map(|bits| primitive.datum_of(bits)).map_err(|bits| primitive.datum_of(bits)))
    }

    /// Adds to the element at `index`, and gives back the sum. Integers wrap at their width; [`Error::Schema`] when the
    /// type has no such value, or is none that can be added to.
    ///
    /// ```
    /// # fn main() -> memlane::Result<()> {
    /// # let directory = tempfile::tempdir().expect("a directory for the example");
    /// # let space = memlane::Space::at(directory.path())?;
    /// let counts = memlane::AnyArray::create(&space, "counts", "[3]u2".parse().expect("it is a schema"))?;
    /// assert_eq!(counts.add(1, &7_u16.into())?, 7_u16.into());
    /// assert_eq!(counts.add(1, &65535_u16.into())?, 6_u16.into());
    /// # Ok(()) }
    /// ```
    pub fn add(&self, index: usize, summand: &Datum) -> Result<Datum> {
        let primitive = self.scalar()?;
        primitive.expect_number().map_err(|source| self.unfit(source))?;
        let summand = primitive.bits_of(summand).map_err(|source| self.unfit(source))?;
        let mut seen = self.elements.load(index)?;
        loop {
            let sum = primitive.sum_of(seen, summand);
            match self.elements.compare_exchange(index, seen, sum)? {
                Ok(_) => return Ok(primitive.datum_of(sum)),
                Err(changed) => seen = changed,
            }
        }
    }

    /// The type of the elements, where they are scalars.
    fn scalar(&self) -> Result<Primitive> {
        let element = Schema::new(self.elements.schema.dtype().clone());
        element.native_scalar().ok_or_else(|| {
            let expected = "elements that are numbers in this machine's byte order".into();
            self.unfit(SchemaError::Value { expected, found: element.to_string() })
        })
    }

    /// Fills `bytes` with elements from `start` on, as many as fit. Somebody may write meanwhile: each part of up to 8
    /// bytes is whole, and several belong together under the region's lock.
    pub fn read(&self, start: usize, bytes: &mut [u8]) -> Result<()> {
        self.check(start, bytes.len())?;
        self.elements.units.copy_out(start * self.elements.units_per_item, bytes);
        Ok(())
    }

    /// Sets elements from `start` on to `bytes`; the change counter goes up once.
    ///
    /// ```
    /// # fn main() -> memlane::Result<()> {
    /// # let directory = tempfile::tempdir().expect("a directory for the example");
    /// # let space = memlane::Space::at(directory.path())?;
    /// let array = memlane::AnyArray::create(&space, "joints", "[3]u2".parse().expect("it is a schema"))?;
    /// array.write(1, &[7, 0, 8, 0])?;
    /// let mut bytes = [0; 6];
    /// array.read(0, &mut bytes)?;
    /// assert_eq!(bytes, [0, 0, 7, 0, 8, 0]);
    /// assert!(array.write(2, &[7, 0, 8, 0]).is_err());
    /// # Ok(()) }
    /// ```
    pub fn write(&self, start: usize, bytes: &[u8]) -> Result<()> {
        self.check(start, bytes.len())?;
        self.elements.units.copy_in(start * self.elements.units_per_item, bytes);
        self.elements.changed();
        Ok(())
    }

    /// Whether `size` bytes are whole elements that there are from `start` on.
    fn check(&self, start: usize, size: usize) -> Result<()> {
        let item = self.elements.schema.item_size();
        if !size.is_multiple_of(item) {
            return Err(Error::TooLarge {
                id: self.region().id().into(),
                size,
                capacity: size / item * item,
            });
        }
        self.elements.check(start, size / item)
    }

    /// An array other than of version `seen`, to wait for.
    pub fn newer(&self, seen: u64) -> Newer {
        Newer::than(self.region(), seen, None)
    }

    /// All elements' bytes, consistent against writers that take the lock.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        let _guard = self.lock.lock()?;
        Ok(self.elements.units.all())
    }

    /// Raises the change counter and wakes who waits for newer elements: for who wrote through the pointer.
    pub fn changed(&self) {
        self.elements.changed();
    }

    /// Where the first element lies; the others follow in C order. For bindings that lay types of their own over them.
    ///
    /// What lies there is shared: other processes may write it at any instant, so there must be no Rust reference to it
    /// except to atomics, and whoever writes calls [`changed`](Self::changed) if others are to notice. It stays mapped
    /// at this place as long as the array or a clone of its [`Region`] is alive, in a forked child too.
    ///
    /// ```
    /// # fn main() -> memlane::Result<()> {
    /// # let directory = tempfile::tempdir().expect("a directory for the example");
    /// # let space = memlane::Space::at(directory.path())?;
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// let array = memlane::AnyArray::create(&space, "counters", "[3]u32".parse().expect("it is a schema"))?;
    /// // SAFETY: the elements are aligned, there are 3 of them, and `array` keeps them mapped.
    /// let second = unsafe { &*array.as_mut_ptr().cast::<AtomicU32>().add(1) };
    /// second.fetch_add(7, Relaxed);
    /// array.changed();
    /// assert_eq!((array.load(1)?, array.region().version()), (7_u32.into(), 1));
    /// # Ok(()) }
    /// ```
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.elements.units.as_mut_ptr()
    }

    fn unfit(&self, source: SchemaError) -> Error {
        Error::Schema { id: self.region().id().into(), source }
    }
}

/// The elements' words, for members and observers alike: one width a region, so that no two accesses mix
/// sizes.
#[derive(Debug)]
pub(crate) enum Units {
    One(Shared<[AtomicU8]>),
    Two(Shared<[AtomicU16]>),
    Four(Shared<[AtomicU32]>),
    Eight(Shared<[AtomicU64]>),
}

/// Runs the same expression on the words of whatever width.
macro_rules! with_units {
    ($units:expr, $words:ident => $body:expr) => {
        match $units {
            Units::One($words) => $body,
            Units::Two($words) => $body,
            Units::Four($words) => $body,
            Units::Eight($words) => $body,
        }
    };
}

impl Units {
    /// Lays words over the elements; `None` when the mapping is too short.
    pub(crate) fn new(mapping: &Arc<Mapping>, offset: usize, schema: &Schema) -> Option<Self> {
        let size = schema.size();
        Some(match unit_of(schema.item_size()) {
            1 => Self::One(mapping.shared_slice(offset, size)?),
            2 => Self::Two(mapping.shared_slice(offset, size / 2)?),
            4 => Self::Four(mapping.shared_slice(offset, size / 4)?),
            _ => Self::Eight(mapping.shared_slice(offset, size / 8)?),
        })
    }

    /// All bytes.
    pub(crate) fn all(&self) -> Vec<u8> {
        let mut bytes = vec![0; with_units!(self, words => size_of_val(&**words))];
        self.copy_out(0, &mut bytes);
        bytes
    }

    fn as_mut_ptr(&self) -> *mut u8 {
        with_units!(self, words => words.as_ptr().cast::<u8>().cast_mut())
    }

    fn copy_out(&self, start: usize, bytes: &mut [u8]) {
        with_units!(self, words => {
            let width = words.first().map_or(1, size_of_val);
            for (word, to) in words.iter().skip(start).zip(bytes.chunks_exact_mut(width)) {
                to.copy_from_slice(&word.load(Acquire).to_le_bytes());
            }
        });
    }

    fn copy_in(&self, start: usize, bytes: &[u8]) {
        with_units!(self, words => {
            for (word, from) in words.iter().skip(start).zip(bytes.as_chunks().0) {
                word.store(from_le_bytes(*from), Release);
            }
        });
    }
}

/// Little-endian bytes as an integer of the same width.
fn from_le_bytes<const N: usize, T: FromLeBytes<N>>(bytes: [u8; N]) -> T {
    T::from_le(bytes)
}

trait FromLeBytes<const N: usize> {
    fn from_le(bytes: [u8; N]) -> Self;
}

macro_rules! from_le_bytes {
    ($($type:ty),*) => { $(
        impl FromLeBytes<{ size_of::<$type>() }> for $type {
            fn from_le(bytes: [u8; size_of::<$type>()]) -> Self {
                Self::from_le_bytes(bytes)
            }
        }
    )* };
}
from_le_bytes!(u8, u16, u32, u64);

/// Words of one width, and how many make an element.
#[derive(Debug)]
struct Elements {
    region: Region,
    units: Units,
    schema: Schema,
    count: usize,
    units_per_item: usize,
}

/// The widest atomic that divides an element.
fn unit_of(item_size: usize) -> usize {
    1 << item_size.trailing_zeros().min(3)
}

fn schema_of<T: Element>(id: &str, shape: &[usize]) -> Result<Schema> {
    Schema::of::<T>().with_shape(shape).map_err(|source| Error::Schema { id: id.into(), source })
}

fn blueprint(space: &Space, schema: Schema) -> Blueprint {
    let body = layout::body_offset(space.participants);
    let size = layout::round_up(body + schema.size(), layout::PAGE);
    Blueprint {
        kind: Kind::Array,
        schema: Some(schema),
        parameters: [0; 8],
        control_size: size,
        total_size: size as u64,
        initial: Vec::new(),
    }
}

#[allow(clippy::useless_conversion)] // The widest of the four widths is the one they are converted to.
impl Elements {
    fn new(region: Region) -> Result<Self> {
        let schema = region.schema()?.clone();
        let units = Units::new(region.attachment().mapping(), region.description().body_offset, &schema);
        let units = units.ok_or_else(|| region.corrupt("its body is too short".into()))?;
        let units_per_item = schema.item_size() / unit_of(schema.item_size());
        Ok(Self { units, count: schema.item_count(), units_per_item, schema, region })
    }

    fn check(&self, start: usize, count: usize) -> Result<()> {
        self.region.expect_range("element", start, count, self.count)
    }

    #[inline]
    fn load(&self, index: usize) -> Result<u64> {
        let bits =
            with_units!(&self.units, words => words.get(index).map(|word| u64::from(word.load(Acquire))));
        bits.map_or_else(|| Err(self.out_of_range(index)), Ok)
    }

    #[inline]
    fn store(&self, index: usize, bits: u64) -> Result<()> {
        if !self.set(index, bits) {
            return Err(self.out_of_range(index));
        }
        self.changed();
        Ok(())
    }

    /// Sets one element without telling; `false` when it is not there.
    #[inline]
    fn set(&self, index: usize, bits: u64) -> bool {
        let stored =
            with_units!(&self.units, words => words.get(index).map(|word| word.store(bits as _, Release)));
        stored.is_some()
    }

    fn compare_exchange(&self, index: usize, current: u64, new: u64) -> Result<Result<u64, u64>> {
        let exchanged = with_units!(&self.units, words => words.get(index).map(|word| {
            word.compare_exchange(current as _, new as _, AcqRel, Acquire).map(u64::from).map_err(u64::from)
        }));
        let exchanged = exchanged.ok_or_else(|| self.out_of_range(index))?;
        if exchanged.is_ok() {
            self.changed();
        }
        Ok(exchanged)
    }

    #[cold]
    fn out_of_range(&self, index: usize) -> Error {
        Error::OutOfRange {
            id: self.region.id().into(),
            what: "element",
            index: index as u64,
            len: self.count as u64,
        }
    }

    fn changed(&self) {
        self.region.changed();
    }
}
