//! Samples that say their own number, so that a lost, repeated or invented one is seen.
//!
//! The first four channels are the number, little-endian; the others count from its last byte on.

use crate::myo::EMG_CHANNELS;

pub(super) fn ramp_sample(number: u32) -> [i8; EMG_CHANNELS] {
    let [a, b, c, d] = number.to_le_bytes();
    [a, b, c, d, a.wrapping_add(1), a.wrapping_add(2), a.wrapping_add(3), a.wrapping_add(4)]
        .map(u8::cast_signed)
}

/// The number of a ramp's sample; `None` if it is none.
#[must_use]
pub fn ramp_number(sample: &[i8; EMG_CHANNELS]) -> Option<u32> {
    let [a, b, c, d, ..] = sample.map(i8::cast_unsigned);
    let number = u32::from_le_bytes([a, b, c, d]);
    (ramp_sample(number) == *sample).then_some(number)
}
