//! Values: every operation on every type against a model, and several threads at once.

mod patience;
mod scratch;

use memlane::schema::{Datum, Element, Primitive};
use memlane::value::Number;
use memlane::{AnyValue, Result, Value};
use patience::{DEADLINE, assert_in_vain, assert_woken};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use scratch::Scratch;
use std::thread;
use std::time::Duration;

const ID: &str = "robot/speed";

/// An operation; values are given by their bits, which every type cuts to its width.
#[derive(Debug, Clone, Copy)]
enum Step {
    Store(u64),
    Add(u64),
    /// By a tool that learns the type at run time.
    AddDatum(u64),
    /// Flips these bits.
    Update(u64),
    /// With the value that stands as the expected one.
    ExchangeSeen(u64),
    Exchange(u64, u64),
}

/// A word of the type's width, and how often it was changed.
#[derive(Debug)]
struct Model {
    primitive: Primitive,
    bits: u64,
    changes: u64,
}

impl Model {
    fn cut(&self, bits: u64) -> u64 {
        match self.primitive {
            Primitive::Bool => u64::from(bits != 0),
            sized => bits & (u64::MAX >> (u64::BITS - u8::BITS * sized.size() as u32)),
        }
    }

    /// A `bool` counts as a number of one bit here.
    fn sum(&self, summand: u64) -> u64 {
        let summand = self.cut(summand);
        match self.primitive {
            Primitive::F32 => {
                let [left, right] = [self.bits, summand].map(|bits| f32::from_bits(bits as u32));
                (left + right).to_bits().into()
            }
            Primitive::F64 => (f64::from_bits(self.bits) + f64::from_bits(summand)).to_bits(),
            Primitive::Bool => self.bits ^ summand,
            _ => self.cut(self.bits.wrapping_add(summand)),
        }
    }

    fn is_nan(&self, bits: u64) -> bool {
        match self.primitive {
            Primitive::F32 => f32::from_bits(bits as u32).is_nan(),
            Primitive::F64 => f64::from_bits(bits).is_nan(),
            _ => false,
        }
    }

    fn change(&mut self, bits: u64) {
        self.bits = bits;
        self.changes += 1;
    }
}

/// Runs the steps on a value and on the model, and compares all that can be seen.
fn follow<T: Element>(add: fn(&Value<T>, T) -> T, initial: u64, steps: &[Step]) -> TestCaseResult {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut model = Model { primitive: T::PRIMITIVE, bits: 0, changes: 0 };
    model.bits = model.cut(initial);
    let value = Value::create(&space, ID, T::from_bits(initial))?;
    let other = Value::<T>::open(&space, ID)?;
    let tool = AnyValue::open(&space, ID)?;
    for step in steps {
        perform(*step, &value, &tool, add, &mut model)?;
        let seen = [value.load().to_bits(), other.read().value.to_bits(), bits_of(&tool.load(), &model)];
        prop_assert_eq!(seen, [model.bits; 3]);
        prop_assert_eq!(value.region().version(), model.changes);
    }
    Ok(())
}

fn perform<T: Element>(
    step: Step,
    value: &Value<T>,
    tool: &AnyValue,
    add: fn(&Value<T>, T) -> T,
    model: &mut Model,
) -> TestCaseResult {
    match step {
        Step::Store(bits) => {
            value.store(T::from_bits(bits));
            model.change(model.cut(bits));
        }
        Step::Add(bits) => {
            let (expected, sum) = (model.sum(bits), add(value, T::from_bits(bits)).to_bits());
            // Which of the many that are no number comes out is the processor's choice.
            prop_assert!(sum == expected || (model.is_nan(sum) && model.is_nan(expected)));
            model.change(sum);
        }
        Step::AddDatum(bits) => match tool.add(&T::from_bits(bits).into()) {
            Err(error) => {
                prop_assert_eq!(T::PRIMITIVE, Primitive::Bool, "{}", error);
            }
            Ok(sum) => {
                let (expected, sum) = (model.sum(bits), bits_of(&sum, model));
                prop_assert!(sum == expected || (model.is_nan(sum) && model.is_nan(expected)));
                model.change(sum);
            }
        },
        Step::Update(flip) => {
            let updated = value.update(|old| T::from_bits(old.to_bits() ^ flip));
            model.change(model.cut(model.bits ^ flip));
            prop_assert_eq!(updated.to_bits(), model.bits);
        }
        Step::ExchangeSeen(new) => exchange(value, model.bits, new, model)?,
        Step::Exchange(current, new) => exchange(value, current, new, model)?,
    }
    Ok(())
}

