//! Wishes come, are done once and may be overtaken; forgetting takes what was named and no more.

use std::path::Path;

use super::*;
use crate::science::time::Epoch;
use crate::store::nights::{FoundFile, NightSource};
use crate::store::stages::{StageOutcome, StageRow};

fn night(name: &str) -> NightId {
    NightId::new(name).expect("a good name")
}

const AT: Epoch = Epoch::from_mjd_utc(61_100.0);
const NIGHTS: [&str; 2] = ["2026-03-01", "2026-03-02"];
const HASHES: [&str; 2] = ["aaaaaa11", "aaaaaa22"];

/// Two closed nights of the same two frames with their results and a try each.
fn store(folder: &Path) -> Store {
    let store = Store::open(folder).expect("opened");
    for name in NIGHTS {
        let night = night(name);
        store.begin_night(&night, &NightSource::only("/raw"), AT).expect("begun");
        for (number, hash) in HASHES.into_iter().enumerate() {
            let file = FoundFile {
                name: format!("f{number}.fits"),
                content_hash: hash.to_owned(),
                size_bytes: 1,
                stamp: None,
            };
            store.record_files(&night, vec![file], AT).expect("recorded");
            keep(&store, &night, hash, "frame");
        }
        keep(&store, &night, NIGHT_SUBJECT, "night");
    }
    sql(
        &store,
        "INSERT INTO attempt SELECT night, content_hash, 0, 0, 2 FROM night_file; \
         UPDATE night SET state = 'closed', listing = 'l'",
    );
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

fn sql(store: &Store, text: &'static str) {
    store.writer().transact(|t| t.execute_batch(text).map_err(during("prepare"))).expect("done");
}

/// What is left: "night subject" of results and "night hash" of tries.
fn left(store: &Store) -> Vec<String> {
    let all = "SELECT night || ' ' || subject FROM stage_result \
               UNION ALL SELECT night || ' try ' || content_hash FROM attempt ORDER BY 1";
    store.read().rows("list", all, &[], |row| row.get(0)).expect("read")
}

/// State, listing and request of each night.
fn nights(store: &Store) -> Vec<(String, Option<String>, Option<String>)> {
    let all = "SELECT state, listing, request FROM night ORDER BY id";
    store
        .read()
        .rows("list", all, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("read")
}

#[test]
fn a_request_is_cleared_by_whoever_did_it_and_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let first = night(NIGHTS[0]);
    assert!(!store.request(&night("1999-01-01"), Request::Close).expect("asked"));
    assert!(store.request(&first, Request::Close).expect("asked"));
    assert_eq!(store.read().requests().expect("read"), [(first.clone(), Request::Close)]);
    // Somebody changes their mind while the night is being closed.
    store.reopen_night(&first, Some(Request::Reopen)).expect("opened");
    store.clear_request(&first, Request::Close).expect("cleared");
    assert_eq!(store.read().requests().expect("read"), [(first.clone(), Request::Reopen)]);
    let closed = ("closed".to_owned(), Some("l".to_owned()), None);
    let open = ("open".to_owned(), None, Some("reopen".to_owned()));
    assert_eq!(nights(&store), [open, closed]);
    store.clear_request(&first, Request::Reopen).expect("cleared");
    assert!(store.read().requests().expect("read").is_empty());
}

#[test]
fn only_what_was_named_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let (first, second) = (night(NIGHTS[0]), night(NIGHTS[1]));
    assert_eq!(store.forget_stages(&first, &Forget::Night).expect("forgotten"), 1);
    assert_eq!(left(&store).len(), 9, "{:?}", left(&store));
    assert_eq!(nights(&store)[0], ("open".to_owned(), None, None));
    assert_eq!(nights(&store)[1].0, "closed");

    let one = Forget::Frame(HASHES[0].to_owned());
    assert_eq!(store.forget_stages(&second, &one).expect("forgotten"), 2);
    assert_eq!(
        left(&store),
        [
            "2026-03-01 aaaaaa11",
            "2026-03-01 aaaaaa22",
            "2026-03-01 try aaaaaa11",
            "2026-03-01 try aaaaaa22",
            "2026-03-02 aaaaaa22",
            "2026-03-02 try aaaaaa22",
        ]
    );
    assert_eq!(store.forget_stages(&first, &Forget::AllFrames).expect("forgotten"), 2);
    assert_eq!(left(&store), ["2026-03-02 aaaaaa22", "2026-03-02 try aaaaaa22"]);
    // The files themselves stay known.
    assert_eq!(store.read().files(&first).expect("read").len(), 2);
}

#[test]
fn frames_are_found_by_name_and_by_the_start_of_their_hash() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    let first = night(NIGHTS[0]);
    let found = |text: &str, night: Option<&NightId>| -> Vec<(String, String)> {
        let frames = store.read().find_frames(text, night).expect("searched");
        frames.into_iter().map(|f| (f.night, f.name)).collect()
    };
    let pair = |night: &str, name: &str| (night.to_owned(), name.to_owned());
    assert_eq!(found("f0.fits", Some(&first)), [pair(NIGHTS[0], "f0.fits")]);
    assert_eq!(
        found("AAAAAA2", None),
        [pair(NIGHTS[1], "f1.fits"), pair(NIGHTS[0], "f1.fits")],
        "newest first"
    );
    assert_eq!(found("aaaaaa", Some(&first)).len(), 2);
    assert!(found("aaaaa", None).is_empty(), "too short for a hash");
    assert!(found("%", None).is_empty() && found("", None).is_empty());
    sql(&store, "DELETE FROM stage_result; DELETE FROM attempt");
    assert!(found("f0.fits", None).is_empty(), "nothing was made of the file");
}
