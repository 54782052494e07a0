//! Finds frames whose photometry cannot be trusted.
//!
//! Frames of one filter and exposure are compared. As in Automatic-SSOs the statistics of their
//! skies are held against the fences of the night's box plots, on both sides; but a sky that is
//! brighter in twilight or moonlight spoils nothing that the frame's own stars do not show, and a
//! fence alone takes one frame in five of a calm night of few frames. So an outlier of the sky is a
//! remark (`is_sky_outlier`), and a fault together with lost light, or when the sky is less even
//! than its brightness explains. Faults by themselves are clouds, bad seeing, the R2 of the
//! regression and a zero point that is not known well. A frame that is flagged stays in use for
//! linking: its magnitudes are called invalid, with the reason.

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
    /// Noise of the sky over what its brightness explains, against the night's median, above which
    /// it is uneven.
    pub uneven_ratio_max: f64,
    /// Least loss of light that makes an outlier of the sky a fault [mag].
    pub sky_loss_min_mag: f64,
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
            uneven_ratio_max: 1.3,
            sky_loss_min_mag: 0.1,
            cloud_min_mag: 0.3,
            seeing_ratio_max: 1.5,
            zero_point_err_max_mag: 0.05,
        }
    }
}

/// What the night says of a frame's photometry.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgement {
    /// Why it is not valid, with numbers; empty where it is.
    pub faults: Vec<String>,
    /// Whether mean, SD, median or MAD of its sky lie outside the fences of the night's box plots.
    pub is_sky_outlier: bool,
    /// Its zero point against the median of its filter and exposure [mag].
    pub transparency_mag: Option<f64>,
}

/// Judges the used frames, for each record in order; the others have no photometry to judge.
pub fn judge_photometry(
    records: &[&FrameRecord],
    params: &JudgePhotometryParams,
) -> Vec<Judgement> {
    let mut judged = vec![Judgement::default(); records.len()];
    for members in groups(records) {
        let night = NightPlots::of(&members, records);
        for i in members {
            let own = &mut judged[i];
            own.transparency_mag = night.transparency_mag(records[i]);
            let outside = night.outside(records[i]);
            own.is_sky_outlier = !outside.is_empty();
            own.faults = night.faults(records[i], &outside, params);
            own.faults.extend(own_faults(records[i], params));
        }
    }
    judged
}

