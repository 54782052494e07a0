//! Plate solutions of made-up star lists: `cargo bench --bench solve`.
//!
//! The frame is 0.8 deg wide and shows 2,000 sources, a fifth of them spurious; the catalogue is
//! 1 mag deeper and covers five frames by five. Times are of the processor, on one thread, and wall
//! clock on all.

mod random;

use std::path::Path;
use std::time::Instant;

use autossos::science::astrometry::{
    FrameSize, Hint, ImageStar, NoSolution, Solution, SolveParams, StarField, solve,
};
use autossos::science::reference::MemoryCatalogue;
use autossos::science::reference::star::ReferenceStar;
use autossos::science::sky::tan::TangentPlane;
use autossos::science::units::{ARCSEC_RAD, DEG_RAD};
use random::Random;

/// Columns and rows [px].
const SIZE: FrameSize = FrameSize { nx: 2048, ny: 2048 };
/// Scale [arcsec/px].
const SCALE_ARCSEC: f64 = 1.4;
/// Where the frame points (RA, Dec) [rad].
const CENTRE_RAD: (f64, f64) = (2.0, 0.3);
/// Catalogue stars that the frame shows, and spurious sources.
const SHOWN: usize = 1600;
const SPURIOUS: usize = 400;
/// Catalogue stars per frame.
const PER_FRAME: usize = 3200;
/// Width of the catalogue in frames.
const SKY_WIDTH: f64 = 5.0;
/// Solutions per figure.
const RUNS: usize = 15;

fn main() {
    if let Some(folder) = std::env::var_os("AUTOSSOS_BENCH_LISTS") {
        given(folder.as_ref());
        return;
    }
    let (sky, stars) = field(&mut Random(0x9e37_79b9));
    let (_, foreign) = field(&mut Random(0x1234_5678));
    let hint = Hint {
        pointing_rad: Some((CENTRE_RAD.0 + 0.05 * DEG_RAD, CENTRE_RAD.1)),
        pointing_err_rad: 0.2 * DEG_RAD,
        scale_arcsec: Some(1.01 * SCALE_ARCSEC),
        scale_range: 0.25,
    };
    let wide = Hint { scale_arcsec: Some(1.8 * SCALE_ARCSEC), scale_range: 1.0, ..hint };
    let began = Instant::now();
    let Ok(alone) = rayon::ThreadPoolBuilder::new().num_threads(1).build() else { return };
    println!("{} sources, {} catalogue stars, {RUNS} runs", stars.len(), sky.stars().len());
    for (name, stars, hint) in [
        ("hinted", &stars, &hint),
        ("scale 80 % off", &stars, &wide),
        ("of another field", &foreign, &hint),
    ] {
        let (cpu_s, _) = alone.install(|| median_s(&sky, stars, hint, thread_seconds));
        let (median_s, found) = median_s(&sky, stars, hint, || began.elapsed().as_secs_f64());
        let told = match found {
            Ok(s) => format!("{} pairs, order {}", s.n_used, s.order),
            Err(why) => why.to_string(),
        };
        println!(
            "{name}: median {:.1} ms CPU, {:.1} ms wall ({told})",
            1e3 * cpu_s,
            1e3 * median_s
        );
    }
}

