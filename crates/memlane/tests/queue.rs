//! Queues: any order of operations against a model, many threads at once, waiting, leases, and what the parameters may
//! be; and what the living find when who put or took is killed.

mod patience;
mod role;
mod scratch;

use memlane::participant::WaitingFor;
use memlane::queue::Message;
use memlane::{Error, Queue, QueueSpec, Region, Result, Space, Tag, Value};
use patience::{DEADLINE, assert_in_vain, assert_woken, await_that, measured};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use role::{Part, Role, listen, say};
use scratch::Scratch;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

const ID: &str = "robot/orders";
/// Bytes of the smallest ring.
const PAGE: usize = 4096;
const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let queue = Queue::open(&space, ID).expect("the parent made it");
        play(&queue, part).expect("the role can be played");
    });
}

fn play(queue: &Queue, part: &Part) -> Result<()> {
    match part.role.as_str() {
        "putter" => (0..).try_for_each(|number: u64| queue.put(&number.to_le_bytes(), None)),
        "getter" => loop {
            queue.get(None)?;
        },
        "lessee" => {
            let lease = queue.lease(None)?;
            say(&String::from_utf8_lossy(lease.bytes()));
            listen();
            Ok(())
        }
        "reserver" => {
            let mut reserved = queue.reserve(100, None)?;
            reserved.fill(7);
            say("reserved");
            listen();
            Ok(())
        }
        "reader" => {
            let reading = queue.read(None)?;
            say(&String::from_utf8_lossy(&reading));
            listen();
            Ok(())
        }
        other => panic!("there is no role {other}"),
    }
}

fn words(error: Option<Error>) -> String {
    error.map(|error| error.to_string()).unwrap_or_default()
}

fn of(tag: Tag, bytes: &[u8]) -> (Tag, Vec<u8>, u32) {
    (tag, bytes.to_vec(), 0)
}

fn parts(message: Message) -> (Tag, Vec<u8>, u32) {
    (message.tag, message.bytes, message.redelivered)
}

#[test]
fn messages_come_out_as_they_went_in() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE))?;
    let other = Queue::open(&scratch.space(), ID)?;
    queue.put(b"", None)?;
    queue.put_tagged(Tag::Utf8, "grüße".as_bytes(), None)?;
    queue.put_tagged(Tag::Json, b"{}", None)?;
    assert!(queue.try_put_tagged(Tag::Pickle, b".")?);
    assert_eq!((other.len(), other.is_empty()), (4, false));
    let peeked: Vec<_> = other.peek(10).into_iter().map(parts).collect();
    assert_eq!(peeked[1], of(Tag::Utf8, "grüße".as_bytes()));
    assert_eq!((peeked.len(), other.peek(2).len(), other.peek(0).len(), other.len()), (4, 2, 0, 4));
    assert_eq!(parts(other.get(None)?), of(Tag::Bytes, b""));
    let mut bytes = b"what was there".to_vec();
    assert_eq!((other.get_into(&mut bytes, None)?, &*bytes), (Tag::Utf8, "grüße".as_bytes()));
    assert_eq!(other.try_get()?.map(parts), Some(of(Tag::Json, b"{}")));
    assert_eq!(other.get_many(9, None)?.into_iter().map(parts).collect::<Vec<_>>(), [of(Tag::Pickle, b".")]);
    assert_eq!((other.try_get()?, other.try_get_each(3, |_, _| unreachable!())?, queue.len()), (None, 0, 0));
    Ok(())
}

#[test]
fn a_message_may_be_as_long_as_the_ring_wherever_it_begins() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(1))?;
    let longest: Vec<u8> = (0..queue.capacity()).map(|index| index as u8).collect();
    assert_eq!(longest.len(), PAGE - 8);
    for shift in 0..10 {
        queue.put(&vec![0; 8 * shift + 3], AT_ONCE)?;
        queue.get(AT_ONCE)?;
        queue.put(&longest, AT_ONCE)?;
        assert!(!queue.try_put(b"")?, "it is full");
        assert_eq!(queue.state().used, PAGE);
        assert_eq!(queue.peek(1)[0].bytes, longest);
        assert_eq!(queue.get(AT_ONCE)?.bytes, longest);
    }
    let error = queue.put(&vec![0; PAGE - 7], None).err();
    assert_eq!(words(error), "4089 bytes do not fit region `robot/orders`, which holds 4088");
    assert!(matches!(queue.reserve(PAGE, None).map(drop), Err(Error::TooLarge { .. })));
    assert!(matches!(queue.put_many(&[vec![], vec![0; PAGE]], None), Err(Error::TooLarge { .. })));
    assert!(queue.is_empty());
    Ok(())
}

