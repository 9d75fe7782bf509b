//! A lock that its holder does not give back: taken from a dead one, or from a living one whose process is ended.
//!
//! The next locker is told, as after any death, unless a person says that what the lock guards is whole. A process is
//! ended only when a person has confirmed it, and only if it is of this user, of this PID namespace, and still holds
//! the lock. It is meant by a pidfd, so that it is no other one that has its number since.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use memlane::lock::Holder;
use memlane::participant::ProcessState;
use memlane::{Error, Lock, Observer, Participant, Region, Space};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, geteuid, pidfd_open, pidfd_send_signal};

use crate::protocol::fault::{self, Fault};
use crate::view::human;

/// How long a process may take to be gone after SIGKILL.
const END: Duration = Duration::from_secs(5);
/// How long the lock of a process that is gone may stay with somebody else who was faster.
const PASSING: Duration = Duration::from_secs(1);

/// What a person has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decision {
    /// A living holder's process is to be ended.
    pub confirmed: bool,
    /// What the lock guards is whole: the next locker is not told.
    pub consistent: bool,
}

/// Whose lock it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freed {
    /// Who held it, in words.
    pub was: String,
    /// Whether its process was ended for it.
    pub killed: bool,
}

/// Why a lock was not freed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfreed {
    /// The region, or its lock.
    #[error(transparent)]
    Region(#[from] Error),
    /// Its holder lives.
    #[error("the lock of `{id}` is held by {holder}, which lives; confirm that its process is to be ended")]
    Held {
        /// The region.
        id: String,
        /// Who holds it, in words.
        holder: String,
    },
    /// Its holder lives, and is not to be ended from here.
    #[error("{holder}, which holds the lock of `{id}`, cannot be ended from here: {why}")]
    OutOfReach {
        /// The region.
        id: String,
        /// Who holds it, in words.
        holder: String,
        /// What is in the way.
        why: String,
    },
}

/// Frees the lock of region `id`.
///
/// ```
/// use memlane_net::force_release::{Decision, Unfreed, force_release};
/// # let directory = tempfile::tempdir()?;
/// # let space = memlane::Space::at(directory.path())?;
/// let door = memlane::Lock::create(&space, "door")?;
/// let guard = door.lock()?;
/// let refused = force_release(&space, "door", Decision::default());
/// assert!(matches!(refused, Err(Unfreed::Held { .. })), "its holder lives");
/// # drop(guard);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn force_release(space: &Space, id: &str, decision: Decision) -> Result<Freed, Unfreed> {
    let observer = Observer::open(space, id)?;
    let Some(holder) = observer.lock().holder else {
        return Err(Error::NotOwner { id: id.into(), holder: "nobody holds it".into() }.into());
    };
    let was = in_words(&holder);
    let killed = holder.participant.alive;
    if killed {
        if !decision.confirmed {
            return Err(Unfreed::Held { id: id.into(), holder: was });
        }
        let why = end(&observer, &holder.participant).err();
        if let Some(why) = why {
            return Err(Unfreed::OutOfReach { id: id.into(), holder: was, why });
        }
    }
    take_over(&Region::open(space, id)?.lock(), decision.consistent)?;
    Ok(Freed { was, killed })
}

fn in_words(holder: &Holder) -> String {
    format!("{} for {}", holder.participant.who(), human::duration(holder.held_for))
}

/// Takes a dead holder's lock and gives it back. When somebody else has it already, it is taken over.
fn take_over(lock: &Lock, consistent: bool) -> Result<(), Error> {
    match lock.detached().acquire(Some(PASSING)) {
        Ok(_) if consistent => lock.detached().make_consistent()?,
        Ok(_) => {}
        Err(Error::LockTimeout { .. }) => return Ok(()),
        Err(error) => return Err(error),
    }
    lock.detached().release()
}

/// Ends the process of a living participant, or says why not.
fn end(observer: &Observer, holder: &Participant) -> Result<(), String> {
    if holder.pid == std::process::id() {
        return Err("it is the very process that was asked to".into());
    }
    let pid = i32::try_from(holder.pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or("nothing is known of its process any more")?;
    let process = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| error.to_string())?;
    // From here on the number cannot become another process's without `process` being over.
    let is_known = matches!(
        holder.process_state(),
        ProcessState::Running | ProcessState::Stopped | ProcessState::Parentless
    );
    if !is_known {
        return Err("its process is in another PID namespace, or over; end it there".into());
    }
    let user =
        std::fs::metadata(Path::new("/proc").join(holder.pid.to_string())).map(|process| process.uid());
    if user.ok() != Some(geteuid().as_raw()) {
        return Err("its process is another user's".into());
    }
    let holds = observer.lock().holder.is_some_and(|now| {
        (now.participant.slot, now.participant.generation) == (holder.slot, holder.generation)
    });
    if is_over(&process, Duration::ZERO) || !holds {
        // It was faster: there is nothing to be ended.
        return Ok(());
    }
    pidfd_send_signal(&process, Signal::KILL).map_err(|error| error.to_string())?;
    if is_over(&process, END) { Ok(()) } else { Err(format!("it is not gone {END:?} after SIGKILL")) }
}

/// Whether the process ends within that time.
fn is_over(process: &OwnedFd, within: Duration) -> bool {
    let timeout = Timespec { tv_sec: within.as_secs() as i64, tv_nsec: i64::from(within.subsec_nanos()) };
    let mut polled = [PollFd::new(process, PollFlags::IN)];
    poll(&mut polled, Some(&timeout)).is_ok_and(|ready| ready > 0)
}

impl From<Unfreed> for Fault {
    fn from(unfreed: Unfreed) -> Self {
        let message = unfreed.to_string();
        match unfreed {
            Unfreed::Region(error) => error.into(),
            Unfreed::Held { holder, .. } => Self::new("busy", message).with("holder", holder),
            Unfreed::OutOfReach { holder, .. } => {
                Self::new(fault::OUT_OF_REACH, message).with("holder", holder)
            }
        }
    }
}
