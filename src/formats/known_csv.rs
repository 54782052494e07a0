//! SkyBoT-style lists of predicted places of known objects.
//!
//! Columns by name, any order: `ra`, `dec` [deg] and `mjd_mid` or `file` are needed; `num`,
//! `name`, `class`, `err_arcsec`, `dra_arcsec_h` (with cos(Dec)), `ddec_arcsec_h`, `mv` are used
//! when there. What services answered is kept in the same form.

use std::io::Read;

use crate::science::movers::known::{KnownPlace, UNTOLD_ERR_ARCSEC};

/// Rows beyond this are not read.
const ROWS_MAX: usize = 5_000_000;

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnownCsvError {
    /// The bytes are no CSV.
    #[error("cannot read the list of known objects")]
    Read(#[from] csv::Error),
    /// A column that is needed is missing.
    #[error("the list of known objects has no column `{column}`")]
    MissingColumn {
        /// Its name.
        column: &'static str,
    },
}

/// Reads a list; gives the places and how many rows could not be used.
pub fn read_known(source: impl Read) -> Result<(Vec<KnownPlace>, usize), KnownCsvError> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(source);
    let headers = reader.headers()?.clone();
    let column = |name: &str| headers.iter().position(|h| h.eq_ignore_ascii_case(name));
    let needed =
        |column: &'static str, at: Option<usize>| at.ok_or(KnownCsvError::MissingColumn { column });
    let (ra, dec) = (needed("ra", column("ra"))?, needed("dec", column("dec"))?);
    let (file, mjd) = (column("file"), column("mjd_mid"));
    if file.is_none() && mjd.is_none() {
        return Err(KnownCsvError::MissingColumn { column: "mjd_mid" });
    }
    let (number, name, err) = (column("num"), column("name"), column("err_arcsec"));
    let (class, v_mag) = (column("class"), column("mv"));
    let (rate_ra, rate_dec) = (column("dra_arcsec_h"), column("ddec_arcsec_h"));
    let (mut places, mut n_bad) = (Vec::new(), 0);
    for row in reader.records().take(ROWS_MAX) {
        let row = row?;
        let text = |at: Option<usize>| at.and_then(|i| row.get(i)).filter(|t| !t.is_empty());
        let real = |at: Option<usize>| {
            text(at).and_then(|t| t.parse::<f64>().ok()).filter(|v| v.is_finite())
        };
        let (Some(ra_deg), Some(dec_deg)) = (real(Some(ra)), real(Some(dec))) else {
            n_bad += 1;
            continue;
        };
        let words = [text(number).filter(|t| *t != "-"), text(name)];
        places.push(KnownPlace {
            file: text(file).map(str::to_owned),
            mid_mjd_utc: real(mjd),
            designation: words.into_iter().flatten().collect::<Vec<_>>().join(" "),
            class: text(class).map(str::to_owned),
            ra_deg,
            dec_deg,
            err_arcsec: real(err).unwrap_or(UNTOLD_ERR_ARCSEC).abs(),
            rate_arcsec_per_h: real(rate_ra).zip(real(rate_dec)),
            v_mag: real(v_mag),
        });
    }
    Ok((places, n_bad))
}

/// Columns of a list as it is written.
const COLUMNS: [&str; 11] = [
    "file",
    "mjd_mid",
    "num",
    "name",
    "ra",
    "dec",
    "class",
    "mv",
    "err_arcsec",
    "dra_arcsec_h",
    "ddec_arcsec_h",
];