#[test]
fn what_it_was_made_for_is_agreed_upon() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let spec = QueueSpec::bytes(PAGE).messages(3);
    let queue = Queue::open_or_create(&space, ID, &spec)?;
    Queue::open_or_create(&space, ID, &spec)?;
    let differs = |spec: QueueSpec| words(Queue::open_or_create(&space, ID, &spec).err());
    let start = "region `robot/orders` was made with";
    let end = "was asked for; ask for that, or remove the region first";
    let asked = |text: &str| format!("{start} {text} {end}");
    assert_eq!(differs(QueueSpec::bytes(9000).messages(3)), asked("capacity 8192, but 12288"));
    assert_eq!(differs(QueueSpec::bytes(PAGE)), asked("messages at most 3, but 0"));
    assert_eq!(differs(spec.acknowledged()), asked("acknowledgement 0, but 1"));
    assert!(matches!(Queue::create(&space, ID, &spec), Err(Error::AlreadyExists { .. })));
    assert!(matches!(Queue::create(&space, "no", &QueueSpec::bytes(0)), Err(Error::BadParameter { .. })));
    assert!(matches!(
        Queue::create(&space, "no", &QueueSpec::bytes(usize::MAX)),
        Err(Error::BadParameter { .. })
    ));
    drop(Value::create(&space, "speed", 1_u32)?);
    assert!(matches!(Queue::open(&space, "speed"), Err(Error::WrongKind { expected: "queue", .. })));
    assert!(matches!(queue.lease(None), Err(Error::BadParameter { .. })));
    // However small they are.
    assert_eq!(queue.put_many(&["a", "b", "c", "d"], AT_ONCE)?, 3);
    let state = queue.state();
    assert_eq!((state.length, state.put, state.used, state.messages), (3, 3, 48, Some(3)));
    assert_eq!(
        (state.closed, state.acknowledged, state.producer, state.consumer),
        (false, false, None, None)
    );
    Ok(())
}

#[test]
fn many_threads_take_each_message_once() -> Result<()> {
    const PUTTERS: u64 = 3;
    const EACH: u64 = 20_000;
    for spec in
        [QueueSpec::bytes(PAGE), QueueSpec::bytes(PAGE).messages(2), QueueSpec::bytes(PAGE).acknowledged()]
    {
        let scratch = Scratch::new();
        let space = scratch.space();
        let queue = Queue::create(&space, ID, &spec)?;
        let put = |putter: u64| -> Result<()> {
            let queue = Queue::open(&space, ID)?;
            (0..EACH).try_for_each(|number| {
                // Of several lengths, so that messages lie everywhere.
                let bytes = [putter.to_le_bytes(), number.to_le_bytes()].concat();
                queue.put(&bytes.repeat(1 + (number % 5) as usize), None)
            })
        };
        let get = || -> Result<Vec<(u64, u64)>> {
            let queue = Queue::open(&space, ID)?;
            let mut got = Vec::new();
            loop {
                match queue.get_each(7, None, |_, bytes| got.push(check(bytes))) {
                    Err(Error::Closed { .. }) => return Ok(got),
                    other => other.map(drop)?,
                }
            }
        };
        let got = thread::scope(|scope| {
            let getters: Vec<_> = (0..2).map(|_| scope.spawn(get)).collect();
            let putters: Vec<_> = (0..PUTTERS).map(|putter| scope.spawn(move || put(putter))).collect();
            putters.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))?;
            queue.close();
            getters
                .into_iter()
                .map(|thread| thread.join().expect("it does not panic"))
                .collect::<Result<Vec<_>>>()
        })?;
        // Each consumer sees what one producer put in order.
        if !queue.state().acknowledged {
            for got in &got {
                for putter in 0..PUTTERS {
                    let numbers = got.iter().filter(|(from, _)| *from == putter).map(|(_, number)| *number);
                    assert!(numbers.is_sorted());
                }
            }
        }
        let mut all = got.concat();
        all.sort_unstable();
        let expected: Vec<_> =
            (0..PUTTERS).flat_map(|putter| (0..EACH).map(move |number| (putter, number))).collect();
        assert!(all == expected, "{} of {} messages", all.len(), expected.len());
        assert_eq!((queue.len(), queue.state().used), (0, 0));
    }
    Ok(())
}

