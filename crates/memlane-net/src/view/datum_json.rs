//! Values as JSON and as typed on a command line, both directions, by the schema.
//!
//! | dtype | JSON | typed |
//! |---|---|---|
//! | `bool` | `true`, `false`; `1` and `0` are read too | the same |
//! | whole numbers | a number | a number, also `0x1f` |
//! | floats | a number; `"NaN"`, `"Infinity"`, `"-Infinity"` | a number, `nan`, `inf`, `-inf` |
//! | bytes | a string without the padding, or an array of numbers where they are not UTF-8 | the text itself |
//! | arrays | an array | JSON |
//! | structs | an object | JSON |
//!
//! Whether a number fits its type is for the schema to say when the value is encoded; here is only decided
//! what was meant.

use memlane::Error;
use memlane::schema::{DType, Datum, SchemaError};
use serde_json::{Map, Number, Value};

/// The value as JSON.
pub fn to_json(datum: &Datum) -> Value {
    match datum {
        Datum::Bool(value) => Value::from(*value),
        Datum::Int(value) => Value::from(*value),
        Datum::Uint(value) => Value::from(*value),
        // By way of its shortest text, so that 0.1 stays 0.1.
        Datum::Single(value) => {
            float_to_json(value.to_string().parse().unwrap_or_else(|_| f64::from(*value)))
        }
        Datum::Float(value) => float_to_json(*value),
        Datum::Bytes(bytes) => bytes_to_json(bytes),
        Datum::Array(items) => items.iter().map(to_json).collect(),
        Datum::Struct(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), to_json(value))).collect())
        }
        other => Value::from(other.to_string()),
    }
}

/// What a JSON value means to a schema's part of this type and shape.
pub fn from_json(value: &Value, dtype: &DType, shape: &[usize]) -> Result<Datum, SchemaError> {
    match (value, shape.split_first()) {
        (Value::Array(items), Some((_, inner))) => {
            let items: Result<_, _> = items.iter().map(|item| from_json(item, dtype, inner)).collect();
            items.map(Datum::Array)
        }
        (_, None) => item_from_json(value, dtype),
        // Of a wrong shape: encoding says so, with the place.
        _ => untyped(value),
    }
}

/// What a text typed by a person means.
pub fn from_text(text: &str, dtype: &DType, shape: &[usize]) -> Result<Datum, SchemaError> {
    match (dtype, shape) {
        (DType::Primitive(..), []) => number_from_text(text.trim()).ok_or_else(|| SchemaError::Value {
            expected: "a number, true or false".to_owned(),
            found: format!("{text:?}"),
        }),
        (DType::Bytes(_), []) => Ok(Datum::Bytes(text.as_bytes().to_vec())),
        _ => from_json(&json_from_text(text)?, dtype, shape),
    }
}

/// JSON typed by a person.
pub fn json_from_text(text: &str) -> Result<Value, SchemaError> {
    serde_json::from_str(text).map_err(|error| SchemaError::Value {
        expected: "JSON, such as [1, 2] or {\"x\": 1}".to_owned(),
        found: format!("{text:?} ({error})"),
    })
}

/// An error of a schema, as one of the region `id`.
pub fn unfit(id: &str) -> impl Fn(SchemaError) -> Error + '_ {
    move |source| Error::Schema { id: id.into(), source }
}

/// Bytes as text, when they are: padding at the end is none of it.
pub fn text_of_bytes(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(unpadded(bytes)).ok()
}

/// Bytes without the zeros at their end.
pub fn unpadded(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

fn float_to_json(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| Value::from(special_name(value)), Value::Number)
}

