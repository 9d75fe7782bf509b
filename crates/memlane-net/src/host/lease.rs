//! What a session holds, by number.

/// The leases of one session. Given back when it is dropped: locks as those of a dead owner.
#[derive(Debug, Default)]
pub(crate) struct Leases {}

/// What a lease holds.
#[derive(Debug, Clone)]
pub(crate) struct LeaseDescription {
    pub(crate) id: String,
}

impl Leases {
    /// Gives everything back, locks as those of a dead owner.
    pub(crate) fn end(&self) {}

    /// What is held.
    pub(crate) fn list(&self) -> Vec<LeaseDescription> {
        Vec::new()
    }
}
