//! An object of two nights: which points are taken, reduced and doubted.

use super::*;
use crate::formats::fits;
use crate::ops::run::linking_path;
use crate::ops::vetting::fixture::{candidate, close};
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::linking::{Linking, SeenSource};
use crate::science::movers::field::Role;
use crate::store::Store;
use crate::store::files::ProductFile;
use crate::store::nights::NightSource;

/// An object of a name with a magnitude in each of four frames.
fn seen(id: &str, name: &str, start_mjd: f64, mags: [f64; 4]) -> Candidate {
    let identity = Identity::Known { name: name.to_owned(), separation_arcsec: 0.1 };
    let mut object = Candidate { identity, ..candidate(id, 10.0) };
    for (k, detection) in object.detections.iter_mut().enumerate() {
        detection.mid_mjd_utc = start_mjd + 0.01 * k as f64;
        detection.ra_deg += 0.01 * k as f64;
        (detection.mag, detection.mag_err) = (Some(mags[k]), Some(0.02));
    }
    object
}

fn night(store: &Store, name: &str, object: Candidate) -> NightId {
    let night = NightId::new(name).expect("a name");
    let at = Epoch::from_mjd_utc(61_200.0);
    store.begin_night(&night, &NightSource::only("/raw"), at).expect("begun");
    close(store, &night, (vec![object, candidate("OTHER", 900.0)], Vec::new()), at);
    night
}

/// A night's table of sources: a star at the object's third place in another frame, and a cosmic
/// ray at its second.
fn put_linking(store: &Store, night: &NightId, object: &Candidate) {
    let source = |frame: usize, k: usize, role, mag| SeenSource {
        frame,
        ra_deg: object.detections[k].ra_deg,
        dec_deg: object.detections[k].dec_deg + 1.0 / 3600.0,
        sigma_arcsec: 0.1,
        mag,
        snr: 20.0,
        role,
        candidate: None,
    };
    let sources = vec![
        source(0, 2, Role::Star, 20.5),
        source(0, 1, Role::Unfit, 15.0),
        // What is fainter by more than three magnitudes does no harm, nor does what is itself.
        source(1, 0, Role::Static, 22.5),
        source(3, 3, Role::Static, 18.0),
    ];
    let frames = object.detections.iter().map(|d| d.frame.clone()).collect();
    let (columns, header) = Linking { frames, sources }.to_table();
    let path = linking_path(store.read().products(), night).expect("a path");
    ProductFile::write(&path, |to| Ok(fits::write_table(to, &columns, &header, "LINKING")?))
        .expect("written");
}

#[test]
fn points_of_all_nights_come_with_what_speaks_against_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let first = seen("AAA", "1 Ceres", 61_100.1, [19.0, 19.1, 19.0, 19.1]);
    let n1 = night(&store, "n1", first.clone());
    put_linking(&store, &n1, &first);
    let n2 = night(&store, "n2", seen("BBB", "1 Ceres", 61_101.1, [19.2; 4]));
    let reader = store.read();
    let of = |object: &str, nights: &[NightId]| {
        light_curve(reader, folder.path(), (object, nights), &Observer::GEOCENTRE)
    };
    let curve = of("ceres", &[]).expect("both nights");
    assert_eq!((curve.object.as_str(), curve.points.len()), ("1 Ceres", 8));
    let doubted: Vec<usize> = (0..8).filter(|&i| !curve.points[i].doubts.is_empty()).collect();
    assert_eq!(doubted, [2], "{:?}", curve.points);
    assert!(matches!(
        curve.points[2].doubts[..],
        [PointDoubt::Star { separation_arcsec, mag }]
            if (separation_arcsec - 1.0).abs() < 0.01 && (mag - 20.5).abs() < 1e-3
    ));
    // Without orbits and without the second night's tables it is told what was not done.
    assert!(curve.notes.iter().any(|note| note.starts_with("not reduced")), "{:?}", curve.notes);
    assert!(curve.notes.iter().any(|note| note.starts_with("n2: tables")), "{:?}", curve.notes);
    let plain = curve.light_curve();
    assert_eq!((plain.points.len(), plain.sessions.len()), (7, 2));
    assert_eq!((plain.points[2].session, plain.points[3].session), (0, 1));
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
