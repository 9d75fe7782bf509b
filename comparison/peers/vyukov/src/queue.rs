//! Cells, each with a number that says whose turn it is; both ends look again and again.
#![allow(unsafe_code)] // Says who may write a cell, and who may read it.

use std::hint::spin_loop;
use std::slice;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use anyhow::{Result, ensure};
use harness::{Keeps, Pages, Passing, Receiver, Sender, Terms, Wait};

pub(crate) enum Bounded {}

impl Passing for Bounded {
    const NAME: &'static str = "queue";
    const KEEPS: Keeps = Keeps::All;
    const IN_PLACE: bool = true;
    type Sender = Queue;
    type Receiver = Queue;

    fn sender(terms: &Terms, lane: &str) -> Result<Queue> {
        Queue::open(terms, lane)
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Queue> {
        Queue::open(terms, lane)
    }
}

/// Where things are: the number of the next message, that of the oldest, and the cells.
const TAIL: usize = 0;
const HEAD: usize = 128;
const START: usize = 256;
/// A cell is its number and its message, on lines of its own.
const LINE: usize = 64;
const MESSAGE: usize = 8;

pub(crate) struct Queue {
    pages: Pages,
    size: usize,
    /// How many cells there are, less one: a power of two, so that this is a mask.
    mask: u64,
    stride: usize,
}

impl Queue {
    fn open(terms: &Terms, lane: &str) -> Result<Self> {
        ensure!(terms.wait == Wait::Busy, "it has nothing to sleep on");
        ensure!(terms.readers == 1, "a message goes to one reader");
        let stride = (MESSAGE + terms.size).next_multiple_of(LINE);
        let cells = (64 * 1024 / stride).next_power_of_two().max(4);
        let pages = Pages::open_or_create(lane, START + cells * stride, |pages| {
            (0..cells).for_each(|cell| pages.word(START + cell * stride).store(cell as u64, Relaxed));
            Ok(())
        })?;
        Ok(Self { pages, size: terms.size, mask: cells as u64 - 1, stride })
    }

    fn cell(&self, position: u64) -> usize {
        START + (position & self.mask) as usize * self.stride
    }

    fn message(&self, position: u64) -> *mut u8 {
        self.pages.bytes(self.cell(position) + MESSAGE, self.size)
    }

    /// Takes the next position of an end, once its cell's number is `ahead` of it.
    fn claim(&self, end: &AtomicU64, ahead: u64) -> u64 {
        let mut position = end.load(Relaxed);
        loop {
            if self.pages.word(self.cell(position)).load(Acquire) != position + ahead {
                spin_loop();
                position = end.load(Relaxed);
                continue;
            }
            match end.compare_exchange_weak(position, position + 1, Relaxed, Relaxed) {
                Ok(_) => return position,
                Err(changed) => position = changed,
            }
        }
    }
}

impl Sender for Queue {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        self.send_in_place(|place| place.copy_from_slice(message))
    }

    fn send_in_place(&mut self, write: impl FnOnce(&mut [u8])) -> Result<()> {
        let position = self.claim(self.pages.word(TAIL), 0);
        // SAFETY: within the pages, and this producer's until the number says otherwise: the compare-exchange gave the
        // position to nobody else, and the consumer of a round before is done, as the number said.
        write(unsafe { slice::from_raw_parts_mut(self.message(position), self.size) });
        self.pages.word(self.cell(position)).store(position + 1, Release);
        Ok(())
    }
}

impl Receiver for Queue {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let position = self.claim(self.pages.word(HEAD), 1);
        // SAFETY: within the pages, written, and this consumer's until the number says otherwise.
        let result = look(unsafe { slice::from_raw_parts(self.message(position), self.size) });
        self.pages.word(self.cell(position)).store(position + self.mask + 1, Release);
        Ok(result)
    }
}
