//! A packet: who it is for, and its bytes.

/// Bytes in front of the payload.
pub const HEADER_SIZE: usize = 4;

/// What eleven bits of length can say.
pub const LONGEST_PAYLOAD: usize = 0x7ff;

const EVENT: u8 = 0x80;
const TECHNOLOGY: u8 = 0x78;
const LENGTH_HIGH: u8 = 0x07;

/// Which of two separate spaces a packet's numbers are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PacketKind {
    /// A command to the dongle, or the response to it.
    Message,
    /// An event.
    Event,
}

/// A whole packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Event or not.
    pub kind: PacketKind,
    /// The class: 0 system, 3 connection, 4 attribute client, 6 generic access profile.
    pub class: u8,
    /// The command or event within the class.
    pub command: u8,
    /// Up to [`LONGEST_PAYLOAD`] bytes.
    pub payload: Vec<u8>,
}

/// The four bytes in front of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: PacketKind,
    pub(super) class: u8,
    pub(super) command: u8,
    pub(super) length: usize,
}

impl Header {
    /// `None` for another technology than Bluetooth Low Energy.
    pub(super) fn parse([first, low, class, command]: [u8; HEADER_SIZE]) -> Option<Self> {
        if first & TECHNOLOGY != 0 {
            return None;
        }
        let kind = if first & EVENT == 0 { PacketKind::Message } else { PacketKind::Event };
        let length = usize::from(u16::from_be_bytes([first & LENGTH_HIGH, low]));
        Some(Self { kind, class, command, length })
    }
}

impl Packet {
    pub(super) fn message(class: u8, command: u8, payload: Vec<u8>) -> Self {
        Self { kind: PacketKind::Message, class, command, payload }
    }

    pub(super) fn event(class: u8, command: u8, payload: Vec<u8>) -> Self {
        Self { kind: PacketKind::Event, class, command, payload }
    }

    /// As it travels. A payload beyond [`LONGEST_PAYLOAD`], which no header can announce, is cut.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let payload = &self.payload[..self.payload.len().min(LONGEST_PAYLOAD)];
        let [high, low] = (payload.len() as u16).to_be_bytes();
        let event = if self.kind == PacketKind::Event { EVENT } else { 0 };
        let mut bytes = vec![event | high, low, self.class, self.command];
        bytes.extend_from_slice(payload);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_eleven_bits() {
        for length in [0, 1, 255, 256, 257, 2047] {
            let bytes = Packet::event(6, 0, vec![0; length]).to_bytes();
            let header = Header::parse([bytes[0], bytes[1], bytes[2], bytes[3]]).unwrap();
            assert_eq!((header.length, bytes.len()), (length, HEADER_SIZE + length));
            assert_eq!((header.kind, header.class, header.command), (PacketKind::Event, 6, 0));
        }
    }

    #[test]
    fn other_technologies_are_not_ours() {
        assert_eq!(Header::parse([0x08, 0, 0, 6]), None);
        assert_eq!(Header::parse([0xf8, 0, 0, 6]), None);
    }
}
