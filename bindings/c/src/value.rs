//! Values: one scalar.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{
    Opening, bad, bytes, bytes_mut, memlane_opening, number, out, pointer_out, short_buffer, text,
};
use crate::handle::{self, get};
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status, memlane_status::MEMLANE_CONFLICT};
use crate::wait::wait;
use memlane::schema::Element;
use memlane::{Region, Space, Value};
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

/// A scalar of up to 8 bytes, changed by one instruction.
pub struct memlane_value {
    _opaque: [u8; 0],
}

macro_rules! scalars {
    ($($(#[$doc:meta])* $name:ident = $number:literal $type:ident),* $(,)?) => {
        /// A value of whichever type.
        #[allow(non_camel_case_types)] // Each variant is called as its type.
        pub(crate) enum AnyScalar { $($type(Value<$type>)),* }

        impl AnyScalar {
            fn open(
                scalar: MaybeUninit<memlane_scalar>,
                opening: &Opening,
                space: &Space,
                id: &str,
                initial: *const c_void,
            ) -> Result<Self, Failure> {
                match number(scalar) {
                    $($number => Ok(Self::$type(open(opening, space, id, initial)?)),)*
                    other => Err(bad(format!("{other} is not a memlane_scalar"))),
                }
            }

            pub(crate) fn region(&self) -> &Region {
                match self { $(Self::$type(value) => value.region()),* }
            }
        }

        const _: () = { $(assert!(memlane_scalar::$name as u32 == $number);)* };

        macro_rules! with_scalar {
            ($value:expr, $inner:ident => $body:expr) => {
                match $value { $($crate::value::AnyScalar::$type($inner) => $body),* }
            };
        }
        pub(crate) use with_scalar;
    };
}

/// The type of a value.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum memlane_scalar {
    /// bool
    MEMLANE_BOOL = 0,
    /// int8_t
    MEMLANE_I8 = 1,
    /// uint8_t
    MEMLANE_U8 = 2,
    /// int16_t
    MEMLANE_I16 = 3,
    /// uint16_t
    MEMLANE_U16 = 4,
    /// int32_t
    MEMLANE_I32 = 5,
    /// uint32_t
    MEMLANE_U32 = 6,
    /// int64_t
    MEMLANE_I64 = 7,
    /// uint64_t
    MEMLANE_U64 = 8,
    /// float
    MEMLANE_F32 = 9,
    /// double
    MEMLANE_F64 = 10,
}

scalars! {
    MEMLANE_BOOL = 0 bool, MEMLANE_I8 = 1 i8, MEMLANE_U8 = 2 u8, MEMLANE_I16 = 3 i16, MEMLANE_U16 = 4 u16,
    MEMLANE_I32 = 5 i32, MEMLANE_U32 = 6 u32, MEMLANE_I64 = 7 i64, MEMLANE_U64 = 8 u64, MEMLANE_F32 = 9 f32,
    MEMLANE_F64 = 10 f64,
}

fn open<T: Element>(
    opening: &Opening,
    space: &Space,
    id: &str,
    initial: *const c_void,
) -> Result<Value<T>, Failure> {
    let initial = if initial.is_null() { T::from_bits(0) } else { scalar(initial, size_of::<T>())? };
    Ok(match opening {
        Opening::OpenOrCreate => Value::open_or_create(space, id, initial)?,
        Opening::Create => Value::create(space, id, initial)?,
        Opening::Open => Value::open(space, id)?,
    })
}

/// A scalar that lies in C's memory.
#[inline]
fn scalar<T: Element>(from: *const c_void, size: usize) -> Result<T, Failure> {
    check_size::<T>(size)?;
    let mut bits = [0; 8];
    bits[..size].copy_from_slice(bytes(from, size, "value")?);
    Ok(T::from_bits(u64::from_le_bytes(bits)))
}

/// Puts a scalar into C's memory.
#[inline]
fn give<T: Element>(to: *mut c_void, size: usize, value: T) -> Result<(), Failure> {
    if size < size_of::<T>() {
        return Err(short_buffer(size_of::<T>(), size));
    }
    check_size::<T>(size)?;
    bytes_mut(to, size, "value")?.copy_from_slice(&value.to_bits().to_le_bytes()[..size]);
    Ok(())
}

#[inline]
fn check_size<T>(size: usize) -> Result<(), Failure> {
    if size == size_of::<T>() { Ok(()) } else { Err(bad_size(size, size_of::<T>())) }
}

#[cold]
fn bad_size(size: usize, expected: usize) -> Failure {
    bad(format!(
        "the value has {expected} bytes, not {size}: pass a variable of its own type, and its sizeof"
    ))
}

/// Opens the value `id` of a type, or makes it with the scalar at `initial` (NULL: zero).
#[unsafe(no_mangle)]
pub extern "C" fn memlane_value_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    scalar: MaybeUninit<memlane_scalar>,
    initial: *const c_void,
    value: *mut *mut memlane_value,
) -> memlane_status {
    call(|| {
        let to = pointer_out(value, "value")?;
        let (space, id, opening) = (space::of(space)?, text(id, "id")?, Opening::of(opening)?);
        to.give(handle::open(AnyScalar::open(scalar, &opening, &space, id, initial)?));
        Ok(())
    })
}

