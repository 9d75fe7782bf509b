//! Readers-writer locks between threads and processes: who excludes whom, who is named, what the dead leave.

mod patience;
mod role;
mod scratch;

use memlane::lock::OwnerDied;
use memlane::rwlock::RwLockState;
use memlane::{Error, Result, RwLock, Space, Value};
use patience::{DEADLINE, await_that, measured};
use role::{Role, listen, say};
use scratch::Scratch;
use std::mem::forget;
use std::process;
use std::thread;
use std::time::Duration;

const ID: &str = "robot/map";

/// A little longer than several slices of a wait.
const TIMEOUT: Duration = Duration::from_millis(90);

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let lock = RwLock::open(&space, ID).expect("the parent made the lock");
        let played = match part.role.as_str() {
            "reader" => lock.read(None).map(forget),
            "writer" => lock.write(None).map(forget),
            "waiting writer" => wait_to_write(&lock),
            other => panic!("there is no role {other}"),
        };
        played.expect("the role can be played");
        say("inside");
        listen();
    });
}

fn wait_to_write(lock: &RwLock) -> Result<()> {
    say("waits");
    lock.write(None).map(forget)
}

fn start(scratch: &Scratch, role: &str) -> Role {
    let role = Role::start(role, scratch.path(), &[]);
    role.expect("inside");
    role
}

fn is_free(state: &RwLockState) -> bool {
    state.lock.holder.is_none() && state.readers.is_empty() && state.lock.waiters.is_empty()
}

#[test]
fn many_read_or_one_writes() -> Result<()> {
    let scratch = Scratch::new();
    let (lock, again) = (RwLock::create(&scratch.space(), ID)?, RwLock::open(&scratch.space(), ID)?);
    let readers = (lock.read(None)?, again.try_read()?.expect("others only read"));
    let [(reader, count)] = &lock.state().readers[..] else { panic!("{:?}", lock.state()) };
    assert_eq!((reader.pid, *count), (process::id(), 2), "the threads of a process are counted together");
    assert!(again.try_write()?.is_none());
    drop(readers);
    let writer = lock.write(None)?;
    assert!(again.try_read()?.is_none() && again.try_write()?.is_none());
    assert_eq!(lock.state().lock.holder.map(|holder| holder.participant.pid), Some(process::id()));
    drop(writer);
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    assert!(!lock.is_inconsistent());
    Ok(())
}

#[test]
fn a_refused_writer_keeps_nobody_out() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    let _reader = lock.read(None)?;
    for timeout in [Duration::ZERO, Duration::from_millis(3), TIMEOUT] {
        let (outcome, elapsed) = measured(|| lock.write(Some(timeout)).err());
        let Some(Error::LockTimeout { what, holder, waited, .. }) = outcome else { panic!("{outcome:?}") };
        assert!((timeout..DEADLINE).contains(&elapsed) && timeout <= waited, "{elapsed:?}");
        assert!(what.contains("reader"), "{what}");
        assert!(holder.contains("reads (1)") && holder.contains(&process::id().to_string()), "{holder}");
        drop(lock.try_read()?.expect("only readers are there"));
    }
    Ok(())
}

#[test]
fn a_refused_reader_is_told_who_writes() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    let _writer = lock.write(None)?;
    let holder = rustix::thread::gettid().as_raw_pid();
    thread::scope(|scope| {
        let work = || [lock.read(Some(TIMEOUT)).err(), lock.write(Some(TIMEOUT)).err()];
        for error in scope.spawn(work).join().expect("it does not panic") {
            let Some(Error::LockTimeout { holder: named, .. }) = error else { panic!("{error:?}") };
            assert!(named.contains(&format!("thread {holder}, alive")), "{named}");
        }
    });
    Ok(())
}

#[test]
fn a_writer_does_not_wait_for_itself() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    let writer = lock.write(None)?;
    assert!(matches!(lock.write(None), Err(Error::WouldDeadlock { .. })));
    assert!(matches!(lock.read(None), Err(Error::WouldDeadlock { .. })));
    assert!(lock.try_read()?.is_none() && lock.try_write()?.is_none());
    drop(writer);
    assert!(lock.try_write()?.is_some());
    Ok(())
}

#[test]
fn what_nobody_has_cannot_be_given_back() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    assert!(matches!(lock.release_read(), Err(Error::NotOwner { .. })));
    assert!(matches!(lock.release_write(), Err(Error::NotOwner { .. })));
    lock.acquire_read(None)?;
    assert!(matches!(lock.release_write(), Err(Error::NotOwner { .. })));
    // Any thread of the process may.
    thread::scope(|scope| scope.spawn(|| lock.release_read()).join().expect("it does not panic"))?;
    lock.acquire_write(None)?;
    assert!(matches!(lock.release_read(), Err(Error::NotOwner { .. })));
    let by_another = thread::scope(|scope| scope.spawn(|| lock.release_write()).join());
    assert!(matches!(by_another.expect("it does not panic"), Err(Error::NotOwner { .. })));
    lock.release_write()?;
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    Ok(())
}

#[test]
fn a_waiting_writer_keeps_new_readers_out_and_gets_its_turn() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    let reader = lock.read(None)?;
    let writer = Role::start("waiting writer", scratch.path(), &[]);
    writer.expect("waits");
    let is_claimed = || lock.state().lock.holder.is_some_and(|holder| holder.participant.pid == writer.pid());
    await_that(is_claimed, "writer");
    await_that(|| !lock.state().lock.waiters.is_empty(), "waiting writer");
    assert!(lock.try_read()?.is_none(), "a new reader before the writer");
    drop(reader);
    writer.expect("inside");
    assert!(lock.try_read()?.is_none());
    Ok(())
}

