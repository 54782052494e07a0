//! Drawn frames with a mover, a star on its way and a frame too faint to detect it.

use super::*;
use crate::pipeline::artifact::candidate::{CandidateDetection, Identity};
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::pipeline::artifact::frame_photometry::PhotometryMethod;
use crate::science::detect::psf_model::Shape;
use crate::science::image::mask::MaskBits;
use crate::science::sky::wcs::Wcs;

const SIDE_PX: usize = 192;
const FWHM_PX: f64 = 3.0;
const EXPOSURE_S: f64 = 60.0;
const ZERO_MAG: f64 = 22.0;
const SKY_RMS_E: f64 = 10.0;
/// The mover's steps per frame, and the part of one during an exposure [px].
const STEP_PX: (f64, f64) = (9.0, 4.0);
const INTERVAL_D: f64 = 0.002;
const MOVER_MAG: f64 = 18.0;

fn wcs() -> Wcs {
    Wcs {
        crval_rad: (1.0, 0.3),
        crpix_px: (96.0, 96.0),
        cd_rad_per_px: [[-ARCSEC_RAD, 0.0], [0.0, ARCSEC_RAD]],
        sip: None,
    }
}

fn psf() -> PsfModel {
    PsfModel::uniform(Shape::round(FWHM_PX, 3.0), 3.0, (SIDE_PX, SIDE_PX))
}

fn mover_px(k: usize) -> (f64, f64) {
    (70.3 + STEP_PX.0 * k as f64, 80.7 + STEP_PX.1 * k as f64)
}

fn half_line_px() -> (f64, f64) {
    let share = 0.5 * EXPOSURE_S / 86_400.0 / INTERVAL_D;
    (share * STEP_PX.0, share * STEP_PX.1)
}

fn light_e(mag: f64) -> f64 {
    EXPOSURE_S * 10.0_f64.powf(-0.4 * (mag - ZERO_MAG))
}

/// Magnitude of the mover in a frame: the last one lies behind a cloud.
fn shown_mag(k: usize) -> f64 {
    if k == 4 { MOVER_MAG + 4.5 } else { MOVER_MAG }
}

/// A star of the catalogue that no source shows: on the mover's way in frame 2.
fn star() -> StarAtEpoch {
    let (x, y) = mover_px(2);
    let (ra_rad, dec_rad) = wcs().to_sky(x + 2.0, y - 1.0);
    StarAtEpoch {
        source_id: 1,
        ra_rad,
        dec_rad,
        position_err_mas: 1.0,
        g_mag: Some(19.0),
        bp_rp_mag: Some(SOLAR_BP_RP_MAG),
    }
}

struct Drawn;

impl PixelSource for Drawn {
    fn load(&self, frame: &NightFrame) -> Option<(Image<f32>, Mask)> {
        let k: usize = frame.name.parse().ok()?;
        let psf = psf();
        let mut state = 1_000 + k as u64;
        let mut even = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        let mut pixels = Image::filled(SIDE_PX, SIDE_PX, 0.0_f32);
        let (x, y) = mover_px(k);
        let half = half_line_px();
        for row in 0..SIDE_PX {
            for column in 0..SIDE_PX {
                let normal = (-2.0 * even().ln()).sqrt() * (std::f64::consts::TAU * even()).cos();
                let (dx, dy) = (column as f64 - x, row as f64 - y);
                let mut value = 500.0 + SKY_RMS_E * normal;
                if dx.hypot(dy) < 40.0 {
                    let star = psf.star_at(x, y);
                    for n in 0..20 {
                        let t = (2.0 * f64::from(n) + 1.0) / 20.0 - 1.0;
                        let light = star.light(dx - t * half.0, dy - t * half.1);
                        value += light_e(shown_mag(k)) * light.share / 20.0;
                    }
                    let (sx, sy) = mover_px(2);
                    let (sx, sy) = (column as f64 - sx - 2.0, row as f64 - sy + 1.0);
                    value += light_e(19.0) * star.light(sx, sy).share;
                }
                pixels.row_mut(row)[column] = value as f32;
            }
        }
        Some((pixels, Image::filled(SIDE_PX, SIDE_PX, MaskBits::GOOD)))
    }
}

