//! Records: a structure that changes as a whole.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{Opening, bytes, copy_out, give_optional, memlane_opening, out, pointer_out, text};
use crate::handle::{self, get};
use crate::space::{self, memlane_space};
use crate::status::{Failure, call, memlane_status, memlane_status::MEMLANE_CONFLICT};
use crate::wait::wait;
use memlane::Record;
use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

/// A structure that changes as a whole, or not at all.
pub struct memlane_record {
    _opaque: [u8; 0],
}

/// Opens the record `id`, or makes it, all zero. `schema` says what its bytes are: `{x:<f8,count@8:<u4;16}`, with the
/// offset of each field behind an @ where there is padding, and the size behind a semicolon. It may be NULL with
/// MEMLANE_OPEN.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_record_open(
    space: *const memlane_space,
    id: *const c_char,
    opening: MaybeUninit<memlane_opening>,
    schema: *const c_char,
    record: *mut *mut memlane_record,
) -> memlane_status {
    call(|| {
        let to = pointer_out(record, "record")?;
        let (space, id) = (space::of(space)?, text(id, "id")?);
        to.give(handle::open(match Opening::of(opening)? {
            Opening::OpenOrCreate => Record::open_or_create(&space, id, text(schema, "schema")?)?,
            Opening::Create => Record::create(&space, id, text(schema, "schema")?)?,
            Opening::Open => Record::open(&space, id)?,
        }));
        Ok(())
    })
}

/// Bytes of the record.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_record_size(record: *const memlane_record, size: *mut usize) -> memlane_status {
    call(|| {
        out(size, "size")?.give(get(record)?.schema().size());
        Ok(())
    })
}

/// Copies the record into a buffer, whose size `memlane_record_size()` says; `version` (NULL: not wanted) is what
/// `memlane_record_write_if` compares.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_record_read(
    record: *const memlane_record,
    buffer: *mut c_void,
    capacity: usize,
    version: *mut u64,
) -> memlane_status {
    call(|| {
        let (found, at) = get(record)?.read_bytes()?;
        copy_out(&found, buffer, capacity, std::ptr::null_mut())?;
        give_optional(version, at);
        Ok(())
    })
}

/// Replaces the record by `size` bytes, which must be as many as it has. `version` (NULL: not wanted) is the new one.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_record_write(
    record: *const memlane_record,
    from: *const c_void,
    size: usize,
    version: *mut u64,
) -> memlane_status {
    call(|| {
        let written = get(record)?.write_bytes(bytes(from, size, "from")?)?;
        give_optional(version, written);
        Ok(())
    })
}

/// Replaces the record if its version is still `*version`, which becomes the new one; else MEMLANE_CONFLICT, and
/// `*version` is what stands: read again.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_record_write_if(
    record: *const memlane_record,
    from: *const c_void,
    size: usize,
    version: *mut u64,
) -> memlane_status {
    call(|| {
        let record = get(record)?;
        let [version] = crate::argument::lent(version, 1, "version")? else { return Ok(()) };
        let written = record.write_if(*version, bytes(from, size, "from")?)?;
        settle(record.region().id(), version, written.map_err(|conflict| conflict.version))
    })
}

/// What a conditional write came to.
pub(crate) fn settle(id: &str, version: &mut u64, written: Result<u64, u64>) -> Result<(), Failure> {
    let expected = *version;
    match written {
        Ok(at) => *version = at,
        Err(at) => {
            *version = at;
            let message =
                format!("region `{id}` stands at version {at}, not {expected}: somebody wrote first");
            return Err(Failure::new(MEMLANE_CONFLICT, message));
        }
    }
    Ok(())
}

/// Waits for a version other than `*version`, which becomes the new one.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_record_wait_newer(
    record: *const memlane_record,
    version: *mut u64,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let record = get(record)?;
        let [version] = crate::argument::lent(version, 1, "version")? else { return Ok(()) };
        *version = wait(timeout, |timeout| record.wait_newer(*version, timeout))?;
        Ok(())
    })
}
