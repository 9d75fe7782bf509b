//! Values: one scalar of up to 8 bytes, changed by one instruction.
//!
//! The value is the truth; the version beside it is a hint that is raised after each change, so that waiting
//! needs no polling. A writer killed between the two delays sleepers by a slice, nothing more.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | before the value's store | the old value | nobody | the old value |
//! | after it, before the version | the new value, the old version | the next writer; sleepers compare the value too | the new value |
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! let speed = memlane::Value::<f64>::open_or_create(&space, "robot/speed", 0.0)?;
//! speed.store(1.5);
//! assert_eq!(speed.update(|speed| speed + 1.0), 2.5);
//! let seen = speed.read();
//! speed.add(0.5);
//! assert_eq!(speed.wait_newer(&seen, None)?.value, 3.0);
//! # Ok(()) }
//! ```

use super::newer::Newer;
use crate::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Release};
use crate::error::{Error, Result};
use crate::header::Blueprint;
use crate::kind::Kind;
use crate::layout;
use crate::os::mapping::Shared;
use crate::region::{Opening, Region};
use crate::schema::{Datum, Element, Primitive, Schema, SchemaError};
use crate::space::Space;
use crate::sync::version;
use std::marker::PhantomData;
use std::time::Duration;

/// A region of kind `value` whose type is known.
#[derive(Debug)]
pub struct Value<T> {
    cell: Cell,
    _type: PhantomData<fn(T) -> T>,
}

/// A region of kind `value` of any type: for tools.
#[derive(Debug)]
pub struct AnyValue {
    cell: Cell,
    primitive: Primitive,
}

/// A value and the version it was read under, for [`Value::wait_newer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading<T> {
    /// The value.
    pub value: T,
    /// A version at or before the value's.
    pub version: u64,
}

/// Numbers that [`Value::add`] can add: integers wrap at their width.
pub trait Number: Element {
    /// The sum.
    #[must_use]
    fn plus(self, other: Self) -> Self;
}

macro_rules! number {
    ($($type:ty: $plus:expr),* $(,)?) => { $(
        impl Number for $type {
            #[inline]
            fn plus(self, other: Self) -> Self {
                $plus(self, other)
            }
        }
    )* };
}
number!(
    i8: i8::wrapping_add, i16: i16::wrapping_add, i32: i32::wrapping_add, i64: i64::wrapping_add,
    u8: u8::wrapping_add, u16: u16::wrapping_add, u32: u32::wrapping_add, u64: u64::wrapping_add,
    f32: std::ops::Add::add, f64: std::ops::Add::add,
);

impl<T: Element> Value<T> {
    /// Opens the value `id`, which must hold a `T`, or makes it with `initial`.
    pub fn open_or_create(space: &Space, id: &str, initial: T) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, initial)
    }

    /// Makes the value `id`, which must not exist.
    pub fn create(space: &Space, id: &str, initial: T) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, initial)
    }

    /// Opens the value `id`, which must exist and hold a `T`.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        let region = Region::open(space, id)?;
        region.expect_schema(Kind::Value, Some(&Schema::of::<T>()))?;
        Ok(Self { cell: Cell::new(region), _type: PhantomData })
    }

    fn obtain(space: &Space, id: &str, opening: Opening, initial: T) -> Result<Self> {
        let blueprint = blueprint(space, Schema::of::<T>(), initial.to_bits());
        Ok(Self { cell: Cell::new(Region::obtain(space, id, opening, &blueprint)?), _type: PhantomData })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.cell.region
    }

    /// The value now.
    #[inline]
    #[must_use]
    pub fn load(&self) -> T {
        T::from_bits(self.cell.bits().load(Acquire))
    }

    /// Sets the value and wakes who waits for a newer one.
    #[inline]
    pub fn store(&self, value: T) {
        self.cell.store(value.to_bits());
    }

    /// Lets `change` make the new value from the old one, again if somebody came in between. Gives back the
    /// new value.
    #[inline]
    pub fn update(&self, mut change: impl FnMut(T) -> T) -> T {
        T::from_bits(self.cell.update(|bits| change(T::from_bits(bits)).to_bits()))
    }

    /// Sets the value to `new` if it is `current`, bit for bit; else gives back what it is.
    #[inline]
    pub fn compare_exchange(&self, current: T, new: T) -> Result<T, T> {
        self.cell.compare_exchange(current.to_bits(), new.to_bits()).map(T::from_bits).map_err(T::from_bits)
    }

    /// The value with a version to wait from.
    #[must_use]
    pub fn read(&self) -> Reading<T> {
        let (value, version) = self.cell.read();
        Reading { value: T::from_bits(value), version }
    }

    /// Waits until the value or its version differs from `seen`.
    pub fn wait_newer(&self, seen: &Reading<T>, timeout: Option<Duration>) -> Result<Reading<T>> {
        self.newer(*seen).wait(timeout)?;
        Ok(self.read())
    }

    /// A value or version other than `seen`, to wait for among other things.
    pub fn newer(&self, seen: Reading<T>) -> Newer {
        Newer::than(self.region(), seen.version, Some(seen.value.to_bits()))
    }
}

