//! Formats of Python's `struct` module as schemas, with CPython's sizes, offsets and alignment.

use super::shape::within_limit;
use super::{ByteOrder, DType, Field, MAX_SCHEMA_TEXT, Primitive, Schema, SchemaError, Structure};

impl Schema {
    /// The schema of a format of Python's `struct` module; its size is what `struct.calcsize` gives.
    ///
    /// The first character is the byte order: `<` little, `>` or `!` big, `=` this machine's, all with
    /// standard sizes and no padding; `@` or none is the native C ABI (64-bit `long`, `size_t` and pointers)
    /// with its alignment. White space may stand between codes.
    ///
    /// - A format of one code is a single item: `<d` is `<f8`. Otherwise the items are fields named `f0`, `f1`, … as
    ///   NumPy names them.
    /// - A count makes one field with a shape: `3h` is `[3]<i2`; but `6s` is six bytes that belong together.
    /// - `x` is padding. A count of 0 makes no field and, in native mode, still aligns: `0q` at the end pads as C
    ///   does.
    /// - `c` is one byte `|S1`, `?` is `|b1`. Native mode alone has `n`, which is `<i8`, and `N` and `P`, which are
    ///   `<u8`.
    /// - `p`, a Pascal string, has no dtype: use `s` and read the length from its first byte.
    ///
    /// ```
    /// use memlane::schema::Schema;
    ///
    /// assert_eq!(Schema::from_struct_format("<BHB")?.to_string(), "{f0:|u1,f1:<u2,f2:|u1}");
    /// assert_eq!(Schema::from_struct_format("BHB")?.to_string(), "{f0:|u1,f1@2:<u2,f2:|u1}");
    /// assert_eq!(Schema::from_struct_format(">3d")?.to_string(), "[3]>f8");
    /// assert_eq!(Schema::from_struct_format("B 0q")?.to_string(), "{f0:|u1;8}");
    /// # Ok::<(), memlane::schema::SchemaError>(())
    /// ```
    ///
    /// # Errors
    /// [`SchemaError::InText`] with the place of a code that is unknown or that this mode does not have, or
    /// of a size beyond the limits; [`SchemaError::Empty`] for a format of no bytes.
    pub fn from_struct_format(format: &str) -> Result<Self, SchemaError> {
        if format.len() > MAX_SCHEMA_TEXT {
            return Err(SchemaError::TextTooLong { found: format.len() });
        }
        let (mode, codes) = Mode::of(format);
        let mut layout = Layout::default();
        let mut rest = skip_space(codes);
        while !rest.is_empty() {
            let position = format.len() - rest.len();
            let after = next_item(rest).and_then(|(item, after)| layout.append(mode, item).map(|()| after));
            rest = skip_space(after.map_err(|error| error.in_text(position))?);
        }
        layout.into_schema()
    }
}

/// What the first character of a format decides.
#[derive(Clone, Copy)]
struct Mode {
    order: ByteOrder,
    native: bool,
}

impl Mode {
    /// The mode of a format, and what follows it.
    fn of(format: &str) -> (Self, &str) {
        let standard = |order| Self { order, native: false };
        let native = Self { order: ByteOrder::NATIVE, native: true };
        let mode = match format.as_bytes().first() {
            Some(b'<') => standard(ByteOrder::Little),
            Some(b'>' | b'!') => standard(ByteOrder::Big),
            Some(b'=') => standard(ByteOrder::NATIVE),
            Some(b'@') => native,
            _ => return (native, format),
        };
        (mode, format.get(1..).unwrap_or_default())
    }
}

/// A code with the count in front of it.
#[derive(Clone, Copy)]
struct Item {
    code: char,
    /// `None` when there is no count, which is 1.
    count: Option<usize>,
}

/// What CPython takes for white space.
fn skip_space(text: &str) -> &str {
    text.trim_start_matches(|character: char| matches!(character, ' ' | '\t'..='\r'))
}

