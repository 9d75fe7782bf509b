//! How soon a waiter knows that the owner of its lock is dead, by the memory that the kernel has to take from
//! the dead first. Measured, not asserted: the larger ones depend on the machine.

use crate::crew::Member;
use crate::scratch::Scratch;
use memlane::{Lock, Result, Space};
use std::time::{Duration, Instant};

const LOCK: &str = "robot/arm";
const MEBIBYTE: u64 = 1 << 20;
const PAGE: usize = 4096;
/// Resident memory of the process that dies, in mebibytes.
const SIZES: [u64; 5] = [1, 16, 64, 256, 1024];
const ROUNDS: usize = 20;
const LARGE: u64 = 256;
const LARGE_ROUNDS: usize = 5;

pub(crate) fn measure() {
    println!("from SIGKILL until a waiter has the lock, in milliseconds");
    println!("{:>14} {:>8} {:>8} {:>8}", "resident MiB", "best", "median", "worst");
    for size in SIZES {
        let rounds = if size < LARGE { ROUNDS } else { LARGE_ROUNDS };
        let mut times: Vec<_> = (0..rounds).map(|_| measure_one(size)).collect();
        times.sort_unstable();
        let [best, median, worst] = [0, rounds / 2, rounds - 1].map(|index| times[index].as_secs_f64() * 1e3);
        println!("{size:>14} {best:>8.1} {median:>8.1} {worst:>8.1}");
    }
}

fn measure_one(size: u64) -> Duration {
    let scratch = Scratch::new();
    let lock = Lock::open_or_create(&scratch.space(), LOCK).expect("a fresh space can be used");
    let mut holder =
        Member::start("holder", scratch.path(), &[size], None).expect("the program can start itself");
    await_that(|| lock.state().holder.is_some());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let guard = lock.lock().expect("the owner dies");
            assert!(guard.owner_died());
            Instant::now()
        });
        await_that(|| !lock.state().waiters.is_empty());
        let killed = Instant::now();
        holder.kill().expect("the holder waits to be killed");
        waiter.join().expect("the waiter does not panic") - killed
    })
}

/// Child: holds the lock and so many mebibytes of memory until it is killed.
pub(crate) fn hold(space: &Space, size: u64) -> Result<()> {
    let mut memory = vec![0_u8; (size * MEBIBYTE) as usize];
    memory.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
    let lock = Lock::open_or_create(space, LOCK)?;
    let _guard = lock.lock()?;
    loop {
        std::thread::park();
        std::hint::black_box(&memory);
    }
}

fn await_that(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        std::thread::yield_now();
    }
}
