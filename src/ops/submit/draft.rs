//! The attachment of the morning mail: the night's candidates in ADES, not to be sent.
//!
//! Nobody has looked at them yet. So that a draft that is sent by mistake does no harm, it bears
//! the Minor Planet Center's code for tests, XXX, in place of the station's own, and candidates'
//! identifiers in place of names.

use super::header::ades_header;
use super::line::{Setting, TrackId, ades};
use super::select::{fit_to_send, is_simulated};
use crate::config::Config;
use crate::formats::ades::{Field, HeaderKey, Submission};
use crate::formats::designation::Designation;
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::frame_record::FrameStatus;
use crate::pipeline::artifact::report::NightReport;
use crate::science::time::Epoch;

/// Code of the Minor Planet Center for files that are tests.
const TEST_STATION: &str = "XXX";
/// What the first lines of the file say.
const WARNINGS: [&str; 3] = [
    "DRAFT of an automatic pipeline - nobody has vetted these candidates - DO NOT SEND",
    "The station code is XXX (test) and unknown objects bear internal identifiers on purpose.",
    "`autossosctl submit NIGHT --write` makes the file that can be sent, after vetting.",
];
/// Later than any observation: a draft asks for no clock.
const NO_LIMIT: Epoch = Epoch::from_mjd_utc(1e6);

/// The night's candidates as an ADES PSV that says that it is a draft; `None` when there are no
/// usable observations.
///
/// The configuration is that of the night's telescope.
pub fn draft(config: &Config, report: &NightReport) -> Option<String> {
    let mut header = ades_header(config, Some(TEST_STATION)).unwrap_or_default();
    let simulated = is_simulated(report).then_some("SIMULATED: no sky was seen.");
    for line in WARNINGS.into_iter().chain(simulated) {
        header.add(HeaderKey::CommentLine, line).expect("the warnings fit; a test reads them");
    }
    let mut submission = Submission { header, observations: Vec::new() };
    for candidate in &report.candidates {
        put(config, report, candidate, &mut submission);
    }
    (!submission.observations.is_empty()).then(|| submission.to_psv())
}

/// Adds a candidate's observations that could go.
fn put(config: &Config, report: &NightReport, candidate: &Candidate, draft: &mut Submission) {
    let id = draft_id(candidate);
    for detection in &candidate.detections {
        let mut frames = report.frames.iter();
        let frame = frames.find(|f| f.frame == detection.frame && f.status == FrameStatus::Ok);
        let Some(frame) = frame else { continue };
        if fit_to_send(detection, frame, &config.submit, NO_LIMIT).is_err() {
            continue;
        }
        let setting = Setting { config, station: TEST_STATION, candidate, frame };
        if let Ok(mut observation) = ades(&setting, detection, &id)
            && observation.set(Field::Remarks, "draft").is_ok()
        {
            draft.observations.push(observation);
        }
    }
}

/// The known object's designation, else the candidate's identifier as far as it fits.
fn draft_id(candidate: &Candidate) -> TrackId {
    if let Identity::Known { name, .. } = &candidate.identity
        && let Some(known) = Designation::from_name(name)
        && (known.perm_id().is_some() || known.prov_id().is_some())
    {
        return TrackId::Known(known);
    }
    let plain = candidate.id.chars().filter(char::is_ascii_alphanumeric);
    TrackId::New(plain.take(8).collect())
}
