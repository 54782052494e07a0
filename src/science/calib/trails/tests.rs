//! Trails drawn over a starry sky, and lines that are none.

use super::*;
use crate::science::calib::synthetic::Noise;
use crate::science::detect::{ExtractParams, extract};
use crate::science::image::Image;
use crate::science::image::mask::Mask;

const SIDE: usize = 900;
/// Noise of a sky pixel: sqrt(300 + 6^2) [e-].
const SIGMA_E: f64 = 18.33;

/// A noiseless sky of 300 e- with Gaussian stars of 3 px seeing.
fn starry(noise: &mut Noise, n_stars: usize) -> Image<f32> {
    let mut truth = Image::filled(SIDE, SIDE, 300.0_f32);
    for _ in 0..n_stars {
        let (x, y) = (SIDE as f64 * noise.uniform(), SIDE as f64 * noise.uniform());
        let flux = 500.0 * 1000.0_f64.powf(noise.uniform().powi(3));
        star(&mut truth, (x, y), flux);
    }
    truth
}

fn star(truth: &mut Image<f32>, (x, y): (f64, f64), flux_e: f64) {
    let sigma = 3.0 / 2.3548;
    let peak = flux_e / (std::f64::consts::TAU * sigma * sigma);
    let reach = |v: f64| ((v - 12.0).max(0.0) as usize, ((v + 12.0) as usize).min(SIDE - 1));
    for py in reach(y).0..=reach(y).1 {
        for px in reach(x).0..=reach(x).1 {
            let r2 = (px as f64 - x).powi(2) + (py as f64 - y).powi(2);
            truth.row_mut(py)[px] += (peak * (-0.5 * r2 / (sigma * sigma)).exp()) as f32;
        }
    }
}

/// Draws a trail of Gaussian profile, `peak_e` high where `shine` (of the distance) is 1.
fn draw(
    truth: &mut Image<f32>,
    (from, to): ((f64, f64), (f64, f64)),
    peak_e: f64,
    shine: impl Fn(f64) -> f64,
) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    let sigma = 3.0 / 2.3548;
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (u, v) = (x as f64 - from.0, y as f64 - from.1);
            let along = (u * dx + v * dy) / length;
            let beside = (u * dy - v * dx) / length;
            if (0.0..=length).contains(&along) && beside.abs() < 12.0 {
                let value = peak_e * shine(along) * (-0.5 * (beside / sigma).powi(2)).exp();
                truth.row_mut(y)[x] += value as f32;
            }
        }
    }
}

fn exposed(noise: &mut Noise, truth: &Image<f32>) -> CalibratedPixels {
    let mut pixels = truth.clone();
    let mut variance = truth.clone();
    for (pixel, variance) in pixels.pixels_mut().iter_mut().zip(variance.pixels_mut()) {
        *variance += 36.0;
        *pixel += variance.sqrt() * noise.gauss();
    }
    CalibratedPixels {
        pixels_e: pixels,
        variance_e2: variance,
        mask: Mask::filled(SIDE, SIDE, MaskBits::GOOD),
    }
}

/// Share of the points of a line whose pixels are marked.
fn marked_share(frame: &CalibratedPixels, (from, to): ((f64, f64), (f64, f64))) -> f64 {
    let n = 400;
    let is_marked = |k: &i32| {
        let share = f64::from(*k) / f64::from(n);
        let x = (from.0 + share * (to.0 - from.0)).clamp(0.0, SIDE as f64 - 1.0);
        let y = (from.1 + share * (to.1 - from.1)).clamp(0.0, SIDE as f64 - 1.0);
        frame.mask.at(x as usize, y as usize).is_any(MaskBits::TRAIL)
    };
    (0..=n).filter(is_marked).count() as f64 / f64::from(n + 1)
}

fn n_marked(frame: &CalibratedPixels) -> usize {
    frame.mask.pixels().iter().filter(|m| m.is_any(MaskBits::TRAIL)).count()
}

/// Sources within 8 px of a line.
fn n_sources_near(frame: &CalibratedPixels, (from, to): ((f64, f64), (f64, f64))) -> usize {
    let found =
        extract(&frame.pixels_e, &frame.variance_e2, &frame.mask, &ExtractParams::default());
    let sources = found.expect("a sky").sources;
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    (0..sources.len())
        .filter(|&i| {
            let (u, v) = (sources.x_px[i] - from.0, sources.y_px[i] - from.1);
            ((u * dy - v * dx) / length).abs() < 8.0
                && (0.0..=length).contains(&((u * dx + v * dy) / length))
        })
        .count()
}