/// Who put it, and which it is; it must be whole.
fn check(bytes: &[u8]) -> (u64, u64) {
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    assert_eq!(bytes.len() as u64, 16 * (1 + word(8) % 5));
    assert!(bytes.chunks(16).all(|chunk| chunk == &bytes[..16]));
    (word(0), word(8))
}

#[test]
fn waits_end_at_their_deadline() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE).messages(1))?;
    assert_in_vain(ID, "a message", |timeout| queue.get(timeout));
    assert_in_vain(ID, "a message", |timeout| queue.get_many(3, timeout));
    assert_in_vain(ID, "a message", |timeout| queue.read(timeout).map(drop));
    queue.put(b"the only one", None)?;
    assert_in_vain(ID, "room", |timeout| queue.put(b"", timeout));
    assert_in_vain(ID, "room", |timeout| queue.put_many(&["x"], timeout));
    assert_in_vain(ID, "room", |timeout| queue.reserve(1, timeout).map(drop));
    assert!(!queue.try_put(b"")?);
    let leased = Queue::create(&scratch.space(), "leased", &QueueSpec::bytes(PAGE).acknowledged())?;
    assert_in_vain("leased", "a message", |timeout| leased.lease(timeout).map(drop));
    leased.put(b"job", None)?;
    let lease = leased.lease(None)?;
    assert_in_vain("leased", "a message", |timeout| leased.lease(timeout).map(drop));
    assert_eq!(lease.acknowledge().map(|()| leased.len())?, 0);
    Ok(())
}

#[test]
fn sleepers_are_woken_and_not_found_out_by_themselves() -> Result<()> {
    const ROUNDS: u64 = 300;
    for spec in [QueueSpec::bytes(PAGE).messages(1), QueueSpec::bytes(PAGE).acknowledged().messages(1)] {
        let scratch = Scratch::new();
        let space = scratch.space();
        let (there, back) = (Queue::create(&space, "there", &spec)?, Queue::create(&space, "back", &spec)?);
        thread::scope(|scope| {
            scope.spawn(|| {
                (0..ROUNDS).for_each(|_| {
                    let message = there.get(None).expect("it is open");
                    back.put(&message.bytes, None).expect("it is open");
                });
            });
            assert_woken(ROUNDS, || {
                (0..ROUNDS).try_for_each(|round| {
                    there.put(&round.to_le_bytes(), None)?;
                    assert_eq!(back.get(None)?.bytes, round.to_le_bytes());
                    Ok(())
                })
            })
        })?;
    }
    Ok(())
}

#[test]
fn tools_see_who_waits() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE).messages(1))?;
    let waits = |what: WaitingFor| {
        let participants = queue.region().participants();
        participants.iter().any(|participant| participant.waits.iter().any(|wait| wait.what == what))
    };
    thread::scope(|scope| {
        let getter = scope.spawn(|| queue.get(None));
        await_that(|| waits(WaitingFor::Message), "getter");
        queue.put(b"1", None)?;
        assert_eq!(getter.join().expect("it does not panic")?.bytes, b"1");
        queue.put(b"2", None)?;
        let putter = scope.spawn(|| queue.put(b"3", None));
        await_that(|| waits(WaitingFor::Room), "putter");
        assert_eq!(queue.get(None)?.bytes, b"2");
        putter.join().expect("it does not panic")
    })?;
    await_that(|| !waits(WaitingFor::Room) && !waits(WaitingFor::Message), "end of waiting");
    Ok(())
}

