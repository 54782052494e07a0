//! From the catalogues of a night to candidates: fields, stationary sky, tracklets.

mod candidates;
mod union;

use self::candidates::{FieldSources, candidate};
use self::union::{Origin, set_aside, take_back, unite};
use super::artifact::candidate::Candidate;
use super::artifact::catalogue::Catalogue;
use super::artifact::linking::{Linking, SeenSource};
use super::difference::differences;
use super::fields::{Pointing, fields_of};
use super::recover::{FieldView, Recovered, adopt, recover};
use super::static_sky::{PixelSource, mark_static};
use crate::science::detect::psf_model::PsfModel;
use crate::science::detect::sources::SourceFlags;
use crate::science::movers::associate::mark_repeated;
use crate::science::movers::field::{DetectionId, FieldFrame, PlaneDetection, Role, Streak};
use crate::science::movers::link::{LinkParams, Linked, link};
use crate::science::movers::stationary::{
    PlaneStar, StationaryParams, mark_hot_pixels, mark_stars,
};
use crate::science::movers::trail::mark_trails;
use crate::science::reference::StarAtEpoch;
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::wcs::Wcs;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// A solved frame of the night as linking needs it.
#[derive(Debug, Clone)]
pub struct NightFrame {
    /// The file's name on disk.
    pub name: String,
    /// Content hash of the file, hexadecimal.
    pub content_hash: String,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Length of the exposure, when known [s].
    pub exposure_s: Option<f64>,
    /// Plate solution of the calibrated frame.
    pub wcs: Wcs,
    /// Columns of the calibrated frame [px].
    pub nx: usize,
    /// Rows of the calibrated frame [px].
    pub ny: usize,
    /// Whether its pixels lie turned by 180 degrees on the detector.
    pub is_turned: bool,
    /// Magnitude of a point source with a signal-to-noise ratio of 5 [mag].
    pub limiting_mag: f64,
    /// Seeing [arcsec].
    pub fwhm_arcsec: f64,
    /// Error of the zero point [mag].
    pub zero_point_err_mag: f64,
    /// Magnitude of a source that gives one electron in all; `None` when unknown [mag].
    pub electron_mag: Option<f64>,
    /// Part of the detector, of files with several images; empty for others.
    pub chip: String,
    /// Name of the filter, when known.
    pub filter: Option<String>,
    /// Its stars' shape, when it was measured.
    pub psf: Option<PsfModel>,
    /// Its sources.
    pub catalogue: Catalogue,
}

impl NightFrame {
    /// A place on the detector [px]: that in the frame, a software turn undone.
    pub fn on_detector(&self, x_px: f64, y_px: f64) -> (f64, f64) {
        if self.is_turned {
            (self.nx as f64 - 1.0 - x_px, self.ny as f64 - 1.0 - y_px)
        } else {
            (x_px, y_px)
        }
    }
}

/// Parameters of the night's stages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NightParams {
    /// What stands still.
    pub stationary: StationaryParams,
    /// Tracklets.
    pub link: LinkParams,
}

/// A candidate and the motion it was found by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LinkedNight {
    /// Candidates, not yet compared with known objects, most certain first.
    pub candidates: Vec<Candidate>,
    /// Remarks: limits that were hit, fields with too few frames.
    pub notes: Vec<String>,
    /// The sources and what they were taken for.
    pub linking: Linking,
}

/// Gives reference stars around a place within a radius [rad], at an epoch [d, MJD UTC].
type StarsAround<'a> = dyn Fn((f64, f64), f64, f64) -> Vec<StarAtEpoch> + 'a;

