//! Where the telescope pointed, and the scale of its pixels: hints for the plate solution.
//!
//! Neither is trusted later, so plain precession (no nutation, aberration or FK4 terms, together
//! below 1 arcmin) is enough. Angles: IAU 1976, Lieske et al. 1977, A&A 58, 1, from J2000 only.

use super::angle::parse_sexagesimal;
use super::lookup::{Quantity, Reader, parse_number};
use super::profile::{PixelSize, PointingRule, RaUnit, ScaleRule};
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD, wrap_positive_rad};

/// Equinoxes that are read [yr].
const EQUINOX_SANE: std::ops::RangeInclusive<f64> = 1850.0..=2100.0;
/// Equinoxes this near to J2000 need no precession: under 1 arcsec [yr].
const EQUINOX_TOLERANCE_YR: f64 = 0.01;
/// Sane scales of a binned pixel [arcsec/px].
const SCALE_SANE_ARCSEC: std::ops::RangeInclusive<f64> = 0.01..=300.0;
/// Arcseconds of a micrometre at a focal length of one millimetre: 1e-3 rad.
const ARCSEC_UM_PER_MM: f64 = 1e-3 / ARCSEC_RAD;

/// Scale written in the header [arcsec/px].
const SCALE: Quantity = Quantity { name: "pixel scale", unit: "arcsec/px", sane: 0.01..=300.0 };
/// Pixel size written in the header [um].
const PIXEL_SIZE: Quantity = Quantity { name: "pixel size", unit: "um", sane: 0.1..=1000.0 };
/// Focal length written in the header [mm].
const FOCAL_LENGTH: Quantity = Quantity { name: "focal length", unit: "mm", sane: 1.0..=1e6 };

/// The nominal pointing (RA, Dec), ICRS [rad].
///
/// * `epoch`: middle of the exposure, for coordinates of date.
pub(super) fn read_pointing(
    reader: &mut Reader<'_>,
    rule: &PointingRule,
    epoch: Option<Epoch>,
) -> Option<(f64, f64)> {
    for (ra_keyword, dec_keyword) in &rule.keywords {
        let is_wcs = ra_keyword.starts_with("CRVAL");
        if is_wcs && !is_celestial(reader) {
            continue;
        }
        let (Some(ra_text), Some(dec_text)) = (reader.text(ra_keyword), reader.text(dec_keyword))
        else {
            continue;
        };
        let ra_deg = parse_ra_deg(&ra_text, if is_wcs { RaUnit::Deg } else { rule.ra_number });
        let dec_deg = parse_dec_deg(&dec_text);
        let (Some(ra_deg), Some(dec_deg)) = (ra_deg, dec_deg) else {
            let value = format!("'{ra_text}' and {dec_keyword} = '{dec_text}'");
            reader.dropped(ra_keyword, &value, "pointing");
            continue;
        };
        let place = (ra_deg * DEG_RAD, dec_deg * DEG_RAD);
        if is_wcs {
            return Some(place);
        }
        let equinox = read_equinox(reader, &rule.equinox, epoch);
        return Some(precess_to_j2000(place, equinox));
    }
    None
}

fn is_celestial(reader: &Reader<'_>) -> bool {
    reader.text("CTYPE1").is_some_and(|text| text.starts_with("RA"))
}

/// Right ascension [deg] in [0, 360); `None` when unreadable or out of range.
fn parse_ra_deg(text: &str, unit: RaUnit) -> Option<f64> {
    let read = parse_sexagesimal(text)?;
    let is_hours = match read.fields {
        1 => unit == RaUnit::Hours,
        _ => !read.is_degrees,
    };
    let ra_deg = if is_hours { read.value * 15.0 } else { read.value };
    (-180.0..=360.0).contains(&ra_deg).then(|| ra_deg.rem_euclid(360.0))
}

/// Declination [deg]; `None` when unreadable or beyond a pole.
fn parse_dec_deg(text: &str) -> Option<f64> {
    parse_sexagesimal(text).map(|read| read.value).filter(|dec_deg| dec_deg.abs() <= 90.0)
}

/// The equinox of the pointing [yr]; 2000 when the header says nothing.
fn read_equinox(reader: &mut Reader<'_>, keywords: &[String], epoch: Option<Epoch>) -> f64 {
    for keyword in keywords {
        let Some(text) = reader.text(keyword) else {
            continue;
        };
        let upper = text.to_ascii_uppercase();
        if matches!(upper.as_str(), "APPARENT" | "DATE" | "JNOW" | "CURRENT" | "TODAY") {
            return epoch.map_or(2000.0, Epoch::julian_year);
        }
        let equinox = parse_number(upper.trim_start_matches(['J', 'B']));
        match equinox.filter(|equinox| EQUINOX_SANE.contains(equinox)) {
            Some(equinox) => return equinox,
            None => reader.dropped(keyword, &format!("'{text}'"), "equinox"),
        }
    }
    2000.0
}

