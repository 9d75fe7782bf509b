//! The schema against CPython's `struct` and NumPy: the same sizes, offsets and values.
//!
//! `python/schema_oracle.py` reads the canonical text by itself, so these tests also show that a program that
//! has never seen the producer can decode a body from its schema alone.

mod arbitrary_schema;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use arbitrary_schema::{Layout, any_body, dtype};
use memlane::schema::{DType, Datum, Primitive, Schema};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Python, answering one question per line.
struct Oracle {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

#[derive(Debug, PartialEq)]
struct Answer {
    size: usize,
    offsets: String,
    rest: String,
}

impl Oracle {
    /// `None`, said loudly, where there is no Python with NumPy; under CI that is a failure.
    fn start() -> Option<Self> {
        let python = python();
        let check = Command::new(&python).args(["-c", "import numpy"]).stderr(Stdio::null()).status();
        if !check.is_ok_and(|status| status.success()) {
            leave_out(&python);
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/schema_oracle.py");
        let mut child = Command::new(&python)
            .arg(script)
            .env("PYTHONUTF8", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, questions, answers })
    }

    /// `None` when Python refuses the question as malformed.
    fn ask(&mut self, question: &[&str]) -> Option<Answer> {
        writeln!(self.questions.as_mut().unwrap(), "{}", question.join("\t")).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut parts = line.trim_end_matches('\n').split('\t').map(str::to_owned);
        let first = parts.next().filter(|first| first != "refused")?;
        let size = first.parse().unwrap_or_else(|_| panic!("the oracle died of {question:?}"));
        Some(Answer { size, offsets: parts.next().unwrap(), rest: parts.next().unwrap() })
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.child.wait();
    }
}

/// Under CI a failure, elsewhere a line on standard error itself, since the harness hides what passing tests
/// print.
fn leave_out(python: &Path) {
    let message = format!(
        "LEFT OUT: {}, because {} cannot import numpy; get it with `cargo xtask setup`, or name a Python that can in \
         MEMLANE_PYTHON",
        std::thread::current().name().unwrap_or("a comparison with Python"),
        python.display()
    );
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
    let _ = writeln!(std::io::stderr(), "{message}");
}

fn python() -> PathBuf {
    let of_workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    match std::env::var_os("MEMLANE_PYTHON") {
        Some(python) => python.into(),
        None if of_workspace.exists() => of_workspace,
        None => "python3".into(),
    }
}

/// Checks random cases, all with the one oracle.
fn for_all<T: std::fmt::Debug>(
    cases: impl Strategy<Value = T>,
    check: impl Fn(&mut Oracle, T) -> Result<(), TestCaseError>,
) {
    let Some(oracle) = Oracle::start() else { return };
    let oracle = std::cell::RefCell::new(oracle);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(&cases, |case| check(&mut oracle.borrow_mut(), case)).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The offsets of all fields, outer before inner.
fn offsets(dtype: &DType) -> Vec<usize> {
    let DType::Struct(structure) = dtype else { return Vec::new() };
    let with_inner = |field: &memlane::schema::Field| [vec![field.offset()], offsets(field.dtype())].concat();
    structure.fields().iter().flat_map(with_inner).collect()
}

/// The numbers and bytes of a value in the oracle's notation.
fn leaves(datum: &Datum) -> Vec<String> {
    match datum {
        Datum::Array(items) => items.iter().flat_map(leaves).collect(),
        Datum::Struct(fields) => fields.iter().flat_map(|(_, value)| leaves(value)).collect(),
        Datum::Bytes(bytes) => {
            let size = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            vec![format!("b{}", hex(&bytes[..size]))]
        }
        Datum::Single(_) | Datum::Float(_) => {
            let value = datum.as_f64().unwrap();
            vec![if value.is_nan() { "nan".to_owned() } else { format!("{:016x}", value.to_bits()) }]
        }
        number => vec![number.to_string()],
    }
}

fn our_answer(schema: &Schema, size: usize, body: &[u8]) -> Answer {
    let values = leaves(&schema.decode(body).unwrap());
    Answer { size, offsets: listed(&offsets(schema.dtype())), rest: listed(&values) }
}

#[test]
fn numpy_decodes_every_schema_to_the_same_values() {
    for_all(any_body(), |oracle, (schema, body)| {
        let answer = oracle.ask(&["numpy", &schema.to_string(), &hex(&body)]);
        prop_assert_eq!(answer, Some(our_answer(&schema, schema.item_size(), &body)));
        Ok(())
    });
}

#[test]
fn c_layout_is_what_numpy_aligns_to() {
    for_all(dtype(Just(Layout::C)), |oracle, dtype| {
        let expected =
            Answer { size: dtype.size(), offsets: listed(&offsets(&dtype)), rest: dtype.align().to_string() };
        prop_assert_eq!(oracle.ask(&["aligned", &dtype.to_string()]), Some(expected));
        Ok(())
    });
}

/// A format and random bytes, as many as the longest has: 8 codes of up to 29 items of 8 bytes, and padding.
fn any_format() -> impl Strategy<Value = (String, Vec<u8>)> {
    let format = "[<>!=@]?([1-9]?[xcbB?hHiIlLqQnNefdsP] ?|0[xbhiqd]|[12][0-9][xBHdqs]){1,8}";
    (format, prop::collection::vec(any::<u8>(), 8 * 8 * 30))
}

#[test]
fn cpython_gives_every_struct_format_the_same_size_offsets_and_values() {
    for_all(any_format(), |oracle, (format, bytes)| {
        let schema = Schema::from_struct_format(&format).ok();
        let body = schema.as_ref().map_or(&[][..], |schema| &bytes[..schema.size()]);
        let answer = oracle.ask(&["struct", &format, &hex(body)]);
        let Some(schema) = schema else {
            prop_assert!(answer.is_none_or(|answer| answer.size == 0), "refused {}", format);
            return Ok(());
        };
        let mut ours = our_answer(&schema, schema.size(), body);
        // A format of a single code is no struct and has no fields, but its item lies at 0.
        if !matches!(schema.dtype(), DType::Struct(_)) {
            "0".clone_into(&mut ours.offsets);
        }
        prop_assert_eq!(answer, Some(ours));
        Ok(())
    });
}

/// Doubles around the middle of two neighbours of a narrower float type, where rounding is easily wrong.
fn near_a_middle(narrow: Primitive) -> impl Strategy<Value = f64> {
    let patterns = 0..(1_u64 << (8 * narrow.size())) - 1;
    (patterns, -2_i64..3).prop_filter_map("neighbours are finite", move |(bits, steps)| {
        let [low, high] = [bits, bits + 1].map(|bits| narrow.datum_of(bits).as_f64().unwrap());
        let middle = f64::midpoint(low, high);
        let near = f64::from_bits(middle.to_bits().wrapping_add_signed(steps));
        (low.is_finite() && high.is_finite() && near.is_finite()).then_some(near)
    })
}

fn check_rounding(narrow: Primitive) {
    let schema = Schema::new(narrow);
    for_all(near_a_middle(narrow), |oracle, double| {
        let ours = schema.encode(&Datum::Float(double)).unwrap();
        let answer = oracle.ask(&["nearest", &schema.to_string(), &hex(&double.to_le_bytes())]).unwrap();
        prop_assert_eq!(answer.rest, hex(&ours), "{:e}", double);
        Ok(())
    });
}

#[test]
fn fractions_become_numpys_nearest_half() {
    check_rounding(Primitive::F16);
}

#[test]
fn fractions_become_numpys_nearest_single() {
    check_rounding(Primitive::F32);
}
