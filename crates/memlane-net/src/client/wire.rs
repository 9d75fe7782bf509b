//! What comes from the host, frame by frame.
//!
//! tungstenite opens the WebSocket and writes on it. Reading is done here: a picture goes from the socket straight into
//! the memory that the caller gets, in as few reads as there can be. And it is known whether more lies ready, so that
//! the system is asked neither too often nor too late. (RFC 6455; a host's frames are not masked.)

use std::io::{self, Cursor, Read, Write};

use bytes::Bytes;
use tungstenite::error::{CapacityError, Error, ProtocolError};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tungstenite::{Message, Result, Utf8Bytes};

use super::socket::Socket;

/// Bytes that are read at once; frames that are longer get memory of their own.
const NEAR: usize = 16 * 1024;
/// Bytes of a ping's or a pong's payload at most.
const MOST_OF_CONTROL: usize = 125;

/// The connection, and what was read of it and not yet asked for.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Socket,
    near: Vec<u8>,
    /// How much of `near` is dealt with.
    taken: usize,
    /// A long frame that is being read.
    far: Option<Far>,
    /// The beginning of a message in several frames.
    begun: Option<(Data, Vec<u8>)>,
    /// Bytes of a message.
    most: usize,
}

#[derive(Debug)]
struct Far {
    header: FrameHeader,
    payload: Vec<u8>,
    length: usize,
}

impl Wire {
    /// Of messages of at most `most` bytes.
    pub(super) fn new(socket: Socket, most: usize) -> Self {
        Self { socket, near: Vec::with_capacity(NEAR), taken: 0, far: None, begun: None, most }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// From now on what would block is nothing, and messages have at most `most` bytes.
    pub(super) fn never_block(&mut self, most: usize) -> io::Result<()> {
        self.most = most;
        self.socket.never_block()
    }

    /// Whether something may lie here for which polling the socket would wait in vain.
    pub(super) fn may_hold_more(&self) -> bool {
        self.taken < self.near.len() || self.socket.may_hold_more()
    }

    /// The next message, a ping or a pong; `None` when there is no more at present.
    pub(super) fn next(&mut self) -> Result<Option<Message>> {
        loop {
            let message = match self.frame() {
                Ok((header, payload)) => self.joined(&header, payload)?,
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            };
            if message.is_some() {
                return Ok(message);
            }
        }
    }

    /// The next frame.
    fn frame(&mut self) -> Result<(FrameHeader, Bytes)> {
        loop {
            if let Some(far) = self.far.take_if(|far| far.payload.len() >= far.length) {
                let Far { header, mut payload, length } = far;
                // There was room for more.
                self.near.extend(payload.drain(length..));
                return Ok((header, payload.into()));
            }
            if let Some(far) = &mut self.far {
                some(self.socket.read_onto(&mut far.payload)?)?;
                continue;
            }
            let mut cursor = Cursor::new(&self.near[self.taken..]);
            if let Some((header, length)) = FrameHeader::parse(&mut cursor)? {
                let length = self.checked(&header, length)?;
                let begin = self.taken + cursor.position() as usize;
                let there = &self.near[begin..];
                if let Some(payload) = there.get(..length) {
                    let payload = Bytes::copy_from_slice(payload);
                    self.taken = begin + length;
                    return Ok((header, payload));
                }
                if length > NEAR / 2 {
                    let mut payload = Vec::with_capacity(length);
                    payload.extend_from_slice(there);
                    self.taken = self.near.len();
                    self.far = Some(Far { header, payload, length });
                    continue;
                }
            }
            self.read_near()?;
        }
    }

    fn read_near(&mut self) -> Result<()> {
        self.near.drain(..self.taken);
        self.taken = 0;
        some(self.socket.read_onto(&mut self.near)?)
    }

    fn checked(&self, header: &FrameHeader, length: u64) -> Result<usize> {
        let broken = |error| Err(Error::Protocol(error));
        let before = self.begun.as_ref().map_or(0, |(_, begun)| begun.len());
        let size = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(before);
        match header.opcode {
            _ if header.rsv1 || header.rsv2 || header.rsv3 => broken(ProtocolError::NonZeroReservedBits),
            _ if header.mask.is_some() => broken(ProtocolError::MaskedFrameFromServer),
            OpCode::Control(_) if !header.is_final => broken(ProtocolError::FragmentedControlFrame),
            OpCode::Control(_) if length > MOST_OF_CONTROL as u64 => {
                broken(ProtocolError::ControlFrameTooBig)
            }
            _ if size > self.most => {
                Err(Error::Capacity(CapacityError::MessageTooLong { size, max_size: self.most }))
            }
            _ => Ok(length as usize),
        }
    }

    /// What the frame is, or completes.
    fn joined(&mut self, header: &FrameHeader, payload: Bytes) -> Result<Option<Message>> {
        let broken = |error| Err(Error::Protocol(error));
        let (kind, bytes) = match (header.opcode, self.begun.take()) {
            (OpCode::Control(control), begun) => {
                self.begun = begun;
                return match control {
                    Control::Ping => Ok(Some(Message::Ping(payload))),
                    Control::Pong => Ok(Some(Message::Pong(payload))),
                    Control::Close => Err(Error::ConnectionClosed),
                    Control::Reserved(code) => broken(ProtocolError::UnknownControlFrameType(code)),
                };
            }
            (OpCode::Data(Data::Continue), None) => return broken(ProtocolError::UnexpectedContinueFrame),
            (OpCode::Data(Data::Continue), Some((kind, mut begun))) => {
                begun.extend_from_slice(&payload);
                if !header.is_final {
                    self.begun = Some((kind, begun));
                    return Ok(None);
                }
                (kind, begun.into())
            }
            (OpCode::Data(kind), Some(_)) => return broken(ProtocolError::ExpectedFragment(kind)),
            (OpCode::Data(kind), None) if header.is_final => (kind, payload),
            (OpCode::Data(kind), None) => {
                self.begun = Some((kind, payload.into()));
                return Ok(None);
            }
        };
        match kind {
            Data::Binary => Ok(Some(Message::Binary(bytes))),
            Data::Text => Ok(Some(Message::Text(Utf8Bytes::try_from(bytes).map_err(|_| not_text())?))),
            Data::Continue => broken(ProtocolError::UnexpectedContinueFrame),
            Data::Reserved(code) => broken(ProtocolError::UnknownDataFrameType(code)),
        }
    }
}

fn some(read: usize) -> Result<()> {
    if read == 0 { Err(Error::ConnectionClosed) } else { Ok(()) }
}

fn not_text() -> Error {
    Error::Utf8("a text frame is not UTF-8".into())
}

/// For tungstenite while it opens the WebSocket: line by line, so that it takes none of what comes behind the last one.
impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.near.len() {
            self.near.clear();
            self.taken = 0;
            self.socket.read_onto(&mut self.near)?;
        }
        let there = &self.near[self.taken..];
        let line = there.iter().position(|byte| *byte == b'\n').map_or(there.len(), |end| end + 1);
        let length = line.min(buffer.len());
        buffer[..length].copy_from_slice(&there[..length]);
        self.taken += length;
        Ok(length)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;
    use std::time::{Duration, Instant};
    use tungstenite::protocol::frame::Frame;

