//! Looks for the movers of a field where they should have been seen and were not.
//!
//! Mostly a star is in the way, or the object lies just below the threshold. `plan` chooses frames
//! and places; here the frames are read, each once, what stands still at each place is cut out of
//! the neighbouring frames and brought to the frame's light, seeing and pixels, and
//! [`measure_hidden`] asks what is left. What agrees in place and brightness joins its tracklet.

mod plan;

use rayon::prelude::*;

pub(super) use self::plan::mismatch;
use self::plan::{Place, plan};
use super::link::NightFrame;
use super::static_sky::PixelSource;
use crate::science::detect::psf_model::PsfModel;
use crate::science::image::Image;
use crate::science::image::mask::MaskBits;
use crate::science::image::resample::{Window, blank_masked, resample_onto};
use crate::science::image::stats::{SIGMA_PER_MAD, clipped_of_sorted, median_in_place};
use crate::science::movers::field::FieldFrame;
use crate::science::movers::hidden::{
    HiddenLight, HiddenMover, Mismatch, StillSky, measure_hidden,
};
use crate::science::movers::link::Tracklet;
use crate::science::movers::motion::{Motion, PlanePoint};
use crate::science::movers::pairs::{MAG_PULL_MAX, mag_sigma};
use crate::science::movers::score::Recovery;
use crate::science::sky::tan::TangentPlane;
use crate::science::units::{ARCSEC_RAD, FWHM_PER_SIGMA};

/// Least signal-to-noise ratio of what is believed.
///
/// A night asks some hundred places, each a few independent ones wide: at 4, Gaussian noise gives
/// one accident in thirty nights.
const SNR_MIN: f64 = 4.0;
/// It lies within this of the predicted place [errors of both]: 99 % of true ones in a plane.
const PLACE_SIGMA: f64 = 3.0;
/// A place whose pixels are explained worse than this holds something else.
const CHI2_MAX: f64 = 3.0;
/// Pixels that are not light of the sky, or not all of it.
pub(super) const UNFIT: MaskBits = MaskBits::BAD
    .with(MaskBits::NO_DATA)
    .with(MaskBits::COSMIC)
    .with(MaskBits::SATURATED)
    .with(MaskBits::TRAIL);
/// Clipping of a stamp's sky around its median [sigma].
pub(super) const SKY_CLIP_SIGMA: f64 = 3.0;
/// Zero points of two frames of one filter agree this well on a star of any colour.
const SCALE_ERR: f64 = 0.05;
/// ... of two filters.
const SCALE_ERR_FILTERS: f64 = 0.3;
/// Registration of two frames [px].
const SHIFT_ERR_PX: f64 = 0.1;
/// Share of the point spread function's variance by which two frames of one seeing differ.
const WIDTH_ERR: f64 = 0.1;
/// Turbulence and the frame's solution [arcsec], as for other detections.
pub(super) const SKY_FLOOR_ARCSEC: f64 = 0.06;

/// The frames of a field, in order of time.
#[derive(Clone, Copy)]
pub struct FieldView<'a> {
    /// Frames.
    pub frames: &'a [&'a NightFrame],
    /// The same with their sources on the plane.
    pub field: &'a [FieldFrame],
    /// The plane.
    pub plane: &'a TangentPlane,
}

/// A mover's light in a frame where it was not detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovered {
    /// Number of the frame in the field.
    pub frame: usize,
    /// Place in the frame [px].
    pub place_px: (f64, f64),
    /// Place on the sky [rad].
    pub sky_rad: (f64, f64),
    /// Place on the plane.
    pub point: PlanePoint,
    /// Magnitude, Gaia G [mag].
    pub mag: f64,
    /// Its error [mag].
    pub mag_err: f64,
    /// Signal-to-noise ratio.
    pub snr: f64,
}