fn frame(k: usize) -> NightFrame {
    NightFrame {
        name: k.to_string(),
        content_hash: format!("0{k}"),
        chip: String::new(),
        mid_mjd_utc: 60_000.0 + INTERVAL_D * k as f64,
        exposure_s: Some(EXPOSURE_S),
        wcs: wcs(),
        nx: SIDE_PX,
        ny: SIDE_PX,
        is_turned: false,
        limiting_mag: 21.0,
        fwhm_arcsec: FWHM_PX,
        zero_point_err_mag: 0.01,
        electron_mag: None,
        filter: None,
        psf: None,
        catalogue: Catalogue::default(),
    }
}

fn scale() -> FramePhotometry {
    let solution = PhotometricSolution {
        method: PhotometryMethod::Robust,
        zero_point_mag: ZERO_MAG,
        zero_point_err_mag: 0.002,
        line: None,
        n_in_range: 0,
        n_used: 50,
        scatter_mag: 0.01,
        floor_mag: 0.005,
        colour_term: 0.06,
        colour_term_err: Some(0.001),
        colour_err_mag: 0.007,
        spatial_terms_mag: None,
    };
    // Fitted light is all light.
    FramePhotometry {
        share: 0.94,
        circle_share: 0.94,
        fwhm_px: FWHM_PX,
        solution: Some(solution),
        ..FramePhotometry::default()
    }
}

/// Detected in the first four frames, half a pixel off, with magnitudes that are wrong.
fn candidate() -> Candidate {
    let detections = (0..4)
        .map(|k| {
            let (x, y) = mover_px(k);
            let off = if k % 2 == 0 { 0.3 } else { -0.3 };
            let (ra, dec) = wcs().to_sky(x + off, y);
            CandidateDetection {
                frame: k.to_string(),
                mid_mjd_utc: frame(k).mid_mjd_utc,
                ra_deg: ra / DEG_RAD,
                dec_deg: dec / DEG_RAD,
                x_px: x + off,
                y_px: y,
                position_err_arcsec: 0.3,
                residual_arcsec: (-off, 0.0),
                mag: Some(18.2),
                mag_err: Some(0.03),
                snr: 30.0,
                is_recovered: false,
                is_foreseen: false,
            }
        })
        .collect();
    Candidate {
        id: "ABC".to_owned(),
        identity: Identity::Unknown,
        false_alarms: 1e-6,
        rate_arcsec_per_min: 3.4,
        rate_err_arcsec_per_min: 0.01,
        pa_deg: 90.0,
        chi2_reduced: 1.0,
        rms_arcsec: 0.3,
        mag: Some(18.2),
        detections,
        n_expected: 4,
        n_covered: 5,
        photometry: Vec::new(),
        rating: None,
    }
}

#[test]
fn detections_are_measured_along_their_line_and_the_others_are_limits() {
    let frames: Vec<NightFrame> = (0..5).map(frame).collect();
    let scale = scale();
    let movers: Vec<MoverFrame<'_>> =
        frames.iter().map(|frame| MoverFrame { frame, psf: psf(), scale: &scale }).collect();
    let stars = |_: (f64, f64), _: f64, _: f64| vec![star()];
    let mut candidates = vec![candidate()];
    measure_movers(&mut candidates, &movers, &stars, &Drawn, None);
    let points = &candidates[0].photometry;
    assert_eq!(points.len(), 5);
    for (k, point) in points.iter().enumerate().take(4) {
        let (mag, err) = point.mag.zip(point.mag_err).expect("detected");
        assert!((mag - MOVER_MAG).abs() < 3.0 * err && err < 0.08, "{k}: {point:?}");
        assert!(err > point.colour_err_mag && point.is_detected && point.photometry_valid);
        assert_eq!(candidates[0].detections[k].mag, Some(mag));
        assert_eq!(point.is_contaminated, k == 2, "{k}: {point:?}");
    }
    let faint = &points[4];
    assert!(!faint.is_detected && faint.mag.is_none(), "{faint:?}");
    assert!((faint.flux_e - light_e(shown_mag(4))).abs() < 3.5 * faint.flux_err_e, "{faint:?}");
    assert!(faint.limit_mag.is_some_and(|limit| (19.0..21.5).contains(&limit)), "{faint:?}");
}

