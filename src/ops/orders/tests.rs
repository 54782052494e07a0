//! Each order on a real database: what it changes, what it leaves, what it refuses.

use std::path::Path;

use super::*;
use crate::science::time::Epoch;
use crate::store::nights::{FoundFile, NightSource};
use crate::store::outbox::{OutboxMessage, OutboxState};
use crate::store::stages::{NIGHT_SUBJECT, StageOutcome, StageRow};

const AT: Epoch = Epoch::from_mjd_utc(61_100.0);
const HASHES: [&str; 2] = ["0123456789aa", "0123456789bb"];

/// Two nights of two reduced frames each.
fn store(folder: &Path) -> Store {
    let store = Store::open(folder).expect("opened");
    for name in ["2026-03-01", "2026-03-02"] {
        let night = NightId::new(name).expect("a good name");
        store.begin_night(&night, &NightSource::only("/"), AT).expect("begun");
        for (number, hash) in HASHES.into_iter().enumerate() {
            let (name, content_hash) = (format!("f{number}.fits"), hash.to_owned());
            let file = FoundFile { name, content_hash, size_bytes: 1, stamp: None };
            store.record_files(&night, vec![file], AT).expect("recorded");
            keep(&store, &night, hash, "frame");
        }
        keep(&store, &night, NIGHT_SUBJECT, "night");
    }
    store
}

fn keep(store: &Store, night: &NightId, subject: &str, stage: &str) {
    let row = StageRow {
        subject: subject.to_owned(),
        stage: stage.to_owned(),
        version: 1,
        key: "k".to_owned(),
        outcome: StageOutcome::Done,
        product: None,
        payload: "{}".to_owned(),
    };
    store.record_stage(night, row).expect("kept");
}

fn n_left(store: &Store, night: &str) -> usize {
    let id = NightId::new(night).expect("a good name");
    let n_frames = store.read().frame_results(&id, None).expect("read").len();
    let kept = store.read().stage_done(&id, NIGHT_SUBJECT, "night", "k").expect("read");
    n_frames + usize::from(kept.is_some())
}

fn reprocess(frame: Option<&str>, from: &str) -> Order {
    let (frame, from) = (frame.map(str::to_owned), from.to_owned());
    Order::Reprocess { night: "2026-03-01".to_owned(), frame, from }
}

#[test]
fn reprocessing_forgets_from_the_stage_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let done = apply(&store, &reprocess(None, "identify")).expect("done");
    assert_eq!(done.nights, ["2026-03-01"]);
    assert_eq!(n_left(&store, "2026-03-01"), 2, "the frames stay");
    let done = apply(&store, &reprocess(Some("0123456789A"), "solve")).expect("done");
    assert!(done.text.contains("f0.fits"), "{}", done.text);
    assert_eq!(n_left(&store, "2026-03-01"), 1);
    apply(&store, &reprocess(None, "ingest")).expect("done");
    assert_eq!(n_left(&store, "2026-03-01"), 0);
    assert_eq!(n_left(&store, "2026-03-02"), 3, "the other night is not touched");
}

#[test]
fn what_cannot_be_meant_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let refused = |order: &Order| apply(&store, order).expect_err("refused").to_string();
    let close = |night: &str| Order::CloseNight { night: night.to_owned() };
    let text = refused(&close("2026-03-03"));
    assert!(text.contains("mean 2026-03-02, 2026-03-01") && text.contains("night list"), "{text}");
    let text = refused(&close("../etc"));
    assert!(!text.contains("mean"), "nothing is like it: {text}");
    let text = refused(&reprocess(None, "slove"));
    assert!(text.contains("solve") && text.contains("link"), "{text}");
    let text = refused(&reprocess(Some("f0.fits"), "link"));
    assert!(text.contains("leave the frame out"), "{text}");
    let text = refused(&reprocess(Some("f7.fits"), "solve"));
    assert!(text.contains("mean f1.fits, f0.fits"), "{text}");
    let text = refused(&reprocess(Some("012345"), "solve"));
    assert!(text.contains("f0.fits of 2026-03-01") && text.contains("0123456789bb"), "{text}");
    assert!(refused(&Order::ResendMail { id: 9 }).contains("mail 9"));
    assert!(refused(&Order::Pause { reason: "x".repeat(201) }).contains("201"));
    assert_eq!((n_left(&store, "2026-03-01"), n_left(&store, "2026-03-02")), (3, 3));
    assert!(store.read().requests().expect("read").is_empty());
    assert_eq!(store.read().service_value(PAUSED_KEY).expect("read"), None);
}

