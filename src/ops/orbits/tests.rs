//! Orbits imported, brought to a night and asked for.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::science::orbit::known::KnownParams;
use crate::science::orbit::observer::Observer;
use crate::science::sky::vector::separation_rad;
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Lines of the Minor Planet Center's form: Ceres, and many like it elsewhere.
fn lines(n: usize) -> String {
    (1..=n)
        .map(|k| {
            let epoch = ["K25BL", "K24AH", "K265T"][k % 3];
            let degree = |step: f64| 360.0 * (k as f64 * step).fract();
            format!(
                "{k:05}    3.33  0.15 {epoch} {:9.5}  {:9.5}  {:9.5}  {:9.5}  0.0{:06}  \
                 0.21429712   {:9.7}  0 E2025-U56  7390 125 1801-2025 0.80 M-v 30k MPCORBFIT  \
                 4000 {:>9} N{k:<17} 20251018\n",
                degree(0.618),
                degree(0.755),
                degree(0.570),
                10.0 + degree(0.819) / 30.0,
                1000 * (k % 900),
                2.2 + (k % 10) as f64 / 10.0,
                format!("({k})"),
            )
        })
        .collect()
}

fn go(_: usize, _: Option<usize>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn stored(folder: &Path, n: usize) -> ImportedOrbits {
    let file = folder.join("MPCORB.DAT");
    crate::store::files::ProductFile::write_bytes(&file, lines(n).as_bytes()).expect("written");
    import(folder, &file, &go).expect("imported")
}

fn night(mjd: f64) -> (Epoch, Epoch) {
    (Epoch::from_mjd_utc(mjd), Epoch::from_mjd_utc(mjd + 0.4))
}

fn open(folder: &Path, mjd: f64) -> OrbitNight {
    OrbitNight::open(folder, night(mjd), KnownParams::default(), &go)
        .expect("computed")
        .expect("orbits")
}

#[test]
fn an_import_replaces_and_a_bad_file_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    assert_eq!(info(data).expect("readable"), None);
    let found = stored(data, 30);
    assert_eq!((found.n_orbits, found.n_bad), (30, 0));
    let file = data.join("bad");
    for bad in ["", "no orbits\nat all\n"] {
        crate::store::files::ProductFile::write_bytes(&file, bad.as_bytes()).expect("written");
        assert!(matches!(import(data, &file, &go), Err(OrbitsError::NoOrbits { .. })));
    }
    assert!(matches!(import(data, &data.join("none"), &go), Err(OrbitsError::Read { .. })));
    let text = lines(3) + &"x".repeat(150) + "\n";
    crate::store::files::ProductFile::write_bytes(&file, text.as_bytes()).expect("written");
    assert_eq!(info(data).expect("readable").expect("orbits").n_orbits, 30);
    let found = import(data, &file, &go).expect("imported");
    assert_eq!((found.n_orbits, found.n_bad, found.bad[0].line), (3, 1, 4));
    assert_eq!(info(data).expect("readable").expect("orbits").n_orbits, 3);
}

