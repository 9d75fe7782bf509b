//! Killed while it sends, receives, closes its end or takes one.

use super::{Deaths, ID, Scenario, assert_alone, join};
use crate::sleeper::{PATIENCE, asleep_while};
use crate::stage::Stage;
use crate::tracer::operation;
use memlane::pipe::EndState;
use memlane::{Error, PipeEnd, PipeSpec, Region, Side};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("pipe: send", Deaths::AtEveryInstruction, send),
    Scenario::new("pipe: send, the receiver asleep", Deaths::InCompany, send_with_a_sleeper),
    Scenario::new("pipe: receive", Deaths::AtEveryInstruction, receive),
    Scenario::new("pipe: receive, the sender asleep", Deaths::InCompany, receive_with_a_sleeper),
    Scenario::new("pipe: close an end", Deaths::AtEveryInstruction, close),
    Scenario::new("pipe: close an end, the other asleep", Deaths::InCompany, close_with_a_sleeper),
    Scenario::new("pipe: take an end", Deaths::AtEveryInstruction, take),
];

/// A ring of one page, each way.
const PAGE: usize = 4096;
const HEADER: usize = 8;

/// Messages that a victim sends: they take no whole number of units.
const MESSAGES: [&[u8]; 2] = [b"a message of 21 bytes", b""];

/// With this sent and received, what follows lies across the end of the ring.
const FILLING: [u8; PAGE - 3 * HEADER] = [0; _];

/// The end that survives.
fn survivor(stage: &Stage<'_>, side: Side) -> PipeEnd {
    let end = PipeEnd::create(stage.space(), ID, &PipeSpec::duplex(PAGE - HEADER), side).unwrap();
    assert_eq!(end.capacity(), PAGE - HEADER);
    end
}

/// Whoever opens the ends next has a conversation of their own.
fn assert_goes_on(stage: &Stage<'_>, survivor: PipeEnd) {
    assert_alone(survivor.region());
    survivor.close();
    let [left, right] = [Side::Left, Side::Right].map(|side| PipeEnd::open(stage.space(), ID, side).unwrap());
    for (from, to) in [(&left, &right), (&right, &left)] {
        from.send(b"hello", Some(PATIENCE)).unwrap();
        assert_eq!(to.recv(Some(PATIENCE)).unwrap().bytes, b"hello");
        assert_eq!(to.try_recv().unwrap(), None);
    }
}

