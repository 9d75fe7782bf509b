//! Messages in as many slots as a frame channel with a history of one uses in turn, and a word that says how many were
//! sent: a copy and a cache line.
#![allow(unsafe_code)] // Says who may write a slot, and who may read it.

use std::hint::spin_loop;
use std::slice;
use std::sync::atomic::Ordering::{Acquire, Release};

use anyhow::{Result, ensure};
use harness::{Keeps, Pages, Passing, Receiver, Sender, Terms, Wait};

use crate::ensure_wait;

pub(crate) enum Memcpy {}

const SLOTS: u64 = 2;
/// Where things are: how many were sent, how many were looked at, and the slots.
const SENT: usize = 0;
const SEEN: usize = 128;
const START: usize = 4096;

impl Passing for Memcpy {
    const NAME: &'static str = "memcpy";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = true;
    type Sender = End;
    type Receiver = End;

    fn sender(terms: &Terms, lane: &str) -> Result<End> {
        let end = End::open(terms, lane)?;
        let turn = end.pages.word(SENT).load(Acquire);
        Ok(End { turn, ..end })
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<End> {
        let end = End::open(terms, lane)?;
        let turn = end.pages.word(SEEN).load(Acquire);
        Ok(End { turn, ..end })
    }
}

pub(crate) struct End {
    pages: Pages,
    size: usize,
    /// Messages that went through this end.
    turn: u64,
}

impl End {
    fn open(terms: &Terms, lane: &str) -> Result<Self> {
        ensure_wait(terms, Wait::Busy)?;
        ensure!(terms.readers == 1, "its slots are kept for one reader");
        let size = terms.size;
        let end = START + size.next_multiple_of(START) * SLOTS as usize;
        Ok(Self { pages: Pages::open_or_create(lane, end, |_| Ok(()))?, size, turn: 0 })
    }

    fn slot(&self) -> *mut u8 {
        let index = (self.turn % SLOTS) as usize;
        self.pages.bytes(START + index * self.size.next_multiple_of(START), self.size)
    }
}

impl Sender for End {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        self.send_in_place(|slot| slot.copy_from_slice(message))
    }

    fn send_in_place(&mut self, write: impl FnOnce(&mut [u8])) -> Result<()> {
        while self.turn - self.pages.word(SEEN).load(Acquire) == SLOTS {
            spin_loop();
        }
        // SAFETY: the slot lies within the pages, and the receiver looks at it after the store below only; what it held
        // before has been looked at.
        write(unsafe { slice::from_raw_parts_mut(self.slot(), self.size) });
        self.turn += 1;
        self.pages.word(SENT).store(self.turn, Release);
        Ok(())
    }
}

impl Receiver for End {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        while self.pages.word(SENT).load(Acquire) == self.turn {
            spin_loop();
        }
        // SAFETY: the slot lies within the pages; it was written, and is not written again before the store below.
        let result = look(unsafe { slice::from_raw_parts(self.slot(), self.size) });
        self.turn += 1;
        self.pages.word(SEEN).store(self.turn, Release);
        Ok(result)
    }
}
