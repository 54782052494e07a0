//! The catalogue stars of a night as other programs want them.

use std::collections::BTreeMap;

use super::super::refit::photometry_table;
use super::tree::{Night, Tree};
use crate::formats::fits::{Column, ColumnData};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::photometry_table::PhotometryTable;
use crate::science::time::Epoch;

/// Milliarcseconds of a degree.
const DEG_MAS: f64 = 3_600_000.0;

/// A star of the catalogue at the night's epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ReferenceStar {
    /// Right ascension and declination [deg].
    pub(super) place_deg: (f64, f64),
    /// Error per axis [deg].
    pub(super) err_deg: f64,
    /// Gaia G and its typical error [mag].
    pub(super) g_mag: f64,
    pub(super) g_err_mag: f64,
}

/// The stars of the night; `None`, noted, when the table is gone or has no places.
pub(super) fn stars(tree: &mut Tree<'_>, night: &Night<'_>, lack: &str) -> Option<PhotometryTable> {
    let table = photometry_table(night.reader, night.id).ok();
    let with_places = table.filter(|t| t.stars.iter().any(|star| star.catalogue.is_some()));
    if with_places.is_none() {
        tree.note(format!(
            "{lack}: the night's table of stars is not there, or an older program wrote it \
             (`autossosctl reprocess` makes it anew)"
        ));
    }
    with_places
}

/// The stars that were measured in any of these frames, in order of their identifiers.
pub(super) fn measured_stars(
    records: &[&FrameRecord],
    table: &PhotometryTable,
) -> Vec<ReferenceStar> {
    let of = |name: &str| records.iter().any(|record| record.frame == name);
    let is_here: Vec<bool> = table.frames.iter().map(|frame| of(&frame.name)).collect();
    let mut stars: BTreeMap<i64, ReferenceStar> = BTreeMap::new();
    for star in table.stars.iter().filter(|star| is_here.get(star.frame) == Some(&true)) {
        let Some(place) = star.catalogue else { continue };
        stars.entry(star.source_id).or_insert_with(|| ReferenceStar {
            place_deg: (place.ra_deg, place.dec_deg),
            err_deg: place.err_mas / DEG_MAS,
            g_mag: star.g_mag,
            g_err_mag: gaia_g_err_mag(star.g_mag),
        });
    }
    stars.into_values().collect()
}

/// Typical error of Gaia's G at a magnitude, as the catalogue's own errors are not kept [mag].
///
/// 0.3 mmag to 13, 1 mmag at 17, 6 mmag at 20 (Gaia Collaboration 2021, A&A 649, A1, table 3);
/// straight lines of its logarithm between.
fn gaia_g_err_mag(g_mag: f64) -> f64 {
    let knots = [(13.0, 0.0003_f64), (17.0, 0.001), (20.0, 0.006)];
    let between = |a: (f64, f64), b: (f64, f64)| {
        let share = (g_mag - a.0) / (b.0 - a.0);
        (a.1.ln() + share * (b.1 / a.1).ln()).exp()
    };
    if g_mag < knots[0].0 {
        return knots[0].1;
    }
    if g_mag < knots[1].0 { between(knots[0], knots[1]) } else { between(knots[1], knots[2]) }
}

/// The stars as a catalogue that SCAMP takes for its reference (`ASTREF_CATALOG FILE`).
///
/// Columns of SCAMP's manual, section "Reference catalogues"; `OBSDATE` is the night's epoch, to
/// which the places belong.
pub(super) fn reference_columns(records: &[&FrameRecord], table: &PhotometryTable) -> Vec<Column> {
    let stars = measured_stars(records, table);
    let epochs: Vec<f64> = records.iter().filter_map(|record| record.mid_mjd_utc).collect();
    let mid_mjd_utc = epochs.iter().sum::<f64>() / epochs.len().max(1) as f64;
    let epoch_yr = Epoch::from_mjd_utc(mid_mjd_utc).julian_year();
    let column = |name: &str, unit: &str, data| Column {
        name: name.to_owned(),
        unit: unit.to_owned(),
        data,
    };
    let exact =
        |of: &dyn Fn(&ReferenceStar) -> f64| ColumnData::F64(stars.iter().map(of).collect());
    let real = |of: &dyn Fn(&ReferenceStar) -> f64| {
        ColumnData::F32(stars.iter().map(|star| of(star) as f32).collect())
    };
    vec![
        column("X_WORLD", "deg", exact(&|s| s.place_deg.0)),
        column("Y_WORLD", "deg", exact(&|s| s.place_deg.1)),
        column("ERRA_WORLD", "deg", real(&|s| s.err_deg)),
        column("ERRB_WORLD", "deg", real(&|s| s.err_deg)),
        column("ERRTHETA_WORLD", "deg", real(&|_| 0.0)),
        column("MAG", "mag", real(&|s| s.g_mag)),
        column("MAGERR", "mag", real(&|s| s.g_err_mag)),
        column("OBSDATE", "yr", exact(&|_| epoch_yr)),
        column("FLAGS", "", ColumnData::I16(vec![0; stars.len()])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::artifact::frame_record::FrameStatus;
    use crate::pipeline::artifact::photometry_table::{CataloguePlace, TableFrame, TableStar};
    use crate::pipeline::reduce::empty_record;

    #[test]
    fn stars_of_the_frames_come_once() {
        let frame = |name: &str| TableFrame { name: name.to_owned(), group: 0 };
        let star = |frame, source_id, err_mas| TableStar {
            frame,
            source_id,
            catalogue: Some(CataloguePlace { ra_deg: 10.0, dec_deg: 5.0, err_mas }),
            g_mag: 13.0,
            ..TableStar::default()
        };
        let old = TableStar { catalogue: None, ..star(0, 9, 1.0) };
        let table = PhotometryTable {
            frames: vec![frame("a.fits"), frame("b.fits"), frame("elsewhere.fits")],
            stars: vec![star(0, 2, 36.0), star(1, 2, 36.0), star(1, 1, 3.6), star(2, 7, 1.0), old],
        };
        let record = |name: &str| empty_record(name, name, FrameStatus::Ok);
        let records = [record("a.fits"), record("b.fits")];
        let found = measured_stars(&[&records[0], &records[1]], &table);
        let errors: Vec<f64> = found.iter().map(|star| star.err_deg).collect();
        assert!(errors.len() == 2 && (errors[0] - 1e-6).abs() < 1e-15, "{errors:?}");
        assert!((errors[1] - 1e-5).abs() < 1e-14, "{errors:?}");
    }

    #[test]
    fn errors_of_gaia_are_those_published() {
        for (g_mag, expected) in [(10.0, 0.0003), (13.0, 0.0003), (17.0, 0.001), (20.0, 0.006)] {
            assert!((gaia_g_err_mag(g_mag) - expected).abs() < 1e-9);
        }
        // Half way between 13 and 17 of the logarithm.
        assert!((gaia_g_err_mag(15.0) - (0.0003_f64 * 0.001).sqrt()).abs() < 1e-9);
    }
}
