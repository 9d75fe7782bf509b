//! Streams: what readers get and lose against a model, between threads and handles, and what a publisher that waits
//! for its readers makes of those who do not read, leave or are killed.

mod patience;
mod role;
mod scratch;

use memlane::schema::Datum;
use memlane::stream::{PublisherState, Records};
use memlane::{Error, Result, Space, StreamPublisher, StreamSpec, StreamSubscriber, Value};
use patience::{DEADLINE, assert_in_vain, assert_woken, await_that};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use role::{Part, Role, listen, say};
use scratch::Scratch;
use std::thread;
use std::time::Duration;

const ID: &str = "myo/emg";

/// No whole number of words, so that records do not lie one behind the other.
const SCHEMA: &str = "[3]<u4";
const RECORD: usize = 12;
/// As few as fill a page.
const CAPACITY: u64 = 256;

fn spec() -> StreamSpec {
    StreamSpec::of(SCHEMA).capacity(CAPACITY)
}

fn record(number: u64) -> Vec<u8> {
    (number as u32).to_le_bytes().repeat(3)
}

fn records(range: std::ops::Range<u64>) -> Vec<u8> {
    range.flat_map(record).collect()
}

fn append(publisher: &mut StreamPublisher, count: u64) -> Result<()> {
    (0..count).try_for_each(|_| {
        let number = publisher.published();
        assert_eq!(publisher.append(&record(number))?, number);
        Ok(())
    })
}

fn assert_are(got: &Records, numbers: std::ops::Range<u64>, lost: u64) {
    assert_eq!((got.first, got.len() as u64, got.lost), (numbers.start, numbers.end - numbers.start, lost));
    assert_eq!(got.bytes, records(numbers.clone()));
    assert!(
        got.iter()
            .map(|(number, bytes)| (number, bytes.to_vec()))
            .eq(numbers.map(|number| (number, record(number))))
    );
}

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let played = match part.role.as_str() {
            "publisher" => publish(&space, part),
            "reader" => read(&space),
            other => panic!("there is no role {other}"),
        };
        played.expect("the role can be played");
    });
}

/// Becomes the publisher, sooner or later; publishes as many records as it is told, and begins one more.
fn publish(space: &Space, part: &Part) -> Result<()> {
    let mut publisher = StreamPublisher::open_or_create_within(space, ID, &spec(), DEADLINE)?;
    append(&mut publisher, part.number(0))?;
    publisher.batch(1)?.set(0, &[u8::MAX; RECORD])?;
    say("published");
    listen();
    Ok(())
}

/// Lets a lossless publisher wait for it.
fn read(space: &Space) -> Result<()> {
    let _reader = StreamSubscriber::open(space, ID)?;
    say("subscribed");
    listen();
    Ok(())
}

#[test]
fn records_come_in_order_and_are_counted_from_zero() -> Result<()> {
    let scratch = Scratch::new();
    let mut publisher = StreamPublisher::create(&scratch.space(), ID, &spec())?;
    let reader = StreamSubscriber::open(&scratch.space(), ID)?;
    assert_eq!((publisher.capacity(), reader.latest(), reader.last(5)?.len()), (CAPACITY, None, 0));
    append(&mut publisher, 3)?;
    let first = reader.next(None)?;
    assert_eq!((first.sequence, first.bytes), (0, record(0)));
    let mut bytes = [0; RECORD];
    assert_eq!((reader.next_into(&mut bytes, None)?, bytes.to_vec()), (1, record(1)));
    assert_eq!(reader.latest().map(|record| record.sequence), Some(2));
    assert_are(&reader.last(2)?, 1..3, 0);
    assert_are(&reader.since(1)?, 1..3, 0);
    assert_are(&reader.since(9)?, 9..9, 0);
    assert_are(&reader.next_many(10, None)?, 2..3, 0);
    assert_are(&reader.try_next_many(10), 3..3, 0);
    assert_eq!((reader.cursor(), reader.published(), reader.lost()), (3, 3, 0));
    let late = StreamSubscriber::open(&scratch.space(), ID)?;
    assert_eq!(late.cursor(), 3);
    assert_are(&late.history(2).try_next_many(10), 1..3, 0);
    Ok(())
}

