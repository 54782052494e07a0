//! Asks the pixels of other frames whether a detection's place shines there too.

use rayon::prelude::*;

use super::link::NightFrame;
use crate::science::detect::above_sky;
use crate::science::detect::aperture::Scene;
use crate::science::detect::background::{BackgroundParams, estimate_background};
use crate::science::image::Image;
use crate::science::image::mask::Mask;
use crate::science::movers::field::{DetectionId, FieldFrame, Role};
use crate::science::movers::stationary::{
    OtherTimes, StationaryParams, forced_flux, is_other_time,
};
use crate::science::sky::tan::TangentPlane;
use crate::science::units::{ARCSEC_RAD, FWHM_PER_SIGMA};

/// Gives calibrated pixels back after the frame's own stages are over.
pub trait PixelSource: Sync {
    /// Pixels [e-] and mask of a frame; `None` when they cannot be had.
    fn load(&self, frame: &NightFrame) -> Option<(Image<f32>, Mask)>;
}

/// Most frames asked per field, spread evenly over the night.
const FRAMES_ASKED_MAX: usize = 40;

/// Marks the free detections whose place shines at other times.
///
/// * `drifting`: slow movers, in order; the light at their place may be their own.
pub fn mark_static(
    field: &mut [FieldFrame],
    (frames, drifting): (&[&NightFrame], &[DetectionId]),
    plane: &TangentPlane,
    pixels: &dyn PixelSource,
    params: &StationaryParams,
) {
    let mut queries: Vec<Query> = queries(field, plane);
    queries.retain(|q| {
        let id = DetectionId { frame: q.frame as u32, index: q.index as u32 };
        drifting.binary_search(&id).is_err()
    });
    let span_h = match (field.first(), field.last()) {
        (Some(first), Some(last)) => last.t_h - first.t_h,
        _ => return,
    };
    let step = frames.len().div_ceil(FRAMES_ASKED_MAX).max(1);
    let asked: Vec<usize> = (0..frames.len()).step_by(step).collect();
    let mut totals = vec![OtherTimes::default(); queries.len()];
    // Two frames at a time bound the memory; the sums are taken in order of frames.
    for pair in asked.chunks(rayon::current_num_threads().max(1)) {
        let answers: Vec<Vec<Option<(f64, f64)>>> = pair
            .par_iter()
            .map(|&k| answers(&queries, field, frames[k], k, pixels, (span_h, params)))
            .collect();
        for frame_answers in answers {
            for (total, answer) in totals.iter_mut().zip(frame_answers) {
                if let Some((flux, err)) = answer {
                    total.add(flux, err, params);
                }
            }
        }
    }
    for (query, total) in queries.iter().zip(&totals) {
        if total.is_static(params) {
            field[query.frame].detections[query.index].role = Role::Static;
        }
    }
}

/// A free detection: where it is and how bright.
struct Query {
    frame: usize,
    index: usize,
    sky_rad: (f64, f64),
    mag: f64,
}

fn queries(field: &[FieldFrame], plane: &TangentPlane) -> Vec<Query> {
    let mut queries = Vec::new();
    for (frame, field_frame) in field.iter().enumerate() {
        for (index, d) in field_frame.detections.iter().enumerate() {
            if d.role == Role::Free {
                let sky_rad =
                    plane.deproject(d.east_arcsec * ARCSEC_RAD, d.north_arcsec * ARCSEC_RAD);
                queries.push(Query { frame, index, sky_rad, mag: d.mag });
            }
        }
    }
    queries
}

/// Light at each query's place in frame `k`, in units of the query's own light.
fn answers(
    queries: &[Query],
    field: &[FieldFrame],
    frame: &NightFrame,
    k: usize,
    pixels: &dyn PixelSource,
    (span_h, params): (f64, &StationaryParams),
) -> Vec<Option<(f64, f64)>> {
    let nothing = || vec![None; queries.len()];
    let Some((pixels_e, mask)) = pixels.load(frame) else {
        return nothing();
    };
    let Some(sky) = estimate_background(&pixels_e, &mask, &BackgroundParams::default()) else {
        return nothing();
    };
    let signal = above_sky(&pixels_e, &mask, &sky);
    // Poisson noise of sources matters little here: the question is asked at faint places.
    let mut variance = sky.rms_image();
    variance.pixels_mut().iter_mut().for_each(|v| *v *= *v);
    let scene = Scene { signal_e: &signal, variance_e2: &variance, mask: &mask };
    let fwhm_px = (frame.fwhm_arcsec / frame.wcs.pixel_scale_arcsec()).clamp(1.0, 20.0);
    let sigma_px = fwhm_px / FWHM_PER_SIGMA;
    let noise_e = sky.rms_median_e * (4.0 * std::f64::consts::PI).sqrt() * sigma_px;
    queries
        .iter()
        .map(|q| {
            let own = &field[q.frame];
            let fwhm = own.fwhm_arcsec.max(frame.fwhm_arcsec);
            if !is_other_time(field[k].t_h, own.t_h, span_h, fwhm, params) {
                return None;
            }
            let (x, y) = frame.wcs.to_pixel(q.sky_rad.0, q.sky_rad.1)?;
            let (flux_e, err_e) = forced_flux(scene, x, y, fwhm_px)?;
            // Light for a signal-to-noise ratio of 5 is `5 noise_e` and the limiting magnitude.
            let own_e = 5.0 * noise_e * 10_f64.powf(-0.4 * (q.mag - frame.limiting_mag));
            Some((flux_e / own_e, err_e / own_e))
        })
        .collect()
}
