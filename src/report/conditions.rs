//! The conditions of a night: one picture for the mail, and the same in words.
//!
//! Zero point, seeing and limiting magnitude stand one below the other over one axis of time. The
//! paper is light whatever the reader's mail program looks like.

use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::science::image::stats::median;

use super::ReportError;
use super::plot::{Chart, LEAST_H, POINTS_MAX, Point, conditions};
use super::raster::{Anchor, Colour, Pen, Raster};
use super::scale::Scale;
use super::words::{number, plural};

/// Width of the picture; a mail shows it at 320 to 640 [px].
const WIDTH: usize = 960;
/// Left and right end of the plotting area [px].
const LEFT: f64 = 110.0;
const RIGHT: f64 = 940.0;
/// Height of a plotting area, and of the title above it [px].
const PANEL_HEIGHT: f64 = 150.0;
const TITLE_HEIGHT: f64 = 56.0;
/// Room below the last panel for times and legend [px].
const FOOT_HEIGHT: f64 = 108.0;
/// Most ticks on the axis of values and of time.
const VALUE_TICKS_MAX: usize = 3;
const TIME_TICKS_MAX: usize = 6;
/// Longest error bar the axis makes room for, in the unit of the axis.
const ERROR_SHOWN_MAX: f64 = 0.5;
/// Radius of a dot, and of the paper inside a hollow one [px].
const DOT_PX: f64 = 6.0;
const HOLE_PX: f64 = 3.2;
/// Radius of a dot where there are more of them than this.
const MANY_POINTS: usize = 150;
const SMALL_DOT_PX: f64 = 4.0;
/// Size of the letters: grid units of titles and of numbers [px].
const TITLE_UNIT_PX: f64 = 3.3;
const NUMBER_UNIT_PX: f64 = 3.0;

const PAPER: Colour = [255, 255, 255];
const INK: Colour = [34, 38, 43];
const SOFT: Colour = [84, 92, 102];
const GRID: Colour = [222, 225, 229];
const MARK: Colour = [47, 111, 181];
const LOST: Colour = [179, 54, 31];

/// Draws the picture; `None` when no frame has a value.
pub fn conditions_png(frames: &[FrameRecord]) -> Result<Option<Vec<u8>>, ReportError> {
    let is_drawable = |p: &Point| p.hours.is_finite() && p.value.is_finite();
    let mut charts = conditions(frames);
    charts.iter_mut().for_each(|chart| chart.points.retain(is_drawable));
    charts.retain(|chart| !chart.points.is_empty());
    let hours: Vec<f64> = charts
        .iter()
        .flat_map(|chart| chart.points.iter().map(|p| p.hours).chain(chart.lost_hours.clone()))
        .collect();
    let Some(x) = Scale::around(&hours, LEAST_H, (LEFT, RIGHT)) else {
        return Ok(None);
    };
    let panel = PANEL_HEIGHT + TITLE_HEIGHT;
    let height = panel * charts.len() as f64 + FOOT_HEIGHT;
    // A few hundred pixels: at most three panels.
    let mut picture = Raster::new(WIDTH, height as usize, PAPER);
    let mut bottom = 0.0;
    for chart in &charts {
        bottom += panel;
        draw_panel(&mut picture, chart, &x, bottom);
    }
    draw_times(&mut picture, &x, bottom);
    draw_legend(&mut picture, bottom + FOOT_HEIGHT - 18.0);
    picture.into_png().map(Some)
}

