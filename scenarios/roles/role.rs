//! A process of the scenarios, in Rust: carries out commands, a line each, and answers with a line.

#![forbid(unsafe_code)]

use memlane::queue::Lease;
use memlane::schema::{Datum, Primitive};
use memlane::{
    Error, Event, FramePublisher, FrameSpec, FrameSubscriber, Lock, PipeEnd, PipeSpec, Queue, QueueSpec,
    Record, Result, Side, Space, StreamPublisher, StreamSpec, StreamSubscriber, Tag, Text, Value,
};
use std::collections::HashMap;
use std::io::{Write, stdin, stdout};
use std::str::FromStr;
use std::time::Duration;

const POSE: &str = "{state:|i1,time@8:<f8,count:>u2,position@20:[3]>f4;32}";
const SAMPLE: &str = "{number:>u2,level:|i1;4}";
const FRAME_SIZE: usize = 4 * 6 * 3;

/// Something that is open, and what is done with it.
trait Part {
    /// `rest` are the command's words, with a blank between them.
    fn act(&mut self, action: &str, rest: &str) -> Result<String>;
}

fn ok() -> String {
    "ok".to_owned()
}

fn unknown(action: &str) -> ! {
    panic!("there is no {action} of it")
}

fn parse<T: FromStr>(word: &str) -> T {
    word.parse().ok().expect("the scenario has a number here")
}

fn timeout(milliseconds: &str) -> Option<Duration> {
    milliseconds.parse().map(Duration::from_millis).ok()
}

impl Part for Value<f64> {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        Ok(match action {
            "get" => self.load().to_string(),
            "set" => {
                self.store(parse(rest));
                ok()
            }
            "add" => self.add(parse(rest)).to_string(),
            "wait" => {
                let (seen, time) = rest.split_once(' ').unwrap_or_else(|| unknown(rest));
                let mut reading = self.read();
                if reading.value == parse::<f64>(seen) {
                    reading = self.wait_newer(&reading, timeout(time))?;
                }
                reading.value.to_string()
            }
            _ => unknown(action),
        })
    }
}

impl Part for Record {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        match action {
            "write" => {
                let words: Vec<f64> = rest.split(' ').map(parse).collect();
                let [state, time, count, position @ ..] = words.as_slice() else { unknown(rest) };
                let position = position.iter().map(|&coordinate| Datum::Float(coordinate)).collect();
                self.write(&Datum::Struct(vec![
                    ("state".to_owned(), Datum::Float(*state)),
                    ("time".to_owned(), Datum::Float(*time)),
                    ("count".to_owned(), Datum::Float(*count)),
                    ("position".to_owned(), Datum::Array(position)),
                ]))?;
                Ok(ok())
            }
            "read" => Ok(numbers(&self.read()?.0).join(" ")),
            _ => unknown(action),
        }
    }
}

/// The numbers in it, in their order.
fn numbers(datum: &Datum) -> Vec<String> {
    match datum {
        Datum::Struct(fields) => fields.iter().flat_map(|(_, field)| numbers(field)).collect(),
        Datum::Array(items) => items.iter().flat_map(numbers).collect(),
        number => number.as_f64().map(|number| number.to_string()).into_iter().collect(),
    }
}

impl Part for Text {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        match action {
            "write" => self.write(rest).map(|_| ok()),
            "read" => Ok(self.read()?.0),
            _ => unknown(action),
        }
    }
}

impl Part for Lock {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        match action {
            "take" if self.acquire(timeout(rest))?.0 => Ok("owner died".to_owned()),
            "take" => Ok(ok()),
            "consistent" => self.make_consistent().map(|()| ok()),
            "release" => self.release().map(|()| ok()),
            _ => unknown(action),
        }
    }
}

impl Part for Queue {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        match action {
            "put" => self.put_tagged(Tag::Utf8, rest.as_bytes(), None).map(|()| ok()),
            "get" => Ok(text(self.get(timeout(rest))?.bytes)),
            "close" => {
                self.close();
                Ok(ok())
            }
            _ => unknown(action),
        }
    }
}

/// A queue of work, and what was taken from it last.
struct Work {
    queue: &'static Queue,
    lease: Option<Lease<'static>>,
}

impl Part for Work {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        match action {
            "put" => self.queue.put_tagged(Tag::Utf8, rest.as_bytes(), None).map(|()| ok()),
            "lease" => {
                let lease = self.lease.insert(self.queue.lease(timeout(rest))?);
                let content = text(lease.bytes().to_vec());
                Ok(format!("{content}, handed out {} times before", lease.redelivered()))
            }
            "done" => self.lease.take().expect("it was leased").acknowledge().map(|()| ok()),
            _ => unknown(action),
        }
    }
}