/// Looks for each tracklet in the frames that do not show it; gives what was found, by tracklet and
/// in order of frames.
pub fn recover(
    tracklets: &[Tracklet],
    view: FieldView<'_>,
    pixels: &dyn PixelSource,
) -> Vec<Vec<Recovered>> {
    let mut found = vec![Vec::new(); tracklets.len()];
    let places = plan(tracklets, view);
    if places.is_empty() {
        return found;
    }
    let measured: Vec<Option<Recovered>> = cut(&places, view, pixels)
        .into_par_iter()
        .zip(&places)
        .map(|(stamps, place)| measured(stamps?, place, &tracklets[place.tracklet], view))
        .collect();
    for (place, recovered) in places.iter().zip(measured) {
        found[place.tracklet].extend(recovered);
    }
    found
}

/// Takes what was found into a tracklet's motion and odds.
///
/// * `counted`: frames whose detections the odds hold already.
pub fn adopt(tracklet: &mut Tracklet, found: &[Recovered], counted: &[usize], view: FieldView<'_>) {
    if found.is_empty() && counted.is_empty() {
        return;
    }
    let seen =
        tracklet.members.iter().map(|m| view.field[m.frame as usize].point(m.index as usize));
    let all: Vec<PlanePoint> = seen.chain(found.iter().map(|r| r.point)).collect();
    let Some(motion) = Motion::fit(&all) else { return };
    let recoveries: Vec<Recovery> = found
        .iter()
        .filter(|r| !counted.contains(&r.frame))
        .map(|r| {
            let (east, north) = tracklet.motion.residual(&r.point);
            let sigma2 =
                r.point.sigma_arcsec.powi(2) + tracklet.motion.place_err(r.point.t_h).powi(2);
            Recovery {
                frame: r.frame,
                mag: r.mag,
                snr: r.snr,
                pull_chi2: (east * east + north * north) / sigma2,
            }
        })
        .collect();
    tracklet.score = tracklet.score.with_recovered(&recoveries, view.field, &tracklet.motion);
    tracklet.motion = motion;
}

/// The stamps of a place: the frame itself, and those of what stands still there.
struct Stamps {
    own_e: Image<f32>,
    /// Variance of the frame's sky [e-^2].
    sky_e2: f64,
    others_e: Vec<Image<f32>>,
}

/// Cuts all stamps out of the frames; two or so are in memory at a time.
fn cut(places: &[Place], view: FieldView<'_>, pixels: &dyn PixelSource) -> Vec<Option<Stamps>> {
    let mut own: Vec<Option<(Image<f32>, f64)>> = places.iter().map(|_| None).collect();
    let mut others: Vec<Vec<Image<f32>>> = places.iter().map(|_| Vec::new()).collect();
    let is_asked =
        |k: &usize| places.iter().any(|place| place.frame == *k || place.others.contains(k));
    let asked: Vec<usize> = (0..view.frames.len()).filter(is_asked).collect();
    for portion in asked.chunks(rayon::current_num_threads().max(1)) {
        let cut: Vec<Vec<Cut>> =
            portion.par_iter().map(|&k| cut_of(places, view, (k, pixels))).collect();
        for stamp in cut.into_iter().flatten() {
            match stamp.sky_e2 {
                Some(sky_e2) => own[stamp.place] = Some((stamp.light_e, sky_e2)),
                None => others[stamp.place].push(stamp.light_e),
            }
        }
    }
    let both = own.into_iter().zip(others);
    both.map(|(own, others_e)| {
        let (own_e, sky_e2) = own?;
        Some(Stamps { own_e, sky_e2, others_e })
    })
    .collect()
}

/// A stamp that serves a place; the frame's own has the variance of its sky.
struct Cut {
    place: usize,
    light_e: Image<f32>,
    sky_e2: Option<f64>,
}

/// The stamps that are cut from frame `k`.
fn cut_of(
    places: &[Place],
    view: FieldView<'_>,
    (k, pixels): (usize, &dyn PixelSource),
) -> Vec<Cut> {
    let Some((mut light_e, mask)) = pixels.load(view.frames[k]) else {
        return Vec::new();
    };
    blank_masked(&mut light_e, &mask, UNFIT);
    drop(mask);
    let sky_e2 = sky_variance_e2(&light_e);
    let mut cut = Vec::new();
    for (number, place) in places.iter().enumerate() {
        if place.frame == k {
            let stamp = window_of(&light_e, &place.window);
            cut.extend(sky_e2.map(|v| Cut { place: number, light_e: stamp, sky_e2: Some(v) }));
        } else if place.others.contains(&k) {
            let stamp = still_stamp(&light_e, view.frames[k], (view.frames[place.frame], place));
            cut.extend(stamp.map(|light_e| Cut { place: number, light_e, sky_e2: None }));
        }
    }
    cut
}

