//! The line that a host begins with: `<name> <size> <start> <end> <lock offset> <data offset>`.

use super::error::Error;
use memlane_interop::text_block::{BLOCK_BYTES, LOCK_OFFSET, TEXT_OFFSET};

/// The longest line that is read.
pub const LINE_BYTES_MAX: usize = 1024;

/// Of a line that is none so much is shown.
const EXCERPT_CHARACTERS: usize = 80;

/// What a host says of its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The block's name, which the original calls its id.
    pub name: String,
    /// Bytes of the block.
    pub size: u64,
    /// Its first byte.
    pub start: u64,
    /// Its last byte.
    pub end: u64,
    /// Where the lock byte is.
    pub lock: u64,
    /// Where the text begins.
    pub data: u64,
}

impl Metadata {
    /// Of a block of that name, as all of them are.
    pub fn of_block(name: &str) -> Self {
        let size = BLOCK_BYTES as u64;
        let (lock, data) = (LOCK_OFFSET as u64, TEXT_OFFSET as u64);
        Self { name: name.to_owned(), size, start: 0, end: size - 1, lock, data }
    }

    /// As it goes over the network.
    pub fn to_line(&self) -> String {
        let Self { name, size, start, end, lock, data } = self;
        format!("{name} {size} {start} {end} {lock} {data}\n")
    }

    /// # Errors
    /// [`Error::Metadata`] unless it has exactly six words, numbers from the second on.
    pub fn parse(line: &str) -> Result<Self, Error> {
        let invalid = || Error::Metadata { found: line.trim().chars().take(EXCERPT_CHARACTERS).collect() };
        let words: Vec<_> = line.split_whitespace().collect();
        let [name, numbers @ ..] = &words[..] else { return Err(invalid()) };
        let numbers: Result<Vec<u64>, _> = numbers.iter().map(|word| word.parse()).collect();
        let Ok(&[size, start, end, lock, data]) = numbers.as_deref() else { return Err(invalid()) };
        Ok(Self { name: (*name).to_owned(), size, start, end, lock, data })
    }

    /// Whether the block is laid out as every host's that is known.
    pub fn is_of_a_block(&self) -> bool {
        *self == Self { size: self.size, end: self.end, ..Self::of_block(&self.name) }
            && self.size >= BLOCK_BYTES as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_its_known_bytes() {
        let metadata = Metadata::of_block("psm_1a2b");
        assert_eq!(metadata.to_line(), "psm_1a2b 4096 0 4095 0 5\n");
        assert_eq!(Metadata::parse(&metadata.to_line()).unwrap(), metadata);
        assert_eq!(Metadata::parse("psm_1a2b 4096 0 4095 0 5\r\n").unwrap(), metadata);
        assert!(metadata.is_of_a_block());
        assert!(!Metadata { data: 8, ..metadata }.is_of_a_block());
    }

    #[test]
    fn anything_but_six_words_is_refused_in_the_original_s_words() {
        for line in [
            "",
            "\n",
            "psm 4096 0 4095 0\n",
            "psm 4096 0 4095 0 5 6\n",
            "psm a b c d e\n",
            "psm -1 0 0 0 5\n",
        ] {
            let error = Metadata::parse(line).unwrap_err().to_string();
            assert!(error.starts_with("无效的元数据格式"), "{error}");
        }
    }
}
