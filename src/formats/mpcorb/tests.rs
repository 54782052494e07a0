//! Lines of MPCORB.DAT, right and wrong.

use super::*;
use std::io::Cursor;

/// A line of the Minor Planet Center's form, with all columns that are read.
const CERES: &str = concat!(
    "00001    3.33  0.15 K25BL 231.53975   73.29974   80.24963   10.58789  0.0795763 ",
    " 0.21429712   2.7656157  0 E2025-U56  7390 125 1801-2025 0.80 M-v 30k MPCORBFIT ",
    " 4000      (1) Ceres              20251018",
);

fn rows(bytes: &[u8]) -> Vec<Result<MpcOrbit, BadRow>> {
    let mut reader = MpcorbReader::new(Cursor::new(bytes.to_vec())).expect("a reader");
    std::iter::from_fn(|| reader.next_row().expect("bytes in memory")).collect()
}

#[test]
fn a_line_is_read_by_its_columns() {
    let found = rows(CERES.as_bytes());
    let orbit = found[0].as_ref().expect("an orbit");
    assert_eq!(orbit.designation, Designation::Number(1));
    assert_eq!(orbit.name, "Ceres");
    assert_eq!((orbit.h_mag, orbit.slope_ratio), (Some(3.33), 0.15));
    // K25BL: 2025 November 21.
    assert!((orbit.epoch_mjd - 61_000.0).abs() < 1e-9);
    assert!((orbit.elements.axis_au - 2.765_615_7).abs() < 1e-12);
    assert!((orbit.elements.anomaly_rad - 231.539_75 * DEG_RAD).abs() < 1e-12);
    assert!((orbit.elements.inclination_rad - 10.587_89 * DEG_RAD).abs() < 1e-12);
    assert_eq!(orbit.arc.uncertainty, Some(0));
    assert_eq!(orbit.arc.oppositions, Some(125));
    assert_eq!(orbit.arc.length_d, None);
    assert!((orbit.arc.last_mjd.expect("a date") - 60_966.0).abs() < 1e-9);
}

#[test]
fn a_line_of_jpl_s_form_has_its_name_further_right() {
    let line = "00001    3.33  0.12 K2289 334.32717   73.53163   80.26644   10.58680  0.0786358  \
                0.21418055   2.7666190  0 JPLSBDB";
    let found = rows(format!("{line:<170}0000 (1) Ceres\n").as_bytes());
    let orbit = found[0].as_ref().expect("an orbit");
    assert_eq!((orbit.name.as_str(), orbit.arc.uncertainty), ("Ceres", Some(0)));
    assert!((orbit.epoch_mjd - 59_800.0).abs() < 1e-9);
}

#[test]
fn heads_blank_lines_and_bad_rows_are_told_apart() {
    let head =
        "MINOR PLANET CENTER ORBIT DATABASE (MPCORB)\n\nDes'n     H     G   Epoch\n-------\n";
    let provisional = CERES.replace("00001  ", "K14A00A").replace("(1) Ceres", "2014 AA  ");
    let broken = CERES.replace("0.0795763", "1.0795763");
    let early = CERES.replace("K25BL", "I5111");
    let long = "x".repeat(5_000);
    let text =
        format!("{head}{CERES}\r\n\n{provisional}\n{broken}\n{long}\nshort\n{CERES}\n{early}");
    let found = rows(text.as_bytes());
    assert_eq!(found.len(), 7);
    assert_eq!(found[1].as_ref().expect("an orbit").designation.to_string(), "2014 AA");
    assert_eq!(found[1].as_ref().expect("an orbit").name, "");
    let fault = |i: usize| found[i].as_ref().expect_err("a fault").clone();
    assert_eq!(fault(2), BadRow { line: 8, fault: RowFault::Ellipse });
    assert_eq!(fault(3), BadRow { line: 9, fault: RowFault::Long });
    assert_eq!(fault(4), BadRow { line: 10, fault: RowFault::Short });
    assert!(found[5].is_ok());
    // 1851: before the planets are known.
    assert_eq!(fault(6), BadRow { line: 12, fault: RowFault::Epoch });
}

#[test]
fn a_compressed_file_is_the_same_and_a_cut_one_an_error() {
    use std::io::Write as _;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(format!("{CERES}\n{CERES}\n").as_bytes()).expect("packed");
    let packed = packer.finish().expect("packed");
    assert_eq!(rows(&packed), rows(format!("{CERES}\n{CERES}\n").as_bytes()));
    let cut = packed[..packed.len() / 2].to_vec();
    let mut reader = MpcorbReader::new(Cursor::new(cut)).expect("a reader");
    let outcome = (0..3).try_for_each(|_| reader.next_row().map(|_| ()));
    assert!(outcome.is_err());
}

#[test]
fn any_bytes_are_borne() {
    // Each byte of the line in turn becomes something else: an orbit or a fault, never a panic.
    for at in 0..CERES.len() {
        for byte in [0, b' ', b'-', b'9', 0xff, b'\n'] {
            let mut line = CERES.as_bytes().to_vec();
            line[at] = byte;
            let text = [format!("{CERES}\n").as_bytes(), &line].concat();
            assert!(rows(&text).len() <= 3);
        }
    }
    assert!(rows(b"").is_empty());
    assert_eq!(rows(&vec![b'7'; 300_000]).len(), 0);
}

#[test]
fn packed_dates_are_those_of_the_minor_planet_center() {
    // The examples of its page: 1996 Jan. 1 = J9611, 1996 Sept. 30 = J969U, 1998 Jan. 18 = J981I.
    for (text, year, month, day) in
        [("J9611", 1996, 1, 1), ("J969U", 1996, 9, 30), ("J981I", 1998, 1, 18)]
    {
        let expected = Epoch::from_date(year, month, day, 0.0).mjd_utc();
        assert_eq!(packed_date(text), Some(expected), "{text}");
    }
    for bad in ["", "J96", "J96D1", "J9610", "Z9611", "J9a11", "J961Z"] {
        assert_eq!(packed_date(bad), None, "{bad}");
    }
}
