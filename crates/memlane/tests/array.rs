//! Arrays: operations on elements and on several at once against a vector, and several threads at once.
#![allow(unsafe_code, clippy::cast_ptr_alignment)] // A pointer is to be followed, to where a body is aligned.

mod arbitrary_schema;
mod patience;
mod random;
mod scratch;

use arbitrary_schema::any_schema;
use memlane::schema::{Datum, Element, Schema};
use memlane::{AnyArray, Array, Error, Result};
use patience::{DEADLINE, assert_in_vain, assert_woken};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use random::Random;
use scratch::Scratch;
use std::slice;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

const ID: &str = "robot/joints";

/// An operation; elements are given by their bits, and some places are not there.
#[derive(Debug, Clone)]
enum Step {
    Store(usize, u64),
    /// Flips these bits.
    Update(usize, u64),
    Write(usize, Vec<u64>),
    Read(usize, usize),
}

/// The elements, by their bits, and how often the change counter went up.
#[derive(Debug)]
struct Model {
    elements: Vec<u64>,
    changes: u64,
}

impl Model {
    /// Whether all of these elements are there; else which index the error names.
    fn check(&self, start: usize, count: usize) -> std::result::Result<(), u64> {
        if start + count <= self.elements.len() { Ok(()) } else { Err((start + count - 1) as u64) }
    }

    fn change(&mut self, start: usize, bits: &[u64]) {
        self.elements[start..start + bits.len()].copy_from_slice(bits);
        self.changes += 1;
    }
}

fn follow<T: Element>(shape: &[usize], steps: &[Step]) -> TestCaseResult {
    let scratch = Scratch::new();
    let space = scratch.space();
    let array = Array::<T>::create(&space, ID, shape)?;
    let other = Array::<T>::open(&space, ID)?;
    let len = shape.iter().product();
    prop_assert_eq!((other.shape(), other.len(), other.is_empty()), (shape, len, false));
    let mut model = Model { elements: vec![0; len], changes: 0 };
    for step in steps {
        perform(step, &array, &mut model)?;
        let loaded: Vec<u64> =
            (0..len).map(|index| Ok(other.load(index)?.to_bits())).collect::<Result<_>>()?;
        prop_assert_eq!(&loaded, &model.elements);
        prop_assert_eq!(bits(&other.snapshot()?), loaded);
        prop_assert_eq!(array.region().version(), model.changes);
    }
    Ok(())
}

fn perform<T: Element>(step: &Step, array: &Array<T>, model: &mut Model) -> TestCaseResult {
    match step {
        Step::Store(index, bits) => {
            let new = T::from_bits(*bits);
            if agreed(array.store(*index, new), model.check(*index, 1), model)?.is_some() {
                model.change(*index, &[new.to_bits()]);
            }
        }
        Step::Update(index, flip) => {
            let updated = array.update(*index, |old| T::from_bits(old.to_bits() ^ flip));
            if let Some(new) = agreed(updated, model.check(*index, 1), model)? {
                let expected = T::from_bits(model.elements[*index] ^ flip).to_bits();
                prop_assert_eq!(new.to_bits(), expected);
                model.change(*index, &[expected]);
            }
        }
        Step::Write(start, new) => {
            let new: Vec<T> = new.iter().map(|bits| T::from_bits(*bits)).collect();
            let written = array.lock()?.write(*start, &new);
            if agreed(written, model.check(*start, new.len()), model)?.is_some() {
                model.change(*start, &bits(&new));
            }
        }
        Step::Read(start, count) => {
            let read = array.lock()?.read(*start, *count);
            if let Some(read) = agreed(read, model.check(*start, *count), model)? {
                prop_assert_eq!(&bits(&read), &model.elements[*start..start + count]);
            }
        }
    }
    Ok(())
}

/// What was done, if the model can do it too; nothing when neither can.
fn agreed<T>(
    done: Result<T>,
    expected: std::result::Result<(), u64>,
    model: &Model,
) -> std::result::Result<Option<T>, TestCaseError> {
    match (done, expected) {
        (Ok(done), Ok(())) => Ok(Some(done)),
        (Err(Error::OutOfRange { what: "element", index, len, .. }), Err(expected)) => {
            prop_assert_eq!((index, len), (expected, model.elements.len() as u64));
            Ok(None)
        }
        (done, expected) => {
            Err(TestCaseError::fail(format!("{:?} where {expected:?} was right", done.err())))
        }
    }
}

fn bits<T: Element>(elements: &[T]) -> Vec<u64> {
    elements.iter().map(|element| element.to_bits()).collect()
}

type Follow = fn(&[usize], &[Step]) -> TestCaseResult;

const TYPES: [(&str, Follow); 11] = [
    ("bool", follow::<bool>),
    ("i8", follow::<i8>),
    ("i16", follow::<i16>),
    ("i32", follow::<i32>),
    ("i64", follow::<i64>),
    ("u8", follow::<u8>),
    ("u16", follow::<u16>),
    ("u32", follow::<u32>),
    ("u64", follow::<u64>),
    ("f32", follow::<f32>),
    ("f64", follow::<f64>),
];

