//! Made-up nights with a frame that was solved badly and one that was shaken.

use super::*;
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::science::detect::sources::SourceFlags;
use crate::science::reference::{MemoryCatalogue, ReferenceStar};

const SIDE_PX: usize = 800;
const SCALE_ARCSEC: f64 = 1.2;
const EPOCH_MJD: f64 = 60_720.0;
const N_STARS: usize = 250;
/// The frame whose solution is off, and the one whose stars are scattered.
const SHIFTED: usize = 2;
const SHAKEN: usize = 5;

/// Pseudo-random number in -1..1 (splitmix64's mixing).
fn uniform(i: usize) -> f64 {
    let mut z = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn wcs() -> Wcs {
    Wcs {
        crval_rad: (2.0, 0.2),
        crpix_px: (400.0, 400.0),
        cd_rad_per_px: [[-SCALE_ARCSEC * ARCSEC_RAD, 0.0], [0.0, SCALE_ARCSEC * ARCSEC_RAD]],
        sip: None,
    }
}

fn star_places() -> Vec<(f64, f64)> {
    (0..N_STARS)
        .map(|i| (400.0 + 390.0 * uniform(2 * i), 400.0 + 390.0 * uniform(2 * i + 1)))
        .collect()
}

fn sky() -> MemoryCatalogue {
    let stars = star_places().into_iter().enumerate().map(|(i, (x, y))| {
        let (ra_rad, dec_rad) = wcs().to_sky(x, y);
        ReferenceStar {
            ra_err_mas: Some(0.1),
            dec_err_mas: Some(0.1),
            g_mag: Some(12.0 + 0.02 * i as f64),
            bp_rp_mag: Some(0.8),
            ..ReferenceStar::at(i as i64, (ra_rad, dec_rad), 2016.0)
        }
    });
    MemoryCatalogue::new(stars.collect())
}

/// A frame whose sources lie so far from their stars, up to [px].
fn frame(k: usize, scatter_px: f64) -> NightFrame {
    let mut catalogue = Catalogue::default();
    let s = &mut catalogue.sources;
    for (i, (x, y)) in star_places().into_iter().enumerate() {
        s.x_px.push(x + scatter_px * uniform(1000 * (k + 1) + 2 * i));
        s.y_px.push(y + scatter_px * uniform(1000 * (k + 1) + 2 * i + 1));
        s.flux_e.push(1e5 * 10_f64.powf(-0.008 * i as f64));
        s.snr.push(50.0);
        s.position_err_px.push(0.05);
        s.flags.push(SourceFlags::default());
    }
    NightFrame {
        name: format!("f{k}.fits"),
        content_hash: format!("0{k}"),
        chip: String::new(),
        mid_mjd_utc: EPOCH_MJD + 0.01 * k as f64,
        exposure_s: None,
        wcs: wcs(),
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

fn night() -> Vec<NightFrame> {
    let mut frames: Vec<NightFrame> =
        (0..8).map(|k| frame(k, if k == SHAKEN { 0.7 } else { 0.08 + 0.002 * k as f64 })).collect();
    frames[SHIFTED].wcs.crpix_px.0 += 0.4;
    frames
}

fn judged(params: &JudgeAstrometryParams) -> JudgedAstrometry {
    judge_astrometry(&night(), &sky(), params).expect("a catalogue")
}

#[test]
fn a_bad_solution_is_mended_and_a_shaken_frame_is_dropped() {
    let judged = judged(&JudgeAstrometryParams::default());
    assert_eq!(judged.solved_anew.iter().map(|s| s.frame).collect::<Vec<_>>(), [SHIFTED]);
    let mended = judged.separations_arcsec[SHIFTED].expect("stars");
    assert!(mended < 0.1, "{mended}");
    assert_eq!(judged.outliers.iter().map(|o| o.frame).collect::<Vec<_>>(), [SHAKEN]);
    assert!(!judged.outliers[0].is_kept);
    let told = judged.outliers[0].why.to_string();
    assert!(told.starts_with("bad astrometry: 0."), "{told}");
}

#[test]
fn separations_are_those_of_the_scatter() {
    let judged = judged(&JudgeAstrometryParams { is_solved_anew: false, ..Default::default() });
    // Of a square of half side s the median distance from the middle is s sqrt(2 / pi).
    for k in [0, 7] {
        let expected =
            (0.08 + 0.002 * k as f64) * SCALE_ARCSEC * (2.0 / std::f64::consts::PI).sqrt();
        let found = judged.separations_arcsec[k].expect("stars");
        assert!((found / expected - 1.0).abs() < 0.1, "{found} {expected}");
    }
    assert!((judged.separations_arcsec[SHIFTED].expect("stars") - 0.48).abs() < 0.03);
    assert!(judged.solved_anew.is_empty());
    let outliers: Vec<usize> = judged.outliers.iter().map(|o| o.frame).collect();
    assert_eq!(outliers, [SHIFTED, SHAKEN]);
}

#[test]
fn the_rule_decides_what_becomes_of_outliers() {
    for (rule, n_dropped) in [(OutlierRule::Keep, 0), (OutlierRule::Drop, 1)] {
        let judged = judged(&JudgeAstrometryParams { rule, ..Default::default() });
        assert_eq!(judged.outliers.len(), 1);
        assert_eq!(judged.outliers.iter().filter(|o| !o.is_kept).count(), n_dropped);
    }
}

#[test]
fn an_even_night_has_no_outliers_and_a_single_frame_none_either() {
    let even: Vec<NightFrame> = (0..6).map(|k| frame(k, 0.1)).collect();
    for n in [1, 3, 6] {
        let judged =
            judge_astrometry(&even[..n], &sky(), &JudgeAstrometryParams::default()).expect("sky");
        assert!(judged.outliers.iter().all(|o| o.is_kept), "{n}: {judged:?}");
    }
    let none = judge_astrometry(&[], &sky(), &JudgeAstrometryParams::default()).expect("sky");
    assert!(none.outliers.is_empty());
}