/// A window of a frame; NaN beyond its edge.
fn window_of(pixels: &Image<f32>, window: &Window) -> Image<f32> {
    let side = window.side_px;
    let mut stamp = Image::filled(side, side, f32::NAN);
    let within = |v: i64, n: usize| usize::try_from(v).ok().filter(|v| *v < n);
    for row in 0..side {
        let Some(y) = within(window.y_first_px + row as i64, pixels.ny()) else { continue };
        for (column, value) in stamp.row_mut(row).iter_mut().enumerate() {
            if let Some(x) = within(window.x_first_px + column as i64, pixels.nx()) {
                *value = pixels.at(x, y);
            }
        }
    }
    stamp
}

/// Another frame at a place: on the pixels, in the light and the seeing of the frame that is asked.
fn still_stamp(
    light_e: &Image<f32>,
    from: &NightFrame,
    (to, place): (&NightFrame, &Place),
) -> Option<Image<f32>> {
    let mut stamp = resample_onto(light_e, &from.wcs, (&to.wcs, &place.window))?;
    let mut sorted: Vec<f32> = stamp.pixels().iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let sky = clipped_of_sorted(&sorted, SKY_CLIP_SIGMA)?.median as f32;
    let scale = 10_f64.powf(0.4 * (to.electron_mag? - from.electron_mag?)) as f32;
    stamp.pixels_mut().iter_mut().for_each(|v| *v = (*v - sky) * scale);
    let scale_arcsec = to.wcs.pixel_scale_arcsec();
    let variance_px2 = |f: &NightFrame| (f.fwhm_arcsec / scale_arcsec / FWHM_PER_SIGMA).powi(2);
    let lacking_px2 = variance_px2(to) - variance_px2(from);
    /// A smaller widening is left to the fit, as a share of the seeing's variance.
    const SAME_SEEING: f64 = 0.02;
    if lacking_px2 <= SAME_SEEING * variance_px2(to) {
        return Some(stamp);
    }
    Some(widened(&stamp, lacking_px2.sqrt()))
}

/// A stamp folded with a Gaussian; pixels without a value are left out of the weights.
fn widened(stamp: &Image<f32>, sigma_px: f64) -> Image<f32> {
    let reach = (3.0 * sigma_px).ceil().min(15.0) as i64;
    let weights: Vec<f32> =
        (-reach..=reach).map(|d| (-0.5 * (d as f64 / sigma_px).powi(2)).exp() as f32).collect();
    let along = |image: &Image<f32>, (dx, dy): (i64, i64)| {
        let (nx, ny) = (image.nx() as i64, image.ny() as i64);
        let mut result = image.clone();
        for y in 0..ny {
            for x in 0..nx {
                let (mut sum, mut all) = (0.0, 0.0);
                for (weight, d) in weights.iter().zip(-reach..=reach) {
                    let (u, v) = (x + d * dx, y + d * dy);
                    if (0..nx).contains(&u) && (0..ny).contains(&v) {
                        let value = image.at(u as usize, v as usize);
                        if value.is_finite() {
                            sum += weight * value;
                            all += weight;
                        }
                    }
                }
                let is_known = image.at(x as usize, y as usize).is_finite();
                result.row_mut(y as usize)[x as usize] =
                    if is_known { sum / all } else { f32::NAN };
            }
        }
        result
    };
    along(&along(stamp, (1, 0)), (0, 1))
}