fn step() -> impl Strategy<Value = Step> {
    let index = || 0_usize..20;
    prop_oneof![
        (index(), any::<u64>()).prop_map(|(index, bits)| Step::Store(index, bits)),
        (index(), any::<u64>()).prop_map(|(index, flip)| Step::Update(index, flip)),
        (index(), prop::collection::vec(any::<u64>(), 1..8)).prop_map(|(start, new)| Step::Write(start, new)),
        (index(), 1_usize..8).prop_map(|(start, count)| Step::Read(start, count)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_does_what_the_model_does(
        (_, follow) in prop::sample::select(&TYPES),
        shape in prop::collection::vec(1_usize..5, 1..3),
        steps in prop::collection::vec(step(), 1..30),
    ) {
        follow(&shape, &steps)?;
    }

    /// Elements of any schema, most of more than one word, against a vector of bytes.
    #[test]
    fn tools_store_elements_of_any_schema(
        schema in any_schema(),
        seeds in prop::collection::vec(any::<u64>(), 1..12),
    ) {
        let scratch = Scratch::new();
        let array = AnyArray::create(&scratch.space(), ID, schema.clone())?;
        let mut model = vec![0; schema.size()];
        prop_assert_eq!(array.len(), schema.item_count());
        for seed in seeds {
            store(seed, &array, &schema, &mut model)?;
            prop_assert_eq!(array.snapshot()?, model.clone());
        }
    }
}

fn store(seed: u64, array: &AnyArray, schema: &Schema, model: &mut [u8]) -> TestCaseResult {
    let mut random = Random::new(seed);
    let index = random.index(schema.item_count());
    let bytes: Vec<u8> = (0..schema.item_size()).map(|_| random.next() as u8).collect();
    let datum = schema.dtype().decode(&bytes)?;
    array.store(index, &datum)?;
    let item = &mut model[index * schema.item_size()..][..schema.item_size()];
    schema.dtype().encode(&datum, item)?;
    // Text, because what is no number is not equal to itself.
    prop_assert_eq!(format!("{:?}", array.load(index)?), format!("{:?}", schema.dtype().decode(item)?));
    Ok(())
}

#[test]
fn what_is_not_there_or_does_not_fit_is_refused() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let array = Array::<u8>::create(&space, ID, &[2, 3])?;
    let tool = AnyArray::open(&space, ID)?;
    let guard = array.lock()?;
    let refusals = [
        (array.load(6).err(), "region `robot/joints` has no element 6: there are 6"),
        (
            array.store(usize::MAX, 1).err(),
            "region `robot/joints` has no element 18446744073709551615: there are 6",
        ),
        (array.update(7, |old| old).err(), "region `robot/joints` has no element 7: there are 6"),
        (guard.read(4, 3).err(), "region `robot/joints` has no element 6: there are 6"),
        (guard.write(5, &[1, 2]).err(), "region `robot/joints` has no element 6: there are 6"),
        (tool.load(6).err(), "region `robot/joints` has no element 6: there are 6"),
        (
            tool.store(0, &Datum::Int(-1)).err(),
            "region `robot/joints`: expected a whole number from 0 to 255, found -1",
        ),
        (
            Array::<u16>::open(&space, ID).err(),
            "region `robot/joints` has the schema [2,3]|u1, but [2,3]<u2 was expected; \
             use that one, or remove the region first",
        ),
        (
            Array::<u8>::open_or_create(&space, ID, &[6]).err(),
            "region `robot/joints` has the schema [2,3]|u1, but [6]|u1 was expected; \
             use that one, or remove the region first",
        ),
        (
            Array::<u8>::create(&space, "none", &[0]).err(),
            "region `none`: expected a dimension of at least 1, found 0",
        ),
    ];
    for (error, message) in refusals {
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(message));
    }
    assert_eq!((guard.read(0, 6)?, array.region().version()), (vec![0; 6], 0));
    Ok(())
}

/// Whoever holds the lock reads by its guard; taking it once more would be waiting for oneself.
#[test]
fn a_snapshot_under_the_own_lock_is_refused() -> Result<()> {
    let scratch = Scratch::new();
    let array = Array::<i32>::create(&scratch.space(), ID, &[4])?;
    let guard = array.lock()?;
    assert!(matches!(array.snapshot(), Err(Error::WouldDeadlock { .. })));
    guard.write(1, &[5, 6])?;
    assert_eq!((guard.read(0, 4)?, guard.guard().owner_died()), (vec![0, 5, 6, 0], false));
    drop(guard);
    assert_eq!(array.snapshot()?, [0, 5, 6, 0]);
    Ok(())
}

