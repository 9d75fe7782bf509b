//! What the armband sends, and what its bytes mean.

use super::attribute;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// Electrodes around the arm.
pub const EMG_CHANNELS: usize = 8;
/// Samples in a packet of EMG, the older one first.
pub const EMG_PACKET_SAMPLES: usize = 2;
/// Time from one packet of EMG to the next: 200 samples a second.
pub const EMG_PACKET_PERIOD: Duration = Duration::from_millis(10);

/// Numbers in a packet of motion.
pub const IMU_NUMBERS: usize = 10;

/// Steps of the quaternion in 1, of the accelerometer in 1 g, of the gyroscope in 1 °/s.
const QUATERNION_STEPS: f32 = 16384.0;
const ACCELERATION_STEPS: f32 = 2048.0;
const ROTATION_STEPS: f32 = 16.0;

/// One packet of what was subscribed to.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Notification {
    /// EMG at 200 Hz: which of the four characteristics, and two samples.
    Emg {
        /// 0 to 3, in turn.
        turn: u8,
        /// The older sample first.
        samples: [[i8; EMG_CHANNELS]; EMG_PACKET_SAMPLES],
    },
    /// Filtered EMG.
    FilteredEmg {
        /// Each channel's strength.
        channels: [u16; EMG_CHANNELS],
        /// Not 0 when the arm is moving.
        moving: u8,
    },
    /// Motion.
    Imu(Imu),
    /// A pose, or which arm.
    Classifier(Classifier),
    /// Percent.
    Battery(u8),
    /// Taps: kind, direction, count.
    Motion([u8; 3]),
}

/// Orientation, acceleration and rotation: the quaternion w x y z, then two times x y z, as they were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imu(pub [i16; IMU_NUMBERS]);

/// What the classifier says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Classifier {
    /// It knows where it is: on which arm, and which way round (1 towards the wrist, 2 towards the elbow).
    Synced(Arm, u8),
    /// It no longer knows.
    Unsynced,
    /// The hand does this.
    Pose(Pose),
    /// Poses are unlocked.
    Unlocked,
    /// Poses are locked.
    Locked,
    /// It could not find out where it is.
    SyncFailed,
}

/// An arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arm {
    /// 1.
    Right,
    /// 2.
    Left,
    /// Any other.
    Unknown,
}

/// What the hand does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pose {
    /// 0.
    #[default]
    Rest,
    /// 1.
    Fist,
    /// 2.
    WaveIn,
    /// 3.
    WaveOut,
    /// 4.
    Spread,
    /// 5.
    DoubleTap,
    /// Any other.
    Unknown,
}

/// A firmware's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Firmware {
    /// 0 on armbands that want other commands.
    pub major: u16,
    /// Features.
    pub minor: u16,
    /// Fixes.
    pub patch: u16,
    /// Of the hardware.
    pub hardware: u16,
}

impl Notification {
    /// What the value of an attribute means; `None` if it is not as long as it should be, or of another attribute.
    #[must_use]
    pub fn of(handle: u16, value: &[u8]) -> Option<Self> {
        let turn = attribute::EMG.iter().position(|emg| *emg == handle);
        Some(match (handle, turn) {
            (_, Some(turn)) => {
                let (samples, []) = value.as_chunks::<EMG_CHANNELS>() else { return None };
                let samples: [_; EMG_PACKET_SAMPLES] = samples.try_into().ok()?;
                Self::Emg { turn: turn as u8, samples: samples.map(|sample| sample.map(u8::cast_signed)) }
            }
            (attribute::FILTERED_EMG, _) => {
                let (moving, channels) = value.split_last()?;
                Self::FilteredEmg {
                    channels: little_endian(channels)?.map(i16::cast_unsigned),
                    moving: *moving,
                }
            }
            (attribute::IMU, _) => Self::Imu(Imu(little_endian(value)?)),
            (attribute::CLASSIFIER, _) => Self::Classifier(Classifier::of(value)?),
            (attribute::BATTERY, _) => Self::Battery(*value.first()?),
            (attribute::MOTION, _) => Self::Motion(*value.first_chunk()?),
            _ => return None,
        })
    }
}

fn little_endian<const N: usize>(value: &[u8]) -> Option<[i16; N]> {
    let (numbers, []) = value.as_chunks() else { return None };
    let numbers: [[u8; 2]; N] = numbers.try_into().ok()?;
    Some(numbers.map(i16::from_le_bytes))
}

impl Imu {
    /// Orientation: w x y z, of length 1.
    #[must_use]
    pub fn quaternion(&self) -> [f32; 4] {
        let [w, x, y, z, ..] = self.0;
        [w, x, y, z].map(|step| f32::from(step) / QUATERNION_STEPS)
    }

    /// Acceleration along x y z, in g.
    #[must_use]
    pub fn acceleration(&self) -> [f32; 3] {
        let [_, _, _, _, x, y, z, ..] = self.0;
        [x, y, z].map(|step| f32::from(step) / ACCELERATION_STEPS)
    }

    /// Rotation about x y z, in degrees a second.
    #[must_use]
    pub fn rotation(&self) -> [f32; 3] {
        let [.., x, y, z] = self.0;
        [x, y, z].map(|step| f32::from(step) / ROTATION_STEPS)
    }

    /// The bytes that travel.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|step| step.to_le_bytes()).collect()
    }
}

impl Classifier {
    /// Three bytes on old firmware, six since; what follows the first three is not used here.
    fn of(value: &[u8]) -> Option<Self> {
        Some(match *value {
            [1, arm, direction, ..] => Self::Synced(Arm::of(arm), direction),
            [2, ..] => Self::Unsynced,
            [3, low, high, ..] => Self::Pose(Pose::of(u16::from_le_bytes([low, high]))),
            [4, ..] => Self::Unlocked,
            [5, ..] => Self::Locked,
            [6, ..] => Self::SyncFailed,
            _ => return None,
        })
    }
}

impl Arm {
    fn of(number: u8) -> Self {
        match number {
            1 => Self::Right,
            2 => Self::Left,
            _ => Self::Unknown,
        }
    }

    /// `right`, `left` or `unknown`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Left => "left",
            Self::Unknown => "unknown",
        }
    }
}

impl Pose {
    /// Those that have a number, in its order.
    pub const ALL: [Self; 6] =
        [Self::Rest, Self::Fist, Self::WaveIn, Self::WaveOut, Self::Spread, Self::DoubleTap];

    fn of(number: u16) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Unknown)
    }

    /// In words, such as `wave in`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Fist => "fist",
            Self::WaveIn => "wave in",
            Self::WaveOut => "wave out",
            Self::Spread => "spread",
            Self::DoubleTap => "double tap",
            Self::Unknown => "unknown",
        }
    }
}

impl Firmware {
    /// Of the value of its attribute.
    #[must_use]
    pub fn of(value: &[u8]) -> Option<Self> {
        let [major, minor, patch, hardware] = little_endian(value)?.map(i16::cast_unsigned);
        Some(Self { major, minor, patch, hardware })
    }

    /// The bytes that travel.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let Self { major, minor, patch, hardware } = self;
        [major, minor, patch, hardware].iter().flat_map(|number| number.to_le_bytes()).collect()
    }
}

impl Display for Firmware {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch, hardware } = self;
        write!(formatter, "{major}.{minor}.{patch} on hardware {hardware}")
    }
}
