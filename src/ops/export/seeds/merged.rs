//! `merged_N.cat`: a row per source of `full_N.cat`, with place, motion and brightness.
//!
//! Columns of ../shared/spec/seeds.md 2.6. Motion is the straight line through the source's
//! detections, weighted by their errors, without any catalogue star: catalogue places are those of
//! the night. Parallaxes and colours are not fitted; the columns are there and undefined.

use super::full::FullRow;
use crate::formats::fits::{Column, ColumnData};
use crate::science::units::DEG_RAD;

/// Milliarcseconds of a degree.
const DEG_MAS: f64 = 3_600_000.0;

/// A source.
#[derive(Debug, Clone, Default, PartialEq)]
struct Merged {
    source_number: i32,
    n_total: i32,
    n_ok: i32,
    place_deg: (f64, f64),
    err_deg: (f64, f64),
    dispersion_deg: (f64, f64),
    /// East, north, and their errors [mas/yr]; zero for a single detection, as SCAMP has it.
    motion: [f64; 4],
    chi2: f64,
    epochs_yr: (f64, f64, f64),
    n_mag: i32,
    /// Magnitude, its error, its scatter.
    mag: (f64, f64, f64),
    flags: i16,
}

/// The columns of `merged_N.cat`; rows must be ordered by source.
pub(super) fn merged_columns(rows: &[FullRow]) -> Vec<Column> {
    let of_one = |a: &FullRow, b: &FullRow| a.source_number == b.source_number;
    let sources: Vec<Merged> = rows.chunk_by(of_one).filter_map(merged).collect();
    let column = |name: &str, unit: &str, data| Column {
        name: name.to_owned(),
        unit: unit.to_owned(),
        data,
    };
    let whole = |of: fn(&Merged) -> i32| ColumnData::I32(sources.iter().map(of).collect());
    let exact = |of: fn(&Merged) -> f64| ColumnData::F64(sources.iter().map(of).collect());
    let real = |of: fn(&Merged) -> f64| {
        ColumnData::F32(sources.iter().map(|source| of(source) as f32).collect())
    };
    let short = |of: fn(&Merged) -> i16| ColumnData::I16(sources.iter().map(of).collect());
    vec![
        column("SOURCE_NUMBER", "", whole(|s| s.source_number)),
        column("NPOS_TOTAL", "", whole(|s| s.n_total)),
        column("NPOS_OK", "", whole(|s| s.n_ok)),
        column("ALPHA_J2000", "deg", exact(|s| s.place_deg.0)),
        column("DELTA_J2000", "deg", exact(|s| s.place_deg.1)),
        column("ERRA_WORLD", "deg", real(|s| s.err_deg.0)),
        column("ERRB_WORLD", "deg", real(|s| s.err_deg.1)),
        column("ERRTHETA_WORLD", "deg", real(|_| 0.0)),
        column("DISPALPHA_J2000", "deg", real(|s| s.dispersion_deg.0)),
        column("DISPDELTA_J2000", "deg", real(|s| s.dispersion_deg.1)),
        column("PMALPHA_J2000", "mas/yr", real(|s| s.motion[0])),
        column("PMDELTA_J2000", "mas/yr", real(|s| s.motion[1])),
        column("PMALPHAERR_J2000", "mas/yr", real(|s| s.motion[2])),
        column("PMDELTAERR_J2000", "mas/yr", real(|s| s.motion[3])),
        column("PARALLAX_WORLD", "mas", real(|_| f64::NAN)),
        column("PARALLAXERR_WORLD", "mas", real(|_| f64::NAN)),
        column("CHI2_ASTROM", "", real(|s| s.chi2)),
        column("EPOCH", "yr", exact(|s| s.epochs_yr.0)),
        column("EPOCH_MIN", "yr", exact(|s| s.epochs_yr.1)),
        column("EPOCH_MAX", "yr", exact(|s| s.epochs_yr.2)),
        column("NMAG", "", whole(|s| s.n_mag)),
        column("MAG", "mag", real(|s| s.mag.0)),
        column("MAGERR", "mag", real(|s| s.mag.1)),
        column("MAG_DISP", "mag", real(|s| s.mag.2)),
        column("COLOR", "mag", real(|_| f64::NAN)),
        column("FLAGS_EXTRACTION", "", short(|s| s.flags)),
        column("FLAGS_SCAMP", "", short(|_| 0)),
        column("FLAGS_IMA", "", whole(|_| 0)),
    ]
}

