//! Plate solutions against astropy, round trips and the pole.

use super::*;
use crate::science::sky::keywords::KeywordValue;
use crate::science::sky::polynomial::Polynomial;
use crate::science::sky::sip::PixelRange;
use crate::science::sky::vector::separation_rad;
use crate::science::units::DEG_RAD;

/// Header of the fixture below; AP and BP are fitted by us.
fn fixture() -> Wcs {
    let a = Polynomial::from_terms(3, |i, j| match (i, j) {
        (2, 0) => 1.5e-6,
        (1, 1) => -4e-7,
        (0, 2) => 2e-7,
        (3, 0) => 3e-9,
        (1, 2) => 2.5e-9,
        _ => 0.0,
    });
    let b = Polynomial::from_terms(3, |i, j| match (i, j) {
        (2, 0) => -3e-7,
        (1, 1) => 6e-7,
        (0, 2) => -1.1e-6,
        (2, 1) => 3.2e-9,
        (0, 3) => 2.8e-9,
        _ => 0.0,
    });
    let range = PixelRange { u_px: (-640.0, 640.0), v_px: (-500.0, 501.0) };
    Wcs {
        crval_rad: (359.98 * DEG_RAD, -41.5 * DEG_RAD),
        crpix_px: (639.5, 499.25),
        cd_rad_per_px: [
            [-3.1e-4 * DEG_RAD, 2.2e-5 * DEG_RAD],
            [2.1e-5 * DEG_RAD, 3.05e-4 * DEG_RAD],
        ],
        sip: Some(Sip::new(a, b, range)),
    }
}

/// (x, y) [px, 0-based] and (RA, Dec) [deg] by astropy 8.0.2 `WCS.all_pix2world` (wcslib) for
/// the header above, 2026-11-21.
const ASTROPY: [(f64, f64, f64, f64); 5] = [
    (0.00, 0.00, 0.230904538537, -41.665809215405),
    (1279.00, 0.00, 359.699174148071, -41.638943291956),
    (0.00, 999.00, 0.258948273142, -41.360551117313),
    (1279.00, 999.00, 359.729939374265, -41.333597161160),
    (700.25, 512.75, 359.955251123940, -41.494604170618),
];

#[test]
fn pixels_have_the_places_astropy_gives() {
    let wcs = fixture();
    for (x, y, ra, dec) in ASTROPY {
        let found = wcs.to_sky(x, y);
        // The table has 12 decimals of a degree, 4e-9 arcsec.
        assert!(separation_rad(found, (ra * DEG_RAD, dec * DEG_RAD)) < 1e-7 * ARCSEC_RAD);
        let (px, py) = wcs.to_pixel(ra * DEG_RAD, dec * DEG_RAD).expect("inside the frame");
        assert!((px - x).abs() < 1e-6 && (py - y).abs() < 1e-6);
    }
}

#[test]
fn keywords_read_back_to_the_same_wcs() {
    let wcs = fixture();
    let keywords = wcs.fits_keywords();
    let get = |name: &str| {
        keywords.iter().find(|(key, _)| key == name).and_then(|(_, value)| match value {
            KeywordValue::Integer(n) => Some(*n as f64),
            KeywordValue::Real(x) => Some(*x),
            KeywordValue::Text(_) => None,
        })
    };
    let back = Wcs::from_fits_keywords(get).expect("complete keywords");
    let (there, here) = (back.to_sky(12.0, 900.0), wcs.to_sky(12.0, 900.0));
    assert!(separation_rad(there, here) < 1e-7 * ARCSEC_RAD);
    assert_eq!(back.sip.map(|s| s.ap), wcs.sip.clone().map(|s| s.ap));
    assert!(
        keywords
            .iter()
            .any(|(k, v)| { k == "CTYPE1" && *v == KeywordValue::Text("RA---TAN-SIP".to_owned()) })
    );
    assert!(Wcs::from_fits_keywords(|_| None).is_none());
    assert!(Wcs::from_fits_keywords(|_| Some(0.0)).is_none());
    assert!(Wcs::from_fits_keywords(|k| if k == "A_ORDER" { Some(1e9) } else { get(k) }).is_some());
}

#[test]
fn jacobian_is_the_difference_quotient() {
    let wcs = fixture();
    let j = wcs.jacobian_rad_per_px(100.0, 950.0);
    let (west, east) = (wcs.to_plane(99.5, 950.0), wcs.to_plane(100.5, 950.0));
    assert!(((east.0 - west.0) / j[0][0] - 1.0).abs() < 1e-8);
    assert!(((east.1 - west.1) / j[1][0] - 1.0).abs() < 1e-6);
    // The root of |det CD|: sqrt(3.1 * 3.05 + 0.22 * 0.21) * 1e-4 deg = 1.109764 arcsec.
    let scale = (3.1_f64 * 3.05 + 0.22 * 0.21).sqrt() * 0.36;
    assert!((wcs.pixel_scale_arcsec() - scale).abs() < 1e-9);
    assert!(!wcs.is_mirrored());
}

#[test]
fn round_trip_near_the_pole() {
    let mut wcs = fixture();
    wcs.crval_rad = (2.0, 89.95 * DEG_RAD);
    for (x, y) in [(0.0, 0.0), (640.0, 664.0), (1279.0, 999.0)] {
        let (ra, dec) = wcs.to_sky(x, y);
        let (px, py) = wcs.to_pixel(ra, dec).expect("inside the frame");
        assert!((px - x).hypot(py - y) < 1e-6);
    }
    assert!(wcs.to_pixel(2.0, -1.0).is_none());
}
