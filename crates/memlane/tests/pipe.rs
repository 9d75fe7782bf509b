//! Pipes: messages against a model, between threads and handles, who may have which end, and what is left when the
//! other one closes or is killed.

mod patience;
mod role;
mod scratch;

use memlane::pipe::{EndState, Message};
use memlane::{Error, PipeEnd, PipeSpec, Region, Result, Side, Space, Tag, Value};
use patience::{DEADLINE, assert_in_vain, assert_woken, await_that, measured};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use role::{Role, listen, say};
use scratch::Scratch;
use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

const ID: &str = "arm/commands";

/// A ring of one page, each way.
const CAPACITY: usize = 4096 - HEADER;
const HEADER: usize = 8;

/// The death of a small process is known within this time, as documented.
const PROMPT: Duration = Duration::from_millis(100);
/// How many of the rounds a busy machine may spoil.
const SPOILT: usize = 2;
const ROUNDS: usize = 10;

fn spec() -> PipeSpec {
    PipeSpec::duplex(CAPACITY)
}

fn open(space: &Space, side: Side) -> Result<PipeEnd> {
    PipeEnd::open_or_create(space, ID, &spec(), side)
}

fn both(scratch: &Scratch) -> Result<(PipeEnd, PipeEnd)> {
    Ok((open(&scratch.space(), Side::Left)?, open(&scratch.space(), Side::Right)?))
}

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let played = match part.role.as_str() {
            "sender" => send(&space, part.number(0)),
            "receiver" => receive(&space),
            other => panic!("there is no role {other}"),
        };
        played.expect("the role can be played");
    });
}

/// Sends so many numbers.
fn send(space: &Space, count: u64) -> Result<()> {
    let left = open(space, Side::Left)?;
    (0..count).try_for_each(|number| left.send(&number.to_le_bytes(), None))?;
    say("sent");
    listen();
    Ok(())
}

/// Has the right end and does nothing with it.
fn receive(space: &Space) -> Result<()> {
    let _right = open(space, Side::Right)?;
    say("there");
    listen();
    Ok(())
}

fn assert_is(message: &Message, tag: Tag, bytes: &[u8]) {
    assert_eq!((message.tag, &message.bytes[..]), (tag, bytes));
}

#[test]
fn messages_arrive_whole_in_order_and_tagged() -> Result<()> {
    let scratch = Scratch::new();
    let (left, right) = both(&scratch)?;
    assert_eq!((left.side(), left.capacity(), right.try_recv()?), (Side::Left, CAPACITY, None));
    left.send(b"where?", None)?;
    left.send_tagged(Tag::Json, b"{}", None)?;
    assert!(left.try_send(b"")?);
    assert!(right.poll(None)?);
    assert_is(&right.try_recv()?.expect("it was sent"), Tag::Bytes, b"where?");
    assert_is(&right.recv(None)?, Tag::Json, b"{}");
    right.send_tagged(Tag::Utf8, "hier".as_bytes(), None)?;
    let mut bytes = vec![0; 100];
    assert_eq!((right.recv_into(&mut bytes, None)?, bytes.len()), (Tag::Bytes, 0));
    assert_eq!((left.recv_into(&mut bytes, None)?, &bytes[..]), (Tag::Utf8, &b"hier"[..]));
    let state = left.state();
    assert_eq!((state.duplex, state.used, state.capacity), (true, [0, 0], CAPACITY + HEADER));
    assert_eq!(state.sent, [2 + 2 + 1, 2]);
    assert!(state.ends.iter().all(|end| matches!(end, EndState::Open(_))), "{state:?}");
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let (left, right) = both(&scratch)?;
    left.send(&[7; CAPACITY], Some(Duration::ZERO))?;
    assert!(!left.try_send(b"")?);
    let error = left.send(&[0; CAPACITY + 1], None).expect_err("too large");
    assert_eq!(
        error.to_string(),
        format!("{} bytes do not fit region `{ID}`, which holds {CAPACITY}", CAPACITY + 1)
    );
    assert_eq!(right.recv(None)?.bytes, [7; CAPACITY]);
    drop((left, right));
    let larger = PipeEnd::open_or_create(&space, ID, &PipeSpec::duplex(CAPACITY + 1), Side::Left);
    assert!(matches!(larger, Err(Error::ParameterMismatch { parameter: "capacity", .. })), "{larger:?}");
    let one_way = PipeEnd::open_or_create(&space, ID, &PipeSpec::one_way(CAPACITY), Side::Left);
    assert!(matches!(one_way, Err(Error::ParameterMismatch { parameter: "two ways", .. })), "{one_way:?}");
    for capacity in [0, usize::MAX] {
        let refused = PipeEnd::create(&space, "other", &PipeSpec::duplex(capacity), Side::Left);
        assert!(matches!(refused, Err(Error::BadParameter { .. })), "{refused:?}");
    }
    drop(Value::<u8>::create(&space, "value", 0)?);
    assert!(matches!(PipeEnd::open(&space, "value", Side::Left), Err(Error::WrongKind { .. })));
    Ok(())
}

