//! Simulated hits, undersampled stars, and the naive twin.

use super::*;
use crate::science::calib::synthetic::Noise;

/// Integral of a Gaussian star over a pixel, by the error function's own definition as a sum of
/// 8 x 8 samples; flux 1.
fn star_share(dx: f64, dy: f64, fwhm_px: f64) -> f64 {
    let sigma = fwhm_px / 2.354_820_045;
    let line = |d: f64| -> f64 {
        (0..8)
            .map(|k| {
                let u = d + (f64::from(k) + 0.5) / 8.0 - 0.5;
                (-0.5 * (u / sigma).powi(2)).exp()
            })
            .sum::<f64>()
            / (8.0 * sigma * std::f64::consts::TAU.sqrt())
    };
    line(dx) * line(dy)
}

/// A frame in electrons with Poisson-like noise; `truth` without it.
fn exposed(noise: &mut Noise, truth: &Image<f32>, read_noise_e: f32) -> CalibratedPixels {
    let mut pixels = truth.clone();
    for value in pixels.pixels_mut() {
        *value += (*value + read_noise_e * read_noise_e).sqrt() * noise.gauss();
    }
    let mut frame = CalibratedPixels {
        variance_e2: pixels.clone(),
        mask: Mask::filled(truth.nx(), truth.ny(), MaskBits::GOOD),
        pixels_e: pixels,
    };
    let floor = read_noise_e * read_noise_e;
    frame.variance_e2.pixels_mut().iter_mut().for_each(|v| *v = v.max(0.0) + floor);
    frame
}

/// Sky with stars at random places and fluxes spread evenly in magnitude; gives their places.
fn starry(
    noise: &mut Noise,
    side: usize,
    (fwhm_px, n): (f64, usize),
    flux_max_e: f64,
) -> (Image<f32>, Vec<(f64, f64)>) {
    let mut truth = Image::filled(side, side, 150.0_f32);
    let mut places = Vec::new();
    for _ in 0..n {
        let margin = 12.0;
        let mut place = || margin + (side as f64 - 2.0 * margin) * noise.uniform();
        let (x, y) = (place(), place());
        let flux = 300.0 * (flux_max_e / 300.0).powf(noise.uniform());
        for py in y as usize - 8..y as usize + 9 {
            for px in x as usize - 8..x as usize + 9 {
                let share = star_share(px as f64 - x, py as f64 - y, fwhm_px);
                truth.row_mut(py)[px] += (flux * share) as f32;
            }
        }
        places.push((x, y));
    }
    (truth, places)
}

fn n_marked(frame: &CalibratedPixels) -> usize {
    frame.mask.pixels().iter().filter(|m| m.is_any(MaskBits::COSMIC)).count()
}

/// Adds hits: points and tracks up to 12 px long; gives the pixels with their charge.
fn hit(noise: &mut Noise, frame: &mut CalibratedPixels, n: usize) -> Vec<Vec<(usize, usize, f32)>> {
    let side = frame.pixels_e.nx();
    let mut hits = Vec::new();
    for k in 0..n {
        let (mut x, mut y) = (side as f64 * noise.uniform(), side as f64 * noise.uniform());
        let angle = std::f64::consts::TAU * noise.uniform();
        let length = if k % 2 == 0 { 1 } else { 1 + (12.0 * noise.uniform()) as usize };
        let charge_e = (200.0 * 15.0_f64.powf(noise.uniform())) as f32;
        let mut pixels: Vec<(usize, usize, f32)> = Vec::new();
        for _ in 0..length {
            let place = (x as usize, y as usize);
            if place.0 < side && place.1 < side && !pixels.iter().any(|p| (p.0, p.1) == place) {
                pixels.push((place.0, place.1, charge_e));
            }
            (x, y) = (x + angle.cos(), y + angle.sin());
        }
        for &(x, y, charge_e) in &pixels {
            frame.pixels_e.row_mut(y)[x] += charge_e;
            frame.variance_e2.row_mut(y)[x] += charge_e;
        }
        hits.push(pixels);
    }
    hits
}

#[test]
fn hits_are_found_and_little_else_is() {
    let mut noise = Noise::seeded(81);
    let (truth, _) = starry(&mut noise, 600, (2.5, 300), 3e5);
    let mut clean = exposed(&mut noise, &truth, 5.0);
    let before = clean.clone();
    mark_cosmic_rays(&mut clean, &CosmicParams::default());
    // 360,000 pixels with 300 stars: no more than 5 false ones (1.4e-5).
    assert!(n_marked(&clean) <= 5, "{} false pixels", n_marked(&clean));
    let mut frame = before;
    let hits = hit(&mut noise, &mut frame, 400);
    mark_cosmic_rays(&mut frame, &CosmicParams::default());
    let noise_e = (150.0_f32 + 25.0).sqrt();
    let bright: Vec<_> = hits.iter().filter(|h| h.iter().any(|p| p.2 > 20.0 * noise_e)).collect();
    let is_marked = |p: &&(usize, usize, f32)| frame.mask.at(p.0, p.1).is_any(MaskBits::COSMIC);
    let n_found = bright.iter().filter(|h| h.iter().any(|p| is_marked(&p))).count();
    let n_pixels: usize = bright.iter().map(|h| h.len()).sum();
    let n_in: usize = bright.iter().map(|h| h.iter().filter(is_marked).count()).sum();
    assert!(bright.len() > 200, "{}", bright.len());
    assert!(n_found as f64 >= 0.97 * bright.len() as f64, "{n_found} of {}", bright.len());
    assert!(n_in as f64 >= 0.95 * n_pixels as f64, "{n_in} of {n_pixels} pixels");
    // What stays in place of a hit is near the sky or star under it.
    let mut off: Vec<f64> = bright
        .iter()
        .flat_map(|h| h.iter().filter(is_marked))
        .map(|p| f64::from((frame.pixels_e.at(p.0, p.1) - truth.at(p.0, p.1)).abs()))
        .collect();
    assert!(median_in_place(&mut off).expect("hits") < 1.0 * f64::from(noise_e));
}

