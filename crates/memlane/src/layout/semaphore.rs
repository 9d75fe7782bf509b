//! The body of a semaphore.

use super::Table;

pub(super) const TABLES: &[Table] = &[];
