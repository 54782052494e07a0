//! Round trips, repetition, reopening, refusals.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

mod attempts;
mod care;
mod migrations;
mod opening;
mod products;
mod reference;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus, WcsKeyword};
use crate::pipeline::artifact::report::{NightReport, Note};
use crate::science::time::Epoch;

use super::error::{Retry, StoreError};
use super::files::{ProductFile, ProductKind};
use super::masters::MasterRow;
use super::nights::{Closing, ClosingMail, FoundFile, NightSource};
use super::outbox::{OutboxMessage, OutboxState};
use super::stages::{NIGHT_SUBJECT, StageOutcome, StageRow};
use super::verdicts::{Act, Verdict, VerdictRow};
use super::{DATABASE_NAME, NightId, Reader, Store};

fn night() -> NightId {
    NightId::new("2026-03-01").expect("a good name")
}

fn at(hours: f64) -> Epoch {
    Epoch::from_mjd_utc(61_100.0).plus_seconds(hours * 3600.0)
}

/// A store in a new folder with one open night.
fn open(folder: &Path) -> Store {
    let store = Store::open(folder).expect("opened");
    store.begin_night(&night(), &source(), at(0.0)).expect("begun");
    store
}

fn frame(name: &str, mid_mjd_utc: Option<f64>) -> FrameRecord {
    FrameRecord {
        frame: name.to_owned(),
        content_hash: format!("hash of {name}"),
        image: None,
        status: if mid_mjd_utc.is_some() { FrameStatus::Ok } else { FrameStatus::Failed },
        reason: mid_mjd_utc.is_none().then(|| "truncated".to_owned()),
        mid_mjd_utc,
        mid_err_s: None,
        is_simulated: false,
        exposure_s: Some(60.0),
        filter: Some("NONE".to_owned()),
        n_sources: Some(812),
        n_reference: Some(402),
        separation_arcsec: None,
        separation_fence_arcsec: None,
        rms_arcsec: Some(0.051),
        zero_point_mag: Some(22.5),
        zero_point_err_mag: Some(0.004),
        colour_term: Some(-0.03),
        fwhm_arcsec: Some(2.4),
        limiting_mag: Some(20.1),
        sky_e: Some(310.0),
        sky_stats: None,
        photometry: None,
        wcs: vec![
            ("CTYPE1".to_owned(), WcsKeyword::Text("RA---TAN-SIP".to_owned())),
            ("CRVAL1".to_owned(), WcsKeyword::Real(123.0)),
            ("A_ORDER".to_owned(), WcsKeyword::Integer(2)),
        ],
        ltv_px: Some((-24.0, 0.0)),
        steps: vec!["bias".to_owned()],
        notes: Vec::new(),
    }
}

fn candidate(id: &str, identity: Identity) -> Candidate {
    let detection = |number: u32| CandidateDetection {
        frame: format!("f{number}.fits"),
        mid_mjd_utc: 61_100.1 + 0.01 * f64::from(number),
        ra_deg: 123.4,
        dec_deg: -5.6,
        x_px: 10.0,
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
        identity,
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

fn report() -> NightReport {
    let known = Identity::Known { name: "22767 Sim".to_owned(), separation_arcsec: 0.3 };
    NightReport {
        night: night().to_string(),
        version: "0.1.0".to_owned(),
        instrument: "simulated".to_owned(),
        masters: vec!["bias of 5".to_owned()],
        frames: vec![frame("b.fits", Some(61_100.2)), frame("a.fits", None)],
        candidates: vec![candidate("K1", known), candidate("U1", Identity::Unknown)],
        faint: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        removed: Vec::new(),
        not_done: vec![Note { subject: "a.fits".to_owned(), text: "truncated".to_owned() }],
    }
}

fn source() -> NightSource {
    NightSource::only("/raw/2026-03-01")
}

fn stage(subject: &str, stage: &str) -> StageRow {
    StageRow {
        subject: subject.to_owned(),
        stage: stage.to_owned(),
        version: 1,
        key: "k".to_owned(),
        outcome: StageOutcome::Done,
        product: None,
        payload: "{}".to_owned(),
    }
}

fn closing() -> Closing {
    Closing {
        report: report(),
        stage: stage(NIGHT_SUBJECT, "night"),
        listing: Some("l".to_owned()),
        mail: ClosingMail::Now(message()),
    }
}

fn message() -> OutboxMessage {
    OutboxMessage {
        key: "mail/2026-03-01/abc".to_owned(),
        kind: "mail".to_owned(),
        nights: vec![night().to_string()],
        message_id: "<2026-03-01.abc@example.org>".to_owned(),
        subject: "a night".to_owned(),
        body: b"From: a".to_vec(),
    }
}

#[test]
fn a_closed_night_reads_back_after_reopening() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    store.close_night(&night(), closing(), at(10.0)).expect("closed");
    drop(store);
    let reader = Reader::open(folder.path()).expect("readable without a lock");
    assert_eq!(reader.report(&night()).expect("read"), Some(report()));
    assert_eq!(reader.frames(&night()).expect("read"), report().frames);
    assert_eq!(reader.candidates(&night()).expect("read"), report().candidates);
    let rows = reader.nights().expect("read");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].n_frames, rows[0].n_frames_ok, rows[0].n_candidates), (2, 1, 2));
    assert!(rows[0].is_closed);
}

