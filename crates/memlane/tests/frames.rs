//! Frame channels: any order of operations of a publisher and several subscribers against a model, channels
//! that run flat out, waiting, and what the parameters may be. What a death changes is in `death.rs`.

mod patience;
mod random;
mod scratch;
mod sealed;

use memlane::frames::{Frame, PublisherState};
use memlane::schema::{Primitive, Schema};
use memlane::{Error, FramePublisher, FrameSpec, FrameSubscriber, Result, Space, Timestamp};
use patience::{DEADLINE, assert_in_vain, assert_woken, measured};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use random::Random;
use scratch::Scratch;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const ID: &str = "camera/front";

/// A frame as a subscriber sees it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    sequence: u64,
    captured: Timestamp,
    bytes: Vec<u8>,
}

/// A channel: all frames that were ever published, and the entries that nobody has claimed.
#[derive(Debug)]
struct Channel {
    history: u64,
    borrows: u32,
    unclaimed: u32,
    frames: Vec<Seen>,
}

impl Channel {
    fn newest(&self) -> u64 {
        self.frames.len() as u64
    }

    fn oldest_on_offer(&self) -> u64 {
        (self.newest() + 1).saturating_sub(self.history).max(1)
    }

    fn publish(&mut self, bytes: Vec<u8>) -> &Seen {
        let sequence = self.newest() + 1;
        let captured = Timestamp { monotonic: 3 * sequence, wall: 5 * sequence };
        self.frames.push(Seen { sequence, captured, bytes });
        &self.frames[sequence as usize - 1]
    }

    fn frame(&self, sequence: u64) -> Seen {
        self.frames[sequence as usize - 1].clone()
    }
}

/// A subscriber: what it may hold, what it holds, and how far it has come.
#[derive(Debug)]
struct Subscription {
    entries: usize,
    held: Vec<u64>,
    cursor: u64,
    missed: u64,
}

impl Subscription {
    fn perform(&mut self, order: &Order, channel: &Channel) -> Answer {
        let newest = channel.newest();
        let wanted = match order {
            Order::Look => return Answer::Done,
            Order::Drop(index) => {
                if !self.held.is_empty() {
                    self.held.remove(index.index(self.held.len()));
                }
                return Answer::Done;
            }
            Order::Next => self.cursor.max(channel.oldest_on_offer() - 1) + 1..=newest,
            Order::Latest => newest.max(1)..=newest,
            Order::Last(count) => {
                let on_offer = newest + 1 - channel.oldest_on_offer();
                newest + 1 - on_offer.min(*count as u64)..=newest
            }
        };
        let wanted: Vec<u64> =
            if matches!(order, Order::Next) { wanted.take(1).collect() } else { wanted.collect() };
        let asked = if matches!(order, Order::Last(_)) { wanted.len() } else { 1 };
        if self.held.len() + asked > self.entries {
            return Answer::Exhausted { held: self.held.len() as u32, entries: self.entries as u32 };
        }
        for sequence in &wanted {
            self.take(*sequence);
        }
        match order {
            Order::Next if wanted.is_empty() => Answer::TimedOut,
            _ => Answer::Frames(wanted.into_iter().map(|sequence| channel.frame(sequence)).collect()),
        }
    }

    fn take(&mut self, sequence: u64) {
        if sequence > self.cursor {
            self.missed += sequence - self.cursor - 1;
            self.cursor = sequence;
        }
        self.held.push(sequence);
    }
}

/// What a subscriber is to do.
#[derive(Debug, Clone)]
enum Order {
    Next,
    Latest,
    Last(usize),
    /// Gives one of the held frames back.
    Drop(Index),
    Look,
}

/// What came of it.
#[derive(Debug, PartialEq)]
enum Answer {
    Done,
    Frames(Vec<Seen>),
    TimedOut,
    Exhausted { held: u32, entries: u32 },
}

/// A subscriber in a thread of its own, which is where the frames it holds can lie.
#[derive(Debug)]
struct Reader {
    orders: Option<Sender<Order>>,
    views: Receiver<View>,
    thread: Option<JoinHandle<()>>,
}

/// An answer, the frames held after it, and the subscriber's own count of those it missed.
type View = (Answer, Vec<Seen>, u64);