#[test]
fn a_closed_queue_is_drained_and_then_ends() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE).messages(1))?;
    queue.put(b"last", None)?;
    let (ended, took) = thread::scope(|scope| {
        let putters: Vec<_> = (0..2).map(|_| scope.spawn(|| queue.put(b"late", None))).collect();
        await_that(
            || queue.region().participants()[0].waits.iter().any(|wait| wait.what == WaitingFor::Room),
            "putter",
        );
        queue.close();
        measured(|| putters.into_iter().map(|putter| putter.join().expect("no panic")).collect::<Vec<_>>())
    });
    assert!(took < DEADLINE && ended.iter().all(|ended| matches!(ended, Err(Error::Closed { .. }))));
    assert_eq!(
        words(queue.try_put(b"late").err()),
        "queue `robot/orders` is closed; make another one to go on"
    );
    assert!(matches!(queue.put_many(&["late"], None), Err(Error::Closed { .. })));
    assert!(matches!(queue.reserve(1, None).map(drop), Err(Error::Closed { .. })));
    assert_eq!((queue.is_closed(), queue.get(None)?.bytes), (true, b"last".to_vec()));
    assert!(matches!(queue.get(None), Err(Error::Closed { .. })));
    assert!(matches!(queue.try_get(), Err(Error::Closed { .. })));
    assert!(matches!(queue.read(None).map(drop), Err(Error::Closed { .. })));
    queue.close();
    Ok(())
}

#[test]
fn a_message_is_written_in_place_or_was_never_there() -> Result<()> {
    let scratch = Scratch::new();
    for spec in [QueueSpec::bytes(PAGE), QueueSpec::bytes(PAGE).acknowledged()] {
        let id = if spec_is_acknowledged(&spec) { "second" } else { "first" };
        let queue = Queue::create(&scratch.space(), id, &spec)?;
        let mut reserved = queue.reserve(100, None)?.tag(Tag::Json);
        reserved.fill(1);
        assert_eq!((reserved.len(), queue.len()), (100, 0));
        drop(reserved);
        assert_eq!(queue.try_get()?, None);
        let mut reserved = queue.reserve(100, None)?.tag(Tag::Utf8);
        reserved[..3].copy_from_slice(b"abc");
        reserved.truncate(3);
        reserved.truncate(50);
        assert_eq!(&*reserved, b"abc");
        reserved.commit()?;
        queue.put(b"next", None)?;
        assert_eq!(parts(queue.get(None)?), of(Tag::Utf8, b"abc"));
        assert_eq!(parts(queue.get(None)?), of(Tag::Bytes, b"next"));
        let reserved = queue.reserve(1, None)?;
        queue.close();
        assert!(matches!(reserved.commit(), Err(Error::Closed { .. })));
        assert!(queue.is_empty());
    }
    Ok(())
}

fn spec_is_acknowledged(spec: &QueueSpec) -> bool {
    format!("{spec:?}").contains("acknowledged: true")
}

#[test]
fn a_message_is_read_in_place_and_stays_unless_it_is_done_with() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE))?;
    queue.put_tagged(Tag::Utf8, b"first", None)?;
    queue.put(b"second", None)?;
    let reading = queue.read(None)?;
    assert_eq!((&*reading, reading.tag()), (&b"first"[..], Tag::Utf8));
    drop(reading);
    let reading = queue.read(None)?;
    assert_eq!(&*reading, b"first");
    reading.done();
    assert_eq!(queue.get(None)?.bytes, b"second");
    let acknowledged = Queue::create(&scratch.space(), "leased", &QueueSpec::bytes(PAGE).acknowledged())?;
    assert!(matches!(acknowledged.read(None), Err(Error::BadParameter { .. })));
    Ok(())
}

