//! The grey pictures of a candidate: one stretch for all frames, scaled to what the screen has.

use crate::pipeline::artifact::cutouts::{Centring, Cutouts, FrameCutout, StaticSky, View};
use crate::report::stretch::Stretch;
use crate::science::image::Image;

/// Most frames that are shown.
pub(super) const FRAMES_MAX: usize = 200;
/// Number of grey levels, from 0 to one less.
const LEVELS: u8 = 255;
/// The marks reach from here to there from the object, in shares of the picture's side.
const MARK_FROM_SHARE: f64 = 0.07;
const MARK_TO_SHARE: f64 = 0.14;

/// A point of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dot {
    /// 0 is black.
    Grey(u8),
    /// A mark: on a detection, or on the place where one should be.
    Mark {
        /// Whether it was detected.
        is_detected: bool,
    },
}

/// How a picture is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Dark on bright.
    pub(super) is_inverse: bool,
    /// With marks.
    pub(super) has_marks: bool,
}

/// The frames of a candidate as greys.
#[derive(Debug)]
pub(super) struct Sequence {
    side_px: usize,
    frames: Vec<GreyFrame>,
    /// Whether the static sky is taken off; asked for, it may not be there.
    pub(super) is_subtracted: bool,
}

/// One frame.
#[derive(Debug)]
struct GreyFrame {
    /// Name of the file.
    name: String,
    mid_mjd_utc: f64,
    /// Top row first.
    greys: Vec<u8>,
    /// Place of the object from the upper left corner [px].
    object_px: (f64, f64),
    is_detected: bool,
}

impl Sequence {
    /// Stretches the stamps; `None` when there is not one finite pixel.
    pub(super) fn new(cutouts: &Cutouts, centre: Centring, wants_subtracted: bool) -> Option<Self> {
        let shown = &cutouts.frames[..cutouts.frames.len().min(FRAMES_MAX)];
        let subtracted = View::new(centre, StaticSky::Subtracted);
        let is_subtracted = wants_subtracted && shown.iter().all(|f| f.stamp(subtracted).is_some());
        let view = if is_subtracted { subtracted } else { View::new(centre, StaticSky::Kept) };
        let stamps: Vec<&Image<f32>> = shown.iter().filter_map(|f| f.stamp(view)).collect();
        let side_px = cutouts.side_px;
        if side_px == 0 || stamps.iter().any(|s| s.nx() != side_px || s.ny() != side_px) {
            return None;
        }
        let stretch = Stretch::of(cutouts, view)?;
        let grey = |(frame, stamp): (&FrameCutout, &&Image<f32>)| {
            let rows = (0..side_px).rev().flat_map(|y| stamp.row(y));
            let place = frame.detected_deg.unwrap_or(frame.predicted_deg);
            let (x, y) = cutouts.place_px(cutouts.centre_deg(frame, centre), place);
            GreyFrame {
                name: frame.frame.clone(),
                mid_mjd_utc: frame.mid_mjd_utc,
                greys: rows.map(|&value| stretch.grey(value, LEVELS)).collect(),
                object_px: (x, side_px as f64 - 1.0 - y),
                is_detected: frame.detected_deg.is_some(),
            }
        };
        let frames: Vec<GreyFrame> = shown.iter().zip(&stamps).map(grey).collect();
        (!frames.is_empty()).then_some(Self { side_px, frames, is_subtracted })
    }

    /// Number of frames.
    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Name, middle of the exposure [d, MJD UTC] and whether the object was detected.
    pub(super) fn frame(&self, index: usize) -> Option<(&str, f64, bool)> {
        self.frames.get(index).map(|f| (f.name.as_str(), f.mid_mjd_utc, f.is_detected))
    }

    /// A frame as `n` rows of `n` dots, top row first.
    pub(super) fn dots(&self, index: usize, n: usize, look: Look) -> Vec<Dot> {
        let Some(frame) = self.frames.get(index) else {
            return vec![Dot::Grey(0); n * n];
        };
        let mut dots: Vec<Dot> = scaled(&frame.greys, self.side_px, n)
            .into_iter()
            .map(|grey| Dot::Grey(if look.is_inverse { LEVELS - 1 - grey } else { grey }))
            .collect();
        if look.has_marks {
            mark(&mut dots, n, frame, self.side_px);
        }
        dots
    }
}

/// A square of greys with another number of dots: the mean of what a dot covers, or the nearest.
fn scaled(greys: &[u8], side: usize, n: usize) -> Vec<u8> {
    // Dot i covers the pixels from floor(i side / n) to ceil((i + 1) side / n), one at least.
    let span = |i: usize| (i * side / n, ((i + 1) * side).div_ceil(n).min(side));
    let nearest = |i: usize| (2 * i + 1) * side / (2 * n);
    let mut dots = Vec::with_capacity(n * n);
    for row in 0..n {
        for column in 0..n {
            if n >= side {
                dots.push(greys[nearest(row) * side + nearest(column)]);
                continue;
            }
            let ((y0, y1), (x0, x1)) = (span(row), span(column));
            let covered = (y0..y1).flat_map(|y| &greys[y * side + x0..y * side + x1]);
            let sum: usize = covered.map(|&grey| usize::from(grey)).sum();
            // A mean of bytes is a byte.
            dots.push((sum / ((y1 - y0) * (x1 - x0))) as u8);
        }
    }
    dots
}

