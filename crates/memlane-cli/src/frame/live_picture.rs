//! A live picture: the terminal as a window onto a frame channel.

use super::format::Format;
use super::half_blocks;
use super::screen::{self, Screen};
use crate::failure::Outcome;
use image::DynamicImage;
use memlane::schema::Schema;
use std::time::{Duration, Instant};

/// More pictures a second only cost: no terminal shows them.
const PERIOD: Duration = Duration::from_millis(50);
/// The same, in pictures a second.
pub(super) const RATE: f64 = 1.0 / PERIOD.as_secs_f64();

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
        let (columns, rows) = fit(picture.dimensions());
        let mut lines = half_blocks::draw(&picture, columns, rows);
        lines.push(line.to_owned());
        self.screen.show(&lines)
    }
}

/// So many pixels in each direction of a picture fall into one of the terminal's, and can be made one before.
pub(super) fn scale(schema: &Schema) -> Option<u32> {
    let format = Format::of_schema(schema)?;
    let (width, height) = (format.width as u32, format.height as u32);
    let (columns, rows) = fit((width, height));
    let scale = (width / columns).min(height / (2 * rows));
    (scale > 1).then_some(scale)
}

/// The columns and rows that a picture takes above the line.
fn fit(picture: (u32, u32)) -> (u32, u32) {
    let (columns, rows) = screen::size();
    half_blocks::fit(picture, columns, rows.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::format::Encoding;

    #[test]
    fn a_picture_made_smaller_still_fills_the_terminal() {
        for (width, height) in [(640, 404), (4000, 3000), (3000, 4000), (1, 9000), (20, 10)] {
            let format = Format { width, height, encoding: Encoding::Bgr8 };
            let spec = format.spec();
            let factor = scale(spec.schema().expect("a picture"));
            let (columns, rows) = fit((width as u32, height as u32));
            let fills = |factor: u32| width as u32 / factor >= columns && height as u32 / factor >= 2 * rows;
            assert!(factor.is_none_or(|factor| factor > 1 && fills(factor)), "{width}×{height}: {factor:?}");
            assert!(!fills(factor.unwrap_or(1) + 1), "{width}×{height}: {factor:?}");
        }
        let jpeg = "[1024]|u1 encoding=\"jpeg\"".parse().expect("a schema");
        assert_eq!(scale(&jpeg), None);
    }
}
