//! The Rust types that are an element of a region.

use std::fmt::Debug;

use super::Primitive;

/// A Rust type that a region can hold as an element.
///
/// The bits are the native value zero-extended to 64 bits, which is how atomic values hold it: `-1_i8` is
/// `0xff`.
///
/// ```
/// use memlane::schema::Element;
///
/// assert_eq!(Element::to_bits(-1_i8), 0xff);
/// assert_eq!(<i8 as Element>::from_bits(0xff), -1);
/// assert_eq!(Element::to_bits(1.5_f32), 0x3fc0_0000);
/// ```
pub trait Element: Copy + PartialEq + Debug + Send + Sync + private::Sealed + 'static {
    /// What a schema calls this type.
    const PRIMITIVE: Primitive;

    /// The native bits, zero-extended.
    fn to_bits(self) -> u64;

    /// The value of native bits. Bits above the type's width are ignored, except that any bit makes a `bool`
    /// true.
    fn from_bits(bits: u64) -> Self;
}

mod private {
    pub trait Sealed {}
}

/// Integers widen through the unsigned type of their own width: a sign must not spread into the upper bits.
macro_rules! integer_element {
    ($($integer:ty, $unsigned:ty, $primitive:ident;)*) => {$(
        impl private::Sealed for $integer {}

        impl Element for $integer {
            const PRIMITIVE: Primitive = Primitive::$primitive;

            fn to_bits(self) -> u64 {
                self as $unsigned as u64
            }

            fn from_bits(bits: u64) -> Self {
                bits as Self
            }
        }
    )*};
}

integer_element! {
    i8, u8, I8;
    u8, u8, U8;
    i16, u16, I16;
    u16, u16, U16;
    i32, u32, I32;
    u32, u32, U32;
    i64, u64, I64;
    u64, u64, U64;
}

impl private::Sealed for f32 {}

impl Element for f32 {
    const PRIMITIVE: Primitive = Primitive::F32;

    fn to_bits(self) -> u64 {
        self.to_bits() as u64
    }

    fn from_bits(bits: u64) -> Self {
        Self::from_bits(bits as u32)
    }
}

impl private::Sealed for f64 {}

impl Element for f64 {
    const PRIMITIVE: Primitive = Primitive::F64;

    fn to_bits(self) -> u64 {
        self.to_bits()
    }

    fn from_bits(bits: u64) -> Self {
        Self::from_bits(bits)
    }
}

impl private::Sealed for bool {}

impl Element for bool {
    const PRIMITIVE: Primitive = Primitive::Bool;

    fn to_bits(self) -> u64 {
        self as u64
    }

    fn from_bits(bits: u64) -> Self {
        bits != 0
    }
}
