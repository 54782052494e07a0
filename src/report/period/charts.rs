//! Three charts of a period: periodogram, folded curve, residuals.

use crate::report::ReportError;
use crate::report::figure::LEFT;
use crate::report::figure::{
    BOTTOM, Drawing, HEIGHT, INK, LINE, NUMBER_UNIT_PX, Picture, RIGHT, SERIES, TOP, WIDTH, axes,
    pale,
};
use crate::report::raster::{Anchor, Colour, Pen};
use crate::report::scale::Scale;
use crate::science::period::{Analysis, Curve, Found};

/// Chances whose powers are drawn as lines, and their labels.
const CHANCES: [(f64, &str); 3] = [(0.1, "10 %"), (0.01, "1 %"), (0.001, "0.1 %")];
/// Frequencies shown: up to so many times that of the rotation.
const FREQUENCIES_SHOWN: f64 = 8.0;
/// Longest error bar the axis makes room for, in units of the scatter.
const ERRORS_SHOWN_SIGMA: f64 = 1.0;
/// Most error bars; above, they would be all there is.
const BARS_MAX: usize = 3000;
/// Phases shown: a rotation and a bit on both sides.
const PHASES: (f64, f64) = (-0.1, 1.1);
/// Places of the drawn curve.
const CURVE_STEPS: usize = 400;
/// Height of a label with its gap [px].
const LABEL_PX: f64 = 20.0;
/// Hours of a day.
const DAY_H: f64 = 24.0;

/// Draws the charts; without a first choice the periodogram only.
pub fn draw(object: &str, analysis: &Analysis) -> Result<Vec<Picture>, ReportError> {
    let mut charts = vec![("periodogram", periodogram(object, analysis))];
    if let Some(first) = analysis.first() {
        let found = &analysis.found;
        charts.push(("curve", folded(object, found, &first.curve, Shown::Magnitudes)));
        charts.push(("residuals", folded(object, found, &first.curve, Shown::Residuals)));
    }
    charts.into_iter().map(|(name, drawing)| drawing.picture(name)).collect()
}

/// Powers against frequency with the levels of chance; the rotation's harmonics marked.
fn periodogram(object: &str, analysis: &Analysis) -> Drawing {
    let grid = analysis.grid;
    let first = analysis.first().map(|c| c.curve.frequency_per_h);
    let end = first.map_or(grid.end_per_h, |f| (FREQUENCIES_SHOWN * f).min(grid.end_per_h));
    let n = ((end - grid.start_per_h) / grid.step_per_h).clamp(2.0, grid.n as f64) as usize;
    let shown = &analysis.power_share[..n.min(analysis.power_share.len())];
    let levels = CHANCES.map(|(chance, label)| (analysis.meaning.level(chance), label));
    let highest = shown.iter().copied().chain(levels.iter().map(|l| l.0)).fold(0.0, f64::max);
    let scales = Scale::around(&[0.0, end * DAY_H], 1e-9, (LEFT, RIGHT)).zip(Scale::around(
        &[0.0, highest],
        1e-6,
        (BOTTOM, TOP),
    ));
    let Some((x, y)) = scales else { return Drawing::new(WIDTH, HEIGHT) };
    let title = format!("{object}: power of sines");
    let mut drawing =
        axes(&title, (&x, "frequency [cycles/day]"), (&y, "power (share of the variance)"));
    let soft = Pen { unit_px: NUMBER_UNIT_PX, colour: LINE };
    let mut lowest_px = BOTTOM;
    for (level, label) in levels {
        let place = y.place(level);
        drawing.line((LEFT, place), (RIGHT, place), 1.2, LINE);
        // Levels of many points lie close: their labels stand above each other.
        lowest_px = (place - 5.0).min(lowest_px - LABEL_PX);
        drawing.text(label, (RIGHT, lowest_px), Anchor::End, soft);
    }
    // One stroke per column of pixels: from its lowest to its highest power.
    let column = |i: usize| x.place(grid.frequency_per_h(i) * DAY_H);
    let mut i = 0;
    let mut before: Option<(f64, f64)> = None;
    while i < shown.len() {
        let here = column(i).floor();
        let (mut low, mut high) = (shown[i], shown[i]);
        while i < shown.len() && column(i).floor() <= here {
            (low, high) = (low.min(shown[i]), high.max(shown[i]));
            i += 1;
        }
        let (bottom, top) = ((here, y.place(low)), (here, y.place(high)));
        drawing.line(before.unwrap_or(bottom), top, 1.4, SERIES[0]);
        drawing.line(bottom, top, 1.4, SERIES[0]);
        before = Some(bottom);
    }
    if let Some(first) = first {
        for k in 1..=4 {
            let place = x.place(f64::from(k) * first * DAY_H);
            if place < RIGHT {
                drawing.line((place, TOP), (place, TOP + 16.0), 2.4, INK);
                let pen = Pen { unit_px: NUMBER_UNIT_PX, colour: INK };
                let label = if k == 1 { "f".to_owned() } else { format!("{k}f") };
                drawing.text(&label, (place + 7.0, TOP + 16.0), Anchor::Start, pen);
            }
        }
    }
    drawing
}

