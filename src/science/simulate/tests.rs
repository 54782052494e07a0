//! Closed-form tests of whole frames.

use super::*;
use crate::science::units::DEG_RAD;
use plan::Light;

/// A night without flaws, stars, galaxies or movers; 128 x 128 px.
fn bare(seed: u64) -> Scenario {
    let mut scenario = Scenario::demo(seed);
    let camera = &mut scenario.camera;
    (camera.nx, camera.ny) = (128, 128);
    (camera.hot_per_mpx, camera.n_bad_columns, camera.n_dust) = (0.0, 0, 0);
    (camera.vignetting, camera.pixel_response_scatter) = (0.0, 0.0);
    (camera.bias_column_scatter_adu, camera.dark_e_per_s) = (0.0, 0.0);
    scenario.sky.cosmics_per_mpx_ks = 0.0;
    (scenario.sky.gradient, scenario.sky.turbulence_mas) = (0.0, 0.0);
    (scenario.stars.density_per_deg2, scenario.stars.galaxies_per_deg2) = (0.0, 0.0);
    let movers = &mut scenario.movers;
    (movers.n_main_belt, movers.n_trojan, movers.n_near_earth) = (0, 0, 0);
    scenario
}

/// Expected electrons of the first science frame with one star of G and BP-RP at its centre,
/// without the background; and the frame's truth.
fn one_star(g_mag: f64, bp_rp_mag: f64) -> (Image<f32>, TrueFrame) {
    let mut scenario = bare(5);
    scenario.sky.brightness_mag_per_arcsec2 = 40.0;
    scenario.camera.colour_term = 0.1;
    let mut night = SimulatedNight::new(&scenario);
    let plan = night.frames[10].clone();
    let Light::Science(view) = &plan.light else { panic!("five biases and five flats first") };
    let (ra_rad, dec_rad) = view.geometry.sky(63.3, 64.1);
    let star = sky::Star {
        ra_rad,
        dec_rad,
        pm_ra_mas_per_yr: 0.0,
        pm_dec_mas_per_yr: 0.0,
        parallax_mas: 0.0,
        g_mag,
        bp_rp_mag,
    };
    night.content.stars.push(star);
    let light = frame::night_sky(&scenario, &night.content, &plan, view);
    (light, night.truth.frames[0].clone())
}

fn total(image: &Image<f32>) -> f64 {
    image.pixels().iter().map(|&v| f64::from(v)).sum()
}

#[test]
fn a_star_has_the_flux_of_its_magnitude() {
    for (g_mag, bp_rp_mag) in [(14.0, 0.82), (18.0, 1.82)] {
        let (light, truth) = one_star(g_mag, bp_rp_mag);
        // 60 s, 1.5 e-/ADU, and 0.1 mag per mag of BP-RP beyond 0.82.
        let filter_mag = g_mag + 0.1 * (bp_rp_mag - 0.82);
        let expected = 60.0 * 1.5 * 10_f64.powf(-0.4 * (filter_mag - truth.zero_point_adu_mag));
        let got = total(&light);
        assert!((got / expected - 1.0).abs() < 2e-3, "{g_mag}: {got} {expected}");
    }
}

#[test]
fn a_star_lies_where_the_truth_says() {
    let (light, _) = one_star(15.0, 0.82);
    let sum = total(&light);
    let moment = |axis: fn(usize) -> usize| {
        let weighted = light.pixels().iter().enumerate();
        weighted.map(|(i, &v)| axis(i) as f64 * f64::from(v)).sum::<f64>() / sum
    };
    let (x, y) = (moment(|i| i % 128), moment(|i| i / 128));
    assert!((x - 63.3).abs() < 2e-3 && (y - 64.1).abs() < 2e-3, "{x} {y}");
}

#[test]
fn an_empty_sky_has_photon_and_read_noise() {
    let scenario = bare(8);
    let night = SimulatedNight::new(&scenario);
    let Light::Science(view) = &night.frames[10].light else { panic!("a science frame") };
    let sky_e = view.sky_e_per_s * scenario.exposure_s;
    let pixels = night.frame(10).pixels;
    let values: Vec<f64> = pixels.pixels().iter().map(|&v| f64::from(v)).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sigma = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let expected = (sky_e + scenario.camera.read_noise_e.powi(2)).sqrt() / 1.5;
    // 16384 pixels: the relative error of sigma is 0.55 %.
    assert!((sigma / expected - 1.0).abs() < 0.02, "{sigma} {expected}");
    assert!((mean - 1000.0 - sky_e / 1.5).abs() < 2.0, "{mean}");
}