/// Copies the value to `to`, a variable of its type and of `size` bytes; MEMLANE_SHORT_BUFFER when these are too few.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_value_load(
    value: *const memlane_value,
    to: *mut c_void,
    size: usize,
) -> memlane_status {
    call(|| with_scalar!(get(value)?, value => give(to, size, value.load())))
}

/// Sets the value to what stands at `from`, and wakes who waits for a newer one.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_value_store(
    value: *const memlane_value,
    from: *const c_void,
    size: usize,
) -> memlane_status {
    call(|| {
        with_scalar!(get(value)?, value => {
            value.store(scalar(from, size)?);
            Ok(())
        })
    })
}

/// Sets the value to what stands at `desired` if it is what stands at `expected`, bit for bit; else MEMLANE_CONFLICT,
/// and `expected` is what it is.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_value_compare_exchange(
    value: *const memlane_value,
    expected: *mut c_void,
    desired: *const c_void,
    size: usize,
) -> memlane_status {
    call(|| {
        with_scalar!(get(value)?, value => {
            match value.compare_exchange(scalar(expected, size)?, scalar(desired, size)?) {
                Ok(_) => Ok(()),
                Err(found) => {
                    give(expected, size, found)?;
                    let message = format!("value `{}` is {found:?}, and not what was expected", value.region().id());
                    Err(Failure::new(MEMLANE_CONFLICT, message))
                }
            }
        })
    })
}

/// Adds what stands at `summand`, as one step; the sum goes to `sum` (NULL: not wanted). Integers wrap at their
/// width. MEMLANE_BAD_ARGUMENT for a bool.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_value_add(
    value: *const memlane_value,
    summand: *const c_void,
    sum: *mut c_void,
    size: usize,
) -> memlane_status {
    macro_rules! add {
        ($value:expr, $($type:ident),*) => {
            match $value {
                AnyScalar::bool(_) => Err(bad("nothing can be added to a bool")),
                $(AnyScalar::$type(value) => {
                    let added = value.add(scalar(summand, size)?);
                    if sum.is_null() { Ok(()) } else { give(sum, size, added) }
                })*
            }
        };
    }
    call(|| add!(get(value)?, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64))
}

/// Copies the value to `to`, with a version to wait from.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_value_read(
    value: *const memlane_value,
    to: *mut c_void,
    size: usize,
    version: *mut u64,
) -> memlane_status {
    call(|| {
        let version = out(version, "version")?;
        with_scalar!(get(value)?, value => {
            let reading = value.read();
            give(to, size, reading.value)?;
            version.give(reading.version);
            Ok(())
        })
    })
}

/// Waits until the value or its version differs from what `memlane_value_read` gave: the value at `seen` and
/// `*version`, both of which become the new ones.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_value_wait_newer(
    value: *const memlane_value,
    seen: *mut c_void,
    size: usize,
    version: *mut u64,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let [version] = crate::argument::lent(version, 1, "version")? else { return Ok(()) };
        with_scalar!(get(value)?, value => {
            let mut reading = value.read();
            (reading.value, reading.version) = (scalar(seen, size)?, *version);
            let reading = wait(timeout, |timeout| value.wait_newer(&reading, timeout))?;
            *version = reading.version;
            give(seen, size, reading.value)
        })
    })
}
