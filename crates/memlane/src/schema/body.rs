//! The schema of a whole body: so many items of a dtype, what they are measured in and how they are encoded.

use super::shape::checked_size;
use super::text::{checked_label, checked_text};
use super::{ByteOrder, DType, Element, Field, Primitive, SchemaError};

/// What the body of a region holds; see the [module's doc](super) for its text.
///
/// ```
/// use memlane::schema::{DType, Primitive, Schema};
///
/// let schema = Schema::of::<u8>().with_shape(&[404, 640, 3])?.with_encoding("bgr8")?;
/// assert_eq!(schema.to_string(), r#"[404,640,3]|u1 encoding="bgr8""#);
/// assert_eq!((schema.size(), schema.item_size(), schema.item_count()), (775_680, 1, 775_680));
/// assert_eq!("404x640x3 uint8 encoding=bgr8".parse(), Ok(schema));
/// # Ok::<(), memlane::schema::SchemaError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Schema {
    dtype: DType,
    shape: Vec<usize>,
    unit: Option<String>,
    encoding: Option<String>,
    size: usize,
}

impl Schema {
    /// A single item.
    pub fn new(dtype: impl Into<DType>) -> Self {
        let dtype = dtype.into().normalized();
        let size = dtype.size();
        Self { dtype, shape: Vec::new(), unit: None, encoding: None, size }
    }

    /// A single item of a Rust type, in native byte order.
    pub fn of<T: Element>() -> Self {
        Self::new(T::PRIMITIVE)
    }

    /// The same item, as an array in C order. Replaces the shape it had.
    ///
    /// # Errors
    /// A shape with a dimension of 0, more than [`MAX_DIMENSIONS`](super::MAX_DIMENSIONS), a body of more
    /// than [`MAX_BODY_SIZE`](super::MAX_BODY_SIZE), or a text of more than
    /// [`MAX_SCHEMA_TEXT`](super::MAX_SCHEMA_TEXT).
    pub fn with_shape(mut self, shape: &[usize]) -> Result<Self, SchemaError> {
        self.size = checked_size(self.dtype.size(), shape)?;
        self.shape = shape.to_vec();
        checked_text(self)
    }

    /// What the numbers are measured in: `m/s`.
    ///
    /// # Errors
    /// An empty unit, one with control characters, or a text of more than
    /// [`MAX_SCHEMA_TEXT`](super::MAX_SCHEMA_TEXT).
    pub fn with_unit(mut self, unit: impl Into<String>) -> Result<Self, SchemaError> {
        self.unit = Some(checked_label("a unit", unit.into())?);
        checked_text(self)
    }

    /// How to understand the numbers: `bgr8`, `jpeg`, `json`.
    ///
    /// # Errors
    /// As of [`Schema::with_unit`].
    pub fn with_encoding(mut self, encoding: impl Into<String>) -> Result<Self, SchemaError> {
        self.encoding = Some(checked_label("an encoding", encoding.into())?);
        checked_text(self)
    }

    /// The type of one item.
    pub fn dtype(&self) -> &DType {
        &self.dtype
    }

    /// Items in each dimension; empty for a single item.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// What the numbers are measured in.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// How to understand the numbers.
    pub fn encoding(&self) -> Option<&str> {
        self.encoding.as_deref()
    }

    /// Bytes of the body: at least 1, at most [`MAX_BODY_SIZE`](super::MAX_BODY_SIZE).
    pub fn size(&self) -> usize {
        self.size
    }

    /// Bytes of one item.
    pub fn item_size(&self) -> usize {
        self.dtype.size()
    }

    /// Items in all dimensions together: 1 for a single item.
    pub fn item_count(&self) -> usize {
        self.size / self.item_size()
    }

    /// The type, when the body is a single number or truth value in the machine's own byte order.
    pub fn native_scalar(&self) -> Option<Primitive> {
        match (&self.dtype, self.shape.as_slice()) {
            (DType::Primitive(primitive, ByteOrder::NATIVE), []) => Some(*primitive),
            _ => None,
        }
    }

    /// The field of that name, when the items are structs.
    pub fn field(&self, name: &str) -> Option<&Field> {
        match &self.dtype {
            DType::Struct(structure) => structure.field(name),
            DType::Primitive(..) | DType::Bytes(_) => None,
        }
    }
}
