//! What the living see of the dead: soon, exactly, and without harm. Every death here is a real process
//! killed.
#![allow(unsafe_code)] // One role closes all its descriptors at once, for which there is no safe call.

mod random;
mod role;
mod scratch;
mod sealed;

use memlane::frames::{Frame, OnPublisherDeath};
use memlane::participant::ProcessState;
use memlane::{Error, FramePublisher, FrameSpec, FrameSubscriber, Lock, Participant, Region, Result, Space};
use role::{DEADLINE, Part, Role, listen, say};
use rustix::process::{Signal, WaitIdOptions};
use scratch::Scratch;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

const LOCK: &str = "robot/arm";
const CHANNEL: &str = "camera/front";

/// Bytes of a frame.
const FRAME: usize = 16 * 1024;

/// A waiter knows of the death of a small process within this time, as documented.
const PROMPT: Duration = Duration::from_millis(100);
/// The machine may be busy with something else for that long now and then.
const PATIENCE: Duration = Duration::from_secs(1);
const ROUNDS: usize = 50;
/// How many of the rounds the machine may spoil.
const SPOILT: usize = 2;

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let played = match part.role.as_str() {
            "holder" => hold(&space),
            "publisher" => publish(&space),
            "subscriber" => subscribe(&space),
            "closer" => close_everything(&space),
            "reopener" => close_and_reopen(&space),
            "executor" => execute(&space, part),
            "sleeper" => sleep(),
            other => panic!("there is no role {other}"),
        };
        played.expect("the role can be played");
    });
}

/// Holds the lock until told otherwise, or killed.
fn hold(space: &Space) -> Result<()> {
    let lock = Lock::open_or_create(space, LOCK)?;
    let guard = lock.lock()?;
    say(if guard.owner_died() { "held, after a death" } else { "held" });
    listen();
    guard.make_consistent();
    drop(guard);
    say("released");
    listen();
    Ok(())
}

/// Becomes the publisher, sooner or later; publishes as many frames as it is told, again and again.
fn publish(space: &Space) -> Result<()> {
    let mut publisher = FramePublisher::open_or_create_within(space, CHANNEL, &spec(), DEADLINE)?;
    say("publisher");
    while let Some(count) = listen() {
        for _ in 0..count.parse::<u64>().expect("the parent tells a number") {
            publish_next(&mut publisher)?;
        }
        say("published");
    }
    Ok(())
}

/// Says the number of the first frame it sees.
fn subscribe(space: &Space) -> Result<()> {
    let subscriber = FrameSubscriber::open_with(space, CHANNEL, 1)?;
    say("attached");
    say(&subscriber.next(Some(DEADLINE))?.sequence().to_string());
    listen();
    Ok(())
}

/// Holds the lock and closes every descriptor, as programs do that become daemons.
fn close_everything(space: &Space) -> Result<()> {
    let lock = Lock::open_or_create(space, LOCK)?;
    let _guard = lock.lock()?;
    close_all_descriptors();
    say("closed");
    listen();
    panic!("the parent kills this process");
}

/// Attaches to the lock, closes every descriptor, opens others under their numbers, and asks for the lock.
fn close_and_reopen(space: &Space) -> Result<()> {
    let lock = Lock::open_or_create(space, LOCK)?;
    close_all_descriptors();
    let _others = [(); 8].map(|()| std::fs::File::open("/proc/self/exe").expect("it is there"));
    let outcome = lock.lock_timeout(PROMPT).map(|guard| guard.owner_died());
    say(if matches!(outcome, Err(Error::LockTimeout { .. })) { "refused" } else { "taken from the living" });
    listen();
    panic!("the parent kills this process");
}

fn close_all_descriptors() {
    // SAFETY: of the descriptors closed here none is closed again: this process is killed before anything is dropped.
    let outcome = unsafe { libc::close_range(3, u32::MAX, 0) };
    assert_eq!(outcome, 0, "close_range: {}", std::io::Error::last_os_error());
}

