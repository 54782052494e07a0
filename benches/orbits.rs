//! Known objects of a night from stored orbits: `cargo bench --profile fast --bench orbits`.
//!
//! Copies the orbits of ../shared/data/orbits/mpcorb_sample.dat with other mean anomalies and nodes
//! to 150,000 (1.5 million with `AUTOSSOS_SLOW=1`); every fiftieth becomes one that crosses the
//! Earth's orbit. Two threads. Tells the time of the import, of the first night 400 days after the
//! epoch, of the next night and of one 64 days later, of single frames, and how far the night's
//! places are from the direct integration.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use autossos::formats::designation::Designation;
use autossos::ops::orbits::{EphemerisTimes, OrbitNight, PredictedPlace, ephemeris, import};
use autossos::science::orbit::known::KnownParams;
use autossos::science::orbit::observer::Observer;
use autossos::science::sky::vector::separation_rad;
use autossos::science::time::Epoch;
use autossos::science::units::{ARCSEC_RAD, DEG_RAD};

/// Two cores, as the bar has it.
const THREADS: usize = 2;
/// Days from the epoch to the first night.
const FIRST_NIGHT_D: f64 = 400.0;
/// Epoch of the sample: K2289 [MJD].
const EPOCH_MJD: f64 = 59_800.0;
/// Half diagonal of a frame [deg].
const FRAME_DEG: f64 = 1.0;
/// Places compared with the direct integration.
const COMPARED: usize = 20;

fn go(_: usize, _: Option<usize>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn main() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/orbits");
    let Ok(sample) = std::fs::read_to_string(sample.join("mpcorb_sample.dat")) else {
        println!("skipped: no ../shared/data/orbits/mpcorb_sample.dat");
        return;
    };
    let is_slow = std::env::var_os("AUTOSSOS_SLOW").is_some();
    let count = if is_slow { 1_500_000 } else { 150_000 };
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global().expect("threads");
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let file = data.join("MPCORB.DAT");
    write_copies(&sample, count, &file);
    let begin = Instant::now();
    let imported = import(data, &file, &go).expect("imported");
    println!("{} orbits imported in {:.1} s", imported.n_orbits, begin.elapsed().as_secs_f64());
    println!("peak memory so far {} MiB", peak_mib());
    let first_mjd = EPOCH_MJD + FIRST_NIGHT_D;
    let first = night(data, first_mjd, "first integration over 400 d, and its night");
    drop(night(data, first_mjd + 1.0, "the next night"));
    drop(night(data, first_mjd + 64.0, "a night 64 d later"));
    frames(&first, first_mjd);
    compare(data, &first, first_mjd);
    println!("peak memory {} MiB", peak_mib());
}

fn night(data: &Path, mjd: f64, words: &str) -> OrbitNight {
    let (begin, cpu_s) = (Instant::now(), cpu_s());
    let span = (Epoch::from_mjd_utc(mjd), Epoch::from_mjd_utc(mjd + 0.4));
    let night = OrbitNight::open(data, span, KnownParams::default(), &go);
    let night = night.expect("computed").expect("orbits");
    let (all, apart) = night.counts();
    assert!(all > 100_000, "only {all} objects are left");
    let (seconds, cpu_s) = (begin.elapsed().as_secs_f64(), self::cpu_s() - cpu_s);
    println!(
        "{words}: {seconds:.1} s, CPU {cpu_s:.1} s of {THREADS} threads, {:.1} us each; {apart} of \
         {all} are looked through each time",
        cpu_s * 1e6 / all as f64
    );
    night
}

fn objects(night: &OrbitNight, mjd: f64, longitude_deg: f64) -> Vec<PredictedPlace> {
    let (sine, cosine) = (longitude_deg * DEG_RAD).sin_cos();
    let obliquity = 23.44 * DEG_RAD;
    let centre = ((sine * obliquity.cos()).atan2(cosine), (sine * obliquity.sin()).asin());
    let observer = Observer::at_place(35.1, -111.5, 2200.0);
    let at = Epoch::from_mjd_utc(mjd + 0.3);
    night.objects_in(centre, FRAME_DEG * DEG_RAD, at, &observer).expect("in the night")
}

fn frames(night: &OrbitNight, mjd: f64) {
    let mut seconds = Vec::new();
    let mut most = 0;
    for k in 0..36 {
        let begin = Instant::now();
        most = most.max(objects(night, mjd, 10.0 * f64::from(k)).len());
        seconds.push(begin.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    println!(
        "frame on the ecliptic: median {:.1} ms, worst {:.1} ms, up to {most} objects",
        seconds[seconds.len() / 2] * 1e3,
        seconds[seconds.len() - 1] * 1e3
    );
}

fn compare(data: &Path, night: &OrbitNight, mjd: f64) {
    let found = objects(night, mjd, 120.0);
    let observer = Observer::at_place(35.1, -111.5, 2200.0);
    let times = EphemerisTimes { start: Epoch::from_mjd_utc(mjd + 0.3), step_d: 1.0, count: 1 };
    let mut worst: f64 = 0.0;
    for place in found.iter().step_by((found.len() / COMPARED).max(1)) {
        let (_, rows) = ephemeris(data, &place.designation, &times, &observer).expect("a place");
        let seen = &rows[0].seen;
        let here = (place.seen.ra_rad, place.seen.dec_rad);
        worst = worst.max(separation_rad((seen.ra_rad, seen.dec_rad), here) / ARCSEC_RAD);
    }
    println!("places are within {worst:.5} arcsec of the direct integration");
}

/// Writes copies of the sample's lines with changed numbers, anomalies, nodes, and some orbits.
fn write_copies(sample: &str, count: usize, path: &Path) {
    let lines: Vec<&str> = sample.lines().filter(|line| line.len() > 103).collect();
    let mut text = String::new();
    for k in 0..count {
        let line = lines[k % lines.len()];
        let copy = (k / lines.len()) as f64;
        let part = |from: usize, to: usize| line.get(from..to).unwrap_or_default();
        let number = |from: usize, to: usize| part(from, to).trim().parse().unwrap_or(0.0);
        let turned = |value: f64, step: f64| (value + copy * step) % 360.0;
        let designation = Designation::Number(k as u32 + 1).columns();
        let (mut e, mut a): (f64, f64) = (number(70, 79), number(92, 103));
        if k % 50 == 49 {
            (e, a) = (0.45 + 0.1 * (copy * 0.618).fract(), 1.0 + (copy * 0.755).fract());
        }
        writeln!(
            text,
            "{:<7}{}{:9.5}{}{:10.5}{}{e:9.7}{}{a:11.7}{}",
            designation.trim(),
            part(7, 26),
            turned(number(26, 35), 0.917_3),
            part(35, 47),
            turned(number(47, 57), 0.371_9),
            part(57, 70),
            part(79, 92),
            part(103, line.len()),
        )
        .expect("memory");
    }
    // The bench's own file.
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .expect("written");
}

/// CPU time of this process [s]; the kernel counts in hundredths.
fn cpu_s() -> f64 {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = told.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // Fields 14 and 15; two before them, the name and the state, are no numbers.
    fields.get(11..13).map_or(0.0, |ticks| (ticks[0] + ticks[1]) / 100.0)
}

/// Peak memory of this process [MiB].
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}
