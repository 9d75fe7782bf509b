//! What LibEMG calls its segments, and what is in them.

use crate::name::{InvalidName, Name};
use std::path::PathBuf;

const COUNT_SUFFIX: &str = "_count";

/// Bytes of a count.
pub(super) const COUNT_BYTES: usize = size_of::<i32>();

/// One of its arrays: what its tag ends with, its rows, and as a type the numbers in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind<const COLUMNS: usize> {
    pub(super) tag: &'static str,
    pub(super) rows: usize,
}

/// Muscles: 8 channels.
pub const EMG: Kind<8> = Kind { tag: "emg", rows: 1000 };
/// Motion: quaternion, acceleration, rotation.
pub const IMU: Kind<10> = Kind { tag: "imu", rows: 250 };

impl<const COLUMNS: usize> Kind<COLUMNS> {
    pub(super) const ROW_BYTES: usize = COLUMNS * size_of::<f64>();

    pub(super) fn bytes(self) -> usize {
        self.rows * Self::ROW_BYTES
    }
}

/// Where the segments are and what their names begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    directory: Option<PathBuf>,
    prefix: String,
}

impl Tags {
    /// Tags that begin with a prefix, for several armbands: `left_` makes `left_emg` and so on.
    pub fn with_prefix(prefix: impl Into<String>) -> Self {
        Self { directory: None, prefix: prefix.into() }
    }

    /// As [`Self::with_prefix`], in another directory than POSIX shared memory, for tests and containers.
    pub fn in_directory(directory: impl Into<PathBuf>, prefix: impl Into<String>) -> Self {
        Self { directory: Some(directory.into()), prefix: prefix.into() }
    }

    /// The segments of the rows and of their count.
    pub(super) fn names<const COLUMNS: usize>(
        &self,
        kind: Kind<COLUMNS>,
    ) -> Result<(Name, Name), InvalidName> {
        let name = |suffix: &str| {
            let name = format!("{}{}{suffix}", self.prefix, kind.tag);
            match &self.directory {
                Some(directory) => Name::in_directory(directory, &name),
                None => Name::new(&name),
            }
        };
        Ok((name("")?, name(COUNT_SUFFIX)?))
    }
}
