//! Lines, for output that is no terminal: what happened when it happened, and figures once a second.

use super::crew;
use crate::demo::board::Board;
use crate::failure::Outcome;
use crate::human;
use memlane::Space;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

/// How often something is looked at.
pub(super) const PERIOD: Duration = Duration::from_millis(100);
const FIGURES_PERIOD: Duration = Duration::from_secs(1);
/// Reports of the first half second are in by then.
const FIRST_FIGURES: Duration = Duration::from_millis(700);

/// What was printed so far.
#[derive(Debug)]
pub(super) struct Lines {
    directory: String,
    /// Events, once it has begun.
    told: Option<usize>,
    figures_due: Instant,
}

impl Lines {
    pub(super) fn of(space: &Space) -> Self {
        let directory = space.directory().display().to_string();
        Self { directory, told: None, figures_due: Instant::now() + FIRST_FIGURES }
    }

    pub(super) fn show(&mut self, board: &Board) -> Outcome {
        if self.told.is_none() {
            print(board.started.elapsed(), &format!("in a browser: {}", board.page))?;
            print(
                board.started.elapsed(),
                &format!("in a terminal: memlane --space {} top", self.directory),
            )?;
        }
        for event in board.story.iter().skip(self.told.unwrap_or_default()) {
            print(event.at, &event.text)?;
        }
        self.told = Some(board.story.len());
        if Instant::now() >= self.figures_due {
            self.figures_due += FIGURES_PERIOD;
            print(board.started.elapsed(), &figures(board))?;
            print(board.started.elapsed(), &crew::line(&board.tally))?;
        }
        Ok(())
    }
}

fn figures(board: &Board) -> String {
    let mut figures = String::new();
    for (number, viewer) in (1..).zip(&board.viewers) {
        let reading = &viewer.reading;
        let [half, ninety_nine] = [reading.half, reading.ninety_nine].map(human::duration);
        let separator = if number == 1 { "" } else { "; " };
        // Writing to a String cannot fail.
        let _ = write!(
            figures,
            "{separator}viewer {number}: {:.1} fps, p50 {half}, p99 {ninety_nine}, missed {}, torn {}",
            reading.rate, reading.missed, reading.torn
        );
    }
    figures
}

fn print(at: Duration, text: &str) -> Outcome {
    let mut output = io::stdout().lock();
    writeln!(output, "{:5.1} s  {text}", at.as_secs_f64())?;
    Ok(output.flush()?)
}
