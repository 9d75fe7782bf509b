//! Two processes with the same process and thread ids, in two PID namespaces, share a lock and a frame
//! channel.
//!
//! Whatever takes a pid or a thread id for an identity gets two owners here, or a deadlock that is none. The
//! ids are made equal by starting each process as the first of a namespace of its own; where that is not
//! allowed, the tests are left out, and say so.
#![allow(unsafe_code)] // Namespaces are left between fork and exec.

mod left_out;
mod role;
mod scratch;

use left_out::leave_out;
use memlane::{Array, Error, FramePublisher, FrameSpec, FrameSubscriber, Lock, Result, Space};
use role::{DEADLINE, MARK, Role, listen, say};
use rustix::process::{Pid, Signal};
use rustix::thread::UnshareFlags;
use scratch::Scratch;
use std::os::unix::process::CommandExt;
use std::time::Duration;

const LOCK: &str = "robot/arm";
const PAIR: &str = "robot/joints";
const CHANNEL: &str = "camera/front";

const ROUNDS: usize = 10;
/// Changes that each of two processes makes while the other makes its own.
const CHANGES: u64 = 20_000;
/// Longer than a waiter sleeps before it looks for a dead owner.
const PATIENCE: Duration = Duration::from_secs(1);
/// Too short to be taken over from a living owner.
const GLANCE: Duration = Duration::from_millis(60);

#[test]
fn role() {
    role::play(|part| {
        let space = Space::at(&part.directory).expect("the parent made the space");
        let played = match part.role.as_str() {
            "holder" => hold(&space),
            "changer" => change(&space),
            "publisher" => publish(&space),
            other => panic!("there is no role {other}"),
        };
        played.expect("the role can be played");
    });
}

/// Takes and gives back the lock, as told.
fn hold(space: &Space) -> Result<()> {
    let lock = Lock::open_or_create(space, LOCK)?;
    introduce();
    let mut guard = None;
    while let Some(order) = listen() {
        match order.as_str() {
            "take" => {
                let taken = lock.lock_timeout(DEADLINE)?;
                let owner_died = taken.owner_died();
                taken.make_consistent();
                guard = Some(taken);
                say(if owner_died { "taken from the dead" } else { "taken" });
            }
            "glance" => say(&match lock.lock_timeout(GLANCE) {
                Ok(_) => "free".to_owned(),
                Err(Error::LockTimeout { holder, .. }) => holder,
                Err(error) => error.to_string(),
            }),
            "release" => {
                drop(guard.take());
                say("released");
            }
            other => panic!("there is no order {other}"),
        }
    }
    Ok(())
}

/// Changes two elements under their lock, as one.
fn change(space: &Space) -> Result<()> {
    let pair = Array::<u64>::open_or_create(space, PAIR, &[2])?;
    introduce();
    listen();
    for _ in 0..CHANGES {
        let guard = pair.lock()?;
        let seen = guard.read(0, 2)?;
        assert_eq!(seen[0], seen[1], "two owners at once");
        guard.write(0, &[seen[0] + 1])?;
        guard.write(1, &[seen[0] + 1])?;
    }
    say("changed");
    listen();
    Ok(())
}

/// Publishes frames that carry their own number, as many as told.
fn publish(space: &Space) -> Result<()> {
    introduce();
    let mut publisher =
        FramePublisher::open_or_create_within(space, CHANNEL, &FrameSpec::bytes(8), DEADLINE)?;
    say("publisher");
    while listen().is_some() {
        let mut loan = publisher.loan()?;
        let number = loan.sequence();
        loan.copy_from_slice(&number.to_le_bytes());
        loan.publish();
        say(&number.to_string());
    }
    Ok(())
}

fn introduce() {
    say(&format!("I am {}, thread {}", std::process::id(), rustix::thread::gettid()));
}

/// The first process of a PID namespace.
struct Stranger {
    role: Role,
    /// What this namespace calls it.
    pid: Pid,
    introduction: String,
}

impl Stranger {
    /// `None` where namespaces are not allowed.
    fn start(role: &str, scratch: &Scratch) -> Option<Self> {
        let mut command = role::command(role, scratch.path(), &[]);
        // SAFETY: what runs between fork and exec takes no lock of another thread: system calls, and an
        // allocation, which the C library keeps usable across a fork.
        unsafe { command.pre_exec(become_first_of_a_namespace) };
        let stranger = match Role::try_start(role, command) {
            Ok(stranger) => stranger,
            Err(error) => {
                let why = format!("{error}; run the tests as root, or allow user namespaces");
                leave_out("processes in two PID namespaces", &why);
                return None;
            }
        };
        // Two processes tell these, in any order; a number sorts before a word.
        let mut told = [stranger.hear(), stranger.hear()];
        told.sort_unstable();
        let [pid, introduction] = told;
        let pid = pid.parse().ok().and_then(Pid::from_raw).expect("a pid");
        Some(Self { role: stranger, pid, introduction })
    }

