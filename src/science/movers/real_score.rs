//! How much a tracklet looks like a real moving source, and not like a flaw of the frames.
//!
//! Each feature that could be measured is asked how much likelier it is for a real object than
//! for an artefact; the logarithms of these ratios are added as if the features were independent
//! ("naive Bayes"; Hand & Yu 2001, Int. Stat. Rev. 69, 385), starting from even odds, and turned
//! into a number between 0 and 1 by the logistic function. A feature that is missing says nothing.
//! Each term is bounded: upwards because there are artefacts of many kinds, most of which look well
//! in any one respect; downwards because real objects pass stars and bad pixels too.
//!
//! The likelihoods are closed forms with stated widths, chosen from how detectors and stars behave
//! (docs/VETTING.md says what the test nights changed); the score ranks, and is no calibrated
//! probability. It does not know the odds of an accident ([`super::score`]): those stand beside it.

/// Widths of stars of one brightness differ by at least this (ln of the ratio).
const WIDTH_SPREAD: f64 = 0.06;
/// ... and those of artefacts by this: pixels, columns, galaxies, ghosts.
const WIDTH_SPREAD_ARTEFACT: f64 = 0.5;
/// Elongations 1 - b/a of stars differ by at least this.
const ELONGATION_SPREAD: f64 = 0.04;
/// ... and those of artefacts by this.
const ELONGATION_SPREAD_ARTEFACT: f64 = 0.25;
/// An expected elongation is right to this share of itself.
const ELONGATION_MODEL_SHARE: f64 = 0.3;
/// Error of a trail's direction [deg].
const TRAIL_ANGLE_ERR_DEG: f64 = 10.0;
/// Errors of a trail's length (ln of the ratio), of an object's and of an artefact's.
const TRAIL_LENGTH_SPREAD: (f64, f64) = (0.25, 0.8);
/// A trail shorter than this share is none.
const TRAIL_RATIO_MIN: f64 = 0.01;
/// Change of an object's light during the night beyond its errors [mag].
const ROTATION_MAG: f64 = 0.12;
/// Artefacts scatter this many times more than an object's errors, in the middle.
const MAG_SCATTER_ARTEFACT: f64 = 2.5;
/// Widths of ln(scatter / expected), of objects and of artefacts.
const MAG_SCATTER_SPREAD: (f64, f64) = (0.3, 0.7);
/// Residuals of an artefact's places are larger by this factor.
const RESIDUAL_ARTEFACT: f64 = 2.5;
/// Chance to see a bright object in a frame that covers it: blends and defects take the rest.
const SEEN_CHANCE_MAX: f64 = 0.93;
/// Signal-to-noise ratio at which half of the sources are detected.
const SEEN_SNR_HALF: f64 = 4.0;
/// Chance of an artefact to be there once more.
const SEEN_CHANCE_ARTEFACT: f64 = 0.35;
/// Among artefacts, this share is made by the thing in question: hot pixels, the edge.
const CULPRIT_SHARE: f64 = 0.2;
/// Scatter of a hot pixel's centre [px].
const HOT_PIXEL_PX: f64 = 0.7;
/// The sky must move this far over the detector to tell a hot pixel [px].
const SKY_SHIFT_MIN_PX: f64 = 2.0;
/// Width of the border where sums, masks and fits suffer [px].
const BORDER_PX: f64 = 10.0;
/// Share of the detector in that border.
const BORDER_SHARE: f64 = 0.04;

/// What is known of a tracklet's detections; `None` where it could not be measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    /// Number of detections.
    pub n: usize,
    /// Number of frames that cover its path.
    pub n_covered: Option<usize>,
    /// Median signal-to-noise ratio.
    pub snr: Option<f64>,
    /// Number of detections whose shape is their own; all when unknown.
    pub n_shapes: Option<usize>,
    /// Median width over that of stars of the same brightness.
    pub width_ratio: Option<f64>,
    /// Scatter of such stars' widths (ln of the ratio).
    pub width_scatter: Option<f64>,
    /// Median elongation 1 - b/a beyond that of stars of the same brightness.
    pub elongation: Option<f64>,
    /// What its motion during the exposure makes of a star, beyond the stars.
    pub elongation_expected: Option<f64>,
    /// Scatter of such stars' elongations.
    pub elongation_scatter: Option<f64>,
    /// Angle between its trails and its motion, 0..90, when it is trailed [deg].
    pub trail_angle_deg: Option<f64>,
    /// Length of its trails over that of its motion, when that is long enough.
    pub trail_length_ratio: Option<f64>,
    /// Standard deviation of its magnitudes [mag].
    pub mag_scatter_mag: Option<f64>,
    /// Median error of its magnitudes [mag].
    pub mag_err_mag: Option<f64>,
    /// Reduced chi-square of the motion fit.
    pub chi2_reduced: Option<f64>,
    /// Share of detections near a catalogue star.
    pub star_share: Option<f64>,
    /// Share that would lie there by accident.
    pub star_share_expected: Option<f64>,
    /// Share of detections with a remark: masked, saturated, blended, at the edge.
    pub flagged_share: Option<f64>,
    /// The same share of sources of the same brightness.
    pub flagged_share_expected: Option<f64>,
    /// Largest distance between its places on the detector [px].
    pub detector_shift_px: Option<f64>,
    /// Motion over the sky between the first and the last detection [px].
    pub sky_shift_px: Option<f64>,
    /// Smallest distance from the frame's edge [px].
    pub edge_distance_px: Option<f64>,
}

