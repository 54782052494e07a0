//! The light of moving objects, measured once more when their motion is known.
//!
//! In every frame that covers an object's path the frame's point spread function, drawn along the
//! line that the motion tells, is fitted at the place that the motion tells
//! (`photometry::forced`): frames that detected it get a magnitude without the losses of a star
//! fitted to a line, the others a forced measurement or an upper limit. Catalogue stars and other
//! sources nearby are taken off; where their light is of account the point is called contaminated.

mod apertures;

use rayon::prelude::*;

pub use self::apertures::FixedApertures;
use self::apertures::{ObjectAperture, object_aperture};
use super::artifact::candidate::{Candidate, CandidateDetection};
use super::artifact::frame_photometry::{FramePhotometry, PhotometricSolution};
use super::artifact::photometric_point::PhotometricPoint;
use super::link::NightFrame;
use super::share_photometry::{detector_place, instrumental_mag};
use super::static_sky::PixelSource;
use crate::science::detect::aperture::Scene;
use crate::science::detect::background::{Background, BackgroundParams};
use crate::science::detect::psf_model::PsfModel;
use crate::science::detect::stars::seen_fwhm;
use crate::science::detect::{KnownStar, above_sky_of_stars};
use crate::science::image::Image;
use crate::science::image::mask::Mask;
use crate::science::image::stats::median;
use crate::science::photometry::forced::{Forced, NearLight, Target, forced_light};
use crate::science::photometry::path::{Path, PathPoint};
use crate::science::photometry::zero_point::SOLAR_BP_RP_MAG;
use crate::science::reference::StarAtEpoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Errors of places beyond the motion's: turbulence, the frame's solution [px].
const PLACE_FLOOR_PX: f64 = 0.05;
/// A frame without a detection is asked when the place is known to this share of the seeing.
const PLACE_ERR_MAX_FWHM: f64 = 0.3;
/// A source this near to a catalogue star is that star [px].
const SAME_PX: f64 = 1.5;
/// Sources without a catalogue star this near to the object's line, in units of the seeing, are
/// taken for parts of the object.
const OWN_FWHM: f64 = 0.8;
/// Near the object, in units of the seeing, the catalogue tells a star's light better than the
/// frame does.
const TRUST_FWHM: f64 = 2.5;
/// Error of a star's light by the catalogue, as a share of it.
const STAR_ERR: f64 = 0.03;
/// A point whose neighbours give this share of its light, and more than its error, is contaminated.
const CONTAMINATED_SHARE: f64 = 0.05;
/// Least share of its light on usable pixels without a remark.
const WHOLE_SHARE: f64 = 0.9;
/// Light below so many errors is given as a limit, and the limit lies so many errors up.
const LIMIT_SIGMA: f64 = 3.0;

/// A frame with what its photometry needs.
#[derive(Debug, Clone)]
pub struct MoverFrame<'a> {
    /// The frame.
    pub frame: &'a NightFrame,
    /// Its stars' shape.
    pub psf: PsfModel,
    /// Its magnitude scale.
    pub scale: &'a FramePhotometry,
}

/// The catalogue around a centre [rad] within a radius [rad] at an epoch [d, MJD UTC].
pub type Stars<'a> = dyn Fn((f64, f64), f64, f64) -> Vec<StarAtEpoch> + Sync + 'a;

