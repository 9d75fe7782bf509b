//! A picture behind its header, in a file that both ends map:
//!
//! ```text
//! 0   width, height, channels   i32 each
//! 12  timestamp                 i64, milliseconds since 1970
//! 20  valid                     i32: 0 while it is written, 1 when it is complete
//! 24  pixels
//! ```
#![allow(unsafe_code)] // Reads and writes what others write and read meanwhile: that is what is measured.

use std::fs::remove_file;
use std::hint::spin_loop;
use std::ptr;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::fence;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use harness::{Keeps, PATIENCE, Pages, Passing, Receiver, Sender, Terms, Wait};

pub(crate) enum Frame {}

const WIDTH: usize = 0;
const HEIGHT: usize = 4;
const CHANNELS: usize = 8;
const TIMESTAMP: usize = 12;
const VALID: usize = 20;
const PIXELS: usize = 24;

impl Passing for Frame {
    const NAME: &'static str = "frame";
    const KEEPS: Keeps = Keeps::Newest;
    const IN_PLACE: bool = false;
    type Sender = Writer;
    type Receiver = Reader;

    fn sender(terms: &Terms, lane: &str) -> Result<Writer> {
        // Readers of a writer before keep what they have mapped, and see nothing new.
        let _ = remove_file(format!("/dev/shm/{lane}"));
        let file = Pages::open_or_create(lane, PIXELS + terms.size, |_| Ok(()))?;
        Ok(Writer { file, timestamp: 0 })
    }

    fn receiver(terms: &Terms, lane: &str) -> Result<Reader> {
        let copy = vec![0; terms.size];
        open(lane, terms.size)?;
        Ok(Reader { lane: lane.to_owned(), copy, timestamp: 0, wait: terms.wait })
    }
}

fn open(lane: &str, size: usize) -> Result<Pages> {
    let start = Instant::now();
    loop {
        if let Some(file) = Pages::open(lane, PIXELS + size)? {
            return Ok(file);
        }
        ensure!(start.elapsed() < PATIENCE, "nobody writes");
        sleep(Duration::from_millis(1));
    }
}

pub(crate) struct Writer {
    file: Pages,
    timestamp: i64,
}

impl Sender for Writer {
    fn send(&mut self, message: &[u8]) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
        // The one thing that is better here than in the field: two pictures of a millisecond can be told apart.
        self.timestamp = now.max(self.timestamp + 1);
        put(&self.file, VALID, 0_i32);
        put(&self.file, WIDTH, message.len() as i32);
        put(&self.file, HEIGHT, 1_i32);
        put(&self.file, CHANNELS, 1_i32);
        put(&self.file, TIMESTAMP, self.timestamp);
        let pixels = self.file.bytes(PIXELS, message.len());
        // SAFETY: within the mapping, and nothing but raw reads of other processes refers to it.
        unsafe { ptr::copy_nonoverlapping(message.as_ptr(), pixels, message.len()) };
        fence(SeqCst);
        put(&self.file, VALID, 1_i32);
        Ok(())
    }
}

pub(crate) struct Reader {
    lane: String,
    copy: Vec<u8>,
    timestamp: i64,
    wait: Wait,
}

impl Receiver for Reader {
    fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let size = self.copy.len();
        // For each picture anew.
        let file = open(&self.lane, size)?;
        loop {
            let is_valid = number(&file, VALID) == 1;
            let timestamp = timestamp(&file);
            if is_valid && timestamp != self.timestamp {
                self.timestamp = timestamp;
                break;
            }
            match self.wait {
                Wait::Busy => spin_loop(),
                Wait::Asleep => sleep(Duration::from_millis(1)),
            }
        }
        ensure!(number(&file, WIDTH) as usize == size, "another size");
        // SAFETY: within the mapping; what is copied while it is written may be of two pictures.
        unsafe { ptr::copy_nonoverlapping(file.bytes(PIXELS, size), self.copy.as_mut_ptr(), size) };
        Ok(look(&self.copy))
    }
}

fn put<T>(file: &Pages, offset: usize, value: T) {
    // SAFETY: within the mapping; unaligned, as the header is packed.
    unsafe { file.bytes(offset, size_of::<T>()).cast::<T>().write_unaligned(value) };
}

fn number(file: &Pages, offset: usize) -> i32 {
    fence(SeqCst); // Each look is at memory.
    // SAFETY: within the mapping; unaligned, as the header is packed; any bytes are a number.
    unsafe { file.bytes(offset, 4).cast::<i32>().read_unaligned() }
}

fn timestamp(file: &Pages) -> i64 {
    // SAFETY: as above.
    unsafe { file.bytes(TIMESTAMP, 8).cast::<i64>().read_unaligned() }
}
