//! Reference stars from a table with the Gaia archive's column names (CSV).
//!
//! Columns come in any order, names in any case; `ra`, `dec` and `ref_epoch` must be there.
//! An empty cell, `null`, `NaN` or `--` is an unknown value. Rows without a usable place are
//! counted and left out. Source of names and units: Gaia DR3 documentation, table gaia_source.

use std::io::Read;

use super::star_columns::{StarColumns, StarRow};
use crate::science::reference::star::ReferenceStar;

/// Most rows that are read from one table.
const ROWS_MAX: usize = 5_000_000;
/// Longest row [byte]; the archive's full table has 152 columns of some 20 byte.
const ROW_BYTES_MAX: usize = 64 * 1024;
/// Stars of a table, and what was left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReferenceTable {
    /// The stars in the order of the table.
    pub stars: Vec<ReferenceStar>,
    /// Number of rows that held no usable star.
    pub n_bad_rows: usize,
    /// Whether rows beyond the limit of 5 million were left unread.
    pub is_cut_off: bool,
}

/// The table cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceCsvError {
    /// The first row could not be read.
    #[error("the header row could not be read")]
    Header(#[source] csv::Error),
    /// A column that must be there is not.
    #[error("column `{column}` is missing")]
    MissingColumn {
        /// Name of the column.
        column: &'static str,
    },
    /// The bytes could not be read.
    #[error("row {row} could not be read")]
    Row {
        /// Number of the row after the header, from 1.
        row: usize,
        /// What went wrong.
        #[source]
        source: csv::Error,
    },
    /// A row is longer than 64 KiB: this is no table of stars.
    #[error("row {row} is longer than {limit} bytes")]
    RowTooLong {
        /// Number of the row after the header, from 1.
        row: usize,
        /// The limit [byte].
        limit: usize,
    },
}

/// Reads a table of reference stars.
///
/// Errors: no header, a missing `ra`, `dec` or `ref_epoch` column, unreadable bytes.
pub fn read_reference_csv(bytes: impl Read) -> Result<ReferenceTable, ReferenceCsvError> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(ReferenceCsvError::Header)?;
    let columns = StarColumns::find(names(&record).iter().map(String::as_str), None)
        .map_err(|missing| ReferenceCsvError::MissingColumn { column: missing.column })?;
    let mut table = ReferenceTable::default();
    let mut row = 0;
    while reader
        .read_byte_record(&mut record)
        .map_err(|source| ReferenceCsvError::Row { row: row + 1, source })?
    {
        row += 1;
        if row > ROWS_MAX {
            table.is_cut_off = true;
            break;
        }
        if record.as_slice().len() > ROW_BYTES_MAX {
            return Err(ReferenceCsvError::RowTooLong { row, limit: ROW_BYTES_MAX });
        }
        match columns.star(&record, row) {
            Some(star) => table.stars.push(star),
            None => table.n_bad_rows += 1,
        }
    }
    Ok(table)
}

/// The names of a header row, without quotes and byte order mark.
fn names(header: &csv::ByteRecord) -> Vec<String> {
    header
        .iter()
        .map(|cell| {
            let text = String::from_utf8_lossy(cell);
            text.trim_start_matches('\u{feff}').trim().trim_matches('"').to_owned()
        })
        .collect()
}

impl StarRow for csv::ByteRecord {
    fn number(&self, column: usize) -> Option<f64> {
        number(self, column)
    }

    fn integer(&self, column: usize) -> Option<i64> {
        std::str::from_utf8(self.get(column)?).ok()?.parse().ok()
    }
}

/// The number in a cell; `None` when the cell is empty or no finite number.
fn number(record: &csv::ByteRecord, column: usize) -> Option<f64> {
    let text = std::str::from_utf8(record.get(column)?).ok()?;
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::units::DEG_RAD;

    #[test]
    fn columns_in_any_order_and_case() {
        let text = "PHOT_G_MEAN_MAG,Dec,RA,ref_epoch,source_id,pmra,pmdec,ra_error,dec_error,\
                    phot_bp_mean_mag,phot_rp_mean_mag\n\
                    12.5,-10,180,2016.0,42,1.5,-2.5,0.3,0.4,13.0,12.0\n\
                    ,45,-1,2016.0,43,,null,,,,\n";
        let table = read_reference_csv(text.as_bytes()).expect("a table");
        assert_eq!(table.n_bad_rows, 0);
        let star = table.stars[0];
        assert_eq!(star.source_id, 42);
        assert!((star.ra_rad - std::f64::consts::PI).abs() < 1e-12);
        assert!((star.dec_rad + 10.0 * DEG_RAD).abs() < 1e-12);
        assert_eq!((star.ra_err_mas, star.dec_err_mas), (Some(0.3), Some(0.4)));
        assert_eq!((star.position_err_mas(), star.g_mag), (Some(0.4), Some(12.5)));
        assert_eq!((star.bp_mag, star.rp_mag), (Some(13.0), Some(12.0)));
        assert!((star.bp_rp_mag.expect("a colour") - 1.0).abs() < 1e-12);
        let other = table.stars[1];
        assert_eq!((other.g_mag, other.pm_dec_mas_per_yr, other.bp_rp_mag), (None, None, None));
        assert!((other.ra_rad - 359.0 * DEG_RAD).abs() < 1e-12);
    }

    #[test]
    fn the_names_of_vizier_are_known_too() {
        let text = "Source,RA_ICRS,DE_ICRS,e_RA_ICRS,Epoch,Plx,e_Plx,pmRA,e_pmDE,Gmag,BP-RP\n\
                    5,10,20,0.5,2016.0,-0.2,0.1,3,0.25,14,0.75\n";
        let table = read_reference_csv(text.as_bytes()).expect("a table");
        let star = table.stars[0];
        assert_eq!((star.source_id, star.g_mag, star.bp_rp_mag), (5, Some(14.0), Some(0.75)));
        assert_eq!((star.parallax_mas, star.parallax_err_mas), (Some(-0.2), Some(0.1)));
        assert_eq!((star.pm_ra_mas_per_yr, star.pm_err_mas_per_yr()), (Some(3.0), Some(0.25)));
    }

    #[test]
    fn missing_columns_are_named() {
        for (text, missing) in
            [("ra,dec\n1,2\n", "ref_epoch"), ("dec,ref_epoch\n", "ra"), ("", "ra")]
        {
            match read_reference_csv(text.as_bytes()) {
                Err(ReferenceCsvError::MissingColumn { column }) => assert_eq!(column, missing),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn bad_rows_are_counted_not_fatal() {
        let text = b"ra,dec,ref_epoch\n1,2,2016\nx,2,2016\n1,95,2016\n1,2,\n1\n\xff\xfe,1,2\n\n\"";
        let table = read_reference_csv(&text[..]).expect("a table");
        assert_eq!(table.stars.len(), 1);
        assert!(table.n_bad_rows >= 5);
    }
}
