//! Spaces: directories of regions.
#![allow(unsafe_code)] // Functions that C finds by their names.

use crate::argument::{optional_text, options, out, pointer_out, text};
use crate::handle::{self, get};
use crate::status::{Failure, call, memlane_status};
use crate::wait::wait;
use memlane::Space;
use std::ffi::{CString, c_char, c_void};
use std::path::PathBuf;

/// A directory of regions, and how new ones are made there.
pub struct memlane_space {
    _opaque: [u8; 0],
}

/// How new regions are made; begin with MEMLANE_SPACE_DEFAULTS.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct memlane_space_options {
    /// Room for so many processes in each new region, 1 to 4095.
    pub participants: u16,
    /// File mode of new regions: 0660 opens them to the file's group, 0644 to observers.
    pub mode: u32,
    /// Text for people, kept with each new region; NULL for none.
    pub note: *const c_char,
    /// Regions are brought into memory whole when opened, and never swapped out.
    pub resident: bool,
    /// Regions last only as long as somebody has them open.
    pub ephemeral: bool,
}

/// The space of a handle; of NULL the user's own.
pub(crate) fn of(space: *const memlane_space) -> Result<Space, Failure> {
    if space.is_null() { Ok(Space::default()?) } else { get(space).cloned() }
}

/// Opens the space in `directory`, which is made when missing; NULL is the user's own: `$MEMLANE_DIR`, else
/// `/dev/shm/memlane-<uid>`. `options` may be NULL. Functions that take a space take NULL for the user's own as well.
/// Close it with `memlane_close()`; regions stay open.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_space_open(
    directory: *const c_char,
    options: *const memlane_space_options,
    space: *mut *mut memlane_space,
) -> memlane_status {
    call(|| {
        let to = pointer_out(space, "space")?;
        let directory = optional_text(directory, "directory")?;
        let mut made = directory.map_or_else(Space::default, |path| Space::at(PathBuf::from(path)))?;
        if let Some(options) = self::options(options) {
            made = made.participants(options.participants).mode(options.mode);
            if let Some(note) = optional_text(options.note, "note")? {
                made = made.note(note);
            }
            if options.resident {
                made = made.resident();
            }
            if options.ephemeral {
                made = made.ephemeral();
            }
        }
        to.give(handle::open(made));
        Ok(())
    })
}

/// Calls `each` with the id of every region, sorted. The text is good during the call only.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_space_list(
    space: *const memlane_space,
    each: Option<extern "C" fn(id: *const c_char, context: *mut c_void)>,
    context: *mut c_void,
) -> memlane_status {
    call(|| {
        let each = each.ok_or_else(|| crate::argument::null("each"))?;
        for id in of(space)?.list()? {
            // An id has no control characters.
            each(CString::new(id).unwrap_or_default().as_ptr(), context);
        }
        Ok(())
    })
}

/// Whether there is a region of this id.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_space_contains(
    space: *const memlane_space,
    id: *const c_char,
    contains: *mut bool,
) -> memlane_status {
    call(|| {
        let to = out(contains, "contains")?;
        to.give(of(space)?.contains(text(id, "id")?)?);
        Ok(())
    })
}

/// Waits until there is a region of this id: for programs that start before its maker.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_space_wait_for(
    space: *const memlane_space,
    id: *const c_char,
    timeout: i64,
) -> memlane_status {
    call(|| {
        let (space, id) = (of(space)?, text(id, "id")?);
        wait(timeout, |timeout| space.wait_for(id, timeout))
    })
}

/// Removes a region's name; whoever has it open goes on.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_space_remove(space: *const memlane_space, id: *const c_char) -> memlane_status {
    call(|| Ok(of(space)?.remove(text(id, "id")?)?))
}

/// Copies the directory's path, with a NUL at its end, into a buffer. `length` (NULL: not wanted) is without the NUL,
/// also after MEMLANE_SHORT_BUFFER: a buffer of one byte more is long enough.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_space_directory(
    space: *const memlane_space,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> memlane_status {
    call(|| {
        let path = of(space)?.directory().to_string_lossy().into_owned();
        crate::region::copy_text(&path, buffer, capacity, length)
    })
}