/// Whoever fills or reads in place keeps the others out: they are told who it is, and it does not wait for itself.
#[test]
fn nobody_waits_for_itself_and_all_know_for_whom() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE))?;
    queue.put(b"first", None)?;
    let would_wait =
        |error: Option<Error>| assert!(matches!(error, Some(Error::WouldDeadlock { .. })), "{error:?}");
    let blamed = |error: Option<Error>, what: &str| {
        let text = words(error);
        assert!(text.starts_with("waited ") && text.contains(&format!("for {what} of region")), "{text}");
        assert!(text.contains(&format!("pid {}", std::process::id())), "{text}");
    };
    let moment = Some(Duration::from_millis(20));
    let reserved = queue.reserve(10, None)?;
    would_wait(queue.put(b"", None).err());
    would_wait(queue.put_many(&["x"], None).err());
    would_wait(queue.reserve(1, None).err());
    assert!(queue.state().producer.is_some_and(|producer| producer.alive));
    blamed(
        thread::scope(|scope| scope.spawn(|| queue.put(b"", moment)).join().expect("no panic").err()),
        "room",
    );
    assert!(!thread::scope(|scope| scope.spawn(|| queue.try_put(b"")).join().expect("no panic"))?);
    reserved.commit()?;
    queue.put(b"second", None)?;
    let reading = queue.read(None)?;
    would_wait(queue.get(None).err());
    would_wait(queue.try_get().err());
    blamed(
        thread::scope(|scope| scope.spawn(|| queue.get(moment)).join().expect("no panic").err()),
        "a message",
    );
    drop(reading);
    let mut inner = None;
    queue.get_each(1, None, |_, _| inner = Some(queue.get(None)))?;
    would_wait(inner.and_then(Result::err));
    assert_eq!(queue.len(), 2);
    Ok(())
}

#[test]
fn a_panic_takes_nothing_and_keeps_nobody_out() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE))?;
    queue.put_many(&["a", "b"], None)?;
    let panicked =
        catch_unwind(AssertUnwindSafe(|| queue.get_each(2, None, |_, bytes| assert_eq!(bytes, b"a"))));
    assert!(panicked.is_err());
    assert_eq!(
        queue.get_many(5, None)?.iter().map(|message| &*message.bytes).collect::<Vec<_>>(),
        [b"a", b"b"]
    );
    Ok(())
}

#[test]
fn what_is_leased_comes_back_unless_it_is_acknowledged() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE).acknowledged())?;
    queue.put_many(&["a", "b", "c"], None)?;
    let (first, second) = (queue.lease(None)?, queue.lease(None)?);
    assert_eq!((first.bytes(), second.bytes(), second.redelivered()), (&b"a"[..], &b"b"[..], 0));
    assert_eq!(queue.state().leases.len(), 2);
    drop(second);
    let again = queue.lease(None)?;
    assert_eq!((again.bytes(), again.redelivered()), (&b"b"[..], 1));
    again.acknowledge()?;
    // The first keeps its room, and that of what was done after it.
    assert_eq!((queue.len(), queue.state().leases.len()), (3, 1));
    assert_eq!(queue.get(None)?.bytes, b"c");
    assert!(queue.try_lease()?.is_none());
    drop(first);
    let message = queue.get(None)?;
    assert_eq!((&*message.bytes, message.redelivered), (&b"a"[..], 1));
    assert_eq!((queue.len(), queue.state().used), (0, 0));
    Ok(())
}

#[test]
fn a_lease_keeps_its_bytes_while_the_ring_goes_round() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE - 16).acknowledged())?;
    queue.put(&[9; 1000], None)?;
    let lease = queue.lease(None)?;
    while queue.try_put(&[1; 100])? {
        queue.get(None)?;
    }
    assert_eq!(lease.bytes(), [9; 1000]);
    assert!(queue.len() > 1, "what was done after it");
    lease.acknowledge()?;
    assert!(queue.is_empty() && queue.try_put(&[1; 100])?);
    Ok(())
}

#[test]
fn a_closed_queue_ends_only_when_all_is_acknowledged() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE).acknowledged())?;
    queue.put_many(&["a", "b"], None)?;
    let first = queue.lease(None)?;
    queue.get(None)?;
    queue.close();
    // It may come back.
    assert!(queue.try_get()?.is_none());
    let is_waiting = || queue.region().participants()[0].waits.len() == 1;
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| queue.get(None).map(parts));
        await_that(is_waiting, "sleeper");
        drop(first);
        let (tag, bytes, times) = sleeper.join().expect("no panic")?;
        assert_eq!((tag, &*bytes, times), (Tag::Bytes, &b"a"[..], 1));
        Ok::<(), Error>(())
    })?;
    assert!(matches!(queue.get(None), Err(Error::Closed { .. })));
    Ok(())
}

