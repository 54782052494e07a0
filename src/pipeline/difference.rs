//! Movers in the blends of stars: sources of the frames less the static sky of their field.
//!
//! The catalogues of the frames alone lose what lies in a star's blend; the frames less a median
//! template alone lose what hardly moves. Linking takes both. Templates are made around the stars
//! only: elsewhere the frame's own catalogue holds what there is. The windows lie on the pixels of
//! the deepest frame; every frame is read once per portion of windows and cut into them.

use rayon::prelude::*;

use super::link::NightFrame;
use super::recover::{
    FieldView, Recovered, SKY_CLIP_SIGMA, SKY_FLOOR_ARCSEC, UNFIT, mismatch, sky_variance_e2,
};
use super::static_sky::PixelSource;
use crate::science::detect::psf_model::PsfModel;
use crate::science::image::Image;
use crate::science::image::resample::{Window, blank_masked, resample_onto};
use crate::science::image::stats::clipped_of_sorted;
use crate::science::movers::difference::difference_peaks;
use crate::science::movers::field::Role;
use crate::science::movers::hidden::{HiddenLight, StillSky};
use crate::science::movers::motion::PlanePoint;
use crate::science::movers::stationary::{StationaryParams, is_other_time};
use crate::science::units::ARCSEC_RAD;

/// Fewest frames of a field.
const FRAMES_MIN: usize = 5;
/// Frames of a template.
const OTHERS_MIN: usize = 4;
const OTHERS_MAX: usize = 7;
/// Stars below this signal-to-noise ratio hide little.
const STAR_SNR_MIN: f64 = 12.0;
/// Half a window [FWHM], and its limits [px].
const HALF_FWHM: f64 = 4.0;
const HALF_MIN_PX: f64 = 8.0;
const HALF_MAX_PX: f64 = 15.0;
/// A neighbour this near to the middle of a window needs none of its own [half windows].
const COVERED_HALVES: f64 = 0.4;
/// Most stamps in memory: 30,000 of 31 x 31 px are 115 MB.
const STAMPS_MAX: usize = 30_000;
/// Most portions of windows, brightest stars first; a portion reads all frames once.
const PORTIONS_MAX: usize = 4;
/// Most sources of a frame; the most certain stay.
const SOURCES_MAX: usize = 300;
/// What the frame's catalogue holds within this is not told again, and what is seen within this
/// at another time stands still [FWHM].
const SAME_FWHM: f64 = 0.8;
const STILL_FWHM: f64 = 0.5;

/// A frame cut into windows.
struct CutFrame {
    /// In the light of the base frame, sky taken off.
    stamps: Vec<Option<Image<f32>>>,
    /// Variance of the sky in that light [e-^2].
    sky_e2: f64,
}

/// The field and the frame whose pixels and light are used.
#[derive(Clone, Copy)]
struct Based<'a> {
    view: FieldView<'a>,
    base: &'a NightFrame,
}

/// The sources of each frame less the static sky that are no free detections of it.
///
/// * `view`: the field, its detections' roles known.
pub fn differences(
    view: FieldView<'_>,
    params: &StationaryParams,
    pixels: &dyn PixelSource,
) -> Vec<Vec<Recovered>> {
    let mut found: Vec<Vec<Recovered>> = vec![Vec::new(); view.frames.len()];
    let deepest = (0..view.frames.len())
        .filter(|&k| view.frames[k].electron_mag.is_some())
        .max_by(|&a, &b| view.frames[a].limiting_mag.total_cmp(&view.frames[b].limiting_mag));
    let (Some(number), true) = (deepest, view.frames.len() >= FRAMES_MIN) else { return found };
    let based = Based { view, base: view.frames[number] };
    let portion = (STAMPS_MAX / view.frames.len()).max(1);
    for windows in windows(based, number, PORTIONS_MAX * portion).chunks(portion) {
        let cut = cut_all(based, windows, pixels);
        let peaks: Vec<Vec<(usize, HiddenLight)>> = (0..windows.len())
            .into_par_iter()
            .map(|window| {
                let of_frame = |k| peaks_of(window, k, based, &cut);
                let frames = 0..view.frames.len();
                frames.flat_map(|k| of_frame(k).into_iter().map(move |p| (k, p))).collect()
            })
            .collect();
        for (window, peaks) in windows.iter().zip(peaks) {
            for (k, peak) in peaks {
                found[k].extend(source(&peak, window, (based, k)));
            }
        }
    }
    for (frame, found) in view.frames.iter().zip(&mut found) {
        thin(found, frame);
    }
    drop_still(&mut found, view, params);
    found
}