/// Measures the candidates in all frames that cover their paths, and gives their detections these
/// magnitudes.
///
/// * `fixed`: how each object's light is measured through one aperture too, where that is wanted.
pub fn measure_movers(
    candidates: &mut [Candidate],
    frames: &[MoverFrame<'_>],
    stars: &Stars<'_>,
    pixels: &dyn PixelSource,
    fixed: Option<&FixedApertures>,
) {
    let plan = |candidate: &Candidate| Plan {
        path: path(candidate),
        aperture: fixed.and_then(|fixed| object_aperture(candidate, frames, fixed)),
    };
    let plans: Vec<Plan> = candidates.iter().map(plan).collect();
    let mut found: Vec<Vec<PhotometricPoint>> = vec![Vec::new(); candidates.len()];
    // A few frames at a time bound the memory.
    for chunk in frames.chunks(rayon::current_num_threads().max(1)) {
        let measured: Vec<Vec<(usize, PhotometricPoint)>> = chunk
            .par_iter()
            .map(|frame| of_frame(frame, (candidates, &plans), stars, pixels))
            .collect();
        for (candidate, point) in measured.into_iter().flatten() {
            found[candidate].push(point);
        }
    }
    for (candidate, mut points) in candidates.iter_mut().zip(found) {
        points.sort_by(|a, b| a.mid_mjd_utc.total_cmp(&b.mid_mjd_utc));
        for detection in &mut candidate.detections {
            let own = points.iter_mut().find(|p| p.is_detected && p.frame == detection.frame);
            let Some(point) = own else { continue };
            if detection.is_recovered {
                recovered(point, detection);
            } else if let Some((mag, err)) = point.mag.zip(point.mag_err) {
                (detection.mag, detection.mag_err) = (Some(mag), Some(err));
            }
        }
        let mags: Vec<f64> = candidate.detections.iter().filter_map(|d| d.mag).collect();
        candidate.mag = median(&mags).or(candidate.mag);
        candidate.photometry = points;
    }
}

/// A point of which the light was measured with the static image of a star taken off: that is
/// better than a star by the catalogue, and is kept.
fn recovered(point: &mut PhotometricPoint, detection: &CandidateDetection) {
    point.is_contaminated = true;
    let (Some(mag), Some(err), Some(before)) = (detection.mag, detection.mag_err, point.mag) else {
        return;
    };
    // The same scale: light and magnitudes change together.
    let ratio = 10.0_f64.powf(-0.4 * (mag - before));
    point.flux_e *= ratio;
    point.flux_err_e = point.flux_e * err / 1.0857;
    point.instrumental_mag = point.instrumental_mag.map(|m| m + mag - before);
    point.instrumental_err_mag = Some(err);
    (point.mag, point.mag_err) = (Some(mag), Some(err.hypot(point.colour_err_mag)));
}

/// The motion of a candidate: its detections less their residuals.
fn path(candidate: &Candidate) -> Option<Path> {
    let first = candidate.detections.first()?;
    let origin_rad = (first.ra_deg * DEG_RAD, first.dec_deg * DEG_RAD);
    let points: Vec<PathPoint> = candidate
        .detections
        .iter()
        .map(|d| {
            let sky = (d.ra_deg * DEG_RAD, d.dec_deg * DEG_RAD);
            (d.mid_mjd_utc, sky, d.residual_arcsec, d.position_err_arcsec)
        })
        .collect();
    Path::new(origin_rad, &points)
}

/// How a candidate is measured.
struct Plan {
    path: Option<Path>,
    aperture: Option<ObjectAperture>,
}

/// A frame's pixels above its sky.
struct Ground {
    signal_e: Image<f32>,
    variance_e2: Image<f32>,
    mask: Mask,
    sky: Background,
}

impl Ground {
    fn scene(&self) -> Scene<'_> {
        let (signal_e, variance_e2, mask) = (&self.signal_e, &self.variance_e2, &self.mask);
        Scene { signal_e, variance_e2, mask }
    }
}

fn of_frame(
    mover: &MoverFrame<'_>,
    (candidates, plans): (&[Candidate], &[Plan]),
    stars: &Stars<'_>,
    pixels: &dyn PixelSource,
) -> Vec<(usize, PhotometricPoint)> {
    let Some(solution) = &mover.scale.solution else { return Vec::new() };
    let wanted: Vec<(usize, Wanted)> = plans
        .iter()
        .zip(candidates)
        .enumerate()
        .filter_map(|(i, (plan, candidate))| {
            Some((i, wanted(mover, plan.path.as_ref()?, candidate)?))
        })
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let Some(ground) = ground(mover, pixels) else { return Vec::new() };
    wanted
        .into_iter()
        .filter_map(|(i, wanted)| {
            let how = (&wanted, plans[i].aperture.as_ref());
            Some((i, point(mover, (&ground, solution), how, stars)?))
        })
        .collect()
}

/// Where an object must be in a frame.
struct Wanted {
    target: Target,
    /// Its detection's place [px].
    detected_px: Option<(f64, f64)>,
}

fn wanted(mover: &MoverFrame<'_>, path: &Path, candidate: &Candidate) -> Option<Wanted> {
    let frame = mover.frame;
    let at = |mjd: f64| {
        let (ra, dec) = path.place_rad(mjd);
        frame.wcs.to_pixel(ra, dec)
    };
    let mid = frame.mid_mjd_utc;
    let place_px = at(mid)?;
    let half_d = 0.5 * frame.exposure_s.unwrap_or(0.0) / 86_400.0;
    let (from, to) = (at(mid - half_d)?, at(mid + half_d)?);
    let scale_arcsec = frame.wcs.pixel_scale_arcsec();
    let err_px = path.err_arcsec(mid) / scale_arcsec;
    let detection = candidate.detections.iter().find(|d| d.frame == frame.name);
    let fwhm_px = seen_fwhm(&mover.psf, place_px.0, place_px.1);
    if detection.is_none() && err_px > PLACE_ERR_MAX_FWHM * fwhm_px {
        return None;
    }
    // Without a detection the place is held: a free one always finds some light.
    let place_err_px = detection.map_or(0.0, |_| err_px.hypot(PLACE_FLOOR_PX));
    let half_line_px = (0.5 * (to.0 - from.0), 0.5 * (to.1 - from.1));
    let detected_px = detection.map(|d| (d.x_px, d.y_px));
    Some(Wanted { target: Target { place_px, place_err_px, half_line_px }, detected_px })
}

