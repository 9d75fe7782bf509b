//! Works with bytes that pass from one process to others.

use std::marker::PhantomData;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::{Open, Percentiles, Said, Terms, Wait, Work, Write, monotonic};

/// What becomes of messages that nobody has fetched yet when there are more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeps {
    /// All of them arrive: the sender waits.
    All,
    /// The newest arrives: the sender never waits.
    Newest,
}

/// A way to pass bytes from one process to others.
///
/// Ends are opened in any order: who is first makes what there is, or waits for the other one (for five seconds at
/// most). When both ends are open, messages arrive. Sizes are all [`Terms::size`].
pub trait Passing: 'static {
    /// What the peer calls it.
    const NAME: &'static str;
    /// What becomes of messages that nobody has fetched yet.
    const KEEPS: Keeps;
    /// Whether [`Sender::send_in_place`] is there.
    const IN_PLACE: bool;
    /// Where messages go in.
    type Sender: Sender;
    /// Where they come out, waiting as [`Terms::wait`] says.
    type Receiver: Receiver;

    /// The end that sends; a lane is a name of its own.
    fn sender(terms: &Terms, lane: &str) -> Result<Self::Sender>;

    /// The end that receives; with [`Terms::readers`] there are so many, and each gets each message.
    fn receiver(terms: &Terms, lane: &str) -> Result<Self::Receiver>;
}

/// Where messages go in.
pub trait Sender: 'static {
    /// Sends bytes that are in memory of the caller's.
    fn send(&mut self, message: &[u8]) -> Result<()>;

    /// Sends bytes that are written where they are read; what was there before may be anything.
    fn send_in_place(&mut self, write: impl FnOnce(&mut [u8])) -> Result<()> {
        let _ = write;
        bail!("this way copies")
    }
}

/// Where messages come out.
pub trait Receiver: 'static {
    /// Waits for a message that was not seen before, the newest or the next one, and looks at it.
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R>;
}

