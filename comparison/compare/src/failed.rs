//! Why there is no figure, as a sentence that stands in its place.

use std::fmt;

/// What a peer did instead: `hangs: nothing was heard of it for 10 s`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed(pub(crate) String);

/// Something, or why there is none.
pub(crate) type Outcome<T> = Result<T, Failed>;

impl Failed {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
