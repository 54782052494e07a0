//! Charts of a night's photometry: the fit of a frame, and what the frames' skies and fits were.

use super::ReportError;
use super::figure::{
    BOTTOM, Drawing, HEIGHT, LEFT, LINE, Picture, RIGHT, SERIES, TOP, WIDTH, axes,
};
use super::scale::Scale;
use super::words::printable;
use crate::pipeline::artifact::frame_photometry::{
    PhotometricSolution, PhotometryMethod, SkyStats,
};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::photometry_table::{StarUse, TableStar};
use crate::science::box_plot::BoxPlot;

/// Hours of a day.
const DAY_H: f64 = 24.0;
/// Smallest ranges shown: of times [h], of magnitudes [mag], of a sky's statistics, of R2.
const LEAST_H: f64 = 0.05;
const LEAST_MAG: f64 = 0.5;
pub(super) const LEAST_SKY_SHARE: f64 = 0.02;
const LEAST_R2: f64 = 0.005;
/// Half of the cross over a frame that is not valid [px].
const CROSS_PX: f64 = 6.0;
/// Most stars drawn; of more, evenly chosen ones.
const STARS_MAX: usize = 4000;

/// Gaia G against instrumental magnitude in a frame: stars outside the limits pale, clipped ones
/// orange, kept ones blue, and the line.
pub fn draw_fit(
    frame: &str,
    stars: &[TableStar],
    solution: &PhotometricSolution,
) -> Result<Picture, ReportError> {
    let state = |star: &TableStar| match solution.method {
        PhotometryMethod::Robust => star.state,
        PhotometryMethod::Regression => star.regression_state,
    };
    let step = stars.len().div_ceil(STARS_MAX).max(1);
    let shown: Vec<&TableStar> = stars.iter().step_by(step).collect();
    let of = |value: fn(&TableStar) -> f64| shown.iter().map(|s| value(s)).collect::<Vec<f64>>();
    let x = Scale::around(&of(|s| s.instrumental_mag), LEAST_MAG, (LEFT, RIGHT));
    let y = Scale::around(&of(|s| s.g_mag), LEAST_MAG, (BOTTOM, TOP));
    let Some((x, y)) = x.zip(y) else { return Drawing::new(WIDTH, HEIGHT).picture("fit") };
    let fitted = match (&solution.line, solution.method) {
        (Some(line), PhotometryMethod::Regression) => {
            format!("slope {:.4}, R2 {:.4}", line.slope, line.r2)
        }
        _ => format!("zero point {:.3}", solution.zero_point_mag),
    };
    let (n, all) = (solution.n_used, solution.n_in_range);
    let title = format!("{}: {n} of {all} stars, {fitted}", printable(frame));
    let names = ("instrumental magnitude [mag]", "Gaia G [mag]");
    let mut drawing = axes(&title, (&x, names.0), (&y, names.1));
    for wanted in [StarUse::OutOfRange, StarUse::Clipped, StarUse::Used] {
        let ink = match wanted {
            StarUse::OutOfRange => [190, 190, 190],
            StarUse::Clipped => SERIES[1],
            StarUse::Used => SERIES[0],
        };
        for star in shown.iter().filter(|star| state(star) == wanted) {
            drawing.dot((x.place(star.instrumental_mag), y.place(star.g_mag)), 2.4, ink);
        }
    }
    let ends = shown.iter().map(|s| s.instrumental_mag);
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(a, b), m| (a.min(m), b.max(m)));
    let place = |inst: f64| (x.place(inst), y.place(solution.mag(inst, (0.0, 0.0))));
    drawing.line(place(low), place(high), 1.8, LINE);
    drawing.picture("fit")
}

/// A statistic of the sky: name of its chart, of its axis, and value.
pub(super) type SkyStatistic = (&'static str, &'static str, fn(&SkyStats) -> f64);

