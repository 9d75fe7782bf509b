//! The summary: what was promised, what was seen, and whether the two are the same.

use super::board::{Board, Takeover, Viewer};
use super::crew::Tally;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::human;
use serde_json::{Value, json};

/// The counter that the viewers raise together, and that anybody may write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter {
    pub(super) counted: u64,
    /// How often it was changed, by whomever.
    pub(super) changes: u64,
}

impl Counter {
    /// How often somebody else wrote it, after the viewers have ended.
    fn written(self, board: &Board) -> u64 {
        self.changes.saturating_sub(received(board))
    }
}

/// Says what was seen; fails when it is not what was promised.
pub(super) fn conclude(context: &Context, board: &Board, counter: Counter) -> Outcome {
    let broken = broken_promises(board, counter);
    if context.json() {
        context.print(to_json(board, counter, &broken))?;
    } else {
        for line in lines(board, counter) {
            context.print(line)?;
        }
    }
    if broken.is_empty() {
        return if context.json() { Ok(()) } else { context.print("Every promise was kept.") };
    }
    Err(Failure::new(Exit::Failure, format!("the demo did not keep its promises: {}", broken.join("; "))))
}

fn broken_promises(board: &Board, counter: Counter) -> Vec<String> {
    let mut broken = Vec::new();
    // Who looks as long as he likes has promised nothing.
    if board.takeovers.is_empty() && board.length.is_some() {
        broken.push("it ended before a publisher was killed and replaced".to_owned());
    }
    let torn = torn(board);
    if torn > 0 {
        broken.push(format!("{torn} frames were torn"));
    }
    if board.spoilt > 0 {
        broken.push(format!("{} frames changed while they were held", board.spoilt));
    }
    let (received, counted) = (received(board), counter.counted);
    // What it says after somebody wrote it is nobody's promise.
    if counted != received && counter.written(board) == 0 {
        broken.push(format!("the counter says {counted}, but {received} frames were received"));
    }
    broken
}

fn lines(board: &Board, counter: Counter) -> Vec<String> {
    let mut lines: Vec<_> =
        (1..).zip(&board.viewers).map(|(number, viewer)| viewer_line(number, viewer)).collect();
    lines.extend(takeover_line(&board.takeovers));
    if !board.takeovers.is_empty() {
        let state = if board.spoilt == 0 { "untouched" } else { "CHANGED" };
        lines.push(format!("held      frames in the viewers' hands when the publisher was killed: {state}"));
    }
    lines.push(format!(
        "torn      {} of {} frames, every byte of each checked",
        torn(board),
        received(board)
    ));
    let written = match counter.written(board) {
        0 => String::new(),
        times => format!(", and written {} by somebody else", human::count(times as usize, "time")),
    };
    lines.push(format!("counter   {}, raised by both viewers for each frame{written}", counter.counted));
    let Tally { samples, rate, jobs_done, jobs_again, recoveries, .. } = &board.tally;
    lines.push(format!("armband   {samples} samples of 8 channels, {rate:.1} a second"));
    lines.push(format!(
        "arm       deaths of its holder after which the next one put the parts right: {recoveries}"
    ));
    lines.push(format!("jobs      {jobs_done} done, {jobs_again} handed out again after a worker's death"));
    lines
}

fn takeover_line(takeovers: &[Takeover]) -> Option<String> {
    let gap = |takeover: &Takeover| takeover.gap;
    let [shortest, longest] = [takeovers.iter().map(gap).min()?, takeovers.iter().map(gap).max()?];
    let [shortest, longest] = [shortest, longest].map(human::duration);
    Some(match takeovers {
        [Takeover { sequence, .. }] => {
            format!("takeover  {longest} from SIGKILL to frame {sequence}, half written by the dead")
        }
        many => {
            format!("takeover  {} times, {shortest} to {longest} from SIGKILL to the next frame", many.len())
        }
    })
}

fn viewer_line(number: usize, viewer: &Viewer) -> String {
    let reading = &viewer.reading;
    let [half, ninety_nine] = [reading.half, reading.ninety_nine].map(human::duration);
    format!(
        "viewer {number}  {} frames, {:.1} fps, missed {}, latency p50 {half}, p99 {ninety_nine}",
        reading.frames, reading.rate, reading.missed
    )
}

fn to_json(board: &Board, counter: Counter, broken: &[String]) -> Value {
    let takeovers = board.takeovers.iter().map(
        |takeover| json!({ "frame": takeover.sequence, "milliseconds": takeover.gap.as_secs_f64() * 1e3 }),
    );
    json!({
        "held": broken.is_empty(),
        "broken": broken,
        "seconds": board.started.elapsed().as_secs_f64(),
        "viewers": board.viewers.iter().map(viewer_to_json).collect::<Vec<_>>(),
        "takeovers": takeovers.collect::<Vec<_>>(),
        "torn": torn(board),
        "changed_while_held": board.spoilt,
        "counted": counter.counted,
        "counter_written": counter.written(board),
        "samples": board.tally.samples,
        "holders_killed": board.tally.holders_killed,
        "recoveries": board.tally.recoveries,
        "jobs": { "done": board.tally.jobs_done, "again": board.tally.jobs_again },
    })
}

fn viewer_to_json(viewer: &Viewer) -> Value {
    let reading = &viewer.reading;
    let [half, ninety_nine, longest] =
        [reading.half, reading.ninety_nine, reading.longest].map(|duration| duration.as_nanos() as f64 / 1e3);
    json!({
        "frames": reading.frames,
        "fps": reading.rate,
        "missed": reading.missed,
        "torn": reading.torn,
        "latency_us": { "p50": half, "p99": ninety_nine, "max": longest },
    })
}

fn torn(board: &Board) -> u64 {
    board.viewers.iter().map(|viewer| viewer.reading.torn).sum()
}

fn received(board: &Board) -> u64 {
    board.viewers.iter().map(|viewer| viewer.reading.frames).sum()
}