impl Reader {
    fn start(subscriber: FrameSubscriber) -> Self {
        let (orders, receive_orders) = mpsc::channel();
        let (send_view, views) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut held = Vec::new();
            for order in receive_orders {
                let answer = obey(&order, &subscriber, &mut held);
                let view = (answer, held.iter().map(seen).collect(), subscriber.missed());
                send_view.send(view).expect("who gave the order waits");
            }
        });
        Self { orders: Some(orders), views, thread: Some(thread) }
    }

    fn order(&self, order: Order) -> View {
        self.orders.as_ref().expect("it is not dropped").send(order).expect("the reader lives");
        self.views.recv().expect("the reader lives")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.orders.take());
        // One that has panicked has failed the test already.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn obey<'a>(order: &Order, subscriber: &'a FrameSubscriber, held: &mut Vec<Frame<'a>>) -> Answer {
    let taken = match order {
        Order::Look => return Answer::Done,
        Order::Drop(index) => {
            if !held.is_empty() {
                held.remove(index.index(held.len()));
            }
            return Answer::Done;
        }
        Order::Next => subscriber.next(Some(Duration::ZERO)).map(|frame| vec![frame]),
        Order::Latest => subscriber.latest().map(|frame| frame.into_iter().collect()),
        Order::Last(count) => subscriber.last(*count),
    };
    match taken {
        Ok(frames) => {
            let answer = Answer::Frames(frames.iter().map(seen).collect());
            held.extend(frames);
            answer
        }
        Err(Error::Timeout { .. }) => Answer::TimedOut,
        Err(Error::BorrowsExhausted { held, entries, .. }) => Answer::Exhausted { held, entries },
        Err(error) => panic!("{error}"),
    }
}

fn seen(frame: &Frame<'_>) -> Seen {
    Seen { sequence: frame.sequence(), captured: frame.captured(), bytes: frame.to_vec() }
}

#[derive(Debug, Clone)]
enum Step {
    /// A length, as a share of the capacity, and the seed of the bytes.
    Publish(Index, u64),
    /// Writes into a loan and drops it.
    Abandon(u64),
    /// The publisher ends, and another begins.
    Replace,
    Subscribe {
        entries: u32,
        history: Option<u64>,
    },
    Leave(Index),
    Order(Index, Order),
}

fn step() -> impl Strategy<Value = Step> {
    let order = prop_oneof![
        4 => Just(Order::Next),
        2 => Just(Order::Latest),
        1 => (0_usize..6).prop_map(Order::Last),
        1 => Just(Order::Last(usize::MAX)),
        5 => any::<Index>().prop_map(Order::Drop),
    ];
    prop_oneof![
        8 => (any::<Index>(), any::<u64>()).prop_map(|(length, seed)| Step::Publish(length, seed)),
        1 => any::<u64>().prop_map(Step::Abandon),
        1 => Just(Step::Replace),
        3 => (1_u32..5, prop::option::of(0_u64..8))
            .prop_map(|(entries, history)| Step::Subscribe { entries, history }),
        1 => any::<Index>().prop_map(Step::Leave),
        16 => (any::<Index>(), order).prop_map(|(who, order)| Step::Order(who, order)),
    ]
}

/// A channel and its model.
struct Pair {
    space: Space,
    capacity: usize,
    publisher: Option<FramePublisher>,
    channel: Channel,
    readers: Vec<(Reader, Subscription)>,
}

impl Pair {
    fn new(space: Space, history: u32, borrows: u32, capacity: usize) -> Result<Self> {
        let spec = FrameSpec::bytes(capacity).history(history).borrows(borrows);
        let publisher = Some(FramePublisher::create(&space, ID, &spec)?);
        let channel = Channel { history: history.into(), borrows, unclaimed: borrows, frames: Vec::new() };
        Ok(Self { space, capacity, publisher, channel, readers: Vec::new() })
    }

    fn perform(&mut self, step: &Step) -> TestCaseResult {
        match step {
            Step::Publish(length, seed) => self.publish(length.index(self.capacity + 1), *seed)?,
            Step::Abandon(seed) => {
                let mut random = Random::new(*seed);
                self.publisher().loan()?.fill_with(|| random.next() as u8);
            }
            Step::Replace => {
                drop(self.publisher.take());
                self.publisher = Some(FramePublisher::open(&self.space, ID)?);
            }
            Step::Subscribe { entries, history } => self.subscribe(*entries, *history)?,
            Step::Leave(who) if !self.readers.is_empty() => {
                let (_, subscription) = self.readers.remove(who.index(self.readers.len()));
                self.channel.unclaimed += subscription.entries as u32;
            }
            Step::Order(who, order) if !self.readers.is_empty() => {
                let index = who.index(self.readers.len());
                self.order(index, order)?;
            }
            Step::Leave(_) | Step::Order(..) => {}
        }
        (0..self.readers.len()).try_for_each(|index| self.order(index, &Order::Look))
    }

