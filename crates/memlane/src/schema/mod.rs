//! What the bytes of a region's body mean: dtype, shape, field names, byte order, unit and encoding.
//!
//! Every region carries its schema as text, so that a program that has never seen the producer can decode the
//! body. Use a [`Schema`] to create a region of a given type, to check that an opened region is of the type
//! one expects, and to turn bytes into a [`Datum`] and back where the type is known only at run time.
//!
//! # The text
//!
//! ```text
//! [404,640,3]|u1 encoding="bgr8"                 {t:<f8 unit="s",pose@16:[3]<f4;32}
//! └ shape ──┘││└ bytes per item                  │└ name             │   │     └ bytes of the struct
//!            │└ kind: b i u f S                  │                   │   └ shape
//!            └ byte order: < little, > big       └ struct            └ offset
//!
//! schema     = item [ ' unit=' quoted ] [ ' encoding=' quoted ]
//! item       = [ '[' number { ',' number } ']' ] ( scalar | bytes | struct )
//! scalar     = '|b1' | '|i1' | '|u1' | ( '<' | '>' ) ( ( 'i' | 'u' | 'f' ) ( '2' | '4' | '8' ) )
//! bytes      = '|S' number
//! struct     = '{' [ field { ',' field } ] [ ';' number ] '}'
//! field      = name [ '@' number ] ':' item [ ' unit=' quoted ]
//! name       = letter or '_' { letter, digit or '_' } | quoted                     (ASCII letters)
//! quoted     = '"' any characters but control characters, with \" for " and \\ for \ '"'
//! ```
//!
//! The kinds are NumPy's, so `[404,640,3]|u1` is `np.dtype(("|u1", (404, 640, 3)))`; `|` stands where bytes
//! have no order. Items lie in C order (the last dimension varies fastest). A field without `@` begins where
//! the field before it ends; a struct without `;` ends where its last field ends; so all padding is explicit
//! and no ABI has to be known to decode it. [`Schema`]'s `Display` writes exactly this text and equal schemas
//! have equal texts.
//!
//! The parser accepts more than is ever written: white space between tokens, NumPy's and Rust's names
//! (`float32`, `double`, `f32`, `uint8`, `int` as 64 bits, `bool`), NumPy codes without a byte order (`f4`,
//! `S6`; then little-endian), shapes as `(404, 640, 3)` or `404x640x3`, and attributes without quotes. Two
//! codes mean different things to Rust and NumPy: **a bare `i8` or `u8` has 8 bits, as in Rust; `<i8` or
//! `<u8` has 8 bytes, as in NumPy**. Formats of Python's `struct` module have a function of their own:
//! [`Schema::from_struct_format`].
//!
//! # Limits
//!
//! The text comes from files and sockets and is hostile until parsed: [`MAX_SCHEMA_TEXT`], [`MAX_BODY_SIZE`],
//! [`MAX_DIMENSIONS`] and [`MAX_NESTING`] bound everything, whether it is parsed or constructed. Items,
//! dimensions and structs of no bytes do not exist.
//!
//! # When a process dies
//!
//! A schema is written once, before its region has a name, and never changes: no death can leave half of one
//! behind.
//!
//! # Example
//!
//! ```
//! use memlane::schema::{Datum, Schema};
//!
//! let schema: Schema = r#"{x: f32 unit=m, y: f32 unit=m, name: S4}"#.parse()?;
//! assert_eq!(schema.to_string(), r#"{x:<f4 unit="m",y:<f4 unit="m",name:|S4}"#);
//! assert_eq!(schema.size(), 12);
//!
//! let body = [0, 0, 128, 63, 0, 0, 0, 192, b'h', b'o', b'm', b'e'];
//! let point = schema.decode(&body)?;
//! assert_eq!(point.to_string(), "{x: 1.0, y: -2.0, name: b'home'}");
//! assert_eq!(schema.encode(&point)?, body);
//! # Ok::<(), memlane::schema::SchemaError>(())
//! ```

mod body;
mod codec;
mod datum;
mod dtype;
mod element;
mod error;
mod parse;
mod shape;
mod struct_format;
mod structure;
mod text;

pub use body::Schema;
pub use datum::{Datum, Elided};
pub use dtype::{ByteOrder, DType, Primitive};
pub use element::Element;
pub use error::SchemaError;
pub use shape::{MAX_BODY_SIZE, MAX_DIMENSIONS};
pub use structure::{Field, MAX_NESTING, Structure};
pub use text::MAX_SCHEMA_TEXT;
