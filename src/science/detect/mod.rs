//! Source extraction: sky, matched filter, segments, measurements.
//!
//! The reference is Source Extractor (Bertin & Arnouts 1996, A&AS 117, 393); differences: the
//! filter is matched to the frame's own seeing in a first pass, thresholds act on the
//! signal-to-noise ratio of the filtered frame, and deblending is by persistence.

pub mod aperture;
pub mod background;
mod blends;
pub mod erf;
mod faint_trails;
pub mod filter;
pub mod growth_radius;
mod line;
pub mod measure;
mod mesh;
pub mod moments;
pub mod psf;
pub mod psf_fit;
pub mod psf_model;
pub mod psf_survey;
mod seeing;
pub mod segment;
mod shape;
pub mod sources;
pub mod stars;
pub mod trail;
mod wings;

use multiversion::multiversion;
use rayon::prelude::*;

use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::image::stats::median_in_place;
use aperture::{Ellipse, Scene, sum_aperture};
use background::{Background, BackgroundParams, estimate_background};
use blends::{OwnLight, settled};
use faint_trails::faint_trails;
use filter::{GaussianKernel, filtered_noise, snr_map};
use line::trails;
use measure::{Apertures, Measured, Stage, measure, summit};
use psf::PsfShape;
use psf_fit::Fitted;
use psf_model::PsfModel;
use seeing::seeing;
use segment::{Ground, Segment, SegmentParams, find_segments};
use sources::{SourceFlags, Sources};
use stars::{Start, fit_stars};

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
    /// A blended source whose own light, its neighbours' taken off, has a lower signal-to-noise
    /// ratio is none.
    pub clean_snr_min: f64,
    /// Scale of the Kron ellipse in units of the first moment.
    pub kron_factor: f64,
    /// Smallest Kron ellipse in units of the outline's axes.
    pub kron_factor_min: f64,
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
            clean_snr_min: 3.0,
            kron_factor: 2.5,
            kron_factor_min: 3.5,
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
    /// The stars' shape at any place; an assumed one when too few stars were found.
    pub psf_model: PsfModel,
    /// Median elongation, 1 - b/a, of the bright sources' outlines; `None` without any.
    pub ellipticity: Option<f64>,
    /// Radius of the photometric aperture [px].
    pub aperture_px: f64,
    /// Light in that aperture over the fitted light of a star, and 1 without a fit.
    pub circle_share: f64,
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
    extract_weighted((pixels_e, variance_e2, mask), None, params)
}

