//! The body of a stream.

use super::Table;

pub(super) const TABLES: &[Table] = &[];
