//! Which part of a region's content is meant: a field, an element.

use memlane::observer::{Content, Observation};
use memlane::schema::{DType, Datum, Schema, SchemaError};
use memlane::{Error, Result};

use super::datum_json::unfit;

/// The part meant; all of it when nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The field of a record, or of an array's element; `a.b` of a record in a record.
    pub field: Option<String>,

    /// The element of an array: its number in C order, or one number for each dimension.
    pub index: Vec<usize>,
}

/// The part of a schema that a selection means, and the way to it.
#[derive(Debug)]
pub struct Part<'a> {
    /// Of what type it is.
    pub dtype: &'a DType,
    /// Of what shape; empty of one item.
    pub shape: &'a [usize],
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Field(String),
    Item(usize),
}

impl Selection {
    /// Whether all of the content is meant.
    pub fn is_all(&self) -> bool {
        self.field.is_none() && self.index.is_empty()
    }

    /// Finds the part in the schema of region `id`.
    pub fn part<'a>(&self, id: &str, schema: &'a Schema) -> Result<Part<'a>> {
        let mut part = Part { dtype: schema.dtype(), shape: schema.shape(), steps: Vec::new() };
        let mut index = self.index.as_slice();
        if !part.shape.is_empty() {
            part.enter_item(id, &mut index)?;
        }
        if let Some(names) = &self.field {
            part.enter_fields(id, schema, names)?;
            part.enter_item(id, &mut index)?;
        }
        match index.first() {
            None => Ok(part),
            Some(&index) => Err(out_of_range(id, index, 1)),
        }
    }

    /// The number in C order of the selected element of an array; `None` when no element is selected.
    pub fn element(&self, id: &str, shape: &[usize]) -> Result<Option<usize>> {
        if self.index.is_empty() {
            return Ok(None);
        }
        let coordinates = coordinates(id, shape, &self.index)?;
        let number = coordinates.iter().zip(shape).fold(0, |number, (index, length)| number * length + index);
        Ok(Some(number))
    }
}

impl Selection {
    /// The part selected of what was seen in region `id`, which has `schema`. [`Error::Corrupt`] when the content is
    /// not what the schema says.
    pub fn of(&self, id: &str, schema: &Schema, seen: &Observation) -> Result<Datum> {
        let part = self.part(id, schema)?;
        let datum = match &seen.content {
            Content::Datum(datum) => part.of(datum).cloned(),
            Content::Elements(bytes, _) => match self.element(id, schema.shape())? {
                Some(number) => part.of_item(&element(id, schema, bytes, number)?).cloned(),
                None => part.of(&schema.decode(bytes).map_err(unfit(id))?).cloned(),
            },
            _ => None,
        };
        let corrupt = || Error::Corrupt { id: id.into(), what: "it lacks what its schema promises".into() };
        datum.ok_or_else(corrupt)
    }
}

impl Part<'_> {
    /// The part as a schema of its own.
    pub fn schema(&self) -> std::result::Result<Schema, SchemaError> {
        Schema::new(self.dtype.clone()).with_shape(self.shape)
    }

    /// The part of `content`, which is of the schema that this part was found in.
    pub fn of<'a>(&self, content: &'a Datum) -> Option<&'a Datum> {
        follow(&self.steps, content)
    }

    /// As [`Self::of`], in the one item that the steps lead through first.
    pub fn of_item<'a>(&self, item: &'a Datum) -> Option<&'a Datum> {
        let inside = self.steps.iter().position(|step| matches!(step, Step::Field(_)));
        follow(self.steps.get(inside.unwrap_or(self.steps.len())..)?, item)
    }

    /// As [`Self::of`], to be replaced.
    pub fn of_mut<'a>(&self, content: &'a mut Datum) -> Option<&'a mut Datum> {
        self.steps.iter().try_fold(content, |datum, step| match (step, datum) {
            (Step::Field(name), Datum::Struct(fields)) => {
                fields.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            (Step::Item(index), Datum::Array(items)) => items.get_mut(*index),
            _ => None,
        })
    }

    fn enter_item(&mut self, id: &str, index: &mut &[usize]) -> Result<()> {
        if !index.is_empty() {
            self.steps.extend(coordinates(id, self.shape, index)?.into_iter().map(Step::Item));
            (self.shape, *index) = (&[], &[]);
        }
        Ok(())
    }
}

impl<'a> Part<'a> {
    /// A name as it is, be there dots in it, comes before the fields of fields.
    fn enter_fields(&mut self, id: &str, schema: &'a Schema, names: &str) -> Result<()> {
        match (self.enter_field(id, schema, names), names.split_once('.')) {
            (Err(_), Some((name, rest))) => {
                self.enter_field(id, schema, name)?;
                self.enter_fields(id, schema, rest)
            }
            (entered, _) => entered,
        }
    }

    fn enter_field(&mut self, id: &str, schema: &'a Schema, name: &str) -> Result<()> {
        let field = match self.dtype {
            DType::Struct(structure) if self.shape.is_empty() => structure.field(name),
            _ => None,
        };
        let no_field = || Error::NoField { id: id.into(), name: name.into(), schema: schema.to_string() };
        let field = field.ok_or_else(no_field)?;
        (self.dtype, self.shape) = (field.dtype(), field.shape());
        self.steps.push(Step::Field(name.to_owned()));
        Ok(())
    }
}

