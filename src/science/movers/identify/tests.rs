//! Movers and predictions on a made-up sky at Dec 60 degrees, where 1 degree of RA is half a
//! degree.

use super::*;
use crate::science::movers::known::KnownPlace;
use crate::science::sky::tan::TangentPlane;
use crate::science::units::DEG_RAD;

const START_MJD: f64 = 60_000.0;

/// The place (RA, Dec) [rad] at an offset east and north [arcsec] of RA 0h, Dec 60 degrees.
fn sky(east: f64, north: f64) -> (f64, f64) {
    TangentPlane::at((0.0, 60.0 * DEG_RAD)).deproject(east * ARCSEC_RAD, north * ARCSEC_RAD)
}

/// A mover that is at (east, north) [arcsec] at first; seen five times in 80 minutes.
fn mover(at: (f64, f64), rate: (f64, f64)) -> Mover {
    let seen = (0..5).map(|i| {
        let t_h = f64::from(i) / 3.0;
        let (ra_rad, dec_rad) = sky(at.0 + rate.0 * t_h, at.1 + rate.1 * t_h);
        Seen { mjd_utc: START_MJD + t_h / 24.0, ra_rad, dec_rad, err_arcsec: 0.1 }
    });
    Mover { seen: seen.collect(), rate_arcsec_per_h: rate, rate_err_arcsec_per_h: 0.1, g_mag: None }
}

/// A known object with predictions every half hour.
fn object(name: &str, at: (f64, f64), rate: (f64, f64), err_arcsec: f64) -> KnownTrack {
    let nodes = (-1..4).map(|i| {
        let t_h = 0.5 * f64::from(i);
        let (ra, dec) = sky(at.0 + rate.0 * t_h, at.1 + rate.1 * t_h);
        let place = KnownPlace {
            file: None,
            mid_mjd_utc: None,
            designation: name.to_owned(),
            class: None,
            ra_deg: ra / DEG_RAD,
            dec_deg: dec / DEG_RAD,
            err_arcsec,
            rate_arcsec_per_h: Some(rate),
            v_mag: None,
        };
        (START_MJD + t_h / 24.0, place)
    });
    KnownTrack::new(nodes.collect()).expect("a track")
}

/// The object of each mover.
fn names(movers: &[Mover], objects: &[KnownTrack]) -> Vec<Option<usize>> {
    let found = assign(movers, objects, &IdentifyParams::default());
    let of = |m| found.pairs.iter().find(|pair| pair.mover == m).map(|pair| pair.object);
    (0..movers.len()).map(of).collect()
}

const RATE: (f64, f64) = (-30.0, 12.0);

#[test]
fn offsets_are_arcseconds_on_the_sky_and_not_of_right_ascension() {
    let objects = [object("a", (0.0, 0.0), RATE, 0.3)];
    let found = assign(&[mover((1.5, -0.8), RATE)], &objects, &IdentifyParams::default());
    // 1.5 arcsec east at Dec 60 are 3.0 arcsec of RA: a lost cosine would tell 0.75 or 3.0.
    for offset in found.pairs[0].offsets_arcsec.iter().flatten() {
        assert!((offset.0 - 1.5).abs() < 1e-3 && (offset.1 + 0.8).abs() < 1e-3, "{offset:?}");
    }
    assert!((found.pairs[0].separation_arcsec - 1.7).abs() < 1e-3);
}

#[test]
fn the_reach_is_a_circle_on_the_sky() {
    // 5 + 3 x 0.3 = 5.9 arcsec in any direction.
    let objects = [object("a", (0.0, 0.0), RATE, 0.3)];
    for (at, is_named) in
        [((5.7, 0.0), true), ((6.1, 0.0), false), ((0.0, -5.7), true), ((0.0, 6.1), false)]
    {
        assert_eq!(names(&[mover(at, RATE)], &objects)[0].is_some(), is_named, "{at:?}");
    }
}

#[test]
fn the_motion_decides_between_objects_at_one_place() {
    let objects = [
        object("opposite", (0.0, 0.0), (30.0, -12.0), 0.3),
        object("across", (0.2, 0.0), (-12.0, -30.0), 0.3),
        object("right", (1.0, 1.0), RATE, 0.3),
    ];
    assert_eq!(names(&[mover((0.0, 0.0), RATE)], &objects), [Some(2)]);
}

