//! Messages of 64 bytes to another process, as fast as both ends go.

use super::figures::Figures;
use super::ground::{Follow, Ground, Lead, Turn};
use super::ways::once_there;
use super::yardsticks::{Vyukov, refused};
use crate::failure::Outcome;
use memlane::{PipeEnd, PipeSpec, Queue, QueueSpec, Side, Space};
use rustix::fs::{CWD, Mode, mkfifoat};
use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Instant;

/// Messages of a part.
const COUNT: u32 = 50_000;
const MESSAGE: [u8; 64] = [7; 64];
/// Bytes that a queue or a pipe holds, ours as the kernel's.
const CAPACITY: usize = 64 * 1024;

/// One end of a way for messages.
pub(super) trait End: Sized {
    /// The producer's, who makes what there is to make.
    fn producer(ground: &Ground) -> Outcome<Self>;
    fn consumer(ground: &Ground) -> Outcome<Self>;
    fn put(&mut self, count: u32) -> Outcome;
    fn take(&mut self, count: u32) -> Outcome;
}

/// Nanoseconds a message, until the last one was taken.
pub(super) fn pass<Ours: End, Theirs: End>(ground: &Ground) -> Outcome<Figures> {
    let (mut ours, mut theirs) = (Ours::producer(ground)?, Theirs::producer(ground)?);
    let ours: Lead = &mut |turn| timed(turn, &mut ours);
    let theirs: Lead = &mut |turn| timed(turn, &mut theirs);
    ground.lead(ours, Some(theirs))
}

fn timed(turn: &Turn, end: &mut impl End) -> Outcome<f64> {
    let start = Instant::now();
    end.put(COUNT)?;
    turn.await_end();
    Ok(start.elapsed().as_nanos() as f64 / f64::from(COUNT))
}

pub(super) fn take<Ours: End, Theirs: End>(ground: &Ground) -> Outcome {
    let (mut ours, mut theirs) = (Ours::consumer(ground)?, Theirs::consumer(ground)?);
    let ours: Follow = &mut |_| ours.take(COUNT);
    let theirs: Follow = &mut |_| theirs.take(COUNT);
    ground.follow(ours, Some(theirs))
}

/// A queue, one message by each call.
pub(super) struct ByQueue {
    queue: Queue,
    bytes: Vec<u8>,
}

pub(super) fn queue(space: &Space, id: &str) -> Outcome<Queue> {
    Ok(Queue::open_or_create(space, id, &QueueSpec::bytes(CAPACITY))?)
}

impl End for ByQueue {
    fn producer(ground: &Ground) -> Outcome<Self> {
        Ok(Self { queue: queue(&ground.space, "queue")?, bytes: Vec::with_capacity(MESSAGE.len()) })
    }

    fn consumer(ground: &Ground) -> Outcome<Self> {
        Self::producer(ground)
    }

    fn put(&mut self, count: u32) -> Outcome {
        for _ in 0..count {
            self.queue.put(black_box(&MESSAGE), None)?;
        }
        Ok(())
    }

    fn take(&mut self, count: u32) -> Outcome {
        for _ in 0..count {
            self.queue.get_into(&mut self.bytes, None)?;
        }
        Ok(())
    }
}

/// Messages by one call.
const BATCH: usize = 50;

/// The same, many messages by each call.
pub(super) struct InBatches(ByQueue);

impl End for InBatches {
    fn producer(ground: &Ground) -> Outcome<Self> {
        let queue = queue(&ground.space, "queue-in-batches")?;
        Ok(Self(ByQueue { queue, bytes: Vec::with_capacity(MESSAGE.len()) }))
    }

    fn consumer(ground: &Ground) -> Outcome<Self> {
        Self::producer(ground)
    }

    fn put(&mut self, count: u32) -> Outcome {
        for _ in 0..count as usize / BATCH {
            self.0.queue.put_many(black_box(&[MESSAGE; BATCH]), None)?;
        }
        Ok(())
    }

    fn take(&mut self, count: u32) -> Outcome {
        let Self(ByQueue { queue, bytes }) = self;
        let mut left = count as usize;
        while left > 0 {
            left -= queue.get_each(BATCH, None, |_, message| {
                bytes.clear();
                bytes.extend_from_slice(black_box(message));
            })?;
        }
        Ok(())
    }
}

