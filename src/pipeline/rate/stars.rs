//! Catalogue stars along a candidate's path.

use super::StarSource;
use crate::pipeline::artifact::candidate::Candidate;
use crate::science::sky::vector::separation_rad;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Stars are looked for at least this far from the middle of the path, to know how many there are
/// about [arcsec].
const RADIUS_MIN_ARCSEC: f64 = 120.0;
/// ... and this far beyond its ends [arcsec].
const MARGIN_ARCSEC: f64 = 30.0;
/// A star this much fainter than the object does not disturb it [mag].
const FAINTER_MAG: f64 = 1.0;
/// A star nearer than this disturbs, in units of the seeing.
const NEAR_FWHM: f64 = 1.5;

/// How near catalogue stars are to a candidate's detections.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NearStars {
    /// The smallest distance in units of the seeing.
    pub(super) distance_fwhm: Option<f64>,
    /// Share of detections with a star near.
    pub(super) share: Option<f64>,
    /// The share to be expected from the number of stars about.
    pub(super) share_expected: Option<f64>,
}

/// Measures them; `seeing_arcsec` has the seeing of each detection's frame.
pub(super) fn near_stars(
    candidate: &Candidate,
    seeing_arcsec: &[Option<f64>],
    stars: &StarSource<'_>,
) -> NearStars {
    let place = |i: usize| {
        let d = &candidate.detections[i];
        (d.ra_deg * DEG_RAD, d.dec_deg * DEG_RAD)
    };
    let n = candidate.detections.len();
    if n == 0 {
        return NearStars::default();
    }
    let centre = place(n / 2);
    let reach = (0..n).map(|i| separation_rad(centre, place(i))).fold(0.0, f64::max);
    let radius = (reach + MARGIN_ARCSEC * ARCSEC_RAD).max(RADIUS_MIN_ARCSEC * ARCSEC_RAD);
    let epoch = candidate.detections[n / 2].mid_mjd_utc;
    let about: Vec<(f64, f64)> = stars(centre, radius, epoch)
        .into_iter()
        .filter(|star| match (star.g_mag, candidate.mag) {
            (Some(g_mag), Some(mag)) => g_mag < mag + FAINTER_MAG,
            _ => true,
        })
        .map(|star| (star.ra_rad, star.dec_rad))
        .collect();
    let density_per_arcsec2 =
        about.len() as f64 / (std::f64::consts::PI * (radius / ARCSEC_RAD).powi(2));
    let mut found = NearStars::default();
    let (mut n_known, mut n_near, mut expected) = (0, 0, 0.0);
    for (i, fwhm) in seeing_arcsec.iter().enumerate() {
        let Some(fwhm) = fwhm.filter(|fwhm| *fwhm > 0.0) else {
            continue;
        };
        n_known += 1;
        let near = NEAR_FWHM * fwhm;
        expected += 1.0 - (-density_per_arcsec2 * std::f64::consts::PI * near * near).exp();
        let nearest =
            about.iter().map(|star| separation_rad(*star, place(i))).min_by(f64::total_cmp);
        let Some(distance) = nearest.map(|rad| rad / ARCSEC_RAD / fwhm) else {
            continue;
        };
        n_near += usize::from(distance < NEAR_FWHM);
        found.distance_fwhm = Some(found.distance_fwhm.map_or(distance, |d| d.min(distance)));
    }
    if n_known > 0 {
        found.share = Some(n_near as f64 / f64::from(n_known));
        found.share_expected = Some(expected / f64::from(n_known));
    }
    found
}
