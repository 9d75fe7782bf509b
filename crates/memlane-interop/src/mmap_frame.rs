//! The newest picture behind a packed 24-byte header, in POSIX shared memory.
//!
//! A common arrangement of a C++ camera program and a Python viewer: the writer keeps one segment
//! (`/mmaptest_shm`, say) and overwrites the picture in it; the reader opens `/dev/shm/mmaptest_shm`
//! whenever it wants to show one. There is no queue, no lock and no wake-up, only a flag. Use
//! [`MmapFrameWriter`] to feed such a viewer and [`MmapFrameReader`] to read from such a camera. Between
//! memlane programs, a frame channel of memlane itself does better: it wakes its readers, copies nothing
//! and counts drops.
//!
//! # Layout
//!
//! All numbers are little-endian, and nothing is padded, so the timestamp is not aligned to its size.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | width in pixels, `i32` |
//! | 4 | 4 | height in pixels, `i32` |
//! | 8 | 4 | channels, `i32`, one byte each |
//! | 12 | 8 | timestamp, `i64`, milliseconds since the Unix epoch |
//! | 20 | 4 | valid, `i32`: 0 being written, 1 complete |
//! | 24 | width · height · channels | pixels, interleaved (BGR for colour), rows without padding |
//!
//! # What can go wrong with the layout, and what is done here
//!
//! A foreign reader looks at `valid` before it copies and not after, so a frame that begins meanwhile tears
//! its picture. A foreign writer that dies with `valid = 0` leaves its reader waiting for ever; one that
//! restarts makes a new segment, and a reader that keeps its old map sees a frozen picture. Two frames in
//! one millisecond have the same header.
//!
//! The reader here opens the segment by name for each look, checks every number against the file's size,
//! reads the header before and after the copy, and compares a second copy where the timestamp cannot tell
//! two frames apart; its waits end. The writer here gives each picture a timestamp of its own, `max(now,
//! last + 1)`, also across restarts (so above 1000 pictures a second timestamps run ahead of the clock),
//! and never makes a half-prepared segment visible. [`Publish`] chooses how pictures replace each other.
//!
//! # Death of a writer
//!
//! Nothing needs repair: the next writer of the name overwrites what is unfinished and sweeps up what never
//! became visible.
//!
//! [`Publish::InPlace`], when the segment exists and the size is the same:
//!
//! | killed | what remains | what the reader sees |
//! |---|---|---|
//! | before `valid = 0` | the previous picture | the previous picture |
//! | after it, before the header | `valid = 0`, the previous header | [`Error::Unfinished`] at its deadline |
//! | while header or pixels are stored | `valid = 0`, some of the new bytes | the same, never mixed pixels |
//! | after the last pixel, before `valid = 1` | all of the picture, uncommitted | the same |
//! | after `valid = 1` | the new picture | the new picture |
//!
//! [`Publish::Rename`], and in place the first picture and each change of size:
//!
//! | killed | what remains | what the reader sees |
//! |---|---|---|
//! | before the draft is made | the previous picture, if any | the previous picture, or [`Error::NotFound`] |
//! | until the rename | the same, and a file `.memlane-draft-…` that the next writer sweeps | the same |
//! | after the rename | the new picture; the old inode goes with its last reader | the new picture |
//!
//! A machine that loses power loses shared memory altogether. A reader's death changes nothing: it only
//! looks.
//!
//! # Example: a writer that died in the middle of a frame
//!
//! ```
//! use memlane_interop::Name;
//! use memlane_interop::mmap_frame::{Error, MmapFrameReader, MmapFrameWriter, Publish};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = tempfile::tempdir()?;
//! let name = Name::in_directory(directory.path(), "camera")?;
//! let mut header = [0; 24 + 2 * 2 * 3]; // 2×2×3, valid = 0
//! (header[0], header[4], header[8]) = (2, 2, 3);
//! std::fs::write(name.path(), header)?;
//!
//! let mut reader = MmapFrameReader::open(&name);
//! let outcome = reader.read(Some(Duration::from_millis(5)));
//! assert!(matches!(outcome, Err(Error::Unfinished { .. })));
//!
//! let mut writer = MmapFrameWriter::create(&name, Publish::InPlace)?;
//! writer.write(2, 2, 3, &[9; 12])?;
//! assert_eq!(reader.read(None)?.pixels, [9; 12]);
//! # Ok(())
//! # }
//! ```

mod error;
mod reader;
mod writer;

pub use error::Error;
pub use reader::MmapFrameReader;
pub use writer::{MmapFrameWriter, Publish};

use std::time::{SystemTime, UNIX_EPOCH};

/// The most pixel bytes a picture may have: 1 GiB, more than any camera's and less than an accident's.
pub const PICTURE_BYTES_MAX: usize = 1 << 30;