/// Holds the lock and becomes another program.
fn execute(space: &Space, part: &Part) -> Result<()> {
    let lock = Lock::open_or_create(space, LOCK)?;
    let _guard = lock.lock()?;
    say("held");
    listen();
    panic!("exec: {}", role::command("sleeper", &part.directory, &[]).exec());
}

#[allow(clippy::unnecessary_wraps)] // As the other roles.
fn sleep() -> Result<()> {
    say("executed");
    listen();
    Ok(())
}

fn spec() -> FrameSpec {
    FrameSpec::bytes(FRAME).history(4).borrows(8)
}

fn publish_next(publisher: &mut FramePublisher) -> Result<u64> {
    let mut loan = publisher.loan()?;
    let number = loan.sequence();
    sealed::seal(&mut loan, number);
    Ok(loan.publish())
}

#[test]
fn a_waiter_knows_of_its_lock_owners_death_at_once() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::open_or_create(&scratch.space(), LOCK)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let mut holder = Role::start("holder", scratch.path(), &[]);
        holder.expect("held");
        let (killed, (knew, owner_died)) = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let guard = lock.lock().expect("the owner dies");
                guard.make_consistent();
                (Instant::now(), guard.owner_died())
            });
            await_that(|| !lock.state().waiters.is_empty(), "a waiter");
            (holder.kill(), waiter.join().expect("the waiter does not panic"))
        });
        assert!(owner_died);
        times.push(knew - killed);
    }
    assert_eq!(lock.state().recoveries, ROUNDS as u32);
    assert_prompt(times);
    Ok(())
}

#[test]
fn a_waiter_knows_of_its_publishers_death_at_once() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut times = Vec::new();
    for round in 1..=ROUNDS as u64 {
        let mut publisher = Role::start("publisher", scratch.path(), &[]);
        publisher.expect("publisher");
        let subscriber = FrameSubscriber::open(&space, CHANNEL)?.on_publisher_death(OnPublisherDeath::Report);
        publisher.tell("1");
        assert_eq!(subscriber.next(Some(DEADLINE))?.sequence(), round);
        let killed = publisher.kill();
        let error = subscriber.next(Some(DEADLINE)).expect_err("there is no further frame");
        times.push(killed.elapsed());
        let expected = format!("(pid {})", publisher.pid());
        assert!(
            matches!(&error, Error::PublisherDied { publisher, .. } if publisher.contains(&expected)),
            "{error}"
        );
    }
    assert_prompt(times);
    Ok(())
}

fn assert_prompt(mut times: Vec<Duration>) {
    times.sort_unstable();
    let (usual, worst) = (times[times.len() - 1 - SPOILT], times[times.len() - 1]);
    println!("known after {:.1?} at best, {usual:.1?} usually, {worst:.1?} at worst", times[0]);
    assert!(usual <= PROMPT && worst <= PATIENCE, "{times:?}");
}

#[test]
fn a_held_frame_outlives_its_publisher_unchanged() -> Result<()> {
    const FURTHER: u64 = 10_000;
    let scratch = Scratch::new();
    let mut first = Role::start("publisher", scratch.path(), &[]);
    first.expect("publisher");
    let subscriber = FrameSubscriber::open_with(&scratch.space(), CHANNEL, 3)?;
    first.tell("3");
    let held = [1, 2, 3].map(|_| subscriber.next(Some(DEADLINE)).expect("three frames"));
    first.kill_and_wait();

    let mut second = Role::start("publisher", scratch.path(), &[]);
    second.expect("publisher");
    second.tell(&FURTHER.to_string());
    let mut looks = 0;
    while second.hear_within(Duration::ZERO).is_none() {
        assert_eq!(held.each_ref().map(numbered), [1, 2, 3]);
        looks += 1;
    }
    assert!(looks > 10, "the frames were looked at {looks} times only");
    assert_eq!(held.each_ref().map(numbered), [1, 2, 3]);
    drop(held);
    let newest = subscriber.latest()?.expect("frames were published");
    assert_eq!((newest.sequence(), numbered(&newest)), (3 + FURTHER, 3 + FURTHER));
    Ok(())
}

