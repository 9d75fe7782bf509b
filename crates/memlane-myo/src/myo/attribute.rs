//! The armband's attributes, by handle. `…_NOTIFY` is the descriptor that switches the one before it on and off.

/// Its name.
pub const NAME: u16 = 0x03;
/// Its battery, in percent.
pub const BATTERY: u16 = 0x11;
/// Its battery's descriptor.
pub const BATTERY_NOTIFY: u16 = 0x12;
/// Serial number, unlock pose and what else it is.
pub const INFO: u16 = 0x15;
/// The version of its firmware.
pub const FIRMWARE: u16 = 0x17;
/// Where it is told something: [`Control`](super::Control).
pub const COMMAND: u16 = 0x19;
/// Orientation, acceleration, rotation.
pub const IMU: u16 = 0x1c;
/// Their descriptor.
pub const IMU_NOTIFY: u16 = 0x1d;
/// Taps.
pub const MOTION: u16 = 0x1f;
/// Their descriptor.
pub const MOTION_NOTIFY: u16 = 0x20;
/// Poses, and which arm it is on; indicated, not notified.
pub const CLASSIFIER: u16 = 0x23;
/// Their descriptor.
pub const CLASSIFIER_INDICATE: u16 = 0x24;
/// Filtered EMG, at 50 Hz.
pub const FILTERED_EMG: u16 = 0x27;
/// Its descriptor.
pub const FILTERED_EMG_NOTIFY: u16 = 0x28;
/// EMG, by turns: a packet at each, then at the first again.
pub const EMG: [u16; 4] = [0x2b, 0x2e, 0x31, 0x34];
/// Their descriptors.
pub const EMG_NOTIFY: [u16; 4] = [0x2c, 0x2f, 0x32, 0x35];

/// What a descriptor is set to for notifications.
pub const NOTIFY: [u8; 2] = [1, 0];
/// What a descriptor is set to for indications.
pub const INDICATE: [u8; 2] = [2, 0];

/// The end of the armband's advertisement: a list of one service of 128 bits.
pub const ADVERTISED_SERVICE: [u8; 17] =
    [0x06, 0x42, 0x48, 0x12, 0x4a, 0x7f, 0x2c, 0x48, 0x47, 0xb9, 0xde, 0x04, 0xa9, 0x01, 0x00, 0x06, 0xd5];
