//! The measurements of one object in the nights' reports.

use std::collections::BTreeMap;

use super::super::error::OpsError;
use super::super::object_names::{name, numbers};
use super::super::vetting::{Vetted, vetted_in};
use super::{CurveLimit, CurvePoint, ObjectCurve, PointDoubt};
use crate::formats::known_csv::is_called;
use crate::pipeline::artifact::candidate::Identity;
use crate::pipeline::artifact::photometric_point::PhotometricPoint;
use crate::pipeline::artifact::report::NightReport;
use crate::store::{NightId, Reader};

/// The points of an object, nights in their order.
pub(super) fn gather(
    reader: &Reader,
    object: &str,
    nights: &[NightId],
) -> Result<ObjectCurve, OpsError> {
    let all = all_closed(reader)?;
    let chosen = if nights.is_empty() { &all[..] } else { nights };
    let mut curve = ObjectCurve {
        object: object.to_owned(),
        slope_ratio: None,
        points: Vec::new(),
        limits: Vec::new(),
        filters: Vec::new(),
        colours: Vec::new(),
        notes: Vec::new(),
    };
    let mut n_found = 0;
    for night in chosen {
        let Some(report) = reader.report(night)? else {
            if nights.is_empty() {
                continue;
            }
            return Err(OpsError::NotClosed { night: night.to_string() });
        };
        n_found += take_night(reader, (night, report), (object, chosen.len()), &mut curve)?;
    }
    if n_found == 0 {
        return Err(OpsError::NoSuchObject { object: object.to_owned() });
    }
    Ok(curve)
}

fn all_closed(reader: &Reader) -> Result<Vec<NightId>, OpsError> {
    let rows = reader.nights()?;
    let closed = rows.iter().filter(|row| row.is_closed);
    Ok(closed.filter_map(|row| NightId::new(&row.id).ok()).collect())
}

/// Takes what was measured of the object in a night; gives how many candidates it is there.
///
/// * `n_nights`: nights that are looked in: `AST_n` is counted by night, and means an object only
///   in one of them, or with the key of an object of several nights.
fn take_night(
    reader: &Reader,
    (night, report): (&NightId, NightReport),
    (asked, n_nights): (&str, usize),
    curve: &mut ObjectCurve,
) -> Result<usize, OpsError> {
    let numbers = numbers(reader, night)?;
    let filters: BTreeMap<String, String> = report
        .frames
        .iter()
        .filter_map(|frame| Some((frame.frame.clone(), frame.filter.clone()?)))
        .collect();
    let is_named = |v: &Vetted| {
        (n_nights == 1 || v.joined.is_some()) && name(v, &numbers).is_some_and(|n| n == asked)
    };
    let found: Vec<Vetted> = vetted_in(report, reader.verdicts(night)?)
        .into_iter()
        .filter(|v| is_meant(v, asked) || is_named(v))
        .collect();
    for object in &found {
        if let Identity::Known { name, .. } = &object.candidate.identity {
            curve.object.clone_from(name);
        }
        if object.candidate.photometry.is_empty() {
            let id = &object.candidate.id;
            let note = format!("{night}: {id} was not measured along its motion");
            curve.notes.push(note);
        }
        for point in &object.candidate.photometry {
            match (point.mag, point.limit_mag) {
                (Some(mag), _) => {
                    let filter = filters.get(&point.frame).cloned();
                    let point = CurvePoint { filter, ..curve_point(night, point, mag) };
                    curve.points.push(point);
                }
                (None, Some(limit_mag)) => curve.limits.push(CurveLimit {
                    night: night.to_string(),
                    frame: point.frame.clone(),
                    mid_mjd_utc: point.mid_mjd_utc,
                    limit_mag,
                }),
                (None, None) => {}
            }
        }
    }
    Ok(found.len())
}

/// A measured magnitude with what speaks against it.
fn curve_point(night: &NightId, point: &PhotometricPoint, mag: f64) -> CurvePoint {
    let mut doubts = Vec::new();
    if !point.photometry_valid {
        doubts.push(PointDoubt::Frame);
    }
    if point.is_contaminated {
        doubts.push(PointDoubt::Contaminated { near_share: point.near_share });
    }
    // The unknown colour is the same in all frames of a filter: no scatter of the curve.
    let colour = point.colour_err_mag;
    let err_mag = point.mag_err.map(|err| (err * err - colour * colour).max(0.0).sqrt());
    let aperture = point.aperture.as_ref();
    CurvePoint {
        night: night.to_string(),
        frame: point.frame.clone(),
        filter: None,
        mid_mjd_utc: point.mid_mjd_utc,
        ra_deg: point.ra_deg,
        dec_deg: point.dec_deg,
        mag,
        err_mag,
        aperture_mag: aperture.and_then(|aperture| aperture.mag),
        aperture_err_mag: aperture.and_then(|aperture| aperture.mag_err),
        is_detected: point.is_detected,
        geometry: None,
        doubts,
    }
}

/// Whether a candidate is meant by a name, an identifier or a key.
fn is_meant(vetted: &Vetted, asked: &str) -> bool {
    let candidate = &vetted.candidate;
    candidate.id.eq_ignore_ascii_case(asked)
        || vetted.joined.as_ref().is_some_and(|joined| joined.key.eq_ignore_ascii_case(asked))
        || matches!(&candidate.identity, Identity::Known { name, .. } if is_called(name, asked))
}
