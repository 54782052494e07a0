//! Drawing cut-outs in a few colours: greys for pixels, marks and digits on top.
//!
//! A stamp's row 0 is drawn at the bottom, as on the sky. Four ticks point at the object and leave
//! it free; where it should be and was not detected they are broken, in another colour, and words
//! say so.

use crate::pipeline::artifact::cutouts::{Cutouts, FrameCutout, View};
use crate::science::image::Image;

use super::glyphs;
use super::stretch::Stretch;

/// The ticks reach from here to there, from the object [px of the stamp].
const TICK_FROM_PX: f64 = 6.0;
const TICK_TO_PX: f64 = 10.0;
/// Length of a dash of a broken tick on the screen.
const DASH: u32 = 3;
/// Screen pixels per dot of the digits, and their distance from the edge.
const DOT: usize = 2;
const EDGE: usize = 4;
/// Colours behind the greys: what is not drawn on, ticks, digits, and what was not detected.
const PAPER_RGB: [u8; 3] = [24, 26, 30];
const MARK_RGB: [u8; 3] = [255, 176, 0];
const INK_RGB: [u8; 3] = [120, 220, 255];
const MISSED_RGB: [u8; 3] = [255, 96, 120];
/// Said of a frame that should show the object and does not.
const NOT_SEEN: &str = "NOT SEEN";
/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// How many greys there are, and the numbers of the colours behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Palette {
    /// Number of greys; at most 250.
    pub(super) greys: u8,
}

impl Palette {
    /// Enough greys for the eye.
    pub(super) const FINE: Self = Self { greys: 250 };

    const fn paper(self) -> u8 {
        self.greys
    }

    pub(super) const fn mark(self) -> u8 {
        self.greys + 1
    }

    pub(super) const fn ink(self) -> u8 {
        self.greys + 2
    }

    pub(super) const fn missed(self) -> u8 {
        self.greys + 3
    }

    /// Red, green and blue of all colours.
    pub(super) fn colours(self) -> Vec<u8> {
        let top = u16::from(self.greys.max(2) - 1);
        let grey = |level: u8| u8::try_from(u16::from(level) * 255 / top).unwrap_or(255);
        let greys = (0..self.greys).flat_map(|level| [grey(level); 3]);
        greys.chain([PAPER_RGB, MARK_RGB, INK_RGB, MISSED_RGB].into_iter().flatten()).collect()
    }
}

/// A sequence of stamps and how it is drawn.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'a> {
    /// The cut-outs.
    pub(super) cutouts: &'a Cutouts,
    /// Which stamps.
    pub(super) view: View,
    /// Common to all.
    pub(super) stretch: Stretch,
    /// Screen pixels per pixel of a stamp.
    pub(super) zoom: usize,
}

impl<'a> Sequence<'a> {
    /// Frames that have a stamp in this view, with their numbers from 1, in order of time.
    pub(super) fn frames(&self) -> Vec<(usize, &'a FrameCutout)> {
        let view = self.view;
        (1..).zip(&self.cutouts.frames).filter(|(_, frame)| frame.stamp(view).is_some()).collect()
    }

    /// Side of a drawn stamp.
    pub(super) const fn side(&self) -> usize {
        self.cutouts.side_px * self.zoom
    }

    /// Time of day of a frame: minutes, or seconds where frames follow each other faster.
    fn label(&self, frame: &FrameCutout) -> String {
        let times = self.cutouts.frames.iter().map(|frame| frame.mid_mjd_utc);
        let gaps = times.clone().skip(1).zip(times).map(|(later, earlier)| later - earlier);
        let is_fast = gaps.fold(f64::INFINITY, f64::min) * DAY_S < 60.0;
        let of_day = frame.mid_mjd_utc.rem_euclid(1.0);
        if !of_day.is_finite() {
            return String::new();
        }
        let second = (of_day * DAY_S) as u32;
        let (hour, minute) = (second / 3600, second / 60 % 60);
        if is_fast {
            return format!("{hour:02}:{minute:02}:{:02}", second % 60);
        }
        format!("{hour:02}:{minute:02}")
    }
}