/// Links the frames of a night, field by field.
///
/// * `stars`: reference stars around a place.
/// * `pixels`: calibrated pixels of a frame on demand.
pub fn link_night(
    frames: &[NightFrame],
    stars: &StarsAround<'_>,
    pixels: &dyn PixelSource,
    params: &NightParams,
) -> LinkedNight {
    let mut night = LinkedNight::default();
    for members in fields(frames) {
        if members.len() < params.link.detections_min {
            night.notes.push(format!(
                "field of {}: {} usable frames, {} needed to link",
                frames[members[0]].name,
                members.len(),
                params.link.detections_min
            ));
            continue;
        }
        let field: Vec<&NightFrame> = members.iter().map(|&i| &frames[i]).collect();
        link_field(&field, stars, pixels, params, &mut night);
    }
    let certainty = |c: &Candidate| (c.false_alarms, c.id.clone());
    night.candidates.sort_by(|a, b| {
        let (a, b) = (certainty(a), certainty(b));
        a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1))
    });
    night
}

/// Groups of frames that look at the same place, each in order of time.
fn fields(frames: &[NightFrame]) -> Vec<Vec<usize>> {
    fields_of(&frames.iter().map(pointing).collect::<Vec<_>>())
}

fn pointing(frame: &NightFrame) -> Pointing<'_> {
    let middle = |n: usize| 0.5 * n as f64 - 0.5;
    let side_px = frame.nx.min(frame.ny) as f64;
    Pointing {
        centre_rad: frame.wcs.to_sky(middle(frame.nx), middle(frame.ny)),
        side_rad: side_px * frame.wcs.pixel_scale_arcsec() * ARCSEC_RAD,
        mid_mjd_utc: frame.mid_mjd_utc,
        content_hash: &frame.content_hash,
    }
}

fn link_field(
    frames: &[&NightFrame],
    stars: &StarsAround<'_>,
    pixels: &dyn PixelSource,
    params: &NightParams,
    night: &mut LinkedNight,
) {
    let middle = frames[frames.len() / 2];
    let centre = middle.wcs.to_sky(0.5 * middle.nx as f64, 0.5 * middle.ny as f64);
    let plane = TangentPlane::at(centre);
    let start_mjd = frames[0].mid_mjd_utc;
    let (mut field, mut origins): (Vec<FieldFrame>, Vec<Vec<Origin>>) =
        frames.iter().map(|f| on_plane(f, &plane, start_mjd)).unzip();
    mark_still(&mut field, (frames, &plane), (stars, pixels), &params.stationary);
    for (frame, source) in field.iter_mut().zip(frames) {
        let n_trails = mark_trails(frame);
        if n_trails > 0 {
            night.notes.push(format!("{}: {n_trails} satellite trail(s) left out", source.name));
        }
    }
    let view = FieldView { frames, field: &field, plane: &plane };
    let beyond = differences(view, &params.stationary, pixels);
    for (k, frame) in field.iter_mut().enumerate() {
        unite(frame, &mut origins[k], (frames[k], &beyond[k]));
    }
    let mut linked = link(&field, &params.link);
    note_limits(&linked, &frames[0].name, &mut night.notes);
    let indices = FieldSources { frames, field: &field, origins: &origins, beyond: &beyond };
    let starts = note_sources(indices, &mut night.linking);
    let view = FieldView { frames, field: &field, plane: &plane };
    let tracklets = &mut linked.tracklets;
    let aside: Vec<Vec<DetectionId>> =
        tracklets.iter_mut().map(|t| set_aside(t, &origins, &field)).collect();
    let recovered = recover(tracklets, view, pixels);
    for ((tracklet, recovered), aside) in tracklets.iter_mut().zip(&recovered).zip(aside) {
        let counted = take_back(tracklet, aside, recovered);
        adopt(tracklet, recovered, &counted, view);
        let candidate = candidate(tracklet, recovered, indices);
        note_recovered(recovered, &candidate.id, (frames.len(), &mut night.linking));
        for m in &tracklet.members {
            let row = starts[m.frame as usize] + m.index as usize;
            night.linking.sources[row].candidate = Some(candidate.id.clone());
        }
        night.candidates.push(candidate);
    }
}

