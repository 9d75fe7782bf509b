//! The canonical text, written. The grammar is drawn in the [module's doc](super); [`parse`](super::parse)
//! reads it.

use std::fmt::{self, Display, Formatter, Write};

use super::{ByteOrder, DType, Field, Schema, SchemaError, Structure};

/// Most bytes of a schema's canonical text: it has its place in the first page of a region.
pub const MAX_SCHEMA_TEXT: usize = 2048;

/// `value` when its text is within [`MAX_SCHEMA_TEXT`].
pub(super) fn checked_text<T: Display>(value: T) -> Result<T, SchemaError> {
    match text_size(&value) {
        found if found > MAX_SCHEMA_TEXT => Err(SchemaError::TextTooLong { found }),
        _ => Ok(value),
    }
}

/// `text` when it may be a name, a unit or an encoding.
pub(super) fn checked_label(what: &'static str, text: String) -> Result<String, SchemaError> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err(SchemaError::BadText { what, found: text });
    }
    Ok(text)
}

/// A field name as the text shows it: plain when it is an identifier, else quoted.
pub(super) struct Name<'a>(pub(super) &'a str);

impl Display for Name<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if is_identifier(self.0) { out.write_str(self.0) } else { Quoted(self.0).fmt(out) }
    }
}

impl Display for DType {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive(primitive, order) => {
                let order = match order {
                    _ if primitive.size() == 1 => '|',
                    ByteOrder::Little => '<',
                    ByteOrder::Big => '>',
                };
                write!(out, "{order}{}{}", primitive.kind(), primitive.size())
            }
            Self::Bytes(size) => write!(out, "|S{size}"),
            Self::Struct(structure) => structure.fmt(out),
        }
    }
}

impl Display for Structure {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let mut end = 0;
        out.write_char('{')?;
        for (index, field) in self.fields().iter().enumerate() {
            if index > 0 {
                out.write_char(',')?;
            }
            write_field(out, field, end)?;
            end = field.offset() + field.size();
        }
        if self.size() != end {
            write!(out, ";{}", self.size())?;
        }
        out.write_char('}')
    }
}

impl Display for Schema {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write_shape(out, self.shape())?;
        self.dtype().fmt(out)?;
        write_attribute(out, "unit", self.unit())?;
        write_attribute(out, "encoding", self.encoding())
    }
}

/// `end`: where the field before it ends, which is where this one lies unless it says otherwise.
fn write_field(out: &mut Formatter<'_>, field: &Field, end: usize) -> fmt::Result {
    Name(field.name()).fmt(out)?;
    if field.offset() != end {
        write!(out, "@{}", field.offset())?;
    }
    out.write_char(':')?;
    write_shape(out, field.shape())?;
    field.dtype().fmt(out)?;
    write_attribute(out, "unit", field.unit())
}

fn write_shape(out: &mut Formatter<'_>, shape: &[usize]) -> fmt::Result {
    let mut separator = '[';
    for length in shape {
        write!(out, "{separator}{length}")?;
        separator = ',';
    }
    if shape.is_empty() { Ok(()) } else { out.write_char(']') }
}

fn write_attribute(out: &mut Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) => write!(out, " {name}={}", Quoted(value)),
        None => Ok(()),
    }
}

struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_char('"')?;
        for character in self.0.chars() {
            if matches!(character, '"' | '\\') {
                out.write_char('\\')?;
            }
            out.write_char(character)?;
        }
        out.write_char('"')
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// Counts instead of keeping: a text that turns out too long need not be stored first.
struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 += part.len();
        Ok(())
    }
}

fn text_size(value: &impl Display) -> usize {
    let mut counter = Counter(0);
    // Writing to a counter cannot fail.
    let _ = write!(counter, "{value}");
    counter.0
}
