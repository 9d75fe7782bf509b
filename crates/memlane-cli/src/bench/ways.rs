//! The ways of a number to another process and back: memlane's, and those that are the floor of each kind of waiting.

use super::ground::Ground;
use super::trips::{Waiting, Way};
use super::yardsticks::{Lines, refused};
use crate::failure::{Exit, Failure, Outcome};
use memlane::schema::Primitive;
use memlane::{
    Event, FramePublisher, FrameSpec, FrameSubscriber, Space, StreamPublisher, StreamSpec, StreamSubscriber,
    Timestamp, Value, value,
};
use rustix::thread::futex;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Longer than any row takes: these readers never fall asleep.
const ALWAYS: Duration = Duration::from_hours(1);

/// The ids of the way out and of the way in.
fn ids(is_leader: bool) -> (&'static str, &'static str) {
    if is_leader { ("there", "back") } else { ("back", "there") }
}

pub(super) struct ByValue {
    out: Value<u64>,
    back: Value<u64>,
    seen: value::Reading<u64>,
    /// The last number that was received; the first may be there before this side is.
    last: u64,
    waiting: Waiting,
}

impl Way for ByValue {
    fn open(ground: &Ground, is_leader: bool, waiting: Waiting) -> Outcome<Self> {
        let (out, back) = ids(is_leader);
        let [out, back] =
            [out, back].map(|id| Value::open_or_create(&ground.space, &format!("value-{id}"), 0));
        let back = back?;
        Ok(Self { out: out?, seen: back.read(), last: 0, back, waiting })
    }

    #[inline]
    fn send(&mut self, number: u64) -> Outcome {
        self.out.store(number);
        Ok(())
    }

    #[inline]
    fn receive(&mut self) -> Outcome<u64> {
        while self.seen.value == self.last {
            if self.waiting == Waiting::Asleep {
                self.seen = self.back.wait_newer(&self.seen, None)?;
            } else {
                // Whoever polls needs no version: each number is another one.
                std::hint::spin_loop();
                self.seen.value = self.back.load();
            }
        }
        self.last = self.seen.value;
        Ok(self.last)
    }
}

pub(super) struct ByStream {
    publisher: StreamPublisher,
    subscriber: StreamSubscriber,
}

impl Way for ByStream {
    fn open(ground: &Ground, is_leader: bool, waiting: Waiting) -> Outcome<Self> {
        let spec = StreamSpec::of("<u8").capacity(1024);
        let (out, back) = ids(is_leader);
        let (out, back) = (format!("stream-{out}"), format!("stream-{back}"));
        let publisher = StreamPublisher::open_or_create(&ground.space, &out, &spec)?;
        let subscriber = once_there(|| StreamSubscriber::open(&ground.space, &back))?;
        Ok(Self { publisher, subscriber: subscriber.history(1).spin(waiting.spin()) })
    }

    #[inline]
    fn send(&mut self, number: u64) -> Outcome {
        self.publisher.append(&number.to_le_bytes())?;
        Ok(())
    }