/// The demo with 192 x 192 px and one frame per kind.
fn small(seed: u64, flip: Flip) -> Scenario {
    let mut scenario =
        Scenario { flip, n_bias: 1, n_flat: 1, n_science: 2, ..Scenario::demo(seed) };
    (scenario.camera.nx, scenario.camera.ny) = (192, 160);
    scenario
}

#[test]
fn the_software_turn_turns_the_detector_and_keeps_the_sky() {
    let from_science_frame = 1;
    let sky_turned = SimulatedNight::new(&small(6, Flip::SkyTurned { from_science_frame }));
    let image_turned = SimulatedNight::new(&small(6, Flip::ImageTurned { from_science_frame }));
    assert_eq!(image_turned.frame(2), sky_turned.frame(2));
    let (plain, turned) = (sky_turned.frame(3), image_turned.frame(3));
    assert_eq!(turned.pixels, plain.pixels.turned_180());
    let card = |frame: &SimulatedFrame, key: &str| {
        frame.cards.iter().find(|card| card.0 == key).map(|card| card.1.clone())
    };
    assert_eq!(card(&turned, "FLIPSTAT"), Some(SimulatedValue::Text("Flip/Mirror".to_owned())));
    assert_eq!(card(&plain, "PIERSIDE"), Some(SimulatedValue::Text("WEST".to_owned())));
    // North stays up in the software-turned frame, and points down in the other.
    let rise = |night: &SimulatedNight, i: usize| {
        let grid = &night.truth().frames[i].grid;
        grid[168].3 - grid[0].3
    };
    assert!(rise(&image_turned, 0) > 0.0 && rise(&image_turned, 1) > 0.0);
    assert!(rise(&sky_turned, 1) < 0.0);
    assert!(image_turned.truth().frames[1].flipped && !image_turned.truth().frames[0].flipped);
}

#[test]
fn the_same_seed_gives_the_same_pixels_on_any_number_of_threads() {
    let scenario = small(9, Flip::Never);
    let night = SimulatedNight::new(&scenario);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a small pool");
    let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("a small pool");
    for i in (0..night.n_frames()).rev() {
        let again = SimulatedNight::new(&scenario);
        assert_eq!(one.install(|| night.frame(i)), three.install(|| again.frame(i)));
    }
    let other = SimulatedNight::new(&small(10, Flip::Never));
    for i in 0..night.n_frames() {
        assert_ne!(night.frame(i).pixels, other.frame(i).pixels);
    }
    assert_ne!(night.reference_csv(), other.reference_csv());
}

#[test]
fn tables_have_the_promised_columns_and_rows() {
    let night = SimulatedNight::new(&Scenario::demo(3));
    let reference = night.reference_csv();
    let known = night.known_csv();
    for (text, n_columns) in [(&reference, 17), (&known, 13)] {
        assert!(text.lines().all(|line| line.split(',').count() == n_columns));
    }
    // Five known movers in seven frames, and a head.
    assert_eq!(known.lines().count(), 1 + 35);
    assert!(reference.lines().count() > 300);
    let truth = night.truth();
    assert_eq!((truth.movers.len(), truth.frames.len()), (9, 7));
    assert_eq!(truth.movers.iter().filter(|mover| mover.known).count(), 5);
}

#[test]
fn movers_are_mostly_on_the_frame_and_detectable() {
    for seed in 1..6 {
        let night = SimulatedNight::new(&Scenario::demo(seed));
        let is_seen = |place: &&TruePlace| place.in_frame && place.snr >= 5.0;
        let seen = night.truth().movers.iter();
        let n = seen.filter(|m| m.places.iter().filter(is_seen).count() >= 4).count();
        assert!(n >= 7, "seed {seed}: {n} of 9");
    }
}

#[test]
fn listed_places_agree_with_the_truth() {
    let night = SimulatedNight::new(&Scenario::demo(3));
    for line in night.known_csv().lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let mover = night.truth().movers.iter().find(|m| m.name.as_deref() == Some(cells[3]));
        let place = mover.and_then(|m| m.places.iter().find(|p| p.frame == cells[0]));
        let place = place.expect("every listed row has its truth");
        let number = |i: usize| cells[i].parse::<f64>().expect("a number");
        let north = (number(5) - place.dec_deg) * 3600.0;
        let east = (number(4) - place.ra_deg) * 3600.0 * (place.dec_deg * DEG_RAD).cos();
        assert!(east.hypot(north) < 1.5, "{line}");
        assert!((number(1) - place.mjd_mid).abs() < 1e-7);
    }
}
