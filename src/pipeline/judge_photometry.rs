//! Finds frames whose photometry cannot be trusted.
//!
//! Frames of one camera, filter and exposure are compared: the statistics of their skies with the
//! fences of the night's box plots on both sides, as Automatic-SSOs does, their zero points and
//! seeing with the fences on the bad side; and the R2 of each frame's regression with its limit. A
//! fence alone flags one frame in five of a calm night of few frames, so that a value must also lie
//! far from the median by a share that matters. A frame that is flagged stays in use for linking:
//! its magnitudes are called invalid, with the reason.

use super::artifact::frame_photometry::{PhotometryMethod, SkyStats};
use super::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::science::box_plot::BoxPlot;

/// Fewest frames that make a box plot.
const FRAMES_MIN: usize = 5;

/// When a frame is flagged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgePhotometryParams {
    /// Least coefficient of determination of a frame's regression.
    pub r2_min: f64,
    /// Share of the night's median by which the sky's level or noise must differ.
    pub sky_share_min: f64,
    /// Least loss of light against the night that is clouds [mag].
    pub cloud_min_mag: f64,
    /// Seeing over the night's median above which it is bad.
    pub seeing_ratio_max: f64,
    /// Largest error of a zero point [mag].
    pub zero_point_err_max_mag: f64,
}

impl Default for JudgePhotometryParams {
    fn default() -> Self {
        Self {
            r2_min: 0.98,
            sky_share_min: 0.15,
            cloud_min_mag: 0.3,
            seeing_ratio_max: 1.5,
            zero_point_err_max_mag: 0.05,
        }
    }
}

/// What is wrong with a frame's photometry, for each record in order; empty where nothing is.
/// Frames that are not used have no photometry to judge.
pub fn judge_photometry(
    records: &[&FrameRecord],
    params: &JudgePhotometryParams,
) -> Vec<Vec<String>> {
    let mut faults: Vec<Vec<String>> = vec![Vec::new(); records.len()];
    for members in groups(records) {
        let night = NightPlots::of(&members, records);
        for i in members {
            faults[i] = night.faults(records[i], params);
            faults[i].extend(own_faults(records[i], params));
        }
    }
    faults
}

/// Used frames of one filter and exposure.
fn groups(records: &[&FrameRecord]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, record) in records.iter().enumerate() {
        if record.status != FrameStatus::Ok || record.photometry.is_none() {
            continue;
        }
        let is_same = |group: &&mut Vec<usize>| {
            let first = records[group[0]];
            let exposures = (first.exposure_s.unwrap_or(0.0), record.exposure_s.unwrap_or(0.0));
            first.filter == record.filter && (exposures.0 - exposures.1).abs() < 0.01 * exposures.0
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push(i),
            None => groups.push(vec![i]),
        }
    }
    groups
}

