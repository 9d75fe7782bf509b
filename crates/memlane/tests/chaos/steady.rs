//! Twelve processes at work in one space, of which one after the other is killed and started again.

use crate::clerk;
use crate::crew::Member;
use crate::ground::{self, CHANNEL, Count, Ground, IDS, MEMBERS};
use crate::options::Options;
use crate::random::Random;
use crate::scratch::{Scratch, mappings_of};
use crate::tally::{Tally, figure, nothing_left};
use crate::works::Works;
use memlane::{Region, Result, Space};
use std::ops::Range;
use std::time::{Duration, Instant};

const ROLES: [&str; MEMBERS] = [
    "publisher",
    "publisher",
    "subscriber",
    "subscriber",
    "locker",
    "locker",
    "clerk",
    "clerk",
    "worker",
    "worker",
    "talker",
    "talker",
];

/// Milliseconds from one death to the next.
const PAUSES: Range<u64> = 10..30;
/// Who holds the lock or publishes is killed more often than the others.
const AIMED_PERCENT: u64 = 25;
/// Of deaths at the other end of a pipe, so many may be noticed late: the machine has twelve processes to run.
const LATE_PERCENT: u64 = 5;
/// Nobody may be without progress for longer, however often it is killed.
const LONGEST_STALL: Duration = Duration::from_secs(2);

/// Kills until the time is over, and looks whether all is well.
pub(crate) fn run(options: &Options, tally: &mut Tally) {
    println!("{MEMBERS} processes, one killed every {PAUSES:?} ms, for {:?}", options.duration);
    let scratch = Scratch::new();
    let space = scratch.space();
    let ground = Ground::open(&space).expect("a fresh space can be used");
    let mut run = Run::start(&scratch, &ground, options.seed);
    let start = Instant::now();
    while start.elapsed() < options.duration && tally.failed() == 0 {
        run.kill_one(&space, tally);
        run.watch(tally);
        tally.progress(|| {
            format!("{:.0?}: {} kills, worst stall {:.0?}", start.elapsed(), run.kills, run.worst_stall)
        });
    }
    tally.end_progress();
    ground.stop();
    for member in &mut run.members {
        tally.check("a process that is told to end", member.finish());
    }
    let Run { kills, worst_stall, clerks_killed, .. } = run;
    tally.check("content after the run", check_content(&ground, clerks_killed));
    let works = Works::open(&space).expect("the workers' regions can be used");
    tally.check("books after the run", works.check(&ground));
    tally.check("deaths at the other end of a pipe", check_ends(&ground));
    tally.check("who is attached to the workers' regions", alone_in(&works.regions()));
    drop(works);
    tally.check("participants after the run", check_participants(&space, &ground));
    report(&ground, kills, worst_stall);
    drop(ground);
    tally.check("mappings after the run", nothing_left(&mappings_of(scratch.path())));
    tally.check("files after the run", check_files(&scratch, &space));
}

struct Run<'a> {
    ground: &'a Ground,
    random: Random,
    members: Vec<Member>,
    /// How much each member had done when it last went on, and when that was.
    seen: Vec<(u64, Instant)>,
    kills: u64,
    clerks_killed: u64,
    worst_stall: Duration,
}

impl<'a> Run<'a> {
    fn start(scratch: &Scratch, ground: &'a Ground, seed: u64) -> Self {
        let start = |(role, number)| Member::start(role, scratch.path(), &[number], None);
        let members = ROLES.into_iter().zip(0..).map(start).collect::<std::io::Result<_>>();
        Self {
            ground,
            random: Random::new(seed),
            members: members.expect("the test program can start itself"),
            seen: vec![(0, Instant::now()); MEMBERS],
            kills: 0,
            clerks_killed: 0,
            worst_stall: Duration::ZERO,
        }
    }

    fn kill_one(&mut self, space: &Space, tally: &mut Tally) {
        std::thread::sleep(Duration::from_millis(
            PAUSES.start + self.random.below(PAUSES.end - PAUSES.start),
        ));
        let somebody = self.random.index(MEMBERS);
        let aimed = if self.random.chance(AIMED_PERCENT) { self.who_matters(space) } else { None };
        let victim = aimed.unwrap_or(somebody);
        self.ground.doom(victim);
        let member = &mut self.members[victim];
        tally.expect("a process at work", member.kill());
        self.kills += 1;
        self.clerks_killed += u64::from(member.role == "clerk");
        member.restart(&[victim as u64]);
    }

