//! What a client sends, frame by frame.
//!
//! tungstenite takes the frames apart, over a socket that is only read. What it wants to write (answers to pings, the
//! echo of a close) goes into the outbox with everything else. A payload is a slice of what was received.

use bytes::Bytes;
use std::future::poll_fn;
use std::io::{self, Cursor, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, ReadBuf};
use tungstenite::error::{CapacityError, Error};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::OpCode;
use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};

use super::outbox::Outbox;
use super::outgoing::Outgoing;
use crate::protocol::fault::{self, Fault};
use crate::protocol::message::Message;

/// Bytes that are read at once, and that an idle connection costs.
const READ_BYTES: usize = 16 * 1024;

/// The receiving side of a connection.
#[derive(Debug)]
pub(super) struct Incoming<R> {
    outbox: Arc<Outbox>,
    socket: WebSocket<Socket<R>>,
}

/// Why nothing more comes.
#[derive(Debug)]
pub(super) enum Ending {
    /// The client closed, or the connection broke.
    Gone,
    /// The client sent what the host does not take.
    Refused(Fault),
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    /// Of messages of at most `most` bytes.
    pub(super) fn new(reader: R, outbox: Arc<Outbox>, most: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(most))
            .max_frame_size(Some(most));
        let (waker, begun) = (Waker::noop().clone(), Some(Vec::new()));
        let socket = Socket { reader, outbox: outbox.clone(), waker, begun };
        Self { outbox, socket: WebSocket::from_raw_socket(socket, Role::Server, Some(config)) }
    }

    /// What was read of the socket beyond the first message, before [`Self::allow`].
    pub(super) fn beyond_first(&self) -> Bytes {
        Bytes::copy_from_slice(after_message(self.socket.get_ref().begun.as_deref().unwrap_or_default()))
    }

    /// From now on messages have at most `most` bytes.
    pub(super) fn allow(&mut self, most: usize) {
        self.socket.get_mut().begun = None;
        self.socket.set_config(|config| {
            config.max_message_size = Some(most);
            config.max_frame_size = Some(most);
        });
    }

    /// The next message, read when there is room for what follows from it, be it only the answer to a ping. Nothing is
    /// lost when the wait for it is dropped.
    pub(super) async fn next(&mut self) -> Result<Message, Ending> {
        loop {
            self.outbox.room().await;
            let frame = poll_fn(|context| self.poll_frame(context)).await.map_err(Ending::from)?;
            let message = match frame {
                tungstenite::Message::Text(text) => Message::from_text(Bytes::from(text)),
                tungstenite::Message::Binary(bytes) => Message::from_binary(bytes),
                _ => continue,
            };
            return message
                .map_err(|malformed| Ending::Refused(Fault::new(fault::MALFORMED, malformed.to_string())));
        }
    }

    /// Reads what still comes and forgets it, so that the system does not throw away what is on the way to a client.
    pub(super) async fn forget(&mut self) {
        let mut scratch = [0; 4096];
        let reader = &mut self.socket.get_mut().reader;
        let mut read = |context: &mut Context<'_>| {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = Pin::new(&mut *reader).poll_read(context, &mut buffer);
            read.map_ok(|()| buffer.filled().len())
        };
        while poll_fn(&mut read).await.is_ok_and(|read| read > 0) {}
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Result<tungstenite::Message, Error>> {
        self.socket.get_mut().waker.clone_from(context.waker());
        match self.socket.read() {
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            read => Poll::Ready(read),
        }
    }
}

impl From<Error> for Ending {
    fn from(error: Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => Self::Refused(Fault::new(
                fault::LIMIT,
                format!("a message of {size} bytes is longer than the {max_size} that one may have here"),
            )),
            Error::Protocol(error) => Self::Refused(Fault::new(fault::MALFORMED, error.to_string())),
            Error::Utf8(error) => {
                Self::Refused(Fault::new(fault::MALFORMED, format!("a text frame is not UTF-8: {error}")))
            }
            _ => Self::Gone,
        }
    }
}

/// The socket as tungstenite sees it.
#[derive(Debug)]
struct Socket<R> {
    reader: R,
    outbox: Arc<Outbox>,
    /// Whom to wake when there is more to read.
    waker: Waker,
    /// All that was read so far, while somebody else may have to go on with it.
    begun: Option<Vec<u8>>,
}

/// What follows the first message in the bytes of a client.
fn after_message(mut bytes: &[u8]) -> &[u8] {
    while let Some((is_last, length)) = frame(bytes) {
        bytes = bytes.get(length..).unwrap_or_default();
        if is_last {
            return bytes;
        }
    }
    &[]
}

/// Whether a message ends with the frame in front, and that frame's length; nothing when its head is not all there.
fn frame(bytes: &[u8]) -> Option<(bool, usize)> {
    let mut cursor = Cursor::new(bytes);
    let (header, length) = FrameHeader::parse(&mut cursor).ok()??;
    let is_last = header.is_final && matches!(header.opcode, OpCode::Data(_));
    Some((is_last, usize::try_from(length).ok()?.checked_add(cursor.position() as usize)?))
}

impl<R: AsyncRead + Unpin> Read for Socket<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(bytes);
        let mut context = Context::from_waker(&self.waker);
        match Pin::new(&mut self.reader).poll_read(&mut context, &mut buffer) {
            Poll::Ready(read) => {
                read?;
                if let Some(begun) = &mut self.begun {
                    begun.extend_from_slice(buffer.filled());
                }
                Ok(buffer.filled().len())
            }
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<R> Write for Socket<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outbox.push(Outgoing::raw(Bytes::copy_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_first_message_is_found() {
        let masked = |first: u8, length: usize| {
            let mut frame = match length {
                0..126 => vec![first, 0x80 | length as u8],
                _ => [vec![first, 0x80 | 0x7E], (length as u16).to_be_bytes().to_vec()].concat(),
            };
            frame.resize(frame.len() + 4 + length, 7);
            frame
        };
        // A ping, a text in two frames with a pong between them, and what comes then.
        let bytes = [masked(0x89, 3), masked(0x01, 200), masked(0x8a, 0), masked(0x80, 5)].concat();
        let said = [bytes.clone(), b"then".to_vec()].concat();
        assert_eq!(after_message(&said), b"then");
        for length in 0..=bytes.len() {
            assert_eq!(after_message(&said[..length]), b"", "{length}");
        }
    }
}
