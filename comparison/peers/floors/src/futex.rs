//! A word and how often it was written, on which the receiver sleeps: what it takes to wake somebody.
#![allow(unsafe_code)] // Says what lies in the page.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use anyhow::{Result, ensure};
use harness::{Keeps, Pages, Passing, Receiver, Sender, Terms, Wait};
use rustix::io::Errno;
use rustix::thread::futex;

use crate::ensure_wait;

pub(crate) enum Futex {}

impl Passing for Futex {
    const NAME: &'static str = "futex";
    const KEEPS: Keeps = Keeps::Newest;
    const IN_PLACE: bool = false;
    type Sender = Line;
    type Receiver = Sleeper;

    fn sender(terms: &Terms, lane: &str) -> Result<Line> {
        Line::open(terms, lane)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Sleeper> {
        let line = Line::open(terms, lane)?;
        let seen = line.turn().load(Acquire);
        Ok(Sleeper { line, seen })
    }
}

pub(crate) struct Line(Pages);

impl Line {
    fn open(terms: &Terms, lane: &str) -> Result<Self> {
        ensure_wait(terms, Wait::Asleep)?;
        ensure!(terms.size == 8, "a word is 8 bytes");
        Ok(Self(Pages::open_or_create(lane, 16, |_| Ok(()))?))
    }

    fn turn(&self) -> &AtomicU32 {
        // SAFETY: aligned and within, as `at` checks; any four bytes are a number, and nobody uses these otherwise.
        unsafe { &*self.0.at(8) }
    }
}

impl Sender for Line {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        self.0.word(0).store(u64::from_ne_bytes(message.try_into()?), Relaxed);
        self.turn().fetch_add(1, Release);
        futex::wake(self.turn(), futex::Flags::empty(), i32::MAX as u32)?;
        Ok(())
    }
}

pub(crate) struct Sleeper {
    line: Line,
    seen: u32,
}

impl Receiver for Sleeper {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let turn = self.line.turn();
        while turn.load(Acquire) == self.seen {
            match futex::wait(turn, futex::Flags::empty(), self.seen, None) {
                Ok(()) | Err(Errno::AGAIN | Errno::INTR) => (),
                Err(error) => return Err(error.into()),
            }
        }
        self.seen = turn.load(Acquire);
        Ok(look(&self.line.0.word(0).load(Relaxed).to_ne_bytes()))
    }
}
