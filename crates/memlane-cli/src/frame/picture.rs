//! Pictures: between the bytes of frames, picture files, and what terminals draw.

use super::format::{Encoding, Format};
use crate::failure::{Exit, Failure, Outcome};
use image::{DynamicImage, ImageBuffer, ImageFormat, ImageReader};
use memlane::schema::Schema;
use std::fmt::Display;
use std::io::Cursor;
use std::path::Path;

/// Reads a picture file of any format that is known, by its content rather than its name.
pub(crate) fn load(path: &Path) -> Outcome<DynamicImage> {
    let opened = ImageReader::open(path).map_err(|error| {
        let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failure };
        Failure::new(exit, format!("the picture {} cannot be opened: {error}", path.display()))
    })?;
    let unreadable = |error: &dyn Display| {
        let path = path.display();
        Failure::new(Exit::Failure, format!("{path} is not a PNG or JPEG picture that can be read: {error}"))
    };
    let guessed = opened.with_guessed_format().map_err(|error| unreadable(&error))?;
    guessed.decode().map_err(|error| unreadable(&error))
}

/// Writes a picture's pixels over a frame of that encoding and the picture's size.
pub(crate) fn to_frame(picture: &DynamicImage, encoding: Encoding, frame: &mut [u8]) {
    match encoding {
        Encoding::Rgb8 => frame.copy_from_slice(&picture.to_rgb8()),
        Encoding::Rgba8 => frame.copy_from_slice(&picture.to_rgba8()),
        Encoding::Mono8 => frame.copy_from_slice(&picture.to_luma8()),
        Encoding::Bgr8 => {
            frame.copy_from_slice(&picture.to_rgb8());
            swap_red_and_blue(frame, encoding);
        }
        Encoding::Bgra8 => {
            frame.copy_from_slice(&picture.to_rgba8());
            swap_red_and_blue(frame, encoding);
        }
        Encoding::Mono16 => {
            for (bytes, sample) in frame.chunks_exact_mut(2).zip(picture.to_luma16().iter()) {
                bytes.copy_from_slice(&sample.to_le_bytes());
            }
        }
    }
}

/// The picture that a frame of a channel with that schema is.
pub(crate) fn of_frame(schema: &Schema, frame: &[u8]) -> Outcome<DynamicImage> {
    if let Some(format) = Format::of_schema(schema) {
        return of_pixels(format, frame).ok_or_else(|| no_picture(schema, "its size does not fit"));
    }
    let packed = match schema.encoding() {
        Some("jpeg") => ImageFormat::Jpeg,
        Some("png") => ImageFormat::Png,
        _ => return Err(no_picture(schema, "its encoding is not known")),
    };
    image::load_from_memory_with_format(frame, packed).map_err(|error| no_picture(schema, &error.to_string()))
}

/// The picture that these bytes are; `None` if there are not as many as the format asks for.
pub(crate) fn of_pixels(format: Format, frame: &[u8]) -> Option<DynamicImage> {
    if frame.len() != format.bytes() {
        return None;
    }
    let (width, height) = (format.width as u32, format.height as u32);
    let mut bytes = frame.to_vec();
    swap_red_and_blue(&mut bytes, format.encoding);
    match format.encoding {
        Encoding::Rgb8 | Encoding::Bgr8 => {
            ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8)
        }
        Encoding::Rgba8 | Encoding::Bgra8 => {
            ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgba8)
        }
        Encoding::Mono8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8),
        Encoding::Mono16 => {
            let samples = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            ImageBuffer::from_raw(width, height, samples).map(DynamicImage::ImageLuma16)
        }
    }
}

/// Writes a picture file, a PNG unless the name says JPEG.
pub(crate) fn save(picture: &DynamicImage, path: &Path) -> Outcome {
    let format = ImageFormat::from_path(path).unwrap_or(ImageFormat::Png);
    let mut encoded = Cursor::new(Vec::new());
    // JPEG has neither opacity nor sixteen bits.
    let written = match format {
        ImageFormat::Jpeg => picture.to_rgb8().write_to(&mut encoded, format),
        _ => picture.write_to(&mut encoded, format),
    };
    written.map_err(|error| not_saved(path, &error))?;
    write_file(path, encoded.get_ref())
}

/// Writes a frame of a channel with that schema as a picture file. One that is a picture file already goes
/// out as it is, when the name asks for no other format.
pub(crate) fn save_frame(schema: &Schema, frame: &[u8], path: &Path) -> Outcome {
    let wanted = ImageFormat::from_path(path).ok();
    match (schema.encoding(), wanted) {
        (Some("jpeg"), Some(ImageFormat::Jpeg)) | (Some("png"), Some(ImageFormat::Png)) => {
            write_file(path, frame)
        }
        _ => save(&of_frame(schema, frame)?, path),
    }
}

/// Blue, green, red from red, green, blue, and back; nothing for other encodings.
fn swap_red_and_blue(pixels: &mut [u8], encoding: Encoding) {
    if matches!(encoding, Encoding::Bgr8 | Encoding::Bgra8) {
        for pixel in pixels.chunks_exact_mut(encoding.channels()) {
            pixel.swap(0, 2);
        }
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Outcome {
    std::fs::write(path, bytes).map_err(|error| not_saved(path, &error))
}

fn not_saved(path: &Path, error: &dyn Display) -> Failure {
    Failure::new(Exit::Failure, format!("the picture {} cannot be saved: {error}", path.display()))
}

fn no_picture(schema: &Schema, why: &str) -> Failure {
    let known = "bgr8, rgb8, bgra8, rgba8, mono8, mono16, jpeg and png";
    Failure::new(
        Exit::Mismatch,
        format!("a frame with the schema {schema} is no picture: {why}; {known} can be shown"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green, blue, white; a row each of two.
    fn four_pixels() -> DynamicImage {
        let bytes = vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
        DynamicImage::ImageRgb8(ImageBuffer::from_raw(2, 2, bytes).expect("twelve bytes"))
    }

    fn through(encoding: Encoding) -> (Vec<u8>, DynamicImage) {
        let format = Format { width: 2, height: 2, encoding };
        let mut frame = vec![7; format.bytes()];
        to_frame(&four_pixels(), encoding, &mut frame);
        let picture = of_pixels(format, &frame).expect("a frame of that format");
        (frame, picture)
    }

    #[test]
    fn colours_survive_every_encoding_that_has_them() {
        for encoding in [Encoding::Bgr8, Encoding::Rgb8, Encoding::Bgra8, Encoding::Rgba8] {
            assert_eq!(through(encoding).1.to_rgb8(), four_pixels().to_rgb8(), "{encoding:?}");
        }
    }

    #[test]
    fn samples_lie_where_the_encoding_says() {
        assert_eq!(through(Encoding::Bgr8).0[..6], [0, 0, 255, 0, 255, 0]);
        assert_eq!(through(Encoding::Rgb8).0[..6], [255, 0, 0, 0, 255, 0]);
        assert_eq!(through(Encoding::Bgra8).0[..8], [0, 0, 255, 255, 0, 255, 0, 255]);
        assert_eq!(through(Encoding::Mono8).0.last(), Some(&255));
        assert_eq!(through(Encoding::Mono16).0[6..], [255, 255]);
        assert_eq!(through(Encoding::Mono16).1.to_luma16(), four_pixels().to_luma16());
    }

    #[test]
    fn a_frame_of_another_size_is_no_picture() {
        let format = Format { width: 2, height: 2, encoding: Encoding::Rgb8 };
        assert!(of_pixels(format, &[0; 11]).is_none());
    }
}
