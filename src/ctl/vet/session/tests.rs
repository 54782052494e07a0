//! The way through a queue: on, back, undone, refused.

use super::super::fixture::{judged, open};
use super::*;

fn token() -> Result<String, getrandom::Error> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static N: AtomicU32 = AtomicU32::new(0);
    Ok(format!("t{}", N.fetch_add(1, Ordering::Relaxed)))
}

fn session(all: Vec<Vetted>) -> Session {
    Session::new("anna", all, token)
}

fn queue() -> Vec<Vetted> {
    ["A", "B", "C"].map(open).to_vec()
}

fn id(session: &Session) -> &str {
    session.current().map_or("-", |v| v.candidate.id.as_str())
}

/// The queue after a judgement, as the database would give it.
fn after(session: &Session, judgement: &Judgement) -> Vec<Vetted> {
    let mut all = session.all.clone();
    let v = all.iter_mut().find(|v| v.candidate.id == judgement.candidate).expect("there");
    match judgement.act {
        Act::Judge(verdict) => {
            *v = judged(v.clone(), &judgement.who, verdict, session.given.len() as f64);
        }
        Act::Undo => v.opinions.retain(|o| o.who != judgement.who),
        Act::Note => {}
    }
    all
}

fn keep(session: &mut Session, judgement: Option<Judgement>) -> Judgement {
    let judgement = judgement.expect("an act");
    let all = after(session, &judgement);
    session.kept(all);
    judgement
}

#[test]
fn a_verdict_goes_on_only_when_it_is_kept() {
    let mut s = session(queue());
    let judgement = s.judge(Verdict::Real).expect("an act");
    assert_eq!((judgement.candidate.as_str(), judgement.act), ("A", Act::Judge(Verdict::Real)));
    assert_eq!(id(&s), "A", "still there");
    assert!(s.is_waiting() && s.judge(Verdict::False).is_none(), "one after the other");
    s.kept(after(&s, &judgement));
    assert_eq!((id(&s), s.counts(), s.place()), ("B", (3, 1), Some(2)));
    assert_eq!(s.message, "A: asteroid, kept.");
}

#[test]
fn a_refused_act_is_sent_again_under_its_name() {
    let mut s = session(queue());
    let first = s.judge(Verdict::Real).expect("an act");
    s.refused("the service went away");
    assert_eq!(id(&s), "A");
    assert!(s.message.contains("again: the service went away"), "{}", s.message);
    let again = s.judge(Verdict::Real).expect("an act");
    assert_eq!(again.token, first.token);
    s.refused("still");
    let other = s.judge(Verdict::False).expect("another act");
    assert_ne!(other.token, first.token, "another will is another act");
}

#[test]
fn undo_goes_back_through_the_sitting() {
    let mut s = session(queue());
    for verdict in [Verdict::Real, Verdict::False] {
        let act = s.judge(verdict);
        keep(&mut s, act);
    }
    assert_eq!(id(&s), "C");
    let act = s.undo();
    assert_eq!(keep(&mut s, act).candidate, "B");
    assert_eq!((id(&s), s.counts()), ("B", (3, 1)));
    let act = s.undo();
    keep(&mut s, act);
    assert_eq!((id(&s), s.counts()), ("A", (3, 0)));
    assert!(s.undo().is_none());
    assert!(s.message.contains("no verdict here"), "{}", s.message);
}

#[test]
fn undo_finds_the_newest_verdict_of_a_former_sitting_and_no_other_persons() {
    let mut all = queue();
    all[0] = judged(all[0].clone(), "anna", Verdict::Real, 5.0);
    all[1] = judged(all[1].clone(), "anna", Verdict::Real, 3.0);
    all[2] = judged(all[2].clone(), "berta", Verdict::Real, 9.0);
    let mut s = session(all);
    assert_eq!(id(&s), "-", "all are judged");
    assert!(s.judge(Verdict::Real).is_none());
    assert_eq!(s.undo().expect("an act").candidate, "A");
}

#[test]
fn skipping_and_going_back_change_nothing_but_the_place() {
    let mut s = session(queue());
    s.skip();
    s.skip();
    assert_eq!(id(&s), "C");
    s.skip();
    assert_eq!(id(&s), "A", "round the end");
    s.previous();
    assert_eq!(id(&s), "C");
    let act = s.judge(Verdict::Unsure);
    keep(&mut s, act);
    assert_eq!(id(&s), "A");
    s.previous();
    assert_eq!(id(&s), "C", "a judged one can be looked at again");
    let mut s = session(queue());
    s.previous();
    assert_eq!((id(&s), s.message.as_str()), ("A", "This is the first candidate."));
    let mut s = session(vec![open("A")]);
    s.skip();
    assert_eq!((id(&s), s.message.as_str()), ("A", "No other candidate is open."));
}

#[test]
fn others_verdicts_and_new_candidates_are_taken_over() {
    let mut s = session(queue());
    let mut all = queue();
    all[1] = judged(all[1].clone(), "berta", Verdict::Real, 0.0);
    s.renew(all.clone());
    assert_eq!((id(&s), s.counts()), ("A", (3, 1)));
    s.skip();
    assert_eq!(id(&s), "C", "berta judged B");
    all.pop();
    s.renew(all);
    assert_eq!(id(&s), "A");
    assert!(s.message.contains("gone"), "{}", s.message);
    let mut s = session(Vec::new());
    s.previous();
    s.skip();
    assert!(s.undo().is_none());
    assert_eq!((id(&s), s.counts()), ("-", (0, 0)));
}
