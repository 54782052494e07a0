//! The frame's seeing and point spread function, from its bright stars.
//!
//! Of a large frame only bands of rows are searched: a few hundred stars are enough.

use super::ExtractParams;
use super::aperture::Scene;
use super::background::Background;
use super::filter::{GaussianKernel, snr_map};
use super::measure::{Outline, outline};
use super::psf::{PsfShape, psf_shape};
use super::psf_fit::Stamp;
use super::psf_model::PsfModel;
use super::psf_survey::{PsfStar, survey_psf};
use super::segment::{Segment, SegmentParams};
use super::sources::SourceFlags;
use super::stars::fill_stamp;
use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::image::stats::median_and_scatter;

/// Rounds in which the filter follows the seeing.
const PASSES: usize = 4;
/// Signal-to-noise ratio of a bright star.
const BRIGHT_SNR: f64 = 20.0;
/// Most stars used, and those whose shapes the model is fitted to.
const STARS_MAX: usize = 300;
const MODEL_STARS_MAX: usize = 160;
/// A change of the seeing below this needs no further round.
const CHANGE_MAX: f64 = 0.1;
/// Stars of the model lie this far from any other bright one, in units of the seeing.
const LONELY_FWHM: f64 = 4.0;
/// Rows of a band of a sample, and the pixels it may have.
const BAND_ROWS: usize = 128;
const SAMPLE_PIXELS_MAX: usize = 2 << 20;
/// Fewest stars of a sample; with fewer the whole frame is searched.
const SAMPLE_STARS_MIN: usize = 100;
/// Radius of the pixels that the model is fitted to, in units of the seeing.
const STAMP_FWHM: f64 = 3.0;

/// What bright stars tell of a frame.
pub(super) struct Seeing {
    /// Full width at half maximum that the filter is matched to [px].
    pub(super) fwhm_px: f64,
    /// The stars' shape in a few numbers.
    pub(super) psf: Option<PsfShape>,
    /// The model; an assumed one without enough stars.
    pub(super) model: PsfModel,
}

/// Measures the seeing with a filter that follows it.
pub(super) fn seeing(scene: Scene<'_>, sky: &Background, params: &ExtractParams) -> Seeing {
    let found = Sample::of(scene).map(|sample| bright_stars(&sample.search(sky), params));
    let found = match found {
        Some(found) if found.stars.len() >= SAMPLE_STARS_MIN => found,
        _ => bright_stars(&Search { scene, sky, rows: None }, params),
    };
    let size_px = (scene.signal_e.nx(), scene.signal_e.ny());
    let fwhm_px = found.fwhm_px;
    let model = found
        .psf
        .and_then(|_| survey_psf(&model_stars(scene, sky, &found.stars, fwhm_px), fwhm_px, size_px))
        .unwrap_or_else(|| PsfModel::assumed(fwhm_px, size_px));
    Seeing { fwhm_px, psf: found.psf, model }
}

/// Bands of rows of a large frame, one above the other.
struct Sample {
    signal_e: Image<f32>,
    variance_e2: Image<f32>,
    mask: Mask,
    /// The frame's row of each row.
    rows: Vec<usize>,
}

impl Sample {
    /// Evenly spread bands; `None` for a frame small enough to be searched as a whole.
    fn of(scene: Scene<'_>) -> Option<Self> {
        let (nx, ny) = (scene.signal_e.nx(), scene.signal_e.ny());
        let n_bands = (SAMPLE_PIXELS_MAX / (nx * BAND_ROWS)).max(2);
        if 2 * n_bands * BAND_ROWS > ny {
            return None;
        }
        let first = |k: usize| (k * (ny - BAND_ROWS)) / (n_bands - 1);
        let rows: Vec<usize> = (0..n_bands).flat_map(|k| first(k)..first(k) + BAND_ROWS).collect();
        let gathered =
            |image: &Image<f32>| rows.iter().flat_map(|&y| image.row(y)).copied().collect();
        let is_seam = |k: usize| k.is_multiple_of(BAND_ROWS) || (k + 1).is_multiple_of(BAND_ROWS);
        let mut bits: Vec<MaskBits> =
            rows.iter().flat_map(|&y| scene.mask.row(y)).copied().collect();
        // Nothing reaches from one band into the next.
        for (_, line) in bits.chunks_mut(nx).enumerate().filter(|(k, _)| is_seam(*k)) {
            line.fill(MaskBits::NO_DATA);
        }
        let fits = "as many pixels as rows were taken";
        let n = rows.len();
        Some(Self {
            signal_e: Image::from_pixels(nx, n, gathered(scene.signal_e)).expect(fits),
            variance_e2: Image::from_pixels(nx, n, gathered(scene.variance_e2)).expect(fits),
            mask: Image::from_pixels(nx, n, bits).expect(fits),
            rows,
        })
    }

