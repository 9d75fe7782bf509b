//! Schemas and Python: what people write for a dtype, NumPy's dtypes, formats of the buffer protocol, and values.

use memlane::schema::{ByteOrder, DType, Datum, Primitive, Schema, SchemaError};
use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyImportError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};
use std::fmt::Write;

/// The schema of examples, as text: of a dict, a structure with a field for each; of an array or a number, that.
///
/// >>> import memlane
/// >>> memlane.schema_of({"speed": 0.5, "count": 3, "name": b"left"})
/// '{speed:<f8,count:<i8,name:|S4}'
///
/// With NumPy, arrays become fields with their shape: `memlane.schema_of({"rgb": image, "pose": vector})`.
#[pyfunction]
pub(crate) fn schema_of(examples: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(example(examples)?.to_string())
}

fn example(value: &Bound<'_, PyAny>) -> PyResult<Schema> {
    if let Ok(fields) = value.cast::<PyDict>() {
        let mut text = String::from("{");
        for (name, value) in fields.iter() {
            let name: String = name.extract()?;
            let separator = if text.len() > 1 { "," } else { "" };
            let _ = write!(text, "{separator}{}:{}", quoted(&name), example(&value)?);
        }
        text.push('}');
        return parse(&text);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return parse(&format!("|S{}", bytes.as_bytes().len()));
    }
    if value.hasattr("dtype")? {
        let shape: Vec<usize> = value.getattr("shape")?.extract()?;
        return of(&value.getattr("dtype")?, Some(shape));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return example(&numpy(value.py())?.getattr("asarray")?.call1((value,))?);
    }
    of(value.get_type().as_any(), None)
}

/// The schema of what people write for a dtype, with a shape in front of its own: a schema's text, NumPy's names and
/// codes (`i8` has 8 bytes, as there), `float`, `int`, `bool`, NumPy's dtypes and types, or a dict of examples.
pub(crate) fn of(dtype: &Bound<'_, PyAny>, shape: Option<Vec<usize>>) -> PyResult<Schema> {
    let schema = item(dtype)?;
    let Some(mut shape) = shape.filter(|shape| !shape.is_empty()) else { return Ok(schema) };
    shape.extend_from_slice(schema.shape());
    schema.with_shape(&shape).map_err(bad)
}

fn item(dtype: &Bound<'_, PyAny>) -> PyResult<Schema> {
    if let Ok(text) = dtype.extract::<&str>() {
        return of_text(dtype.py(), text);
    }
    if dtype.is_instance_of::<PyDict>() && !dtype.contains("names")? {
        return example(dtype);
    }
    if let Ok(class) = dtype.cast::<PyType>() {
        let py = dtype.py();
        let known = [
            (PyBool::type_object(py), "|b1"),
            (PyFloat::type_object(py), "<f8"),
            (PyInt::type_object(py), "<i8"),
        ];
        if let Some((_, text)) = known.iter().find(|(known, _)| class.is(known)) {
            return parse(text);
        }
    }
    let dtype = if dtype.hasattr("itemsize")? && dtype.hasattr("str")? {
        dtype.clone()
    } else {
        numpy(dtype.py())?.getattr("dtype")?.call1((dtype,))?
    };
    parse(&text_of_numpy(&dtype)?)
}

fn of_text(py: Python<'_>, text: &str) -> PyResult<Schema> {
    match text {
        // Names that Rust and NumPy understand differently: people who write Python mean NumPy's.
        "i8" => parse("<i8"),
        "u8" => parse("<u8"),
        _ => parse(text).or_else(|error| {
            match numpy(py).and_then(|numpy| numpy.getattr("dtype")?.call1((text,))) {
                Ok(dtype) => parse(&text_of_numpy(&dtype)?),
                Err(_) => Err(error),
            }
        }),
    }
}

