//! What is on the way to a client, and how it gets onto the socket.
//!
//! Answers and events are put here by whoever has them, without waiting; one task writes them. Nobody does anything
//! more for a client that has [too much](OUTBOX_BYTES) on the way: requests are not read, waits not looked at, events
//! not made. So a client that does not read costs no more than that.

use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

use super::limits::{OUTBOX_BYTES, OUTBOX_PIECES};
use super::outgoing::Outgoing;

/// Frames on the way to one connection.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug, Default)]
struct State {
    pieces: Pieces,
    /// Bytes in `pieces` and in what is being written.
    bytes: usize,
    /// Nothing more is taken.
    closed: bool,
}

impl Outbox {
    /// Puts a frame on the way, unless the last one has been.
    pub(super) fn push(&self, frame: Outgoing) {
        let mut state = self.state();
        if !state.closed {
            state.bytes += frame.len();
            state.pieces.push(frame);
            self.filled.notify_one();
        }
    }

    /// Puts the last frame on the way.
    pub(super) fn close(&self, frame: Outgoing) {
        self.push(frame);
        self.end();
    }

    /// What is on the way is the last.
    pub(super) fn end(&self) {
        self.state().closed = true;
        self.filled.notify_one();
    }

    /// Whether something more may be done for this client.
    pub(super) fn has_room(&self) -> bool {
        let state = self.state();
        state.bytes < OUTBOX_BYTES && state.pieces.0.len() < OUTBOX_PIECES
    }

    /// Until something more may be done for this client.
    pub(super) async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            if self.has_room() {
                return;
            }
            drained.await;
        }
    }

    /// Writes what comes, until the last frame is written.
    pub(super) async fn write_to(&self, socket: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        loop {
            let (mut pieces, closed) = {
                let mut state = self.state();
                (std::mem::take(&mut state.pieces), state.closed)
            };
            self.drained.notify_waiters();
            if pieces.0.is_empty() {
                if closed {
                    return Ok(());
                }
                self.filled.notified().await;
                continue;
            }
            while pieces.has_remaining() {
                let written = socket.write_buf(&mut pieces).await?;
                if written == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                self.state().bytes -= written;
                self.drained.notify_waiters();
            }
            socket.flush().await?;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pieces of frames, written many at once.
#[derive(Debug, Default)]
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn push(&mut self, frame: Outgoing) {
        self.0.extend(frame.into_pieces().into_iter().filter(|piece| !piece.is_empty()));
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn has_remaining(&self) -> bool {
        !self.0.is_empty()
    }

    fn chunk(&self) -> &[u8] {
        self.0.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pairs = slices.iter_mut().zip(&self.0);
        pairs.map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(piece) = self.0.front_mut() {
            if count < piece.len() {
                return piece.advance(count);
            }
            count -= piece.len();
            self.0.pop_front();
        }
    }
}