    fn publisher(&mut self) -> &mut FramePublisher {
        self.publisher.as_mut().expect("there is always one between two steps")
    }

    fn publish(&mut self, length: usize, seed: u64) -> TestCaseResult {
        let mut random = Random::new(seed);
        let bytes: Vec<u8> = std::iter::repeat_with(|| random.next() as u8).take(length).collect();
        let expected = self.channel.publish(bytes).clone();
        let mut loan = self.publisher().loan()?;
        prop_assert_eq!(loan.sequence(), expected.sequence);
        loan[..length].copy_from_slice(&expected.bytes);
        loan.set_len(length)?;
        prop_assert_eq!(loan.publish_captured(expected.captured), expected.sequence);
        Ok(())
    }

    fn subscribe(&mut self, entries: u32, history: Option<u64>) -> TestCaseResult {
        match FrameSubscriber::open_with(&self.space, ID, entries) {
            Ok(subscriber) => {
                prop_assert!(entries <= self.channel.unclaimed, "the entries of others were claimed");
                self.channel.unclaimed -= entries;
                let subscriber = match history {
                    Some(frames) => subscriber.history(frames),
                    None => subscriber,
                };
                let before = history.unwrap_or(0).min(self.channel.history);
                let cursor = self.channel.newest().saturating_sub(before);
                let subscription =
                    Subscription { entries: entries as usize, held: Vec::new(), cursor, missed: 0 };
                self.readers.push((Reader::start(subscriber), subscription));
            }
            Err(Error::SubscribersExhausted { entries: pool, .. }) => {
                prop_assert_eq!(pool, self.channel.borrows);
                prop_assert!(entries > self.channel.unclaimed, "there were entries left");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The answer must be the model's, and every held frame must be what it was when it was taken.
    fn order(&mut self, index: usize, order: &Order) -> TestCaseResult {
        let (reader, subscription) = &mut self.readers[index];
        let expected = subscription.perform(order, &self.channel);
        let (answer, held, missed) = reader.order(order.clone());
        prop_assert_eq!(answer, expected);
        let expected: Vec<_> =
            subscription.held.iter().map(|sequence| self.channel.frame(*sequence)).collect();
        prop_assert_eq!((held, missed), (expected, subscription.missed));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_does_what_the_model_does(
        history in 1_u32..6,
        borrows in 1_u32..10,
        capacity in prop_oneof![3 => 1_usize..300, 1 => 4_000_usize..9_000],
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let scratch = Scratch::new();
        let mut pair = Pair::new(scratch.space(), history, borrows, capacity)?;
        for step in &steps {
            pair.perform(step)?;
        }
    }
}

/// Frames of all lengths as fast as possible; one subscriber wants each, the other the newest. Both keep a
/// frame while they take the next, and look at it once more.
#[test]
fn frames_are_whole_and_counted_while_a_publisher_runs_flat_out() -> Result<()> {
    const FRAMES: u64 = 8_000;
    const CAPACITY: usize = 12_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let spec = FrameSpec::bytes(CAPACITY).history(3).borrows(4);
    let mut publisher = FramePublisher::create(&space, ID, &spec)?;
    let each = FrameSubscriber::open(&space, ID)?;
    let newest = FrameSubscriber::open(&space, ID)?;
    thread::scope(|scope| {
        let each = scope
            .spawn(move || follow(&each, FRAMES, |subscriber| subscriber.next(Some(DEADLINE)).map(Some)));
        let newest = scope.spawn(move || follow(&newest, FRAMES, FrameSubscriber::latest));
        let mut random = Random::new(11);
        for number in 1..=FRAMES {
            let length = sealed::HEADER + random.index(CAPACITY - sealed::HEADER + 1);
            let mut loan = publisher.loan()?;
            sealed::seal(&mut loan[..length], number);
            loan.set_len(length)?;
            assert_eq!(loan.publish(), number);
        }
        [each, newest].into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })
}

/// Takes frames until the last one, and accounts for those that it did not get.
fn follow(
    subscriber: &FrameSubscriber,
    last: u64,
    take: impl for<'a> Fn(&'a FrameSubscriber) -> Result<Option<Frame<'a>>>,
) -> Result<()> {
    let (mut returned, mut newest) = (0, 0);
    let mut previous: Option<Frame<'_>> = None;
    while newest < last {
        let Some(frame) = take(subscriber)? else { continue };
        for frame in previous.iter().chain([&frame]) {
            assert_eq!(sealed::unseal(frame), Ok(frame.sequence()));
        }
        assert!(frame.sequence() >= newest, "{} came after {newest}", frame.sequence());
        returned += u64::from(frame.sequence() > newest);
        newest = frame.sequence();
        previous = Some(frame);
    }
    assert_eq!(returned + subscriber.missed(), last);
    Ok(())
}

#[test]
fn waiters_are_woken_whether_they_spin_or_not() -> Result<()> {
    const ROUNDS: u64 = 500;
    for spin in [Duration::ZERO, Duration::from_micros(50)] {
        let scratch = Scratch::new();
        let space = scratch.space();
        let mut question = FramePublisher::create(&space, "question", &FrameSpec::bytes(8))?;
        let mut answer = FramePublisher::create(&space, "answer", &FrameSpec::bytes(8))?;
        let questions = FrameSubscriber::open(&space, "question")?.spin(spin);
        let answers = FrameSubscriber::open(&space, "answer")?.spin(spin);
        assert_woken(ROUNDS, || {
            thread::scope(|scope| {
                let answerer = scope.spawn(move || -> Result<()> {
                    (0..ROUNDS).try_for_each(|_| {
                        let question = questions.next(Some(DEADLINE))?;
                        answer.loan().map(|mut loan| {
                            loan.copy_from_slice(&question);
                            loan.publish();
                        })
                    })
                });
                for round in 1..=ROUNDS {
                    let mut loan = question.loan()?;
                    loan.copy_from_slice(&round.to_le_bytes());
                    loan.publish();
                    let answer = answers.next(Some(DEADLINE))?;
                    assert_eq!((answer.sequence(), &answer[..]), (round, &round.to_le_bytes()[..]));
                }
                answerer.join().expect("it does not panic")
            })
        })?;
    }
    Ok(())
}

#[test]
fn a_wait_in_vain_takes_its_time_and_says_whether_anybody_publishes() -> Result<()> {
    let scratch = Scratch::new();
    let mut publisher = FramePublisher::create(&scratch.space(), ID, &FrameSpec::bytes(8))?;
    publisher.loan()?.publish();
    let sleeping = FrameSubscriber::open(&scratch.space(), ID)?;
    let spinning = FrameSubscriber::open(&scratch.space(), ID)?.spin(DEADLINE);
    for subscriber in [&sleeping, &spinning] {
        assert_in_vain(ID, "a frame (its publisher lives)", |timeout| subscriber.next(timeout));
    }
    drop(publisher);
    assert_in_vain(ID, "a frame (nobody publishes)", |timeout| sleeping.next(timeout));
    assert_eq!((sleeping.missed(), sleeping.latest()?.map(|frame| frame.sequence())), (0, Some(1)));
    Ok(())
}

#[test]
fn there_is_one_publisher_at_a_time_and_the_sequence_goes_on() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let spec = FrameSpec::bytes(8);
    let mut first = FramePublisher::create(&space, ID, &spec)?;
    let subscriber = FrameSubscriber::open(&space, ID)?;
    first.loan()?.publish();
    let who = format!("(pid {})", std::process::id());
    let error = FramePublisher::open(&space, ID).expect_err("there is one");
    assert!(
        matches!(&error, Error::PublisherExists { publisher, .. } if publisher.ends_with(&who)),
        "{error}"
    );
    let patience = Duration::from_millis(50);
    let (refused, elapsed) = measured(|| FramePublisher::open_or_create_within(&space, ID, &spec, patience));
    let error = refused.expect_err("there still is one");
    let waited = format!("{who}, still after ");
    assert!(
        matches!(&error, Error::PublisherExists { publisher, .. } if publisher.contains(&waited)),
        "{error}"
    );
    assert!((patience..DEADLINE).contains(&elapsed), "{elapsed:?}");
    assert!(
        matches!(subscriber.publisher(), PublisherState::Alive(found) if found.pid == std::process::id())
    );
    thread::scope(|scope| {
        let second = scope.spawn(|| FramePublisher::open_or_create_within(&space, ID, &spec, DEADLINE));
        drop(first);
        let mut second = second.join().expect("it does not panic")?;
        assert_eq!(second.loan()?.publish(), 2);
        assert_eq!([subscriber.next(None)?.sequence(), subscriber.next(None)?.sequence()], [1, 2]);
        Ok::<_, Error>(())
    })?;
    assert_eq!((subscriber.publisher(), subscriber.missed()), (PublisherState::None, 0));
    Ok(())
}

#[test]
fn a_loan_has_the_length_that_its_channel_allows() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut varying = FramePublisher::create(&space, "varying", &FrameSpec::bytes(8))?;
    let mut loan = varying.loan()?;
    let error = loan.set_len(9).expect_err("the channel has eight");
    assert_eq!(error.to_string(), "9 bytes do not fit region `varying`, which holds 8");
    loan.set_len(0)?;
    let reader = FrameSubscriber::open(&space, "varying")?;
    loan.publish();
    assert!(reader.next(None)?.is_empty());

    let spec = FrameSpec::image(2, 4, 3, Primitive::U16);
    let mut fixed = FramePublisher::create(&space, "fixed", &spec)?;
    assert_eq!(fixed.capacity(), 2 * 4 * 3 * 2);
    let mut loan = fixed.loan()?;
    loan.set_len(48)?;
    let error = loan.set_len(47).expect_err("pictures have one size");
    assert_eq!(
        error.to_string(),
        "the length of a frame of region `fixed` must be 48 bytes, as its schema says, not 47"
    );
    Ok(())
}

#[test]
fn a_frame_says_when_it_was_captured() -> Result<()> {
    let scratch = Scratch::new();
    let mut publisher = FramePublisher::create(&scratch.space(), ID, &FrameSpec::bytes(8))?;
    let subscriber = FrameSubscriber::open(&scratch.space(), ID)?;
    let before = Timestamp::now();
    publisher.loan()?.publish();
    let after = Timestamp::now();
    let frame = subscriber.next(None)?;
    let captured = frame.captured();
    assert!((before.monotonic..=after.monotonic).contains(&captured.monotonic), "{captured:?}");
    assert!((before.wall..=after.wall).contains(&captured.wall), "{captured:?}");
    assert!(frame.age() >= after.age() && frame.age() < DEADLINE);
    Ok(())
}

#[test]
fn pictures_carry_their_usual_encoding() -> Result<()> {
    let scratch = Scratch::new();
    let specs = [
        (FrameSpec::image(4, 6, 3, Primitive::U8), "[4,6,3]|u1 encoding=\"bgr8\""),
        (FrameSpec::image(4, 6, 4, Primitive::U8), "[4,6,4]|u1 encoding=\"bgra8\""),
        (FrameSpec::image(4, 6, 1, Primitive::U8), "[4,6]|u1 encoding=\"mono8\""),
        (FrameSpec::image(4, 6, 1, Primitive::U16), "[4,6]<u2 encoding=\"mono16\""),
        (FrameSpec::image(4, 6, 1, Primitive::F32), "[4,6]<f4 encoding=\"32fc1\""),
        (FrameSpec::image(4, 6, 2, Primitive::F64), "[4,6,2]<f8"),
        (FrameSpec::image(4, 6, 3, Primitive::U8).encoding("rgb8"), "[4,6,3]|u1 encoding=\"rgb8\""),
        (FrameSpec::bytes(100).encoding("jpeg"), "[100]|u1 encoding=\"jpeg\""),
        (FrameSpec::of(Schema::new(Primitive::I16)), "<i2"),
    ];
    for (index, (spec, schema)) in specs.iter().enumerate() {
        let id = format!("camera/{index}");
        let _publisher = FramePublisher::create(&scratch.space(), &id, spec)?;
        assert_eq!(FrameSubscriber::open(&scratch.space(), &id)?.schema().to_string(), *schema);
    }
    Ok(())
}

#[test]
fn parameters_have_limits() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let refusals = [
        (FrameSpec::bytes(8).history(0), "history of region `camera/front` must be 1 to 2048, not 0"),
        (FrameSpec::bytes(8).history(2049), "history of region `camera/front` must be 1 to 2048, not 2049"),
        (FrameSpec::bytes(8).borrows(0), "borrows of region `camera/front` must be 1 to 1024, not 0"),
        (
            FrameSpec::bytes(8).borrows(u32::MAX),
            "borrows of region `camera/front` must be 1 to 1024, not 4294967295",
        ),
        (FrameSpec::bytes(0), "region `camera/front`: expected a dimension of at least 1, found 0"),
        (
            FrameSpec::bytes(1 << 46),
            "the size of a frame of region `camera/front` must be 1 to 6397158561605, not 70368744177664",
        ),
        (
            FrameSpec::bytes(8).encoding("a\nb"),
            "region `camera/front`: expected an encoding of one or more characters and no control characters, \
             found \"a\\nb\"",
        ),
    ];
    for (spec, message) in refusals {
        let error = FramePublisher::create(&space, ID, &spec).expect_err("it is out of its limits");
        assert_eq!(error.to_string(), message);
    }
    let spec = FrameSpec::bytes(1).history(2048).borrows(1024);
    let mut largest = FramePublisher::create(&space, ID, &spec)?;
    for entries in [0, 65] {
        let error = FrameSubscriber::open_with(&space, ID, entries).expect_err("it is out of its limits");
        let message =
            format!("the entries of a subscriber of region `camera/front` must be 1 to 64, not {entries}");
        assert_eq!(error.to_string(), message);
    }
    let subscriber = FrameSubscriber::open_with(&space, ID, 64)?;
    for _ in 0..5_000 {
        largest.loan()?.publish();
    }
    assert_eq!((subscriber.next(None)?.sequence(), subscriber.missed()), (2953, 2952));
    let held = subscriber.last(63)?;
    assert!(held.iter().map(Frame::sequence).eq(4938..=5000));
    Ok(())
}

