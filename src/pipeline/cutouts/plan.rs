//! Which frames show a candidate, and where: the plan of its cut-outs.

use super::CutoutParams;
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection};
use crate::pipeline::link::NightFrame;
use crate::science::image::resample::SkyGrid;
use crate::science::image::stats::median;
use crate::science::movers::motion::{Motion, PlanePoint};
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::separation_rad;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// How much fainter than the limit of a frame an object may be to be looked for there: an eye
/// that knows where to look sees a little more than the detection [mag].
const BELOW_LIMIT_MAG: f64 = 0.5;
/// A frame is left out where the error of the predicted place exceeds this share of the stamp.
const PLACE_ERR_SHARE: f64 = 0.25;
/// Least error of a place in the fit [arcsec].
const PLACE_ERR_MIN_ARCSEC: f64 = 0.05;
/// Share of the frames that is left to those without a detection.
const UNDETECTED_SHARE: usize = 4;
/// Frames that a median of the static sky is taken of: odd ones, so that it is one of them.
pub(super) const STATIC_FRAMES_MIN: usize = 3;
pub(super) const STATIC_FRAMES_MAX: usize = 7;
/// An object no longer shines where it was this many seeing discs before.
const CLEAR_FWHM: f64 = 2.0;

/// The plan of a candidate's cut-outs.
pub(super) struct Plan<'a> {
    pub(super) candidate: &'a Candidate,
    pub(super) side_px: usize,
    pub(super) scale_arcsec: f64,
    /// Centre of the stamps that stand still on the sky [rad].
    pub(super) sky_centre_rad: (f64, f64),
    /// Distance from the object beyond which the sky is free of it [arcsec].
    pub(super) clear_arcsec: f64,
    /// In order of time.
    pub(super) frames: Vec<PlannedFrame>,
}

/// A frame that shows, or should show, the candidate.
pub(super) struct PlannedFrame {
    /// Its number among the night's frames.
    pub(super) index: usize,
    pub(super) predicted_rad: (f64, f64),
    pub(super) detected_deg: Option<(f64, f64)>,
    /// Brings its flux to the sequence's zero point.
    pub(super) flux_scale: f32,
    /// Numbers, within the plan, of the frames that give its static sky.
    pub(super) static_from: Vec<usize>,
}

impl Plan<'_> {
    /// The grid of a stamp around a place.
    pub(super) const fn grid(&self, centre_rad: (f64, f64)) -> SkyGrid {
        SkyGrid { centre_rad, side_px: self.side_px, scale_arcsec: self.scale_arcsec }
    }

    /// Number of stamps in memory at a time, the results among them.
    pub(super) fn n_stamps(&self) -> usize {
        let n_static: usize = self.frames.iter().map(|frame| frame.static_from.len()).sum();
        n_static + 5 * self.frames.len()
    }
}

/// Plans the cut-outs of a candidate; `None` without a motion or a frame.
pub(super) fn plan<'a>(
    candidate: &'a Candidate,
    frames: &[NightFrame],
    params: &CutoutParams,
) -> Option<Plan<'a>> {
    let path = Path::fit(candidate)?;
    let chosen = chosen(showing(candidate, &path, frames, params), params.frames_max);
    let first = &frames[chosen.first()?.index];
    let scale_arcsec = params.scale_arcsec.unwrap_or_else(|| first.wcs.pixel_scale_arcsec());
    let (begin, end) = (chosen.first()?.predicted_rad, chosen.last()?.predicted_rad);
    let (begin, end) = (path.project(begin)?, path.project(end)?);
    let sky_centre_rad = path.plane.deproject(0.5 * (begin.0 + end.0), 0.5 * (begin.1 + end.1));
    let fwhm = chosen.iter().map(|f| frames[f.index].fwhm_arcsec).fold(0.0, f64::max);
    let mut plan = Plan {
        candidate,
        side_px: params.side_px,
        scale_arcsec,
        sky_centre_rad,
        clear_arcsec: CLEAR_FWHM * fwhm.max(scale_arcsec),
        frames: chosen,
    };
    scale_fluxes(&mut plan.frames, frames);
    choose_static(&mut plan);
    Some(plan)
}