pub(super) const SKY: [SkyStatistic; 4] = [
    ("stats_mean", "mean of the sky [ADU]", |s| s.mean_adu),
    ("stats_sd", "standard deviation of the sky [ADU]", |s| s.sd_adu),
    ("stats_median", "median of the sky [ADU]", |s| s.median_adu),
    ("stats_mad", "median absolute deviation of the sky [ADU]", |s| s.mad_adu),
];

/// The frames' skies against time, a chart each; fences of the box plot as lines, frames whose
/// photometry is not valid crossed.
pub fn draw_stats(night: &str, frames: &[FrameRecord]) -> Result<Vec<Picture>, ReportError> {
    SKY.iter()
        .map(|(name, axis, of)| {
            let value = |frame: &FrameRecord| frame.sky_stats.as_ref().map(of);
            let plot = BoxPlot::of(frames.iter().filter_map(value));
            let fences = plot.map(|plot| [plot.lower_fence(), plot.upper_fence()]);
            let lines = fences.into_iter().flatten().collect::<Vec<f64>>();
            let typical = frames.iter().find_map(value).unwrap_or(1.0).abs();
            let least = LEAST_SKY_SHARE * typical.max(1e-3);
            over_time(night, (axis, least), frames, &value, &lines).drawing.picture(name)
        })
        .collect()
}

/// R2 of the frames' regressions against time, with its limit where that is known.
pub fn draw_r2(
    night: &str,
    frames: &[FrameRecord],
    r2_min: Option<f64>,
) -> Result<Picture, ReportError> {
    let value = |frame: &FrameRecord| {
        let line = frame.photometry.as_ref()?.solution.as_ref()?.line.as_ref()?;
        Some(line.r2)
    };
    let limit: Vec<f64> = r2_min.into_iter().collect();
    let chart = over_time(night, ("R2 of the regression", LEAST_R2), frames, &value, &limit);
    chart.drawing.picture("r2")
}

/// A chart of values against time, to which marks can be added.
pub(super) struct OverTime {
    pub(super) drawing: Drawing,
    /// Time of the first frame [d, MJD], and the axes; `None` without frames.
    axes: Option<(f64, Scale, Scale)>,
}

impl OverTime {
    /// Where a value at a time stands.
    pub(super) fn place(&self, mjd: f64, value: f64) -> Option<(f64, f64)> {
        let (first, x, y) = self.axes.as_ref()?;
        Some((x.place((mjd - first) * DAY_H), y.place(value)))
    }
}

/// Values of the frames against hours since the first.
pub(super) fn over_time(
    night: &str,
    (axis, least): (&str, f64),
    frames: &[FrameRecord],
    value: &dyn Fn(&FrameRecord) -> Option<f64>,
    lines: &[f64],
) -> OverTime {
    let points: Vec<(f64, f64, bool)> = frames
        .iter()
        .filter_map(|frame| {
            let is_valid = frame.photometry.as_ref().is_some_and(|p| p.faults.is_empty());
            Some((frame.mid_mjd_utc?, value(frame)?, is_valid))
        })
        .collect();
    let first = points.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
    let hours: Vec<f64> = points.iter().map(|p| (p.0 - first) * DAY_H).collect();
    let values: Vec<f64> = points.iter().map(|p| p.1).chain(lines.iter().copied()).collect();
    let x = Scale::around(&hours, LEAST_H, (LEFT, RIGHT));
    let Some((x, y)) = x.zip(Scale::around(&values, least, (BOTTOM, TOP))) else {
        return OverTime { drawing: Drawing::new(WIDTH, HEIGHT), axes: None };
    };
    let n_bad = points.iter().filter(|p| !p.2).count();
    let title = format!("{}: {} frames, {n_bad} not valid", printable(night), points.len());
    let mut drawing = axes(&title, (&x, "hours since the first frame [h]"), (&y, axis));
    for line in lines {
        drawing.line((LEFT, y.place(*line)), (RIGHT, y.place(*line)), 1.4, LINE);
    }
    for ((_, value, is_valid), hour) in points.iter().zip(&hours) {
        let (cx, cy) = (x.place(*hour), y.place(*value));
        drawing.dot((cx, cy), 3.6, SERIES[0]);
        if !is_valid {
            cross(&mut drawing, (cx, cy));
        }
    }
    OverTime { drawing, axes: Some((first, x, y)) }
}

