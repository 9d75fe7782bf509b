//! Pictures in a terminal: two pixels in each character, the upper half block in the upper pixel's colour on
//! the lower one's.

use image::{Rgb, RgbImage, imageops};
use std::fmt::Write;

/// A character cell of usual fonts is twice as high as wide, so that half of one is a square.
pub(crate) const UPPER_HALF: char = '▀';
const RESET: &str = "\x1b[0m";

/// The colours of the upper and the lower pixel in a character.
pub(crate) type Pair = (Rgb<u8>, Rgb<u8>);

/// How many columns and rows a picture takes that fills a box but keeps its shape.
pub(crate) fn fit(picture: (u32, u32), columns: u32, rows: u32) -> (u32, u32) {
    let (width, height) = (u64::from(picture.0.max(1)), u64::from(picture.1.max(1)));
    let (columns, half_rows) = (u64::from(columns.max(1)), 2 * u64::from(rows.max(1)));
    let flat = columns * height <= half_rows * width;
    let (across, down) =
        if flat { (columns, columns * height / width) } else { (half_rows * width / height, half_rows) };
    (across.max(1) as u32, (down.max(2) / 2) as u32)
}

/// The lines of a picture scaled to so many columns and rows; each ends with the terminal's own colours.
pub(crate) fn draw(picture: &RgbImage, columns: u32, rows: u32) -> Vec<String> {
    cells(picture, columns, rows).iter().map(|pairs| line(pairs)).collect()
}

/// The same as colours: of each character's upper and lower pixel.
pub(crate) fn cells(picture: &RgbImage, columns: u32, rows: u32) -> Vec<Vec<Pair>> {
    let small = imageops::thumbnail(picture, columns, 2 * rows);
    let pair = |row, column| (*small.get_pixel(column, 2 * row), *small.get_pixel(column, 2 * row + 1));
    (0..rows).map(|row| (0..columns).map(|column| pair(row, column)).collect()).collect()
}

fn line(pairs: &[Pair]) -> String {
    let mut line = String::new();
    let mut before = None;
    for pair in pairs {
        // Colours stay until changed: a plain sky costs a few bytes.
        if before != Some(pair) {
            colour(&mut line, *pair);
            before = Some(pair);
        }
        line.push(UPPER_HALF);
    }
    line + RESET
}

fn colour(line: &mut String, (upper, lower): Pair) {
    let ([red, green, blue], [under_red, under_green, under_blue]) = (upper.0, lower.0);
    // Writing to a String cannot fail.
    let _ = write!(line, "\x1b[38;2;{red};{green};{blue};48;2;{under_red};{under_green};{under_blue}m");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_shape_in_every_box() {
        assert_eq!(fit((640, 404), 80, 24), (76, 24));
        assert_eq!(fit((640, 404), 40, 24), (40, 12));
        assert_eq!(fit((404, 640), 80, 24), (30, 24));
        assert_eq!(fit((10_000, 1), 80, 24), (80, 1));
        assert_eq!(fit((1, 10_000), 80, 24), (1, 24));
        assert_eq!(fit((0, 0), 0, 0), (1, 1));
    }

    #[test]
    fn upper_and_lower_pixels_are_in_one_character() {
        let picture = RgbImage::from_fn(2, 2, |_, y| if y == 0 { Rgb([1, 2, 3]) } else { Rgb([4, 5, 6]) });
        assert_eq!(draw(&picture, 2, 1), ["\x1b[38;2;1;2;3;48;2;4;5;6m▀▀\x1b[0m"]);
    }
}