    #[inline]
    fn receive(&mut self) -> Outcome<u64> {
        let mut bytes = [0; 8];
        self.subscriber.next_into(&mut bytes, None)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

pub(super) struct ByFrames {
    publisher: FramePublisher,
    subscriber: FrameSubscriber,
}

impl Way for ByFrames {
    fn open(ground: &Ground, is_leader: bool, waiting: Waiting) -> Outcome<Self> {
        let (out, back) = ids(is_leader);
        let publisher = publisher(&ground.space, &format!("frames-{out}"), 8)?;
        let back = format!("frames-{back}");
        let subscriber = once_there(|| FrameSubscriber::open(&ground.space, &back))?;
        Ok(Self { publisher, subscriber: subscriber.history(1).spin(waiting.spin()) })
    }

    #[inline]
    fn send(&mut self, number: u64) -> Outcome {
        let mut loan = self.publisher.loan()?;
        loan[..8].copy_from_slice(&number.to_le_bytes());
        // Without the clock, which a way of so few nanoseconds would be a third of.
        loan.publish_captured(Timestamp { monotonic: 0, wall: 0 });
        Ok(())
    }

    #[inline]
    fn receive(&mut self) -> Outcome<u64> {
        let frame = self.subscriber.next(None)?;
        Ok(frame[..8].try_into().map(u64::from_le_bytes).unwrap_or_default())
    }
}

/// A frame channel for so many bytes.
pub(super) fn publisher(space: &Space, id: &str, size: usize) -> Outcome<FramePublisher> {
    let schema = memlane::schema::Schema::new(Primitive::U8).with_shape(&[size]);
    let schema = schema.map_err(|error| Failure::new(Exit::Failure, error))?;
    Ok(FramePublisher::open_or_create(space, id, &FrameSpec::of(schema).history(1))?)
}

/// Carries no number: each side counts for itself.
pub(super) struct ByEvent {
    out: Event,
    back: Event,
    received: u64,
}

impl Way for ByEvent {
    fn open(ground: &Ground, is_leader: bool, _: Waiting) -> Outcome<Self> {
        let (out, back) = ids(is_leader);
        let [out, back] =
            [out, back].map(|id| Event::open_or_create_auto_reset(&ground.space, &format!("event-{id}")));
        Ok(Self { out: out?, back: back?, received: 0 })
    }

    fn send(&mut self, _: u64) -> Outcome {
        self.out.set();
        Ok(())
    }

    fn receive(&mut self) -> Outcome<u64> {
        self.back.wait(None)?;
        self.received += 1;
        Ok(self.received)
    }
}

/// The floor of all that polls: a word in a cache line that goes back and forth.
pub(super) struct ByCacheLine {
    lines: Lines,
    out: usize,
    received: u64,
}

impl Way for ByCacheLine {
    fn open(ground: &Ground, is_leader: bool, _: Waiting) -> Outcome<Self> {
        let lines = Lines::open(&ground.space, "cache-lines", 2)?;
        Ok(Self { lines, out: usize::from(is_leader), received: 0 })
    }

    #[inline]
    fn send(&mut self, number: u64) -> Outcome {
        self.lines.word(self.out).store(number, Ordering::Release);
        Ok(())
    }

    #[inline]
    fn receive(&mut self) -> Outcome<u64> {
        let word = self.lines.word(1 - self.out);
        loop {
            let number = word.load(Ordering::Acquire);
            if number != self.received {
                self.received = number;
                return Ok(number);
            }
            std::hint::spin_loop();
        }
    }
}

/// The floor of all that sleeps: the kernel's own way to wake somebody.
pub(super) struct ByFutex {
    lines: Lines,
    out: usize,
    received: u32,
}

impl ByFutex {
    fn word(&self, index: usize) -> &AtomicU32 {
        self.lines.futex(index)
    }
}

impl Way for ByFutex {
    fn open(ground: &Ground, is_leader: bool, _: Waiting) -> Outcome<Self> {
        let lines = Lines::open(&ground.space, "futexes", 2)?;
        Ok(Self { lines, out: usize::from(is_leader), received: 0 })
    }

    fn send(&mut self, number: u64) -> Outcome {
        let word = self.word(self.out);
        word.store(number as u32, Ordering::Release);
        futex::wake(word, futex::Flags::empty(), 1).map_err(refused)?;
        Ok(())
    }

    fn receive(&mut self) -> Outcome<u64> {
        loop {
            let number = self.word(1 - self.out).load(Ordering::Acquire);
            if number != self.received {
                self.received = number;
                return Ok(number.into());
            }
            // Whatever it returns: the word is looked at again.
            let _ = futex::wait(self.word(1 - self.out), futex::Flags::empty(), number, None);
        }
    }
}

/// What the same would cost over the network, if the network took no time.
pub(super) struct ByTcp(TcpStream);

impl Way for ByTcp {
    fn open(ground: &Ground, is_leader: bool, _: Waiting) -> Outcome<Self> {
        let address = Value::open_or_create(&ground.space, "tcp-port", 0_u64)?;
        let stream = if is_leader {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(refused)?;
            address.store(listener.local_addr().map_err(refused)?.port().into());
            listener.accept().map_err(refused)?.0
        } else {
            let mut port = address.read();
            while port.value == 0 {
                port = address.wait_newer(&port, None)?;
            }
            TcpStream::connect((Ipv4Addr::LOCALHOST, port.value as u16)).map_err(refused)?
        };
        stream.set_nodelay(true).map_err(refused)?;
        Ok(Self(stream))
    }

    fn send(&mut self, number: u64) -> Outcome {
        self.0.write_all(&number.to_le_bytes()).map_err(refused)
    }

    fn receive(&mut self) -> Outcome<u64> {
        let mut bytes = [0; 8];
        self.0.read_exact(&mut bytes).map_err(refused)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

impl Waiting {
    fn spin(self) -> Duration {
        match self {
            Self::Busy => ALWAYS,
            Self::Asleep => Duration::ZERO,
        }
    }
}

/// Tries until the other side has made it.
pub(super) fn once_there<T>(open: impl Fn() -> memlane::Result<T>) -> Outcome<T> {
    loop {
        match open() {
            Err(memlane::Error::NotFound { .. }) => std::thread::yield_now(),
            opened => return Ok(opened?),
        }
    }
}
