//! The exports `detections` and `frames` as CSV; `ratings` has that of candidates.
//!
//! Cells are empty where a number is unknown. Numbers have as many decimals as mean something;
//! keywords of the WCS have all digits (the shortest text that reads back as the same number).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::frame_record::{FrameRecord, WcsKeyword};
use crate::pipeline::artifact::removed::Removed;

use super::words::status;

/// Columns of the table of detections.
const DETECTION_COLUMNS: [&str; 9] =
    ["candidate_id", "frame", "mjd_mid", "ra", "dec", "mag", "mag_err", "known", "name"];
/// Columns of the table of frames before those of the WCS.
const FRAME_COLUMNS: [&str; 13] = [
    "frame",
    "status",
    "reason",
    "mjd_mid",
    "filter",
    "n_sources",
    "n_reference",
    "rms_arcsec",
    "separation_arcsec",
    "zero_point",
    "zero_point_err",
    "fwhm_arcsec",
    "limiting_mag",
];
/// Decimals of times [d] (0.1 ms), places [deg] (4 microarcseconds), magnitudes and arcseconds.
const TIME_DECIMALS: usize = 9;
const PLACE_DECIMALS: usize = 9;
const FINE_DECIMALS: usize = 5;
/// Starts of WCS keywords in the order of their columns; others follow.
const KEYWORD_ORDER: [&str; 20] = [
    "WCSAXES", "CTYPE", "CUNIT", "CRPIX", "CRVAL", "CD", "CDELT", "PC", "CROTA", "LONPOLE",
    "LATPOLE", "RADESYS", "EQUINOX", "MJDREF", "A_", "B_", "AP_", "BP_", "PV", "PS",
];

/// One row per detection of a candidate: ICRS at mid-exposure [deg], Gaia G.
///
/// `known` is 1 or 0, and empty when there was no list to compare with.
pub fn detections_csv(candidates: &[Candidate]) -> String {
    let rows = candidates.iter().flat_map(|candidate| {
        let (known, name) = match &candidate.identity {
            Identity::Known { name, .. } => ("1", name.as_str()),
            Identity::Unknown => ("0", ""),
            Identity::Unchecked => ("", ""),
        };
        candidate.detections.iter().map(move |detection| {
            vec![
                candidate.id.clone(),
                detection.frame.clone(),
                fixed(Some(detection.mid_mjd_utc), TIME_DECIMALS),
                fixed(Some(detection.ra_deg), PLACE_DECIMALS),
                fixed(Some(detection.dec_deg), PLACE_DECIMALS),
                fixed(detection.mag, FINE_DECIMALS),
                fixed(detection.mag_err, FINE_DECIMALS),
                known.to_owned(),
                name.to_owned(),
            ]
        })
    });
    csv_text(DETECTION_COLUMNS.map(str::to_owned).to_vec(), rows)
}

/// One row per science file, with the WCS of the calibrated frame as columns of FITS keywords.
pub fn frames_csv(frames: &[FrameRecord]) -> String {
    let union: BTreeSet<&str> =
        frames.iter().flat_map(|frame| frame.wcs.iter().map(|(key, _)| key.as_str())).collect();
    let mut keywords: Vec<&str> = union.into_iter().collect();
    keywords.sort_by(|a, b| by_meaning(a, b));
    let header = FRAME_COLUMNS
        .iter()
        .chain(&keywords)
        .chain(&["LTV1", "LTV2"])
        .map(|&column| column.to_owned())
        .collect();
    let rows = frames.iter().map(|frame| {
        let mut cells = frame_cells(frame);
        cells.extend(keywords.iter().map(|key| keyword_cell(frame, key)));
        cells.push(fixed(frame.ltv_px.map(|ltv| ltv.0), FINE_DECIMALS));
        cells.push(fixed(frame.ltv_px.map(|ltv| ltv.1), FINE_DECIMALS));
        cells
    });
    csv_text(header, rows)
}