/// Windows around the stars of a frame, brightest first.
fn windows(Based { view, base }: Based<'_>, number: usize, n_max: usize) -> Vec<Window> {
    let fwhm_px = base.fwhm_arcsec / base.wcs.pixel_scale_arcsec();
    let half = (HALF_FWHM * fwhm_px).ceil().clamp(HALF_MIN_PX, HALF_MAX_PX);
    let is_still = |role: Role| matches!(role, Role::Star | Role::Static);
    let mut stars: Vec<(f64, (f64, f64))> = view.field[number]
        .detections
        .iter()
        .filter(|d| is_still(d.role) && d.snr >= STAR_SNR_MIN)
        .map(|d| (d.snr, base.on_detector(d.detector_x_px, d.detector_y_px)))
        .collect();
    stars.sort_by(|a, b| {
        let (p, q) = (a.1, b.1);
        b.0.total_cmp(&a.0).then(p.1.total_cmp(&q.1)).then(p.0.total_cmp(&q.0))
    });
    // Cells of the distance at which a window covers a neighbour: at most one window in each.
    let reach = COVERED_HALVES * half;
    let cell = |(x, y): (f64, f64)| ((x / reach).floor() as i64, (y / reach).floor() as i64);
    let mut taken: std::collections::HashMap<(i64, i64), (f64, f64)> =
        std::collections::HashMap::new();
    let mut windows: Vec<Window> = Vec::new();
    for (_, place) in stars {
        let (column, row) = cell(place);
        let is_covered = (-1..=1)
            .flat_map(|dy| (-1..=1).map(move |dx| (column + dx, row + dy)))
            .filter_map(|key| taken.get(&key))
            .any(|other| (other.0 - place.0).abs() <= reach && (other.1 - place.1).abs() <= reach);
        if is_covered {
            continue;
        }
        taken.insert((column, row), place);
        windows.push(Window {
            x_first_px: (place.0 - half).round() as i64,
            y_first_px: (place.1 - half).round() as i64,
            side_px: 2 * half as usize + 1,
        });
        if windows.len() >= n_max {
            break;
        }
    }
    windows
}

/// Cuts all frames into windows; a frame per thread is in memory at a time.
fn cut_all(
    based: Based<'_>,
    windows: &[Window],
    pixels: &dyn PixelSource,
) -> Vec<Option<CutFrame>> {
    let mut cut: Vec<Option<CutFrame>> = Vec::with_capacity(based.view.frames.len());
    for some in based.view.frames.chunks(rayon::current_num_threads().max(1)) {
        let some: Vec<Option<CutFrame>> =
            some.par_iter().map(|frame| cut_frame(frame, (based.base, windows), pixels)).collect();
        cut.extend(some);
    }
    cut
}

/// Cuts a frame into windows; `None` when it cannot be read or its light is not known.
fn cut_frame(
    frame: &NightFrame,
    (base, windows): (&NightFrame, &[Window]),
    pixels: &dyn PixelSource,
) -> Option<CutFrame> {
    let scale = 10_f64.powf(0.4 * (base.electron_mag? - frame.electron_mag?));
    let (mut light_e, mask) = pixels.load(frame)?;
    blank_masked(&mut light_e, &mask, UNFIT);
    let sky_e2 = sky_variance_e2(&light_e)? * scale * scale;
    let stamp = |window: &Window| {
        let mut stamp = resample_onto(&light_e, &frame.wcs, (&base.wcs, window))?;
        let finite = stamp.pixels().iter().copied().filter(|v| v.is_finite());
        let mut sorted: Vec<f32> = finite.collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let sky = clipped_of_sorted(&sorted, SKY_CLIP_SIGMA)?.median;
        let in_light = |v: f32| ((f64::from(v) - sky) * scale) as f32;
        stamp.pixels_mut().iter_mut().for_each(|v| *v = in_light(*v));
        Some(stamp)
    };
    Some(CutFrame { stamps: windows.iter().map(stamp).collect(), sky_e2 })
}

/// What frame `k` holds in a window beyond the static sky of the others.
fn peaks_of(
    window: usize,
    k: usize,
    Based { view, base }: Based<'_>,
    cut: &[Option<CutFrame>],
) -> Vec<HiddenLight> {
    let stamp = |j: usize| cut[j].as_ref().and_then(|c| c.stamps[window].as_ref());
    let (Some(own), Some(cut_frame)) = (stamp(k), cut[k].as_ref()) else { return Vec::new() };
    let frame = view.frames[k];
    let mut others: Vec<usize> =
        (0..view.frames.len()).filter(|&j| j != k && stamp(j).is_some()).collect();
    // Of one filter, about as sharp (5 %), near in time.
    let unlike = |j: usize| {
        let other = view.frames[j];
        let blur = (20.0 * (other.fwhm_arcsec / frame.fwhm_arcsec - 1.0).abs()).floor();
        (other.filter != frame.filter, blur, (other.mid_mjd_utc - frame.mid_mjd_utc).abs())
    };
    others.sort_by(|&a, &b| {
        let (x, y) = (unlike(a), unlike(b));
        x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)).then(x.2.total_cmp(&y.2)).then(a.cmp(&b))
    });
    others.truncate(OTHERS_MAX);
    if others.len() < OTHERS_MIN {
        return Vec::new();
    }
    let stamps: Vec<Image<f32>> = others.iter().filter_map(|&j| stamp(j).cloned()).collect();
    let Some(still) = StillSky::median(&stamps) else { return Vec::new() };
    let fwhm_px = frame.fwhm_arcsec / base.wcs.pixel_scale_arcsec();
    let psf = PsfModel::assumed(fwhm_px.clamp(1.0, 30.0), (base.nx, base.ny));
    let star = psf.star_at(0.5 * base.nx as f64, 0.5 * base.ny as f64);
    let mismatch = mismatch(frame, &others, view);
    difference_peaks((own, cut_frame.sky_e2), &still, (&star, fwhm_px), &mismatch)
}

