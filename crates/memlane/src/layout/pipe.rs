//! The body of a pipe.

use super::Table;

pub(super) const TABLES: &[Table] = &[];