#[test]
fn a_night_gives_the_places_of_the_ephemeris_whatever_was_asked_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    stored(data, 200);
    let at = Epoch::from_mjd_utc(61_377.2);
    let observer = Observer::at_place(35.0, -111.0, 2_000.0);
    let places = |night: &OrbitNight| {
        night.objects_in((1.0, 0.1), 3.2, at, &observer).expect("in the night")
    };
    let first = places(&open(data, 61_377.0));
    assert!(first.len() > 150, "{}", first.len());
    for place in first.iter().step_by(17) {
        let times = EphemerisTimes { start: at, step_d: 1.0, count: 1 };
        let (label, rows) =
            ephemeris(data, &place.designation, &times, &observer).expect("an ephemeris");
        assert_eq!(label.name, place.name);
        assert_eq!(place.number, place.designation.parse().ok());
        let seen = &rows[0].seen;
        let apart_rad =
            separation_rad((seen.ra_rad, seen.dec_rad), (place.seen.ra_rad, place.seen.dec_rad));
        assert!(apart_rad < 0.002 * ARCSEC_RAD, "{place:?}");
        assert!((rows[0].v_mag.expect("a magnitude") - place.v_mag.expect("one")).abs() < 1e-6);
    }
    // Another folder, where nights before and after were asked for first.
    let other = tempfile::tempdir().expect("a folder");
    stored(other.path(), 200);
    for mjd in [61_500.0, 61_250.0, 60_700.0] {
        open(other.path(), mjd);
    }
    assert_eq!(places(&open(other.path(), 61_377.0)), first);
    // At most three days are kept; a damaged one is made again.
    let info = info(other.path()).expect("readable").expect("orbits");
    assert_eq!(info.states_mjd.len(), 3);
    let day = info.states_mjd.iter().find(|day| (**day - 61_377.0).abs() < 33.0).expect("the day");
    let path = other.path().join(format!("orbits/states-{day}.orbits"));
    let mut bytes = fs::read(&path).expect("readable");
    bytes[500] ^= 1;
    crate::store::files::ProductFile::write_bytes(&path, &bytes).expect("written");
    assert_eq!(places(&open(other.path(), 61_377.0)), first);
}

#[test]
fn a_stop_and_unknown_names_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let times = EphemerisTimes { start: night(61_377.0).0, step_d: 1.0, count: 2 };
    let of = |name: &str| ephemeris(data, name, &times, &Observer::GEOCENTRE);
    assert!(matches!(of("1"), Err(OrbitsError::None)));
    assert!(
        OrbitNight::open(data, night(61_377.0), KnownParams::default(), &go)
            .expect("readable")
            .is_none()
    );
    stored(data, 20);
    let asked = AtomicUsize::new(0);
    let stop = |_: usize, _: Option<usize>| {
        asked.fetch_add(1, Ordering::Relaxed);
        ControlFlow::Break(())
    };
    let stopped = OrbitNight::open(data, night(61_377.0), KnownParams::default(), &stop);
    assert!(matches!(stopped, Err(OrbitsError::Stopped)));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    for name in ["7", "(7)", "00007", "n7"] {
        assert_eq!(of(name).expect("found").0.designation, "7", "{name}");
    }
    for name in ["", "21", "2014 AA", "nobody"] {
        assert!(matches!(of(name), Err(OrbitsError::NoObject { .. })), "{name}");
    }
    assert!(matches!(observer_of(data, "X05"), Err(OrbitsError::NoSite { .. })));
    assert_eq!(observer_of(data, "500").expect("known"), Observer::GEOCENTRE);
}

#[test]
fn uncertain_objects_are_found_from_further_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    // U = 3 instead of 0: up to 382 arcsec in ten years, of which 411 days have passed.
    let text = lines(1).replace("  0 E2025", "  3 E2025");
    let file = data.join("MPCORB.DAT");
    crate::store::files::ProductFile::write_bytes(&file, text.as_bytes()).expect("written");
    import(data, &file, &go).expect("imported");
    let known = open(data, 61_377.0);
    let at = Epoch::from_mjd_utc(61_377.2);
    let all = known.objects_in((0.0, 0.0), 3.2, at, &Observer::GEOCENTRE).expect("in the night");
    let place = &all[0];
    assert!(place.err_arcsec > 25.0 && place.err_arcsec < 90.0, "{}", place.err_arcsec);
    let beside = |factor: f64| {
        let off_rad = factor * place.err_arcsec * ARCSEC_RAD;
        let centre = (place.seen.ra_rad, place.seen.dec_rad + off_rad + 0.1 * DEG_RAD);
        let found = known.objects_in(centre, 0.1 * DEG_RAD, at, &Observer::GEOCENTRE);
        found.expect("in the night").len()
    };
    assert_eq!((beside(0.9), beside(1.1)), (1, 0));
}
