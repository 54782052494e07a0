//! One distortion for all frames of a camera in a night.
//!
//! A single frame's distortion is as uncertain as its stars are few, and it takes up the
//! turbulence of its exposure. The instrument's distortion is the same in all frames: here it is
//! found from the stars of all, each frame with an affine map of its own ([`distortion`]); its
//! order is the one that predicts frames left out best. Scale and shear change slowly over a
//! night, with refraction and temperature: they are smoothed over time where the frames allow it
//! ([`shape`]); place and turn stay each frame's own.
//!
//! Results depend on the frames given and nothing else: in whatever order they are given, each
//! gets the same solution to the last bit.

pub mod distortion;
pub mod shape;

use super::FrameSize;
use super::fit::{Fit, FitSetup, PairedStar, fit, median, order_for, residuals_rad, rms};
use crate::science::sky::polynomial::Polynomial;
use crate::science::sky::sip::Sip;
use crate::science::sky::wcs::Wcs;
use crate::science::units::ARCSEC_RAD;
use distortion::{Distortion, Observed};
use shape::{Shape, ShapeOfFrame};

/// Frames that make a shared model.
const FRAMES_MIN: usize = 3;
/// Pairs a frame needs to have a part in it.
const PAIRS_MIN: usize = 8;
/// Rounds of distortion and frames.
const ROUNDS: usize = 3;
/// Residuals of a frame under the shared model, in units of its own solution's, beyond which it
/// keeps its own.
const WORSE_MAX: f64 = 1.5;
/// Scatter of a frame in units of its errors that is worth keeping its own solution for.
const SCATTER_MIN: f64 = 1.5;

/// Share of the stars, the best measured ones, that tell the floor of the errors.
const FLOOR_SHARE: f64 = 0.25;
/// Least number of these.
const FLOOR_STARS_MIN: usize = 20;
/// Floors that are believed [mas].
const FLOOR_MAS: (f64, f64) = (2.0, 1000.0);
/// Steps in which the floor is halved in.
const FLOOR_STEPS: usize = 20;

/// A solved frame as the shared model needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedFrame {
    /// Its stars and those of the catalogue.
    pub pairs: Vec<PairedStar>,
    /// Its own solution.
    pub wcs: Wcs,
    /// Middle of the exposure [d].
    pub mid_mjd: f64,
    /// Whether its pixels lie turned by 180 degrees on the detector.
    pub is_turned: bool,
}

/// What all frames of a camera share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShareParams {
    /// Size of the frames.
    pub size: FrameSize,
    /// Highest order of the distortion (1 to 5).
    pub order_max: usize,
    /// Scatter of star places beside the errors given, per axis [mas], where stars are too few
    /// to tell it.
    pub floor_mas: f64,
}

/// Solutions with a shared distortion.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// For each frame given its solution; `None` where the frame's own is to be kept.
    pub fits: Vec<Option<Fit>>,
    /// The distortion; `None` when the frames are too few.
    pub distortion: Option<Distortion>,
}

