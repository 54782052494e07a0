//! Drawn sources of known light are measured where they must be.

use super::*;
use crate::science::detect::psf_model::Shape;
use crate::science::image::Image;
use crate::science::image::mask::Mask;

const N: usize = 60;
const FWHM_PX: f64 = 3.0;
const SKY_RMS_E: f64 = 10.0;

struct Sky {
    signal: Image<f32>,
    variance: Image<f32>,
    mask: Mask,
    psf: PsfModel,
}

impl Sky {
    fn new() -> Self {
        Self {
            signal: Image::filled(N, N, 0.0),
            variance: Image::filled(N, N, (SKY_RMS_E * SKY_RMS_E) as f32),
            mask: Image::filled(N, N, MaskBits::GOOD),
            psf: PsfModel::uniform(Shape::round(FWHM_PX, 3.0), 3.0, (N, N)),
        }
    }

    /// Draws a line of 300 stars.
    fn draw(&mut self, middle: (f64, f64), half: (f64, f64), flux_e: f64) {
        let star = self.psf.star_at(middle.0, middle.1);
        let line = Line { star, half, n: 300, reach_px: 0.0 };
        for y in 0..N {
            for x in 0..N {
                let share = line.light(x as f64 - middle.0, y as f64 - middle.1).share;
                self.signal.row_mut(y)[x] += (flux_e * share) as f32;
            }
        }
    }

    /// Adds Gaussian noise of the sky, by Box and Muller from a small generator.
    fn shake(&mut self, seed: u64) {
        let mut state = seed;
        let mut even = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        for pixel in self.signal.pixels_mut() {
            let normal = (-2.0 * even().ln()).sqrt() * (std::f64::consts::TAU * even()).cos();
            *pixel += (SKY_RMS_E * normal) as f32;
        }
    }

    fn measure(&self, target: &Target, near: &[NearLight]) -> Option<Forced> {
        let scene = Scene { signal_e: &self.signal, variance_e2: &self.variance, mask: &self.mask };
        forced_light(scene, (&self.psf, SKY_RMS_E), target, near)
    }
}

fn target(place_px: (f64, f64), place_err_px: f64, half_line_px: (f64, f64)) -> Target {
    Target { place_px, place_err_px, half_line_px }
}

#[test]
fn a_drawn_out_source_keeps_its_light_and_a_star_fitted_to_it_does_not() {
    let mut sky = Sky::new();
    let half = (1.2, -0.9); // a line as long as the seeing
    sky.draw((30.2, 29.7), half, 5000.0);
    let line = sky.measure(&target((30.25, 29.65), 0.1, half), &[]).expect("inside");
    assert!((line.flux_e / 5000.0 - 1.0).abs() < 2e-3, "{line:?}");
    assert!((line.place_px.0 - 30.2).abs() < 0.02 && (line.place_px.1 - 29.7).abs() < 0.02);
    let star = sky.measure(&target((30.2, 29.7), 0.1, (0.0, 0.0)), &[]).expect("inside");
    assert!(star.flux_e < 0.96 * 5000.0, "{star:?}");
}

#[test]
fn a_neighbour_is_taken_off_with_its_error() {
    let mut sky = Sky::new();
    sky.draw((30.0, 30.0), (0.0, 0.0), 1500.0);
    sky.draw((33.0, 31.0), (0.0, 0.0), 4000.0);
    let near = NearLight { x_px: 33.0, y_px: 31.0, flux_e: 4000.0, flux_err_e: 200.0 };
    let place = target((30.0, 30.0), 0.0, (0.0, 0.0));
    let found = sky.measure(&place, &[near]).expect("inside");
    assert!((found.flux_e - 1500.0).abs() < 3.0, "{found:?}");
    assert!((found.near_err_e / found.near_e - 0.05).abs() < 1e-6 && found.near_e > 300.0);
    let alone = sky.measure(&place, &[]).expect("inside");
    // Weights that know of no neighbour take more of its light.
    assert!(alone.flux_e > 1500.0 + found.near_e, "{alone:?} {found:?}");
}

#[test]
fn forced_light_of_nothing_is_nothing_within_its_error() {
    // 200 empty skies: mean zero, pulls one; a free place would always find something.
    let (mut sum, mut squares) = (0.0, 0.0);
    for seed in 1..=200 {
        let mut sky = Sky::new();
        sky.shake(seed * 77_777);
        let found = sky.measure(&target((30.3, 29.8), 0.0, (0.5, 0.2)), &[]).expect("inside");
        let pull = found.flux_e / found.flux_err_e;
        sum += pull;
        squares += pull * pull;
    }
    let (mean, rms) = (sum / 200.0, (squares / 200.0).sqrt());
    assert!(mean.abs() < 3.0 / 200.0_f64.sqrt(), "{mean}");
    assert!((rms - 1.0).abs() < 0.15, "{rms}");
}

#[test]
fn sources_beyond_the_edge_or_on_bad_pixels_are_not_measured() {
    let mut sky = Sky::new();
    assert!(sky.measure(&target((-3.0, 10.0), 0.0, (0.0, 0.0)), &[]).is_none());
    for y in 28..33 {
        sky.mask.row_mut(y)[28..33].fill(MaskBits::BAD);
    }
    assert!(sky.measure(&target((30.0, 30.0), 0.0, (0.0, 0.0)), &[]).is_none());
}
