//! Pictures made smaller, and compressed, for those who look at them from far away.

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use memlane::schema::{DType, Primitive, Schema};

use crate::protocol::event::Delivery;
use crate::protocol::fault::Fault;

/// How a picture is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Setting {
    rows: usize,
    columns: usize,
    channels: usize,
    sample: Sample,
    /// The first channel is blue.
    is_bgr: bool,
    encoding: Option<String>,
    /// So many pixels in each direction become one.
    scale: usize,
    /// Of that quality.
    jpeg: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sample {
    U8,
    U16,
    F32,
}

/// A picture as it is delivered.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) bytes: Bytes,
    pub(crate) shape: Vec<usize>,
    pub(crate) encoding: Option<String>,
}

impl Setting {
    /// What was asked for of frames of a schema; nothing when they are to come as they are.
    pub(crate) fn of(schema: Option<&Schema>, delivery: &Delivery) -> Result<Option<Self>, Fault> {
        if delivery.scale.is_none() && delivery.jpeg.is_none() {
            return Ok(None);
        }
        let scale = delivery.scale.unwrap_or(1);
        if scale == 0 {
            return Err(bad("scale must be 1 or more: so many pixels in each direction become one"));
        }
        if let Some(quality) = delivery.jpeg.filter(|quality| !(1..=100).contains(quality)) {
            return Err(bad(&format!("jpeg must be a quality from 1 to 100, found {quality}")));
        }
        let no_picture =
            || bad("scale and jpeg are for pictures: frames of rows and columns of u8, u16 or f32");
        let schema = schema.ok_or_else(no_picture)?;
        let (rows, columns, channels) = match *schema.shape() {
            [rows, columns] => (rows, columns, 1),
            [rows, columns, channels] => (rows, columns, channels),
            _ => return Err(no_picture()),
        };
        let sample = match schema.dtype() {
            DType::Primitive(..) => match Schema::new(schema.dtype().clone()).native_scalar() {
                Some(Primitive::U8) => Sample::U8,
                Some(Primitive::U16) => Sample::U16,
                Some(Primitive::F32) => Sample::F32,
                _ => return Err(no_picture()),
            },
            _ => return Err(no_picture()),
        };
        if delivery.jpeg.is_some() && (sample == Sample::F32 || ![1, 3, 4].contains(&channels)) {
            return Err(bad("jpeg is for pictures of 1, 3 or 4 channels of u8 or u16"));
        }
        let encoding = schema.encoding().map(str::to_owned);
        let is_bgr = encoding.as_ref().is_some_and(|encoding| encoding.starts_with("bgr"));
        let (scale, jpeg) = (scale as usize, delivery.jpeg);
        Ok(Some(Self { rows, columns, channels, sample, is_bgr, encoding, scale, jpeg }))
    }

