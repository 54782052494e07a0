//! The room as a whole, against closed forms and other programs.

use std::f64::consts::TAU;

use super::bootstrap::Draws;
use super::*;

/// Points of one session.
fn points(of: impl Iterator<Item = (f64, f64, f64)>) -> Vec<Point> {
    of.map(|(time_h, mag, err)| Point { time_h, mag, err_mag: Some(err), session: 0 }).collect()
}

/// Forty points at irrational times; the recipe of the fixture below.
fn fixture() -> Series {
    let point = |i: i32| {
        let t = 100.0 * (f64::from(i) * 0.618_033_988_749_894_9).fract();
        let y = 15.0 + 0.2 * (TAU * t / 5.3 + 0.4).sin() + 0.05 * f64::from(i * i).cos();
        (t, y, 0.02 + 0.01 * f64::from(i % 3))
    };
    Series::new(&points((0..40).map(point))).expect("forty points")
}

#[test]
fn power_is_that_of_astropy() {
    // astropy 8.0.2: i = arange(40); t = 100*((i*0.6180339887498949) % 1);
    // y = 15 + 0.2 sin(2 pi t/5.3 + 0.4) + 0.05 cos(i*i); e = 0.02 + 0.01*(i % 3);
    // LombScargle(t, y, e, fit_mean=True).power(0.005 + 0.03*arange(12), method="cython").
    let expected = [
        0.020_093_84,
        0.000_923_41,
        0.010_215_87,
        0.007_851_39,
        0.018_641_44,
        0.296_052_96,
        0.671_996_66,
        0.019_870_97,
        0.001_363_73,
        0.018_017_32,
        0.010_582_16,
        0.019_254_33,
    ];
    let grid = Grid::new(0.005, 0.364, 0.03).expect("twelve");
    let series = fixture();
    let powers = power(&series, grid);
    assert_eq!(powers.len(), 12);
    for (p, wanted) in powers.iter().zip(expected) {
        assert!((p - wanted).abs() < 1e-8, "{p} for {wanted}");
    }
    // The same: normalization="model", "log", "psd" at the seventh; model = p/(1-p).
    let search = Search::new(&series, grid, powers[6]);
    let p = powers[6];
    assert!((p / (1.0 - p) - 2.048_749_480).abs() < 1e-7);
    assert!((search.written(p, Normalisation::Log) - 1.114_731_500).abs() < 1e-7);
    assert!((search.written(p, Normalisation::Psd) - 374.726_937).abs() < 1e-5);
    for normalisation in [
        Normalisation::Standard,
        Normalisation::HorneBaliunas,
        Normalisation::Cumming,
        Normalisation::Psd,
        Normalisation::Log,
        Normalisation::Wrms,
        Normalisation::ChiSquare,
    ] {
        let there_and_back = search.read(search.written(0.3, normalisation), normalisation);
        assert!((there_and_back - 0.3).abs() < 1e-9, "{normalisation:?}");
    }
    // The same: false_alarm_probability(0.55 and 0.35, method="baluev", maximum_frequency=1);
    // gamma by its series differs by 1e-3 for 40 points.
    let wide = Search::new(&series, Grid::new(1e-9, 1.0, 0.5).expect("grid"), 0.5);
    assert!((wide.chance_bound(0.55) / 0.000_191_839_9 - 1.0).abs() < 2e-3);
    assert!((wide.chance_bound(0.35) / 0.108_443_08 - 1.0).abs() < 2e-3);
}

/// Power by the definition: chi2 of the best sine and zero points, solved term by term.
fn naive_power(series: &Series, frequency: f64) -> f64 {
    let weights = series.weights();
    let (mut cos, mut sin): (Vec<f64>, Vec<f64>) = series
        .times_h()
        .iter()
        .map(|t| ((TAU * frequency * t).cos(), (TAU * frequency * t).sin()))
        .unzip();
    series.centre(&mut cos, &weights);
    series.centre(&mut sin, &weights);
    let y = series.centred(&weights);
    let sum = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).zip(&weights).map(|((a, b), w)| a * b * w).sum()
    };
    let (cc, ss, cs) = (sum(&cos, &cos), sum(&sin, &sin), sum(&cos, &sin));
    let (yc, ys) = (sum(&y, &cos), sum(&y, &sin));
    (ss * yc * yc + cc * ys * ys - 2.0 * cs * yc * ys) / ((cc * ss - cs * cs) * sum(&y, &y))
}