#[test]
fn refusals_say_who_has_what() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut publisher = FramePublisher::create(&space, ID, &FrameSpec::bytes(8).borrows(3))?;
    let subscriber = FrameSubscriber::open(&space, ID)?;
    let error = FrameSubscriber::open(&space, ID).expect_err("one entry is left");
    assert_eq!(
        error.to_string(),
        "all 3 entries of region `camera/front` are claimed by living subscribers; make it with more (frames: `borrows`; lossless stream: readers)"
    );
    let _third = FrameSubscriber::open_with(&space, ID, 1)?;
    publisher.loan()?.publish();
    publisher.loan()?.publish();
    let _held = subscriber.latest()?;
    let error = subscriber.last(2).expect_err("one entry is left");
    assert_eq!(
        error.to_string(),
        "this subscriber of region `camera/front` holds 1 of the 2 frames it may; drop one first, or subscribe with more"
    );
    Ok(())
}

#[test]
fn an_owned_frame_outlives_its_subscriber_and_keeps_its_slot() {
    let scratch = Scratch::new();
    let space = scratch.space();
    let spec = FrameSpec::image(2, 2, 1, Primitive::U8).history(1);
    let mut publisher = FramePublisher::create(&space, "camera", &spec).expect("a channel");
    let publish = |publisher: &mut FramePublisher, content: u8| {
        let mut loan = publisher.loan().expect("a loan");
        loan.fill(content);
        loan.publish()
    };
    let subscriber = FrameSubscriber::open_with(&space, "camera", 1).expect("a subscriber");
    publish(&mut publisher, 7);
    let owned = subscriber.next(Some(DEADLINE)).expect("a frame").into_owned();
    publish(&mut publisher, 8);
    assert!(matches!(
        subscriber.next(Some(DEADLINE)),
        Err(Error::BorrowsExhausted { held: 1, entries: 1, .. })
    ));
    drop(subscriber);
    for content in 9..30 {
        publish(&mut publisher, content);
    }
    let held = std::thread::spawn(move || (owned.sequence(), owned.to_vec()));
    assert_eq!(held.join().expect("no panic"), (1, vec![7; 4]));
}

#[test]
fn an_owned_frame_given_back_frees_its_entry() {
    let scratch = Scratch::new();
    let space = scratch.space();
    let spec = FrameSpec::image(2, 2, 1, Primitive::U8).history(2);
    let mut publisher = FramePublisher::create(&space, "camera", &spec).expect("a channel");
    let subscriber = FrameSubscriber::open_with(&space, "camera", 1).expect("a subscriber");
    for _ in 0..5 {
        publisher.loan().expect("a loan").publish();
        let owned = subscriber.next(Some(DEADLINE)).expect("a frame").into_owned();
        std::thread::spawn(move || drop(owned)).join().expect("no panic");
    }
    assert_eq!(subscriber.last(1).expect("the last frame").len(), 1);
}