fn exchange<T: Element>(value: &Value<T>, current: u64, new: u64, model: &mut Model) -> TestCaseResult {
    let stood = model.bits;
    let exchanged = value.compare_exchange(T::from_bits(current), T::from_bits(new));
    let bits = exchanged.map(Element::to_bits).map_err(Element::to_bits);
    if model.cut(current) == stood {
        prop_assert_eq!(bits, Ok(stood));
        model.change(model.cut(new));
    } else {
        prop_assert_eq!(bits, Err(stood));
    }
    Ok(())
}

fn bits_of(datum: &Datum, model: &Model) -> u64 {
    match datum {
        Datum::Bool(value) => u64::from(*value),
        Datum::Int(value) => model.cut(*value as u64),
        Datum::Uint(value) => *value,
        Datum::Single(value) => value.to_bits().into(),
        Datum::Float(value) => value.to_bits(),
        other => panic!("{other} is no scalar"),
    }
}

fn follow_number<T: Number>(initial: u64, steps: &[Step]) -> TestCaseResult {
    follow(Value::<T>::add, initial, steps)
}

fn follow_bool(initial: u64, steps: &[Step]) -> TestCaseResult {
    follow::<bool>(|value, other| value.update(|old| old ^ other), initial, steps)
}

type Follow = fn(u64, &[Step]) -> TestCaseResult;

const TYPES: [(&str, Follow); 11] = [
    ("bool", follow_bool),
    ("i8", follow_number::<i8>),
    ("i16", follow_number::<i16>),
    ("i32", follow_number::<i32>),
    ("i64", follow_number::<i64>),
    ("u8", follow_number::<u8>),
    ("u16", follow_number::<u16>),
    ("u32", follow_number::<u32>),
    ("u64", follow_number::<u64>),
    ("f32", follow_number::<f32>),
    ("f64", follow_number::<f64>),
];

/// Extremes of integers and floats often: that is where sums wrap and bits get lost.
fn bits() -> impl Strategy<Value = u64> {
    let numbers = [0.0, -0.0, 1.0, -1.5, f64::MAX, f64::INFINITY, f64::NAN, f64::from_bits(1)];
    let singles = numbers.map(|number| u64::from((number as f32).to_bits()));
    prop_oneof![
        any::<u64>(),
        (0_u32..64).prop_map(|shift| u64::MAX >> shift),
        (0_u32..64).prop_map(|shift| 1 << shift),
        prop::sample::select(numbers.map(f64::to_bits).to_vec()),
        prop::sample::select(singles.to_vec()),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        bits().prop_map(Step::Store),
        bits().prop_map(Step::Add),
        bits().prop_map(Step::AddDatum),
        bits().prop_map(Step::Update),
        bits().prop_map(Step::ExchangeSeen),
        (bits(), bits()).prop_map(|(current, new)| Step::Exchange(current, new)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_does_what_the_model_does(
        (_, follow) in prop::sample::select(&TYPES),
        initial in bits(),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        follow(initial, &steps)?;
    }
}

#[test]
fn integers_wrap_and_floats_are_compared_bit_for_bit() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    assert_eq!(Value::create(&space, "u8", 250_u8)?.add(10), 4);
    assert_eq!(Value::create(&space, "i8", i8::MAX)?.add(1), i8::MIN);
    let zero = Value::create(&space, "f64", -0.0_f64)?;
    assert!(zero.compare_exchange(0.0, 1.0).is_err_and(f64::is_sign_negative));
    zero.store(f64::NAN);
    assert!(zero.compare_exchange(f64::NAN, 2.0).is_ok());
    assert_eq!(zero.load(), 2.0);
    Ok(())
}

#[test]
fn what_stands_survives_every_handle() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    drop(Value::create(&space, ID, 1.5_f32)?);
    assert_eq!(Value::<f32>::open(&space, ID)?.load(), 1.5);
    assert_eq!(Value::open_or_create(&space, ID, 9.0_f32)?.load(), 1.5);
    Ok(())
}

#[test]
fn tools_use_any_type_and_are_told_what_does_not_fit() -> Result<()> {
    let scratch = Scratch::new();
    let half = AnyValue::create(&scratch.space(), ID, Primitive::F16, &Datum::Float(1.5))?;
    assert_eq!((half.primitive(), half.load()), (Primitive::F16, Datum::Single(1.5)));
    let error = half.store(&Datum::Float(1e6)).expect_err("it is out of range");
    assert_eq!(
        error.to_string(),
        "region `robot/speed`: expected a number from -65504 to 65504, found 1000000.0"
    );
    assert_eq!((half.load(), half.region().version()), (Datum::Single(1.5), 0));
    let exchanged = half.compare_exchange(&Datum::Single(1.5), &Datum::Int(2))?;
    assert_eq!((exchanged, half.load()), (Ok(Datum::Single(1.5)), Datum::Single(2.0)));
    assert_eq!(half.compare_exchange(&Datum::Int(7), &Datum::Int(8))?, Err(Datum::Single(2.0)));
    assert_eq!((half.add(&Datum::Float(0.25))?, half.load()), (Datum::Single(2.25), Datum::Single(2.25)));
    Ok(())
}

