//! Packets out of bytes that come in pieces, with noise between them.
//!
//! A packet is taken for one only if its header is of a packet that exists, its length is one that this packet can
//! have, and an array within it is as long as the rest. At a byte where no packet can begin, the decoder goes on by one
//! byte; so noise costs at most the packets that it touches, and what noise makes look like a packet is never longer
//! than the longest one of its kind.

use super::format::Format;
pub use super::format::Source;
use super::packet::{HEADER_SIZE, Header, Packet};

/// Takes bytes, gives packets.
#[derive(Debug)]
pub struct Decoder {
    source: Source,
    bytes: Vec<u8>,
    /// How many of `bytes` are done with.
    done: usize,
    skipped: u64,
}

/// What begins at a place.
enum Beginning {
    Packet(Header),
    /// Perhaps a packet: more bytes will tell.
    Unfinished,
    Noise,
}

impl Decoder {
    /// A decoder for what `source` sends.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self { source, bytes: Vec::new(), done: 0, skipped: 0 }
    }

    /// Takes the next bytes, as many as there are.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.done);
        self.done = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next packet, if it is there to its end.
    pub fn next_packet(&mut self) -> Option<Packet> {
        loop {
            match self.beginning() {
                Beginning::Packet(Header { kind, class, command, length }) => {
                    let start = self.done + HEADER_SIZE;
                    self.done = start + length;
                    let payload = self.bytes[start..self.done].to_vec();
                    return Some(Packet { kind, class, command, payload });
                }
                Beginning::Unfinished => return None,
                Beginning::Noise => self.skip(),
            }
        }
    }

    /// Whether some bytes wait for more.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.done < self.bytes.len()
    }

    /// Gives up a packet whose rest has not come in all this time: its first byte is noise, and packets may begin
    /// behind it.
    pub fn give_up(&mut self) {
        if self.is_unfinished() {
            self.skip();
        }
    }

    /// How many bytes belonged to no packet.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn skip(&mut self) {
        self.done += 1;
        self.skipped += 1;
    }

    fn beginning(&self) -> Beginning {
        let rest = &self.bytes[self.done..];
        let Some((first, after)) = rest.split_first_chunk::<HEADER_SIZE>() else {
            // The first byte alone can tell that it is noise, but it can wait as well for three more.
            return Beginning::Unfinished;
        };
        let Some(header) = Header::parse(*first) else { return Beginning::Noise };
        let Some(format) = Format::of(self.source, header) else { return Beginning::Noise };
        let payload = after.get(..header.length).unwrap_or(after);
        if !format.allows(header.length) || !format.agrees(header.length, payload) {
            return Beginning::Noise;
        }
        if payload.len() == header.length { Beginning::Packet(header) } else { Beginning::Unfinished }
    }
}
