//! What a call says of how it went, and the words for it.
#![allow(unsafe_code)] // Functions that C finds by their names.

use memlane::Error;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Version of this interface: a program that was compiled with one finds another one only after it was compiled
/// again.
pub const MEMLANE_ABI_VERSION: u32 = 1;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal),* $(,)?) => {
        impl memlane_status {
            fn name(number: u32) -> &'static CStr {
                match number { $($number => $text,)* _ => c"unknown" }
            }
        }
        const _: () = { $(assert!(memlane_status::$name as u32 == $number);)* };
    };
}

/// What became of a call. Everything but MEMLANE_OK leaves a message for `memlane_last_error()`.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum memlane_status {
    /// Done.
    MEMLANE_OK = 0,
    /// The time was up before what was waited for came.
    MEMLANE_TIMEOUT = 1,
    /// The lock was taken, and its last owner died or abandoned it: what it protects may be half-changed.
    MEMLANE_OWNER_DIED = 2,
    /// A conditional write came too late: what stands is newer than what it was based on.
    MEMLANE_CONFLICT = 3,
    /// There is nothing yet.
    MEMLANE_EMPTY = 4,
    /// The queue is closed.
    MEMLANE_CLOSED = 5,
    /// The other end of the pipe is gone, and everything it sent was read.
    MEMLANE_END_OF_PIPE = 6,
    /// The other end of the pipe is gone, and nobody will read what is sent.
    MEMLANE_BROKEN_PIPE = 7,
    /// The publisher died, and the subscriber wants to be told.
    MEMLANE_PUBLISHER_DIED = 8,
    /// The function given to `memlane_interrupt_when()` ended the wait.
    MEMLANE_INTERRUPTED = 9,
    /// What was to be read is longer than the buffer; it is still there.
    MEMLANE_SHORT_BUFFER = 10,
    /// A pointer that must not be NULL is.
    MEMLANE_NULL_ARGUMENT = 20,
    /// Not a handle, or one of something else.
    MEMLANE_WRONG_HANDLE = 21,
    /// The handle was closed.
    MEMLANE_CLOSED_HANDLE = 22,
    /// Another thread is in a call with this handle, which is for one at a time.
    MEMLANE_IN_USE = 23,
    /// An argument has a value that it cannot have.
    MEMLANE_BAD_ARGUMENT = 24,
    /// There is no loan to publish: it was published or discarded already, or never taken.
    MEMLANE_NO_LOAN = 25,
    /// The frame on loan is to be published or discarded first.
    MEMLANE_ON_LOAN = 26,
    /// There is no such region.
    MEMLANE_NOT_FOUND = 40,
    /// A region of that id exists already.
    MEMLANE_ALREADY_EXISTS = 41,
    /// `a` beside `a/b`: a name is a region or a folder.
    MEMLANE_NAME_CONFLICT = 42,
    /// The region is of another kind.
    MEMLANE_WRONG_KIND = 43,
    /// The region has another schema.
    MEMLANE_SCHEMA_MISMATCH = 44,
    /// The region was made with other parameters.
    MEMLANE_PARAMETER_MISMATCH = 45,
    /// Not an id.
    MEMLANE_BAD_ID = 46,
    /// The directory cannot hold a space.
    MEMLANE_BAD_SPACE = 47,
    /// Not a schema, or a value that does not fit it.
    MEMLANE_BAD_SCHEMA = 48,
    /// The bytes are not those of a region.
    MEMLANE_CORRUPT = 49,
    /// The file system has no room.
    MEMLANE_NO_SPACE = 50,
    /// The file's mode does not let this user.
    MEMLANE_PERMISSION_DENIED = 51,
    /// As many processes are attached as the region was made for.
    MEMLANE_TOO_MANY_PARTICIPANTS = 52,
    /// Giving back what this thread does not hold.
    MEMLANE_NOT_OWNER = 53,
    /// This thread would wait for itself.
    MEMLANE_WOULD_DEADLOCK = 54,
    /// More permits than there are.
    MEMLANE_TOO_MANY = 55,
    /// A bounded semaphore would be raised above its bound.
    MEMLANE_OVERFLOW = 56,
    /// The barrier is broken.
    MEMLANE_BROKEN_BARRIER = 57,
    /// As many threads wait as the condition was made for.
    MEMLANE_TOO_MANY_WAITERS = 58,
    /// Somebody living has this end of the pipe.
    MEMLANE_END_TAKEN = 59,
    /// Somebody living publishes there.
    MEMLANE_PUBLISHER_EXISTS = 60,
    /// All borrow entries are claimed by living subscribers.
    MEMLANE_SUBSCRIBERS_EXHAUSTED = 61,
    /// This subscriber holds as many frames as it may.
    MEMLANE_BORROWS_EXHAUSTED = 62,
    /// More bytes, or another number of them, than fits.
    MEMLANE_TOO_LARGE = 63,
    /// No such element.
    MEMLANE_OUT_OF_RANGE = 64,
    /// The content changed faster than it could be copied.
    MEMLANE_BUSY = 65,
    /// The record has no such field.
    MEMLANE_NO_FIELD = 66,
    /// The handle belongs to the parent process.
    MEMLANE_FORKED = 67,
    /// A parameter is out of its limits.
    MEMLANE_BAD_PARAMETER = 68,
    /// The system refused.
    MEMLANE_SYSTEM = 80,
    /// A fault of memlane itself; please report it.
    MEMLANE_FAULT = 81,
}

