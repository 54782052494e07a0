//! Stamps of a star with and without a mover in front of it; the truth is known.

use super::*;
use crate::science::detect::psf_model::{Profile, Shape};

const SIDE: usize = 25;
pub(in crate::science::movers) const SKY_E: f64 = 400.0;
const STAR_E: f64 = 50_000.0;
const BETA: f64 = 3.1;

/// Pseudo-random numbers: xorshift, and a Gaussian by Box and Muller.
pub(in crate::science::movers) struct Noise(pub(in crate::science::movers) u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(in crate::science::movers) fn gauss(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A stamp of a star in the middle, and of a mover of `mover_e` at a place.
pub(in crate::science::movers) fn stamp(
    noise: &mut Noise,
    fwhm_px: f64,
    (mover_e, place): (f64, (f64, f64)),
) -> Image<f32> {
    let profile = Profile::new(BETA, 40.0);
    let star = Star::new(&profile, Shape::round(fwhm_px, BETA));
    // Transparency, registration and seeing differ from frame to frame.
    let (dx, dy) = (0.03 * noise.gauss(), 0.03 * noise.gauss());
    let scale = 1.0 + 0.01 * noise.gauss();
    let pixels = (0..SIDE * SIDE)
        .map(|i| {
            let (x, y) = ((i % SIDE) as f64, (i / SIDE) as f64);
            let light = scale * STAR_E * star.light(x - 12.2 - dx, y - 11.9 - dy).share
                + mover_e * star.light(x - place.0, y - place.1).share;
            let mean = SKY_E + light;
            (mean + mean.sqrt() * noise.gauss()) as f32
        })
        .collect();
    Image::from_pixels(SIDE, SIDE, pixels).expect("square")
}

pub(in crate::science::movers) fn without_sky(mut stamp: Image<f32>) -> Image<f32> {
    stamp.pixels_mut().iter_mut().for_each(|v| *v -= SKY_E as f32);
    stamp
}

/// Measures a mover at `place`, looked for at a place that is off by a quarter pixel.
fn measured(noise: &mut Noise, mover_e: f64, place: (f64, f64)) -> Option<HiddenLight> {
    let stamps: Vec<Image<f32>> = (0..6)
        .map(|k| {
            let fwhm_px = 3.0 + 0.02 * f64::from(k - 3);
            without_sky(stamp(noise, fwhm_px, (0.0, place)))
        })
        .collect();
    let still = StillSky::median(&stamps)?;
    let image = stamp(noise, 3.03, (mover_e, place));
    let profile = Profile::new(BETA, 40.0);
    let mover = HiddenMover {
        star: Star::new(&profile, Shape::round(3.0, BETA)),
        start_px: (place.0 + 0.2, place.1 - 0.15),
        start_err_px: 0.25,
        light_e: 4000.0,
        trail_px: (0.0, 0.0),
        reach_px: 3.0,
        core_px: 4.0,
    };
    let mismatch = Mismatch { scale_share: 0.05, width_px2: 0.2, shift_px: 0.1 };
    measure_hidden((&image, SKY_E), &still, &mover, &mismatch)
}

#[test]
fn a_mover_on_a_star_is_measured() {
    const MOVER_E: f64 = 4000.0;
    let place = (14.6, 12.8);
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let (mut flux_pulls, mut place_pulls, mut n) = (Vec::new(), Vec::new(), 0);
    for _ in 0..60 {
        let Some(found) = measured(&mut noise, MOVER_E, place) else { continue };
        n += usize::from(found.flux_e >= 4.0 * found.flux_err_e);
        flux_pulls.push((found.flux_e - MOVER_E) / found.flux_err_e);
        place_pulls.push((found.x_px - place.0) / found.place_err_px);
        place_pulls.push((found.y_px - place.1) / found.place_err_px);
    }
    // Its light is 6.8 errors on average: 4 or more in 99.7 %.
    assert!(n >= 55, "{n}");
    // Root mean squares of 55 and 110 pulls of unit width: 1 +- 0.1 and 0.07; the errors may be
    // a third too large, as differences of seeing that are not there were allowed for.
    let rms = |p: &[f64]| (p.iter().map(|v| v * v).sum::<f64>() / p.len() as f64).sqrt();
    let (flux, place) = (rms(&flux_pulls), rms(&place_pulls));
    assert!((0.5..1.4).contains(&flux), "{flux}");
    assert!((0.5..1.4).contains(&place), "{place}");
}

#[test]
fn a_star_alone_hides_nothing() {
    let n = if std::env::var_os("AUTOSSOS_SLOW").is_some() { 5000 } else { 200 };
    let mut noise = Noise(0xD1B5_4A32_D192_ED03);
    let mut n_found = 0;
    for k in 0..n {
        let angle = 0.7 * f64::from(k);
        let radius = 1.0 + 4.0 * noise.uniform();
        let place = (12.0 + radius * angle.cos(), 12.0 + radius * angle.sin());
        let found = measured(&mut noise, 0.0, place);
        n_found += u32::from(found.is_some_and(|f| f.flux_e >= 4.0 * f.flux_err_e));
    }
    assert!(n_found <= n as u32 / 1000 + 1, "{n_found} of {n}");
}

#[test]
fn too_few_frames_make_no_static_sky() {
    let mut noise = Noise(3);
    let two: Vec<Image<f32>> = (0..2).map(|_| stamp(&mut noise, 3.0, (0.0, (0.0, 0.0)))).collect();
    assert!(StillSky::median(&two).is_none());
    let three = vec![two[0].clone(), two[1].clone(), Image::filled(3, 3, 0.0)];
    assert!(StillSky::median(&three).is_none());
}

#[test]
fn the_median_leaves_out_a_flash() {
    let mut stamps: Vec<Image<f32>> = (0..5).map(|_| Image::filled(4, 4, 7.0)).collect();
    stamps[2].row_mut(1)[2] = 900.0;
    stamps[4].row_mut(3)[3] = f32::NAN;
    let still = StillSky::median(&stamps).expect("five stamps");
    assert!(still.light_e.pixels().iter().all(|v| (*v - 7.0).abs() < 1e-6));
    assert!(still.scatter_e2.pixels().iter().all(|v| v.abs() < 1e-6));
}

#[test]
fn the_inverse_gives_the_unit_matrix() {
    let mut m = [[0.0; N]; N];
    for (i, row) in m.iter_mut().enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            let size = 10_f64.powf(0.5 * (i + j) as f64);
            *value = size * if i == j { 3.0 } else { 1.0 / (1.0 + i.abs_diff(j) as f64) };
        }
    }
    let inverse = inverse(&m).expect("regular");
    for (i, row) in m.iter().enumerate() {
        for j in 0..N {
            let product: f64 = row.iter().zip(&inverse).map(|(v, w)| v * w[j]).sum();
            let scale = 10_f64.powf(0.5 * (i as f64 - j as f64)).max(1.0);
            let unit = if i == j { 1.0 } else { 0.0 };
            assert!((product - unit).abs() < 1e-9 * scale, "{i} {j} {product}");
        }
    }
}
