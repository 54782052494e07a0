//! Closed-form tests of `combine`.

use super::*;
use crate::science::calib::synthetic::Noise;

fn refs(frames: &[Image<f32>]) -> Vec<&Image<f32>> {
    frames.iter().collect()
}

fn mean_and_sigma(frame: &Image<f32>) -> (f64, f64) {
    let n = frame.pixels().len() as f64;
    let mean = frame.pixels().iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let var = frame.pixels().iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    (mean, var.sqrt())
}

#[test]
fn noise_of_biases_falls_with_the_root_of_their_number() {
    // Clipping at 3 sigma costs a few per cent at small n, where the median wanders itself.
    let mut noise = Noise::seeded(1);
    for n in [3_usize, 5, 9, 16] {
        let frames: Vec<_> = (0..n).map(|_| noise.frame(300, 1000.0, 5.0)).collect();
        let bias = combine_level(&refs(&frames), &CombineParams::default()).expect("fits");
        let (mean, sigma) = mean_and_sigma(&bias.pixels);
        let expected = 5.0 / (n as f64).sqrt();
        assert!((mean - 1000.0).abs() < 0.05, "{mean}");
        assert!((sigma / expected - 1.0).abs() < 0.04, "{n}: {sigma} for {expected}");
        assert!((bias.noise / expected - 1.0).abs() < 0.02, "{n}: {}", bias.noise);
    }
}

#[test]
fn strips_agree_with_the_naive_twin() {
    let mut noise = Noise::seeded(2);
    let frames: Vec<_> = (0..6).map(|_| noise.frame(67, 10.0, 2.0)).collect();
    let bias = combine_level(&refs(&frames), &CombineParams::default()).expect("fits");
    let floor = (3.0 * bias.frame_noise) as f32;
    let mut n_clipped = 0;
    for i in 0..67 * 67 {
        let mut column: Vec<f32> = frames.iter().map(|f| f.pixels()[i]).collect();
        let (value, n) = clipped_mean(&mut column, floor, (3.0 * SIGMA_PER_MAD) as f32);
        n_clipped += n;
        assert!((bias.pixels.pixels()[i] - value).abs() < 1e-4);
    }
    assert_eq!(n_clipped, bias.n_clipped);
}

#[test]
fn vignetting_comes_back_and_stars_go() {
    // Seven flats of unequal level, gain 1.5: vignetting 1 - 0.3 (r/rmax)^2, a star in each at
    // another place. The flat equals the vignetting over that of the centre within 0.3 %.
    let side = 256;
    let shape = |x: usize, y: usize| {
        let (dx, dy) = (x as f32 - 127.5, y as f32 - 127.5);
        1.0 - 0.3 * (dx * dx + dy * dy) / (2.0 * 127.5 * 127.5)
    };
    let mut noise = Noise::seeded(3);
    let frames: Vec<_> = (0..7)
        .map(|k| {
            let level = 20_000.0 + 2_000.0 * k as f32;
            noise.frame_of(side, |x, y| {
                let (dx, dy) = (x as f32 - 30.0 * k as f32, y as f32 - 128.0);
                let star = 9_000.0 * (-(dx * dx + dy * dy) / 18.0).exp();
                let adu = level * shape(x, y) + star;
                (adu, (adu / 1.5).sqrt())
            })
        })
        .collect();
    let flat = combine_flat(&refs(&frames), &CombineParams::default()).expect("fits");
    assert!((centre_level(&flat.pixels).expect("finite") - 1.0).abs() < 1e-6);
    // The centre's median: the mean of (r/rmax)^2 over the inner 64 px is about 0.021.
    let mut centre: Vec<f64> =
        (96..160).flat_map(|y| (96..160).map(move |x| f64::from(shape(x, y)))).collect();
    let centre = crate::science::image::stats::median_in_place(&mut centre).expect("full");
    let mut errors: Vec<f64> = (0..side * side)
        .map(|i| {
            f64::from(flat.pixels.pixels()[i]) / (f64::from(shape(i % side, i / side)) / centre)
                - 1.0
        })
        .collect();
    let rms = (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt();
    assert!(rms < 0.003, "{rms}");
    errors.iter_mut().for_each(|e| *e = e.abs());
    errors.sort_by(f64::total_cmp);
    assert!(errors[errors.len() - 1] < 0.02, "a star is left");
    assert!((flat.noise / rms - 1.0).abs() < 0.15, "{} for {rms}", flat.noise);
}

#[test]
fn one_two_and_broken_frames() {
    let mut noise = Noise::seeded(4);
    let one = noise.frame(50, 7.0, 1.0);
    let alone = combine_level(&[&one], &CombineParams::default()).expect("fits");
    assert_eq!(alone.pixels, one);
    let mut two = noise.frame(50, 7.0, 1.0);
    two.pixels_mut()[3] = 5000.0; // a cosmic ray
    two.pixels_mut()[4] = f32::NAN;
    let pair = combine_level(&[&one, &two], &CombineParams::default()).expect("fits");
    assert!((pair.pixels.pixels()[3] - one.pixels()[3]).abs() < 1e-6);
    assert!((pair.pixels.pixels()[4] - one.pixels()[4]).abs() < 1e-6);
    assert_eq!(combine_level(&[], &CombineParams::default()), Err(CombineError::NoFrames));
    let small = noise.frame(49, 7.0, 1.0);
    assert!(matches!(
        combine_level(&[&one, &small], &CombineParams::default()),
        Err(CombineError::ShapeDiffers { index: 1, .. })
    ));
    let void = Image::filled(50, 50, f32::NAN);
    assert!(combine_flat(&[&void], &CombineParams::default()).is_err());
    assert!(combine_flat(&[&Image::filled(50, 50, 0.0)], &CombineParams::default()).is_err());
}

#[test]
fn all_frames_broken_at_a_pixel_is_nan_there_only() {
    let mut noise = Noise::seeded(9);
    let mut frames: Vec<_> = (0..4).map(|_| noise.frame(40, 5.0, 1.0)).collect();
    frames.iter_mut().for_each(|f| f.pixels_mut()[77] = f32::INFINITY);
    let master = combine_level(&refs(&frames), &CombineParams::default()).expect("fits");
    assert!(master.pixels.pixels()[77].is_nan());
    assert_eq!(master.pixels.pixels().iter().filter(|v| !v.is_finite()).count(), 1);
}
