//! Periodograms and rotation periods: `cargo bench --bench period`.
//!
//! With `AUTOSSOS_BENCH_POINTS=FILE` (lines of time, magnitude, error) the power at a million
//! frequencies is timed on those points and written beside them as `FILE.power` (8-byte floats,
//! little-endian): `benches/peers/periods.py` puts astropy beside it.

use std::io::Write as _;
use std::time::Instant;

use autossos::science::period::{Grid, Point, Series, Wanted, analyse, power};

/// Frequencies of the comparison: a million steps [1/h].
const STEP_PER_H: f64 = 1e-4;
const FREQUENCIES: usize = 1_000_000;
const RUNS: usize = 5;

fn main() {
    if let Some(file) = std::env::var_os("AUTOSSOS_BENCH_POINTS") {
        given(file.as_ref());
        return;
    }
    let series = nights();
    for trials in [0, 1000] {
        let began = Instant::now();
        let wanted = Wanted { trials, ..Wanted::default() };
        let analysis = analyse(&series, &wanted).expect("an analysis");
        let period = analysis.first().map(|c| c.curve.frequency_per_h.recip());
        println!(
            "period, {} points over {:.0} days, bootstrap {trials}: {:.2} s, found {:.4} h, {} \
             frequencies",
            series.len(),
            series.span_h() / 24.0,
            began.elapsed().as_secs_f64(),
            period.unwrap_or(f64::NAN),
            analysis.found.grid.n
        );
    }
}

/// 2,000 points in ten nights of a month, two maxima, 6.2 h.
fn nights() -> Series {
    let mut state = 0x9e37_79b9_u64;
    let mut uniform = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let points: Vec<Point> = (0..2000_u32)
        .map(|i| {
            let session = i / 200;
            let time_h = 72.0 * f64::from(session) + 0.03 * f64::from(i % 200);
            let angle = std::f64::consts::TAU * time_h / 6.2;
            let noise = 0.05 * (uniform() + uniform() + uniform() - 1.5);
            let mag = 0.15 * (2.0 * angle).cos() + 0.03 * (angle + 1.0).sin() + noise;
            Point { time_h, mag, err_mag: Some(0.02), session }
        })
        .collect();
    Series::new(&points).expect("points")
}

/// Times the power of given points and writes it.
fn given(file: &std::path::Path) {
    let text = std::fs::read_to_string(file).expect("the points' file");
    let points: Vec<Point> = text
        .lines()
        .map(|line| {
            let cells: Vec<f64> = line.split_whitespace().filter_map(|c| c.parse().ok()).collect();
            Point { time_h: cells[0], mag: cells[1], err_mag: Some(cells[2]), session: 0 }
        })
        .collect();
    let series = Series::new(&points).expect("points");
    let end = (FREQUENCIES as f64 + 0.5) * STEP_PER_H;
    let grid = Grid::new(STEP_PER_H, end, STEP_PER_H).expect("a grid");
    let mut least = f64::INFINITY;
    let mut powers = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        powers = power(&series, grid);
        least = least.min(began.elapsed().as_secs_f64());
    }
    let mut name = file.as_os_str().to_owned();
    name.push(".power");
    #[expect(clippy::disallowed_methods, reason = "a bench's scratch file, no product")]
    let mut out = std::fs::File::create(name).expect("a file beside the points");
    let bytes: Vec<u8> = powers.iter().flat_map(|p| p.to_le_bytes()).collect();
    out.write_all(&bytes).expect("written");
    println!("{least:.4}");
}
