//! What a session holds, by number.

/// The leases of one session. Given back when it is dropped: locks as those of a dead owner.
#[derive(Debug, Default)]
pub(crate) struct Leases {}
