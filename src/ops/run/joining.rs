//! Objects over nights: a night's unknown candidates are looked for in the closed nights around it.
//!
//! Done when a night is closed, before its page is written, by a run and by the service alike. The
//! other nights are not opened again: what joins them stands in its own tables and is added when
//! their reports are read. The nights are taken together, so that the objects are the same in
//! whatever order the nights come.

use super::super::error::OpsError;
use super::super::orbits::observer_of;
use super::super::vetting::vetted_in;
use super::known::observer;
use super::take::chain;
use crate::config::Config;
use crate::formats::skybot::SkybotObserver;
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::frame_info::Site;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::joined::OtherNight;
use crate::pipeline::artifact::report::NightReport;
use crate::pipeline::join::{Field, JoinNight, JoinParams, JoinedObject, Unnamed, join};
use crate::science::orbit::observer::Observer;
use crate::science::orbit::short_arc::Sighting;
use crate::science::sky::vector::separation_rad;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};
use crate::store::night_objects::FoundObject;
use crate::store::verdicts::Verdict;
use crate::store::{NightId, Store};

/// Most nights that are looked at together: the nearest ones.
const NIGHTS_MAX: usize = 40;
/// Nights begin and end at other hours: what is a night apart may be more than a day [d].
const NIGHT_SLACK_D: f64 = 0.5;
/// Letters and digits of keys: those that are not taken for each other.
const SIGNS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Signs of a key after its first letter.
const KEY_LENGTH: usize = 6;

/// Looks for a night's unknown objects in the nights around it and keeps what is one object.
///
/// * `report`: the night's new report, not yet in the store.
/// * `site`: the place that the headers tell.
pub(super) fn join_nights(
    store: &Store,
    config: &Config,
    (night, report): (&NightId, &NightReport),
    site: Option<Site>,
) -> Result<(), OpsError> {
    let days = f64::from(config.link.nights_joined);
    let Some(middle) = middle_mjd(&report.frames).filter(|_| days > 0.0) else { return Ok(()) };
    let mut ids = vec![night.clone()];
    ids.extend(neighbours(store, night, (middle, days + NIGHT_SLACK_D))?);
    let mut nights = vec![join_night(store, night, report.clone())?];
    for id in &ids[1..] {
        // One that has just gone has nothing to say.
        let other = store.read().report(id)?;
        nights.push(match other {
            Some(other) => join_night(store, id, other)?,
            None => JoinNight { night: id.to_string(), fields: Vec::new(), unnamed: Vec::new() },
        });
    }
    let params = JoinParams { nights_apart_max_d: days + NIGHT_SLACK_D, ..JoinParams::default() };
    let observer = observer_at(store, config, site);
    match join(&nights, &observer, &params) {
        Ok(objects) => {
            let found = objects.iter().map(|object| found(object, &nights)).collect();
            store.keep_night_objects(&ids, found)?;
        }
        Err(error) => tracing::warn!(%night, "Nights not compared: {}.", chain(&error)),
    }
    Ok(())
}

/// Mean time of a night's frames [d, MJD UTC].
fn middle_mjd(frames: &[FrameRecord]) -> Option<f64> {
    let times: Vec<f64> = frames.iter().filter_map(|frame| frame.mid_mjd_utc).collect();
    (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64)
}

/// The closed nights of the same telescope within some days, the nearest ones.
fn neighbours(
    store: &Store,
    night: &NightId,
    (middle, days): (f64, f64),
) -> Result<Vec<NightId>, OpsError> {
    let near = store.read().nights_near(night, (middle - days, middle + days))?;
    let mut near: Vec<(f64, NightId)> = near
        .into_iter()
        .filter_map(|(name, mjd)| Some(((mjd - middle).abs(), NightId::new(&name).ok()?)))
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.as_str().cmp(b.1.as_str())));
    near.truncate(NIGHTS_MAX);
    Ok(near.into_iter().map(|(_, id)| id).collect())
}