/// Draws one quantity above its lower edge.
fn draw_panel(picture: &mut Raster, chart: &Chart<'_>, x: &Scale, bottom: f64) {
    let top = bottom - PANEL_HEIGHT;
    let title = Pen { unit_px: TITLE_UNIT_PX, colour: INK };
    picture.text(chart.title, (LEFT, top - 16.0), Anchor::Start, title);
    let reach = |p: &Point| p.error.unwrap_or(0.0).clamp(0.0, ERROR_SHOWN_MAX);
    let values: Vec<f64> =
        chart.points.iter().flat_map(|p| [p.value - reach(p), p.value + reach(p)]).collect();
    let Some(y) = Scale::around(&values, chart.least, (bottom, top)) else {
        return;
    };
    let (ticks, decimals) = y.ticks(VALUE_TICKS_MAX);
    let numbers = Pen { unit_px: NUMBER_UNIT_PX, colour: SOFT };
    for tick in ticks {
        let place = y.place(tick);
        picture.line((LEFT, place), (RIGHT, place), 1.5, GRID);
        let base = place + 3.0 * NUMBER_UNIT_PX;
        picture.text(&format!("{tick:.decimals$}"), (LEFT - 14.0, base), Anchor::End, numbers);
    }
    for tick in x.hour_ticks(TIME_TICKS_MAX) {
        picture.line((x.place(tick), top), (x.place(tick), bottom), 1.5, GRID);
    }
    picture.line((LEFT, top), (LEFT, bottom), 2.0, SOFT);
    picture.line((LEFT, bottom), (RIGHT, bottom), 2.0, SOFT);
    let radius = if chart.points.len() > MANY_POINTS { SMALL_DOT_PX } else { DOT_PX };
    let step = chart.points.len().div_ceil(POINTS_MAX).max(1);
    for point in chart.points.iter().step_by(step) {
        let at = (x.place(point.hours), y.place(point.value));
        let [from, to] = [-1.0, 1.0].map(|side| y.place(point.value + side * reach(point)));
        picture.line((at.0, from.max(top)), (at.0, to.min(bottom)), 2.0, MARK);
        draw_dot(picture, at, radius, point.is_good);
    }
    for lost in chart.lost_hours.iter().take(POINTS_MAX) {
        draw_lost(picture, (x.place(*lost), bottom));
    }
}

fn draw_dot(picture: &mut Raster, at: (f64, f64), radius_px: f64, is_good: bool) {
    picture.disc(at, radius_px, MARK);
    if !is_good {
        picture.disc(at, radius_px * HOLE_PX / DOT_PX, PAPER);
    }
}

fn draw_lost(picture: &mut Raster, (x, bottom): (f64, f64)) {
    picture.line((x, bottom - 16.0), (x, bottom - 2.0), 4.0, LOST);
}

/// Writes the times of day below the last panel.
fn draw_times(picture: &mut Raster, x: &Scale, bottom: f64) {
    let numbers = Pen { unit_px: NUMBER_UNIT_PX, colour: SOFT };
    let base = bottom + 32.0;
    let mut free_from = LEFT - 60.0;
    for tick in x.hour_ticks(TIME_TICKS_MAX) {
        let minutes = (tick * 60.0).round().rem_euclid(1440.0);
        let text = format!("{:02.0}:{:02.0}", (minutes / 60.0).floor(), minutes % 60.0);
        let place = x.place(tick).min(RIGHT - 40.0);
        if place - 44.0 > free_from {
            picture.text(&text, (place, base), Anchor::Middle, numbers);
            free_from = place + 44.0;
        }
    }
}

/// Says what the marks mean.
fn draw_legend(picture: &mut Raster, base: f64) {
    let pen = Pen { unit_px: NUMBER_UNIT_PX, colour: INK };
    let middle = base - 3.0 * NUMBER_UNIT_PX;
    let mut left = LEFT;
    type Mark = fn(&mut Raster, (f64, f64));
    let entries: [(&str, Mark); 3] = [
        ("used", |picture, at| draw_dot(picture, at, DOT_PX, true)),
        ("measured, not used", |picture, at| draw_dot(picture, at, DOT_PX, false)),
        ("no value", |picture, (x, y)| draw_lost(picture, (x, y + 9.0))),
    ];
    for (text, mark) in entries {
        mark(picture, (left + DOT_PX, middle));
        left += 26.0;
        left += picture.text(text, (left, base), Anchor::Start, pen) + 40.0;
    }
    picture.text("UTC", (RIGHT, base), Anchor::End, Pen { colour: SOFT, ..pen });
}

