//! Where movers are looked for again, and which frames show what stands still there.

use super::{FieldView, Mismatch, SCALE_ERR, SCALE_ERR_FILTERS, SHIFT_ERR_PX, WIDTH_ERR, Window};
use crate::pipeline::link::NightFrame;
use crate::science::movers::link::Tracklet;
use crate::science::units::{ARCSEC_RAD, FWHM_PER_SIGMA};

/// Least expected signal-to-noise ratio: below, not even a fluctuation upwards passes.
const EXPECTED_SNR_MIN: f64 = 2.5;
/// A place that is known worse than this tells nothing [FWHM].
const PLACE_ERR_MAX_FWHM: f64 = 1.0;
/// From this distance on nothing of the mover is left [FWHM].
const CLEAR_FWHM: f64 = 2.5;
/// What belongs to another tracklet is left to it within this [FWHM].
const OTHERS_FWHM: f64 = 1.5;
/// Frames of the static sky.
const OTHERS_MIN: usize = 3;
const OTHERS_MAX: usize = 7;
/// Half a stamp [FWHM], and its limits [px].
const HALF_FWHM: f64 = 3.0;
const HALF_MIN_PX: f64 = 8.0;
const HALF_MAX_PX: f64 = 24.0;
/// Most places of a field; those of the best tracklets come first. Their stamps fill 75 MB at most.
const PLACES_MAX: usize = 1000;

/// A place where a mover is looked for.
pub(super) struct Place {
    pub(super) tracklet: usize,
    pub(super) frame: usize,
    /// Predicted place in the frame [px].
    pub(super) place_px: (f64, f64),
    /// Its error per axis [arcsec].
    pub(super) place_err_arcsec: f64,
    /// What the mover draws during the exposure, along x and y [px].
    pub(super) trail_px: (f64, f64),
    pub(super) window: Window,
    /// Frames that show the place without the mover.
    pub(super) others: Vec<usize>,
    pub(super) mismatch: Mismatch,
}

/// The places where tracklets should have been seen and were not.
pub(super) fn plan(tracklets: &[Tracklet], view: FieldView<'_>) -> Vec<Place> {
    let mut taken: Vec<Vec<(usize, f64, f64)>> = vec![Vec::new(); view.field.len()];
    for (number, tracklet) in tracklets.iter().enumerate() {
        for m in &tracklet.members {
            let d = &view.field[m.frame as usize].detections[m.index as usize];
            taken[m.frame as usize].push((number, d.east_arcsec, d.north_arcsec));
        }
    }
    let mut places = Vec::new();
    for (number, tracklet) in tracklets.iter().enumerate() {
        for (frame, (seen, taken)) in view.field.iter().zip(&taken).enumerate() {
            if tracklet.members.iter().any(|m| m.frame as usize == frame) {
                continue;
            }
            let (east, north) = tracklet.motion.place(seen.t_h);
            let reach = OTHERS_FWHM * seen.fwhm_arcsec;
            let is_anothers = taken.iter().any(|(_, e, n)| (e - east).hypot(n - north) <= reach);
            if is_anothers {
                continue;
            }
            places.extend(place((number, tracklet), frame, view));
            if places.len() >= PLACES_MAX {
                return places;
            }
        }
    }
    places
}

