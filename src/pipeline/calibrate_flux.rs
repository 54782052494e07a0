//! Magnitudes of a solved frame: aperture correction, zero point, matched-filter scale.

use super::artifact::frame_photometry::FramePhotometry;
use super::calibrate::Calibrated;
use super::stage::{Outcome, Refusal};
use crate::science::detect::Extraction;
use crate::science::detect::aperture::Scene;
use crate::science::detect::sources::{SourceFlags, Sources};
use crate::science::image::stats::{mag_error, median_in_place};
use crate::science::photometry::growth::{
    ApertureCorrection, Neighbour, Seeing, aperture_correction, typical_share,
};
use crate::science::photometry::zero_point::{
    PhotometricStar, ZeroPoint, ZeroPointParams, fit_zero_point,
};
use crate::science::reference::StarAtEpoch;

/// Fewest stars that tell the profile of their cores.
const CORE_STARS_MIN: usize = 10;

/// Error of the share where no stars tell it.
const SHARE_UNKNOWN_ERR: f64 = 0.02;

/// A frame's magnitude scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FluxScale {
    /// Zero point for total electrons per second.
    pub zero_point: ZeroPoint,
    /// Share of a star's light in the aperture; `None`: a typical share was assumed.
    pub aperture: Option<ApertureCorrection>,
    /// Share used.
    pub share: f64,
    /// Magnitude of a matched-filter signal-to-noise ratio of one [mag].
    pub filter_zero_mag: f64,
    /// Exposure [s].
    pub exposure_s: f64,
    /// What the stars' growth was measured with.
    pub seeing: Seeing,
    /// Radius of the photometric aperture [px].
    pub aperture_px: f64,
    /// Light in the aperture over the fitted light of a star.
    pub circle_share: f64,
}

impl FluxScale {
    /// The scale as the frame's record keeps it, for the night.
    pub fn kept(&self, gain_e_per_adu: f64) -> FramePhotometry {
        FramePhotometry {
            gain_e_per_adu,
            aperture_px: self.aperture_px,
            share: self.share,
            share_err: self.aperture.map_or(SHARE_UNKNOWN_ERR, |a| a.share_err),
            circle_share: self.circle_share,
            fwhm_px: self.seeing.fwhm_px,
            core_beta: self.seeing.core_beta,
            ..FramePhotometry::default()
        }
    }

    /// Magnitude of a point source with a signal-to-noise ratio of 5 [mag].
    pub fn limiting_mag(&self) -> f64 {
        self.filter_zero_mag - 2.5 * 5.0_f64.log10()
    }

    /// Magnitude of an aperture flux [e-]; NaN when it is not positive.
    pub fn mag(&self, flux_e: f64) -> f64 {
        if flux_e <= 0.0 {
            return f64::NAN;
        }
        self.zero_point.zero_point_mag - 2.5 * (flux_e / self.share / self.exposure_s).log10()
    }

    /// Error of that magnitude, the zero point's included [mag]; NaN without positive flux.
    pub fn mag_err(&self, flux_e: f64, flux_err_e: f64) -> f64 {
        if flux_e <= 0.0 {
            return f64::NAN;
        }
        mag_error(flux_e, flux_err_e).hypot(self.zero_point.zero_point_err_mag)
    }

    /// Magnitude of a matched-filter signal-to-noise ratio [mag].
    pub fn filter_mag(&self, snr: f64) -> f64 {
        self.filter_zero_mag - 2.5 * snr.max(0.1).log10()
    }
}

