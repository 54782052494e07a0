//! Frames meant to overwhelm the extraction, 2048 x 2048 px: `cargo bench --bench limits`.
//!
//! Each frame is extracted in a process of its own, so that its peak memory can be told: the
//! figure is what the process needed above the frame, its variance and its mask.

mod random;

use std::process::Command;
use std::time::Instant;

use autossos::science::detect::{ExtractParams, extract};
use autossos::science::image::Image;
use autossos::science::image::mask::{Mask, MaskBits};
use random::Random;

/// Columns and rows [px].
const SIDE_PX: usize = 2048;
/// The frames.
const CASES: [&str; 6] =
    ["60,000 stars", "saturated", "no data", "noise", "squares 1", "squares 8"];

fn main() {
    let asked = std::env::var("AUTOSSOS_BENCH_CASE").ok().and_then(|v| v.parse::<usize>().ok());
    if let Some(case) = asked.and_then(|k| CASES.get(k)) {
        run(case);
        return;
    }
    let program = std::env::current_exe().expect("a running program has a file");
    for (k, case) in CASES.iter().enumerate() {
        #[expect(clippy::disallowed_methods, reason = "a bench starts itself")]
        let mut child = Command::new(&program);
        let ended = child.env("AUTOSSOS_BENCH_CASE", k.to_string()).status();
        assert!(ended.is_ok_and(|status| status.success()), "{case}");
    }
}

/// Extracts one frame and tells time, sources and memory.
fn run(case: &str) {
    let mut pixels = pixels(case);
    let bits = if case == "saturated" { MaskBits::SATURATED } else { MaskBits::GOOD };
    let variance =
        Image::from_pixels(SIDE_PX, SIDE_PX, pixels.iter().map(|v| v.abs() + 25.0).collect());
    let mask = Mask::filled(SIDE_PX, SIDE_PX, bits);
    pixels.shrink_to_fit();
    let pixels = Image::from_pixels(SIDE_PX, SIDE_PX, pixels).expect("as many as drawn");
    let variance = variance.expect("as many as drawn");
    let before_mib = peak_mib();
    let start = Instant::now();
    let found = extract(&pixels, &variance, &mask, &ExtractParams::default());
    let taken_s = start.elapsed().as_secs_f64();
    let told = found.map_or_else(
        || "no sky to be measured".to_owned(),
        |f| format!("{} sources kept of {}", f.sources.len(), f.n_found),
    );
    println!("{case}: {taken_s:.2} s, {:.0} MiB more, {told}", peak_mib() - before_mib);
}

fn pixels(case: &str) -> Vec<f32> {
    let n = SIDE_PX * SIDE_PX;
    let squares = |side: usize| {
        let is_dark = |i: usize| (i % SIDE_PX / side + i / SIDE_PX / side).is_multiple_of(2);
        (0..n).map(|i| if is_dark(i) { 100.0 } else { 900.0 }).collect()
    };
    let mut random = Random(3);
    match case {
        "saturated" => vec![65_535.0; n],
        "no data" => vec![f32::NAN; n],
        "squares 1" => squares(1),
        "squares 8" => squares(8),
        _ => {
            let mut sky: Vec<f32> =
                (0..n).map(|_| (400.0 + 20.0 * random.normal()) as f32).collect();
            if case == "60,000 stars" {
                add_stars(&mut sky, &mut random);
            }
            sky
        }
    }
}

/// Adds Gaussian stars of 3 px width.
fn add_stars(sky: &mut [f32], random: &mut Random) {
    let side = SIDE_PX as f64;
    for _ in 0..60_000 {
        let (x0, y0) = (random.uniform() * side, random.uniform() * side);
        let flux = 10_f64.powf(2.8 + 2.0 * random.uniform());
        for y in (y0 as usize).saturating_sub(6)..(y0 as usize + 7).min(SIDE_PX) {
            for x in (x0 as usize).saturating_sub(6)..(x0 as usize + 7).min(SIDE_PX) {
                let r2 = (x as f64 - x0).powi(2) + (y as f64 - y0).powi(2);
                sky[y * SIDE_PX + x] += (flux / 10.2 * (-0.5 * r2 / 1.62).exp()) as f32;
            }
        }
    }
}

/// Largest memory of this process so far [MiB]; 0 where the system does not tell.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