/// One row per frame whose astrometry is an outlier of its night, used or not.
pub fn outliers_csv(frames: &[FrameRecord]) -> String {
    let header = ["frame", "status", "separation_arcsec", "fence_arcsec", "reason"];
    let rows = frames.iter().filter(|f| f.separation_fence_arcsec.is_some()).map(|frame| {
        vec![
            frame.frame.clone(),
            status(frame.status).to_owned(),
            fixed(frame.separation_arcsec, FINE_DECIMALS),
            fixed(frame.separation_fence_arcsec, FINE_DECIMALS),
            frame.reason.clone().unwrap_or_default(),
        ]
    });
    csv_text(header.map(str::to_owned).to_vec(), rows)
}

/// One row per frame without a plate solution, with the reason.
pub fn not_solved_csv(frames: &[FrameRecord]) -> String {
    let header = ["frame", "status", "n_sources", "reason"];
    let rows = frames.iter().filter(|f| f.wcs.is_empty()).map(|frame| {
        vec![
            frame.frame.clone(),
            status(frame.status).to_owned(),
            frame.n_sources.map_or_else(String::new, |n| n.to_string()),
            frame.reason.clone().unwrap_or_default(),
        ]
    });
    csv_text(header.map(str::to_owned).to_vec(), rows)
}

/// Tracklets that a cut removed, one row each.
pub fn removed_csv(removed: &[Removed]) -> String {
    let header = ["candidate_id", "filter", "reason", "n_detections", "mjd_mid", "ra", "dec"];
    let motion = ["rate_arcsec_min", "pa", "mag"];
    let rows = removed.iter().map(|r| {
        vec![
            r.id.clone(),
            r.filter.clone(),
            r.why.clone(),
            r.n_detections.to_string(),
            fixed(Some(r.mid_mjd_utc), TIME_DECIMALS),
            fixed(Some(r.ra_deg), PLACE_DECIMALS),
            fixed(Some(r.dec_deg), PLACE_DECIMALS),
            fixed(Some(r.rate_arcsec_per_min), FINE_DECIMALS),
            fixed(Some(r.pa_deg), FINE_DECIMALS),
            fixed(r.mag, FINE_DECIMALS),
        ]
    });
    csv_text(header.into_iter().chain(motion).map(str::to_owned).collect(), rows)
}

/// The cells of a frame before those of its WCS.
fn frame_cells(frame: &FrameRecord) -> Vec<String> {
    let whole = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    vec![
        frame.frame.clone(),
        status(frame.status).to_owned(),
        frame.reason.clone().unwrap_or_default(),
        fixed(frame.mid_mjd_utc, TIME_DECIMALS),
        frame.filter.clone().unwrap_or_default(),
        whole(frame.n_sources),
        whole(frame.n_reference),
        fixed(frame.rms_arcsec, FINE_DECIMALS),
        fixed(frame.separation_arcsec, FINE_DECIMALS),
        fixed(frame.zero_point_mag, FINE_DECIMALS),
        fixed(frame.zero_point_err_mag, FINE_DECIMALS),
        fixed(frame.fwhm_arcsec, FINE_DECIMALS),
        fixed(frame.limiting_mag, FINE_DECIMALS),
    ]
}

/// The value of a keyword of a frame; empty when it has none.
fn keyword_cell(frame: &FrameRecord, key: &str) -> String {
    match frame.wcs.iter().find(|(name, _)| name == key).map(|(_, value)| value) {
        Some(WcsKeyword::Integer(value)) => value.to_string(),
        Some(WcsKeyword::Real(value)) if value.is_finite() => exact(*value),
        Some(WcsKeyword::Text(value)) => value.clone(),
        Some(WcsKeyword::Real(_)) | None => String::new(),
    }
}

/// A number with fixed decimals; empty when unknown.
pub(super) fn fixed(value: Option<f64>, decimals: usize) -> String {
    value.filter(|v| v.is_finite()).map_or_else(String::new, |value| format!("{value:.decimals$}"))
}

/// The shortest text that reads back as the same number.
fn exact(value: f64) -> String {
    // Outside this range plain decimals get long.
    const PLAIN: std::ops::Range<f64> = 1e-4..1e15;
    if value.abs() > 0.0 && !PLAIN.contains(&value.abs()) {
        return format!("{value:e}");
    }
    format!("{value}")
}

