//! Stamps: what makes a torn frame visible.
//!
//! A stamped frame begins with 16 bytes that its publisher puts over whatever was there:
//!
//! ```text
//! 0   8   the text "mlstamp1"
//! 8   8   XXH64 of all bytes after these sixteen, seeded with the frame's number; little-endian
//! ```
//!
//! So a frame made of two frames does not match its stamp, and neither does one that is handed out under
//! another's number. In a picture it costs the first few pixels.

use twox_hash::XxHash64;

const MAGIC: &[u8; 8] = b"mlstamp1";

/// Bytes of a stamp.
pub(crate) const STAMP_BYTES: usize = MAGIC.len() + size_of::<u64>();

/// What a look at a frame's stamp says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every byte is of the frame with this number.
    Whole,
    /// Some are not.
    Torn,
    /// There is no stamp, so nothing can be said.
    Unstamped,
}

/// Stamps frame number `sequence`. One too short for a stamp stays as it is; it cannot be torn unnoticed, but
/// not be checked either.
pub(crate) fn put(frame: &mut [u8], sequence: u64) {
    if let Some((stamp, rest)) = frame.split_at_mut_checked(STAMP_BYTES) {
        let (magic, hash) = stamp.split_at_mut(MAGIC.len());
        magic.copy_from_slice(MAGIC);
        hash.copy_from_slice(&XxHash64::oneshot(sequence, rest).to_le_bytes());
    }
}

/// Checks the stamp of frame number `sequence`.
pub(crate) fn check(frame: &[u8], sequence: u64) -> Verdict {
    let parts = frame.split_at_checked(STAMP_BYTES).map(|(stamp, rest)| (stamp.split_at(MAGIC.len()), rest));
    match parts {
        Some(((magic, hash), rest)) if magic == MAGIC => {
            let whole = hash == XxHash64::oneshot(sequence, rest).to_le_bytes();
            if whole { Verdict::Whole } else { Verdict::Torn }
        }
        _ => Verdict::Unstamped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_stamp_are_those_any_xxh64_gives() {
        let mut frame = *b"................abc";
        put(&mut frame, 0);
        // The published test value of XXH64 for "abc" and seed 0.
        assert_eq!(frame[8..16], 0x44BC_2CF5_AD77_0999_u64.to_le_bytes());
        assert_eq!(&frame[..8], b"mlstamp1");
        assert_eq!(&frame[16..], b"abc");
    }

    #[test]
    fn every_changed_byte_and_another_number_are_noticed() {
        let mut frame: Vec<u8> = (0..=99).collect();
        put(&mut frame, 7);
        assert_eq!(check(&frame, 7), Verdict::Whole);
        assert_eq!(check(&frame, 8), Verdict::Torn);
        for index in MAGIC.len()..frame.len() {
            frame[index] ^= 1;
            assert_eq!(check(&frame, 7), Verdict::Torn, "byte {index}");
            frame[index] ^= 1;
        }
    }

    #[test]
    fn a_frame_without_a_stamp_is_not_called_torn() {
        assert_eq!(check(&[0; 100], 1), Verdict::Unstamped);
        let mut short = [1; STAMP_BYTES - 1];
        put(&mut short, 1);
        assert_eq!((short, check(&short, 1)), ([1; STAMP_BYTES - 1], Verdict::Unstamped));
    }
}
