//! The distortion fit on made-up stars.

use super::*;
use crate::science::astrometry::tests::{Random, camera};
use crate::science::sky::vector::separation_rad;
use crate::science::units::DEG_RAD;

const SIZE: FrameSize = FrameSize { nx: 1024, ny: 1024 };

/// Pairs on a camera with k3 distortion, centroid noise of `noise_px`, `n_bad` gross errors.
fn pairs(truth: &Wcs, n: usize, noise_px: f64, n_bad: usize) -> Vec<PairedStar> {
    let mut random = Random::new(11);
    (0..n)
        .map(|i| {
            let (x, y) = (random.uniform() * 1023.0, random.uniform() * 1023.0);
            let (ra_rad, dec_rad) = truth.to_sky(x, y);
            let bad_px = if i < n_bad { 3.0 + random.uniform() } else { 0.0 };
            let image = ImageStar {
                x_px: x + noise_px * random.normal() + bad_px,
                y_px: y + noise_px * random.normal(),
                flux: 1.0,
                position_err_px: noise_px,
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
        })
        .collect()
}

fn setup(truth: &Wcs, order: usize) -> FitSetup {
    FitSetup {
        size: SIZE,
        near_rad: truth.to_sky(400.0, 700.0),
        scale_arcsec: 1.05 * truth.pixel_scale_arcsec(),
        order,
        floor_mas: 0.0,
    }
}

/// Largest and root mean square error over the frame [px].
fn errors_px(fit: &Fit, truth: &Wcs) -> (f64, f64) {
    let mut worst = 0.0_f64;
    let mut sum = 0.0;
    for k in 0..121 {
        let (x, y) = (f64::from(k % 11) * 102.3, f64::from(k / 11) * 102.3);
        let error = separation_rad(fit.wcs.to_sky(x, y), truth.to_sky(x, y))
            / (truth.pixel_scale_arcsec() * ARCSEC_RAD);
        worst = worst.max(error);
        sum += error * error;
    }
    (worst, (sum / 121.0_f64).sqrt())
}

#[test]
fn fit_recovers_distortion_exactly_without_noise() {
    for dec_deg in [0.0, 89.0, -60.0] {
        let truth = camera((0.0005, dec_deg * DEG_RAD), 1.7, 0.3, 1.0);
        let found = fit(&pairs(&truth, 60, 1e-6, 0), &setup(&truth, 3)).expect("60 pairs");
        // Damping by 0.5 px against a centroid error of 0.003 px leaves some 1e-5 px.
        assert!(errors_px(&found, &truth).0 < 1e-4, "{:?}", errors_px(&found, &truth));
    }
}

#[test]
fn noise_averages_down_and_gross_errors_are_clipped() {
    let truth = camera((1.0, 0.4), 1.7, 2.0, -1.0);
    let found = fit(&pairs(&truth, 400, 0.1, 40), &setup(&truth, 3)).expect("400 pairs");
    // 10 parameters per axis from 360 stars: 0.1 * sqrt(2 * 10 / 360) = 0.024 px expected where
    // the stars are; twice that over a grid that stresses edges.
    let (worst, rms_px) = errors_px(&found, &truth);
    assert!(rms_px < 0.048 && worst < 0.2, "{rms_px} {worst}");
    assert!(found.is_used.iter().take(40).all(|u| !u));
    assert!(found.is_used.iter().skip(40).filter(|u| **u).count() > 350);
    assert!((found.rms_arcsec / 0.17 - 1.0).abs() < 0.1);
}

#[test]
fn similarity_and_affine_serve_few_stars() {
    let mut truth = camera((1.0, 0.4), 1.7, 2.0, 1.0);
    truth.sip = None;
    for (n, order) in [(4, 0), (8, 1)] {
        let found = fit(&pairs(&truth, n, 1e-4, 0), &setup(&truth, order)).expect("few pairs");
        assert!(errors_px(&found, &truth).0 < 0.01);
    }
    assert!(fit(&pairs(&truth, 1, 0.1, 0), &setup(&truth, 0)).is_none());
    assert!(fit(&[], &setup(&truth, 3)).is_none());
}

#[test]
fn order_follows_number_and_spread() {
    let spread = |n: usize| {
        (0..n).map(|i| ((i * 331 % 1024) as f64, (i * 577 % 1024) as f64)).collect::<Vec<_>>()
    };
    for (n, order) in [(3, 0), (8, 1), (14, 2), (40, 3)] {
        assert_eq!(order_for(spread(n).into_iter(), SIZE, 3), order);
    }
    let corner = (0..100).map(|i| (f64::from(i), f64::from(i * 7 % 100)));
    assert_eq!(order_for(corner, SIZE, 3), 1);
}
