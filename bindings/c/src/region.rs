//! What can be asked of any handle of a region.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{bytes_mut, give_optional, lent, null, out, pointer_out, short_buffer};
use crate::handle::{self, Object, object};
use crate::lock::memlane_lock;
use crate::status::{Failure, call, memlane_status};
use memlane::schema::Schema;
use memlane::{Error, Participant};
use std::ffi::{c_char, c_void};

/// Room for a program's name with its NUL.
pub const MEMLANE_PROGRAM_SIZE: usize = 32;

/// A process that is attached to a region, or died with it.
#[repr(C)]
pub struct memlane_participant {
    /// Process id in its own PID namespace; 0 when nothing is known any more.
    pub pid: u32,
    /// Whether it lives.
    pub alive: bool,
    /// Its place in the region's table.
    pub slot: u16,
    /// Which use of that place.
    pub generation: u32,
    /// When it attached, in nanoseconds since the Unix epoch.
    pub attached: u64,
    /// Its program's name, cut if need be, with a NUL at its end.
    pub program: [c_char; MEMLANE_PROGRAM_SIZE],
}

impl From<&Participant> for memlane_participant {
    fn from(from: &Participant) -> Self {
        Self {
            pid: from.pid,
            alive: from.alive,
            slot: from.slot,
            generation: from.generation,
            attached: from.attached,
            program: program(&from.program),
        }
    }
}

/// A program's name as C has it.
pub(crate) fn program(name: &str) -> [c_char; MEMLANE_PROGRAM_SIZE] {
    let mut text = [0; MEMLANE_PROGRAM_SIZE];
    let name = &name.as_bytes()[..name.floor_char_boundary(MEMLANE_PROGRAM_SIZE - 1)];
    for (to, from) in text.iter_mut().zip(name) {
        *to = *from as c_char;
    }
    text
}

/// Copies a text with a NUL at its end into a buffer; MEMLANE_SHORT_BUFFER when both do not fit.
pub(crate) fn copy_text(
    text: &str,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> Result<(), Failure> {
    give_optional(length, text.len());
    let size = text.len() + 1;
    if size > capacity {
        return Err(short_buffer(size, capacity));
    }
    let buffer = bytes_mut(buffer.cast(), size, "buffer")?;
    buffer[..text.len()].copy_from_slice(text.as_bytes());
    buffer[text.len()] = 0;
    Ok(())
}

/// The change counter of a region, by any handle of it.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_version(handle: *const c_void, version: *mut u64) -> memlane_status {
    call(|| {
        let to = out(version, "version")?;
        to.give(object(handle, "a region")?.region()?.version());
        Ok(())
    })
}

/// Whether the region's name was removed; its memory stays until the last handle is gone.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_unlinked(handle: *const c_void, unlinked: *mut bool) -> memlane_status {
    call(|| {
        let to = out(unlinked, "unlinked")?;
        to.give(object(handle, "a region")?.region()?.unlinked());
        Ok(())
    })
}

/// Copies the region's id, with a NUL at its end, into a buffer. `length` (NULL: not wanted) is without the NUL,
/// also after MEMLANE_SHORT_BUFFER: a buffer of one byte more is long enough.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_id(
    handle: *const c_void,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> memlane_status {
    call(|| copy_text(object(handle, "a region")?.region()?.id(), buffer, capacity, length))
}

/// Copies what the region's bytes mean, its schema as text with a NUL at its end, into a buffer: `[404,640,3]|u1`.
/// Empty for kinds without one. `length` (NULL: not wanted) is without the NUL,
/// also after MEMLANE_SHORT_BUFFER: a buffer of one byte more is long enough.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_schema(
    handle: *const c_void,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> memlane_status {
    call(|| {
        let schema = object(handle, "a region")?.region()?.description().schema.as_ref();
        let text = schema.map(ToString::to_string).unwrap_or_default();
        copy_text(&text, buffer, capacity, length)
    })
}

/// The lengths of what the region's bytes are, the outermost first: 404, 640, 3 for pictures of 404 rows of 640 pixels
/// with 3 samples. `count` is how many there are, 0 for kinds without a schema; MEMLANE_SHORT_BUFFER when that is more
/// than the `capacity` of `lengths`.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_shape(
    handle: *const c_void,
    lengths: *mut usize,
    capacity: usize,
    count: *mut usize,
) -> memlane_status {
    call(|| {
        let count = out(count, "count")?;
        let schema = object(handle, "a region")?.region()?.description().schema.as_ref();
        let shape = schema.map(Schema::shape).unwrap_or_default();
        count.give(shape.len());
        if shape.len() > capacity {
            return Err(short_buffer(size_of_val(shape), capacity * size_of::<usize>()));
        }
        lent(lengths, shape.len(), "lengths")?.copy_from_slice(shape);
        Ok(())
    })
}

/// MEMLANE_SCHEMA_MISMATCH, with both in the message, unless the region's bytes mean what `schema` says. Of an array,
/// one without a shape, `<f4`, asks what its elements are, however many. For who opened with MEMLANE_OPEN, and for
/// subscribers: whoever lays a type over the bytes asks first.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_expect_schema(handle: *const c_void, schema: *const c_char) -> memlane_status {
    call(|| {
        let (object, expected) = (object(handle, "a region")?, crate::array::schema(schema)?);
        let region = object.region()?;
        let found = region.description().schema.as_ref();
        let elements = matches!(object, Object::Array(_)) && expected.shape().is_empty();
        let is_so =
            found.is_some_and(
                |found| {
                    if elements { found.dtype() == expected.dtype() } else { *found == expected }
                },
            );
        if is_so {
            return Ok(());
        }
        let found = found.map_or_else(|| "none".to_owned(), ToString::to_string);
        Err(Error::SchemaMismatch { id: region.id().into(), expected: expected.to_string(), found }.into())
    })
}

/// Calls `each` with every process that has the region open or died with it. What it gets is good during the call
/// only.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_participants(
    handle: *const c_void,
    each: Option<extern "C" fn(participant: *const memlane_participant, context: *mut c_void)>,
    context: *mut c_void,
) -> memlane_status {
    call(|| {
        let each = each.ok_or_else(|| null("each"))?;
        for participant in object(handle, "a region")?.region()?.participants() {
            each(&memlane_participant::from(&participant), context);
        }
        Ok(())
    })
}

/// The own lock of a region of any kind, for its users: no kind takes it for its own purposes. Close it with
/// `memlane_close()`.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_lock_of(handle: *const c_void, lock: *mut *mut memlane_lock) -> memlane_status {
    call(|| {
        let to = pointer_out(lock, "lock")?;
        to.give(handle::open(object(handle, "a region")?.region()?.lock()));
        Ok(())
    })
}
