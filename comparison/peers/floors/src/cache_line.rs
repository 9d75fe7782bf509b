//! A bare word in a shared page, which the receiver looks at until it differs: a cache line that goes from one core to
//! another.

use std::hint::spin_loop;
use std::sync::atomic::Ordering::{Acquire, Release};

use anyhow::{Result, ensure};
use harness::{Keeps, Pages, Passing, Receiver, Sender, Terms, Wait};

use crate::ensure_wait;

pub(crate) enum CacheLine {}

impl Passing for CacheLine {
    const NAME: &'static str = "cache line";
    const KEEPS: Keeps = Keeps::Newest;
    const IN_PLACE: bool = false;
    type Sender = Writer;
    type Receiver = Reader;

    fn sender(terms: &Terms, lane: &str) -> Result<Writer> {
        Ok(Writer(open(terms, lane)?))
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Reader> {
        let page = open(terms, lane)?;
        let seen = page.word(0).load(Acquire);
        Ok(Reader { page, seen })
    }
}

fn open(terms: &Terms, lane: &str) -> Result<Pages> {
    ensure_wait(terms, Wait::Busy)?;
    ensure!(terms.size == 8, "a word is 8 bytes");
    Pages::open_or_create(lane, 8, |_| Ok(()))
}

pub(crate) struct Writer(Pages);

impl Sender for Writer {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        self.0.word(0).store(u64::from_ne_bytes(message.try_into()?), Release);
        Ok(())
    }
}

pub(crate) struct Reader {
    page: Pages,
    seen: u64,
}

impl Receiver for Reader {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        loop {
            let word = self.page.word(0).load(Acquire);
            if word != self.seen {
                self.seen = word;
                return Ok(look(&word.to_ne_bytes()));
            }
            spin_loop();
        }
    }
}
