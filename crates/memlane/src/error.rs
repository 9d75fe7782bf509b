//! What can go wrong with a space or a region, said so that a person knows what to do next.

use crate::schema::SchemaError;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The result of most calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure names the region, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An id breaks a rule of names.
    #[error("`{id}` cannot be the id of a region: {reason}; an id is like `camera/front`, at most 200 bytes")]
    BadId {
        /// The id as given.
        id: String,
        /// The rule it breaks.
        reason: &'static str,
    },

    /// The space's directory cannot be used.
    #[error("the directory `{}` cannot hold a space: {reason}", directory.display())]
    BadSpace {
        /// The directory.
        directory: PathBuf,
        /// Why not, and what to do.
        reason: String,
    },

    /// There is no such region.
    #[error("no region `{id}` in {}; list what is there with `memlane ls`", space.display())]
    NotFound {
        /// The id looked for.
        id: String,
        /// Where.
        space: PathBuf,
    },

    /// A region of that id exists, and `create` wants to be the first.
    #[error("region `{id}` exists already in {}; open it, or remove it with `memlane rm {id}`", space.display())]
    AlreadyExists {
        /// The id.
        id: String,
        /// Where.
        space: PathBuf,
    },

    /// `a` beside `a/b`: a name is a region or a folder, never both.
    #[error("`{id}` cannot be a region because `{other}` {what} in {}; choose another id", space.display())]
    NameConflict {
        /// The id asked for.
        id: String,
        /// What stands in the way.
        other: String,
        /// What the other is.
        what: &'static str,
        /// Where.
        space: PathBuf,
    },

    /// The region exists with another kind.
    #[error("region `{id}` is of kind {found}, not {expected}")]
    WrongKind {
        /// The region.
        id: String,
        /// The kind asked for.
        expected: &'static str,
        /// The kind it has.
        found: &'static str,
    },

    /// The region exists with another schema.
    #[error(
        "region `{id}` has the schema {found}, but {expected} was expected; use that one, or remove the region first"
    )]
    SchemaMismatch {
        /// The region.
        id: String,
        /// The schema asked for, in canonical text.
        expected: String,
        /// The schema it has.
        found: String,
    },

    /// The region exists with other parameters (history, capacity …).
    #[error(
        "region `{id}` was made with {parameter} {found}, but {expected} was asked for; ask for that, or remove the \
         region first"
    )]
    ParameterMismatch {
        /// The region.
        id: String,
        /// Which parameter.
        parameter: &'static str,
        /// Its value asked for.
        expected: u64,
        /// The value it has.
        found: u64,
    },

    /// A schema or a value that does not fit it.
    #[error("region `{id}`: {source}")]
    Schema {
        /// The region.
        id: String,
        /// What is wrong.
        source: SchemaError,
    },

    /// The file's bytes are not a region this version can use.
    #[error(
        "region `{id}` is damaged or not a region: {what}; nothing was changed; `memlane doctor` says more"
    )]
    Corrupt {
        /// The region.
        id: String,
        /// What was expected and found.
        what: String,
    },

    /// The file system has no room for a region that size.
    #[error("no room for the {size} bytes of region `{id}` in {}; free some with `memlane rm`, or enlarge the file system", space.display())]
    NoSpace {
        /// The region.
        id: String,
        /// What it would take.
        size: u64,
        /// Where.
        space: PathBuf,
    },

    /// The file's mode or the directory's does not let this user.
    #[error("no permission to {action} region `{id}` in {}: ask its owner for group access, or run as the owner", space.display())]
    PermissionDenied {
        /// The region.
        id: String,
        /// What was tried.
        action: &'static str,
        /// Where.
        space: PathBuf,
    },

    /// Every participant slot is taken by a living process.
    #[error(
        "region `{id}` has {slots} participants already, as many as it was made for; make it with more `participants`"
    )]
    TooManyParticipants {
        /// The region.
        id: String,
        /// Its slots.
        slots: u16,
    },

    /// A parameter out of its limits.
    #[error("{parameter} of region `{id}` must be {limit}, not {found}")]
    BadParameter {
        /// The region.
        id: String,
        /// Which parameter.
        parameter: &'static str,
        /// The rule.
        limit: String,
        /// The value given.
        found: u64,
    },

    /// The deadline passed.
    #[error("waited {waited:.1?} for {what} of region `{id}` in vain")]
    Timeout {
        /// The region.
        id: String,
        /// What was waited for.
        what: &'static str,
        /// For how long.
        waited: Duration,
    },

    /// The deadline passed for something that others hold.
    #[error("waited {waited:.1?} for {what} of region `{id}` in vain: {holder}")]
    LockTimeout {
        /// The region.
        id: String,
        /// What was waited for: the lock, a permit.
        what: &'static str,
        /// For how long.
        waited: Duration,
        /// Who holds it since when.
        holder: String,
    },

    /// Releasing what this thread does not hold.
    #[error("this thread does not hold the lock of region `{id}`: {holder}")]
    NotOwner {
        /// The region.
        id: String,
        /// Who holds it, or nobody.
        holder: String,
    },

    /// The thread holds this lock already and would wait for itself.
    #[error("this thread holds the lock of region `{id}` already and would wait for itself for ever")]
    WouldDeadlock {
        /// The region.
        id: String,
    },

    /// More permits or tokens than the semaphore has, at once.
    #[error("{asked} {what} asked of region `{id}`, which has {most} at most")]
    TooMany {
        /// The region.
        id: String,
        /// Permits, tokens.
        what: &'static str,
        /// How many were asked for.
        asked: u64,
        /// How many there can be.
        most: u64,
    },

    /// Raising a bounded counter above its bound.
    #[error(
        "semaphore `{id}` stands at {value} of {maximum}, and {count} more do not fit: somebody released twice"
    )]
    Overflow {
        /// The region.
        id: String,
        /// Where it stands.
        value: u32,
        /// Its bound.
        maximum: u32,
        /// How many were to be added.
        count: u32,
    },

    /// The barrier is broken: nobody gets through until it is reset.
    #[error("the barrier `{id}` is broken: {why}; reset it when all parties are well")]
    BrokenBarrier {
        /// The region.
        id: String,
        /// Who or what broke it.
        why: String,
    },

    /// Every entry for waiting threads is taken by a living one.
    #[error("{entries} threads wait at region `{id}` already, as many as it was made for; make it with more")]
    TooManyWaiters {
        /// The region.
        id: String,
        /// Its entries.
        entries: u32,
    },

    /// The queue was closed, and there is nothing left to take; or it was closed, and nothing can be put.
    #[error("queue `{id}` is closed; make another one to go on")]
    Closed {
        /// The region.
        id: String,
    },

    /// The other end of the pipe is gone for good, and everything it sent was read.
    #[error("the other end of pipe `{id}` is gone: {peer}; there is no more to read")]
    EndOfPipe {
        /// The region.
        id: String,
        /// Who it was, and whether it closed the pipe or died.
        peer: String,
    },

    /// The other end of the pipe is gone for good, and nobody will read what is sent.
    #[error("the other end of pipe `{id}` is gone: {peer}; nobody will read what is sent")]
    BrokenPipe {
        /// The region.
        id: String,
        /// Who it was, and whether it closed the pipe or died.
        peer: String,
    },

    /// The end of the pipe is somebody's, or belongs to a conversation that is not over for the other end.
    #[error("the {end} end of pipe `{id}` cannot be had: {why}")]
    EndTaken {
        /// The region.
        id: String,
        /// Which end.
        end: &'static str,
        /// Who has it, or who has yet to close.
        why: String,
    },

    /// A lossless stream is full because a living reader does not read.
    #[error(
        "waited {waited:.1?} for room in stream `{id}` in vain: {reader} does not read; stop it, or let it be lossy"
    )]
    ReaderStalls {
        /// The region.
        id: String,
        /// For how long.
        waited: Duration,
        /// Who is furthest behind, and how far.
        reader: String,
    },

    /// Somebody publishes here, and a frame channel has one publisher at a time.
    #[error("region `{id}` has a publisher: {publisher}; stop it first, or publish under another id")]
    PublisherExists {
        /// The region.
        id: String,
        /// Who.
        publisher: String,
    },

    /// The publisher died, and the subscriber asked to be told.
    #[error("the publisher of region `{id}` died: {publisher}; wait again for the next one, or start it")]
    PublisherDied {
        /// The region.
        id: String,
        /// Who.
        publisher: String,
    },

    /// There is no entry left for another subscriber: for borrowing frames, or for being waited for.
    #[error(
        "all {entries} entries of region `{id}` are claimed by living subscribers; make it with more (frames: `borrows`; lossless stream: readers)"
    )]
    SubscribersExhausted {
        /// The region.
        id: String,
        /// The pool's size.
        entries: u32,
    },

    /// This subscriber has not as many free entries as frames were asked for.
    #[error(
        "this subscriber of region `{id}` holds {held} of the {entries} frames it may; drop one first, or subscribe with more"
    )]
    BorrowsExhausted {
        /// The region.
        id: String,
        /// How many frames it holds.
        held: u32,
        /// How many it may hold at once.
        entries: u32,
    },

    /// More bytes than there is room for.
    #[error("{size} bytes do not fit region `{id}`, which holds {capacity}")]
    TooLarge {
        /// The region.
        id: String,
        /// The bytes given.
        size: usize,
        /// The bytes there is room for.
        capacity: usize,
    },

    /// An element, field or frame that is not there.
    #[error("region `{id}` has no {what} {index}: there are {len}")]
    OutOfRange {
        /// The region.
        id: String,
        /// What was indexed.
        what: &'static str,
        /// The index given.
        index: u64,
        /// How many there are.
        len: u64,
    },

    /// The content changed faster than an observer could copy it.
    #[error("region `{id}` changed faster than it could be copied for {waited:?}; try again")]
    Busy {
        /// The region.
        id: String,
        /// For how long.
        waited: Duration,
    },

    /// A record has no such field.
    #[error("region `{id}` has no field `{name}`: its schema is {schema}")]
    NoField {
        /// The region.
        id: String,
        /// The field asked for.
        name: String,
        /// What it has.
        schema: String,
    },

    /// This handle belongs to the parent of a forked process.
    #[error("this {what} of region `{id}` belongs to the parent process; a forked child makes its own")]
    Forked {
        /// The region.
        id: String,
        /// What kind of handle.
        what: &'static str,
    },

    /// The system refused, for a reason none of the above covers.
    #[error("could not {action} region `{id}`: {source}")]
    System {
        /// The region.
        id: String,
        /// What was tried.
        action: &'static str,
        /// The system's words.
        source: io::Error,
    },
}
