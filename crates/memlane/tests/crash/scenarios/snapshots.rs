//! Killed while it writes a record or a text, which change as a whole.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::schema::Datum;
use memlane::{Record, Text};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("record: write", Deaths::AtEveryInstruction, write_record),
    Scenario::new("record: write a field", Deaths::AtEveryInstruction, write_field),
    Scenario::new("text: write", Deaths::AtEveryInstruction, write_text),
    Scenario::new("text: write on condition", Deaths::AtEveryInstruction, write_text_if),
];

const POSE: &str = "{x:<f8,y:<f8,name:|S8}";

fn pose(number: f64, name: &str) -> Datum {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(8, 0);
    Datum::Struct(vec![
        ("x".to_owned(), Datum::Float(number)),
        ("y".to_owned(), Datum::Float(number)),
        ("name".to_owned(), Datum::Bytes(bytes)),
    ])
}

fn write_record(stage: &Stage<'_>) {
    let written = pose(2.0, "new");
    record_changed_by(stage, &written, |record| {
        record.write(&pose(2.0, "new")).unwrap();
    });
}

fn write_field(stage: &Stage<'_>) {
    let Datum::Struct(mut fields) = pose(1.0, "old") else { unreachable!() };
    fields[1].1 = Datum::Float(2.0);
    record_changed_by(stage, &Datum::Struct(fields), |record| {
        record.write_field("y", &Datum::Float(2.0)).unwrap();
    });
}

fn record_changed_by(stage: &Stage<'_>, written: &Datum, change: fn(&Record)) {
    let record = Record::create(stage.space(), ID, POSE).unwrap();
    let old = pose(1.0, "old");
    let version = record.write(&old).unwrap();
    let victim = stage.victim(|| {
        let record = Record::open(stage.space(), ID).unwrap();
        join(record.region());
        operation(|| change(&record));
    });
    victim.dies();
    let (found, now) = record.read().unwrap();
    assert_eq!(&found, if now == version { &old } else { written }, "version {now}");
    assert!((version..=version + 1).contains(&now));
    record.write_field("x", &Datum::Float(3.0)).unwrap();
    assert_eq!(record.read_field("x").unwrap(), Datum::Float(3.0));
    assert_eq!(record.version(), now + 1);
    assert_alone(record.region());
}

const OLD: &str = "the text before";
const NEW: &str = "a longer text that stands after it: ä, ö, ü";

fn write_text(stage: &Stage<'_>) {
    text_changed_by(stage, |text, _| assert!(text.write(NEW).is_ok()));
}

fn write_text_if(stage: &Stage<'_>) {
    text_changed_by(stage, |text, version| assert!(text.write_if(version, NEW).unwrap().is_ok()));
}

fn text_changed_by(stage: &Stage<'_>, change: fn(&Text, u64)) {
    let text = Text::create(stage.space(), ID, 64).unwrap();
    let version = text.write(OLD).unwrap();
    let victim = stage.victim(|| {
        let text = Text::open(stage.space(), ID).unwrap();
        join(text.region());
        operation(|| change(&text, version));
    });
    victim.dies();
    let (found, now) = text.read().unwrap();
    assert_eq!(found, if now == version { OLD } else { NEW }, "version {now}");
    assert!((version..=version + 1).contains(&now));
    let conflict = text.write_if(now + 1, "too soon").unwrap().unwrap_err();
    assert_eq!((conflict.version, conflict.content), (now, found));
    assert_eq!(text.write("the next").unwrap(), now + 1);
    assert_eq!(text.read().unwrap(), ("the next".to_owned(), now + 1));
    assert_alone(text.region());
}
