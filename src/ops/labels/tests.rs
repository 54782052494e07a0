//! Which acts become labels, and that they keep what was seen.

use tempfile::TempDir;

use super::*;
use crate::ops::vetting::{Judgement, fixture, judge};
use crate::pipeline::artifact::candidate::Candidate;
use crate::pipeline::artifact::rating::{Features, Rating};
use crate::science::time::Epoch;
use crate::store::Store;
use crate::store::nights::NightSource;
use crate::store::verdicts::{Act, Verdict};

const NIGHT: &str = "dome.2026-03-01";

fn night() -> NightId {
    NightId::new(NIGHT).expect("a good name")
}

/// An instant some minutes after 2026-03-02T06:00 UTC.
fn at(minutes: f64) -> Epoch {
    Epoch::from_mjd_utc(61_101.25).plus_seconds(60.0 * minutes)
}

fn candidate(id: &str, x_px: f64, real_score: f64) -> Candidate {
    let rating = Rating {
        chance_probability: 1e-6,
        real_score,
        neo_rating: Some(12.5),
        reasons: vec!["moves smoothly".to_owned()],
        features: Features { n_detections: 4, snr: Some(12.0), ..Features::default() },
    };
    Candidate { rating: Some(rating), ..fixture::candidate(id, x_px) }
}

/// Closes the night, again when it was closed before.
fn close(store: &Store, candidates: Vec<Candidate>) {
    fixture::close(store, &night(), (candidates, Vec::new()), at(0.0));
}

fn house() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path()).expect("opened");
    store.begin_night(&night(), &NightSource::only("/raw"), at(0.0)).expect("begun");
    close(&store, vec![candidate("ONE", 10.0, 0.25), candidate("TWO", 50.0, 0.75)]);
    (folder, store)
}

fn say(store: &Store, candidate: &str, who: &str, act: Act, minutes: f64) {
    let judgement = Judgement {
        candidate: candidate.to_owned(),
        act,
        who: who.to_owned(),
        note: "seen, \"twice\"".to_owned(),
        token: format!("{candidate}-{who}-{minutes}"),
    };
    judge(store, &night(), &judgement, at(minutes)).expect("taken");
}

const REAL: Act = Act::Judge(Verdict::Real);
const FALSE: Act = Act::Judge(Verdict::False);

fn told(labels: &[Label]) -> Vec<(&str, &str, &str, bool)> {
    labels.iter().map(|l| (l.candidate_id.as_str(), l.who.as_str(), l.verdict, l.stands)).collect()
}

#[test]
fn what_stands_is_a_label_and_all_is_the_history() {
    let (_folder, store) = house();
    say(&store, "ONE", "ada", FALSE, 1.0);
    say(&store, "ONE", "bob", REAL, 2.0);
    say(&store, "ONE", "ada", REAL, 3.0);
    say(&store, "TWO", "ada", FALSE, 4.0);
    say(&store, "TWO", "ada", Act::Undo, 5.0);
    say(&store, "TWO", "bob", Act::Note, 6.0);
    let standing = labels(store.read(), None, LabelChoice::Standing).expect("labels");
    assert_eq!(told(&standing), [("ONE", "bob", "real", true), ("ONE", "ada", "real", true)]);
    let all = labels(store.read(), Some(&night()), LabelChoice::All).expect("labels");
    let verdicts: Vec<&str> = all.iter().map(|l| l.verdict).collect();
    assert_eq!(verdicts, ["false", "real", "real", "false", "undo", "note"]);
    let stands: Vec<bool> = all.iter().map(|l| l.stands).collect();
    assert_eq!(stands, [false, true, true, false, false, false]);
    let other = NightId::new("another").expect("a name");
    assert_eq!(labels(store.read(), Some(&other), LabelChoice::All).expect("labels"), []);
}

#[test]
fn labels_keep_the_features_of_their_time_when_the_night_is_rated_anew() {
    let (_folder, store) = house();
    say(&store, "ONE", "ada", FALSE, 1.0);
    // Closed again: ONE has another name and another rating, TWO is gone; then ada takes it back.
    say(&store, "TWO", "ada", REAL, 2.0);
    close(&store, vec![candidate("NEW", 10.4, 0.9)]);
    let kept = labels(store.read(), None, LabelChoice::Standing).expect("labels");
    assert_eq!(told(&kept), [("ONE", "ada", "false", true), ("TWO", "ada", "real", true)]);
    let rating = kept[0].about.as_ref().and_then(|about| about.rating.as_ref()).expect("kept");
    assert!((rating.real_score - 0.25).abs() < 1e-12);
    say(&store, "NEW", "ada", Act::Undo, 3.0);
    let after = labels(store.read(), None, LabelChoice::Standing).expect("labels");
    assert_eq!(told(&after), [("TWO", "ada", "real", true)]);
}

#[test]
fn files_read_back() {
    let (folder, store) = house();
    say(&store, "ONE", "ada", REAL, 1.0);
    let found = labels(store.read(), None, LabelChoice::Standing).expect("labels");
    let (csv_path, json_path) = (folder.path().join("l.csv"), folder.path().join("l.json"));
    assert_eq!(export(&found, LabelFormat::Csv, &csv_path).expect("written"), 1);
    assert_eq!(export(&found, LabelFormat::Json, &json_path).expect("written"), 1);
    let text = std::fs::read_to_string(csv_path).expect("the table");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().expect("a header").clone();
    let row = reader.records().next().expect("a row").expect("well formed");
    let cell = |name: &str| &row[columns.iter().position(|c| c == name).expect("a column")];
    for (name, expected) in [
        ("night", NIGHT),
        ("candidate_id", "ONE"),
        ("verdict", "real"),
        ("stands", "1"),
        ("who", "ada"),
        ("at_utc", "2026-03-02T06:01:00.000"),
        ("note", "seen, \"twice\""),
        ("n_detections", "4"),
        ("real_score", "0.2500"),
        ("neo_rating", "12.5"),
        ("snr", "12.0000"),
        ("width_ratio", ""),
    ] {
        assert_eq!(cell(name), expected, "{name}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(json_path).expect("the list")).expect("JSON");
    assert_eq!(json[0]["about"]["rating"]["features"]["snr"], 12.0);
    assert_eq!(json[0]["verdict"], "real");
}
