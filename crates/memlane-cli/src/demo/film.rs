//! The film: four photographs side by side, past which the camera pans, again and again.
//!
//! Where each picture comes from is in `assets/README.md`.

use crate::failure::{Exit, Failure, Outcome};
use crate::frame::format::Encoding;
use crate::frame::picture;

/// Pixels of a row of a frame.
pub(super) const WIDTH: usize = 640;
/// Rows of a frame.
pub(super) const HEIGHT: usize = 404;
/// Frames a second.
pub(super) const RATE: f64 = 60.0;
/// Pixels that the camera moves on with each frame: past all pictures in eleven seconds.
const STEP: usize = 4;
/// Blue, green, red.
const PIXEL_BYTES: usize = 3;
const ROW_BYTES: usize = WIDTH * PIXEL_BYTES;

const PICTURES: [(&str, &[u8]); 4] = [
    ("a cat", include_bytes!("../../assets/cat.jpg")),
    ("a cup of coffee", include_bytes!("../../assets/coffee.jpg")),
    ("a rocket", include_bytes!("../../assets/rocket.jpg")),
    ("a thousand galaxies", include_bytes!("../../assets/galaxies.jpg")),
];

/// The pictures in one row, and the first of them once more at the end, so that no frame begins anew within a
/// row.
#[derive(Debug)]
pub(super) struct Film {
    strip: Vec<u8>,
}

impl Film {
    const STRIP_ROW_BYTES: usize = (PICTURES.len() + 1) * ROW_BYTES;

    pub(super) fn develop() -> Outcome<Self> {
        let mut strip = vec![0; HEIGHT * Self::STRIP_ROW_BYTES];
        let mut frame = vec![0; HEIGHT * ROW_BYTES];
        for (place, (name, file)) in PICTURES.iter().chain(PICTURES.first()).enumerate() {
            let decoded = image::load_from_memory(file);
            let decoded = decoded
                .map_err(|error| Failure::new(Exit::Failure, format!("the picture of {name}: {error}")))?;
            picture::to_frame(&decoded, Encoding::Bgr8, &mut frame);
            for (from, to) in frame.chunks_exact(ROW_BYTES).zip(strip.chunks_exact_mut(Self::STRIP_ROW_BYTES))
            {
                to[place * ROW_BYTES..][..ROW_BYTES].copy_from_slice(from);
            }
        }
        Ok(Self { strip })
    }

    /// Writes what the camera sees as frame number `sequence`; as many rows as there is room for.
    pub(super) fn expose(&self, sequence: u64, rows: &mut [u8]) {
        let start = position(sequence) * PIXEL_BYTES;
        for (from, to) in self.strip.chunks_exact(Self::STRIP_ROW_BYTES).zip(rows.chunks_exact_mut(ROW_BYTES))
        {
            to.copy_from_slice(&from[start..][..ROW_BYTES]);
        }
    }
}

/// What is in the middle of frame number `sequence`.
pub(super) fn subject(sequence: u64) -> &'static str {
    let middle = position(sequence) + WIDTH / 2;
    PICTURES[middle / WIDTH % PICTURES.len()].0
}

/// The leftmost pixel that the camera sees.
fn position(sequence: u64) -> usize {
    (sequence as usize).wrapping_mul(STEP) % (PICTURES.len() * WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_has_room_in_the_strip_and_differs_from_the_next() {
        let film = Film::develop().expect("pictures that are built in");
        let mut frames = [vec![0; HEIGHT * ROW_BYTES], vec![0; HEIGHT * ROW_BYTES]];
        for sequence in 0..=(PICTURES.len() * WIDTH / STEP) as u64 {
            let frame = (sequence % 2) as usize;
            film.expose(sequence, &mut frames[frame]);
            assert_ne!(frames[0], frames[1], "frame {sequence}");
        }
    }

    #[test]
    fn the_subject_is_what_fills_the_middle() {
        assert_eq!(subject(0), "a cat");
        assert_eq!(subject((WIDTH / STEP) as u64), "a cup of coffee");
        assert_eq!(subject((PICTURES.len() * WIDTH / STEP - 1) as u64), "a cat");
    }
}
