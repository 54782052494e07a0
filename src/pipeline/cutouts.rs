//! Makes the cut-outs of a night's candidates: what a person blinks to judge them.
//!
//! `plan` decides which frames show a candidate and where; here the frames are read, one after the
//! other and each once, and all stamps are cut from it in parallel; `static_sky` takes the median
//! of the other frames off. Where all stamps together would take too much memory the candidates
//! are done in portions, and a frame is read once for each.

mod plan;
mod static_sky;

use rayon::prelude::*;

use self::plan::{Plan, plan};
use super::artifact::candidate::Candidate;
use super::artifact::cutouts::{Cutouts, FrameCutout, Neighbour};
use super::link::NightFrame;
use super::static_sky::PixelSource;
use crate::science::image::Image;
use crate::science::image::mask::MaskBits;
use crate::science::image::resample::{SkyGrid, blank_masked, resample};
use crate::science::image::stats::clipped_of_sorted;
use crate::science::reference::ReferenceSky;
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Memory of the stamps of a portion [bytes].
const PORTION_BYTES_MAX: usize = 256 << 20;
/// Pixels that show nothing of the sky. Saturated ones do, and a satellite's trail is worth seeing.
const BLANK: MaskBits = MaskBits::BAD.with(MaskBits::NO_DATA).with(MaskBits::COSMIC);
/// Clipping of the stamp's sky around its median [sigma].
const SKY_CLIP_SIGMA: f64 = 3.0;
/// Most neighbours of a candidate, and most stars looked at for them.
const NEIGHBOURS_MAX: usize = 60;
const STARS_MAX: usize = 4000;

/// How cut-outs are made.
#[derive(Debug, Clone, PartialEq)]
pub struct CutoutParams {
    /// Side of a stamp [px]; odd.
    pub side_px: usize,
    /// Most frames of a candidate.
    pub frames_max: usize,
    /// Side of a stamp's pixel [arcsec]; that of the frames when none.
    pub scale_arcsec: Option<f64>,
}

impl Default for CutoutParams {
    fn default() -> Self {
        Self { side_px: 63, frames_max: 24, scale_arcsec: None }
    }
}

/// What cut-outs are made of.
#[derive(Clone, Copy)]
pub struct CutoutInputs<'a> {
    /// The solved frames of the night.
    pub frames: &'a [NightFrame],
    /// Their pixels.
    pub pixels: &'a dyn PixelSource,
    /// The reference catalogue; it may be empty.
    pub sky: &'a dyn ReferenceSky,
}

/// Makes the cut-outs of candidates and hands them over in their order.
///
/// A candidate without a motion or without a frame that can be read is passed over. Errors: those
/// of `keep`, which end the work.
pub fn make_cutouts<E>(
    candidates: &[&Candidate],
    inputs: CutoutInputs<'_>,
    params: &CutoutParams,
    keep: &mut dyn FnMut(Cutouts) -> Result<(), E>,
) -> Result<(), E> {
    let plans: Vec<Plan<'_>> =
        candidates.iter().filter_map(|c| plan(c, inputs.frames, params)).collect();
    let mut rest = plans.as_slice();
    while !rest.is_empty() {
        let (portion, later) = rest.split_at(portion_length(rest));
        rest = later;
        let stamps = cut(portion, inputs);
        let made: Vec<Option<Cutouts>> = portion
            .par_iter()
            .zip(stamps)
            .map(|(plan, stamps)| assembled(plan, stamps, inputs))
            .collect();
        made.into_iter().flatten().try_for_each(&mut *keep)?;
    }
    Ok(())
}

/// How many of the plans fit into memory together; at least one.
fn portion_length(plans: &[Plan<'_>]) -> usize {
    let mut bytes = 0;
    let fits = plans.iter().take_while(|plan| {
        bytes += plan.n_stamps() * plan.side_px * plan.side_px * size_of::<f32>();
        bytes <= PORTION_BYTES_MAX
    });
    fits.count().max(1)
}

/// What a stamp is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// The object in its frame.
    OnObject,
    /// The sky around the path.
    OnSky,
    /// The sky where the object is in another frame, given by its number.
    StaticFor(usize),
}

