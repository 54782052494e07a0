//! From a tracklet to the candidate that people see.

use super::union::Origin;
use super::{FieldFrame, NightFrame};
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::pipeline::recover::Recovered;
use crate::science::movers::link::Tracklet;
use crate::science::units::DEG_RAD;

/// The frames of a field, their detections on the plane, and where these come from.
#[derive(Clone, Copy)]
pub(super) struct FieldSources<'a> {
    pub(super) frames: &'a [&'a NightFrame],
    pub(super) field: &'a [FieldFrame],
    pub(super) origins: &'a [Vec<Origin>],
    /// What each frame holds beyond the static sky.
    pub(super) beyond: &'a [Vec<Recovered>],
}

impl FieldSources<'_> {
    /// Place of detection `n` of frame `k` on the sky [rad].
    pub(super) fn sky_rad(&self, k: usize, n: usize) -> (f64, f64) {
        match self.origins[k][n] {
            Origin::Catalogue(i) => {
                let catalogue = &self.frames[k].catalogue;
                (catalogue.ra_rad[i], catalogue.dec_rad[i])
            }
            Origin::Difference(i) => self.beyond[k][i].sky_rad,
        }
    }
}

/// The candidate of a tracklet.
///
/// * `recovered`: what was found of it where it had not been detected. Its name does not depend on
///   that.
pub(super) fn candidate(
    tracklet: &Tracklet,
    recovered: &[Recovered],
    sources: FieldSources<'_>,
) -> Candidate {
    let frames = sources.frames;
    let mut hasher = blake3::Hasher::new();
    let mut detections = Vec::with_capacity(tracklet.members.len() + recovered.len());
    for member in &tracklet.members {
        let (k, n) = (member.frame as usize, member.index as usize);
        let detection = match sources.origins[k][n] {
            Origin::Catalogue(i) => seen_detection(tracklet, (k, n, i), sources),
            Origin::Difference(i) => CandidateDetection {
                is_foreseen: false,
                ..recovered_detection(&sources.beyond[k][i], tracklet, frames)
            },
        };
        hasher.update(frames[k].content_hash.as_bytes());
        hasher.update(&((detection.x_px * 10.0).round() as i64).to_le_bytes());
        hasher.update(&((detection.y_px * 10.0).round() as i64).to_le_bytes());
        detections.push((k, detection));
    }
    detections
        .extend(recovered.iter().map(|r| (r.frame, recovered_detection(r, tracklet, frames))));
    detections.sort_by_key(|(k, _)| *k);
    let detections: Vec<CandidateDetection> = detections.into_iter().map(|(_, d)| d).collect();
    let squares: f64 =
        detections.iter().map(|d| d.residual_arcsec.0.powi(2) + d.residual_arcsec.1.powi(2)).sum();
    let n = detections.len() as f64;
    let motion = &tracklet.motion;
    // Two coordinates a point, four parameters of place and rate; the accelerations are priors.
    let freedom = (2.0 * n - 4.0).max(1.0);
    let mags: Vec<f64> = detections.iter().filter_map(|d| d.mag).collect();
    Candidate {
        id: readable_id(hasher.finalize().as_bytes()),
        identity: Identity::Unchecked,
        false_alarms: (-tracklet.score.log_odds).exp(),
        rate_arcsec_per_min: motion.rate_arcsec_per_h() / 60.0,
        rate_err_arcsec_per_min: motion.rate_err_arcsec_per_h() / 60.0,
        pa_deg: motion.position_angle_deg(),
        chi2_reduced: motion.chi2 / freedom,
        rms_arcsec: (squares / (2.0 * n)).sqrt(),
        mag: crate::science::image::stats::median(&mags),
        detections,
        n_expected: tracklet.score.n_expected as u64,
        n_covered: tracklet.score.n_covered as u64,
        photometry: Vec::new(),
        rating: None,
    }
}

/// Detection `n` of frame `k`, row `i` of its catalogue.
fn seen_detection(
    tracklet: &Tracklet,
    (k, n, i): (usize, usize, usize),
    sources: FieldSources<'_>,
) -> CandidateDetection {
    let frame = sources.frames[k];
    let point = sources.field[k].point(n);
    let s = &frame.catalogue.sources;
    let (mag, mag_err) = best_mag(frame, i);
    CandidateDetection {
        frame: frame.name.clone(),
        mid_mjd_utc: frame.mid_mjd_utc,
        ra_deg: frame.catalogue.ra_rad[i] / DEG_RAD,
        dec_deg: frame.catalogue.dec_rad[i] / DEG_RAD,
        x_px: s.x_px[i],
        y_px: s.y_px[i],
        position_err_arcsec: point.sigma_arcsec,
        residual_arcsec: tracklet.motion.residual(&point),
        mag,
        mag_err,
        snr: s.snr[i],
        is_recovered: false,
        is_foreseen: false,
    }
}

fn recovered_detection(
    r: &Recovered,
    tracklet: &Tracklet,
    frames: &[&NightFrame],
) -> CandidateDetection {
    CandidateDetection {
        frame: frames[r.frame].name.clone(),
        mid_mjd_utc: frames[r.frame].mid_mjd_utc,
        ra_deg: r.sky_rad.0 / DEG_RAD,
        dec_deg: r.sky_rad.1 / DEG_RAD,
        x_px: r.place_px.0,
        y_px: r.place_px.1,
        position_err_arcsec: r.point.sigma_arcsec,
        residual_arcsec: tracklet.motion.residual(&r.point),
        mag: Some(r.mag).filter(|v| v.is_finite()),
        mag_err: Some(r.mag_err).filter(|v| v.is_finite()),
        snr: r.snr,
        is_recovered: true,
        is_foreseen: true,
    }
}

/// The more precise of aperture and matched-filter magnitude.
fn best_mag(frame: &NightFrame, i: usize) -> (Option<f64>, Option<f64>) {
    let catalogue = &frame.catalogue;
    let s = &catalogue.sources;
    let filter_err = (1.0857 / s.snr[i].max(1.0)).hypot(frame.zero_point_err_mag);
    let is_long = s.a_px[i] > 1.7 * s.b_px[i];
    let finite = |v: f64| v.is_finite().then_some(v);
    // The matched filter loses light of trails and, above this, gains nothing.
    const FILTER_SNR_MAX: f64 = 15.0;
    if s.snr[i] < FILTER_SNR_MAX && !is_long {
        return (finite(catalogue.filter_mag[i]), finite(filter_err));
    }
    (finite(catalogue.mag[i]), finite(catalogue.mag_err[i]))
}

/// Seven letters and digits (35 bits) that cannot be misread.
fn readable_id(hash: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    hash.iter().take(7).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}
