//! Says at which step of a night a given object was lost, or that it was found.
//!
//! The steps are those of the night: frames that can be used and cover its path; a source there;
//! that source free for linking; enough of them on one motion; odds better than chance; the cuts of
//! `[filter]`. What linking saw is read from its table; the odds are computed anew with its rules.

use serde::Serialize;

use super::artifact::candidate::Candidate;
use super::artifact::frame_record::{FrameRecord, FrameStatus};
use super::artifact::linking::{Linking, SeenSource, role_words};
use super::artifact::report::NightReport;
use crate::science::movers::field::{DetectionId, FieldFrame, PlaneDetection, Role};
use crate::science::movers::link::{LinkParams, Weighed, weigh};
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::separation_rad;
use crate::science::sky::wcs::Wcs;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Where the object is in each frame.
pub type PathOf<'a> = dyn Fn(&FrameRecord) -> Option<(f64, f64)> + 'a;

/// What became of the object in one frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TracedFrame {
    /// The frame.
    pub frame: String,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Where the object should be [px].
    pub x_px: f64,
    /// Row [px].
    pub y_px: f64,
    /// Faintest magnitude seen, S/N 5 [mag].
    pub limiting_mag: Option<f64>,
    /// The nearest source within reach.
    pub nearest: Option<TracedSource>,
}

/// A source near the object's place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TracedSource {
    /// Distance to the place [arcsec].
    pub separation_arcsec: f64,
    /// Magnitude [mag].
    pub mag: f64,
    /// Signal-to-noise ratio.
    pub snr: f64,
    /// What linking took it for.
    pub taken_for: &'static str,
    /// The candidate it belongs to.
    pub candidate: Option<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// Frames that cover the object's path.
    pub frames: Vec<TracedFrame>,
    /// Frames of the night that could not be used.
    pub n_unusable: usize,
    /// The step where the object was lost; `None` when it was found.
    pub lost_at: Option<&'static str>,
    /// What happened, in words.
    pub told: String,
}

/// Traces an object through a night.
///
/// * `path`: its place (RA, Dec) [deg] in a frame, when it is known.
/// * `reach_arcsec`: a source this near is taken for it.
pub fn trace(
    (report, linking): (&NightReport, &Linking),
    path: &PathOf<'_>,
    reach_arcsec: f64,
    params: &LinkParams,
) -> Trace {
    let mut on_path = Vec::new();
    let usable = report.frames.iter().filter(|f| f.status == FrameStatus::Ok);
    for record in usable {
        let Some(place) = path(record) else { continue };
        let Some((wcs, mid_mjd_utc)) = record.solution().zip(record.mid_mjd_utc) else { continue };
        let sources = of_frame(linking, &record.frame);
        let Some((x_px, y_px)) = inside(&wcs, place, &sources) else { continue };
        let near = nearest(&sources, place, reach_arcsec);
        on_path.push(OnPath { record, mid_mjd_utc, pixel: (x_px, y_px), near });
    }
    let (lost_at, told) = verdict(report, &on_path, params);
    let n_unusable = report.frames.iter().filter(|f| f.status != FrameStatus::Ok).count();
    Trace { frames: on_path.iter().map(OnPath::traced).collect(), n_unusable, lost_at, told }
}

/// A frame that covers the object's place.
struct OnPath<'a> {
    record: &'a FrameRecord,
    mid_mjd_utc: f64,
    pixel: (f64, f64),
    near: Option<(f64, &'a SeenSource)>,
}

impl OnPath<'_> {
    fn traced(&self) -> TracedFrame {
        TracedFrame {
            frame: self.record.frame.clone(),
            mid_mjd_utc: self.mid_mjd_utc,
            x_px: self.pixel.0,
            y_px: self.pixel.1,
            limiting_mag: self.record.limiting_mag,
            nearest: self.near.map(|(separation_arcsec, source)| TracedSource {
                separation_arcsec,
                mag: source.mag,
                snr: source.snr,
                taken_for: role_words(source.role),
                candidate: source.candidate.clone(),
            }),
        }
    }
}