use memlane_status::*;

statuses! {
    MEMLANE_OK = 0 c"ok", MEMLANE_TIMEOUT = 1 c"timeout", MEMLANE_OWNER_DIED = 2 c"owner died",
    MEMLANE_CONFLICT = 3 c"conflict", MEMLANE_EMPTY = 4 c"empty", MEMLANE_CLOSED = 5 c"closed",
    MEMLANE_END_OF_PIPE = 6 c"end of pipe", MEMLANE_BROKEN_PIPE = 7 c"broken pipe",
    MEMLANE_PUBLISHER_DIED = 8 c"publisher died", MEMLANE_INTERRUPTED = 9 c"interrupted",
    MEMLANE_SHORT_BUFFER = 10 c"short buffer", MEMLANE_NULL_ARGUMENT = 20 c"null argument",
    MEMLANE_WRONG_HANDLE = 21 c"wrong handle", MEMLANE_CLOSED_HANDLE = 22 c"closed handle",
    MEMLANE_IN_USE = 23 c"in use", MEMLANE_BAD_ARGUMENT = 24 c"bad argument", MEMLANE_NO_LOAN = 25 c"no loan",
    MEMLANE_ON_LOAN = 26 c"on loan",
    MEMLANE_NOT_FOUND = 40 c"not found", MEMLANE_ALREADY_EXISTS = 41 c"already exists",
    MEMLANE_NAME_CONFLICT = 42 c"name conflict", MEMLANE_WRONG_KIND = 43 c"wrong kind",
    MEMLANE_SCHEMA_MISMATCH = 44 c"schema mismatch", MEMLANE_PARAMETER_MISMATCH = 45 c"parameter mismatch",
    MEMLANE_BAD_ID = 46 c"bad id", MEMLANE_BAD_SPACE = 47 c"bad space", MEMLANE_BAD_SCHEMA = 48 c"bad schema",
    MEMLANE_CORRUPT = 49 c"corrupt", MEMLANE_NO_SPACE = 50 c"no space",
    MEMLANE_PERMISSION_DENIED = 51 c"permission denied",
    MEMLANE_TOO_MANY_PARTICIPANTS = 52 c"too many participants", MEMLANE_NOT_OWNER = 53 c"not owner",
    MEMLANE_WOULD_DEADLOCK = 54 c"would deadlock", MEMLANE_TOO_MANY = 55 c"too many",
    MEMLANE_OVERFLOW = 56 c"overflow", MEMLANE_BROKEN_BARRIER = 57 c"broken barrier",
    MEMLANE_TOO_MANY_WAITERS = 58 c"too many waiters", MEMLANE_END_TAKEN = 59 c"end taken",
    MEMLANE_PUBLISHER_EXISTS = 60 c"publisher exists",
    MEMLANE_SUBSCRIBERS_EXHAUSTED = 61 c"subscribers exhausted",
    MEMLANE_BORROWS_EXHAUSTED = 62 c"borrows exhausted", MEMLANE_TOO_LARGE = 63 c"too large",
    MEMLANE_OUT_OF_RANGE = 64 c"out of range", MEMLANE_BUSY = 65 c"busy", MEMLANE_NO_FIELD = 66 c"no field",
    MEMLANE_FORKED = 67 c"forked", MEMLANE_BAD_PARAMETER = 68 c"bad parameter", MEMLANE_SYSTEM = 80 c"system",
    MEMLANE_FAULT = 81 c"fault",
}

/// A status and the message that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: memlane_status,
    pub(crate) message: String,
}

