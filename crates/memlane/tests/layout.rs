//! The bytes of regions, kept: one of each kind against `golden/*.hex`, and the tables of `docs/layout.md`
//! against those of the code. `MEMLANE_BLESS=1` writes both anew, for a change that is meant.

mod left_out;
mod scratch;

use memlane::schema::Datum;
use memlane::{
    Array, Barrier, Condition, Event, FramePublisher, FrameSpec, FrameSubscriber, Lock, Observer, PipeEnd,
    PipeSpec, Queue, QueueSpec, RLock, Raw, Record, Region, Result, RwLock, Semaphore, Side, SignalSemaphore,
    Space, StreamPublisher, StreamSpec, StreamSubscriber, Tag, Text, Timestamp, Value, layout,
};
use scratch::Scratch;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::mem::forget;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

const ID: &str = "golden";

/// Where the header's checksum stands, and what it is the checksum of.
const CHECKSUM: Range<usize> = 84..88;
const HEADER: Range<usize> = 0..2816;

/// What differs from run to run in every region: uuid, creation time, creator's pid, checksum, creator; and
/// of the first participant its pid, start time, attach time, process and program.
const VOLATILE: [Range<usize>; 7] = [48..64, 64..72, 72..76, CHECKSUM, 88..128, 4100..4104, 4104..4164];
/// The same of a lock that is or was held: its owner, and since when.
const OF_LOCK: Range<usize> = 2952..2968;
/// The same of a frame channel for two participants with five slots: since when there is a publisher.
const OF_PUBLISHER: Range<usize> = 4488..4496;

/// The same of who has waited: since when.
const OF_WAIT: Range<usize> = 4176..4184;
/// The same of a stream for two participants.
const OF_STREAM_PUBLISHER: Range<usize> = 4360..4368;

const BYTES_A_LINE: usize = 16;

/// A region whose bytes are kept.
struct Golden {
    name: &'static str,
    /// What is volatile in it besides.
    volatile: &'static [Range<usize>],
    make: fn(&Space) -> Result<()>,
}

/// At least one region of each kind.
const REGIONS: &[Golden] = &[
    Golden { name: "value", volatile: &[], make: make_value },
    Golden { name: "record", volatile: &[], make: make_record },
    Golden { name: "array", volatile: &[OF_LOCK], make: make_array },
    Golden { name: "text", volatile: &[], make: make_text },
    Golden { name: "raw", volatile: &[], make: make_raw },
    Golden { name: "lock-held", volatile: &[OF_LOCK], make: make_lock_held },
    Golden { name: "lock-abandoned", volatile: &[OF_LOCK], make: make_lock_abandoned },
    Golden { name: "frames", volatile: &[OF_PUBLISHER], make: make_frames },
    Golden { name: "rlock-held", volatile: &[OF_LOCK], make: make_rlock },
    Golden { name: "rwlock-read", volatile: &[], make: make_rwlock },
    Golden { name: "semaphore-owned", volatile: &[], make: make_semaphore },
    Golden { name: "semaphore-signal", volatile: &[], make: make_signal },
    Golden { name: "event", volatile: &[], make: make_event },
    Golden { name: "condition", volatile: &[OF_LOCK, OF_WAIT], make: make_condition },
    Golden { name: "barrier", volatile: &[], make: make_barrier },
    Golden { name: "queue", volatile: &[], make: make_queue },
    Golden { name: "queue-acknowledged", volatile: &[], make: make_acknowledged },
    Golden { name: "pipe", volatile: &[], make: make_pipe },
    Golden { name: "stream", volatile: &[OF_STREAM_PUBLISHER], make: make_stream },
];

fn make_value(space: &Space) -> Result<()> {
    Value::create(space, ID, 1.5_f64)?.store(-2.5);
    Ok(())
}

fn make_record(space: &Space) -> Result<()> {
    let record = Record::create(space, ID, "{x:<f4 unit=\"m\",name:|S3}")?;
    record.write_bytes(&[1, 2, 3, 4, 5, 6, 7])?;
    record.write_field("name", &Datum::Bytes(b"arm".to_vec()))
}

fn make_array(space: &Space) -> Result<()> {
    let array = Array::<i16>::create(space, ID, &[2, 3])?;
    array.store(5, -2)?;
    array.lock()?.write(1, &[7, 8])
}

fn make_text(space: &Space) -> Result<()> {
    let text = Text::create(space, ID, 20)?;
    text.write("first")?;
    text.write("zweitens: ä")?;
    text.write("third").map(drop)
}

fn make_raw(space: &Space) -> Result<()> {
    let raw = Raw::create(space, ID, 37)?;
    raw.write(3, b"over two words")?;
    raw.write(36, b"!")
}

