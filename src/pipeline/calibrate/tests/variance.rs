//! The variance carried along, against a simulated detector: pulls have a scatter of 1.

use super::*;
use crate::pipeline::masters::build::build_masters;
use crate::pipeline::masters::{CalibrationFrame, MasterParams, NoEarlierMasters};

const SIDE: usize = 160;
/// Gain [e-/ADU], read noise [e-], dark current [e-/s].
const GAIN: f32 = 1.6;
const READ_NOISE_E: f32 = 5.0;
const DARK_E_PER_S: f32 = 0.8;

fn response(x: usize, y: usize) -> f32 {
    let (u, v) = (x as f32 / SIDE as f32 - 0.5, y as f32 / SIDE as f32 - 0.5);
    1.05 - 0.9 * (u * u + v * v)
}

/// A raw frame [ADU] under an even light of so many electrons.
fn raw_of(seed: u64, exposure_s: f32, light_e: f32) -> Image<f32> {
    Noise::seeded(seed).frame_of(SIDE, |x, y| {
        let photons_e = DARK_E_PER_S * exposure_s + light_e * response(x, y);
        let noise_e = (photons_e + READ_NOISE_E * READ_NOISE_E).sqrt();
        (900.0 + 0.05 * x as f32 + photons_e / GAIN, noise_e / GAIN)
    })
}

fn frame_info(kind: FrameKind, exposure_s: f64) -> FrameInfo {
    FrameInfo {
        kind,
        exposure_s,
        gain_e_per_adu: Some(f64::from(GAIN)),
        read_noise_e: Some(f64::from(READ_NOISE_E)),
        saturation_adu: Some(6e4),
        ..info(SIDE, SIDE)
    }
}

#[test]
fn pulls_of_calibrated_pixels_scatter_by_one() {
    // Light of a dark sky to nearly saturation; darks of as long and of half as long.
    for dark_exposure_s in [60.0, 120.0] {
        let kinds = [
            (FrameKind::Bias, 0.0, 9),
            (FrameKind::Dark, dark_exposure_s, 5),
            (FrameKind::Flat, 1.0, 7),
        ];
        let frames: Vec<CalibrationFrame> = kinds
            .iter()
            .flat_map(|&(kind, exposure_s, n)| (0..n).map(move |i| (kind, exposure_s, i)))
            .map(|(kind, exposure_s, i)| {
                let info = frame_info(kind, exposure_s);
                CalibrationFrame::new(format!("{kind:?}-{i}.fits"), info)
            })
            .collect();
        let load = |frame: &CalibrationFrame| -> Result<Image<f32>, std::fmt::Error> {
            let seed = frame.name.bytes().fold(11_u64, |s, b| s.wrapping_mul(31) + u64::from(b));
            let light_e = if frame.info.kind == FrameKind::Flat { 24_000.0 } else { 0.0 };
            Ok(raw_of(seed, frame.info.exposure_s as f32, light_e))
        };
        let params = MasterParams::default();
        let library = build_masters(&frames, &load, &NoEarlierMasters, &params);
        assert_eq!(library.masters.len(), 3, "{:?}", library.notes);
        let science = frame_info(FrameKind::Science, 60.0);
        let masters = library.select(&science, &NoEarlierMasters, &params);
        for (seed, light_e) in [(201, 20.0), (202, 400.0), (203, 30_000.0)] {
            let raw = raw_of(seed, 60.0, light_e);
            let frame =
                calibrate(&raw, &science, &masters, &CalibrateParams::default()).expect("fits");
            let pixels = &frame.pixels;
            let mean = pixels.pixels_e.pixels().iter().map(|&v| f64::from(v)).sum::<f64>()
                / (SIDE * SIDE) as f64;
            let pulls: Vec<f64> = pixels
                .pixels_e
                .pixels()
                .iter()
                .zip(pixels.variance_e2.pixels())
                .map(|(&e, &v)| (f64::from(e) - mean) / f64::from(v).sqrt())
                .collect();
            let n = pulls.len() as f64;
            let scatter = (pulls.iter().map(|p| p * p).sum::<f64>() / n).sqrt();
            // 25,600 pixels: a standard error of 0.0044; weights by their own noise add a little.
            assert!((scatter - 1.0).abs() < 0.02, "{dark_exposure_s} s, {light_e} e-: {scatter}");
        }
    }
}