impl Part for PipeEnd {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        match action {
            "send" => self.send_tagged(Tag::Utf8, rest.as_bytes(), None).map(|()| ok()),
            "recv" => Ok(text(self.recv(timeout(rest))?.bytes)),
            _ => unknown(action),
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("a role sends UTF-8")
}

impl Part for StreamPublisher {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        let ("append", Some((number, level))) = (action, rest.split_once(' ')) else { unknown(action) };
        let [high, low] = parse::<u16>(number).to_be_bytes();
        self.append(&[high, low, parse::<i8>(level).cast_unsigned(), 0]).map(|_| ok())
    }
}

impl Part for StreamSubscriber {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        let "next" = action else { unknown(action) };
        let record = self.next(timeout(rest))?;
        let [high, low, level, _] = *record.bytes else { panic!("a record of {} bytes", record.bytes.len()) };
        let (number, level) = (u16::from_be_bytes([high, low]), level.cast_signed());
        Ok(format!("{number} {level} of {}", record.sequence))
    }
}

impl Part for FramePublisher {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        let "publish" = action else { unknown(action) };
        let mut loan = self.loan()?;
        loan.fill(parse(rest));
        Ok(loan.publish().to_string())
    }
}

impl Part for FrameSubscriber {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        let "next" = action else { unknown(action) };
        let frame = self.next(timeout(rest))?;
        let even = frame.len() == FRAME_SIZE && frame.iter().all(|sample| *sample == frame[0]);
        let content = if even { frame[0].to_string() } else { "something else".to_owned() };
        Ok(format!("{} filled with {content}", frame.sequence()))
    }
}

impl Part for Event {
    fn act(&mut self, action: &str, rest: &str) -> Result<String> {
        match action {
            "set" => self.set(),
            "wait" => self.wait(timeout(rest))?,
            _ => unknown(action),
        }
        Ok(ok())
    }
}

/// Opens what a command names, and says how that is answered; `None` when the command opens nothing.
fn open(space: &Space, command: &str, rest: &str) -> Result<Option<(Box<dyn Part>, String)>> {
    let (id, more) = rest.split_once(' ').unwrap_or((rest, ""));
    let part: Box<dyn Part> = match command {
        "value-open" => {
            let value = Value::open_or_create(space, id, parse::<f64>(more))?;
            let now = value.load().to_string();
            return Ok(Some((Box::new(value), now)));
        }
        "integer-open" => {
            Value::open_or_create(space, id, 0_i32)?;
            return Ok(None);
        }
        "record-open" => Box::new(Record::open_or_create(space, id, POSE)?),
        "text-open" => Box::new(Text::open_or_create(space, id, 100)?),
        "lock-open" => Box::new(Lock::open_or_create(space, id)?),
        "queue-open" => Box::new(Queue::open_or_create(space, id, &QueueSpec::bytes(4096))?),
        "work-open" => {
            let queue = Queue::open_or_create(space, id, &QueueSpec::bytes(4096).acknowledged())?;
            // A lease borrows from its queue, which a role has to its end.
            Box::new(Work { queue: Box::leak(Box::new(queue)), lease: None })
        }
        "pipe-open" => {
            let side = if more == "left" { Side::Left } else { Side::Right };
            Box::new(PipeEnd::open_or_create(space, id, &PipeSpec::duplex(1 << 20), side)?)
        }
        "stream-open" => {
            Box::new(StreamPublisher::open_or_create(space, id, &StreamSpec::of(SAMPLE).capacity(16))?)
        }
        "stream-watch" => Box::new(StreamSubscriber::open(space, id)?),
        "frame-open" => {
            let spec = FrameSpec::image(4, 6, 3, Primitive::U8);
            Box::new(FramePublisher::open_or_create(space, id, &spec)?)
        }
        "frame-watch" => Box::new(FrameSubscriber::open(space, id)?),
        "event-open" => Box::new(Event::open_or_create(space, id)?),
        _ => return Ok(None),
    };
    Ok(Some((part, ok())))
}

fn answer(space: &Space, parts: &mut HashMap<String, Box<dyn Part>>, line: &str) -> Result<String> {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (kind, action) = command.split_once('-').expect("a command is of a kind");
    if let Some((part, answer)) = open(space, command, rest)? {
        parts.insert(kind.to_owned(), part);
        return Ok(answer);
    }
    parts.get_mut(kind).expect("the scenario opens it first").act(action, rest)
}

fn word(error: &Error) -> String {
    let word = match error {
        Error::Timeout { .. } | Error::LockTimeout { .. } => "timeout",
        Error::Closed { .. } => "closed",
        Error::EndOfPipe { .. } => "end of pipe",
        Error::BrokenPipe { .. } => "broken pipe",
        Error::SchemaMismatch { .. } => "schema mismatch",
        Error::NotFound { .. } => "not found",
        other => return other.to_string(),
    };
    word.to_owned()
}

fn main() -> std::io::Result<()> {
    let space = Space::default().expect("there is a space");
    let mut parts = HashMap::new();
    for line in stdin().lines() {
        let answer = answer(&space, &mut parts, &line?).unwrap_or_else(|error| word(&error));
        writeln!(stdout(), "{answer}")?;
    }
    Ok(())
}
