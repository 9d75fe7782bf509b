//! The body of a condition.

use super::Table;

pub(super) const TABLES: &[Table] = &[];
