//! Processes killed at their regions' births: starting, making, attaching, using, leaving, removing.
//!
//! After every death the name that the dead process was at must be usable, and at the end all of them, and
//! nothing of the dead may be left: no file, no folder, no slot, no mapping. By root, half of the processes
//! are another user's.

use crate::crew::{Member, NOBODY};
use crate::left_out::leave_out;
use crate::maker::{self, EPHEMERAL_NAMES, MAKERS, NAMES, Stage, Stages};
use crate::options::Options;
use crate::random::Random;
use crate::scratch::{Scratch, mappings_of};
use crate::tally::{Tally, figure, nothing_left};
use memlane::{Error, Kind, Result, Space, Value};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

/// A process has hardly begun to be one.
const YOUNG: Duration = Duration::from_micros(1500);
const OLD: Duration = Duration::from_millis(15);
const YOUNG_PERCENT: u64 = 25;

/// A name that others use too may be taken for that long, and no longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// After that long, whoever looks whether a name is usable hangs.
const DEADLINE: Duration = Duration::from_secs(20);
/// Files of dead processes that nobody has named are swept when they are older than 10 seconds.
const SWEPT_AFTER: Duration = Duration::from_secs(20);
/// Failures after which the rest would say the same.
const ENOUGH: u64 = 10;
const REST: Duration = Duration::from_millis(50);

pub(crate) fn run(options: &Options, tally: &mut Tally) {
    println!("{MAKERS} processes that make and remove regions, {} of them killed", options.kills);
    let scratch = Scratch::new();
    std::fs::set_permissions(scratch.path(), Permissions::from_mode(0o777)).expect("the directory is ours");
    let space = maker::bounded(&scratch.space());
    let stages = Stages::open(&space).expect("a fresh space can be used");
    let start = Instant::now();
    let mut run = Run::start(&scratch, &space, &stages, options.seed);
    while run.kills < options.kills && run.unusable + run.failed < ENOUGH {
        run.kill_one(tally);
        tally.progress(|| format!("{:.0?}: {} kills", start.elapsed(), run.kills));
    }
    tally.end_progress();
    run.report(start.elapsed());
    drop(run);
    tally.check("participants after the deaths", check_participants(&stages));
    drop(stages);
    tally.check("names after the deaths", check_names(&space));
    tally.check("files after the deaths", check_files(&scratch, &space));
    tally.check("mappings after the deaths", nothing_left(&mappings_of(scratch.path())));
}

struct Run<'a> {
    stages: &'a Stages,
    random: Random,
    members: Vec<Member>,
    started: Vec<Instant>,
    checker: Checker,
    kills: u64,
    /// Names that were not usable after a death, and makers that ended by themselves.
    unusable: u64,
    failed: u64,
    /// Whether another user's processes take part.
    foreign: bool,
    /// Deaths at each stage.
    deaths: [u64; Stage::ALL.len()],
}

impl<'a> Run<'a> {
    fn start(scratch: &Scratch, space: &Space, stages: &'a Stages, seed: u64) -> Self {
        let random = Random::new(seed);
        let foreign = rustix::process::geteuid().is_root() && may_start_as_nobody(scratch);
        let start = |maker: u64| {
            let user = (foreign && maker % 2 == 1).then_some(NOBODY);
            let member = Member::start("maker", scratch.path(), &[maker, seed + maker], user);
            member.expect("the test program can start itself")
        };
        Self {
            stages,
            random,
            members: (0..MAKERS as u64).map(start).collect(),
            started: vec![Instant::now(); MAKERS],
            checker: Checker::start(space.clone()),
            kills: 0,
            unusable: 0,
            failed: 0,
            foreign,
            deaths: [0; Stage::ALL.len()],
        }
    }

    /// Kills a process at a random age, looks whether its name is usable, and starts another one.
    fn kill_one(&mut self, tally: &mut Tally) {
        let maker = self.random.index(MAKERS);
        let longest = if self.random.chance(YOUNG_PERCENT) { YOUNG } else { OLD };
        let age = longest.mul_f64(self.random.below(1000) as f64 / 1000.0);
        std::thread::sleep(age.saturating_sub(self.started[maker].elapsed()));
        let killed = self.members[maker].kill();
        self.failed += u64::from(killed.is_err());
        tally.expect("a maker", killed);
        let (stage, name) = self.stages.get(maker);
        self.kills += 1;
        self.deaths[stage] += 1;
        let usable = self.checker.check(name);
        self.unusable += u64::from(usable.is_err());
        tally.expect(Stage::ALL[stage].1, usable);
        self.stages.set(maker as u64, Stage::Starting, name);
        self.members[maker].restart(&[maker as u64, self.random.next()]);
        self.started[maker] = Instant::now();
    }

