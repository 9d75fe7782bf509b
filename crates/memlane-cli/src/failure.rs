//! How a command fails: a sentence for people and an exit code for scripts. The codes are listed in
//! `exit_codes.txt`, which `memlane --help` prints.

use std::fmt::Display;
use std::io;
use std::path::Path;

use memlane::Error;
use memlane_net::client;
use memlane_net::force_release::Unfreed;
use memlane_net::protocol::fault;

/// What a command comes to.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    Failure = 1,
    Usage = 2,
    NotFound = 3,
    Permission = 4,
    Mismatch = 5,
    Timeout = 6,
    Busy = 7,
}

/// Why a command ends early.
#[derive(Debug)]
#[must_use = "a failure that is not returned is not told"]
pub(crate) struct Failure {
    exit: u8,
    /// Nothing when everything has been said already.
    message: Option<String>,
}

impl Failure {
    /// With a message like the library's: lower-case, what was expected, what was found, what to do next.
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit: exit as u8, message: Some(message.to_string()) }
    }

    /// When what was printed says it all.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self { exit: exit as u8, message: None }
    }

    /// With an exit code of somebody who has said what is to say.
    pub(crate) fn told(exit: u8) -> Self {
        Self { exit, message: None }
    }

    /// The same, with what it is about in front.
    pub(crate) fn about(self, what: &str) -> Self {
        Self { message: self.message.map(|message| format!("{what}: {message}")), ..self }
    }

    pub(crate) fn exit(&self) -> u8 {
        self.exit
    }

    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The message, for where nothing has been said yet.
    pub(crate) fn into_message(self) -> String {
        self.message.unwrap_or_default()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(exit_of(&error), error)
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        let exit = match &error {
            client::Error::BadAddress { .. } | client::Error::BadFingerprint { .. } => Exit::Usage,
            client::Error::Token { .. } | client::Error::Refused { .. } => Exit::Permission,
            client::Error::Unreachable { .. } => Exit::NotFound,
            client::Error::TooLarge { .. } => Exit::Mismatch,
            client::Error::Fault { fault, .. } => exit_of_code(&fault.code),
            _ => Exit::Failure,
        };
        Self::new(exit, error)
    }
}

impl From<Unfreed> for Failure {
    fn from(unfreed: Unfreed) -> Self {
        match unfreed {
            Unfreed::Region(error) => error.into(),
            Unfreed::Held { .. } => Self::new(Exit::Busy, unfreed),
            _ => Self::new(Exit::Permission, unfreed),
        }
    }
}

/// Of writing to the standard output: whoever closes the pipe has seen enough.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::silent(Exit::Success),
            _ => Self::new(Exit::Failure, format!("could not write the output: {error}")),
        }
    }
}

fn exit_of(error: &Error) -> Exit {
    match error {
        Error::BadId { .. } | Error::BadParameter { .. } => Exit::Usage,
        Error::NotFound { .. }
        | Error::NoField { .. }
        | Error::OutOfRange { .. }
        | Error::Closed { .. }
        | Error::EndOfPipe { .. }
        | Error::BrokenPipe { .. } => Exit::NotFound,
        Error::PermissionDenied { .. } => Exit::Permission,
        Error::BadSpace { directory, .. } => exit_of_directory(directory),
        Error::AlreadyExists { .. }
        | Error::NameConflict { .. }
        | Error::WrongKind { .. }
        | Error::SchemaMismatch { .. }
        | Error::ParameterMismatch { .. }
        | Error::Schema { .. }
        | Error::TooLarge { .. }
        | Error::TooMany { .. }
        | Error::Overflow { .. } => Exit::Mismatch,
        Error::Timeout { .. } | Error::LockTimeout { .. } | Error::ReaderStalls { .. } => Exit::Timeout,
        Error::Busy { .. }
        | Error::PublisherExists { .. }
        | Error::SubscribersExhausted { .. }
        | Error::BorrowsExhausted { .. }
        | Error::TooManyParticipants { .. }
        | Error::TooManyWaiters { .. }
        | Error::EndTaken { .. }
        | Error::NoSpace { .. } => Exit::Busy,
        _ => Exit::Failure,
    }
}

/// A host's error has the exit code of the same error here.
fn exit_of_code(code: &str) -> Exit {
    match code {
        "bad_id" | "bad_parameter" => Exit::Usage,
        "not_found" | "no_field" | "out_of_range" | "closed" | "end_of_pipe" | "broken_pipe" => {
            Exit::NotFound
        }
        "permission_denied"
        | fault::READ_ONLY
        | fault::NOT_SHARED
        | fault::UNAUTHORISED
        | fault::OUT_OF_REACH => Exit::Permission,
        "already_exists"
        | "name_conflict"
        | "wrong_kind"
        | "schema_mismatch"
        | "parameter_mismatch"
        | "schema"
        | "too_large"
        | "too_many"
        | "overflow"
        | fault::CONFLICT
        | fault::UNKNOWN_OPERATION => Exit::Mismatch,
        fault::TIMEOUT | "reader_stalls" => Exit::Timeout,
        "busy"
        | "publisher_exists"
        | "subscribers_exhausted"
        | "borrows_exhausted"
        | "too_many_participants"
        | "too_many_waiters"
        | "end_taken"
        | "no_space"
        | fault::LIMIT => Exit::Busy,
        _ => Exit::Failure,
    }
}

/// Of reading text from the standard input.
pub(crate) fn unreadable_text(error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, format!("the standard input is not UTF-8 text: {error}"))
}

/// The library says in words what is wrong with a directory; scripts want to know which of the two usual
/// causes it is.
fn exit_of_directory(directory: &Path) -> Exit {
    match std::fs::read_dir(directory).map_err(|error| error.kind()) {
        Err(io::ErrorKind::PermissionDenied) => Exit::Permission,
        Err(io::ErrorKind::NotFound) => Exit::NotFound,
        _ => Exit::Failure,
    }
}