#[test]
fn tools_add_only_what_fits_and_never_truth_values() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let on = AnyValue::create(&space, "on", Primitive::Bool, &Datum::Bool(false))?;
    let small = AnyValue::create(&space, "small", Primitive::I8, &Datum::Int(-128))?;
    let refusals = [
        (
            on.add(&Datum::Bool(true)),
            "region `on`: expected a number type to add to, found |b1, whose values are stored or compared",
        ),
        (small.add(&Datum::Int(128)), "region `small`: expected a whole number from -128 to 127, found 128"),
        (
            small.add(&Datum::Float(0.5)),
            "region `small`: expected a whole number from -128 to 127, found 0.5",
        ),
    ];
    for (refused, message) in refusals {
        assert_eq!(refused.expect_err(message).to_string(), message);
    }
    assert_eq!((on.region().version(), small.region().version()), (0, 0));
    assert_eq!((small.add(&Datum::Int(-1))?, small.load()), (Datum::Int(127), Datum::Int(127)));
    Ok(())
}

#[test]
fn sums_of_four_threads_are_exact() -> Result<()> {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 25_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let total = Value::create(&space, "total", 0_u64)?;
    let small = Value::create(&space, "small", 0_i8)?;
    let float = Value::create(&space, "float", 0.0_f64)?;
    let work = || -> Result<()> {
        let (total, small, float) = (
            Value::open(&space, "total")?,
            Value::<i8>::open(&space, "small")?,
            Value::open(&space, "float")?,
        );
        for _ in 0..ROUNDS {
            total.add(3_u64);
            small.add(1);
            float.add(0.5_f64);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    let sum = THREADS * ROUNDS;
    assert_eq!((total.load(), small.load(), float.load()), (3 * sum, sum as i8, 0.5 * sum as f64));
    assert_eq!(total.region().version(), sum);
    Ok(())
}

#[test]
fn of_several_exchanges_one_succeeds() -> Result<()> {
    const THREADS: usize = 3;
    const ROUNDS: u64 = 5_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let turn = Value::create(&space, ID, 0_u64)?;
    let compete = || -> Result<u64> {
        let turn = Value::<u64>::open(&space, ID)?;
        let mut won = 0;
        let mut seen = turn.load();
        while seen < ROUNDS {
            match turn.compare_exchange(seen, seen + 1) {
                Ok(_) => won += 1,
                Err(stands) => assert!(stands > seen, "{stands} came before {seen}"),
            }
            seen = turn.load();
        }
        Ok(won)
    };
    let won: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(compete)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum::<Result<u64>>()
    })?;
    assert_eq!((won, turn.load()), (ROUNDS, ROUNDS));
    Ok(())
}

#[test]
fn waiters_are_woken() -> Result<()> {
    const ROUNDS: u64 = 2_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let question = Value::create(&space, "question", 0_u64)?;
    let answer = Value::create(&space, "answer", 0_u64)?;
    assert_woken(ROUNDS, || {
        thread::scope(|scope| {
            let answerer = scope.spawn(|| -> Result<()> {
                let (question, answer) = (Value::open(&space, "question")?, Value::open(&space, "answer")?);
                (1..=ROUNDS).try_for_each(|round| {
                    await_value(&question, round)?;
                    answer.store(round);
                    Ok(())
                })
            });
            for round in 1..=ROUNDS {
                question.store(round);
                await_value(&answer, round)?;
            }
            answerer.join().expect("it does not panic")
        })
    })
}

fn await_value(value: &Value<u64>, wanted: u64) -> Result<()> {
    let mut seen = value.read();
    while seen.value != wanted {
        seen = value.wait_newer(&seen, Some(DEADLINE))?;
    }
    Ok(())
}

#[test]
fn a_wait_for_what_has_happened_already_returns_at_once() -> Result<()> {
    let scratch = Scratch::new();
    let value = Value::create(&scratch.space(), ID, 7_i32)?;
    let seen = value.read();
    value.store(7);
    let again = value.wait_newer(&seen, Some(Duration::ZERO))?;
    assert_eq!((again.value, again.version), (7, seen.version + 1));
    let tool = AnyValue::open(&scratch.space(), ID)?;
    let seen = tool.read();
    value.store(8);
    assert_eq!(tool.wait_newer(&seen, None)?.value, Datum::Int(8));
    Ok(())
}

#[test]
fn a_wait_in_vain_takes_its_time() -> Result<()> {
    let scratch = Scratch::new();
    let value = Value::create(&scratch.space(), ID, true)?;
    let seen = value.read();
    assert_in_vain(ID, "a newer value", |timeout| value.wait_newer(&seen, timeout));
    Ok(())
}
