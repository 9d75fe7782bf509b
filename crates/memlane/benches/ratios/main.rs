//! What memlane costs beside the machine's own floor, as ratios within one run.
//!
//! Each row measures ours and a yardstick alternately, A B A B, on pinned cores, and prints the medians as a
//! Markdown table. Run it with `cargo xtask bench`; `-- publish` runs the rows whose names contain that.
#![allow(unsafe_code)] // The yardsticks are bare system calls, pthread objects and anonymous mappings.

mod passing;
mod yardsticks;

use memlane::schema::Primitive;
use memlane::{FramePublisher, FrameSpec, FrameSubscriber, Lock, Space, Timestamp};
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Alternations of ours and the yardstick.
pub(crate) const ROUNDS: usize = 21;
const PICTURE: usize = 404 * 640 * 3;

type Row = (&'static str, &'static str, f64, fn(&Space) -> (f64, f64));

/// Name, yardstick, goal for the ratio, measurement. Without a yardstick the goal is in nanoseconds: a ratio
/// to 1 ns.
const ROWS: &[Row] = &[
    ("lock + unlock, uncontended", "pthread_mutex, shared", 1.2, |space| lock(space, false)),
    ("lock + unlock, uncontended", "pthread_mutex, shared and robust", 1.0, |space| lock(space, true)),
    ("loan + publish, no waiter, capture time given", "", 30.0, publish),
    ("borrow + release", "", 15.0, borrow),
    ("one way to a polling reader in another process, 8 B", "bare cache line, one way", 3.0, one_way),
    ("fill and publish 775,680 B", "memcpy of 775,680 B", 1.05, publish_picture),
    ("wake a sleeping reader in another process", "bare futex", 1.1, wake),
    ("read lock + unlock of a rwlock", "pthread_rwlock, shared", 2.0, passing::read_lock),
    (
        "read lock + unlock, another process reads, too",
        "pthread_rwlock, shared",
        0.5,
        passing::read_lock_in_company,
    ),
    ("permit taken and given back, owned semaphore", "sem_t, shared", 2.5, passing::permit),
    ("token released and acquired, signal semaphore", "sem_t, shared", 1.2, passing::token),
    (
        "event round trip between two sleeping processes",
        "bare futex round trip",
        1.15,
        passing::event_round_trip,
    ),
    ("queue: put and get 64 B, one thread", "", 40.0, passing::put_and_get),
    ("queue: 64 B to another process", "Vyukov queue in shared memory", 6.0, |space| {
        passing::queue(space, 1, Some(passing::vyukov))
    }),
    ("queue: 64 B to another process", "Unix datagram socket", 0.5, |space| {
        passing::queue(space, 1, Some(passing::socket))
    }),
    ("queue: 64 B to another process", "pipe(2)", 0.5, |space| {
        passing::queue(space, 1, Some(passing::kernel_pipe))
    }),
    ("queue: 64 B to another process", "", 250.0, |space| passing::queue(space, 1, None)),
    ("queue: 64 B in batches of 64 to another process", "", 100.0, |space| passing::queue(space, 64, None)),
    ("pipe: 64 B to another process", "pipe(2)", 0.5, passing::pipe),
    ("stream: append 16 B", "", 15.0, passing::append),
    ("stream: append 16 B, eight readers at work", "without readers", 2.0, passing::append_with_readers),
];

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let directory = tempfile::tempdir_in("/dev/shm").expect("a directory in /dev/shm");
    let space = Space::at(directory.path()).expect("a space");
    pin(0);
    println!("| what | ours | yardstick | | ratio | goal |\n|---|---:|---|---:|---:|---:|");
    for (name, yardstick, goal, measure) in ROWS.iter().filter(|row| row.0.contains(&filter)) {
        let (ours, theirs) = measure(&space);
        let ratio = ours / theirs;
        let verdict = if ratio <= *goal { "✓" } else { "✗" };
        let (ours, theirs) = (nanoseconds(ours), nanoseconds(theirs));
        if yardstick.is_empty() {
            println!("| {name} | {ours} | | | | ≤ {goal} ns {verdict} |");
        } else {
            println!("| {name} | {ours} | {yardstick} | {theirs} | {ratio:.2} | ≤ {goal} {verdict} |");
        }
    }
}

pub(crate) fn nanoseconds(value: f64) -> String {
    if value < 1000.0 { format!("{value:.1} ns") } else { format!("{:.1} µs", value / 1000.0) }
}

/// Runs both alternately and gives the median nanoseconds of each.
pub(crate) fn alternate(mut ours: impl FnMut() -> f64, mut theirs: impl FnMut() -> f64) -> (f64, f64) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        a.push(ours());
        b.push(theirs());
    }
    (median(&mut a), median(&mut b))
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds of one of `count` repetitions.
pub(crate) fn time(count: u32, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        work();
    }
    start.elapsed().as_nanos() as f64 / f64::from(count)
}

