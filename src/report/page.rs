//! The report's numbers as texts, ready for the templates of page and mail.

use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::joined::Joined;
use crate::pipeline::artifact::report::NightReport;

use super::words::{
    chance, chance_briefly, clock, count, declination, magnitude, number, printable,
    right_ascension, seen, shortened, status, with_error,
};

/// Most reasons of a rating that are told, and the length of one [characters].
const REASONS_MAX: usize = 8;
const REASON_LENGTH_MAX: usize = 120;
/// Longest list of other nights [characters].
const JOINED_LENGTH_MAX: usize = 300;

/// A moving object.
pub(super) struct ObjectView {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) separation: String,
    pub(super) rate: String,
    pub(super) pa: String,
    pub(super) mag: String,
    pub(super) seen: String,
    pub(super) rms: String,
    pub(super) chi2: String,
    pub(super) chance: String,
    /// How sure it is, in few words.
    pub(super) certainty: String,
    /// How much it looks like a real source, when it was rated.
    pub(super) real: Option<String>,
    /// How unlike the main belt it moves, when that is known.
    pub(super) neo: Option<String>,
    /// Why it was rated so.
    pub(super) reasons: Vec<String>,
    pub(super) first: Option<PlaceView>,
    pub(super) detections: Vec<PlaceView>,
    /// Where else it was seen, as a sentence's beginning.
    pub(super) joined: Option<String>,
}

/// One detection.
pub(super) struct PlaceView {
    pub(super) frame: String,
    pub(super) clock: String,
    pub(super) ra: String,
    pub(super) dec: String,
    pub(super) position_err: String,
    pub(super) east: String,
    pub(super) north: String,
    pub(super) mag: String,
    pub(super) snr: String,
}

/// One science file.
pub(super) struct FrameView {
    pub(super) frame: String,
    pub(super) status: &'static str,
    pub(super) is_lost: bool,
    pub(super) reason: String,
    pub(super) clock: String,
    pub(super) filter: String,
    pub(super) exposure: String,
    pub(super) n_sources: String,
    pub(super) n_reference: String,
    pub(super) rms: String,
    pub(super) zero_point: String,
    pub(super) fwhm: String,
    pub(super) limiting: String,
}

/// Anything with a subject and a sentence.
pub(super) struct NoteView {
    pub(super) subject: String,
    pub(super) text: String,
}

impl ObjectView {
    pub(super) fn new(candidate: &Candidate, report: &NightReport) -> Self {
        let (name, separation) = match &candidate.identity {
            Identity::Known { name, separation_arcsec } => {
                (Some(printable(name)), number(Some(*separation_arcsec), 2))
            }
            Identity::Unknown | Identity::Unchecked => (None, String::new()),
        };
        let (mag, mag_err) = magnitude(candidate);
        let rating = candidate.rating.as_ref();
        let reasons = rating.into_iter().flat_map(|r| &r.reasons).take(REASONS_MAX);
        let pa_tenths = (candidate.pa_deg * 10.0).round().rem_euclid(3600.0);
        Self {
            id: printable(&candidate.id),
            name,
            separation,
            rate: with_error(
                Some(candidate.rate_arcsec_per_min),
                Some(candidate.rate_err_arcsec_per_min),
                3,
            ),
            pa: number(Some(pa_tenths / 10.0), 1),
            mag: with_error(mag, mag_err, 2),
            seen: format!("{} of {}", candidate.detections.len(), candidate.n_expected),
            rms: number(Some(candidate.rms_arcsec), 2),
            chi2: number(Some(candidate.chi2_reduced), 2),
            chance: chance(candidate.false_alarms),
            certainty: chance_briefly(candidate.false_alarms),
            real: rating.map(|r| number(Some(r.real_score), 2)),
            neo: rating.and_then(|r| r.neo_rating).map(|n| number(Some(n), 0)),
            reasons: reasons.map(|text| shortened(&printable(text), REASON_LENGTH_MAX)).collect(),
            first: candidate.detections.first().map(PlaceView::new),
            detections: candidate.detections.iter().map(PlaceView::new).collect(),
            joined: report.joined_of(&candidate.id).map(also_seen),
        }
    }

    /// The heading of its card: the name, or the identifier of an object without one.
    pub(super) fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

/// What other nights say, not too long.
fn also_seen(joined: &Joined) -> String {
    shortened(&printable(&joined.words()), JOINED_LENGTH_MAX)
}

impl PlaceView {
    fn new(detection: &CandidateDetection) -> Self {
        Self {
            frame: printable(&detection.frame),
            clock: clock(Some(detection.mid_mjd_utc)),
            ra: right_ascension(detection.ra_deg),
            dec: declination(detection.dec_deg),
            position_err: number(Some(detection.position_err_arcsec), 2),
            east: number(Some(detection.residual_arcsec.0), 2),
            north: number(Some(detection.residual_arcsec.1), 2),
            mag: with_error(detection.mag, detection.mag_err, 2),
            snr: seen(detection),
        }
    }
}

impl FrameView {
    fn new(frame: &FrameRecord) -> Self {
        let reason = frame.reason.iter().chain(&frame.notes).map(|text| printable(text));
        Self {
            frame: printable(&frame.frame),
            status: status(frame.status),
            is_lost: frame.status != FrameStatus::Ok,
            reason: reason.collect::<Vec<_>>().join("; "),
            clock: clock(frame.mid_mjd_utc),
            filter: frame.filter.as_deref().map_or_else(String::new, printable),
            exposure: number(frame.exposure_s, 1),
            n_sources: count(frame.n_sources),
            n_reference: count(frame.n_reference),
            rms: number(frame.rms_arcsec, 3),
            zero_point: with_error(frame.zero_point_mag, frame.zero_point_err_mag, 3),
            fwhm: number(frame.fwhm_arcsec, 2),
            limiting: number(frame.limiting_mag, 2),
        }
    }
}

/// The objects of one kind, in the report's order.
pub(super) fn objects(report: &NightReport, is_it: fn(&Identity) -> bool) -> Vec<ObjectView> {
    let chosen = report.candidates.iter().filter(|candidate| is_it(&candidate.identity));
    chosen.map(|candidate| ObjectView::new(candidate, report)).collect()
}

/// Likely objects below the reporting limit, known or not.
pub(super) fn faint(report: &NightReport) -> Vec<ObjectView> {
    report.faint.iter().map(|candidate| ObjectView::new(candidate, report)).collect()
}

/// Whether no list explains an object, or none was there.
pub(super) fn is_unexplained(identity: &Identity) -> bool {
    !is_known(identity)
}

/// Whether a list names the object.
pub(super) fn is_known(identity: &Identity) -> bool {
    matches!(identity, Identity::Known { .. })
}

/// All science files.
pub(super) fn frames(report: &NightReport) -> Vec<FrameView> {
    report.frames.iter().map(FrameView::new).collect()
}

/// What was not done.
pub(super) fn not_done(report: &NightReport) -> Vec<NoteView> {
    let view = |note: &crate::pipeline::artifact::report::Note| NoteView {
        subject: printable(&note.subject),
        text: printable(&note.text),
    };
    report.not_done.iter().map(view).collect()
}

/// The masters, one sentence each.
pub(super) fn masters(report: &NightReport) -> Vec<String> {
    report.masters.iter().map(|text| printable(text)).collect()
}