#[test]
fn fields_are_written_by_their_schema() -> Result<()> {
    let scratch = Scratch::new();
    let mut publisher = StreamPublisher::create(&scratch.space(), ID, &spec())?;
    let numbers = Datum::Array(vec![Datum::Uint(7); 3]);
    assert_eq!(publisher.append_datum(&numbers)?, 0);
    let reader = StreamSubscriber::open(&scratch.space(), ID)?;
    assert_eq!(reader.latest().map(|latest| latest.bytes), Some(record(7)));
    assert!(matches!(publisher.append_datum(&Datum::Bool(true)), Err(Error::Schema { .. })));
    Ok(())
}

#[test]
fn a_slow_reader_learns_how_many_it_lost() -> Result<()> {
    let scratch = Scratch::new();
    let mut publisher = StreamPublisher::create(&scratch.space(), ID, &spec())?;
    let reader = StreamSubscriber::open(&scratch.space(), ID)?;
    append(&mut publisher, CAPACITY)?;
    assert_are(&reader.since(0)?, 0..CAPACITY, 0);
    append(&mut publisher, 10)?;
    assert_are(&reader.since(0)?, 10..CAPACITY + 10, 10);
    assert_are(&reader.last(1000)?, 10..CAPACITY + 10, 0);
    let next = reader.next(None)?;
    assert!(next.sequence >= 10);
    assert_eq!((next.bytes, reader.lost()), (record(next.sequence), next.sequence));
    Ok(())
}

#[test]
fn a_batch_is_one_change() -> Result<()> {
    let scratch = Scratch::new();
    let mut publisher = StreamPublisher::create(&scratch.space(), ID, &spec())?;
    let reader = StreamSubscriber::open(&scratch.space(), ID)?;
    let mut batch = publisher.batch(4)?;
    assert_eq!((batch.first(), batch.stride()), (0, 16));
    (0..4).try_for_each(|index| batch.set(index, &record(index)))?;
    assert!(reader.try_next_many(9).is_empty(), "nobody sees a batch that is not published");
    assert!(matches!(batch.set(4, &record(4)), Err(Error::OutOfRange { index: 4, len: 4, .. })));
    assert!(matches!(batch.set(0, &[0; 5]), Err(Error::TooLarge { size: 5, capacity: RECORD, .. })));
    assert_eq!(batch.publish(3), 0);
    assert_are(&reader.try_next_many(9), 0..3, 0);
    drop(publisher.batch(2)?);
    assert_eq!(publisher.append_many(&records(3..2 * CAPACITY))?, 3);
    assert_are(&reader.last(CAPACITY as usize)?, CAPACITY..2 * CAPACITY, 0);
    for count in [0, CAPACITY / 8 + 1] {
        let refused = publisher.batch(count).expect_err("too many");
        assert_eq!(
            refused.to_string(),
            format!("the records of a batch of region `{ID}` must be 1 to 32, not {count}")
        );
    }
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut publisher = StreamPublisher::open_or_create(&space, ID, &spec())?;
    let reader = StreamSubscriber::open(&space, ID)?;
    assert!(matches!(publisher.append(&[0; 11]), Err(Error::TooLarge { size: 11, capacity: RECORD, .. })));
    assert!(matches!(publisher.append_many(&[0; 13]), Err(Error::TooLarge { .. })));
    assert!(matches!(reader.next_into(&mut [0; 4], None), Err(Error::TooLarge { .. })));
    let second = StreamPublisher::open(&space, ID).expect_err("there is one");
    assert!(matches!(second, Error::PublisherExists { .. }), "{second}");
    drop(publisher);
    let open = |spec: &StreamSpec| StreamPublisher::open_or_create(&space, ID, spec).map(drop);
    open(&spec())?;
    // The capacity is what fills whole pages.
    open(&spec().capacity(CAPACITY - 1))?;
    let larger = open(&spec().capacity(CAPACITY + 1)).expect_err("another capacity");
    assert!(
        matches!(larger, Error::ParameterMismatch { parameter: "capacity", found: CAPACITY, .. }),
        "{larger}"
    );
    let lossless = open(&spec().lossless()).expect_err("lossless");
    assert!(matches!(lossless, Error::ParameterMismatch { .. }), "{lossless}");
    let schema = open(&StreamSpec::of("<u4").capacity(CAPACITY)).expect_err("another schema");
    assert!(matches!(schema, Error::SchemaMismatch { .. }), "{schema}");
    for capacity in [0, 1, u64::MAX] {
        let refused =
            StreamPublisher::create(&space, "other", &spec().capacity(capacity)).expect_err("no capacity");
        assert!(matches!(refused, Error::BadParameter { .. }), "{refused}");
    }
    assert!(StreamPublisher::create(&space, "other", &StreamSpec::of("no schema")).is_err());
    drop(Value::<u8>::create(&space, "value", 0)?);
    assert!(matches!(StreamSubscriber::open(&space, "value"), Err(Error::WrongKind { .. })));
    Ok(())
}