/// JSON has no such numbers.
fn special_name(value: f64) -> &'static str {
    match value {
        _ if value.is_nan() => "NaN",
        _ if value > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

fn bytes_to_json(bytes: &[u8]) -> Value {
    text_of_bytes(bytes).map_or_else(|| bytes.iter().copied().collect(), Value::from)
}

fn item_from_json(value: &Value, dtype: &DType) -> Result<Datum, SchemaError> {
    match (dtype, value) {
        (DType::Primitive(..), Value::String(text)) => from_text(text, dtype, &[]),
        (DType::Bytes(_), Value::Array(items)) => bytes_from_json(items).map_or_else(|| untyped(value), Ok),
        (DType::Struct(structure), Value::Object(fields)) => {
            let known = |name: &String, value: &Value| match structure.field(name) {
                Some(field) => from_json(value, field.dtype(), field.shape()),
                None => untyped(value),
            };
            struct_of(fields, known)
        }
        _ => untyped(value),
    }
}

fn bytes_from_json(items: &[Value]) -> Option<Datum> {
    let bytes: Option<_> = items.iter().map(|item| u8::try_from(item.as_u64()?).ok()).collect();
    bytes.map(Datum::Bytes)
}

/// What JSON means where no schema says otherwise.
fn untyped(value: &Value) -> Result<Datum, SchemaError> {
    Ok(match value {
        Value::Null => {
            return Err(SchemaError::Value { expected: "a value".to_owned(), found: "null".to_owned() });
        }
        Value::Bool(value) => Datum::Bool(*value),
        Value::Number(number) => datum_of_number(number),
        Value::String(text) => Datum::Bytes(text.as_bytes().to_vec()),
        Value::Array(items) => Datum::Array(items.iter().map(untyped).collect::<Result<_, _>>()?),
        Value::Object(fields) => struct_of(fields, |_, value| untyped(value))?,
    })
}

fn struct_of(
    fields: &Map<String, Value>,
    value_of: impl Fn(&String, &Value) -> Result<Datum, SchemaError>,
) -> Result<Datum, SchemaError> {
    let fields: Result<_, _> =
        fields.iter().map(|(name, value)| Ok((name.clone(), value_of(name, value)?))).collect();
    fields.map(Datum::Struct)
}

fn datum_of_number(number: &Number) -> Datum {
    match (number.as_i64(), number.as_u64()) {
        (Some(value), _) => Datum::Int(value),
        (None, Some(value)) => Datum::Uint(value),
        (None, None) => Datum::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

fn number_from_text(text: &str) -> Option<Datum> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(Datum::Uint);
    }
    let whole = text.parse().map(Datum::Int).or_else(|_| text.parse().map(Datum::Uint));
    let number = whole.ok().or_else(|| text.parse().ok().map(Datum::Float));
    number.or_else(|| text.parse().ok().map(Datum::Bool))
}

#[cfg(test)]
mod tests {
    use super::*;
    use memlane::schema::Schema;

    fn schema(text: &str) -> Schema {
        text.parse().unwrap()
    }

    fn typed(schema: &Schema, text: &str) -> Result<Vec<u8>, SchemaError> {
        schema.encode(&from_text(text, schema.dtype(), schema.shape())?)
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_bytes() {
        let schema =
            schema("{a: f32, b: [2]{c: i8, d: S4}, e: bool, f: u64, g: f64, h: S2, i: f16, j: [2, 2]u1}");
        let text = r#"{"a": 0.1, "b": [{"c": -1, "d": "hi"}, {"c": 2, "d": ""}], "e": true, "f": 18446744073709551615,
            "g": "-Infinity", "h": [255, 0], "i": "NaN", "j": [[1, 2], [3, 4]]}"#;
        let bytes = typed(&schema, text).unwrap();
        let written = to_json(&schema.decode(&bytes).unwrap());
        assert_eq!(written, json_from_text(text).unwrap());
        assert_eq!(typed(&schema, &written.to_string()).unwrap(), bytes);
    }

    #[test]
    fn what_people_type_is_understood() {
        let written = |name: &str, text: &str| {
            typed(&schema(name), text)
                .map(|bytes| bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
        };
        assert_eq!(written("u16", " 0x1f\n"), Ok(31));
        assert_eq!(written("bool", "true"), Ok(1));
        assert_eq!(written("i8", "-1"), Ok(255));
        assert_eq!(written("f32", "-inf"), Ok(0xff80_0000));
        assert_eq!(written("S3", "a\n"), Ok(0x0a61));
        assert_eq!(written("[2]u8", "[1, 2]"), Ok(0x0201));
    }

    #[test]
    fn misfits_are_told_with_their_place() {
        let told = |name: &str, text: &str| typed(&schema(name), text).unwrap_err().to_string();
        assert_eq!(told("f64", "fast"), "expected a number, true or false, found \"fast\"");
        assert_eq!(
            told("{x: u8}", r#"{"x": 300}"#),
            "in x: expected a whole number from 0 to 255, found 300"
        );
        assert_eq!(told("{x: [2]u8}", r#"{"x": [1]}"#), "in x: expected an array of 2, found an array of 1");
        assert_eq!(told("{x: u8}", r#"{"x": null}"#), "expected a value, found null");
        assert!(told("[2]u8", "1, 2").starts_with("expected JSON"));
    }
}