/// What a term looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clue {
    /// Width against the stars.
    Width,
    /// Elongation against stars and motion.
    Elongation,
    /// Direction of its trails.
    TrailAngle,
    /// Length of its trails.
    TrailLength,
    /// Scatter of magnitudes.
    Brightness,
    /// Residuals from the motion.
    Residuals,
    /// Frames that show it.
    Seen,
    /// Catalogue stars nearby.
    Stars,
    /// Remarks on its detections.
    Flags,
    /// Places on the detector.
    Detector,
    /// Distance from the edge.
    Edge,
}

/// What one clue says: positive for a real object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// Which clue.
    pub clue: Clue,
    /// Natural logarithm of the odds real : artefact.
    pub log_odds: f64,
}

/// Adds up terms: 0 (artefact) to 1 (real), 0.5 without any.
pub fn real_score(terms: &[Term]) -> f64 {
    let sum: f64 = terms.iter().map(|term| term.log_odds).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// What each clue that could be measured says.
pub fn terms(evidence: &Evidence) -> Vec<Term> {
    let e = evidence;
    let found = [
        (Clue::Width, width(e)),
        (Clue::Elongation, elongation(e)),
        (Clue::TrailAngle, trail_angle(e)),
        (Clue::TrailLength, e.trail_length_ratio.filter(|r| r.is_finite()).map(trail_length)),
        (Clue::Brightness, brightness(e)),
        (Clue::Residuals, residuals(e)),
        (Clue::Seen, seen(e)),
        (Clue::Stars, excess(e.n, e.star_share, e.star_share_expected, 0.02)),
        (Clue::Flags, excess(e.n, e.flagged_share, e.flagged_share_expected, 0.05)),
        (Clue::Detector, detector(e)),
        (Clue::Edge, e.edge_distance_px.map(edge)),
    ];
    found
        .into_iter()
        .filter_map(|(clue, log_odds)| Some(Term { clue, log_odds: log_odds? }))
        .filter(|term| term.log_odds.is_finite())
        .collect()
}

/// Logarithm of the ratio of two Gaussians' densities: of mean 0 over mean `artefact.0`.
fn gaussians(x: f64, sigma_real: f64, artefact: (f64, f64)) -> f64 {
    let (mean, sigma) = artefact;
    (sigma / sigma_real).ln() - 0.5 * (x / sigma_real).powi(2) + 0.5 * ((x - mean) / sigma).powi(2)
}

fn positive(value: f64) -> Option<f64> {
    (value > 0.0 && value.is_finite()).then_some(value)
}

/// Error of a median of n values of a scatter, never below a floor.
fn of_median(scatter: Option<f64>, n: usize, floor: f64) -> f64 {
    (scatter.unwrap_or(floor) * 1.2533 / (n.max(1) as f64).sqrt()).hypot(floor)
}

fn width(e: &Evidence) -> Option<f64> {
    let x = positive(e.width_ratio?)?.ln();
    let sigma = of_median(e.width_scatter, e.n_shapes.unwrap_or(e.n), WIDTH_SPREAD);
    let log_odds = gaussians(x, sigma, (0.0, WIDTH_SPREAD_ARTEFACT.hypot(sigma)));
    Some(log_odds.clamp(-6.0, 1.4))
}

fn elongation(e: &Evidence) -> Option<f64> {
    let expected = e.elongation_expected.unwrap_or(0.0);
    let sigma = of_median(e.elongation_scatter, e.n_shapes.unwrap_or(e.n), ELONGATION_SPREAD)
        .hypot(ELONGATION_MODEL_SHARE * expected);
    let artefact = (-expected, ELONGATION_SPREAD_ARTEFACT.hypot(sigma));
    // Rounder than the stars is as good as round.
    Some(
        gaussians(e.elongation.filter(|v| v.is_finite())?.max(0.0) - expected, sigma, artefact)
            .clamp(-6.0, 0.7),
    )
}

/// A Gaussian folded at zero against any direction in 0..90 deg, as far as it is the motion that
/// makes the elongation and not the noise.
fn trail_angle(e: &Evidence) -> Option<f64> {
    let folded = 2.0 / (TRAIL_ANGLE_ERR_DEG * std::f64::consts::TAU.sqrt());
    let near = 90.0 * folded * (-0.5 * (e.trail_angle_deg? / TRAIL_ANGLE_ERR_DEG).powi(2)).exp();
    let expected = e.elongation_expected?.max(0.0);
    let noise = e.elongation_scatter.unwrap_or(0.0).max(ELONGATION_SPREAD);
    let by_motion = expected / (expected + noise);
    Some((by_motion * near + 1.0 - by_motion).ln().clamp(-3.0, 1.5))
}

fn trail_length(ratio: f64) -> f64 {
    let (real, artefact) = TRAIL_LENGTH_SPREAD;
    // No trail at all is as bad as a very short one.
    let ratio = if ratio > 0.0 { ratio.max(TRAIL_RATIO_MIN) } else { TRAIL_RATIO_MIN };
    gaussians(ratio.ln(), real, (0.0, artefact)).clamp(-6.0, 1.0)
}

fn brightness(e: &Evidence) -> Option<f64> {
    if e.n < 2 {
        return None;
    }
    let expected = e.mag_err_mag?.hypot(ROTATION_MAG);
    // Steadier than expected is as good as expected.
    let x = (e.mag_scatter_mag.filter(|m| m.is_finite())? / expected).max(1.0).ln();
    let (real, artefact) = MAG_SCATTER_SPREAD;
    // A standard deviation of n values has this relative error.
    let own = 1.0 / (2.0 * (e.n - 1) as f64).sqrt();
    let log_odds = gaussians(x, real.hypot(own), (MAG_SCATTER_ARTEFACT.ln(), artefact.hypot(own)));
    Some(log_odds.clamp(-3.0, 0.5))
}

/// Residuals with the errors as stated against errors larger by a factor.
fn residuals(e: &Evidence) -> Option<f64> {
    let freedom = (2.0 * e.n as f64 - 4.0).max(1.0);
    let chi2 = e.chi2_reduced? * freedom;
    let shrunk = 1.0 - RESIDUAL_ARTEFACT.powi(-2);
    Some((freedom * RESIDUAL_ARTEFACT.ln() - 0.5 * chi2 * shrunk).clamp(-2.0, 0.5))
}

/// Seen in n of so many frames, by its brightness or by accident.
fn seen(e: &Evidence) -> Option<f64> {
    let covered = e.n_covered?.max(e.n);
    let chance = SEEN_CHANCE_MAX / (1.0 + (-1.702 * (e.snr? - SEEN_SNR_HALF)).exp());
    let chance = chance.clamp(SEEN_CHANCE_ARTEFACT + 0.05, SEEN_CHANCE_MAX);
    Some(binomial(e.n, covered, (chance, SEEN_CHANCE_ARTEFACT)).clamp(-3.0, 1.5))
}

fn binomial(hits: usize, trials: usize, (real, artefact): (f64, f64)) -> f64 {
    let misses = trials.saturating_sub(hits) as f64;
    hits as f64 * (real / artefact).ln() + misses * ((1.0 - real) / (1.0 - artefact)).ln()
}

/// A share of detections with something bad about them, against what is usual.
fn excess(n: usize, share: Option<f64>, usual: Option<f64>, usual_min: f64) -> Option<f64> {
    let usual = usual?.clamp(usual_min, 0.9);
    let of_artefacts = usual + 0.5 * (1.0 - usual);
    let hits = (share? * n as f64).round() as usize;
    Some(binomial(hits, n, (usual, of_artefacts)).clamp(-3.0, 0.3))
}

/// At one place of the detector while the sky moved over it.
fn detector(e: &Evidence) -> Option<f64> {
    let (shift, sky) = (e.detector_shift_px?, e.sky_shift_px?);
    if sky < SKY_SHIFT_MIN_PX {
        return None;
    }
    // Densities per area: a hot pixel's centre about itself, an object anywhere in its reach.
    let ratio = 0.5 * (sky / HOT_PIXEL_PX).powi(2) * (-0.5 * (shift / HOT_PIXEL_PX).powi(2)).exp();
    Some(-(1.0 - CULPRIT_SHARE + CULPRIT_SHARE * ratio).ln().clamp(-0.25, 6.0))
}

/// One kind of artefact lives at the border.
fn edge(distance_px: f64) -> f64 {
    let ratio = if distance_px < BORDER_PX { 1.0 / BORDER_SHARE } else { 0.0 };
    -(1.0 - CULPRIT_SHARE + CULPRIT_SHARE * ratio).ln()
}

#[cfg(test)]
mod tests;