#[test]
fn updates_of_four_threads_are_exact_and_spare_the_neighbours() -> Result<()> {
    const THREADS: usize = 4;
    const ROUNDS: u16 = 10_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let array = Array::<u16>::create(&space, ID, &[THREADS + 1])?;
    let work = |own: usize| -> Result<()> {
        let array = Array::<u16>::open(&space, ID)?;
        for round in 1..=ROUNDS {
            array.update(THREADS, |old| old.wrapping_add(1))?;
            array.store(own, round)?;
            assert_eq!(array.load(own)?, round, "a neighbour's store reached element {own}");
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|own| scope.spawn(move || work(own))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    let mut expected = [ROUNDS; THREADS + 1];
    expected[THREADS] = ROUNDS.wrapping_mul(THREADS as u16);
    assert_eq!(array.snapshot()?, expected);
    Ok(())
}

/// Writers fill the whole array with one number under the lock, readers take snapshots.
#[test]
fn snapshots_are_consistent_against_writers_that_lock() -> Result<()> {
    const LEN: usize = 500;
    const ROUNDS: u64 = 1_500;
    let scratch = Scratch::new();
    let space = scratch.space();
    let array = Array::<u64>::create(&space, ID, &[LEN])?;
    let write = || -> Result<()> {
        let array = Array::<u64>::open(&space, ID)?;
        (0..ROUNDS).try_for_each(|_| {
            let guard = array.lock()?;
            let next = guard.read(LEN - 1, 1)?[0] + 1;
            guard.write(0, &[next; LEN])
        })
    };
    let read = || -> Result<()> {
        let array = Array::<u64>::open(&space, ID)?;
        let mut newest = 0;
        while newest < 2 * ROUNDS {
            let snapshot = array.snapshot()?;
            assert_eq!(snapshot, [snapshot[0]; LEN]);
            assert!(snapshot[0] >= newest, "{} came after {newest}", snapshot[0]);
            newest = snapshot[0];
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(write), scope.spawn(write), scope.spawn(read)];
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!((array.load(0)?, array.region().version()), (2 * ROUNDS, 2 * ROUNDS));
    Ok(())
}

#[test]
fn waiters_are_woken() -> Result<()> {
    const ROUNDS: u64 = 2_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let question = Array::<u64>::create(&space, "question", &[1])?;
    let answer = Array::<u64>::create(&space, "answer", &[1])?;
    assert_woken(ROUNDS, || {
        thread::scope(|scope| {
            let answerer = scope.spawn(|| -> Result<()> {
                let (question, answer) =
                    (Array::<u64>::open(&space, "question")?, Array::open(&space, "answer")?);
                (1..=ROUNDS).try_for_each(|round| {
                    await_version(&question, round)?;
                    answer.store(0, question.load(0)?)
                })
            });
            for round in 1..=ROUNDS {
                question.store(0, round)?;
                await_version(&answer, round)?;
                assert_eq!(answer.load(0)?, round);
            }
            answerer.join().expect("it does not panic")
        })
    })
}

fn await_version(array: &Array<u64>, wanted: u64) -> Result<()> {
    let mut seen = array.region().version();
    while seen != wanted {
        seen = array.wait_newer(seen, Some(DEADLINE))?;
    }
    Ok(())
}

/// Who writes through the pointer tells of it apart.
#[test]
fn the_pointer_leads_to_the_elements() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let array = Array::<u16>::create(&space, ID, &[2, 3])?;
    let tool = AnyArray::open(&space, ID)?;
    // SAFETY: there are 6 elements, aligned, and `tool` keeps them mapped.
    let elements = unsafe { slice::from_raw_parts(tool.as_mut_ptr().cast::<AtomicU16>(), 6) };
    array.store(4, 7)?;
    elements[5].store(8, Relaxed);
    assert_eq!((elements[4].load(Relaxed), array.load(5)?, array.region().version()), (7, 8, 1));
    tool.changed();
    assert_eq!(array.wait_newer(1, Some(Duration::ZERO))?, 2);
    Ok(())
}

#[test]
fn a_wait_in_vain_takes_its_time() -> Result<()> {
    let scratch = Scratch::new();
    let array = Array::<u8>::create(&scratch.space(), ID, &[3])?;
    array.store(0, 1)?;
    assert_in_vain(ID, "a newer element", |timeout| array.wait_newer(1, timeout));
    assert_eq!(array.wait_newer(0, Some(Duration::ZERO))?, 1);
    Ok(())
}

#[test]
fn elements_whose_type_is_learned_at_run_time_are_exchanged() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let array = AnyArray::create(&space, "counts", "[2]i16".parse().expect("it is a schema"))?;
    assert_eq!(array.compare_exchange(1, &0_i16.into(), &5_i16.into())?, Ok(0_i16.into()));
    assert_eq!(array.compare_exchange(1, &0_i16.into(), &6_i16.into())?, Err(5_i16.into()));
    assert_eq!(array.add(1, &(-7_i16).into())?, (-2_i16).into());
    assert_eq!(array.region().version(), 2);
    assert!(matches!(array.add(2, &1_i16.into()), Err(Error::OutOfRange { .. })));
    for schema in ["[2]bool", "[2]{a: u1}"] {
        let other = AnyArray::create(
            &space,
            &format!("other/{}", schema.len()),
            schema.parse().expect("it is a schema"),
        )?;
        assert!(matches!(other.add(0, &1_u8.into()), Err(Error::Schema { .. })), "{schema}");
    }
    Ok(())
}