/// The number of a frame that is whole.
fn numbered(frame: &Frame<'_>) -> u64 {
    let number = sealed::unseal(frame).expect("a held frame does not change");
    assert_eq!(number, frame.sequence());
    number
}

#[test]
fn a_holder_that_restarts_into_its_own_slot_gets_the_lock_and_is_told() -> Result<()> {
    let scratch = Scratch::new();
    let mut first = Role::start("holder", scratch.path(), &[]);
    first.expect("held");
    let region = Region::open(&scratch.space(), LOCK)?;
    let died = participant(&region, first.pid());
    first.kill_and_wait();

    let mut second = Role::start("holder", scratch.path(), &[]);
    second.expect("held, after a death");
    let reborn = participant(&region, second.pid());
    assert_eq!((reborn.slot, reborn.generation), (died.slot, died.generation + 1));
    second.tell("release");
    second.expect("released");
    assert!(!region.lock().lock()?.is_inconsistent());
    Ok(())
}

#[test]
fn whoever_subscribes_before_the_first_frame_sees_it() -> Result<()> {
    const SUBSCRIBERS: usize = 1000;
    const THREADS: usize = 8;
    let scratch = Scratch::new();
    let space = scratch.space();
    let spec = FrameSpec::bytes(64).borrows(SUBSCRIBERS as u32);
    drop(FramePublisher::create(&space, CHANNEL, &spec)?);
    let some = || (0..SUBSCRIBERS / THREADS).map(|_| FrameSubscriber::open_with(&space, CHANNEL, 1));
    let subscribers: Vec<Vec<_>> =
        (0..THREADS).map(|_| some().collect::<Result<_>>()).collect::<Result<_>>()?;
    std::thread::scope(|scope| {
        for some in subscribers {
            scope.spawn(move || {
                for subscriber in some {
                    assert_eq!(subscriber.next(Some(DEADLINE)).expect("the first frame").sequence(), 1);
                    assert_eq!(subscriber.missed(), 0);
                }
            });
        }
        let mut publisher = FramePublisher::open(&space, CHANNEL).expect("nobody else publishes");
        publish_next(&mut publisher).expect("a slot is free");
    });
    Ok(())
}

#[test]
fn processes_that_subscribe_before_the_publisher_starts_see_its_first_frame() -> Result<()> {
    const SUBSCRIBERS: usize = 50;
    let scratch = Scratch::new();
    let spec = FrameSpec::bytes(FRAME).borrows(SUBSCRIBERS as u32);
    drop(FramePublisher::create(&scratch.space(), CHANNEL, &spec)?);
    let subscribers: Vec<_> =
        (0..SUBSCRIBERS).map(|_| Role::start("subscriber", scratch.path(), &[])).collect();
    for subscriber in &subscribers {
        subscriber.expect("attached");
    }
    let mut publisher = FramePublisher::open(&scratch.space(), CHANNEL)?;
    publish_next(&mut publisher)?;
    for subscriber in &subscribers {
        subscriber.expect("1");
    }
    Ok(())
}

#[test]
fn a_second_publisher_is_refused_by_name_and_takes_over_after_death() -> Result<()> {
    let scratch = Scratch::new();
    let space = scratch.space();
    let mut first = Role::start("publisher", scratch.path(), &[]);
    first.expect("publisher");
    let error = FramePublisher::open_or_create(&space, CHANNEL, &spec()).expect_err("somebody publishes");
    let region = Region::open(&space, CHANNEL)?;
    let expected = participant(&region, first.pid()).who();
    assert!(matches!(&error, Error::PublisherExists { publisher, .. } if *publisher == expected), "{error}");
    assert!(expected.starts_with("death-"), "{expected}");

    let stand_by = Role::start("publisher", scratch.path(), &[]);
    await_that(|| alive(&region).len() == 3, "a stand-by that waits");
    assert_eq!(stand_by.hear_within(Duration::ZERO), None);
    first.kill();
    stand_by.expect("publisher");
    Ok(())
}

