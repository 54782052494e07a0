//! Cut-outs side by side in one picture: what a still picture can say of a motion.

use crate::pipeline::artifact::cutouts::{Cutouts, View};

use super::ReportError;
use super::canvas::{Canvas, Palette, Sequence};
use super::picture::png_indexed;
use super::stretch::Stretch;

/// Widest strip; further frames go into the next row [px].
const WIDTH_MAX_PX: usize = 1100;
/// Gap between frames [px].
const GAP_PX: usize = 4;
/// Side below which a drawn stamp is enlarged: its words would not fit [px].
const SIDE_MIN_PX: usize = 120;
/// Largest enlargement.
const ZOOM_MAX: usize = 4;

/// Makes a PNG of all frames in order of time, in rows, each with its time of day (UTC) and its
/// number; those in which the object was not detected are marked.
///
/// Errors: `NoStamps` when no frame has a pixel in this view (too few frames for a static sky).
pub fn strip_png(cutouts: &Cutouts, view: View) -> Result<Vec<u8>, ReportError> {
    let stretch = Stretch::of(cutouts, view).ok_or(ReportError::NoStamps)?;
    let zoom = SIDE_MIN_PX.div_ceil(cutouts.side_px.max(1)).clamp(1, ZOOM_MAX);
    let sequence = Sequence { cutouts, view, stretch, zoom };
    let frames = sequence.frames();
    let pitch = sequence.side() + GAP_PX;
    let in_row = ((WIDTH_MAX_PX + GAP_PX) / pitch).clamp(1, frames.len().max(1));
    // Rows of equal length look better than a full one and a rest.
    let rows = frames.len().div_ceil(in_row).max(1);
    let in_row = frames.len().div_ceil(rows).max(1);
    let (width, height) = (in_row * pitch - GAP_PX, rows * pitch - GAP_PX);
    let mut canvas = Canvas::new(width, height, Palette::FINE);
    for (place, frame) in frames.into_iter().enumerate() {
        canvas.draw_frame(&sequence, frame, (place % in_row * pitch, place / in_row * pitch));
    }
    png_indexed(canvas, Palette::FINE)
}

#[cfg(test)]
mod tests {
    use super::super::blink::tests::{cutouts, decoded_png};
    use super::*;
    use crate::pipeline::artifact::cutouts::{Centring, StaticSky};

    const SKY: View = View::new(Centring::OnSky, StaticSky::Kept);

    #[test]
    fn frames_stand_side_by_side_in_rows() {
        let strip = strip_png(&cutouts(5, 21), SKY).expect("drawn");
        // 21 px enlarged four times: 84; five of them and four gaps.
        let (width, height, pixels) = decoded_png(&strip);
        assert_eq!((width, height), (5 * 84 + 4 * GAP_PX, 84));
        assert!(pixels.contains(&Palette::FINE.mark()), "ticks at the detections");
        assert!(pixels.contains(&Palette::FINE.missed()), "and where there is none");
        let long = strip_png(&cutouts(24, 63), SKY).expect("drawn");
        let (width, height, _) = decoded_png(&long);
        // 126 px and a gap of 4: eight in a row.
        assert_eq!((width, height), (8 * 130 - 4, 3 * 130 - 4));
        assert_eq!(strip, strip_png(&cutouts(5, 21), SKY).expect("drawn"), "same bytes");
    }

    #[test]
    fn without_a_static_sky_there_is_nothing_to_show() {
        let view = View::new(Centring::OnSky, StaticSky::Subtracted);
        assert!(matches!(strip_png(&cutouts(2, 21), view), Err(ReportError::NoStamps)));
        let mut empty = cutouts(1, 21);
        empty.frames.clear();
        assert!(matches!(strip_png(&empty, SKY), Err(ReportError::NoStamps)));
    }
}