/// Fits the magnitude scale of a frame to its reference stars.
///
/// * `pairs`: index of a source and the reference star it is.
pub fn calibrate_flux(
    frame: &Calibrated,
    extraction: &Extraction,
    pairs: &[(usize, StarAtEpoch)],
    (exposure_s, params): (f64, &ZeroPointParams),
) -> Outcome<FluxScale> {
    let sources = &extraction.sources;
    let scene = Scene {
        signal_e: &extraction.signal_e,
        variance_e2: &frame.pixels.variance_e2,
        mask: &frame.pixels.mask,
    };
    let fwhm_px = extraction.psf.map_or(extraction.aperture_px / 1.5, |p| p.fwhm_px);
    let neighbours: Vec<Neighbour> = (0..sources.len())
        .map(|i| Neighbour {
            x_px: sources.x_px[i],
            y_px: sources.y_px[i],
            flux_e: sources.flux_e[i],
        })
        .collect();
    let stars = growth_stars(sources, pairs, fwhm_px);
    let model = &extraction.psf_model;
    let core_beta = (model.n_stars >= CORE_STARS_MIN).then(|| model.beta());
    let seeing = Seeing { fwhm_px, core_beta };
    let aperture = aperture_correction(scene, &stars, &neighbours, seeing, extraction.aperture_px);
    let share =
        aperture.map_or_else(|| typical_share(extraction.aperture_px / fwhm_px), |a| a.share);
    let exposure_s = exposure_s.max(1e-3);
    let stars = photometric_stars(sources, pairs, share, exposure_s);
    let zero_point =
        fit_zero_point(&stars, params).ok_or(Refusal::NoZeroPoint { n_stars: stars.len() })?;
    let mut scale = FluxScale {
        zero_point,
        aperture,
        share,
        filter_zero_mag: f64::NAN,
        exposure_s,
        seeing,
        aperture_px: extraction.aperture_px,
        circle_share: extraction.circle_share,
    };
    scale.filter_zero_mag = filter_zero(sources, &scale, extraction, fwhm_px);
    Ok(scale)
}

/// Remarks that spoil a star for photometry.
pub(super) fn is_clean(flags: SourceFlags) -> bool {
    let spoiled = SourceFlags::SATURATED
        .with(SourceFlags::EDGE)
        .with(SourceFlags::MASKED)
        .with(SourceFlags::SHARP)
        .with(SourceFlags::TRAIL)
        .with(SourceFlags::CENTROID);
    !flags.is_any(spoiled)
}

/// Indices of the brightest clean catalogue stars: galaxies would feign wide wings.
fn growth_stars(sources: &Sources, pairs: &[(usize, StarAtEpoch)], fwhm_px: f64) -> Vec<usize> {
    const STARS_MAX: usize = 100;
    const SNR_MIN: f64 = 35.0;
    let is_fit = |i: &usize| {
        let flags = sources.flags[*i];
        is_clean(flags)
            && !flags.is_any(SourceFlags::BLENDED)
            && sources.snr[*i] > SNR_MIN
            && sources.a_px[*i] < 1.2 * fwhm_px
            && sources.flux_e[*i] > 0.0
    };
    let mut stars: Vec<usize> = pairs.iter().map(|pair| pair.0).filter(is_fit).collect();
    // Sources are in order of brightness.
    stars.sort_unstable();
    stars.truncate(STARS_MAX);
    stars
}

fn photometric_stars(
    sources: &Sources,
    pairs: &[(usize, StarAtEpoch)],
    share: f64,
    exposure_s: f64,
) -> Vec<PhotometricStar> {
    pairs
        .iter()
        .filter_map(|(i, star)| {
            let (flux_e, flux_err_e) = sources.light_e(*i);
            let is_usable = is_clean(sources.flags[*i])
                && !sources.flags[*i].is_any(SourceFlags::BLENDED)
                && flux_e > 0.0;
            is_usable.then_some(PhotometricStar {
                g_mag: star.g_mag?,
                bp_rp_mag: star.bp_rp_mag,
                instrumental_mag: -2.5 * (flux_e / share / exposure_s).log10(),
                instrumental_err_mag: mag_error(flux_e, flux_err_e),
            })
        })
        .collect()
}

/// Scale between matched-filter signal-to-noise ratio and magnitude, from clean sources.
fn filter_zero(sources: &Sources, scale: &FluxScale, extraction: &Extraction, fwhm_px: f64) -> f64 {
    let mut zeros: Vec<f64> = (0..sources.len())
        .filter(|&i| {
            let is_point = sources.a_px[i] < fwhm_px;
            (15.0..400.0).contains(&sources.snr[i]) && is_clean(sources.flags[i]) && is_point
        })
        .map(|i| scale.mag(sources.light_e(i).0) + 2.5 * sources.snr[i].log10())
        .filter(|zero| zero.is_finite())
        .collect();
    const STARS_MIN: usize = 5;
    if zeros.len() >= STARS_MIN
        && let Some(zero) = median_in_place(&mut zeros)
    {
        return zero;
    }
    // Noise-equivalent area of a Gaussian: 4 pi sigma^2.
    let sigma = fwhm_px / crate::science::units::FWHM_PER_SIGMA;
    let noise_e = extraction.sky_rms_e * (4.0 * std::f64::consts::PI).sqrt() * sigma;
    scale.mag(noise_e * scale.share)
}
