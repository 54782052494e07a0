//! Charts as SVG text: light curves and the conditions of the night.
//!
//! The charts go inline into the page: colours follow its classes, attributes are the fall-back
//! elsewhere. All text in them is ours or a number, so nothing needs escaping.

use std::fmt::Write as _;

use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection};
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};

use super::scale::Scale;
use crate::science::box_plot::BoxPlot;

/// Size of a chart and the edges of its plotting area [SVG units].
const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 332.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 142.0;
/// Most points drawn; of more, evenly chosen ones are shown.
pub(super) const POINTS_MAX: usize = 2000;
/// Most ticks per axis.
const TICKS_MAX: usize = 5;
/// Smallest range of the axes: magnitudes [mag], seeing [arcsec], separations [mas], time [h].
const LEAST_MAG: f64 = 0.2;
const LEAST_ARCSEC: f64 = 0.5;
const LEAST_MAS: f64 = 20.0;
pub(super) const LEAST_H: f64 = 0.1;
/// Longest error bar the axis makes room for, in the unit of the axis; the rest is cut.
const ERROR_SHOWN_MAX: f64 = 0.5;

/// A measured value at a time.
pub(super) struct Point {
    /// Time since 0h UTC before the first [h].
    pub(super) hours: f64,
    pub(super) value: f64,
    pub(super) error: Option<f64>,
    /// Whether its frame was used.
    pub(super) is_good: bool,
}

/// Which way an axis grows.
#[derive(Clone, Copy)]
enum Upward {
    Larger,
    Smaller,
}

/// What a chart shows.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    upward: Upward,
    /// Smallest range of the axis, in its unit.
    pub(super) least: f64,
    pub(super) points: Vec<Point>,
    /// Times of the frames without the value [h].
    pub(super) lost_hours: Vec<f64>,
    /// Box plot of the values, drawn behind them.
    box_plot: Option<BoxPlot>,
}

/// Draws the magnitudes of an object against time, bright upwards; `None` without magnitudes.
pub fn light_curve_svg(candidate: &Candidate) -> Option<String> {
    let origin = day_before(candidate.detections.iter().map(|d| d.mid_mjd_utc))?;
    let points = candidate
        .detections
        .iter()
        .filter_map(|d| {
            let hours = (d.mid_mjd_utc - origin) * 24.0;
            Some(Point { hours, value: d.mag?, error: d.mag_err, is_good: true })
        })
        .collect();
    let title = "Magnitude [G] against time [UTC]";
    let chart = Chart { points, ..Chart::empty(title, Upward::Smaller, LEAST_MAG) };
    draw(&chart)
}

/// Draws the residuals of the motion fit against time, east and north, a chart each.
pub fn residual_svgs(candidate: &Candidate) -> Vec<String> {
    let Some(origin) = day_before(candidate.detections.iter().map(|d| d.mid_mjd_utc)) else {
        return Vec::new();
    };
    type Part = fn((f64, f64)) -> f64;
    let axes: [(&str, Part); 2] = [
        ("Residual east [arcsec] against time [UTC]", |residual| residual.0),
        ("Residual north [arcsec] against time [UTC]", |residual| residual.1),
    ];
    axes.into_iter()
        .filter_map(|(title, part)| {
            let point = |d: &CandidateDetection| Point {
                hours: (d.mid_mjd_utc - origin) * 24.0,
                value: part(d.residual_arcsec),
                error: Some(d.position_err_arcsec),
                is_good: true,
            };
            let points = candidate.detections.iter().map(point).collect();
            draw(&Chart { points, ..Chart::empty(title, Upward::Larger, LEAST_ARCSEC) })
        })
        .collect()
}

impl<'a> Chart<'a> {
    fn empty(title: &'a str, upward: Upward, least: f64) -> Self {
        Self { title, upward, least, points: Vec::new(), lost_hours: Vec::new(), box_plot: None }
    }
}