#[test]
fn nights_are_closed_and_opened_by_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let night = "2026-03-01".to_owned();
    apply(&store, &Order::CloseNight { night: night.clone() }).expect("done");
    let id = NightId::new(&night).expect("a good name");
    assert_eq!(store.read().requests().expect("read"), [(id.clone(), Request::Close)]);
    apply(&store, &Order::ReopenNight { night: night.clone() }).expect("done");
    assert_eq!(store.read().requests().expect("read"), [(id, Request::Reopen)]);
}

#[test]
fn a_night_is_found_without_its_telescope() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opened");
    for name in ["east.a", "west.a", "west.b"] {
        let night = NightId::new(name).expect("a good name");
        store.begin_night(&night, &NightSource::only("/"), AT).expect("begun");
    }
    // Without a telescope's name in its column a dot is just a dot.
    assert!(matches!(find_night(store.read(), "b"), Err(OrderError::UnknownNight { .. })));
    store.set_telescopes_for_tests();
    assert_eq!(find_night(store.read(), "b").expect("found").as_str(), "west.b");
    assert_eq!(find_night(store.read(), "east.a").expect("found").as_str(), "east.a");
    let ambiguous = find_night(store.read(), "a").expect_err("two").to_string();
    assert!(ambiguous.contains("east.a, west.a"), "{ambiguous}");
}

#[test]
fn a_pause_keeps_its_reason_as_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let paused = || store.read().service_value(PAUSED_KEY).expect("read");
    apply(&store, &Order::Pause { reason: "new\ncamera \u{1b}[2J".to_owned() }).expect("done");
    assert_eq!(paused().as_deref(), Some("new camera  [2J"));
    let done = apply(&store, &Order::Resume).expect("done");
    assert!(done.text.contains("new camera"), "{}", done.text);
    assert_eq!(paused(), None);
    apply(&store, &Order::Pause { reason: " ".to_owned() }).expect("done");
    assert_eq!(paused().as_deref(), Some("no reason given"));
}

#[test]
fn a_frame_may_stand_for_its_night_and_nothing_is_forgotten_without_raw_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let order = |night: &str| Order::Reprocess {
        night: night.to_owned(),
        frame: None,
        from: "ingest".to_owned(),
    };
    let gone = NightId::new("2026-04-01").expect("a good name");
    store.begin_night(&gone, &NightSource::only("/nowhere"), AT).expect("begun");
    let refused = apply(&store, &order("2026-04-01")).expect_err("no raw files");
    assert!(matches!(refused, OrderError::NoRawFiles { .. }), "{refused}");
    let unknown = apply(&store, &order("nothing")).expect_err("neither night nor frame");
    assert!(matches!(unknown, OrderError::UnknownNight { .. }), "{unknown}");
    // Both nights have such a frame: the whole names are asked for.
    let both = apply(&store, &order("f0.fits")).expect_err("two frames");
    assert!(matches!(both, OrderError::AmbiguousFrame { .. }), "{both}");
    let name = store.read().nights().expect("read")[0].id.clone();
    let other = store.read().nights().expect("read")[1].id.clone();
    let other = NightId::new(&other).expect("a good name");
    store.forget_names(&other, vec!["f0.fits".to_owned()]).expect("forgotten");
    let done = apply(&store, &order("f0.fits")).expect("one frame");
    assert_eq!(done.nights, [name]);
}

#[test]
fn a_mail_is_sent_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let text = |text: &str| text.to_owned();
    let message = OutboxMessage {
        key: text("mail/a"),
        kind: text("mail"),
        nights: Vec::new(),
        message_id: text("<a@example.org>"),
        subject: text("a"),
        body: b"x".to_vec(),
    };
    store.enqueue(message, AT).expect("queued");
    let row = store.read().outbox(OutboxState::Pending).expect("read").remove(0);
    store.mark_sent(&row, None, AT).expect("sent");
    apply(&store, &Order::ResendMail { id: row.id }).expect("done");
    assert_eq!(store.read().outbox_pending().expect("read"), 1);
    assert!(apply(&store, &Order::ResendMail { id: row.id + 1 }).is_err());
}
