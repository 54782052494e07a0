//! Published lines both ways, the columns, and the defects of the predecessors.

use super::*;
use crate::formats::designation::Designation;

/// Lines of the Minor Planet Center's observation files (of WSAE9A6 and of 215426).
const PUBLISHED: [&str; 11] = [
    "     WSAE9A6  C2015 09 20.22723 21 41 07.88 -10 51 09.0          21.8 VqNEOCPG96",
    "     WSAE9A6  C2015 09 20.23688 21 41 08.64 -10 51 41.7               VqNEOCPG96",
    "     WSAE9A6 KC2015 09 20.41269 21 41 23.53 -11 01 00.7          20.9 RtNEOCP474",
    "     WSAE9A6 KC2015 09 20.97553821 42 09.75 -11 32 12.0          21.4 R      K93",
    "     K02J45F  C2002 04 12.33824 14 12 38.99 -18 27 21.5          19.7  cf7667704",
    "L5426K02J45F  C2009 05 26.94792 15 02 01.56 -16 16 07.9          18.0 Vr~077GJ75",
    "L5426         C2009 06 23.16620 14 51 06.58 -13 37 59.4          19.5 Vr~07bsG96",
    "L5426         C2009 08 15.17410 15 32 55.32 -14 42 10.8                o~08Sl291",
    "L5426         C2017 12 10.64358 03 25 53.64 +16 37 50.1          19.9 Rq~2T5rD29",
    "L5426         C2017 12 14.23692 03 23 16.81 +16 20 11.0          20.4 GU~2T5rG96",
    "L5426         C2017 12 14.24205 03 23 16.58 +16 20 09.6          20.4 GU~2T5rG96",
];

fn line() -> Line80 {
    Line80 {
        designation: "     AB12cd7".to_owned(),
        is_discovery: true,
        note: None,
        detector: 'C',
        mid_mjd_utc: Rounded::new(58_367.123_456_2, 6),
        ra_deg: Rounded::new(217.075_458_33, 2),
        dec_deg: Rounded::new(21.567_138_89, 1),
        mag: Some(Rounded::new(18.13, 1)),
        band: Some('G'),
        catalogue: None,
        reference: String::new(),
        station: "Z84".to_owned(),
    }
}

