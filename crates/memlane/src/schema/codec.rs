//! Bytes to values and back, as the dtype says.
//!
//! Numbers go in when they keep their value: a whole number fits any integer type whose range holds it and
//! any float type that holds it exactly, `3.0` fits an integer, 0 and 1 fit a `bool`. Only floats are
//! rounded, to the nearest that the narrower float type has. All else is refused with the range that would
//! have fitted.
//!
//! ```
//! use memlane::schema::{Datum, Primitive};
//!
//! assert_eq!(Primitive::I8.bits_of(&Datum::Int(-1))?, 0xff);
//! assert_eq!(Primitive::I8.datum_of(0xff), Datum::Int(-1));
//! let error = Primitive::U8.bits_of(&Datum::Int(300)).unwrap_err();
//! assert_eq!(error.to_string(), "expected a whole number from 0 to 255, found 300");
//! # Ok::<(), memlane::schema::SchemaError>(())
//! ```

use half::f16;

use super::{ByteOrder, DType, Datum, Field, Primitive, Schema, SchemaError, Structure};

impl Primitive {
    /// The native bits of `datum`, zero-extended to 64, which is how an atomic value holds them.
    ///
    /// # Errors
    /// [`SchemaError::Value`] when the type has no such value.
    pub fn bits_of(self, datum: &Datum) -> Result<u64, SchemaError> {
        let bits = match self {
            Self::Bool => bool_bits(datum),
            Self::F16 => f16_bits(datum),
            Self::F32 => f32_bits(datum),
            Self::F64 => f64_bits(datum),
            _ => self.integer_bits(datum),
        };
        bits.ok_or_else(|| SchemaError::Value { expected: self.expected(datum), found: datum.described() })
    }

    /// The value of native bits; bits above the type's width are ignored, except that any bit makes a `bool`
    /// true.
    pub fn datum_of(self, bits: u64) -> Datum {
        match self {
            Self::Bool => Datum::Bool(bits != 0),
            Self::I8 => Datum::Int((bits as i8).into()),
            Self::I16 => Datum::Int((bits as i16).into()),
            Self::I32 => Datum::Int((bits as i32).into()),
            Self::I64 => Datum::Int(bits as i64),
            Self::U8 => Datum::Uint((bits as u8).into()),
            Self::U16 => Datum::Uint((bits as u16).into()),
            Self::U32 => Datum::Uint((bits as u32).into()),
            Self::U64 => Datum::Uint(bits),
            Self::F16 => Datum::Single(f16::from_bits(bits as u16).to_f32()),
            Self::F32 => Datum::Single(f32::from_bits(bits as u32)),
            Self::F64 => Datum::Float(f64::from_bits(bits)),
        }
    }

    /// An error for truth values.
    pub(crate) fn expect_number(self) -> Result<(), SchemaError> {
        if self != Self::Bool {
            return Ok(());
        }
        let expected = "a number type to add to".into();
        let found = format!("{}, whose values are stored or compared", DType::from(self));
        Err(SchemaError::Value { expected, found })
    }

    /// The native bits of a sum, as integers wrap at their width; of truth values, whether one of the two is true.
    pub(crate) fn sum_of(self, one: u64, other: u64) -> u64 {
        match self {
            Self::Bool => u64::from(one | other != 0),
            Self::F16 => (f16::from_bits(one as u16) + f16::from_bits(other as u16)).to_bits().into(),
            Self::F32 => (f32::from_bits(one as u32) + f32::from_bits(other as u32)).to_bits().into(),
            Self::F64 => (f64::from_bits(one) + f64::from_bits(other)).to_bits(),
            // Two's complement: signed ones add bit for bit as unsigned ones.
            _ => one.wrapping_add(other) & (u64::MAX >> (u64::BITS - self.bit_count())),
        }
    }

    fn bit_count(self) -> u32 {
        self.size() as u32 * u8::BITS
    }