/// The item at the begin of `text`, and what follows it. As in CPython, no white space parts a count from its
/// code.
fn next_item(text: &str) -> Result<(Item, &str), SchemaError> {
    let code_at = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, from_code) = text.split_at(code_at);
    let mut characters = from_code.chars();
    let code = characters.next().ok_or_else(|| refused("a code after the count", "the end"))?;
    let count = match digits {
        "" => None,
        _ => Some(digits.parse().map_err(|_| refused("a count of up to 19 digits", &format!("`{digits}`")))?),
    };
    Ok((Item { code, count }, characters.as_str()))
}

/// What the codes read so far have laid out.
#[derive(Default)]
struct Layout {
    fields: Vec<(usize, Field)>,
    end: usize,
}

impl Layout {
    fn append(&mut self, mode: Mode, item: Item) -> Result<(), SchemaError> {
        let count = item.count.unwrap_or(1);
        if item.code == 'x' {
            return self.extend_to(self.end.checked_add(count)).map(drop);
        }
        if item.code == 's' {
            return if count == 0 { Ok(()) } else { self.place(DType::bytes(count)?, 1) };
        }
        let dtype = dtype_of(mode, item.code)?;
        if mode.native {
            self.extend_to(self.end.checked_next_multiple_of(dtype.align()))?;
        }
        if count == 0 { Ok(()) } else { self.place(dtype, count) }
    }

    fn place(&mut self, dtype: DType, count: usize) -> Result<(), SchemaError> {
        let shape = [count];
        let name = format!("f{}", self.fields.len());
        let field = Field::new(name, dtype)?.with_shape(if count == 1 { &[] } else { &shape })?;
        let offset = self.end;
        self.extend_to(offset.checked_add(field.size()))?;
        self.fields.push((offset, field));
        Ok(())
    }

    fn extend_to(&mut self, end: Option<usize>) -> Result<(), SchemaError> {
        self.end = within_limit("a struct", end)?;
        Ok(())
    }

    fn into_schema(self) -> Result<Schema, SchemaError> {
        match self.fields.as_slice() {
            [(_, only)] if only.size() == self.end => {
                Schema::new(only.dtype().clone()).with_shape(only.shape())
            }
            _ => Ok(Schema::new(Structure::at_offsets(self.fields, self.end)?)),
        }
    }
}

/// The dtype of a code other than `x` and `s`.
fn dtype_of(mode: Mode, code: char) -> Result<DType, SchemaError> {
    let long = |native, standard| if mode.native { native } else { standard };
    let primitive = match code {
        'c' => return DType::bytes(1),
        'b' => Primitive::I8,
        'B' => Primitive::U8,
        '?' => Primitive::Bool,
        'h' => Primitive::I16,
        'H' => Primitive::U16,
        'i' => Primitive::I32,
        'I' => Primitive::U32,
        'l' => long(Primitive::I64, Primitive::I32),
        'L' => long(Primitive::U64, Primitive::U32),
        'q' => Primitive::I64,
        'Q' => Primitive::U64,
        'n' if mode.native => Primitive::I64,
        'N' | 'P' if mode.native => Primitive::U64,
        'e' => Primitive::F16,
        'f' => Primitive::F32,
        'd' => Primitive::F64,
        _ => return Err(unknown_code(code)),
    };
    Ok(DType::Primitive(primitive, mode.order))
}

fn unknown_code(code: char) -> SchemaError {
    let expected = match code {
        'n' | 'N' | 'P' => "native mode (`@` or no byte order) for this code",
        'p' => "`s` in place of a Pascal string, which has no dtype",
        '<' | '>' | '!' | '=' | '@' => "the byte order as the first character",
        _ => "one of the codes xcbB?hHiIlLqQnNefdsP",
    };
    refused(expected, &format!("`{code}`"))
}

fn refused(expected: &str, found: &str) -> SchemaError {
    SchemaError::Unexpected { expected: expected.to_owned(), found: found.to_owned() }
}
