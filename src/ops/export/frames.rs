//! Tables of Automatic-SSOs with a row per frame: `Stats.dat` and `coeff_fit.csv`
//! (../shared/spec/seeds.md 1.10, 1.13), columns and order as there.

use super::frame::numbered;
use crate::pipeline::artifact::frame_photometry::StoredLine;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::report::NightReport;
use crate::report::csv_text;
use crate::science::time::Epoch;

const STATS: [&str; 7] = ["Name", "Mean", "SD", "Median", "MAD", "Outlier", "Night"];
const COEFFICIENTS: [&str; 9] = [
    "Catalog Number",
    "Intercept",
    "Int_err",
    "Slope",
    "Slope_err",
    "R2",
    "N tot",
    "N fit",
    "Epoch",
];

/// The sky of each frame [ADU]; `Outlier`: outside the fences of the night's box plots.
pub(super) fn stats(report: &NightReport) -> String {
    let rows = report.frames.iter().filter_map(|frame| {
        let sky = frame.sky_stats.as_ref()?;
        let is_outlier = frame.photometry.as_ref().is_some_and(|p| p.is_sky_outlier);
        let values = [sky.mean_adu, sky.sd_adu, sky.median_adu, sky.mad_adu];
        let mut row = vec![frame.frame.clone()];
        row.extend(values.map(|value| format!("{value:.4}")));
        row.push(if is_outlier { "True" } else { "False" }.to_owned());
        row.push(report.night.clone());
        Some(row)
    });
    csv_text(STATS.map(str::to_owned).to_vec(), rows)
}

/// The regression of each frame; zeros where too few stars were in its range, as in the seeds.
///
/// `Catalog Number` counts the frames as `CATALOG_NUMBER` of the ssos table does; `Epoch` is the
/// middle of the exposure [yr].
pub fn coefficients(report: &NightReport) -> String {
    let rows = numbered(report).filter_map(|(number, frame)| coefficient_row(number, frame));
    csv_text(COEFFICIENTS.map(str::to_owned).to_vec(), rows)
}

/// The line for magnitudes of counts per second, as the column `MAG` has them; ours is that for
/// electrons per second.
///
/// With m = 2.5 log10(gain) a magnitude of electrons is that of counts minus m, so the intercept
/// changes by -m slope, and its variance by m^2 var(slope) - 2 m cov.
fn in_counts(line: &StoredLine, gain_e_per_adu: f64) -> StoredLine {
    if gain_e_per_adu.is_nan() || gain_e_per_adu <= 0.0 {
        return *line;
    }
    let shift_mag = 2.5 * gain_e_per_adu.log10();
    let slope_variance = line.slope_err * line.slope_err;
    let variance = line.intercept_err_mag * line.intercept_err_mag
        + shift_mag * (shift_mag * slope_variance - 2.0 * line.covariance_mag);
    StoredLine {
        intercept_mag: line.intercept_mag - shift_mag * line.slope,
        intercept_err_mag: variance.max(0.0).sqrt(),
        covariance_mag: line.covariance_mag - shift_mag * slope_variance,
        ..*line
    }
}

fn coefficient_row(number: usize, frame: &FrameRecord) -> Option<Vec<String>> {
    let photometry = frame.photometry.as_ref()?;
    let line = photometry.solution.as_ref()?.line.as_ref();
    let line = line.map(|line| in_counts(line, photometry.gain_e_per_adu));
    let line = line.as_ref();
    let real = |value: Option<f64>| format!("{:.10}", value.unwrap_or(0.0));
    let year = frame.mid_mjd_utc.map(|mjd| Epoch::from_mjd_utc(mjd).julian_year());
    Some(vec![
        number.to_string(),
        real(line.map(|l| l.intercept_mag)),
        real(line.map(|l| l.intercept_err_mag)),
        real(line.map(|l| l.slope)),
        real(line.map(|l| l.slope_err)),
        real(line.map(|l| l.r2)),
        line.map_or(0, |l| l.n_in_range).to_string(),
        line.map_or(0, |l| l.n_used).to_string(),
        year.map(|year| format!("{year:.11}")).unwrap_or_default(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::photometry::regression::{RegressionParams, RegressionStar, regress};

    #[test]
    fn the_line_of_counts_is_that_of_a_fit_to_counts() {
        let gain_e_per_adu = 3.8_f64;
        let fit = |shift_mag: f64| {
            let star = |i: u8| {
                let (g_mag, i) = (12.5 + 0.1 * f64::from(i), f64::from(i));
                RegressionStar {
                    instrumental_mag: 1.01 * (g_mag - 22.0) + 0.01 * (3.0 * i).sin() + shift_mag,
                    instrumental_err_mag: 0.01,
                    g_mag,
                    g_err_mag: 0.001,
                }
            };
            let stars: Vec<RegressionStar> = (0..30).map(star).collect();
            let found = regress(&stars, &RegressionParams::default());
            let line = found.line.expect("stars");
            StoredLine {
                intercept_mag: line.intercept_mag,
                intercept_err_mag: line.intercept_err_mag,
                slope: line.slope,
                slope_err: line.slope_err,
                covariance_mag: line.covariance_mag,
                r2: line.r2,
                n_in_range: 30,
                n_used: 30,
            }
        };
        // Magnitudes of counts are larger by 2.5 log10(gain).
        let expected = fit(2.5 * gain_e_per_adu.log10());
        let found = in_counts(&fit(0.0), gain_e_per_adu);
        for (a, b) in [
            (found.intercept_mag, expected.intercept_mag),
            (found.intercept_err_mag, expected.intercept_err_mag),
            (found.slope, expected.slope),
            (found.covariance_mag, expected.covariance_mag),
        ] {
            assert!((a - b).abs() < 1e-10, "{a} for {b}");
        }
        assert!((found.intercept_mag - fit(0.0).intercept_mag).abs() > 1.0);
    }
}
