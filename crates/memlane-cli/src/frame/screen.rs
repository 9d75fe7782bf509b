//! The screen: a terminal that is drawn over again and again, and given back as it was.

use crate::failure::Outcome;
use std::io::{self, IsTerminal, Stdout, Write};
use terminal_size::{Height, Width, terminal_size};

/// The alternate screen, without a cursor and without lines that wrap.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// What comes between these two is shown at once, by terminals that can, and so does not flicker.
const BEGIN: &str = "\x1b[?2026h\x1b[H";
const END: &str = "\x1b[J\x1b[?2026l";
const END_OF_LINE: &str = "\x1b[0m\x1b[K";
/// Of a terminal that does not tell its size.
const USUAL_SIZE: (u32, u32) = (80, 24);

/// The terminal, while it is drawn on.
#[derive(Debug)]
pub(crate) struct Screen {
    output: Stdout,
}

/// Whether the standard output is a terminal that can be drawn on.
pub(crate) fn is_there() -> bool {
    let simple = std::env::var_os("TERM").is_none_or(|name| name == "dumb");
    io::stdout().is_terminal() && !simple
}

/// Columns and rows to draw on at present: the user may change them. The terminal's last column stays free,
/// because what erases the rest of a line would take a character there with it.
pub(crate) fn size() -> (u32, u32) {
    let (columns, rows) = match terminal_size() {
        Some((Width(columns), Height(rows))) if columns > 0 && rows > 0 => (columns.into(), rows.into()),
        _ => USUAL_SIZE,
    };
    (columns.saturating_sub(1).max(1), rows)
}

impl Screen {
    pub(crate) fn enter() -> Outcome<Self> {
        let mut screen = Self { output: io::stdout() };
        screen.write(ENTER)?;
        Ok(screen)
    }

    /// Shows these lines, from the top.
    pub(crate) fn show(&mut self, lines: &[String]) -> Outcome {
        let (_, rows) = size();
        let lines = lines.iter().take(rows as usize).map(String::as_str);
        let body = lines.collect::<Vec<_>>().join(&format!("{END_OF_LINE}\r\n"));
        self.write(&format!("{BEGIN}{body}{END_OF_LINE}{END}"))
    }

    fn write(&mut self, text: &str) -> Outcome {
        self.output.write_all(text.as_bytes())?;
        Ok(self.output.flush()?)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no tidying.
        let _ = self.write(LEAVE);
    }
}
