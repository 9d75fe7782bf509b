//! The crew: armband, dispatcher and workers, seen from the demo. Whoever of them is killed, by whomever, is replaced;
//! and who sets the event [`regions::KILL_HOLDER`] has the holder of the arm killed.

use super::arm::Arm;
use super::board::{Board, Mood, ended_early};
use super::child::{Child, Message, News};
use super::message::Report;
use super::{Role, regions};
use crate::failure::Outcome;
use crate::stage::Stage;
use memlane::lock::LockState;
use memlane::{Event, Queue, Space, Value};
use std::sync::mpsc::Sender;

const ROLES: [Role; 4] = [Role::Sensor, Role::Dispatcher, Role::Worker, Role::Worker];

/// The processes, and what they share.
#[derive(Debug)]
pub(super) struct Crew {
    members: Vec<Member>,
    space: Space,
    jobs: Queue,
    arm: Arm,
    kill_holder: Event,
    /// The event was seen, and nobody was killed for it yet.
    is_wanted: bool,
    jobs_done: Value<u64>,
    jobs_again: Value<u64>,
}

#[derive(Debug)]
struct Member {
    role: Role,
    child: Child,
}

/// What is known of the crew.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// The armband's process, its samples so far, and how many a second.
    pub(super) sensor: u32,
    pub(super) samples: u64,
    pub(super) rate: f64,
    pub(super) workers: Vec<u32>,
    /// The process that has the arm.
    pub(super) holder: Option<u32>,
    /// What the counters say, which anybody may write: jobs, those that were handed out again, and holders of the arm
    /// whose death the next one was told of.
    pub(super) jobs_done: u64,
    pub(super) jobs_again: u64,
    pub(super) recoveries: u64,
    /// Holders of the arm that were killed for the event.
    pub(super) holders_killed: u64,
    /// What the workers themselves have said of the last two.
    pub(super) said_again: u64,
    pub(super) said_recovered: u64,
}

impl Tally {
    /// Whether another holder was killed, the next one told, and the job handed out again.
    pub(super) fn has_recovered_since(&self, before: &Self) -> bool {
        self.holders_killed > before.holders_killed
            && self.said_recovered > before.said_recovered
            && self.said_again > before.said_again
    }
}

impl Crew {
    pub(super) fn start(space: &Space, stage: &Stage, messages: &Sender<Message>) -> Outcome<Self> {
        let start = |role| Child::start(role, stage, messages).map(|child| Member { role, child });
        Ok(Self {
            space: space.clone(),
            jobs: regions::jobs(space)?,
            arm: Arm::open_or_create(space)?,
            kill_holder: regions::kill_holder(space)?,
            is_wanted: false,
            jobs_done: regions::jobs_done(space)?,
            jobs_again: regions::jobs_again(space)?,
            members: ROLES.into_iter().map(start).collect::<Outcome<_>>()?,
        })
    }

    /// Whether the process is one of them.
    pub(super) fn has(&self, pid: u32) -> bool {
        self.members.iter().any(|member| member.child.pid() == pid)
    }

    /// As the page does by its button.
    pub(super) fn ask_for_kill(&self) {
        self.kill_holder.set();
    }

    /// Notes what a member reports; replaces one that was ended by a signal, or by a queue that somebody closed. One
    /// that fails is the demo's failure.
    pub(super) fn note(
        &mut self,
        message: Message,
        board: &mut Board,
        stage: &Stage,
        messages: &Sender<Message>,
    ) -> Outcome {
        match message.news {
            News::Report(Report::Sent { sequence, rate }) => {
                (board.tally.samples, board.tally.rate) = (sequence, rate);
            }
            News::Report(Report::Again) => {
                board.tally.said_again += 1;
                board.tell(Mood::Good, "a job that the dead had not done went to another worker".to_owned());
            }
            News::Report(Report::Recovered(recovery)) => {
                board.tally.said_recovered += 1;
                board.tell(Mood::Good, recovery.to_string());
            }
            News::Report(_) => {}
            News::Gone(complaint) => {
                let gone = self.members.iter_mut().find(|member| member.child.pid() == message.pid);
                let Some(Member { role, child }) = gone else { return Ok(()) };
                // Who fails says why; who is ended by a signal has no time to.
                if !complaint.is_empty() {
                    return Err(ended_early(message.pid, &complaint));
                }
                if self.jobs.state().closed {
                    // There is no opening it again.
                    let _ = self.space.remove(regions::JOBS);
                    self.jobs = regions::jobs(&self.space)?;
                    board
                        .tell(Mood::Plain, format!("somebody has closed {}; it is made anew", regions::JOBS));
                }
                *child = Child::start(*role, stage, messages)?;
                let (old, new) = (message.pid, child.pid());
                board.tell(Mood::Plain, format!("process {new} takes the place of process {old}"));
            }
        }
        Ok(())
    }

    /// Looks at what they share, and does what the event asks for.
    pub(super) fn attend(&mut self, board: &mut Board) {
        self.answer_event(board);
        let pids = |role| {
            self.members.iter().filter(move |member| member.role == role).map(|member| member.child.pid())
        };
        board.tally = Tally {
            sensor: pids(Role::Sensor).next().unwrap_or_default(),
            workers: pids(Role::Worker).collect(),
            holder: living(&self.arm.state()),
            jobs_done: self.jobs_done.load(),
            jobs_again: self.jobs_again.load(),
            recoveries: self.arm.recoveries(),
            ..board.tally
        };
    }

    /// Kills the worker that has the arm, once one has it.
    fn answer_event(&mut self, board: &mut Board) {
        self.is_wanted |= self.kill_holder.try_wait();
        if !self.is_wanted {
            return;
        }
        let before = self.arm.state();
        let Some(pid) = living(&before) else { return };
        let Some(member) = self.members.iter_mut().find(|member| member.child.pid() == pid) else {
            self.is_wanted = false;
            board.tell(
                Mood::Plain,
                format!("process {pid}, which has the arm, is no worker of the demo, and lives"),
            );
            return;
        };
        member.child.kill();
        let after = self.arm.state();
        // It may have given the arm back just before; then the next holder is meant.
        let had_it = after.recoveries > before.recoveries
            || after.holder.is_some_and(|holder| holder.participant.pid == pid);
        if had_it {
            self.is_wanted = false;
            board.tally.holders_killed += 1;
            board.tell(Mood::Bad, format!("process {pid} is killed by SIGKILL while it has the arm"));
        }
    }
}

/// The process that has the lock. A dead one has it no longer for whoever asks next.
fn living(lock: &LockState) -> Option<u32> {
    lock.holder
        .as_ref()
        .map(|holder| &holder.participant)
        .filter(|holder| holder.alive)
        .map(|holder| holder.pid)
}
