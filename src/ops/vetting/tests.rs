//! Folding a history, undoing, two people, repetition, inheritance, refusals.

use tempfile::TempDir;

use super::*;
use crate::store::nights::NightSource;

fn night() -> NightId {
    NightId::new("2026-03-01").expect("a good name")
}

fn at(minutes: f64) -> Epoch {
    Epoch::from_mjd_utc(61_100.0).plus_seconds(minutes * 60.0)
}

fn candidate(id: &str, identity: Identity, x_px: f64, false_alarms: f64) -> Candidate {
    Candidate { identity, false_alarms, ..fixture::candidate(id, x_px) }
}

fn close(store: &Store, candidates: Vec<Candidate>, faint: Vec<Candidate>) {
    fixture::close(store, &night(), (candidates, faint), at(0.0));
}

/// A closed night of one known, two unknown and one faint candidate.
fn house() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path()).expect("opened");
    store.begin_night(&night(), &NightSource::only("/raw"), at(0.0)).expect("begun");
    let known = Identity::Known { name: "22767".to_owned(), separation_arcsec: 0.3 };
    let steady = vec![
        candidate("KNOWN", known, 10.0, 1e-20),
        candidate("WEAK", Identity::Unknown, 20.0, 1e-6),
        candidate("SURE", Identity::Unknown, 30.0, 1e-9),
    ];
    close(&store, steady, vec![candidate("FAINT", Identity::Unknown, 40.0, 1e-30)]);
    (folder, store)
}

fn act(candidate: &str, act: Act, who: &str, token: &str) -> Judgement {
    let note = if act == Act::Note { "a note" } else { "" };
    Judgement {
        candidate: candidate.to_owned(),
        act,
        who: who.to_owned(),
        note: note.to_owned(),
        token: token.to_owned(),
    }
}

const REAL: Act = Act::Judge(Verdict::Real);
const FALSE: Act = Act::Judge(Verdict::False);

#[test]
fn the_queue_has_unknown_ones_first_and_ends_when_all_are_judged() {
    let (_folder, store) = house();
    let ids =
        |all: &[Vetted]| -> Vec<String> { all.iter().map(|v| v.candidate.id.clone()).collect() };
    let all = vetted(store.read(), &night()).expect("read");
    assert_eq!(ids(&all), ["SURE", "WEAK", "KNOWN", "FAINT"]);
    assert!(all[3].is_faint);
    let next = |after| {
        let all = vetted(store.read(), &night()).expect("read");
        next_open(&all, after).map(|v| v.candidate.id.clone())
    };
    assert_eq!(next(None).as_deref(), Some("SURE"));
    assert_eq!(next(Some("SURE")).as_deref(), Some("WEAK"), "skipped");
    assert_eq!(next(Some("FAINT")).as_deref(), Some("SURE"), "round again");
    for id in ["SURE", "KNOWN", "FAINT"] {
        judge(&store, &night(), &act(id, REAL, "ann", id), at(1.0)).expect("taken");
    }
    assert_eq!(next(Some("SURE")).as_deref(), Some("WEAK"));
    assert_eq!(next(Some("WEAK")), None, "the one on the screen is not offered again");
    judge(&store, &night(), &act("WEAK", FALSE, "ann", "w"), at(2.0)).expect("taken");
    assert_eq!(next(None), None);
}

#[test]
fn undo_takes_back_ones_own_and_two_people_are_told_apart() {
    let (_folder, store) = house();
    let give = |judgement: Judgement, minute| {
        judge(&store, &night(), &judgement, at(minute)).expect("taken").candidate().clone()
    };
    give(act("SURE", REAL, "ann", "1"), 1.0);
    let disputed = give(act("SURE", FALSE, "bob", "2"), 2.0);
    assert_eq!((disputed.verdict(), disputed.is_disputed()), (Some(Verdict::False), true));
    let noted = give(act("SURE", Act::Note, "ann", "3"), 3.0);
    assert_eq!(noted.verdict(), Some(Verdict::False), "a note is no opinion");
    let changed = give(act("SURE", FALSE, "ann", "4"), 4.0);
    assert!(!changed.is_disputed());
    assert_eq!(changed.opinions[0].who, "ann");
    let undone = give(act("SURE", Act::Undo, "ann", "5"), 5.0);
    assert_eq!(undone.opinion_of("ann").map(|o| o.verdict), Some(Verdict::Real), "the one before");
    assert_eq!(undone.verdict(), Some(Verdict::False), "bob's is newer");
    give(act("SURE", Act::Undo, "ann", "6"), 6.0);
    let refused = judge(&store, &night(), &act("SURE", Act::Undo, "ann", "7"), at(7.0));
    assert!(matches!(refused, Err(VettingError::NothingToUndo { .. })));
    let kept = vetted(store.read(), &night()).expect("read");
    assert_eq!((kept[0].history.len(), kept[0].opinions.len()), (6, 1), "nothing is forgotten");
}

#[test]
fn the_same_act_again_changes_nothing_also_an_undo() {
    let (_folder, store) = house();
    for _ in 0..2 {
        judge(&store, &night(), &act("SURE", REAL, "ann", "1"), at(1.0)).expect("taken");
    }
    judge(&store, &night(), &act("SURE", FALSE, "ann", "2"), at(2.0)).expect("taken");
    for _ in 0..3 {
        let last = judge(&store, &night(), &act("SURE", Act::Undo, "ann", "3"), at(3.0));
        assert_eq!(last.expect("taken").candidate().verdict(), Some(Verdict::Real));
    }
}

#[test]
fn a_verdict_follows_an_object_that_got_another_name() {
    let (_folder, store) = house();
    judge(&store, &night(), &act("SURE", REAL, "ann", "1"), at(1.0)).expect("taken");
    judge(&store, &night(), &act("WEAK", FALSE, "ann", "2"), at(2.0)).expect("taken");
    // The night was closed again: SURE moved by less than a pixel, WEAK is another thing now.
    let again = vec![
        candidate("NEWSURE", Identity::Unknown, 30.7, 1e-9),
        candidate("OTHER", Identity::Unknown, 99.0, 1e-6),
    ];
    close(&store, again, Vec::new());
    let all = vetted(store.read(), &night()).expect("read");
    assert_eq!(all[0].candidate.id, "NEWSURE");
    assert_eq!(all[0].verdict(), Some(Verdict::Real));
    assert_eq!(all[1].verdict(), None);
    let undone = judge(&store, &night(), &act("NEWSURE", Act::Undo, "ann", "3"), at(3.0));
    assert_eq!(undone.expect("taken").candidate().verdict(), None);
}

#[test]
fn bad_names_notes_tokens_and_candidates_are_refused() {
    let (_folder, store) = house();
    let long = "x".repeat(3000);
    let good = act("SURE", REAL, "ann", "1");
    for bad in [
        Judgement { who: String::new(), ..good.clone() },
        Judgement { who: "a\u{1b}[2J".to_owned(), ..good.clone() },
        Judgement { note: long.clone(), ..good.clone() },
        Judgement { token: long, ..good.clone() },
        Judgement { act: Act::Note, ..good.clone() },
    ] {
        let refused = judge(&store, &night(), &bad, at(1.0));
        assert!(matches!(refused, Err(VettingError::BadText { .. })), "{bad:?}");
    }
    let other = Judgement { candidate: "NOBODY".to_owned(), ..good };
    let refused = judge(&store, &night(), &other, at(1.0));
    assert!(matches!(refused, Err(VettingError::UnknownCandidate { .. })));
    assert!(vetted(store.read(), &night()).expect("read").iter().all(|v| v.history.is_empty()));
}
