//! Extraction of a simulated frame of 1024 x 1024 px: `cargo bench --bench detect`.
//!
//! The frame has the demo's sky; calibration is replaced by its nominal numbers and not counted.
//! The second figure is the same work on one thread: what the others bring.
//!
//! For `peers/speed.py` it extracts a given frame once: `AUTOSSOS_BENCH_FRAME` names a file of
//! little-endian single-precision electrons, `AUTOSSOS_BENCH_SIDE` its columns and rows.

use std::time::Instant;

use autossos::science::detect::{ExtractParams, Extraction, extract};
use autossos::science::image::Image;
use autossos::science::image::mask::{Mask, MaskBits};
use autossos::science::simulate::{Scenario, SimulatedNight};

/// Columns and rows [px].
const SIDE_PX: usize = 1024;
/// Extractions per figure.
const RUNS: usize = 15;

/// A calibrated frame.
struct Frame {
    pixels_e: Image<f32>,
    variance_e2: Image<f32>,
    mask: Mask,
}

fn main() {
    if let Some(given) = given() {
        let start = Instant::now();
        let n = found(&given).sources.len();
        println!("{n} {:.4}", start.elapsed().as_secs_f64());
        return;
    }
    let frame = frame();
    let n = found(&frame).sources.len();
    let all_s = median_s(&frame);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let one_s = one.install(|| median_s(&frame));
    println!("extraction of {SIDE_PX} x {SIDE_PX} px, {n} sources, {RUNS} runs");
    println!("{} threads: median {:.1} ms", rayon::current_num_threads(), 1e3 * all_s);
    println!("1 thread:  median {:.1} ms; {:.2} of it", 1e3 * one_s, one_s / all_s);
}

/// The frame that is asked for, if any.
fn given() -> Option<Frame> {
    let path = std::env::var_os("AUTOSSOS_BENCH_FRAME")?;
    let side: usize = std::env::var("AUTOSSOS_BENCH_SIDE").ok()?.parse().ok()?;
    let bytes = std::fs::read(path).expect("a file that can be read");
    let value = |four: &[u8]| f32::from_le_bytes(four.try_into().expect("cut to four bytes"));
    let pixels: Vec<f32> = bytes.chunks_exact(4).map(value).collect();
    let variance = pixels.iter().map(|e| e.max(0.0) + 36.0).collect();
    let square = "side times side values";
    Some(Frame {
        pixels_e: Image::from_pixels(side, side, pixels).expect(square),
        variance_e2: Image::from_pixels(side, side, variance).expect(square),
        mask: Mask::filled(side, side, MaskBits::GOOD),
    })
}

/// Simulates a frame and takes bias level and gain off.
fn frame() -> Frame {
    let mut scenario = Scenario::demo(1);
    (scenario.n_science, scenario.n_bias, scenario.n_flat) = (1, 0, 0);
    (scenario.camera.nx, scenario.camera.ny) = (SIDE_PX, SIDE_PX);
    let camera = scenario.camera.clone();
    let raw = SimulatedNight::new(&scenario).frame(0).pixels;
    let electrons = |adu: u16| ((f64::from(adu) - camera.bias_adu) * camera.gain_e_per_adu) as f32;
    let pixels: Vec<f32> = raw.pixels().iter().map(|&adu| electrons(adu)).collect();
    let read_noise_e2 = camera.read_noise_e.powi(2) as f32;
    let variance = pixels.iter().map(|e| e.max(0.0) + read_noise_e2).collect();
    let whole = "as many pixels as the raw frame";
    Frame {
        pixels_e: Image::from_pixels(SIDE_PX, SIDE_PX, pixels).expect(whole),
        variance_e2: Image::from_pixels(SIDE_PX, SIDE_PX, variance).expect(whole),
        mask: Mask::filled(SIDE_PX, SIDE_PX, MaskBits::GOOD),
    }
}

fn found(frame: &Frame) -> Extraction {
    extract(&frame.pixels_e, &frame.variance_e2, &frame.mask, &ExtractParams::default())
        .expect("a sky that can be measured")
}

/// Median wall time of an extraction [s].
fn median_s(frame: &Frame) -> f64 {
    let mut times_s: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(found(frame));
            start.elapsed().as_secs_f64()
        })
        .collect();
    times_s.sort_by(f64::total_cmp);
    times_s[RUNS / 2]
}