/// Variance of a frame's sky: from the differences of neighbouring pixels, which know neither
/// gradients nor most of the stars [e-^2].
pub(super) fn sky_variance_e2(light_e: &Image<f32>) -> Option<f64> {
    const SAMPLES: usize = 20_000;
    let pixels = light_e.pixels();
    let step = (pixels.len() / SAMPLES).max(1) | 1;
    let mut differences: Vec<f64> = (0..pixels.len().saturating_sub(1))
        .step_by(step)
        .map(|i| f64::from(pixels[i + 1] - pixels[i]).abs())
        .filter(|v| v.is_finite())
        .collect();
    let sigma = SIGMA_PER_MAD * median_in_place(&mut differences)? / std::f64::consts::SQRT_2;
    (sigma > 0.0).then_some(sigma * sigma)
}

/// What a place holds; `None` where it is not the mover or cannot be told.
fn measured(
    stamps: Stamps,
    place: &Place,
    tracklet: &Tracklet,
    view: FieldView<'_>,
) -> Option<Recovered> {
    let frame = view.frames[place.frame];
    let still = StillSky::median(&stamps.others_e)?;
    drop(stamps.others_e);
    let scale = frame.wcs.pixel_scale_arcsec();
    let fwhm_px = frame.fwhm_arcsec / scale;
    let assumed = || PsfModel::assumed(fwhm_px.clamp(1.0, 30.0), (frame.nx, frame.ny));
    let psf = frame.psf.clone().unwrap_or_else(assumed);
    let origin = (place.window.x_first_px as f64, place.window.y_first_px as f64);
    let mover = HiddenMover {
        star: psf.star_at(place.place_px.0, place.place_px.1),
        start_px: (place.place_px.0 - origin.0, place.place_px.1 - origin.1),
        // Registration of the frame adds to what the motion leaves open.
        start_err_px: place.place_err_arcsec.hypot(SKY_FLOOR_ARCSEC) / scale,
        light_e: 10_f64.powf(0.4 * (frame.electron_mag? - tracklet.score.mag)),
        trail_px: place.trail_px,
        reach_px: fwhm_px.max(PLACE_SIGMA * place.place_err_arcsec / scale),
        core_px: 1.2 * fwhm_px,
    };
    let light = measure_hidden((&stamps.own_e, stamps.sky_e2), &still, &mover, &place.mismatch)?;
    let snr = light.flux_e / light.flux_err_e;
    let (x, y) = (light.x_px + origin.0, light.y_px + origin.1);
    let point = plane_point(&light, (x, y), frame, (view.field[place.frame].t_h, view.plane))?;
    let mag = frame.electron_mag? - 2.5 * light.flux_e.log10();
    let recovered = Recovered {
        frame: place.frame,
        place_px: (x, y),
        sky_rad: frame.wcs.to_sky(x, y),
        point,
        mag,
        mag_err: (1.0857 / snr).hypot(frame.zero_point_err_mag),
        snr,
    };
    let (east, north) = tracklet.motion.residual(&point);
    let sigma = point.sigma_arcsec.hypot(place.place_err_arcsec);
    let mag_pull = (mag - tracklet.score.mag) / mag_sigma(1.0857 / snr);
    let is_the_mover = snr >= SNR_MIN
        && light.chi2 <= CHI2_MAX
        && east.hypot(north) <= PLACE_SIGMA * sigma
        && mag_pull.abs() <= MAG_PULL_MAX;
    is_the_mover.then_some(recovered)
}

/// The place on the plane with its error.
fn plane_point(
    light: &HiddenLight,
    (x, y): (f64, f64),
    frame: &NightFrame,
    (t_h, plane): (f64, &TangentPlane),
) -> Option<PlanePoint> {
    let (ra, dec) = frame.wcs.to_sky(x, y);
    let (xi, eta) = plane.project(ra, dec)?;
    let err_arcsec = light.place_err_px * frame.wcs.pixel_scale_arcsec();
    Some(PlanePoint {
        t_h,
        east_arcsec: xi / ARCSEC_RAD,
        north_arcsec: eta / ARCSEC_RAD,
        sigma_arcsec: err_arcsec.hypot(SKY_FLOOR_ARCSEC),
    })
}

#[cfg(test)]
pub(super) mod tests;
