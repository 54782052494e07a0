//! Source extraction: sky, matched filter, segments, measurements.
//!
//! The reference is Source Extractor (Bertin & Arnouts 1996, A&AS 117, 393); differences: the
//! filter is matched to the frame's own seeing in a first pass, thresholds act on the
//! signal-to-noise ratio of the filtered frame, and deblending is by persistence.

pub mod aperture;
pub mod background;
pub mod filter;
pub mod measure;
pub mod psf;
pub mod segment;
pub mod sources;

use rayon::prelude::*;

use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::image::stats::{median_and_scatter, median_in_place};
use aperture::Scene;
use background::{Background, BackgroundParams, estimate_background};
use filter::{GaussianKernel, smoothed};
use measure::{Measured, measure};
use psf::{PsfShape, psf_shape};
use segment::{Ground, Segment, SegmentParams, find_segments};
use sources::{SourceFlags, Sources};

/// How sources are found and measured.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtractParams {
    /// The sky's mesh.
    pub background: BackgroundParams,
    /// Thresholds of sources.
    pub segment: SegmentParams,
    /// Seeing assumed until the frame's own is known [px].
    pub fwhm_start_px: f64,
    /// Radius of the photometric aperture in units of the seeing.
    pub aperture_fwhm: f64,
    /// Most sources kept per frame; the brightest stay.
    pub sources_max: usize,
}

impl Default for ExtractParams {
    fn default() -> Self {
        Self {
            background: BackgroundParams::default(),
            segment: SegmentParams::default(),
            fwhm_start_px: 2.5,
            aperture_fwhm: 1.5,
            sources_max: 20_000,
        }
    }
}

/// Sources of a frame and the conditions they were found under.
#[derive(Debug, Clone)]
pub struct Extraction {
    /// The sources, brightest first.
    pub sources: Sources,
    /// Median sky level [e-/px].
    pub sky_e: f64,
    /// Median noise of a sky pixel [e-].
    pub sky_rms_e: f64,
    /// Stars' shape; `None` when too few stars were found to tell.
    pub psf: Option<PsfShape>,
    /// Median elongation, 1 - b/a, of the bright sources' outlines; `None` without any.
    pub ellipticity: Option<f64>,
    /// Radius of the photometric aperture [px].
    pub aperture_px: f64,
    /// How many sources were found before the limit cut them.
    pub n_found: usize,
    /// The frame less its sky, unusable pixels zero [e-].
    pub signal_e: Image<f32>,
}

/// Extracts the sources of a calibrated frame; `None` when it has no measurable sky.
///
/// * `pixels_e`: signal with sky [e-]; `variance_e2`: its variance [e-^2]; equal shapes.
pub fn extract(
    pixels_e: &Image<f32>,
    variance_e2: &Image<f32>,
    mask: &Mask,
    params: &ExtractParams,
) -> Option<Extraction> {
    assert!(pixels_e.same_shape(variance_e2) && pixels_e.same_shape(mask));
    let sky = estimate_background(pixels_e, mask, &params.background)?;
    let signal = above_sky(pixels_e, mask, &sky);
    let scene = Scene { signal_e: &signal, variance_e2, mask };
    let (fwhm_px, psf) = seeing(scene, &sky, params);
    let snr = snr_map(&signal, mask, &sky, &GaussianKernel::with_fwhm_px(fwhm_px));
    let mut segments = segments_of(&snr, scene, &sky, &params.segment);
    segments.sort_by(|a, b| b.peak_snr.total_cmp(&a.peak_snr));
    let n_found = segments.len();
    segments.truncate(params.sources_max);
    let aperture_px = params.aperture_fwhm * fwhm_px;
    let measured: Vec<Option<Measured>> = segments
        .par_iter()
        .map(|segment| measure(scene, &snr, segment, fwhm_px, aperture_px))
        .collect();
    let sources = columns(&segments, &measured, &sky, psf.as_ref());
    let ellipticity = median_ellipticity(&sources);
    Some(Extraction {
        sources,
        ellipticity,
        sky_e: sky.level_median_e,
        sky_rms_e: sky.rms_median_e,
        psf,
        aperture_px,
        n_found,
        signal_e: signal,
    })
}

/// Elongation of the outlines of bright, complete sources.
fn median_ellipticity(sources: &Sources) -> Option<f64> {
    const SNR_MIN: f64 = 30.0;
    let spoiled = SourceFlags::SATURATED.with(SourceFlags::EDGE).with(SourceFlags::SHARP);
    let mut values: Vec<f64> = (0..sources.len())
        .filter(|&i| sources.snr[i] > SNR_MIN && !sources.flags[i].is_any(spoiled))
        .map(|i| 1.0 - sources.b_px[i] / sources.a_px[i])
        .collect();
    median_in_place(&mut values)
}

/// Signal above the sky; unusable pixels become zero.
pub fn above_sky(pixels_e: &Image<f32>, mask: &Mask, sky: &Background) -> Image<f32> {
    let mut signal = pixels_e.clone();
    let unusable = MaskBits::BAD.with(MaskBits::NO_DATA).with(MaskBits::COSMIC);
    let parts = sky.level_e.pixels().iter().zip(mask.pixels());
    for (pixel, (level, bits)) in signal.pixels_mut().iter_mut().zip(parts) {
        let is_usable = !bits.is_any(unusable) && pixel.is_finite();
        *pixel = if is_usable { *pixel - level } else { 0.0 };
    }
    signal
}

