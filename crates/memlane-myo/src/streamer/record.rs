//! The records of the streams: each begins with its time in seconds of the monotonic clock, and is made from one in
//! nanoseconds.

use crate::myo::{EMG_CHANNELS, Imu};

/// What `myo/emg` is; [`emg_record`] makes one.
pub const EMG_SCHEMA: &str = r#"{t:<f8 unit="s",lost:<u4,emg:[8]|i1}"#;
/// What `myo/filtered` is.
pub(super) const FILTERED_SCHEMA: &str = r#"{t:<f8 unit="s",emg:[8]<u2,moving:|u1}"#;
/// What `myo/imu` is; [`imu_record`] makes one.
pub const IMU_SCHEMA: &str =
    r#"{t:<f8 unit="s",quaternion:[4]<f4,acceleration:[3]<f4 unit="g",rotation:[3]<f4 unit="deg/s"}"#;

const NANOSECONDS: f64 = 1e9;

/// A record of [`EMG_SCHEMA`]; `lost` samples are missing before it.
///
/// ```
/// use memlane::schema::Schema;
/// use memlane_myo::streamer::{EMG_SCHEMA, emg_record};
/// let schema: Schema = EMG_SCHEMA.parse()?;
/// let record = schema.decode(&emg_record(2_500_000_000, 0, [-5; 8]))?;
/// assert_eq!(record.to_string(), "{t: 2.5, lost: 0, emg: [-5, -5, -5, -5, -5, -5, -5, -5]}");
/// # Ok::<(), memlane::schema::SchemaError>(())
/// ```
#[must_use]
pub fn emg_record(at: u64, lost: u32, channels: [i8; EMG_CHANNELS]) -> Vec<u8> {
    let mut record = time(at);
    record.extend(lost.to_le_bytes());
    record.extend(channels.map(i8::cast_unsigned));
    record
}

pub(super) fn filtered_record(at: u64, channels: [u16; EMG_CHANNELS], moving: u8) -> Vec<u8> {
    let mut record = time(at);
    record.extend(channels.iter().flat_map(|channel| channel.to_le_bytes()));
    record.push(moving);
    record
}

/// A record of [`IMU_SCHEMA`].
#[must_use]
pub fn imu_record(at: u64, imu: Imu) -> Vec<u8> {
    let mut record = time(at);
    let numbers = imu.quaternion().into_iter().chain(imu.acceleration()).chain(imu.rotation());
    record.extend(numbers.flat_map(f32::to_le_bytes));
    record
}

fn time(nanoseconds: u64) -> Vec<u8> {
    (nanoseconds as f64 / NANOSECONDS).to_le_bytes().to_vec()
}