/// The last acknowledgement of a closed queue wakes who waits for nothing: they would find out after a slice each.
#[test]
fn the_last_acknowledgement_wakes_who_waits_for_the_end() -> Result<()> {
    const ROUNDS: u64 = 40;
    let scratch = Scratch::new();
    let mut late = Duration::ZERO;
    for round in 0..ROUNDS {
        let id = format!("queue{round}");
        let queue = Queue::create(&scratch.space(), &id, &QueueSpec::bytes(PAGE).acknowledged())?;
        queue.put(b"job", None)?;
        let lease = queue.lease(None)?;
        thread::scope(|scope| {
            queue.close();
            let sleeper = scope.spawn(|| queue.lease(None).map(drop));
            await_that(|| queue.region().participants()[0].waits.len() == 1, "sleeper");
            let (ended, took) = measured(|| {
                lease.acknowledge()?;
                sleeper.join().expect("no panic")
            });
            late += took;
            assert!(matches!(ended, Err(Error::Closed { .. })), "{ended:?}");
            Ok::<(), Error>(())
        })?;
    }
    assert!(late < Duration::from_millis(2) * ROUNDS as u32, "{ROUNDS} ends took {late:?}");
    Ok(())
}

/// What a queue is to do in the model's test.
#[derive(Debug, Clone)]
enum Step {
    Put(usize),
    PutMany(Vec<usize>),
    Reserve(usize, bool),
    Get,
    GetMany(usize),
    Read(bool),
    Lease,
    Acknowledge(usize),
    GiveBack(usize),
    Peek(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let length = || prop_oneof![0_usize..40, 0..3000_usize];
    let step = prop_oneof![
        4 => length().prop_map(Step::Put),
        1 => proptest::collection::vec(length(), 0..6).prop_map(Step::PutMany),
        1 => (length(), any::<bool>()).prop_map(|(length, commit)| Step::Reserve(length, commit)),
        3 => Just(Step::Get),
        1 => (0_usize..5).prop_map(Step::GetMany),
        1 => any::<bool>().prop_map(Step::Read),
        4 => Just(Step::Lease),
        3 => any::<usize>().prop_map(Step::Acknowledge),
        1 => any::<usize>().prop_map(Step::GiveBack),
        1 => (0_usize..4).prop_map(Step::Peek),
    ];
    proptest::collection::vec(step, 0..60)
}

/// The bytes of a message, different for each number.
fn content(number: usize, length: usize) -> Vec<u8> {
    (0..length).map(|index| (number * 31 + index * 7) as u8).collect()
}

/// Messages in a plain queue, and what room there is.
fn follow_model(steps: &[Step], most: u32) -> TestCaseResult {
    let scratch = Scratch::new();
    let queue =
        Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE - 8).messages(most)).expect("it is new");
    let mut model: VecDeque<Vec<u8>> = VecDeque::new();
    let size = |length: usize| 8 + length.next_multiple_of(8);
    let has_room = |model: &VecDeque<Vec<u8>>, length: usize| {
        let used: usize = model.iter().map(|message| size(message.len())).sum();
        used + size(length) <= PAGE && (most == 0 || model.len() < most as usize)
    };
    let ok = |error: Error| TestCaseError::fail(error.to_string());
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Put(length) => {
                let bytes = content(number, *length);
                let expected = has_room(&model, *length);
                prop_assert_eq!(queue.try_put(&bytes).map_err(ok)?, expected);
                if expected {
                    model.push_back(bytes);
                }
            }
            Step::PutMany(lengths) => {
                let all: Vec<_> = lengths.iter().map(|length| content(number, *length)).collect();
                let mut expected = 0;
                while expected < all.len() && has_room(&model, all[expected].len()) {
                    model.push_back(all[expected].clone());
                    expected += 1;
                }
                let put = queue.put_many(&all, AT_ONCE);
                prop_assert_eq!(put.unwrap_or(0), expected);
            }
            Step::Reserve(length, commit) => {
                let reserved = queue.reserve(*length, AT_ONCE);
                prop_assert_eq!(reserved.is_ok(), has_room(&model, *length));
                if let Ok(mut reserved) = reserved {
                    reserved.copy_from_slice(&content(number, *length));
                    if *commit {
                        reserved.commit().map_err(ok)?;
                        model.push_back(content(number, *length));
                    }
                }
            }
            Step::GetMany(most) => {
                let got = queue.get_many(*most, AT_ONCE).unwrap_or_default();
                let expected: Vec<_> = model.drain(..(*most).min(model.len())).collect();
                prop_assert_eq!(got.into_iter().map(|message| message.bytes).collect::<Vec<_>>(), expected);
            }
            Step::Read(done) => {
                let reading = queue.read(AT_ONCE).ok();
                prop_assert_eq!(reading.as_ref().map(|reading| reading.to_vec()), model.front().cloned());
                if let Some(reading) = reading.filter(|_| *done) {
                    reading.done();
                    model.pop_front();
                }
            }
            Step::Peek(most) => {
                let peeked: Vec<_> = queue.peek(*most).into_iter().map(|message| message.bytes).collect();
                prop_assert_eq!(peeked, model.iter().take(*most).cloned().collect::<Vec<_>>());
            }
            _ => {
                let got = queue.try_get().map_err(ok)?.map(|message| message.bytes);
                prop_assert_eq!(got, model.pop_front());
            }
        }
        prop_assert_eq!(queue.len(), model.len());
        let used: usize = model.iter().map(|message| size(message.len())).sum();
        prop_assert_eq!(queue.state().used, used);
    }
    Ok(())
}