pub(crate) fn works<P: Passing>() -> [(&'static str, Open); 5] {
    [
        ("round trip", round_trip::<P>),
        ("rate", rate::<P>),
        ("paced", paced::<P>),
        ("publish", publish::<P>),
        ("sender or receiver dies", die::<P>),
    ]
}

/// Messages with a number in their first and their last eight bytes.
struct Numbered<P: Passing> {
    sender: P::Sender,
    message: Vec<u8>,
    write: Write,
    way: PhantomData<P>,
}

impl<P: Passing> Numbered<P> {
    fn open(terms: &Terms, lane: &str) -> Result<Self> {
        ensure!(terms.size >= 8, "a message has 8 bytes at least");
        let message = vec![7; terms.size];
        Ok(Self { sender: P::sender(terms, lane)?, message, write: terms.write, way: PhantomData })
    }

    fn send(&mut self, number: u64) -> Result<()> {
        if self.write == Write::InPlace {
            return self.sender.send_in_place(|message| put(message, number));
        }
        put(&mut self.message, number);
        self.sender.send(&self.message)
    }
}

fn put(message: &mut [u8], number: u64) {
    let last = message.len() - 8;
    message[..8].copy_from_slice(&number.to_ne_bytes());
    message[last..].copy_from_slice(&number.to_ne_bytes());
}

fn eight(message: &[u8], start: usize) -> u64 {
    u64::from_ne_bytes(message[start..start + 8].try_into().expect("eight bytes"))
}

/// The number, or none if the message is of two.
fn number(message: &[u8]) -> Option<u64> {
    let number = eight(message, 0);
    (number == eight(message, message.len() - 8)).then_some(number)
}

fn lanes(terms: &Terms) -> [String; 2] {
    ["there", "back"].map(|lane| format!("{}-{lane}", terms.name))
}

/// Between two questions to somebody who sleeps: long enough to fall asleep in. It is no part of what is measured.
const REST: Duration = Duration::from_micros(300);

/// There and back, each answer after its question. To somebody who sleeps each is timed, with a rest in between.
fn round_trip<P: Passing>(terms: &Terms, index: usize) -> Result<Work> {
    let [there, back] = lanes(terms);
    let (mut sender, mut receiver) = if index == 0 {
        (Numbered::<P>::open(terms, &there)?, P::receiver(terms, &back)?)
    } else {
        let receiver = P::receiver(terms, &there)?;
        (Numbered::<P>::open(terms, &back)?, receiver)
    };
    let mut next = 0;
    let mut exchange = move || {
        next += 1;
        if index == 0 {
            sender.send(next)?;
        }
        let answer = receiver.receive(number)?.context("a torn message arrived")?;
        ensure!(answer == next, "message {answer} arrived in the place of {next}");
        if index == 0 { Ok(()) } else { sender.send(next) }
    };
    if terms.wait == Wait::Busy || index != 0 {
        return Ok(Box::new(move |count| (0..count).try_for_each(|_| exchange()).map(|()| Said::default())));
    }
    Ok(Box::new(move |count| {
        let mut latencies = Vec::with_capacity(count as usize);
        for _ in 0..count {
            sleep(REST);
            let start = monotonic();
            exchange()?;
            latencies.push(monotonic() - start);
        }
        Ok(Said { latency: Percentiles::of(latencies), ..Said::default() })
    }))
}

/// Receives up to a number, which is the last one of a round.
fn receive_up_to(receiver: &mut impl Receiver, seen: &mut u64, last: u64) -> Result<Said> {
    let mut said = Said::default();
    while *seen < last {
        match receiver.receive(number)? {
            None => said.torn += 1,
            Some(number) => said.note(number, seen),
        }
    }
    Ok(said)
}

/// One after the other, as fast as it goes.
fn rate<P: Passing>(terms: &Terms, index: usize) -> Result<Work> {
    let [lane, _] = lanes(terms);
    let mut last = 0;
    if index == 0 {
        let mut sender = Numbered::<P>::open(terms, &lane)?;
        return Ok(Box::new(move |count| {
            for _ in 0..count {
                last += 1;
                sender.send(last)?;
            }
            Ok(Said::default())
        }));
    }
    let mut receiver = P::receiver(terms, &lane)?;
    let mut seen = 0;
    Ok(Box::new(move |count| {
        last += count;
        receive_up_to(&mut receiver, &mut seen, last)
    }))
}

/// At so many a second, each stamped with when it was sent; the number stands behind the stamp.
fn paced<P: Passing>(terms: &Terms, index: usize) -> Result<Work> {
    ensure!(terms.size >= 16, "a stamp and a number take 16 bytes");
    let [lane, _] = lanes(terms);
    let mut last = 0_u64;
    if index == 0 {
        let period = 1_000_000_000 / u64::from(terms.rate.unwrap_or(200));
        let mut sender = P::sender(terms, &lane)?;
        let mut message = vec![7; terms.size];
        return Ok(Box::new(move |count| {
            let start = monotonic();
            for turn in 1..=count {
                while monotonic() < start + turn * period {
                    std::hint::spin_loop();
                }
                last += 1;
                message[8..16].copy_from_slice(&last.to_ne_bytes());
                message[..8].copy_from_slice(&monotonic().to_ne_bytes());
                sender.send(&message)?;
            }
            Ok(Said::default())
        }));
    }
    let mut receiver = P::receiver(terms, &lane)?;
    let mut seen = 0;
    Ok(Box::new(move |count| {
        last += count;
        let mut said = Said::default();
        let mut latencies = Vec::with_capacity(count as usize);
        while seen < last {
            let (sent, number) = receiver.receive(|message| (eight(message, 0), eight(message, 8)))?;
            latencies.push(monotonic().saturating_sub(sent));
            said.note(number, &mut seen);
        }
        said.latency = Percentiles::of(latencies);
        Ok(said)
    }))
}

/// The sender sends; the receivers are there and rest, or receive as fast as they can.
fn publish<P: Passing>(terms: &Terms, index: usize) -> Result<Work> {
    if index == 0 || !terms.rest {
        return rate::<P>(terms, index);
    }
    let [lane, _] = lanes(terms);
    let receiver = P::receiver(terms, &lane)?;
    Ok(Box::new(move |_| {
        let _ = &receiver;
        Ok(Said::default())
    }))
}

/// The first side sends until it is killed, each message full of its number; the second receives so many, and looks
/// whether each is of one number.
fn die<P: Passing>(terms: &Terms, index: usize) -> Result<Work> {
    let [lane, _] = lanes(terms);
    if index == 0 {
        let mut sender = P::sender(terms, &lane)?;
        let (mut message, in_place) = (vec![0; terms.size], terms.write == Write::InPlace);
        return Ok(Box::new(move |_| {
            // The upper half is the sender, in the order in which they began.
            for number in (monotonic() / 1_000_000) << 32.. {
                if in_place {
                    sender.send_in_place(|message| fill(message, number))?;
                } else {
                    fill(&mut message, number);
                    sender.send(&message)?;
                }
            }
            Ok(Said::default())
        }));
    }
    let mut receiver = P::receiver(terms, &lane)?;
    let mut seen: Option<u64> = None;
    Ok(Box::new(move |count| {
        let mut said = Said::default();
        for _ in 0..count {
            let (number, whole) = receiver.receive(|message| (eight(message, 0), is_full_of_one(message)))?;
            said.arrived += 1;
            said.torn += u64::from(!whole);
            if let Some(seen) = seen.filter(|seen| seen >> 32 == number >> 32) {
                said.missed += number.saturating_sub(seen + 1);
            }
            seen = Some(number);
        }
        Ok(said)
    }))
}

fn fill(message: &mut [u8], number: u64) {
    message.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&number.to_ne_bytes()));
}

fn is_full_of_one(message: &[u8]) -> bool {
    message.chunks_exact(8).all(|chunk| chunk == &message[..8])
}
