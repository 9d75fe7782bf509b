//! Forked children: participants of their own, who can do nothing in their parent's name.
//!
//! Every scenario plays in a process of its own with one thread that matters, because a child of `fork` has
//! only the thread that forked.
#![allow(unsafe_code)] // fork has no safe face.

mod role;
mod scratch;

use memlane::frames::Loan;
use memlane::{
    Error, FramePublisher, FrameSpec, FrameSubscriber, Lock, Participant, Queue, QueueSpec, Region, Result,
    Space, Value,
};
use role::{DEADLINE, Role, listen, say};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use scratch::Scratch;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const LOCK: &str = "robot/arm";
const CHANNEL: &str = "camera/front";
const STAGE: &str = "stage";

/// Shorter than what the test waits for its actor.
const CHILD_DEADLINE: Duration = Duration::from_secs(20);
/// Longer than a waiter sleeps before it looks for a dead owner.
const PATIENCE: Duration = Duration::from_secs(1);

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let played = match part.role.as_str() {
            "lazy" => become_a_participant_lazily(&space),
            "survived" => leave_a_child_behind(&space),
            "dropper" => let_a_child_drop_everything(&space),
            "impostor" => let_a_child_use_everything(&space),
            "courier" => let_a_child_have_copies_of_messages(&space),
            "busy" => {
                fork_while_others_attach(&part.directory);
                Ok(())
            }
            other => panic!("there is no role {other}"),
        };
        played.expect("the role can be played");
        say("done");
    });
}

#[test]
fn a_child_becomes_a_participant_when_it_needs_to_be_one() {
    perform("lazy");
}

fn become_a_participant_lazily(space: &Space) -> Result<()> {
    let lock = Lock::open_or_create(space, LOCK)?;
    let stage = Value::<u64>::open_or_create(space, STAGE, 0)?;
    let child = fork(|| {
        assert_eq!(lock.region().participants().len(), 1, "asking is no participation");
        let _guard = lock.lock().expect("it is free");
        stage.store(1);
        await_stage(&stage, 2);
    });
    await_stage(&stage, 1);
    let [parent, forked] = lock.region().participants().try_into().expect("parent and child");
    let pids = [parent.pid, forked.pid].map(|pid| pid as i32);
    assert_eq!(pids, [std::process::id() as i32, child.0.as_raw_pid()]);
    assert!(parent.alive && forked.alive && parent.slot != forked.slot && parent.process != forked.process);
    let holder = lock.state().holder.expect("the child holds it");
    assert_eq!((holder.participant.slot, holder.depth), (forked.slot, 1));
    assert!(matches!(lock.release(), Err(Error::NotOwner { .. })));
    stage.store(2);
    child.expect_success();
    assert!(!lock.lock()?.owner_died());
    Ok(())
}

#[test]
fn a_parents_presence_ends_with_it_although_its_child_lives() -> Result<()> {
    let scratch = Scratch::new();
    let mut parent = Role::start("survived", scratch.path(), &[]);
    let child: u32 = parent.hear().parse().expect("it says the pid of its child");
    let lock = Lock::open(&scratch.space(), LOCK)?;
    assert_eq!(lock.state().holder.expect("the parent holds it").participant.pid, parent.pid());
    parent.kill_and_wait();
    assert!(lock.lock_timeout(PATIENCE)?.owner_died());
    FramePublisher::open(&scratch.space(), CHANNEL)?.loan()?.publish();
    let state = |pid| std::fs::read_to_string(format!("/proc/{pid}/comm"));
    assert!(state(child).is_ok(), "the child is to outlive its parent");
    Ok(())
}

fn leave_a_child_behind(space: &Space) -> Result<()> {
    let lock = Lock::open_or_create(space, LOCK)?;
    let _guard = lock.lock()?;
    let _publisher = FramePublisher::open_or_create(space, CHANNEL, &FrameSpec::bytes(64))?;
    let child = fork(|| {
        // Until the test closes its end, or ends itself.
        let _ = std::io::stdin().lock().read(&mut [0]);
    });
    say(&child.0.to_string());
    listen();
    Ok(())
}

#[test]
fn what_a_child_drops_stays_its_parents() {
    perform("dropper");
}

