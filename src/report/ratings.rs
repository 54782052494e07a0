//! The export `candidates` as CSV: a row per candidate with motion, identity and ratings.

use super::table::{csv_text, fixed};
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::joined::Joined;
use crate::pipeline::artifact::rating::{Features, Rating};
use crate::pipeline::artifact::report::NightReport;

/// Columns of the candidates before those of the ratings.
const CANDIDATE_COLUMNS: [&str; 18] = [
    "candidate_id",
    "is_faint",
    "known",
    "name",
    "separation_arcsec",
    "mjd_first",
    "mjd_last",
    "n_detections",
    "n_expected",
    "n_covered",
    "rate_arcsec_per_min",
    "rate_err_arcsec_per_min",
    "pa_deg",
    "rms_arcsec",
    "mag",
    "chance_odds",
    "object",
    "object_chance",
];
/// Columns of a rating.
const RATING_COLUMNS: [&str; 4] = ["chance_probability", "real_score", "neo_rating", "reasons"];
/// Decimals of numbers that rank.
const RATING_DECIMALS: usize = 4;
/// Decimals of features.
const FEATURE_DECIMALS: usize = 4;
/// What stands between two reasons.
const BETWEEN_REASONS: &str = "; ";

/// Names of the cells of [`rating_cells`].
pub fn rating_columns() -> Vec<String> {
    let features = features(&Features::default()).map(|(name, _)| name);
    RATING_COLUMNS.iter().chain(&features).map(|&name| name.to_owned()).collect()
}

/// A rating and its features; empty cells where a number is unknown.
pub fn rating_cells(rating: Option<&Rating>) -> Vec<String> {
    let Some(rating) = rating else {
        return vec![String::new(); rating_columns().len()];
    };
    let mut cells = vec![
        chance(rating.chance_probability),
        fixed(Some(rating.real_score), RATING_DECIMALS),
        fixed(rating.neo_rating, 1),
        rating.reasons.join(BETWEEN_REASONS),
    ];
    cells.extend(features(&rating.features).map(|(_, value)| fixed(value, FEATURE_DECIMALS)));
    cells
}

/// A probability may be tiny: three digits that mean something.
fn chance(probability: f64) -> String {
    if probability.is_finite() { format!("{probability:.2e}") } else { String::new() }
}

/// Names and values of the features.
fn features(f: &Features) -> [(&'static str, Option<f64>); 20] {
    [
        ("seen_share", f.seen_share),
        ("snr", f.snr),
        ("width_ratio", f.width_ratio),
        ("width_scatter", f.width_scatter),
        ("elongation", f.elongation),
        ("elongation_expected", f.elongation_expected),
        ("elongation_scatter", f.elongation_scatter),
        ("trail_angle_deg", f.trail_angle_deg),
        ("trail_length_ratio", f.trail_length_ratio),
        ("mag_scatter_sigma", f.mag_scatter_sigma),
        ("mag_scatter_mag", f.mag_scatter_mag),
        ("mag_err_mag", f.mag_err_mag),
        ("chi2_reduced", f.chi2_reduced),
        ("star_distance_fwhm", f.star_distance_fwhm),
        ("star_share", f.star_share),
        ("flagged_share", f.flagged_share),
        ("flagged_share_expected", f.flagged_share_expected),
        ("detector_shift_px", f.detector_shift_px),
        ("sky_shift_px", f.sky_shift_px),
        ("edge_distance_px", f.edge_distance_px),
    ]
}

/// One row per candidate of a night, those at the limit of detection last.
///
/// `known` is 1 or 0, and empty when there was no list to compare with.
pub fn candidates_csv(report: &NightReport) -> String {
    let mut header: Vec<String> = CANDIDATE_COLUMNS.map(str::to_owned).to_vec();
    header.extend(rating_columns());
    let steady = report.candidates.iter().map(|candidate| (candidate, "0"));
    let faint = report.faint.iter().map(|candidate| (candidate, "1"));
    csv_text(header, steady.chain(faint).map(|(c, faint)| row(c, faint, report.joined_of(&c.id))))
}

fn row(candidate: &Candidate, is_faint: &str, joined: Option<&Joined>) -> Vec<String> {
    let (known, name, separation) = match &candidate.identity {
        Identity::Known { name, separation_arcsec } => {
            ("1", name.as_str(), Some(*separation_arcsec))
        }
        Identity::Unknown => ("0", "", None),
        Identity::Unchecked => ("", "", None),
    };
    let mut cells = vec![
        candidate.id.clone(),
        is_faint.to_owned(),
        known.to_owned(),
        name.to_owned(),
        fixed(separation, 2),
        fixed(candidate.detections.first().map(|d| d.mid_mjd_utc), 6),
        fixed(candidate.detections.last().map(|d| d.mid_mjd_utc), 6),
        candidate.detections.len().to_string(),
        candidate.n_expected.to_string(),
        candidate.n_covered.to_string(),
        fixed(Some(candidate.rate_arcsec_per_min), 5),
        fixed(Some(candidate.rate_err_arcsec_per_min), 5),
        fixed(Some(candidate.pa_deg), 2),
        fixed(Some(candidate.rms_arcsec), 3),
        fixed(candidate.mag, 3),
        chance(candidate.false_alarms),
        joined.map_or_else(String::new, |joined| joined.key.clone()),
        joined.map_or_else(String::new, |joined| chance(joined.chance)),
    ];
    cells.extend(rating_cells(candidate.rating.as_ref()));
    cells
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn candidates_have_a_row_each_with_their_ratings() {
        let mut report = fixture::report();
        report.candidates[1].rating = Some(Rating {
            chance_probability: 2e-4,
            real_score: 0.987_65,
            neo_rating: Some(71.26),
            reasons: vec!["as sharp as the stars".to_owned(), "no star nearby".to_owned()],
            features: Features { n_detections: 4, snr: Some(25.0), ..Features::default() },
        });
        let mut faint = report.candidates[0].clone();
        faint.id = "F3CCCC".to_owned();
        report.faint.push(faint);
        report.joined.push(fixture::joined("U2BBBB"));
        let text = candidates_csv(&report);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns = reader.headers().expect("a header").clone();
        let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
        let cell = |row: usize, name: &str| {
            let i = columns.iter().position(|column| column == name).expect("a column");
            rows[row][i].to_owned()
        };
        assert_eq!(rows.len(), 3);
        assert_eq!(cell(0, "known"), "1");
        assert_eq!(cell(0, "real_score"), "");
        assert_eq!(cell(1, "candidate_id"), "U2BBBB");
        assert_eq!(cell(1, "chance_probability"), "2.00e-4");
        assert_eq!(cell(1, "real_score"), "0.9877");
        assert_eq!((cell(0, "object"), cell(1, "object")), (String::new(), "N4T2XPA".to_owned()));
        assert_eq!(cell(1, "object_chance"), "2.00e-5");
        assert_eq!(cell(1, "neo_rating"), "71.3");
        assert_eq!(cell(1, "reasons"), "as sharp as the stars; no star nearby");
        assert_eq!((cell(1, "snr"), cell(1, "width_ratio")), ("25.0000".to_owned(), String::new()));
        assert_eq!((cell(2, "is_faint"), cell(2, "candidate_id")), ("1".into(), "F3CCCC".into()));
    }
}
