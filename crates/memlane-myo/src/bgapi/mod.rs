//! BGAPI, the protocol of Bluetooth Low Energy dongles such as the BLED112: packets as bytes and as types.
//!
//! Nothing here reads or writes a port. Bytes go into a [`Decoder`], packets come out; [`Command`], [`Response`] and
//! [`Event`] are what they mean.
//!
//! | byte | bits | what |
//! |---|---|---|
//! | 0 | 7 | 1: an event; 0: a command, or its response |
//! | 0 | 6–3 | the technology: 0, Bluetooth Low Energy |
//! | 0 | 2–0 | the high bits of the payload's length |
//! | 1 | | its low bits |
//! | 2 | | the class |
//! | 3 | | the command, or the event, within the class |
//! | 4… | | the payload: integers little-endian, addresses last byte first, an array with its length in front |
//!
//! Each command has exactly one response, of the same class and number. Events come at any time, also between a
//! command and its response, and their numbers are apart from the commands': response 4/5 says that a write was
//! begun, event 4/5 brings an attribute's value.
//!
//! ```
//! use memlane_myo::bgapi::{Command, Decoder, Event, Source};
//!
//! let command = Command::ReadByHandle { connection: 0, handle: 0x17 };
//! assert_eq!(command.to_packet().to_bytes(), [0x00, 0x03, 0x04, 0x04, 0x00, 0x17, 0x00]);
//!
//! let mut decoder = Decoder::new(Source::Dongle);
//! decoder.push(&[0x0a, 0x80, 0x03, 0x03, 0x04, 0x00]); // noise, and the beginning of an event
//! assert_eq!(decoder.next_packet(), None);
//! decoder.push(&[0x08, 0x02]); // the rest of it
//! let event = Event::from_packet(&decoder.next_packet().unwrap());
//! assert_eq!(event.unwrap().to_string(), "connection disconnected: connection 0, 0x0208 supervision timeout");
//! ```

mod address;
mod fields;
mod format;
mod packet;
mod result;

mod command;
mod event;
mod response;

mod decoder;

pub use address::Address;
pub use command::{Command, LONGEST_WRITE};
pub use decoder::{Decoder, Source};
pub use event::{Event, ValueType};
pub use packet::{HEADER_SIZE, LONGEST_PAYLOAD, Packet, PacketKind};
pub use response::Response;
pub use result::ResultCode;
