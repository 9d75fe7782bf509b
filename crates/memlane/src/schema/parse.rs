//! The text, read: the canonical grammar of the [module's doc](super) and the friendlier forms beside it.
//!
//! The text may come from a stranger. It is bounded before it is read, every byte is visited once, structs
//! recurse no deeper than [`MAX_NESTING`], and what the parser builds goes through the same checks as
//! anything constructed.

use std::str::FromStr;

use super::{
    ByteOrder, DType, Field, MAX_NESTING, MAX_SCHEMA_TEXT, Primitive, Schema, SchemaError, Structure,
};

impl FromStr for Schema {
    type Err = SchemaError;

    /// Reads the canonical text, or one of the friendlier forms in the [module's doc](super).
    fn from_str(text: &str) -> Result<Self, SchemaError> {
        parse_all(text, Parser::schema)
    }
}

impl TryFrom<&str> for Schema {
    type Error = SchemaError;

    fn try_from(text: &str) -> Result<Self, SchemaError> {
        text.parse()
    }
}

impl FromStr for DType {
    type Err = SchemaError;

    /// Reads an item without shape: `<f4`, `uint8`, `{x:<f4,y:<f4}`.
    fn from_str(text: &str) -> Result<Self, SchemaError> {
        parse_all(text, |parser| parser.dtype(0))
    }
}

impl TryFrom<(&str, &str)> for Field {
    type Error = SchemaError;

    /// Reads what stands behind the colon of a field: `[3]<f8 unit="m"`.
    fn try_from((name, text): (&str, &str)) -> Result<Self, SchemaError> {
        parse_all(text, |parser| parser.field_type(name.to_owned(), 0))
    }
}

/// The names that NumPy or Rust give a primitive. Rust comes first where they differ: a bare `i8` has 8 bits.
const NAMES: &[(&str, Primitive)] = &[
    ("bool_", Primitive::Bool),
    ("int8", Primitive::I8),
    ("byte", Primitive::I8),
    ("uint8", Primitive::U8),
    ("ubyte", Primitive::U8),
    ("int16", Primitive::I16),
    ("short", Primitive::I16),
    ("uint16", Primitive::U16),
    ("ushort", Primitive::U16),
    ("int32", Primitive::I32),
    ("intc", Primitive::I32),
    ("uint32", Primitive::U32),
    ("uintc", Primitive::U32),
    ("int64", Primitive::I64),
    ("int", Primitive::I64),
    ("int_", Primitive::I64),
    ("intp", Primitive::I64),
    ("long", Primitive::I64),
    ("longlong", Primitive::I64),
    ("uint64", Primitive::U64),
    ("uint", Primitive::U64),
    ("uintp", Primitive::U64),
    ("ulong", Primitive::U64),
    ("ulonglong", Primitive::U64),
    ("float16", Primitive::F16),
    ("half", Primitive::F16),
    ("float32", Primitive::F32),
    ("single", Primitive::F32),
    ("float64", Primitive::F64),
    ("float", Primitive::F64),
    ("double", Primitive::F64),
];

const EXPECTED_TYPE: &str = "a type such as `<f4`, `float32`, `|S6` or `{x:<f4,y:<f4}`";

/// What of the text has been read.
struct Parser<'text> {
    text: &'text str,
    position: usize,
}

fn parse_all<'text, T>(
    text: &'text str,
    read: impl FnOnce(&mut Parser<'text>) -> Result<T, SchemaError>,
) -> Result<T, SchemaError> {
    if text.len() > MAX_SCHEMA_TEXT {
        return Err(SchemaError::TextTooLong { found: text.len() });
    }
    let mut parser = Parser { text, position: 0 };
    parser.skip_space();
    // A fault that no token is to blame for, such as two fields of one name, is reported where reading
    // stopped.
    let value = read(&mut parser).map_err(|error| error.in_text(parser.position))?;
    parser.skip_space();
    if parser.rest().is_empty() { Ok(value) } else { Err(parser.unexpected("the end")) }
}

impl<'text> Parser<'text> {
    fn schema(&mut self) -> Result<Schema, SchemaError> {
        let (shape, dtype) = self.item(0)?;
        let mut schema = Schema::new(dtype).with_shape(&shape)?;
        while let Some(attribute) = self.attribute_name() {
            schema = match attribute {
                "unit" if schema.unit().is_none() => schema.with_unit(self.attribute_value()?)?,
                "encoding" if schema.encoding().is_none() => schema.with_encoding(self.attribute_value()?)?,
                other => return Err(unknown_attribute("unit or encoding, each once", other)),
            };
        }
        Ok(schema)
    }