/// Used frames of one filter, exposure and part of the detector.
fn groups(records: &[&FrameRecord]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, record) in records.iter().enumerate() {
        if record.status != FrameStatus::Ok || record.photometry.is_none() {
            continue;
        }
        let is_same = |group: &&mut Vec<usize>| {
            let first = records[group[0]];
            let exposures = (first.exposure_s.unwrap_or(0.0), record.exposure_s.unwrap_or(0.0));
            let chip = |record: &FrameRecord| record.image.as_ref().map(|i| i.chip.clone());
            first.filter == record.filter
                && chip(first) == chip(record)
                && (exposures.0 - exposures.1).abs() < 0.01 * exposures.0
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

/// Noise of a sky over the root of its brightness.
fn unevenness(record: &FrameRecord) -> Option<f64> {
    let stats = record.sky_stats.as_ref().filter(|s| s.mean_adu > 1.0)?;
    Some(stats.sd_adu / stats.mean_adu.sqrt())
}

/// Box plots of a group.
struct NightPlots {
    sky: [Option<BoxPlot>; 4],
    unevenness: Option<BoxPlot>,
    zero_mag: Option<BoxPlot>,
    fwhm_arcsec: Option<BoxPlot>,
    n_frames: usize,
}

impl NightPlots {
    fn of(members: &[usize], records: &[&FrameRecord]) -> Self {
        let plot = |of: &dyn Fn(&FrameRecord) -> Option<f64>| {
            BoxPlot::of(members.iter().filter_map(|i| of(records[*i])))
        };
        Self {
            sky: SKY.map(|(_, of)| plot(&|record| record.sky_stats.as_ref().map(of))),
            unevenness: plot(&unevenness),
            zero_mag: plot(&|record| record.zero_point_mag),
            fwhm_arcsec: plot(&|record| record.fwhm_arcsec),
            n_frames: members.len(),
        }
    }

    fn transparency_mag(&self, record: &FrameRecord) -> Option<f64> {
        Some(record.zero_point_mag? - self.zero_mag?.median())
    }

    /// Quantities of the sky outside the night's fences, in words.
    fn outside(&self, record: &FrameRecord) -> Vec<String> {
        let Some(stats) = record.sky_stats.as_ref().filter(|_| self.n_frames >= FRAMES_MIN) else {
            return Vec::new();
        };
        let plots =
            SKY.iter().zip(&self.sky).filter_map(|(quantity, plot)| Some((quantity, (*plot)?)));
        plots
            .filter_map(|((name, of), plot)| {
                let (value, low, high) = (of(stats), plot.lower_fence(), plot.upper_fence());
                let words = || {
                    format!("its {name} {value:.1} ADU outside {low:.1} to {high:.1} of the night")
                };
                (!(low..=high).contains(&value)).then(words)
            })
            .collect()
    }

    /// What sets a frame apart from its night.
    fn faults(
        &self,
        record: &FrameRecord,
        outside: &[String],
        params: &JudgePhotometryParams,
    ) -> Vec<String> {
        let mut faults = Vec::new();
        if self.n_frames < FRAMES_MIN {
            return faults;
        }
        let loss = self.transparency_mag(record).map_or(0.0, |t| -t);
        if !outside.is_empty() && loss > params.sky_loss_min_mag {
            faults
                .push(format!("the sky ({}) with {loss:.2} mag of light lost", outside.join(", ")));
        }
        if let (Some(value), Some(plot)) = (unevenness(record), &self.unevenness) {
            let ratio = value / plot.median();
            if value > plot.upper_fence() && ratio > params.uneven_ratio_max {
                faults.push(format!("the sky is {ratio:.1} times as uneven as the night's"));
            }
        }
        if let Some(plot) = &self.zero_mag
            && record.zero_point_mag.is_some_and(|zero| zero < plot.lower_fence())
            && loss > params.cloud_min_mag
        {
            faults.push(format!("clouds: {loss:.2} mag less light than the night's median"));
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

    fn judged(records: &[FrameRecord]) -> Vec<Judgement> {
        let borrowed: Vec<&FrameRecord> = records.iter().collect();
        judge_photometry(&borrowed, &JudgePhotometryParams::default())
    }

    fn is_calm(judged: &[Judgement]) -> bool {
        judged.iter().all(|judgement| judgement.faults.is_empty())
    }

    #[test]
    fn a_calm_night_has_no_bad_frame() {
        assert!(is_calm(&judged(&night())));
    }

    #[test]
    fn a_bright_sky_is_a_remark_and_with_lost_light_a_fault() {
        let mut records = night();
        // Ten times as bright, as noisy as that explains.
        let calm = records[1].sky_stats.expect("made");
        let bright = |noise: f64| SkyStats {
            mean_adu: 10.0 * calm.mean_adu,
            median_adu: 10.0 * calm.median_adu,
            sd_adu: noise * calm.sd_adu,
            mad_adu: noise * calm.mad_adu,
            ..calm
        };
        records[1].sky_stats = Some(bright(10.0_f64.sqrt()));
        let found = judged(&records);
        assert!(found[1].is_sky_outlier && !found[2].is_sky_outlier && is_calm(&found));
        records[1].zero_point_mag = Some(22.3);
        let faults = &judged(&records)[1].faults;
        assert!(faults.len() == 1 && faults[0].contains("0.21 mag of light lost"), "{faults:?}");
        records[1].zero_point_mag = records[2].zero_point_mag;
        records[1].sky_stats = Some(bright(5.0));
        let faults = &judged(&records)[1].faults;
        assert!(faults.len() == 1 && faults[0].contains("1.6 times as uneven"), "{faults:?}");
    }

    #[test]
    fn each_fault_is_told_with_its_numbers() {
        let mut records = night();
        records[0].zero_point_mag = Some(21.9);
        records[2].fwhm_arcsec = Some(4.4);
        let bad = FramePhotometry { solution: Some(solution(0.9)), ..FramePhotometry::default() };
        records[3].photometry = Some(Box::new(bad));
        records[4].photometry = Some(Box::default());
        let found = judged(&records);
        let told = |i: usize, text: &str| {
            let faults = &found[i].faults;
            assert!(faults.len() == 1 && faults[0].contains(text), "{i}: {faults:?}");
        };
        told(0, "clouds: 0.61 mag");
        told(2, "seeing 4.4\"");
        told(3, "R2 of the regression 0.9000, 0.9800 needed (36 of 40 stars)");
        told(4, "no zero point");
        assert!(is_calm(&found[1..2]) && is_calm(&found[5..]), "{found:?}");
    }

    #[test]
    fn frames_are_compared_with_their_own_kind_only() {
        let mut records = night();
        for record in &mut records[6..] {
            record.filter = Some("B".to_owned());
            record.zero_point_mag = Some(20.0);
        }
        records[5].status = FrameStatus::Rejected;
        let found = judged(&records);
        assert!(is_calm(&found));
        assert!(found[7].transparency_mag.is_some_and(|t| t.abs() < 1e-9));
        assert!(found[5].transparency_mag.is_none());
    }
}
