//! Sets apart what stands still: catalogue stars, static sources, hot pixels.
//!
//! A static source shines at the same place in frames long before and after; a mover does not.
//! The light there is measured whether or not it was detected (forced measurement), so that a
//! galaxy that crosses the threshold once in ten frames is not taken for ten movers.

use super::field::{FieldFrame, Role};
use crate::science::detect::aperture::Scene;
use crate::science::image::mask::MaskBits;
use crate::science::units::FWHM_PER_SIGMA;

/// Rules for what is static.
#[derive(Debug, Clone, PartialEq)]
pub struct StationaryParams {
    /// A star claims detections up to this distance, in units of the seeing.
    pub star_radius_fwhm: f64,
    /// A detection this much brighter than the star it lies on is not the star [mag].
    pub star_mag_excess: f64,
    /// Static when the mean light of other times is at least this share of the detection's.
    pub static_share_min: f64,
    /// ... and significant at this level [sigma].
    pub static_snr_min: f64,
    /// ... and seen in at least this share of the other frames.
    pub static_frames_min: f64,
    /// Slowest mover to be kept apart from its own past [arcsec/h].
    pub rate_min_arcsec_per_h: f64,
}

impl Default for StationaryParams {
    fn default() -> Self {
        Self {
            star_radius_fwhm: 0.6,
            star_mag_excess: 0.7,
            static_share_min: 0.4,
            static_snr_min: 2.5,
            static_frames_min: 0.4,
            rate_min_arcsec_per_h: 8.0,
        }
    }
}

/// A catalogue star on the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlaneStar {
    /// East [arcsec].
    pub east_arcsec: f64,
    /// North [arcsec].
    pub north_arcsec: f64,
    /// Gaia G; `None` when unknown [mag].
    pub g_mag: Option<f64>,
}

/// Marks detections on catalogue stars. `stars` are ordered by `east_arcsec`.
pub fn mark_stars(frame: &mut FieldFrame, stars: &[PlaneStar], params: &StationaryParams) {
    let radius = params.star_radius_fwhm * frame.fwhm_arcsec;
    for d in frame.detections.iter_mut().filter(|d| d.role == Role::Free) {
        let reach = radius.max(3.0 * d.sigma_arcsec.min(frame.fwhm_arcsec / 3.0));
        let first = stars.partition_point(|s| s.east_arcsec < d.east_arcsec - reach);
        let is_star = stars[first..]
            .iter()
            .take_while(|s| s.east_arcsec <= d.east_arcsec + reach)
            .filter(|s| {
                (s.east_arcsec - d.east_arcsec).hypot(s.north_arcsec - d.north_arcsec) <= reach
            })
            .any(|s| {
                // A star far below the frame's limit cannot have been detected.
                s.g_mag.is_none_or(|g| {
                    g < frame.limiting_mag + 1.0 && d.mag > g - params.star_mag_excess
                })
            });
        if is_star {
            d.role = Role::Star;
        }
    }
}

/// Marks free detections that sit on the same detector pixel in other frames while the sky
/// under it moved.
pub fn mark_hot_pixels(frames: &mut [FieldFrame]) {
    const RADIUS_PX: f64 = 1.0;
    const SKY_SHIFT_MIN_FWHM: f64 = 1.0;
    const REPEATS_MIN: usize = 2;
    let mut all: Vec<(f64, f64, usize, usize)> = Vec::new();
    for (f, frame) in frames.iter().enumerate() {
        for (i, d) in frame.detections.iter().enumerate() {
            if d.role == Role::Free {
                all.push((d.detector_x_px, d.detector_y_px, f, i));
            }
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)).then(a.3.cmp(&b.3)));
    let mut hot = Vec::new();
    for &(x, y, f, i) in &all {
        let d = &frames[f].detections[i];
        let first = all.partition_point(|o| o.0 < x - RADIUS_PX);
        let mut repeats: Vec<usize> = all[first..]
            .iter()
            .take_while(|o| o.0 <= x + RADIUS_PX)
            .filter(|o| o.2 != f && (o.0 - x).hypot(o.1 - y) <= RADIUS_PX)
            .filter(|o| {
                let other = &frames[o.2].detections[o.3];
                let shift =
                    (other.east_arcsec - d.east_arcsec).hypot(other.north_arcsec - d.north_arcsec);
                shift > SKY_SHIFT_MIN_FWHM * frames[f].fwhm_arcsec
            })
            .map(|o| o.2)
            .collect();
        repeats.dedup();
        if repeats.len() >= REPEATS_MIN {
            hot.push((f, i));
        }
    }
    for (f, i) in hot {
        frames[f].detections[i].role = Role::HotPixel;
    }
}

