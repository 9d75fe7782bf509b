//! Random schemas for property tests: every dtype, byte order and way to lay out a struct.
#![allow(dead_code)] // Every suite uses a part.

use memlane::schema::{ByteOrder, DType, Field, Primitive, Schema, Structure};
use proptest::prelude::*;

/// Structs in each other, and fields over all levels, of a random dtype.
const MAX_LEVELS: u32 = 3;
const MAX_FIELDS: u32 = 24;

/// How the fields of a random struct are placed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    C,
    Packed,
    /// Each field this many bytes after the one before it, and this much at the end.
    Gaps(usize),
}

pub(crate) fn any_layout() -> impl Strategy<Value = Layout> + Clone {
    prop_oneof![Just(Layout::C), Just(Layout::Packed), (1_usize..10).prop_map(Layout::Gaps)]
}

/// Any dtype whose structs are laid out by `layouts`.
pub(crate) fn dtype(
    layouts: impl Strategy<Value = Layout> + Clone + 'static,
) -> impl Strategy<Value = DType> {
    let order = prop_oneof![Just(ByteOrder::Little), Just(ByteOrder::Big)];
    let primitive = (prop::sample::select(&Primitive::ALL), order);
    let leaf = prop_oneof![
        8 => primitive.prop_map(|(primitive, order)| DType::Primitive(primitive, order)),
        1 => (1_usize..9).prop_map(|size| DType::bytes(size).unwrap()),
    ];
    leaf.prop_recursive(MAX_LEVELS, MAX_FIELDS, 5, move |inner| {
        (layouts.clone(), prop::collection::vec(field(inner), 1..5))
            .prop_map(|(layout, fields)| structure(layout, fields).into())
    })
}

pub(crate) fn any_schema() -> impl Strategy<Value = Schema> {
    let label = || prop::option::of(label());
    (dtype(any_layout()), shape(), label(), label()).prop_map(|(dtype, shape, unit, encoding)| {
        let mut schema = Schema::new(dtype).with_shape(&shape).unwrap();
        if let Some(unit) = unit {
            schema = schema.with_unit(unit).unwrap();
        }
        if let Some(encoding) = encoding {
            schema = schema.with_encoding(encoding).unwrap();
        }
        schema
    })
}

/// A schema and as many random bytes as its body has.
pub(crate) fn any_body() -> impl Strategy<Value = (Schema, Vec<u8>)> {
    any_schema().prop_flat_map(|schema| {
        let bytes = prop::collection::vec(any::<u8>(), schema.size());
        (Just(schema), bytes)
    })
}

fn shape() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1_usize..4, 0..3)
}

/// Identifiers, and texts with every kind of character that is not a control character.
fn label() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z_][A-Za-z0-9_]{0,6}", "\\PC{1,6}", "[\"\\\\ ,:;{}@]{1,4}"]
}

fn field(dtype: impl Strategy<Value = DType>) -> impl Strategy<Value = Field> {
    (label(), dtype, shape(), prop::option::of(label())).prop_map(|(name, dtype, shape, unit)| {
        let field = Field::new(name, dtype).unwrap().with_shape(&shape).unwrap();
        match unit {
            Some(unit) => field.with_unit(unit).unwrap(),
            None => field,
        }
    })
}

fn structure(layout: Layout, fields: Vec<Field>) -> Structure {
    let fields = fields.into_iter().enumerate().map(|(index, field)| numbered(index, &field));
    match layout {
        Layout::C => Structure::c_layout(fields),
        Layout::Packed => Structure::packed(fields),
        Layout::Gaps(gap) => {
            let mut end = 0;
            let place = |field: Field| {
                let offset = end + gap;
                end = offset + field.size();
                (offset, field)
            };
            let placed: Vec<_> = fields.map(place).collect();
            Structure::at_offsets(placed, end + gap)
        }
    }
    .unwrap()
}

/// The same field with its index in its name, so that no two have one name.
fn numbered(index: usize, field: &Field) -> Field {
    let name = format!("{}{index}", field.name());
    let numbered = Field::new(name, field.dtype().clone()).unwrap().with_shape(field.shape()).unwrap();
    match field.unit() {
        Some(unit) => numbered.with_unit(unit).unwrap(),
        None => numbered,
    }
}
