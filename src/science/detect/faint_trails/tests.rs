//! Trails drawn into noise; the truth is known.

use super::*;
use crate::science::detect::psf_model::{Profile, Shape, Star};
use crate::science::detect::sources::Sources;
use crate::science::detect::{ExtractParams, extract};
use crate::science::image::mask::MaskBits;

const SIDE: usize = 256;
const SKY_E: f64 = 400.0;
const FWHM_PX: f64 = 2.5;
const BETA: f64 = 3.1;
/// Length of the trails [px].
const LENGTH_PX: f64 = 11.0;

/// Noise of a standard deviation of 20 and trails of `flux_e` at places, with angles.
fn frame(seed: u64, flux_e: f64, trails: &[((f64, f64), f64)]) -> Image<f32> {
    let mut state = seed;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let profile = Profile::new(BETA, 40.0);
    let star = Star::new(&profile, Shape::round(FWHM_PX, BETA));
    let mut image = Image::filled(SIDE, SIDE, 0.0_f32);
    for (i, value) in image.pixels_mut().iter_mut().enumerate() {
        let (x, y) = ((i % SIDE) as f64, (i / SIDE) as f64);
        let mut mean = SKY_E;
        for ((u, v), angle) in trails {
            if (x - u).hypot(y - v) < 20.0 {
                let (sin, cos) = angle.sin_cos();
                let points = (0..23).map(|k| LENGTH_PX * (f64::from(k) / 22.0 - 0.5));
                let light = points.map(|t| star.light(x - u - t * cos, y - v - t * sin).share);
                mean += flux_e * light.sum::<f64>() / 23.0;
            }
        }
        let gauss = (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
        *value = (mean + SKY_E.sqrt() * gauss) as f32;
    }
    image
}

fn sources(image: &Image<f32>) -> Sources {
    let variance = Image::filled(SIDE, SIDE, SKY_E as f32);
    let mask = Image::filled(SIDE, SIDE, MaskBits::GOOD);
    let params = ExtractParams { fwhm_start_px: FWHM_PX, ..ExtractParams::default() };
    extract(image, &variance, &mask, &params).expect("a sky").sources
}

/// Sources that are trails: place, length, angle.
fn trails_of(sources: &Sources) -> Vec<((f64, f64), f64, f64)> {
    (0..sources.len())
        .filter(|&i| sources.trail_length_px[i].is_finite())
        .map(|i| {
            let place = (sources.x_px[i], sources.y_px[i]);
            (place, sources.trail_length_px[i], sources.trail_angle_rad[i])
        })
        .collect()
}

#[test]
fn a_trail_below_the_threshold_is_found() {
    // For a Gaussian star of this seeing drawn along 11 px the sky's noise in the best weights is
    // 20 sqrt(sqrt(4 pi) sigma (11 + sqrt(4 pi) sigma)) = 20 sqrt(3.76 x 14.8) = 149: 1500 are 10
    // errors, 8 with a Moffat's wings; one seeing disc on the line has 1500 x 3.76 / 14.8 / 75 = 5,
    // less with wings.
    let truth: Vec<((f64, f64), f64)> = (0..16)
        .map(|k| {
            let (column, row) = (f64::from(k % 4), f64::from(k / 4));
            ((34.3 + 61.7 * column, 33.1 + 62.3 * row), -1.5 + 0.19 * f64::from(k))
        })
        .collect();
    let sources = sources(&frame(0x9E37_79B9_7F4A_7C15, 1500.0, &truth));
    let found = trails_of(&sources);
    let mut n = 0;
    for ((u, v), angle) in &truth {
        let Some((_, length, seen)) = found.iter().find(|((x, y), ..)| (x - u).hypot(y - v) < 2.5)
        else {
            continue;
        };
        n += 1;
        let turn = (seen - angle).rem_euclid(std::f64::consts::PI);
        let turn = turn.min(std::f64::consts::PI - turn);
        assert!((length - LENGTH_PX).abs() < 6.0 && turn < 0.4, "{length} {turn}");
    }
    assert!(n >= 13, "{n} of 16: {found:?}");
    assert!(found.len() <= n + 1, "{found:?}");
}

#[test]
fn noise_draws_no_trails() {
    let n_frames = if std::env::var_os("AUTOSSOS_SLOW").is_some() { 40 } else { 4 };
    let n: usize =
        (0..n_frames).map(|k| trails_of(&sources(&frame(77 + 13 * k, 0.0, &[]))).len()).sum();
    // Three accidents per million pixels before the fit: 0.2 a frame.
    assert!(n <= 2 + n_frames as usize / 4, "{n}");
}

#[test]
fn the_scatter_of_a_sum_is_that_of_its_pixels() {
    // Far apart, cells of one smooth disc each add like independent numbers of 4 pixels in unison.
    let far = sum_scatter(&[(0, 0), (50, 0)], 20.0, 2);
    let one = sum_scatter(&[(0, 0)], 20.0, 2);
    assert!((far / one - std::f64::consts::SQRT_2).abs() < 1e-3, "{far} {one}");
    // Four pixels a pixel apart, sigma 8.5: correlation exp(-1 / 289) and exp(-2 / 289).
    assert!((one - 4.0).abs() < 0.02, "{one}");
}

#[test]
fn the_threshold_is_the_gaussians() {
    // The tail of a Gaussian at 5 is 2.867e-7: three accidents in 10.46 million trials.
    let t = threshold(ALARMS_PER_MPX / 2.867e-7, 1e6);
    assert!((t - 5.0).abs() < 0.02, "{t}");
}