impl<T: Number> Value<T> {
    /// Adds, and gives back the sum. Integers wrap at their width.
    #[inline]
    pub fn add(&self, summand: T) -> T {
        self.update(|value| value.plus(summand))
    }
}

impl AnyValue {
    /// Opens the value `id`, which must exist.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        Self::of(Region::open(space, id)?)
    }

    /// Opens the value `id`, which must exist and be of the type `primitive`.
    pub fn open_as(space: &Space, id: &str, primitive: Primitive) -> Result<Self> {
        Self::obtain(space, id, Opening::Open, primitive, &Datum::Uint(0))
    }

    /// Opens the value `id`, which must be of the type `primitive`, or makes it with `initial`.
    pub fn open_or_create(space: &Space, id: &str, primitive: Primitive, initial: &Datum) -> Result<Self> {
        Self::obtain(space, id, Opening::OpenOrCreate, primitive, initial)
    }

    /// Makes the value `id` of the type `primitive`, which must not exist.
    pub fn create(space: &Space, id: &str, primitive: Primitive, initial: &Datum) -> Result<Self> {
        Self::obtain(space, id, Opening::Create, primitive, initial)
    }

    fn obtain(
        space: &Space,
        id: &str,
        opening: Opening,
        primitive: Primitive,
        initial: &Datum,
    ) -> Result<Self> {
        let bits = match opening {
            Opening::Open => 0,
            _ => primitive.bits_of(initial).map_err(|source| Error::Schema { id: id.into(), source })?,
        };
        let blueprint = blueprint(space, Schema::new(primitive), bits);
        Self::of(Region::obtain(space, id, opening, &blueprint)?)
    }

    fn of(region: Region) -> Result<Self> {
        region.expect_kind(Kind::Value)?;
        let primitive = region.schema()?.native_scalar();
        let primitive = primitive.ok_or_else(|| region.corrupt("its schema is not a scalar".into()))?;
        Ok(Self { cell: Cell::new(region), primitive })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        &self.cell.region
    }

    /// Its type.
    pub fn primitive(&self) -> Primitive {
        self.primitive
    }

    /// The value now.
    pub fn load(&self) -> Datum {
        self.primitive.datum_of(self.cell.bits().load(Acquire))
    }

    /// The value with a version to wait from.
    pub fn read(&self) -> Reading<Datum> {
        let (value, version) = self.cell.read();
        Reading { value: self.primitive.datum_of(value), version }
    }

    /// Sets the value; an error when the type has no such value.
    pub fn store(&self, value: &Datum) -> Result<()> {
        self.cell.store(self.bits_of(value)?);
        Ok(())
    }

    /// Sets the value to `new` if it is `current`; else gives back what it is.
    pub fn compare_exchange(&self, current: &Datum, new: &Datum) -> Result<Result<Datum, Datum>> {
        let exchanged = self.cell.compare_exchange(self.bits_of(current)?, self.bits_of(new)?);
        Ok(exchanged.map(|bits| self.primitive.datum_of(bits)).map_err(|bits| self.primitive.datum_of(bits)))
    }

    /// Sets the value to what `change` makes of it, as one step; `change` is asked again when somebody was faster.
    /// Gives
    /// back the new value, or what `change` refused with.
    pub fn try_update<E>(
        &self,
        mut change: impl FnMut(Datum) -> Result<Datum, E>,
    ) -> Result<Result<Datum>, E> {
        let mut seen = self.cell.bits().load(Acquire);
        loop {
            let next = change(self.primitive.datum_of(seen))?;
            let bits = match self.bits_of(&next) {
                Ok(bits) => bits,
                Err(error) => return Ok(Err(error)),
            };
            match self.cell.compare_exchange(seen, bits) {
                Ok(_) => return Ok(Ok(self.primitive.datum_of(bits))),
                Err(changed) => seen = changed,
            }
        }
    }

    /// Adds, and gives back the sum. Integers wrap at their width; an error when the type has no such value, or has
    /// truth values, which nothing is added to.
    ///
    /// ```
    /// # fn main() -> memlane::Result<()> {
    /// # let directory = tempfile::tempdir().expect("a directory for the example");
    /// # let space = memlane::Space::at(directory.path())?;
    /// use memlane::{AnyValue, Value};
    /// let steps = Value::<u8>::create(&space, "steps", 250)?;
    /// assert_eq!(AnyValue::open(&space, "steps")?.add(&10_u8.into())?, 4_u8.into());
    /// assert_eq!(steps.load(), 4);
    /// # Ok(()) }
    /// ```
    pub fn add(&self, summand: &Datum) -> Result<Datum> {
        let primitive = self.primitive;
        let id = self.region().id();
        primitive.expect_number().map_err(|source| Error::Schema { id: id.into(), source })?;
        let summand = self.bits_of(summand)?;
        Ok(primitive.datum_of(self.cell.update(|bits| primitive.sum_of(bits, summand))))
    }

    /// Waits until the value or its version differs from `seen`.
    pub fn wait_newer(&self, seen: &Reading<Datum>, timeout: Option<Duration>) -> Result<Reading<Datum>> {
        self.newer(seen)?.wait(timeout)?;
        Ok(self.read())
    }

    /// A value or version other than `seen`, to wait for among other things.
    pub fn newer(&self, seen: &Reading<Datum>) -> Result<Newer> {
        Ok(Newer::than(self.region(), seen.version, Some(self.bits_of(&seen.value)?)))
    }

    fn bits_of(&self, value: &Datum) -> Result<u64> {
        let unfit = |source: SchemaError| Error::Schema { id: self.region().id().into(), source };
        self.primitive.bits_of(value).map_err(unfit)
    }
}

