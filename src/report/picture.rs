//! PNG files: pictures in a few colours, animations of them, and the plain values of a stamp.

use crate::pipeline::artifact::cutouts::{Cutouts, View};
use crate::science::image::Image;

use super::ReportError;
use super::canvas::{Canvas, Palette};

/// Side that a drawn stamp should have about [px], and the largest enlargement.
const SIDE_PX: usize = 200;
const ZOOM_MAX: usize = 4;

/// Enlargement of a stamp in an animation.
pub(super) fn zoom(side_px: usize) -> usize {
    (SIDE_PX / side_px.max(1)).clamp(1, ZOOM_MAX)
}

/// Least and largest value of all stamps of a view: the limits for [`stamp_png16`].
///
/// `None` without a finite pixel.
pub fn stamp_range(cutouts: &Cutouts, view: View) -> Option<(f32, f32)> {
    let stamps = cutouts.frames.iter().filter_map(|frame| frame.stamp(view));
    let mut values = stamps.flat_map(|stamp| stamp.pixels()).copied().filter(|v| v.is_finite());
    let first = values.next()?;
    Some(values.fold((first, first), |(low, high), v| (low.min(v), high.max(v))))
}

/// A stamp as a 16-bit grey PNG, north on top: `low` and below is 0, `high` and above is 65535,
/// linear between them; pixels without a value are 0. Empty for a stamp without pixels.
pub fn stamp_png16(stamp: &Image<f32>, low: f32, high: f32) -> Vec<u8> {
    let span = f64::from(high) - f64::from(low);
    let level = |value: f32| {
        let share = (f64::from(value) - f64::from(low)) / span;
        // NaN becomes 0; everything else was limited just before.
        (share.clamp(0.0, 1.0) * f64::from(u16::MAX)).round() as u16
    };
    let rows = (0..stamp.ny()).rev().flat_map(|y| stamp.row(y));
    let data: Vec<u8> = rows.flat_map(|&value| level(value).to_be_bytes()).collect();
    let write = || -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, length(stamp.nx()), length(stamp.ny()));
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Sixteen);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&data)?;
        writer.finish()?;
        Ok(bytes)
    };
    // Writing to memory fails for an image without pixels only.
    write().unwrap_or_default()
}

/// A canvas as a PNG.
pub(super) fn png_indexed(canvas: Canvas, palette: Palette) -> Result<Vec<u8>, ReportError> {
    apng(&[(canvas, 0)], palette)
}

/// Canvases of equal size, each with its time [ms], as an animated PNG that repeats for ever; one
/// alone as a plain PNG.
pub(super) fn apng(pictures: &[(Canvas, u64)], palette: Palette) -> Result<Vec<u8>, ReportError> {
    let write = |first: &Canvas| -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, length(first.width), length(first.height));
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.colours());
        // Numbers of colours have no gradients to predict.
        encoder.set_filter(png::Filter::NoFilter);
        let is_animated = pictures.len() > 1;
        if is_animated {
            encoder.set_animated(length(pictures.len()), 0)?;
        }
        let mut writer = encoder.write_header()?;
        for (canvas, time_ms) in pictures {
            if is_animated {
                writer.set_frame_delay(u16::try_from(*time_ms).unwrap_or(u16::MAX), 1000)?;
            }
            writer.write_image_data(&canvas.pixels)?;
        }
        writer.finish()?;
        Ok(bytes)
    };
    let (first, _) = pictures.first().ok_or(ReportError::NoStamps)?;
    write(first).map_err(|source| ReportError::Png { source })
}

/// A length of a picture; all are far below the limit.
fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_linear_and_north_is_up() {
        // The upper row of the picture is the stamp's last.
        let stamp = Image::from_pixels(3, 2, vec![-5.0, 0.0, 10.0, 20.0, 99.0, f32::NAN])
            .expect("six pixels");
        let bytes = stamp_png16(&stamp, 0.0, 20.0);
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().expect("PNG");
        assert_eq!(reader.info().bit_depth, png::BitDepth::Sixteen);
        let mut data = vec![0; reader.output_buffer_size().expect("small")];
        reader.next_frame(&mut data).expect("a frame");
        let levels: Vec<u16> =
            data.as_chunks::<2>().0.iter().map(|two| u16::from_be_bytes(*two)).collect();
        // 10 of 20 is half of 65535, rounded up.
        assert_eq!(levels, [65_535, 65_535, 0, 0, 0, 32_768]);
        assert!(stamp_png16(&Image::filled(0, 0, 0.0), 0.0, 1.0).is_empty());
        // Equal limits: nothing is above, nothing panics.
        assert!(!stamp_png16(&stamp, 1.0, 1.0).is_empty());
    }
}
