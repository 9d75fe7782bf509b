//! Formats: what the bytes of a frame mean, as the command line says it and as a channel's schema does.

use crate::failure::{Exit, Failure, Outcome};
use memlane::FrameSpec;
use memlane::schema::{Primitive, Schema};

/// How a pixel's samples follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Encoding {
    /// Blue, green, red, a byte each, as OpenCV has it.
    Bgr8,
    /// Red, green, blue.
    Rgb8,
    /// Blue, green, red, opacity.
    Bgra8,
    /// Red, green, blue, opacity.
    Rgba8,
    /// Brightness in a byte.
    Mono8,
    /// Brightness in two bytes, the lower one first.
    Mono16,
}

impl Encoding {
    const ALL: [Self; 6] = [Self::Bgr8, Self::Rgb8, Self::Bgra8, Self::Rgba8, Self::Mono8, Self::Mono16];

    /// As schemas spell it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bgr8 => "bgr8",
            Self::Rgb8 => "rgb8",
            Self::Bgra8 => "bgra8",
            Self::Rgba8 => "rgba8",
            Self::Mono8 => "mono8",
            Self::Mono16 => "mono16",
        }
    }

    pub(crate) const fn channels(self) -> usize {
        match self {
            Self::Bgr8 | Self::Rgb8 => 3,
            Self::Bgra8 | Self::Rgba8 => 4,
            Self::Mono8 | Self::Mono16 => 1,
        }
    }

    pub(crate) const fn sample(self) -> Primitive {
        match self {
            Self::Mono16 => Primitive::U16,
            _ => Primitive::U8,
        }
    }

    pub(super) fn of_channels(channels: usize) -> Option<Self> {
        match channels {
            1 => Some(Self::Mono8),
            3 => Some(Self::Bgr8),
            4 => Some(Self::Bgra8),
            _ => None,
        }
    }
}

/// The size of a picture and what its pixels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) encoding: Encoding,
}

impl Format {
    pub(crate) fn bytes(self) -> usize {
        self.width * self.height * self.encoding.channels() * self.encoding.sample().size()
    }

    /// A channel of such frames.
    pub(crate) fn spec(self) -> FrameSpec {
        let (channels, sample) = (self.encoding.channels(), self.encoding.sample());
        FrameSpec::image(self.height, self.width, channels, sample).encoding(self.encoding.name())
    }

    /// What a channel's schema says; `None` when its frames are no pictures of a kind known here.
    pub(crate) fn of_schema(schema: &Schema) -> Option<Self> {
        let name = schema.encoding()?;
        let encoding = Encoding::ALL.into_iter().find(|encoding| encoding.name() == name)?;
        let (height, width, channels) = match *schema.shape() {
            [height, width] => (height, width, 1),
            [height, width, channels] => (height, width, channels),
            _ => return None,
        };
        let format = Self { width, height, encoding };
        (channels == encoding.channels() && format.bytes() == schema.size()).then_some(format)
    }
}

/// The encoding that `--encoding` and `--channels` ask for together; blue, green, red when they say nothing.
pub(super) fn chosen(encoding: Option<Encoding>, channels: Option<usize>) -> Outcome<Encoding> {
    match (encoding, channels) {
        (None, None) => Ok(Encoding::Bgr8),
        (Some(encoding), None) => Ok(encoding),
        (Some(encoding), Some(channels)) if encoding.channels() == channels => Ok(encoding),
        (Some(encoding), Some(channels)) => {
            let (name, has) = (encoding.name(), encoding.channels());
            let message = format!("{name} has {has} channels, not {channels}; leave out --channels");
            Err(Failure::new(Exit::Usage, message))
        }
        (None, Some(channels)) => Encoding::of_channels(channels).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("pictures have 1, 3 or 4 channels, not {channels}; correct --channels"),
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_survives_its_schema() {
        for encoding in Encoding::ALL {
            let format = Format { width: 6, height: 4, encoding };
            let directory = tempfile::tempdir().expect("a temporary directory");
            let space = memlane::Space::at(directory.path()).expect("a space in it");
            let publisher = memlane::FramePublisher::create(&space, "a", &format.spec()).expect("a channel");
            assert_eq!(publisher.capacity(), format.bytes());
            let subscriber = memlane::FrameSubscriber::open(&space, "a").expect("the same channel");
            assert_eq!(Format::of_schema(subscriber.schema()), Some(format));
        }
    }

    #[test]
    fn contradictions_are_refused() {
        assert_eq!(chosen(None, Some(1)).ok(), Some(Encoding::Mono8));
        assert_eq!(chosen(Some(Encoding::Rgb8), Some(3)).ok(), Some(Encoding::Rgb8));
        assert!(chosen(Some(Encoding::Rgb8), Some(4)).is_err());
        assert!(chosen(None, Some(2)).is_err());
    }
}
