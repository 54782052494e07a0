//! Stars of the reference catalogue, as the Gaia archive describes them.

/// One star of the reference catalogue; missing values are `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReferenceStar {
    /// Identifier in its catalogue.
    pub source_id: i64,
    /// Right ascension, ICRS at `ref_epoch_yr` [rad].
    pub ra_rad: f64,
    /// Declination, ICRS at `ref_epoch_yr` [rad].
    pub dec_rad: f64,
    /// Larger of the position errors per axis [mas].
    pub position_err_mas: Option<f64>,
    /// Epoch of the position [Julian year].
    pub ref_epoch_yr: f64,
    /// Proper motion in RA times cos(Dec) [mas/yr].
    pub pm_ra_mas_per_yr: Option<f64>,
    /// Proper motion in Dec [mas/yr].
    pub pm_dec_mas_per_yr: Option<f64>,
    /// Gaia G [mag].
    pub g_mag: Option<f64>,
    /// Gaia BP-RP [mag].
    pub bp_rp_mag: Option<f64>,
}