/// The motion of a candidate on the plane around its first detection.
struct Path {
    plane: TangentPlane,
    motion: Motion,
    start_mjd: f64,
}

impl Path {
    fn fit(candidate: &Candidate) -> Option<Self> {
        let first = candidate.detections.first()?;
        let plane = TangentPlane::at((first.ra_deg * DEG_RAD, first.dec_deg * DEG_RAD));
        let point = |d: &CandidateDetection| {
            let (east, north) = plane.project(d.ra_deg * DEG_RAD, d.dec_deg * DEG_RAD)?;
            Some(PlanePoint {
                t_h: (d.mid_mjd_utc - first.mid_mjd_utc) * 24.0,
                east_arcsec: east / ARCSEC_RAD,
                north_arcsec: north / ARCSEC_RAD,
                sigma_arcsec: d.position_err_arcsec.max(PLACE_ERR_MIN_ARCSEC),
            })
        };
        let points: Vec<PlanePoint> = candidate.detections.iter().filter_map(point).collect();
        let motion = Motion::fit(&points)?;
        Some(Self { plane, motion, start_mjd: first.mid_mjd_utc })
    }

    /// Place [rad] and its error per axis [arcsec] at an instant.
    fn at(&self, mjd_utc: f64) -> ((f64, f64), f64) {
        let t_h = (mjd_utc - self.start_mjd) * 24.0;
        let (east, north) = self.motion.place(t_h);
        let place = self.plane.deproject(east * ARCSEC_RAD, north * ARCSEC_RAD);
        (place, self.motion.place_err(t_h))
    }

    fn project(&self, (ra, dec): (f64, f64)) -> Option<(f64, f64)> {
        self.plane.project(ra, dec)
    }
}

/// The frames that show or should show a candidate, in order of time.
fn showing(
    candidate: &Candidate,
    path: &Path,
    frames: &[NightFrame],
    params: &CutoutParams,
) -> Vec<PlannedFrame> {
    let mut found: Vec<PlannedFrame> = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let detection = candidate.detections.iter().find(|d| d.frame == frame.name);
        let (predicted_rad, err_arcsec) = path.at(frame.mid_mjd_utc);
        let scale = params.scale_arcsec.unwrap_or_else(|| frame.wcs.pixel_scale_arcsec());
        let is_known = err_arcsec <= PLACE_ERR_SHARE * params.side_px as f64 * scale;
        let is_bright = candidate.mag.is_none_or(|m| m <= frame.limiting_mag + BELOW_LIMIT_MAG);
        let is_expected = is_known && is_bright && covers(frame, predicted_rad);
        if detection.is_some() || is_expected {
            found.push(PlannedFrame {
                index,
                predicted_rad,
                detected_deg: detection.map(|d| (d.ra_deg, d.dec_deg)),
                flux_scale: 1.0,
                static_from: Vec::new(),
            });
        }
    }
    found.sort_by(|a, b| {
        let (a, b) = (&frames[a.index], &frames[b.index]);
        a.mid_mjd_utc.total_cmp(&b.mid_mjd_utc).then_with(|| a.content_hash.cmp(&b.content_hash))
    });
    found
}

/// Tells whether a place lies on a frame.
fn covers(frame: &NightFrame, (ra, dec): (f64, f64)) -> bool {
    let centre = frame.wcs.to_sky(0.5 * frame.nx as f64 - 0.5, 0.5 * frame.ny as f64 - 0.5);
    let diagonal_px = (frame.nx as f64).hypot(frame.ny as f64);
    // Far outside the frame the distortion means nothing.
    let reach_rad = diagonal_px * frame.wcs.pixel_scale_arcsec() * ARCSEC_RAD;
    if separation_rad(centre, (ra, dec)) > reach_rad {
        return false;
    }
    frame.wcs.to_pixel(ra, dec).is_some_and(|(x, y)| {
        (-0.5..=frame.nx as f64 - 0.5).contains(&x) && (-0.5..=frame.ny as f64 - 0.5).contains(&y)
    })
}