/// Marks what is no mover: stars, what stands still, hot pixels.
fn mark_still(
    field: &mut [FieldFrame],
    (frames, plane): (&[&NightFrame], &TangentPlane),
    (stars, pixels): (&StarsAround<'_>, &dyn PixelSource),
    params: &StationaryParams,
) {
    let middle = frames[frames.len() / 2];
    let centre = middle.wcs.to_sky(0.5 * middle.nx as f64, 0.5 * middle.ny as f64);
    let reach_rad = field
        .iter()
        .flat_map(|f| f.outline_arcsec)
        .map(|c| c.0.hypot(c.1) * ARCSEC_RAD)
        .fold(0.0, f64::max);
    let listed = plane_stars(&stars(centre, reach_rad, middle.mid_mjd_utc), plane);
    for frame in field.iter_mut() {
        mark_stars(frame, &listed, params);
    }
    let drifting = mark_repeated(field, params);
    mark_static(field, (frames, &drifting), plane, pixels, params);
    mark_hot_pixels(field);
}

/// Tells which limits of the search were hit.
fn note_limits(linked: &Linked, first_frame: &str, notes: &mut Vec<String>) {
    if linked.is_cut {
        notes.push(format!(
            "field of {first_frame}: the search stopped after {} starting pairs; faint movers may \
             be missing",
            linked.n_seeds
        ));
    }
    if let Some(limit) = linked.rate_limit_arcsec_per_h {
        notes.push(format!(
            "field of {first_frame}: too many detections to look for motions above {limit:.0}\"/h"
        ));
    }
}

/// Notes what was recovered of a candidate, after the sources of its field's frames.
fn note_recovered(recovered: &[Recovered], id: &str, (n_frames, linking): (usize, &mut Linking)) {
    let first_frame = linking.frames.len() - n_frames;
    linking.sources.extend(recovered.iter().map(|r| SeenSource {
        frame: first_frame + r.frame,
        ra_deg: r.sky_rad.0 / DEG_RAD,
        dec_deg: r.sky_rad.1 / DEG_RAD,
        sigma_arcsec: r.point.sigma_arcsec,
        mag: r.mag,
        snr: r.snr,
        role: Role::Recovered,
        candidate: Some(id.to_owned()),
    }));
}

/// Notes the sources of a field's frames; gives the row where each frame's begin.
fn note_sources(sources: FieldSources<'_>, linking: &mut Linking) -> Vec<usize> {
    let mut starts = Vec::with_capacity(sources.frames.len());
    for (k, (frame, seen)) in sources.frames.iter().zip(sources.field).enumerate() {
        starts.push(linking.sources.len());
        let number = linking.frames.len();
        linking.frames.push(frame.name.clone());
        linking.sources.extend(seen.detections.iter().enumerate().map(|(n, d)| {
            let (ra_rad, dec_rad) = sources.sky_rad(k, n);
            SeenSource {
                frame: number,
                ra_deg: ra_rad / DEG_RAD,
                dec_deg: dec_rad / DEG_RAD,
                sigma_arcsec: d.sigma_arcsec,
                mag: d.mag,
                snr: d.snr,
                role: d.role,
                candidate: None,
            }
        }));
    }
    starts
}

/// A frame's detections on the plane in order of `east_arcsec`, and where they come from.
fn on_plane(frame: &NightFrame, plane: &TangentPlane, start_mjd: f64) -> (FieldFrame, Vec<Origin>) {
    let catalogue = &frame.catalogue;
    let to_arcsec = |(ra, dec): (f64, f64)| {
        plane.project(ra, dec).map(|(xi, eta)| (xi / ARCSEC_RAD, eta / ARCSEC_RAD))
    };
    let mut rows: Vec<(PlaneDetection, usize)> = (0..catalogue.sources.len())
        .filter_map(|i| {
            let (east, north) = to_arcsec((catalogue.ra_rad[i], catalogue.dec_rad[i]))?;
            Some((plane_detection(frame, i, (east, north), plane), i))
        })
        .collect();
    rows.sort_by(|a, b| a.0.east_arcsec.total_cmp(&b.0.east_arcsec).then(a.1.cmp(&b.1)));
    let (right, top) = (frame.nx as f64 - 0.5, frame.ny as f64 - 0.5);
    let outline_arcsec = [(-0.5, -0.5), (right, -0.5), (right, top), (-0.5, top)]
        .map(|(x, y)| to_arcsec(frame.wcs.to_sky(x, y)).unwrap_or((0.0, 0.0)));
    let (detections, origins) =
        rows.into_iter().map(|(detection, i)| (detection, Origin::Catalogue(i))).unzip();
    let field_frame = FieldFrame {
        t_h: (frame.mid_mjd_utc - start_mjd) * 24.0,
        limiting_mag: frame.limiting_mag,
        exposure_h: frame.exposure_s.unwrap_or(0.0) / 3600.0,
        fwhm_arcsec: frame.fwhm_arcsec,
        outline_arcsec,
        detections,
    };
    (field_frame, origins)
}

fn plane_detection(
    frame: &NightFrame,
    i: usize,
    (east_arcsec, north_arcsec): (f64, f64),
    plane: &TangentPlane,
) -> PlaneDetection {
    /// Turbulence and the frame's solution [arcsec].
    const SKY_FLOOR_ARCSEC: f64 = 0.06;
    /// Pixelation of the centroid [px].
    const PIXEL_FLOOR_PX: f64 = 0.04;
    /// Centre of a trail along its length, as a share of the trail's second moment.
    const TRAIL_SHARE: f64 = 0.15;
    let sources = &frame.catalogue.sources;
    let scale = frame.wcs.pixel_scale_arcsec();
    let stretch = (sources.a_px[i].powi(2) - sources.b_px[i].powi(2)).max(0.0).sqrt();
    let is_long = sources.a_px[i] > 1.7 * sources.b_px[i];
    let trail_px = if is_long { TRAIL_SHARE * stretch } else { 0.0 };
    let sigma_px = sources.position_err_px[i].min(2.0).hypot(PIXEL_FLOOR_PX).hypot(trail_px);
    let unfit = SourceFlags::SHARP
        .with(SourceFlags::SATURATED)
        .with(SourceFlags::TRAIL)
        .with(SourceFlags::EDGE);
    let (x, y) = (sources.x_px[i], sources.y_px[i]);
    let (detector_x_px, detector_y_px) = frame.on_detector(x, y);
    PlaneDetection {
        east_arcsec,
        north_arcsec,
        sigma_arcsec: (sigma_px * scale).hypot(SKY_FLOOR_ARCSEC),
        mag: frame.catalogue.filter_mag[i],
        snr: sources.snr[i],
        detector_x_px,
        detector_y_px,
        streak: streak(frame, i, plane),
        role: if sources.flags[i].is_any(unfit) { Role::Unfit } else { Role::Free },
    }
}

/// The line a source was drawn out to, on the plane.
fn streak(frame: &NightFrame, i: usize, plane: &TangentPlane) -> Option<Streak> {
    let sources = &frame.catalogue.sources;
    let length = sources.trail_length_px.get(i).copied().filter(|l| l.is_finite())?;
    let (sin, cos) = sources.trail_angle_rad.get(i)?.sin_cos();
    let end = |side: f64| {
        let (x, y) = (sources.x_px[i] + side * length * cos, sources.y_px[i] + side * length * sin);
        let (ra, dec) = frame.wcs.to_sky(x, y);
        plane.project(ra, dec)
    };
    let (from, to) = (end(-0.5)?, end(0.5)?);
    let (xi, eta) = (to.0 - from.0, to.1 - from.1);
    Some(Streak { length_arcsec: xi.hypot(eta) / ARCSEC_RAD, pa_rad: xi.atan2(eta) })
}

fn plane_stars(stars: &[StarAtEpoch], plane: &TangentPlane) -> Vec<PlaneStar> {
    let mut listed: Vec<PlaneStar> = stars
        .iter()
        .filter_map(|s| {
            let (xi, eta) = plane.project(s.ra_rad, s.dec_rad)?;
            Some(PlaneStar {
                east_arcsec: xi / ARCSEC_RAD,
                north_arcsec: eta / ARCSEC_RAD,
                g_mag: s.g_mag,
            })
        })
        .collect();
    listed.sort_by(|a, b| a.east_arcsec.total_cmp(&b.east_arcsec));
    listed
}

#[cfg(test)]
mod tests;
