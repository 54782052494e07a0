//! Wall time of the simulated demo night, end to end: `cargo bench --bench night`.
//!
//! The raw files are simulated once and not counted. A run begins with an empty data folder and
//! ends with the report; the second figure is a run over the finished night, which should do
//! nothing. `AUTOSSOS_BENCH_RUNS` sets the number of runs.

use std::path::Path;
use std::time::Instant;

use autossos::config::Config;
use autossos::ops::Silent;
use autossos::ops::demo::{SimulatedFiles, write_night};
use autossos::ops::run::{RunRequest, run_night};
use autossos::science::simulate::{Scenario, SimulatedNight};

/// Runs without a word from the environment.
const RUNS: usize = 7;

fn main() {
    let runs = std::env::var("AUTOSSOS_BENCH_RUNS").ok().and_then(|n| n.parse().ok());
    let runs = runs.unwrap_or(RUNS).max(1);
    let folder = tempfile::tempdir().expect("a folder for the night");
    let night = SimulatedNight::new(&Scenario::demo(1));
    let files = write_night(&night, &folder.path().join("in")).expect("the night's files");
    let (mut cold_s, mut warm_s) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let data = folder.path().join(format!("data-{run}"));
        cold_s.push(timed_s(&files, &data));
        warm_s.push(timed_s(&files, &data));
    }
    let (cold, warm) = (median_and_range(&mut cold_s), median_and_range(&mut warm_s));
    println!("demo night, {} files of 512 x 512 px, {runs} runs", night.n_frames());
    println!("from nothing: {}", told(cold));
    println!("once more:    {}; {:.3} of the first", told(warm), warm.0 / cold.0);
}

/// Processes the night into a data folder; the wall time [s].
fn timed_s(files: &SimulatedFiles, data: &Path) -> f64 {
    let request = RunRequest {
        night_dir: files.raw.clone(),
        night: Some("bench".to_owned()),
        data_dir: data.to_owned(),
        reference: vec![files.reference.clone()],
        known: vec![files.known.clone()],
    };
    let start = Instant::now();
    run_night(&request, &Config::default(), &Silent).expect("the night is processed");
    start.elapsed().as_secs_f64()
}

/// Median, least and largest of the times.
fn median_and_range(times_s: &mut [f64]) -> (f64, f64, f64) {
    times_s.sort_by(f64::total_cmp);
    (times_s[times_s.len() / 2], times_s[0], times_s[times_s.len() - 1])
}

fn told((median_s, least_s, largest_s): (f64, f64, f64)) -> String {
    format!("median {median_s:.3} s ({least_s:.3} to {largest_s:.3})")
}