#[test]
fn doing_all_twice_does_nothing_twice() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let file = FoundFile {
        name: "a.fits".to_owned(),
        content_hash: "h".to_owned(),
        size_bytes: 9,
        stamp: None,
    };
    let dump = |store: &Store| {
        let read = store.read();
        let detections = read
            .rows("count", "SELECT count(*) FROM candidate_detection", &[], |row| {
                row.get::<_, i64>(0)
            })
            .expect("counted");
        let pending = read.outbox(OutboxState::Pending).expect("read");
        (read.nights().expect("read"), read.files(&night()).expect("read"), detections, pending)
    };
    let mut dumps = Vec::new();
    for hour in [1.0, 2.0] {
        store.begin_night(&night(), &source(), at(hour)).expect("begun");
        store.record_files(&night(), vec![file.clone()], at(hour)).expect("recorded");
        for frame in report().frames {
            let row = stage(&frame.content_hash, "frame");
            store.record_frame(&night(), row, frame).expect("kept");
        }
        store.close_night(&night(), closing(), at(hour)).expect("closed");
        dumps.push(dump(&store));
    }
    assert_eq!(dumps[0], dumps[1]);
    assert_eq!(dumps[0].2, vec![8], "two candidates of four detections");
    assert_eq!(dumps[0].3.len(), 1, "one mail");
}

#[test]
fn files_are_known_by_content() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let next = NightId::new("2026-03-02").expect("a good name");
    store.begin_night(&next, &source(), at(24.0)).expect("begun");
    let file = |name: &str, hash: &str| FoundFile {
        name: name.to_owned(),
        content_hash: hash.to_owned(),
        size_bytes: 1,
        stamp: Some("1:2:3".to_owned()),
    };
    let record = |night: &NightId, files| store.record_files(night, files, at(0.0)).expect("done");
    record(&night(), vec![file("x.fits", "h1")]);
    record(&next, vec![file("x.fits", "h2"), file("y.fits", "h3")]);
    let shared = || store.read().shared_files(&next).expect("read");
    assert!(shared().is_empty(), "the same name in two nights is no conflict");
    record(&next, vec![file("x.fits", "h1")]);
    assert_eq!(shared(), [("x.fits".to_owned(), "2026-03-01".to_owned(), "x.fits".to_owned())]);
    store.forget_names(&next, vec!["x.fits".to_owned()]).expect("forgotten");
    assert_eq!(store.read().files(&next).expect("read"), [file("y.fits", "h3")]);
}

#[test]
fn a_stage_counts_while_key_and_product_stay() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let relative =
        store.products().relative_path(&night(), ProductKind::Catalogue, "a.fits").expect("name");
    let path = store.products().resolve(&relative).expect("inside");
    ProductFile::write_bytes(&path, b"x").expect("written");
    let row = StageRow { product: Some(relative), ..stage(NIGHT_SUBJECT, "link") };
    store.record_stage(&night(), row.clone()).expect("kept");
    store.record_stage(&night(), row.clone()).expect("kept again");
    let done = |key| store.read().stage_done(&night(), NIGHT_SUBJECT, "link", key).expect("read");
    assert_eq!(done("k"), Some(row));
    assert_eq!(done("other"), None);
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(done("k"), None, "a lost product is made again");
}