/// A quantity of the sky: its name and value.
type SkyQuantity = (&'static str, fn(&SkyStats) -> f64);

const SKY: [SkyQuantity; 4] = [
    ("mean", |s| s.mean_adu),
    ("standard deviation", |s| s.sd_adu),
    ("median", |s| s.median_adu),
    ("MAD", |s| s.mad_adu),
];

/// Box plots of a group.
struct NightPlots {
    sky: [Option<BoxPlot>; 4],
    zero_mag: Option<BoxPlot>,
    fwhm_arcsec: Option<BoxPlot>,
}

impl NightPlots {
    fn of(members: &[usize], records: &[&FrameRecord]) -> Self {
        let plot = |of: &dyn Fn(&FrameRecord) -> Option<f64>| {
            let values: Vec<f64> = members.iter().filter_map(|i| of(records[*i])).collect();
            BoxPlot::of(values.iter().copied()).filter(|_| values.len() >= FRAMES_MIN)
        };
        Self {
            sky: SKY.map(|(_, of)| plot(&|record| record.sky_stats.as_ref().map(of))),
            zero_mag: plot(&|record| record.zero_point_mag),
            fwhm_arcsec: plot(&|record| record.fwhm_arcsec),
        }
    }

    /// What sets a frame apart from its night.
    fn faults(&self, record: &FrameRecord, params: &JudgePhotometryParams) -> Vec<String> {
        let mut faults = Vec::new();
        for ((name, of), plot) in SKY.iter().zip(&self.sky) {
            let (Some(stats), Some(plot)) = (&record.sky_stats, plot) else { continue };
            let value = of(stats);
            let (low, high) = (plot.lower_fence(), plot.upper_fence());
            let is_far = (value - plot.median()).abs() > params.sky_share_min * plot.median().abs();
            if is_far && !(low..=high).contains(&value) {
                faults.push(format!(
                    "the sky's {name} {value:.1} ADU lies outside the night's {low:.1} to {high:.1}"
                ));
            }
        }
        if let (Some(zero), Some(plot)) = (record.zero_point_mag, &self.zero_mag) {
            let loss = plot.median() - zero;
            if zero < plot.lower_fence() && loss > params.cloud_min_mag {
                faults.push(format!("clouds: {loss:.2} mag less light than the night's median"));
            }
        }
        if let (Some(fwhm), Some(plot)) = (record.fwhm_arcsec, &self.fwhm_arcsec) {
            let night = plot.median();
            if fwhm > plot.upper_fence() && fwhm > params.seeing_ratio_max * night {
                faults.push(format!("seeing {fwhm:.1}\", the night's median is {night:.1}\""));
            }
        }
        faults
    }
}

/// What a frame's own fit tells.
fn own_faults(record: &FrameRecord, params: &JudgePhotometryParams) -> Vec<String> {
    let mut faults = Vec::new();
    let solution = record.photometry.as_ref().and_then(|scale| scale.solution.as_ref());
    let Some(solution) = solution else {
        return vec!["no zero point: too few stars of the catalogue".to_owned()];
    };
    match &solution.line {
        Some(line) if line.r2 < params.r2_min => faults.push(format!(
            "R2 of the regression {:.4}, {:.4} needed ({} of {} stars)",
            line.r2, params.r2_min, line.n_used, line.n_in_range
        )),
        None if solution.method == PhotometryMethod::Regression => {
            faults.push("no regression: fewer than four stars in its range".to_owned());
        }
        _ => {}
    }
    let err = solution.zero_point_err_mag;
    if err > params.zero_point_err_max_mag && solution.method == PhotometryMethod::Robust {
        faults.push(format!("the zero point is known to {err:.3} mag only"));
    }
    faults
}

/// Zero point of each used frame against the median of its filter and exposure [mag].
pub fn transparencies_mag(records: &[&FrameRecord]) -> Vec<Option<f64>> {
    let mut found = vec![None; records.len()];
    for members in groups(records) {
        let Some(plot) = BoxPlot::of(members.iter().filter_map(|i| records[*i].zero_point_mag))
        else {
            continue;
        };
        for i in members {
            found[i] = records[i].zero_point_mag.map(|zero| zero - plot.median());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::artifact::frame_photometry::{
        FramePhotometry, PhotometricSolution, StoredLine,
    };
    use crate::pipeline::reduce::empty_record;

    fn solution(r2: f64) -> PhotometricSolution {
        let line = StoredLine {
            intercept_mag: 22.0,
            intercept_err_mag: 0.1,
            slope: 1.0,
            slope_err: 0.01,
            covariance_mag: 0.001,
            r2,
            n_in_range: 40,
            n_used: 36,
        };
        PhotometricSolution {
            method: PhotometryMethod::Robust,
            zero_point_mag: 22.0,
            zero_point_err_mag: 0.002,
            line: Some(line),
            n_in_range: 60,
            n_used: 55,
            scatter_mag: 0.02,
            floor_mag: 0.005,
            colour_term: 0.06,
            colour_term_err: Some(0.001),
            colour_err_mag: 0.007,
            spatial_terms_mag: None,
        }
    }

    /// Eight calm frames whose numbers drift by a few per cent.
    fn night() -> Vec<FrameRecord> {
        (0..8)
            .map(|k| {
                let drift = 1.0 + 0.004 * f64::from(k);
                let sky_stats = SkyStats {
                    mean_adu: 500.0 * drift,
                    sd_adu: 20.0 * drift,
                    median_adu: 498.0 * drift,
                    mad_adu: 14.0 * drift,
                    masked_share: 0.1,
                };
                let solution = Some(solution(0.999));
                let photometry = FramePhotometry { solution, ..FramePhotometry::default() };
                FrameRecord {
                    filter: Some("R".to_owned()),
                    exposure_s: Some(60.0),
                    zero_point_mag: Some(22.5 + 0.01 * f64::from(k % 3)),
                    fwhm_arcsec: Some(2.5 * drift),
                    sky_stats: Some(sky_stats),
                    photometry: Some(Box::new(photometry)),
                    ..empty_record(&format!("f{k}"), "00", FrameStatus::Ok)
                }
            })
            .collect()
    }

    fn judged(records: &[FrameRecord]) -> Vec<Vec<String>> {
        let borrowed: Vec<&FrameRecord> = records.iter().collect();
        judge_photometry(&borrowed, &JudgePhotometryParams::default())
    }

    #[test]
    fn a_calm_night_has_no_bad_frame() {
        assert!(judged(&night()).iter().all(Vec::is_empty));
    }

    #[test]
    fn each_fault_is_told_with_its_numbers() {
        let mut records = night();
        records[0].zero_point_mag = Some(21.9);
        let calm = records[1].sky_stats.expect("made");
        records[1].sky_stats = Some(SkyStats { mean_adu: 900.0, ..calm });
        records[2].fwhm_arcsec = Some(4.4);
        let bad = FramePhotometry { solution: Some(solution(0.9)), ..FramePhotometry::default() };
        records[3].photometry = Some(Box::new(bad));
        records[4].photometry = Some(Box::default());
        let faults = judged(&records);
        let told = |i: usize, text: &str| {
            assert!(faults[i].len() == 1 && faults[i][0].contains(text), "{i}: {:?}", faults[i]);
        };
        told(0, "clouds: 0.61 mag");
        told(1, "mean 900.0 ADU lies outside");
        told(2, "seeing 4.4\"");
        told(3, "R2 of the regression 0.9000, 0.9800 needed (36 of 40 stars)");
        told(4, "no zero point");
        assert!(faults[5..].iter().all(Vec::is_empty), "{faults:?}");
    }

    #[test]
    fn frames_are_compared_with_their_own_kind_only() {
        let mut records = night();
        for record in &mut records[6..] {
            record.filter = Some("B".to_owned());
            record.zero_point_mag = Some(20.0);
        }
        records[5].status = FrameStatus::Rejected;
        assert!(judged(&records).iter().all(Vec::is_empty));
        let borrowed: Vec<&FrameRecord> = records.iter().collect();
        let transparencies = transparencies_mag(&borrowed);
        assert!(transparencies[7].is_some_and(|t| t.abs() < 1e-9) && transparencies[5].is_none());
    }
}
