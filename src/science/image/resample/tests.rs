//! Resampled Gaussians against the Gaussians themselves.

use super::*;
use crate::science::sky::polynomial::Polynomial;
use crate::science::sky::sip::Sip;
use crate::science::units::FWHM_PER_SIGMA;

const CENTRE_RAD: (f64, f64) = (1.0, 0.3);

/// A solution of one arcsecond a pixel whose matrix is given in that unit.
fn wcs(cd: [[f64; 2]; 2], crpix_px: (f64, f64)) -> Wcs {
    Wcs {
        crval_rad: CENTRE_RAD,
        crpix_px,
        cd_rad_per_px: cd.map(|row| row.map(|value| value * ARCSEC_RAD)),
        sip: None,
    }
}

/// A frame with a star of a flux of 1 at a place.
fn star(side: usize, (x0, y0): (f64, f64), sigma_px: f64) -> Image<f32> {
    let mut image = Image::filled(side, side, 0.0);
    for y in 0..side {
        for (x, value) in image.row_mut(y).iter_mut().enumerate() {
            *value = gaussian(x as f64 - x0, y as f64 - y0, sigma_px) as f32;
        }
    }
    image
}

fn gaussian(dx: f64, dy: f64, sigma: f64) -> f64 {
    let norm = 2.0 * std::f64::consts::PI * sigma * sigma;
    (-(dx * dx + dy * dy) / (2.0 * sigma * sigma)).exp() / norm
}

fn grid(side_px: usize, scale_arcsec: f64) -> SkyGrid {
    SkyGrid { centre_rad: CENTRE_RAD, side_px, scale_arcsec }
}

fn flux(stamp: &Image<f32>) -> f64 {
    stamp.pixels().iter().map(|&v| f64::from(v)).sum()
}

#[test]
fn a_moved_star_keeps_shape_and_flux() {
    // The frame's star lies at the tangent point, a fraction of a pixel off the pixel grid; the
    // stamp's middle is its centre, so the stamp must show the centred Gaussian.
    for (fwhm_px, error_max) in [(2.5, 0.015), (3.5, 0.01), (6.0, 0.005)] {
        let sigma = fwhm_px / FWHM_PER_SIGMA;
        for place in [(30.0, 30.0), (30.5, 30.0), (30.25, 30.7), (30.5, 30.5)] {
            let frame = star(61, place, sigma);
            let wcs = wcs([[-1.0, 0.0], [0.0, 1.0]], place);
            let stamp = resample(&frame, &wcs, &grid(41, 1.0)).expect("on the frame");
            let peak = gaussian(0.0, 0.0, sigma);
            for y in 0..41 {
                for x in 0..41 {
                    let expected = gaussian(x as f64 - 20.0, y as f64 - 20.0, sigma);
                    let error = (f64::from(stamp.at(x, y)) - expected).abs() / peak;
                    assert!(error < error_max, "{fwhm_px} {place:?}: {error} at {x}, {y}");
                }
            }
            assert!((flux(&stamp) - 1.0).abs() < 1e-3, "{fwhm_px} {place:?}: {}", flux(&stamp));
        }
    }
}

#[test]
fn a_mirrored_or_turned_frame_gives_the_same_stamp() {
    // A star 3 px north and 2 px east of the centre must land above and left of it.
    let (east, north) = (2.3, 3.6);
    let sigma = 1.5;
    let (sin, cos) = 0.7_f64.sin_cos();
    for cd in [
        [[-1.0, 0.0], [0.0, 1.0]],
        [[1.0, 0.0], [0.0, -1.0]],
        [[1.0, 0.0], [0.0, 1.0]],
        [[0.0, 1.0], [1.0, 0.0]],
        [[-cos, sin], [sin, cos]],
    ] {
        // (east, north) = CD (u, v).
        let det = cd[0][0] * cd[1][1] - cd[0][1] * cd[1][0];
        let u = (cd[1][1] * east - cd[0][1] * north) / det;
        let v = (cd[0][0] * north - cd[1][0] * east) / det;
        let frame = star(61, (30.0 + u, 30.0 + v), sigma);
        let stamp = resample(&frame, &wcs(cd, (30.0, 30.0)), &grid(21, 1.0)).expect("on it");
        for y in 0..21 {
            for x in 0..21 {
                let expected = gaussian(x as f64 - 10.0 + east, y as f64 - 10.0 - north, sigma);
                let error = (f64::from(stamp.at(x, y)) - expected).abs();
                assert!(error < 0.01 * gaussian(0.0, 0.0, sigma), "{cd:?}: {error} at {x}, {y}");
            }
        }
    }
}

#[test]
fn another_scale_keeps_the_flux() {
    let place = (60.3, 59.8);
    let frame = star(121, place, 2.0);
    for (side, scale) in [(81, 0.5), (41, 1.0), (31, 2.0), (15, 4.0)] {
        let wcs = wcs([[-1.0, 0.0], [0.0, 1.0]], place);
        let stamp = resample(&frame, &wcs, &grid(side, scale)).expect("on the frame");
        assert!((flux(&stamp) - 1.0).abs() < 5e-3, "{scale}: {}", flux(&stamp));
    }
}