#[test]
fn a_wait_in_vain_says_for_what() -> Result<()> {
    let scratch = Scratch::new();
    let publisher = StreamPublisher::create(&scratch.space(), ID, &spec())?;
    let reader = StreamSubscriber::open(&scratch.space(), ID)?;
    assert_in_vain(ID, "a record (its publisher lives)", |timeout| reader.next(timeout));
    drop(publisher);
    let reader = reader.spin(Duration::from_millis(1));
    assert_in_vain(ID, "a record (nobody publishes)", |timeout| reader.next_many(4, timeout));
    Ok(())
}

#[test]
fn readers_are_woken() -> Result<()> {
    const ROUNDS: u64 = 200;
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut ping = StreamPublisher::create(&space, "ping", &spec())?;
    let mut pong = StreamPublisher::create(&space, "pong", &spec())?;
    let (on_ping, on_pong) =
        (StreamSubscriber::open(&space, "ping")?, StreamSubscriber::open(&space, "pong")?);
    let answering = thread::spawn(move || {
        (0..ROUNDS).try_for_each(|number| {
            on_ping.next(Some(DEADLINE))?;
            pong.append(&record(number)).map(drop)
        })
    });
    assert_woken(ROUNDS, || {
        (0..ROUNDS).try_for_each(|number| {
            ping.append(&record(number))?;
            on_pong.next(Some(DEADLINE)).map(drop)
        })
    })?;
    answering.join().expect("it does not panic")
}

#[test]
fn what_arrives_under_load_is_whole_and_adds_up() -> Result<()> {
    const TOTAL: u64 = 200_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut publisher = StreamPublisher::create(&space, ID, &spec())?;
    let readers: Vec<_> = (0..2).map(|_| StreamSubscriber::open(&space, ID)).collect::<Result<_>>()?;
    thread::scope(|scope| {
        for (index, reader) in readers.into_iter().enumerate() {
            scope.spawn(move || {
                let mut received = 0;
                while reader.cursor() < TOTAL {
                    let got = if index == 0 {
                        let next = reader.next(Some(DEADLINE)).expect("a record");
                        assert_eq!(next.bytes, record(next.sequence));
                        1
                    } else {
                        let next = reader.next_many(usize::MAX, Some(DEADLINE)).expect("records");
                        assert_eq!(next.bytes, records(next.first..next.first + next.len() as u64));
                        next.len() as u64
                    };
                    received += got;
                    assert_eq!(received + reader.lost(), reader.cursor());
                }
                assert!(received > 0);
            });
        }
        append(&mut publisher, TOTAL)
    })
}

