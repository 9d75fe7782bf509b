//! A number, of which everybody sees the newest.

use std::hint::spin_loop;

use anyhow::{Result, ensure};
use harness::{Attaching, Keeps, Passing, Receiver, Sender, Terms, Wait};
use memlane::Value;
use memlane::value::Reading;

use crate::space;

pub(crate) enum Number {}

impl Passing for Number {
    const NAME: &'static str = "value";
    const KEEPS: Keeps = Keeps::Newest;
    const IN_PLACE: bool = false;
    type Sender = Writer;
    type Receiver = Reader;

    fn sender(terms: &Terms, lane: &str) -> Result<Writer> {
        Ok(Writer(open(terms, lane)?))
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Reader> {
        let value = open(terms, lane)?;
        Ok(Reader { seen: value.read(), value, wait: terms.wait })
    }
}

impl Attaching for Number {
    const NAME: &'static str = "value";
    type Region = Value<u64>;

    fn make(_: &Terms, id: &str) -> Result<Value<u64>> {
        Ok(Value::create(space()?, id, 0)?)
    }

    fn open(_: &Terms, id: &str) -> Result<Value<u64>> {
        Ok(Value::open(space()?, id)?)
    }
}

fn open(terms: &Terms, lane: &str) -> Result<Value<u64>> {
    ensure!(terms.size == 8, "a value of this kind is 8 bytes");
    Ok(Value::open_or_create(space()?, lane, 0)?)
}

pub(crate) struct Writer(Value<u64>);

impl Sender for Writer {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        self.0.store(u64::from_ne_bytes(message.try_into()?));
        Ok(())
    }
}

pub(crate) struct Reader {
    value: Value<u64>,
    seen: Reading<u64>,
    wait: Wait,
}

impl Receiver for Reader {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let before = self.seen.value;
        match self.wait {
            Wait::Busy => {
                while self.value.load() == before {
                    spin_loop();
                }
                self.seen.value = self.value.load();
            }
            // A version may be raised after its value was seen.
            Wait::Asleep => {
                while self.seen.value == before {
                    self.seen = self.value.wait_newer(&self.seen, None)?;
                }
            }
        }
        Ok(look(&self.seen.value.to_ne_bytes()))
    }
}