    /// `level`: how many structs this item lies in.
    fn item(&mut self, level: usize) -> Result<(Vec<usize>, DType), SchemaError> {
        let shape = self.shape()?;
        Ok((shape, self.dtype(level)?))
    }

    fn shape(&mut self) -> Result<Vec<usize>, SchemaError> {
        match self.peek() {
            Some('[') => self.bracketed_shape(']'),
            Some('(') => self.bracketed_shape(')'),
            Some(digit) if digit.is_ascii_digit() => self.crossed_shape(),
            _ => Ok(Vec::new()),
        }
    }

    /// `[404,640,3]` or `(404, 640, 3)`, with a comma at the end if it likes, as Python has in `(3,)`.
    fn bracketed_shape(&mut self, close: char) -> Result<Vec<usize>, SchemaError> {
        let mut shape = Vec::new();
        self.advance(1);
        while !self.take(close) {
            shape.push(self.number()?);
            if !self.take(',') {
                self.expect(close)?;
                break;
            }
        }
        self.skip_space();
        Ok(shape)
    }

    /// `404x640x3`.
    fn crossed_shape(&mut self) -> Result<Vec<usize>, SchemaError> {
        let mut shape = vec![self.number()?];
        while self.take('x') {
            shape.push(self.number()?);
        }
        Ok(shape)
    }

    fn dtype(&mut self, level: usize) -> Result<DType, SchemaError> {
        match self.peek() {
            Some('{') if level < MAX_NESTING => self.structure(level + 1).map(DType::Struct),
            Some('{') => Err(SchemaError::TooNested { found: level + 1 }.in_text(self.position)),
            _ => self.named_type(),
        }
    }

    fn structure(&mut self, level: usize) -> Result<Structure, SchemaError> {
        let mut fields: Vec<(usize, Field)> = Vec::new();
        let (mut end, mut size) = (0, 0);
        self.advance(1);
        while !matches!(self.peek(), Some('}' | ';')) {
            let (offset, field) = self.field(end, level)?;
            // What is beyond all limits here is refused by the structure's own check.
            end = offset.saturating_add(field.size());
            size = end.max(size);
            fields.push((offset, field));
            if !self.take(',') {
                break;
            }
        }
        if self.take(';') {
            size = self.number()?;
        }
        self.expect('}')?;
        Structure::at_offsets(fields, size)
    }

    /// `end`: where the field lies unless it says otherwise.
    fn field(&mut self, end: usize, level: usize) -> Result<(usize, Field), SchemaError> {
        let name = self.field_name()?;
        let offset = if self.take('@') { self.number()? } else { end };
        self.expect(':')?;
        self.skip_space();
        Ok((offset, self.field_type(name, level)?))
    }

