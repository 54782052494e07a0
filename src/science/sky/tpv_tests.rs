//! TPV against astropy, and there and back.

use super::*;
use crate::science::sky::keywords::{Convention, KeywordValue};
use crate::science::sky::polynomial::Polynomial;
use crate::science::sky::sip::PixelRange;
use crate::science::sky::vector::separation_rad;
use crate::science::units::ARCSEC_RAD;

/// A header of order 5 with all kinds of terms.
const HEADER: [(&str, f64); 41] = [
    ("CRVAL1", 83.25),
    ("CRVAL2", -5.5),
    ("CRPIX1", 700.25),
    ("CRPIX2", 650.5),
    ("CD1_1", -1.1e-4),
    ("CD1_2", 3.0e-6),
    ("CD2_1", 2.5e-6),
    ("CD2_2", 1.12e-4),
    ("PV1_0", 1.2e-5),
    ("PV1_1", 1.0003),
    ("PV1_2", -2e-4),
    ("PV1_4", 1.5e-3),
    ("PV1_5", -8e-4),
    ("PV1_6", 3e-4),
    ("PV1_7", 0.02),
    ("PV1_8", -0.004),
    ("PV1_9", 0.019),
    ("PV1_10", 0.003),
    ("PV1_12", 0.05),
    ("PV1_14", -0.03),
    ("PV1_17", 0.4),
    ("PV1_19", 0.7),
    ("PV1_22", -0.1),
    ("PV2_0", -2.3e-5),
    ("PV2_1", 0.9996),
    ("PV2_2", 1e-4),
    ("PV2_4", -7e-4),
    ("PV2_5", 9e-4),
    ("PV2_6", 2e-4),
    ("PV2_7", 0.021),
    ("PV2_8", 0.005),
    ("PV2_9", 0.018),
    ("PV2_10", -0.002),
    ("PV2_13", 0.04),
    ("PV2_16", -0.02),
    ("PV2_18", 0.3),
    ("PV2_20", -0.6),
    ("PV2_21", 0.2),
    ("PV1_3", 0.0),
    ("PV2_3", 0.0),
    ("PV2_11", 0.0),
];

/// (x, y) [px, 0-based] and (RA, Dec) [deg] by astropy 8.0.2 `WCS.all_pix2world` (wcslib) for the
/// header above as TPV, 2026-11-21.
const ASTROPY: [(f64, f64, f64, f64); 5] = [
    (0.0, 0.0, 83.325409701357, -5.574498809548),
    (1365.0, 0.0, 83.174454917604, -5.571089582444),
    (0.0, 1370.0, 83.329483200247, -5.421069995011),
    (1365.0, 1370.0, 83.178579677529, -5.417691225465),
    (710.5, 300.25, 83.247723410820, -5.539097717405),
];

fn of(header: &[(&str, f64)]) -> Option<Wcs> {
    Wcs::from_fits_keywords(|key| header.iter().find(|(k, _)| *k == key).map(|(_, v)| *v))
}

#[test]
fn pixels_have_the_places_astropy_gives() {
    let wcs = of(&HEADER).expect("a plate solution");
    for (x, y, ra, dec) in ASTROPY {
        let found = wcs.to_sky(x, y);
        assert!(separation_rad(found, (ra * DEG_RAD, dec * DEG_RAD)) < 1e-6 * ARCSEC_RAD);
        let (px, py) = wcs.to_pixel(ra * DEG_RAD, dec * DEG_RAD).expect("on the frame");
        assert!((px - x).abs() < 1e-5 && (py - y).abs() < 1e-5);
    }
}

#[test]
fn tpv_reads_back_and_becomes_sip() {
    let wcs = of(&HEADER).expect("a plate solution");
    for convention in [Convention::Tpv, Convention::Sip] {
        let keywords = wcs.fits_keywords_as(convention);
        let number = |name: &str| {
            keywords.iter().find(|(key, _)| key == name).and_then(|(_, value)| match value {
                KeywordValue::Integer(n) => Some(*n as f64),
                KeywordValue::Real(x) => Some(*x),
                KeywordValue::Text(_) => None,
            })
        };
        let back = Wcs::from_fits_keywords(number).expect("complete keywords");
        for (x, y, _, _) in ASTROPY {
            let off = separation_rad(back.to_sky(x, y), wcs.to_sky(x, y));
            assert!(off < 1e-7 * ARCSEC_RAD, "{convention:?}: {}", off / ARCSEC_RAD);
        }
        assert_eq!(number("PV1_1").is_some(), convention == Convention::Tpv);
    }
}

#[test]
fn a_radial_distortion_has_the_numbers_of_its_terms() {
    // u' = u (1 + k r^2) with pixels of 1 deg and no turn: PV1_7 = PV1_9 = PV2_7 = PV2_9 = k.
    let k = 1e-3;
    let a = Polynomial::from_terms(
        3,
        |i, j| if (i, j) == (3, 0) || (i, j) == (1, 2) { k } else { 0.0 },
    );
    let b = Polynomial::from_terms(
        3,
        |i, j| if (i, j) == (0, 3) || (i, j) == (2, 1) { k } else { 0.0 },
    );
    let sip = Sip::new(a, b, PixelRange { u_px: (-1.0, 1.0), v_px: (-1.0, 1.0) });
    let pv = to_pv(&sip, [[DEG_RAD, 0.0], [0.0, DEG_RAD]]).expect("order 3");
    let names: Vec<&str> = pv.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["PV1_1", "PV1_7", "PV1_9", "PV2_1", "PV2_7", "PV2_9"]);
    for (name, value) in &pv {
        let expected = if name.ends_with("_1") { 1.0 } else { k };
        assert!((value - expected).abs() < 1e-15, "{name} {value}");
    }
}

#[test]
fn terms_of_the_radius_are_not_read_falsely() {
    let mut header = HEADER.to_vec();
    header.push(("PV1_11", 0.1));
    assert!(of(&header).is_none());
    assert!(!has_pv(&|key: &str| (key == "PV2_1").then_some(45.0)));
}
