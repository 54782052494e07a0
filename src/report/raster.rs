//! A picture drawn by our own hand: lines, dots and letters with smooth edges, written as PNG.

use super::ReportError;
use super::strokes::{ADVANCE, CAPITAL, strokes};

/// A colour: red, green, blue.
pub(super) type Colour = [u8; 3];

/// Where a text stands relative to its place.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Size and colour of letters.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    /// Size of a grid unit of the letters [px].
    pub(super) unit_px: f64,
    pub(super) colour: Colour,
}

/// The picture; places are [px] from the upper left corner.
pub(super) struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

impl Raster {
    pub(super) fn new(width: usize, height: usize, paper: Colour) -> Self {
        Self { width, height, pixels: vec![paper; width * height] }
    }

    /// Draws a line with round ends.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), width_px: f64, ink: Colour) {
        for (x, y) in self.around(from, to, width_px) {
            let distance = distance_to_line((x as f64 + 0.5, y as f64 + 0.5), from, to);
            self.blend(x, y, width_px / 2.0 + 0.5 - distance, ink);
        }
    }

    /// Draws a disc.
    pub(super) fn disc(&mut self, centre: (f64, f64), radius_px: f64, ink: Colour) {
        self.line(centre, centre, 2.0 * radius_px, ink);
    }

    /// Writes a text whose letters stand on a base line; tells its length [px].
    pub(super) fn text(&mut self, text: &str, place: (f64, f64), anchor: Anchor, pen: Pen) -> f64 {
        let length = (text.chars().count() as f64 * ADVANCE - (ADVANCE - 4.0)) * pen.unit_px;
        let start = match anchor {
            Anchor::Start => place.0,
            Anchor::Middle => place.0 - length / 2.0,
            Anchor::End => place.0 - length,
        };
        for (i, letter) in text.chars().enumerate() {
            let left = start + i as f64 * ADVANCE * pen.unit_px;
            let at = |(x, y): (f64, f64)| {
                (left + x * pen.unit_px, place.1 + (y - CAPITAL) * pen.unit_px)
            };
            for stroke in strokes(letter) {
                for ends in stroke.windows(2) {
                    self.line(at(ends[0]), at(ends[1]), 0.85 * pen.unit_px, pen.colour);
                }
            }
        }
        length
    }

    /// The pixels of the picture that something between two corners may touch.
    fn around(
        &self,
        from: (f64, f64),
        to: (f64, f64),
        width_px: f64,
    ) -> impl Iterator<Item = (usize, usize)> + use<> {
        let edge = width_px / 2.0 + 1.0;
        // Clamped to the picture first, so the conversions only drop the fraction.
        let range = |a: f64, b: f64, size: usize| {
            let low = (a.min(b) - edge).clamp(0.0, size as f64) as usize;
            let high = (a.max(b) + edge).ceil().clamp(0.0, size as f64) as usize;
            low..high
        };
        let (columns, rows) = (range(from.0, to.0, self.width), range(from.1, to.1, self.height));
        rows.flat_map(move |y| columns.clone().map(move |x| (x, y)))
    }

    /// Covers a share of a pixel.
    fn blend(&mut self, x: usize, y: usize, share: f64, ink: Colour) {
        if share.is_nan() || share <= 0.0 {
            return;
        }
        let share = share.min(1.0);
        for (old, new) in self.pixels[y * self.width + x].iter_mut().zip(ink) {
            let mixed = f64::from(*old) * (1.0 - share) + f64::from(new) * share;
            // Between two bytes.
            *old = mixed.round() as u8;
        }
    }

    /// The picture as PNG.
    pub(super) fn into_png(self) -> Result<Vec<u8>, ReportError> {
        let refuse = |source| ReportError::Png { source };
        let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width), side(self.height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().map_err(refuse)?;
        writer.write_image_data(self.pixels.as_flattened()).map_err(refuse)?;
        writer.finish().map_err(refuse)?;
        Ok(bytes)
    }
}

/// Distance of a point from a line between two ends; they may be one point.
fn distance_to_line(point: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (px, py) = (point.0 - from.0, point.1 - from.1);
    let square = dx * dx + dy * dy;
    let share = if square > 0.0 { ((px * dx + py * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
    (px - share * dx).hypot(py - share * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Colour = [0, 0, 0];
    const WHITE: Colour = [255, 255, 255];

    fn is_dark(picture: &Raster, x: usize, y: usize) -> bool {
        picture.pixels[y * picture.width + x][0] < 128
    }

    #[test]
    fn lines_cover_as_many_pixels_as_they_are_long_and_wide() {
        let mut picture = Raster::new(60, 40, WHITE);
        picture.line((10.0, 20.0), (50.0, 20.0), 4.0, BLACK);
        let ink: f64 = picture.pixels.iter().map(|p| 1.0 - f64::from(p[0]) / 255.0).sum();
        // 40 x 4 and two half discs of radius 2.
        let expected = 160.0 + std::f64::consts::PI * 4.0;
        assert!((ink - expected).abs() < 3.0, "{ink} for {expected}");
        assert!(is_dark(&picture, 30, 20) && !is_dark(&picture, 30, 24));
    }

    #[test]
    fn nothing_outside_is_drawn_and_hostile_numbers_do_no_harm() {
        let mut picture = Raster::new(20, 10, WHITE);
        for bad in [f64::NAN, f64::INFINITY, -1e300, 1e300] {
            picture.line((bad, 2.0), (5.0, bad), 2.0, WHITE);
            picture.disc((bad, bad), 4.0, BLACK);
            picture.text("aA1", (bad, 5.0), Anchor::Middle, Pen { unit_px: 1.0, colour: WHITE });
        }
        assert!(picture.pixels.iter().all(|p| *p == WHITE));
    }

    #[test]
    fn a_letter_is_as_tall_as_asked_and_the_picture_reads_back() {
        let mut picture = Raster::new(40, 40, WHITE);
        let pen = Pen { unit_px: 4.0, colour: BLACK };
        picture.text("I", (20.0, 34.0), Anchor::Middle, pen);
        let column: Vec<bool> = (0..40).map(|y| is_dark(&picture, 20, y)).collect();
        let (first, last) = (column.iter().position(|d| *d), column.iter().rposition(|d| *d));
        // Capitals reach 6 units up from the base line; the pen is 0.85 units wide.
        assert_eq!((first, last), (Some(8), Some(35)));
        let pixels = picture.pixels.concat();
        let bytes = picture.into_png().expect("written");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
        let mut read = vec![0; reader.output_buffer_size().expect("small")];
        reader.next_frame(&mut read).expect("a picture");
        assert_eq!(read, pixels);
    }
}
