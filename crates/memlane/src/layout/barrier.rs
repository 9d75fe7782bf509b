//! The body of a barrier.

use super::Table;

pub(super) const TABLES: &[Table] = &[];