/// What of the folded points is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Magnitudes,
    Residuals,
}

/// Points by phase with error bars, bright upwards, with the curve.
fn folded(object: &str, found: &Found, curve: &Curve, shown: Shown) -> Drawing {
    let series = &found.series;
    let phase = |j: usize| (series.times_h()[j] * curve.frequency_per_h).rem_euclid(1.0);
    let value = |j: usize| match shown {
        Shown::Magnitudes => curve.at_phase(phase(j)) + curve.residuals_mag[j],
        Shown::Residuals => curve.residuals_mag[j],
    };
    let n = series.len();
    let scatter = (curve.residuals_mag.iter().map(|r| r * r).sum::<f64>() / n as f64).sqrt();
    // Errors of single points: without what is added for residuals that last.
    let error = |j: usize| series.errors_mag()[j] / found.lasting_count.sqrt();
    let reach = |j: usize| error(j).min(ERRORS_SHOWN_SIGMA * scatter);
    let values: Vec<f64> =
        (0..n).flat_map(|j| [value(j) - reach(j), value(j) + reach(j)]).collect();
    let x = Scale::around(&[0.0, 1.0], (PHASES.1 - PHASES.0) / 1.1, (LEFT, RIGHT));
    let Some((x, y)) = x.zip(Scale::around(&values, 0.02, (TOP, BOTTOM))) else {
        return Drawing::new(WIDTH, HEIGHT);
    };
    let period = curve.frequency_per_h.recip();
    let (title, y_name) = match shown {
        Shown::Magnitudes => (
            format!("{object}: period {period:.5} h, order {}", curve.order),
            "magnitude less zero point [mag]",
        ),
        Shown::Residuals => {
            (format!("{object}: residuals, rms {scatter:.4} mag"), "measured less fitted [mag]")
        }
    };
    let mut drawing = axes(&title, (&x, "phase [rotations]"), (&y, y_name));
    let radius = if n > 500 { 2.0 } else { 3.2 };
    let places = |j: usize| {
        let turns = [-1.0, 0.0, 1.0].map(|turn| phase(j) + turn);
        turns.into_iter().filter(|at| (PHASES.0..=PHASES.1).contains(at)).map(|at| x.place(at))
    };
    let mut inks: Vec<(usize, Colour)> = Vec::with_capacity(n);
    for (session, range) in series.sessions().enumerate() {
        inks.extend(range.map(|j| (j, SERIES[session % SERIES.len()])));
    }
    if n <= BARS_MAX {
        for (j, ink) in inks.iter().copied() {
            let ends = [value(j) - error(j), value(j) + error(j)];
            let [from, to] = ends.map(|end| y.place(end).clamp(TOP, BOTTOM));
            places(j).for_each(|at| drawing.line((at, from), (at, to), 1.0, pale(ink)));
        }
    }
    for (j, ink) in inks {
        places(j).for_each(|at| drawing.dot((at, y.place(value(j))), radius, ink));
    }
    let fitted = |at: f64| match shown {
        Shown::Magnitudes => curve.at_phase(at),
        Shown::Residuals => 0.0,
    };
    let step = (PHASES.1 - PHASES.0) / CURVE_STEPS as f64;
    for i in 0..CURVE_STEPS {
        let (from, to) = (PHASES.0 + i as f64 * step, PHASES.0 + (i + 1) as f64 * step);
        let place = |at: f64| (x.place(at), y.place(fitted(at)));
        drawing.line(place(from), place(to), 2.2, LINE);
    }
    drawing
}