fn of_frame<'a>(linking: &'a Linking, name: &str) -> Vec<&'a SeenSource> {
    let index = linking.frames.iter().position(|frame| frame == name);
    linking.sources.iter().filter(|source| Some(source.frame) == index).collect()
}

/// The place on the frame, inside the rectangle that its sources fill.
fn inside(wcs: &Wcs, place: (f64, f64), sources: &[&SeenSource]) -> Option<(f64, f64)> {
    let (x, y) = wcs.to_pixel(place.0 * DEG_RAD, place.1 * DEG_RAD)?;
    let mut least = (f64::INFINITY, f64::INFINITY);
    let mut most = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for source in sources {
        let Some((sx, sy)) = wcs.to_pixel(source.ra_deg * DEG_RAD, source.dec_deg * DEG_RAD) else {
            continue;
        };
        least = (least.0.min(sx), least.1.min(sy));
        most = (most.0.max(sx), most.1.max(sy));
    }
    let is_inside = (least.0..=most.0).contains(&x) && (least.1..=most.1).contains(&y);
    is_inside.then_some((x, y))
}

fn nearest<'a>(
    sources: &[&'a SeenSource],
    place: (f64, f64),
    reach_arcsec: f64,
) -> Option<(f64, &'a SeenSource)> {
    let place = (place.0 * DEG_RAD, place.1 * DEG_RAD);
    let distance = |s: &SeenSource| {
        separation_rad((s.ra_deg * DEG_RAD, s.dec_deg * DEG_RAD), place) / ARCSEC_RAD
    };
    let near = sources.iter().map(|s| (distance(s), *s)).filter(|(d, _)| *d <= reach_arcsec);
    near.min_by(|a, b| a.0.total_cmp(&b.0))
}