    fn field_name(&mut self) -> Result<String, SchemaError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let name = self.word(|character| character.is_ascii_alphanumeric() || character == '_');
        match name.chars().next() {
            Some(first) if !first.is_ascii_digit() => Ok(name.to_owned()),
            Some(_) => Err(unexpected("a field name, in quotes when it begins with a digit", name)),
            None => Err(self.unexpected("a field name, in quotes unless it is an identifier")),
        }
    }

    fn field_type(&mut self, name: String, level: usize) -> Result<Field, SchemaError> {
        let (shape, dtype) = self.item(level)?;
        let mut field = Field::new(name, dtype)?.with_shape(&shape)?;
        while let Some(attribute) = self.attribute_name() {
            if attribute != "unit" || field.unit().is_some() {
                return Err(unknown_attribute("unit, once: a field has no other attribute", attribute));
            }
            field = field.with_unit(self.attribute_value()?)?;
        }
        Ok(field)
    }

    fn named_type(&mut self) -> Result<DType, SchemaError> {
        let begin = self.position;
        let order = self.byte_order();
        let name = self.word(|character| character.is_ascii_alphanumeric() || character == '_');
        let found = match order {
            Some(order) => ordered_code(order, name),
            None => bare_name(name),
        };
        match found {
            Some(dtype) => dtype.map_err(|error| error.in_text(begin)),
            None => Err(self.unexpected_from(begin, EXPECTED_TYPE)),
        }
    }

    fn byte_order(&mut self) -> Option<char> {
        let order = self.peek().filter(|first| matches!(first, '<' | '>' | '=' | '|'))?;
        self.position += 1;
        Some(order)
    }

    fn attribute_name(&mut self) -> Option<&'text str> {
        self.skip_space();
        let name = self.word(|character| character.is_ascii_alphabetic());
        (!name.is_empty()).then_some(name)
    }

    fn attribute_value(&mut self) -> Result<String, SchemaError> {
        self.expect('=')?;
        self.skip_space();
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let value = self.word(|character| !character.is_whitespace() && !"\",;}".contains(character));
        if value.is_empty() { Err(self.unexpected("a text in quotes")) } else { Ok(value.to_owned()) }
    }

    fn quoted(&mut self) -> Result<String, SchemaError> {
        let begin = self.position;
        let mut value = String::new();
        let mut escaped = false;
        for (index, character) in self.rest().char_indices().skip(1) {
            match character {
                '"' if !escaped => {
                    self.advance(index + 1);
                    return Ok(value);
                }
                '\\' if !escaped => {
                    escaped = true;
                    continue;
                }
                '"' | '\\' => value.push(character),
                _ if escaped => {
                    return Err(self.unexpected_from(begin + index - 1, r#"`\"` or `\\`, the only escapes"#));
                }
                _ => value.push(character),
            }
            escaped = false;
        }
        Err(self.unexpected_from(begin, "a closing quote"))
    }

    fn number(&mut self) -> Result<usize, SchemaError> {
        self.skip_space();
        let begin = self.position;
        let digits = self.word(|character| character.is_ascii_digit());
        let number =
            digits.parse().map_err(|_| self.unexpected_from(begin, "a number of up to 19 digits"))?;
        self.skip_space();
        Ok(number)
    }

    /// The characters from here on that `belongs` accepts.
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'text str {
        let rest = self.rest();
        let size = rest.find(|character| !belongs(character)).unwrap_or(rest.len());
        self.position += size;
        &rest[..size]
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.peek() == Some(wanted);
        if found {
            self.advance(wanted.len_utf8());
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), SchemaError> {
        if self.take(wanted) { Ok(()) } else { Err(self.unexpected(&format!("`{wanted}`"))) }
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'text str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        self.position += bytes;
        self.skip_space();
    }

    fn skip_space(&mut self) {
        self.word(char::is_whitespace);
    }

    fn unexpected(&self, expected: &str) -> SchemaError {
        self.unexpected_from(self.position, expected)
    }

    fn unexpected_from(&self, position: usize, expected: &str) -> SchemaError {
        const SHOWN: usize = 16;
        let found: String = self.text.get(position..).unwrap_or_default().chars().take(SHOWN).collect();
        let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
        SchemaError::Unexpected { expected: expected.to_owned(), found }.in_text(position)
    }
}

/// What a name without a byte order means; the inner error says why its size is impossible.
fn bare_name(name: &str) -> Option<Result<DType, SchemaError>> {
    let rust = Primitive::ALL.into_iter().find(|primitive| primitive.name() == name);
    let named = || NAMES.iter().find(|(known, _)| *known == name).map(|(_, primitive)| *primitive);
    match rust.or_else(named) {
        Some(primitive) => Some(Ok(primitive.into())),
        None => ordered_code('=', name),
    }
}

/// What a NumPy code such as `f4` or `S6` means behind a byte order. `|` is for what has no order, and single
/// bytes and runs of bytes take any.
fn ordered_code(order: char, code: &str) -> Option<Result<DType, SchemaError>> {
    let kind = code.chars().next()?;
    let size: usize = code.get(kind.len_utf8()..)?.parse().ok()?;
    if kind == 'S' {
        return Some(DType::bytes(size));
    }
    let primitive =
        Primitive::ALL.into_iter().find(|primitive| primitive.kind() == kind && primitive.size() == size)?;
    let order = match order {
        '>' => ByteOrder::Big,
        '|' if size > 1 => return None,
        _ => ByteOrder::NATIVE,
    };
    Some(Ok(DType::Primitive(primitive, order).normalized()))
}

fn unexpected(expected: &str, found: &str) -> SchemaError {
    SchemaError::Unexpected { expected: expected.to_owned(), found: format!("`{found}`") }
}

fn unknown_attribute(expected: &str, found: &str) -> SchemaError {
    unexpected(&format!("the attribute {expected}"), found)
}
