//! Participants: the processes attached to a region.
//!
//! A participant is a slot and a generation of it. The slot is held by a presence lock, which the kernel
//! gives back when the process is gone; the generation goes up by one store when the slot is taken again. So
//! everything that ever named the old generation is dead at once, for ever, without anybody tidying up.
//!
//! | killed | what remains | who repairs | what others see |
//! |---|---|---|---|
//! | before the generation is stored | the old generation, byte free | nobody | the old participant, dead as before |
//! | after it | the new generation, byte free, maybe half a description | the next who takes the slot | a dead participant |

use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::header::{padded, until_zero};
use crate::layout::{PROGRAM_CAPACITY, ParticipantEntry, WaitEntry};
use crate::os;
use crate::os::file::RegionFile;
use crate::os::mapping::Shared;
use crate::os::presence::{self, Probe};
use crate::sync::claim::{Claim, next_generation};
use rustix::fd::{AsFd, BorrowedFd};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// A process attached to a region, as tools see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Participant {
    /// Index into the table.
    pub slot: u16,
    /// Which use of the slot.
    pub generation: u32,
    /// Whether its presence lock is held.
    pub alive: bool,
    /// Process id in its own PID namespace; 0 of a dead one of whom nothing is known any more.
    pub pid: u32,
    /// Start time in clock ticks since boot; tells a re-used pid.
    pub started: u64,
    /// When it attached, nanoseconds since the Unix epoch.
    pub attached: u64,
    /// Random id of the process, equal in all regions it is attached to.
    pub process: [u8; 16],
    /// The process's name when it first used memlane: its program's file name, or what it had called itself before by
    /// `PR_SET_NAME`, which `ps` shows too; for programs that are several processes in different roles.
    pub program: String,
    /// What its threads wait for.
    pub waits: Vec<WaitingThread>,
}

/// A thread of a participant that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitingThread {
    /// Thread id in its PID namespace.
    pub thread: u32,
    /// Coarse monotonic nanoseconds since when.
    pub since: u64,
    /// What for.
    pub what: WaitingFor,
}

macro_rules! waited_for {
    ($($variant:ident = $number:literal $name:literal $words:literal),* $(,)?) => {
        /// What a thread waits for; its number stands in the waiting entry.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum WaitingFor {
            $(#[doc = concat!("It waits for ", $words, ".")] $variant,)*
            /// Something of this layout version that this program does not know.
            Other(u64),
        }

        impl WaitingFor {
            fn number(self) -> u64 {
                match self { $(Self::$variant => $number,)* Self::Other(number) => number }
            }

            fn from_number(number: u64) -> Self {
                match number { $($number => Self::$variant,)* other => Self::Other(other) }
            }

            /// A word for it, as in `--json`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Other(_) => "other" }
            }

            /// `the lock`, `a message`, …
            #[must_use]
            pub fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)* Self::Other(_) => "something" }
            }
        }
    };
}

waited_for! {
    Lock = 1 "lock" "the lock",
    ReadLock = 2 "read_lock" "the lock for reading",
    Readers = 3 "readers" "the readers to leave",
    Permit = 4 "permit" "a permit",
    Token = 5 "token" "a token",
    Event = 6 "event" "the event",
    Notification = 7 "notification" "a notification",
    Parties = 8 "parties" "the other parties",
    Message = 9 "message" "a message",
    Room = 10 "room" "room",
    Frame = 11 "frame" "a frame",
    Record = 12 "record" "a record",
    Change = 13 "change" "a change",
}

impl Participant {
    /// One that is dead and of whom nothing is known any more: its slot is another's, or its description was put away.
    pub(crate) fn gone(claim: Claim) -> Self {
        Self {
            slot: claim.slot(),
            generation: claim.generation(),
            alive: false,
            pid: 0,
            started: 0,
            attached: 0,
            process: [0; 16],
            program: String::new(),
            waits: Vec::new(),
        }
    }

    /// `python (pid 4711)`, with what is known.
    #[must_use]
    pub fn who(&self) -> String {
        if self.pid == 0 {
            return "(unknown process)".to_owned();
        }
        let program = if self.program.is_empty() { "unnamed program" } else { &self.program };
        format!("{program} (pid {})", self.pid)
    }

