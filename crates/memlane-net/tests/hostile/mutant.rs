//! Bytes that were valid, and are changed in a few places.

use crate::chance::Chance;

/// What stands in many places where parsers count, nest or end.
const RUNS: [&[u8]; 12] =
    [b"[", b"{\"a\":", b"\"", b"\\", b"9", b"-", b"\0", b"\xff", b"\xf0\x9f", b"\\ud800", b"\r\n", b"e+"];

/// What can stand where a number stood.
const NUMBERS: [&[u8]; 12] = [
    b"0",
    b"-1",
    b"0.5",
    b"1e308",
    b"-1e-320",
    b"4294967296",
    b"9223372036854775808",
    b"18446744073709551615",
    b"99999999999999999999999",
    b"null",
    b"\"1\"",
    b"[1,2,3]",
];

/// Changes `bytes` in one to three ways, which may cancel each other out.
pub(crate) fn mutate(bytes: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(3) {
        change(bytes, chance);
    }
}

fn change(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let place = chance.below(bytes.len() as u64 + 1) as usize;
    match chance.below(8) {
        0 => bytes.truncate(place),
        // A length that lies, if one stands there.
        1 if bytes.len() >= 4 => {
            let place = if chance.below(2) == 0 { 0 } else { place.min(bytes.len() - 4) };
            let bits = chance.below(33);
            let length = chance.below(1 << bits) as u32;
            bytes[place..place + 4].copy_from_slice(&length.to_le_bytes());
        }
        2 => {
            let run = RUNS[chance.below(RUNS.len() as u64) as usize];
            let bits = chance.below(8);
            let times = 1 + chance.below(1 << bits) as usize;
            bytes.splice(place..place, run.repeat(times));
        }
        3 => {
            let end = (place + chance.below(32) as usize).min(bytes.len());
            let again = bytes[place..end].to_vec();
            bytes.splice(place..place, again);
        }
        4..7 => {
            let is_digit = |byte: &u8| byte.is_ascii_digit();
            let start = place + bytes[place..].iter().take_while(|byte| !is_digit(byte)).count();
            let end = start + bytes[start..].iter().take_while(|byte| is_digit(byte)).count();
            let number = NUMBERS[chance.below(NUMBERS.len() as u64) as usize];
            bytes.splice(start..end, number.iter().copied());
        }
        _ => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << chance.below(8);
            }
        }
    }
}
