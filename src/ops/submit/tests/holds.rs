//! Every reason to hold back.

use super::*;
use crate::pipeline::artifact::rating::{Features, Rating};
use crate::store::submissions::{NewSubmission, TrackName};

/// The only candidate of a night, changed, judged real: why it is held back.
fn holds_of(change: impl FnOnce(&mut Candidate)) -> Vec<Hold> {
    let mut one = candidate("U1", Identity::Unknown, 0.0);
    change(&mut one);
    House::judged(vec![one]).holds(&config(), "U1")
}

#[test]
fn what_people_did_not_judge_real_is_held_back() {
    let ids = ["U1", "U2", "U3", "U4"];
    let all = ids.iter().zip([0.0, 0.1, 0.2, 0.3]);
    let all = all.map(|(id, place)| candidate(id, Identity::Unknown, place)).collect();
    let house = House::new(report(all));
    house.judge("U2", "ana", Verdict::False);
    house.judge("U3", "ana", Verdict::Unsure);
    house.judge("U4", "ana", Verdict::False);
    house.judge("U4", "ben", Verdict::Real);
    let config = config();
    assert_eq!(house.holds(&config, "U1"), [Hold::NotVetted]);
    assert_eq!(house.holds(&config, "U2"), [Hold::Artefact]);
    assert_eq!(house.holds(&config, "U3"), [Hold::Unsure]);
    assert_eq!(house.holds(&config, "U4"), [Hold::Disputed { n_opinions: 2 }]);
    let refused = house.write(&config, SubmitFormat::Psv);
    assert!(matches!(refused, Err(SubmitError::Nothing { .. })), "{refused:?}");
    // They settle it.
    house.judge("U4", "ben", Verdict::Real);
    let undo = Judgement {
        candidate: "U4".to_owned(),
        act: Act::Undo,
        who: "ana".to_owned(),
        note: String::new(),
        token: "undo".to_owned(),
    };
    judge(&house.store, &night(), &undo, now()).expect("undone");
    assert_eq!(house.holds(&config, "U4"), []);
}

#[test]
fn doubtful_identities_are_held_back() {
    let set = |identity: Identity| holds_of(|c| c.identity = identity);
    assert_eq!(set(Identity::Unchecked), [Hold::NotCompared]);
    let far = Hold::UncertainIdentity { separation_arcsec: 7.5 };
    assert_eq!(set(known("22767 Sim22767", 7.5)), [far]);
    assert_eq!(set(known("Ceres", 0.1)), [Hold::UnreadableName]);
    assert_eq!(set(known("A904 OA", 0.1)), [Hold::UnreadableName]);
    let house = House::judged(vec![
        candidate("K1", known("12 Victoria", 0.3), 0.0),
        candidate("K2", known("(12)", 0.4), 0.1),
    ]);
    assert_eq!(house.holds(&config(), "K1"), [Hold::NameTwice { other: "K2".to_owned() }]);
    assert_eq!(house.holds(&config(), "K2"), [Hold::NameTwice { other: "K1".to_owned() }]);
}

#[test]
fn objects_near_stars_are_held_back() {
    let near = |distance_fwhm: Option<f64>| Rating {
        features: Features { star_distance_fwhm: distance_fwhm, ..Features::default() },
        ..Rating::default()
    };
    let set = |distance| holds_of(|c| c.rating = Some(near(distance)));
    assert_eq!(set(Some(0.7)), [Hold::NearStar { distance_fwhm: 0.7 }]);
    assert_eq!(set(Some(1.3)), []);
    assert_eq!(set(None), []);
}

/// The reasons of single frames beside the candidate's.
#[test]
fn bad_observations_are_held_back_and_the_others_go() {
    let first = |change: fn(&mut CandidateDetection)| holds_of(|c| change(&mut c.detections[0]));
    assert_eq!(first(|d| d.snr = 4.9), [Hold::LowSnr { snr: 4.9 }]);
    assert_eq!(first(|d| d.residual_arcsec = (0.6, 0.8)), [Hold::Outlier { residual_arcsec: 1.0 }]);
    assert_eq!(first(|d| d.frame = "gone.fits".to_owned()), [Hold::FrameNotUsed]);
    for change in [
        (|d: &mut CandidateDetection| d.position_err_arcsec = 0.0) as fn(&mut CandidateDetection),
        |d| d.position_err_arcsec = -0.1,
        |d| d.ra_deg = 360.0,
        |d| d.dec_deg = 90.5,
    ] {
        assert_eq!(first(change), [Hold::NoPlace]);
    }
    for change in [
        (|d: &mut CandidateDetection| d.mid_mjd_utc = 61_102.0) as fn(&mut CandidateDetection),
        |d| d.mid_mjd_utc = 0.0,
    ] {
        assert_eq!(first(change), [Hold::NoTime]);
    }
    let twice = holds_of(|c| c.detections[1].mid_mjd_utc = c.detections[0].mid_mjd_utc);
    assert_eq!(twice, [Hold::SameInstant]);
    // Of frames that were not used nothing goes.
    let mut lost = report(vec![candidate("U1", Identity::Unknown, 0.0)]);
    lost.frames[4].status = FrameStatus::Rejected;
    lost.frames[3].mid_mjd_utc = None;
    let house = House::new(lost);
    house.judge("U1", "ana", Verdict::Real);
    assert_eq!(house.holds(&config(), "U1"), [Hold::NoTime, Hold::FrameNotUsed]);
    assert_eq!(house.plan(&config()).submission.observations.len(), 3);
}