/// Moves a place (RA, Dec) [rad] from the mean equinox of a year to that of J2000.
fn precess_to_j2000((ra, dec): (f64, f64), equinox_yr: f64) -> (f64, f64) {
    let t = (equinox_yr - 2000.0) / 100.0;
    if t.abs() * 100.0 < EQUINOX_TOLERANCE_YR {
        return (wrap_positive_rad(ra), dec);
    }
    // Angles from J2000 to the equinox; the way back exchanges zeta and z and turns all signs.
    let zeta = (2306.2181 + (0.301_88 + 0.017_998 * t) * t) * t * ARCSEC_RAD;
    let z = (2306.2181 + (1.094_68 + 0.018_203 * t) * t) * t * ARCSEC_RAD;
    let theta = (2004.3109 - (0.426_65 + 0.041_833 * t) * t) * t * ARCSEC_RAD;
    let (sin_a, cos_a) = (ra - z).sin_cos();
    let (sin_d, cos_d) = dec.sin_cos();
    let (sin_t, cos_t) = theta.sin_cos();
    let x = cos_t * cos_d * cos_a + sin_t * sin_d;
    let y = cos_d * sin_a;
    let pole = -sin_t * cos_d * cos_a + cos_t * sin_d;
    (wrap_positive_rad(y.atan2(x) - zeta), pole.clamp(-1.0, 1.0).asin())
}

/// The nominal scale of a binned pixel [arcsec/px].
///
/// * `binning`: columns and rows of the detector in a pixel.
pub(super) fn read_scale(
    reader: &mut Reader<'_>,
    rule: &ScaleRule,
    binning: (u32, u32),
) -> Option<f64> {
    let bin = (f64::from(binning.0) * f64::from(binning.1)).sqrt();
    let sane = |scale: &f64| SCALE_SANE_ARCSEC.contains(scale);
    if let Some(unbinned) = rule.unbinned_measured_arcsec {
        return Some(unbinned * bin).filter(sane);
    }
    if let Some(scale) = reader.first_number(&rule.keywords, &SCALE) {
        return Some(scale);
    }
    if let Some(unbinned) = reader.first_number(&rule.unbinned_keywords, &SCALE) {
        return Some(unbinned * bin).filter(sane);
    }
    let size_um = reader.ruled_number(&rule.pixel_size_um, &PIXEL_SIZE);
    let focal_length_mm = reader.ruled_number(&rule.focal_length_mm, &FOCAL_LENGTH);
    if let (Some(size_um), Some(focal_length_mm)) = (size_um, focal_length_mm) {
        let factor = match rule.pixel_size {
            PixelSize::Binned => 1.0,
            PixelSize::Unbinned => bin,
        };
        let scale = size_um * factor / focal_length_mm * ARCSEC_UM_PER_MM;
        return Some(scale).filter(sane);
    }
    wcs_scale_arcsec(reader).filter(sane)
}

/// The scale that a WCS of the header has at its reference point [arcsec/px].
fn wcs_scale_arcsec(reader: &Reader<'_>) -> Option<f64> {
    if !is_celestial(reader) {
        return None;
    }
    let cd = ["CD1_1", "CD1_2", "CD2_1", "CD2_2"].map(|keyword| reader.number(keyword));
    let area_deg2 = if cd.iter().any(Option::is_some) {
        let [a, b, c, d] = cd.map(|element| element.unwrap_or(0.0));
        a * d - b * c
    } else {
        reader.number("CDELT1")? * reader.number("CDELT2")?
    };
    Some(area_deg2.abs().sqrt() * 3600.0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn right_ascension_is_hours_in_fields_and_degrees_in_one_number() {
        let close = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-9;
        // 13 40 14.64 = 13.6707333 h = 205.061 deg.
        assert!(close(parse_ra_deg("13 40 14.64", RaUnit::Deg), 205.061));
        assert!(close(parse_ra_deg("205.061", RaUnit::Deg), 205.061));
        assert!(close(parse_ra_deg("205d03m39.6s", RaUnit::Deg), 205.061));
        assert!(close(parse_ra_deg("13.670733333333333", RaUnit::Hours), 205.061));
        assert_eq!(parse_ra_deg("25 00 00", RaUnit::Deg), None);
        assert_eq!(parse_dec_deg("+91 00 00"), None);
        assert!(close(parse_dec_deg("-08 16 05.6"), -8.268_222_222_222_222));
    }

    #[test]
    fn precession_agrees_with_the_almanac() {
        // Theta Persei (Meeus, Astronomical Algorithms, example 21.b), without proper motion:
        // J2000 (41.054063, +49.227750) deg is (41.547214, +49.348483) deg at equinox 2028-11-13.19
        // (JD 2462088.69, year 2028.867).
        let of_date = (41.547_214 * DEG_RAD, 49.348_483 * DEG_RAD);
        let (ra, dec) = precess_to_j2000(of_date, 2000.0 + 0.288_670_500 * 100.0);
        assert!((ra - 41.054_063 * DEG_RAD).abs() < 0.05 * ARCSEC_RAD);
        assert!((dec - 49.227_750 * DEG_RAD).abs() < 0.05 * ARCSEC_RAD);
    }
}
