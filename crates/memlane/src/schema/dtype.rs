//! What one item is: a number in a byte order, a run of bytes, or a struct.
//!
//! ```
//! use memlane::schema::{ByteOrder, DType, Primitive};
//!
//! let dtype: DType = ">f4".parse()?;
//! assert_eq!(dtype, DType::Primitive(Primitive::F32, ByteOrder::Big));
//! assert_eq!((dtype.size(), dtype.align()), (4, 4));
//! # Ok::<(), memlane::schema::SchemaError>(())
//! ```

use std::num::NonZeroU32;

use super::{Element, SchemaError, Structure};

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// The least significant byte first.
    Little,
    /// The most significant byte first.
    Big,
}

impl ByteOrder {
    /// The order of the machines memlane runs on.
    pub const NATIVE: Self = Self::Little;
}

/// A number or a truth value of 1 to 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Primitive {
    /// One byte: 0 is false, anything else true.
    Bool,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 64 bits.
    U64,
    /// IEEE 754 half precision.
    F16,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
}

impl Primitive {
    /// Every primitive, smaller ones first within a kind.
    pub const ALL: [Self; 12] = [
        Self::Bool,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::F16,
        Self::F32,
        Self::F64,
    ];

    /// Bytes, which is also the alignment in C.
    pub const fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// The name in Rust: `f32`, `bool`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::I16 => "i16",
            Self::U16 => "u16",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::I64 => "i64",
            Self::U64 => "u64",
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    /// Whether it holds fractions.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::F32 | Self::F64)
    }

    /// Whether it holds whole numbers; [`Primitive::Bool`] does not.
    pub const fn is_integer(self) -> bool {
        !self.is_float() && !matches!(self, Self::Bool)
    }

    /// Whether it holds negative numbers.
    pub const fn is_signed(self) -> bool {
        self.is_float() || matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64)
    }

    /// NumPy's letter for the kind.
    pub(super) const fn kind(self) -> char {
        match self {
            Self::Bool => 'b',
            _ if self.is_float() => 'f',
            _ if self.is_signed() => 'i',
            _ => 'u',
        }
    }
}

/// The type of one item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// A number or a truth value. The order of a single byte is [`ByteOrder::Little`] wherever a schema holds
    /// it.
    Primitive(Primitive, ByteOrder),
    /// So many bytes that belong together: text padded with NUL, a digest, an address.
    Bytes(NonZeroU32),
    /// Named fields.
    Struct(Structure),
}

impl DType {
    /// The dtype of a Rust type, in native byte order.
    pub fn of<T: Element>() -> Self {
        T::PRIMITIVE.into()
    }

    /// A run of `size` bytes, 1 to `u32::MAX`.
    pub fn bytes(size: usize) -> Result<Self, SchemaError> {
        let size = u32::try_from(size)
            .map_err(|_| SchemaError::TooLarge { what: "a run of bytes", limit: u32::MAX as usize })?;
        NonZeroU32::new(size).map(Self::Bytes).ok_or(SchemaError::Empty { what: "a run of bytes" })
    }

    /// Bytes of one item.
    pub fn size(&self) -> usize {
        match self {
            Self::Primitive(primitive, _) => primitive.size(),
            Self::Bytes(size) => size.get() as usize,
            Self::Struct(structure) => structure.size(),
        }
    }

    /// Alignment in C, in bytes; of a struct see [`Structure::align`].
    pub fn align(&self) -> usize {
        match self {
            Self::Primitive(primitive, _) => primitive.size(),
            Self::Bytes(_) => 1,
            Self::Struct(structure) => structure.align(),
        }
    }

    /// How many structs lie in each other.
    pub(super) fn nesting(&self) -> usize {
        match self {
            Self::Struct(structure) => structure.nesting(),
            Self::Primitive(..) | Self::Bytes(_) => 0,
        }
    }

    /// The one form among equal ones: a single byte has no order, and equal schemas must have equal texts.
    pub(super) fn normalized(self) -> Self {
        match self {
            Self::Primitive(primitive, _) if primitive.size() == 1 => primitive.into(),
            other => other,
        }
    }
}

impl From<Primitive> for DType {
    fn from(primitive: Primitive) -> Self {
        Self::Primitive(primitive, ByteOrder::NATIVE)
    }
}

impl From<Structure> for DType {
    fn from(structure: Structure) -> Self {
        Self::Struct(structure)
    }
}