fn follow<'a>(steps: &[Step], content: &'a Datum) -> Option<&'a Datum> {
    steps.iter().try_fold(content, |datum, step| match (step, datum) {
        (Step::Field(name), Datum::Struct(fields)) => {
            fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
        }
        (Step::Item(index), Datum::Array(items)) => items.get(*index),
        _ => None,
    })
}

/// One element alone: of a large array, all of them would take many times its memory.
fn element(id: &str, schema: &Schema, bytes: &[u8], number: usize) -> Result<Datum> {
    let item = bytes.chunks_exact(schema.item_size()).nth(number).unwrap_or_default();
    schema.dtype().decode(item).map_err(unfit(id))
}

/// One number for each dimension.
fn coordinates(id: &str, shape: &[usize], index: &[usize]) -> Result<Vec<usize>> {
    match index {
        [number] if shape.len() != 1 => unravelled(id, shape, *number),
        _ => {
            let outside = index.iter().zip(shape).find(|(index, length)| index >= length);
            match outside {
                Some((index, length)) => Err(out_of_range(id, *index, *length)),
                None if index.len() == shape.len() => Ok(index.to_vec()),
                None => Err(Error::BadParameter {
                    id: id.into(),
                    parameter: "the index",
                    limit: format!("1 number, or {} for the shape {shape:?}", shape.len()),
                    found: index.len() as u64,
                }),
            }
        }
    }
}

fn unravelled(id: &str, shape: &[usize], number: usize) -> Result<Vec<usize>> {
    let count = shape.iter().product();
    if number >= count || shape.is_empty() {
        return Err(out_of_range(id, number, if shape.is_empty() { 0 } else { count }));
    }
    let mut rest = number;
    let mut coordinates: Vec<_> = shape
        .iter()
        .rev()
        .map(|length| {
            let index = rest % length;
            rest /= length;
            index
        })
        .collect();
    coordinates.reverse();
    Ok(coordinates)
}

fn out_of_range(id: &str, index: usize, count: usize) -> Error {
    Error::OutOfRange { id: id.into(), what: "element", index: index as u64, len: count as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(schema: &str, field: Option<&str>, index: &[usize]) -> std::result::Result<String, String> {
        let schema: Schema = schema.parse().unwrap();
        let body: Vec<u8> = (0..schema.size() as u8).collect();
        let content = schema.decode(&body).unwrap();
        let selection = Selection { field: field.map(str::to_owned), index: index.to_vec() };
        let part = selection.part("a", &schema).map_err(|error| error.to_string())?;
        let datum = part.of(&content).ok_or("no such part")?;
        assert_eq!(part.of_mut(&mut content.clone()).cloned().as_ref(), Some(datum));
        Ok(datum.to_string())
    }

    #[test]
    fn parts_are_found() {
        assert_eq!(picked("u1", None, &[]), Ok("0".into()));
        assert_eq!(picked("[2,3]u1", None, &[1, 0]), Ok("3".into()));
        assert_eq!(picked("[2,3]u1", None, &[4]), Ok("4".into()));
        assert_eq!(picked("{a: u1, b: [2]u1}", Some("b"), &[]), Ok("[1, 2]".into()));
        assert_eq!(picked("{a: u1, b: [2]u1}", Some("b"), &[1]), Ok("2".into()));
        assert_eq!(picked("[4]{a: u1, b: u1}", Some("b"), &[2]), Ok("5".into()));
        assert_eq!(picked("{a: u1, b: {c: u1, d: [2]u1}}", Some("b.d"), &[1]), Ok("3".into()));
        assert_eq!(picked("{\"a.b\": u1}", Some("a.b"), &[]), Ok("0".into()));
    }

    #[test]
    fn parts_that_are_not_there_are_told() {
        let refused = |schema, field, index: &[usize]| picked(schema, field, index).unwrap_err();
        assert_eq!(refused("[2,3]u1", None, &[6]), "region `a` has no element 6: there are 6");
        assert_eq!(refused("[2,3]u1", None, &[0, 3]), "region `a` has no element 3: there are 3");
        assert!(refused("[2,3]u1", None, &[0, 1, 2]).contains("must be 1 number, or 2"));
        assert_eq!(refused("u1", None, &[0]), "region `a` has no element 0: there are 1");
        assert_eq!(refused("{a: u1}", Some("b"), &[]), "region `a` has no field `b`: its schema is {a:|u1}");
        assert!(refused("[2]{a: u1}", Some("a"), &[]).contains("no field `a`"));
    }

    #[test]
    fn elements_are_numbered_in_c_order() {
        let selection = Selection { field: None, index: vec![1, 2] };
        assert_eq!(selection.element("a", &[2, 3]).unwrap(), Some(5));
        assert_eq!(Selection::default().element("a", &[2, 3]).unwrap(), None);
    }
}
