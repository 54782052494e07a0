//! Places of reference stars at the epoch of a frame, as seen from the Earth.
//!
//! The star moves along the straight line given by its proper motion; its direction is then seen
//! from the Solar System's barycentre and, by its parallax, from the Earth: exact for rectilinear
//! motion without radial velocity, also at the poles. Not handled: radial velocity (below 1 mas
//! in 30 years for all but a few dozen stars), aberration and light bending (common to a frame).
//! Source: Butkevich & Lindegren 2014, A&A 570, A62, section 4; Lindegren et al. 2012, A&A 538,
//! A78, equation 4.

use super::star::ReferenceStar;
use crate::science::sky::earth::earth_au;
use crate::science::sky::vector::{east_north, ra_dec_rad, unit_vector};
use crate::science::units::ARCSEC_RAD;

/// One milliarcsecond [rad].
const MAS_RAD: f64 = ARCSEC_RAD / 1000.0;
/// Growth of the position error of stars without proper motion [mas/yr].
const UNKNOWN_MOTION_MAS_PER_YR: f64 = 10.0;
/// Growth of the position error of stars whose proper motion has no error [mas/yr]: Gaia's at G 20.
const KNOWN_MOTION_MAS_PER_YR: f64 = 0.5;
/// Position error when the catalogue gives none [mas].
const UNKNOWN_POSITION_ERR_MAS: f64 = 50.0;
/// Larger parallaxes are mistakes: Proxima has 768 [mas].
const PARALLAX_MAX_MAS: f64 = 1000.0;

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

/// When and from where stars are seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    epoch_yr: f64,
    /// The Earth from the barycentre of the Solar System [au].
    earth_au: [f64; 3],
}

impl Moment {
    /// The Earth at an epoch [Julian year]; UTC will do, the Earth moves 2e-5 au in a minute.
    pub fn at(epoch_yr: f64) -> Self {
        Self { epoch_yr, earth_au: earth_au(epoch_yr) }
    }
}

/// A star as seen from the Earth at a moment.
///
/// Without proper motion the place stays and its error grows by 10 mas per year; without parallax
/// the star is infinitely far.
pub fn propagate(star: &ReferenceStar, moment: &Moment) -> StarAtEpoch {
    let years = moment.epoch_yr - star.ref_epoch_yr;
    let motion = star.pm_ra_mas_per_yr.zip(star.pm_dec_mas_per_yr);
    let parallax_mas = star.parallax_mas.filter(|p| p.abs() <= PARALLAX_MAX_MAS).unwrap_or(0.0);
    let (east, north) = motion.unwrap_or((0.0, 0.0));
    let is_still = motion.is_none() && parallax_mas.abs() < f64::MIN_POSITIVE;
    let (ra_rad, dec_rad) = if is_still {
        (star.ra_rad, star.dec_rad)
    } else {
        let shift = (east * years * MAS_RAD, north * years * MAS_RAD);
        moved(star, shift, moment.earth_au.map(|x| x * parallax_mas * MAS_RAD))
    };
    let growth = match motion {
        Some(_) => star.pm_err_mas_per_yr().unwrap_or(KNOWN_MOTION_MAS_PER_YR),
        None => UNKNOWN_MOTION_MAS_PER_YR,
    };
    StarAtEpoch {
        source_id: star.source_id,
        ra_rad,
        dec_rad,
        position_err_mas: star
            .position_err_mas()
            .unwrap_or(UNKNOWN_POSITION_ERR_MAS)
            .hypot(growth * years),
        g_mag: star.g_mag,
        bp_rp_mag: star.bp_rp_mag,
    }
}

