//! Rates candidates: accident, artefact, near-Earth object; for people to judge by.
//!
//! Nothing is left out or kept because of a rating: it orders, explains, and is kept as the label's
//! features when a person has judged ([`super::artifact::rating`]).

mod features;
mod reasons;
mod stars;
mod view;

use super::artifact::candidate::Candidate;
use super::artifact::rating::{Features, Rating};
use super::link::NightFrame;
use crate::science::movers::real_score::{Evidence, real_score, terms};
use crate::science::orbit::neo_rating::{NeoRater, NeoRating, SkyMotion};
use crate::science::reference::StarAtEpoch;
use crate::science::time::Epoch;
use crate::science::units::DEG_RAD;
use view::FrameView;

/// Reference stars around a place (RA, Dec) [rad] within a radius [rad], at an epoch [MJD UTC].
pub type StarSource<'a> = dyn Fn((f64, f64), f64, f64) -> Vec<StarAtEpoch> + 'a;

/// Rates each candidate by its detections in the frames' catalogues.
pub fn rate(candidates: &mut [Candidate], frames: &[NightFrame], stars: &StarSource<'_>) {
    let views: Vec<FrameView<'_>> = frames.iter().map(FrameView::new).collect();
    let mut rater = NeoRater::default();
    for candidate in candidates {
        let features = features::measure(candidate, &views, stars);
        let terms = terms(&evidence(&features));
        let neo = neo_rating(candidate, &mut rater);
        candidate.rating = Some(Rating {
            chance_probability: chance_probability(candidate.false_alarms),
            real_score: real_score(&terms),
            neo_rating: neo.map(|found| found.rating),
            reasons: reasons::in_words(&terms, &features, candidate, neo.as_ref()),
            features,
        });
    }
}

/// The probability of an accident whose odds against a mover are given.
///
/// Linking weighs both explanations with their prior densities (`science::movers::score`), so its
/// odds are posterior ones, and a probability P has the odds P / (1 - P) (Jaynes 2003, "Probability
/// Theory: The Logic of Science", ch. 4).
fn chance_probability(odds: f64) -> f64 {
    if odds.is_finite() { odds / (1.0 + odds) } else { 1.0 }
}

fn neo_rating(candidate: &Candidate, rater: &mut NeoRater) -> Option<NeoRating> {
    let middle = candidate.detections.get(candidate.detections.len() / 2)?;
    let motion = SkyMotion::of(
        candidate.rate_arcsec_per_min,
        candidate.pa_deg,
        candidate.rate_err_arcsec_per_min,
    );
    let place = (middle.ra_deg * DEG_RAD, middle.dec_deg * DEG_RAD);
    rater.rate(Epoch::from_mjd_utc(middle.mid_mjd_utc), place, &motion)
}

/// The features as the score takes them.
fn evidence(f: &Features) -> Evidence {
    let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    Evidence {
        n: whole(f.n_detections),
        n_covered: (f.n_covered > 0).then(|| whole(f.n_covered)),
        snr: f.snr,
        n_shapes: f.n_shapes.map(whole),
        width_ratio: f.width_ratio,
        width_scatter: f.width_scatter,
        elongation: f.elongation,
        elongation_expected: f.elongation_expected,
        elongation_scatter: f.elongation_scatter,
        trail_angle_deg: f.trail_angle_deg,
        trail_length_ratio: f.trail_length_ratio,
        mag_scatter_mag: f.mag_scatter_mag,
        mag_err_mag: f.mag_err_mag,
        chi2_reduced: f.chi2_reduced,
        star_share: f.star_share,
        star_share_expected: f.star_share_expected,
        flagged_share: f.flagged_share,
        flagged_share_expected: f.flagged_share_expected,
        detector_shift_px: f.detector_shift_px,
        sky_shift_px: f.sky_shift_px,
        edge_distance_px: f.edge_distance_px,
    }
}

#[cfg(test)]
mod tests;
