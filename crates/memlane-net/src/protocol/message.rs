//! A message: a JSON header, and bytes that belong to it.
//!
//! | as | bytes |
//! |---|---|
//! | a text frame | the header; there is no payload |
//! | a binary frame | `u32` little-endian: the header's length; the header; the payload |
//!
//! A header is a JSON object, at most [`MAX_HEADER`] bytes long and [`MAX_DEPTH`] deep. The payload is a slice of what
//! was received: nothing is copied.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};

/// Bytes of the length before a header.
const LENGTH: usize = 4;
/// The longest header of all: a host lists thousands of regions.
pub const MAX_HEADER: usize = 16 * 1024 * 1024;
/// The longest header of a client; longer contents are payloads.
pub const MAX_REQUEST_HEADER: usize = 256 * 1024;
/// How deep a header may be: a record of records of arrays is far below.
pub const MAX_DEPTH: usize = 64;

/// What a frame of the WebSocket carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A header alone.
    Text(String),
    /// A header and a payload.
    Binary(Bytes),
}

/// A frame taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    header: Bytes,
    /// The bytes behind the header; empty in a text frame.
    pub payload: Bytes,
}

/// Why a frame is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A binary frame ends before its header does.
    #[error("a message of {found} bytes ends before its header of {expected} bytes does")]
    Short {
        /// Bytes that the length asks for, the length's own among them.
        expected: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// The header is longer than any that is sent.
    #[error("a header of {found} bytes is longer than the {MAX_HEADER} bytes that one may have")]
    LongHeader {
        /// Its length.
        found: usize,
    },
    /// The header nests deeper than any that is sent.
    #[error("a header nests deeper than the {MAX_DEPTH} levels that one may have")]
    DeepHeader,
    /// The header is not the JSON that was expected.
    #[error("the header is not what was expected: {0}")]
    Header(String),
}

impl Frame {
    /// The frame of a header and what belongs to it.
    ///
    /// ```
    /// use memlane_net::protocol::message::{Frame, Message};
    /// let frame = Frame::new(&serde_json::json!({"n": 1}), b"abc");
    /// assert_eq!(frame, Frame::Binary(b"\x07\0\0\0{\"n\":1}abc".as_slice().into()));
    /// # let Frame::Binary(bytes) = frame else { panic!("it has a payload") };
    /// let message = Message::from_binary(bytes)?;
    /// assert_eq!(message.payload, b"abc".as_slice());
    /// # Ok::<(), memlane_net::protocol::message::Malformed>(())
    /// ```
    pub fn new(header: &impl Serialize, payload: &[u8]) -> Self {
        if payload.is_empty() {
            return Self::Text(json(header));
        }
        Self::filled(header, payload.len(), |room| room.put_slice(payload))
    }

    /// The frame of a header and a payload that `fill` appends, of about `expected` bytes: for payloads that are copied
    /// from somewhere straight into the frame. Always binary.
    pub fn filled(header: &impl Serialize, expected: usize, fill: impl FnOnce(&mut BytesMut)) -> Self {
        let header = json(header);
        let mut bytes = BytesMut::with_capacity(LENGTH + header.len() + expected);
        bytes.put_u32_le(header.len() as u32);
        bytes.put_slice(header.as_bytes());
        fill(&mut bytes);
        Self::Binary(bytes.freeze())
    }

    /// Bytes that it carries.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it carries nothing, which no valid frame does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Headers are our own types, with string keys and finite depth: they are always JSON.
fn json(header: &impl Serialize) -> String {
    serde_json::to_string(header).unwrap_or_default()
}

impl Message {
    /// The message of a text frame.
    pub fn from_text(text: impl Into<Bytes>) -> Result<Self, Malformed> {
        Self::checked(text.into(), Bytes::new())
    }

    /// The message of a binary frame.
    pub fn from_binary(mut bytes: Bytes) -> Result<Self, Malformed> {
        let found = bytes.len();
        let length = bytes.first_chunk::<LENGTH>().copied().map_or(0, u32::from_le_bytes) as usize;
        if length > MAX_HEADER {
            return Err(Malformed::LongHeader { found: length });
        }
        if found < LENGTH + length {
            return Err(Malformed::Short { expected: LENGTH + length, found });
        }
        let payload = bytes.split_off(LENGTH + length);
        Self::checked(bytes.slice(LENGTH..), payload)
    }

    fn checked(header: Bytes, payload: Bytes) -> Result<Self, Malformed> {
        match header.len() {
            found if found > MAX_HEADER => Err(Malformed::LongHeader { found }),
            _ if depth(&header) > MAX_DEPTH => Err(Malformed::DeepHeader),
            _ => Ok(Self { header, payload }),
        }
    }

    /// Bytes of the header.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.header.len()
    }

    /// The header as `T`.
    pub fn header<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        serde_json::from_slice(&self.header).map_err(|error| Malformed::Header(error.to_string()))
    }
}

/// How deep brackets nest outside strings. What is not JSON is refused later, by the parser.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn taken_apart(frame: Frame) -> Message {
        match frame {
            Frame::Text(text) => Message::from_text(text).unwrap(),
            Frame::Binary(bytes) => Message::from_binary(bytes).unwrap(),
        }
    }

    #[test]
    fn a_header_alone_is_text() {
        let frame = Frame::new(&json!({"ack": 3}), b"");
        assert_eq!(frame, Frame::Text("{\"ack\":3}".into()));
        assert_eq!(taken_apart(frame).header::<Value>().unwrap(), json!({"ack": 3}));
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let binary = |bytes: &[u8]| Message::from_binary(Bytes::copy_from_slice(bytes));
        assert_eq!(binary(b"\x05\0\0\0{}"), Err(Malformed::Short { expected: 9, found: 6 }));
        assert_eq!(binary(b"\0\0"), Err(Malformed::Short { expected: 4, found: 2 }));
        assert_eq!(binary(b"\xff\xff\xff\xff"), Err(Malformed::LongHeader { found: u32::MAX as usize }));
        assert!(binary(b"\0\0\0\0").unwrap().header::<Value>().is_err());
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        let deep = |count: usize| "[".repeat(count) + &"]".repeat(count);
        assert!(Message::from_text(deep(MAX_DEPTH)).is_ok());
        assert_eq!(Message::from_text(deep(MAX_DEPTH + 1)), Err(Malformed::DeepHeader));
        assert!(Message::from_text(format!("\"\\\"{}\"", "[".repeat(999))).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives(name in ".*", payload: Vec<u8>) {
            let message = taken_apart(Frame::new(&json!({"name": name}), &payload));
            prop_assert_eq!(message.header::<Value>().unwrap(), json!({"name": name}));
            prop_assert_eq!(message.payload, payload);
        }

        #[test]
        fn hostile_bytes_are_an_error_at_worst(bytes: Vec<u8>) {
            let _ = Message::from_binary(bytes.clone().into()).map(|message| message.header::<Value>());
            let _ = Message::from_text(bytes).map(|message| message.header::<Value>());
        }
    }
}
