//! The check plots of the seeds as pictures (../shared/spec/seeds.md 1.16, 2.9): bad photometry,
//! places and speeds of known objects. What they show is computed where the page's charts are.

use super::ReportError;
use super::figure::{
    BOTTOM, Drawing, INK, LEFT, LINE, NUMBER_UNIT_PX, Picture, RIGHT, SERIES, TOP, axes, pale,
};
use super::known::{offsets_arcsec, rates_arcsec_per_h};
use super::photometry_charts::{LEAST_SKY_SHARE, SKY, SkyStatistic, over_time};
use super::raster::{Anchor, Colour, Pen};
use super::scale::Scale;
use super::words::printable;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::report::NightReport;

/// How the reason begins when a frame's regression is too bad (`pipeline::judge_photometry`).
const R2_FAULT: &str = "R2 of the regression";
/// Radii of the rings round frames [px], and the corners that stand for a circle.
const RINGS_PX: [f64; 2] = [7.0, 10.0];
const RING_CORNERS: usize = 20;
/// What rings mean, and where that is told: both sides of the name of the axis [px].
const RINGS: [(&str, Colour, f64); 2] =
    [("R2 too low", SERIES[1], LEFT + 8.0), ("no detections", SERIES[2], RIGHT - 160.0)];
/// Most dots of a chart; of more, evenly chosen ones are shown.
const DOTS_MAX: usize = 2000;
/// Smallest range of residuals [arcsec] and speeds [arcsec/h].
const LEAST_ARCSEC: f64 = 0.4;
const LEAST_ARCSEC_PER_H: f64 = 2.0;
const DOT_PX: f64 = 3.0;

/// The four statistics of the frames' skies on one picture (`bad_phot_<night>.png`): frames whose
/// photometry is not valid crossed, those whose regression is too bad in orange rings, those
/// without a detection of an object in green ones.
///
/// * `is_seen`: whether a frame has a detection of an object.
pub fn draw_bad_photometry(
    night: &str,
    frames: &[FrameRecord],
    is_seen: &dyn Fn(&str) -> bool,
) -> Result<Picture, ReportError> {
    let panels = SKY.iter().map(|statistic| panel(night, frames, statistic, is_seen)).collect();
    Drawing::tiled(panels, 2).picture("bad_phot")
}

fn panel(
    night: &str,
    frames: &[FrameRecord],
    (_, axis, of): &SkyStatistic,
    is_seen: &dyn Fn(&str) -> bool,
) -> Drawing {
    let value = |frame: &FrameRecord| frame.sky_stats.as_ref().map(of);
    let typical = frames.iter().find_map(value).unwrap_or(1.0).abs();
    let least = LEAST_SKY_SHARE * typical.max(1e-3);
    let mut chart = over_time(night, (axis, least), frames, &value, &[]);
    for frame in frames {
        let Some((mjd, value)) = frame.mid_mjd_utc.zip(value(frame)) else { continue };
        let Some(centre) = chart.place(mjd, value) else { continue };
        let faults = frame.photometry.as_deref().map_or(&[][..], |p| p.faults.as_slice());
        let is_bad = faults.iter().any(|fault| fault.starts_with(R2_FAULT));
        for (k, is_marked) in [is_bad, !is_seen(&frame.frame)].into_iter().enumerate() {
            if is_marked {
                ring(&mut chart.drawing, centre, RINGS_PX[k], RINGS[k].1);
            }
        }
    }
    let mut drawing = chart.drawing;
    for (k, (meaning, ink, x)) in RINGS.iter().enumerate() {
        let (x, y) = (*x, BOTTOM + 52.0);
        ring(&mut drawing, (x, y), RINGS_PX[k], *ink);
        let pen = Pen { unit_px: 0.8 * NUMBER_UNIT_PX, colour: INK };
        drawing.text(meaning, (x + 16.0, y + 6.0), Anchor::Start, pen);
    }
    drawing
}

fn ring(drawing: &mut Drawing, (x, y): (f64, f64), radius_px: f64, ink: Colour) {
    let corner = |k: usize| {
        let (sin, cos) = (std::f64::consts::TAU * k as f64 / RING_CORNERS as f64).sin_cos();
        (x + radius_px * cos, y + radius_px * sin)
    };
    for k in 0..RING_CORNERS {
        drawing.line(corner(k), corner(k + 1), 1.8, ink);
    }
}

/// Observed minus predicted places of known objects with lines at zero (`skybot_residuals.png`);
/// `None` when none was found.
pub fn draw_known_residuals(report: &NightReport) -> Result<Option<Picture>, ReportError> {
    let offsets = offsets_arcsec(report);
    let reach = offsets.iter().map(|o| o.0.abs().max(o.1.abs())).fold(LEAST_ARCSEC / 2.0, f64::max);
    if offsets.is_empty() {
        return Ok(None);
    }
    let ends = [-reach, reach];
    let x = Scale::around(&ends, 0.0, (LEFT, RIGHT));
    let Some((x, y)) = x.zip(Scale::around(&ends, 0.0, (BOTTOM, TOP))) else { return Ok(None) };
    let title = format!("{}: {} detections", printable(&report.night), offsets.len());
    let names = ("RA cos Dec, observed minus predicted [arcsec]", "Dec, observed minus predicted");
    let mut drawing = axes(&title, (&x, names.0), (&y, names.1));
    drawing.line((x.place(0.0), TOP), (x.place(0.0), BOTTOM), 1.4, LINE);
    drawing.line((LEFT, y.place(0.0)), (RIGHT, y.place(0.0)), 1.4, LINE);
    for offset in offsets.iter().step_by(offsets.len().div_ceil(DOTS_MAX).max(1)) {
        drawing.dot((x.place(offset.0), y.place(offset.1)), DOT_PX, SERIES[0]);
    }
    drawing.picture("skybot_residuals").map(Some)
}

