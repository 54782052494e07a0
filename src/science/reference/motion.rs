//! Places of reference stars at the epoch of a frame.
//!
//! The star moves along the straight line given by its proper motion, which is then seen from
//! the Sun again: exact for rectilinear motion without radial velocity, also at the poles.
//! Not handled: parallax (below 0.1 arcsec for all but some hundred stars; those stand out as
//! outliers of the fit) and radial velocity.
//! Source: Butkevich & Lindegren 2014, A&A 570, A62, section 4.

use super::star::ReferenceStar;
use crate::science::sky::vector::{east_north, ra_dec_rad, unit_vector};
use crate::science::units::ARCSEC_RAD;

/// One milliarcsecond [rad].
const MAS_RAD: f64 = ARCSEC_RAD / 1000.0;
/// Growth of the position error of stars without proper motion [mas/yr].
const UNKNOWN_MOTION_MAS_PER_YR: f64 = 10.0;
/// Growth of the position error of stars with proper motion [mas/yr].
///
/// The catalogue's own errors of proper motion are not carried; this is theirs at G = 20.
const KNOWN_MOTION_MAS_PER_YR: f64 = 0.5;
/// Position error when the catalogue gives none [mas].
const UNKNOWN_POSITION_ERR_MAS: f64 = 50.0;

/// A reference star at the epoch of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StarAtEpoch {
    /// Identifier in its catalogue.
    pub source_id: i64,
    /// Right ascension, ICRS [rad].
    pub ra_rad: f64,
    /// Declination, ICRS [rad].
    pub dec_rad: f64,
    /// Position error per axis [mas].
    pub position_err_mas: f64,
    /// Gaia G [mag].
    pub g_mag: Option<f64>,
    /// Gaia BP-RP [mag].
    pub bp_rp_mag: Option<f64>,
}

/// Moves a star to an epoch [Julian year].
///
/// Parallax is ignored. Without proper motion the place stays and its error grows by
/// 10 mas per year.
pub fn propagate(star: &ReferenceStar, epoch_yr: f64) -> StarAtEpoch {
    let years = epoch_yr - star.ref_epoch_yr;
    let motion = star.pm_ra_mas_per_yr.zip(star.pm_dec_mas_per_yr);
    let (ra_rad, dec_rad) = match motion {
        Some((pm_ra, pm_dec)) => moved(star, pm_ra * years * MAS_RAD, pm_dec * years * MAS_RAD),
        None => (star.ra_rad, star.dec_rad),
    };
    let growth = if motion.is_some() { KNOWN_MOTION_MAS_PER_YR } else { UNKNOWN_MOTION_MAS_PER_YR };
    StarAtEpoch {
        source_id: star.source_id,
        ra_rad,
        dec_rad,
        position_err_mas: star
            .position_err_mas
            .unwrap_or(UNKNOWN_POSITION_ERR_MAS)
            .hypot(growth * years),
        g_mag: star.g_mag,
        bp_rp_mag: star.bp_rp_mag,
    }
}

/// The direction after moving by (east, north) [rad] on the plane that touches at the star.
fn moved(star: &ReferenceStar, east_rad: f64, north_rad: f64) -> (f64, f64) {
    let r = unit_vector(star.ra_rad, star.dec_rad);
    let (east, north) = east_north(star.ra_rad, star.dec_rad);
    ra_dec_rad(std::array::from_fn(|k| r[k] + east_rad * east[k] + north_rad * north[k]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::sky::vector::separation_rad;
    use crate::science::units::DEG_RAD;

    fn star(ra_deg: f64, dec_deg: f64, motion: Option<(f64, f64)>) -> ReferenceStar {
        ReferenceStar {
            source_id: 7,
            ra_rad: ra_deg * DEG_RAD,
            dec_rad: dec_deg * DEG_RAD,
            position_err_mas: Some(3.0),
            ref_epoch_yr: 2016.0,
            pm_ra_mas_per_yr: motion.map(|m| m.0),
            pm_dec_mas_per_yr: motion.map(|m| m.1),
            g_mag: Some(12.0),
            bp_rp_mag: None,
        }
    }

    #[test]
    fn barnards_star_as_the_gaia_archive_moves_it() {
        // Gaia DR3 4472832130942575872: 269.44850252543836, 4.739420051112412 at 2016.0,
        // pm -801.551, 10362.394 mas/yr. In 10 yr it moves 103.6 arcsec north along the arc:
        // atan(0.10362394 as/mas * 1000) and -8.01551 arcsec in RA cos(Dec).
        let moved = propagate(
            &star(269.448_502_525_438_36, 4.739_420_051_112_412, Some((-801.551, 10_362.394))),
            2026.0,
        );
        let north_arcsec = (moved.dec_rad / DEG_RAD - 4.739_420_051_112_412) * 3600.0;
        let east_arcsec =
            (moved.ra_rad / DEG_RAD - 269.448_502_525_438_36) * 3600.0 * (4.739_42 * DEG_RAD).cos();
        assert!((north_arcsec - 103.623_94).abs() < 1e-3);
        assert!((east_arcsec + 8.015_51).abs() < 1e-3);
    }

    #[test]
    fn unknown_motion_stays_and_blurs() {
        let still = propagate(&star(10.0, 20.0, None), 2020.0);
        assert!((still.ra_rad - 10.0 * DEG_RAD).abs() < 1e-15);
        // hypot(3, 40) mas.
        assert!((still.position_err_mas - 1609.0_f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn motion_over_the_pole_is_straight() {
        // 1 arcsec below the pole, 2 arcsec north: comes out 1 arcsec below on the other side.
        let moved = propagate(&star(30.0, 90.0 - 1.0 / 3600.0, Some((0.0, 2000.0))), 2017.0);
        let expected = (210.0 * DEG_RAD, (90.0 - 1.0 / 3600.0) * DEG_RAD);
        assert!(separation_rad((moved.ra_rad, moved.dec_rad), expected) < 1e-6 * ARCSEC_RAD);
    }
}