    fn report(&self, duration: Duration) {
        figure("kills", self.kills);
        for ((_, what), count) in Stage::ALL.iter().zip(self.deaths) {
            figure(&format!("of them while {what}"), count);
        }
        figure("users", if self.foreign { 2 } else { 1 });
        figure("names left unusable", self.unusable);
        figure("time", format!("{duration:.1?}"));
    }
}

/// Tries names in a thread of its own, so that one that hangs is noticed.
struct Checker {
    orders: Sender<usize>,
    answers: Receiver<Result<(), String>>,
}

impl Checker {
    fn start(space: Space) -> Self {
        let (orders, received) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for name in received {
                let (id, kind) = NAMES[name];
                let checked = become_usable(&space, id, kind).and_then(|()| {
                    let (id, kind) = EPHEMERAL_NAMES[name % EPHEMERAL_NAMES.len()];
                    become_usable(&space.clone().ephemeral(), id, kind)
                });
                if answer.send(checked).is_err() {
                    break;
                }
            }
        });
        Self { orders, answers }
    }

    /// Whether the name is usable, and an ephemeral one too.
    fn check(&self, name: usize) -> Result<(), String> {
        self.orders.send(name).map_err(|_| "the checking thread is gone".to_owned())?;
        let hangs = |_| Err(format!("using {} takes longer than {DEADLINE:?}", NAMES[name].0));
        self.answers.recv_timeout(DEADLINE).unwrap_or_else(hangs)
    }
}

/// Uses a name as soon as nobody else is in the way.
fn become_usable(space: &Space, id: &str, kind: Kind) -> Result<(), String> {
    let start = Instant::now();
    loop {
        match maker::use_it(space, id, kind) {
            Ok(()) => return Ok(()),
            // One of the two has to go, and a folder that is left empty must not be in the way.
            Err(Error::NameConflict { .. }) if start.elapsed() < PATIENCE => remove_rivals(space, id),
            // Another publisher, or a channel that was made anew before the next look.
            Err(Error::PublisherExists { .. } | Error::Timeout { .. }) if start.elapsed() < PATIENCE => {
                std::thread::yield_now();
            }
            Err(error) => return Err(format!("not usable after {:.1?}: {error}", start.elapsed())),
        }
    }
}

/// Removes the regions whose names cannot be beside this one.
fn remove_rivals(space: &Space, id: &str) {
    let below = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
    for (rival, _) in NAMES.iter().filter(|(rival, _)| below(rival, id) || below(id, rival)) {
        // Somebody else may have removed it.
        let _ = space.remove(rival);
    }
}

/// Another user must be able to read the test program.
fn may_start_as_nobody(scratch: &Scratch) -> bool {
    let started = Member::start("maker", scratch.path(), &[0, 0], Some(NOBODY));
    let Err(error) = started else { return true };
    let why = format!("{error}; build below a directory that user {NOBODY} may enter");
    leave_out("processes of another user", &why);
    false
}

/// The parent alone lives, and nobody has taken its slots for ever.
fn check_participants(stages: &Stages) -> Result<(), String> {
    let participants = stages.region().participants();
    let alive: Vec<_> = participants.iter().filter(|participant| participant.alive).collect();
    if alive.len() == 1 { Ok(()) } else { Err(format!("{alive:?} live, and one process does")) }
}

/// With nobody else there, every name can be made, used and removed at once.
fn check_names(space: &Space) -> Result<(), String> {
    let check = || {
        for id in space.list()? {
            space.remove(&id)?;
        }
        for (id, kind) in NAMES {
            maker::use_it(space, id, kind)?;
            space.remove(id)?;
        }
        EPHEMERAL_NAMES.iter().try_for_each(|(id, kind)| maker::use_it(&space.clone().ephemeral(), id, *kind))
    };
    check().map_err(|error: Error| error.to_string())
}

/// Whatever dead processes left is gone as soon as it is old enough.
fn check_files(scratch: &Scratch, space: &Space) -> Result<(), String> {
    let start = Instant::now();
    while !scratch.files().is_empty() && start.elapsed() < SWEPT_AFTER {
        // Making an ephemeral region sweeps the others.
        let swept = Value::open_or_create(&space.clone().ephemeral(), "sweep", 0_u64);
        swept.map_err(|error| error.to_string())?;
        std::thread::sleep(REST);
    }
    nothing_left(&scratch.files())?;
    let folders = memlane::doctor::examine(space).map_err(|error| error.to_string())?;
    nothing_left(&folders)
}
