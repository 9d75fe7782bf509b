//! How long each packet may be: by this the decoder tells packets from noise.
//!
//! Every event that a BLED112 can send is here, so that one which nobody asked for does not put the decoder out of
//! step; of commands and responses, those that are sent. A payload is so many bytes of fixed fields and, for some, an
//! array with its length in front.

use super::packet::{Header, PacketKind};

/// Who sends: the two sides' messages have the same numbers and different payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Responses and events.
    Dongle,
    /// Commands.
    Host,
}

/// The payload of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    fixed: usize,
    /// The longest array after the fixed fields, if there is one.
    array: Option<usize>,
}

/// The longest advertisement, attribute value and array of anything else.
const ADVERTISEMENT: usize = 31;
const VALUE: usize = 22;
const WRITTEN: usize = super::LONGEST_WRITE;
const OTHER: usize = 64;

const fn fixed(fixed: usize) -> Format {
    Format { fixed, array: None }
}

const fn with_array(fixed: usize, longest: usize) -> Format {
    Format { fixed, array: Some(longest) }
}

impl Format {
    /// Of the packet that a header announces; `None` if there is none such.
    pub(super) fn of(source: Source, header: Header) -> Option<Self> {
        let number = (header.class, header.command);
        match (source, header.kind) {
            (Source::Host, PacketKind::Message) => command(number),
            (Source::Dongle, PacketKind::Message) => response(number),
            (Source::Dongle, PacketKind::Event) => event(number),
            (Source::Host, PacketKind::Event) => None,
        }
    }

    /// Whether a payload may be so long.
    pub(super) fn allows(self, length: usize) -> bool {
        match self.array {
            None => length == self.fixed,
            Some(longest) => (self.fixed + 1..=self.fixed + 1 + longest).contains(&length),
        }
    }

    /// Whether what is there of a payload of so many bytes agrees with itself.
    pub(super) fn agrees(self, length: usize, payload: &[u8]) -> bool {
        let array = self.array.and_then(|_| payload.get(self.fixed));
        array.is_none_or(|array| self.fixed + 1 + usize::from(*array) == length)
    }
}

fn command(number: (u8, u8)) -> Option<Format> {
    Some(match number {
        (0, 6) | (6, 4) => fixed(0),
        (3, 0) | (6, 2) => fixed(1),
        (4, 4) => fixed(3),
        (4, 5 | 6) => with_array(3, WRITTEN),
        (6, 3) => fixed(15),
        _ => return None,
    })
}

fn response(number: (u8, u8)) -> Option<Format> {
    Some(match number {
        (0, 6) => fixed(1),
        (6, 2 | 4) => fixed(2),
        (3, 0) | (4, 4..=6) | (6, 3) => fixed(3),
        _ => return None,
    })
}

#[allow(clippy::match_same_arms)] // Each class by itself, as in the dongle's documents.
fn event(number: (u8, u8)) -> Option<Format> {
    Some(match number {
        // System: boot, debug, watermarks, script failure, no licence key, protocol error.
        (0, 0) => fixed(12),
        (0, 1) => with_array(0, OTHER),
        (0, 2 | 3 | 6) => fixed(2),
        (0, 4) => fixed(4),
        (0, 5) => fixed(0),
        // Flash: a persistent key.
        (1, 0) => with_array(2, OTHER),
        // Attribute database: value written, read request, status.
        (2, 0) => with_array(6, VALUE),
        (2, 1) => fixed(6),
        (2, 2) => fixed(3),
        // Connection: status, version, features, raw packet, disconnected.
        (3, 0) => fixed(16),
        (3, 1) => fixed(6),
        (3, 2 | 3) => with_array(1, OTHER),
        (3, 4) => fixed(3),
        // Attribute client: indicated, procedure completed, group, attribute, information, value, values.
        (4, 0) => fixed(3),
        (4, 1) => fixed(5),
        (4, 2) => with_array(5, VALUE),
        (4, 3) => with_array(6, VALUE),
        (4, 4) => with_array(3, VALUE),
        (4, 5) => with_array(4, VALUE),
        (4, 6) => with_array(1, VALUE),
        // Security manager: data, bonding failed, passkey shown, passkey wanted, bond status.
        (5, 0) => with_array(2, OTHER),
        (5, 1) => fixed(3),
        (5, 2) => fixed(5),
        (5, 3) => fixed(1),
        (5, 4) => fixed(4),
        // Generic access profile: scan response, mode changed.
        (6, 0) => with_array(10, ADVERTISEMENT),
        (6, 1) => fixed(2),
        // Hardware: pins, timer, converter, comparator.
        (7, 0) => fixed(7),
        (7, 1) => fixed(1),
        (7, 2) => fixed(3),
        (7, 3) => fixed(5),
        _ => return None,
    })
}
