//! How much of everything there may be at once, and for how long.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Bytes of a message before its sender is known: a hello is far shorter.
pub(super) const HELLO_BYTES: usize = 16 * KIB;
/// Bytes on the way to a client beyond which nothing more is done for it.
pub(super) const OUTBOX_BYTES: usize = MIB;
/// And pieces of frames, which cost something even when they are short.
pub(super) const OUTBOX_PIECES: usize = 8 * KIB;
/// How long a client that does not take its last messages is waited for.
pub(super) const FAREWELL: Duration = Duration::from_millis(500);

/// What a [`Host`](super::Host) lets its clients use. Whoever wants more is refused with `limit`, and told of what.
///
/// ```
/// use memlane_net::host::Limits;
/// let mut limits = Limits::default();
/// limits.message_bytes = 1 << 20;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_address: usize,
    /// Sessions, those without a connection among them. One that is away for the longest makes room for a new one.
    pub sessions: usize,
    /// Requests of a session that are unanswered or unacknowledged.
    pub requests_in_flight: usize,
    /// Bytes of a session's answers that are kept until they are acknowledged. One answer may exceed it; the next
    /// request that changes something is refused.
    pub recorded_bytes: usize,
    /// Subscriptions of a connection.
    pub subscriptions: usize,
    /// Bytes of a message, either way.
    pub message_bytes: usize,
    /// Until a connection has said who it is, or has sent a request's head.
    pub hello: Duration,
    /// A connection that is silent for so long is asked whether it is there.
    pub ping_after: Duration,
    /// A connection from which nothing came for so long is closed.
    pub silence: Duration,
    /// How long leases outlive their session's connection.
    pub grace: Duration,
    /// How long a session outlives its connection.
    pub kept: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 2048,
            sessions: 8192,
            requests_in_flight: 256,
            recorded_bytes: 64 * MIB,
            subscriptions: 1024,
            message_bytes: 64 * MIB,
            hello: Duration::from_secs(10),
            ping_after: Duration::from_secs(3),
            silence: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            kept: Duration::from_secs(600),
        }
    }
}
