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
    /// Error of the right ascension times cos(Dec) [mas].
    pub ra_err_mas: Option<f64>,
    /// Error of the declination [mas].
    pub dec_err_mas: Option<f64>,
    /// Epoch of the position [Julian year].
    pub ref_epoch_yr: f64,
    /// Proper motion in RA times cos(Dec) [mas/yr].
    pub pm_ra_mas_per_yr: Option<f64>,
    /// Proper motion in Dec [mas/yr].
    pub pm_dec_mas_per_yr: Option<f64>,
    /// Error of the proper motion in RA times cos(Dec) [mas/yr].
    pub pm_ra_err_mas_per_yr: Option<f64>,
    /// Error of the proper motion in Dec [mas/yr].
    pub pm_dec_err_mas_per_yr: Option<f64>,
    /// Parallax [mas]; negative values are measurements too.
    pub parallax_mas: Option<f64>,
    /// Error of the parallax [mas].
    pub parallax_err_mas: Option<f64>,
    /// Gaia G [mag].
    pub g_mag: Option<f64>,
    /// Gaia BP [mag].
    pub bp_mag: Option<f64>,
    /// Gaia RP [mag].
    pub rp_mag: Option<f64>,
    /// Gaia BP-RP [mag]; some lists have it without BP and RP.
    pub bp_rp_mag: Option<f64>,
}

impl ReferenceStar {
    /// A star of which nothing but its place (RA, Dec) [rad] at an epoch [Julian year] is known.
    pub const fn at(source_id: i64, (ra_rad, dec_rad): (f64, f64), ref_epoch_yr: f64) -> Self {
        Self {
            source_id,
            ra_rad,
            dec_rad,
            ra_err_mas: None,
            dec_err_mas: None,
            ref_epoch_yr,
            pm_ra_mas_per_yr: None,
            pm_dec_mas_per_yr: None,
            pm_ra_err_mas_per_yr: None,
            pm_dec_err_mas_per_yr: None,
            parallax_mas: None,
            parallax_err_mas: None,
            g_mag: None,
            bp_mag: None,
            rp_mag: None,
            bp_rp_mag: None,
        }
    }

    /// The larger of the position errors per axis [mas].
    pub fn position_err_mas(&self) -> Option<f64> {
        larger(self.ra_err_mas, self.dec_err_mas)
    }

    /// The larger of the errors of the proper motion per axis [mas/yr].
    pub fn pm_err_mas_per_yr(&self) -> Option<f64> {
        larger(self.pm_ra_err_mas_per_yr, self.pm_dec_err_mas_per_yr)
    }
}

/// The larger of the values that are known.
fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).max_by(f64::total_cmp)
}
