//! The frame's seeing and point spread function, from its bright stars.
//!
//! A large frame is searched on windows spread evenly over it: a few hundred stars are enough.

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
use crate::science::image::stats::median_and_scatter;

/// Rounds in which the filter follows the seeing.
const PASSES: usize = 4;
/// Signal-to-noise ratio of a bright star.
const BRIGHT_SNR: f64 = 20.0;
/// Most stars used.
const STARS_MAX: usize = 300;
/// A change of the seeing below this needs no further round.
const CHANGE_MAX: f64 = 0.1;
/// Stars of the model lie this far from any other bright one, in units of the seeing.
const LONELY_FWHM: f64 = 4.0;
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
    let bright =
        SegmentParams { pixel_snr_min: 5.0, peak_snr_min: BRIGHT_SNR, ..params.segment.clone() };
    let size_px = (scene.signal_e.nx(), scene.signal_e.ny());
    let mut fwhm_px = params.fwhm_start_px;
    let mut psf = None;
    let mut stars = Vec::new();
    for _ in 0..PASSES {
        let kernel = GaussianKernel::with_fwhm_px(fwhm_px);
        let snr = snr_map(scene.signal_e, scene.mask, sky, &kernel);
        let mut segments = super::segments_of(&snr, scene, sky, &bright);
        segments.sort_by(|a, b| {
            b.peak_snr.total_cmp(&a.peak_snr).then((a.peak_y, a.peak_x).cmp(&(b.peak_y, b.peak_x)))
        });
        stars = clean_stars(scene, &segments, fwhm_px, params.aperture_fwhm);
        let moments: Vec<_> =
            stars.iter().map(|s| (s.x_px, s.y_px, s.flux_e, s.peak_e)).collect();
        let Some(shape) = psf_shape(scene, &moments, fwhm_px) else {
            break;
        };
        let change = (shape.fwhm_px / fwhm_px - 1.0).abs();
        fwhm_px = shape.fwhm_px.clamp(1.0, 20.0);
        psf = Some(shape);
        if change < CHANGE_MAX {
            break;
        }
    }
    let model = psf
        .and_then(|_| {
            let stars = model_stars(scene, sky, &stars, fwhm_px);
            survey_psf(&stars, fwhm_px, size_px)
        })
        .unwrap_or_else(|| PsfModel::assumed(fwhm_px, size_px));
    Seeing { fwhm_px, psf, model }
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
        .collect()
}