/// The text of a NumPy dtype.
fn text_of_numpy(dtype: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok((base, shape)) = dtype.getattr("subdtype")?.extract::<(Bound<'_, PyAny>, Vec<usize>)>() {
        return Ok(format!("{}{}", dimensions(&shape), text_of_numpy(&base)?));
    }
    let names = dtype.getattr("names")?;
    if names.is_none() {
        return scalar_of_numpy(dtype);
    }
    let fields = dtype.getattr("fields")?;
    let mut text = String::from("{");
    // In the order of their places: the text has no other.
    let mut placed = Vec::new();
    for name in names.try_iter()? {
        let field = fields.get_item(&name?)?;
        placed.push((field.get_item(1)?.extract::<usize>()?, field));
    }
    let order: Vec<String> = names.extract()?;
    let mut named: Vec<_> = order.into_iter().zip(placed).collect();
    named.sort_by_key(|(_, (offset, _))| *offset);
    for (name, (offset, field)) in named {
        let separator = if text.len() > 1 { "," } else { "" };
        let inner = text_of_numpy(&field.get_item(0)?)?;
        let _ = write!(text, "{separator}{}@{offset}:{inner}", quoted(&name));
    }
    let size: usize = dtype.getattr("itemsize")?.extract()?;
    let _ = write!(text, ";{size}}}");
    Ok(text)
}

fn scalar_of_numpy(dtype: &Bound<'_, PyAny>) -> PyResult<String> {
    let text: String = dtype.getattr("str")?.extract()?;
    let kind = text.chars().nth(1).unwrap_or(' ');
    if matches!(kind, 'b' | 'i' | 'u' | 'f' | 'S') {
        return Ok(text);
    }
    Err(PyTypeError::new_err(format!(
        "the dtype {dtype} cannot be shared: memory holds truth values, integers, floats of 2, 4 and 8 bytes, bytes (`S`), and structures of them"
    )))
}

fn dimensions(shape: &[usize]) -> String {
    if shape.is_empty() {
        return String::new();
    }
    let dimensions: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", dimensions.join(","))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn parse(text: &str) -> PyResult<Schema> {
    text.parse().map_err(bad)
}

/// The exception for a schema or a value that cannot be.
pub(crate) fn bad(error: SchemaError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

static NUMPY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// NumPy, imported when it is first needed.
pub(crate) fn numpy(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let module = NUMPY.get_or_try_init(py, || match py.import("numpy") {
        Ok(module) => Ok(module.into_any().unbind()),
        Err(error) if error.is_instance_of::<PyImportError>(py) => Err(PyImportError::new_err(
            "arrays need NumPy, which is not installed (`pip install numpy`); memoryview() works without",
        )),
        Err(error) => Err(error),
    })?;
    Ok(module.bind(py))
}

/// The NumPy dtype of one item.
pub(crate) fn to_numpy<'py>(py: Python<'py>, dtype: &DType) -> PyResult<Bound<'py, PyAny>> {
    let make = numpy(py)?.getattr("dtype")?;
    let DType::Struct(structure) = dtype else {
        return make.call1((Schema::new(dtype.clone()).to_string(),));
    };
    let (names, formats, offsets) = (PyList::empty(py), PyList::empty(py), PyList::empty(py));
    for field in structure.fields() {
        let item = to_numpy(py, field.dtype())?;
        names.append(field.name())?;
        formats.append(if field.shape().is_empty() {
            item
        } else {
            (item, PyTuple::new(py, field.shape())?).into_pyobject(py)?.into_any()
        })?;
        offsets.append(field.offset())?;
    }
    let plan = PyDict::new(py);
    plan.set_item("names", names)?;
    plan.set_item("formats", formats)?;
    plan.set_item("offsets", offsets)?;
    plan.set_item("itemsize", structure.size())?;
    make.call1((plan,))
}

/// The format of one item in the buffer protocol (PEP 3118).
pub(crate) fn buffer_format(dtype: &DType) -> String {
    let mut format = String::new();
    append_format(dtype, &mut format);
    format
}