/// A message of an acknowledged queue in the model.
#[derive(Debug, Clone)]
struct Kept {
    bytes: Vec<u8>,
    times: u32,
    leased: bool,
    done: bool,
}

fn follow_leases(steps: &[Step]) -> TestCaseResult {
    let scratch = Scratch::new();
    let queue =
        Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE - 16).acknowledged()).expect("it is new");
    let mut model: VecDeque<Kept> = VecDeque::new();
    // Numbered from the first there ever was.
    let mut passed = 0;
    let mut leases = Vec::new();
    let ok = |error: Error| TestCaseError::fail(error.to_string());
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Put(length) => {
                let used: usize = model.iter().map(|kept| 16 + kept.bytes.len().next_multiple_of(8)).sum();
                let expected = used + 16 + length.next_multiple_of(8) <= PAGE;
                let bytes = content(number, *length);
                prop_assert_eq!(queue.try_put(&bytes).map_err(ok)?, expected);
                if expected {
                    model.push_back(Kept { bytes, times: 0, leased: false, done: false });
                }
            }
            Step::Acknowledge(which) if !leases.is_empty() => {
                let (at, lease): (usize, memlane::queue::Lease<'_>) =
                    leases.swap_remove(which % leases.len());
                lease.acknowledge().map_err(ok)?;
                model[at - passed].done = true;
            }
            Step::GiveBack(which) if !leases.is_empty() => {
                let (at, lease) = leases.swap_remove(which % leases.len());
                drop(lease);
                model[at - passed].leased = false;
            }
            _ => {
                let found = queue.try_lease().map_err(ok)?;
                let expected = model.iter_mut().enumerate().find(|(_, kept)| !kept.leased);
                match (found, expected) {
                    (None, None) => {}
                    (Some(lease), Some((index, kept))) => {
                        prop_assert_eq!((lease.bytes(), lease.redelivered()), (&*kept.bytes, kept.times));
                        (kept.leased, kept.times) = (true, kept.times + 1);
                        leases.push((passed + index, lease));
                    }
                    (found, expected) => prop_assert!(false, "{:?} instead of {:?}", found, expected),
                }
            }
        }
        while model.front().is_some_and(|kept| kept.done) {
            model.pop_front();
            passed += 1;
        }
        prop_assert_eq!((queue.len(), queue.state().leases.len()), (model.len(), leases.len()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_operations_is_that_of_a_list(steps in steps(), most in prop_oneof![Just(0_u32), 1_u32..6]) {
        follow_model(&steps, most)?;
    }

    #[test]
    fn any_order_of_leases_hands_out_the_first_that_is_free(steps in steps()) {
        follow_leases(&steps)?;
    }
}

#[test]
fn producers_are_killed_and_the_messages_stay_in_order() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(2 * PAGE))?;
    for _ in 0..10 {
        let mut putter = Role::start("putter", scratch.path(), &[]);
        let mut next = 0_u64;
        let mut check = |message: Message| {
            assert_eq!(message.bytes, next.to_le_bytes());
            next += 1;
        };
        (0..100).try_for_each(|_| queue.get(Some(DEADLINE)).map(&mut check))?;
        putter.kill_and_wait();
        while let Some(message) = queue.try_get()? {
            check(message);
        }
        queue.put(b"mine", AT_ONCE)?;
        assert_eq!(queue.get(AT_ONCE)?.bytes, b"mine");
    }
    Ok(())
}