#[test]
fn one_way_goes_one_way() -> Result<()> {
    let scratch = Scratch::new();
    let left = PipeEnd::create(&scratch.space(), ID, &PipeSpec::one_way(CAPACITY), Side::Left)?;
    let right = PipeEnd::open(&scratch.space(), ID, Side::Right)?;
    left.send(b"there", None)?;
    assert_eq!(right.recv(None)?.bytes, b"there");
    assert!(matches!(right.send(b"back", None), Err(Error::BadParameter { .. })));
    assert!(matches!(left.try_recv(), Err(Error::BadParameter { .. })));
    assert!(matches!(left.poll(None), Err(Error::BadParameter { .. })));
    Ok(())
}

#[test]
fn a_wait_in_vain_says_for_what() -> Result<()> {
    let scratch = Scratch::new();
    let left = open(&scratch.space(), Side::Left)?;
    // Nobody had the other end yet: who comes gets what was sent.
    assert_in_vain(ID, "a message", |timeout| left.recv(timeout));
    left.send(&[0; CAPACITY], None)?;
    assert_in_vain(ID, "room", |timeout| left.send(b"", timeout));
    let (polled, elapsed) = measured(|| left.poll(Some(Duration::from_millis(20))));
    assert!(!polled? && elapsed >= Duration::from_millis(20));
    assert_eq!(open(&scratch.space(), Side::Right)?.recv(None)?.bytes.len(), CAPACITY);
    Ok(())
}

#[test]
fn after_the_last_message_comes_the_end() -> Result<()> {
    let scratch = Scratch::new();
    let (left, right) = both(&scratch)?;
    left.send(b"one", None)?;
    left.send(b"two", None)?;
    left.close();
    assert_eq!(right.recv(None)?.bytes, b"one");
    assert!(matches!(right.send(b"?", None), Err(Error::BrokenPipe { .. })));
    assert_eq!(right.recv(None)?.bytes, b"two");
    for _ in 0..2 {
        assert!(right.poll(None)?, "there will never be one");
        let end = right.recv(None).expect_err("the end");
        let words = format!("the other end of pipe `{ID}` is gone: it was closed; there is no more to read");
        assert_eq!(end.to_string(), words);
        assert!(matches!(right.try_recv(), Err(Error::EndOfPipe { .. })));
    }
    assert!(matches!(right.try_send(b"?"), Err(Error::BrokenPipe { .. })));
    Ok(())
}

#[test]
fn an_end_is_one_processs_until_the_conversation_is_over() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let (left, right) = both(&scratch)?;
    let refused = |side| match open(&space, side) {
        Err(Error::EndTaken { end, why, .. }) => (end, why),
        other => panic!("{other:?}"),
    };
    let (end, why) = refused(Side::Left);
    assert!(end == "left" && why.ends_with(" has it"), "{why}");
    left.send(b"old", None)?;
    left.close();
    let (end, why) = refused(Side::Left);
    assert!(end == "left" && why.contains("has the other end"), "{why}");
    right.send(b"old", None).expect_err("nobody reads it");
    right.close();
    // Both are gone: this is another conversation.
    let (left, right) = both(&scratch)?;
    assert_eq!((left.try_recv()?, right.try_recv()?), (None, None));
    right.send(b"new", None)?;
    assert_eq!(left.recv(None)?.bytes, b"new");
    Ok(())
}