/// Draws how far the frames' sources lie from the catalogue, with the night's box plot.
///
/// The shaded band holds the middle half of the frames, the line in it is the median, and above
/// the red line are outliers. Marks are those of [`conditions_svgs`].
pub fn separations_svg(frames: &[FrameRecord]) -> Option<String> {
    let origin = day_before(frames.iter().filter_map(|frame| frame.mid_mjd_utc))?;
    let mut chart =
        Chart::empty("Distance to the catalogue, median [mas]", Upward::Larger, LEAST_MAS);
    for frame in frames {
        let Some(hours) = frame.mid_mjd_utc.map(|mjd| (mjd - origin) * 24.0) else { continue };
        match frame.separation_arcsec {
            Some(separation) => chart.points.push(Point {
                hours,
                value: separation * 1000.0,
                error: None,
                is_good: frame.status == FrameStatus::Ok,
            }),
            None => chart.lost_hours.push(hours),
        }
    }
    chart.box_plot = BoxPlot::of(chart.points.iter().map(|p| p.value));
    draw(&chart)
}

/// Draws zero point, seeing and limiting magnitude of the frames against time, one chart each.
///
/// Frames that were measured but not used are hollow; those without the value are red ticks at
/// the bottom. A quantity that no frame has gives no chart.
pub fn conditions_svgs(frames: &[FrameRecord]) -> Vec<String> {
    conditions(frames).iter().filter_map(draw).collect()
}

/// Zero point, seeing and limiting magnitude of the frames; empty without a frame with a time.
pub(super) fn conditions(frames: &[FrameRecord]) -> Vec<Chart<'static>> {
    type Value = fn(&FrameRecord) -> Option<f64>;
    let quantities: [(&str, f64, Value, Value); 3] = [
        ("Zero point [mag]", LEAST_MAG, |f| f.zero_point_mag, |f| f.zero_point_err_mag),
        ("Seeing, FWHM [arcsec]", LEAST_ARCSEC, |f| f.fwhm_arcsec, |_| None),
        ("Limiting magnitude [G], 5 sigma", LEAST_MAG, |f| f.limiting_mag, |_| None),
    ];
    let Some(origin) = day_before(frames.iter().filter_map(|frame| frame.mid_mjd_utc)) else {
        return Vec::new();
    };
    let timed =
        || frames.iter().filter_map(|frame| Some((frame, (frame.mid_mjd_utc? - origin) * 24.0)));
    quantities
        .into_iter()
        .map(|(title, least, value, error)| {
            let points = timed()
                .filter_map(|(frame, hours)| {
                    let is_good = frame.status == FrameStatus::Ok;
                    Some(Point { hours, value: value(frame)?, error: error(frame), is_good })
                })
                .collect();
            let lost_hours =
                timed().filter(|(frame, _)| value(frame).is_none()).map(|(_, h)| h).collect();
            Chart { points, lost_hours, ..Chart::empty(title, Upward::Larger, least) }
        })
        .collect()
}

/// The 0h UTC before the first of some times [d, MJD]; `None` without a finite one.
fn day_before(times_mjd: impl Iterator<Item = f64>) -> Option<f64> {
    times_mjd.filter(|mjd| mjd.is_finite()).reduce(f64::min).map(f64::floor)
}

