//! The terminal: taken for drawing, and given back as it was, however the command ends or is stopped.

use std::io::{self, Stdout};
use std::panic;
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{self, DisableMouseCapture, EnableMouseCapture, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;

use crate::failure::Outcome;

/// The longest that news waits to be shown.
const PATIENCE: Duration = Duration::from_millis(30);

/// The terminal, while it is drawn on.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    signals: Signals,
}

/// What the user, or another program, does.
pub(super) enum Happening {
    Event(Event),
    /// The command is to end.
    End,
    /// It is to be stopped, until it is told to go on.
    Stop,
}

impl Screen {
    pub(super) fn enter() -> Outcome<Self> {
        // Without SIGHUP: who has lost its terminal has nothing to give back, and crossterm reads its end for ever.
        let signals = Signals::new([SIGINT, SIGTERM, SIGTSTP])?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |report| {
            let _ = leave();
            usual(report);
        }));
        let screen = Self { terminal, signals };
        take()?;
        Ok(screen)
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Outcome {
        self.terminal.draw(draw)?;
        Ok(())
    }

    /// What has happened, after a moment of waiting for it.
    pub(super) fn happenings(&mut self) -> Outcome<Vec<Happening>> {
        let mut happened = Vec::new();
        let mut patience = PATIENCE;
        while event::poll(patience)? {
            happened.push(Happening::Event(event::read()?));
            patience = Duration::ZERO;
        }
        happened.extend(self.signals.pending().map(|signal| match signal {
            SIGTSTP => Happening::Stop,
            _ => Happening::End,
        }));
        Ok(happened)
    }

    /// Gives the terminal back and stops, as other programs do by Ctrl-Z; takes it again when told to go on.
    pub(super) fn stop(&mut self) -> Outcome {
        leave()?;
        // SIGTSTP is noted instead of stopping this process; this signal cannot be.
        kill_process(getpid(), Signal::STOP).map_err(io::Error::from)?;
        take()?;
        self.terminal.clear()?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no tidying.
        let _ = leave();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, Hide)
}

fn leave() -> io::Result<()> {
    let shown = execute!(io::stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
    disable_raw_mode().and(shown)
}