/// Orders keywords by `KEYWORD_ORDER`, then their numbers as numbers (`PV1_2` before `PV1_10`).
fn by_meaning(a: &str, b: &str) -> Ordering {
    let rank = |key: &str| {
        let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
        let stem = if stem.ends_with('_') && stem.len() > 2 {
            stem.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_')
        } else {
            stem
        };
        let place = KEYWORD_ORDER
            .iter()
            .position(|start| stem == *start || (start.ends_with('_') && key.starts_with(start)));
        place.unwrap_or(KEYWORD_ORDER.len())
    };
    let numbers = |key: &str| -> Vec<u32> {
        key.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
    };
    rank(a).cmp(&rank(b)).then_with(|| numbers(a).cmp(&numbers(b))).then_with(|| a.cmp(b))
}

/// Writes a table.
pub fn csv_text(header: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in std::iter::once(header).chain(rows) {
        writer.write_record(row).expect("memory takes it and all rows are as long as the header");
    }
    let bytes = writer.into_inner().expect("memory takes it");
    String::from_utf8(bytes).expect("made of texts")
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn detections_have_the_agreed_columns() {
        let text = detections_csv(&fixture::report().candidates);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "candidate_id,frame,mjd_mid,ra,dec,mag,mag_err,known,name");
        assert_eq!(lines.len(), 9);
        assert_eq!(
            lines[1],
            "K1AAAA,f0.fits,61100.900000000,123.400000000,-5.250000000,17.80000,0.04000,1,\
             22767 <script>alert(1)</script>"
        );
        assert_eq!(lines[7], "U2BBBB,f3.fits,61100.918000000,123.403000000,-5.251500000,,,0,");
        let mut unchecked = fixture::report().candidates.remove(1);
        unchecked.identity = Identity::Unchecked;
        assert!(detections_csv(&[unchecked]).lines().nth(1).expect("a row").ends_with(",,"));
    }

    #[test]
    fn frames_have_the_agreed_columns_and_exact_keywords() {
        let text = frames_csv(&fixture::report().frames);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "frame,status,reason,mjd_mid,filter,n_sources,n_reference,rms_arcsec,\
             separation_arcsec,zero_point,zero_point_err,fwhm_arcsec,limiting_mag,\
             CTYPE1,CTYPE2,CRPIX1,CRPIX2,CRVAL1,CRVAL2,CD1_1,CD1_2,CD2_1,CD2_2,\
             A_ORDER,A_2_0,B_ORDER,B_0_2,LTV1,LTV2"
        );
        assert_eq!(lines.len(), 7);
        assert!(lines[1].contains(",123.456789012345,-5.25,-0.00027777777778,1.234567890123e-8,"));
        assert!(lines[1].ends_with(",,,,,-24.00000,0.00000"));
        assert!(lines[6].starts_with("a&b.fits,failed,\"truncated, <1 of 1> image\",,,,"));
    }

    #[test]
    fn outliers_and_frames_without_a_solution_are_listed() {
        let mut frames = fixture::report().frames;
        frames[1].separation_fence_arcsec = Some(0.042);
        let text = outliers_csv(&frames);
        assert_eq!(text.lines().nth(1), Some("f1.fits,ok,0.04300,0.04200,"));
        assert_eq!(text.lines().count(), 2);
        let not_solved = not_solved_csv(&frames);
        let n = frames.iter().filter(|f| f.wcs.is_empty()).count();
        assert!(n > 0);
        assert_eq!(not_solved.lines().count(), n + 1);
        assert!(not_solved.ends_with("a&b.fits,failed,,\"truncated, <1 of 1> image\"\n"));
    }

    #[test]
    fn keyword_numbers_order_as_numbers() {
        let mut keys = ["PV1_10", "PV1_2", "BP_0_1", "A_0_2", "A_ORDER", "CDELT1", "CD1_1", "ZZZ"];
        keys.sort_by(|a, b| by_meaning(a, b));
        assert_eq!(
            keys,
            ["CD1_1", "CDELT1", "A_ORDER", "A_0_2", "BP_0_1", "PV1_2", "PV1_10", "ZZZ"]
        );
    }

    #[test]
    fn exact_numbers_read_back() {
        for value in [0.0, 1.0 / 3.0, -2.5e-17, 359.999_999_999_999_9, 1e22, f64::MIN_POSITIVE] {
            let back: f64 = exact(value).parse().expect("a number");
            assert_eq!(back.to_bits(), value.to_bits());
        }
    }
}
