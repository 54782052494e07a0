//! Wall time of calibrating one frame: arithmetic, bad columns, cosmic rays, trails.
//!
//! A simulated frame of 2048 x 2048 px with hits of cosmic rays and one trail, in one thread and
//! in all; `cargo bench --profile fast --bench calibrate`.
//!
//! For `peers/speed.py` it calibrates the frame and extracts its sources, and writes the calibrated
//! pixels as little-endian single-precision electrons to the file `AUTOSSOS_BENCH_REDUCED` names.

use std::path::Path;
use std::time::Instant;

use autossos::science::calib::apply::{
    CalibratedPixels, Corrections, Detector, TrimWindow, calibrate_pixels,
};
use autossos::science::calib::columns::mark_bad_columns;
use autossos::science::calib::cosmic::{CosmicParams, mark_cosmic_rays};
use autossos::science::calib::trails::{TrailParams, mark_trails};
use autossos::science::detect::{ExtractParams, extract};
use autossos::science::image::Image;
use autossos::science::simulate::{Scenario, SimulatedNight};

const SIDE_PX: usize = 2048;
const RUNS: usize = 11;

/// A raw frame and what calibrates it.
struct Input {
    raw: Image<f32>,
    bias: Image<f32>,
    flat: Image<f32>,
    detector: Detector,
}

fn main() {
    if let Some(path) = std::env::var_os("AUTOSSOS_BENCH_REDUCED") {
        whole(path.as_ref());
        return;
    }
    let input = input(true);
    let plain = self::input(false);
    println!("calibration of {SIDE_PX} x {SIDE_PX} px, {RUNS} runs, medians");
    for threads in [1, rayon::current_num_threads()] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let (times_ms, found) = pool.install(|| medians_ms(&input));
        let (plain_ms, _) = pool.install(|| medians_ms(&plain));
        println!("{threads} threads: {found}");
        for (k, name) in ["arithmetic", "columns", "cosmic rays", "trails"].iter().enumerate() {
            println!(
                "  {name:<12} {:7.1} ms; nothing to find: {:7.1} ms",
                times_ms[k], plain_ms[k]
            );
        }
        println!("  {:<12} {:7.1} ms", "all", times_ms.iter().sum::<f64>());
    }
}

/// Calibration and extraction of one frame: number of sources, time [s]; keeps the pixels.
fn whole(path: &Path) {
    let input = input(true);
    let mut times_s = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        let mut frame = calibrated(&input);
        mark_bad_columns(&mut frame, 2);
        mark_cosmic_rays(&mut frame, &CosmicParams::default());
        mark_trails(&mut frame, &TrailParams::default());
        let (pixels, variance) = (&frame.pixels_e, &frame.variance_e2);
        let found = extract(pixels, variance, &frame.mask, &ExtractParams::default());
        times_s.push(start.elapsed().as_secs_f64());
        if times_s.len() == 3 {
            times_s.sort_by(f64::total_cmp);
            println!("{} {:.4}", found.map_or(0, |f| f.sources.len()), times_s[1]);
            let bytes: Vec<u8> = pixels.pixels().iter().flat_map(|v| v.to_le_bytes()).collect();
            #[expect(clippy::disallowed_methods, reason = "a bench's scratch file")]
            std::fs::write(path, bytes).expect("a folder that can be written");
        }
    }
}

/// Median time of each step [ms], and what was found.
fn medians_ms(input: &Input) -> ([f64; 4], String) {
    let mut times: [Vec<f64>; 4] = Default::default();
    let mut found = String::new();
    for _ in 0..RUNS {
        let mut clock = Instant::now();
        let mut lap = |k: usize| {
            times[k].push(1e3 * clock.elapsed().as_secs_f64());
            clock = Instant::now();
        };
        let mut frame = calibrated(input);
        lap(0);
        let n_columns = mark_bad_columns(&mut frame, 2).n_marked;
        lap(1);
        let cosmic = mark_cosmic_rays(&mut frame, &CosmicParams::default());
        lap(2);
        let trails = mark_trails(&mut frame, &TrailParams::default());
        lap(3);
        found = format!("{n_columns} columns, {cosmic:?}, {} trails", trails.len());
        std::hint::black_box(frame);
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[RUNS / 2]
    };
    (times.each_mut().map(median), found)
}

fn calibrated(input: &Input) -> CalibratedPixels {
    let corrections = Corrections {
        bias_adu: Some(&input.bias),
        flat: Some(&input.flat),
        master_noise_adu: 1.0,
        flat_noise: 0.003,
        ..Corrections::default()
    };
    let window = TrimWindow { columns: 0..SIDE_PX, rows: 0..SIDE_PX };
    calibrate_pixels(&input.raw, &window, &corrections, &input.detector).expect("equal shapes")
}

fn input(is_hit: bool) -> Input {
    let mut scenario = Scenario::demo(1);
    (scenario.n_science, scenario.n_bias, scenario.n_flat) = (1, 0, 0);
    (scenario.camera.nx, scenario.camera.ny) = (SIDE_PX, SIDE_PX);
    let camera = scenario.camera.clone();
    let pixels = SimulatedNight::new(&scenario).frame(0).pixels;
    let pixels = pixels.pixels().iter().map(|&adu| f32::from(adu)).collect();
    let mut raw = Image::from_pixels(SIDE_PX, SIDE_PX, pixels).expect("counted");
    if is_hit {
        hit(&mut raw);
    }
    Input {
        raw,
        bias: Image::filled(SIDE_PX, SIDE_PX, camera.bias_adu as f32),
        flat: Image::filled(SIDE_PX, SIDE_PX, 1.0),
        detector: Detector {
            gain_e_per_adu: camera.gain_e_per_adu as f32,
            read_noise_e: camera.read_noise_e as f32,
            saturation_adu: 60_000.0,
        },
    }
}

/// Adds 1000 short tracks and a trail from edge to edge.
fn hit(raw: &mut Image<f32>) {
    let mut state = 1_u64;
    let mut number = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % n
    };
    for _ in 0..1000 {
        let (x, y, n) = (number(SIDE_PX - 20), number(SIDE_PX - 20), 1 + number(8));
        let (slope, charge) = (number(3), 100 + number(2000));
        for step in 0..n {
            raw.row_mut(y + step * slope / 2)[x + step] += charge as f32;
        }
    }
    for x in 0..SIDE_PX {
        let y = 300.0 + 0.6 * x as f64;
        for beside in -4_i32..=4 {
            let off = f64::from(beside) - y.fract();
            let light = 40.0 * (-0.5 * (off / 1.3).powi(2)).exp();
            raw.row_mut((y as i32 + beside) as usize)[x] += light as f32;
        }
    }
}
