//! The display: a screen full of it, or lines, depending on where the output goes.

mod crew;
mod full;
mod lines;

use super::board::Board;
use crate::context::Context;
use crate::failure::Outcome;
use crate::frame::screen;
use full::FullScreen;
use lines::Lines;
use memlane::Space;
use std::time::{Duration, Instant};

/// What the board is shown on.
pub(super) struct Display {
    surface: Surface,
    next: Instant,
}

enum Surface {
    Full(Box<FullScreen>),
    Lines(Lines),
    /// For `--json`, whose output is one document.
    Nothing,
}

/// Whether somebody looks at a screen, and so says when it is enough.
pub(super) fn is_screen(context: &Context) -> bool {
    !context.json() && context.colour() && screen::is_there()
}

impl Display {
    pub(super) fn open(context: &Context, space: Space) -> Outcome<Self> {
        let surface = if context.json() {
            Surface::Nothing
        } else if is_screen(context) {
            Surface::Full(Box::new(FullScreen::open(space)?))
        } else {
            Surface::Lines(Lines::of(&space))
        };
        Ok(Self { surface, next: Instant::now() })
    }

    /// When something new may be shown.
    pub(super) fn next_refresh(&self) -> Instant {
        self.next
    }

    /// Shows the board as it is, if it is time to.
    pub(super) fn refresh(&mut self, board: &Board) -> Outcome {
        let now = Instant::now();
        if now < self.next {
            return Ok(());
        }
        self.next = now + self.period();
        self.show(board)
    }

    /// Shows the board as it is: at the end, so that nothing is left out.
    pub(super) fn show(&mut self, board: &Board) -> Outcome {
        match &mut self.surface {
            Surface::Full(screen) => screen.show(board),
            Surface::Lines(lines) => lines.show(board),
            Surface::Nothing => Ok(()),
        }
    }

    fn period(&self) -> Duration {
        match self.surface {
            Surface::Full(_) => full::PERIOD,
            Surface::Lines(_) | Surface::Nothing => lines::PERIOD,
        }
    }
}