/// The word itself, without a type.
#[derive(Debug)]
struct Cell {
    region: Region,
    line: Shared<layout::VersionLine>,
}

fn blueprint(space: &Space, schema: Schema, initial: u64) -> Blueprint {
    let size = layout::round_up(layout::body_offset(space.participants), layout::PAGE);
    Blueprint {
        kind: Kind::Value,
        schema: Some(schema),
        parameters: [0; 8],
        control_size: size,
        total_size: size as u64,
        initial: vec![(layout::VALUE_OFFSET, initial.to_le_bytes().to_vec())],
    }
}

impl Cell {
    fn new(region: Region) -> Self {
        let line = region.attachment().version.clone();
        Self { region, line }
    }

    #[inline]
    fn bits(&self) -> &AtomicU64 {
        &self.line.value
    }

    #[inline]
    fn store(&self, bits: u64) {
        self.bits().store(bits, Release);
        self.changed();
    }

    #[inline]
    fn update(&self, mut change: impl FnMut(u64) -> u64) -> u64 {
        let mut seen = self.bits().load(Acquire);
        loop {
            let next = change(seen);
            match self.bits().compare_exchange_weak(seen, next, AcqRel, Acquire) {
                Ok(_) => {
                    self.changed();
                    return next;
                }
                Err(changed) => seen = changed,
            }
        }
    }

    #[inline]
    fn compare_exchange(&self, current: u64, new: u64) -> Result<u64, u64> {
        let exchanged = self.bits().compare_exchange(current, new, AcqRel, Acquire);
        if exchanged.is_ok() {
            self.changed();
        }
        exchanged
    }

    /// The version first: a value newer than its version makes a waiter return early, never too late.
    fn read(&self) -> (u64, u64) {
        let version = version::count(self.line.version.load(Acquire));
        (self.bits().load(Acquire), version)
    }

    #[inline]
    fn changed(&self) {
        version::advance(&self.line.version, self.region.attachment().as_ref());
    }
}