    fn search<'a>(&'a self, sky: &'a Background) -> Search<'a> {
        let scene =
            Scene { signal_e: &self.signal_e, variance_e2: &self.variance_e2, mask: &self.mask };
        Search { scene, sky, rows: Some(&self.rows) }
    }
}

/// Where bright stars are looked for.
struct Search<'a> {
    scene: Scene<'a>,
    sky: &'a Background,
    /// The frame's row of each row; `None`: the same.
    rows: Option<&'a [usize]>,
}

impl Search<'_> {
    fn row_of(&self, y: usize) -> usize {
        self.rows.map_or(y, |rows| rows[y])
    }
}

/// Bright stars and the seeing they show; places are the frame's.
struct Found {
    fwhm_px: f64,
    psf: Option<PsfShape>,
    stars: Vec<Outline>,
}

fn bright_stars(search: &Search<'_>, params: &ExtractParams) -> Found {
    let bright = SegmentParams {
        pixel_snr_min: 5.0,
        peak_snr_min: BRIGHT_SNR,
        doubt_sigma_min: params.segment.prominence_sigma_min,
        ..params.segment.clone()
    };
    let (scene, sky) = (search.scene, search.sky);
    let rms_row = |y: usize, row: &mut [f32]| sky.rms_row(search.row_of(y), row);
    let rms_at = |x: usize, y: usize| sky.rms_at(x, search.row_of(y));
    let mut found = Found { fwhm_px: params.fwhm_start_px, psf: None, stars: Vec::new() };
    for _ in 0..PASSES {
        let kernel = GaussianKernel::with_fwhm_px(found.fwhm_px);
        let snr = snr_map(scene.signal_e, scene.mask, rms_row, &kernel);
        let segments = super::segments_of(&snr, scene, rms_at, &bright);
        found.stars = clean_stars(scene, &segments, found.fwhm_px, params.aperture_fwhm);
        let moments: Vec<_> =
            found.stars.iter().map(|s| (s.x_px, s.y_px, s.flux_e, s.peak_e)).collect();
        let Some(shape) = psf_shape(scene, &moments, found.fwhm_px) else {
            break;
        };
        let change = (shape.fwhm_px / found.fwhm_px - 1.0).abs();
        found.fwhm_px = shape.fwhm_px.clamp(1.0, 20.0);
        found.psf = Some(shape);
        if change < CHANGE_MAX {
            break;
        }
    }
    for star in &mut found.stars {
        // No band is left by half a pixel: its first and last rows hold no star.
        let row = star.y_px.round().max(0.0) as usize;
        star.y_px += search.row_of(row) as f64 - row as f64;
    }
    found
}

/// Bright, whole, unspoiled sources that are not much sharper than the typical one.
fn clean_stars(
    scene: Scene<'_>,
    segments: &[Segment],
    fwhm_px: f64,
    aperture_fwhm: f64,
) -> Vec<Outline> {
    let found: Vec<Outline> = segments
        .iter()
        .take(STARS_MAX)
        .filter_map(|s| outline(scene, s, fwhm_px, aperture_fwhm * fwhm_px))
        .filter(|m| m.flags == SourceFlags::default() && m.flux_e > 0.0)
        .collect();
    let widths: Vec<f64> = found.iter().map(|m| (m.a_px * m.b_px).sqrt()).collect();
    let typical = median_and_scatter(&widths).map_or(fwhm_px / 2.5, |m| m.0);
    found.into_iter().filter(|m| (m.a_px * m.b_px).sqrt() > 0.7 * typical).collect()
}

/// Stars of the model with their pixels: lonely, round enough, wholly on good pixels.
fn model_stars(
    scene: Scene<'_>,
    sky: &Background,
    stars: &[Outline],
    fwhm_px: f64,
) -> Vec<PsfStar> {
    let lonely = LONELY_FWHM * fwhm_px;
    let radius_px = STAMP_FWHM * fwhm_px;
    let whole = (std::f64::consts::PI * radius_px * radius_px * 0.97) as usize;
    stars
        .iter()
        .filter(|a| {
            stars.iter().all(|b| {
                let distance = (a.x_px - b.x_px).hypot(a.y_px - b.y_px);
                distance < 0.1 || distance > lonely
            })
        })
        .filter_map(|star| {
            let mut stamp = Stamp::default();
            fill_stamp(scene, sky, (star.x_px, star.y_px), radius_px, &mut stamp);
            let is_whole = stamp.values_e.len() >= whole;
            is_whole.then_some(PsfStar { stamp, x_px: star.x_px, y_px: star.y_px })
        })
        .take(MODEL_STARS_MAX)
        .collect()
}
