//! Files of regions as bytes: one of each kind, made by using it, and what somebody needs to spoil them
//! knowingly.
#![allow(dead_code)] // Every suite uses a part.

use memlane::schema::Datum;
use memlane::{
    Array, Barrier, Condition, Event, FramePublisher, FrameSpec, FrameSubscriber, Kind, Lock, PipeEnd,
    PipeSpec, Queue, QueueSpec, RLock, Raw, Record, Result, RwLock, Semaphore, Side, Space, StreamPublisher,
    StreamSpec, StreamSubscriber, Text, Value,
};
use std::time::Duration;

/// The kinds there are specimens of.
pub(crate) const KINDS: [Kind; 16] = [
    Kind::Value,
    Kind::Record,
    Kind::Array,
    Kind::Text,
    Kind::Lock,
    Kind::Frames,
    Kind::Rlock,
    Kind::Rwlock,
    Kind::Semaphore,
    Kind::Event,
    Kind::Condition,
    Kind::Barrier,
    Kind::Queue,
    Kind::Pipe,
    Kind::Stream,
    Kind::Raw,
];

/// A record with something of everything.
const RECORD: &str = "{on:|b1,x:<f8 unit=\"m\",point:[2]{x:<f4,y:>i2},name:|S8}";
const FRAME: usize = 256;
/// A short table, so that a random byte is seldom one of an empty slot.
const PARTICIPANTS: u16 = 3;

/// A field of the header that decides something, as offset and size.
pub(crate) const HEADER_FIELDS: &[(usize, usize)] = &[
    (8, 4),   // layout version
    (12, 4),  // kind
    (16, 8),  // total size
    (24, 8),  // control size
    (32, 8),  // body offset
    (40, 4),  // slots
    (44, 4),  // flags
    (76, 4),  // schema length
    (80, 4),  // note length
    (128, 8), // parameters, of each kind its own
    (136, 8),
    (144, 8),
    (152, 8),
];
/// Where the canonical text of the schema stands.
pub(crate) const SCHEMA: std::ops::Range<usize> = 256..2304;
/// Where the header ends and words begin that participants change.
pub(crate) const SHARED: usize = 2816;

const CHECKSUM: usize = 84;
const LOCK_WORD: usize = 2944;
const SLOTS: usize = 40;
const TABLE: usize = 4096;
const ENTRY: usize = 128;
/// Where the bodies of all kinds have their claim words.
const WORDS_OF_BODIES: usize = 8192;

/// The file of a region of this kind that was used.
pub(crate) fn specimen(kind: Kind, space: &Space) -> Vec<u8> {
    let space = space.clone().participants(PARTICIPANTS).note("a specimen");
    let id = kind.name();
    make(kind, &space, id).expect("a fresh region can be used");
    std::fs::read(space.directory().join(id)).expect("a region is a file")
}

fn make(kind: Kind, space: &Space, id: &str) -> Result<()> {
    match kind {
        Kind::Value => Value::create(space, id, 1.5)?.store(2.5),
        Kind::Record => {
            let record = Record::create(space, id, RECORD)?;
            record.write_field("x", &Datum::Float(1.5))?;
            record.write_field("name", &Datum::Bytes(b"specimen".to_vec()))?;
        }
        Kind::Array => Array::<f32>::create(space, id, &[4, 5])?.lock()?.write(3, &[1.5; 7])?,
        Kind::Text => drop(Text::create(space, id, 100)?.write("grüß dich")?),
        Kind::Raw => Raw::create(space, id, 99)?.write(5, b"a specimen")?,
        Kind::Lock => drop(Lock::create(space, id)?.lock()?),
        Kind::Rlock => drop(RLock::create(space, id)?.lock()?),
        Kind::Rwlock => {
            let lock = RwLock::create(space, id)?;
            drop(lock.write(None)?);
            std::mem::forget(lock.read(None)?);
        }
        Kind::Semaphore => std::mem::forget(Semaphore::create(space, id, 3)?.acquire(2, None)?),
        Kind::Event => Event::create(space, id)?.set(),
        Kind::Condition => {
            let condition = Condition::create(space, id, 4)?;
            let lock = condition.region().lock();
            condition.wait(&mut lock.lock()?, Some(Duration::ZERO))?;
        }
        Kind::Barrier => drop(Barrier::create(space, id, 1)?.wait(None)?),
        Kind::Queue => {
            let queue = Queue::create(space, id, &QueueSpec::bytes(500).acknowledged())?;
            queue.put_many(&[b"one".as_slice(), &[7; 99], b"three"], None)?;
            queue.get(None)?;
            std::mem::forget(queue.lease(None)?);
        }
        Kind::Pipe => {
            let left = PipeEnd::create(space, id, &PipeSpec::duplex(500), Side::Left)?;
            let right = PipeEnd::open(space, id, Side::Right)?;
            left.send(b"there", None)?;
            left.send(&[7; 99], None)?;
            right.recv(None)?;
            right.send(b"back", None)?;
        }
        Kind::Stream => {
            let spec = StreamSpec::of(RECORD).capacity(16).lossless_for(2);
            let mut publisher = StreamPublisher::create(space, id, &spec)?;
            let subscriber = StreamSubscriber::open(space, id)?;
            publisher.append_many(&vec![7; publisher.schema().size() * 3])?;
            subscriber.next(None)?;
        }
        _ => {
            let mut publisher =
                FramePublisher::create(space, id, &FrameSpec::bytes(FRAME).history(3).borrows(4))?;
            let subscriber = FrameSubscriber::open(space, id)?;
            for number in 1..=9 {
                let mut loan = publisher.loan()?;
                loan.fill(number);
                loan.set_len(usize::from(number) * 8)?;
                loan.publish();
                subscriber.next(None)?;
            }
        }
    }
    Ok(())
}

/// Makes a changed header pass for whole: CRC-32 (ISO-HDLC) over it with its own field zero.
pub(crate) fn renew_checksum(file: &mut [u8]) {
    let Some(header) = file.get_mut(..SHARED) else { return };
    header[CHECKSUM..CHECKSUM + 4].fill(0);
    let sum = crc32(header);
    header[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
}

/// Frees the words that the next process to attach would take for its own hold. A claim of somebody who lives
/// is no corruption that anybody could tell: waiting for it is right, and without end.
pub(crate) fn disown(file: &mut [u8]) {
    let slots = u32_at(file, SLOTS).unwrap_or(0) as usize;
    // The next to attach takes slot 0, under the generation after the one that stands there.
    let generation = u32_at(file, TABLE).unwrap_or(0).wrapping_add(1) & 0x7_ffff;
    let claim = generation.max(1) << 12;
    let body = slots.saturating_mul(ENTRY).saturating_add(TABLE);
    let body = body..body.saturating_add(WORDS_OF_BODIES).min(file.len());
    for word in std::iter::once(LOCK_WORD).chain(body.step_by(4)) {
        if u32_at(file, word).is_some_and(|found| found & !(1 << 31) == claim) {
            file[word..word + 4].fill(0);
        }
    }
}

pub(crate) fn u32_at(file: &[u8], offset: usize) -> Option<u32> {
    file.get(offset..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn crc32(bytes: &[u8]) -> u32 {
    let shift = |sum: u32| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xedb8_8320 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| shift(sum)))
}
