//! Content that shows whether it is whole: its length, its number and a checksum of the rest stand in it.
//!
//! ```text
//! 0   number     which content it is
//! 8   length     bytes, these included
//! 16  checksum   of number, length and everything behind
//! 24  filling    different for every number
//! ```
#![allow(dead_code)] // Every suite uses a part.

use crate::random::mix;

/// Shortest content that can be sealed.
pub(crate) const HEADER: usize = 24;

/// Turns `bytes` into the content with this number.
pub(crate) fn seal(bytes: &mut [u8], number: u64) {
    let length = bytes.len() as u64;
    let (header, filling) = bytes.split_at_mut(HEADER);
    for (index, chunk) in (0..).zip(filling.chunks_mut(8)) {
        chunk.copy_from_slice(&mix(number ^ mix(index)).to_le_bytes()[..chunk.len()]);
    }
    let words = [number, length, checksum(number, length, filling)];
    header.copy_from_slice(&words.map(u64::to_le_bytes).concat());
}

/// The number of the content, or why it is not whole.
pub(crate) fn unseal(bytes: &[u8]) -> Result<u64, String> {
    let (header, filling) = bytes.split_at_checked(HEADER).ok_or("it is shorter than its header")?;
    let [number, length, expected] = [0, 8, 16].map(|at| word(&header[at..]));
    if length != bytes.len() as u64 {
        return Err(format!("content {number} has {} bytes instead of {length}", bytes.len()));
    }
    let found = checksum(number, length, filling);
    if found == expected {
        return Ok(number);
    }
    Err(format!(
        "content {number} of {length} bytes has the checksum {found:016x} instead of {expected:016x}"
    ))
}

/// [`seal`] in letters, for texts.
pub(crate) fn seal_text(number: u64, length: usize) -> String {
    let mut bytes = vec![0; length.max(HEADER)];
    seal(&mut bytes, number);
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// [`unseal`] of what [`seal_text`] made.
pub(crate) fn unseal_text(text: &str) -> Result<u64, String> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| (byte as char).to_digit(16).ok_or_else(|| format!("{byte:02x} is no digit"));
    let byte = |[high, low]: &[u8; 2]| Ok::<_, String>((digit(*high)? << 4 | digit(*low)?) as u8);
    let bytes = pairs.iter().map(byte).collect::<Result<Vec<_>, _>>()?;
    if rest.is_empty() { unseal(&bytes) } else { Err("half a digit pair stands at its end".to_owned()) }
}

fn checksum(number: u64, length: u64, filling: &[u8]) -> u64 {
    let mut sum = mix(number ^ mix(length));
    for chunk in filling.chunks(8) {
        sum = (sum ^ word(chunk)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    mix(sum)
}

/// Up to eight bytes as a number.
fn word(bytes: &[u8]) -> u64 {
    let mut padded = [0; 8];
    let count = bytes.len().min(padded.len());
    padded[..count].copy_from_slice(&bytes[..count]);
    u64::from_le_bytes(padded)
}
