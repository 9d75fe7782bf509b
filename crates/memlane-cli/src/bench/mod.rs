//! `memlane bench`: what memlane costs on this machine, beside the machine's own floors, in less than a minute.
//!
//! Each figure stands beside a yardstick that does the same with nothing around it: a bare cache line for whoever
//! polls, a bare futex for whoever sleeps, `memcpy` for whoever copies, the C library's locks, the kernel's pipe. The
//! two are measured alternately, by processes of their own on a core each, and their medians are shown; no round is
//! left out.
//!
//! It works on a stage of its own beside the space, below `/dev/shm` unless `--space` says otherwise, never in the
//! space, and leaves nothing behind. With `--json`: `machine`, `remarks` (what spoils the figures), `rows`, each with
//! `what`, `unit`, `memlane` and `beside` (`median`, `p10`, `p90`, `rounds`) and `ratio`.

mod passing;
mod rows;
mod solo;
mod trips;
mod ways;
mod yardsticks;

mod figures;
mod ground;
mod machine;
mod players;
mod report;

use crate::context::{Context, Failures};
use crate::failure::{Exit, Failure, Outcome};
use crate::frame::interrupt::Interrupt;
use machine::Machine;
use players::Part;
use rows::ROWS;
use std::io::{self, IsTerminal, Write};

const ROUNDS: usize = 21;
const QUICK_ROUNDS: usize = 5;

/// Measure what memlane costs on this machine, beside the machine's own floors
///
/// Takes less than a minute and leaves the space alone. The machine should have nothing else to do.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArguments {
    /// Only the rows with this word: `lock`, `frames`, `polled`, `futex` …
    word: Option<String>,

    /// Fewer rounds: a first impression in some seconds
    #[arg(long)]
    quick: bool,

    /// Print the project's own goals, as Markdown
    #[arg(long, hide = true)]
    goals: bool,

    #[command(flatten)]
    part: Part,
}

impl BenchArguments {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        if let Some(played) = self.part.play(context) {
            return played;
        }
        let interrupt = Interrupt::listen()?;
        let word = self.word.as_deref().unwrap_or_default();
        let mut wanted: Vec<_> = (0..ROWS.len()).filter(|index| ROWS[*index].is_meant_by(word)).collect();
        if wanted.is_empty() {
            return Err(Failure::new(Exit::Usage, no_such_row(word)));
        }
        let mut machine = Machine::look()?;
        machine.remarks.iter().for_each(|remark| context.remark(remark));
        if machine.cores.len() < 2 {
            wanted.retain(|index| ROWS[*index].company() == 0);
        }
        let rounds = if self.quick { QUICK_ROUNDS } else { ROUNDS };
        let (mut measured, mut failures) = (Vec::new(), Failures::default());
        for (done, index) in wanted.iter().enumerate() {
            show_progress(ROWS[*index].what, done, wanted.len());
            match players::measure(context, &machine, &interrupt, *index, rounds) {
                Ok(Some(figures)) => measured.push((&ROWS[*index], figures)),
                Ok(None) => break,
                Err(failure) => failures.add(context, &failure.about(ROWS[*index].what)),
            }
        }
        erase_progress();
        if !interrupt.requested() {
            machine.look_again().iter().for_each(|remark| context.remark(remark));
        }
        match (context.json(), self.goals) {
            (true, goals) => report::print_json(context, &machine, &measured, goals)?,
            (false, true) => report::print_goals(context, &measured)?,
            (false, false) => report::print(context, &machine, &measured)?,
        }
        if interrupt.requested() {
            return Err(Failure::silent(Exit::Failure));
        }
        failures.outcome()
    }
}

fn no_such_row(word: &str) -> String {
    let mut names: Vec<_> = ROWS.iter().map(|row| row.what).collect();
    names.dedup();
    format!("nothing measured has `{word}` in its name; there are: {}", names.join("; "))
}

const ERASE_LINE: &str = "\r\x1b[K";

/// Where a person watches: which row is on.
fn show_progress(what: &str, done: usize, all: usize) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "{ERASE_LINE}{}/{all} {what} ", done + 1);
    }
}

fn erase_progress() {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "{ERASE_LINE}");
    }
}