fn lock(space: &Space, robust: bool) -> (f64, f64) {
    const COUNT: u32 = 200_000;
    let lock = Lock::open_or_create(space, "lock").expect("a lock");
    let mutex = shared_memory::<libc::pthread_mutex_t>();
    // SAFETY: the mapping is zeroed, large enough and alive to the end; the attributes are initialised before
    // use.
    unsafe {
        let mut attributes: libc::pthread_mutexattr_t = std::mem::zeroed();
        libc::pthread_mutexattr_init(&raw mut attributes);
        libc::pthread_mutexattr_setpshared(&raw mut attributes, libc::PTHREAD_PROCESS_SHARED);
        if robust {
            libc::pthread_mutexattr_setrobust(&raw mut attributes, libc::PTHREAD_MUTEX_ROBUST);
        }
        libc::pthread_mutex_init(mutex, &raw const attributes);
    }
    alternate(
        || time(COUNT, || drop(black_box(lock.lock().expect("the lock")))),
        || {
            time(COUNT, || {
                // SAFETY: the mutex was initialised above and is this thread's alone.
                let _ = unsafe { (libc::pthread_mutex_lock(mutex), libc::pthread_mutex_unlock(mutex)) };
            })
        },
    )
}

fn publish(space: &Space) -> (f64, f64) {
    let mut publisher = publisher(space, "publish", 64);
    let captured = Timestamp::now();
    let ours =
        || time(200_000, || _ = black_box(publisher.loan().expect("a loan").publish_captured(captured)));
    alternate(ours, || 1.0)
}

fn borrow(space: &Space) -> (f64, f64) {
    let mut publisher = publisher(space, "borrow", 64);
    let subscriber = FrameSubscriber::open(space, "borrow").expect("a subscriber");
    publisher.loan().expect("a loan").publish();
    alternate(|| time(200_000, || drop(black_box(subscriber.latest().expect("a frame")))), || 1.0)
}

fn one_way(space: &Space) -> (f64, f64) {
    const COUNT: u64 = 100_000;
    let (there, back) = ("there", "back");
    let mut request = publisher(space, there, 8);
    drop(publisher(space, back, 8));
    let ready = shared_memory::<AtomicU64>();
    // SAFETY: shared memory of two atomics, alive to the end.
    let (ping, pong) = unsafe { (&*ready, &*ready.byte_add(256)) };
    let child = fork(|| {
        pin(1);
        let requests = FrameSubscriber::open(space, there).expect("a subscriber").spin(FOREVER);
        let mut answers = publisher(space, back, 8);
        ping.store(1, Ordering::Release);
        for _ in 0..ROUNDS {
            for _ in 0..COUNT {
                let value =
                    u64::from_le_bytes(requests.next(None).expect("a frame")[..8].try_into().expect("8"));
                send(&mut answers, value);
            }
            echo(ping, pong, COUNT);
        }
    });
    wait_for(ping, 1);
    ping.store(0, Ordering::Release);
    let answers = FrameSubscriber::open(space, back).expect("a subscriber").spin(FOREVER);
    let ours = || {
        let start = Instant::now();
        for value in 0..COUNT {
            send(&mut request, value);
            let answer = answers.next(None).expect("a frame");
            assert_eq!(answer[..8], value.to_le_bytes(), "an answer to another question");
        }
        start.elapsed().as_nanos() as f64 / COUNT as f64 / 2.0
    };
    let result = alternate(ours, || shout(ping, pong, COUNT));
    reap(child);
    result
}

const FOREVER: Duration = Duration::from_hours(1);

fn send(publisher: &mut FramePublisher, value: u64) {
    let mut loan = publisher.loan().expect("a loan");
    loan[..8].copy_from_slice(&value.to_le_bytes());
    loan.publish_captured(Timestamp { monotonic: 0, wall: 0 });
}

/// The bare cache line: nanoseconds one way.
pub(crate) fn shout(ping: &AtomicU64, pong: &AtomicU64, count: u64) -> f64 {
    let start = Instant::now();
    for value in 1..=count {
        ping.store(value, Ordering::Release);
        wait_for(pong, value);
    }
    let elapsed = start.elapsed().as_nanos() as f64 / count as f64 / 2.0;
    ping.store(0, Ordering::Release);
    wait_for(pong, 0);
    elapsed
}

pub(crate) fn echo(ping: &AtomicU64, pong: &AtomicU64, count: u64) {
    for value in 1..=count {
        wait_for(ping, value);
        pong.store(value, Ordering::Release);
    }
    wait_for(ping, 0);
    pong.store(0, Ordering::Release);
}

pub(crate) fn wait_for(word: &AtomicU64, value: u64) {
    while word.load(Ordering::Acquire) != value {
        std::hint::spin_loop();
    }
}

