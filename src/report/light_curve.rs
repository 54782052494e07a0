//! The light curve of an object as a chart. A panel per night would hide how nights compare: they
//! are laid over each other by time of day.

use super::ReportError;
use super::figure::{
    BOTTOM, Drawing, HEIGHT, INK, LEFT, LINE, NUMBER_UNIT_PX, Picture, RIGHT, SERIES, TOP, WIDTH,
    axes, pale,
};
use super::raster::{Anchor, Colour, Pen};
use super::scale::Scale;

/// Hours of a day.
const DAY_H: f64 = 24.0;
/// Longest error bar the axis makes room for [mag].
const ERROR_SHOWN_MAG: f64 = 0.3;
/// Smallest range of magnitudes shown [mag].
const LEAST_MAG: f64 = 0.05;
/// Smallest range of times shown [h].
const LEAST_H: f64 = 0.1;
/// Half of the cross over a point in doubt [px].
const CROSS_PX: f64 = 5.0;
/// Nights named in the chart's legend.
const NAMED_MAX: usize = 6;
/// Height of a line of the legend [px].
const LEGEND_PX: f64 = 22.0;

/// A point to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnPoint {
    /// Its night.
    pub night: String,
    /// Time [d, MJD].
    pub mjd: f64,
    /// Magnitude [mag].
    pub mag: f64,
    /// Its error [mag].
    pub err_mag: Option<f64>,
    /// Whether it is trusted; others are crossed out.
    pub is_trusted: bool,
}

/// Draws magnitudes against hours from each night's midnight (UTC); bright upwards.
///
/// * `quantity`: what the magnitudes are, with their unit.
pub fn draw_light_curve(
    object: &str,
    quantity: &str,
    points: &[DrawnPoint],
) -> Result<Picture, ReportError> {
    drawing(object, quantity, points).picture("lightcurve")
}

fn drawing(object: &str, quantity: &str, points: &[DrawnPoint]) -> Drawing {
    let nights = nights(points);
    // Noon to noon: an observing night is not cut at midnight.
    let noon = |mjd: f64| (mjd - 0.5).floor() + 0.5;
    let hours = |point: &DrawnPoint| (point.mjd - noon(point.mjd)) * DAY_H - 0.5 * DAY_H;
    let times: Vec<f64> = points.iter().map(hours).collect();
    let reach = |point: &DrawnPoint| point.err_mag.unwrap_or(0.0).min(ERROR_SHOWN_MAG);
    let trusted = points.iter().filter(|p| p.is_trusted);
    let mut values: Vec<f64> = trusted.flat_map(|p| [p.mag - reach(p), p.mag + reach(p)]).collect();
    if values.is_empty() {
        values = points.iter().map(|p| p.mag).collect();
    }
    let scales = Scale::around(&times, LEAST_H, (LEFT, RIGHT)).zip(Scale::around(
        &values,
        LEAST_MAG,
        (TOP, BOTTOM),
    ));
    let Some((x, y)) = scales else { return Drawing::new(WIDTH, HEIGHT) };
    let n_trusted = points.iter().filter(|p| p.is_trusted).count();
    let n_doubted = points.len() - n_trusted;
    let doubted =
        if n_doubted == 0 { String::new() } else { format!(", {n_doubted} in doubt (crossed)") };
    let title = format!("{object}: {n_trusted} points{doubted}");
    let mut drawing = axes(&title, (&x, "hours from midnight [h, UTC]"), (&y, quantity));
    for (point, at) in points.iter().zip(&times) {
        let ink = ink_of(&nights, point);
        let centre = (x.place(*at), y.place(point.mag).clamp(TOP, BOTTOM));
        if let Some(error) = point.err_mag {
            let ends = [point.mag - error, point.mag + error];
            let [from, to] = ends.map(|end| y.place(end).clamp(TOP, BOTTOM));
            drawing.line((centre.0, from), (centre.0, to), 1.2, pale(ink));
        }
        if point.is_trusted {
            drawing.dot(centre, 3.6, ink);
        } else {
            cross(&mut drawing, centre);
        }
    }
    if nights.len() > 1 {
        legend(&mut drawing, &nights);
    }
    drawing
}

/// The nights in the order in which they come.
fn nights(points: &[DrawnPoint]) -> Vec<&str> {
    let mut nights: Vec<&str> = Vec::new();
    for point in points {
        if !nights.contains(&point.night.as_str()) {
            nights.push(&point.night);
        }
    }
    nights
}

fn ink_of(nights: &[&str], point: &DrawnPoint) -> Colour {
    let place = nights.iter().position(|night| *night == point.night).unwrap_or(0);
    SERIES[place % SERIES.len()]
}

fn cross(drawing: &mut Drawing, (x, y): (f64, f64)) {
    for side in [-CROSS_PX, CROSS_PX] {
        drawing.line((x - CROSS_PX, y - side), (x + CROSS_PX, y + side), 1.6, LINE);
    }
}

fn legend(drawing: &mut Drawing, nights: &[&str]) {
    let row = |k: usize| TOP + LEGEND_PX * (k as f64 + 1.0);
    for (k, night) in nights.iter().take(NAMED_MAX).enumerate() {
        let pen = Pen { unit_px: NUMBER_UNIT_PX, colour: SERIES[k % SERIES.len()] };
        drawing.text(night, (RIGHT - 8.0, row(k)), Anchor::End, pen);
    }
    if nights.len() > NAMED_MAX {
        let pen = Pen { unit_px: NUMBER_UNIT_PX, colour: INK };
        let more = format!("and {} more nights", nights.len() - NAMED_MAX);
        drawing.text(&more, (RIGHT - 8.0, row(NAMED_MAX)), Anchor::End, pen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(night: &str, mjd: f64, mag: f64, is_trusted: bool) -> DrawnPoint {
        DrawnPoint { night: night.to_owned(), mjd, mag, err_mag: Some(0.01), is_trusted }
    }

    #[test]
    fn bright_is_up_and_doubt_is_crossed_out() {
        let points = [
            point("n1", 61_000.9, 18.0, true),
            point("n1", 61_001.1, 18.2, true),
            point("n2", 61_002.0, 18.1, true),
            point("n2", 61_002.1, 15.0, false),
        ];
        let picture = draw_light_curve("433 Eros", "G [mag]", &points).expect("a chart");
        assert!(
            picture.svg.contains("433 Eros: 3 points, 1 in doubt") && picture.svg.contains("n2")
        );
        let dots: Vec<(f64, f64)> = picture
            .svg
            .split("<circle cx=\"")
            .skip(1)
            .map(|rest| {
                let (x, rest) = rest.split_once("\" cy=\"").expect("a place");
                let y = rest.split_once('"').expect("a place").0;
                (x.parse().expect("a number"), y.parse().expect("a number"))
            })
            .collect();
        assert_eq!(dots.len(), 3);
        // The brighter one is above the fainter one, and 21:36 is left of 02:24 and of midnight.
        assert!(
            dots[0].1 < dots[1].1 && dots[0].0 < dots[2].0 && dots[2].0 < dots[1].0,
            "{dots:?}"
        );
        assert!(picture.png.starts_with(b"\x89PNG"));
    }
}