fn let_a_child_drop_everything(space: &Space) -> Result<()> {
    let lock = Lock::open_or_create(space, LOCK)?;
    let spec = FrameSpec::bytes(64).history(1).borrows(2);
    let mut publisher = FramePublisher::open_or_create(space, CHANNEL, &spec)?;
    let subscriber = FrameSubscriber::open_with(space, CHANNEL, 2)?;
    publish(&mut publisher, 7)?;
    let mut belongings = Some((lock.lock()?, subscriber.next(None)?));
    fork(|| belongings = None).expect_success();
    let (guard, frame) = belongings.as_ref().expect("the child dropped a copy");
    assert_eq!(lock.state().holder.expect("this process").participant.pid, std::process::id());
    assert!(!guard.owner_died());
    for number in 8..100 {
        publish(&mut publisher, number)?;
    }
    assert_eq!(frame[..], [7; 64], "a borrow was given back by a child");
    drop(belongings);

    let mut ends = Some((publisher, subscriber));
    fork(|| ends = None).expect_success();
    assert!(matches!(FramePublisher::open(space, CHANNEL), Err(Error::PublisherExists { .. })));
    let exhausted = FrameSubscriber::open_with(space, CHANNEL, 1);
    assert!(matches!(exhausted, Err(Error::SubscribersExhausted { .. })), "{exhausted:?}");
    let mut regions = Some(lock);
    fork(|| regions = None).expect_success();
    assert_eq!(alive(&Region::open(space, LOCK)?).len(), 1);
    Ok(())
}

#[test]
fn a_child_can_neither_publish_nor_subscribe_nor_lock_in_its_parents_name() {
    perform("impostor");
}

fn let_a_child_use_everything(space: &Space) -> Result<()> {
    let lock = Lock::open_or_create(space, LOCK)?;
    let mut publisher = FramePublisher::open_or_create(space, CHANNEL, &FrameSpec::bytes(64))?;
    let subscriber = FrameSubscriber::open(space, CHANNEL)?;
    publish(&mut publisher, 7)?;
    let guard = lock.lock()?;
    fork(|| {
        assert!(matches!(publisher.loan(), Err(Error::Forked { .. })));
        assert!(matches!(subscriber.next(None), Err(Error::Forked { .. })));
        assert!(matches!(subscriber.latest(), Err(Error::Forked { .. })));
        assert!(matches!(lock.release(), Err(Error::NotOwner { .. })));
        assert!(matches!(lock.make_consistent(), Err(Error::NotOwner { .. })));
        assert!(matches!(lock.lock_timeout(Duration::from_millis(50)), Err(Error::LockTimeout { .. })));
        assert!(matches!(FramePublisher::open(space, CHANNEL), Err(Error::PublisherExists { .. })));
        let own = FrameSubscriber::open(space, CHANNEL).expect("entries are left").history(1);
        assert_eq!(own.next(Some(DEADLINE)).expect("the parent's frame")[..], [7; 64]);
    })
    .expect_success();
    drop(guard);
    let loan = publisher.loan()?;
    let mut forked = Some(loan);
    fork(|| assert_eq!(forked.take().map(Loan::publish), Some(0))).expect_success();
    assert_eq!(subscriber.latest()?.expect("one was published").sequence(), 1, "a child published a loan");
    assert_eq!(forked.take().map(Loan::publish), Some(2));
    assert_eq!(subscriber.latest()?.expect("two were published").sequence(), 2);
    Ok(())
}

#[test]
fn a_child_can_neither_put_nor_take_nor_acknowledge_in_its_parents_name() {
    perform("courier");
}

fn let_a_child_have_copies_of_messages(space: &Space) -> Result<()> {
    let plain = Queue::create(space, "plain", &QueueSpec::bytes(64))?;
    let leased = Queue::create(space, "leased", &QueueSpec::bytes(64).acknowledged())?;
    plain.put(b"first", None)?;
    leased.put(b"job", None)?;
    let mut belongings = Some((plain.reserve(6, None)?, plain.read(None)?, leased.lease(None)?));
    fork(|| belongings = None).expect_success();
    fork(|| {
        let (reserved, reading, lease) = belongings.take().expect("the parent has them");
        assert!(matches!(reserved.commit(), Err(Error::Forked { .. })));
        assert!(matches!(lease.acknowledge(), Err(Error::Forked { .. })));
        reading.done();
        let moment = Some(Duration::from_millis(50));
        assert!(matches!(plain.put(b"", moment), Err(Error::LockTimeout { .. })));
        assert!(matches!(plain.get(moment), Err(Error::LockTimeout { .. })));
        assert!(leased.try_lease().expect("it is the parent's").is_none());
    })
    .expect_success();
    let (mut reserved, reading, lease) = belongings.take().expect("the child had copies");
    assert_eq!((plain.len(), leased.len(), leased.state().leases.len()), (1, 1, 1));
    reserved.copy_from_slice(b"second");
    reserved.commit()?;
    reading.done();
    lease.acknowledge()?;
    assert_eq!((plain.get(None)?.bytes, leased.len()), (b"second".to_vec(), 0));
    // A child takes as the participant that it is.
    plain.put(b"third", None)?;
    fork(|| assert_eq!(plain.get(None).expect("a message").bytes, b"third")).expect_success();
    assert!(plain.is_empty());
    Ok(())
}

