//! Tells each story for every moment of its victim's operation.

use crate::caught::caught;
use crate::film::{Film, Moment};
use crate::report;
use crate::scenarios::{Deaths, Expected, Scenario};
use crate::stage::{Death, Record, Stage};
use crate::watchdog::{News, Watchdog};
use memlane::Space;
use rustix::thread::CpuSet;
use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Instructions of an operation up to which all of them are tried, unless all are asked for anyway.
const KILLS_IN_SHORT: usize = 1000;

/// One moment in this many may be missed.
const MOST_LATE: usize = 2;

/// More than any story has at once, few enough to be compared after each instruction.
const PARTICIPANTS: u16 = 8;

/// The scenarios' stage hand.
#[derive(Debug)]
pub(crate) struct Suite {
    space: Space,
    /// Holds the space; removed at the end.
    _directory: TempDir,
    watchdog: Watchdog,
    /// No moment is left out.
    long: bool,
}

/// What came of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) instructions: usize,
    pub(crate) images: Tellings,
    pub(crate) kills: Tellings,
    /// Every how many instructions a victim was killed.
    pub(crate) stride: usize,
    /// Of the slowest survivor.
    pub(crate) latency: Option<Duration>,
    pub(crate) seconds: f64,
}

/// How many deaths there were, and after how many an invariant was broken.
#[derive(Debug, Default)]
pub(crate) struct Tellings {
    pub(crate) told: usize,
    pub(crate) broken: usize,
    /// Moments that did not come again after they were filmed: a clock ticked, the allocator tidied up.
    pub(crate) late: usize,
}

impl Suite {
    pub(crate) fn new(long: bool) -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
        let directory = tempfile::Builder::new().prefix("memlane-crash-").tempdir_in(parent).unwrap();
        let space = Space::at(directory.path()).unwrap().participants(PARTICIPANTS);
        let watchdog = Watchdog::start(directory.path().to_owned());
        Self { space, _directory: directory, watchdog, long }
    }

    pub(crate) fn run(&self, scenarios: &[&Scenario]) -> ExitCode {
        stay_on_this_processor();
        report::headline();
        let mut passed = 0;
        let mut outcomes = Vec::new();
        for scenario in scenarios {
            let start = Instant::now();
            let mut performance = Performance { suite: self, scenario, passed, outcome: Outcome::default() };
            let result = performance.run();
            let outcome = Outcome { seconds: start.elapsed().as_secs_f64(), ..performance.outcome };
            report::scenario(scenario.name, &outcome, &result);
            passed += usize::from(result.is_ok());
            outcomes.push(outcome);
        }
        report::sums(&outcomes);
        report::total(passed, scenarios.len() - passed);
        if passed == scenarios.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Victim and tracer take turns at each instruction, and handing over to another processor costs many times
/// more. Where the system does not allow it, the suite only takes longer.
fn stay_on_this_processor() {
    let mut processors = CpuSet::new();
    processors.set(rustix::thread::sched_getcpu());
    let _ = rustix::thread::sched_setaffinity(None, &processors);
}

/// A scenario on its way.
#[derive(Debug)]
struct Performance<'a> {
    suite: &'a Suite,
    scenario: &'a Scenario,
    passed: usize,
    outcome: Outcome,
}

impl Performance<'_> {
    fn run(&mut self) -> Result<(), String> {
        // What the library sets up once a process is set up here, and inherited: all victims go the same way.
        self.tell(Death::At(Moment::START))?;
        let Record { film, kills, .. } = self.tell(Death::Filmed)?;
        let Some(film) = film else {
            self.outcome.kills.told = kills;
            return Ok(());
        };
        self.outcome.instructions = film.instructions.len().saturating_sub(1);
        if self.scenario.deaths == Deaths::AtEveryInstruction {
            for image in &film.images {
                let told = self.tell(Death::Photographed(image));
                self.scenario.expected.count(told, &mut self.outcome.images)?;
            }
        }
        for moment in self.moments(film) {
            let told = self.tell(Death::At(moment));
            self.scenario.expected.count(told, &mut self.outcome.kills)?;
        }
        self.scenario.expected.judge(&self.outcome)
    }

    /// Tells the story once.
    fn tell(&mut self, death: Death<'_>) -> Result<Record, String> {
        let doing = format!("{}, victim {death}", self.scenario.name);
        self.suite.watchdog.tell(News { doing: doing.clone(), passed: self.passed });
        let stage = Stage::new(&self.suite.space, self.scenario.file, death);
        caught(|| (self.scenario.story)(&stage)).map_err(|message| format!("{doing}: {message}"))?;
        let record = stage.into_record();
        self.outcome.latency = self.outcome.latency.max(record.latency);
        Ok(record)
    }

    /// When victims are killed.
    fn moments(&mut self, film: Film) -> Vec<Moment> {
        self.outcome.stride = match self.scenario.deaths {
            Deaths::AtEveryEffect | Deaths::ByTheStory => return film.effects,
            _ if self.suite.long => 1,
            _ => film.instructions.len() / KILLS_IN_SHORT + 1,
        };
        match self.outcome.stride {
            1 => film.instructions,
            stride => film.effects.into_iter().chain(film.instructions.into_iter().step_by(stride)).collect(),
        }
    }
}

impl Expected {
    /// Counts a telling; its failure is one of the scenario unless it is wanted.
    fn count(self, told: Result<Record, String>, tellings: &mut Tellings) -> Result<(), String> {
        tellings.told += 1;
        match (told, self) {
            (Ok(record), _) => {
                tellings.late += record.late;
                Ok(())
            }
            (Err(message), Self::Whole) => Err(message),
            (Err(_), Self::Broken) => {
                tellings.broken += 1;
                Ok(())
            }
        }
    }

    /// A control that finds nothing is a failure of the suite; so is a film of what never happens again.
    fn judge(self, Outcome { images, kills, .. }: &Outcome) -> Result<(), String> {
        if kills.late > kills.told / MOST_LATE {
            return Err(format!("{} of {} moments did not come again", kills.late, kills.told));
        }
        let noticed = |tellings: &Tellings| (1..tellings.told).contains(&tellings.broken);
        let blind = self == Self::Broken && !(noticed(kills) && (images.told == 0 || noticed(images)));
        if blind { Err("what is broken on purpose was not noticed".to_owned()) } else { Ok(()) }
    }
}