pub(super) struct ByPipe {
    end: PipeEnd,
    bytes: Vec<u8>,
}

impl ByPipe {
    fn at(ground: &Ground, side: Side) -> Outcome<Self> {
        let end = PipeEnd::open_or_create(&ground.space, "pipe", &PipeSpec::one_way(CAPACITY), side)?;
        Ok(Self { end, bytes: Vec::with_capacity(MESSAGE.len()) })
    }
}

impl End for ByPipe {
    fn producer(ground: &Ground) -> Outcome<Self> {
        Self::at(ground, Side::Left)
    }

    fn consumer(ground: &Ground) -> Outcome<Self> {
        Self::at(ground, Side::Right)
    }

    fn put(&mut self, count: u32) -> Outcome {
        for _ in 0..count {
            self.end.send(black_box(&MESSAGE), None)?;
        }
        Ok(())
    }

    fn take(&mut self, count: u32) -> Outcome {
        for _ in 0..count {
            self.end.recv_into(&mut self.bytes, None)?;
        }
        Ok(())
    }
}

impl End for Vyukov {
    fn producer(ground: &Ground) -> Outcome<Self> {
        Self::create(&ground.space, VYUKOV)
    }

    fn consumer(ground: &Ground) -> Outcome<Self> {
        once_there(|| Self::open(&ground.space, VYUKOV))
    }

    fn put(&mut self, count: u32) -> Outcome {
        (0..count).for_each(|_| Self::put(self, black_box(&MESSAGE)));
        Ok(())
    }

    fn take(&mut self, count: u32) -> Outcome {
        (0..count).for_each(|_| _ = black_box(self.get()));
        Ok(())
    }
}

const VYUKOV: &str = "vyukov";

/// The kernel's pipe, by a name in the directory, with room for as much as ours.
pub(super) struct KernelPipe(File);

impl KernelPipe {
    fn make(path: &Path) -> Outcome {
        match mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR) {
            Err(rustix::io::Errno::EXIST) => Ok(()),
            made => made.map_err(refused),
        }
    }

    /// Each end waits in `open` for the other one.
    fn open(ground: &Ground, options: &OpenOptions) -> Outcome<Self> {
        let path = ground.directory.join(PIPE);
        Self::make(&path)?;
        options.open(path).map(Self).map_err(refused)
    }
}

impl End for KernelPipe {
    fn producer(ground: &Ground) -> Outcome<Self> {
        Self::open(ground, OpenOptions::new().write(true))
    }

    fn consumer(ground: &Ground) -> Outcome<Self> {
        Self::open(ground, OpenOptions::new().read(true))
    }

    fn put(&mut self, count: u32) -> Outcome {
        write(&mut self.0, count)
    }

    fn take(&mut self, count: u32) -> Outcome {
        read(&mut self.0, count)
    }
}

/// A Unix socket; the consumer listens.
pub(super) struct Socket(UnixStream);

impl End for Socket {
    fn producer(ground: &Ground) -> Outcome<Self> {
        let path = ground.directory.join(SOCKET);
        loop {
            match UnixStream::connect(&path) {
                // The other side does not listen yet.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                    std::thread::yield_now();
                }
                connected => return connected.map(Self).map_err(refused),
            }
        }
    }

    fn consumer(ground: &Ground) -> Outcome<Self> {
        let listener = UnixListener::bind(ground.directory.join(SOCKET)).map_err(refused)?;
        listener.accept().map(|(socket, _)| Self(socket)).map_err(refused)
    }

    fn put(&mut self, count: u32) -> Outcome {
        write(&mut self.0, count)
    }

    fn take(&mut self, count: u32) -> Outcome {
        read(&mut self.0, count)
    }
}

/// Names that begin with a dot are no regions.
const PIPE: &str = ".pipe";
const SOCKET: &str = ".socket";

fn write(output: &mut impl Write, count: u32) -> Outcome {
    (0..count).try_for_each(|_| output.write_all(black_box(&MESSAGE))).map_err(refused)
}

fn read(input: &mut impl Read, count: u32) -> Outcome {
    let mut message = MESSAGE;
    (0..count).try_for_each(|_| input.read_exact(black_box(&mut message))).map_err(refused)
}