/// Numbers of colours.
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
    palette: Palette,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, palette: Palette) -> Self {
        let pixels = vec![palette.paper(); width * height];
        Self { width, height, pixels, palette }
    }

    /// Draws a frame with its marks, its upper left corner at (left, top).
    pub(super) fn draw_frame(
        &mut self,
        sequence: &Sequence<'_>,
        (number, frame): (usize, &FrameCutout),
        (left, top): (usize, usize),
    ) {
        let Some(stamp) = frame.stamp(sequence.view) else { return };
        self.draw_stamp(stamp, sequence, (left, top));
        let centre = sequence.cutouts.centre_deg(frame, sequence.view.centring);
        let place = frame.detected_deg.unwrap_or(frame.predicted_deg);
        let (x, y) = sequence.cutouts.place_px(centre, place);
        let zoom = sequence.zoom as f64;
        let side = sequence.side();
        let screen = ((x + 0.5) * zoom, side as f64 - (y + 0.5) * zoom);
        let is_inside = |value: f64| (0.0..side as f64).contains(&value);
        if is_inside(screen.0) && is_inside(screen.1) {
            self.draw_ticks(screen, frame.detected_deg.is_some(), zoom, (left, top, side));
        }
        let ink = self.palette.ink();
        self.draw_text(&sequence.label(frame), (left + EDGE, top + EDGE), ink);
        let bottom = top + side.saturating_sub(EDGE + glyphs::HEIGHT * DOT);
        let total = sequence.cutouts.frames.len();
        self.draw_text(&format!("{number}/{total}"), (left + EDGE, bottom), ink);
        if frame.detected_deg.is_none() {
            let width = NOT_SEEN.len() * glyphs::ADVANCE * DOT;
            let right = left + side.saturating_sub(EDGE + width);
            self.draw_text(NOT_SEEN, (right, bottom), self.palette.missed());
        }
    }

    /// Draws the pixels of a stamp; those without a value are black.
    fn draw_stamp(
        &mut self,
        stamp: &Image<f32>,
        sequence: &Sequence<'_>,
        (left, top): (usize, usize),
    ) {
        let zoom = sequence.zoom;
        let (columns, rows) =
            (stamp.nx().min(sequence.cutouts.side_px), stamp.ny().min(sequence.cutouts.side_px));
        for y in 0..rows {
            let upper = top + (rows - 1 - y) * zoom;
            for (x, &value) in stamp.row(y).iter().enumerate().take(columns) {
                let grey = sequence.stretch.grey(value, self.palette.greys);
                for screen_y in upper..(upper + zoom).min(self.height) {
                    let start = screen_y * self.width + left + x * zoom;
                    self.pixels[start..start + zoom].fill(grey);
                }
            }
        }
    }

    /// Draws four ticks around a place of a stamp, cut at the stamp's edges.
    fn draw_ticks(
        &mut self,
        (x, y): (f64, f64),
        is_detected: bool,
        zoom: f64,
        (left, top, side): (usize, usize, usize),
    ) {
        let colour = if is_detected { self.palette.mark() } else { self.palette.missed() };
        let (from, to) = ((TICK_FROM_PX * zoom) as u32, (TICK_TO_PX * zoom) as u32);
        let is_drawn = |distance: &u32| is_detected || ((distance - from) / DASH).is_multiple_of(2);
        for distance in (from..to).filter(is_drawn).map(f64::from) {
            for (dx, dy) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
                let (u, v) = (x + dx * distance, y + dy * distance);
                let inside = 0.0..side as f64;
                if inside.contains(&u) && inside.contains(&v) {
                    self.set(left + u as usize, top + v as usize, colour);
                }
            }
        }
    }

    /// Writes a text with its upper left corner at a place; what does not fit is cut.
    fn draw_text(&mut self, text: &str, (x, y): (usize, usize), colour: u8) {
        for (i, character) in text.chars().enumerate().take(self.width) {
            let left = x + i * glyphs::ADVANCE * DOT;
            for (row, bits) in glyphs::rows(character).into_iter().enumerate() {
                for column in (0..3).filter(|column| bits & (0b100 >> column) != 0) {
                    for (dx, dy) in (0..DOT).flat_map(|dx| (0..DOT).map(move |dy| (dx, dy))) {
                        self.set(left + column * DOT + dx, y + row * DOT + dy, colour);
                    }
                }
            }
        }
    }

    /// Colours one screen pixel, if it is on the canvas.
    fn set(&mut self, x: usize, y: usize, colour: u8) {
        if x < self.width && y < self.height {
            self.pixels[y * self.width + x] = colour;
        }
    }
}
