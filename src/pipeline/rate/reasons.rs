//! The strongest terms of a score in words.

use crate::pipeline::artifact::candidate::Candidate;
use crate::pipeline::artifact::rating::Features;
use crate::science::movers::real_score::{Clue, Term};
use crate::science::orbit::neo_rating::{Like, NeoRating};

/// A term weaker than this is not worth a word.
const WORTH_A_WORD: f64 = 0.25;
/// A trail farther from the motion lies across it [deg].
const ACROSS_DEG: f64 = 30.0;
/// Most words for a real object, and most against.
const MOST: usize = 3;
/// From this rating on the motion is worth a word: one belt object in a hundred moves so.
const UNUSUAL_RATING: f64 = 67.0;

/// The reasons: what speaks against a real object first, the strongest first, then what speaks for
/// it, then its motion when it is unusual.
pub(super) fn in_words(
    terms: &[Term],
    features: &Features,
    candidate: &Candidate,
    neo: Option<&NeoRating>,
) -> Vec<String> {
    let mut sorted: Vec<Term> =
        terms.iter().copied().filter(|term| term.log_odds.abs() >= WORTH_A_WORD).collect();
    sorted.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
    let side = |is_for: bool| {
        let its = sorted.iter().filter(move |term| (term.log_odds > 0.0) == is_for);
        its.filter_map(|term| word(term, features)).take(MOST)
    };
    side(false).chain(side(true)).chain(neo.and_then(|neo| motion(neo, candidate))).collect()
}

fn word(term: &Term, f: &Features) -> Option<String> {
    let is_for = term.log_odds > 0.0;
    Some(match (term.clue, is_for) {
        (Clue::Width, true) => "as sharp as the stars".to_owned(),
        (Clue::Width, false) => {
            let ratio = f.width_ratio?;
            let how = if ratio < 1.0 { "sharper" } else { "wider" };
            format!("{how} than the stars ({ratio:.2} of their width)")
        }
        (Clue::Elongation, true) if f.elongation_expected.is_some_and(|e| e > 0.1) => {
            "drawn out as its motion asks".to_owned()
        }
        (Clue::Elongation, true) => "as round as the stars".to_owned(),
        (Clue::Elongation, false) if f.elongation < f.elongation_expected => {
            "rounder than its motion allows".to_owned()
        }
        (Clue::Elongation, false) => match f.trail_angle_deg {
            Some(angle) if angle > ACROSS_DEG => {
                format!("elongated across its motion (by {angle:.0} deg)")
            }
            _ => "more elongated than its motion explains".to_owned(),
        },
        (Clue::TrailAngle, true) => "trails along its motion".to_owned(),
        (Clue::TrailAngle, false) => {
            format!("trails askew to its motion (by {:.0} deg)", f.trail_angle_deg?)
        }
        (Clue::TrailLength, true) => "trails as long as its motion".to_owned(),
        (Clue::TrailLength, false) => {
            format!("trails of {:.1} times the length of its motion", f.trail_length_ratio?)
        }
        (Clue::Brightness, true) => "steady in brightness".to_owned(),
        (Clue::Brightness, false) => {
            format!("flickers by {:.2} mag, errors {:.2} mag", f.mag_scatter_mag?, f.mag_err_mag?)
        }
        (Clue::Residuals, true) => "moves smoothly".to_owned(),
        (Clue::Residuals, false) => {
            format!("does not move smoothly (reduced chi-square {:.1})", f.chi2_reduced?)
        }
        (Clue::Seen, _) => {
            let only = if is_for { "" } else { "only " };
            format!("seen in {only}{} of {} frames", f.n_detections, f.n_covered)
        }
        (Clue::Stars, true) => "no star nearby".to_owned(),
        (Clue::Stars, false) => {
            format!("within {:.1} FWHM of a star", f.star_distance_fwhm?)
        }
        (Clue::Flags, true) => "on clean pixels".to_owned(),
        (Clue::Flags, false) => {
            let percent = 100.0 * f.flagged_share?;
            format!("{percent:.0} % of its detections blended or on bad pixels")
        }
        (Clue::Detector, true) => "moves over the detector".to_owned(),
        (Clue::Detector, false) => {
            format!("stays within {:.1} px of the detector", f.detector_shift_px?)
        }
        (Clue::Edge, true) => "away from the edge".to_owned(),
        (Clue::Edge, false) => format!("{:.0} px from the edge", f.edge_distance_px?),
    })
}

fn motion(neo: &NeoRating, candidate: &Candidate) -> Option<String> {
    if neo.rating >= UNUSUAL_RATING {
        let rate = candidate.rate_arcsec_per_min;
        let (distance, rating) = (neo.sun_distance_deg, neo.rating);
        return Some(format!(
            "moves unlike the main belt: {rate:.2}\"/min {distance:.0} deg from the Sun \
             (NEO rating {rating:.0} of 100)"
        ));
    }
    (neo.like == Like::Beyond).then(|| "moves like an object beyond the main belt".to_owned())
}
