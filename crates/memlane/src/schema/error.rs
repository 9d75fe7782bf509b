//! Why a schema, or a value for it, was refused.

use std::convert::Infallible;

/// Why a schema, or a value for it, was refused.
///
/// The messages say what was expected and what was found; [`SchemaError::InText`] adds the place in the text
/// and [`SchemaError::InValue`] the place in the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The text is not a schema.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What would have been right.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Something is wrong at a place of a text.
    #[error("at byte {position} of the text: {error}")]
    InText {
        /// Bytes before the place.
        position: usize,
        /// What is wrong there.
        error: Box<SchemaError>,
    },
    /// Something is wrong in a part of a value.
    #[error("in {place}: {error}")]
    InValue {
        /// The path to the part: `pose[2].x`.
        place: String,
        /// What is wrong there.
        error: Box<SchemaError>,
    },
    /// The canonical text, or the text to parse, is longer than [`MAX_SCHEMA_TEXT`](super::MAX_SCHEMA_TEXT).
    #[error(
        "expected a schema of at most {} bytes of text, found {found}: use fewer fields or shorter names",
        super::MAX_SCHEMA_TEXT
    )]
    TextTooLong {
        /// Bytes of the text.
        found: usize,
    },
    /// Structs lie in each other deeper than [`MAX_NESTING`](super::MAX_NESTING).
    #[error("expected at most {} structs in each other, found {found}", super::MAX_NESTING)]
    TooNested {
        /// Levels of structs that were asked for; the parser stops at the first too many.
        found: usize,
    },
    /// A shape has more dimensions than [`MAX_DIMENSIONS`](super::MAX_DIMENSIONS).
    #[error("expected a shape of at most {} dimensions, found {found}", super::MAX_DIMENSIONS)]
    TooManyDimensions {
        /// Dimensions of the shape.
        found: usize,
    },
    /// A dimension, an item or a struct would have no bytes.
    #[error("expected {what} of at least 1, found 0")]
    Empty {
        /// What would have been empty.
        what: &'static str,
    },
    /// A size exceeds its limit.
    #[error("expected {what} of at most {limit} bytes, found more: make the shape smaller")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The largest size, in bytes.
        limit: usize,
    },
    /// A name, a unit or an encoding is empty or holds control characters.
    #[error("expected {what} of one or more characters and no control characters, found {found:?}")]
    BadText {
        /// What the text was for.
        what: &'static str,
        /// The text.
        found: String,
    },
    /// Two fields of a struct have one name.
    #[error("expected each field name once, found {name:?} twice")]
    DuplicateField {
        /// The name.
        name: String,
    },
    /// A field begins before the field in front of it ends.
    #[error(
        "expected field {name:?} at offset {end} or later, found offset {offset}: fields may not overlap"
    )]
    Overlap {
        /// The later field.
        name: String,
        /// Where it begins, in bytes.
        offset: usize,
        /// Where the field in front of it ends, in bytes.
        end: usize,
    },
    /// A struct ends before its last field does.
    #[error("expected a struct of at least {end} bytes to hold its last field, found {size}")]
    StructTooShort {
        /// Where the last field ends, in bytes.
        end: usize,
        /// The size that was asked for, in bytes.
        size: usize,
    },
    /// The bytes are not as many as the schema says.
    #[error("expected {expected} bytes, found {found}")]
    BodySize {
        /// Bytes of an item or a body of this schema.
        expected: usize,
        /// Bytes that were given.
        found: usize,
    },
    /// There is no memory for a body of this size.
    #[error("expected memory for {size} bytes, found less: encode the body item by item")]
    OutOfMemory {
        /// Bytes of the body.
        size: usize,
    },
    /// The value does not fit the dtype.
    #[error("expected {expected}, found {found}")]
    Value {
        /// What fits, with its range.
        expected: String,
        /// The value, or what kind of value it is when it is long.
        found: String,
    },
}

impl SchemaError {
    /// The same error, with its place in a text. A place already known is the more precise one and stays.
    pub(super) fn in_text(self, position: usize) -> Self {
        match self {
            Self::InText { .. } => self,
            error => Self::InText { position, error: Box::new(error) },
        }
    }

    /// The same error, one step further out: `segment` is put in front of the path that is already known.
    pub(super) fn in_value(self, segment: &str) -> Self {
        match self {
            Self::InValue { place, error } => {
                let separator = if place.starts_with('[') { "" } else { "." };
                Self::InValue { place: format!("{segment}{separator}{place}"), error }
            }
            error => Self::InValue { place: segment.to_owned(), error: Box::new(error) },
        }
    }
}

/// A [`Field`](super::Field) given where something that may become one is accepted cannot fail.
impl From<Infallible> for SchemaError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