/// Signal-to-noise ratio of a point source at each pixel, scaled to unit noise in empty sky.
fn snr_map(
    signal: &Image<f32>,
    mask: &Mask,
    sky: &Background,
    kernel: &GaussianKernel,
) -> Image<f32> {
    let mut map = smoothed(signal, kernel);
    let scale = (1.0 / kernel.noise_variance().sqrt()) as f32;
    for (pixel, rms) in map.pixels_mut().iter_mut().zip(sky.rms_e.pixels()) {
        *pixel *= scale / rms;
    }
    for (pixel, bits) in map.pixels_mut().iter_mut().zip(mask.pixels()) {
        if bits.is_any(MaskBits::NO_DATA.with(MaskBits::TRAIL)) {
            *pixel = f32::NEG_INFINITY;
        }
    }
    map
}

fn segments_of(
    snr: &Image<f32>,
    scene: Scene<'_>,
    sky: &Background,
    params: &SegmentParams,
) -> Vec<Segment> {
    let (signal, rms) = (scene.signal_e.pixels(), sky.rms_e.pixels());
    let mask = scene.mask.pixels();
    let ground = |i: usize| Ground {
        noise_growth: (1.0 + signal[i].max(0.0) / (rms[i] * rms[i])).sqrt(),
        is_one_source: mask[i].is_any(MaskBits::SATURATED),
    };
    find_segments(snr, ground, params)
}

/// Finds the frame's seeing by extracting bright stars with a filter that follows it.
fn seeing(scene: Scene<'_>, sky: &Background, params: &ExtractParams) -> (f64, Option<PsfShape>) {
    const PASSES: usize = 4;
    const BRIGHT_SNR: f64 = 20.0;
    const STARS_MAX: usize = 300;
    let bright =
        SegmentParams { pixel_snr_min: 5.0, peak_snr_min: BRIGHT_SNR, ..params.segment.clone() };
    let mut fwhm_px = params.fwhm_start_px;
    let mut psf = None;
    for _ in 0..PASSES {
        let kernel = GaussianKernel::with_fwhm_px(fwhm_px);
        let snr = snr_map(scene.signal_e, scene.mask, sky, &kernel);
        let mut segments = segments_of(&snr, scene, sky, &bright);
        segments.sort_by(|a, b| b.peak_snr.total_cmp(&a.peak_snr));
        let aperture_px = params.aperture_fwhm * fwhm_px;
        let found: Vec<Measured> = segments
            .iter()
            .take(STARS_MAX)
            .filter_map(|s| measure(scene, &snr, s, fwhm_px, aperture_px))
            .collect();
        let is_clean = |m: &&Measured| m.flags == SourceFlags::default() && m.aperture.flux_e > 0.0;
        let stars: Vec<_> = compact(found.iter().filter(is_clean), fwhm_px)
            .map(|m| (m.x_px, m.y_px, m.aperture.flux_e, m.peak_e))
            .collect();
        let Some(shape) = psf_shape(scene, &stars, fwhm_px) else {
            break;
        };
        let change = (shape.fwhm_px / fwhm_px - 1.0).abs();
        fwhm_px = shape.fwhm_px.clamp(1.0, 20.0);
        psf = Some(shape);
        if change < 0.1 {
            break;
        }
    }
    (fwhm_px, psf)
}

/// Leaves out what is much sharper than the typical source: hot pixels and cosmic rays.
fn compact<'a>(
    found: impl Iterator<Item = &'a Measured>,
    fwhm_px: f64,
) -> impl Iterator<Item = &'a Measured> {
    let all: Vec<&Measured> = found.collect();
    let widths: Vec<f64> = all.iter().map(|m| (m.a_px * m.b_px).sqrt()).collect();
    let typical = median_and_scatter(&widths).map_or(fwhm_px / 2.5, |m| m.0);
    all.into_iter().filter(move |m| (m.a_px * m.b_px).sqrt() > 0.7 * typical)
}

/// Turns measurements into columns, brightest first, and marks what is sharper than any star.
fn columns(
    segments: &[Segment],
    measured: &[Option<Measured>],
    sky: &Background,
    psf: Option<&PsfShape>,
) -> Sources {
    let mut rows: Vec<(f64, Measured)> = segments
        .iter()
        .zip(measured)
        .filter_map(|(segment, m)| Some((f64::from(segment.peak_snr), (*m)?)))
        .collect();
    rows.sort_by(|a, b| {
        let brightness = b.1.aperture.flux_e.total_cmp(&a.1.aperture.flux_e);
        brightness.then(a.1.y_px.total_cmp(&b.1.y_px)).then(a.1.x_px.total_cmp(&b.1.x_px))
    });
    let mut sources = Sources::default();
    for (snr, m) in &rows {
        let mut flags = m.flags;
        // Sharper than a star centred on one pixel, beyond what noise of that pixel allows.
        let limit = psf.map_or(1.0, |p| 1.25 * p.peak_share_max);
        let noise = 4.0 * (sky.rms_median_e.powi(2) + m.peak_e.max(0.0)).sqrt();
        if m.peak_e > limit * m.aperture.flux_e.max(0.0) + noise {
            flags = flags.with(SourceFlags::SHARP);
        }
        sources.x_px.push(m.x_px);
        sources.y_px.push(m.y_px);
        sources.position_err_px.push(m.position_err_px);
        sources.flux_e.push(m.aperture.flux_e);
        sources.flux_err_e.push(m.aperture.flux_err_e);
        sources.flux_kron_e.push(m.kron.flux_e);
        sources.flux_kron_err_e.push(m.kron.flux_err_e);
        sources.snr.push(*snr);
        sources.a_px.push(m.a_px);
        sources.b_px.push(m.b_px);
        sources.theta_rad.push(m.theta_rad);
        sources.peak_e.push(m.peak_e);
        sources.flags.push(flags);
    }
    sources
}

#[cfg(test)]
mod tests;
