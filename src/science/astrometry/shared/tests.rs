//! Nights of made-up frames that share a distortion.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::super::ImageStar;
use super::super::tests::{Random, camera};
use super::*;
use crate::science::reference::motion::StarAtEpoch;
use crate::science::sky::vector::separation_rad;

const SIZE: FrameSize = FrameSize { nx: 1024, ny: 1024 };
const PARAMS: ShareParams = ShareParams { size: SIZE, order_max: 5, floor_mas: 0.0 };
const NOISE_PX: f64 = 0.05;

/// A frame of a camera with stars at random places; its own solution is an affine fit.
fn frame(truth: &Wcs, n: usize, random: &mut Random, is_turned: bool) -> SharedFrame {
    let star = |random: &mut Random| {
        let (x, y) = (random.uniform() * 1023.0, random.uniform() * 1023.0);
        let (ra_rad, dec_rad) = truth.to_sky(x, y);
        let image = ImageStar {
            x_px: x + NOISE_PX * random.normal(),
            y_px: y + NOISE_PX * random.normal(),
            flux: 1.0,
            position_err_px: NOISE_PX,
        };
        let star = StarAtEpoch {
            source_id: 0,
            ra_rad,
            dec_rad,
            position_err_mas: 0.1,
            g_mag: None,
            bp_rp_mag: None,
        };
        PairedStar { image, star }
    };
    let pairs: Vec<PairedStar> = (0..n).map(|_| star(random)).collect();
    let wcs = fit(&pairs, &setup(truth, &PARAMS, 1)).unwrap().wcs;
    SharedFrame { pairs, wcs, mid_mjd: 60_000.0, is_turned }
}

fn rms_px(found: &Wcs, truth: &Wcs) -> f64 {
    let scale = truth.pixel_scale_arcsec() * ARCSEC_RAD;
    let grid = (0..121).map(|k| (f64::from(k % 11) * 102.3, f64::from(k / 11) * 102.3));
    let square = |(x, y)| (separation_rad(found.to_sky(x, y), truth.to_sky(x, y)) / scale).powi(2);
    (grid.map(square).sum::<f64>() / 121.0).sqrt()
}

/// The same camera at slightly other places and turns.
fn night(n_frames: usize, n_stars: usize) -> Vec<(Wcs, SharedFrame)> {
    let mut random = Random::new(5);
    (0..n_frames)
        .map(|k| {
            let at = (1.0 + 1e-4 * k as f64, 0.3);
            let truth = camera(at, 1.7, 0.4 + 1e-3 * random.normal(), 1.0);
            let mut made = frame(&truth, n_stars, &mut random, false);
            made.mid_mjd += 0.01 * k as f64;
            (truth, made)
        })
        .collect()
}

#[test]
fn a_poor_frame_has_good_corners_in_company() {
    let mut frames = night(12, 60);
    let mut random = Random::new(77);
    let truth = camera((1.0005, 0.3), 1.7, 0.41, 1.0);
    frames.push((truth.clone(), frame(&truth, 12, &mut random, false)));
    let given: Vec<SharedFrame> = frames.iter().map(|(_, f)| f.clone()).collect();
    let shared = share(&given, &PARAMS);
    assert_eq!(shared.distortion.as_ref().unwrap().order, 3);
    let error = |k: usize| rms_px(&shared.fits[k].as_ref().unwrap().wcs, &frames[k].0);
    // Place and turn of 12 stars: 0.05 px sqrt(3 / 12) per axis and some for the model.
    assert!(error(12) < 0.06, "{}", error(12));
    // Four numbers of 60 stars: 0.05 sqrt(4 / 60) = 0.013 px; with 0.007 px of the shared terms
    // 0.015 px. A cubic of its own would have 0.05 sqrt(20 / 60) = 0.029 px.
    let mean = ((0..12).map(|k| error(k).powi(2)).sum::<f64>() / 12.0).sqrt();
    assert!(mean < 0.019, "{mean}");
    // With the affine part alone the distortion of 0.9 px in the corners stays.
    assert!(rms_px(&given[12].wcs, &truth) > 0.1);
}

