//! Named fields at offsets: the layout rules of structs.
//!
//! ```
//! use memlane::schema::{Schema, Structure};
//!
//! // struct { uint8_t id; double time; uint16_t level[3]; } as a C compiler lays it out
//! let fields = [("id", "u1"), ("time", "<f8"), ("level", "[3]<u2")];
//! let structure = Structure::c_layout(fields)?;
//! assert_eq!(structure.to_string(), "{id:|u1,time@8:<f8,level:[3]<u2;24}");
//! assert_eq!(Structure::packed(fields)?.size(), 15);
//! assert_eq!(structure.field("level").map(|field| field.offset()), Some(16));
//!
//! let schema = Schema::new(structure).with_shape(&[100])?;
//! assert_eq!(schema.size(), 2400);
//! # Ok::<(), memlane::schema::SchemaError>(())
//! ```

use std::collections::HashSet;

use super::shape::{checked_size, within_limit};
use super::text::{checked_label, checked_text};
use super::{DType, Primitive, SchemaError};

/// Most structs in each other: deeper than any real record, shallow enough for any stack.
pub const MAX_NESTING: usize = 16;

/// A part of a struct: a name, an item or an array of items, where it lies and what it is measured in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    offset: usize,
    unit: Option<String>,
}

impl Field {
    /// A single item, not yet placed in a struct.
    ///
    /// # Errors
    /// [`SchemaError::BadText`] for an empty name or one with control characters.
    pub fn new(name: impl Into<String>, dtype: impl Into<DType>) -> Result<Self, SchemaError> {
        let name = checked_label("a field name", name.into())?;
        Ok(Self { name, dtype: dtype.into().normalized(), shape: Vec::new(), offset: 0, unit: None })
    }

    /// An array of items in C order.
    pub fn with_shape(mut self, shape: &[usize]) -> Result<Self, SchemaError> {
        checked_size(self.dtype.size(), shape)?;
        self.shape = shape.to_vec();
        Ok(self)
    }

    /// What the numbers are measured in: `m/s`.
    pub fn with_unit(mut self, unit: impl Into<String>) -> Result<Self, SchemaError> {
        self.unit = Some(checked_label("a unit", unit.into())?);
        Ok(self)
    }

    /// The name, unique within the struct.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of one item.
    pub fn dtype(&self) -> &DType {
        &self.dtype
    }

    /// Items in each dimension; empty for a single item.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Bytes between the begin of the struct and the field; 0 until a struct has placed it.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What the numbers are measured in.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// Bytes of all its items.
    pub fn size(&self) -> usize {
        self.dtype.size() * self.shape.iter().product::<usize>()
    }

    /// Bytes between the begin of the struct and the end of the field.
    fn end(&self) -> usize {
        self.offset + self.size()
    }

    /// The same field at another place.
    pub(super) fn at(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }
}

/// Fields in offset order that do not overlap, and the size of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Structure {
    fields: Vec<Field>,
    size: usize,
    align: usize,
    nesting: usize,
}

impl Structure {
    /// The layout of a C struct on 64-bit machines: each field aligned, the size a multiple of the strictest
    /// alignment. The same as NumPy's `align=True`.
    ///
    /// A field is a [`Field`], or a name with a [`DType`], or a name with a text such as `[3]<f8 unit="m"`.
    pub fn c_layout<F>(fields: impl IntoIterator<Item = F>) -> Result<Self, SchemaError>
    where
        F: TryInto<Field>,
        SchemaError: From<F::Error>,
    {
        let placed = place(fields, DType::align)?;
        let align = placed.iter().map(|field| field.dtype.align()).max().unwrap_or(1);
        let size = end_of(&placed).next_multiple_of(align);
        Self::checked(placed, size)
    }

    /// One field after the other without padding: NumPy's default.
    pub fn packed<F>(fields: impl IntoIterator<Item = F>) -> Result<Self, SchemaError>
    where
        F: TryInto<Field>,
        SchemaError: From<F::Error>,
    {
        let placed = place(fields, |_| 1)?;
        let size = end_of(&placed);
        Self::checked(placed, size)
    }