/// Wall time of each frame of `peers/solving.py` [s], a line each; NaN where it is not solved.
///
/// * `folder`: `reference.txt` has RA, Dec [deg], error [mas] and G of a star per line;
///   `frames.txt` the list's name, columns, rows, RA, Dec [deg] and scale [arcsec/px] of a frame;
///   a list has column, row [px from 1], light and error [px] of a source.
fn given(folder: &Path) {
    let rows = |name: &str| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(folder.join(name)).expect("a list");
        text.lines().map(|l| l.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let number = |word: &String| word.parse::<f64>().expect("a number");
    let stars = rows("reference.txt").into_iter().enumerate().map(|(i, row)| {
        let [ra_deg, dec_deg, err_mas, mag] = [0, 1, 2, 3].map(|k| number(&row[k]));
        ReferenceStar {
            ra_err_mas: Some(err_mas),
            dec_err_mas: Some(err_mas),
            ..reference(i as i64, (ra_deg * DEG_RAD, dec_deg * DEG_RAD), mag)
        }
    });
    let sky = MemoryCatalogue::new(stars.collect());
    for frame in rows("frames.txt") {
        let [nx, ny, ra_deg, dec_deg, scale] = [1, 2, 3, 4, 5].map(|k| number(&frame[k]));
        let source = |row: Vec<String>| {
            let [x, y, flux, position_err_px] = [0, 1, 2, 3].map(|k| number(&row[k]));
            ImageStar { x_px: x - 1.0, y_px: y - 1.0, flux, position_err_px }
        };
        let stars: Vec<ImageStar> = rows(&frame[0]).into_iter().map(source).collect();
        let size = FrameSize { nx: nx as usize, ny: ny as usize };
        let hint = Hint {
            pointing_rad: Some((ra_deg * DEG_RAD, dec_deg * DEG_RAD)),
            pointing_err_rad: 0.5 * DEG_RAD,
            scale_arcsec: Some(scale),
            scale_range: 0.25,
        };
        let field = StarField { stars: &stars, size, epoch_yr: 2024.3, fwhm_px: Some(3.0) };
        let start = Instant::now();
        let found = solve(&field, &hint, &sky, &SolveParams::default());
        println!("{:.5}", found.map_or(f64::NAN, |_| start.elapsed().as_secs_f64()));
    }
}

/// A catalogue and the sources of a frame, brightest first.
fn field(random: &mut Random) -> (MemoryCatalogue, Vec<ImageStar>) {
    let plane = TangentPlane::at(CENTRE_RAD);
    let side_rad = SIZE.nx as f64 * SCALE_ARCSEC * ARCSEC_RAD;
    let n = (PER_FRAME as f64 * SKY_WIDTH * SKY_WIDTH) as i64;
    let mut catalogue = Vec::new();
    let mut stars = Vec::new();
    for source_id in 0..n {
        let xi = SKY_WIDTH * side_rad * (random.uniform() - 0.5);
        let eta = SKY_WIDTH * side_rad * (random.uniform() - 0.5);
        let (ra_rad, dec_rad) = plane.deproject(xi, eta);
        let mag = 21.0 + random.uniform().max(1e-9).log10() / 0.3;
        catalogue.push(reference(source_id, (ra_rad, dec_rad), mag));
        let scale_rad = SCALE_ARCSEC * ARCSEC_RAD;
        let (x, y) = (1023.5 - xi / scale_rad, 1023.5 + eta / scale_rad);
        if SIZE.holds(x, y) && mag < 20.0 {
            stars.push(source(random, (x, y), mag));
        }
    }
    stars.truncate(SHOWN);
    for _ in 0..SPURIOUS {
        let at = (random.uniform() * 2047.0, random.uniform() * 2047.0);
        let mag = 20.0 + random.uniform().max(1e-9).log10() / 0.3;
        stars.push(source(random, at, mag));
    }
    stars.sort_by(|a, b| b.flux.total_cmp(&a.flux));
    (MemoryCatalogue::new(catalogue), stars)
}

fn source(random: &mut Random, (x, y): (f64, f64), mag: f64) -> ImageStar {
    // A sum of uniform numbers is nearly normal: 0.2 px.
    let mut noise = || 0.2 * random.normal();
    let (x_px, y_px) = (x + noise(), y + noise());
    let flux = 10.0_f64.powf(-0.4 * (mag + noise() - 25.0));
    ImageStar { x_px, y_px, flux, position_err_px: 0.2 }
}

fn reference(source_id: i64, (ra_rad, dec_rad): (f64, f64), mag: f64) -> ReferenceStar {
    ReferenceStar {
        ra_err_mas: Some(0.2),
        pm_ra_mas_per_yr: Some(0.0),
        pm_dec_mas_per_yr: Some(0.0),
        g_mag: Some(mag),
        ..ReferenceStar::at(source_id, (ra_rad, dec_rad), 2016.0)
    }
}

/// Time that this thread was given so far [s]; what other programs do is not counted.
fn thread_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).map_or(0.0, |ns| 1e-9 * ns)
}

/// Median time of a solution [s] by a clock, and the last one.
fn median_s(
    sky: &MemoryCatalogue,
    stars: &[ImageStar],
    hint: &Hint,
    clock_s: impl Fn() -> f64,
) -> (f64, Result<Solution, NoSolution>) {
    let field = StarField { stars, size: SIZE, epoch_yr: 2024.0, fwhm_px: Some(2.5) };
    let once = || solve(&field, hint, sky, &SolveParams::default());
    let mut times_s: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = clock_s();
            let found = std::hint::black_box(once());
            let seconds = clock_s() - start;
            drop(found);
            seconds
        })
        .collect();
    times_s.sort_by(f64::total_cmp);
    (times_s[RUNS / 2], once())
}
