//! Stamps of a star with and without a mover beside it; the truth is known.

use super::super::hidden::tests::{Noise, SKY_E, stamp, without_sky};
use super::*;
use crate::science::detect::psf_model::{Profile, Shape};

const BETA: f64 = 3.1;
const FWHM_PX: f64 = 3.0;

/// What is found on a stamp with a mover of `mover_e` at a place.
fn found(noise: &mut Noise, mover_e: f64, place: (f64, f64)) -> Vec<HiddenLight> {
    let others: Vec<Image<f32>> = (0..6)
        .map(|k| {
            let fwhm_px = FWHM_PX + 0.02 * f64::from(k - 3);
            without_sky(stamp(noise, fwhm_px, (0.0, place)))
        })
        .collect();
    let still = StillSky::median(&others).expect("six stamps");
    let own = without_sky(stamp(noise, FWHM_PX + 0.03, (mover_e, place)));
    let profile = Profile::new(BETA, 40.0);
    let star = Star::new(&profile, Shape::round(FWHM_PX, BETA));
    let mismatch = Mismatch { scale_share: 0.05, width_px2: 0.2, shift_px: 0.1 };
    difference_peaks((&own, SKY_E), &still, (&star, FWHM_PX), &mismatch)
}

#[test]
fn a_mover_beside_a_star_is_found() {
    const MOVER_E: f64 = 4000.0;
    let place = (15.3, 13.4);
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let (mut flux_pulls, mut place_pulls) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        for peak in found(&mut noise, MOVER_E, place) {
            flux_pulls.push((peak.flux_e - MOVER_E) / peak.flux_err_e);
            place_pulls.push((peak.x_px - place.0) / peak.place_err_px);
            place_pulls.push((peak.y_px - place.1) / peak.place_err_px);
        }
    }
    assert!((55..=62).contains(&flux_pulls.len()), "{}", flux_pulls.len());
    let rms = |p: &[f64]| (p.iter().map(|v| v * v).sum::<f64>() / p.len() as f64).sqrt();
    let (flux, place) = (rms(&flux_pulls), rms(&place_pulls));
    assert!((0.5..1.4).contains(&flux), "{flux}");
    assert!((0.5..1.4).contains(&place), "{place}");
}

#[test]
fn a_star_alone_gives_nothing() {
    let n = if std::env::var_os("AUTOSSOS_SLOW").is_some() { 20_000 } else { 400 };
    let mut noise = Noise(0xD1B5_4A32_D192_ED03);
    let n_found: usize = (0..n).map(|_| found(&mut noise, 0.0, (12.0, 12.0)).len()).sum();
    assert!(n_found <= n / 400 + 1, "{n_found} of {n}");
}
