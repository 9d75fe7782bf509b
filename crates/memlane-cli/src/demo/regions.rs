//! The regions that the processes of the demo share.

use super::film::{HEIGHT, WIDTH};
use memlane::schema::Primitive;
use memlane::{FrameSpec, Result, Space, Text, Value};

/// The pictures.
pub(super) const PICTURES: &str = "camera/front";
/// The caption of what is to be seen.
pub(super) const CAPTION: &str = "caption";
/// How many frames all viewers together have received.
pub(super) const COUNTER: &str = "received";

/// What a caption may have.
const CAPTION_BYTES: usize = 256;
/// A viewer that is held up for a quarter of a second still misses nothing.
const HISTORY: u32 = 16;
/// Two viewers with [`VIEWER_ENTRIES`] each.
const BORROWS: u32 = 2 * VIEWER_ENTRIES;
/// A viewer's frame kept across the publisher's death, its last one, and the one it takes.
pub(super) const VIEWER_ENTRIES: u32 = 3;

pub(super) fn pictures() -> FrameSpec {
    FrameSpec::image(HEIGHT, WIDTH, 3, Primitive::U8).history(HISTORY).borrows(BORROWS)
}

pub(super) fn caption(space: &Space) -> Result<Text> {
    Text::open_or_create(space, CAPTION, CAPTION_BYTES)
}

pub(super) fn counter(space: &Space) -> Result<Value<u64>> {
    Value::open_or_create(space, COUNTER, 0)
}