fn make_lock_held(space: &Space) -> Result<()> {
    let lock = Lock::create(space, ID)?;
    forget(lock.lock()?);
    // With the last handle the process would say goodbye.
    forget(lock);
    Ok(())
}

fn make_lock_abandoned(space: &Space) -> Result<()> {
    Lock::create(space, ID)?.lock()?.abandon();
    Ok(())
}

fn make_frames(space: &Space) -> Result<()> {
    let spec = FrameSpec::bytes(10).encoding("text").history(2).borrows(2);
    let mut publisher = FramePublisher::create(space, ID, &spec)?;
    let subscriber = FrameSubscriber::open_with(space, ID, 1)?;
    publish(&mut publisher, b"one")?;
    // Held, and so left alone although it goes off the offer.
    forget(subscriber.latest()?);
    publish(&mut publisher, b"two")?;
    publish(&mut publisher, b"three")?;
    publish(&mut publisher, b"four")?;
    forget((publisher, subscriber));
    Ok(())
}

fn make_rlock(space: &Space) -> Result<()> {
    let lock = RLock::create(space, ID)?;
    forget((lock.lock()?, lock.lock()?));
    forget(lock);
    Ok(())
}

fn make_rwlock(space: &Space) -> Result<()> {
    let lock = RwLock::create(space, ID)?;
    forget((lock.read(None)?, lock.read(None)?));
    forget(lock);
    Ok(())
}

fn make_semaphore(space: &Space) -> Result<()> {
    let semaphore = Semaphore::create(space, ID, 5)?;
    drop(semaphore.acquire(1, None)?);
    forget(semaphore.acquire(3, None)?);
    forget(semaphore);
    Ok(())
}

fn make_signal(space: &Space) -> Result<()> {
    let semaphore = SignalSemaphore::create_bounded(space, ID, 1, 7)?;
    semaphore.release(3)?;
    semaphore.acquire(None)
}

fn make_event(space: &Space) -> Result<()> {
    let event = Event::create_auto_reset(space, ID)?;
    event.set();
    event.wait(None)?;
    event.set();
    Ok(())
}

/// Somebody waited and gave up: nothing but the number of tickets is left of it.
fn make_condition(space: &Space) -> Result<()> {
    let condition = Condition::create(space, ID, 4)?;
    let lock = condition.region().lock();
    let mut guard = lock.lock()?;
    assert!(!condition.wait(&mut guard, Some(Duration::ZERO))?);
    drop(guard);
    Ok(())
}

fn make_barrier(space: &Space) -> Result<()> {
    let barrier = Barrier::create(space, ID, 1)?;
    barrier.wait(None)?;
    barrier.reset()?;
    barrier.abort();
    forget(barrier);
    Ok(())
}

fn make_queue(space: &Space) -> Result<()> {
    let queue = Queue::create(space, ID, &QueueSpec::bytes(100).messages(3))?;
    queue.put(b"first", None)?;
    queue.put_tagged(Tag::Utf8, "zweite ä".as_bytes(), None)?;
    queue.get(None)?;
    queue.put_tagged(Tag::Json, b"[3]", None)?;
    queue.close();
    Ok(())
}

fn make_acknowledged(space: &Space) -> Result<()> {
    let queue = Queue::create(space, ID, &QueueSpec::bytes(100).acknowledged())?;
    queue.put_many(&["one", "two", "three"], None)?;
    queue.lease(None)?.acknowledge()?;
    drop(queue.lease(None)?);
    forget(queue.lease(None)?);
    forget(queue);
    Ok(())
}

fn make_pipe(space: &Space) -> Result<()> {
    let left = PipeEnd::create(space, ID, &PipeSpec::duplex(100), Side::Left)?;
    left.send(b"there", None)?;
    let right = PipeEnd::open(space, ID, Side::Right)?;
    right.recv(None)?;
    right.send_tagged(Tag::Utf8, b"back", None)?;
    drop(right);
    forget(left);
    Ok(())
}

fn make_stream(space: &Space) -> Result<()> {
    let spec = StreamSpec::of("{x:<u2,n:|u1}").capacity(2).lossless_for(2);
    let mut publisher = StreamPublisher::create(space, ID, &spec)?;
    let subscriber = StreamSubscriber::open(space, ID)?;
    publisher.append(&[1, 2, 3])?;
    publisher.append_many(&[4, 5, 6, 7, 8, 9])?;
    subscriber.next(None)?;
    publisher.batch(2)?.set(0, &[10, 11, 12])?;
    forget((publisher, subscriber));
    Ok(())
}

