//! Sun, planets and Moon against DE440.

use super::*;

/// jplephem 2.x with NAIF's de440.bsp; made once. MJD (TDB), body, place from the barycentre [au].
const KNOWN: &[(f64, usize, [f64; 3])] = &[
    (44_000.25, 0, [0.006_800_622_415, -0.002_082_300_823, -0.001_111_894_528]),
    (44_000.25, 1, [0.306_203_135_730, -0.240_429_438_833, -0.159_488_543_706]),
    (44_000.25, 3, [-0.689_130_999_552, -0.672_395_549_941, -0.291_769_360_088]),
    (44_000.25, 4, [-0.691_768_399_339, -0.671_965_835_944, -0.291_566_062_667]),
    (44_000.25, 6, [-3.584_615_076_878, 3.561_066_927_298, 1.613_860_896_554]),
    (51_544.5, 0, [-0.007_137_179_162, -0.002_647_338_381, -0.000_922_908_753]),
    (51_544.5, 1, [-0.137_230_784_537, -0.403_241_060_023, -0.201_412_210_770]),
    (51_544.5, 3, [-0.184_272_278_434, 0.884_781_183_945, 0.383_819_990_335]),
    (51_544.5, 4, [-0.186_221_560_087, 0.882_998_292_035, 0.383_311_276_630]),
    (51_544.5, 6, [3.994_039_981_964, 2.733_931_385_641, 1.074_589_372_071]),
    (59_024.75, 0, [-0.005_240_511_200, 0.006_336_908_398, 0.002_816_733_674]),
    (59_024.75, 1, [-0.072_744_398_992, -0.403_543_064_435, -0.209_140_930_460]),
    (59_024.75, 3, [0.054_915_347_062, -0.924_673_940_226, -0.400_776_953_834]),
    (59_024.75, 4, [0.053_096_895_112, -0.923_153_670_909, -0.399_931_319_056]),
    (59_024.75, 6, [1.794_659_052_626, -4.425_523_965_754, -1.940_615_291_107]),
    (61_120.0, 0, [-0.002_507_561_131, -0.005_084_558_935, -0.002_072_841_474]),
    (61_120.0, 1, [-0.356_478_541_433, -0.246_428_021_389, -0.094_314_265_844]),
    (61_120.0, 3, [-0.998_531_196_808, -0.005_394_872_958, -0.002_203_511_099]),
    (61_120.0, 4, [-0.996_318_685_057, -0.004_485_008_633, -0.001_629_386_824]),
    (61_120.0, 6, [-2.255_512_683_187, 4.323_519_842_422, 1.908_126_879_437]),
    (73_000.3, 0, [-0.006_128_113_031, -0.004_048_015_570, -0.001_486_801_044]),
    (73_000.3, 1, [-0.300_583_408_216, -0.319_290_933_477, -0.139_418_568_592]),
    (73_000.3, 3, [0.990_990_571_836, 0.085_675_611_857, 0.037_386_451_464]),
    (73_000.3, 4, [0.993_032_358_321, 0.084_567_376_106, 0.036_675_636_773]),
    (73_000.3, 6, [4.723_012_427_997, 1.382_606_520_667, 0.477_759_168_279]),
];

#[test]
fn places_agree_with_de440() {
    for &(mjd, body, expected) in KNOWN {
        let planets = Planets::covering(mjd, mjd).expect("a span");
        let at = planets.at(mjd);
        let sun = at.lane(SUN_LANE);
        let from_sun = if body == 0 { [0.0; 3] } else { at.lane(body - 1) };
        let found: [f64; 3] = std::array::from_fn(|k| sun[k] + from_sun[k]);
        let off = (0..3).map(|k| (found[k] - expected[k]).powi(2)).sum::<f64>().sqrt();
        // What the Moon's theory leaves out is largest far from the stored states (61120).
        let limit = if body == 4 { 2e-7 } else { 3e-9 };
        assert!(off < limit, "{mjd} {body}: off by {off:.1e} au");
    }
}

#[test]
fn intervals_meet_and_the_pull_is_that_of_the_places() {
    let planets = Planets::covering(60_500.0, 61_600.0).expect("a span");
    for k in 0..70 {
        let mjd = 60_500.0 + 16.0 * f64::from(k) - (60_500.0 % 16.0);
        let (before, after) = (planets.at(mjd - 1e-9), planets.at(mjd + 1e-9));
        for lane in 0..LANES {
            // Where two stored states meet the Moon may jump by twice its error.
            let limit = if lane == 3 { 4e-7 } else { 2e-8 };
            assert!(
                (before.x[lane] - after.x[lane]).abs() < limit,
                "{mjd} {lane}: {:.1e}",
                before.x[lane] - after.x[lane]
            );
        }
    }
    let at = planets.at(61_000.5);
    let mut pull = 0.0;
    for (k, gm) in GM.iter().enumerate() {
        let place = at.lane(k);
        pull -= gm * place[0] / dot(place, place).powf(1.5);
    }
    assert!((at.sun_pull()[0] / pull - 1.0).abs() < 1e-9);
}

#[test]
fn years_that_are_not_stored_are_refused() {
    for (first, last) in [(-4000.0, 0.0), (60_000.0, 106_000.0), (60_001.0, 60_000.0)] {
        assert!(Planets::covering(first, last).is_err(), "{first} {last}");
    }
    assert!(Planets::covering(f64::NAN, 60_000.0).is_err());
    assert!(Planets::covering(60_000.0, f64::INFINITY).is_err());
    let planets = Planets::covering(60_000.0, 60_001.0).expect("a span");
    assert!(planets.covers(59_990.0) && !planets.covers(59_960.0));
}