#[test]
fn power_is_that_of_the_naive_twin() {
    // Three sessions of their own zero points, over several blocks of frequencies.
    let mut draws = Draws::new(3, 1);
    let point = |i: u32| Point {
        time_h: 24.0 * f64::from(i % 3) + 6.0 * draws.uniform(),
        mag: f64::from(i % 3) + draws.uniform(),
        err_mag: Some(0.1 + draws.uniform()),
        session: i % 3,
    };
    let series = Series::new(&(0..90).map(point).collect::<Vec<_>>()).expect("points");
    let grid = Grid::new(0.01, 40.01, 0.001).expect("grid");
    let powers = power(&series, grid);
    for i in (0..grid.n).step_by(977) {
        let wanted = naive_power(&series, grid.frequency_per_h(i));
        assert!((powers[i] - wanted).abs() < 1e-9, "{i}: {} for {wanted}", powers[i]);
    }
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    assert_eq!(one.install(|| power(&series, grid)), powers);
}

/// Radial velocities of GJ 1046: time [d], velocity [m/s], error [m/s].
const GJ_1046: [(f64, f64, f64); 14] = [
    (53_281.833_04, -1_132.03, 3.21),
    (53_320.626_31, 411.517, 3.5),
    (53_578.910_97, -1_670.58, 4.84),
    (53_608.773_5, -1_524.58, 3.71),
    (53_624.718_07, -928.693, 4.3),
    (53_632.722, -615.173, 3.52),
    (53_660.682_77, 492.327, 3.45),
    (53_750.602_56, -1_787.66, 3.5),
    (53_993.848_56, 326.437, 3.3),
    (54_006.771_07, 823.397, 3.89),
    (54_013.800_3, 1_085.84, 3.58),
    (54_014.610_77, 1_108.05, 3.7),
    (54_041.652_76, 1_737.45, 3.07),
    (54_047.653_99, 1_673.72, 3.25),
];

#[test]
fn gj_1046_is_that_of_gls() {
    // mzechmeister/GLS, GJ1046.dat; figures of `gls.py` (seeds.md 7.6). In days and m/s here: the
    // method does not care.
    let series = Series::new(&points(GJ_1046.into_iter())).expect("points");
    let grid = Grid::of_count(&series).expect("grid");
    assert_eq!(grid.n, 69);
    assert!((grid.step_per_h - 0.000_130_578_825_2).abs() < 1e-13, "{grid:?}");
    assert!((grid.end_per_h - 0.009_140_517_767).abs() < 1e-12, "{grid:?}");
    let sine = Sine::highest(&series, grid, &power(&series, grid)).expect("a sine");
    let near = |value: f64, wanted: f64, digits: f64| {
        assert!((value - wanted).abs() <= digits, "{value} for {wanted}");
    };
    near(sine.power_share, 0.922_976_193_8, 1e-10);
    near(sine.rms_mag, 333.143_104_59, 1e-8);
    near(sine.period_h(), 174.050_215_9, 1e-7);
    near(sine.period_err_h().expect("an error"), 2.020_116_029, 1e-8);
    near(sine.amplitude_mag, 1_712.909_884, 1e-6);
    near(sine.amplitude_err_mag, 125.916_258, 1e-6);
    near(sine.t0_h, 53_294.524_57, 1e-5);
    near(sine.offsets_mag[0], -197.020_927_8, 1e-7);
    near(sine.chance, 5.191_423e-6, 1e-12);
    let search = Search::new(&series, grid, sine.power_share);
    near(search.trials(), 6.9, 1e-9);
    for (chance, level) in [(0.1, 0.533_141_84), (0.01, 0.695_080_93), (0.001, 0.799_524_54)] {
        near(search.level(chance), level, 1e-8);
    }
    let wide = Grid::new(0.001, 0.05, grid.step_per_h).expect("grid");
    assert_eq!(wide.n, 376);
    let sine = Sine::highest(&series, wide, &power(&series, wide)).expect("a sine");
    near(sine.power_share, 0.930_314_246_3, 1e-10);
    near(sine.chance, 1.627_854e-5, 1e-11);
    near(sine.period_h(), 171.484_920_4, 1e-7);
    near(sine.period_err_h().expect("an error"), 1.981_760_619, 1e-8);
    near(Search::new(&series, wide, sine.power_share).trials(), 37.525_227, 1e-6);
    let bare: Vec<Point> =
        points(GJ_1046.into_iter()).into_iter().map(|p| Point { err_mag: None, ..p }).collect();
    let series = Series::new(&bare).expect("points");
    let sine = Sine::highest(&series, grid, &power(&series, grid)).expect("a sine");
    near(sine.power_share, 0.927_135_069_9, 1e-10);
    near(sine.amplitude_mag, 1_685.936_863, 1e-6);
    near(sine.offsets_mag[0], -219.357_672_7, 1e-7);
    near(sine.chance, 3.825_614e-6, 1e-12);
}