/// The step where the object was lost, and why.
fn verdict(
    report: &NightReport,
    on_path: &[OnPath<'_>],
    params: &LinkParams,
) -> (Option<&'static str>, String) {
    let needed = params.detections_min;
    if on_path.len() < needed {
        let told = format!(
            "{} usable frames cover its path, {needed} are needed; {} of the night's frames could \
             not be used (`autossosctl night show` says why)",
            on_path.len(),
            report.frames.iter().filter(|f| f.status != FrameStatus::Ok).count()
        );
        return (Some("frames"), told);
    }
    if let Some(told) = found(report, on_path) {
        return told;
    }
    let near: Vec<&SeenSource> = on_path.iter().filter_map(|f| f.near.map(|n| n.1)).collect();
    if near.len() < needed {
        let told = format!(
            "in {} of {} frames that cover its path nothing was detected there: too faint, or \
             hidden by a star",
            on_path.len() - near.len(),
            on_path.len()
        );
        return (Some("detection"), told);
    }
    let n_free = near.iter().filter(|s| s.role == Role::Free).count();
    if n_free < needed {
        let mut told = format!("{n_free} of {} detections there were free for linking", near.len());
        for role in [Role::Star, Role::Static, Role::HotPixel, Role::Trail, Role::Unfit] {
            let n = near.iter().filter(|s| s.role == role).count();
            if n > 0 {
                told.push_str(&format!("; {n} {}", role_words(role)));
            }
        }
        return (Some("stationary sky"), told);
    }
    (Some("linking"), by_odds(on_path, params))
}

/// The candidate that holds most of the detections, and what became of it.
fn found(report: &NightReport, on_path: &[OnPath<'_>]) -> Option<(Option<&'static str>, String)> {
    let ids: Vec<&str> =
        on_path.iter().filter_map(|f| f.near.and_then(|n| n.1.candidate.as_deref())).collect();
    let count = |id: &str| ids.iter().filter(|other| **other == id).count();
    let id = ids.iter().copied().max_by_key(|id| (count(id), *id)).filter(|id| count(id) >= 2)?;
    let is_it = |c: &&Candidate| c.id == id;
    if let Some(c) = report.candidates.iter().find(is_it) {
        return Some((None, format!("found: candidate {id}, {} detections", c.detections.len())));
    }
    if let Some(c) = report.faint.iter().find(is_it) {
        let told = format!(
            "found, but seen in less than half of the frames that cover it ({} of {}): candidate \
             {id} is listed apart",
            c.detections.len(),
            c.n_covered
        );
        return Some((None, told));
    }
    let removed = report.removed.iter().find(|r| r.id == id)?;
    Some((
        Some("filter"),
        format!("linked, and removed by filter {}: {}", removed.filter, removed.why),
    ))
}

/// The odds of the free detections on the path.
fn by_odds(on_path: &[OnPath<'_>], params: &LinkParams) -> String {
    let Some(origin) = on_path.iter().find_map(|f| f.near) else { return String::new() };
    let plane = TangentPlane::at((origin.1.ra_deg * DEG_RAD, origin.1.dec_deg * DEG_RAD));
    let first_mjd = on_path.iter().map(|f| f.mid_mjd_utc).fold(f64::INFINITY, f64::min);
    let mut on_path: Vec<&OnPath<'_>> = on_path.iter().collect();
    on_path.sort_by(|a, b| a.mid_mjd_utc.total_cmp(&b.mid_mjd_utc));
    let mut members = Vec::new();
    let mut frames = Vec::with_capacity(on_path.len());
    for f in on_path {
        let mut detections = Vec::new();
        if let Some((_, s)) = f.near.filter(|n| n.1.role == Role::Free)
            && let Some((xi, eta)) = plane.project(s.ra_deg * DEG_RAD, s.dec_deg * DEG_RAD)
        {
            members.push(DetectionId { frame: frames.len() as u32, index: 0 });
            detections.push(PlaneDetection {
                east_arcsec: xi / ARCSEC_RAD,
                north_arcsec: eta / ARCSEC_RAD,
                sigma_arcsec: s.sigma_arcsec,
                mag: s.mag,
                snr: s.snr,
                detector_x_px: f.pixel.0,
                detector_y_px: f.pixel.1,
                streak: None,
                role: Role::Free,
            });
        }
        const SIDE_ARCSEC: f64 = 1800.0;
        frames.push(FieldFrame {
            t_h: 24.0 * (f.mid_mjd_utc - first_mjd),
            limiting_mag: f.record.limiting_mag.unwrap_or(f64::NAN),
            exposure_h: f.record.exposure_s.unwrap_or(0.0) / 3600.0,
            fwhm_arcsec: f.record.fwhm_arcsec.unwrap_or(3.0),
            outline_arcsec: [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
                .map(|c| (c.0 * SIDE_ARCSEC, c.1 * SIDE_ARCSEC)),
            detections,
        });
    }
    in_words(&weigh(&frames, &members, params), members.len(), params)
}

fn in_words(weighed: &Weighed, n: usize, params: &LinkParams) -> String {
    let Some((motion, score)) = weighed.motion.zip(weighed.score) else {
        return format!("{n} free detections there have no common motion");
    };
    let rate = motion.rate_arcsec_per_h();
    let fit = format!(
        "{n} free detections there, {rate:.1}\"/h, chi2 {:.1} of {} degrees",
        motion.chi2,
        (2 * n).saturating_sub(4)
    );
    if rate < params.rate_min_arcsec_per_h || rate > params.score.rate_max_arcsec_per_h {
        return format!("{fit}: outside the rates of [link]");
    }
    if weighed.is_two_places {
        return format!("{fit}: two places where something flickers explain them as well");
    }
    let odds = (-score.log_odds).exp();
    format!(
        "{fit}: odds of an accident {odds:.2e} in an empty field, at most {} are allowed \
         (link.chance_odds_max); where the odds alone would pass, no pair of them was confirmed, \
         or a better tracklet took some",
        params.chance_odds_max
    )
}

#[cfg(test)]
mod tests;