    /// The least and the greatest value of an integer type.
    fn integer_range(self) -> (i128, i128) {
        let count = 1_i128 << self.bit_count();
        if self.is_signed() { (-count / 2, count / 2 - 1) } else { (0, count - 1) }
    }

    fn integer_bits(self, datum: &Datum) -> Option<u64> {
        let (least, greatest) = self.integer_range();
        let value = whole(datum).filter(|value| (least..=greatest).contains(value))?;
        Some(value as u64 & (u64::MAX >> (u64::BITS - self.bit_count())))
    }

    /// What would have fitted, in words.
    fn expected(self, datum: &Datum) -> String {
        match self {
            Self::Bool => "true, false, 1 or 0".to_owned(),
            _ if self.is_integer() => {
                let (least, greatest) = self.integer_range();
                format!("a whole number from {least} to {greatest}")
            }
            _ if matches!(datum, Datum::Int(_) | Datum::Uint(_)) => {
                format!("a whole number that {} holds exactly", self.name())
            }
            _ => format!("a number from -{0} to {0}", self.greatest_float()),
        }
    }

    fn greatest_float(self) -> &'static str {
        match self {
            Self::F16 => "65504",
            Self::F32 => "3.4028235e38",
            _ => "1.7976931348623157e308",
        }
    }

    fn read(self, order: ByteOrder, bytes: &[u8]) -> Datum {
        let append = |bits: u64, byte: &u8| bits << u8::BITS | u64::from(*byte);
        let bits = match order {
            ByteOrder::Little => bytes.iter().rev().fold(0, append),
            ByteOrder::Big => bytes.iter().fold(0, append),
        };
        self.datum_of(bits)
    }

    fn write(self, order: ByteOrder, datum: &Datum, target: &mut [u8]) -> Result<(), SchemaError> {
        let bits = self.bits_of(datum)?.to_le_bytes();
        target.copy_from_slice(&bits[..self.size()]);
        if order == ByteOrder::Big {
            target.reverse();
        }
        Ok(())
    }
}

impl DType {
    /// The value of the bytes of one item.
    ///
    /// # Errors
    /// [`SchemaError::BodySize`] unless there are exactly [`DType::size`] bytes. Any content is a value.
    pub fn decode(&self, item: &[u8]) -> Result<Datum, SchemaError> {
        check_size(self.size(), item)?;
        Ok(self.read(item))
    }

    /// Writes `datum` as the bytes of one item; padding becomes 0.
    ///
    /// Runs of bytes shorter than the type's are filled up with 0. A struct's fields may come in any order
    /// but must be complete.
    ///
    /// # Errors
    /// [`SchemaError::BodySize`] unless `item` has exactly [`DType::size`] bytes, [`SchemaError::Value`] when
    /// the type has no such value, with the path to it; then the content of `item` is unspecified.
    pub fn encode(&self, datum: &Datum, item: &mut [u8]) -> Result<(), SchemaError> {
        check_size(self.size(), item)?;
        self.write(datum, item)
    }

    /// The caller has checked the size, here and below.
    fn read(&self, item: &[u8]) -> Datum {
        match self {
            Self::Primitive(primitive, order) => primitive.read(*order, item),
            Self::Bytes(_) => Datum::Bytes(item.to_vec()),
            Self::Struct(structure) => {
                Datum::Struct(structure.fields().iter().map(|field| read_field(field, item)).collect())
            }
        }
    }

    fn write(&self, datum: &Datum, item: &mut [u8]) -> Result<(), SchemaError> {
        match self {
            Self::Primitive(primitive, order) => primitive.write(*order, datum, item),
            Self::Bytes(_) => write_bytes(datum, item),
            Self::Struct(structure) => write_struct(structure, datum, item),
        }
    }
}