    /// What the process does, where its pid means something here.
    #[must_use]
    pub fn process_state(&self) -> ProcessState {
        let known = os::process::start_time(self.pid) == Some(self.started);
        match os::process::state(self.pid).filter(|_| known) {
            Some('Z') => ProcessState::Zombie,
            _ if !self.alive => ProcessState::Dead,
            Some('T' | 't') => ProcessState::Stopped,
            Some(_) if os::process::parent(self.pid) == Some(1) => ProcessState::Parentless,
            Some(_) => ProcessState::Running,
            None => ProcessState::Elsewhere,
        }
    }
}

/// What the process of a participant does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessState {
    /// It runs or sleeps.
    Running,
    /// It is stopped by a signal or a debugger; it still is a participant, and what it holds stays held.
    Stopped,
    /// It runs, and its parent is gone.
    Parentless,
    /// It is dead, and its parent has not noticed; what it held is free.
    Zombie,
    /// It is dead.
    Dead,
    /// It lives in another PID namespace, where its pid does not mean anything to us.
    Elsewhere,
}

impl fmt::Display for ProcessState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Parentless => "parentless",
            Self::Zombie => "zombie",
            Self::Dead => "dead",
            Self::Elsewhere => "elsewhere",
        })
    }
}

/// The table in a region, and the open file through which presence is probed.
#[derive(Debug)]
pub(crate) struct Participants {
    entries: Shared<[ParticipantEntry]>,
}

impl Participants {
    pub(crate) fn new(entries: Shared<[ParticipantEntry]>) -> Self {
        Self { entries }
    }

    pub(crate) fn len(&self) -> u16 {
        self.entries.len() as u16
    }

    /// Takes a free or dead slot for the open file `presence`; `None` when everybody lives.
    pub(crate) fn claim(&self, presence: BorrowedFd<'_>) -> Result<Option<Claim>, rustix::io::Errno> {
        for (slot, entry) in (0..).zip(self.entries.iter()) {
            if presence::try_claim(presence, slot)? {
                let generation = next_generation(entry.generation.load(Relaxed));
                // From here on every claim of the slot's former holder is dead.
                entry.generation.store(generation, Release);
                entry.describe_this_process();
                return Ok(Claim::new(slot, generation));
            }
        }
        Ok(None)
    }

    /// Whether the participant behind a claim is gone. `mine` cannot be probed: its lock never conflicts with itself.
    pub(crate) fn is_dead(&self, claim: Claim, mine: Option<Claim>, file: &RegionFile) -> bool {
        let Some(entry) = self.entries.get(usize::from(claim.slot())) else { return true };
        // The generation first: a restarted process may sit in the slot it died in.
        if entry.generation.load(Acquire) != claim.generation() {
            return true;
        }
        // A descriptor that was closed under us, and maybe opened for something else, must not turn the living into
        // the dead.
        mine.is_none_or(|mine| mine.slot() != claim.slot())
            && file.get().and_then(|file| presence::probe(file.as_fd(), claim.slot())) == Ok(Probe::Free)
    }

