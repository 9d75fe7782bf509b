//! A role of a scenario between languages, in Rust: takes steps from its standard input, one a line. What the steps
//! are, and the roles in the other languages, is in `bindings/c/tests/scenarios`.
#![forbid(unsafe_code)]

use memlane::queue::Lease;
use memlane::schema::Primitive;
use memlane::{
    Error, Event, FramePublisher, FrameSpec, FrameSubscriber, Lock, PipeEnd, PipeSpec, Queue, QueueSpec,
    Record, Result, Side, Space, StreamPublisher, StreamSpec, StreamSubscriber, Tag, Text, Value,
};
use std::collections::HashMap;
use std::time::Duration;

/// What is used again, by its id.
#[derive(Default)]
struct Role {
    locks: HashMap<String, Lock>,
    ends: HashMap<String, PipeEnd>,
    publishers: HashMap<String, StreamPublisher>,
    subscribers: HashMap<String, StreamSubscriber>,
}

fn main() -> Result<()> {
    let space = Space::default()?;
    let mut role = Role::default();
    for line in std::io::stdin().lines() {
        let line = line.expect("steps are lines");
        let words: Vec<_> = line.split_whitespace().collect();
        role.step(&space, &words)?;
    }
    Ok(())
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}

/// `{id:|u1,x@8:<f8,level:[2]>u2;24}`
fn pose(number: u8) -> Vec<u8> {
    let mut bytes = vec![number, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend((f64::from(number) + 0.5).to_le_bytes());
    bytes.extend([1, number, 2, number, 0, 0, 0, 0]);
    bytes
}

fn work(space: &Space, id: &str) -> Result<Queue> {
    Queue::open_or_create(space, id, &QueueSpec::bytes(4096).acknowledged())
}

impl Role {
    fn step(&mut self, space: &Space, words: &[&str]) -> Result<()> {
        match words {
            ["die"] => {
                die();
                Ok(())
            }
            [verb, id, rest @ ..] if verb.starts_with("pipe") => self.pipe_step(space, verb, id, rest),
            [verb @ ("lock_acquire" | "lock_release"), id, rest @ ..] => {
                self.lock_step(space, verb, id, rest)
            }
            [verb @ ("stream_append" | "stream_next"), id, text] => self.stream_step(space, verb, id, text),
            [verb, id] => event_step(space, verb, id),
            [verb, id, text] => cell_step(space, verb, id, text),
            _ => panic!("no step: {words:?}"),
        }
    }

    fn lock_step(&mut self, space: &Space, verb: &str, id: &str, rest: &[&str]) -> Result<()> {
        if !self.locks.contains_key(id) {
            self.locks.insert(id.to_owned(), Lock::open_or_create(space, id)?);
        }
        let lock = &self.locks[id];
        if verb == "lock_release" {
            return lock.release();
        }
        assert_eq!(lock.acquire(None)?.0, rest == ["died"]);
        lock.make_consistent()
    }

    fn pipe_step(&mut self, space: &Space, verb: &str, id: &str, rest: &[&str]) -> Result<()> {
        let side = if rest.first() == Some(&"left") { Side::Left } else { Side::Right };
        if !self.ends.contains_key(id) {
            let end = PipeEnd::open_or_create(space, id, &PipeSpec::duplex(1 << 20), side)?;
            self.ends.insert(id.to_owned(), end);
        }
        let end = &self.ends[id];
        match verb {
            "pipe_send" => end.send_tagged(Tag::Utf8, rest[1].as_bytes(), None)?,
            "pipe_receive" => assert_eq!(end.recv(None)?.bytes, rest[1].as_bytes()),
            _ => assert!(matches!(end.recv(None), Err(Error::EndOfPipe { .. }))),
        }
        Ok(())
    }

    fn stream_step(&mut self, space: &Space, verb: &str, id: &str, text: &str) -> Result<()> {
        if verb == "stream_append" {
            if !self.publishers.contains_key(id) {
                let publisher = StreamPublisher::open_or_create(space, id, &StreamSpec::of("<f8"))?;
                self.publishers.insert(id.to_owned(), publisher);
            }
            let publisher = self.publishers.get_mut(id).expect("it was put there");
            return publisher.append(&number(text).to_le_bytes()).map(drop);
        }
        if !self.subscribers.contains_key(id) {
            space.wait_for(id, None)?;
            self.subscribers.insert(id.to_owned(), StreamSubscriber::open(space, id)?.history(1000));
        }
        assert_eq!(self.subscribers[id].next(None)?.bytes, number(text).to_le_bytes());
        Ok(())
    }
}

/// A real SIGKILL.
fn die() {
    let me = std::process::id().to_string();
    std::process::Command::new("kill").args(["-KILL", &me]).status().expect("there is a kill");
}

fn event_step(space: &Space, verb: &str, id: &str) -> Result<()> {
    let event = Event::open_or_create(space, id)?;
    match verb {
        "event_set" => event.set(),
        "event_wait" => event.wait(None)?,
        "timeout" => {
            let waited = event.wait(Some(Duration::from_millis(10)));
            assert!(matches!(waited, Err(Error::Timeout { .. })));
        }
        _ => panic!("no step: {verb}"),
    }
    Ok(())
}

fn cell_step(space: &Space, verb: &str, id: &str, text: &str) -> Result<()> {
    const POSE: &str = "{id:|u1,x@8:<f8,level:[2]>u2;24}";
    match verb {
        "value_store" => Value::open_or_create(space, id, 0.0)?.store(number(text)),
        "value_wait" => {
            let value = Value::open_or_create(space, id, 0.0)?;
            let mut seen = value.read();
            while seen.value != number(text) {
                seen = value.wait_newer(&seen, None)?;
            }
        }
        "record_write" => {
            Record::open_or_create(space, id, POSE)?.write_bytes(&pose(number(text) as u8))?;
        }
        "record_wait" => {
            let record = Record::open_or_create(space, id, POSE)?;
            let wanted = pose(number(text) as u8);
            let mut seen = record.read_bytes()?;
            while seen.0[..20] != wanted[..20] {
                record.wait_newer(seen.1, None)?;
                seen = record.read_bytes()?;
            }
        }
        "text_write" => {
            Text::open_or_create(space, id, 4096)?.write(text)?;
        }
        "text_wait" => {
            let content = Text::open_or_create(space, id, 4096)?;
            let mut seen = content.read()?;
            while seen.0 != text {
                content.wait_newer(seen.1, None)?;
                seen = content.read()?;
            }
        }
        _ => channel_step(space, verb, id, text)?,
    }
    Ok(())
}

fn channel_step(space: &Space, verb: &str, id: &str, text: &str) -> Result<()> {
    match verb {
        "queue_put" => Queue::open_or_create(space, id, &QueueSpec::bytes(4096))?.put_tagged(
            Tag::Utf8,
            text.as_bytes(),
            None,
        ),
        "queue_take" => {
            let queue = Queue::open_or_create(space, id, &QueueSpec::bytes(4096))?;
            assert_eq!(queue.get(None)?.bytes, text.as_bytes());
            Ok(())
        }
        "work_put" => work(space, id)?.put_tagged(Tag::Utf8, text.as_bytes(), None),
        "work_lease" => {
            let queue = Box::leak(Box::new(work(space, id)?));
            let lease: Lease<'static> = queue.lease(None)?;
            assert_eq!(lease.bytes(), text.as_bytes());
            // It is held until the process dies.
            std::mem::forget(lease);
            Ok(())
        }
        "work_take" => {
            let queue = work(space, id)?;
            let lease = queue.lease(None)?;
            assert_eq!((lease.bytes(), lease.redelivered()), (text.as_bytes(), 1));
            lease.acknowledge()
        }
        "frame_publish" => {
            let spec = FrameSpec::image(4, 6, 3, Primitive::U8);
            let mut publisher = FramePublisher::open_or_create(space, id, &spec)?;
            let mut loan = publisher.loan()?;
            loan.fill(number(text) as u8);
            loan.publish();
            Ok(())
        }
        "frame_next" => {
            space.wait_for(id, None)?;
            let subscriber = FrameSubscriber::open(space, id)?.history(1);
            let frame = subscriber.next(None)?;
            assert_eq!((frame.sequence(), &frame[..]), (1, &[number(text) as u8; 72][..]));
            Ok(())
        }
        _ => panic!("no step: {verb}"),
    }
}