/// A stamp to be cut.
struct Job {
    plan: usize,
    /// Number of the frame within the plan.
    slot: usize,
    purpose: Use,
}

/// The stamps of a candidate.
struct Stamps {
    on_object: Vec<Option<Image<f32>>>,
    on_sky: Vec<Option<Image<f32>>>,
    /// By the frame they serve: number of the frame they are from, and the stamp.
    static_for: Vec<Vec<(usize, Image<f32>)>>,
}

/// Cuts all stamps of some plans, frame by frame.
fn cut(plans: &[Plan<'_>], inputs: CutoutInputs<'_>) -> Vec<Stamps> {
    let mut stamps: Vec<Stamps> =
        plans.iter().map(|plan| Stamps::none(plan.frames.len())).collect();
    for (index, frame) in inputs.frames.iter().enumerate() {
        let jobs = jobs(plans, index);
        if jobs.is_empty() {
            continue;
        }
        let Some((mut pixels, mask)) = inputs.pixels.load(frame) else {
            continue;
        };
        blank_masked(&mut pixels, &mask, BLANK);
        drop(mask);
        let cut: Vec<Option<Image<f32>>> = jobs
            .par_iter()
            .map(|job| {
                let plan = &plans[job.plan];
                let grid = plan.grid(match job.purpose {
                    Use::OnObject => plan.frames[job.slot].predicted_rad,
                    Use::OnSky => plan.sky_centre_rad,
                    Use::StaticFor(other) => plan.frames[other].predicted_rad,
                });
                stamp(&pixels, frame, &grid, plan.frames[job.slot].flux_scale)
            })
            .collect();
        for (job, stamp) in jobs.iter().zip(cut) {
            stamps[job.plan].put(job, stamp);
        }
    }
    stamps
}

/// The stamps that are cut from a frame.
fn jobs(plans: &[Plan<'_>], frame: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (number, plan) in plans.iter().enumerate() {
        let Some(slot) = plan.frames.iter().position(|f| f.index == frame) else {
            continue;
        };
        let served = (0..plan.frames.len()).filter(|&k| plan.frames[k].static_from.contains(&slot));
        let uses = [Use::OnObject, Use::OnSky].into_iter().chain(served.map(Use::StaticFor));
        jobs.extend(uses.map(|purpose| Job { plan: number, slot, purpose }));
    }
    jobs
}

/// A stamp with its sky taken off, at the sequence's zero point.
fn stamp(
    pixels: &Image<f32>,
    frame: &NightFrame,
    grid: &SkyGrid,
    flux_scale: f32,
) -> Option<Image<f32>> {
    let mut stamp = resample(pixels, &frame.wcs, grid)?;
    let mut sorted: Vec<f32> = stamp.pixels().iter().copied().filter(|v| v.is_finite()).collect();
    if sorted.is_empty() {
        return None;
    }
    sorted.sort_unstable_by(f32::total_cmp);
    let middle = sorted[sorted.len() / 2];
    let sky = clipped_of_sorted(&sorted, SKY_CLIP_SIGMA).map_or(middle, |s| s.median as f32);
    stamp.pixels_mut().iter_mut().for_each(|value| *value = (*value - sky) * flux_scale);
    Some(stamp)
}

impl Stamps {
    fn none(n_frames: usize) -> Self {
        let none = || (0..n_frames).map(|_| None).collect();
        Self {
            on_object: none(),
            on_sky: none(),
            static_for: (0..n_frames).map(|_| Vec::new()).collect(),
        }
    }

    fn put(&mut self, job: &Job, stamp: Option<Image<f32>>) {
        match job.purpose {
            Use::OnObject => self.on_object[job.slot] = stamp,
            Use::OnSky => self.on_sky[job.slot] = stamp,
            Use::StaticFor(other) => {
                self.static_for[other].extend(stamp.map(|stamp| (job.slot, stamp)));
            }
        }
    }
}

/// The cut-outs of a candidate out of its stamps; `None` without any.
fn assembled(plan: &Plan<'_>, mut stamps: Stamps, inputs: CutoutInputs<'_>) -> Option<Cutouts> {
    let mut frames = Vec::new();
    for (slot, planned) in plan.frames.iter().enumerate() {
        let (Some(on_object), Some(on_sky)) =
            (stamps.on_object[slot].take(), stamps.on_sky[slot].as_ref())
        else {
            continue;
        };
        let here: Vec<(usize, &Image<f32>)> =
            stamps.static_for[slot].iter().map(|(from, stamp)| (*from, stamp)).collect();
        let others: Vec<(usize, &Image<f32>)> = planned
            .static_from
            .iter()
            .filter_map(|&from| Some((from, stamps.on_sky[from].as_ref()?)))
            .collect();
        let object_grid = plan.grid(planned.predicted_rad);
        let sky_grid = plan.grid(plan.sky_centre_rad);
        frames.push(FrameCutout {
            frame: inputs.frames[planned.index].name.clone(),
            mid_mjd_utc: inputs.frames[planned.index].mid_mjd_utc,
            predicted_deg: in_degrees(planned.predicted_rad),
            detected_deg: planned.detected_deg,
            on_object_subtracted: static_sky::subtracted(&on_object, &here, plan, &object_grid),
            on_sky_subtracted: static_sky::subtracted(on_sky, &others, plan, &sky_grid),
            on_sky: on_sky.clone(),
            on_object,
        });
    }
    let mut cutouts = Cutouts {
        candidate_id: plan.candidate.id.clone(),
        side_px: plan.side_px,
        scale_arcsec: plan.scale_arcsec,
        sky_centre_deg: in_degrees(plan.sky_centre_rad),
        frames,
        neighbours: Vec::new(),
    };
    if cutouts.frames.is_empty() {
        return None;
    }
    cutouts.neighbours = neighbours(&cutouts, inputs.sky);
    Some(cutouts)
}

/// Catalogue stars on any of the stamps, brightest first.
fn neighbours(cutouts: &Cutouts, sky: &dyn ReferenceSky) -> Vec<Neighbour> {
    let Some(first) = cutouts.frames.first() else { return Vec::new() };
    let half_px = (cutouts.side_px as f64 - 1.0) / 2.0;
    let path_px = cutouts
        .frames
        .iter()
        .map(|frame| {
            let (x, y) = cutouts.place_px(cutouts.sky_centre_deg, frame.predicted_deg);
            (x - half_px).hypot(y - half_px)
        })
        .fold(0.0, f64::max);
    let reach_px = path_px + (half_px + 1.0) * std::f64::consts::SQRT_2;
    let centre = cutouts.sky_centre_deg;
    let centre_rad = (centre.0 * DEG_RAD, centre.1 * DEG_RAD);
    let epoch_yr = Epoch::from_mjd_utc(first.mid_mjd_utc).julian_year();
    let radius_rad = reach_px * cutouts.scale_arcsec * ARCSEC_RAD;
    // Neighbours are a help to the eye: without a catalogue the picture is as good.
    let stars =
        sky.brightest_in_cone(centre_rad, radius_rad, epoch_yr, STARS_MAX).unwrap_or_default();
    let is_shown = |place: (f64, f64)| {
        let is_on = |centre| {
            let (x, y) = cutouts.place_px(centre, place);
            let inside = -0.5..=(cutouts.side_px as f64 - 0.5);
            inside.contains(&x) && inside.contains(&y)
        };
        is_on(centre) || cutouts.frames.iter().any(|frame| is_on(frame.predicted_deg))
    };
    let listed = stars.iter().filter_map(|star| {
        let (ra_deg, dec_deg) = in_degrees((star.ra_rad, star.dec_rad));
        Some(Neighbour { ra_deg, dec_deg, g_mag: star.g_mag? })
    });
    listed.filter(|n| is_shown((n.ra_deg, n.dec_deg))).take(NEIGHBOURS_MAX).collect()
}

fn in_degrees((ra_rad, dec_rad): (f64, f64)) -> (f64, f64) {
    (ra_rad / DEG_RAD, dec_rad / DEG_RAD)
}

#[cfg(test)]
mod tests;
