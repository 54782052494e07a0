//! Made fields for every case the solver must stand.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::*;
use crate::science::reference::star::ReferenceStar;
use crate::science::reference::tiles::MemoryCatalogue;
use crate::science::sky::polynomial::Polynomial;
use crate::science::sky::sip::{PixelRange, Sip};
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::separation_rad;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// A small generator (xorshift64*, Vigna 2016), so that each test makes its own field.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..10 {
            random.uniform();
        }
        random
    }

    pub(super) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A camera of 1024 px with 0.9 px of radial distortion in the corners.
pub(super) fn camera(centre: (f64, f64), scale_arcsec: f64, turn_rad: f64, parity: f64) -> Wcs {
    let scale = scale_arcsec * ARCSEC_RAD;
    let (s, c) = turn_rad.sin_cos();
    let k3 = 2.4e-9;
    let a = Polynomial::from_terms(3, |i, j| match (i, j) {
        (3, 0) | (1, 2) => k3,
        (2, 0) => 4e-7,
        _ => 0.0,
    });
    let b = Polynomial::from_terms(3, |i, j| match (i, j) {
        (0, 3) | (2, 1) => k3,
        (0, 2) => -2e-7,
        _ => 0.0,
    });
    let range = PixelRange { u_px: (-520.0, 520.0), v_px: (-520.0, 520.0) };
    Wcs {
        crval_rad: centre,
        crpix_px: (520.0, 505.0),
        cd_rad_per_px: [[-parity * scale * c, scale * s], [parity * scale * s, scale * c]],
        sip: Some(Sip::new(a, b, range)),
    }
}

const SIZE: FrameSize = FrameSize { nx: 1024, ny: 1024 };

/// A made sky and a frame of it.
struct Field {
    truth: Wcs,
    catalogue: Vec<ReferenceStar>,
    stars: Vec<ImageStar>,
    random: Random,
}

/// What a made field is like.
#[derive(Clone, Copy)]
struct Sketch {
    seed: u64,
    centre: (f64, f64),
    scale_arcsec: f64,
    turn_rad: f64,
    parity: f64,
    /// Catalogue stars per frame.
    n_frame: usize,
    /// Side of the catalogue's square, in frames.
    side: f64,
}

const PLAIN: Sketch = Sketch {
    seed: 1,
    centre: (1.3, 0.4),
    scale_arcsec: 1.7,
    turn_rad: 0.7,
    parity: 1.0,
    n_frame: 200,
    side: 2.0,
};

impl Field {
    /// Stars at random places and magnitudes; the frame shows all of its own, 0.15 px noise.
    fn new(sketch: Sketch) -> Self {
        let mut random = Random::new(sketch.seed);
        let truth = camera(sketch.centre, sketch.scale_arcsec, sketch.turn_rad, sketch.parity);
        let plane = TangentPlane::at(truth.to_sky(511.5, 511.5));
        let side_rad = sketch.side * 1024.0 * sketch.scale_arcsec * ARCSEC_RAD;
        let n = (sketch.n_frame as f64 * sketch.side * sketch.side) as usize;
        let catalogue: Vec<ReferenceStar> = (0..n)
            .map(|i| {
                let xi = side_rad * (random.uniform() - 0.5);
                let eta = side_rad * (random.uniform() - 0.5);
                let (ra_rad, dec_rad) = plane.deproject(xi, eta);
                // Counts rise by 0.3 dex per magnitude.
                let g_mag = 20.0 + random.uniform().max(1e-6).log10() / 0.3;
                reference(i as i64, (ra_rad, dec_rad), g_mag)
            })
            .collect();
        let mut field = Self { truth, catalogue, stars: Vec::new(), random };
        for i in 0..field.catalogue.len() {
            let star = field.catalogue[i];
            let pixel = field.truth.to_pixel(star.ra_rad, star.dec_rad);
            if let Some((x, y)) = pixel.filter(|p| SIZE.holds(p.0, p.1)) {
                let flux = 10.0_f64.powf(-0.4 * (star.g_mag.unwrap() - 25.0));
                field.see((x, y), flux, 0.15);
            }
        }
        field.sort();
        field
    }

    fn see(&mut self, (x, y): (f64, f64), flux: f64, noise_px: f64) {
        let flux = flux * 10.0_f64.powf(0.08 * self.random.normal());
        self.stars.push(ImageStar {
            x_px: x + noise_px * self.random.normal(),
            y_px: y + noise_px * self.random.normal(),
            flux,
            position_err_px: noise_px,
        });
    }

