//! Waiting for several things at once.
//!
//! A [`WaitSet`] sleeps on the caller's thread until one of up to 127 things is ready, of any kinds: a message in a
//! queue, a frame, a record, an event, a lock that is free, a value that changed. Nothing is taken: whoever is told
//! that something is ready takes it by the `try_` form of its kind, and may find that somebody else was faster. For
//! event loops, a thread with a set writes an eventfd or calls back; [`Waker`] ends its sleep when the set has to
//! change.
//!
//! One system call sleeps on all words (`futex_waitv`, Linux 5.16); an older kernel, or a sandbox without it, makes
//! the set look every millisecond instead. As everywhere, a sleep is a slice of at most 40 ms, after which everything
//! is looked at again, also whether who is waited for lives.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | asleep | flags that say that somebody sleeps | the next change, by one wake for nobody | nothing |
//! | woken by a change that was good for one | the change | the next sleeper, after a slice | it, late |
//!
//! ```
//! # fn main() -> memlane::Result<()> {
//! # let directory = tempfile::tempdir().expect("a directory for the example");
//! # let space = memlane::Space::at(directory.path())?;
//! use memlane::{Lock, Value, WaitSet};
//! let speed = Value::<f64>::open_or_create(&space, "robot/speed", 0.0)?;
//! let arm = Lock::open_or_create(&space, "robot/arm")?;
//! let guard = arm.lock()?;
//! let changed = speed.newer(speed.read());
//! let mut set = WaitSet::new();
//! let (on_speed, on_arm) = (set.add(&changed)?, set.add(&arm)?);
//! speed.store(1.5);
//! let ready = set.wait(None);
//! assert!(ready.contains(on_speed) && !ready.contains(on_arm));
//! # drop(guard);
//! # Ok(()) }
//! ```

use crate::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Release};
use crate::error::{Error, Result};
use crate::interruption;
use crate::os::{clock, futex};
use crate::sync::version;
use crate::sync::waiter::{ALL, Wait};
use std::sync::Arc;
use std::time::Duration;

/// Most things in a set.
pub const MAX_WAITABLES: usize = futex::MOST_WORDS - 1;

/// How often a kernel that cannot wait for several things makes the set look.
const LOOK: Duration = Duration::from_millis(1);

/// Something that a [`WaitSet`] can wait for; the kinds of this crate, and views of them such as
/// [`Value::newer`](crate::Value::newer).
pub trait Waitable: Sleep {}

impl<T: Sleep + ?Sized> Waitable for T {}

pub(crate) use sealed::{Look, Sleep};

/// For threads that wait for what others use.
impl<T: Sleep + ?Sized> Sleep for Arc<T> {
    fn id(&self) -> &str {
        self.as_ref().id()
    }

    fn is_ready(&self, look: Look) -> bool {
        self.as_ref().is_ready(look)
    }

    fn arm(&self) -> Option<(&AtomicU32, u32)> {
        self.as_ref().arm()
    }

    fn pass_on(&self) {
        self.as_ref().pass_on();
    }
}

/// [`Sleep::arm`] on a word of `sync::version`; `is_ready` gets its count.
pub(crate) fn arm_low_half(
    word: &AtomicU64,
    mut is_ready: impl FnMut(u64) -> bool,
) -> Option<(&AtomicU32, u32)> {
    let armed = version::arm(word, |count| is_ready(count).then_some(()));
    armed.err().map(|seen| (futex::low_half(word), seen as u32))
}

mod sealed {
    use crate::atomic::AtomicU32;

    /// How closely to look.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Look {
        /// At the words.
        Glance,
        /// Also at who is dead, which costs a system call.
        Close,
    }

    /// What a set needs of a thing.
    pub trait Sleep {
        /// The region, for error messages.
        fn id(&self) -> &str;
        /// Whether taking it would not wait.
        fn is_ready(&self, look: Look) -> bool;
        /// The word to sleep on and what it says, with its sleepers' flag set; `None` when it is ready.
        fn arm(&self) -> Option<(&AtomicU32, u32)>;
        /// This set slept on the word and leaves: a change that was good for one sleeper is good for another.
        fn pass_on(&self);
    }
}

