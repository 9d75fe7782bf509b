//! What can go wrong, by a code for programs and a message for people.
//!
//! The codes of a region's errors are the names of [`memlane::Error`]; those of the conversation itself are the
//! constants here.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The client ended the wait.
pub const CANCELLED: &str = "cancelled";
/// Neither the token nor the proof is right, or there is none.
pub const UNAUTHORISED: &str = "unauthorised";
/// The host speaks other versions of the protocol.
pub const UNSUPPORTED_VERSION: &str = "unsupported_version";
/// The token, or the whole host, is for looking only.
pub const READ_ONLY: &str = "read_only";
/// The host does not share this region.
pub const NOT_SHARED: &str = "not_shared";
/// A message that is not what it should be.
pub const MALFORMED: &str = "malformed";
/// The host knows no such operation, or not for this kind.
pub const UNKNOWN_OPERATION: &str = "unknown_operation";
/// A conditional write that came too late: `version` and `content` say what is there.
pub const CONFLICT: &str = "conflict";
/// Too much of something at once: connections, sessions, requests in flight, subscriptions, bytes.
pub const LIMIT: &str = "limit";
/// What was held is held no more: the session was away for longer than the grace time, or gave it back.
pub const LEASE_ENDED: &str = "lease_ended";
/// It is about the host's machine itself, and cannot be done from where the client is, or by the host.
pub const OUT_OF_REACH: &str = "out_of_reach";
/// The host that a client asked to be passed on to cannot be reached.
pub const UNREACHABLE: &str = "unreachable";
/// The host stops.
pub const SHUTTING_DOWN: &str = "shutting_down";
/// The host may have done it or not, and cannot be asked any more. Said by clients.
pub const OUTCOME_UNKNOWN: &str = "outcome_unknown";
/// The deadline passed.
pub const TIMEOUT: &str = "timeout";

/// A failure as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Fault {
    /// What it is, for programs; clients treat one that they do not know as a failure of no special kind.
    pub code: String,
    /// What was expected, what was found and what to do next, for people.
    pub message: String,
    /// What the code promises beside: of `conflict` the `version` and the `content`.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Fault {
    /// A failure of that code.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), more: Map::new() }
    }

    /// The same, and what is to be known beside.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.into(), value.into());
        self
    }
}

/// The code of a region's error.
#[must_use]
pub fn code_of(error: &memlane::Error) -> &'static str {
    use memlane::Error;
    match error {
        Error::BadId { .. } => "bad_id",
        Error::BadSpace { .. } => "bad_space",
        Error::NotFound { .. } => "not_found",
        Error::AlreadyExists { .. } => "already_exists",
        Error::NameConflict { .. } => "name_conflict",
        Error::WrongKind { .. } => "wrong_kind",
        Error::SchemaMismatch { .. } => "schema_mismatch",
        Error::ParameterMismatch { .. } => "parameter_mismatch",
        Error::Schema { .. } => "schema",
        Error::Corrupt { .. } => "corrupt",
        Error::NoSpace { .. } => "no_space",
        Error::PermissionDenied { .. } => "permission_denied",
        Error::TooManyParticipants { .. } => "too_many_participants",
        Error::BadParameter { .. } => "bad_parameter",
        Error::Timeout { .. } | Error::LockTimeout { .. } => TIMEOUT,
        Error::NotOwner { .. } => "not_owner",
        Error::WouldDeadlock { .. } => "would_deadlock",
        Error::TooMany { .. } => "too_many",
        Error::Overflow { .. } => "overflow",
        Error::BrokenBarrier { .. } => "broken_barrier",
        Error::TooManyWaiters { .. } => "too_many_waiters",
        Error::Closed { .. } => "closed",
        Error::EndOfPipe { .. } => "end_of_pipe",
        Error::BrokenPipe { .. } => "broken_pipe",
        Error::EndTaken { .. } => "end_taken",
        Error::ReaderStalls { .. } => "reader_stalls",
        Error::PublisherExists { .. } => "publisher_exists",
        Error::PublisherDied { .. } => "publisher_died",
        Error::SubscribersExhausted { .. } => "subscribers_exhausted",
        Error::BorrowsExhausted { .. } => "borrows_exhausted",
        Error::TooLarge { .. } => "too_large",
        Error::OutOfRange { .. } => "out_of_range",
        Error::Busy { .. } => "busy",
        Error::NoField { .. } => "no_field",
        _ => "system",
    }
}

impl From<memlane::Error> for Fault {
    fn from(error: memlane::Error) -> Self {
        Self::new(code_of(&error), error.to_string())
    }
}
