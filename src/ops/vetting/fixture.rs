//! Made-up candidates and closed nights for the tests of what people say of them.

use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::pipeline::artifact::report::NightReport;
use crate::science::time::Epoch;
use crate::store::nights::{Closing, ClosingMail};
use crate::store::stages::{NIGHT_SUBJECT, StageOutcome, StageRow};
use crate::store::{NightId, Store};

/// An unknown object with a detection at `x_px` in each of four frames.
pub(in crate::ops) fn candidate(id: &str, x_px: f64) -> Candidate {
    let detection = |number: u32| CandidateDetection {
        frame: format!("f{number}.fits"),
        mid_mjd_utc: 61_100.1 + 0.01 * f64::from(number),
        ra_deg: 123.4,
        dec_deg: -5.6,
        x_px,
        y_px: 20.0,
        position_err_arcsec: 0.1,
        residual_arcsec: (0.01, -0.02),
        mag: None,
        mag_err: None,
        snr: 12.0,
        is_recovered: false,
        is_foreseen: false,
    };
    Candidate {
        id: id.to_owned(),
        identity: Identity::Unknown,
        false_alarms: 1e-6,
        rate_arcsec_per_min: 0.5,
        rate_err_arcsec_per_min: 0.01,
        pa_deg: 271.0,
        chi2_reduced: 1.1,
        rms_arcsec: 0.09,
        mag: Some(19.2),
        detections: (0..4).map(detection).collect(),
        n_expected: 5,
        n_covered: 5,
        photometry: Vec::new(),
        rating: None,
    }
}

/// Closes a night with these candidates, again when it was closed before.
pub(in crate::ops) fn close(
    store: &Store,
    night: &NightId,
    (candidates, faint): (Vec<Candidate>, Vec<Candidate>),
    at: Epoch,
) {
    let report = NightReport { candidates, faint, ..report(night) };
    close_as(store, night, report, at);
}

/// The report of a night in which nothing was.
pub(in crate::ops) fn report(night: &NightId) -> NightReport {
    NightReport {
        night: night.to_string(),
        version: "0.1.0".to_owned(),
        instrument: "simulated".to_owned(),
        masters: Vec::new(),
        frames: Vec::new(),
        candidates: Vec::new(),
        faint: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        removed: Vec::new(),
        not_done: Vec::new(),
    }
}

/// Closes a night with this report, again when it was closed before.
pub(in crate::ops) fn close_as(store: &Store, night: &NightId, report: NightReport, at: Epoch) {
    let stage = StageRow {
        subject: NIGHT_SUBJECT.to_owned(),
        stage: "night".to_owned(),
        version: 1,
        key: "k".to_owned(),
        outcome: StageOutcome::Done,
        product: None,
        payload: "{}".to_owned(),
    };
    let closing = Closing { report, stage, listing: None, mail: ClosingMail::None };
    store.close_night(night, closing, at).expect("closed");
}