/// Draws a chart; `None` when it has no point.
fn draw(chart: &Chart<'_>) -> Option<String> {
    let is_drawable = |p: &&Point| p.value.is_finite() && p.hours.is_finite();
    let points: Vec<&Point> = chart.points.iter().filter(is_drawable).collect();
    let step = points.len().div_ceil(POINTS_MAX).max(1);
    let points: Vec<&Point> = points.into_iter().step_by(step).collect();
    let hours: Vec<f64> =
        points.iter().map(|p| p.hours).chain(chart.lost_hours.iter().copied()).collect();
    let reach = |p: &&Point| p.error.unwrap_or(0.0).clamp(0.0, ERROR_SHOWN_MAX);
    let fence = chart.box_plot.map(|night| night.upper_fence());
    let ends = points.iter().flat_map(|p| [p.value - reach(p), p.value + reach(p)]);
    let values: Vec<f64> = ends.chain(fence).collect();
    let vertical = match chart.upward {
        Upward::Larger => (BOTTOM, TOP),
        Upward::Smaller => (TOP, BOTTOM),
    };
    let x = Scale::around(&hours, LEAST_H, (LEFT, RIGHT))?;
    let y = Scale::around(&values, chart.least, vertical)?;
    let mut svg = format!(
        "<svg class=\"chart\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-size=\"11\" fill=\"currentColor\"><text x=\"4\" y=\"13\">{title}</text>",
        title = chart.title
    );
    draw_axes(&mut svg, &x, &y);
    if let Some(night) = &chart.box_plot {
        draw_box(&mut svg, night, &y);
    }
    for point in points {
        draw_point(&mut svg, point, &x, &y);
    }
    for &lost in chart.lost_hours.iter().filter(|h| h.is_finite()).take(POINTS_MAX) {
        let (place, from) = (x.place(lost), BOTTOM - 7.0);
        put(
            &mut svg,
            format_args!(
                "<path class=\"lost\" d=\"M{place:.1} {from}V{BOTTOM}\" stroke=\"#c0392b\" \
             stroke-width=\"2\"/>"
            ),
        );
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// Draws grid lines with their labels.
fn draw_axes(svg: &mut String, x: &Scale, y: &Scale) {
    let (ticks, decimals) = y.ticks(TICKS_MAX);
    for tick in ticks {
        let (place, text_y) = (y.place(tick), y.place(tick) + 4.0);
        let text_x = LEFT - 5.0;
        put(
            svg,
            format_args!(
                "<path class=\"grid\" d=\"M{LEFT} {place:.1}H{RIGHT}\" stroke=\"currentColor\" \
             stroke-opacity=\"0.18\"/><text x=\"{text_x}\" y=\"{text_y:.1}\" \
             text-anchor=\"end\">{tick:.decimals$}</text>"
            ),
        );
    }
    let text_y = BOTTOM + 17.0;
    for tick in x.hour_ticks(TICKS_MAX) {
        let place = x.place(tick);
        let minutes = (tick * 60.0).round().rem_euclid(1440.0);
        let (hour, minute) = ((minutes / 60.0).floor(), minutes % 60.0);
        put(
            svg,
            format_args!(
                "<path class=\"grid\" d=\"M{place:.1} {TOP}V{BOTTOM}\" stroke=\"currentColor\" \
             stroke-opacity=\"0.18\"/><text x=\"{place:.1}\" y=\"{text_y}\" \
             text-anchor=\"middle\">{hour:02.0}:{minute:02.0}</text>"
            ),
        );
    }
    put(
        svg,
        format_args!(
            "<path d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\" fill=\"none\" stroke=\"currentColor\" \
         stroke-opacity=\"0.6\"/>"
        ),
    );
}

/// Draws quartiles as a band, the median and the fence as lines across.
fn draw_box(svg: &mut String, night: &BoxPlot, y: &Scale) {
    let (top, bottom) = (y.place(night.upper_quartile()), y.place(night.lower_quartile()));
    let (median, fence) = (y.place(night.median()), y.place(night.upper_fence()));
    put(
        svg,
        format_args!(
            "<path class=\"box\" d=\"M{LEFT} {top:.1}H{RIGHT}V{bottom:.1}H{LEFT}Z\" \
             fill=\"#2f6fb5\" fill-opacity=\"0.14\"/><path d=\"M{LEFT} {median:.1}H{RIGHT}\" \
             stroke=\"#2f6fb5\" stroke-opacity=\"0.6\"/><path d=\"M{LEFT} {fence:.1}H{RIGHT}\" \
             stroke=\"#c0392b\" stroke-dasharray=\"4 3\"/>"
        ),
    );
}

/// Draws a dot and its error bar, which ends at the edges.
fn draw_point(svg: &mut String, point: &Point, x: &Scale, y: &Scale) {
    let (place_x, place_y) = (x.place(point.hours), y.place(point.value));
    if let Some(error) = point.error.filter(|error| error.is_finite()) {
        let ends = [point.value - error, point.value + error];
        let [from, to] = ends.map(|end| y.place(end).clamp(TOP, BOTTOM));
        put(
            svg,
            format_args!(
                "<path class=\"bar\" d=\"M{place_x:.1} {from:.1}V{to:.1}\" stroke=\"#2f6fb5\"/>"
            ),
        );
    }
    let class = if point.is_good { "dot" } else { "dot hollow" };
    let fill = if point.is_good { "#2f6fb5" } else { "none" };
    put(
        svg,
        format_args!(
            "<circle class=\"{class}\" cx=\"{place_x:.1}\" cy=\"{place_y:.1}\" r=\"2.6\" \
         fill=\"{fill}\" stroke=\"#2f6fb5\"/>"
        ),
    );
}

/// Appends to a text.
fn put(svg: &mut String, arguments: std::fmt::Arguments<'_>) {
    svg.write_fmt(arguments).expect("a String takes any text");
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    /// Number of elements of a name, and a check that all tags close.
    fn elements(svg: &str, name: &str) -> usize {
        let opened = svg.matches('<').count() - svg.matches("</").count();
        let closed = svg.matches("/>").count() + svg.matches("</").count();
        assert_eq!(opened, closed, "{svg}");
        assert_eq!(svg.matches('"').count() % 2, 0);
        svg.matches(&format!("<{name} ")).count()
    }

    #[test]
    fn a_light_curve_has_a_dot_per_magnitude_and_bright_is_up() {
        let candidate = fixture::report().candidates.remove(1);
        let n = candidate.detections.iter().filter(|d| d.mag.is_some()).count();
        let svg = light_curve_svg(&candidate).expect("magnitudes");
        assert_eq!(elements(&svg, "circle"), n);
        let scale = Scale::around(&[18.0, 19.0], 0.1, (TOP, BOTTOM)).expect("two values");
        assert!(scale.place(18.0) < scale.place(19.0));
        let mut without = candidate;
        without.detections.iter_mut().for_each(|d| d.mag = None);
        assert_eq!(light_curve_svg(&without), None);
        let residuals = residual_svgs(&without);
        assert_eq!(residuals.len(), 2);
        assert!(residuals.iter().all(|svg| elements(svg, "circle") == without.detections.len()));
    }

    #[test]
    fn separations_have_a_dot_per_frame_and_the_fence_inside() {
        let mut frames = fixture::report().frames;
        let n = frames.iter().filter(|f| f.separation_arcsec.is_some()).count();
        frames[0].separation_arcsec = Some(0.5);
        let svg = separations_svg(&frames).expect("separations");
        assert_eq!(elements(&svg, "circle"), n);
        let fence = svg.split("stroke-dasharray").next().and_then(|s| s.rsplit("M44 ").next());
        let place: f64 = fence.and_then(|s| s.split('H').next()?.parse().ok()).expect("a line");
        assert!((TOP..BOTTOM).contains(&place), "{place}");
        frames.iter_mut().for_each(|f| f.separation_arcsec = None);
        assert_eq!(separations_svg(&frames), None);
    }

    #[test]
    fn conditions_show_lost_frames_and_survive_hostile_numbers() {
        let mut frames = fixture::report().frames;
        let charts = conditions_svgs(&frames);
        assert_eq!(charts.len(), 3);
        assert!(charts.iter().all(|svg| elements(svg, "circle") > 0));
        assert!(charts[0].contains("class=\"lost\""));
        for frame in &mut frames {
            frame.zero_point_mag = Some(f64::NAN);
            frame.fwhm_arcsec = Some(1e300);
            frame.mid_mjd_utc = frame.mid_mjd_utc.map(|mjd| mjd * 1e9);
        }
        conditions_svgs(&frames).iter().for_each(|svg| assert!(elements(svg, "text") < 100));
        assert!(conditions_svgs(&[]).is_empty());
    }
}