#[test]
fn numbers_that_are_none_are_held_back() {
    // The database holds no NaN; what measures may still make some.
    let fit = |change: fn(&mut CandidateDetection)| {
        let mut detection = candidate("U1", Identity::Unknown, 0.0).detections[0].clone();
        change(&mut detection);
        select::fit_to_send(&detection, &frame(0), &config().submit, now())
    };
    assert_eq!(fit(|_| ()), Ok(()));
    assert!(matches!(fit(|d| d.snr = f64::NAN), Err(Hold::LowSnr { .. })));
    assert_eq!(fit(|d| d.mid_mjd_utc = f64::NAN), Err(Hold::NoTime));
    assert_eq!(fit(|d| d.ra_deg = f64::NAN), Err(Hold::NoPlace));
    assert_eq!(fit(|d| d.dec_deg = f64::NAN), Err(Hold::NoPlace));
    assert_eq!(fit(|d| d.position_err_arcsec = f64::NAN), Err(Hold::NoPlace));
    assert_eq!(fit(|d| d.position_err_arcsec = f64::INFINITY), Err(Hold::NoPlace));
    assert!(matches!(fit(|d| d.residual_arcsec.0 = f64::NAN), Err(Hold::Outlier { .. })));
}

#[test]
fn short_tracklets_are_held_back() {
    let short = holds_of(|c| c.detections.truncate(2));
    assert_eq!(short, [Hold::FewObservations { n_left: 2, n_min: 3 }]);
    // Also when the others are held back: each says why, and the candidate that too few are left.
    let weak = holds_of(|c| c.detections[..3].iter_mut().for_each(|d| d.snr = 3.0));
    let low = Hold::LowSnr { snr: 3.0 };
    let few = Hold::FewObservations { n_left: 2, n_min: 3 };
    assert_eq!(weak, [low.clone(), low.clone(), low, few]);
}

#[test]
fn one_source_goes_under_one_name() {
    let twin = candidate("U2", Identity::Unknown, 0.000_3);
    let house = House::judged(vec![candidate("U1", Identity::Unknown, 0.0), twin]);
    let holds = house.holds(&config(), "U2");
    let shared = Hold::Shared { other: "U1".to_owned() };
    assert_eq!(holds.iter().filter(|h| **h == shared).count(), 5, "{holds:?}");
    assert_eq!(house.plan(&config()).submission.observations.len(), 5);
}

#[test]
fn a_site_without_a_code_cannot_submit() {
    let house = House::judged(vec![candidate("U1", Identity::Unknown, 0.0)]);
    let mut config = config();
    config.site.mpc_code = None;
    config.submit.measurers.clear();
    assert_eq!(house.holds(&config, "U1"), [Hold::NoStation]);
    assert_eq!(house.plan(&config).missing, ["site.mpc_code", "submit.measurers"]);
    let told = house.write(&config, SubmitFormat::Psv).expect_err("refused").to_string();
    assert!(told.contains("site.mpc_code, submit.measurers"), "{told}");
}

#[test]
fn simulated_nights_never_go() {
    let all = || report(vec![candidate("U1", Identity::Unknown, 0.0)]);
    let by_frame = |report: &mut NightReport| report.frames[2].is_simulated = true;
    let by_camera = |report: &mut NightReport| report.instrument = "SIMCAM, profile maxim".into();
    for mark in [by_frame as fn(&mut NightReport), by_camera] {
        let mut simulated = all();
        mark(&mut simulated);
        let house = House::new(simulated);
        house.judge("U1", "ana", Verdict::Real);
        assert_eq!(house.holds(&config(), "U1"), [Hold::Simulated]);
        let refused = house.write(&config(), SubmitFormat::Psv);
        assert!(matches!(refused, Err(SubmitError::Simulated { .. })), "{refused:?}");
        assert!(house.store.read().submissions().expect("read").is_empty());
    }
    for (name, expected) in [("demo", true), ("north.demo", true), ("2026-03-01", false)] {
        let report = NightReport { night: name.to_owned(), ..all() };
        assert_eq!(select::is_simulated(&report), expected, "{name}");
    }
}

#[test]
fn without_a_free_name_an_object_waits() {
    let house = House::judged(vec![candidate("U1", Identity::Unknown, 0.0)]);
    let taken = |n| TrackName {
        trk_sub: track::made("2026-03-01", "U1", n),
        night: "2020-01-01".to_owned(),
        candidate_id: format!("X{n}"),
    };
    let record = NewSubmission {
        station: "J75".to_owned(),
        approved_by: "ana".to_owned(),
        at: now(),
        path: "submissions/old.psv".to_owned(),
        content_hash: "old".to_owned(),
        names: (0..track::TRIES_MAX).map(taken).collect(),
        observations: Vec::new(),
    };
    house.store.record_submission(record).expect("recorded");
    assert_eq!(house.holds(&config(), "U1"), [Hold::NoTrackName]);
}
