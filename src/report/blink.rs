//! Cut-outs around a moving object as an animated GIF.
//!
//! All frames share one stretch after their own sky is taken off, so that only what moves or
//! changes blinks. Row 0 of a cut-out is drawn at the bottom, as on the sky. Four ticks point at
//! the object and leave it free; the corner says which frame it is.

use std::borrow::Cow;

use crate::science::image::Image;
use crate::science::image::stats::median_in_place;

use super::ReportError;
use super::glyphs;
use super::stretch::Stretch;

/// Screen pixels per frame pixel.
const ZOOM: usize = 3;
/// Largest side of a cut-out that is drawn [px].
const SIDE_MAX_PX: usize = 128;
/// Most cut-outs in one picture; of more, evenly chosen ones are shown.
const STAMPS_MAX: usize = 60;
/// Time per cut-out and pause after the last [0.01 s].
const DELAY_CS: u16 = 40;
const PAUSE_CS: u16 = 100;
/// The ticks reach from here to there, from the object [px].
const TICK_FROM_PX: f64 = 6.0;
const TICK_TO_PX: f64 = 10.0;
/// Grey levels of the palette; the colours below follow them.
const GREYS: u8 = 250;
const MARK: u8 = 250;
const MARK_RGB: [u8; 3] = [255, 176, 0];
const INK: u8 = 251;
const INK_RGB: [u8; 3] = [120, 220, 255];
/// Screen pixels per dot of the digits, and their distance from the edge.
const DOT: usize = 2;
const EDGE: usize = 4;

/// One cut-out of the sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Stamp {
    /// What stands in the upper corner: digits, `:`, `/`, `.`, `-` (a time of day); may be empty.
    pub label: String,
    /// The pixels; values that are not finite are drawn black.
    pub image: Image<f32>,
    /// Place of the object on the cut-out [px, 0-based]; `None` where it was not detected.
    pub object_px: Option<(f64, f64)>,
}