fn append_format(dtype: &DType, format: &mut String) {
    match dtype {
        DType::Primitive(primitive, order) => {
            // A single character without an order is what most readers understand.
            if *order == ByteOrder::Big {
                format.push('>');
            } else if !format.is_empty() {
                format.push('<');
            }
            format.push(letter(*primitive));
        }
        DType::Bytes(size) => {
            let _ = write!(format, "{size}s");
        }
        DType::Struct(structure) => {
            format.push_str("T{");
            let mut end = 0;
            for field in structure.fields() {
                pad(format, field.offset() - end);
                let shape: Vec<String> = field.shape().iter().map(usize::to_string).collect();
                if !shape.is_empty() {
                    let _ = write!(format, "({})", shape.join(","));
                }
                append_format(field.dtype(), format);
                let _ = write!(format, ":{}:", field.name());
                end = field.offset() + field.size();
            }
            pad(format, structure.size() - end);
            format.push('}');
        }
        _ => format.push('B'),
    }
}

fn pad(format: &mut String, bytes: usize) {
    if bytes > 0 {
        let _ = write!(format, "{bytes}x");
    }
}

fn letter(primitive: Primitive) -> char {
    match primitive {
        Primitive::Bool => '?',
        Primitive::I8 => 'b',
        Primitive::I16 => 'h',
        Primitive::U16 => 'H',
        Primitive::I32 => 'i',
        Primitive::U32 => 'I',
        Primitive::I64 => 'q',
        Primitive::U64 => 'Q',
        Primitive::F16 => 'e',
        Primitive::F32 => 'f',
        Primitive::F64 => 'd',
        _ => 'B',
    }
}

/// A value as Python has it.
pub(crate) fn to_python<'py>(py: Python<'py>, datum: &Datum) -> PyResult<Bound<'py, PyAny>> {
    Ok(match datum {
        Datum::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Datum::Int(value) => value.into_pyobject(py)?.into_any(),
        Datum::Uint(value) => value.into_pyobject(py)?.into_any(),
        Datum::Single(value) => value.into_pyobject(py)?.into_any(),
        Datum::Float(value) => value.into_pyobject(py)?.into_any(),
        Datum::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Datum::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Datum::Struct(fields) => {
            let dict = PyDict::new(py);
            for (name, value) in fields {
                dict.set_item(name, to_python(py, value)?)?;
            }
            dict.into_any()
        }
        other => PyString::new(py, &other.to_string()).into_any(),
    })
}

/// A Python value as a datum: numbers, bytes, sequences, dicts, and what has `tolist` (NumPy's scalars and arrays).
pub(crate) fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Datum> {
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(Datum::Bool(value.is_true()));
    }
    if let Ok(value) = value.cast::<PyFloat>() {
        return Ok(Datum::Float(value.value()));
    }
    if value.is_instance_of::<PyInt>() {
        return value
            .extract::<i64>()
            .map(Datum::Int)
            .or_else(|_| value.extract::<u64>().map(Datum::Uint))
            .map_err(|_| PyValueError::new_err(format!("the number {value} takes more than 64 bits")));
    }
    if let Ok(value) = value.cast::<PyBytes>() {
        return Ok(Datum::Bytes(value.as_bytes().to_vec()));
    }
    if let Ok(text) = value.extract::<&str>() {
        return Ok(Datum::Bytes(text.as_bytes().to_vec()));
    }
    if let Ok(fields) = value.cast::<PyDict>() {
        let fields = fields.iter().map(|(name, value)| Ok((name.extract()?, from_python(&value)?)));
        return fields.collect::<PyResult<_>>().map(Datum::Struct);
    }
    if let Ok(list) = value.getattr("tolist") {
        return from_python(&list.call0()?);
    }
    let items = value
        .try_iter()
        .map_err(|_| PyTypeError::new_err(format!("a value of {} cannot be shared", value.get_type())))?;
    items.map(|item| from_python(&item?)).collect::<PyResult<_>>().map(Datum::Array)
}

/// NumPy's name of a primitive.
pub(crate) const fn name(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Bool => "bool",
        Primitive::I8 => "int8",
        Primitive::I16 => "int16",
        Primitive::I32 => "int32",
        Primitive::I64 => "int64",
        Primitive::U8 => "uint8",
        Primitive::U16 => "uint16",
        Primitive::U32 => "uint32",
        Primitive::U64 => "uint64",
        Primitive::F16 => "float16",
        Primitive::F32 => "float32",
        Primitive::F64 => "float64",
        _ => "unknown",
    }
}