/// What is left of what the victim sent, up to the end.
fn receive_all(end: &PipeEnd) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    loop {
        match end.recv(Some(PATIENCE)) {
            Ok(message) => messages.push(message.bytes),
            Err(Error::EndOfPipe { .. }) => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(matches!(end.try_recv(), Err(Error::EndOfPipe { .. })), "the end stays");
    messages
}

/// Sends until the pipe is broken.
fn assert_breaks(end: &PipeEnd) {
    let refused = (0..=PAGE).find_map(|_| end.send(b"?", Some(PATIENCE)).err()).expect("nobody receives");
    assert!(matches!(refused, Error::BrokenPipe { .. }), "{refused}");
    assert!(matches!(end.try_send(b"?"), Err(Error::BrokenPipe { .. })), "it stays broken");
}

fn send(stage: &Stage<'_>) {
    let right = survivor(stage, Side::Right);
    let victim = stage.victim(|| {
        let left = PipeEnd::open(stage.space(), ID, Side::Left).unwrap();
        left.send(&FILLING, None).unwrap();
        operation(|| MESSAGES.map(|message| left.send(message, None).unwrap()));
        left
    });
    assert_eq!(right.recv(None).unwrap().bytes, FILLING);
    victim.dies();
    assert!(matches!(right.state().ends, [EndState::Died(_), EndState::Open(_)]));
    let messages = receive_all(&right);
    assert_eq!(messages, MESSAGES[..messages.len()]);
    assert_breaks(&right);
    assert_goes_on(stage, right);
}

fn send_with_a_sleeper(stage: &Stage<'_>) {
    let right = survivor(stage, Side::Right);
    let victim = stage.victim(|| {
        let left = PipeEnd::open(stage.space(), ID, Side::Left).unwrap();
        operation(|| left.send(MESSAGES[0], None).unwrap());
        left
    });
    let wait = move || (right.recv(Some(PATIENCE)), right);
    let ((received, right), latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    match received {
        Ok(message) => {
            assert_eq!(message.bytes, MESSAGES[0]);
            assert_eq!(receive_all(&right), Vec::<Vec<u8>>::new());
        }
        Err(error) => assert!(matches!(error, Error::EndOfPipe { .. }), "{error}"),
    }
}

fn receive(stage: &Stage<'_>) {
    let left = survivor(stage, Side::Left);
    left.send(&FILLING, None).unwrap();
    let victim = stage.victim(|| {
        let right = PipeEnd::open(stage.space(), ID, Side::Right).unwrap();
        assert_eq!(right.recv(None).unwrap().bytes, FILLING);
        right.send(b"ready", None).unwrap();
        operation(|| MESSAGES.map(|message| assert_eq!(right.recv(None).unwrap().bytes, message)));
        right
    });
    let _ = MESSAGES.map(|message| left.send(message, None).unwrap());
    victim.dies();
    assert!(matches!(left.state().ends, [EndState::Open(_), EndState::Died(_)]));
    assert_eq!(receive_all(&left), [b"ready"]);
    assert_breaks(&left);
    assert_goes_on(stage, left);
}

fn receive_with_a_sleeper(stage: &Stage<'_>) {
    let left = survivor(stage, Side::Left);
    left.send(&FILLING, None).unwrap();
    let victim = stage.victim(|| {
        let right = PipeEnd::open(stage.space(), ID, Side::Right).unwrap();
        operation(|| assert_eq!(right.recv(None).unwrap().bytes, FILLING));
        right
    });
    let wait = move || left.send(&FILLING, Some(PATIENCE));
    let (sent, latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    assert!(matches!(sent, Ok(()) | Err(Error::BrokenPipe { .. })), "{sent:?}");
}

fn close(stage: &Stage<'_>) {
    let right = survivor(stage, Side::Right);
    let victim = stage.victim(|| {
        let left = PipeEnd::open(stage.space(), ID, Side::Left).unwrap();
        let _ = MESSAGES.map(|message| left.send(message, None).unwrap());
        let region = left.region().clone();
        operation(|| left.close());
        region
    });
    victim.dies();
    assert!(matches!(right.state().ends, [EndState::Died(_) | EndState::Closed, EndState::Open(_)]));
    assert_eq!(receive_all(&right), MESSAGES);
    assert_breaks(&right);
    assert_goes_on(stage, right);
}

fn close_with_a_sleeper(stage: &Stage<'_>) {
    let right = survivor(stage, Side::Right);
    let victim = stage.victim(|| {
        let left = PipeEnd::open(stage.space(), ID, Side::Left).unwrap();
        let region = left.region().clone();
        operation(|| left.close());
        region
    });
    let wait = move || right.recv(Some(PATIENCE)).expect_err("nothing was sent");
    let (error, latency) = asleep_while(wait, || victim.dies());
    stage.note_latency(latency);
    assert!(matches!(error, Error::EndOfPipe { .. }), "{error}");
}

/// A conversation that is over, with messages nobody has received, and a victim that begins the next one.
fn take(stage: &Stage<'_>) {
    let right = survivor(stage, Side::Right);
    let left = PipeEnd::open(stage.space(), ID, Side::Left).unwrap();
    left.send(b"for nobody", None).unwrap();
    right.send(b"for nobody", None).unwrap();
    left.close();
    right.close();
    let victim = stage.victim(|| {
        let region = Region::open(stage.space(), ID).unwrap();
        join(&region);
        let left = operation(|| PipeEnd::open(stage.space(), ID, Side::Left).unwrap());
        (region, left)
    });
    victim.dies();
    let left = PipeEnd::open(stage.space(), ID, Side::Left).unwrap();
    assert_eq!(left.try_recv().unwrap(), None);
    assert_goes_on(stage, left);
}