/// Draws four ticks that point at the object and leave it free.
fn mark(dots: &mut [Dot], n: usize, frame: &GreyFrame, side_px: usize) {
    let scale = n as f64 / side_px as f64;
    let (x, y) = ((frame.object_px.0 + 0.5) * scale, (frame.object_px.1 + 0.5) * scale);
    let from = (MARK_FROM_SHARE * n as f64).max(2.0).round() as i64;
    let to = (MARK_TO_SHARE * n as f64).max(4.0).round() as i64;
    let width = 1 + n as i64 / 200;
    if !(x.is_finite() && y.is_finite()) {
        return;
    }
    let (x, y) = (x.floor() as i64, y.floor() as i64);
    let limit = n as i64;
    for r in from..to {
        for w in 0..width {
            for (column, row) in [(x + r, y + w), (x - r, y + w), (x + w, y + r), (x + w, y - r)] {
                if (0..limit).contains(&column) && (0..limit).contains(&row) {
                    let is_detected = frame.is_detected;
                    dots[row as usize * n + column as usize] = Dot::Mark { is_detected };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::cutouts;
    use super::*;

    const BARE: Look = Look { is_inverse: false, has_marks: false };

    fn grey(dots: &[Dot], n: usize, x: usize, y: usize) -> u8 {
        match dots[y * n + x] {
            Dot::Grey(grey) => grey,
            Dot::Mark { .. } => panic!("a mark"),
        }
    }

    #[test]
    fn north_is_up_and_the_object_stands_still_or_moves() {
        let cutouts = cutouts("A", 5);
        let on_object = Sequence::new(&cutouts, Centring::OnObject, true).expect("a sequence");
        let on_sky = Sequence::new(&cutouts, Centring::OnSky, false).expect("a sequence");
        for i in 0..5 {
            let dots = on_object.dots(i, 31, BARE);
            assert!(grey(&dots, 31, 15, 15) > 200, "in the middle of frame {i}");
            let dots = on_sky.dots(i, 31, BARE);
            // It moves by 2 px per frame and is in the middle of frame 2.
            assert!(grey(&dots, 31, 11 + 2 * i, 15) > 120, "frame {i}");
            // The brightest star is at column 27, row 27 from below: row 3 from above.
            assert!(grey(&dots, 31, 27, 3) > 240 && grey(&dots, 31, 27, 27) < 120);
        }
        assert!(
            on_object.frame(3).is_some_and(|f| f.2) && on_object.frame(4).is_some_and(|f| !f.2)
        );
        assert_eq!(on_object.frame(5), None);
    }

    #[test]
    fn pictures_fit_any_number_of_dots() {
        let cutouts = cutouts("A", 2);
        let sequence = Sequence::new(&cutouts, Centring::OnObject, true).expect("a sequence");
        for n in [1, 2, 17, 31, 90, 400] {
            let dots = sequence.dots(0, n, BARE);
            assert_eq!(dots.len(), n * n);
            let middle = grey(&dots, n, n / 2, n / 2);
            assert!(n < 10 || middle > grey(&dots, n, n / 2, n / 8), "{n}");
            let inverse = Look { is_inverse: true, has_marks: false };
            assert_eq!(grey(&sequence.dots(0, n, inverse), n, n / 2, n / 2), 254 - middle);
            let marked = sequence.dots(0, n, Look { is_inverse: false, has_marks: true });
            let n_marks = marked.iter().filter(|d| matches!(d, Dot::Mark { .. })).count();
            assert!(n < 17 || n_marks >= 8, "{n}: {n_marks}");
        }
        assert_eq!(sequence.dots(9, 4, BARE), vec![Dot::Grey(0); 16]);
    }

    #[test]
    fn shrinking_takes_means() {
        // 4 x 4 to 2 x 2: each dot is the mean of four.
        let greys: Vec<u8> = vec![0, 4, 8, 8, 0, 4, 8, 8, 100, 100, 200, 0, 100, 100, 0, 200];
        assert_eq!(scaled(&greys, 4, 2), [2, 8, 100, 100]);
    }

    #[test]
    fn without_subtracted_stamps_the_others_are_shown_and_nothing_is_none() {
        let mut cutouts = cutouts("A", 2);
        cutouts.frames[1].on_object_subtracted = None;
        let sequence = Sequence::new(&cutouts, Centring::OnObject, true).expect("a sequence");
        assert!(!sequence.is_subtracted);
        let empty = Image::filled(31, 31, f32::NAN);
        for frame in &mut cutouts.frames {
            frame.on_object = empty.clone();
        }
        assert!(Sequence::new(&cutouts, Centring::OnObject, false).is_none());
        cutouts.frames.clear();
        assert!(Sequence::new(&cutouts, Centring::OnSky, false).is_none());
    }
}