/// The place of a tracklet in a frame; `None` where it would tell nothing.
fn place((number, tracklet): (usize, &Tracklet), k: usize, view: FieldView<'_>) -> Option<Place> {
    let (frame, seen) = (view.frames[k], &view.field[k]);
    frame.electron_mag?;
    let motion = &tracklet.motion;
    let (east, north) = motion.place(seen.t_h);
    let place_err_arcsec = motion.place_err(seen.t_h);
    let expected_snr = 5.0 * 10_f64.powf(0.4 * (seen.limiting_mag - tracklet.score.mag));
    let is_worth_it = seen.contains(east, north, seen.fwhm_arcsec)
        && place_err_arcsec <= PLACE_ERR_MAX_FWHM * seen.fwhm_arcsec
        && expected_snr >= EXPECTED_SNR_MIN;
    if !is_worth_it {
        return None;
    }
    let to_pixel = |(east, north): (f64, f64)| {
        let (ra, dec) = view.plane.deproject(east * ARCSEC_RAD, north * ARCSEC_RAD);
        frame.wcs.to_pixel(ra, dec)
    };
    let place_px = to_pixel((east, north))?;
    let half_h = 0.5 * seen.exposure_h;
    let (from, to) =
        (to_pixel(motion.place(seen.t_h - half_h))?, to_pixel(motion.place(seen.t_h + half_h))?);
    let trail_px = (to.0 - from.0, to.1 - from.1);
    let scale = frame.wcs.pixel_scale_arcsec();
    let fwhm_px = frame.fwhm_arcsec / scale;
    let drawn_px = trail_px.0.hypot(trail_px.1);
    let others = others(tracklet, (k, drawn_px * scale), view)?;
    let half = (HALF_FWHM * fwhm_px + 0.5 * drawn_px).clamp(HALF_MIN_PX, HALF_MAX_PX).ceil();
    if drawn_px > half {
        return None;
    }
    let window = Window {
        x_first_px: (place_px.0 - half).round() as i64,
        y_first_px: (place_px.1 - half).round() as i64,
        side_px: 2 * half as usize + 1,
    };
    let mismatch = mismatch(frame, &others, view);
    Some(Place {
        tracklet: number,
        frame: k,
        place_px,
        place_err_arcsec,
        trail_px,
        window,
        others,
        mismatch,
    })
}

/// Frames in which the mover is elsewhere: of the same filter, no less sharp, near in time first.
fn others(
    tracklet: &Tracklet,
    (k, drawn_arcsec): (usize, f64),
    view: FieldView<'_>,
) -> Option<Vec<usize>> {
    let here = tracklet.motion.place(view.field[k].t_h);
    let own = view.frames[k];
    let mut others: Vec<(bool, f64, f64, usize)> = (0..view.field.len())
        .filter(|&j| j != k)
        .filter_map(|j| {
            let (frame, seen) = (view.frames[j], &view.field[j]);
            frame.electron_mag?;
            let there = tracklet.motion.place(seen.t_h);
            let moved = (there.0 - here.0).hypot(there.1 - here.1);
            let clear = CLEAR_FWHM * seen.fwhm_arcsec.max(own.fwhm_arcsec) + drawn_arcsec;
            if moved < clear || !seen.contains(here.0, here.1, 0.0) {
                return None;
            }
            // Differences of 5 % in seeing do not matter.
            let blur = (20.0 * (frame.fwhm_arcsec / own.fwhm_arcsec - 1.0)).floor().max(0.0);
            let apart_h = (seen.t_h - view.field[k].t_h).abs();
            Some((frame.filter != own.filter, blur, apart_h, j))
        })
        .collect();
    others.sort_by(|a, b| {
        let filter = a.0.cmp(&b.0);
        filter.then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3))
    });
    others.truncate(OTHERS_MAX);
    (others.len() >= OTHERS_MIN).then(|| others.into_iter().map(|o| o.3).collect())
}

/// How well the other frames can stand for a frame.
pub(in crate::pipeline) fn mismatch(
    frame: &NightFrame,
    others: &[usize],
    view: FieldView<'_>,
) -> Mismatch {
    let scale_arcsec = frame.wcs.pixel_scale_arcsec();
    let variance_px2 = |f: &NightFrame| (f.fwhm_arcsec / scale_arcsec / FWHM_PER_SIGMA).powi(2);
    let own_px2 = variance_px2(frame);
    // What is less sharp than the frame cannot be mended before the fit.
    let excess_px2 =
        others.iter().map(|&j| (variance_px2(view.frames[j]) - own_px2).max(0.0)).sum::<f64>()
            / others.len() as f64;
    let is_one_filter = others.iter().all(|&j| view.frames[j].filter == frame.filter);
    Mismatch {
        scale_share: if is_one_filter { SCALE_ERR } else { SCALE_ERR_FILTERS },
        // A change of variance v adds v / 2 times the Laplacian.
        width_px2: 0.5 * (WIDTH_ERR * own_px2 + excess_px2),
        shift_px: SHIFT_ERR_PX,
    }
}
