//! Keys of results: the same key means the same result, so the work is not done again.

use std::sync::Arc;

use super::take::{Scanned, ScannedFrame};
use crate::config::Config;
use crate::pipeline::artifact::frame_info::{FrameInfo, FrameKind};
use crate::pipeline::masters::select::MasterSet;
use crate::pipeline::{FRAME_STAGES, NIGHT_STAGES, StageName};
use crate::store::stages::stage_key;

/// Name under which a frame's results are kept: its stages are one unit of work.
pub(super) const FRAME_UNIT: &str = "frame";
/// Name under which a night's report is kept.
pub(super) const NIGHT_UNIT: &str = "night";

/// Names and versions of stages as one text.
fn versions(stages: &[StageName]) -> String {
    stages.iter().map(|s| format!("{}/{} ", s.name, s.version)).collect()
}

/// Key of a frame's results: its content, header rules, masters, catalogue and parameters.
pub(super) fn frame_key(
    frame: &ScannedFrame,
    masters: &MasterSet,
    config: &Config,
    (calibration, sky_key): (&[Arc<ScannedFrame>], &str),
) -> String {
    let parameters = format!(
        "{}{:?}{:?}{:?}{:?}{:?}",
        versions(&FRAME_STAGES),
        config.frame_params(),
        config.master_params(),
        frame.info,
        masters.measured,
        masters.notes,
    );
    let masters = masters.names().join("\n");
    let mut inputs: Vec<&str> = vec![&frame.content_hash, &frame.file.name, &masters, sky_key];
    inputs.extend(Some(frame.weights.key()).filter(|key| !key.is_empty()));
    let serving = calibration.iter().filter(|c| may_serve(&c.info, &frame.info));
    inputs.extend(serving.map(|c| c.content_hash.as_str()));
    stage_key(FRAME_UNIT, 1, &parameters, &inputs)
}

/// Tells whether a calibration frame may have gone into a frame's masters.
fn may_serve(calibration: &FrameInfo, frame: &FrameInfo) -> bool {
    let camera = |info: &FrameInfo| {
        let chip = info.image.as_ref().map(|image| image.chip.clone());
        (info.instrument.clone(), chip, info.nx, info.ny, info.binning)
    };
    camera(calibration) == camera(frame)
        && (calibration.kind != FrameKind::Flat || calibration.filter == frame.filter)
}

/// Key of the night's calibration frames and how they are combined.
pub(super) fn calibration_key(scanned: &Scanned, config: &Config) -> String {
    let hashes: Vec<&str> = scanned.calibration.iter().map(|f| f.content_hash.as_str()).collect();
    stage_key("masters", 1, &format!("{:?}", config.master_params()), &hashes)
}

/// Key of the whole night: all its files and everything that decides what is made of them.
pub(super) fn night_key(
    scanned: &Scanned,
    config: &Config,
    reference_key: &str,
    known_key: &str,
) -> String {
    let parameters = format!(
        "{}{}{:?}{:?}{:?}{:?}{:?}",
        versions(&FRAME_STAGES),
        versions(&NIGHT_STAGES),
        config.frame_params(),
        config.night_params(),
        config.master_params(),
        config.report,
        config.cutouts,
    );
    let mut inputs = vec![reference_key.to_owned(), known_key.to_owned()];
    for frame in scanned.science.iter().chain(&scanned.calibration) {
        let weights = frame.weights.key();
        let (name, hash) = (&frame.file.name, &frame.content_hash);
        inputs.push(format!("{name} {hash} {:?}{weights}", frame.info));
    }
    for record in &scanned.failed {
        inputs.push(format!("{} {}", record.frame, record.content_hash));
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    stage_key(NIGHT_UNIT, 1, &parameters, &inputs)
}