    fn two(role: &str, scratch: &Scratch) -> Option<[Self; 2]> {
        let both = [Self::start(role, scratch)?, Self::start(role, scratch)?];
        assert!(both[0].introduction.starts_with("I am 1, "), "{}", both[0].introduction);
        assert_eq!(both[0].introduction, both[1].introduction, "the ids are to be equal");
        Some(both)
    }

    fn kill(&self) {
        rustix::process::kill_process(self.pid, Signal::KILL).expect("it lives");
    }

    fn ask(&mut self, order: &str) -> String {
        self.role.tell(order);
        self.role.hear()
    }
}

/// Between fork and exec: what will be executed is the first process of a new PID namespace. A process in
/// between stays outside, tells what that one is called there, and ends with it.
fn become_first_of_a_namespace() -> std::io::Result<()> {
    let privileged = rustix::process::geteuid().is_root();
    let flags = if privileged { UnshareFlags::NEWPID } else { UnshareFlags::NEWPID | UnshareFlags::NEWUSER };
    // SAFETY: neither flag touches descriptors; there is one thread.
    unsafe { rustix::thread::unshare_unsafe(flags) }?;
    // SAFETY: there is one thread.
    let first = unsafe { libc::fork() };
    match first {
        0 => Ok(()),
        pid if pid > 0 => {
            let line = format!("\n{MARK}{pid}\n");
            // SAFETY: tells a line of that length, past the standard library's lock; closes what the first
            // process alone is to hold, waits for it and ends, without running anything of the parent's.
            unsafe {
                libc::write(libc::STDOUT_FILENO, line.as_ptr().cast(), line.len());
                libc::close_range(0, u32::MAX, 0);
                libc::waitpid(pid, std::ptr::null_mut(), 0);
                libc::_exit(0)
            }
        }
        _ => Err(std::io::Error::last_os_error()),
    }
}

#[test]
fn a_lock_has_one_owner_and_the_right_one() -> Result<()> {
    let scratch = Scratch::new();
    let lock = Lock::open_or_create(&scratch.space(), LOCK)?;
    let Some([mut first, mut second]) = Stranger::two("holder", &scratch) else { return Ok(()) };
    assert_eq!(first.ask("take"), "taken");
    for round in 0..ROUNDS {
        let holder = lock.state().holder.expect("the first holds it").participant;
        let refused = second.ask("glance");
        assert!(refused.contains("(pid 1), thread ") && refused.contains(", alive, "), "{refused}");
        assert!(matches!(lock.lock_timeout(GLANCE), Err(Error::LockTimeout { .. })));

        second.role.tell("take");
        if round % 2 == 0 {
            first.kill();
            assert_eq!(second.role.hear(), "taken from the dead");
            first = Stranger::start("holder", &scratch).expect("it was allowed before");
        } else {
            assert_eq!(first.ask("release"), "released");
            assert_eq!(second.role.hear(), "taken");
        }
        let next = lock.state().holder.expect("the second holds it").participant;
        assert_ne!((next.slot, next.generation), (holder.slot, holder.generation));
        (first, second) = (second, first);
    }
    first.kill();
    assert!(lock.lock_timeout(PATIENCE)?.owner_died());
    assert_eq!(lock.state().recoveries as usize, ROUNDS / 2 + 1);
    Ok(())
}

#[test]
fn two_owners_of_equal_ids_change_in_turn() -> Result<()> {
    let scratch = Scratch::new();
    let pair = Array::<u64>::open_or_create(&scratch.space(), PAIR, &[2])?;
    let Some(mut both) = Stranger::two("changer", &scratch) else { return Ok(()) };
    for stranger in &mut both {
        stranger.role.tell("go");
    }
    for stranger in &both {
        stranger.role.expect("changed");
    }
    assert_eq!(pair.snapshot()?, [2 * CHANGES; 2]);
    Ok(())
}

#[test]
fn publishers_of_equal_ids_take_over_from_each_other() -> Result<()> {
    let scratch = Scratch::new();
    drop(FramePublisher::create(&scratch.space(), CHANNEL, &FrameSpec::bytes(8))?);
    let subscriber = FrameSubscriber::open(&scratch.space(), CHANNEL)?;
    let Some([mut first, mut second]) = Stranger::two("publisher", &scratch) else { return Ok(()) };
    // Whichever was faster publishes first.
    if first.role.hear_within(GLANCE).is_none() {
        second.role.expect("publisher");
        (first, second) = (second, first);
    }
    for number in 1..=ROUNDS as u64 {
        assert_eq!(first.ask("publish"), number.to_string());
        assert_eq!(subscriber.next(Some(DEADLINE))?[..], number.to_le_bytes());
        assert_eq!(second.role.hear_within(Duration::ZERO), None, "two publishers at once");
        first.kill();
        second.role.expect("publisher");
        (first, second) = (second, Stranger::start("publisher", &scratch).expect("it was allowed before"));
    }
    Ok(())
}
