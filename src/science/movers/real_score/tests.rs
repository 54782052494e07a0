//! Each feature pushes the right way, by its closed form, within its bound.

use super::*;

/// An ordinary asteroid: six detections as sharp and round as the stars.
fn asteroid() -> Evidence {
    Evidence {
        n: 6,
        n_covered: Some(7),
        snr: Some(12.0),
        n_shapes: None,
        width_ratio: Some(1.02),
        width_scatter: Some(0.1),
        elongation: Some(0.01),
        elongation_expected: Some(0.0),
        elongation_scatter: Some(0.06),
        trail_angle_deg: None,
        trail_length_ratio: None,
        mag_scatter_mag: Some(0.12),
        mag_err_mag: Some(0.09),
        chi2_reduced: Some(1.1),
        star_share: Some(0.0),
        star_share_expected: Some(0.05),
        flagged_share: Some(0.0),
        flagged_share_expected: Some(0.1),
        detector_shift_px: Some(25.0),
        sky_shift_px: Some(25.0),
        edge_distance_px: Some(200.0),
    }
}

fn score(evidence: &Evidence) -> f64 {
    real_score(&terms(evidence))
}

/// Checks that the score falls, step by step, along a feature.
fn assert_falls(what: &str, steps: &[f64], set: fn(&mut Evidence, f64)) {
    let scores: Vec<f64> = steps
        .iter()
        .map(|value| {
            let mut evidence = asteroid();
            set(&mut evidence, *value);
            terms(&evidence).iter().map(|term| term.log_odds).sum()
        })
        .collect();
    for pair in scores.windows(2) {
        assert!(pair[1] <= pair[0], "{what}: {scores:?}");
    }
    let fall = scores[0] - scores[scores.len() - 1];
    assert!(fall > 1.0, "{what} must count: {scores:?}");
}

#[test]
fn an_asteroid_is_real_and_nothing_known_is_even() {
    assert!(score(&asteroid()) > 0.99);
    assert!((score(&Evidence::default()) - 0.5).abs() < 1e-12);
    assert_eq!(terms(&Evidence::default()), []);
}

#[test]
fn every_feature_pushes_the_right_way() {
    assert_falls("wider", &[1.0, 1.1, 1.3, 1.6, 2.5, 9.0], |e, v| e.width_ratio = Some(v));
    assert_falls("sharper", &[1.0, 0.9, 0.7, 0.5, 0.2], |e, v| e.width_ratio = Some(v));
    assert_falls("longer", &[0.0, 0.1, 0.2, 0.4, 0.8], |e, v| e.elongation = Some(v));
    assert_falls("rounder than its motion", &[0.5, 0.3, 0.2, 0.0], |e, v| {
        e.elongation_expected = Some(0.5);
        e.elongation = Some(v);
    });
    assert_falls("askew", &[0.0, 5.0, 20.0, 45.0, 90.0], |e, v| {
        (e.elongation, e.elongation_expected) = (Some(0.4), Some(0.4));
        e.trail_angle_deg = Some(v);
    });
    assert_falls("long trail", &[1.0, 1.3, 2.0, 5.0], |e, v| e.trail_length_ratio = Some(v));
    assert_falls("short trail", &[1.0, 0.8, 0.5, 0.1], |e, v| e.trail_length_ratio = Some(v));
    assert_falls("flicker", &[0.05, 0.15, 0.4, 0.8, 2.0], |e, v| e.mag_scatter_mag = Some(v));
    assert_falls("residuals", &[0.5, 1.0, 2.0, 4.0, 9.0], |e, v| e.chi2_reduced = Some(v));
    assert_falls("misses", &[6.0, 8.0, 12.0, 20.0], |e, v| e.n_covered = Some(v as usize));
    assert_falls("stars", &[0.0, 0.34, 0.67, 1.0], |e, v| e.star_share = Some(v));
    assert_falls("flags", &[0.0, 0.34, 0.67, 1.0], |e, v| e.flagged_share = Some(v));
    assert_falls("still", &[20.0, 2.5, 1.5, 1.0, 0.1], |e, v| e.detector_shift_px = Some(v));
    assert_falls("border", &[50.0, 11.0, 9.0, 0.0], |e, v| e.edge_distance_px = Some(v));
}

#[test]
fn artefacts_fall_below_and_none_of_them_by_one_term_alone_without_bound() {
    let hot_pixel = Evidence {
        width_ratio: Some(0.45),
        detector_shift_px: Some(0.4),
        sky_shift_px: Some(18.0),
        ..asteroid()
    };
    assert!(score(&hot_pixel) < 0.1, "{}", score(&hot_pixel));
    let trail_piece = Evidence { elongation: Some(0.6), mag_scatter_mag: Some(0.7), ..asteroid() };
    assert!(score(&trail_piece) < 0.1, "{}", score(&trail_piece));
    let blend = Evidence {
        star_share: Some(1.0),
        flagged_share: Some(1.0),
        width_ratio: Some(1.4),
        ..asteroid()
    };
    assert!(score(&blend) < 0.1, "{}", score(&blend));
    for value in [0.0, 1e-300, 1e300, f64::INFINITY, f64::NAN, -1.0] {
        let odd = Evidence {
            width_ratio: Some(value),
            elongation: Some(value),
            chi2_reduced: Some(value),
            mag_scatter_mag: Some(value),
            trail_length_ratio: Some(value),
            detector_shift_px: Some(value),
            ..asteroid()
        };
        let found = score(&odd);
        assert!((0.0..=1.0).contains(&found), "{value}: {found}");
        assert!(terms(&odd).iter().all(|term| (-6.0..=1.5).contains(&term.log_odds)));
    }
}

#[test]
fn terms_are_the_closed_forms() {
    // Two Gaussians at their common mean differ by the ratio of their widths.
    assert!((gaussians(0.0, 0.1, (0.0, 0.5)) - 5.0_f64.ln()).abs() < 1e-12);
    // Three of four at 0.9 against 0.5: 3 ln 1.8 + ln 0.2.
    let expected = 3.0 * 1.8_f64.ln() + 0.2_f64.ln();
    assert!((binomial(3, 4, (0.9, 0.5)) - expected).abs() < 1e-12);
    // Chi-square at its mean of 8 degrees: 8 ln 2.5 - 4 (1 - 1/6.25) = 3.97, above the bound.
    assert!(residuals(&asteroid()).is_some_and(|found| (found - 0.5).abs() < 1e-12));
    // ln(0.2 x 25 + 0.8) at the border, ln 0.8 elsewhere.
    assert!((edge(3.0) + 5.8_f64.ln()).abs() < 1e-12);
    assert!((edge(30.0) + 0.8_f64.ln()).abs() < 1e-12);
}
