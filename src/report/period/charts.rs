//! Three charts of a period: periodogram, folded curve, residuals.

use super::drawing::Drawing;
use crate::report::ReportError;
use crate::report::raster::{Anchor, Colour, Pen};
use crate::report::scale::Scale;
use crate::science::period::{Analysis, Curve, Series};

/// Width of a chart and its edges [px].
const WIDTH: usize = 1000;
const HEIGHT: usize = 460;
const LEFT: f64 = 118.0;
const RIGHT: f64 = 972.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 384.0;
/// Size of letters: units of the grid [px].
const TITLE_UNIT_PX: f64 = 2.7;
const NUMBER_UNIT_PX: f64 = 2.4;
/// Ticks of an axis.
const TICKS_MAX: usize = 7;
/// Chances whose powers are drawn as lines, and their labels.
const CHANCES: [(f64, &str); 3] = [(0.1, "10 /100"), (0.01, "1 /100"), (0.001, "0.1 /100")];
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
/// Hours of a day.
const DAY_H: f64 = 24.0;

const INK: Colour = [34, 38, 43];
const SOFT: Colour = [84, 92, 102];
const GRID: Colour = [222, 225, 229];
const LINE: Colour = [179, 54, 31];
/// Sessions in turn; told apart by most eyes.
const SESSIONS: [Colour; 6] =
    [[47, 111, 181], [213, 132, 20], [0, 128, 96], [134, 84, 160], [90, 90, 90], [30, 160, 190]];

/// A chart's two files.
#[derive(Debug, Clone)]
pub struct PeriodPicture {
    /// What it shows, as part of a file's name.
    pub name: &'static str,
    /// As SVG.
    pub svg: String,
    /// As PNG.
    pub png: Vec<u8>,
}

/// All charts.
pub type PeriodPictures = Vec<PeriodPicture>;

/// Draws the charts; without a first choice the periodogram only.
pub fn draw(object: &str, analysis: &Analysis) -> Result<PeriodPictures, ReportError> {
    let mut charts = vec![("periodogram", periodogram(object, analysis))];
    if let Some(first) = analysis.first() {
        let series = &analysis.found.series;
        charts.push(("curve", folded(object, series, &first.curve, Shown::Magnitudes)));
        charts.push(("residuals", folded(object, series, &first.curve, Shown::Residuals)));
    }
    let picture = |(name, drawing): (&'static str, Drawing)| {
        Ok(PeriodPicture { name, svg: drawing.svg(), png: drawing.png()? })
    };
    charts.into_iter().map(picture).collect()
}

/// Title, grid, numbers and names of the axes.
fn frame(title: &str, (x, x_name): (&Scale, &str), (y, y_name): (&Scale, &str)) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    let pen = |unit_px: f64, colour: Colour| Pen { unit_px, colour };
    drawing.text(title, (LEFT, 24.0), Anchor::Start, pen(TITLE_UNIT_PX, INK));
    drawing.text(y_name, (LEFT, 47.0), Anchor::Start, pen(NUMBER_UNIT_PX, SOFT));
    let number = pen(NUMBER_UNIT_PX, INK);
    let (ticks, decimals) = y.ticks(TICKS_MAX);
    for tick in ticks {
        let place = y.place(tick);
        drawing.line((LEFT, place), (RIGHT, place), 1.0, GRID);
        let text = format!("{tick:.decimals$}");
        drawing.text(&text, (LEFT - 12.0, place + 7.0), Anchor::End, number);
    }
    let (ticks, decimals) = x.ticks(TICKS_MAX);
    for tick in ticks {
        let place = x.place(tick);
        drawing.line((place, TOP), (place, BOTTOM), 1.0, GRID);
        let text = format!("{tick:.decimals$}");
        drawing.text(&text, (place, BOTTOM + 26.0), Anchor::Middle, number);
    }
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), 1.5, INK);
    drawing.line((LEFT, TOP), (LEFT, BOTTOM), 1.5, INK);
    let middle = 0.5 * (LEFT + RIGHT);
    drawing.text(x_name, (middle, BOTTOM + 58.0), Anchor::Middle, pen(NUMBER_UNIT_PX, SOFT));
    drawing
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
        frame(&title, (&x, "frequency [cycles/day]"), (&y, "power (share of the variance)"));
    let soft = Pen { unit_px: NUMBER_UNIT_PX, colour: LINE };
    for (level, label) in levels {
        let place = y.place(level);
        drawing.line((LEFT, place), (RIGHT, place), 1.2, LINE);
        drawing.text(label, (RIGHT, place - 5.0), Anchor::End, soft);
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
        drawing.line(before.unwrap_or(bottom), top, 1.4, SESSIONS[0]);
        drawing.line(bottom, top, 1.4, SESSIONS[0]);
        before = Some(bottom);
    }
    if let Some(first) = first {
        for k in 1..=4 {
            let place = x.place(f64::from(k) * first * DAY_H);
            if place < RIGHT {
                drawing.line((place, TOP - 4.0), (place, TOP + 8.0), 2.4, INK);
                let pen = Pen { unit_px: NUMBER_UNIT_PX, colour: INK };
                let label = if k == 1 { "f".to_owned() } else { format!("{k}f") };
                drawing.text(&label, (place + 7.0, TOP + 10.0), Anchor::Start, pen);
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
fn folded(object: &str, series: &Series, curve: &Curve, shown: Shown) -> Drawing {
    let phase = |j: usize| (series.times_h()[j] * curve.frequency_per_h).rem_euclid(1.0);
    let value = |j: usize| match shown {
        Shown::Magnitudes => curve.at_phase(phase(j)) + curve.residuals_mag[j],
        Shown::Residuals => curve.residuals_mag[j],
    };
    let n = series.len();
    let scatter = (curve.residuals_mag.iter().map(|r| r * r).sum::<f64>() / n as f64).sqrt();
    let reach = |j: usize| series.errors_mag()[j].min(ERRORS_SHOWN_SIGMA * scatter);
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
    let mut drawing = frame(&title, (&x, "phase [rotations]"), (&y, y_name));
    let radius = if n > 500 { 2.2 } else { 3.2 };
    for (session, range) in series.sessions().enumerate() {
        let ink = SESSIONS[session % SESSIONS.len()];
        for j in range {
            for turn in [-1.0, 0.0, 1.0] {
                let at = phase(j) + turn;
                if !(PHASES.0..=PHASES.1).contains(&at) {
                    continue;
                }
                let (place, error) = (x.place(at), series.errors_mag()[j]);
                if n <= BARS_MAX {
                    let ends =
                        [value(j) - error, value(j) + error].map(|e| y.place(e).clamp(TOP, BOTTOM));
                    drawing.line((place, ends[0]), (place, ends[1]), 1.0, ink);
                }
                drawing.dot((place, y.place(value(j))), radius, ink);
            }
        }
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
