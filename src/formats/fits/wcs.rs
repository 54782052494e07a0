//! Plate solutions in headers, in all the dialects that are met.
//!
//! TAN, TAN-SIP and TPV; SCAMP's PV under a CTYPE of TAN; CD, or PC with CDELT, or CDELT with
//! CROTA2; numbers written as strings; declination as the first axis.

use super::header::Header;
use crate::science::sky::wcs::Wcs;
use crate::science::units::DEG_RAD;

/// The plate solution of a header; `None` when it has none, or one that is not understood.
pub fn read_wcs(header: &Header) -> Option<Wcs> {
    let projection = |axis: &str| -> Option<(String, String)> {
        let text = header.text(axis)?.to_ascii_uppercase();
        let (name, code) = text.split_at_checked(4)?;
        Some((name.trim_end_matches('-').to_owned(), code.trim_start_matches('-').to_owned()))
    };
    let (first, second) = (projection("CTYPE1")?, projection("CTYPE2")?);
    let is_known = |code: &str| matches!(code, "TAN" | "TAN-SIP" | "TPV");
    if !is_known(&first.1) || first.1 != second.1 {
        return None;
    }
    let is_swapped = match (first.0.as_str(), second.0.as_str()) {
        ("RA", "DEC") => false,
        // Distortions of swapped axes are not met.
        ("DEC", "RA") if first.1 == "TAN" => true,
        _ => return None,
    };
    let cd = matrix_deg(header)?;
    let is_sip = first.1 == "TAN-SIP";
    let number = |key: &str| -> Option<f64> {
        let (row, column) = match key {
            "CD1_1" => (0, 0),
            "CD1_2" => (0, 1),
            "CD2_1" => (1, 0),
            "CD2_2" => (1, 1),
            "CRVAL1" if is_swapped => return header.real("CRVAL2"),
            "CRVAL2" if is_swapped => return header.real("CRVAL1"),
            // SIP's polynomials count under its own name only, PV not there.
            _ if key.starts_with("PV") && (is_sip || is_swapped) => return None,
            _ if is_polynomial(key) && !is_sip => return None,
            _ => return header.real(key),
        };
        Some(if is_swapped { cd[1 - row][column] } else { cd[row][column] })
    };
    Wcs::from_fits_keywords(number)
}

/// Tells whether a keyword belongs to SIP.
fn is_polynomial(key: &str) -> bool {
    ["A_", "B_", "AP_", "BP_"].iter().any(|start| key.starts_with(start))
}