#[test]
fn prewhitening_is_that_of_gls() {
    // seeds.md 7.7.
    let even = |n: usize, from: f64, to: f64| {
        (0..n).map(move |i| from + (to - from) * i as f64 / (n - 1) as f64)
    };
    let times = even(60, 0.0, 6.0).chain(even(55, 24.1, 30.3));
    let point = |t: f64| {
        let y = 15.0
            + 0.20 * (TAU * t / 3.1 + 0.4).sin()
            + 0.07 * (TAU * t / 1.37 + 1.1).sin()
            + 0.004 * (11.0 * t * t).sin();
        Point { time_h: t, mag: y, err_mag: None, session: 0 }
    };
    let series = Series::new(&times.map(point).collect::<Vec<_>>()).expect("points");
    let grid = Grid::of_count(&series).expect("grid");
    assert_eq!(grid.n, 574);
    assert!((grid.end_per_h - 1.897_690).abs() < 5e-7, "{grid:?}");
    let sines = prewhiten(&series, grid, 3);
    let expected =
        [(3.091_836_73, 0.199_296_96), (1.371_040_72, 0.069_621_76), (3.293_478_26, 0.012_759_82)];
    for (sine, (period, amplitude)) in sines.iter().zip(expected) {
        assert!((sine.period_h() - period).abs() < 1e-7, "{}", sine.period_h());
        assert!((sine.amplitude_mag - amplitude).abs() < 1e-7, "{}", sine.amplitude_mag);
    }
    assert!((sines[0].period_err_h().expect("error") - 0.006_086_65).abs() < 1e-7);
    assert!((sines[0].power_share - 0.886_263_02).abs() < 1e-7);
    assert!((sines[1].period_err_h().expect("error") - 0.000_755_80).abs() < 1e-8);
    for (sine, (chance, digits)) in
        sines.iter().zip([(7.7519e-52, 1e-4), (2.9992e-72, 1e-4), (7.0e-23, 2e-2)])
    {
        assert!((sine.chance / chance - 1.0).abs() < digits, "{}", sine.chance);
    }
}

/// A curve with two maxima: half amplitudes by order [mag], phases by order [rad].
fn bimodal(turns: f64) -> f64 {
    let wave = |k: f64, a: f64, phase: f64| a * (TAU * k * turns + phase).cos();
    wave(1.0, 0.03, 0.3) + wave(2.0, 0.15, 1.0) + wave(3.0, 0.04, 2.0) + wave(4.0, 0.02, 0.1)
}

/// Nights of a synthetic object: five sessions of own zero points.
fn nights(period_h: f64, noise_mag: f64, draws: &mut Draws) -> Vec<Point> {
    let mut points = Vec::new();
    for (session, day) in [0.0, 1.0, 3.0, 4.0, 9.0].into_iter().enumerate() {
        for i in 0..50 {
            let time_h = 24.0 * day + 0.3 * day + 0.11 * f64::from(i);
            points.push(Point {
                time_h,
                mag: session as f64 + bimodal(time_h / period_h) + noise_mag * draws.normal(),
                err_mag: Some(0.02),
                session: session as u32,
            });
        }
    }
    points
}