/// Writes a list that [`read_known`] reads; numbers keep all their digits.
pub fn write_known<'a>(places: impl Iterator<Item = &'a KnownPlace>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let real = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(places.map(|place| {
        let (number, name) = number_and_name(&place.designation);
        let rate = place.rate_arcsec_per_h;
        [
            place.file.clone().unwrap_or_default(),
            real(place.mid_mjd_utc),
            number.unwrap_or("-").to_owned(),
            name.to_owned(),
            real(Some(place.ra_deg)),
            real(Some(place.dec_deg)),
            place.class.clone().unwrap_or_default(),
            real(place.v_mag),
            real(Some(place.err_arcsec)),
            real(rate.map(|rate| rate.0)),
            real(rate.map(|rate| rate.1)),
        ]
    }));
    for row in &rows {
        writer.write_record(row).expect("memory takes any row of this length");
    }
    String::from_utf8(writer.into_inner().expect("memory needs no flush")).unwrap_or_default()
}

/// The number that a designation begins with, and the rest: `22767 Sim22767`, `2014 AA`.
pub fn number_and_name(designation: &str) -> (Option<&str>, &str) {
    let (first, rest) = designation.split_once(' ').unwrap_or((designation, ""));
    let is_number = !first.is_empty() && first.bytes().all(|c| c.is_ascii_digit());
    let is_whole = crate::formats::designation::Designation::from_name(designation)
        .is_some_and(|found| found.to_string() == first);
    if is_number && is_whole { (Some(first), rest.trim()) } else { (None, designation) }
}

/// Whether a designation, as `12 Victoria`, is meant by its number, its name or both.
pub fn is_called(designation: &str, name: &str) -> bool {
    let plain = |text: &str| text.replace(['(', ')'], "").trim().to_lowercase();
    let (designation, name) = (plain(designation), plain(name));
    let rest = designation.split_once(' ').map_or("", |(_, rest)| rest);
    let number = designation.split(' ').next().filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
    designation == name || rest == name || number == Some(name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let place = |designation: &str, v_mag| KnownPlace {
            file: None,
            mid_mjd_utc: Some(60_586.979_166_666_7),
            designation: designation.to_owned(),
            class: Some("MB>Inner".to_owned()),
            ra_deg: 81.303_190_599_627_36,
            dec_deg: -4.490_300_172_328_435,
            err_arcsec: 0.025,
            rate_arcsec_per_h: Some((-2.9183, 0.419)),
            v_mag,
        };
        let places = vec![
            place("229762 G!kun||'homdima", Some(19.6)),
            place("2014 AA", None),
            place("2040 P-L", Some(21.0)),
            place("C/2002 O4 (Hoenig), a \"comet\"", Some(12.5)),
            place("433", None),
        ];
        let (read, n_bad) = read_known(write_known(places.iter()).as_bytes()).expect("a list");
        assert_eq!((read, n_bad), (places, 0));
        assert_eq!(number_and_name("2014 AA"), (None, "2014 AA"));
        assert_eq!(number_and_name("433 Eros"), (Some("433"), "Eros"));
    }

    #[test]
    fn a_list_is_read_and_bad_rows_are_counted() {
        let text = "file,mjd_mid,num,name,ra,dec,err_arcsec,dra_arcsec_h,ddec_arcsec_h\n\
                    a.fits,60000.5,12,Victoria,10.5,-3.25,0.4,-30.5,12\n\
                    a.fits,60000.5,-,2008 UC100,x,1,0.4,1,1\n";
        let (places, n_bad) = read_known(text.as_bytes()).expect("a list");
        assert_eq!((places.len(), n_bad), (1, 1));
        assert_eq!(places[0].designation, "12 Victoria");
        assert_eq!(places[0].rate_arcsec_per_h, Some((-30.5, 12.0)));
        let missing = read_known("ra,dec\n1,2\n".as_bytes());
        assert!(matches!(missing, Err(KnownCsvError::MissingColumn { column: "mjd_mid" })));
    }

    #[test]
    fn objects_are_called_by_number_name_or_both() {
        for name in ["12", "victoria", "12 Victoria", "(12) Victoria"] {
            assert!(is_called("12 Victoria", name), "{name}");
        }
        assert!(is_called("2008 UC100", "2008 uc100"));
        assert!(!is_called("2008 UC100", "UC10"));
        assert!(!is_called("112 Iphigenia", "12"));
    }
}