#[test]
fn two_movers_do_not_take_one_object_and_all_are_weighed_together() {
    // The first mover is a little nearer to object 0 than the second, which fits no other.
    let objects = [object("a", (0.0, 0.0), RATE, 0.5), object("b", (-4.0, 0.0), RATE, 0.5)];
    let movers = [mover((-1.8, 0.0), RATE), mover((2.2, 0.0), RATE)];
    assert_eq!(names(&movers, &objects), [Some(1), Some(0)]);
    // Two halves of one object's night: one gets the name, the other is told as its double.
    let halves = [mover((0.1, 0.0), RATE), mover((0.0, 0.2), RATE)];
    let found = assign(&halves, &objects[..1], &IdentifyParams::default());
    assert_eq!((found.pairs.len(), found.pairs[0].mover), (1, 0));
    assert_eq!(found.doubles, [(1, 0)]);
}

#[test]
fn a_well_known_place_wins_over_a_vague_one_nearby() {
    let objects = [object("vague", (0.4, 0.0), RATE, 18.0), object("sharp", (0.6, 0.0), RATE, 0.2)];
    assert_eq!(names(&[mover((0.0, 0.0), RATE)], &objects), [Some(1)]);
    // An error of degrees does not make an object fit everything in the field.
    let lost = [object("lost", (100.0, 0.0), RATE, 7200.0)];
    assert_eq!(names(&[mover((0.0, 0.0), RATE)], &lost), [None]);
}

#[test]
fn brightness_settles_what_place_and_motion_leave_open() {
    let with_mag = |name: &str, at, v_mag| {
        let mut nodes = Vec::new();
        for i in -1..4 {
            let t_h = 0.5 * f64::from(i);
            let (ra, dec) = sky(at + RATE.0 * t_h, RATE.1 * t_h);
            let place = KnownPlace {
                file: None,
                mid_mjd_utc: None,
                designation: name.to_owned(),
                class: None,
                ra_deg: ra / DEG_RAD,
                dec_deg: dec / DEG_RAD,
                err_arcsec: 2.0,
                rate_arcsec_per_h: Some(RATE),
                v_mag: Some(v_mag),
            };
            nodes.push((START_MJD + t_h / 24.0, place));
        }
        KnownTrack::new(nodes).expect("a track")
    };
    let objects = [with_mag("faint", 0.5, 23.0), with_mag("bright", -1.0, 18.0)];
    let bright = Mover { g_mag: Some(17.9), ..mover((0.0, 0.0), RATE) };
    assert_eq!(names(&[bright], &objects), [Some(1)]);
}

#[test]
fn predictions_for_a_part_of_the_frames_name_nothing() {
    let one = KnownTrack::new(vec![(START_MJD, {
        let (ra, dec) = sky(0.0, 0.0);
        KnownPlace {
            file: None,
            mid_mjd_utc: None,
            designation: "a".to_owned(),
            class: None,
            ra_deg: ra / DEG_RAD,
            dec_deg: dec / DEG_RAD,
            err_arcsec: 0.3,
            rate_arcsec_per_h: None,
            v_mag: None,
        }
    })]);
    assert_eq!(names(&[mover((0.0, 0.0), RATE)], &[one.expect("a track")]), [None]);
}

#[test]
fn the_cheapest_assignment_is_that_of_all_permutations() {
    // Small tables with a fixed rule for their numbers, against every permutation.
    for seed in 0..40_u32 {
        let number = |r: u32, c: u32| f64::from((seed * 131 + r * 37 + c * 101 + r * c * 17) % 97);
        let costs: Vec<Vec<f64>> = (0..4).map(|r| (0..5).map(|c| number(r, c)).collect()).collect();
        let sum = |chosen: &[usize]| -> f64 {
            chosen.iter().enumerate().map(|(r, c)| costs[r][*c]).sum()
        };
        let mut least = f64::INFINITY;
        for code in 0..625_usize {
            let chosen = [code % 5, code / 5 % 5, code / 25 % 5, code / 125];
            let is_once = (0..4).all(|i| (0..i).all(|j| chosen[i] != chosen[j]));
            if is_once {
                least = least.min(sum(&chosen));
            }
        }
        let found = cheapest(&costs);
        assert!((sum(&found) - least).abs() < 1e-9, "{seed}: {found:?}");
    }
    assert!(cheapest(&[]).is_empty());
}
