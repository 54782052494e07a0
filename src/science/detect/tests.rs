//! Whole extraction on frames drawn in the test.

use super::*;
use crate::science::image::stats::median_and_scatter;

/// A reproducible sequence of uniform numbers in 0..1.
pub(super) struct Sequence(pub(super) u64);

impl Sequence {
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

struct Drawn {
    pixels: Image<f32>,
    variance: Image<f32>,
    mask: Mask,
}

/// Gaussian stars (x, y, flux) of a width on a flat noisy sky.
fn draw(n: usize, stars: &[(f64, f64, f64)], fwhm_px: f64, sky_e: f64, seed: u64) -> Drawn {
    let sigma = fwhm_px / crate::science::units::FWHM_PER_SIGMA;
    let mut ideal = vec![sky_e; n * n];
    for &(x0, y0, flux) in stars {
        let reach = 6.0 * sigma;
        for y in (y0 - reach).max(0.0) as usize..=((y0 + reach) as usize).min(n - 1) {
            for x in (x0 - reach).max(0.0) as usize..=((x0 + reach) as usize).min(n - 1) {
                let r2 = (x as f64 - x0).powi(2) + (y as f64 - y0).powi(2);
                ideal[y * n + x] += flux / (std::f64::consts::TAU * sigma * sigma)
                    * (-0.5 * r2 / (sigma * sigma)).exp();
            }
        }
    }
    let mut noise = Sequence(seed);
    let pixels = ideal.iter().map(|v| (v + v.sqrt() * noise.normal()) as f32).collect();
    let variance = ideal.iter().map(|v| *v as f32).collect();
    Drawn {
        pixels: Image::from_pixels(n, n, pixels).expect("square"),
        variance: Image::from_pixels(n, n, variance).expect("square"),
        mask: Image::filled(n, n, MaskBits::GOOD),
    }
}

fn star_field(n: usize, n_stars: usize, seed: u64) -> Vec<(f64, f64, f64)> {
    let mut sequence = Sequence(seed);
    (0..n_stars)
        .map(|_| {
            let place = |u: f64| 20.0 + u * (n as f64 - 40.0);
            let (x, y) = (place(sequence.uniform()), place(sequence.uniform()));
            (x, y, 10_f64.powf(3.0 + 2.0 * sequence.uniform()))
        })
        .collect()
}

#[test]
fn stars_are_found_where_they_are_with_their_flux_and_errors() {
    let stars = star_field(512, 120, 7);
    let drawn = draw(512, &stars, 3.0, 400.0, 11);
    let params = ExtractParams::default();
    let found = extract(&drawn.pixels, &drawn.variance, &drawn.mask, &params).expect("sky");
    let psf = found.psf.expect("many stars");
    // A pixel-sampled, not integrated, Gaussian keeps its width.
    assert!((psf.fwhm_px - 3.0).abs() < 0.05, "{psf:?}");
    assert!(psf.ellipticity < 0.03, "{psf:?}");
    let sources = &found.sources;
    let (mut pulls, mut missed) = (Vec::new(), 0);
    for &(x, y, flux) in &stars {
        let isolated = stars.iter().filter(|s| (s.0 - x).hypot(s.1 - y) < 15.0).count() == 1;
        let near =
            (0..sources.len()).find(|&i| (sources.x_px[i] - x).hypot(sources.y_px[i] - y) < 1.0);
        match near {
            // The faintest star, 1000 e-, has S/N about 1000 / sqrt(4 pi 1.27^2 400) = 11.
            None => missed += usize::from(isolated),
            Some(i) if isolated => {
                pulls.push((sources.x_px[i] - x) / sources.position_err_px[i]);
                pulls.push((sources.y_px[i] - y) / sources.position_err_px[i]);
                // A Gaussian within 1.5 FWHM: 1 - 2^(-9) = 0.998.
                let error = sources.flux_e[i] - 0.998 * flux;
                assert!(error.abs() < 5.0 * sources.flux_err_e[i], "{flux}: {error}");
            }
            Some(_) => {}
        }
    }
    assert_eq!(missed, 0);
    let (bias, scatter) = median_and_scatter(&pulls).expect("pulls");
    assert!(bias.abs() < 0.3 && (0.75..1.3).contains(&scatter), "{bias} {scatter}");
}

#[test]
fn weights_keep_the_noise_of_bad_pixels_out_and_faint_stars_beside_them_in() {
    // Bands of 16 rows, every fourth of them five times as noisy: no mesh of 64 px sees them.
    let is_noisy = |y: usize| y % 64 < 16;
    let stars: Vec<(f64, f64, f64)> = (0..64)
        .map(|k| (26.0 + 60.0 * f64::from(k % 8), 40.0 + 64.0 * f64::from(k / 8), 900.0))
        .collect();
    let mut drawn = draw(512, &stars, 3.0, 400.0, 5);
    let (mut noise, mut ratio) = (Sequence(17), Image::filled(512, 512, 1.0_f32));
    for y in (0..512).filter(|y| is_noisy(*y)) {
        let row = drawn.pixels.row_mut(y);
        row.iter_mut().for_each(|v| *v += (20.0 * 24.0_f64.sqrt() * noise.normal()) as f32);
        ratio.row_mut(y).fill(5.0);
    }
    let weights: Vec<f32> = ratio.pixels().iter().map(|r| 3.0 / (r * r)).collect();
    let weights = Image::from_pixels(512, 512, weights).expect("square");
    let told = crate::science::calib::weights::relative_noise(&weights).expect("weights");
    let params = ExtractParams::default();
    let of = |noise_ratio: Option<&Image<f32>>| {
        let planes = (&drawn.pixels, &drawn.variance, &drawn.mask);
        let sources = extract_weighted(planes, noise_ratio, &params).expect("sky").sources;
        let n_false = sources.y_px.iter().filter(|y| is_noisy(y.max(0.0).round() as usize)).count();
        let is_found = |&(x, y, _): &(f64, f64, f64)| {
            (0..sources.len()).any(|i| (sources.x_px[i] - x).hypot(sources.y_px[i] - y) < 1.5)
        };
        (n_false, stars.iter().filter(|star| is_found(star)).count())
    };
    let (without, with) = (of(None), of(Some(&told.ratio)));
    println!("false sources and stars found: {without:?} without weights, {with:?} with them");
    assert!(without.0 > 50, "the noise must deceive: {without:?}");
    assert!(with.0 <= 5, "{with:?}");
    // A star of 900 e- has a signal-to-noise ratio of 900 / sqrt(4 pi 1.27^2 400) = 10.
    assert_eq!(with.1, 64, "{with:?}");
}

#[test]
fn empty_sky_gives_the_expected_few_false_sources() {
    let drawn = draw(512, &[], 3.0, 900.0, 5);
    let found = extract(&drawn.pixels, &drawn.variance, &drawn.mask, &ExtractParams::default())
        .expect("sky");
    // A Gaussian field of correlation sigma 1.06 px has about 75 peaks above 4 sigma per Mpx.
    assert!(found.sources.len() < 45, "{}", found.sources.len());
    assert!((found.sky_rms_e - 30.0).abs() < 1.0, "{}", found.sky_rms_e);
    assert!(found.psf.is_none());
}

#[test]
fn a_single_hot_pixel_is_marked_sharp() {
    let mut stars = star_field(512, 60, 3);
    stars.retain(|s| (s.0 - 250.0).hypot(s.1 - 250.0) > 30.0);
    let mut drawn = draw(512, &stars, 3.0, 400.0, 2);
    drawn.pixels.row_mut(250)[250] += 4000.0;
    let found = extract(&drawn.pixels, &drawn.variance, &drawn.mask, &ExtractParams::default())
        .expect("sky");
    let sources = &found.sources;
    let sharp: Vec<usize> =
        (0..sources.len()).filter(|&i| sources.flags[i].is_any(SourceFlags::SHARP)).collect();
    assert_eq!(sharp.len(), 1);
    assert!((sources.x_px[sharp[0]] - 250.0).abs() < 0.5);
}

#[test]
fn a_star_that_was_hit_stays_a_star() {
    let mut stars = star_field(512, 60, 3);
    stars.retain(|s| (s.0 - 250.0).hypot(s.1 - 250.0) > 30.0);
    stars.push((250.0, 250.0, 60_000.0));
    let mut drawn = draw(512, &stars, 3.0, 400.0, 2);
    drawn.pixels.row_mut(251)[250] += 4500.0;
    let found = extract(&drawn.pixels, &drawn.variance, &drawn.mask, &ExtractParams::default())
        .expect("sky");
    let sources = &found.sources;
    let near = |&i: &usize| (sources.x_px[i] - 250.0).hypot(sources.y_px[i] - 250.0) < 1.0;
    let hit = (0..sources.len()).find(near).expect("the star");
    assert!(sources.flags[hit].is_any(SourceFlags::MASKED), "{:?}", sources.flags[hit]);
    assert!(!sources.flags[hit].is_any(SourceFlags::SHARP), "{:?}", sources.flags[hit]);
}

#[test]
fn the_limit_keeps_the_brightest() {
    let drawn = draw(512, &star_field(512, 100, 9), 3.0, 400.0, 4);
    let params = ExtractParams { sources_max: 10, ..ExtractParams::default() };
    let found = extract(&drawn.pixels, &drawn.variance, &drawn.mask, &params).expect("sky");
    assert_eq!(found.sources.len(), 10);
    assert!(found.n_found > 50);
    assert!(found.sources.flux_e.windows(2).all(|w| w[0] >= w[1]));
}