#[test]
fn published_lines_come_back_to_the_letter() {
    for text in PUBLISHED {
        let read = Line80::read(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(read.write().expect("fits"), text);
    }
    let read = Line80::read(PUBLISHED[5]).expect("reads");
    // 15h 02m 01.56s = 225.5065 deg; -16 deg 16' 07.9".
    assert!((read.ra_deg.value() - 225.506_5).abs() < 1e-9);
    assert!((read.dec_deg.value() + 16.268_861_111).abs() < 1e-9);
    // 2009-05-26 is MJD 54977.
    assert!((read.mid_mjd_utc.value() - 54_977.947_92).abs() < 1e-9);
    let number = Designation::from_packed(read.designation.get(..5).expect("five columns"));
    assert_eq!(number, Some(Designation::Number(215_426)));
}

#[test]
fn each_value_stands_in_its_columns() {
    // The predecessor's line was one column to the left from the magnitude on, and the Minor
    // Planet Center read 8.1 R for 18.1 R.
    let text = line().write().expect("fits");
    let expected =
        "     AB12cd7* C2018 09 06.12345614 28 18.11 +21 34 01.7          18.1 G      Z84";
    assert_eq!(text, expected);
    assert_eq!(text.len(), 80);
    let columns = |first: usize, last: usize| text.get(first - 1..last).expect("in the line");
    assert_eq!(columns(13, 13), "*");
    assert_eq!(columns(16, 32), "2018 09 06.123456");
    assert_eq!(columns(33, 44), "14 28 18.11 ");
    assert_eq!(columns(45, 56), "+21 34 01.7 ");
    assert_eq!(columns(66, 70), "18.1 ");
    assert_eq!((columns(71, 71), columns(78, 80)), ("G", "Z84"));
    let fine = Line80 { mag: Some(Rounded::new(8.126, 2)), ..line() }.write().expect("fits");
    assert_eq!(fine.get(65..71), Some(" 8.13G"));
}

#[test]
fn no_minute_has_sixty_seconds() {
    let at = |ra_deg: f64, dec_deg: f64, mjd: f64| {
        let text = Line80 {
            ra_deg: Rounded::new(ra_deg, 2),
            dec_deg: Rounded::new(dec_deg, 1),
            mid_mjd_utc: Rounded::new(mjd, 5),
            ..line()
        };
        text.write().expect("fits").get(15..56).expect("in the line").to_owned()
    };
    // 119.99999 s of time round to the next minute, hour and day.
    assert_eq!(at(14.999_999_9, 9.999_999, 60_310.0), "2024 01 01.00000 01 00 00.00 +10 00 00.0 ");
    assert_eq!(
        at(359.999_999_9, -0.000_01, 60_309.999_999_9),
        "2024 01 01.00000 00 00 00.00 -00 00 00.0 "
    );
    assert_eq!(at(0.0, -0.002_777_8, 60_310.5), "2024 01 01.50000 00 00 00.00 -00 00 10.0 ");
    assert_eq!(at(-0.25, 90.0, 60_310.5), "2024 01 01.50000 23 59 00.00 +90 00 00.0 ");
}

#[test]
fn a_declination_just_south_of_the_equator_keeps_its_sign() {
    let south = Line80 { dec_deg: Rounded::new(-0.25, 2), ..line() };
    let read = Line80::read(&south.write().expect("fits")).expect("reads");
    assert!((read.dec_deg.value() + 0.25).abs() < 1e-12);
}

#[test]
fn what_is_written_reads_back() {
    for step in 0..500 {
        let turn = f64::from(step) / 500.0;
        let written = Line80 {
            ra_deg: Rounded::new(360.0 * turn, 3),
            dec_deg: Rounded::new(180.0 * turn - 90.0, 2),
            mid_mjd_utc: Rounded::new(59_000.0 + 777.0 * turn, 6),
            ..line()
        };
        let text = written.write().expect("fits");
        let read = Line80::read(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let difference = |a: Rounded, b: Rounded| (a.value() - b.value()).abs();
        // Half of the last digit: 0.0005 s of time, 0.005 arcsec, 0.0000005 d.
        assert!(difference(read.ra_deg, written.ra_deg) < 2.1e-6, "{text}");
        assert!(difference(read.dec_deg, written.dec_deg) < 1.4e-6, "{text}");
        assert!(difference(read.mid_mjd_utc, written.mid_mjd_utc) < 5.1e-7, "{text}");
        assert_eq!(read.write().expect("fits"), text);
    }
}

#[test]
fn other_lines_are_refused() {
    let whole = PUBLISHED[0];
    let with = |first: usize, text: &str| {
        let mut line = whole.to_owned();
        line.replace_range(first - 1..first - 1 + text.len(), text);
        Line80::read(&line)
    };
    assert_eq!(Line80::read(""), Err(Obs80Error::Length { found: 0 }));
    assert!(matches!(Line80::read(&"ä".repeat(40)), Err(Obs80Error::Length { .. })));
    assert_eq!(with(15, "S"), Err(Obs80Error::TwoLines));
    assert_eq!(with(16, "2015 13 20"), Err(Obs80Error::Date));
    assert_eq!(with(16, "2015 09 40"), Err(Obs80Error::Date));
    assert_eq!(with(33, "25 41 07.88"), Err(Obs80Error::RightAscension));
    assert_eq!(with(33, "21 41 60.00"), Err(Obs80Error::RightAscension));
    assert_eq!(with(45, " 10 51 09.0"), Err(Obs80Error::Declination));
    assert_eq!(with(45, "-90 51 09.0"), Err(Obs80Error::Declination));
    assert_eq!(with(60, "x"), Err(Obs80Error::NotBlank { first: 57, last: 65 }));
    assert_eq!(with(66, "2x.8"), Err(Obs80Error::Magnitude));
    let wide = Line80 { designation: "     ABCDEFGH".to_owned(), ..line() };
    assert_eq!(wide.write(), Err(Obs80Error::Unfit { what: "designation" }));
    let station = Line80 { station: "Zß".to_owned(), ..line() };
    assert_eq!(station.write(), Err(Obs80Error::Unfit { what: "station" }));
    let nan = Line80 { mag: Some(Rounded::new(f64::NAN, 1)), ..line() };
    assert!(nan.write().map_or(true, |text| text.len() == 80));
}

#[test]
fn headers_are_broken_at_blanks_and_plain() {
    let observers = (0..20).map(|n| format!("A. Name{n}")).collect::<Vec<_>>().join(", ");
    let text = header(&[("COD", "J75"), ("OBS", &observers), ("MEA", "A. Ñandú"), ("ACK", "")]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "COD J75");
    assert!(lines.iter().all(|line| line.len() <= LENGTH));
    assert!(
        lines[1..4].iter().all(|line| line.starts_with("OBS A. N") || line.starts_with("OBS Name"))
    );
    assert_eq!(lines.last(), Some(&"MEA A. Nandu"));
}
