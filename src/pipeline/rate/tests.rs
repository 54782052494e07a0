//! Made-up catalogues with a mover or an artefact in them: features, scores, words.

use super::*;
use crate::pipeline::artifact::candidate::{CandidateDetection, Identity};
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::science::detect::sources::SourceFlags;
use crate::science::sky::wcs::Wcs;
use crate::science::units::ARCSEC_RAD;

/// Side of a frame [px].
const SIDE_PX: usize = 600;
/// Scale [arcsec/px].
const SCALE_ARCSEC: f64 = 1.2;
/// Time between frames [d], ten minutes.
const STEP_D: f64 = 10.0 / 1440.0;
const N_FRAMES: usize = 6;

/// One source of a made-up catalogue.
#[derive(Debug, Clone, Copy)]
struct Made {
    x_px: f64,
    y_px: f64,
    a_px: f64,
    b_px: f64,
    theta_rad: f64,
    mag: f64,
    flags: SourceFlags,
}

/// Pseudo-random number in 0..1 (splitmix64's mixing).
fn uniform(i: usize) -> f64 {
    let mut z = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A star-like source of a little scatter.
fn star(x_px: f64, y_px: f64, seed: usize) -> Made {
    let b_px = 1.3 * (1.0 + 0.1 * (uniform(seed) - 0.5));
    let a_px = b_px * (1.03 + 0.08 * uniform(seed + 7));
    Made { x_px, y_px, a_px, b_px, theta_rad: 0.3, mag: 18.0, flags: SourceFlags::default() }
}

/// Frame k with 120 stars and one more source; the sky drifts over the detector.
fn frame(k: usize, more: Made) -> NightFrame {
    let drift_px = (4.0 * k as f64, -2.5 * k as f64);
    let wcs = Wcs {
        crval_rad: (2.0, 0.2),
        crpix_px: (300.0 + drift_px.0, 300.0 + drift_px.1),
        cd_rad_per_px: [[-SCALE_ARCSEC * ARCSEC_RAD, 0.0], [0.0, SCALE_ARCSEC * ARCSEC_RAD]],
        sip: None,
    };
    let mut made: Vec<Made> = (0..120)
        .map(|i| {
            let (x, y) = (40.0 + 500.0 * uniform(3 * i), 40.0 + 500.0 * uniform(3 * i + 1));
            star(x + drift_px.0, y + drift_px.1, 1000 * k + i)
        })
        .collect();
    made.push(more);
    let column = |of: &dyn Fn(&Made) -> f64| made.iter().map(of).collect::<Vec<f64>>();
    let snr = |m: &Made| 20.0 * 10_f64.powf(0.4 * (18.0 - m.mag));
    let mut catalogue = Catalogue::default();
    catalogue.sources.x_px = column(&|m| m.x_px);
    catalogue.sources.y_px = column(&|m| m.y_px);
    catalogue.sources.a_px = column(&|m| m.a_px);
    catalogue.sources.b_px = column(&|m| m.b_px);
    catalogue.sources.theta_rad = column(&|m| m.theta_rad);
    catalogue.sources.snr = column(&snr);
    catalogue.sources.flags = made.iter().map(|m| m.flags).collect();
    NightFrame {
        name: format!("f{k}.fits"),
        content_hash: format!("0{k}"),
        chip: String::new(),
        mid_mjd_utc: 60_720.0 + STEP_D * k as f64,
        exposure_s: None,
        wcs,
        nx: SIDE_PX,
        ny: SIDE_PX,
        is_turned: false,
        limiting_mag: 20.0,
        fwhm_arcsec: 3.0,
        zero_point_err_mag: 0.01,
        electron_mag: None,
        filter: None,
        psf: None,
        catalogue,
    }
}

/// The candidate whose detections are the added sources.
fn candidate(frames: &[NightFrame]) -> Candidate {
    let detection = |frame: &NightFrame| {
        let s = &frame.catalogue.sources;
        let i = s.len() - 1;
        let (ra, dec) = frame.wcs.to_sky(s.x_px[i], s.y_px[i]);
        CandidateDetection {
            frame: frame.name.clone(),
            mid_mjd_utc: frame.mid_mjd_utc,
            ra_deg: ra / DEG_RAD,
            dec_deg: dec / DEG_RAD,
            x_px: s.x_px[i],
            y_px: s.y_px[i],
            position_err_arcsec: 0.2,
            residual_arcsec: (0.0, 0.0),
            mag: Some(18.0 - 2.5 * (s.snr[i] / 20.0).log10()),
            mag_err: Some(0.06),
            snr: s.snr[i],
            is_recovered: false,
            is_foreseen: false,
        }
    };
    let detections: Vec<CandidateDetection> = frames.iter().map(detection).collect();
    let (first, last) = (&detections[0], &detections[detections.len() - 1]);
    let place = |d: &CandidateDetection| (d.ra_deg * DEG_RAD, d.dec_deg * DEG_RAD);
    let (east, north) = crate::science::sky::vector::offset_rad(place(first), place(last));
    let minutes = (last.mid_mjd_utc - first.mid_mjd_utc) * 1440.0;
    Candidate {
        id: "TEST".to_owned(),
        identity: Identity::Unknown,
        false_alarms: 1e-4,
        rate_arcsec_per_min: east.hypot(north) / ARCSEC_RAD / minutes,
        rate_err_arcsec_per_min: 0.005,
        pa_deg: east.atan2(north).to_degrees().rem_euclid(360.0),
        chi2_reduced: 1.0,
        rms_arcsec: 0.2,
        mag: Some(18.0),
        n_expected: detections.len() as u64,
        n_covered: N_FRAMES as u64,
        detections,
        photometry: Vec::new(),
        rating: None,
    }
}

/// Rates a source that is made for each frame; (score, reasons, features).
fn rated(exposure_s: f64, stars: &StarSource<'_>, make: impl Fn(usize) -> Made) -> Rating {
    let exposed = |k| NightFrame { exposure_s: Some(exposure_s), ..frame(k, make(k)) };
    let frames: Vec<NightFrame> = (0..N_FRAMES).map(exposed).collect();
    let mut candidates = [candidate(&frames)];
    rate(&mut candidates, &frames, stars);
    candidates[0].rating.clone().expect("every candidate is rated")
}

fn no_stars(_: (f64, f64), _: f64, _: f64) -> Vec<StarAtEpoch> {
    Vec::new()
}

/// An object that crosses the sky by (dx, dy) per frame, on the drifting detector.
fn mover(k: usize, step_px: (f64, f64)) -> Made {
    let n = k as f64;
    star(200.0 + (4.0 + step_px.0) * n, 320.0 + (step_px.1 - 2.5) * n, 50_000 + k)
}

#[test]
fn a_mover_is_real_and_its_features_are_those_it_was_made_with() {
    let found = rated(60.0, &no_stars, |k| mover(k, (5.0, 0.5)));
    assert!(found.real_score > 0.95, "{found:#?}");
    let f = &found.features;
    assert!((f.width_ratio.expect("likes") - 1.0).abs() < 0.1, "{f:?}");
    assert!(f.elongation.expect("likes").abs() < 0.06, "{f:?}");
    // Five steps of (9, -2) px on the detector, of (5, 0.5) px on the sky.
    assert!((f.detector_shift_px.expect("six") - 5.0 * 85.0_f64.sqrt()).abs() < 1e-9);
    assert!((f.sky_shift_px.expect("six") - 5.0 * 25.25_f64.sqrt()).abs() < 1e-3);
    assert_eq!((f.n_detections, f.n_covered, f.seen_share), (6, 6, Some(1.0)));
    assert_eq!(f.flagged_share, Some(0.0));
    assert!(f.edge_distance_px.is_some_and(|d| (d - 200.0).abs() < 1e-9), "{f:?}");
    let words = found.reasons.join(", ");
    assert!(words.contains("seen in 6 of 6 frames"), "{words}");
    assert!(words.contains("as sharp as the stars"), "{words}");
}

#[test]
fn a_hot_pixel_under_a_drifting_sky_is_an_artefact() {
    let found = rated(60.0, &no_stars, |k| Made {
        x_px: 300.0 + 0.3 * (k % 2) as f64,
        y_px: 300.0,
        a_px: 0.5,
        b_px: 0.45,
        ..mover(k, (0.0, 0.0))
    });
    assert!(found.real_score < 0.05, "{found:#?}");
    assert!(found.reasons[0].contains("detector") || found.reasons[0].contains("sharper"));
    assert!(found.features.detector_shift_px.is_some_and(|shift| shift < 0.5));
}

#[test]
fn pieces_of_a_trail_across_the_motion_are_artefacts() {
    // Motion along +x, pieces along +y, of changing brightness.
    let found = rated(60.0, &no_stars, |k| Made {
        a_px: 4.0,
        b_px: 1.3,
        theta_rad: std::f64::consts::FRAC_PI_2,
        mag: 18.0 + 0.5 * (k % 3) as f64,
        ..mover(k, (6.0, 0.0))
    });
    assert!(found.real_score < 0.15, "{found:#?}");
    assert!(found.features.trail_angle_deg.is_some_and(|angle| (angle - 90.0).abs() < 1.0));
    assert!(found.reasons.iter().any(|r| r.contains("across its motion")), "{:?}", found.reasons);
}

#[test]
fn a_fast_object_that_trails_along_its_motion_is_real() {
    // 12 px in 600 s, exposed for 300 s: a path of 6 px, a^2 grows by 6^2 / 12.
    let found = rated(300.0, &no_stars, |k| {
        let star = mover(k, (12.0, 0.0));
        Made { a_px: star.a_px.hypot(6.0 / 12.0_f64.sqrt()), theta_rad: 0.0, ..star }
    });
    assert!(found.real_score > 0.95, "{found:#?}");
    let f = &found.features;
    assert!((f.trail_length_ratio.expect("long enough") - 1.0).abs() < 0.1, "{f:?}");
    assert!(f.trail_angle_deg.is_some_and(|angle| angle < 1.0), "{f:?}");
    // The same motion without a trail.
    let round = rated(300.0, &no_stars, |k| mover(k, (12.0, 0.0)));
    assert!(round.real_score < 0.7, "{round:#?}");
}

#[test]
fn blends_beside_stars_are_artefacts_and_one_passing_star_is_none() {
    let blend = |k: usize| Made {
        flags: SourceFlags::BLENDED,
        b_px: 1.75,
        a_px: 2.1,
        ..mover(k, (2.0, 0.0))
    };
    // A star 3 arcsec beside each detection, or beside the first one only.
    let frames: Vec<NightFrame> = (0..N_FRAMES).map(|k| frame(k, blend(k))).collect();
    let beside = |k: usize| {
        let d = &candidate(&frames).detections[k];
        StarAtEpoch {
            source_id: k as i64,
            ra_rad: d.ra_deg * DEG_RAD,
            dec_rad: d.dec_deg * DEG_RAD + 3.0 * ARCSEC_RAD,
            position_err_mas: 1.0,
            g_mag: Some(17.0),
            bp_rp_mag: None,
        }
    };
    let all: Vec<StarAtEpoch> = (0..N_FRAMES).map(beside).collect();
    let found = rated(60.0, &|_, _, _| all.clone(), blend);
    assert!(found.real_score < 0.4, "{found:#?}");
    assert!(found.features.star_distance_fwhm.is_some_and(|d| d <= 1.01), "{:?}", found.features);
    let one = rated(60.0, &|_, _, _| all[..1].to_vec(), |k| mover(k, (2.0, 0.0)));
    assert!(one.real_score > 0.9, "{one:#?}");
}

#[test]
fn odds_become_a_probability() {
    for (odds, expected) in [(0.0, 0.0), (1.0, 0.5), (1.0 / 3.0, 0.25), (f64::INFINITY, 1.0)] {
        assert!((chance_probability(odds) - expected).abs() < 1e-12);
    }
}

#[test]
fn what_is_not_in_the_frames_is_rated_by_what_is_known() {
    let frames: Vec<NightFrame> = (0..N_FRAMES).map(|k| frame(k, mover(k, (5.0, 0.0)))).collect();
    let mut candidates = [candidate(&frames)];
    rate(&mut candidates, &[], &no_stars);
    let rating = candidates[0].rating.as_ref().expect("rated");
    assert_eq!(rating.features.width_ratio, None);
    assert_eq!(rating.features.detector_shift_px, None);
    assert!(rating.real_score > 0.5);
    let mut empty = candidates[0].clone();
    empty.detections.clear();
    let mut empty = [empty];
    rate(&mut empty, &[], &no_stars);
    assert_eq!(empty[0].rating.as_ref().and_then(|r| r.neo_rating), None);
}