/// Makes the blinking picture.
///
/// Cut-outs should have equal sizes and orientations; smaller ones are padded with black.
pub fn blink_gif(stamps: &[Stamp]) -> Result<Vec<u8>, ReportError> {
    let chosen = evenly_chosen(stamps);
    let nx = chosen.iter().map(|s| s.image.nx().min(SIDE_MAX_PX)).max().unwrap_or(0);
    let ny = chosen.iter().map(|s| s.image.ny().min(SIDE_MAX_PX)).max().unwrap_or(0);
    if nx == 0 || ny == 0 {
        return Err(ReportError::NoStamps);
    }
    let skies: Vec<f32> = chosen.iter().map(|stamp| sky(&stamp.image)).collect();
    let flattened: Vec<f32> = chosen
        .iter()
        .zip(&skies)
        .flat_map(|(stamp, sky)| stamp.image.pixels().iter().map(move |value| value - sky))
        .collect();
    let stretch = Stretch::from_pixels(flattened.iter()).ok_or(ReportError::NoStamps)?;
    drop(flattened);
    let (width, height) = (nx * ZOOM, ny * ZOOM);
    let side = |pixels: usize| u16::try_from(pixels).expect("at most SIDE_MAX_PX * ZOOM");
    let refuse = |source| ReportError::Gif { source };
    let mut bytes = Vec::new();
    let mut encoder =
        gif::Encoder::new(&mut bytes, side(width), side(height), &palette()).map_err(refuse)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(refuse)?;
    for (number, (stamp, sky)) in (1..).zip(chosen.iter().zip(&skies)) {
        let mut canvas = Canvas { width, height, pixels: vec![0; width * height] };
        canvas.draw_stamp(stamp, *sky, &stretch);
        canvas.draw_text(&stamp.label, EDGE, EDGE);
        let place = height.saturating_sub(EDGE + glyphs::HEIGHT * DOT);
        canvas.draw_text(&format!("{number}/{}", chosen.len()), EDGE, place);
        let frame = gif::Frame {
            width: side(width),
            height: side(height),
            delay: if number == chosen.len() { PAUSE_CS } else { DELAY_CS },
            buffer: Cow::Owned(canvas.pixels),
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).map_err(refuse)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// At most `STAMPS_MAX` stamps, evenly spread, the first and the last among them.
fn evenly_chosen(stamps: &[Stamp]) -> Vec<&Stamp> {
    if stamps.len() <= STAMPS_MAX {
        return stamps.iter().collect();
    }
    (0..STAMPS_MAX).map(|i| &stamps[i * (stamps.len() - 1) / (STAMPS_MAX - 1)]).collect()
}

/// Median of the finite pixels, 0 without any.
fn sky(image: &Image<f32>) -> f32 {
    let mut values: Vec<f64> =
        image.pixels().iter().filter(|v| v.is_finite()).map(|&v| f64::from(v)).collect();
    median_in_place(&mut values).unwrap_or(0.0) as f32
}

/// Greys, then the colours of marks and digits.
fn palette() -> Vec<u8> {
    let mut colours: Vec<u8> = (0..GREYS)
        .flat_map(|level| {
            let grey = u16::from(level) * 255 / u16::from(GREYS - 1);
            [u8::try_from(grey).expect("at most 255"); 3]
        })
        .collect();
    colours.extend(MARK_RGB);
    colours.extend(INK_RGB);
    colours
}

/// Palette indices of one frame of the animation.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    /// Draws pixels, then the ticks around the object.
    fn draw_stamp(&mut self, stamp: &Stamp, sky: f32, stretch: &Stretch) {
        let image = &stamp.image;
        for y in 0..image.ny().min(self.height / ZOOM) {
            for (x, value) in image.row(y).iter().enumerate().take(self.width / ZOOM) {
                let grey = stretch.grey(value - sky, GREYS);
                for screen_y in self.height - (y + 1) * ZOOM..self.height - y * ZOOM {
                    let start = screen_y * self.width + x * ZOOM;
                    self.pixels[start..start + ZOOM].fill(grey);
                }
            }
        }
        if let Some((x, y)) = stamp.object_px {
            self.draw_ticks(x, y);
        }
    }

    /// Draws four ticks pointing at a place of the cut-out.
    fn draw_ticks(&mut self, x_px: f64, y_px: f64) {
        let zoom = ZOOM as f64;
        let screen_x = (x_px + 0.5) * zoom;
        let screen_y = self.height as f64 - (y_px + 0.5) * zoom;
        let (from, to) = ((TICK_FROM_PX * zoom) as u32, (TICK_TO_PX * zoom) as u32);
        for distance in (from..to).map(f64::from) {
            for (dx, dy) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
                self.set(screen_x + dx * distance, screen_y + dy * distance, MARK);
            }
        }
    }

    /// Writes a text with its upper left corner at (x, y); what does not fit is cut.
    fn draw_text(&mut self, text: &str, x: usize, y: usize) {
        for (i, character) in text.chars().enumerate().take(self.width) {
            let left = x + i * glyphs::ADVANCE * DOT;
            for (row, bits) in glyphs::rows(character).into_iter().enumerate() {
                for column in (0..3).filter(|column| bits & (0b100 >> column) != 0) {
                    for (dx, dy) in (0..DOT).flat_map(|dx| (0..DOT).map(move |dy| (dx, dy))) {
                        let place = (left + column * DOT + dx, y + row * DOT + dy);
                        self.set(place.0 as f64, place.1 as f64, INK);
                    }
                }
            }
        }
    }

    /// Colours one screen pixel, if it is on the canvas.
    fn set(&mut self, x: f64, y: f64, colour: u8) {
        if x >= 0.0 && y >= 0.0 && x < self.width as f64 && y < self.height as f64 {
            // Inside the canvas, so the conversion only drops the fraction.
            self.pixels[y as usize * self.width + x as usize] = colour;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(label: &str, nx: usize, ny: usize) -> Stamp {
        let pixels = (0..nx * ny).map(|i| (i % 17) as f32).collect();
        let image = Image::from_pixels(nx, ny, pixels).expect("counted");
        Stamp { label: label.to_owned(), image, object_px: Some((nx as f64 / 2.0, 3.0)) }
    }

    fn decoded(bytes: &[u8]) -> Vec<(u16, u16, Vec<u8>)> {
        let mut decoder = gif::DecodeOptions::new().read_info(bytes).expect("a GIF");
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().expect("a frame") {
            frames.push((frame.width, frame.height, frame.buffer.to_vec()));
        }
        frames
    }

    #[test]
    fn each_stamp_becomes_a_frame_of_three_times_its_size() {
        let stamps = [stamp("21:34", 41, 41), stamp("21:44", 41, 41), stamp("", 30, 41)];
        let bytes = blink_gif(&stamps).expect("drawn");
        let frames = decoded(&bytes);
        assert_eq!(frames.len(), 3);
        assert!(frames.iter().all(|(width, height, _)| (*width, *height) == (123, 123)));
        assert!(frames[0].2.contains(&MARK) && frames[0].2.contains(&INK));
        assert_eq!(bytes, blink_gif(&stamps).expect("drawn"), "same pixels, same bytes");
    }

    #[test]
    fn the_first_row_is_at_the_bottom_and_the_object_is_left_free() {
        let mut image = Image::filled(41, 41, 0.0_f32);
        image.row_mut(0)[40] = 1000.0;
        image.row_mut(20)[20] = 1000.0;
        let stamp = Stamp { label: String::new(), image, object_px: Some((20.0, 20.0)) };
        let frames = decoded(&blink_gif(&[stamp]).expect("drawn"));
        let at = |x: usize, y: usize| frames[0].2[y * 123 + x];
        assert_eq!(at(122, 122), GREYS - 1);
        assert_eq!(at(61, 61), GREYS - 1, "the object shows through the ticks' middle");
        assert_eq!(at(61 + 20, 61), MARK);
    }

    #[test]
    fn long_large_empty_and_blank_sequences_are_bounded() {
        let many: Vec<Stamp> = (0..200).map(|_| stamp("", 9, 9)).collect();
        assert_eq!(decoded(&blink_gif(&many).expect("drawn")).len(), STAMPS_MAX);
        let large = blink_gif(&[stamp("", 500, 300)]).expect("drawn");
        assert_eq!((decoded(&large)[0].0, decoded(&large)[0].1), (384, 384));
        assert!(matches!(blink_gif(&[]), Err(ReportError::NoStamps)));
        let blank = Stamp {
            label: "x".to_owned(),
            image: Image::filled(5, 5, f32::NAN),
            object_px: Some((f64::NAN, 1e300)),
        };
        assert!(matches!(blink_gif(&[blank]), Err(ReportError::NoStamps)));
    }
}