#[test]
fn a_zombie_holds_nothing() -> Result<()> {
    let scratch = Scratch::new();
    let mut holder = Role::start("holder", scratch.path(), &[]);
    holder.expect("held");
    let lock = Lock::open(&scratch.space(), LOCK)?;
    holder.kill();
    holder.await_state(WaitIdOptions::EXITED);
    let zombie = participant(lock.region(), holder.pid());
    assert_eq!((zombie.alive, zombie.process_state()), (false, ProcessState::Zombie));
    assert!(lock.lock_timeout(PATIENCE)?.owner_died());
    Ok(())
}

#[test]
fn a_stopped_holder_keeps_what_it_holds() -> Result<()> {
    let scratch = Scratch::new();
    let mut holder = Role::start("holder", scratch.path(), &[]);
    holder.expect("held");
    let lock = Lock::open(&scratch.space(), LOCK)?;
    holder.signal(Signal::STOP);
    holder.await_state(WaitIdOptions::STOPPED);
    let stopped = participant(lock.region(), holder.pid());
    assert_eq!((stopped.alive, stopped.process_state()), (true, ProcessState::Stopped));
    let error = lock.lock_timeout(PROMPT).expect_err("it is held");
    let named = format!("{}, thread ", stopped.who());
    assert!(matches!(&error, Error::LockTimeout { holder, .. } if holder.starts_with(&named)), "{error}");

    holder.tell("release");
    holder.signal(Signal::CONT);
    holder.expect("released");
    assert!(!lock.lock()?.owner_died());
    Ok(())
}

#[test]
fn closing_all_descriptors_does_not_end_a_presence() -> Result<()> {
    let scratch = Scratch::new();
    let mut closer = Role::start("closer", scratch.path(), &[]);
    closer.expect("closed");
    let lock = Lock::open(&scratch.space(), LOCK)?;
    assert!(participant(lock.region(), closer.pid()).alive);
    assert!(matches!(lock.lock_timeout(PROMPT), Err(Error::LockTimeout { .. })));
    closer.kill();
    assert!(lock.lock_timeout(PATIENCE)?.owner_died());
    Ok(())
}

#[test]
fn whoever_has_lost_his_descriptors_takes_nobody_for_dead() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::open_or_create(&scratch.space(), LOCK)?;
    let _guard = lock.lock()?;
    let reopener = Role::start("reopener", scratch.path(), &[]);
    reopener.expect("refused");
    Ok(())
}

#[test]
fn becoming_another_program_ends_a_presence() -> Result<()> {
    let scratch = Scratch::new();
    let mut executor = Role::start("executor", scratch.path(), &[]);
    executor.expect("held");
    let lock = Lock::open(&scratch.space(), LOCK)?;
    assert!(participant(lock.region(), executor.pid()).alive);
    executor.tell("execute");
    executor.expect("executed");
    assert!(!participant(lock.region(), executor.pid()).alive);
    assert!(lock.lock_timeout(PATIENCE)?.owner_died());
    assert!(executor.finish().success());
    Ok(())
}

fn participant(region: &Region, pid: u32) -> Participant {
    let found = region.participants().into_iter().find(|participant| participant.pid == pid);
    found.unwrap_or_else(|| panic!("process {pid} is not among {:?}", region.participants()))
}

fn alive(region: &Region) -> Vec<Participant> {
    region.participants().into_iter().filter(|participant| participant.alive).collect()
}

/// Looks until something is so.
fn await_that(mut is_so: impl FnMut() -> bool, what: &str) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "waited {DEADLINE:?} for {what}");
        std::thread::yield_now();
    }
}
