//! Records: writes of wholes and of fields over random schemas against a byte vector, and several threads at
//! once.

mod arbitrary_schema;
mod patience;
mod random;
mod scratch;

use arbitrary_schema::any_schema;
use memlane::schema::{DType, Datum, Field, Schema};
use memlane::{Error, Record, Result};
use patience::{DEADLINE, assert_in_vain, assert_woken};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use random::Random;
use scratch::Scratch;
use std::thread;
use std::time::Duration;

const ID: &str = "robot/pose";

/// What is written; contents are given by the seed of their bytes.
#[derive(Debug, Clone)]
enum Step {
    Bytes(u64),
    Datum(u64),
    /// Which field, if there are any.
    Field(Index, u64),
    /// How many versions behind the expected one is.
    IfVersion(u64, u64),
}

/// The bytes of a record and how often they were changed.
#[derive(Debug)]
struct Model {
    schema: Schema,
    bytes: Vec<u8>,
    version: u64,
}

impl Model {
    fn change(&mut self, bytes: Vec<u8>) -> u64 {
        self.bytes = bytes;
        self.version += 1;
        self.version
    }

    fn content(&self, seed: u64) -> Vec<u8> {
        filled(self.schema.size(), seed)
    }

    fn fields(&self) -> &[Field] {
        match self.schema.dtype() {
            DType::Struct(structure) => structure.fields(),
            _ => &[],
        }
    }
}

fn filled(size: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    std::iter::repeat_with(|| random.next() as u8).take(size).collect()
}

/// Text, because a value that holds what is no number is not equal to itself.
fn shown(datum: &Datum) -> String {
    format!("{datum:?}")
}

fn perform(step: &Step, record: &Record, model: &mut Model) -> TestCaseResult {
    match step {
        Step::Bytes(seed) => {
            let bytes = model.content(*seed);
            prop_assert_eq!(record.write_bytes(&bytes)?, model.change(bytes));
        }
        Step::Datum(seed) => {
            let datum = model.schema.decode(&model.content(*seed))?;
            let bytes = model.schema.encode(&datum)?;
            prop_assert_eq!(record.write(&datum)?, model.change(bytes));
        }
        Step::Field(index, seed) => {
            if let Some(field) = model.fields().get(index.index(model.fields().len().max(1))).cloned() {
                write_field(&field, *seed, record, model)?;
            }
        }
        Step::IfVersion(behind, seed) => write_if(*behind, *seed, record, model)?,
    }
    Ok(())
}

fn write_field(field: &Field, seed: u64, record: &Record, model: &mut Model) -> TestCaseResult {
    let datum = field.decode(&model.content(seed))?;
    let mut bytes = model.bytes.clone();
    field.encode(&datum, &mut bytes)?;
    record.write_field(field.name(), &datum)?;
    let (own, end) = (field.offset(), field.offset() + field.size());
    prop_assert_eq!((&bytes[..own], &bytes[end..]), (&model.bytes[..own], &model.bytes[end..]));
    model.change(bytes);
    prop_assert_eq!(shown(&record.read_field(field.name())?), shown(&field.decode(&model.bytes)?));
    Ok(())
}

