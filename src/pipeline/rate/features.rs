//! Measures a candidate's features in the catalogues of its frames.

use super::StarSource;
use super::stars::near_stars;
use super::view::{FrameView, Likes};
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection};
use crate::pipeline::artifact::rating::Features;
use crate::science::image::stats::median;
use crate::science::sky::vector::separation_rad;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// A detection this many scatters more elongated than the stars is trailed.
const TRAILED_SIGMA: f64 = 2.0;
/// ... and by at least this.
const TRAILED_MIN: f64 = 0.12;
/// The length of a trail is compared when the motion makes it longer than this, in units of the
/// seeing.
const TRAIL_MIN_FWHM: f64 = 1.0;
/// Seconds of a minute [s].
const SECONDS_PER_MIN: f64 = 60.0;

/// A detection with its source.
struct Seen<'a> {
    view: &'a FrameView<'a>,
    detection: &'a CandidateDetection,
    source: usize,
    /// Whether its shape is its own.
    is_clean: bool,
    likes: Option<Likes>,
}

/// Measures what can be measured of a candidate.
pub(super) fn measure(
    candidate: &Candidate,
    views: &[FrameView<'_>],
    stars: &StarSource<'_>,
) -> Features {
    let view_of = |d: &CandidateDetection| views.iter().find(|v| v.frame.name == d.frame);
    let all = candidate.detections.iter();
    let seen: Vec<Seen<'_>> = all
        .clone()
        .filter(|detection| !detection.is_recovered)
        .filter_map(|detection| {
            let view = view_of(detection)?;
            let source = view.source_at(detection.x_px, detection.y_px)?;
            // The shape of a blend or a cut source tells of its neighbour and not of the object.
            let is_clean = !view.is_flagged(source);
            let likes = view.likes_of(source);
            Some(Seen { view, detection, source, is_clean, likes })
        })
        .collect();
    let seeing: Vec<Option<f64>> =
        all.clone().map(|d| view_of(d).map(|v| v.frame.fwhm_arcsec)).collect();
    let near = near_stars(candidate, &seeing, stars);
    let n = candidate.detections.len() as u64;
    let mut features = Features {
        n_detections: n,
        n_covered: candidate.n_covered,
        seen_share: (candidate.n_expected > 0)
            .then(|| n.min(candidate.n_expected) as f64 / candidate.n_expected as f64),
        snr: median(&all.map(|d| d.snr).collect::<Vec<_>>()),
        chi2_reduced: Some(candidate.chi2_reduced),
        star_distance_fwhm: near.distance_fwhm,
        star_share: near.share,
        star_share_expected: near.share_expected,
        ..Features::default()
    };
    add_brightness(&mut features, candidate);
    add_shapes(&mut features, &seen);
    add_trails(&mut features, candidate, &seen);
    add_places(&mut features, candidate, &seen);
    features
}

fn add_brightness(features: &mut Features, candidate: &Candidate) {
    let mags: Vec<(f64, f64)> =
        candidate.detections.iter().filter_map(|d| Some((d.mag?, d.mag_err?))).collect();
    let freedom = mags.len() as f64 - 1.0;
    if freedom < 1.0 || mags.iter().any(|(_, err)| *err <= 0.0) {
        return;
    }
    let mean = mags.iter().map(|(mag, _)| mag).sum::<f64>() / mags.len() as f64;
    let squares = |scale: fn(f64) -> f64| -> f64 {
        mags.iter().map(|(mag, err)| ((mag - mean) / scale(*err)).powi(2)).sum()
    };
    features.mag_scatter_mag = Some((squares(|_| 1.0) / freedom).sqrt());
    features.mag_scatter_sigma = Some((squares(|err| err) / freedom).sqrt());
    features.mag_err_mag = median(&mags.iter().map(|(_, err)| *err).collect::<Vec<_>>());
}

/// Median of a value over the detections that have it.
fn median_of(seen: &[Seen<'_>], value: impl Fn(&Seen<'_>) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = seen.iter().filter_map(value).filter(|v| v.is_finite()).collect();
    median(&values)
}

impl Seen<'_> {
    /// Likes of a detection whose shape is its own.
    fn shaped(&self) -> Option<&Likes> {
        self.likes.as_ref().filter(|_| self.is_clean)
    }

    fn axes_px(&self) -> (f64, f64) {
        let sources = &self.view.frame.catalogue.sources;
        (sources.a_px[self.source], sources.b_px[self.source])
    }

    /// Elongation beyond that of the likes.
    fn elongation(&self) -> Option<f64> {
        let (a, b) = self.axes_px();
        Some(1.0 - b / a - self.shaped()?.elongation)
    }

    /// Length of the motion during the exposure [px].
    fn path_px(&self, rate_arcsec_per_min: f64) -> Option<f64> {
        let minutes = self.view.frame.exposure_s? / SECONDS_PER_MIN;
        Some(rate_arcsec_per_min * minutes / self.view.frame.wcs.pixel_scale_arcsec())
    }
}