#[test]
fn a_rotation_with_two_maxima_is_found_and_its_errors_are_right() {
    let period_h = 7.3;
    let (mut pulls2, mut epochs2, mut ranges2, n) = (0.0, 0.0, 0.0, 24.0);
    // The curve's own range and brightest phase, sampled finely.
    let phases = || (0..20_000).map(|i| f64::from(i) / 20_000.0);
    let brightest = phases().min_by(|a, b| bimodal(*a).total_cmp(&bimodal(*b))).expect("phases");
    let faintest = phases().map(bimodal).fold(f64::MIN, f64::max);
    for seed in 0..24 {
        let points = nights(period_h, 0.03, &mut Draws::new(seed, 0));
        let series = Series::new(&points).expect("points");
        let wanted = Wanted { trials: 0, ..Wanted::default() };
        let analysis = analyse(&series, &wanted).expect("an analysis");
        let curve = &analysis.first().expect("a candidate").curve;
        let period = curve.frequency_per_h.recip();
        assert!((period / period_h - 1.0).abs() < 0.005, "{seed}: {period}");
        assert!(analysis.is_published(), "{seed}: {:?}", analysis.doubts);
        pulls2 += ((period - period_h) / analysis.period_err_h().expect("an error")).powi(2);
        let (range, range_err) = curve.range_mag();
        ranges2 += ((range - (faintest - bimodal(brightest))) / range_err).powi(2);
        let (time, time_err) = curve.brightest_h();
        let turns = (analysis.found.series.middle_h() + time) / period_h - brightest;
        epochs2 += ((turns - turns.round()) * period_h / time_err).powi(2);
    }
    // 24 pulls: chi2/n lies in 0.4 to 1.9 with 99 %; missing orders widen that of range and epoch.
    for (name, sum2) in [("period", pulls2), ("range", ranges2), ("epoch", epochs2)] {
        let mean = sum2 / n;
        assert!((0.3..2.5).contains(&mean), "{name}: {mean}");
    }
}

#[test]
fn noise_has_no_period() {
    let n = if std::env::var_os("AUTOSSOS_SLOW").is_some() { 1000 } else { 40 };
    let mut published = 0;
    for seed in 0..n {
        let mut draws = Draws::new(seed, 7);
        let points: Vec<Point> = nights(5.0, 0.0, &mut Draws::new(0, 0))
            .into_iter()
            .step_by(1 + seed as usize % 5)
            .map(|p| Point { mag: 0.05 * draws.normal() + f64::from(p.session), ..p })
            .collect();
        let wanted = Wanted { trials: 0, ..Wanted::default() };
        let analysis = analyse(&Series::new(&points).expect("points"), &wanted).expect("analysis");
        published += usize::from(analysis.is_published());
    }
    println!("{published} of {n} noise curves have a period");
    // One in a hundred is allowed; of 40 that is none.
    assert!(published <= n as usize / 100, "{published} of {n}");
}

#[test]
fn bootstrap_agrees_with_theory_on_noise() {
    let mut draws = Draws::new(11, 0);
    let point = |i: i32| (f64::from(i) + 0.4 * draws.uniform(), draws.normal(), 1.0);
    let series = Series::new(&points((0..60).map(point))).expect("points");
    let grid = Grid::new(0.01, 0.45, 0.002).expect("grid");
    let peaks = chance_peaks(&series, grid, 400, 5);
    assert_eq!(peaks, chance_peaks(&series, grid, 400, 5));
    let search = Search::new(&series, grid, 0.5);
    // 40 of 400 lie beyond the 10 % level, to 15 %; Baluev's bound is close for even sampling.
    // GLS's count of frequencies, without oversampling, is too small by a factor of about three.
    let power = level(&peaks, 0.1).expect("a level");
    let told = search.chance_bound(power);
    assert!((0.06..0.2).contains(&told), "{told}");
    assert!(search.chance(power) < told);
    assert!((chance(&peaks, 2.0) - 1.0 / 401.0).abs() < 1e-12);
    assert!((chance(&peaks, 0.0) - 1.0).abs() < 1e-12);
}
