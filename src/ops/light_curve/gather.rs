//! The detections of one object in the nights' reports.

use super::super::error::OpsError;
use super::super::object_names::{name, numbers};
use super::super::vetting::{Vetted, vetted_in};
use super::doubts::NightSources;
use super::{CurvePoint, ObjectCurve};
use crate::formats::known_csv::is_called;
use crate::pipeline::artifact::candidate::Identity;
use crate::pipeline::artifact::frame_record::FrameRecord;
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
        n_found += take_night(reader, (night, report), &mut curve)?;
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

/// Takes the object's detections of a night; gives how many candidates it is there.
fn take_night(
    reader: &Reader,
    (night, report): (&NightId, NightReport),
    curve: &mut ObjectCurve,
) -> Result<usize, OpsError> {
    let numbers = numbers(reader, night)?;
    let frames = report.frames.clone();
    let vetted = vetted_in(report, reader.verdicts(night)?);
    let asked = curve.object.clone();
    let found: Vec<Vetted> = vetted
        .into_iter()
        .filter(|v| is_meant(v, &asked) || name(v, &numbers).is_some_and(|n| n == asked))
        .collect();
    if found.is_empty() {
        return Ok(0);
    }
    let is_shown = |frame: &&FrameRecord| {
        found.iter().flat_map(|v| &v.candidate.detections).any(|d| d.frame == frame.frame)
    };
    let shown: Vec<&FrameRecord> = frames.iter().filter(is_shown).collect();
    let sources = NightSources::read(reader, night, &shown);
    curve.notes.extend(sources.note().map(|note| format!("{night}: {note}")));
    for object in &found {
        if let Identity::Known { name, .. } = &object.candidate.identity {
            curve.object.clone_from(name);
        }
        for detection in &object.candidate.detections {
            let Some(mag) = detection.mag else { continue };
            curve.points.push(CurvePoint {
                night: night.to_string(),
                frame: detection.frame.clone(),
                mid_mjd_utc: detection.mid_mjd_utc,
                ra_deg: detection.ra_deg,
                dec_deg: detection.dec_deg,
                mag,
                err_mag: detection.mag_err,
                geometry: None,
                doubts: sources.doubts(detection),
            });
        }
    }
    Ok(found.len())
}

/// Whether a candidate is meant by a name, an identifier or a key.
fn is_meant(vetted: &Vetted, asked: &str) -> bool {
    let candidate = &vetted.candidate;
    candidate.id.eq_ignore_ascii_case(asked)
        || vetted.joined.as_ref().is_some_and(|joined| joined.key.eq_ignore_ascii_case(asked))
        || matches!(&candidate.identity, Identity::Known { name, .. } if is_called(name, asked))
}