    const MOST: usize = 1 << 20;

    fn frame(opcode: OpCode, is_final: bool, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let header = FrameHeader { is_final, opcode, ..FrameHeader::default() };
        Frame::from_payload(header, payload.to_vec().into()).format(&mut bytes).unwrap();
        bytes
    }

    fn data(kind: Data, is_final: bool, payload: &[u8]) -> Vec<u8> {
        frame(OpCode::Data(kind), is_final, payload)
    }

    /// What is understood of bytes that come in pieces of so many, up to the error that ends it.
    fn understood(bytes: Vec<u8>, piece: usize) -> (Vec<Message>, Error) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("{}", listener.local_addr().unwrap()).parse().unwrap();
        let sender = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            // Whoever was told enough hangs up.
            let _ = bytes.chunks(piece).try_for_each(|piece| stream.write_all(piece));
        });
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut wire = Wire::new(Socket::connect(&address, None, deadline).unwrap(), MOST);
        let mut messages = Vec::new();
        let error = loop {
            match wire.next() {
                Ok(message) => messages.extend(message),
                Err(error) => break error,
            }
        };
        drop(wire);
        sender.join().unwrap();
        (messages, error)
    }

    #[test]
    fn messages_arrive_whole_however_they_are_cut() {
        let long: Vec<u8> = (0..NEAR * 3).map(|index| index as u8).collect();
        let middling = vec![7; NEAR / 2];
        let bytes = [
            data(Data::Text, true, "gr\u{fc}n".as_bytes()),
            data(Data::Binary, true, &long),
            data(Data::Binary, false, b"in "),
            frame(OpCode::Control(Control::Ping), true, b"there?"),
            data(Data::Continue, false, &middling),
            data(Data::Continue, true, b" pieces"),
            data(Data::Binary, true, b""),
            data(Data::Text, true, b"end"),
        ]
        .concat();
        let joined = [b"in ", middling.as_slice(), b" pieces"].concat();
        let expected = [
            Message::text("gr\u{fc}n"),
            Message::binary(long),
            Message::Ping(b"there?".as_slice().into()),
            Message::binary(joined),
            Message::binary(b"".as_slice()),
            Message::text("end"),
        ];
        for piece in [1, 2, 13, 1000, NEAR, NEAR + 1, bytes.len()] {
            let (messages, end) = understood(bytes.clone(), piece);
            assert!(messages == expected, "in pieces of {piece}: {} messages", messages.len());
            assert!(matches!(end, Error::ConnectionClosed), "{end}");
        }
    }

    #[test]
    fn what_breaks_the_rules_ends_it() {
        let mut masked = data(Data::Text, true, b"mask");
        masked[1] |= 0x80;
        let long = [0x82, 127, 0, 0, 0, 2, 0, 0, 0, 0];
        let grown = [data(Data::Binary, false, b"1"), data(Data::Continue, true, &vec![0; MOST])].concat();
        let cases: [(&str, Vec<u8>); 9] = [
            ("masked", masked),
            ("longer than allowed", long.to_vec()),
            ("longer than allowed together", grown),
            ("the rest of nothing", data(Data::Continue, true, b"")),
            (
                "a beginning in another",
                [data(Data::Text, false, b"1"), data(Data::Text, true, b"2")].concat(),
            ),
            ("a ping in pieces", frame(OpCode::Control(Control::Ping), false, b"")),
            ("a long ping", frame(OpCode::Control(Control::Ping), true, &[0; 126])),
            ("reserved bits", vec![0xC1, 0]),
            ("no text", data(Data::Text, true, b"\xff")),
        ];
        for (what, bytes) in cases {
            let (messages, error) = understood(bytes, 4096);
            assert!(messages.is_empty(), "{what}: {messages:?}");
            let is_named = matches!(error, Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_));
            assert!(is_named, "{what}: {error}");
        }
    }
}