/// The frame's pixels above its sky, the wings of its sources taken out of the sky.
fn ground(mover: &MoverFrame<'_>, pixels: &dyn PixelSource) -> Option<Ground> {
    let (pixels_e, mask) = pixels.load(mover.frame)?;
    let sources = &mover.frame.catalogue.sources;
    let known: Vec<KnownStar> = (0..sources.len())
        .filter(|i| sources.flux_psf_e[*i] > 0.0)
        .map(|i| {
            let place = (sources.x_px[i], sources.y_px[i]);
            (place, sources.flux_psf_e[i] / mover.scale.circle_share.max(0.1))
        })
        .collect();
    let params = BackgroundParams::default();
    let (signal_e, sky) = above_sky_of_stars(&pixels_e, &mask, &params, (&mover.psf, &known))?;
    let variance_e2 = sky.rms_image();
    Some(Ground { signal_e, variance_e2, mask, sky })
}

fn point(
    mover: &MoverFrame<'_>,
    (ground, solution): (&Ground, &PhotometricSolution),
    (wanted, aperture): (&Wanted, Option<&ObjectAperture>),
    stars: &Stars<'_>,
) -> Option<PhotometricPoint> {
    let (x, y) = wanted.target.place_px;
    let inside = |v: f64, n: usize| v.round().clamp(0.0, (n - 1) as f64) as usize;
    let frame = mover.frame;
    let (column, row) = (inside(x, frame.nx), inside(y, frame.ny));
    let near = near_light(mover, solution, wanted, stars);
    let rms_e = ground.sky.rms_at(column, row);
    let forced = forced_light(ground.scene(), (&mover.psf, rms_e), &wanted.target, &near)?;
    let mut point = unscaled(mover, wanted, &forced);
    if let Some(aperture) = aperture {
        apertures::measure(mover, (ground, rms_e), (wanted, &near), aperture, &mut point);
    }
    let place = detector_place((frame.nx, frame.ny, frame.is_turned), forced.place_px);
    rescale(&mut point, solution, (frame.exposure_s, place));
    Some(point)
}

/// Light in the fit's scale of a catalogue star, and its error; `None` without a magnitude [e-].
fn star_light(
    mover: &MoverFrame<'_>,
    solution: &PhotometricSolution,
    star: &StarAtEpoch,
    place_px: (f64, f64),
) -> Option<(f64, f64)> {
    let colour = star.bp_rp_mag.map_or(0.0, |c| solution.colour_term * (c - SOLAR_BP_RP_MAG));
    let frame = mover.frame;
    let place = detector_place((frame.nx, frame.ny, frame.is_turned), place_px);
    let at_zero = solution.mag(0.0, place);
    let rate = 10.0_f64.powf(-0.4 * (star.g_mag? - colour - at_zero));
    let total_e = rate * frame.exposure_s.unwrap_or(1.0).max(1e-3);
    let flux_e = total_e * mover.scale.share / mover.scale.circle_share.max(0.1);
    Some((flux_e, STAR_ERR * flux_e))
}

/// Other sources around an object.
fn near_light(
    mover: &MoverFrame<'_>,
    solution: &PhotometricSolution,
    wanted: &Wanted,
    stars: &Stars<'_>,
) -> Vec<NearLight> {
    let (frame, target) = (mover.frame, &wanted.target);
    let (x, y) = target.place_px;
    let fwhm_px = seen_fwhm(&mover.psf, x, y);
    let half_px = target.half_line_px.0.hypot(target.half_line_px.1);
    let reach_px = 6.0 * fwhm_px + half_px;
    let radius_rad = reach_px * frame.wcs.pixel_scale_arcsec() * ARCSEC_RAD;
    let listed: Vec<(StarAtEpoch, (f64, f64))> =
        stars(frame.wcs.to_sky(x, y), radius_rad, frame.mid_mjd_utc)
            .into_iter()
            .filter_map(|star| frame.wcs.to_pixel(star.ra_rad, star.dec_rad).map(|p| (star, p)))
            .collect();
    let sources = &frame.catalogue.sources;
    let off = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).hypot(a.1 - b.1);
    let mut near = Vec::new();
    let mut is_told = vec![false; listed.len()];
    for i in 0..sources.len() {
        let place = (sources.x_px[i], sources.y_px[i]);
        let is_own = wanted.detected_px.is_some_and(|own| off(own, place) < 1e-6);
        if off(place, (x, y)) > reach_px || is_own {
            continue;
        }
        let distance_px = from_line(place, target);
        let star = (0..listed.len()).find(|&k| off(listed[k].1, place) < SAME_PX);
        if star.is_some() && distance_px < TRUST_FWHM * fwhm_px {
            continue; // by the catalogue, below
        }
        if star.is_none() && distance_px < OWN_FWHM * fwhm_px {
            continue;
        }
        if let Some(k) = star {
            is_told[k] = true;
        }
        let (flux_e, err_e) = sources.light_e(i);
        let per = 1.0 / mover.scale.circle_share.max(0.1);
        near.push(NearLight {
            x_px: place.0,
            y_px: place.1,
            flux_e: flux_e * per,
            flux_err_e: err_e * per,
        });
    }
    for ((star, place), _) in listed.iter().zip(&is_told).filter(|(_, told)| !**told) {
        if let Some((flux_e, flux_err_e)) = star_light(mover, solution, star, *place) {
            near.push(NearLight { x_px: place.0, y_px: place.1, flux_e, flux_err_e });
        }
    }
    near
}