/// At most `limit` of the frames, evenly over time; those with a detection first, but not so many
/// that none of the others is left.
fn chosen(frames: Vec<PlannedFrame>, limit: usize) -> Vec<PlannedFrame> {
    if frames.len() <= limit {
        return frames;
    }
    let (detected, others): (Vec<usize>, Vec<usize>) =
        (0..frames.len()).partition(|&i| frames[i].detected_deg.is_some());
    let n_others =
        others.len().min(limit.saturating_sub(detected.len()).max(limit / UNDETECTED_SHARE));
    let mut wanted = evenly(&detected, limit - n_others);
    wanted.extend(evenly(&others, n_others));
    let mut number = 0;
    let mut frames = frames;
    frames.retain(|_| {
        number += 1;
        wanted.contains(&(number - 1))
    });
    frames
}

/// At most `limit` of the values, evenly spread, the first and the last among them.
fn evenly(values: &[usize], limit: usize) -> Vec<usize> {
    match limit {
        _ if values.len() <= limit => values.to_vec(),
        0 => Vec::new(),
        1 => vec![values[values.len() / 2]],
        _ => (0..limit).map(|i| values[i * (values.len() - 1) / (limit - 1)]).collect(),
    }
}

/// Brings all frames to the median of their zero points.
fn scale_fluxes(planned: &mut [PlannedFrame], frames: &[NightFrame]) {
    let zero = |f: &PlannedFrame| frames[f.index].electron_mag;
    let known: Vec<f64> = planned.iter().filter_map(zero).collect();
    let Some(common) = median(&known) else { return };
    for frame in planned {
        let excess_mag = frames[frame.index].electron_mag.unwrap_or(common) - common;
        frame.flux_scale = 10_f64.powf(-0.4 * excess_mag) as f32;
    }
}

/// Chooses the frames that give each frame's static sky: evenly over those in which the object is
/// elsewhere; none when they are too few.
fn choose_static(plan: &mut Plan<'_>) {
    let places: Vec<(f64, f64)> = plan.frames.iter().map(|frame| frame.predicted_rad).collect();
    for (slot, frame) in plan.frames.iter_mut().enumerate() {
        let is_elsewhere = |other: &usize| {
            let moved_rad = separation_rad(places[slot], places[*other]);
            moved_rad > plan.clear_arcsec * ARCSEC_RAD
        };
        let free: Vec<usize> = (0..places.len()).filter(is_elsewhere).collect();
        if free.len() >= STATIC_FRAMES_MIN {
            frame.static_from = evenly(&free, STATIC_FRAMES_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_chosen() {
        let values: Vec<usize> = (10..30).collect();
        assert_eq!(evenly(&values, 4), [10, 16, 22, 29]);
        assert_eq!(evenly(&values, 1), [20]);
        assert_eq!(evenly(&values, 0), [0; 0]);
        assert_eq!(evenly(&values, 99), values);
    }

    #[test]
    fn detections_go_first_but_some_others_stay() {
        let frame = |index: usize, is_detected: bool| PlannedFrame {
            index,
            predicted_rad: (0.0, 0.0),
            detected_deg: is_detected.then_some((0.0, 0.0)),
            flux_scale: 1.0,
            static_from: Vec::new(),
        };
        let counted = |frames: Vec<PlannedFrame>| {
            let n_detected = frames.iter().filter(|f| f.detected_deg.is_some()).count();
            assert!(frames.is_sorted_by_key(|f| f.index));
            (frames.len(), n_detected)
        };
        // 3 detections in 100 frames, 8 allowed: all of them, and 5 others.
        let few = (0..100).map(|i| frame(i, i % 40 == 0)).collect();
        assert_eq!(counted(chosen(few, 8)), (8, 3));
        // Mostly detected: a quarter stays for the others.
        let most = (0..100).map(|i| frame(i, i % 10 != 0)).collect();
        assert_eq!(counted(chosen(most, 8)), (8, 6));
        let all = (0..100).map(|i| frame(i, true)).collect();
        assert_eq!(counted(chosen(all, 8)), (8, 8));
        let fits = (0..5).map(|i| frame(i, false)).collect();
        assert_eq!(counted(chosen(fits, 8)), (5, 0));
    }
}
