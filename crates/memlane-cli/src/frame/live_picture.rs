//! A live picture: the terminal as a window onto a frame channel.

use super::half_blocks;
use super::screen::{self, Screen};
use crate::failure::Outcome;
use image::DynamicImage;
use std::time::{Duration, Instant};

/// More pictures a second only cost: no terminal shows them.
const PERIOD: Duration = Duration::from_millis(50);

/// The screen, and when it was drawn.
#[derive(Debug)]
pub(super) struct LivePicture {
    screen: Screen,
    drawn: Option<Instant>,
}

impl LivePicture {
    pub(super) fn open() -> Outcome<Self> {
        Ok(Self { screen: Screen::enter()?, drawn: None })
    }

    /// Whether a new picture is worth being made.
    pub(super) fn is_due(&self) -> bool {
        self.drawn.is_none_or(|drawn| drawn.elapsed() >= PERIOD)
    }

    /// Draws the picture as large as it goes, above the line.
    pub(super) fn draw(&mut self, picture: DynamicImage, line: &str) -> Outcome {
        self.drawn = Some(Instant::now());
        let picture = picture.into_rgb8();
        let (columns, rows) = screen::size();
        let (columns, rows) = half_blocks::fit(picture.dimensions(), columns, rows.saturating_sub(1));
        let mut lines = half_blocks::draw(&picture, columns, rows);
        lines.push(line.to_owned());
        self.screen.show(&lines)
    }
}