/// The source of these rows; `None` for a catalogue star that no frame shows.
fn merged(rows: &[FullRow]) -> Option<Merged> {
    let detections: Vec<&FullRow> = rows.iter().filter(|row| row.catalog_number > 0).collect();
    let first = detections.first()?;
    let turn_deg = 360.0;
    let cos_dec = (first.place_deg.1 * DEG_RAD).cos();
    let east = |row: &FullRow| {
        let off_deg = row.place_deg.0 - first.place_deg.0;
        (off_deg - turn_deg * (off_deg / turn_deg).round()) * cos_dec
    };
    let along = |of: &dyn Fn(&FullRow) -> (f64, f64)| -> Line {
        let points = detections.iter().map(|row| {
            let (value, sigma) = of(row);
            (row.epoch_yr - first.epoch_yr, value, sigma)
        });
        Line::through(&points.collect::<Vec<_>>())
    };
    let in_ra = along(&|row| (east(row), row.err_deg.0));
    let in_dec = along(&|row| (row.place_deg.1 - first.place_deg.1, row.err_deg.1));
    let magnitudes: Vec<(f64, f64, f64)> = detections
        .iter()
        .filter(|row| row.mag < super::MAG_VALID_MAX && row.mag_err > 0.0)
        .map(|row| (0.0, row.mag, row.mag_err))
        .collect();
    let light = Line::through(&magnitudes);
    let times = || detections.iter().map(|row| row.epoch_yr);
    let n_free = (2 * detections.len()).saturating_sub(4) as f64;
    let chi2 = if n_free > 0.0 { (in_ra.chi2 + in_dec.chi2) / n_free } else { 0.0 };
    Some(Merged {
        source_number: first.source_number,
        n_total: rows.len() as i32,
        n_ok: detections.len() as i32,
        place_deg: (
            (first.place_deg.0 + in_ra.mean / cos_dec).rem_euclid(turn_deg),
            first.place_deg.1 + in_dec.mean,
        ),
        err_deg: (in_ra.mean_err, in_dec.mean_err),
        dispersion_deg: (in_ra.scatter, in_dec.scatter),
        motion: [in_ra.slope, in_dec.slope, in_ra.slope_err, in_dec.slope_err].map(|v| v * DEG_MAS),
        chi2,
        epochs_yr: (
            first.epoch_yr + in_dec.mean_time,
            times().fold(f64::INFINITY, f64::min),
            times().fold(f64::NEG_INFINITY, f64::max),
        ),
        n_mag: magnitudes.len() as i32,
        mag: (light.mean, light.mean_err, light.scatter),
        flags: detections.iter().fold(0, |all, row| all | row.flags),
    })
}

/// A weighted straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    mean: f64,
    mean_err: f64,
    mean_time: f64,
    /// Root mean square about the mean.
    scatter: f64,
    /// Zero when there is but one time.
    slope: f64,
    slope_err: f64,
    chi2: f64,
}

impl Line {
    /// The line through (time, value, error); undefined numbers without points.
    fn through(points: &[(f64, f64, f64)]) -> Self {
        let weight = |sigma: f64| if sigma > 0.0 { 1.0 / (sigma * sigma) } else { 0.0 };
        let sum = |of: &dyn Fn(&(f64, f64, f64)) -> f64| -> f64 {
            points.iter().map(|p| weight(p.2) * of(p)).sum()
        };
        let all = sum(&|_| 1.0);
        let (mean_time, mean) = (sum(&|p| p.0) / all, sum(&|p| p.1) / all);
        let (tt, ty) = (
            sum(&|p| (p.0 - mean_time) * (p.0 - mean_time)),
            sum(&|p| (p.0 - mean_time) * (p.1 - mean)),
        );
        let (slope, slope_err) = if tt > 0.0 { (ty / tt, tt.sqrt().recip()) } else { (0.0, 0.0) };
        let off = |p: &(f64, f64, f64)| p.1 - mean - slope * (p.0 - mean_time);
        Self {
            mean,
            mean_err: all.sqrt().recip(),
            mean_time,
            scatter: (sum(&|p| (p.1 - mean) * (p.1 - mean)) / all).sqrt(),
            slope,
            slope_err,
            chi2: sum(&|p| off(p) * off(p)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(catalog_number: i32, year: f64, ra_deg: f64) -> FullRow {
        FullRow {
            source_number: 3,
            catalog_number,
            place_deg: (ra_deg, 60.0),
            err_deg: (1e-5, 1e-5),
            epoch_yr: year,
            mag: -7.0,
            mag_err: 0.1,
            flags: catalog_number as i16,
            ..FullRow::default()
        }
    }

    fn real(columns: &[Column], name: &str) -> f64 {
        match &columns.iter().find(|c| c.name == name).expect("a column").data {
            ColumnData::F64(values) => values[0],
            ColumnData::F32(values) => values[0].into(),
            ColumnData::I32(values) => values[0].into(),
            ColumnData::I16(values) => values[0].into(),
            _ => panic!("a number"),
        }
    }

    #[test]
    fn motion_is_true_east_and_crosses_ra_zero() {
        // Right ascension grows by 0.002 deg in 0.001 yr at declination 60: 0.001 deg east.
        let rows = [
            row(0, 2020.0, 0.5),
            row(1, 2020.0, 359.999),
            row(2, 2020.0005, 0.0),
            row(3, 2020.001, 0.001),
        ];
        let columns = merged_columns(&rows);
        assert_eq!(columns.len(), 28);
        let expected = 0.001 / 0.001 * DEG_MAS;
        assert!((real(&columns, "PMALPHA_J2000") / expected - 1.0).abs() < 1e-4);
        assert!(real(&columns, "PMDELTA_J2000").abs() < 1.0);
        // Sum of squared times: 2 x 0.0005^2; error 1e-5 deg / sqrt(that).
        let err = 1e-5 / (2.0_f64 * 0.0005 * 0.0005).sqrt() * DEG_MAS;
        assert!((real(&columns, "PMALPHAERR_J2000") / err - 1.0).abs() < 1e-4);
        let ra = real(&columns, "ALPHA_J2000");
        assert!(ra.min(360.0 - ra) < 1e-9, "{ra}");
        assert!((real(&columns, "NPOS_TOTAL") - 4.0).abs() < 1e-9);
        assert!((real(&columns, "NPOS_OK") - 3.0).abs() < 1e-9);
        assert!((real(&columns, "FLAGS_EXTRACTION") - 3.0).abs() < 1e-9);
        assert!((real(&columns, "MAGERR") - 0.1 / 3.0_f64.sqrt()).abs() < 1e-6);
        assert!(real(&columns, "CHI2_ASTROM") < 1e-6);
        // A star alone is no source; one detection has no motion.
        assert!(matches!(&merged_columns(&rows[..1])[0].data, ColumnData::I32(v) if v.is_empty()));
        assert!(real(&merged_columns(&rows[1..2]), "PMALPHA_J2000").abs() < 1e-9);
    }
}