/// The same in words, a line per quantity, of the frames that were used.
pub fn conditions_in_words(frames: &[FrameRecord]) -> Vec<String> {
    type Value = fn(&FrameRecord) -> Option<f64>;
    let quantities: [(&str, &str, usize, Value); 3] = [
        ("Zero point", "mag", 2, |f| f.zero_point_mag),
        ("Seeing, FWHM", "arcsec", 1, |f| f.fwhm_arcsec),
        ("Limiting magnitude, 5 sigma", "G", 2, |f| f.limiting_mag),
    ];
    let used = || frames.iter().filter(|f| f.status == FrameStatus::Ok);
    quantities
        .into_iter()
        .filter_map(|(name, unit, decimals, value)| {
            let values: Vec<f64> = used().filter_map(value).filter(|v| v.is_finite()).collect();
            let low = values.iter().copied().reduce(f64::min)?;
            let high = values.iter().copied().reduce(f64::max)?;
            let told = |value| number(Some(value), decimals);
            let unit = if unit == "G" { String::new() } else { format!(" {unit}") };
            Some(format!(
                "{name}: {} to {}, median {}{unit} ({})",
                told(low),
                told(high),
                number(median(&values), decimals),
                plural(values.len(), "frame", "frames")
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn size(png: &[u8]) -> (u32, u32) {
        let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
        reader.info().size()
    }

    #[test]
    fn one_picture_has_a_panel_per_quantity_and_the_same_bytes_twice() {
        let mut frames = fixture::report().frames;
        let picture = conditions_png(&frames).expect("drawn").expect("values");
        assert_eq!(size(&picture), (960, 3 * 206 + 108));
        assert!(picture.len() < 60_000, "{} bytes", picture.len());
        assert_eq!(conditions_png(&frames).expect("drawn"), Some(picture));
        frames.iter_mut().for_each(|f| f.fwhm_arcsec = None);
        let picture = conditions_png(&frames).expect("drawn").expect("values");
        assert_eq!(size(&picture), (960, 2 * 206 + 108));
    }

    #[test]
    fn nothing_measured_is_no_picture_and_hostile_numbers_are_drawn_somewhere() {
        assert_eq!(conditions_png(&[]).expect("drawn"), None);
        let mut frames = fixture::report().frames;
        for (frame, n) in frames.iter_mut().zip(0_u32..) {
            frame.zero_point_mag = Some(f64::NAN);
            frame.fwhm_arcsec = Some(1e300);
            frame.zero_point_err_mag = Some(f64::INFINITY);
            frame.limiting_mag = Some(f64::from(n));
            frame.mid_mjd_utc = frame.mid_mjd_utc.map(|mjd| mjd * 1e9);
        }
        let picture = conditions_png(&frames).expect("drawn").expect("values");
        assert_eq!(size(&picture).0, 960);
    }

    #[test]
    fn a_thousand_frames_are_told_in_three_lines() {
        let mut frames = fixture::report().frames;
        let one = frames.remove(0);
        let many: Vec<FrameRecord> = (0..1001)
            .map(|n| FrameRecord { fwhm_arcsec: Some(2.0 + f64::from(n) / 1000.0), ..one.clone() })
            .collect();
        let told = conditions_in_words(&many);
        assert_eq!(told.len(), 3);
        assert_eq!(told[1], "Seeing, FWHM: 2.0 to 3.0, median 2.5 arcsec (1001 frames)");
        assert!(told[2].starts_with("Limiting magnitude, 5 sigma: 20.13 to 20.13, median 20.13 ("));
        assert!(conditions_in_words(&[]).is_empty());
    }
}
