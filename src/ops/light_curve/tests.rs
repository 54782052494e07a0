//! An object of two nights: which points are taken, reduced and doubted.

use super::*;
use crate::ops::vetting::fixture::{candidate, close};
use crate::ops::vetting::{Judgement, judge};
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::photometric_point::PhotometricPoint;
use crate::store::Store;
use crate::store::files::ProductFile;
use crate::store::nights::NightSource;
use crate::store::object_numbers::ObjectNumber;
use crate::store::verdicts::{Act, Verdict};

/// An object of a name with a magnitude in each of four frames.
fn seen(id: &str, name: &str, start_mjd: f64, mags: [f64; 4]) -> Candidate {
    let identity = Identity::Known { name: name.to_owned(), separation_arcsec: 0.1 };
    let object = candidate(id, 10.0);
    let point = |k: usize| PhotometricPoint {
        frame: format!("f{k}.fits"),
        mid_mjd_utc: start_mjd + 0.01 * k as f64,
        is_detected: true,
        mag: Some(mags[k]),
        mag_err: Some(0.05),
        colour_err_mag: 0.03,
        photometry_valid: true,
        ..PhotometricPoint::default()
    };
    Candidate { identity, photometry: (0..4).map(point).collect(), ..object }
}

fn night(store: &Store, name: &str, object: Candidate) -> NightId {
    let night = NightId::new(name).expect("a name");
    let at = Epoch::from_mjd_utc(61_200.0);
    store.begin_night(&night, &NightSource::only("/raw"), at).expect("begun");
    close(store, &night, (vec![object, candidate("OTHER", 900.0)], Vec::new()), at);
    night
}

#[test]
fn points_of_all_nights_come_with_what_speaks_against_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let mut first = seen("AAA", "1 Ceres", 61_100.1, [19.0, 19.1, 19.0, 19.1]);
    let points = &mut first.photometry;
    points[1].photometry_valid = false;
    (points[2].is_contaminated, points[2].near_share) = (true, 0.4);
    (points[3].mag, points[3].limit_mag) = (None, Some(19.5));
    let n1 = night(&store, "n1", first);
    let n2 = night(&store, "n2", seen("BBB", "1 Ceres", 61_101.1, [19.2; 4]));
    let reader = store.read();
    let of = |object: &str, nights: &[NightId]| {
        light_curve(reader, folder.path(), (object, nights), &Observer::GEOCENTRE)
    };
    let curve = of("ceres", &[]).expect("both nights");
    assert_eq!((curve.object.as_str(), curve.points.len()), ("1 Ceres", 7));
    assert_eq!((curve.limits.len(), curve.limits[0].limit_mag), (1, 19.5));
    assert_eq!(curve.points[1].doubts, [PointDoubt::Frame]);
    assert_eq!(curve.points[2].doubts, [PointDoubt::Contaminated { near_share: 0.4 }]);
    assert_eq!(curve.trusted().count(), 5);
    // 0.05 mag with 0.03 mag of colour: 0.04 mag between frames.
    assert!((curve.points[0].err_mag.expect("an error") - 0.04).abs() < 1e-9);
    assert!(curve.notes.iter().any(|note| note.starts_with("not reduced")), "{:?}", curve.notes);
    let plain = curve.light_curve();
    assert_eq!((plain.points.len(), plain.sessions.len()), (5, 2));
    assert_eq!((plain.points[0].session, plain.points[1].session), (0, 1));
    // One night, by identifier.
    assert_eq!(of("bbb", std::slice::from_ref(&n2)).expect("one night").points.len(), 4);
    assert!(matches!(of("bbb", &[n1]), Err(OpsError::NoSuchObject { .. })));
    let none = NightId::new("n9").expect("a name");
    assert!(matches!(of("bbb", &[none]), Err(OpsError::NotClosed { .. })));
}

#[test]
fn known_orbits_take_off_distance_and_phase() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    night(&store, "n1", seen("AAA", "1 Ceres", 61_100.1, [9.0; 4]));
    let line = "00001    3.33  0.15 K25BL 231.53975   73.29974   80.24963   10.58796  0.0795780  \
                0.21429712   2.7656157  0 E2025-U56  7390 125 1801-2025 0.80 M-v 30k MPCORBFIT  \
                4000      (1) Ceres              20251018\n";
    let file = folder.path().join("MPCORB.DAT");
    ProductFile::write_bytes(&file, line.as_bytes()).expect("written");
    let go = |_: usize, _: Option<usize>| std::ops::ControlFlow::Continue(());
    crate::ops::orbits::import(folder.path(), &file, &go).expect("imported");
    let curve = light_curve(store.read(), folder.path(), ("1", &[]), &Observer::GEOCENTRE)
        .expect("a curve");
    assert_eq!(curve.slope_ratio.map(|slope| (slope * 100.0).round()), Some(15.0));
    let geometry = curve.points[0].geometry.expect("an orbit");
    // Between perihelion 2.55 au and aphelion 2.99 au, and seen from the Earth.
    assert!((2.54..3.0).contains(&geometry.sun_au) && (1.5..4.0).contains(&geometry.observer_au));
    assert!((0.0..24.0).contains(&geometry.phase_deg));
    let distance_mag = 5.0 * (geometry.sun_au * geometry.observer_au).log10();
    let dimming_mag = curve.dimming_mag(&curve.points[0]);
    // The phase adds up to 1.1 mag at 24 deg (H, G with 0.15).
    assert!((distance_mag..distance_mag + 1.1).contains(&dimming_mag), "{dimming_mag}");
}

#[test]
fn a_number_of_a_night_means_an_object_of_that_night_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let judged = |name: &str, id: &str, mag: f64| {
        let known = seen(id, "", 61_100.1, [mag; 4]);
        let object = Candidate { identity: Identity::Unknown, ..known };
        let night = night(&store, name, object.clone());
        let number = ObjectNumber { number: 1, candidate_id: id.to_owned(), about: String::new() };
        store.keep_object_numbers(&night, vec![number]).expect("numbered");
        let at = Epoch::from_mjd_utc(61_200.0);
        let judgement = Judgement {
            candidate: id.to_owned(),
            act: Act::Judge(Verdict::Real),
            who: "ada".to_owned(),
            note: String::new(),
            token: format!("token-{id}"),
        };
        judge(&store, &night, &judgement, at).expect("judged");
        night
    };
    let (n1, _) = (judged("n1", "AAA", 18.0), judged("n2", "BBB", 20.0));
    let of = |nights: &[NightId]| {
        light_curve(store.read(), folder.path(), ("AST_1", nights), &Observer::GEOCENTRE)
    };
    let curve = of(&[n1]).expect("one object");
    let is_first = |point: &CurvePoint| (point.mag - 18.0).abs() < 1e-9;
    assert!(curve.points.len() == 4 && curve.points.iter().all(is_first));
    // Over all nights it would be two objects.
    assert!(matches!(of(&[]), Err(OpsError::NoSuchObject { .. })));
}