/// Observed against predicted speeds of known objects with the line on which they agree
/// (`skybot_pm.png`); `None` when none was found.
pub fn draw_known_rates(report: &NightReport) -> Result<Option<Picture>, ReportError> {
    let rates = rates_arcsec_per_h(report);
    let ends: Vec<f64> = rates.iter().flat_map(|r| [r.0, r.1]).collect();
    let x = Scale::around(&ends, LEAST_ARCSEC_PER_H, (LEFT, RIGHT));
    let Some((x, y)) = x.zip(Scale::around(&ends, LEAST_ARCSEC_PER_H, (BOTTOM, TOP))) else {
        return Ok(None);
    };
    let title = format!("{}: {} known objects", printable(&report.night), rates.len());
    let names = ("predicted [arcsec/h]", "observed [arcsec/h]");
    let mut drawing = axes(&title, (&x, names.0), (&y, names.1));
    // Both axes have the same range: the line is the diagonal.
    drawing.line((LEFT, BOTTOM), (RIGHT, TOP), 1.4, LINE);
    for (predicted, observed, err) in rates.iter().take(DOTS_MAX) {
        let at = x.place(*predicted);
        if err.is_finite() {
            let [from, to] =
                [observed - err, observed + err].map(|v| y.place(v).clamp(TOP, BOTTOM));
            drawing.line((at, from), (at, to), 1.2, pale(SERIES[0]));
        }
        drawing.dot((at, y.place(*observed)), DOT_PX, SERIES[0]);
    }
    drawing.picture("skybot_pm").map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::pipeline::artifact::frame_photometry::{FramePhotometry, SkyStats};
    use crate::pipeline::artifact::frame_record::FrameStatus;
    use crate::pipeline::artifact::known::{KnownFit, KnownObject};
    use crate::pipeline::reduce::empty_record;

    fn frame(k: usize, fault: &str) -> FrameRecord {
        let faults = if fault.is_empty() { Vec::new() } else { vec![fault.to_owned()] };
        FrameRecord {
            mid_mjd_utc: Some(60_000.0 + 0.01 * k as f64),
            sky_stats: Some(SkyStats { mean_adu: 100.0 + k as f64, ..SkyStats::default() }),
            photometry: Some(Box::new(FramePhotometry { faults, ..FramePhotometry::default() })),
            ..empty_record(&format!("f{k}.fits"), &k.to_string(), FrameStatus::Ok)
        }
    }

    #[test]
    fn bad_frames_are_crossed_and_ringed_in_each_of_four_panels() {
        let low = format!("{R2_FAULT} 0.9000, 0.9800 needed");
        let good: Vec<FrameRecord> = (0..4).map(|k| frame(k, "")).collect();
        let bad: Vec<FrameRecord> =
            vec![frame(0, ""), frame(1, "cloud"), frame(2, &low), frame(3, "")];
        let lines = |frames: &[FrameRecord], unseen: &str| {
            let picture = draw_bad_photometry("n1", frames, &|name| name != unseen);
            let svg = picture.expect("a picture").svg;
            assert_eq!(svg.matches("<circle").count(), 4 * 4);
            svg.matches("<path").count()
        };
        // A cross has two lines, a ring twenty; each stands in four panels.
        let plain = lines(&good, "");
        assert_eq!(lines(&bad, "") - plain, 4 * (2 * 2 + 20));
        assert_eq!(lines(&good, "f3.fits") - plain, 4 * 20);
    }

    #[test]
    fn known_objects_have_a_dot_a_detection_and_a_dot_an_object() {
        let mut report = fixture::report();
        assert!(draw_known_residuals(&report).expect("no failure").is_none());
        assert!(draw_known_rates(&report).expect("no failure").is_none());
        let fit = KnownFit {
            candidate: report.candidates[0].id.clone(),
            separation_arcsec: 0.3,
            offset_arcsec: (0.2, -0.1),
            predicted_rate_arcsec_per_h: Some((-24.0, 13.0)),
            rate_arcsec_per_h_difference: None,
            chi2: 1.2,
            predicted_deg: Vec::new(),
            offsets_arcsec: vec![Some((0.2, -0.1)), None, Some((0.3, 0.0))],
        };
        report.known = vec![KnownObject {
            name: "22767".to_owned(),
            class: None,
            v_mag: None,
            err_arcsec: 0.4,
            mid_mjd_utc: 61_100.9,
            ra_deg: 123.4,
            dec_deg: -5.25,
            rate_arcsec_per_h: None,
            n_frames: 5,
            n_bright: 5,
            found: Some(fit),
        }];
        let residuals = draw_known_residuals(&report).expect("drawn").expect("there");
        assert_eq!(residuals.svg.matches("<circle").count(), 2);
        let rates = draw_known_rates(&report).expect("drawn").expect("there");
        assert_eq!(rates.svg.matches("<circle").count(), 1);
        assert!(rates.png.starts_with(b"\x89PNG"));
    }
}