/// Finds the distortion that frames of one camera share, and their solutions with it.
pub fn share(frames: &[SharedFrame], params: &ShareParams) -> Shared {
    let nothing = Shared { fits: vec![None; frames.len()], distortion: None };
    let is_usable = |frame: &SharedFrame| {
        let places = frame.pairs.iter().map(|p| (p.image.x_px, p.image.y_px));
        frame.pairs.len() >= PAIRS_MIN && order_for(places, params.size, 1) == 1
    };
    let mut usable: Vec<usize> = (0..frames.len()).filter(|&i| is_usable(&frames[i])).collect();
    usable.sort_by(|&a, &b| by_time(&frames[a], &frames[b]));
    if usable.len() < FRAMES_MIN {
        return nothing;
    }
    let own: Vec<Fit> = match usable.iter().map(|&i| own_residuals(&frames[i], params)).collect() {
        Some(own) => own,
        None => return nothing,
    };
    let mut fits = own.clone();
    let mut model = None;
    let mut params = *params;
    for _ in 0..ROUNDS {
        params.floor_mas = floor_mas(frames, &usable, &fits).unwrap_or(params.floor_mas);
        let params = &params;
        let observed: Vec<Observed> = usable
            .iter()
            .zip(&fits)
            .map(|(&i, fit)| distortion::observe(&frames[i], fit, params))
            .collect();
        let Some(found) = distortion::choose(&observed, params) else { return nothing };
        let next: Option<Vec<Fit>> =
            usable.iter().map(|&i| affine(&frames[i], &found, params)).collect();
        let Some(next) = next else { return nothing };
        (fits, model) = (next, Some(found));
    }
    let Some(model) = model else { return nothing };
    let params = &params;
    let shapes = smoothed(frames, &usable, &fits, params);
    let mut shared = nothing;
    for (k, &i) in usable.iter().enumerate() {
        let settled = settle(&frames[i], (&model, &shapes[k]), &fits[k], params);
        let fit = settled.unwrap_or_else(|| fits[k].clone());
        let is_worse = fit.scatter > SCATTER_MIN && fit.scatter > WORSE_MAX * own[k].scatter;
        shared.fits[i] = (!is_worse).then_some(fit);
    }
    shared.distortion = Some(model);
    shared
}

/// An order of frames that depends on nothing else: by time, then by place and stars.
fn by_time(a: &SharedFrame, b: &SharedFrame) -> std::cmp::Ordering {
    let key = |frame: &SharedFrame| {
        let first = frame.pairs.first().map_or((0.0, 0.0), |p| (p.image.x_px, p.image.y_px));
        [frame.mid_mjd, frame.wcs.crval_rad.0, frame.wcs.crval_rad.1, first.0, first.1]
    };
    let all = key(a).into_iter().zip(key(b)).map(|(a, b)| a.total_cmp(&b));
    all.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        .then(a.pairs.len().cmp(&b.pairs.len()))
}

