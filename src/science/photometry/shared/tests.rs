//! Nights of known zero points, colour terms and flats are found again.

use super::*;

/// Gaussian noise by Box and Muller from a small generator.
struct Noise(u64);

impl Noise {
    fn even(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.even().ln()).sqrt() * (std::f64::consts::TAU * self.even()).cos()
    }
}

const COLOUR_TERM: f64 = 0.06;

/// Frames of zero points 22 + f / 10 whose stars share colours, with photon noise and a floor.
fn night(
    n_frames: usize,
    n_stars: usize,
    flat_mag: f64,
    noise: &mut Noise,
) -> Vec<Vec<SharedStar>> {
    let listed: Vec<(f64, f64, (f64, f64), f64)> = (0..n_stars)
        .map(|_| {
            let place = (2.0 * noise.even() - 1.0, 2.0 * noise.even() - 1.0);
            (13.0 + 4.0 * noise.even(), 0.6 + 1.6 * noise.even(), place, 0.008 * noise.normal())
        })
        .collect();
    (0..n_frames)
        .map(|f| {
            listed
                .iter()
                .enumerate()
                .map(|(i, &(g_mag, colour, place, own))| {
                    let err = 0.004 * 10.0_f64.powf(0.2 * (g_mag - 13.0));
                    let zero = 22.0 + 0.1 * f as f64;
                    let flat = flat_mag * (place.0 * place.0 + place.1 * place.1);
                    let shift = COLOUR_TERM * (colour - SOLAR_BP_RP_MAG) + flat;
                    SharedStar {
                        g_mag,
                        bp_rp_mag: Some(colour),
                        instrumental_mag: g_mag - zero - shift + own + err * noise.normal(),
                        instrumental_err_mag: err,
                        place,
                        source_id: i as i64,
                    }
                })
                .collect()
        })
        .collect()
}

#[test]
fn zero_points_are_right_within_their_errors() {
    let mut noise = Noise(7);
    let (mut pulls, mut quoted) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let mut frames = night(6, 40, 0.0, &mut noise);
        for frame in &mut frames {
            for star in frame.iter_mut().take(4) {
                star.instrumental_mag += 0.5;
            }
        }
        let found = share_zero_points(&frames, &SharedParams::default());
        assert!((found.colour_term - COLOUR_TERM).abs() < 0.02, "{}", found.colour_term);
        assert!(found.spatial.is_none());
        for (f, zero) in found.frames.iter().enumerate() {
            let zero = zero.as_ref().expect("stars");
            let error = zero.zero_point_mag - (22.0 + 0.1 * f as f64);
            pulls.push(error / zero.zero_point_err_mag);
            quoted.push(zero.zero_point_err_mag);
            assert!(zero.is_used[..4].iter().all(|used| !used));
        }
    }
    let rms = (pulls.iter().map(|p| p * p).sum::<f64>() / pulls.len() as f64).sqrt();
    assert!((0.75..1.3).contains(&rms), "{rms}");
    assert!(median(&quoted).is_some_and(|err| err < 0.004), "{quoted:?}");
}

#[test]
fn the_floor_is_the_scatter_that_photons_do_not_explain() {
    let found = share_zero_points(&night(8, 150, 0.0, &mut Noise(3)), &SharedParams::default());
    assert!((found.floor_mag - 0.008).abs() < 0.0025, "{}", found.floor_mag);
}

#[test]
fn a_wrong_flat_is_seen_and_its_mean_is_zero() {
    for n_stars in [45, 200] {
        let found =
            share_zero_points(&night(6, n_stars, 0.04, &mut Noise(5)), &SharedParams::default());
        let spatial = found.spatial.expect("significant");
        let slope = spatial.at((1.0, 0.0)) - spatial.at((0.0, 0.0));
        assert!((slope - 0.04).abs() < 0.008, "{n_stars}: {spatial:?}");
        assert!((0.012..0.025).contains(&spatial.rms_mag()), "{spatial:?}");
        // The mean of u^2 + v^2 over the detector is two thirds.
        let zero = found.frames[0].as_ref().expect("stars").zero_point_mag;
        assert!((zero - 22.0 - 0.04 * 2.0 / 3.0).abs() < 0.006, "{zero}");
    }
}

#[test]
fn frames_without_stars_or_colours_are_no_fault() {
    let mut frames = night(2, 20, 0.0, &mut Noise(9));
    frames.push(Vec::new());
    for star in frames.iter_mut().flatten() {
        star.bp_rp_mag = None;
    }
    let found = share_zero_points(&frames, &SharedParams::default());
    assert!(found.colour_term_err.is_none() && found.colour_term.abs() < 1e-9);
    assert!(found.frames[0].is_some() && found.frames[2].is_none());
    assert!(share_zero_points(&[], &SharedParams::default()).frames.is_empty());
}