#[test]
fn a_frame_without_a_scale_is_left_out() {
    let only = frame(0);
    let scale = FramePhotometry::default();
    let movers = [MoverFrame { frame: &only, psf: psf(), scale: &scale }];
    let mut candidates = vec![candidate()];
    measure_movers(&mut candidates, &movers, &|_, _, _| Vec::new(), &Drawn, None);
    assert!(candidates[0].photometry.is_empty());
    assert_eq!(candidates[0].detections[0].mag, Some(18.2));
}

#[test]
fn a_recovered_point_keeps_the_light_of_the_static_image() {
    let frames: Vec<NightFrame> = (0..4).map(frame).collect();
    let scale = scale();
    let movers: Vec<MoverFrame<'_>> =
        frames.iter().map(|frame| MoverFrame { frame, psf: psf(), scale: &scale }).collect();
    let mut found = candidate();
    let hidden = &mut found.detections[2];
    (hidden.is_recovered, hidden.mag, hidden.mag_err) = (true, Some(18.05), Some(0.06));
    let mut candidates = vec![found];
    measure_movers(&mut candidates, &movers, &|_, _, _| vec![star()], &Drawn, None);
    let point = &candidates[0].photometry[2];
    assert_eq!(point.mag, Some(18.05));
    assert_eq!(candidates[0].detections[2].mag, Some(18.05));
    assert!(point.is_contaminated && point.mag_err.is_some_and(|err| err > 0.06), "{point:?}");
    assert!((point.flux_e / light_e(18.05) - 1.0).abs() < 1e-6, "{point:?}");
}

#[test]
fn one_aperture_serves_all_frames_of_an_object() {
    let named = |k: usize| NightFrame {
        filter: Some(if k == 1 { "V" } else { "R" }.to_owned()),
        ..frame(k)
    };
    let frames: Vec<NightFrame> = (0..5).map(named).collect();
    let scale = scale();
    let movers: Vec<MoverFrame<'_>> =
        frames.iter().map(|frame| MoverFrame { frame, psf: psf(), scale: &scale }).collect();
    let of = |filters: &[&str]| {
        let filters = filters.iter().map(|filter| (*filter).to_owned()).collect();
        let fixed = FixedApertures { filters, radius_fwhm: 1.5 };
        let mut candidates = vec![candidate()];
        // The others are noisier than frame 3: the one to take where no filter is asked for.
        candidates[0].detections[3].mag_err = Some(0.01);
        measure_movers(&mut candidates, &movers, &|_, _, _| vec![star()], &Drawn, Some(&fixed));
        candidates.remove(0).photometry
    };
    for (filters, reference) in [(&["g", "v"][..], "1"), (&[], "3"), (&["R", "V"], "3")] {
        for (k, point) in of(filters).iter().enumerate() {
            let aperture = point.aperture.as_ref().expect("measured");
            assert_eq!(aperture.is_reference, point.frame == reference, "{filters:?} {k}");
            assert!((aperture.radius_arcsec - 1.5 * FWHM_PX).abs() < 1e-9, "{aperture:?}");
            let error = aperture.flux_e - light_e(shown_mag(k));
            assert!(error.abs() < 3.5 * aperture.flux_err_e, "{k}: {aperture:?}");
            // A sum is noisier than a fit, not much more so.
            let ratio = aperture.flux_err_e / point.flux_err_e;
            assert!((1.0..2.5).contains(&ratio), "{k}: {ratio}");
            if k < 4 {
                let (mag, err) = aperture.mag.zip(aperture.mag_err).expect("bright");
                assert!((mag - MOVER_MAG).abs() < 3.5 * err, "{k}: {aperture:?}");
            } else {
                assert_eq!(aperture.mag, None, "{aperture:?}");
            }
        }
    }
}
