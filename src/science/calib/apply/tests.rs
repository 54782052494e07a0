//! Closed-form tests of `apply`.

use super::*;

const DETECTOR: Detector =
    Detector { gain_e_per_adu: 2.0, read_noise_e: 6.0, saturation_adu: 60_000.0 };

fn whole(side: usize) -> TrimWindow {
    TrimWindow { columns: 0..side, rows: 0..side }
}

#[test]
fn each_step_acts_as_its_formula_says() {
    // raw 1700, overscan 1000, bias 20, dark 60 at twice the exposure, flat 0.8, gain 2:
    // counted 680, net 650, electrons 2 * 650 / 0.8 = 1625; variance with read noise 6,
    // master noise 1.5 ADU = 3 e-, flat noise 0.01:
    // (36 + 9 + 1360) / 0.64 + 16.25^2 / 0.8 = 2195.3125 + 330.078125.
    let raw = Image::filled(12, 10, 1700.0_f32);
    let level = vec![1000.0_f32; 10];
    let (bias, dark) = (Image::filled(8, 6, 20.0), Image::filled(8, 6, 60.0));
    let flat = Image::filled(8, 6, 0.8);
    let corrections = Corrections {
        overscan_adu: Some(&level),
        bias_adu: Some(&bias),
        dark_adu: Some((&dark, 0.5)),
        flat: Some(&flat),
        bad: None,
        master_noise_adu: 1.5,
        flat_noise: 0.01,
    };
    let window = TrimWindow { columns: 2..10, rows: 1..7 };
    let frame = calibrate_pixels(&raw, &window, &corrections, &DETECTOR).expect("fits");
    for (e, v) in frame.pixels_e.pixels().iter().zip(frame.variance_e2.pixels()) {
        assert!((e - 1625.0).abs() < 0.01, "{e}");
        assert!((v - 2_525.390_6).abs() < 0.01, "{v}");
    }
    assert!(frame.mask.pixels().iter().all(|m| m.is_good()));
}

#[test]
fn trimming_keeps_places() {
    let pixels = (0..120).map(|i| i as f32).collect();
    let raw = Image::from_pixels(12, 10, pixels).expect("counted");
    let window = TrimWindow { columns: 3..12, rows: 2..10 };
    let unit = Detector { gain_e_per_adu: 1.0, ..DETECTOR };
    let frame = calibrate_pixels(&raw, &window, &Corrections::default(), &unit).expect("fits");
    assert!((frame.pixels_e.at(0, 0) - raw.at(3, 2)).abs() < 1e-6);
    assert!((frame.pixels_e.at(8, 7) - raw.at(11, 9)).abs() < 1e-6);
}

#[test]
fn saturation_grows_by_a_pixel_and_follows_bleeding() {
    let mut raw = Image::filled(64, 64, 1000.0_f32);
    raw.row_mut(10)[10] = 60_000.0;
    for y in 30..35 {
        raw.row_mut(y)[40] = 65_000.0;
    }
    for y in 35..50 {
        raw.row_mut(y)[40] = 20_000.0; // bleeding upwards only
    }
    let frame =
        calibrate_pixels(&raw, &whole(64), &Corrections::default(), &DETECTOR).expect("fits");
    let marked = |x, y| frame.mask.at(x, y).is_any(MaskBits::SATURATED);
    assert!(marked(9, 9) && marked(11, 11) && !marked(12, 10) && !marked(10, 12));
    assert!(marked(40, 29) && !marked(40, 28));
    assert!(marked(40, 50) && !marked(40, 51) && marked(39, 49));
    let n = frame.mask.pixels().iter().filter(|m| !m.is_good()).count();
    assert_eq!(n, 9 + 3 * 22);
    // A saturated pixel keeps its value.
    assert!((frame.pixels_e.at(10, 10) - 120_000.0).abs() < 0.1);
}

#[test]
fn broken_values_end_masked_and_finite() {
    let mut raw = Image::filled(40, 40, 500.0_f32);
    raw.row_mut(5)[6] = f32::NAN;
    raw.row_mut(0)[0] = f32::INFINITY;
    raw.row_mut(9)[9] = 30_000.0;
    let mut bad = Mask::filled(40, 40, MaskBits::GOOD);
    bad.row_mut(9)[9] = MaskBits::BAD;
    let mut flat = Image::filled(40, 40, 1.0_f32);
    flat.row_mut(20)[20] = 0.0;
    flat.row_mut(21)[20] = f32::NAN;
    flat.row_mut(22)[20] = -3.0;
    let corrections = Corrections { bad: Some(&bad), flat: Some(&flat), ..Corrections::default() };
    let frame = calibrate_pixels(&raw, &whole(40), &corrections, &DETECTOR).expect("fits");
    assert!(frame.pixels_e.pixels().iter().all(|v| (v - 1000.0).abs() < 1e-3));
    assert!(frame.variance_e2.pixels().iter().all(|v| v.is_finite() && *v > 0.0));
    assert!(frame.mask.at(6, 5).is_any(MaskBits::NO_DATA));
    assert!(frame.mask.at(0, 0).is_any(MaskBits::NO_DATA));
    assert!((20..23).all(|y| frame.mask.at(20, y).is_any(MaskBits::BAD)));
    assert!(frame.mask.at(9, 9).is_any(MaskBits::BAD));
}

#[test]
fn an_empty_frame_and_misfits_are_survived() {
    let void = Image::filled(20, 20, f32::NAN);
    let none = Corrections::default();
    let frame = calibrate_pixels(&void, &whole(20), &none, &DETECTOR).expect("fits");
    assert!(frame.pixels_e.pixels().iter().all(|v| v.is_finite()));
    assert!(calibrate_pixels(&void, &whole(21), &none, &DETECTOR).is_none());
    let wrong = Image::filled(19, 20, 1.0);
    let misfit = Corrections { flat: Some(&wrong), ..Corrections::default() };
    assert!(calibrate_pixels(&void, &whole(20), &misfit, &DETECTOR).is_none());
    assert!(
        calibrate_pixels(&void, &TrimWindow { columns: 3..3, rows: 0..2 }, &none, &DETECTOR)
            .is_none()
    );
}