/// Distance of a place from an object's line [px].
fn from_line((x, y): (f64, f64), target: &Target) -> f64 {
    let (dx, dy) = (x - target.place_px.0, y - target.place_px.1);
    let (hx, hy) = target.half_line_px;
    let length2 = hx * hx + hy * hy;
    let along = if length2 > 0.0 { ((dx * hx + dy * hy) / length2).clamp(-1.0, 1.0) } else { 0.0 };
    (dx - along * hx).hypot(dy - along * hy)
}

/// What was measured, without magnitudes.
fn unscaled(mover: &MoverFrame<'_>, wanted: &Wanted, forced: &Forced) -> PhotometricPoint {
    let (frame, scale) = (mover.frame, mover.scale);
    // From the fit's scale to all light, as for the stars.
    let per = scale.circle_share / scale.share;
    let (ra_rad, dec_rad) = frame.wcs.to_sky(forced.place_px.0, forced.place_px.1);
    let is_contaminated = forced.near_e > forced.flux_err_e.max(CONTAMINATED_SHARE * forced.flux_e)
        || forced.light_share < WHOLE_SHARE;
    PhotometricPoint {
        frame: frame.name.clone(),
        mid_mjd_utc: frame.mid_mjd_utc,
        ra_deg: ra_rad / DEG_RAD,
        dec_deg: dec_rad / DEG_RAD,
        x_px: forced.place_px.0,
        y_px: forced.place_px.1,
        is_detected: wanted.detected_px.is_some(),
        flux_e: forced.flux_e * per,
        flux_err_e: forced.flux_err_e * per,
        near_share: forced.near_e / forced.flux_e.max(forced.flux_err_e),
        is_contaminated,
        photometry_valid: scale.faults.is_empty(),
        ..PhotometricPoint::default()
    }
}

/// Gives a point the magnitudes of a scale, by its light alone: after the zero points were computed
/// again.
///
/// * `place`: on the detector from its middle, -1..1 over each side.
pub fn rescale(
    point: &mut PhotometricPoint,
    solution: &PhotometricSolution,
    (exposure_s, place): (Option<f64>, (f64, f64)),
) {
    let mag_of = |flux_e: f64| {
        let instrumental = instrumental_mag(flux_e, 1.0, exposure_s)?;
        Some((instrumental, solution.mag(instrumental, place)))
    };
    let snr = point.flux_e / point.flux_err_e;
    let is_measured = snr > 0.0 && (point.is_detected || snr >= LIMIT_SIGMA);
    let magnitude = mag_of(point.flux_e).filter(|_| is_measured);
    let err_mag = 1.0857 / snr;
    let limit_e = point.flux_e.max(0.0) + LIMIT_SIGMA * point.flux_err_e;
    point.instrumental_mag = magnitude.map(|(instrumental, _)| instrumental);
    point.instrumental_err_mag = magnitude.map(|_| err_mag);
    point.mag = magnitude.map(|(_, mag)| mag);
    point.mag_err = magnitude.map(|(instrumental, _)| {
        solution.mag_err(instrumental, err_mag).hypot(solution.colour_err_mag)
    });
    point.colour_err_mag = solution.colour_err_mag;
    point.limit_mag = mag_of(limit_e).map(|(_, mag)| mag).filter(|_| magnitude.is_none());
    let Some(aperture) = &mut point.aperture else { return };
    let snr = aperture.flux_e / aperture.flux_err_e;
    let magnitude = mag_of(aperture.flux_e).filter(|_| snr >= LIMIT_SIGMA);
    let err_mag = 1.0857 / snr;
    aperture.instrumental_mag = magnitude.map(|(instrumental, _)| instrumental);
    aperture.instrumental_err_mag = magnitude.map(|_| err_mag);
    aperture.mag = magnitude.map(|(_, mag)| mag);
    aperture.mag_err = magnitude.map(|(instrumental, _)| solution.mag_err(instrumental, err_mag));
}

#[cfg(test)]
mod tests;