    /// Fields at the given offsets, in any order, in a struct of `size` bytes.
    ///
    /// ```
    /// use memlane::schema::Structure;
    ///
    /// let structure = Structure::at_offsets([(8, ("y", "<f4")), (0, ("x", "<f4"))], 16)?;
    /// assert_eq!(structure.to_string(), "{x:<f4,y@8:<f4;16}");
    /// # Ok::<(), memlane::schema::SchemaError>(())
    /// ```
    pub fn at_offsets<F>(
        fields: impl IntoIterator<Item = (usize, F)>,
        size: usize,
    ) -> Result<Self, SchemaError>
    where
        F: TryInto<Field>,
        SchemaError: From<F::Error>,
    {
        let mut placed = Vec::new();
        for (offset, field) in fields {
            placed.push(field.try_into()?.at(offset));
        }
        placed.sort_by_key(Field::offset);
        Self::checked(placed, size)
    }

    /// The fields, by offset.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Bytes, padding included.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The strictest alignment of the fields when they and the size respect it, else 1, as of a packed
    /// struct.
    pub fn align(&self) -> usize {
        self.align
    }

    /// How many structs lie in each other, this one included.
    pub(super) fn nesting(&self) -> usize {
        self.nesting
    }

    /// Every structure goes through here: `fields` are in offset order, all else is checked.
    fn checked(fields: Vec<Field>, size: usize) -> Result<Self, SchemaError> {
        check_names(&fields)?;
        check_offsets(&fields, size)?;
        let nesting = 1 + fields.iter().map(|field| field.dtype.nesting()).max().unwrap_or(0);
        if nesting > MAX_NESTING {
            return Err(SchemaError::TooNested { found: nesting });
        }
        let align = natural_align(&fields, size);
        checked_text(Self { fields, size, align, nesting })
    }
}

/// Puts each field at the first multiple of its alignment after the field before it.
fn place<F>(
    fields: impl IntoIterator<Item = F>,
    align: impl Fn(&DType) -> usize,
) -> Result<Vec<Field>, SchemaError>
where
    F: TryInto<Field>,
    SchemaError: From<F::Error>,
{
    let mut placed: Vec<Field> = Vec::new();
    for field in fields {
        let field: Field = field.try_into()?;
        let offset = end_of(&placed).next_multiple_of(align(&field.dtype));
        within_limit("a struct", offset.checked_add(field.size()))?;
        placed.push(field.at(offset));
    }
    Ok(placed)
}

/// Where the last field ends.
fn end_of(fields: &[Field]) -> usize {
    fields.last().map_or(0, Field::end)
}

fn check_names(fields: &[Field]) -> Result<(), SchemaError> {
    let mut names = HashSet::new();
    match fields.iter().find(|field| !names.insert(field.name())) {
        Some(field) => Err(SchemaError::DuplicateField { name: field.name.clone() }),
        None => Ok(()),
    }
}

fn check_offsets(fields: &[Field], size: usize) -> Result<(), SchemaError> {
    let mut end = 0;
    for field in fields {
        if field.offset < end {
            return Err(SchemaError::Overlap { name: field.name.clone(), offset: field.offset, end });
        }
        end = within_limit("a struct", field.offset.checked_add(field.size()))?;
    }
    if size == 0 {
        return Err(SchemaError::Empty { what: "a struct" });
    }
    if size < end {
        return Err(SchemaError::StructTooShort { end, size });
    }
    within_limit("a struct", Some(size)).map(drop)
}

fn natural_align(fields: &[Field], size: usize) -> usize {
    let strictest = fields.iter().map(|field| field.dtype.align()).max().unwrap_or(1);
    let respected = fields.iter().all(|field| field.offset.is_multiple_of(field.dtype.align()));
    if respected && size.is_multiple_of(strictest) { strictest } else { 1 }
}

impl TryFrom<(&str, DType)> for Field {
    type Error = SchemaError;

    fn try_from((name, dtype): (&str, DType)) -> Result<Self, SchemaError> {
        Self::new(name, dtype)
    }
}

impl TryFrom<(&str, Primitive)> for Field {
    type Error = SchemaError;

    fn try_from((name, primitive): (&str, Primitive)) -> Result<Self, SchemaError> {
        Self::new(name, primitive)
    }
}