/// Scatter of well measured stars that their errors do not explain, per axis [mas]: turbulence,
/// and what centroids suffer beside noise. `None` with fewer stars than tell it.
fn floor_mas(frames: &[SharedFrame], usable: &[usize], fits: &[Fit]) -> Option<f64> {
    let mut best: Vec<(f64, f64)> = Vec::new();
    for (&i, fit) in usable.iter().zip(fits) {
        let scale_mas = 1000.0 * fit.wcs.pixel_scale_arcsec();
        let all = frames[i].pairs.iter().zip(&fit.residuals_arcsec).zip(&fit.is_used);
        best.extend(all.filter(|(_, used)| **used).map(|((pair, r), _)| {
            let err_mas =
                (pair.image.position_err_px * scale_mas).hypot(pair.star.position_err_mas);
            (err_mas, 1000.0 * r.0.hypot(r.1))
        }));
    }
    best.sort_by(|a, b| a.0.total_cmp(&b.0));
    best.truncate((FLOOR_SHARE * best.len() as f64) as usize);
    if best.len() < FLOOR_STARS_MIN {
        return None;
    }
    // The median of (length / sigma)^2 of two normal numbers is 2 ln 2.
    let excess = |floor: f64| {
        let squares =
            best.iter().map(|(err, length)| length * length / (err * err + floor * floor));
        median(squares).map(|middle| middle - 2.0 * std::f64::consts::LN_2)
    };
    let (mut low, mut high) = FLOOR_MAS;
    for _ in 0..FLOOR_STEPS {
        let middle = 0.5 * (low + high);
        if excess(middle)? > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(0.5 * (low + high))
}

/// The residuals of a frame's own solution, as a fit.
fn own_residuals(frame: &SharedFrame, params: &ShareParams) -> Option<Fit> {
    let setup = setup(&frame.wcs, params, 1);
    let sip = frame.wcs.sip.clone();
    with_distortion(frame, sip, &setup)
}

/// The frame's affine solution on top of a distortion.
fn affine(frame: &SharedFrame, model: &Distortion, params: &ShareParams) -> Option<Fit> {
    let sip = model.sip(params.size, frame.is_turned);
    with_distortion(frame, sip, &setup(&frame.wcs, params, 1))
}

/// Fits the linear part of a solution whose distortion is given.
fn with_distortion(frame: &SharedFrame, sip: Option<Sip>, setup: &FitSetup) -> Option<Fit> {
    let centre = setup.size.centre_px();
    let straight = straightened(&frame.pairs, sip.as_ref(), centre);
    let mut found = fit(&straight, setup)?;
    found.wcs.sip = sip;
    Some(found)
}

/// The pairs with the distortion taken off their places.
fn straightened(pairs: &[PairedStar], sip: Option<&Sip>, centre: (f64, f64)) -> Vec<PairedStar> {
    let Some(sip) = sip else { return pairs.to_vec() };
    let mut straight = pairs.to_vec();
    for pair in &mut straight {
        let (u, v) = sip.forward(pair.image.x_px - centre.0, pair.image.y_px - centre.1);
        (pair.image.x_px, pair.image.y_px) = (u + centre.0, v + centre.1);
    }
    straight
}

fn setup(near: &Wcs, params: &ShareParams, order: usize) -> FitSetup {
    let centre = params.size.centre_px();
    FitSetup {
        size: params.size,
        near_rad: near.to_sky(centre.0, centre.1),
        scale_arcsec: near.pixel_scale_arcsec(),
        order,
        floor_mas: params.floor_mas,
    }
}

/// Scale and shear of the frames, smoothed over time.
fn smoothed(
    frames: &[SharedFrame],
    usable: &[usize],
    fits: &[Fit],
    params: &ShareParams,
) -> Vec<Shape> {
    let of = |(&i, fit): (&usize, &Fit)| {
        let centre_rad = fit.wcs.crval_rad;
        let weight = shape::information(&frames[i].pairs, fit, params);
        let shape = Shape::of(fit.wcs.cd_rad_per_px);
        ShapeOfFrame { shape, weight, mid_mjd: frames[i].mid_mjd, centre_rad }
    };
    let all: Vec<ShapeOfFrame> = usable.iter().zip(fits).map(of).collect();
    let half_diagonal_rad = fits.first().map_or(0.0, |fit| {
        params.size.half_diagonal_px() * fit.wcs.pixel_scale_arcsec() * ARCSEC_RAD
    });
    shape::smooth(&all, half_diagonal_rad)
}

/// The frame's place and turn, with everything else given.
fn settle(
    frame: &SharedFrame,
    (model, shape): (&Distortion, &Shape),
    affine: &Fit,
    params: &ShareParams,
) -> Option<Fit> {
    let sip = model.sip(params.size, frame.is_turned);
    let centre = params.size.centre_px();
    let straight = straightened(&frame.pairs, sip.as_ref(), centre);
    let setup = setup(&affine.wcs, params, 1);
    let linear = shape::place(&straight, affine, shape, &setup)?;
    let residuals = residuals_rad(&linear, &straight);
    let residuals_arcsec: Vec<(f64, f64)> =
        residuals.iter().map(|r| (r.0 / ARCSEC_RAD, r.1 / ARCSEC_RAD)).collect();
    let used = residuals_arcsec.iter().zip(&affine.is_used).filter(|(_, used)| **used);
    let rms_arcsec = rms(used.map(|(r, _)| *r))?;
    let scatter = super::fit::scatter(&straight, &residuals, &affine.is_used, &setup)?;
    Some(Fit {
        wcs: Wcs { sip, ..linear },
        is_used: affine.is_used.clone(),
        residuals_arcsec,
        rms_arcsec,
        order: model.order,
        scatter,
    })
}

/// A polynomial with some terms negated, as a turn of the frame by 180 degrees does.
fn turned(polynomial: &Polynomial) -> Polynomial {
    Polynomial::from_terms(polynomial.order(), |i, j| {
        let sign = if (i + j) % 2 == 0 { -1.0 } else { 1.0 };
        sign * polynomial.coefficient(i, j)
    })
}

#[cfg(test)]
mod tests;
