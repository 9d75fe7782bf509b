//! The body of a queue.

use super::Table;

pub(super) const TABLES: &[Table] = &[];
