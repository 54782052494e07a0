//! The inputs a pipeline gets: reference stars and predicted places, as CSV.
//!
//! Reference: columns and typical errors of the Gaia archive (places of 2016.0). Known objects:
//! the columns of a SkyBoT cone search, one row per frame and object.

use super::motion::Mover;
use super::plan::{FramePlan, Light};
use super::random::{Random, Stream};
use super::scenario::Scenario;
use super::sky::{CATALOGUE_EPOCH_YR, MAS_RAD, Star};
use crate::science::units::ARCSEC_RAD;

const REFERENCE_HEAD: &str = "source_id,ra,dec,ra_error,dec_error,ref_epoch,parallax,\
parallax_error,pmra,pmra_error,pmdec,pmdec_error,phot_g_mean_mag,phot_bp_mean_mag,\
phot_rp_mean_mag,bp_rp,ruwe\n";
const KNOWN_HEAD: &str = "file,mjd_mid,num,name,ra,dec,class,mv,err_arcsec,dra_arcsec_h,\
ddec_arcsec_h,dg_au,dh_au\n";
/// V - G of an asteroid [mag].
const V_MINUS_G_MAG: f64 = 0.2;

/// The reference catalogue of all stars bright enough.
pub(super) fn reference_csv(scenario: &Scenario, stars: &[Star]) -> String {
    let mut random = Random::new(scenario.seed, Stream::Catalogue, 0, 0);
    let limit_mag = scenario.stars.catalogue_g_max_mag;
    let mut text = REFERENCE_HEAD.to_owned();
    for (i, star) in stars.iter().enumerate() {
        // Gaia misses some of its faintest stars.
        let share = ((limit_mag - star.g_mag) / 0.5 + 0.5).clamp(0.0, 0.99);
        if star.g_mag < limit_mag && random.uniform() < share {
            text.push_str(&reference_row(i, star, &mut random));
        }
    }
    text
}

fn reference_row(i: usize, star: &Star, random: &mut Random) -> String {
    // Median errors of Gaia EDR3 places: 0.02 mas at G 13, 0.5 mas at G 20 (Lindegren et al.
    // 2021, A&A 649, A2, table 4).
    let err_mas = 0.02 * 10_f64.powf(0.2 * (star.g_mag - 13.0).max(0.0));
    let has_motion = random.uniform() > 0.03;
    let has_colour = random.uniform() > 0.01;
    // Two-parameter solutions are several times less sure.
    let err_mas = if has_motion { err_mas } else { 3.0 * err_mas };
    let ra = star.ra_rad + err_mas * MAS_RAD * random.normal() / star.dec_rad.cos();
    let dec = star.dec_rad + 0.95 * err_mas * MAS_RAD * random.normal();
    let parallax = star.parallax_mas + 1.3 * err_mas * random.normal();
    let pm_ra = star.pm_ra_mas_per_yr + 1.05 * err_mas * random.normal();
    let pm_dec = star.pm_dec_mas_per_yr + 1.05 * err_mas * random.normal();
    let flux_err_mag = 0.0005 + 0.005 * 10_f64.powf(0.4 * (star.g_mag - 20.0));
    let g = star.g_mag + flux_err_mag * random.normal();
    let (bp_err_mag, rp_err_mag) = (8.0 * flux_err_mag, 5.0 * flux_err_mag);
    let bp = star.g_mag + 0.45 * star.bp_rp_mag + bp_err_mag * random.normal();
    let rp = star.g_mag - 0.55 * star.bp_rp_mag + rp_err_mag * random.normal();
    let ruwe = 1.02 + 0.06 * random.normal();
    let id = 3_800_000_000_000_000_000_i64 + i as i64 * 1_024;
    let motion = if has_motion {
        let (p_err, pm_err) = (1.3 * err_mas, 1.05 * err_mas);
        format!("{parallax:.4},{p_err:.4},{pm_ra:.4},{pm_err:.4},{pm_dec:.4},{pm_err:.4}")
    } else {
        ",,,,,".to_owned()
    };
    let colour =
        if has_colour { format!("{bp:.5},{rp:.5},{:.5}", bp - rp) } else { ",,".to_owned() };
    format!(
        "{id},{:.10},{:.10},{err_mas:.4},{:.4},{CATALOGUE_EPOCH_YR:.1},{motion},{g:.5},{colour},\
         {ruwe:.4}\n",
        ra.to_degrees().rem_euclid(360.0),
        dec.to_degrees(),
        0.95 * err_mas,
    )
}

/// The predicted places of the known movers in every science frame.
pub(super) fn known_csv(movers: &[Mover], frames: &[FramePlan]) -> String {
    let mut text = KNOWN_HEAD.to_owned();
    for plan in frames.iter().filter(|plan| matches!(plan.light, Light::Science(_))) {
        for mover in movers {
            let (Some(number), Some(name)) = (mover.number, mover.name()) else {
                continue;
            };
            let mid = plan.mid();
            let (ra, dec) = mover.place_rad(mid);
            let (east, north) = mover.listed_offset_arcsec;
            let ra = ra + east * ARCSEC_RAD / dec.cos();
            let dec = dec + north * ARCSEC_RAD;
            let (d_ra, d_dec) = mover.rates_arcsec_per_h(mid);
            let distance_au = mover.class.distance_au();
            text.push_str(&format!(
                "{},{:.8},{number},{name},{:.9},{:.9},{},{:.1},{:.2},{d_ra:.4},{d_dec:.4},\
                 {distance_au:.4},{:.4}\n",
                plan.name,
                mid.mjd_utc(),
                ra.to_degrees().rem_euclid(360.0),
                dec.to_degrees(),
                mover.class.skybot(),
                mover.g_mag + V_MINUS_G_MAG,
                mover.listed_err_arcsec,
                distance_au + 0.98,
            ));
        }
    }
    text
}
