//! How a candidate is rated: accident, artefact, near-Earth object, and by which features.

use serde::{Deserialize, Serialize};

/// What the ratings were made from; `None` where it could not be measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// Number of detections.
    pub n_detections: u64,
    /// Share of the frames that should show it which do.
    pub seen_share: Option<f64>,
    /// Median signal-to-noise ratio.
    pub snr: Option<f64>,
    /// Number of usable frames that cover its path; 0 when unknown.
    #[serde(default)]
    pub n_covered: u64,
    /// Number of detections whose shape is their own: neither blended nor on bad pixels.
    #[serde(default)]
    pub n_shapes: Option<u64>,
    /// Median width across (minor axis) relative to sources of the same brightness in its frames,
    /// nearly all of them stars.
    pub width_ratio: Option<f64>,
    /// Scatter of such sources' widths (ln of the ratio).
    #[serde(default)]
    pub width_scatter: Option<f64>,
    /// Median elongation (1 - b/a) beyond that of sources of the same brightness.
    pub elongation: Option<f64>,
    /// The elongation that its motion during the exposure gives a star, beyond the stars'.
    #[serde(default)]
    pub elongation_expected: Option<f64>,
    /// Scatter of the elongations of sources of the same brightness.
    #[serde(default)]
    pub elongation_scatter: Option<f64>,
    /// Angle between its trails and its motion, when it is trailed [deg].
    pub trail_angle_deg: Option<f64>,
    /// Length of its trails relative to that of its motion during the exposure.
    pub trail_length_ratio: Option<f64>,
    /// Scatter of its magnitudes in units of their errors.
    pub mag_scatter_sigma: Option<f64>,
    /// Standard deviation of its magnitudes [mag].
    #[serde(default)]
    pub mag_scatter_mag: Option<f64>,
    /// Median error of its magnitudes [mag].
    #[serde(default)]
    pub mag_err_mag: Option<f64>,
    /// Reduced chi-square of the motion fit.
    pub chi2_reduced: Option<f64>,
    /// Distance to the nearest catalogue star, smallest over the frames, in units of the seeing.
    pub star_distance_fwhm: Option<f64>,
    /// Share of detections near a catalogue star that could disturb them.
    #[serde(default)]
    pub star_share: Option<f64>,
    /// The share that would lie so near by accident.
    #[serde(default)]
    pub star_share_expected: Option<f64>,
    /// Share of detections with a masked or saturated pixel, a blend or an edge nearby.
    pub flagged_share: Option<f64>,
    /// The same share of sources of the same brightness in its frames.
    #[serde(default)]
    pub flagged_share_expected: Option<f64>,
    /// How far it moves over the detector, largest extent [px]: 0 for a hot pixel.
    pub detector_shift_px: Option<f64>,
    /// How far it moves over the sky between the first and the last detection [arcsec].
    pub sky_shift_arcsec: Option<f64>,
    /// The same in pixels [px].
    #[serde(default)]
    pub sky_shift_px: Option<f64>,
    /// Distance from the frame's edge, smallest over the frames [px].
    #[serde(default)]
    pub edge_distance_px: Option<f64>,
}

/// The ratings of a candidate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// Probability that its detections belong together by accident: the odds o of an accident as
    /// o / (1 + o).
    pub chance_probability: f64,
    /// How much it looks like a real source that moves: 0 (artefact) to 1 (real); it ranks, and is
    /// no calibrated probability.
    pub real_score: f64,
    /// How unlike a main-belt object it moves: 0 (as the main belt, or slower as what lies beyond)
    /// to 100 (never seen there); a rating of the motion and no probability, and not digest2.
    /// `None` when the motion is not known well enough.
    pub neo_rating: Option<f64>,
    /// Why, in a few words for people.
    pub reasons: Vec<String>,
    /// What it was made from.
    pub features: Features,
}