/// Light at a place whether or not something was detected there.
///
/// Weighted by a Gaussian of the seeing, scaled to a point source's total flux [e-] and its
/// error from the pixels' variances. `None` near the edge or when a tenth of the weight is on
/// untrustworthy pixels.
pub fn forced_flux(scene: Scene<'_>, x_px: f64, y_px: f64, fwhm_px: f64) -> Option<(f64, f64)> {
    let (nx, ny) = (scene.signal_e.nx(), scene.signal_e.ny());
    let sigma = fwhm_px / FWHM_PER_SIGMA;
    let reach = (3.0 * sigma).ceil();
    let inside = |v: f64, n: usize| v - reach >= 0.0 && v + reach <= (n - 1) as f64;
    if !inside(x_px, nx) || !inside(y_px, ny) {
        return None;
    }
    let (mut light, mut variance, mut squares, mut lost, mut all) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for y in (y_px - reach).ceil() as usize..=(y_px + reach) as usize {
        for x in (x_px - reach).ceil() as usize..=(x_px + reach) as usize {
            let r2 = (x as f64 - x_px).powi(2) + (y as f64 - y_px).powi(2);
            let weight = (-0.5 * r2 / (sigma * sigma)).exp();
            all += weight;
            if !scene.mask.at(x, y).is_good() {
                lost += weight;
                if scene.mask.at(x, y).is_any(MaskBits::NO_DATA) {
                    return None;
                }
                continue;
            }
            light += weight * f64::from(scene.signal_e.at(x, y));
            variance += weight * weight * f64::from(scene.variance_e2.at(x, y));
            squares += weight * weight;
        }
    }
    const LOST_MAX: f64 = 0.1;
    if squares <= 0.0 || lost > LOST_MAX * all {
        return None;
    }
    // A Gaussian star of total F has pixels F w / sum(w): F = light sum(w) / sum(w^2).
    let scale = (all - lost) / squares;
    Some((light * scale, variance.sqrt() * scale))
}

/// Light of other times at a detection's place, summed up frame by frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OtherTimes {
    weight: f64,
    weighted_flux: f64,
    n: u32,
    n_seen: u32,
}

impl OtherTimes {
    /// Adds a forced measurement of another frame, in units of the detection's own flux.
    pub fn add(&mut self, flux: f64, err: f64, params: &StationaryParams) {
        let weight = 1.0 / (err * err);
        self.weight += weight;
        self.weighted_flux += weight * flux;
        self.n += 1;
        self.n_seen += u32::from(flux > 0.5 * params.static_share_min);
    }

    /// Tells whether the place shines at other times as it does at the detection's.
    pub fn is_static(&self, params: &StationaryParams) -> bool {
        if self.n == 0 || self.weight <= 0.0 {
            return false;
        }
        let mean = self.weighted_flux / self.weight;
        let snr = mean * self.weight.sqrt();
        mean >= params.static_share_min
            && snr >= params.static_snr_min
            && f64::from(self.n_seen) >= params.static_frames_min * f64::from(self.n)
    }
}

/// Tells whether a frame is far enough in time from a detection's to show if it stands still.
///
/// * `span_h`: time from the field's first to last frame.
pub fn is_other_time(
    t_h: f64,
    own_t_h: f64,
    span_h: f64,
    fwhm_arcsec: f64,
    params: &StationaryParams,
) -> bool {
    let needed = (1.2 * fwhm_arcsec / params.rate_min_arcsec_per_h).min(0.25 * span_h);
    let apart = (t_h - own_t_h).abs();
    apart > 0.0 && apart >= needed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::image::Image;

    #[test]
    fn forced_flux_of_a_gaussian_is_its_total() {
        let (n, sigma, total) = (41, 1.7, 5000.0);
        let pixels = (0..n * n)
            .map(|i| {
                let (x, y) = ((i % n) as f64 - 20.4, (i / n) as f64 - 19.7);
                let peak = total / (std::f64::consts::TAU * sigma * sigma);
                (peak * (-0.5 * (x * x + y * y) / (sigma * sigma)).exp()) as f32
            })
            .collect();
        let signal = Image::from_pixels(n, n, pixels).expect("square");
        let variance = Image::filled(n, n, 100.0_f32);
        let mask = Image::filled(n, n, MaskBits::GOOD);
        let scene = Scene { signal_e: &signal, variance_e2: &variance, mask: &mask };
        let (flux, err) = forced_flux(scene, 20.4, 19.7, sigma * FWHM_PER_SIGMA).expect("inside");
        assert!((flux / total - 1.0).abs() < 0.01, "{flux}");
        // Noise-equivalent area of a Gaussian: 4 pi sigma^2.
        let expected = 10.0 * (4.0 * std::f64::consts::PI).sqrt() * sigma;
        assert!((err / expected - 1.0).abs() < 0.02, "{err} {expected}");
        assert!(forced_flux(scene, 1.0, 20.0, 4.0).is_none());
    }

    #[test]
    fn steady_light_is_static_and_a_single_flash_is_not() {
        let params = StationaryParams::default();
        let mut steady = OtherTimes::default();
        let mut dark = OtherTimes::default();
        let mut flash = OtherTimes::default();
        for k in 0..6 {
            steady.add(0.8 + 0.05 * f64::from(k), 0.25, &params);
            dark.add(0.1 * f64::from(k % 3) - 0.1, 0.25, &params);
            flash.add(if k == 0 { 9.0 } else { 0.0 }, 0.25, &params);
        }
        assert!(steady.is_static(&params));
        assert!(!dark.is_static(&params));
        assert!(!flash.is_static(&params));
        assert!(!OtherTimes::default().is_static(&params));
    }
}
