//! Nights of a store: one object in all of them, whichever comes first.

use super::*;
use crate::ops::object_names::{name, numbers};
use crate::ops::overview;
use crate::ops::vetting::vetted;
use crate::pipeline::artifact::candidate::CandidateDetection;
use crate::pipeline::reduce::empty_record;
use crate::science::orbit::kepler::Elements;
use crate::science::orbit::place::Sight;
use crate::science::orbit::planets::Planets;
use crate::science::orbit::propagate::propagate;
use crate::science::sky::vector::ra_dec_rad;
use crate::science::time::Epoch;
use crate::store::nights::{Closing, NightSource};
use crate::store::stages::{NIGHT_SUBJECT, StageOutcome, StageRow};

const EPOCH: f64 = 61_000.0;
const SITE: Site = Site { latitude_deg: 37.2, longitude_deg: -2.5, height_m: 2_000.0 };

/// A night in which a main-belt object is seen under an identifier, and something else that moves
/// otherwise.
fn report(night: &str, id: &str, days: f64) -> NightReport {
    let elements = Elements {
        axis_au: 2.6,
        eccentricity_ratio: 0.15,
        inclination_rad: 0.14,
        node_rad: 0.35,
        perihelion_rad: 0.87,
        anomaly_rad: 0.09,
    };
    let state = elements.state().expect("an ellipse");
    let planets = Planets::covering(EPOCH - 20.0, EPOCH + 20.0).expect("a span");
    let observer = Observer::at_place(SITE.latitude_deg, SITE.longitude_deg, SITE.height_m);
    let detection = |number: u32, off_deg: f64| {
        let mid_mjd_utc = EPOCH + days + 0.02 * f64::from(number);
        let sight = Sight::new(&observer, Epoch::from_mjd_utc(mid_mjd_utc), &planets);
        let there = propagate(&state, EPOCH, sight.mjd_tdb(), &planets).expect("a state");
        let (ra_rad, dec_rad) = ra_dec_rad(sight.direction(&there, 0.0).expect("seen"));
        CandidateDetection {
            frame: format!("f{number}.fits"),
            mid_mjd_utc,
            ra_deg: ra_rad / DEG_RAD,
            dec_deg: dec_rad / DEG_RAD + off_deg * (1.0 + 0.1 * f64::from(number)),
            x_px: 100.0 + 1000.0 * off_deg,
            y_px: 50.0,
            position_err_arcsec: 0.1,
            residual_arcsec: (0.0, 0.0),
            mag: None,
            mag_err: None,
            snr: 10.0,
            is_recovered: false,
            is_foreseen: false,
        }
    };
    let candidate = |id: &str, off_deg: f64| Candidate {
        detections: (0..4).map(|number| detection(number, off_deg)).collect(),
        ..crate::ops::vetting::fixture::candidate(id, 0.0)
    };
    let frame = |number: u32| FrameRecord {
        mid_mjd_utc: Some(EPOCH + days + 0.02 * f64::from(number)),
        ..empty_record(&format!("f{number}.fits"), &format!("{night}{number}"), FrameStatus::Ok)
    };
    NightReport {
        night: night.to_owned(),
        version: "0".to_owned(),
        instrument: "simulated".to_owned(),
        masters: Vec::new(),
        frames: (0..4).map(frame).collect(),
        candidates: vec![candidate(id, 0.0), candidate(&format!("X{id}"), 0.05)],
        faint: Vec::new(),
        removed: Vec::new(),
        known: Vec::new(),
        joined: Vec::new(),
        not_done: Vec::new(),
    }
}

fn close(store: &Store, config: &Config, report: &NightReport) {
    let night = NightId::new(&report.night).expect("a name");
    let at = Epoch::from_mjd_utc(EPOCH + 20.0);
    store.begin_night(&night, &NightSource::only("/raw"), at).expect("begun");
    join_nights(store, config, (&night, report), Some(SITE)).expect("joined");
    let stage = StageRow {
        subject: NIGHT_SUBJECT.to_owned(),
        stage: "night".to_owned(),
        version: 1,
        key: "k".to_owned(),
        outcome: StageOutcome::Done,
        product: None,
        payload: "{}".to_owned(),
    };
    let mail = crate::store::nights::ClosingMail::None;
    let closing = Closing { report: report.clone(), stage, listing: None, mail };
    store.close_night(&night, closing, at).expect("closed");
}

/// Key and other nights of a candidate.
fn of(store: &Store, night: &str, id: &str) -> Option<(String, Vec<String>)> {
    let night = NightId::new(night).expect("a name");
    let report = store.read().report(&night).expect("read").expect("closed");
    let joined = report.joined_of(id)?;
    Some((joined.key.clone(), joined.others.iter().map(|o| o.night.clone()).collect()))
}

#[test]
fn three_nights_have_one_object_in_any_order() {
    let all = [report("n1", "A", 0.0), report("n2", "B", 1.0), report("n3", "C", 3.0)];
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        let config = Config::default();
        close(&store, &config, &all[order[0]]);
        close(&store, &config, &all[order[1]]);
        let first = &all[order[0]];
        let (key, _) = of(&store, &first.night, &first.candidates[0].id).expect("joined");
        close(&store, &config, &all[order[2]]);
        for (night, id, others) in
            [("n1", "A", ["n2", "n3"]), ("n2", "B", ["n1", "n3"]), ("n3", "C", ["n1", "n2"])]
        {
            let found = of(&store, night, id).expect("joined");
            assert_eq!(found, (key.clone(), others.map(str::to_owned).to_vec()), "{order:?}");
            assert_eq!(of(&store, night, &format!("X{id}")), None, "{order:?}");
        }
        // Done again with another identifier: the key stays.
        close(&store, &config, &report("n2", "B2", 1.0));
        assert_eq!(of(&store, "n1", "A").expect("joined").0, key);
        assert_eq!(of(&store, "n2", "B2").expect("joined").0, key);
        assert!(of(&store, "n2", "B").is_none());
    }
}

#[test]
fn the_object_is_told_everywhere_and_none_when_nobody_wants_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path()).expect("a store");
    let mut config = Config::default();
    close(&store, &config, &report("n1", "A", 0.0));
    config.link.nights_joined = 0;
    close(&store, &config, &report("n2", "B", 1.0));
    assert_eq!(of(&store, "n2", "B"), None);
    config.link.nights_joined = 5;
    close(&store, &config, &report("n2", "B", 1.0));
    let (key, _) = of(&store, "n2", "B").expect("joined");
    let night = NightId::new("n1").expect("a name");
    let view = overview::night(store.read(), &night).expect("read").expect("there");
    let line = view.candidates.iter().find(|c| c.candidate.id == "A").expect("there");
    let words = line.also_seen.clone().unwrap_or_default();
    assert!(words.starts_with(&format!("also seen on n2 as B (object {key}, chance ")), "{words}");
    let json = serde_json::to_string(&view).expect("json");
    let back: overview::NightView = serde_json::from_str(&json).expect("the same");
    assert_eq!(back, view);
    // Its name is its key once a person has judged it.
    let numbers = numbers(store.read(), &night).expect("read");
    let judged = vetted(store.read(), &night).expect("closed");
    let mut judged = judged.into_iter().find(|v| v.candidate.id == "A").expect("there");
    judged.opinions.push(crate::ops::vetting::Opinion {
        verdict: Verdict::Unsure,
        who: "me".to_owned(),
        at: Epoch::from_mjd_utc(EPOCH),
        note: String::new(),
    });
    assert_eq!(name(&judged, &numbers), Some(format!("UNK_{key}")));
}
