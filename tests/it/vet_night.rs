//! A closed night of made-up candidates in a data folder of its own.

use std::path::Path;

use autossos::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use autossos::pipeline::artifact::report::NightReport;
use autossos::science::time::Epoch;
use autossos::store::nights::{Closing, ClosingMail, NightSource};
use autossos::store::stages::{NIGHT_SUBJECT, StageOutcome, StageRow};
use autossos::store::{NightId, Store};

/// Its name.
pub const NIGHT: &str = "2026-03-01";

/// The name of a candidate by its place in the queue.
pub fn candidate_id(number: usize) -> String {
    format!("C{number:03}")
}

fn candidate(number: usize) -> Candidate {
    let detection = |i: u32| CandidateDetection {
        frame: format!("f{i}.fits"),
        mid_mjd_utc: 61_100.1 + 0.01 * f64::from(i),
        ra_deg: 123.4,
        dec_deg: -5.6,
        x_px: 10.0 * number as f64,
        y_px: 20.0,
        position_err_arcsec: 0.1,
        residual_arcsec: (0.01, -0.02),
        mag: Some(19.2),
        mag_err: Some(0.1),
        snr: 12.0,
        is_recovered: false,
        is_foreseen: false,
    };
    Candidate {
        id: candidate_id(number),
        identity: Identity::Unknown,
        // The queue is in order of these.
        false_alarms: 1e-9 * (number + 1) as f64,
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

/// Makes the night.
pub fn make_night(data: &Path, n_candidates: usize) {
    let night = NightId::new(NIGHT).expect("a good name");
    let at = Epoch::from_mjd_utc(61_101.0);
    let store = Store::open(data).expect("opened");
    store.begin_night(&night, &NightSource::only("/raw"), at).expect("begun");
    let report = NightReport {
        night: NIGHT.to_owned(),
        version: "0.1.0".to_owned(),
        instrument: "made up".to_owned(),
        masters: Vec::new(),
        frames: Vec::new(),
        candidates: (0..n_candidates).map(candidate).collect(),
        faint: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        removed: Vec::new(),
        not_done: Vec::new(),
    };
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
    store.close_night(&night, closing, at).expect("closed");
    store.close_cleanly().expect("ended");
}
