//! The body of a readers-writer lock.

use super::Table;

pub(super) const TABLES: &[Table] = &[];