/// The matrix from pixels to degrees.
fn matrix_deg(header: &Header) -> Option<[[f64; 2]; 2]> {
    let cells = [["1_1", "1_2"], ["2_1", "2_2"]];
    let given = |start: &str| {
        let has_any = cells.iter().flatten().any(|c| header.contains(&format!("{start}{c}")));
        has_any.then(|| cells.map(|row| row.map(|c| header.real(&format!("{start}{c}")))))
    };
    if let Some(cd) = given("CD") {
        // A missing one is 0 as soon as another is there.
        return Some(cd.map(|row| row.map(|c| c.unwrap_or(0.0))));
    }
    let step = [header.real("CDELT1")?, header.real("CDELT2")?];
    if let Some(pc) = given("PC") {
        let cell =
            |i: usize, j: usize| pc[i][j].unwrap_or(if i == j { 1.0 } else { 0.0 }) * step[i];
        return Some([[cell(0, 0), cell(0, 1)], [cell(1, 0), cell(1, 1)]]);
    }
    let (sin, cos) = (header.real("CROTA2").unwrap_or(0.0) * DEG_RAD).sin_cos();
    Some([[step[0] * cos, -step[1] * sin], [step[0] * sin, step[1] * cos]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::sky::vector::separation_rad;
    use crate::science::units::ARCSEC_RAD;

    /// A solution by SCAMP as an observatory keeps it: PV under TAN.
    const SCAMP: [(&str, f64); 28] = [
        ("CRVAL1", 124.618_592_067_2),
        ("CRVAL2", 25.328_856_814_52),
        ("CRPIX1", 716.0),
        ("CRPIX2", 685.0),
        ("CD1_1", -0.000_307_372_874_572_5),
        ("CD1_2", 1.223_604_312_691e-05),
        ("CD2_1", 1.223_604_312_691e-05),
        ("CD2_2", 0.000_307_372_874_572_5),
        ("PV1_0", -2.593_704_064_419e-05),
        ("PV1_1", 1.000_187_244_395),
        ("PV1_2", -5.047_359_387_115e-05),
        ("PV1_4", 0.000_404_976_018_712),
        ("PV1_5", 0.000_387_578_286_401_1),
        ("PV1_6", 0.000_281_445_219_603_2),
        ("PV1_7", -0.005_543_498_819_709),
        ("PV1_8", -0.000_125_649_613_133_6),
        ("PV1_9", -0.001_790_324_401_986),
        ("PV1_10", -0.000_200_109_059_849_1),
        ("PV2_0", -2.790_880_104_562e-05),
        ("PV2_1", 1.000_231_828_6),
        ("PV2_2", 0.000_162_519_926_008),
        ("PV2_4", 0.000_810_277_441_642_7),
        ("PV2_5", 0.000_411_793_223_706_4),
        ("PV2_6", 0.000_469_863_261_734_8),
        ("PV2_7", -0.007_479_613_302_252),
        ("PV2_8", -0.000_834_272_007_374_7),
        ("PV2_9", -0.003_402_473_195_386),
        ("PV2_10", -0.003_631_217_448_795),
    ];

    /// (x, y) [px, 0-based] and (RA, Dec) [deg] by astropy 8.0.2 (wcslib) for it as TPV.
    const ASTROPY: [(f64, f64, f64, f64); 5] = [
        (0.0, 0.0, 124.852_022_997_155, 25.109_748_905_847),
        (1431.0, 0.0, 124.366_353_477_927, 25.127_274_755_549),
        (0.0, 1369.0, 124.871_399_410_620, 25.530_425_003_398),
        (1431.0, 1369.0, 124.383_960_550_344, 25.547_940_284_678),
        (700.5, 300.25, 124.618_310_862_664, 25.210_693_537_036),
    ];

    fn header(code: &str, is_text: impl Fn(&str) -> bool) -> Header {
        let mut header = Header::new();
        header.set("CTYPE1", format!("RA---{code}").as_str(), "");
        header.set("CTYPE2", format!("DEC--{code}").as_str(), "");
        for (key, value) in SCAMP {
            if is_text(key) {
                header.set(key, format!("{value:e}").as_str(), "");
            } else {
                header.set(key, value, "");
            }
        }
        header
    }

    fn check(wcs: &Wcs, table: &[(f64, f64, f64, f64)]) {
        for (x, y, ra, dec) in table {
            let off = separation_rad(wcs.to_sky(*x, *y), (ra * DEG_RAD, dec * DEG_RAD));
            assert!(off < 1e-6 * ARCSEC_RAD, "{}", off / ARCSEC_RAD);
        }
    }

    #[test]
    fn scamps_dialect_and_numbers_as_strings_read_as_tpv() {
        check(&read_wcs(&header("TPV", |_| false)).expect("TPV"), &ASTROPY);
        check(&read_wcs(&header("TAN", |_| false)).expect("PV under TAN"), &ASTROPY);
        check(&read_wcs(&header("TAN", |_| true)).expect("strings"), &ASTROPY);
    }

    #[test]
    fn matrices_of_all_kinds_are_the_same() {
        // CDELT -1, 2 arcsec and a turn of 30 deg: CD = [[-c, -2 s], [-s, 2 c]] / 3600.
        let cell = 1.0 / 3600.0;
        let (s, c) = (0.5, 0.75_f64.sqrt());
        let start = |turn: &[(&str, f64)]| {
            let mut header = Header::new();
            header.set("CTYPE1", "RA---TAN", "");
            header.set("CTYPE2", "DEC--TAN", "");
            for key in ["CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2"] {
                header.set(key, 10.0, "");
            }
            for (key, value) in turn {
                header.set(key, *value, "");
            }
            read_wcs(&header).expect("a plate solution").to_sky(500.0, 900.0)
        };
        let cd = [
            ("CD1_1", -c * cell),
            ("CD1_2", -2.0 * s * cell),
            ("CD2_1", -s * cell),
            ("CD2_2", 2.0 * c * cell),
        ];
        let steps = [("CDELT1", -cell), ("CDELT2", 2.0 * cell)];
        let old = [steps[0], steps[1], ("CROTA2", 30.0)];
        let new = [
            steps[0],
            steps[1],
            ("PC1_1", c),
            ("PC1_2", 2.0 * s),
            ("PC2_1", -0.5 * s),
            ("PC2_2", c),
        ];
        for other in [start(&old), start(&new)] {
            assert!(separation_rad(start(&cd), other) < 1e-9 * ARCSEC_RAD);
        }
    }

    #[test]
    fn what_is_no_plate_solution_is_none() {
        assert!(read_wcs(&Header::new()).is_none());
        assert!(read_wcs(&header("SIN", |_| false)).is_none());
        let mut cut = header("TPV", |_| false);
        cut.remove("CRVAL2");
        assert!(read_wcs(&cut).is_none());
    }
}