#[test]
fn no_core_of_an_undersampled_star_is_masked() {
    // Seeing of 1.3 px, 900 stars from S/N about 10 to nearly saturated, at all phases.
    for (seed, fwhm_px) in [(82, 1.3), (83, 1.6), (84, 2.0), (85, 4.0)] {
        let mut noise = Noise::seeded(seed);
        let (truth, places) = starry(&mut noise, 900, (fwhm_px, 900), 2e5);
        let mut frame = exposed(&mut noise, &truth, 6.0);
        mark_cosmic_rays(&mut frame, &CosmicParams::default());
        let is_marked =
            |x: i64, y: i64| frame.mask.at(x as usize, y as usize).is_any(MaskBits::COSMIC);
        let n_cores = places
            .iter()
            .filter(|&&(x, y)| {
                let (x, y) = (x.round() as i64, y.round() as i64);
                (-1..=1).any(|dy| (-1..=1).any(|dx| is_marked(x + dx, y + dy)))
            })
            .count();
        assert_eq!(n_cores, 0, "of {} stars at {fwhm_px} px", places.len());
        assert!(n_marked(&frame) <= 8, "{} false pixels at {fwhm_px} px", n_marked(&frame));
    }
}

/// The method as it is written: every pixel, every median, every round.
fn naive(frame: &mut CalibratedPixels, params: &CosmicParams) {
    let (nx, ny) = (frame.pixels_e.nx(), frame.pixels_e.ny());
    let mut limits = Limits::of(frame, params);
    for round in 0..params.rounds_max {
        let scene = Scene { frame, limits };
        let judged: Vec<Peak> = (0..(nx * ny) as u32)
            .filter(|&i| frame.mask.pixels()[i as usize].is_good())
            .filter_map(|i| scene.peak(i))
            .collect();
        if round == 0 {
            limits.respect_stars(&judged);
        }
        let all: Vec<u32> = judged.iter().filter(|p| limits.is_hit(p)).map(|p| p.place).collect();
        let hits = Scene { frame, limits }.with_neighbours(&all);
        if hits.is_empty() {
            return;
        }
        remove(frame, &hits);
    }
}

#[test]
fn the_quick_way_equals_the_naive_one_with_any_number_of_threads() {
    let mut noise = Noise::seeded(86);
    let (mut truth, _) = starry(&mut noise, 300, (2.2, 150), 5e5);
    for (i, value) in truth.pixels_mut().iter_mut().enumerate() {
        *value += (i % 300) as f32; // a gradient
    }
    let mut frame = exposed(&mut noise, &truth, 5.0);
    hit(&mut noise, &mut frame, 150);
    for i in 0..200 {
        frame.mask.row_mut(i)[(7 * i) % 300] = MaskBits::BAD;
    }
    let params = CosmicParams::default();
    let mut expected = frame.clone();
    naive(&mut expected, &params);
    assert!(n_marked(&expected) > 300);
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let mut found = frame.clone();
        pool.install(|| mark_cosmic_rays(&mut found, &params));
        assert!(found == expected, "{threads} threads");
    }
}

#[test]
fn a_wrong_noise_or_a_garbage_frame_is_no_feast() {
    // Noise twice what the variance says: no more false pixels for it.
    let mut noise = Noise::seeded(87);
    let mut frame = exposed(&mut noise, &Image::filled(400, 400, 400.0), 0.0);
    frame.variance_e2.pixels_mut().iter_mut().for_each(|v| *v *= 0.25);
    mark_cosmic_rays(&mut frame, &CosmicParams::default());
    assert!(n_marked(&frame) <= 5, "{}", n_marked(&frame));
    let board = (0..400 * 400).map(|i| if (i + i / 400) % 2 == 0 { 1e5 } else { 0.0 }).collect();
    let mut board = CalibratedPixels {
        pixels_e: Image::from_pixels(400, 400, board).expect("counted"),
        variance_e2: Image::filled(400, 400, 10.0),
        mask: Mask::filled(400, 400, MaskBits::GOOD),
    };
    assert_eq!(mark_cosmic_rays(&mut board, &CosmicParams::default()), CosmicRays::GivenUp);
    for (nx, ny) in [(1, 1), (1, 50), (50, 1), (3, 2)] {
        let mut tiny = CalibratedPixels {
            pixels_e: Image::filled(nx, ny, 5.0),
            variance_e2: Image::filled(nx, ny, 1.0),
            mask: Mask::filled(nx, ny, MaskBits::GOOD),
        };
        let done = mark_cosmic_rays(&mut tiny, &CosmicParams::default());
        assert_eq!(done, CosmicRays::Marked { n_pixels: 0 });
    }
}