/// Bytes in front of the pixels.
const HEADER_BYTES: usize = VALID_OFFSET + size_of::<i32>();
const WIDTH_OFFSET: usize = 0;
const HEIGHT_OFFSET: usize = WIDTH_OFFSET + size_of::<i32>();
const CHANNELS_OFFSET: usize = HEIGHT_OFFSET + size_of::<i32>();
const TIMESTAMP_OFFSET: usize = CHANNELS_OFFSET + size_of::<i32>();
const VALID_OFFSET: usize = TIMESTAMP_OFFSET + size_of::<i64>();

const _: () = assert!(TIMESTAMP_OFFSET == 12 && VALID_OFFSET == 20 && HEADER_BYTES == 24);

/// The values of the header's `valid`.
const BEING_WRITTEN: i32 = 0;
const COMPLETE: i32 = 1;

/// A whole picture, copied out of the segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes per pixel, 3 for blue, green, red.
    pub channels: u32,
    /// Milliseconds since the Unix epoch, as the writer had it.
    pub timestamp: i64,
    /// `width * height * channels` bytes, row by row.
    pub pixels: Vec<u8>,
}

/// The 24 bytes as numbers; believed only after [`pixel_bytes`] has passed them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    width: i32,
    height: i32,
    channels: i32,
    timestamp: i64,
    valid: i32,
}

impl Header {
    fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Self {
        Self {
            width: i32::from_le_bytes(field(bytes, WIDTH_OFFSET)),
            height: i32::from_le_bytes(field(bytes, HEIGHT_OFFSET)),
            channels: i32::from_le_bytes(field(bytes, CHANNELS_OFFSET)),
            timestamp: i64::from_le_bytes(field(bytes, TIMESTAMP_OFFSET)),
            valid: i32::from_le_bytes(field(bytes, VALID_OFFSET)),
        }
    }

    fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[WIDTH_OFFSET..HEIGHT_OFFSET].copy_from_slice(&self.width.to_le_bytes());
        bytes[HEIGHT_OFFSET..CHANNELS_OFFSET].copy_from_slice(&self.height.to_le_bytes());
        bytes[CHANNELS_OFFSET..TIMESTAMP_OFFSET].copy_from_slice(&self.channels.to_le_bytes());
        bytes[TIMESTAMP_OFFSET..VALID_OFFSET].copy_from_slice(&self.timestamp.to_le_bytes());
        bytes[VALID_OFFSET..].copy_from_slice(&self.valid.to_le_bytes());
        bytes
    }
}

/// A number that no picture can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Misfit {
    field: &'static str,
    found: i64,
}

/// Bytes of the pixels, or which number is out of range. Each of three positive factors of a product within
/// [`PICTURE_BYTES_MAX`] fits the header's `i32`.
fn pixel_bytes(width: i64, height: i64, channels: i64) -> Result<usize, Misfit> {
    for (field, found) in [("width", width), ("height", height), ("channels", channels)] {
        if found < 1 {
            return Err(Misfit { field, found });
        }
    }
    let bytes = width.saturating_mul(height).saturating_mul(channels);
    if bytes > PICTURE_BYTES_MAX as i64 {
        return Err(Misfit { field: "width * height * channels", found: bytes });
    }
    Ok(bytes as usize)
}

fn field<const N: usize>(bytes: &[u8; HEADER_BYTES], offset: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[offset + index])
}

/// The clock of the timestamps. One that stands before 1970 counts as 1970.
fn milliseconds_since_epoch() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_the_usual_picture_has_its_known_bytes() {
        let header = Header {
            width: 640,
            height: 404,
            channels: 3,
            timestamp: 0x0102_0304_0506_0708,
            valid: COMPLETE,
        };
        let bytes = [0x80, 0x02, 0, 0, 0x94, 0x01, 0, 0, 3, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, 1, 0, 0, 0];
        assert_eq!(header.to_bytes(), bytes);
        assert_eq!(Header::from_bytes(&bytes), header);
        assert_eq!(pixel_bytes(640, 404, 3), Ok(775_704 - HEADER_BYTES));
    }

    #[test]
    fn impossible_sizes_are_named() {
        assert_eq!(pixel_bytes(0, 1, 1), Err(Misfit { field: "width", found: 0 }));
        assert_eq!(pixel_bytes(1, -404, 1), Err(Misfit { field: "height", found: -404 }));
        assert_eq!(
            pixel_bytes(1, 1, i64::from(i32::MIN)),
            Err(Misfit { field: "channels", found: -2_147_483_648 })
        );
    }

    #[test]
    fn products_stop_at_the_limit_and_do_not_wrap() {
        let limit = PICTURE_BYTES_MAX as i64;
        assert_eq!(pixel_bytes(limit, 1, 1), Ok(PICTURE_BYTES_MAX));
        assert!(pixel_bytes(limit, 1, 2).is_err());
        // 2^16 · 2^16 is 0 in 32 bits, and the next product is 0 in 64.
        assert!(pixel_bytes(1 << 16, 1 << 16, 1).is_err());
        assert!(pixel_bytes(1 << 22, 1 << 21, 1 << 21).is_err());
        let largest = i64::from(i32::MAX);
        assert_eq!(pixel_bytes(largest, largest, largest).map_err(|misfit| misfit.found), Err(i64::MAX));
    }
}
