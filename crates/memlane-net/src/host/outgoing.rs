//! What the host sends: a WebSocket frame whose payload is never copied.
//!
//! A server's frames are not masked, so a frame is some bytes in front of the payload: the frame's own head, the
//! header's length, and the header.

use bytes::Bytes;
use serde::Serialize;
use std::borrow::Cow;

use crate::protocol::message;

const FINAL: u8 = 0x80;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
/// The longest head of a frame, and the length of a header behind it.
const ROOM: usize = 10 + 4;
/// The most bytes that a control frame carries.
const CONTROL: usize = 125;

/// A frame to be sent; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outgoing {
    head: Bytes,
    payload: Bytes,
}

impl Outgoing {
    /// A message: text, when nothing belongs to its header.
    pub(super) fn message(header: &impl Serialize, payload: Bytes) -> Self {
        let mut bytes = vec![0; ROOM];
        // Headers are our own types, with string keys and finite depth: they are always JSON.
        let _ = serde_json::to_writer(&mut bytes, header);
        let length = bytes.len() - ROOM;
        let (kind, counted) = if payload.is_empty() { (TEXT, 0) } else { (BINARY, 4) };
        let start = ROOM - counted;
        if kind == BINARY {
            bytes[start..ROOM].copy_from_slice(&(length as u32).to_le_bytes());
        }
        let frame = frame_head(kind, counted + length + payload.len());
        let first = start - frame.len();
        bytes[first..start].copy_from_slice(&frame);
        Self { head: Bytes::from(bytes).slice(first..), payload }
    }

    /// Asks whether the other side is there.
    pub(super) fn ping() -> Self {
        Self::raw(Bytes::from_static(&[FINAL | PING, 0]))
    }

    /// The last frame: a code of the WebSocket protocol, and why.
    pub(super) fn close(code: u16, reason: &str) -> Self {
        let reason = &reason[..reason.floor_char_boundary(CONTROL - 2)];
        let mut bytes = vec![FINAL | CLOSE, (2 + reason.len()) as u8];
        bytes.extend(code.to_be_bytes());
        bytes.extend(reason.as_bytes());
        Self::raw(bytes.into())
    }

    /// Bytes that are whole frames already.
    pub(super) fn raw(head: Bytes) -> Self {
        Self { head, payload: Bytes::new() }
    }

    /// Bytes of it.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.payload.len()
    }

    /// Whether a client takes it, which takes messages of at most `most` bytes.
    pub(super) fn fits(&self, most: usize) -> bool {
        self.len() <= most && self.head.len() <= message::MAX_HEADER
    }

    /// Its bytes, in pieces.
    pub(super) fn into_pieces(self) -> [Bytes; 2] {
        [self.head, self.payload]
    }
}

fn frame_head(kind: u8, length: usize) -> Cow<'static, [u8]> {
    let mut head = vec![FINAL | kind];
    match length {
        0..=125 => head.push(length as u8),
        126..=0xffff => {
            head.push(126);
            head.extend((length as u16).to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend((length as u64).to_be_bytes());
        }
    }
    head.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::Frame;
    use serde_json::json;
    use std::io::Cursor;
    use tungstenite::Message;
    use tungstenite::protocol::{Role, WebSocket};

    /// What a client makes of it.
    fn read(outgoing: Outgoing) -> Message {
        let bytes = outgoing.into_pieces().concat();
        WebSocket::from_raw_socket(Cursor::new(bytes), Role::Client, None).read().unwrap()
    }

    #[test]
    fn a_client_reads_what_the_codec_writes() {
        for length in [0, 1, 100, 125, 126, 65535, 65536, 70000] {
            let (header, payload) = (json!({"n": length}), vec![7; length]);
            let expected = match Frame::new(&header, &payload) {
                Frame::Text(text) => Message::Text(text.into()),
                Frame::Binary(bytes) => Message::Binary(bytes),
            };
            assert_eq!(read(Outgoing::message(&header, payload.into())), expected, "{length}");
        }
        let header = json!({"long": "x".repeat(70000)});
        assert_eq!(read(Outgoing::message(&header, Bytes::new())), Message::Text(header.to_string().into()));
    }

    #[test]
    fn control_frames_are_short() {
        assert_eq!(read(Outgoing::ping()), Message::Ping(Bytes::new()));
        let Message::Close(Some(frame)) = read(Outgoing::close(1008, &"é".repeat(100))) else {
            panic!("it is a close");
        };
        assert_eq!((u16::from(frame.code), frame.reason.len()), (1008, 122));
    }
}