#[test]
fn a_turned_frame_has_the_distortion_turned() {
    let mut frames = night(6, 80);
    let mut random = Random::new(9);
    for k in 0..6 {
        let straight = camera((1.0 + 1e-4 * f64::from(k), 0.3), 1.7, 0.4, 1.0);
        // Pixels counted from the other corner: the same camera.
        let mut truth = straight.clone();
        truth.crpix_px = (1023.0 - straight.crpix_px.0, 1023.0 - straight.crpix_px.1);
        truth.cd_rad_per_px = straight.cd_rad_per_px.map(|row| row.map(|c| -c));
        let sip = straight.sip.unwrap();
        truth.sip = Some(Sip { a: turned(&sip.a), b: turned(&sip.b), ..sip });
        frames.push((truth.clone(), frame(&truth, 80, &mut random, true)));
    }
    let given: Vec<SharedFrame> = frames.iter().map(|(_, f)| f.clone()).collect();
    let shared = share(&given, &PARAMS);
    let square = |(found, (truth, _)): (&Option<Fit>, &(Wcs, SharedFrame))| {
        rms_px(&found.as_ref().unwrap().wcs, truth).powi(2)
    };
    let mean = (shared.fits.iter().zip(&frames).map(square).sum::<f64>() / 12.0).sqrt();
    // As above, with 80 stars: 0.013 px.
    assert!(mean < 0.017, "{mean}");
}

#[test]
fn without_distortion_none_is_found_and_few_frames_keep_their_own() {
    let mut random = Random::new(3);
    let mut truth = camera((2.0, -0.3), 1.7, 1.0, -1.0);
    truth.sip = None;
    let frames: Vec<SharedFrame> = (0..6).map(|_| frame(&truth, 50, &mut random, false)).collect();
    let shared = share(&frames, &PARAMS);
    assert_eq!(shared.distortion.unwrap().order, 1);
    assert!(shared.fits.iter().all(|f| rms_px(&f.as_ref().unwrap().wcs, &truth) < 0.02));
    let two = share(&frames[..2], &PARAMS);
    assert!(two.distortion.is_none() && two.fits.iter().all(Option::is_none));
    assert!(share(&[], &PARAMS).fits.is_empty());
}

#[test]
fn a_frame_that_does_not_fit_keeps_its_own() {
    let mut frames = night(8, 60);
    let mut random = Random::new(4);
    // A lens between: 3 times the distortion.
    let mut other = camera((1.0, 0.3), 1.7, 0.4, 1.0);
    let sip = other.sip.take().unwrap();
    let more = |p: &Polynomial| Polynomial::from_terms(3, |i, j| -3.0 * p.coefficient(i, j));
    other.sip = Some(Sip { a: more(&sip.a), b: more(&sip.b), ..sip });
    let mut odd = frame(&other, 60, &mut random, false);
    odd.wcs = fit(&odd.pairs, &setup(&other, &PARAMS, 3)).unwrap().wcs;
    frames.push((other, odd));
    let given: Vec<SharedFrame> = frames.iter().map(|(_, f)| f.clone()).collect();
    let shared = share(&given, &PARAMS);
    assert!(shared.fits[8].is_none());
    assert!(shared.fits[0].is_some());
}

#[test]
fn neither_order_nor_threads_change_a_bit() {
    let frames: Vec<SharedFrame> = night(9, 60).into_iter().map(|(_, frame)| frame).collect();
    let on = |n: usize, frames: &[SharedFrame]| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| share(frames, &PARAMS))
    };
    let first = on(1, &frames);
    assert!(first.fits.iter().all(Option::is_some));
    for (step, threads) in [(1, 4), (2, 1), (4, 3), (8, 2)] {
        // A permutation: steps that have no factor in common with 9.
        let order: Vec<usize> = (0..9).map(|k| (k * step + 5) % 9).collect();
        let given: Vec<SharedFrame> = order.iter().map(|&k| frames[k].clone()).collect();
        let again = on(threads, &given);
        assert_eq!(again.distortion, first.distortion);
        for (place, &k) in order.iter().enumerate() {
            assert_eq!(again.fits[place], first.fits[k], "frame {k} in the order {order:?}");
        }
    }
}

#[test]
fn shape_of_a_matrix_and_its_mirror() {
    // s = 2 (cos 30 deg + i sin 30 deg), e = 0.01 + 0.02 i: columns are the images of 1 and i.
    let (s, e) = ((3.0_f64.sqrt(), 1.0), (0.01, 0.02));
    let image = |w: (f64, f64)| {
        let (u, v) = (w.0 + e.0 * w.0 + e.1 * w.1, w.1 + e.1 * w.0 - e.0 * w.1);
        (s.0 * u - s.1 * v, s.1 * u + s.0 * v)
    };
    let (one, i) = (image((1.0, 0.0)), image((0.0, 1.0)));
    for sign in [1.0, -1.0] {
        let shape = Shape::of([[one.0, i.0], [sign * one.1, sign * i.1]]);
        assert!((shape.ln_scale - 2.0_f64.ln()).abs() < 1e-12);
        assert!((shape.shear.0 - 0.01).abs() < 1e-12 && (shape.shear.1 - 0.02).abs() < 1e-12);
        assert_eq!(shape.is_conjugate, sign < 0.0);
    }
}