/// The same for a frame of which the noise of single pixels is known.
///
/// * `noise_ratio`: noise of each pixel over a typical one's (`science::calib::weights`).
pub fn extract_weighted(
    (pixels_e, variance_e2, mask): (&Image<f32>, &Image<f32>, &Mask),
    noise_ratio: Option<&Image<f32>>,
    params: &ExtractParams,
) -> Option<Extraction> {
    assert!(pixels_e.same_shape(variance_e2) && pixels_e.same_shape(mask));
    assert!(noise_ratio.is_none_or(|ratio| ratio.same_shape(pixels_e)));
    let mut sky = background_of(pixels_e, mask, noise_ratio, &params.background)?;
    let mut signal = above_sky(pixels_e, mask, &sky);
    let scene = Scene { signal_e: &signal, variance_e2, mask };
    let seen = seeing(scene, &sky, params);
    let fwhm_px = seen.fwhm_px;
    let kernel = GaussianKernel::with_fwhm_px(fwhm_px);
    let ratio = noise_ratio.map(|ratio| filtered_noise(ratio, fwhm_px));
    let snr = snr_of((&signal, mask), &sky, ratio.as_ref(), &kernel);
    let mut segments = segments_of(&snr, scene, |x, y| sky.rms_at(x, y), &params.segment);
    let n_found = segments.len();
    segments.truncate(params.sources_max);
    let starts = starts(&snr, &segments, &sky, &kernel);
    let fitted = fit_stars(scene, &sky, &seen.model, &starts);
    let ground = blends::Ground { scene, snr: &snr, sky: &sky, psf: &seen.model };
    let (mut segments, mut fitted) = settled(ground, segments, fitted, own_light(params));
    if let Some(lift) = wings::lift(&sky, &seen.model, &fitted) {
        wings::give_back(&lift, &mut sky, &mut signal, &mut fitted);
    }
    let scene = Scene { signal_e: &signal, variance_e2, mask };
    let aperture_px = params.aperture_fwhm * fwhm_px;
    let apertures = Apertures {
        fwhm_px,
        circle_px: aperture_px,
        kron_factor: params.kron_factor,
        kron_factor_min: params.kron_factor_min,
        circle_share: circle_share(scene, &segments, &fitted, aperture_px),
    };
    let stage = Stage { scene, snr: &snr, sky: &sky, psf: &seen.model, apertures };
    let mut trails = trails(scene, (&sky, &seen.model), &segments, &fitted);
    let (map, n_clear) = ((&snr, fwhm_px), segments.len());
    let faint = faint_trails(scene, (&sky, &seen.model), map, (&segments, &trails));
    for faint in faint.into_iter().take(params.sources_max.saturating_sub(n_clear)) {
        segments.push(faint.segment);
        fitted.push(None);
        trails.push(Some(faint.trail));
    }
    let mut measured: Vec<Option<Measured>> = segments
        .par_iter()
        .zip(fitted.par_iter().zip(trails))
        .map(|(segment, (fitted, trail))| measure(&stage, segment, (fitted.as_ref(), trail)))
        .collect();
    // Faint trails are for linking; they must not count among the stars.
    let faint = measured[n_clear..].iter_mut().flatten();
    faint.for_each(|m| m.flags = m.flags.with(SourceFlags::CENTROID));
    let sources = columns(&segments, &measured, &sky, seen.psf.as_ref());
    let ellipticity = median_ellipticity(&sources);
    Some(Extraction {
        sources,
        ellipticity,
        sky_e: sky.level_median_e,
        sky_rms_e: sky.rms_median_e,
        psf: seen.psf,
        psf_model: seen.model,
        aperture_px,
        circle_share: apertures.circle_share,
        n_found,
        signal_e: signal,
    })
}

/// Light of its own that a blended source needs.
fn own_light(params: &ExtractParams) -> OwnLight {
    let snr_min = params.clean_snr_min;
    OwnLight { snr_min, doubtful_snr_min: snr_min.max(params.segment.peak_snr_min) }
}

/// The frame's sky, its noise as a map of weights tells it.
fn background_of(
    pixels_e: &Image<f32>,
    mask: &Mask,
    noise_ratio: Option<&Image<f32>>,
    params: &BackgroundParams,
) -> Option<Background> {
    let mut sky = estimate_background(pixels_e, mask, params)?;
    if let Some(ratio) = noise_ratio {
        sky.follow(pixels_e, mask, ratio, params);
    }
    Some(sky)
}

/// Signal-to-noise ratios of the filtered frame.
///
/// * `ratio`: noise of its pixels over a typical one's.
fn snr_of(
    (signal, mask): (&Image<f32>, &Mask),
    sky: &Background,
    ratio: Option<&Image<f32>>,
    kernel: &GaussianKernel,
) -> Image<f32> {
    snr_map(signal, mask, |y, row| sky.filtered_rms_row(y, ratio, row), kernel)
}

/// Summits as the fits' starting places; light of a star of the filter's own shape there.
fn starts(
    snr: &Image<f32>,
    segments: &[Segment],
    sky: &Background,
    kernel: &GaussianKernel,
) -> Vec<Start> {
    segments
        .par_iter()
        .map(|segment| {
            let (x_px, y_px) = summit(snr, segment);
            let noise_e = sky.rms_at(segment.peak_x, segment.peak_y);
            let flux_e = f64::from(segment.peak_snr) * noise_e / kernel.noise_variance().sqrt();
            Start { x_px, y_px, flux_e }
        })
        .collect()
}