/// A set of things to wait for.
#[derive(Default)]
pub struct WaitSet<'a> {
    things: Vec<&'a dyn Waitable>,
    waker: Waker,
    polls: bool,
}

impl std::fmt::Debug for WaitSet<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.things.iter().map(|thing| thing.id())).finish()
    }
}

/// Which things of a set are ready, by their numbers. Empty when time was up or a [`Waker`] ended the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Ready(u128);

impl Ready {
    /// Whether the thing that [`WaitSet::add`] gave this number is ready.
    pub fn contains(self, number: usize) -> bool {
        number < MAX_WAITABLES && self.0 >> number & 1 == 1
    }

    /// The numbers of the things that are ready, in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..MAX_WAITABLES).filter(move |number| self.contains(*number))
    }

    /// Whether nothing is ready.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Ends the wait of a set from another thread of the process; what it does before anybody waits ends the next wait.
#[derive(Debug, Clone, Default)]
pub struct Waker {
    woken: Arc<AtomicU32>,
}

impl Waker {
    /// Ends the wait.
    pub fn wake(&self) {
        self.woken.store(1, Release);
        futex::wake_u32(&self.woken, ALL);
    }

    fn take(&self) -> bool {
        self.woken.load(Acquire) == 1 && self.woken.swap(0, Acquire) == 1
    }
}

impl<'a> WaitSet<'a> {
    /// A set of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As on a kernel that cannot wait for several things: looks every millisecond.
    #[doc(hidden)]
    #[must_use]
    pub fn polling(mut self) -> Self {
        self.polls = true;
        self
    }

    /// Adds a thing and gives back its number: 0, 1, … [`Error::BadParameter`] when the set is full.
    pub fn add(&mut self, thing: &'a dyn Waitable) -> Result<usize> {
        let number = self.things.len();
        if number == MAX_WAITABLES {
            return Err(Error::BadParameter {
                id: thing.id().into(),
                parameter: "the number of things to wait for beside it",
                limit: format!("below {MAX_WAITABLES} in one set: wait for the others in another thread"),
                found: number as u64,
            });
        }
        self.things.push(thing);
        Ok(number)
    }

    /// What ends a wait of this set.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Waits until something is ready. Gives back all that is ready, or nothing when time was up or a [`Waker`] was
    /// used.
    pub fn wait(&self, timeout: Option<Duration>) -> Ready {
        let mut wait = Wait::until(timeout);
        let mut look = Look::Close;
        let mut slept = false;
        loop {
            let ready = self.ready(look);
            if !ready.is_empty() || self.waker.take() || is_over(&wait) {
                self.leave(slept);
                return ready;
            }
            if let Some(words) = self.arm() {
                look = self.doze(&words, &mut wait);
                slept = true;
                if interruption::is_requested() {
                    wait = Wait::AT_ONCE;
                }
            }
        }
    }

    /// What is ready now.
    pub fn poll(&self) -> Ready {
        self.ready(Look::Close)
    }

    fn ready(&self, look: Look) -> Ready {
        let mut ready = 0;
        for (number, thing) in self.things.iter().enumerate() {
            ready |= u128::from(thing.is_ready(look)) << number;
        }
        Ready(ready)
    }

    /// The words to sleep on; `None` when something became ready meanwhile.
    fn arm(&self) -> Option<Vec<(&AtomicU32, u32)>> {
        let mut words = Vec::with_capacity(self.things.len() + 1);
        words.push((&*self.waker.woken, 0));
        for thing in &self.things {
            words.push(thing.arm()?);
        }
        Some(words)
    }

    /// One slice; says how closely to look after it.
    fn doze(&self, words: &[(&AtomicU32, u32)], wait: &mut Wait) -> Look {
        let slice = wait.next_slice();
        let end = clock::monotonic().saturating_add(slice.as_nanos() as u64);
        if self.polls || !futex::wait_any(words, end) {
            futex::wait_u32(&self.waker.woken, 0, LOOK.min(slice));
        }
        if clock::monotonic() >= end { Look::Close } else { Look::Glance }
    }

    fn leave(&self, slept: bool) {
        if slept {
            self.things.iter().for_each(|thing| thing.pass_on());
        }
    }
}

fn is_over(wait: &Wait) -> bool {
    wait.deadline.is_some_and(|deadline| clock::monotonic() >= deadline)
}