    /// The member that holds the lock, or another that holds something.
    fn who_matters(&mut self, space: &Space) -> Option<usize> {
        let pid = if self.random.chance(50) {
            self.ground.pair.region().lock().state().holder?.participant.pid
        } else {
            let subscriber = memlane::Observer::open(space, CHANNEL).ok()?;
            match subscriber.frames().ok()?.publisher {
                memlane::frames::PublisherState::Alive(participant) => participant.pid,
                _ => return None,
            }
        };
        self.members.iter().position(|member| member.pid() == pid)
    }

    /// Notices who stands still, and who has ended without being killed.
    fn watch(&mut self, tally: &mut Tally) {
        for (number, (member, seen)) in self.members.iter_mut().zip(&mut self.seen).enumerate() {
            tally.expect("a process at work", member.check());
            let done = self.ground.done(number);
            let stall = seen.1.elapsed();
            if done != seen.0 {
                *seen = (done, Instant::now());
            } else if stall > LONGEST_STALL {
                tally
                    .check("progress", Err(format!("{} {number} stands still for {stall:.1?}", member.role)));
            }
            self.worst_stall = self.worst_stall.max(stall);
        }
    }
}

/// Everything that was counted, and is counted twice where two counts must agree.
fn check_content(ground: &Ground, clerks_killed: u64) -> Result<(), String> {
    let guard = ground.pair.lock().map_err(|error| error.to_string())?;
    let pair = guard.read(0, 3).map_err(|error| error.to_string())?;
    if !guard.guard().owner_died() && (pair[0] != pair[1] || pair[2] != 0) {
        return Err(format!("half a change, and no owner died: {pair:?}"));
    }
    clerk::read(ground).map_err(|error| error.to_string())?;
    let (sum, adds) = (ground.sum.load(), ground.total(Count::Adds));
    // A clerk may die between adding and counting.
    if !(adds..=adds + clerks_killed).contains(&sum) {
        return Err(format!("{adds} additions of 1 make {sum}, and {clerks_killed} clerks were killed"));
    }
    let locks = ground.total(Count::Locks);
    if pair[0] < locks { Err(format!("{locks} changes made {}", pair[0])) } else { Ok(()) }
}

/// Whoever was killed is known to be dead, and the parent alone lives.
fn check_participants(space: &Space, ground: &Ground) -> Result<(), String> {
    let channel = Region::open(space, CHANNEL).map_err(|error| error.to_string())?;
    alone_in(&ground.regions())?;
    alone_in(&[&channel])?;
    let publisher = ground::publisher(space, Duration::ZERO).map(drop);
    publisher.map_err(|error| error.to_string())
}

/// This process alone is attached to the regions.
fn alone_in(regions: &[&Region]) -> Result<(), String> {
    for region in regions {
        let alive: Vec<_> =
            region.participants().into_iter().filter(|participant| participant.alive).collect();
        if alive.len() != 1 {
            return Err(format!("{}: {alive:?} live, and one process does", region.id()));
        }
    }
    Ok(())
}

/// A death at the other end of a pipe is noticed soon.
fn check_ends(ground: &Ground) -> Result<(), String> {
    let (seen, late) = (ground.total(Count::EndsSeen), ground.total(Count::EndsSeenLate));
    if late * 100 <= seen * LATE_PERCENT + 100 {
        return Ok(());
    }
    Err(format!("{late} of {seen} were noticed after more than 100 ms"))
}

/// The regions are there and nothing else, and they can be removed without a trace.
fn check_files(scratch: &Scratch, space: &Space) -> Result<(), String> {
    let mut files = scratch.files();
    let works = scratch.path().join("works");
    files.retain(|file| !file.starts_with(&works) && !IDS.iter().any(|id| *file == scratch.path().join(id)));
    nothing_left(&files)?;
    let mut ids = space.list().map_err(|error| error.to_string())?;
    ids.retain(|id| id.starts_with("works/") || IDS.contains(&id.as_str()));
    for id in ids {
        space.remove(&id).map_err(|error| error.to_string())?;
    }
    nothing_left(&scratch.files())
}

fn report(ground: &Ground, kills: u64, worst_stall: Duration) {
    figure("kills", kills);
    for (count, what) in Count::ALL {
        figure(what, ground.total(count));
    }
    figure("longest time without progress of a process", format!("{worst_stall:.0?}"));
}