#[test]
fn a_lossless_publisher_waits_for_its_readers() -> Result<()> {
    const TOTAL: u64 = 20_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut publisher = StreamPublisher::create(&space, ID, &spec().lossless())?.patience(Some(DEADLINE));
    let readers: Vec<_> = (0..2).map(|_| StreamSubscriber::open(&space, ID)).collect::<Result<_>>()?;
    thread::scope(|scope| {
        for reader in readers {
            scope.spawn(move || {
                for number in 0..TOTAL {
                    let next = reader.next(Some(DEADLINE)).expect("a record");
                    assert_eq!((next.sequence, next.bytes), (number, record(number)));
                }
                assert_eq!(reader.lost(), 0);
            });
        }
        append(&mut publisher, TOTAL)
    })
}

#[test]
fn a_reader_that_does_not_read_is_named() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let patience = Duration::from_millis(20);
    let mut publisher =
        StreamPublisher::create(&space, ID, &spec().lossless_for(1))?.patience(Some(patience));
    let reader = StreamSubscriber::open(&space, ID)?;
    let refused = StreamSubscriber::open(&space, ID).expect_err("there is one already");
    assert!(matches!(refused, Error::SubscribersExhausted { entries: 1, .. }), "{refused}");
    let lossy = StreamSubscriber::open_lossy(&space, ID)?;
    append(&mut publisher, CAPACITY)?;
    let error = publisher.append(&record(CAPACITY)).expect_err("it is full");
    let Error::ReaderStalls { waited, reader: name, .. } = &error else { panic!("{error}") };
    assert!(*waited >= patience, "{error}");
    assert!(name.ends_with(&format!(", {CAPACITY} records behind,")), "{error}");
    assert_eq!(publisher.published(), CAPACITY, "nothing was published");
    let state = reader.state();
    assert!(state.lossless && matches!(state.publisher, PublisherState::Alive(_)), "{state:?}");
    assert_eq!(state.readers.iter().map(|reader| reader.behind).collect::<Vec<_>>(), [CAPACITY]);
    reader.next(None)?;
    append(&mut publisher, 1)?;
    assert!(publisher.append(&record(0)).is_err());
    drop(reader);
    append(&mut publisher, 2 * CAPACITY)?;
    assert_eq!(lossy.try_next_many(1).lost, 2 * CAPACITY + 1);
    Ok(())
}

#[test]
fn a_publisher_that_waits_goes_on_when_a_reader_does() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut publisher = StreamPublisher::create(&space, ID, &spec().lossless())?.patience(Some(DEADLINE));
    let reader = StreamSubscriber::open(&space, ID)?;
    append(&mut publisher, CAPACITY)?;
    thread::scope(|scope| {
        let appending = scope.spawn(|| append(&mut publisher, 1));
        let waits = || reader.region().participants().iter().any(|participant| !participant.waits.is_empty());
        await_that(waits, "publisher asleep");
        reader.next(None)?;
        appending.join().expect("it does not panic")
    })
}

#[test]
fn a_killed_reader_holds_nobody_up() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut publisher =
        StreamPublisher::create(&space, ID, &spec().lossless_for(1))?.patience(Some(DEADLINE));
    for _ in 0..3 {
        let mut reader = Role::start("reader", scratch.path(), &[]);
        reader.expect("subscribed");
        append(&mut publisher, CAPACITY)?;
        thread::scope(|scope| {
            let appending = scope.spawn(|| append(&mut publisher, CAPACITY));
            reader.kill();
            appending.join().expect("it does not panic")
        })?;
        reader.kill_and_wait();
    }
    let reader = StreamSubscriber::open(&space, ID)?;
    append(&mut publisher, 1)?;
    assert_eq!(reader.next(None)?.sequence, 6 * CAPACITY);
    Ok(())
}

