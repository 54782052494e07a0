//! Lists of Automatic-SSOs: outliers and frames without a solution, one row for the night with a
//! list as Python prints it (../shared/spec/seeds.md 1.6), and what SkyBoT was heard to say (2.8).

use super::super::super::error::OpsError;
use super::super::super::run::known_path;
use super::super::frame::{fixed, stem_of};
use super::super::tree::{Night, Tree};
use super::CATS;
use crate::formats::known_csv::{number_and_name, read_known};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::report::csv_text;
use crate::report::words::{declination, right_ascension};
use crate::science::movers::known::KnownPlace;
use crate::science::time::Epoch;

/// Columns of SkyBoT's answers as ssos keeps them, blanks taken out, and what it adds.
const SKYBOT: [&str; 15] = [
    "Num",
    "Name",
    "RA(h)",
    "DE(deg)",
    "Class",
    "Mv",
    "Err(arcsec)",
    "d(arcsec)",
    "dRA(arcsec/h)",
    "dDEC(arcsec/h)",
    "Dg(ua)",
    "Dh(ua)",
    "RA",
    "DEC",
    "EPOCH",
];

/// Writes the lists; those of frames only when they have an entry, as Automatic-SSOs.
pub(super) fn write(tree: &mut Tree<'_>, night: &Night<'_>) -> Result<(), OpsError> {
    let frames = &night.report.frames;
    let outliers: Vec<String> = frames.iter().filter_map(outlier).collect();
    let not_solved: Vec<String> =
        frames.iter().filter(|frame| frame.wcs.is_empty()).map(folder_name).collect();
    for (name, entries) in [("list_outliers.csv", outliers), ("list_notsolved.csv", not_solved)] {
        if !entries.is_empty() {
            let row = vec![night.report.night.clone(), python_list(&entries)];
            let header = ["Night", "Images"].map(str::to_owned).to_vec();
            tree.text(name, &csv_text(header, std::iter::once(row)))?;
        }
    }
    let path = known_path(night.reader.products(), night.id)?;
    let Ok(bytes) = std::fs::read(&path) else {
        tree.note("skybot_all.csv: the night keeps no places of known objects".to_owned());
        return Ok(());
    };
    let (places, _) =
        read_known(bytes.as_slice()).map_err(|source| OpsError::Known { path, source })?;
    let rows = places.iter().map(skybot_row);
    tree.text(
        &format!("{CATS}/skybot_all.csv"),
        &csv_text(SKYBOT.map(str::to_owned).to_vec(), rows),
    )
}

/// `<median> <frame's folder>` of an outlier; `NaN` where nothing matched the catalogue.
fn outlier(frame: &FrameRecord) -> Option<String> {
    if frame.wcs.is_empty() {
        return None;
    }
    match (frame.separation_arcsec, frame.separation_fence_arcsec) {
        (Some(median), Some(_)) => Some(format!("{median} {}", folder_name(frame))),
        (None, _) => Some(format!("NaN {}", folder_name(frame))),
        (Some(_), None) => None,
    }
}

/// What Filabres called the folder of a reduced frame.
fn folder_name(frame: &FrameRecord) -> String {
    format!("science-imaging_{}_red", stem_of(frame))
}

/// A list of texts as Python prints it.
fn python_list(entries: &[String]) -> String {
    let quoted = |text: &String| {
        let text = text.replace('\\', "\\\\");
        if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
    };
    format!("[{}]", entries.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

fn skybot_row(place: &KnownPlace) -> Vec<String> {
    let (number, name) = number_and_name(&place.designation);
    let rate = place.rate_arcsec_per_h;
    let epoch = place.mid_mjd_utc.map(|mjd| Epoch::from_mjd_utc(mjd).to_iso());
    vec![
        number.unwrap_or("-").to_owned(),
        name.to_owned(),
        right_ascension(place.ra_deg),
        declination(place.dec_deg),
        place.class.clone().unwrap_or_default(),
        fixed(place.v_mag, 2),
        fixed(Some(place.err_arcsec), 3),
        String::new(),
        fixed(rate.map(|rate| rate.0), 4),
        fixed(rate.map(|rate| rate.1), 4),
        String::new(),
        String::new(),
        fixed(Some(place.ra_deg), 8),
        fixed(Some(place.dec_deg), 8),
        epoch.unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::artifact::frame_record::{FrameStatus, WcsKeyword};
    use crate::pipeline::reduce::empty_record;

    #[test]
    fn entries_are_written_as_automatic_ssos_writes_them() {
        let solved = FrameRecord {
            wcs: vec![("CRVAL1".to_owned(), WcsKeyword::Real(1.0))],
            separation_arcsec: Some(0.95),
            separation_fence_arcsec: Some(0.4),
            ..empty_record("a-1.fits", "a", FrameStatus::Ok)
        };
        let inside = FrameRecord { separation_fence_arcsec: None, ..solved.clone() };
        let unmatched = FrameRecord { separation_arcsec: None, ..solved.clone() };
        assert_eq!(outlier(&solved).as_deref(), Some("0.95 science-imaging_a-1_red"));
        assert_eq!(outlier(&unmatched).as_deref(), Some("NaN science-imaging_a-1_red"));
        assert_eq!(outlier(&inside), None);
        assert_eq!(outlier(&empty_record("b.fits", "b", FrameStatus::Failed)), None);
        let list = python_list(&["0.95 a".to_owned(), "it's".to_owned()]);
        assert_eq!(list, "['0.95 a', \"it's\"]");
    }
}
