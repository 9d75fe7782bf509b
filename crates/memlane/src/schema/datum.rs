//! A decoded value of any dtype, for programs that learn the type at run time.

use std::fmt::{self, Display, Formatter};

use super::Element;
use super::text::Name;

/// A decoded value of any dtype.
///
/// Its `Display` is one line for people: numbers in their shortest form that reads back as the same number.
///
/// ```
/// use memlane::schema::{Datum, DType, Schema};
///
/// let schema: Schema = "[1000]<u2".parse()?;
/// let counts = schema.decode(&[7; 2000])?;
/// assert_eq!(counts.elided(2).to_string(), "[1799, 1799, … 998 more]");
///
/// let dtype: DType = "f32".parse()?;
/// assert_eq!(dtype.decode(&0.1_f32.to_le_bytes())?.to_string(), "0.1");
/// # Ok::<(), memlane::schema::SchemaError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Datum {
    /// From `|b1`.
    Bool(bool),
    /// From signed integers.
    Int(i64),
    /// From unsigned integers.
    Uint(u64),
    /// From `f2` and `f4`, exactly. Apart from [`Datum::Float`] because `0.1_f32` would show as
    /// `0.10000000149011612` there.
    Single(f32),
    /// From `f8`.
    Float(f64),
    /// From `|S`: all its bytes, padding included.
    Bytes(Vec<u8>),
    /// From one dimension of a shape; more dimensions lie within.
    Array(Vec<Datum>),
    /// From a struct: name and value of each field, in offset order.
    Struct(Vec<(String, Datum)>),
}

impl Datum {
    /// The number as `f64`: exact for floats and for whole numbers up to 2⁵³, the nearest beyond; `bool` is 0
    /// or 1. `None` for what is no number.
    ///
    /// ```
    /// use memlane::schema::Datum;
    ///
    /// assert_eq!(Datum::from(-3_i16).as_f64(), Some(-3.0));
    /// assert_eq!(Datum::Bytes(vec![1]).as_f64(), None);
    /// ```
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(u8::from(*value).into()),
            Self::Int(value) => Some(*value as f64),
            Self::Uint(value) => Some(*value as f64),
            Self::Single(value) => Some((*value).into()),
            Self::Float(value) => Some(*value),
            Self::Bytes(_) | Self::Array(_) | Self::Struct(_) => None,
        }
    }

    /// The same line with at most `limit` items of each array and bytes of each run of bytes.
    pub fn elided(&self, limit: usize) -> Elided<'_> {
        Elided { datum: self, limit }
    }

    /// What an error message calls it: the value when it is short, else what kind of value it is.
    pub(super) fn described(&self) -> String {
        match self {
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::Array(items) => format!("an array of {}", items.len()),
            Self::Struct(fields) => format!("a struct of {} fields", fields.len()),
            number => number.to_string(),
        }
    }
}

impl<T: Element> From<T> for Datum {
    fn from(value: T) -> Self {
        T::PRIMITIVE.datum_of(value.to_bits())
    }
}

impl Display for Datum {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.elided(usize::MAX).fmt(out)
    }
}

/// A [`Datum`] to show with long arrays cut short; made by [`Datum::elided`].
#[derive(Clone, Copy, Debug)]
pub struct Elided<'a> {
    datum: &'a Datum,
    limit: usize,
}

impl Display for Elided<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self.datum {
            Datum::Bool(value) => write!(out, "{value}"),
            Datum::Int(value) => write!(out, "{value}"),
            Datum::Uint(value) => write!(out, "{value}"),
            Datum::Single(value) => write!(out, "{value:?}"),
            Datum::Float(value) => write!(out, "{value:?}"),
            Datum::Bytes(bytes) => self.write_bytes(out, bytes),
            Datum::Array(items) => self.write_array(out, items),
            Datum::Struct(fields) => self.write_struct(out, fields),
        }
    }
}

impl Elided<'_> {
    fn write_bytes(&self, out: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
        let shown = bytes.len().min(self.limit);
        write!(out, "b'{}'", bytes[..shown].escape_ascii())?;
        match bytes.len() - shown {
            0 => Ok(()),
            more => write!(out, "… {more} more"),
        }
    }

    fn write_array(&self, out: &mut Formatter<'_>, items: &[Datum]) -> fmt::Result {
        let shown = items.len().min(self.limit);
        let mut separator = "";
        out.write_str("[")?;
        for item in &items[..shown] {
            write!(out, "{separator}{}", item.elided(self.limit))?;
            separator = ", ";
        }
        if shown < items.len() {
            write!(out, "{separator}… {} more", items.len() - shown)?;
        }
        out.write_str("]")
    }

    fn write_struct(&self, out: &mut Formatter<'_>, fields: &[(String, Datum)]) -> fmt::Result {
        let mut separator = "";
        out.write_str("{")?;
        for (name, value) in fields {
            write!(out, "{separator}{}: {}", Name(name), value.elided(self.limit))?;
            separator = ", ";
        }
        out.write_str("}")
    }
}