    /// The same as long as nobody comes, goes, dies, begins or ends to wait. `file` is the region's.
    pub(crate) fn glance(&self, file: BorrowedFd<'_>) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (slot, entry) in (0..).zip(self.entries.iter()) {
            if entry.pid.load(Relaxed) != 0 {
                let waits = entry.waits.each_ref().map(|wait| wait.owner.load(Relaxed));
                let alive = presence::probe(file, slot) != Ok(Probe::Free);
                (slot, entry.generation.load(Acquire), waits, alive).hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    /// What the table says of the holder of a claim.
    pub(crate) fn describe(&self, claim: Claim, alive: bool) -> Option<Participant> {
        let entry = self.entries.get(usize::from(claim.slot()))?;
        (entry.generation.load(Acquire) == claim.generation()).then(|| entry.read(claim.slot(), alive))
    }

    /// Everybody who is attached or died attached.
    pub(crate) fn list(&self, mine: Option<Claim>, file: &RegionFile) -> Vec<Participant> {
        let mut found = Vec::new();
        for (slot, entry) in (0..).zip(self.entries.iter()) {
            // A slot never used or cleanly left costs no system call.
            if entry.pid.load(Relaxed) == 0 {
                continue;
            }
            if let Some(claim) = Claim::new(slot, entry.generation.load(Acquire)) {
                found.push(entry.read(slot, !self.is_dead(claim, mine, file)));
            }
        }
        found
    }

    /// A clean goodbye: tools do not list it among the dead.
    pub(crate) fn leave(&self, mine: Claim) {
        if let Some(entry) = self.entries.get(usize::from(mine.slot())) {
            entry.pid.store(0, Relaxed);
        }
    }

    /// Takes the descriptions of the dead off the table; gives back how many there were.
    pub(crate) fn forget_dead(&self, mine: Option<Claim>, file: &RegionFile) -> usize {
        let dead: Vec<_> =
            self.list(mine, file).into_iter().filter(|participant| !participant.alive).collect();
        for participant in &dead {
            if let Some(entry) = self.entries.get(usize::from(participant.slot)) {
                // Loses against a new holder of the slot, whose pid then stands.
                let _ = entry.pid.compare_exchange(participant.pid, 0, Relaxed, Relaxed);
            }
        }
        dead.len()
    }

    /// Says in the table that this thread waits, until the result is dropped.
    pub(crate) fn waiting(&self, mine: Claim, what: WaitingFor) -> Option<Waiting<'_>> {
        let entry = self.entries.get(usize::from(mine.slot()))?;
        entry.waits.iter().find_map(|wait| wait.enter(what))
    }
}

impl ParticipantEntry {
    fn describe_this_process(&self) {
        let this = ThisProcess::get();
        self.started.store(this.started, Relaxed);
        self.attached.store(os::clock::wall(), Relaxed);
        for (word, half) in self.process.iter().zip(this.id) {
            word.store(half, Relaxed);
        }
        for (to, from) in self.program.iter().zip(this.program) {
            to.store(from, Relaxed);
        }
        for wait in &self.waits {
            wait.owner.store(0, Relaxed);
        }
        self.language.store(LANGUAGE_RUST, Relaxed);
        // Last: who sees the pid sees the rest.
        self.pid.store(this.pid, Release);
    }

    fn read(&self, slot: u16, alive: bool) -> Participant {
        let pid = self.pid.load(Acquire);
        let mut process = [0; 16];
        for (bytes, word) in process.chunks_exact_mut(8).zip(&self.process) {
            bytes.copy_from_slice(&word.load(Relaxed).to_le_bytes());
        }
        let program: Vec<u8> = self.program.iter().map(|byte| byte.load(Relaxed)).collect();
        Participant {
            slot,
            generation: self.generation.load(Relaxed),
            alive,
            pid,
            started: self.started.load(Relaxed),
            attached: self.attached.load(Relaxed),
            process,
            program: until_zero(&program),
            waits: self.waits.iter().filter_map(WaitEntry::read).collect(),
        }
    }
}

const LANGUAGE_RUST: u32 = 1;

/// What this process says of itself in every region: looked up once, and again in a forked child.
#[derive(Debug, Clone, Copy)]
struct ThisProcess {
    forks: u32,
    pid: u32,
    started: u64,
    id: [u64; 2],
    program: [u8; PROGRAM_CAPACITY],
}

impl ThisProcess {
    /// Called while forks are excluded, so that no child inherits the lock held.
    fn get() -> Self {
        static KNOWN: Mutex<Option<ThisProcess>> = Mutex::new(None);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        match *known {
            Some(this) if this.forks == os::fork::count() => this,
            _ => *known.insert(Self::look_up()),
        }
    }

    fn look_up() -> Self {
        let pid = os::process::pid();
        Self {
            forks: os::fork::count(),
            pid,
            started: os::process::start_time(pid).unwrap_or(0),
            id: [os::process::random_u64(), os::process::random_u64()],
            program: padded(&os::process::program_name()),
        }
    }
}

impl WaitEntry {
    fn enter(&self, what: WaitingFor) -> Option<Waiting<'_>> {
        let me = os::process::thread_key();
        // Taken first and read last: a reader that sees the key may see an older time, which is only shown.
        self.owner.compare_exchange(0, me, Acquire, Relaxed).ok()?;
        self.what.store(what.number(), Relaxed);
        self.since.store(os::clock::monotonic_coarse(), Relaxed);
        Some(Waiting { entry: self })
    }

    fn read(&self) -> Option<WaitingThread> {
        let owner = self.owner.load(Acquire);
        (owner != 0).then(|| WaitingThread {
            thread: os::process::thread_id_of(owner),
            since: self.since.load(Relaxed),
            what: WaitingFor::from_number(self.what.load(Relaxed)),
        })
    }
}

/// A thread's entry among those who wait.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    entry: &'a WaitEntry,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.entry.owner.store(0, Release);
    }
}