#[test]
fn what_was_left_for_who_comes_later_is_delivered() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    for part in [b"one", b"two"] {
        let left = open(&space, Side::Left)?;
        left.send(part, None)?;
        left.close();
    }
    let right = open(&space, Side::Right)?;
    assert_eq!((right.recv(None)?.bytes, right.recv(None)?.bytes), (b"one".to_vec(), b"two".to_vec()));
    assert!(matches!(right.recv(None), Err(Error::EndOfPipe { .. })));
    Ok(())
}

#[test]
fn halves_keep_the_end_until_both_are_dropped() -> Result<()> {
    let scratch = Scratch::new();
    let (left, right) = both(&scratch)?;
    let (Some(sender), Some(receiver)) = left.split() else { panic!("both ways") };
    thread::scope(|scope| {
        scope.spawn(move || {
            (0..1000_u32).for_each(|number| sender.send(&number.to_le_bytes(), None).expect("sent"));
        });
        scope.spawn(move || {
            (0..1000_u32).for_each(|number| {
                assert_eq!(receiver.recv(None).expect("received").bytes, number.to_le_bytes());
            });
        });
        for _ in 0..1000 {
            right.send(&right.recv(None)?.bytes, None)?;
        }
        Ok::<_, Error>(())
    })?;
    assert!(matches!(right.recv(Some(DEADLINE)), Err(Error::EndOfPipe { .. })));
    Ok(())
}

#[test]
fn whoever_waits_is_woken() -> Result<()> {
    const ROUNDS: u64 = 200;
    let scratch = Scratch::new();
    let (left, right) = both(&scratch)?;
    thread::scope(|scope| {
        let answering = scope.spawn(move || {
            (0..ROUNDS).try_for_each(|_| right.send(&right.recv(Some(DEADLINE))?.bytes, Some(DEADLINE)))
        });
        assert_woken(ROUNDS, || {
            (0..ROUNDS).try_for_each(|number| {
                // So large that one waits for room as well.
                let sent = vec![number as u8; CAPACITY];
                left.send(&sent, Some(DEADLINE))?;
                assert_eq!(left.recv(Some(DEADLINE))?.bytes, sent);
                Ok(())
            })
        })?;
        answering.join().expect("it does not panic")
    })
}

/// Waits until a thread of this process sleeps over the pipe.
fn await_sleeper(region: &Region) {
    await_that(|| region.participants().iter().any(|one| !one.waits.is_empty()), "sleeper");
}

#[test]
fn closing_ends_the_others_sleep() -> Result<()> {
    let scratch = Scratch::new();
    for _ in 0..ROUNDS {
        let (left, right) = both(&scratch)?;
        let receiving = thread::spawn(move || right.recv(Some(DEADLINE)));
        await_sleeper(left.region());
        left.close();
        assert!(matches!(receiving.join().expect("no panic"), Err(Error::EndOfPipe { .. })));
        let (left, right) = both(&scratch)?;
        left.send(&[0; CAPACITY], None)?;
        let sending = thread::spawn(move || left.send(b"", Some(DEADLINE)));
        await_sleeper(right.region());
        right.close();
        assert!(matches!(sending.join().expect("no panic"), Err(Error::BrokenPipe { .. })));
    }
    Ok(())
}

