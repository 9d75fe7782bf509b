//! A change of a structure, or of a part of it, as typed.

use memlane::schema::{DType, Datum, Schema, SchemaError};
use memlane::{Error, Result};
use serde_json::Value;

use super::datum_json;
use super::datum_json::unfit;
use super::selection::{Part, Selection};

/// A change of a part of a content of one schema.
#[derive(Debug)]
pub struct Edit<'a> {
    id: &'a str,
    schema: &'a Schema,
    part: Part<'a>,
    new: New,
}

/// What the part becomes.
#[derive(Debug)]
enum New {
    Whole(Datum),
    /// The fields named; the others stay.
    Fields(Vec<(String, Datum)>),
}

impl<'a> Edit<'a> {
    /// Understands `text`, typed by a person, as the part selected in region `id`, which has `schema`.
    pub fn parse(id: &'a str, schema: &'a Schema, selection: &Selection, text: &str) -> Result<Self> {
        let part = selection.part(id, schema)?;
        let new = match (part.dtype, part.shape) {
            (DType::Struct(_), []) => {
                fields(id, &part, datum_json::json_from_text(text).map_err(unfit(id))?)?
            }
            (dtype, shape) => New::Whole(datum_json::from_text(text, dtype, shape).map_err(unfit(id))?),
        };
        Ok(Self { id, schema, part, new })
    }

    /// Understands `value` as the part selected in region `id`, which has `schema`.
    pub fn of_json(id: &'a str, schema: &'a Schema, selection: &Selection, value: Value) -> Result<Self> {
        let part = selection.part(id, schema)?;
        let new = match (part.dtype, part.shape) {
            (DType::Struct(_), []) => fields(id, &part, value)?,
            (dtype, shape) => New::Whole(datum_json::from_json(&value, dtype, shape).map_err(unfit(id))?),
        };
        Ok(Self { id, schema, part, new })
    }

    /// Takes `bytes`, as they lie in memory, for the part selected in region `id`, which has `schema`.
    pub fn of_bytes(id: &'a str, schema: &'a Schema, selection: &Selection, bytes: &[u8]) -> Result<Self> {
        let part = selection.part(id, schema)?;
        let new = part.schema().and_then(|schema| schema.decode(bytes)).map_err(unfit(id))?;
        Ok(Self { id, schema, part, new: New::Whole(new) })
    }

    /// The content's bytes after the change.
    pub fn applied_to(&self, content: &Datum) -> Result<Vec<u8>> {
        let mut content = content.clone();
        match (self.part.of_mut(&mut content), &self.new) {
            (Some(part), New::Whole(new)) => part.clone_from(new),
            (Some(Datum::Struct(fields)), New::Fields(new)) => {
                for (name, value) in new {
                    fields
                        .iter_mut()
                        .filter(|(known, _)| known == name)
                        .for_each(|(_, old)| old.clone_from(value));
                }
            }
            _ => {}
        }
        self.encode(&content)
    }

    /// Whether the change would change nothing: numbers are compared as the schema stores them.
    pub fn is_in(&self, content: &Datum) -> Result<bool> {
        Ok(self.applied_to(content)? == self.encode(content)?)
    }

    fn encode(&self, content: &Datum) -> Result<Vec<u8>> {
        self.schema.encode(content).map_err(unfit(self.id))
    }
}

fn fields(id: &str, part: &Part, value: Value) -> Result<New> {
    let DType::Struct(structure) = part.dtype else { return Ok(New::Fields(Vec::new())) };
    let object = match value {
        Value::Object(object) => object,
        other => {
            let expected = "an object with a field or more, such as {\"x\": 1}".to_owned();
            return Err(unfit(id)(SchemaError::Value { expected, found: other.to_string() }));
        }
    };
    let mut fields = Vec::new();
    for (name, value) in object {
        let field = structure.field(&name);
        let no_field = || Error::NoField { id: id.into(), name: name.clone(), schema: structure.to_string() };
        let field = field.ok_or_else(no_field)?;
        let value = datum_json::from_json(&value, field.dtype(), field.shape()).map_err(unfit(id))?;
        fields.push((name, value));
    }
    Ok(New::Fields(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "{a: u1, b: {c: u1, d: [2]u1}}";

    fn edited(field: Option<&str>, index: &[usize], text: &str) -> std::result::Result<Vec<u8>, String> {
        let schema: Schema = SCHEMA.parse().unwrap();
        let selection = Selection { field: field.map(str::to_owned), index: index.to_vec() };
        let edit = Edit::parse("r", &schema, &selection, text).map_err(|error| error.to_string())?;
        edit.applied_to(&schema.decode(&[1, 2, 3, 4]).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn fields_that_are_not_named_stay() {
        assert_eq!(edited(None, &[], r#"{"a": 9}"#), Ok(vec![9, 2, 3, 4]));
        assert_eq!(edited(Some("a"), &[], "9"), Ok(vec![9, 2, 3, 4]));
        assert_eq!(edited(Some("b"), &[], r#"{"d": [8, 9]}"#), Ok(vec![1, 2, 8, 9]));
        assert_eq!(edited(None, &[], r#"{"b": {"c": 7, "d": [8, 9]}}"#), Ok(vec![1, 7, 8, 9]));
        assert_eq!(edited(None, &[], "{}"), Ok(vec![1, 2, 3, 4]));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let told = |field, text| edited(field, &[], text).unwrap_err();
        assert!(told(None, r#"{"x": 9}"#).contains("has no field `x`"));
        assert!(told(Some("a"), "300").contains("in a: expected a whole number from 0 to 255, found 300"));
        assert!(told(None, "[1]").contains("expected an object"));
        assert!(told(None, r#"{"b": {"c": 7}}"#).contains("expected a struct of 2 fields"));
    }

    #[test]
    fn an_edit_that_is_in_the_content_changes_nothing() {
        let schema: Schema = "{x: f4, y: u1}".parse().unwrap();
        let content = schema.decode(&[0, 0, 128, 63, 7]).unwrap();
        let is_in = |text: &str| {
            Edit::parse("r", &schema, &Selection::default(), text).unwrap().is_in(&content).unwrap()
        };
        assert!(is_in(r#"{"x": 1}"#) && is_in(r#"{"y": 7.0}"#) && !is_in(r#"{"x": 1, "y": 8}"#));
    }
}