    fn see_spurious(&mut self, n: usize) {
        for _ in 0..n {
            let at = (self.random.uniform() * 1023.0, self.random.uniform() * 1023.0);
            let like = (self.random.uniform() * self.stars.len() as f64) as usize;
            let flux = self.stars.get(like).map_or(1.0, |s| s.flux);
            self.see(at, flux, 0.0);
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.stars.sort_by(|a, b| b.flux.total_cmp(&a.flux));
        self.stars.retain(|s| SIZE.holds(s.x_px, s.y_px));
    }

    fn hint(&self) -> Hint {
        Hint {
            pointing_rad: Some(self.truth.to_sky(540.0, 530.0)),
            pointing_err_rad: 3.0 * 60.0 * ARCSEC_RAD,
            scale_arcsec: Some(self.truth.pixel_scale_arcsec() * 1.005),
            scale_range: 0.25,
        }
    }

    fn solve(&self, hint: &Hint) -> Result<Solution, NoSolution> {
        self.solve_within(hint, &SolveParams::default())
    }

    fn solve_within(&self, hint: &Hint, params: &SolveParams) -> Result<Solution, NoSolution> {
        let sky = MemoryCatalogue::new(self.catalogue.clone());
        let field = StarField { stars: &self.stars, size: SIZE, epoch_yr: 2024.0, fwhm_px: None };
        solve(&field, hint, &sky, params)
    }

    /// Solves and checks the root mean square error over the frame; corners may have 4 times it.
    fn check(&self, hint: &Hint, limit_px: f64) -> Solution {
        let solution = self.solve(hint).unwrap();
        let (rms, worst) = errors_px(&solution.wcs, &self.truth);
        let told = format!("rms {rms} px, worst {worst} px with {} pairs", solution.n_used);
        assert!(rms < limit_px && worst < 4.0 * limit_px, "{told}");
        solution
    }
}

pub(super) fn reference(
    source_id: i64,
    (ra_rad, dec_rad): (f64, f64),
    g_mag: f64,
) -> ReferenceStar {
    ReferenceStar {
        ra_err_mas: Some(0.2),
        pm_ra_mas_per_yr: Some(0.0),
        pm_dec_mas_per_yr: Some(0.0),
        g_mag: Some(g_mag),
        ..ReferenceStar::at(source_id, (ra_rad, dec_rad), 2016.0)
    }
}

fn errors_px(found: &Wcs, truth: &Wcs) -> (f64, f64) {
    let scale = truth.pixel_scale_arcsec() * ARCSEC_RAD;
    let grid = (0..121).map(|k| (f64::from(k % 11) * 102.3, f64::from(k / 11) * 102.3));
    let errors: Vec<f64> =
        grid.map(|(x, y)| separation_rad(found.to_sky(x, y), truth.to_sky(x, y)) / scale).collect();
    let sum: f64 = errors.iter().map(|e| e * e).sum();
    ((sum / errors.len() as f64).sqrt(), errors.into_iter().fold(0.0, f64::max))
}

#[test]
fn any_turn_parity_and_place_on_the_sky() {
    let centres = [(0.0003, 0.1), (6.2829, -0.7), (2.0, 89.0 * DEG_RAD), (4.0, -89.9 * DEG_RAD)];
    for (k, centre) in centres.into_iter().enumerate() {
        for parity in [1.0, -1.0] {
            let seed = 10 + k as u64;
            let turn_rad = 1.6 * k as f64 + 0.2;
            let field = Field::new(Sketch { seed, centre, parity, turn_rad, ..PLAIN });
            let solution = field.check(&field.hint(), 0.08);
            assert!(solution.n_used > 100 && solution.order == 3);
            assert_eq!(solution.wcs.is_mirrored(), parity < 0.0);
            // 0.15 px of 1.7 arcsec.
            assert!((solution.rms_arcsec / 0.255 - 1.0).abs() < 0.15);
            assert!(solution.held_out_rms_arcsec.unwrap() < 1.3 * solution.rms_arcsec);
        }
    }
}

#[test]
fn fields_from_nine_arcminutes_to_five_degrees() {
    for (seed, scale_arcsec) in [(20, 0.52), (21, 3.0), (22, 17.5)] {
        let field = Field::new(Sketch { seed, scale_arcsec, n_frame: 60, ..PLAIN });
        field.check(&field.hint(), 0.2);
    }
}

#[test]
fn eight_stars_are_enough() {
    for seed in 30..40 {
        let mut field = Field::new(Sketch { seed, n_frame: 60, ..PLAIN });
        field.stars.truncate(8);
        let solution = field.check(&field.hint(), 1.2);
        assert!(solution.n_used >= 7 && solution.order <= 1);
    }
}

#[test]
fn five_stars_are_too_few() {
    let mut field = Field::new(PLAIN);
    field.stars.truncate(5);
    assert!(matches!(
        field.solve(&field.hint()),
        Err(NoSolution::TooFewStars { found: 5, needed: 6 })
    ));
    field.stars.clear();
    assert!(matches!(field.solve(&field.hint()), Err(NoSolution::TooFewStars { found: 0, .. })));
}

#[test]
fn crowd_half_of_it_spurious() {
    let mut field = Field::new(Sketch { seed: 41, n_frame: 10_000, side: 1.2, ..PLAIN });
    field.see_spurious(10_000);
    assert!(field.stars.len() > 19_000);
    field.check(&field.hint(), 0.03);
}

#[test]
fn sparse_catalogue_of_a_rich_frame() {
    for seed in 50..55 {
        let mut field = Field::new(Sketch { seed, n_frame: 300, side: 1.0, ..PLAIN });
        // 19 catalogue stars among the 150 brightest; the turned frame shows some 16 of them.
        field.catalogue.sort_by(|a, b| a.g_mag.unwrap().total_cmp(&b.g_mag.unwrap()));
        let every_eighth = field.catalogue.iter().step_by(8).take(19).copied().collect();
        field.catalogue = every_eighth;
        let solution = field.check(&field.hint(), 0.8);
        assert!(solution.n_used >= 10, "{}", solution.n_used);
    }
}

#[test]
fn saturated_stars_missing_on_either_side() {
    let mut field = Field::new(Sketch { seed: 60, ..PLAIN });
    field.stars.drain(..15);
    field.check(&field.hint(), 0.1);
    let mut field = Field::new(Sketch { seed: 61, ..PLAIN });
    field.catalogue.retain(|s| s.g_mag.unwrap() > 16.5);
    field.check(&field.hint(), 0.1);
}

#[test]
fn satellite_trail_in_pieces() {
    let mut field = Field::new(Sketch { seed: 62, n_frame: 800, ..PLAIN });
    for k in 0..40 {
        let t = f64::from(k) * 25.0;
        field.see((t, 100.0 + 0.8 * t), 1e12, 0.5);
    }
    field.sort();
    field.check(&field.hint(), 0.2);
}

#[test]
fn trailed_stars_have_poor_places() {
    let mut field = Field::new(Sketch { seed: 63, ..PLAIN });
    for star in &mut field.stars {
        star.x_px += 1.2 * field.random.normal();
        star.y_px += 0.4 * field.random.normal();
        star.position_err_px = 1.0;
    }
    field.check(&field.hint(), 0.6);
}

#[test]
fn scale_wrong_by_a_fifth_or_missing() {
    let field = Field::new(Sketch { seed: 64, ..PLAIN });
    // The last as of a header that forgot a binning of 3.
    for factor in [0.87, 1.2, 0.3] {
        let scale_arcsec = Some(1.7 * factor);
        field.check(&Hint { scale_arcsec, ..field.hint() }, 0.08);
    }
    field.check(&Hint { scale_arcsec: None, ..field.hint() }, 0.08);
    for scale_arcsec in [0.2, 25.0] {
        let field = Field::new(Sketch { seed: 65, scale_arcsec, n_frame: 80, ..PLAIN });
        field.check(&Hint { scale_arcsec: None, ..field.hint() }, 0.2);
    }
}

#[test]
fn pointing_wrong_by_tens_of_degrees_or_missing() {
    let field = Field::new(Sketch { seed: 66, scale_arcsec: 0.6, side: 5.0, ..PLAIN });
    let hint = field.hint();
    for pointing_rad in [Some((2.6, 0.9)), Some((1.31, 0.41)), None] {
        field.check(&Hint { pointing_rad, ..hint }, 0.08);
    }
}

#[test]
fn random_stars_never_match() {
    let field = Field::new(Sketch { seed: 70, ..PLAIN });
    for seed in 0..20 {
        let mut random = Field::new(Sketch { seed: 100 + seed, ..PLAIN });
        random.catalogue.clone_from(&field.catalogue);
        let n = [12, 40, 200, 600][seed as usize % 4];
        random.stars.truncate(n);
        let params = SolveParams { hypotheses_max: 400_000, ..SolveParams::default() };
        let refusal = random.solve_within(&random.hint(), &params);
        assert!(matches!(refusal, Err(NoSolution::NoMatch { .. })), "{refusal:?}");
    }
}

#[test]
fn strange_input_is_refused() {
    let mut field = Field::new(PLAIN);
    let hint = field.hint();
    for star in &mut field.stars {
        star.x_px = f64::NAN;
    }
    assert!(field.solve(&hint).is_err());
    for star in &mut field.stars {
        (star.x_px, star.y_px) = (5.0, 5.0);
    }
    assert!(field.solve(&hint).is_err());
    let mut field = Field::new(PLAIN);
    let strange = Hint {
        pointing_rad: Some((f64::NAN, 9.0)),
        pointing_err_rad: f64::INFINITY,
        scale_arcsec: Some(1.7),
        scale_range: f64::NAN,
    };
    field.check(&strange, 0.08);
    field.catalogue.clear();
    assert!(matches!(field.solve(&hint), Err(NoSolution::NoReference { .. })));
}
