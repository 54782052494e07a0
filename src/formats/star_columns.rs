//! Which column of a table of stars is what, by the names of the Gaia archive or of VizieR.
//!
//! Names in any case, columns in any order. Sources: Gaia DR3 documentation, table gaia_source;
//! VizieR, tables I/355/gaiadr3 and I/345/gaia2. Units are the same in all of them.

use crate::science::reference::ReferenceStar;
use crate::science::units::{DEG_RAD, wrap_positive_rad};

/// Epochs that a catalogue of positions may have [Julian year].
const EPOCHS_YR: std::ops::RangeInclusive<f64> = 1850.0..=2200.0;
/// Magnitudes that a star may have [mag].
const MAGNITUDES: std::ops::RangeInclusive<f64> = -5.0..=40.0;

/// A column that must be there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}` is missing")]
pub struct MissingColumn {
    /// Name of the column in the Gaia archive.
    pub column: &'static str,
}

/// A row of a table.
pub trait StarRow {
    /// The number in a column; `None` when the cell is empty or holds no finite number.
    fn number(&self, column: usize) -> Option<f64>;
    /// The whole number in a column.
    fn integer(&self, column: usize) -> Option<i64>;
}

/// Where the columns are.
#[derive(Debug, Clone)]
pub struct StarColumns {
    source_id: Option<usize>,
    ra: usize,
    dec: usize,
    ra_error: Option<usize>,
    dec_error: Option<usize>,
    ref_epoch: Epoch,
    pm_ra: Option<usize>,
    pm_dec: Option<usize>,
    pm_ra_error: Option<usize>,
    pm_dec_error: Option<usize>,
    parallax: Option<usize>,
    parallax_error: Option<usize>,
    g: Option<usize>,
    bp: Option<usize>,
    rp: Option<usize>,
    bp_rp: Option<usize>,
}

/// Where the epoch of a place comes from.
#[derive(Debug, Clone, Copy)]
enum Epoch {
    Column(usize),
    /// All places are of this one [Julian year].
    All(f64),
}

impl StarColumns {
    /// Looks for the columns of a table.
    ///
    /// * `epoch_yr`: epoch of all places [Julian year] when the table has no column for it.
    ///
    /// Errors: no place, or no epoch.
    pub fn find<'a>(
        names: impl Iterator<Item = &'a str>,
        epoch_yr: Option<f64>,
    ) -> Result<Self, MissingColumn> {
        let names: Vec<String> = names.map(str::to_ascii_lowercase).collect();
        let place = |gaia: &str, vizier: &str| {
            names.iter().position(|n| n == gaia).or_else(|| names.iter().position(|n| n == vizier))
        };
        let required = |column: &'static str, vizier: &str| {
            place(column, vizier).ok_or(MissingColumn { column })
        };
        let (ra, dec) = (required("ra", "ra_icrs")?, required("dec", "de_icrs")?);
        let ref_epoch = match (place("ref_epoch", "epoch"), epoch_yr) {
            (Some(column), _) => Epoch::Column(column),
            (None, Some(epoch_yr)) => Epoch::All(epoch_yr),
            (None, None) => return Err(MissingColumn { column: "ref_epoch" }),
        };
        Ok(Self {
            source_id: place("source_id", "source"),
            ra,
            dec,
            ra_error: place("ra_error", "e_ra_icrs"),
            dec_error: place("dec_error", "e_de_icrs"),
            ref_epoch,
            pm_ra: place("pmra", "pmra"),
            pm_dec: place("pmdec", "pmde"),
            pm_ra_error: place("pmra_error", "e_pmra"),
            pm_dec_error: place("pmdec_error", "e_pmde"),
            parallax: place("parallax", "plx"),
            parallax_error: place("parallax_error", "e_plx"),
            g: place("phot_g_mean_mag", "gmag"),
            bp: place("phot_bp_mean_mag", "bpmag"),
            rp: place("phot_rp_mean_mag", "rpmag"),
            bp_rp: place("bp_rp", "bp-rp"),
        })
    }

    /// The star of a row; `None` without place or epoch.
    ///
    /// * `number`: of the row, the star's identifier where the table has none.
    pub fn star(&self, row: &impl StarRow, number: usize) -> Option<ReferenceStar> {
        let optional = |column: Option<usize>| column.and_then(|c| row.number(c));
        let ra_deg = row.number(self.ra).filter(|ra| (-360.0..=720.0).contains(ra))?;
        let dec_deg = row.number(self.dec).filter(|dec| dec.abs() <= 90.0)?;
        let ref_epoch_yr = match self.ref_epoch {
            Epoch::Column(column) => row.number(column).filter(|t| EPOCHS_YR.contains(t))?,
            Epoch::All(epoch_yr) => epoch_yr,
        };
        let magnitude = |column| optional(column).filter(|m| MAGNITUDES.contains(m));
        let error = |column| optional(column).filter(|e| *e >= 0.0);
        let (bp_mag, rp_mag) = (magnitude(self.bp), magnitude(self.rp));
        let identifier = self.source_id.and_then(|c| row.integer(c));
        Some(ReferenceStar {
            source_id: identifier.unwrap_or_else(|| i64::try_from(number).unwrap_or(0)),
            ra_rad: wrap_positive_rad(ra_deg * DEG_RAD),
            dec_rad: dec_deg * DEG_RAD,
            ra_err_mas: error(self.ra_error),
            dec_err_mas: error(self.dec_error),
            ref_epoch_yr,
            pm_ra_mas_per_yr: optional(self.pm_ra),
            pm_dec_mas_per_yr: optional(self.pm_dec),
            pm_ra_err_mas_per_yr: error(self.pm_ra_error),
            pm_dec_err_mas_per_yr: error(self.pm_dec_error),
            parallax_mas: optional(self.parallax),
            parallax_err_mas: error(self.parallax_error),
            g_mag: magnitude(self.g),
            bp_mag,
            rp_mag,
            bp_rp_mag: optional(self.bp_rp).or(bp_mag.zip(rp_mag).map(|(bp, rp)| bp - rp)),
        })
    }
}