const LINES: [((f64, f64), (f64, f64)); 5] = [
    ((-5.0, 120.0), (905.0, 700.0)),
    ((850.0, -5.0), (200.0, 905.0)),
    ((-5.0, 452.3), (905.0, 455.1)),
    ((300.2, -5.0), (310.9, 905.0)),
    ((-5.0, 890.0), (890.0, -5.0)),
];

#[test]
fn trails_from_edge_to_edge_are_masked_whatever_their_brightness() {
    // Peaks from a third of the noise of a pixel to 300 times it.
    for (k, &line) in LINES.iter().enumerate() {
        for sigmas in [0.35, 1.0, 10.0, 300.0] {
            let mut noise = Noise::seeded(91 + k as u64);
            let mut truth = starry(&mut noise, 250);
            draw(&mut truth, line, sigmas * SIGMA_E, |_| 1.0);
            let mut frame = exposed(&mut noise, &truth);
            let trails = mark_trails(&mut frame, &TrailParams::default());
            assert_eq!(trails.len(), 1, "line {k}, {sigmas} sigma: {trails:?}");
            let share = marked_share(&frame, line);
            assert!(share > 0.99, "line {k}, {sigmas} sigma: {share} of it marked");
            assert!(trails[0].width_px < 30.0, "{trails:?}");
        }
    }
}

#[test]
fn one_streak_is_no_crowd_of_sources() {
    let mut noise = Noise::seeded(96);
    let mut truth = starry(&mut noise, 250);
    draw(&mut truth, LINES[0], 3.0 * SIGMA_E, |_| 1.0);
    let mut frame = exposed(&mut noise, &truth);
    let before = n_sources_near(&frame, LINES[0]);
    mark_trails(&mut frame, &TrailParams::default());
    let after = n_sources_near(&frame, LINES[0]);
    assert!(before > 12 && after < before / 4, "{before} sources, then {after}");
}

#[test]
fn broken_trails_and_several_are_masked() {
    let mut noise = Noise::seeded(97);
    let mut truth = starry(&mut noise, 250);
    // A tumbling satellite: 70 px on, 35 px off; and one that ends inside the frame.
    let flash = |s: f64| if s % 105.0 < 70.0 { 1.0 } else { 0.0 };
    draw(&mut truth, LINES[0], 4.0 * SIGMA_E, flash);
    let inside = ((400.0, 820.0), (905.0, 560.0));
    draw(&mut truth, inside, 2.0 * SIGMA_E, |_| 1.0);
    let mut frame = exposed(&mut noise, &truth);
    let trails = mark_trails(&mut frame, &TrailParams::default());
    assert_eq!(trails.len(), 2, "{trails:?}");
    assert!(marked_share(&frame, LINES[0]) > 0.97, "{}", marked_share(&frame, LINES[0]));
    assert!(marked_share(&frame, inside) > 0.97, "{}", marked_share(&frame, inside));
    let before_it = ((200.0, 923.0), (330.0, 856.0));
    assert!(marked_share(&frame, before_it) < 0.1, "more is masked: {trails:?}");
}

#[test]
fn what_is_no_satellite_stays() {
    // A fast asteroid, a fence of stars, the spikes of a bright star, and nothing at all.
    let mut noise = Noise::seeded(98);
    let mut truth = starry(&mut noise, 400);
    draw(&mut truth, ((300.0, 300.0), (400.0, 360.0)), 20.0 * SIGMA_E, |_| 1.0);
    for k in 0..14 {
        star(&mut truth, (60.0 + 60.0 * f64::from(k), 700.0 + 5.0 * f64::from(k)), 2e4);
    }
    let spike = |s: f64| 1.0 / (1.0 + ((s - 300.0) / 15.0).powi(2));
    draw(&mut truth, ((300.0, 500.0), (900.0, 500.0)), 300.0 * SIGMA_E, spike);
    draw(&mut truth, ((600.0, 200.0), (600.0, 800.0)), 300.0 * SIGMA_E, spike);
    star(&mut truth, (600.0, 500.0), 3e7);
    let mut frame = exposed(&mut noise, &truth);
    // Its saturated core and bleeding, as calibration marks them.
    for y in 380..640 {
        frame.pixels_e.row_mut(y)[599..602].fill(3e5);
        frame.mask.row_mut(y)[598..603].fill(MaskBits::SATURATED);
    }
    let trails = mark_trails(&mut frame, &TrailParams::default());
    assert!(trails.is_empty() && n_marked(&frame) == 0, "{trails:?}");
}

