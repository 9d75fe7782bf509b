//! What stands behind the lock byte: a length and a text, in the documented form and in the original code's.

use super::error::Error;
use super::lock::LOCK_OFFSET;

/// Bytes of a block.
pub const BLOCK_BYTES: usize = TEXT_OFFSET + TEXT_BYTES_MAX;
/// Where the text begins.
pub const TEXT_OFFSET: usize = LENGTH_OFFSET + size_of::<u32>();
/// Most bytes of UTF-8 that a block holds.
pub const TEXT_BYTES_MAX: usize = 4091;

/// Where the length stands, and all that the lock guards begins.
pub(super) const LENGTH_OFFSET: usize = LOCK_OFFSET + 1;
/// Bytes that the lock guards.
pub(super) const IMAGE_BYTES: usize = BLOCK_BYTES - LENGTH_OFFSET;

const _: () = assert!(BLOCK_BYTES == 4096 && LENGTH_OFFSET == 1 && TEXT_OFFSET == 5);

/// The original's code writes the lowest byte of the length alone, so it is 0 for these multiples.
const LOWEST_BYTE_VALUES: usize = 256;

/// Everything behind the lock byte.
pub(super) type Image = [u8; IMAGE_BYTES];

/// The text as it is stored: without white space at its end. White space is what Python calls so, the four
/// separators U+001C to U+001F among it.
///
/// ```
/// assert_eq!(memlane_interop::text_block::trimmed(" a b\u{3000}\n\u{1f}"), " a b");
/// ```
pub fn trimmed(text: &str) -> &str {
    let is_space = |character: char| character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}');
    text.trim_end_matches(is_space)
}

/// Whether a block can hold this text: gives back what would be stored.
///
/// # Errors
/// [`Error::TooLong`] and [`Error::Nul`].
pub fn check(text: &str) -> Result<&str, Error> {
    let text = trimmed(text);
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::TooLong { found: text.len() });
    }
    match text.find('\0') {
        Some(offset) => Err(Error::Nul { offset }),
        None => Ok(text),
    }
}

/// In the documented form, with zeros behind the text.
pub(super) fn encode(text: &str) -> Result<Image, Error> {
    let text = check(text)?;
    let mut image = [0; IMAGE_BYTES];
    let (length, place) = image.split_at_mut(size_of::<u32>());
    length.copy_from_slice(&(text.len() as u32).to_le_bytes());
    place[..text.len()].copy_from_slice(text.as_bytes());
    Ok(image)
}

/// The text of either form. What is not UTF-8 becomes U+FFFD.
pub(super) fn decode(image: &Image) -> String {
    let (length, place) = image.split_at(size_of::<u32>());
    let claimed = length.iter().rev().fold(0, |length, byte| length << u8::BITS | usize::from(*byte));
    let text = &place[..text_bytes(claimed, without_zeros(place).len())];
    String::from_utf8_lossy(without_zeros(text)).into_owned()
}

/// The rule that tells the two forms apart.
fn text_bytes(claimed: usize, found: usize) -> usize {
    let is_the_code_s = claimed > TEXT_BYTES_MAX || found.is_multiple_of(LOWEST_BYTE_VALUES);
    if is_the_code_s { found } else { claimed }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &bytes[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the original's code does it: `struct.pack_into('<I', buf, 4, n)`, the text from 5 on, zeros.
    fn write_as_the_code_does(image: &mut Image, text: &str) {
        let length = (text.len() as u32).to_le_bytes();
        image[3..7].copy_from_slice(&length);
        image[4..].fill(0);
        image[4..4 + text.len()].copy_from_slice(text.as_bytes());
    }

    #[test]
    fn the_documented_form_has_its_known_bytes() {
        let image = encode("你好 \n").unwrap();
        assert_eq!(image[..11], [6, 0, 0, 0, 0xe4, 0xbd, 0xa0, 0xe5, 0xa5, 0xbd, 0]);
        assert!(image[10..].iter().all(|byte| *byte == 0));
        assert_eq!(decode(&image), "你好");
    }

    #[test]
    fn limits_are_those_of_the_original() {
        assert!(encode(&"a".repeat(4091)).is_ok());
        let error = encode(&"a".repeat(5000)).unwrap_err();
        assert!(matches!(error, Error::TooLong { found: 5000 }));
        assert!(error.to_string().starts_with("文本太长: 5000 > 4091 bytes"), "{error}");
        assert!(
            encode(&format!("{}{}", "a".repeat(4091), " ".repeat(5000))).is_ok(),
            "trimmed before it is counted"
        );
        assert!(matches!(encode("a\0b").unwrap_err(), Error::Nul { offset: 1 }));
    }

    #[test]
    fn every_length_of_either_form_is_read() {
        for length in 0..=TEXT_BYTES_MAX {
            let text = "x".repeat(length);
            assert_eq!(decode(&encode(&text).unwrap()), text);
            let mut image = [0; IMAGE_BYTES];
            write_as_the_code_does(&mut image, &text);
            assert_eq!(decode(&image), text, "{length} bytes in the code's form");
        }
    }

    #[test]
    fn something_left_behind_a_documented_text_is_not_read() {
        let mut image = encode("old").unwrap();
        image[4..12].copy_from_slice(b"new left");
        assert_eq!(decode(&image), "new");
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut image = encode("ab").unwrap();
        image[4] = 0xff;
        assert_eq!(decode(&image), "\u{fffd}b");
        assert_eq!(decode(&[0xff; IMAGE_BYTES]).chars().count(), TEXT_BYTES_MAX);
        assert_eq!(decode(&[0; IMAGE_BYTES]), "");
    }

    fn texts() -> impl Strategy<Value = String> {
        let of_any_length = (0..=TEXT_BYTES_MAX).prop_map(|length| "y".repeat(length));
        let of_round_length = (0..=15_usize).prop_map(|pages| "z".repeat(pages * 256));
        prop_oneof!["[ -~]{0,40}[!-~]", "[你好世界é ]{0,200}界", of_any_length, of_round_length]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whoever wrote last and whatever stood there, the reader finds it.
        #[test]
        fn mixed_writes_of_both_programs_are_read(
            writes in prop::collection::vec((any::<bool>(), texts()), 1..8),
        ) {
            let mut image = [0; IMAGE_BYTES];
            for (documented, text) in writes {
                if documented {
                    image = encode(&text).unwrap();
                } else {
                    write_as_the_code_does(&mut image, &text);
                }
                prop_assert_eq!(decode(&image), text);
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), IMAGE_BYTES)) {
            let image: Image = bytes.try_into().unwrap();
            prop_assert!(decode(&image).chars().count() <= TEXT_BYTES_MAX);
        }
    }
}