/// The direction after moving by (east, north) [rad] on the plane that touches at the star, seen
/// from a place off the barycentre (in units of the star's distance).
fn moved(star: &ReferenceStar, shift: (f64, f64), from: [f64; 3]) -> (f64, f64) {
    let r = unit_vector(star.ra_rad, star.dec_rad);
    let (east, north) = east_north(star.ra_rad, star.dec_rad);
    ra_dec_rad(std::array::from_fn(|k| r[k] + shift.0 * east[k] + shift.1 * north[k] - from[k]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::sky::vector::separation_rad;
    use crate::science::units::DEG_RAD;

    fn star(ra_deg: f64, dec_deg: f64, motion: Option<(f64, f64)>) -> ReferenceStar {
        ReferenceStar {
            ra_err_mas: Some(2.0),
            dec_err_mas: Some(3.0),
            pm_ra_mas_per_yr: motion.map(|m| m.0),
            pm_dec_mas_per_yr: motion.map(|m| m.1),
            ..ReferenceStar::at(7, (ra_deg * DEG_RAD, dec_deg * DEG_RAD), 2016.0)
        }
    }

    #[test]
    fn barnards_star_as_the_gaia_archive_moves_it() {
        // Gaia DR3 4472832130942575872: 269.44850252543836, 4.739420051112412 at 2016.0,
        // pm -801.551, 10362.394 mas/yr. In 10 yr it moves 103.6 arcsec north along the arc:
        // atan(0.10362394 as/mas * 1000) and -8.01551 arcsec in RA cos(Dec).
        let moved = propagate(
            &star(269.448_502_525_438_36, 4.739_420_051_112_412, Some((-801.551, 10_362.394))),
            &Moment::at(2026.0),
        );
        let north_arcsec = (moved.dec_rad / DEG_RAD - 4.739_420_051_112_412) * 3600.0;
        let east_arcsec =
            (moved.ra_rad / DEG_RAD - 269.448_502_525_438_36) * 3600.0 * (4.739_42 * DEG_RAD).cos();
        assert!((north_arcsec - 103.623_94).abs() < 1e-3);
        assert!((east_arcsec + 8.015_51).abs() < 1e-3);
    }

    #[test]
    fn near_stars_seen_from_the_earth_agree_with_astropy() {
        // astropy 8.0.2: the star's straight line in space (SkyCoord with distance and velocity,
        // radial velocity 0) minus get_body_barycentric("earth"), as a direction; made once.
        // Places of Gaia DR3; the third is no star. RA, Dec [deg], parallax, pm [mas].
        let proxima = (
            (217.392_321_472_009, -62.676_075_116_766_7),
            768.066_539_187_357_3,
            (-3_781.741_008_265_163, 769.465_014_647_862_3),
        );
        let barnard = (
            (269.448_502_525_438_36, 4.739_420_051_112_412),
            546.975_939_730_948,
            (-801.550_978_368_470_9, 10_362.394_206_546_573),
        );
        let at_pole = ((30.0, 89.9999), 800.0, (0.0, 0.0));
        let known = [
            (proxima, 2016.0, 217.392_698_232, -62.676_036_354),
            (proxima, 2019.25, 217.385_090_624, -62.675_541_230),
            (proxima, 2026.75, 217.367_490_394, -62.673_616_882),
            (barnard, 2016.0, 269.448_529_996, 4.739_350_578),
            (barnard, 2019.25, 269.447_925_270, 4.748_789_802),
            (barnard, 2026.75, 269.445_950_077, 4.770_353_053),
            (at_pole, 2016.0, 310.208_068_865, 89.999_806_769),
            (at_pole, 2019.25, 16.791_690_252, 89.999_682_474),
            (at_pole, 2026.75, 170.924_597_502, 89.999_865_111),
        ];
        for ((place, parallax, motion), epoch_yr, ra_deg, dec_deg) in known {
            let star = ReferenceStar {
                parallax_mas: Some(parallax),
                ..star(place.0, place.1, Some(motion))
            };
            let found = propagate(&star, &Moment::at(epoch_yr));
            let expected = (ra_deg * DEG_RAD, dec_deg * DEG_RAD);
            let off_mas = separation_rad((found.ra_rad, found.dec_rad), expected) / MAS_RAD;
            assert!(off_mas < 1.0, "{place:?} at {epoch_yr}: off by {off_mas} mas");
        }
    }

    #[test]
    fn unknown_motion_stays_and_blurs() {
        let still = propagate(&star(10.0, 20.0, None), &Moment::at(2020.0));
        assert!((still.ra_rad - 10.0 * DEG_RAD).abs() < 1e-15);
        // hypot(3, 40) mas.
        assert!((still.position_err_mas - 1609.0_f64.sqrt()).abs() < 1e-9);
        // With errors of the motion: hypot(3, 4 yr * 1 mas/yr).
        let known = ReferenceStar {
            pm_ra_err_mas_per_yr: Some(1.0),
            pm_dec_err_mas_per_yr: Some(0.5),
            ..star(10.0, 20.0, Some((0.0, 0.0)))
        };
        let blurred = propagate(&known, &Moment::at(2020.0));
        assert!((blurred.position_err_mas - 5.0).abs() < 1e-9);
    }

    #[test]
    fn motion_over_the_pole_is_straight() {
        // 1 arcsec below the pole, 2 arcsec north: comes out 1 arcsec below on the other side.
        let star = star(30.0, 90.0 - 1.0 / 3600.0, Some((0.0, 2000.0)));
        let moved = propagate(&star, &Moment::at(2017.0));
        let expected = (210.0 * DEG_RAD, (90.0 - 1.0 / 3600.0) * DEG_RAD);
        assert!(separation_rad((moved.ra_rad, moved.dec_rad), expected) < 1e-6 * ARCSEC_RAD);
    }
}
