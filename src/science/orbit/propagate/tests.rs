//! Perturbed motion against closed forms and JPL Horizons.

use super::*;

/// From, to [MJD, TDB]; state at the begin; place at the end; limit [au].
type Known = (f64, f64, [f64; 6], [f64; 3], f64);

/// scipy 1.x, DOP853 at 2e-14, with NAIF's de440.bsp through jplephem and the same forces; made
/// once. Our own planets are up to 3e-9 au from DE440, the Moon 2e-7 au, and a passage at 0.0008 au
/// from the Earth makes more of it.
const KNOWN: [Known; 5] = [
    // 3753 Cruithne.
    (
        57_575.0,
        57_043.0,
        [
            1.443_505_732_603_4,
            0.034_264_608_586_182,
            -0.411_478_325_814_59,
            -0.000_812_982_088_680_79,
            0.009_602_021_337_306_5,
            0.002_175_210_159_623_8,
        ],
        [-0.149_904_884_679_56, -0.682_023_148_305_96, -0.094_291_924_291_731],
        2e-9,
    ),
    // Main belt.
    (
        61_000.0,
        62_000.0,
        [2.1, 1.3, 0.6, -0.0058, 0.0074, 0.0021],
        [2.504_648_262_090_3, 0.264_387_322_734_42, 0.275_763_641_061_08],
        2e-9,
    ),
    // Inside the Earth's orbit, perihelion near Mercury's.
    (
        61_000.0,
        61_300.0,
        [0.3, 0.1, 0.05, 0.0, 0.0305, 0.012],
        [-0.340_595_744_275_06, 0.359_349_113_540_23, 0.129_285_561_488_75],
        2e-9,
    ),
    // Twice the Moon's distance from the Earth at the begin.
    (
        61_000.0,
        61_100.0,
        FLYBY,
        [-0.741_848_376_426_52, 0.716_019_408_766_55, 0.158_727_886_016_77],
        1e-7,
    ),
    (
        61_000.0,
        60_950.0,
        FLYBY,
        [0.732_390_917_002_67, -0.022_429_593_091_004, 0.072_147_677_905_39],
        1e-7,
    ),
];

const FLYBY: [f64; 6] =
    [0.515_873_16, 0.773_057_14, 0.335_580_01, -0.010_965_02, 0.011_175_44, 0.002_544_09];

fn state(v: [f64; 6]) -> State {
    State { place_au: [v[0], v[1], v[2]], velocity_au_per_d: [v[3], v[4], v[5]] }
}

fn apart_au(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|k| (a[k] - b[k]).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn places_agree_with_another_integrator() {
    for (from, to, start, expected, limit) in KNOWN {
        let planets = Planets::covering(f64::min(from, to), f64::max(from, to)).expect("a span");
        let end = propagate(&state(start), from, to, &planets).expect("a state");
        let off = apart_au(end.place_au, expected);
        assert!(off < limit, "{from} to {to}: off by {off:.1e} au");
    }
}

#[test]
fn the_way_back_and_the_way_in_parts_end_at_the_same_place() {
    let planets = Planets::covering(60_000.0, 62_000.0).expect("a span");
    for (_, _, start, _, limit) in KNOWN {
        let start = state(start);
        let whole = propagate(&start, 61_000.0, 61_400.0, &planets).expect("a state");
        let back = propagate(&whole, 61_400.0, 61_000.0, &planets).expect("a state");
        assert!(apart_au(back.place_au, start.place_au) < limit, "{start:?}");
        let mut parts = start;
        for k in 0..10 {
            let from = 61_000.0 + 40.0 * f64::from(k);
            parts = propagate(&parts, from, from + 40.0, &planets).expect("a state");
        }
        assert!(apart_au(parts.place_au, whole.place_au) < limit, "{start:?}");
    }
    let start = state(FLYBY);
    assert_eq!(propagate(&start, 61_000.0, 61_000.0, &planets), Some(start));
}

#[test]
fn what_ends_in_the_sun_or_is_no_state_is_lost() {
    let planets = Planets::covering(61_000.0, 61_400.0).expect("a span");
    let lost = |start| propagate(&state(start), 61_000.0, 61_400.0, &planets).is_none();
    assert!(lost([f64::NAN; 6]));
    assert!(lost([0.0; 6]));
    assert!(lost([1.0, f64::INFINITY, 0.0, 0.0, 0.0, 0.0]));
    // At the Earth's centre, with its velocity.
    let earth = planets.earth_au(61_000.0);
    let before = planets.earth_au(60_999.5);
    let after = planets.earth_au(61_000.5);
    let v = [0, 1, 2].map(|k| after[k] - before[k]);
    assert!(lost([earth[0] + 1e-7, earth[1], earth[2], v[0], v[1], v[2]]));
}
