//! Who this process and this thread are, and what /proc says of others. For people's eyes: liveness is
//! decided by presence locks alone.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! { static KEY: Cell<u64> = const { Cell::new(0) }; }

/// Number of the next thread; [`UNSEEDED`] until the first one draws where to start.
static NEXT_THREAD: AtomicU64 = AtomicU64::new(UNSEEDED);
const UNSEEDED: u64 = 0;

/// The bit of an owner key that says "a session inside a host", never set for a thread.
const SESSION_BIT: u64 = 1 << 63;

/// A number for this thread that no other thread of this process ever had: a counter that starts at random in
/// the high half, the kernel's thread id in the low half. The random start keeps apart processes whose thread
/// ids are equal in two PID namespaces.
#[inline]
pub(crate) fn thread_key() -> u64 {
    KEY.with(|key| match key.get() {
        0 => new_thread_key(key),
        known => known,
    })
}

#[cold]
fn new_thread_key(key: &Cell<u64>) -> u64 {
    if NEXT_THREAD.load(Ordering::Relaxed) == UNSEEDED {
        let start = random_u64() | 1 << 63;
        // Whoever loses starts where the winner does. A lock could be inherited locked by a forked child.
        let _ = NEXT_THREAD.compare_exchange(UNSEEDED, start, Ordering::Relaxed, Ordering::Relaxed);
    }
    let number = NEXT_THREAD.fetch_add(1, Ordering::Relaxed) as u32;
    let thread = rustix::thread::gettid().as_raw_nonzero().get() as u32;
    let fresh = ((u64::from(number) << 32) | u64::from(thread)) & !SESSION_BIT;
    key.set(fresh);
    fresh
}

/// The forking thread lives on in the child under another thread id, which a sibling in another PID namespace
/// may have too: the child's numbers start elsewhere.
pub(super) fn forget_thread_key() {
    KEY.with(|key| key.set(0));
    NEXT_THREAD.store(UNSEEDED, Ordering::Relaxed);
}

/// Whether this thread unwinds from a panic.
#[inline]
pub(crate) fn is_panicking() -> bool {
    std::thread::panicking()
}

/// Lets another thread run.
#[cfg(feature = "delays")]
pub(crate) fn give_way() {
    rustix::thread::sched_yield();
}

/// The thread id inside a [`thread_key`], as `ps -L` shows it in the owner's PID namespace.
pub(crate) fn thread_id_of(key: u64) -> u32 {
    key as u32
}

pub(crate) fn pid() -> u32 {
    rustix::process::getpid().as_raw_nonzero().get() as u32
}

pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// When process `pid` started, in clock ticks since boot, as /proc says: tells a re-used pid from the old
/// one.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    stat_field(pid, 22)?.parse().ok()
}

/// The state letter of /proc (`R`, `S`, `T`, `Z` …) of process `pid`.
pub(crate) fn state(pid: u32) -> Option<char> {
    stat_field(pid, 3)?.chars().next()
}

/// The parent of process `pid`.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    stat_field(pid, 4)?.parse().ok()
}

/// The name that this process has given itself, or was started by; else the file name of its program.
pub(crate) fn program_name() -> String {
    const PROGRAM: &str = "/proc/self/exe";
    let path = fs::read_link(PROGRAM).unwrap_or_default();
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = fs::read("/proc/self/comm").unwrap_or_default();
    let name = String::from_utf8_lossy(&name);
    let name = name.trim_end_matches('\n');
    // The system cuts it after 15 bytes: of a name that nobody gave, the file has the rest.
    if file.as_bytes().starts_with(name.as_bytes()) {
        return file;
    }
    // What runs another program (valgrind) says that it is that one, and has a name of its own.
    let place = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    if place(&path) == place(Path::new(PROGRAM)) { name.to_owned() } else { file }
}

/// 128 random bits.
pub(crate) fn random_id() -> [u8; 16] {
    let mut id = [0; 16];
    fill_random(&mut id);
    id
}

pub(crate) fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    fill_random(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn fill_random(bytes: &mut [u8]) {
    // Short requests are answered whole and without a signal's interference once the pool is up; before that
    // (early boot) the clock stands in, which is enough to tell processes apart.
    if rustix::rand::getrandom(&mut *bytes, rustix::rand::GetRandomFlags::empty()).is_err() {
        for (byte, clock) in bytes.iter_mut().zip(super::clock::monotonic().to_le_bytes().iter().cycle()) {
            *byte = *clock;
        }
    }
}

/// Field `number` (from 1, as proc(5) counts) of /proc/PID/stat; the name in field 2 may itself hold blanks
/// and brackets.
fn stat_field(pid: u32, number: usize) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = text.rfind(')')? + 1;
    let field = text.get(after_name..)?.split_whitespace().nth(number.checked_sub(3)?)?;
    Some(field.to_owned())
}