/// A peak as a source of frame `k`; `None` at its edge and where its catalogue has a free one.
fn source(
    peak: &HiddenLight,
    window: &Window,
    (Based { view, base }, k): (Based<'_>, usize),
) -> Option<Recovered> {
    let (frame, seen) = (view.frames[k], &view.field[k]);
    let on_base = (window.x_first_px as f64 + peak.x_px, window.y_first_px as f64 + peak.y_px);
    let sky_rad = base.wcs.to_sky(on_base.0, on_base.1);
    let place_px = frame.wcs.to_pixel(sky_rad.0, sky_rad.1)?;
    let (xi, eta) = view.plane.project(sky_rad.0, sky_rad.1)?;
    let (east_arcsec, north_arcsec) = (xi / ARCSEC_RAD, eta / ARCSEC_RAD);
    let is_told = seen
        .near(east_arcsec, north_arcsec, SAME_FWHM * frame.fwhm_arcsec)
        .any(|i| !matches!(seen.detections[i].role, Role::Star | Role::Static));
    if is_told || !seen.contains(east_arcsec, north_arcsec, frame.fwhm_arcsec) {
        return None;
    }
    let snr = peak.flux_e / peak.flux_err_e;
    Some(Recovered {
        frame: k,
        place_px,
        sky_rad,
        point: PlanePoint {
            t_h: seen.t_h,
            east_arcsec,
            north_arcsec,
            sigma_arcsec: (peak.place_err_px * base.wcs.pixel_scale_arcsec())
                .hypot(SKY_FLOOR_ARCSEC),
        },
        mag: base.electron_mag? - 2.5 * peak.flux_e.log10(),
        mag_err: (1.0857 / snr).hypot(frame.zero_point_err_mag),
        snr,
    })
}

/// Leaves one of those that windows share, and the most certain of too many.
fn thin(found: &mut Vec<Recovered>, frame: &NightFrame) {
    let fwhm_px = frame.fwhm_arcsec / frame.wcs.pixel_scale_arcsec();
    found.sort_by(|a, b| {
        let place = a.place_px.1.total_cmp(&b.place_px.1);
        b.snr.total_cmp(&a.snr).then(place).then(a.place_px.0.total_cmp(&b.place_px.0))
    });
    let mut kept: Vec<Recovered> = Vec::new();
    for one in found.drain(..) {
        let is_same = |other: &Recovered| {
            let (dx, dy) = (one.place_px.0 - other.place_px.0, one.place_px.1 - other.place_px.1);
            dx.hypot(dy) < fwhm_px
        };
        if kept.len() < SOURCES_MAX && !kept.iter().any(is_same) {
            kept.push(one);
        }
    }
    *found = kept;
}

/// Leaves out what is seen at the same place at another time: variable stars, bad subtractions.
fn drop_still(found: &mut [Vec<Recovered>], view: FieldView<'_>, params: &StationaryParams) {
    let (Some(first), Some(last)) = (view.field.first(), view.field.last()) else { return };
    let span_h = last.t_h - first.t_h;
    let all: Vec<Vec<PlanePoint>> =
        found.iter().map(|f| f.iter().map(|r| r.point).collect()).collect();
    for (k, found) in found.iter_mut().enumerate() {
        found.retain(|one| {
            let own = &view.field[k];
            !view.field.iter().zip(&all).any(|(other, points)| {
                let fwhm = own.fwhm_arcsec.max(other.fwhm_arcsec);
                is_other_time(other.t_h, own.t_h, span_h, fwhm, params)
                    && points.iter().any(|p| {
                        let east = p.east_arcsec - one.point.east_arcsec;
                        east.hypot(p.north_arcsec - one.point.north_arcsec) < STILL_FWHM * fwhm
                    })
            })
        });
    }
}

#[cfg(test)]
mod tests;
