//! What a message's bytes are said to be.

/// What the sender says a message's bytes are. Nothing here looks into them; tools show them by it, and never unpickle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
#[repr(u8)]
pub enum Tag {
    /// Bytes.
    #[default]
    Bytes = 0,
    /// UTF-8 text.
    Utf8 = 1,
    /// JSON text.
    Json = 2,
    /// A Python pickle: to be trusted no more than who sent it.
    Pickle = 3,
}

impl Tag {
    /// The word for it, as on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Utf8 => "utf-8",
            Self::Json => "json",
            Self::Pickle => "pickle",
        }
    }

    /// The tag of this number; bytes when it is another's.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Utf8,
            2 => Self::Json,
            3 => Self::Pickle,
            _ => Self::Bytes,
        }
    }
}