impl Failure {
    #[cold]
    pub(crate) fn new(status: memlane_status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

impl From<Error> for Failure {
    #[cold]
    fn from(error: Error) -> Self {
        let status = match error {
            Error::Timeout { .. } | Error::LockTimeout { .. } | Error::ReaderStalls { .. } => MEMLANE_TIMEOUT,
            Error::Closed { .. } => MEMLANE_CLOSED,
            Error::EndOfPipe { .. } => MEMLANE_END_OF_PIPE,
            Error::BrokenPipe { .. } => MEMLANE_BROKEN_PIPE,
            Error::PublisherDied { .. } => MEMLANE_PUBLISHER_DIED,
            Error::NotFound { .. } => MEMLANE_NOT_FOUND,
            Error::AlreadyExists { .. } => MEMLANE_ALREADY_EXISTS,
            Error::NameConflict { .. } => MEMLANE_NAME_CONFLICT,
            Error::WrongKind { .. } => MEMLANE_WRONG_KIND,
            Error::SchemaMismatch { .. } => MEMLANE_SCHEMA_MISMATCH,
            Error::ParameterMismatch { .. } => MEMLANE_PARAMETER_MISMATCH,
            Error::BadId { .. } => MEMLANE_BAD_ID,
            Error::BadSpace { .. } => MEMLANE_BAD_SPACE,
            Error::Schema { .. } => MEMLANE_BAD_SCHEMA,
            Error::Corrupt { .. } => MEMLANE_CORRUPT,
            Error::NoSpace { .. } => MEMLANE_NO_SPACE,
            Error::PermissionDenied { .. } => MEMLANE_PERMISSION_DENIED,
            Error::TooManyParticipants { .. } => MEMLANE_TOO_MANY_PARTICIPANTS,
            Error::NotOwner { .. } => MEMLANE_NOT_OWNER,
            Error::WouldDeadlock { .. } => MEMLANE_WOULD_DEADLOCK,
            Error::TooMany { .. } => MEMLANE_TOO_MANY,
            Error::Overflow { .. } => MEMLANE_OVERFLOW,
            Error::BrokenBarrier { .. } => MEMLANE_BROKEN_BARRIER,
            Error::TooManyWaiters { .. } => MEMLANE_TOO_MANY_WAITERS,
            Error::EndTaken { .. } => MEMLANE_END_TAKEN,
            Error::PublisherExists { .. } => MEMLANE_PUBLISHER_EXISTS,
            Error::SubscribersExhausted { .. } => MEMLANE_SUBSCRIBERS_EXHAUSTED,
            Error::BorrowsExhausted { .. } => MEMLANE_BORROWS_EXHAUSTED,
            Error::TooLarge { .. } => MEMLANE_TOO_LARGE,
            Error::OutOfRange { .. } => MEMLANE_OUT_OF_RANGE,
            Error::Busy { .. } => MEMLANE_BUSY,
            Error::NoField { .. } => MEMLANE_NO_FIELD,
            Error::Forked { .. } => MEMLANE_FORKED,
            Error::BadParameter { .. } => MEMLANE_BAD_PARAMETER,
            Error::System { .. } => MEMLANE_SYSTEM,
            _ => MEMLANE_FAULT,
        };
        Self { status, message: error.to_string() }
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CString::default());
}

/// What every function runs in: an error becomes its status and leaves its message, and a panic does not leave Rust.
#[inline]
pub(crate) fn call(body: impl FnOnce() -> Result<(), Failure>) -> memlane_status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => MEMLANE_OK,
        Ok(Err(failure)) => fail(failure),
        Err(panic) => fail(fault(&*panic)),
    }
}

#[cold]
fn fault(panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    Failure::new(MEMLANE_FAULT, format!("a fault of memlane itself, please report it: {text}"))
}

#[cold]
fn fail(Failure { status, message }: Failure) -> memlane_status {
    // Ids and paths of others may hold a NUL, which would end the message.
    let message = CString::new(message.replace('\0', "\u{fffd}")).unwrap_or_default();
    // A destructor of a static object of C++ runs when the thread has no message any more.
    let _ = LAST.try_with(|last| *last.borrow_mut() = message);
    status
}

/// What the last call of this thread that did not return MEMLANE_OK has to say: which region, what was expected, what
/// was found, what to do next. Empty when there was none. Owned by memlane, and good until the next such call of this
/// thread.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_last_error() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// The word for a status, for people: "timeout". Owned by memlane, and good for ever.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_status_name(status: MaybeUninit<memlane_status>) -> *const c_char {
    memlane_status::name(crate::argument::number(status)).as_ptr()
}

/// MEMLANE_ABI_VERSION of the library that is running.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_abi_version() -> u32 {
    MEMLANE_ABI_VERSION
}

/// The library's version: "0.1.0". Owned by memlane, and good for ever.
#[unsafe(no_mangle)]
pub extern "C" fn memlane_version_text() -> *const c_char {
    const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    TEXT.as_ptr().cast()
}