/// Light in the aperture over the fitted light of bright single stars, their median.
fn circle_share(
    scene: Scene<'_>,
    segments: &[Segment],
    fitted: &[Option<Fitted>],
    aperture_px: f64,
) -> f64 {
    const SNR_MIN: f64 = 40.0;
    const STARS_MAX: usize = 400;
    let mut ratios: Vec<f64> = segments
        .iter()
        .zip(fitted)
        .filter(|(segment, _)| !segment.is_blended)
        .filter_map(|(_, star)| star.filter(|f| f.n_pixels > 0 && f.flux_e > 0.0))
        .filter(|star| star.flux_e > SNR_MIN * star.flux_err_e)
        .map(|star| (star, Ellipse::circle(star.x_px, star.y_px, aperture_px)))
        .map(|(star, circle)| (star.flux_e, sum_aperture(scene, &circle)))
        .filter(|(_, sum)| sum.masked_share <= 0.0 && !sum.is_cut)
        .take(STARS_MAX)
        .map(|(flux_e, sum)| sum.flux_e / flux_e)
        .collect();
    median_in_place(&mut ratios).unwrap_or(1.0)
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
    let nx = pixels_e.nx();
    let mut signal = Image::filled(nx, pixels_e.ny(), 0.0_f32);
    signal.pixels_mut().par_chunks_mut(nx).enumerate().for_each(|(y, row)| {
        sky.level_row(y, row);
        less_sky(row, pixels_e.row(y), mask.row(y));
    });
    signal
}

/// A star as it is known from an extraction: column, row [px] and all its light [e-].
pub type KnownStar = ((f64, f64), f64);

/// The frame less its sky as its extraction left it, and that sky: the wings of known stars are
/// taken out of the sky's measure. `None` when it has no measurable sky.
pub fn above_sky_of_stars(
    pixels_e: &Image<f32>,
    mask: &Mask,
    params: &BackgroundParams,
    (psf, stars): (&PsfModel, &[KnownStar]),
) -> Option<(Image<f32>, Background)> {
    let mut sky = estimate_background(pixels_e, mask, params)?;
    let mut signal = above_sky(pixels_e, mask, &sky);
    let star = |&((x_px, y_px), flux_e): &KnownStar| Some(Fitted::known((x_px, y_px), flux_e));
    let mut fitted: Vec<Option<Fitted>> = stars.iter().map(star).collect();
    if let Some(lift) = wings::lift(&sky, psf, &fitted) {
        wings::give_back(&lift, &mut sky, &mut signal, &mut fitted);
    }
    Some((signal, sky))
}

/// Turns a row of sky levels into the signal above them.
#[multiversion(targets("x86_64+avx2"))]
fn less_sky(row: &mut [f32], pixels_e: &[f32], mask: &[MaskBits]) {
    let unusable = MaskBits::BAD.with(MaskBits::NO_DATA).with(MaskBits::COSMIC);
    for ((pixel, &value), bits) in row.iter_mut().zip(pixels_e).zip(mask) {
        let is_usable = !bits.is_any(unusable) & value.is_finite();
        *pixel = if is_usable { value - *pixel } else { 0.0 };
    }
}

/// Sources of a map, the highest summit first.
fn segments_of(
    snr: &Image<f32>,
    scene: Scene<'_>,
    rms_at: impl Fn(usize, usize) -> f64 + Sync,
    params: &SegmentParams,
) -> Vec<Segment> {
    let (nx, signal, mask) = (snr.nx(), scene.signal_e.pixels(), scene.mask.pixels());
    let ground = |i: usize| {
        let rms = rms_at(i % nx, i / nx) as f32;
        Ground {
            noise_growth: (1.0 + signal[i].max(0.0) / (rms * rms)).sqrt(),
            is_one_source: mask[i].is_any(MaskBits::SATURATED),
        }
    };
    let mut segments = find_segments(snr, ground, params);
    segments.sort_by(|a, b| {
        b.peak_snr.total_cmp(&a.peak_snr).then((a.peak_y, a.peak_x).cmp(&(b.peak_y, b.peak_x)))
    });
    segments
}

/// A hit that adds less than this share of the light has struck a star; more is no star.
const HIT_SHARE_MAX: f64 = 0.1;

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
        let share_max = psf.map_or(0.8, |p| p.peak_share_max);
        let light_e = m.aperture.flux_e.max(0.0);
        let noise = 4.0 * (sky.rms_median_e.powi(2) + m.peak_e.max(0.0)).sqrt();
        if m.peak_e > 1.25 * share_max * light_e + noise {
            // A star whose core was hit keeps most of its light elsewhere.
            let excess_e = m.peak_e - share_max * light_e;
            let is_hit_star = excess_e < HIT_SHARE_MAX * light_e;
            flags = flags.with(if is_hit_star { SourceFlags::MASKED } else { SourceFlags::SHARP });
        }
        sources.push(*snr, m, flags);
    }
    sources
}

#[cfg(test)]
mod accuracy_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod tests;
