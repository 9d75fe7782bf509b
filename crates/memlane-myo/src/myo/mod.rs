//! The armband: its attributes, what their bytes mean, what it can be told, and a driver for it.

pub mod attribute;

mod control;
mod notification;
mod sample_clock;

mod driver;

pub use control::{Control, EmgMode, ImuMode, Mode, Rgb, Unlock, Vibration};
pub use driver::{Heard, Myo, Settings};
pub use notification::{
    Arm, Classifier, EMG_CHANNELS, EMG_PACKET_PERIOD, EMG_PACKET_SAMPLES, Firmware, IMU_NUMBERS, Imu,
    Notification, Pose,
};
pub use sample_clock::SampleClock;
