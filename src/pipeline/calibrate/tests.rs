//! Tests of calibrating a frame with its masters.

use super::*;
use crate::pipeline::artifact::frame_info::{FrameKind, Section};
use crate::science::calib::gain::Measured;
use crate::science::calib::synthetic::Noise;
use crate::science::image::mask::MaskBits;
use crate::science::image::stats::median_and_scatter;

mod cleaning;
mod variance;

fn info(nx: usize, ny: usize) -> FrameInfo {
    FrameInfo {
        profile: "test".to_owned(),
        kind: FrameKind::Science,
        instrument: "CAM".to_owned(),
        image: None,
        object: None,
        nx,
        ny,
        exposure_s: 60.0,
        mid: None,
        mid_err_s: 0.0,
        filter: "R".to_owned(),
        pointing_rad: None,
        pixel_scale_arcsec: None,
        gain_e_per_adu: Some(2.0),
        read_noise_e: Some(6.0),
        saturation_adu: None,
        overscan: None,
        trim: None,
        binning: (1, 1),
        temperature_c: None,
        flip: FlipState::AsRead,
        window_px: (0, 0),
        allowed: Default::default(),
        site: None,
        is_simulated: false,
        remarks: Vec::new(),
    }
}

#[test]
fn overscan_and_trim_give_sky_with_the_noise_expected() {
    // Gain 2, sky 400 e- = 200 ADU, read noise 6 e-: noise sqrt(436) = 20.9 e-.
    let raw = Noise::seeded(51).frame_of(140, |x, _| {
        let sky = if (10..110).contains(&x) { 200.0 } else { 0.0 };
        (1600.0 + sky, (sky / 2.0 + 9.0_f32).sqrt())
    });
    let mut info = info(140, 140);
    info.trim = Some(Section { x0: 10, x1: 110, y0: 0, y1: 140 });
    info.overscan = Some(Section { x0: 112, x1: 140, y0: 0, y1: 140 });
    let frame =
        calibrate(&raw, &info, &MasterSet::default(), &CalibrateParams::default()).expect("fits");
    assert_eq!((frame.pixels.pixels_e.nx(), frame.pixels.pixels_e.ny()), (100, 140));
    assert!((frame.ltv_px.0 + 10.0).abs() < 1e-12 && frame.ltv_px.1.abs() < 1e-12);
    let values: Vec<f64> = frame.pixels.pixels_e.pixels().iter().map(|&v| f64::from(v)).collect();
    let (sky, noise) = median_and_scatter(&values).expect("full");
    assert!((sky - 400.0).abs() < 2.0, "{sky}");
    assert!((noise / 436.0_f64.sqrt() - 1.0).abs() < 0.03, "{noise}");
    assert!(frame.steps[0].contains("row by row") && frame.steps[1].contains("columns 10 to 109"));
    assert!(frame.notes.iter().any(|n| n.contains("no plateau")));
}

#[test]
fn unknown_numbers_are_measured_or_assumed_and_said() {
    let mut raw = Noise::seeded(52).frame(64, 1000.0, 5.0);
    raw.row_mut(9)[3..9].fill(65_535.0);
    let mut info = info(64, 64);
    (info.gain_e_per_adu, info.read_noise_e) = (None, Some(f64::NAN));
    let params = CalibrateParams::default();
    let frame = calibrate(&raw, &info, &MasterSet::default(), &params).expect("fits");
    assert!((frame.gain_e_per_adu - 1.0).abs() < 1e-12);
    assert_eq!(frame.notes.iter().filter(|n| n.starts_with("WARNING")).count(), 2);
    assert_eq!(frame.saturation_adu, Some(65_535.0));
    assert!(frame.pixels.mask.at(5, 9).is_any(MaskBits::SATURATED));
    let mut masters = MasterSet::default();
    masters.measured.gain_e_per_adu = Some(Measured { value: 3.8, error: 0.02 });
    masters.measured.read_noise_adu = Some(Measured { value: 2.0, error: 0.01 });
    let frame = calibrate(&raw, &info, &masters, &params).expect("fits");
    assert!((frame.gain_e_per_adu - 3.8).abs() < 1e-12);
    assert!((frame.read_noise_e - 7.6).abs() < 1e-12);
}

#[test]
fn a_header_that_disagrees_with_photon_transfer_loses_unless_the_profile_forbids() {
    let raw = Noise::seeded(53).frame(64, 1000.0, 5.0);
    let mut info = info(64, 64);
    (info.gain_e_per_adu, info.read_noise_e) = (Some(4.95), Some(9.3));
    let mut masters = MasterSet::default();
    masters.measured.gain_e_per_adu = Some(Measured { value: 3.8, error: 0.02 });
    masters.measured.read_noise_adu = Some(Measured { value: 1.05, error: 0.01 });
    let used = |info: &FrameInfo, masters: &MasterSet| {
        let frame = calibrate(&raw, info, masters, &CalibrateParams::default()).expect("fits");
        (frame.gain_e_per_adu, frame.read_noise_e, frame.notes)
    };
    let (gain, noise, notes) = used(&info, &masters);
    assert!((gain - 3.8).abs() < 1e-12 && (noise - 3.8 * 1.05).abs() < 1e-12);
    assert!(notes.iter().any(|n| n.contains("header 4.95") && n.contains("3.80 +- 0.02")));
    assert!(notes.iter().any(|n| n.contains("header 9.3 e-, measured 4.0 e-")), "{notes:?}");
    info.allowed.is_measured_gain_used = false;
    info.allowed.is_measured_noise_used = false;
    let (gain, noise, notes) = used(&info, &masters);
    assert!((gain - 4.95).abs() < 1e-12 && (noise - 9.3).abs() < 1e-12);
    assert_eq!(notes.iter().filter(|n| n.contains("as the profile asks")).count(), 2);
    // Within 10 % nothing is said; an uncertain measurement is told but not used.
    info.allowed = Default::default();
    (info.gain_e_per_adu, info.read_noise_e) = (Some(3.9), Some(4.2));
    let (gain, _, notes) = used(&info, &masters);
    assert!((gain - 3.9).abs() < 1e-12 && !notes.iter().any(|n| n.contains("gain")));
    masters.measured.gain_e_per_adu = Some(Measured { value: 2.0, error: 0.4 });
    let (gain, _, notes) = used(&info, &masters);
    assert!((gain - 3.9).abs() < 1e-12 && notes.iter().any(|n| n.contains("too uncertain")));
}

#[test]
fn sizes_that_differ_are_refused_and_odd_sections_ignored() {
    let raw = Image::filled(20, 20, 5.0_f32);
    let none = MasterSet::default();
    let params = CalibrateParams::default();
    assert!(matches!(
        calibrate(&raw, &info(21, 20), &none, &params),
        Err(CalibrateError::SizeDiffers { found_nx: 20, nx: 21, .. })
    ));
    let mut odd = info(20, 20);
    odd.trim = Some(Section { x0: 3, x1: 25, y0: 0, y1: 20 });
    odd.overscan = Some(Section { x0: 25, x1: 25, y0: 0, y1: 20 });
    let frame = calibrate(&raw, &odd, &none, &params).expect("used whole");
    assert_eq!(frame.pixels.pixels_e.nx(), 20);
    assert!(frame.notes.iter().any(|n| n.contains("overscan section unusable")));
}