#[test]
fn a_consumer_that_is_killed_takes_one_message_with_it_at_most() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE))?;
    for _ in 0..10 {
        let mut getter = Role::start("getter", scratch.path(), &[]);
        (0..2000_u64).try_for_each(|number| queue.put(&number.to_le_bytes(), Some(DEADLINE)))?;
        getter.kill_and_wait();
        let rest = if queue.is_empty() { vec![] } else { queue.get_many(usize::MAX, AT_ONCE)? };
        let rest: Vec<_> = rest.into_iter().map(|message| message.bytes).collect();
        let expected: Vec<_> =
            (2000 - rest.len() as u64..2000).map(|number| number.to_le_bytes().to_vec()).collect();
        assert_eq!(rest, expected);
    }
    Ok(())
}

#[test]
fn what_a_killed_process_leased_is_handed_out_again() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE).acknowledged())?;
    queue.put_many(&["a", "b"], None)?;
    let mut lessee = Role::start("lessee", scratch.path(), &[]);
    lessee.expect("a");
    assert_eq!(queue.state().leases[0].pid, lessee.pid());
    assert_eq!(queue.get(None)?.bytes, b"b");
    assert!(queue.try_get()?.is_none());
    lessee.kill_and_wait();
    let message = queue.get(AT_ONCE)?;
    assert_eq!((&*message.bytes, message.redelivered), (&b"a"[..], 1));
    // A sleeper finds it, too.
    queue.put(b"c", None)?;
    let mut lessee = Role::start("lessee", scratch.path(), &[]);
    lessee.expect("c");
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| queue.get(Some(DEADLINE)));
        await_that(
            || {
                let participants = queue.region().participants();
                participants.iter().any(|participant| participant.alive && !participant.waits.is_empty())
            },
            "sleeper",
        );
        lessee.kill_and_wait();
        assert_eq!(sleeper.join().expect("no panic")?.redelivered, 1);
        Ok::<(), Error>(())
    })?;
    assert!(queue.is_empty());
    Ok(())
}

#[test]
fn whoever_dies_in_place_keeps_nobody_out() -> Result<()> {
    let scratch = Scratch::new();
    let queue = Queue::create(&scratch.space(), ID, &QueueSpec::bytes(PAGE))?;
    queue.put(b"first", None)?;
    let mut reserver = Role::start("reserver", scratch.path(), &[]);
    reserver.expect("reserved");
    let mut reader = Role::start("reader", scratch.path(), &[]);
    reader.expect("first");
    let state = queue.state();
    assert_eq!(state.producer.map(|producer| producer.pid), Some(reserver.pid()));
    assert_eq!(state.consumer.map(|consumer| consumer.pid), Some(reader.pid()));
    let moment = Some(Duration::from_millis(20));
    let blames = |error: Option<Error>, pid: u32| {
        let text = words(error);
        assert!(text.contains(&format!("pid {pid}")), "{text}");
    };
    blames(queue.put(b"", moment).err(), reserver.pid());
    blames(queue.get(moment).err(), reader.pid());
    assert_eq!((queue.try_put(b"")?, queue.try_get()?), (false, None));
    reserver.kill_and_wait();
    reader.kill_and_wait();
    queue.put(b"second", AT_ONCE)?;
    assert!(queue.try_put(b"third")?);
    assert_eq!(queue.get(AT_ONCE)?.bytes, b"first");
    assert_eq!(queue.get_many(9, AT_ONCE)?.len(), 2);
    assert_eq!(Region::open(&scratch.space(), ID)?.participants().len(), 3);
    Ok(())
}