#[test]
fn the_numbers_go_on_after_a_killed_publisher() -> Result<()> {
    let scratch = Scratch::new();
    drop(StreamPublisher::create(&scratch.space(), ID, &spec())?);
    let reader = StreamSubscriber::open(&scratch.space(), ID)?;
    for round in 1..=3 {
        let mut publisher = Role::start("publisher", scratch.path(), &["100"]);
        publisher.expect("published");
        let stand_by = Role::start("publisher", scratch.path(), &["0"]);
        assert_eq!(stand_by.hear_within(Duration::from_millis(20)), None);
        publisher.kill_and_wait();
        stand_by.expect("published");
        stand_by.finish();
        assert_eq!(reader.published(), 100 * round);
        assert_are(&reader.try_next_many(1000), 100 * (round - 1)..100 * round, 0);
    }
    let mut publisher = Role::start("publisher", scratch.path(), &["1"]);
    publisher.expect("published");
    publisher.kill_and_wait();
    let state = reader.state();
    assert!(matches!(state.publisher, PublisherState::Died(_)), "{state:?}");
    // What it had begun costs the oldest record, and is never seen.
    assert_are(&reader.since(0)?, 302 - CAPACITY..301, 302 - CAPACITY);
    assert_in_vain(ID, "a record (its publisher died)", |timeout| {
        reader.seek(301);
        reader.next(timeout)
    });
    Ok(())
}

/// What is done to a stream.
#[derive(Debug, Clone)]
enum Step {
    Append(u64),
    /// Of how many, how many are published.
    Batch(u64, u64),
    Reopen,
    Next,
    NextMany(usize),
    Since(u64),
    Last(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3 * CAPACITY / 2).prop_map(Step::Append),
        2 => (1..=CAPACITY / 8, 0..=CAPACITY / 8).prop_map(|(count, published)| Step::Batch(count, published)),
        1 => Just(Step::Reopen),
        3 => Just(Step::Next),
        3 => (0..400_usize).prop_map(Step::NextMany),
        1 => (0..2000_u64).prop_map(Step::Since),
        1 => (0..400_usize).prop_map(Step::Last),
    ]
}

fn follow(steps: Vec<Step>) -> TestCaseResult {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut publisher = StreamPublisher::create(&space, ID, &spec())?;
    let reader = StreamSubscriber::open(&space, ID)?;
    // Records published, records announced, records received.
    let (mut published, mut announced, mut received) = (0, 0, 0);
    for step in steps {
        let oldest = u64::saturating_sub(announced, CAPACITY);
        match step {
            Step::Append(count) => {
                prop_assert_eq!(publisher.append_many(&records(published..published + count))?, published);
                published += count;
            }
            Step::Batch(count, wanted) => {
                let mut batch = publisher.batch(count)?;
                (0..count).try_for_each(|index| batch.set(index, &record(published + index)))?;
                announced = announced.max(published + count);
                published = batch.publish(wanted) + wanted.min(count);
            }
            Step::Reopen => {
                drop(publisher);
                publisher = StreamPublisher::open_or_create(&space, ID, &spec())?;
            }
            Step::Next if reader.cursor() < published => {
                let next = reader.next(Some(Duration::ZERO))?;
                prop_assert_eq!(next.bytes, record(next.sequence));
                received += 1;
            }
            Step::Next => prop_assert!(reader.next(Some(Duration::ZERO)).is_err()),
            Step::NextMany(most) => {
                let next = reader.try_next_many(most);
                prop_assert_eq!(&next.bytes, &records(next.first..next.first + next.len() as u64));
                received += next.len() as u64;
            }
            Step::Since(number) => {
                let first = number.max(oldest.min(published));
                let got = reader.since(number)?;
                prop_assert_eq!((got.first, got.lost), (first, first - number));
                prop_assert_eq!(got.bytes, records(first..published.max(first)));
            }
            Step::Last(count) => {
                let first = published.saturating_sub(count as u64).max(oldest);
                let got = reader.last(count)?;
                prop_assert_eq!((got.first, got.bytes), (first, records(first..published)));
            }
        }
        announced = announced.max(published);
        prop_assert_eq!(reader.published(), published);
        prop_assert_eq!(received + reader.lost(), reader.cursor());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_is_what_its_model_is(steps in prop::collection::vec(any_step(), 1..40)) {
        follow(steps)?;
    }
}