#[test]
fn lines_of_the_detector_are_no_trails() {
    // A bright column, and a bright rim of the frame.
    let mut noise = Noise::seeded(112);
    let mut truth = starry(&mut noise, 250);
    draw(&mut truth, ((400.0, -5.0), (400.0, 905.0)), 3.0 * SIGMA_E, |_| 1.0);
    draw(&mut truth, ((-5.0, 894.0), (905.0, 899.0)), 3.0 * SIGMA_E, |_| 1.0);
    let mut frame = exposed(&mut noise, &truth);
    let trails = mark_trails(&mut frame, &TrailParams::default());
    assert!(trails.is_empty(), "{trails:?}");
}

#[test]
fn a_crowded_sky_has_no_trails() {
    for seed in 113..117 {
        let mut noise = Noise::seeded(seed);
        let truth = starry(&mut noise, 3000);
        let mut frame = exposed(&mut noise, &truth);
        let trails = mark_trails(&mut frame, &TrailParams::default());
        assert!(trails.is_empty(), "seed {seed}: {trails:?}");
    }
}

#[test]
fn spikes_across_a_corner_stay() {
    // A star near the corner, whose spikes at 45 degrees leave the frame on both sides.
    let mut noise = Noise::seeded(117);
    let mut truth = starry(&mut noise, 250);
    let spike = |s: f64| 1.0 / (1.0 + ((s - 300.0) / 15.0).powi(2));
    let (reach, place) = (300.0 / 2.0_f64.sqrt(), 130.0);
    let line = ((place - reach, place + reach), (place + reach, place - reach));
    draw(&mut truth, line, 300.0 * SIGMA_E, spike);
    let mut frame = exposed(&mut noise, &truth);
    for y in 90..170 {
        frame.pixels_e.row_mut(y)[129..132].fill(3e5);
        frame.mask.row_mut(y)[127..134].fill(MaskBits::SATURATED);
    }
    let trails = mark_trails(&mut frame, &TrailParams::default());
    assert!(trails.is_empty(), "{trails:?}");
}

#[test]
fn empty_skies_have_no_trails() {
    for seed in 100..110 {
        let mut noise = Noise::seeded(seed);
        let truth = starry(&mut noise, 300);
        let mut frame = exposed(&mut noise, &truth);
        let trails = mark_trails(&mut frame, &TrailParams::default());
        assert!(trails.is_empty(), "seed {seed}: {trails:?}");
    }
}

#[test]
fn hopeless_frames_are_survived_and_threads_do_not_matter() {
    for (nx, ny, value) in [(1, 1, 0.0), (50, 3000, 7.0), (200, 200, 0.0), (300, 200, 1e30)] {
        let mut frame = CalibratedPixels {
            pixels_e: Image::filled(nx, ny, value),
            variance_e2: Image::filled(nx, ny, 1.0),
            mask: Mask::filled(nx, ny, MaskBits::GOOD),
        };
        assert!(mark_trails(&mut frame, &TrailParams::default()).is_empty());
        frame.mask.pixels_mut().fill(MaskBits::NO_DATA);
        assert!(mark_trails(&mut frame, &TrailParams::default()).is_empty());
    }
    let mut noise = Noise::seeded(111);
    let mut truth = starry(&mut noise, 250);
    draw(&mut truth, LINES[1], 2.0 * SIGMA_E, |_| 1.0);
    let frame = exposed(&mut noise, &truth);
    let results: Vec<CalibratedPixels> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let mut found = frame.clone();
            let mark = || mark_trails(&mut found, &TrailParams::default());
            pool.expect("threads").install(mark);
            found
        })
        .collect();
    assert!(n_marked(&results[0]) > 0 && results.iter().all(|r| *r == results[0]));
}