#[test]
fn the_newest_fitting_master_is_found() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    for (name, hours) in [("2026-03-01", 0.0), ("2026-03-02", 24.0), ("2026-03-03", 48.0)] {
        let night = NightId::new(name).expect("a good name");
        store.begin_night(&night, &source(), at(hours)).expect("begun");
        let path =
            store.products().relative_path(&night, ProductKind::Masters, "f.fits").expect("name");
        ProductFile::write_bytes(&store.products().resolve(&path).expect("inside"), b"x")
            .expect("written");
        let master = MasterRow {
            key: "flat/cam/V".to_owned(),
            path,
            made_from: vec!["h1".to_owned(), "h2".to_owned()],
            taken: at(hours),
            payload: "{}".to_owned(),
        };
        store.put_master(&night, &master).expect("kept");
    }
    let newest = |hours| store.read().newest_master("flat/cam/V", at(hours)).expect("read");
    let found = newest(30.0).expect("one of the second night");
    assert_eq!(found.path, PathBuf::from("products/2026-03-02/masters/f.fits"));
    assert_eq!(found.made_from, ["h1", "h2"]);
    assert_eq!(newest(-1.0), None);
    assert_eq!(store.read().newest_master("flat/cam/R", at(99.0)).expect("read"), None);
    assert_eq!(store.read().masters("flat/").expect("read").len(), 3);
}

#[test]
fn messages_go_out_once_and_verdicts_outlive_candidates() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    store.enqueue(message(), at(0.0)).expect("queued");
    let row = store.read().outbox(OutboxState::Pending).expect("read").remove(0);
    store.mark_attempt(row.id, "no route", at(0.5)).expect("noted");
    store.mark_sent(&row, None, at(1.0)).expect("marked");
    store.enqueue(message(), at(2.0)).expect("known already");
    store.give_up(row.id, "late answer").expect("ignored");
    assert!(store.read().outbox(OutboxState::Pending).expect("read").is_empty());
    assert_eq!(store.read().outbox(OutboxState::Sent).expect("read")[0].attempts, 2);

    let verdict = VerdictRow {
        candidate_id: "U1".to_owned(),
        act: Act::Judge(Verdict::Real),
        who: "observer".to_owned(),
        at: at(3.0),
        note: String::new(),
        token: "one act".to_owned(),
        about: String::new(),
    };
    assert!(store.record_verdict(&night(), verdict.clone()).expect("kept"));
    assert!(!store.record_verdict(&night(), verdict.clone()).expect("kept already"));
    let without = NightReport { candidates: Vec::new(), ..report() };
    store.close_night(&night(), Closing { report: without, ..closing() }, at(2.0)).expect("closed");
    assert_eq!(store.read().verdicts(&night()).expect("read"), [verdict]);
}

#[test]
fn a_number_that_json_cannot_hold_is_refused_when_written() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let mut bad = candidate("U1", Identity::Unknown);
    bad.chi2_reduced = f64::NAN;
    let odd = NightReport { candidates: vec![candidate("U0", Identity::Unknown), bad], ..report() };
    let refused = store.close_night(&night(), Closing { report: odd, ..closing() }, at(1.0));
    assert!(matches!(refused, Err(StoreError::Payload { what: "night report", .. })));
    assert!(store.read().candidates(&night()).expect("read").is_empty(), "all undone");
    let mut other = report();
    other.night = "another".to_owned();
    let refused = store.close_night(&night(), Closing { report: other, ..closing() }, at(1.0));
    assert!(matches!(refused, Err(StoreError::WrongNight { .. })));
}

#[test]
fn a_data_folder_belongs_to_one_process_at_a_time() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let second = Store::open(folder.path()).expect_err("refused");
    assert!(matches!(second, StoreError::InUse { .. }));
    assert!(second.to_string().contains("--data"));
    assert!(Reader::open(folder.path()).is_ok());
    drop(store);
    assert!(Store::open(folder.path()).is_ok());
}

#[test]
fn damaged_newer_and_missing_databases_are_told_apart() {
    let folder = tempfile::tempdir().expect("folder");
    let missing = Reader::open(folder.path()).expect_err("nothing there");
    assert!(matches!(missing, StoreError::NoDatabase { .. }));
    let path = folder.path().join(DATABASE_NAME);
    std::fs::write(&path, b"this is no database, though it is long enough to look like one")
        .expect("written");
    let damaged = Store::open(folder.path()).expect_err("refused");
    assert!(matches!(damaged, StoreError::Damaged { .. }), "{damaged:?}");
    assert_eq!(damaged.retry(), Retry::Never);
    std::fs::remove_file(&path).expect("removed");
    drop(open(folder.path()));
    let connection = Connection::open(&path).expect("opened");
    connection.pragma_update(None, "user_version", 7).expect("set");
    drop(connection);
    for refused in [Store::open(folder.path()).err(), Reader::open(folder.path()).err()] {
        assert!(matches!(refused, Some(StoreError::NewerDatabase { found: 7, .. })));
    }
}
