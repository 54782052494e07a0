//! `checkplots/`: the pictures of the seeds (../shared/spec/seeds.md 1.16, 2.9), drawn anew.

use std::collections::BTreeSet;

use super::super::super::error::OpsError;
use super::super::frame::plain_name;
use super::super::ssos::Objects;
use super::super::tree::{Night, Tree};
use super::match_name;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::report::checkplots::{draw_bad_photometry, draw_known_rates, draw_known_residuals};
use crate::report::light_curve::{DrawnPoint, draw_light_curve};
use crate::report::photometry_charts::draw_r2;
use crate::report::words::printable;

const FOLDER: &str = "SSOS/checkplots";

/// Draws and writes all of them; those of known objects when one was found.
pub(super) fn write(
    tree: &mut Tree<'_>,
    night: &Night<'_>,
    objects: &Objects,
) -> Result<(), OpsError> {
    let report = night.report;
    for (field, records) in (1..).zip(night.fields()) {
        let frames: Vec<FrameRecord> =
            records.iter().map(|(_, record)| (*record).clone()).collect();
        let picture = draw_r2(&report.night, &frames, None)?;
        tree.bytes(&format!("{FOLDER}/R2_ev_{}.png", match_name(field)), &picture.png)?;
    }
    let seen: BTreeSet<&str> = objects
        .vetted
        .iter()
        .flat_map(|object| object.candidate.detections.iter().map(|d| d.frame.as_str()))
        .collect();
    let bad = draw_bad_photometry(&report.night, &report.frames, &|name| seen.contains(name))?;
    let name = plain_name(&report.night);
    tree.bytes(&format!("{FOLDER}/bad_phot_{name}.png"), &bad.png)?;
    for picture in [draw_known_residuals(report)?, draw_known_rates(report)?].into_iter().flatten()
    {
        tree.bytes(&format!("{FOLDER}/{}.png", picture.name), &picture.png)?;
    }
    curves(tree, night, objects)
}

/// `mag_<name>.png`: the magnitudes of every named object in frames whose photometry is valid.
fn curves(tree: &mut Tree<'_>, night: &Night<'_>, objects: &Objects) -> Result<(), OpsError> {
    for object in &objects.vetted {
        let (_, name) = objects.number_and_name(object);
        let points = valid_points(night, object);
        if name.is_empty() || points.is_empty() {
            continue;
        }
        let picture = draw_light_curve(&printable(&name), "Gaia G [mag]", &points)?;
        tree.bytes(&format!("{FOLDER}/mag_{}.png", plain_name(&name)), &picture.png)?;
    }
    Ok(())
}

/// The magnitudes of an object that its rows in the table of valid ones have.
pub(super) fn valid_points(
    night: &Night<'_>,
    object: &super::super::super::vetting::Vetted,
) -> Vec<DrawnPoint> {
    let is_valid = |frame: &str| {
        let record = night.report.frames.iter().find(|record| record.frame == frame);
        let photometry = record.and_then(|record| record.photometry.as_deref());
        photometry.is_some_and(|photometry| photometry.faults.is_empty())
    };
    let detections = object.candidate.detections.iter().filter(|d| is_valid(&d.frame));
    let point = |mjd, (mag, err_mag): (f64, Option<f64>)| DrawnPoint {
        night: night.report.night.clone(),
        mjd,
        mag,
        err_mag,
        is_trusted: true,
    };
    detections.filter_map(|d| Some(point(d.mid_mjd_utc, (d.mag?, d.mag_err)))).collect()
}