/// A night as joining sees it; what people said to be false is no object.
fn join_night(store: &Store, night: &NightId, report: NightReport) -> Result<JoinNight, OpsError> {
    let mut fields: Vec<Field> = Vec::new();
    for frame in report.frames.iter().filter(|frame| frame.status == FrameStatus::Ok) {
        let Some(field) = field(frame) else { continue };
        let is_same =
            |f: &Field| separation_rad(f.centre_rad, field.centre_rad) < 0.2 * f.radius_rad;
        if !fields.iter().any(is_same) {
            fields.push(field);
        }
    }
    let rows = store.read().verdicts(night)?;
    let unnamed = vetted_in(report, rows)
        .into_iter()
        .filter(|v| v.verdict() != Some(Verdict::False))
        .filter(|v| !matches!(v.candidate.identity, Identity::Known { .. }))
        .map(|v| unnamed(&v.candidate))
        .collect();
    Ok(JoinNight { night: night.to_string(), fields, unnamed })
}

fn field(frame: &FrameRecord) -> Option<Field> {
    let outline = frame.outline_deg()?;
    let rad = |(ra, dec): (f64, f64)| (ra * DEG_RAD, dec * DEG_RAD);
    let corners = outline.corners_deg.map(rad);
    let side = |a: usize, b: usize| separation_rad(corners[a], corners[b]);
    Some(Field {
        centre_rad: rad(outline.centre_deg),
        radius_rad: 0.5 * side(0, 2).max(side(1, 3)),
        area_sr: side(0, 1) * side(1, 2),
    })
}

fn unnamed(candidate: &Candidate) -> Unnamed {
    let sightings = candidate.detections.iter().map(|d| Sighting {
        mid_mjd_utc: d.mid_mjd_utc,
        ra_rad: d.ra_deg * DEG_RAD,
        dec_rad: d.dec_deg * DEG_RAD,
        err_rad: d.position_err_arcsec * ARCSEC_RAD,
    });
    Unnamed { id: candidate.id.clone(), sightings: sightings.collect(), mag: candidate.mag }
}

/// Where the telescope stands; the Earth's centre when nobody says.
fn observer_at(store: &Store, config: &Config, site: Option<Site>) -> Observer {
    let at = |(longitude_deg, latitude_deg, height_m): (f64, f64, f64)| {
        Observer::at_place(latitude_deg, longitude_deg, height_m)
    };
    let header = site.map(|s| at((s.longitude_deg, s.latitude_deg, s.height_m)));
    match observer(config, site) {
        SkybotObserver::Place { longitude_deg, latitude_deg, height_m } => {
            at((longitude_deg, latitude_deg, height_m))
        }
        SkybotObserver::Geocentre => Observer::GEOCENTRE,
        // The list of codes may not be there: then the coordinates serve.
        SkybotObserver::Code(code) => {
            let configured = config.site.place_deg.map(|(latitude_deg, longitude_deg)| {
                at((longitude_deg, latitude_deg, config.site.height_m.unwrap_or(0.0)))
            });
            let by_code = observer_of(store.products().data_dir(), &code).ok();
            by_code.or(configured).or(header).unwrap_or(Observer::GEOCENTRE)
        }
    }
}

fn found(object: &JoinedObject, nights: &[JoinNight]) -> FoundObject {
    let member = |&(night, candidate): &(usize, usize)| OtherNight {
        night: nights[night].night.clone(),
        candidate_id: nights[night].unnamed[candidate].id.clone(),
    };
    let members: Vec<OtherNight> = object.members.iter().map(member).collect();
    FoundObject {
        key: members.first().map(key).unwrap_or_default(),
        chance: object.chance,
        chi2_reduced: object.chi2_reduced,
        members,
    }
}

/// The key of an object that was first seen as this.
fn key(first: &OtherNight) -> String {
    let hash = blake3::hash(format!("{}\n{}", first.night, first.candidate_id).as_bytes());
    let sign = |byte: &u8| char::from(SIGNS[usize::from(*byte) % SIGNS.len()]);
    std::iter::once('N').chain(hash.as_bytes().iter().take(KEY_LENGTH).map(sign)).collect()
}

#[cfg(test)]
mod tests;
