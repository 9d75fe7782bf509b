//! Picture files as frames: one, or a folder's in the order of their names.

use crate::failure::{Exit, Failure, Outcome};
use crate::frame::format::{Encoding, Format};
use crate::frame::picture;
use image::DynamicImage;
use image::imageops::FilterType;
use std::path::{Path, PathBuf};

const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];
/// Decoded frames are kept up to so many bytes, so that a loop over a few pictures is not held up by
/// decoding.
const KEPT_BYTES_MAX: usize = 256 << 20;

/// Pictures of one size.
#[derive(Debug)]
pub(in crate::frame) struct Pictures {
    paths: Vec<PathBuf>,
    format: Format,
    scaled: bool,
    repeat: bool,
    next: usize,
    /// The frames of the first pictures.
    kept: Vec<Vec<u8>>,
}

impl Pictures {
    /// The size is the first picture's, unless all are to be scaled to one.
    pub(super) fn open(
        source: &Path,
        size: Option<(u32, u32)>,
        encoding: Encoding,
        repeat: bool,
    ) -> Outcome<Self> {
        let paths = paths_of(source)?;
        let Some(first) = paths.first() else {
            let message = format!(
                "the folder {} has no pictures; it needs files ending in png, jpg or jpeg",
                source.display()
            );
            return Err(Failure::new(Exit::NotFound, message));
        };
        let (width, height) = match size {
            Some(size) => size,
            None => size_of_picture(&picture::load(first)?),
        };
        let format = Format { width: width as usize, height: height as usize, encoding };
        Ok(Self { paths, format, scaled: size.is_some(), repeat, next: 0, kept: Vec::new() })
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn next_into(&mut self, frame: &mut [u8]) -> Outcome<bool> {
        if self.next == self.paths.len() && self.repeat {
            self.next = 0;
        }
        let Some(path) = self.paths.get(self.next) else { return Ok(false) };
        if let Some(kept) = self.kept.get(self.next) {
            frame.copy_from_slice(kept);
        } else {
            self.decode(path, frame)?;
            self.keep(frame);
        }
        self.next += 1;
        Ok(true)
    }

    fn decode(&self, path: &Path, frame: &mut [u8]) -> Outcome {
        let (width, height) = (self.format.width as u32, self.format.height as u32);
        let mut decoded = picture::load(path)?;
        if size_of_picture(&decoded) != (width, height) {
            if !self.scaled {
                return Err(other_size(path, &decoded, self.format));
            }
            decoded = decoded.resize_exact(width, height, FilterType::Triangle);
        }
        picture::to_frame(&decoded, self.format.encoding, frame);
        Ok(())
    }

    fn keep(&mut self, frame: &[u8]) {
        let wanted = self.repeat && self.kept.len() == self.next;
        if wanted && (self.kept.len() + 1) * frame.len() <= KEPT_BYTES_MAX {
            self.kept.push(frame.to_vec());
        }
    }
}

/// The file itself, or the pictures in a folder, sorted.
fn paths_of(source: &Path) -> Outcome<Vec<PathBuf>> {
    if !source.is_dir() {
        return Ok(vec![source.to_owned()]);
    }
    let unreadable = |error| {
        Failure::new(Exit::Failure, format!("the folder {} cannot be read: {error}", source.display()))
    };
    let entries = std::fs::read_dir(source).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(unreadable)?;
    paths.retain(|path| is_picture(path));
    paths.sort_unstable();
    Ok(paths)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    EXTENSIONS.contains(&extension.as_str()) && path.is_file()
}

fn size_of_picture(picture: &DynamicImage) -> (u32, u32) {
    (picture.width(), picture.height())
}

fn other_size(path: &Path, found: &DynamicImage, expected: Format) -> Failure {
    let (width, height) = size_of_picture(found);
    let message = format!(
        "{} has {width}×{height} pixels, but the frames have {}×{}; give --width and --height to scale all pictures",
        path.display(),
        expected.width,
        expected.height
    );
    Failure::new(Exit::Mismatch, message)
}