/// A cross over a point.
pub(super) fn cross(drawing: &mut Drawing, (cx, cy): (f64, f64)) {
    for side in [-CROSS_PX, CROSS_PX] {
        drawing.line((cx - CROSS_PX, cy - side), (cx + CROSS_PX, cy + side), 1.8, LINE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::artifact::frame_photometry::{FramePhotometry, StoredLine};
    use crate::pipeline::artifact::frame_record::FrameStatus;
    use crate::pipeline::reduce::empty_record;

    fn solution(r2: f64) -> PhotometricSolution {
        let line = StoredLine {
            intercept_mag: 21.0,
            intercept_err_mag: 0.01,
            slope: 1.0,
            slope_err: 0.001,
            covariance_mag: 0.0,
            r2,
            n_in_range: 3,
            n_used: 2,
        };
        PhotometricSolution {
            method: PhotometryMethod::Regression,
            zero_point_mag: 21.0,
            zero_point_err_mag: 0.01,
            line: Some(line),
            n_in_range: 3,
            n_used: 2,
            scatter_mag: 0.01,
            floor_mag: 0.0,
            colour_term: 0.0,
            colour_term_err: None,
            colour_err_mag: 0.0,
            spatial_terms_mag: None,
        }
    }

    fn frame(k: usize, faults: Vec<String>) -> FrameRecord {
        let photometry = FramePhotometry {
            solution: Some(solution(0.99 - 0.001 * k as f64)),
            faults,
            ..FramePhotometry::default()
        };
        let sky = 100.0 + k as f64;
        FrameRecord {
            mid_mjd_utc: Some(60_000.0 + 0.01 * k as f64),
            sky_stats: Some(SkyStats {
                mean_adu: sky,
                sd_adu: 5.0,
                median_adu: sky,
                mad_adu: 3.4,
                masked_share: 0.1,
            }),
            photometry: Some(Box::new(photometry)),
            ..empty_record(&format!("f{k}.fits"), &k.to_string(), FrameStatus::Ok)
        }
    }

    #[test]
    fn stars_and_frames_are_drawn_and_faults_are_crossed() {
        let star = |g_mag: f64, state: StarUse| TableStar {
            instrumental_mag: g_mag - 21.0,
            g_mag,
            regression_state: state,
            ..TableStar::default()
        };
        let stars = [
            star(13.0, StarUse::Used),
            star(14.0, StarUse::Used),
            star(15.0, StarUse::Clipped),
            star(18.0, StarUse::OutOfRange),
        ];
        let fit = draw_fit("a.fits", &stars, &solution(0.99)).expect("a chart");
        assert_eq!(fit.svg.matches("<circle").count(), 4);
        assert!(fit.svg.contains("2 of 3 stars, slope 1.0000, R2 0.9900"), "{}", fit.svg);
        let frames: Vec<FrameRecord> = (0..6)
            .map(|k| frame(k, if k == 3 { vec!["clouds".to_owned()] } else { Vec::new() }))
            .collect();
        let stats = draw_stats("n1", &frames).expect("charts");
        assert_eq!(stats.len(), 4);
        let r2 = draw_r2("n1", &frames, Some(0.98)).expect("a chart");
        for chart in stats.iter().chain([&r2]) {
            assert_eq!(chart.svg.matches("<circle").count(), 6);
            assert!(chart.svg.contains("6 frames, 1 not valid"), "{}", chart.svg);
        }
    }
}
