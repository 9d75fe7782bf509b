//! The processes of a row: this program once more as the leader, which measures, and as those who follow it.
//!
//! They are processes of their own so that the command stays free to hear Ctrl-C, and may be given up at any moment:
//! whoever spins or sleeps in one of them is killed. They end with the command, too, if it is killed itself.

use super::figures::Figures;
use super::ground::Ground;
use super::machine::{Machine, pin};
use super::rows::{ROWS, Row};
use super::yardsticks::refused;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::frame::interrupt::{Interrupt, LOOK_PERIOD};
use crate::stage::Stage;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A row takes a second or two. One that takes so long measures what else the machine does.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a process of a row is told on its command line.
#[derive(Debug, clap::Args)]
pub(super) struct Part {
    /// Which row it plays in
    #[arg(long, hide = true)]
    row: Option<usize>,

    /// Whether it follows the leader
    #[arg(long, hide = true)]
    follow: bool,

    /// The core it runs on
    #[arg(long, hide = true, default_value_t = 0)]
    core: usize,

    #[arg(long, hide = true, default_value_t = 1)]
    rounds: usize,

    /// The process that started it, with which it ends
    #[arg(long, hide = true, default_value_t = 0)]
    parent: i32,
}

impl Part {
    /// Plays it, if this process has one.
    pub(super) fn play(&self, context: &Context) -> Option<Outcome> {
        self.row.and_then(|index| ROWS.get(index)).map(|row| self.play_in(row, context))
    }

    fn play_in(&self, row: &Row, context: &Context) -> Outcome {
        set_parent_process_death_signal(Some(Signal::KILL)).map_err(refused)?;
        // The parent that is gone already sends no signal any more.
        if getppid() != Pid::from_raw(self.parent) {
            return Err(Failure::silent(Exit::Failure));
        }
        pin(self.core)?;
        let directory = context.space()?.directory().to_owned();
        let ground = Ground::new(directory, self.rounds, row.company())?;
        match row.others {
            Some(others) if self.follow => (others.work)(&ground),
            _ => context.print((row.measure)(&ground)?.told()),
        }
    }
}

/// Plays a row on a stage of its own; `None` when the user does not want to wait for it.
pub(super) fn measure(
    context: &Context,
    machine: &Machine,
    interrupt: &Interrupt,
    index: usize,
    rounds: usize,
) -> Outcome<Option<Figures>> {
    let stage = Stage::beside(context.directory(), "bench", context.self_command())?;
    let (first, second) = (machine.cores.first(), machine.cores.last());
    let (sender, ends) = channel();
    let start = |core: Option<&usize>, follow: bool| {
        let core = core.copied().unwrap_or_default();
        Player::start(&stage, index, follow, core, rounds, &sender)
    };
    let followers = (0..ROWS[index].company()).map(|_| start(second, true)).collect::<Outcome<Vec<_>>>()?;
    let mut players = vec![start(first, false)?];
    players.extend(followers);
    drop(sender);
    let begun = Instant::now();
    loop {
        if interrupt.requested() {
            return Ok(None);
        }
        if begun.elapsed() > PATIENCE {
            return Err(failed(
                "the cores are not free, and two that poll wait for each other's turn on them",
            ));
        }
        let end = match ends.recv_timeout(LOOK_PERIOD) {
            Ok(end) => end,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Err(failed("all its processes ended")),
        };
        let player = players.iter_mut().find(|player| player.process.id() == end.pid);
        let succeeded =
            player.is_some_and(|player| player.process.wait().is_ok_and(|status| status.success()));
        if !succeeded {
            return Err(failed(end.complaint.trim().trim_start_matches("memlane: ")));
        }
        if end.pid == players[0].process.id() {
            let figures = Figures::heard(&end.output);
            return figures.map(Some).ok_or_else(|| failed("its process told no figures"));
        }
    }
}

fn failed(why: &str) -> Failure {
    Failure::new(Exit::Failure, format!("could not be measured: {why}"))
}

/// What a process said, all of it, at its end.
struct End {
    pid: u32,
    output: String,
    complaint: String,
}

/// A process of a row; it does not outlive this value.
struct Player {
    process: Child,
}

impl Player {
    fn start(
        stage: &Stage,
        row: usize,
        follow: bool,
        core: usize,
        rounds: usize,
        ends: &Sender<End>,
    ) -> Outcome<Self> {
        let not_started =
            |error: std::io::Error| failed(&format!("this program cannot be started again: {error}"));
        let mut command = stage.program().map_err(not_started)?;
        command.arg("--space").arg(stage.directory()).arg("bench");
        for (option, value) in [("--row", row), ("--core", core), ("--rounds", rounds)] {
            command.arg(option).arg(value.to_string());
        }
        command.arg("--parent").arg(std::process::id().to_string()).args(follow.then_some("--follow"));
        // Ctrl-C is for the command, which ends them.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(not_started)?;
        let (pid, ends) = (process.id(), ends.clone());
        let (output, complaint) = (process.stdout.take(), process.stderr.take());
        thread::spawn(move || {
            let end = End { pid, output: all_of(output), complaint: all_of(complaint) };
            // Nobody listens when another one failed.
            let _ = ends.send(end);
        });
        Ok(Self { process })
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn all_of(pipe: Option<impl Read>) -> String {
    let mut text = String::new();
    if let Some(mut pipe) = pipe {
        let _ = pipe.read_to_string(&mut text);
    }
    text
}