    /// A frame so delivered. One that is shorter than a picture stays as it is.
    pub(crate) fn picture_of(&self, frame: &Bytes) -> Result<Picture, Fault> {
        if frame.len() != self.rows * self.columns * self.channels * self.sample.size() {
            return Ok(Picture { bytes: frame.clone(), shape: vec![frame.len()], encoding: None });
        }
        let bytes = match (self.scale, self.sample) {
            (1, _) => frame.clone(),
            (_, Sample::U8) => {
                self.scaled(frame, |[sample]: [u8; 1]| f64::from(sample), |mean| [mean.round() as u8])
            }
            (_, Sample::U16) => self.scaled(
                frame,
                |sample| f64::from(u16::from_le_bytes(sample)),
                |mean| (mean.round() as u16).to_le_bytes(),
            ),
            (_, Sample::F32) => self.scaled(
                frame,
                |sample| f64::from(f32::from_le_bytes(sample)),
                |mean| (mean as f32).to_le_bytes(),
            ),
        };
        let (rows, columns) = (self.rows.div_ceil(self.scale), self.columns.div_ceil(self.scale));
        let Some(quality) = self.jpeg else {
            let shape =
                if self.channels == 1 { vec![rows, columns] } else { vec![rows, columns, self.channels] };
            return Ok(Picture { bytes, shape, encoding: self.encoding.clone() });
        };
        let (samples, colours) = self.for_jpeg(&bytes);
        let mut compressed = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut compressed, quality);
        let (width, height) = (u32::try_from(columns), u32::try_from(rows));
        let (Ok(width), Ok(height)) = (width, height) else {
            return Err(bad("the picture is too large for jpeg"));
        };
        encoder
            .encode(&samples, width, height, colours)
            .map_err(|error| bad(&format!("the picture cannot be compressed: {error}")))?;
        let shape = vec![rows, columns, if self.channels == 1 { 1 } else { 3 }];
        Ok(Picture { bytes: compressed.into(), shape, encoding: Some("jpeg".into()) })
    }

    /// A frame as a PNG of 8 bits a channel.
    pub(crate) fn png_of(&self, frame: &Bytes) -> Result<Bytes, Fault> {
        if frame.len() != self.rows * self.columns * self.channels * self.sample.size() {
            return Err(bad("the newest frame is no whole picture"));
        }
        let (samples, colours) = self.for_jpeg(frame);
        let mut packed = Vec::new();
        PngEncoder::new(&mut packed)
            .write_image(&samples, self.columns as u32, self.rows as u32, colours)
            .map_err(|error| bad(&format!("the picture cannot be compressed: {error}")))?;
        Ok(packed.into())
    }

    /// The mean of each block of pixels, for each channel; blocks at the edge are what there is of them.
    fn scaled<const N: usize>(
        &self,
        frame: &[u8],
        read: impl Fn([u8; N]) -> f64,
        write: impl Fn(f64) -> [u8; N],
    ) -> Bytes {
        let (width, scale) = (self.columns * self.channels, self.scale);
        let columns = self.columns.div_ceil(scale);
        let mut scaled = Vec::with_capacity(self.rows.div_ceil(scale) * columns * self.channels * N);
        let samples = frame.as_chunks::<N>().0;
        let rows: Vec<&[[u8; N]]> = samples.chunks_exact(width.max(1)).collect();
        for block in rows.chunks(scale) {
            let mut sums = vec![0.0; columns * self.channels];
            for row in block {
                for (column, pixel) in row.chunks_exact(self.channels).enumerate() {
                    let place = column / scale * self.channels;
                    for (sum, sample) in sums.iter_mut().skip(place).zip(pixel) {
                        *sum += read(*sample);
                    }
                }
            }
            for (index, sum) in sums.into_iter().enumerate() {
                let wide = scale.min(self.columns - index / self.channels * scale);
                scaled.extend(write(sum / (wide * block.len()) as f64));
            }
        }
        scaled.into()
    }

    /// Grey, or red, green, blue, in 8 bits.
    fn for_jpeg(&self, bytes: &Bytes) -> (Bytes, ExtendedColorType) {
        let bytes = match self.sample {
            Sample::U16 => bytes.as_chunks::<2>().0.iter().map(|[_, high]| *high).collect(),
            _ => bytes.clone(),
        };
        if self.channels == 1 {
            return (bytes, ExtendedColorType::L8);
        }
        let mut colours = Vec::with_capacity(bytes.len() / self.channels * 3);
        for pixel in bytes.chunks_exact(self.channels) {
            match (pixel, self.is_bgr) {
                ([blue, green, red, ..], true) | ([red, green, blue, ..], false) => {
                    colours.extend([*red, *green, *blue]);
                }
                _ => {}
            }
        }
        (colours.into(), ExtendedColorType::Rgb8)
    }
}

impl Sample {
    fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::F32 => 4,
        }
    }
}

fn bad(message: &str) -> Fault {
    Fault::new("bad_parameter", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(schema: &str, scale: Option<u32>, jpeg: Option<u8>) -> Result<Option<Setting>, Fault> {
        Setting::of(Some(&schema.parse().unwrap()), &Delivery { scale, jpeg, ..Delivery::default() })
    }

    #[test]
    fn a_pixel_is_the_mean_of_its_block() {
        let frame = Bytes::from_static(&[0, 10, 20, 30, 40, 50, 100, 100, 200]);
        let picture = setting("[3,3]u1", Some(2), None).unwrap().unwrap().picture_of(&frame).unwrap();
        assert_eq!((picture.shape.as_slice(), &picture.bytes[..]), (&[2, 2][..], &[20, 35, 100, 200][..]));
        let one = setting("[3,3]u1", Some(u32::MAX), None).unwrap().unwrap().picture_of(&frame).unwrap();
        assert_eq!((one.shape.as_slice(), &one.bytes[..]), (&[1, 1][..], &[61][..]));
        let wide = Bytes::from_static(&[0, 1, 0, 3]);
        let wide = setting("[1,2]<u2", Some(2), None).unwrap().unwrap().picture_of(&wide).unwrap();
        assert_eq!(&wide.bytes[..], &[0, 2]);
    }

    #[test]
    fn a_jpeg_has_the_colours_of_its_frame() {
        let blue: Bytes = [255, 0, 0].repeat(64).into();
        let mut with_encoding: Schema = "[8,8,3]u1".parse().unwrap();
        with_encoding = with_encoding.with_encoding("bgr8").unwrap();
        let delivery = Delivery { jpeg: Some(95), ..Delivery::default() };
        let setting = Setting::of(Some(&with_encoding), &delivery).unwrap().unwrap();
        let picture = setting.picture_of(&blue).unwrap();
        assert_eq!((picture.encoding.as_deref(), picture.shape.as_slice()), (Some("jpeg"), &[8, 8, 3][..]));
        let decoded = image::load_from_memory(&picture.bytes).unwrap().to_rgb8();
        assert!(decoded.get_pixel(3, 3)[2] > 240 && decoded.get_pixel(3, 3)[0] < 15);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(setting("[3,3]u1", None, None).unwrap(), None);
        for (schema, scale, jpeg) in [
            ("[9]u1", Some(2), None),
            ("[3,3]u1", Some(0), None),
            ("[3,3]u1", None, Some(0)),
            ("[3,3]f4", None, Some(9)),
        ] {
            assert_eq!(setting(schema, scale, jpeg).unwrap_err().code, "bad_parameter");
        }
    }
}