#[test]
fn forks_while_others_attach_and_detach_end_in_working_children() {
    perform("busy");
}

fn fork_while_others_attach(directory: &Path) {
    const FORKS: usize = 200;
    const THREADS: usize = 4;
    let over = AtomicBool::new(false);
    let rounds = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let _last = SetWhenDropped(&over);
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let round = rounds.fetch_add(1, Ordering::Relaxed);
                    attach_and_detach(directory, "common").expect("attaching works");
                    // What a process does when it meets a space for the first time is done in every round.
                    let fresh = directory.join(format!("space-{round}"));
                    attach_and_detach(&fresh, "own").expect("attaching works");
                }
            });
        }
        for number in 0..FORKS {
            let child = fork(|| {
                attach_and_detach(directory, "common").expect("attaching works in a child");
                let fresh = directory.join(format!("space-of-child-{number}"));
                attach_and_detach(&fresh, "own").expect("attaching works in a child");
            });
            child.expect_success();
        }
    });
    let rounds = rounds.into_inner();
    assert!(rounds > FORKS as u64, "the threads came round {rounds} times only");
}

/// Ends the other threads also when this one panics.
struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn attach_and_detach(directory: &Path, id: &str) -> Result<()> {
    let space = Space::at(directory)?;
    let value = Value::<u64>::open_or_create(&space, id, 0)?;
    let lock = value.region().lock();
    let _guard = lock.lock()?;
    value.add(1);
    Ok(())
}

/// Plays a scenario in a process of its own.
fn perform(scenario: &str) {
    let scratch = Scratch::new();
    let actor = Role::start(scenario, scratch.path(), &[]);
    assert_eq!(actor.hear_or_end().as_deref(), Some("done"), "{scenario} failed, see above");
    assert!(actor.finish().success());
}

/// A forked child; [`Forked::expect_success`] waits for it.
struct Forked(Pid);

/// Runs `work` in a forked child.
fn fork(work: impl FnOnce()) -> Forked {
    // SAFETY: the child uses the C library's allocator, which survives a fork, this crate's subject, and no
    // lock of another thread; it ends by `_exit`, so nothing of its parent's is run again.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let outcome = catch_unwind(AssertUnwindSafe(work));
        // SAFETY: ends the process without running anything of its parent's.
        unsafe { libc::_exit(i32::from(outcome.is_err())) };
    }
    Forked(Pid::from_raw(pid).expect("a fork gives a pid"))
}

impl Forked {
    fn expect_success(self) {
        let (sender, receiver) = mpsc::channel();
        let pid = self.0;
        std::thread::spawn(move || sender.send(rustix::process::waitpid(Some(pid), WaitOptions::empty())));
        let waited = receiver.recv_timeout(CHILD_DEADLINE).unwrap_or_else(|_| {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            panic!("the child did not end within {CHILD_DEADLINE:?}");
        });
        let (_, status): (Pid, WaitStatus) = waited.expect("it is a child").expect("it has ended");
        assert_eq!(status.exit_status(), Some(0), "the child failed, see above");
    }
}

fn publish(publisher: &mut FramePublisher, number: u8) -> Result<()> {
    let mut loan = publisher.loan()?;
    loan.fill(number);
    loan.publish();
    Ok(())
}

fn alive(region: &Region) -> Vec<Participant> {
    region.participants().into_iter().filter(|participant| participant.alive).collect()
}

fn await_stage(stage: &Value<u64>, expected: u64) {
    let start = Instant::now();
    let mut seen = stage.read();
    while seen.value != expected {
        assert!(start.elapsed() < DEADLINE, "stage {expected} did not come");
        seen = stage.wait_newer(&seen, Some(DEADLINE)).expect("the next stage");
    }
}