impl Schema {
    /// The value of a whole body: an item, or arrays of arrays of items as the shape says.
    ///
    /// A value takes a multiple of the body's memory; decode large bodies item by item through
    /// [`Schema::dtype`].
    ///
    /// # Errors
    /// [`SchemaError::BodySize`] unless there are exactly [`Schema::size`] bytes. Any content is a value.
    pub fn decode(&self, body: &[u8]) -> Result<Datum, SchemaError> {
        check_size(self.size(), body)?;
        Ok(read_array(self.dtype(), self.shape(), body))
    }

    /// The body that holds `datum`.
    ///
    /// # Errors
    /// [`SchemaError::Value`] when the schema has no such value, with the path to it;
    /// [`SchemaError::OutOfMemory`] when there is no memory for the body: look at [`Schema::size`] first when
    /// the schema is a stranger's.
    pub fn encode(&self, datum: &Datum) -> Result<Vec<u8>, SchemaError> {
        let mut body = Vec::new();
        body.try_reserve_exact(self.size()).map_err(|_| SchemaError::OutOfMemory { size: self.size() })?;
        body.resize(self.size(), 0);
        write_array(self.dtype(), self.shape(), datum, &mut body)?;
        Ok(body)
    }
}

impl Field {
    /// The value of this field in the bytes of its struct.
    ///
    /// # Errors
    /// [`SchemaError::BodySize`] when the struct ends before the field does. Any content is a value.
    pub fn decode(&self, item: &[u8]) -> Result<Datum, SchemaError> {
        let (end, found) = (self.offset() + self.size(), item.len());
        let bytes = item.get(self.offset()..end).ok_or(SchemaError::BodySize { expected: end, found })?;
        Ok(read_array(self.dtype(), self.shape(), bytes))
    }

    /// Writes `datum` as this field into the bytes of its struct; the other fields stay.
    ///
    /// # Errors
    /// As of [`Field::decode`], and [`SchemaError::Value`] when the field has no such value.
    pub fn encode(&self, datum: &Datum, item: &mut [u8]) -> Result<(), SchemaError> {
        let (end, found) = (self.offset() + self.size(), item.len());
        let part = item.get_mut(self.offset()..end).ok_or(SchemaError::BodySize { expected: end, found })?;
        write_array(self.dtype(), self.shape(), datum, part).map_err(|error| error.in_value(self.name()))
    }
}

fn check_size(expected: usize, bytes: &[u8]) -> Result<(), SchemaError> {
    if bytes.len() == expected { Ok(()) } else { Err(SchemaError::BodySize { expected, found: bytes.len() }) }
}

fn read_field(field: &Field, item: &[u8]) -> (String, Datum) {
    let bytes = &item[field.offset()..][..field.size()];
    (field.name().to_owned(), read_array(field.dtype(), field.shape(), bytes))
}

fn read_array(dtype: &DType, shape: &[usize], bytes: &[u8]) -> Datum {
    match shape.split_first() {
        None => dtype.read(bytes),
        Some((length, inner)) => {
            let parts = bytes.chunks_exact(bytes.len() / length);
            Datum::Array(parts.map(|part| read_array(dtype, inner, part)).collect())
        }
    }
}

fn write_array(dtype: &DType, shape: &[usize], datum: &Datum, target: &mut [u8]) -> Result<(), SchemaError> {
    let Some((length, inner)) = shape.split_first() else {
        return dtype.write(datum, target);
    };
    let items = match datum {
        Datum::Array(items) if items.len() == *length => items,
        _ => return Err(wrong_value(format!("an array of {length}"), datum)),
    };
    let parts = target.chunks_exact_mut(target.len() / length);
    for (index, (item, part)) in items.iter().zip(parts).enumerate() {
        write_array(dtype, inner, item, part).map_err(|error| error.in_value(&format!("[{index}]")))?;
    }
    Ok(())
}