#[test]
fn all_that_a_killed_sender_sent_arrives_and_then_the_end() -> Result<()> {
    let scratch = Scratch::new();
    for _ in 0..3 {
        let mut sender = Role::start("sender", scratch.path(), &["20"]);
        sender.expect("sent");
        let right = open(&scratch.space(), Side::Right)?;
        sender.kill_and_wait();
        for number in 0..20_u64 {
            assert_eq!(right.recv(Some(DEADLINE))?.bytes, number.to_le_bytes());
        }
        let end = right.recv(Some(DEADLINE)).expect_err("the end");
        assert!(matches!(end, Error::EndOfPipe { .. }) && end.to_string().contains(" died; "), "{end}");
        assert!(matches!(right.state().ends, [EndState::Died(_), EndState::Open(_)]));
        assert!(matches!(right.send(b"", None), Err(Error::BrokenPipe { .. })));
    }
    Ok(())
}

/// How long after the kill a wait ends with the error that it must end with.
fn assert_prompt(
    scratch: &Scratch,
    prepare: fn(&PipeEnd) -> Result<()>,
    wait: fn(&PipeEnd) -> Error,
) -> Result<()> {
    let mut spoilt = 0;
    for _ in 0..ROUNDS {
        let left = open(&scratch.space(), Side::Left)?;
        let mut receiver = Role::start("receiver", scratch.path(), &[]);
        receiver.expect("there");
        prepare(&left)?;
        let region = left.region().clone();
        let waiting = thread::spawn(move || (wait(&left), Instant::now()));
        await_sleeper(&region);
        let killed = receiver.kill();
        let (error, known) = waiting.join().expect("it does not panic");
        assert!(error.to_string().contains(" died; "), "{error}");
        spoilt += usize::from(known - killed > PROMPT);
        receiver.kill_and_wait();
    }
    assert!(spoilt <= SPOILT, "{spoilt} of {ROUNDS} deaths were known late");
    Ok(())
}

#[test]
fn a_death_ends_the_others_sleep() -> Result<()> {
    let scratch = Scratch::new();
    assert_prompt(&scratch, |_| Ok(()), |left| left.recv(Some(DEADLINE)).expect_err("nobody sends"))?;
    let fill = |left: &PipeEnd| left.send(&[0; CAPACITY], None);
    assert_prompt(&scratch, fill, |left| left.send(b"", Some(DEADLINE)).expect_err("nobody receives"))
}

/// What is done to a pipe, one way or the other.
#[derive(Debug, Clone)]
enum Step {
    Send(Side, usize),
    Receive(Side),
}

fn any_step() -> impl Strategy<Value = Step> {
    let side = || prop_oneof![Just(Side::Left), Just(Side::Right)];
    prop_oneof![
        (side(), prop_oneof![0..40_usize, 0..CAPACITY + 2]).prop_map(|(side, size)| Step::Send(side, size)),
        side().prop_map(Step::Receive),
    ]
}

fn follow(steps: Vec<Step>) -> TestCaseResult {
    let scratch = Scratch::new();
    let (left, right) = both(&scratch)?;
    let ends = [left, right];
    let mut ways = [(); 2].map(|()| VecDeque::<Vec<u8>>::new());
    let units = |message: &Vec<u8>| message.len().next_multiple_of(HEADER) + HEADER;
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Send(side, size) => {
                let message = vec![number as u8; size];
                let way = &mut ways[side as usize];
                let used: usize = way.iter().map(units).sum();
                let sent = ends[side as usize].try_send(&message);
                if size > CAPACITY {
                    let is_refused = matches!(sent, Err(Error::TooLarge { capacity: CAPACITY, .. }));
                    prop_assert!(is_refused);
                    continue;
                }
                let fits = used + units(&message) <= CAPACITY + HEADER;
                prop_assert_eq!(sent?, fits);
                if fits {
                    way.push_back(message);
                }
            }
            Step::Receive(side) => {
                let way = &mut ways[1 - side as usize];
                prop_assert_eq!(ends[side as usize].poll(Some(Duration::ZERO))?, !way.is_empty());
                let received = ends[side as usize].try_recv()?.map(|message| message.bytes);
                prop_assert_eq!(received, way.pop_front());
            }
        }
        let used = ways.each_ref().map(|way| way.iter().map(units).sum::<usize>());
        prop_assert_eq!(ends[0].state().used, used);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pipe_is_two_queues(steps in prop::collection::vec(any_step(), 1..60)) {
        follow(steps)?;
    }
}
