//! Tables of Automatic-SSOs with a row per frame: `Stats.dat` and `coeff_fit.csv`
//! (../shared/spec/seeds.md 1.10, 1.13), columns and order as there.

use super::frame::numbered;
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

fn coefficient_row(number: usize, frame: &FrameRecord) -> Option<Vec<String>> {
    let solution = frame.photometry.as_ref()?.solution.as_ref()?;
    let line = solution.line.as_ref();
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