fn add_shapes(features: &mut Features, seen: &[Seen<'_>]) {
    let likes = |of: fn(&Likes) -> f64| median_of(seen, |s| s.likes.as_ref().map(of));
    let n_shapes = seen.iter().filter(|s| s.shaped().is_some()).count();
    features.n_shapes = (!seen.is_empty()).then_some(n_shapes as u64);
    features.width_ratio = median_of(seen, |s| Some(s.axes_px().1 / s.shaped()?.b_px));
    features.width_scatter = likes(|l| l.width_scatter);
    features.elongation = median_of(seen, |s| s.elongation());
    features.elongation_scatter = likes(|l| l.elongation_scatter);
    features.flagged_share_expected = likes(|l| l.flagged_share);
    if !seen.is_empty() {
        let n = seen.iter().filter(|s| s.view.is_flagged(s.source)).count();
        features.flagged_share = Some(n as f64 / seen.len() as f64);
    }
}

/// Second moments along a line of length L grow by L^2 / 12.
fn add_trails(features: &mut Features, candidate: &Candidate, seen: &[Seen<'_>]) {
    let rate = candidate.rate_arcsec_per_min;
    let drawn_out = |s: &Seen<'_>| -> Option<f64> {
        let likes = s.likes.as_ref()?;
        let a_px = (likes.a_px.powi(2) + s.path_px(rate)?.powi(2) / 12.0).sqrt();
        Some(likes.b_px / likes.a_px - likes.b_px / a_px)
    };
    features.elongation_expected = median_of(seen, drawn_out);
    let limit = (TRAILED_SIGMA * features.elongation_scatter.unwrap_or(0.0)).max(TRAILED_MIN);
    if features.elongation.is_some_and(|elongation| elongation > limit) {
        features.trail_angle_deg = median_of(seen, |s| trail_angle_deg(s, candidate.pa_deg));
    }
    let long_enough = |s: &Seen<'_>| -> Option<f64> {
        let path = s.path_px(rate)?;
        let frame = s.view.frame;
        let fwhm_px = frame.fwhm_arcsec / frame.wcs.pixel_scale_arcsec();
        (path > TRAIL_MIN_FWHM * fwhm_px).then_some(path)
    };
    features.trail_length_ratio = median_of(seen, |s| {
        let beyond = s.axes_px().0.powi(2) - s.shaped()?.a_px.powi(2);
        Some((12.0 * beyond.max(0.0)).sqrt() / long_enough(s)?)
    });
}

/// Angle between a source's major axis and the motion, 0..90 [deg].
fn trail_angle_deg(seen: &Seen<'_>, pa_deg: f64) -> Option<f64> {
    seen.shaped()?;
    let d = seen.detection;
    let place = (d.ra_deg * DEG_RAD, d.dec_deg * DEG_RAD);
    let motion_rad = seen.view.direction_rad(place, pa_deg * DEG_RAD)?;
    let axis_rad = seen.view.frame.catalogue.sources.theta_rad[seen.source];
    let angle_deg = ((axis_rad - motion_rad) / DEG_RAD).rem_euclid(180.0);
    Some(angle_deg.min(180.0 - angle_deg))
}

fn add_places(features: &mut Features, candidate: &Candidate, seen: &[Seen<'_>]) {
    let places: Vec<(f64, f64)> =
        seen.iter().map(|s| s.view.frame.on_detector(s.detection.x_px, s.detection.y_px)).collect();
    if places.len() >= 2 {
        let apart = |(i, p): (usize, &(f64, f64))| {
            places[i + 1..].iter().map(|q| (p.0 - q.0).hypot(p.1 - q.1)).fold(0.0, f64::max)
        };
        features.detector_shift_px = Some(places.iter().enumerate().map(apart).fold(0.0, f64::max));
    }
    let ends = candidate.detections.first().zip(candidate.detections.last());
    features.sky_shift_arcsec = ends.map(|(first, last)| {
        let place = |d: &CandidateDetection| (d.ra_deg * DEG_RAD, d.dec_deg * DEG_RAD);
        separation_rad(place(first), place(last)) / ARCSEC_RAD
    });
    let scale = median_of(seen, |s| Some(s.view.frame.wcs.pixel_scale_arcsec()));
    features.sky_shift_px =
        features.sky_shift_arcsec.zip(scale).map(|(shift, scale)| shift / scale);
    let from_edge = |s: &Seen<'_>| {
        let (frame, d) = (s.view.frame, s.detection);
        let (right, top) = (frame.nx as f64 - 1.0 - d.x_px, frame.ny as f64 - 1.0 - d.y_px);
        d.x_px.min(d.y_px).min(right).min(top)
    };
    features.edge_distance_px = seen.iter().map(from_edge).min_by(f64::total_cmp);
}