#[test]
fn readers_see_whole_changes() -> Result<()> {
    const ROUNDS: u64 = 3_000;
    let scratch = Scratch::new();
    let space = scratch.space();
    let lock = RwLock::create(&space, ID)?;
    let (one, other) = (Value::create(&space, "one", 0_u64)?, Value::create(&space, "other", 0_u64)?);
    let write = || -> Result<()> {
        (0..ROUNDS).try_for_each(|_| {
            let _guard = lock.write(Some(DEADLINE))?;
            one.store(one.load() + 1);
            other.store(other.load() + 1);
            Ok(())
        })
    };
    let read = || -> Result<()> {
        (0..ROUNDS).try_for_each(|_| {
            let _guard = lock.read(Some(DEADLINE))?;
            assert_eq!(one.load(), other.load());
            Ok(())
        })
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(write), scope.spawn(write), scope.spawn(read), scope.spawn(read)];
        threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
    })?;
    assert_eq!((one.load(), other.load()), (2 * ROUNDS, 2 * ROUNDS));
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    Ok(())
}

#[test]
fn a_dead_reader_is_not_waited_for() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    let mut reader = start(&scratch, "reader");
    assert!(lock.try_write()?.is_none());
    thread::scope(|scope| {
        let writer = scope.spawn(|| lock.write(Some(DEADLINE)).map(|guard| guard.owner_died()));
        await_that(|| !lock.state().lock.waiters.is_empty(), "waiting writer");
        reader.kill_and_wait();
        assert!(!writer.join().expect("it does not panic")?, "a reader leaves nothing half-done");
        Result::Ok(())
    })?;
    assert!(is_free(&lock.state()) && !lock.is_inconsistent());
    // Nor is one whose death is news.
    start(&scratch, "reader").kill_and_wait();
    assert!(lock.try_write()?.is_some());
    assert_eq!(lock.state().lock.recoveries, 0);
    Ok(())
}

#[test]
fn a_dead_writer_is_told_of_once_to_a_writer() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    start(&scratch, "writer").kill_and_wait();
    let guard = lock.write(None)?;
    assert!(guard.owner_died() && guard.is_inconsistent());
    drop(guard);
    assert!(lock.is_inconsistent());
    let guard = lock.write(None)?;
    assert!(!guard.owner_died() && guard.is_inconsistent());
    guard.make_consistent();
    drop(guard);
    assert!(!lock.is_inconsistent());
    assert_eq!(lock.state().lock.recoveries, 1);
    Ok(())
}

#[test]
fn a_dead_writer_is_told_of_once_to_a_reader() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    let mut writer = start(&scratch, "writer");
    thread::scope(|scope| {
        let read = || lock.read(Some(DEADLINE)).map(|guard| (guard.owner_died(), guard.is_inconsistent()));
        let readers = [scope.spawn(read), scope.spawn(read)];
        await_that(|| !lock.state().lock.waiters.is_empty(), "waiting reader");
        writer.kill_and_wait();
        let told = readers.map(|reader| reader.join().expect("it does not panic"));
        let [one, other] = told;
        let ((one, one_marked), (other, other_marked)) = (one?, other?);
        assert!(one != other && one_marked && other_marked, "a death is told once, and marked for all");
        Result::Ok(())
    })?;
    assert_eq!(lock.state().lock.recoveries, 1);
    assert!(is_free(&lock.state()), "{:?}", lock.state());
    Ok(())
}

#[test]
fn a_writer_that_dies_waiting_has_changed_nothing() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    let reader = lock.read(None)?;
    let mut writer = Role::start("waiting writer", scratch.path(), &[]);
    await_that(|| lock.state().lock.holder.is_some(), "waiting writer");
    writer.kill_and_wait();
    let another = lock.try_read()?.expect("a dead writer keeps nobody out");
    assert!(!another.owner_died() && !another.is_inconsistent());
    drop((reader, another));
    let writer = lock.write(None)?;
    assert!(!writer.owner_died() && !writer.is_inconsistent());
    assert_eq!(lock.state().lock.recoveries, 0);
    Ok(())
}

#[test]
fn abandoned_or_panicked_in_it_is_told_to_the_next_writer() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    lock.write(None)?.abandon();
    let reader = lock.read(None)?;
    assert!(reader.is_inconsistent());
    drop(reader);
    let guard = lock.write(None)?;
    assert!(guard.owner_died());
    guard.make_consistent();
    drop(guard);
    let panics = || {
        let _guard = lock.write(None).expect("it is free");
        panic!("on purpose");
    };
    thread::scope(|scope| scope.spawn(panics).join()).expect_err("it panics");
    assert!(lock.write(None)?.owner_died());
    Ok(())
}

#[test]
fn without_a_guard_it_is_abandoned_and_made_consistent() -> Result<()> {
    let scratch = Scratch::new();
    let lock = RwLock::create(&scratch.space(), ID)?;
    assert!(matches!(lock.abandon_write(), Err(Error::NotOwner { .. })));
    assert!(matches!(lock.make_consistent(), Err(Error::NotOwner { .. })));
    lock.acquire_write(None)?;
    lock.abandon_write()?;
    assert_eq!(lock.acquire_write(None)?, OwnerDied(true));
    lock.make_consistent()?;
    lock.release_write()?;
    assert_eq!(lock.acquire_write(None)?, OwnerDied(false));
    lock.release_write()
}