/// Both copy from one picture into as many places as the pool re-uses, so that neither has the better cache.
fn publish_picture(space: &Space) -> (f64, f64) {
    const COUNT: u32 = 100;
    let mut publisher = publisher(space, "picture", PICTURE);
    let subscriber = FrameSubscriber::open(space, "picture").expect("a subscriber");
    let picture = vec![7_u8; PICTURE];
    let mut places = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let mut loan = publisher.loan().expect("a loan");
        places.insert(loan.as_ptr());
        loan.copy_from_slice(&picture);
        loan.publish();
    }
    drop(subscriber);
    let mut copies = vec![vec![0_u8; PICTURE]; places.len()];
    let mut turn = 0;
    alternate(
        || {
            time(COUNT, || {
                let mut loan = publisher.loan().expect("a loan");
                loan.copy_from_slice(black_box(&picture));
                loan.publish();
            })
        },
        || {
            time(COUNT, || {
                turn = (turn + 1) % copies.len();
                copies[turn].copy_from_slice(black_box(&picture));
                black_box(&mut copies[turn]);
            })
        },
    )
}

/// From before the publish (the store and wake) to the reader's having it, measured by the reader's stamp.
fn wake(space: &Space) -> (f64, f64) {
    const COUNT: usize = 300;
    let mut publisher = publisher(space, "wake", 8);
    let shared = shared_memory::<[AtomicU64; 3]>();
    // SAFETY: shared memory of atomics, alive to the end.
    let [word, woken, ready] = unsafe { &*shared };
    let child = fork(|| {
        pin(1);
        let subscriber = FrameSubscriber::open(space, "wake").expect("a subscriber");
        for turn in 1..=(2 * COUNT * ROUNDS) as u64 {
            ready.store(turn, Ordering::Release);
            if ((turn as usize - 1) / COUNT).is_multiple_of(2) {
                drop(subscriber.next(None).expect("a frame"));
            } else {
                sleep_until(word, turn);
            }
            woken.store(monotonic(), Ordering::Release);
        }
    });
    let turn = std::cell::Cell::new(0_u64);
    let round = |wake_up: &mut dyn FnMut(u64)| {
        let mut latencies: Vec<f64> = (0..COUNT).map(|_| one_wake(&turn, ready, woken, wake_up)).collect();
        median(&mut latencies)
    };
    let captured = Timestamp { monotonic: 0, wall: 0 };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(round(&mut |_| _ = publisher.loan().expect("a loan").publish_captured(captured)));
        theirs.push(round(&mut |turn| {
            word.store(turn, Ordering::Release);
            futex(word, libc::FUTEX_WAKE, i32::MAX as u32);
        }));
    }
    reap(child);
    (median(&mut ours), median(&mut theirs))
}

fn one_wake(
    turn: &std::cell::Cell<u64>,
    ready: &AtomicU64,
    woken: &AtomicU64,
    wake_up: &mut dyn FnMut(u64),
) -> f64 {
    turn.set(turn.get() + 1);
    wait_for(ready, turn.get());
    // Long enough for the reader to fall asleep: what is measured is its waking.
    std::thread::sleep(Duration::from_micros(300));
    woken.store(0, Ordering::Release);
    let start = monotonic();
    wake_up(turn.get());
    while woken.load(Ordering::Acquire) == 0 {
        std::hint::spin_loop();
    }
    (woken.load(Ordering::Acquire) - start) as f64
}

pub(crate) fn sleep_until(word: &AtomicU64, turn: u64) {
    loop {
        let seen = word.load(Ordering::Acquire);
        if seen == turn {
            return;
        }
        futex(word, libc::FUTEX_WAIT, seen as u32);
    }
}

pub(crate) fn futex(word: &AtomicU64, operation: i32, value: u32) {
    let low: *const AtomicU32 = std::ptr::from_ref(word).cast();
    // SAFETY: the word is alive, and only the kernel looks at its low half by this address.
    unsafe {
        libc::syscall(libc::SYS_futex, low, operation, value, std::ptr::null::<libc::timespec>(), 0, 0)
    };
}

pub(crate) fn monotonic() -> u64 {
    Timestamp::now().monotonic
}

fn publisher(space: &Space, id: &str, size: usize) -> FramePublisher {
    let schema = memlane::schema::Schema::new(Primitive::U8).with_shape(&[size]).expect("a schema");
    FramePublisher::open_or_create(space, id, &FrameSpec::of(schema).history(1)).expect("a publisher")
}

/// Zeroed memory that children share.
pub(crate) fn shared_memory<T>() -> *mut T {
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: a fresh anonymous mapping.
    let memory =
        unsafe { libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    assert_ne!(memory, libc::MAP_FAILED, "no shared memory");
    memory.cast()
}

pub(crate) fn fork(work: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the process has one thread, so the child may go on as usual.
    match unsafe { libc::fork() } {
        0 => {
            work();
            // SAFETY: ends the child without running the parent's destructors.
            unsafe { libc::_exit(0) }
        }
        child => child,
    }
}

pub(crate) fn reap(child: libc::pid_t) {
    let mut status = 0;
    // SAFETY: our own child.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(status, 0, "the other process failed");
}

pub(crate) fn pin(core: usize) {
    // SAFETY: a zeroed set is empty; the call copies it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}