fn publish(publisher: &mut FramePublisher, content: &[u8]) -> Result<()> {
    let mut loan = publisher.loan()?;
    loan[..content.len()].copy_from_slice(content);
    loan.set_len(content.len())?;
    let sequence = loan.sequence();
    loan.publish_captured(Timestamp { monotonic: 16 * sequence, wall: 256 * sequence });
    Ok(())
}

fn is_blessed() -> bool {
    std::env::var_os("MEMLANE_BLESS").is_some_and(|value| value == "1")
}

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).with_extension("hex")
}

fn read_golden(name: &str) -> String {
    static BLESSING: Once = Once::new();
    if is_blessed() {
        BLESSING.call_once(|| bless().expect("regions can be made"));
    }
    let path = golden_path(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn bless() -> Result<()> {
    REGIONS.iter().try_for_each(|region| {
        fs::write(golden_path(region.name), made(region)?).expect("the golden bytes can be written");
        Ok(())
    })
}

/// The dump of a region made just now.
fn made(region: &Golden) -> Result<String> {
    let scratch = Scratch::new();
    (region.make)(&scratch.space().participants(2).note("né"))?;
    let bytes = fs::read(scratch.path().join(ID)).expect("it was just made");
    Ok(dump(&bytes, &[&VOLATILE, region.volatile].concat()))
}

/// The bytes in lines of 16, `--` where they are volatile; lines of nothing but zeros are left out.
fn dump(bytes: &[u8], volatile: &[Range<usize>]) -> String {
    let is_volatile = |offset: usize| volatile.iter().any(|range| range.contains(&offset));
    let mut text = String::new();
    for (start, line) in (0..).step_by(BYTES_A_LINE).zip(bytes.chunks(BYTES_A_LINE)) {
        let shown: Vec<_> =
            (start..).zip(line).map(|(offset, byte)| (!is_volatile(offset)).then_some(byte)).collect();
        if shown.iter().all(|byte| *byte == Some(&0)) {
            continue;
        }
        let _ = write!(text, "{start:06x} ");
        for byte in shown {
            let _ = match byte {
                Some(byte) => write!(text, " {byte:02x}"),
                None => write!(text, " --"),
            };
        }
        text.push('\n');
    }
    text
}

/// The bytes of a dump, zero where they are not shown, with a checksum of their own.
fn undump(text: &str) -> Vec<u8> {
    let mut shown = BTreeMap::new();
    for line in text.lines() {
        let (start, bytes) = line.split_once(' ').expect("a line begins with its offset");
        let start = usize::from_str_radix(start, 16).expect("an offset is a number");
        let bytes = (start..).zip(bytes.split_whitespace()).filter(|(_, byte)| *byte != "--");
        shown.extend(bytes.map(|(at, byte)| (at, u8::from_str_radix(byte, 16).expect("a byte is a number"))));
    }
    let byte = |at: usize| shown.get(&at).copied().unwrap_or(0);
    let total_size = u64::from_le_bytes(std::array::from_fn(|index| byte(16 + index)));
    let mut bytes: Vec<u8> = (0..total_size as usize).map(byte).collect();
    let checksum = crc32(&bytes[HEADER]);
    bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// CRC-32 as of ISO-HDLC, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..u8::BITS).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}

#[test]
fn bytes_stay_as_they_are() -> Result<()> {
    for region in REGIONS {
        let (name, golden, made) = (region.name, read_golden(region.name), made(region)?);
        assert!(made == golden, "{name} is\n{made}\ninstead of\n{golden}\nIf that is meant: MEMLANE_BLESS=1");
    }
    Ok(())
}

#[test]
fn the_checksum_is_crc_32_of_the_header_without_it() -> Result<()> {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    for region in REGIONS {
        let scratch = Scratch::new();
        (region.make)(&scratch.space())?;
        let mut header = fs::read(scratch.path().join(ID)).expect("it was just made")[HEADER].to_vec();
        let found = header[CHECKSUM].to_vec();
        header[CHECKSUM].fill(0);
        assert_eq!(found, crc32(&header).to_le_bytes());
    }
    Ok(())
}

/// Puts the golden region of that name where a region can be.
fn restore(name: &str) -> (Scratch, Space) {
    let scratch = Scratch::new();
    fs::write(scratch.path().join(ID), undump(&read_golden(name))).expect("a file can be written");
    let space = scratch.space();
    (scratch, space)
}

/// What programs wrote that were built from another commit, or in another language.
#[test]
fn golden_bytes_are_read() -> Result<()> {
    let (_scratch, space) = restore("value");
    let value = Value::<f64>::open(&space, ID)?;
    assert_eq!((value.load(), value.region().version()), (-2.5, 1));
    assert_eq!((&*value.region().description().note, value.region().description().participants), ("né", 2));

    let (_scratch, space) = restore("record");
    let record = Record::open(&space, ID)?;
    assert_eq!(record.schema().to_string(), "{x:<f4 unit=\"m\",name:|S3}");
    assert_eq!(record.read_bytes()?, (b"\x01\x02\x03\x04arm".to_vec(), 2));

    let (_scratch, space) = restore("array");
    assert_eq!(Array::<i16>::open(&space, ID)?.snapshot()?, [0, 7, 8, 0, 0, -2]);

    let (_scratch, space) = restore("text");
    assert_eq!(Text::open(&space, ID)?.read()?, ("third".to_owned(), 3));

    let (_scratch, space) = restore("raw");
    let (raw, mut bytes) = (Raw::open(&space, ID)?, [0; 17]);
    raw.read(0, &mut bytes)?;
    assert_eq!((raw.len(), raw.region().version(), &bytes), (37, 2, b"\0\0\0over two words"));

    for name in ["lock-held", "lock-abandoned"] {
        let (_scratch, space) = restore(name);
        let lock = Lock::open(&space, ID)?;
        let guard = lock.lock()?;
        assert!(guard.owner_died() && guard.is_inconsistent(), "{name}");
    }
    Ok(())
}

#[test]
fn golden_frames_are_read_and_go_on() -> Result<()> {
    let (_scratch, space) = restore("frames");
    let observer = Observer::open(&space, ID)?;
    let state = observer.frames()?;
    assert_eq!((state.newest, state.history, state.borrows, state.length), (4, 2, 2, 4));
    assert_eq!(state.captured, Some(Timestamp { monotonic: 64, wall: 1024 }));
    assert_eq!(observer.latest_frame()?.map(|frame| frame.bytes), Some(b"four".to_vec()));
    // The entries are those of somebody who is gone.
    let subscriber = FrameSubscriber::open_with(&space, ID, 2)?.history(2);
    let mut publisher = FramePublisher::open(&space, ID)?;
    assert_eq!(
        subscriber.last(2)?.iter().map(|frame| frame.to_vec()).collect::<Vec<_>>(),
        [&b"three"[..], b"four"]
    );
    assert_eq!(publisher.loan()?.publish(), 5);
    assert_eq!(subscriber.latest()?.map(|frame| frame.sequence()), Some(5));
    Ok(())
}

fn documentation() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/layout.md")
}

/// What stands between two marks of a page, and where.
fn between(page: &str, begin: &str, end: &str) -> Range<usize> {
    let start = page.find(begin).unwrap_or_else(|| panic!("{begin} is missing")) + begin.len();
    let length = page[start..].find(end).unwrap_or_else(|| panic!("{end} is missing"));
    start..start + length
}

#[test]
fn the_documentation_shows_the_tables_of_the_code() {
    let mut page = fs::read_to_string(documentation()).expect("docs/layout.md is there");
    let expected = format!("\n\n{}\n", layout::markdown());
    let block = between(&page, "<!-- layout:begin -->", "<!-- layout:end -->");
    if is_blessed() {
        page.replace_range(block, &expected);
        fs::write(documentation(), &page).expect("docs/layout.md can be written");
    }
    let block = between(&page, "<!-- layout:begin -->", "<!-- layout:end -->");
    assert!(
        page[block] == expected,
        "docs/layout.md shows other tables: MEMLANE_BLESS=1 writes these\n{expected}"
    );
}

/// The program in the documentation knows no more than the page says.
#[test]
fn the_program_in_the_documentation_reads_a_region() -> Result<()> {
    let scratch = Scratch::new();
    let text = Text::create(&scratch.space().participants(7), "text", 300)?;
    text.write("before")?;
    text.write("grüße")?;
    Record::create(&scratch.space(), "record", "{x:<u2,y:<u2}")?.write_bytes(&[1, 2, 3, 4])?;
    let page = fs::read_to_string(documentation()).expect("docs/layout.md is there");
    let program = &page[between(&page, "```python\n", "```")];
    let seen = [
        ("text", "4 |S300 encoding=\"utf-8\" 2 b'gr\\xc3\\xbc\\xc3\\x9fe'\n"),
        ("record", "2 {x:<u2,y:<u2} 1 b'\\x01\\x02\\x03\\x04'\n"),
    ];
    for (id, expected) in seen {
        let run = Command::new("python3").args(["-c", program]).arg(scratch.path().join(id)).output();
        let output = match run {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                left_out::leave_out(
                    "the program in docs/layout.md",
                    "there is no python3; get it with `cargo xtask setup`",
                );
                return Ok(());
            }
            run => run.expect("Python can be started"),
        };
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }
    assert_eq!(Region::open(&scratch.space(), "text")?.participants().len(), 1);
    Ok(())
}
