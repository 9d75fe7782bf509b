//! Looking at a frame channel without holding a frame.
//!
//! Use it where frames are copied anyway, to be sent somewhere: an onlooker takes none of the channel's borrow entries, so
//! it is not in the way of those who read in place, and a publisher does not meet it. It pays with the copy, and has to
//! copy anew when the publisher was faster.
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! use memlane::{FramePublisher, FrameSpec, WaitSet, frames::Onlooker};
//! let mut camera = FramePublisher::create(&space, "camera", &FrameSpec::bytes(4096))?;
//! let onlooker = Onlooker::open(&space, "camera")?;
//! camera.loan()?.publish();
//! let newer = onlooker.newer(0);
//! let mut set = WaitSet::new();
//! set.add(&newer)?;
//! assert!(!set.wait(None).is_empty());
//! let mut bytes = Vec::new();
//! assert_eq!(onlooker.copy(&mut bytes)?.map(|(sequence, _)| sequence), Some(1));
//! # Ok(()) }
//! ```

use super::subscriber::{Arrival, Seat};
use super::timestamp::Timestamp;
use crate::atomic::pause;
use crate::cell::snapshot::load_bytes;
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::os::mapping::Access;
use crate::region::Region;
use crate::space::Space;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to try to copy a frame that is replaced again and again.
const PATIENCE: Duration = Duration::from_millis(200);

/// A reader of a frame channel that holds nothing. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Onlooker {
    /// Without an entry.
    seat: Arc<Seat>,
}

impl Onlooker {
    /// Looks at the channel `id`, which must exist.
    pub fn open(space: &Space, id: &str) -> Result<Self> {
        let region = Region::open(space, id)?;
        region.expect_kind(Kind::Frames)?;
        Ok(Self { seat: Arc::new(Seat::open(region, Access::Read)?) })
    }

    /// The region behind it.
    pub fn region(&self) -> &Region {
        self.seat.region()
    }

    /// Number of the newest frame; 0 when there never was one.
    pub fn newest(&self) -> u64 {
        self.seat.words().pool().newest().sequence
    }

    /// A frame newer than number `seen`, to wait for among other things.
    pub fn newer(&self, seen: u64) -> Arrival {
        Arrival::after(&self.seat, seen)
    }

    /// Copies the newest frame, and gives back its number and when it was captured; `None` when there never was one.
    /// [`Error::Busy`] when the publisher was faster each time.
    pub fn copy(&self, bytes: &mut Vec<u8>) -> Result<Option<(u64, Timestamp)>> {
        let words = self.seat.words();
        let start = Instant::now();
        loop {
            let newest = words.pool().newest();
            if newest.sequence == 0 {
                bytes.clear();
                return Ok(None);
            }
            let info = words.info(newest.slot);
            let range = words.payload_of(newest.slot, info.length);
            let count = range.len().div_ceil(size_of::<u64>());
            // Whole words, which may change meanwhile: whether they did is looked at afterwards.
            if let Some(shared) = self.seat.payload().shared_slice(range.start, count) {
                bytes.resize(range.len(), 0);
                load_bytes(&shared, bytes);
                if words.pool().still_offers(newest) {
                    return Ok(Some((newest.sequence, info.captured)));
                }
            }
            let waited = start.elapsed();
            if waited > PATIENCE {
                return Err(Error::Busy { id: self.region().id().into(), waited });
            }
            pause();
        }
    }
}