fn write_bytes(datum: &Datum, target: &mut [u8]) -> Result<(), SchemaError> {
    match datum {
        Datum::Bytes(bytes) if bytes.len() <= target.len() => {
            let (content, padding) = target.split_at_mut(bytes.len());
            content.copy_from_slice(bytes);
            padding.fill(0);
            Ok(())
        }
        _ => Err(wrong_value(format!("up to {} bytes", target.len()), datum)),
    }
}

fn write_struct(structure: &Structure, datum: &Datum, target: &mut [u8]) -> Result<(), SchemaError> {
    let fields = structure.fields();
    let values = match datum {
        Datum::Struct(values) if values.len() == fields.len() => values,
        _ => return Err(wrong_value(format!("a struct of {} fields", fields.len()), datum)),
    };
    target.fill(0);
    for (index, field) in fields.iter().enumerate() {
        let value = value_of(values, index, field.name())?;
        let part = &mut target[field.offset()..][..field.size()];
        write_array(field.dtype(), field.shape(), value, part)
            .map_err(|error| error.in_value(field.name()))?;
    }
    Ok(())
}

/// Values mostly come in the fields' own order: the same index is tried first, so that a long struct is not
/// searched for each of its fields.
fn value_of<'a>(values: &'a [(String, Datum)], index: usize, name: &str) -> Result<&'a Datum, SchemaError> {
    let likely = values.get(index).filter(|(candidate, _)| candidate == name);
    match likely.or_else(|| values.iter().find(|(candidate, _)| candidate == name)) {
        Some((_, value)) => Ok(value),
        None => Err(SchemaError::Value {
            expected: format!("a field named {name:?}"),
            found: "a struct without it".to_owned(),
        }),
    }
}

fn wrong_value(expected: String, datum: &Datum) -> SchemaError {
    SchemaError::Value { expected, found: datum.described() }
}

/// The whole number that `datum` is, if it is one.
fn whole(datum: &Datum) -> Option<i128> {
    match datum {
        Datum::Int(value) => Some((*value).into()),
        Datum::Uint(value) => Some((*value).into()),
        Datum::Single(_) | Datum::Float(_) => {
            datum.as_f64().filter(|value| value.fract() == 0.0).map(|value| value as i128)
        }
        _ => None,
    }
}

fn bool_bits(datum: &Datum) -> Option<u64> {
    match datum {
        Datum::Bool(value) => Some((*value).into()),
        number => whole(number).filter(|value| matches!(value, 0 | 1)).map(|value| value as u64),
    }
}

fn f16_bits(datum: &Datum) -> Option<u64> {
    let value = rounded(datum, |value| nearest_f16(value).to_f64())?;
    Some(nearest_f16(value).to_bits().into())
}

/// `half` looks at the upper 32 bits of a double alone, or rounds by way of a single, depending on the
/// processor. With one bit standing for whatever the lower bits hold, both round as if they had seen all.
fn nearest_f16(value: f64) -> f16 {
    let bits = value.to_bits();
    let lower = u64::from(bits as u32 != 0) << u32::BITS;
    f16::from_f64(f64::from_bits(bits >> u32::BITS << u32::BITS | lower))
}

fn f32_bits(datum: &Datum) -> Option<u64> {
    let value = rounded(datum, |value| (value as f32).into())?;
    Some((value as f32).to_bits().into())
}

fn f64_bits(datum: &Datum) -> Option<u64> {
    rounded(datum, |value| value).map(f64::to_bits)
}

/// The nearest value that a float type has, `round` being its rounding. Whole numbers must be met exactly,
/// and what is finite must stay so.
fn rounded(datum: &Datum, round: impl Fn(f64) -> f64) -> Option<f64> {
    match datum {
        Datum::Int(_) | Datum::Uint(_) => {
            datum.as_f64().map(round).filter(|value| Some(*value as i128) == whole(datum))
        }
        Datum::Single(_) | Datum::Float(_) => {
            let value = datum.as_f64()?;
            Some(round(value)).filter(|nearest| nearest.is_finite() || !value.is_finite())
        }
        _ => None,
    }
}