#[test]
fn a_coarse_grid_averages_what_it_cannot_show() {
    // A chessboard of 0 and 2 has a mean of 1; four by four pixels hold sixteen of it. Without a
    // wider kernel the grid would see only one colour.
    let board = (0..121 * 121).map(|i| if i % 2 == 0 { 0.0 } else { 2.0 }).collect();
    let board = Image::from_pixels(121, 121, board).expect("counted");
    let wcs = wcs([[-1.0, 0.0], [0.0, 1.0]], (60.0, 60.0));
    let stamp = resample(&board, &wcs, &grid(9, 4.0)).expect("on the frame");
    assert!(stamp.pixels().iter().all(|v| (v - 16.0).abs() < 0.1), "{:?}", stamp.row(4));
}

#[test]
fn missing_pixels_are_left_out_and_outside_is_nothing() {
    let mut frame = Image::filled(41, 41, 7.0_f32);
    let mut mask = Mask::filled(41, 41, MaskBits::GOOD);
    mask.row_mut(20)[23] = MaskBits::BAD;
    mask.row_mut(20)[24] = MaskBits::SATURATED;
    blank_masked(&mut frame, &mask, MaskBits::BAD);
    let n_missing = frame.pixels().iter().filter(|v| v.is_nan()).count();
    assert_eq!(n_missing, 1, "only the asked reasons count");
    // A constant frame stays constant wherever there is a value; half a pixel off the missing one
    // lies between good and bad columns.
    let wcs = wcs([[-1.0, 0.0], [0.0, 1.0]], (20.0, 20.4));
    let stamp = resample(&frame, &wcs, &grid(61, 1.0)).expect("on the frame");
    let is_constant = |v: &f32| v.is_nan() || (v - 7.0).abs() < 1e-4;
    assert!(stamp.pixels().iter().all(is_constant));
    // The middle of the stamp is (20, 20.4): its column 0 is pixel -10, its column 50 pixel 40.
    assert!(stamp.at(9, 30).is_nan() && stamp.at(10, 30).is_finite());
    assert!(stamp.at(50, 30).is_finite() && stamp.at(51, 30).is_nan());
    let n_inside = stamp.pixels().iter().filter(|v| v.is_finite()).count();
    // 41 columns; rows from 20.4 - 20 = 0.4 to 40.4, so 41 too; one place or two are lost.
    assert!((41 * 41 - 2..=41 * 41 - 1).contains(&n_inside), "{n_inside}");
}

#[test]
fn distortion_is_followed_and_the_far_side_refused() {
    // A quadratic distortion of 0.5 px at 25 px: x' = x + 8e-4 x^2.
    let quadratic = Polynomial::from_terms(2, |i, j| if (i, j) == (2, 0) { 8e-4 } else { 0.0 });
    let zero = || Polynomial::from_terms(2, |_, _| 0.0);
    let mut wcs = wcs([[-1.0, 0.0], [0.0, 1.0]], (40.0, 40.0));
    wcs.sip = Some(Sip { a: quadratic, b: zero(), ap: zero(), bp: zero() });
    let star_px = (64.0, 40.0);
    let frame = star(81, star_px, 1.5);
    let stamp = resample(&frame, &wcs, &grid(61, 1.0)).expect("on the frame");
    // 24 px west of the centre plus 8e-4 * 24^2 = 0.4608 px.
    let row = stamp.row(30);
    let sum: f64 = row.iter().map(|&v| f64::from(v)).sum();
    let mean: f64 =
        row.iter().enumerate().map(|(x, &v)| x as f64 * f64::from(v)).sum::<f64>() / sum;
    assert!((mean - (30.0 + 24.4608)).abs() < 0.01, "{mean}");
    let far = SkyGrid { centre_rad: (1.0 + std::f64::consts::PI, -0.3), ..grid(5, 1.0) };
    assert!(resample(&frame, &wcs, &far).is_none());
}

#[test]
fn a_star_lies_where_the_other_frame_has_it() {
    // The other frame is turned by 180 degrees and its pixels are half as wide: the star at
    // (-5.3, 4.1) px from the tangent point lies at (10.6, -8.2) px there.
    let sigma = 2.0;
    let frame = star(81, (40.0 - 5.3, 40.0 + 4.1), sigma);
    let from = wcs([[-1.0, 0.0], [0.0, 1.0]], (40.0, 40.0));
    let target = wcs([[0.5, 0.0], [0.0, -0.5]], (60.0, 60.0));
    let window = Window { x_first_px: 50, y_first_px: 31, side_px: 41 };
    let stamp = resample_onto(&frame, &from, (&target, &window)).expect("on the frame");
    for y in 0..41 {
        for x in 0..41 {
            let (dx, dy) = (50.0 + x as f64 - 70.6, 31.0 + y as f64 - 51.8);
            let expected = gaussian(dx, dy, 2.0 * sigma);
            let error = (f64::from(stamp.at(x, y)) - expected).abs() / gaussian(0.0, 0.0, 4.0);
            assert!(error < 0.01, "{error} at {x}, {y}");
        }
    }
}