fn write_if(behind: u64, seed: u64, record: &Record, model: &mut Model) -> TestCaseResult {
    let bytes = model.content(seed);
    match record.write_if(model.version.wrapping_sub(behind), &bytes)? {
        Ok(version) => prop_assert_eq!((behind, version), (0, model.change(bytes))),
        Err(conflict) => {
            prop_assert!(behind != 0, "nobody was faster");
            prop_assert_eq!((conflict.version, &conflict.content), (model.version, &model.bytes));
        }
    }
    Ok(())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => any::<u64>().prop_map(Step::Bytes),
        1 => any::<u64>().prop_map(Step::Datum),
        2 => (any::<Index>(), any::<u64>()).prop_map(|(index, seed)| Step::Field(index, seed)),
        2 => (0_u64..3, any::<u64>()).prop_map(|(behind, seed)| Step::IfVersion(behind, seed)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_write_does_what_the_model_does(
        schema in any_schema(),
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let scratch = Scratch::new();
        let record = Record::create(&scratch.space(), ID, schema.clone())?;
        let other = Record::open(&scratch.space(), ID)?;
        prop_assert_eq!(other.schema(), &schema);
        let mut model = Model { bytes: vec![0; schema.size()], schema, version: 0 };
        for step in &steps {
            perform(step, &record, &mut model)?;
            prop_assert_eq!(other.read_bytes()?, (model.bytes.clone(), model.version));
            let (datum, version) = record.read()?;
            prop_assert_eq!((shown(&datum), version), (shown(&model.schema.decode(&model.bytes)?), model.version));
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() -> Result<()> {
    let scratch = Scratch::new();
    let record = Record::create(&scratch.space(), ID, "{id:|u1,level@2:<i2}")?;
    record.write_bytes(&[1, 2, 3, 4])?;
    let refusals = [
        (record.write_bytes(&[0; 3]).err(), "3 bytes do not fit region `robot/pose`, which holds 4"),
        (record.write_if(1, &[0; 5]).err(), "5 bytes do not fit region `robot/pose`, which holds 4"),
        (
            record.write_field("id", &Datum::Int(256)).err(),
            "region `robot/pose`: in id: expected a whole number from 0 to 255, found 256",
        ),
        (
            record.write_field("speed", &Datum::Int(1)).err(),
            "region `robot/pose` has no field `speed`: its schema is {id:|u1,level@2:<i2}",
        ),
        (
            record.read_field("speed").err(),
            "region `robot/pose` has no field `speed`: its schema is {id:|u1,level@2:<i2}",
        ),
        (record.write(&Datum::Int(1)).err(), "region `robot/pose`: expected a struct of 2 fields, found 1"),
    ];
    for (error, message) in refusals {
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(message));
    }
    assert_eq!(record.read_bytes()?, (vec![1, 2, 3, 4], 1));
    let error = Record::create(&scratch.space(), "other", "{x:<f9}").expect_err("there is no such type");
    assert!(matches!(error, Error::Schema { .. }), "{error}");
    Ok(())
}

/// Two writers and two readers; every content has one number in all its words.
#[test]
fn readers_under_flat_out_writers_see_wholes() -> Result<()> {
    const WORDS: usize = 600;
    const ROUNDS: u64 = 4_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let record = Record::create(&space, ID, format!("[{WORDS}]<u8").as_str())?;
    let write = |first: u64| -> Result<()> {
        let record = Record::open(&space, ID)?;
        (first..).step_by(2).take(ROUNDS as usize).try_for_each(|number| {
            let bytes: Vec<u8> = number.to_le_bytes().repeat(WORDS);
            record.write_bytes(&bytes).map(drop)
        })
    };
    let read = || -> Result<()> {
        let record = Record::open(&space, ID)?;
        let mut newest = 0;
        while newest < 2 * ROUNDS {
            let (bytes, version) = record.read_bytes()?;
            let (words, _) = bytes.as_chunks::<8>();
            assert!(words.iter().all(|word| word == &words[0]), "version {version} is a mixture");
            assert!(version >= newest, "version {version} came after {newest}");
            newest = version;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let writers = [1, 2].map(|first| scope.spawn(move || write(first)));
        let readers = [scope.spawn(read), scope.spawn(read)];
        writers.into_iter().chain(readers).try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!(record.version(), 2 * ROUNDS);
    Ok(())
}

#[test]
fn a_field_written_by_one_thread_is_not_lost_to_its_neighbours_writer() -> Result<()> {
    const ROUNDS: u64 = 5_000;
    const FIELDS: [&str; 3] = ["a", "b", "c"];
    let scratch = Scratch::new();
    let space = scratch.space();
    let record = Record::create(&space, ID, "{a:<u4,b:>u8,c:<f8}")?;
    thread::scope(|scope| {
        let count = |name| {
            let space = &space;
            move || -> Result<()> {
                let record = Record::open(space, ID)?;
                (1..=ROUNDS).try_for_each(|round| {
                    record.write_field(name, &Datum::Uint(round))?;
                    assert_eq!(record.read_field(name)?.as_f64(), Some(round as f64));
                    Ok(())
                })
            }
        };
        let threads = FIELDS.map(|name| scope.spawn(count(name)));
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    for name in FIELDS {
        assert_eq!(record.read_field(name)?.as_f64(), Some(ROUNDS as f64));
    }
    assert_eq!(record.version(), FIELDS.len() as u64 * ROUNDS);
    Ok(())
}

#[test]
fn conditional_writes_count_exactly() -> Result<()> {
    const THREADS: usize = 3;
    const ROUNDS: usize = 3_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let record = Record::create(&space, ID, "<u8")?;
    let count = || -> Result<()> {
        let record = Record::open(&space, ID)?;
        let (mut bytes, mut version) = record.read_bytes()?;
        let mut done = 0;
        while done < ROUNDS {
            let next = number(&bytes) + 1;
            match record.write_if(version, &next.to_le_bytes())? {
                Ok(written) => {
                    (bytes, version) = (next.to_le_bytes().to_vec(), written);
                    done += 1;
                }
                Err(conflict) => (bytes, version) = (conflict.content, conflict.version),
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(count)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!(record.read()?, (Datum::Uint((THREADS * ROUNDS) as u64), (THREADS * ROUNDS) as u64));
    Ok(())
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("the record has eight bytes"))
}

/// The region's lock belongs to its users: writers do not take it.
#[test]
fn who_holds_the_regions_lock_keeps_nobody_from_writing() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let record = Record::create(&space, ID, "<u8")?;
    let lock = record.region().lock();
    let guard = lock.lock()?;
    let written = thread::scope(|scope| {
        let writer = scope.spawn(|| Record::open(&space, ID)?.write(&Datum::Uint(5)));
        writer.join().expect("it does not panic")
    })?;
    assert_eq!((written, record.read()?), (1, (Datum::Uint(5), 1)));
    drop(guard);
    Ok(())
}

#[test]
fn waiters_are_woken() -> Result<()> {
    const ROUNDS: u64 = 2_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let question = Record::create(&space, "question", "{round:<u8}")?;
    let answer = Record::create(&space, "answer", "{round:<u8}")?;
    assert_woken(ROUNDS, || {
        thread::scope(|scope| {
            let answerer = scope.spawn(|| -> Result<()> {
                let (question, answer) = (Record::open(&space, "question")?, Record::open(&space, "answer")?);
                (1..=ROUNDS).try_for_each(|round| {
                    await_version(&question, round)?;
                    answer.write_field("round", &Datum::Uint(round))
                })
            });
            for round in 1..=ROUNDS {
                question.write_field("round", &Datum::Uint(round))?;
                await_version(&answer, round)?;
            }
            answerer.join().expect("it does not panic")
        })
    })?;
    assert_eq!(answer.read_field("round")?, Datum::Uint(ROUNDS));
    Ok(())
}

fn await_version(record: &Record, wanted: u64) -> Result<()> {
    let mut seen = record.version();
    while seen != wanted {
        seen = record.wait_newer(seen, Some(DEADLINE))?;
    }
    Ok(())
}

#[test]
fn a_wait_in_vain_takes_its_time() -> Result<()> {
    let scratch = Scratch::new();
    let record = Record::create(&scratch.space(), ID, "<u8")?;
    let seen = record.write(&Datum::Uint(1))?;
    assert_in_vain(ID, "a newer content", |timeout| record.wait_newer(seen, timeout));
    assert_eq!(record.wait_newer(0, Some(Duration::ZERO))?, seen);
    Ok(())
}
