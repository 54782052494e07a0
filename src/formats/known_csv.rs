//! SkyBoT-style lists of predicted places of known objects.
//!
//! Columns by name, any order: `ra`, `dec` [deg] and `mjd_mid` or `file` are needed; `num`,
//! `name`, `err_arcsec`, `dra_arcsec_h` (with cos(Dec)), `ddec_arcsec_h`, `mv` are used when there.

use std::io::Read;

/// Rows beyond this are not read.
const ROWS_MAX: usize = 5_000_000;

/// A predicted place of a known object.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownPlace {
    /// File the prediction is for, when the list says so.
    pub file: Option<String>,
    /// Instant of the prediction [d, MJD UTC], when the list says so.
    pub mid_mjd_utc: Option<f64>,
    /// Number and name, e.g. `22767 Sim22767`.
    pub designation: String,
    /// Right ascension [deg].
    pub ra_deg: f64,
    /// Declination [deg].
    pub dec_deg: f64,
    /// Error of the place [arcsec]; 1 when the list does not say.
    pub err_arcsec: f64,
    /// Rates in RA (with cos(Dec)) and Dec [arcsec/h], when the list gives them.
    pub rate_arcsec_per_h: Option<(f64, f64)>,
}

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
            ra_deg,
            dec_deg,
            err_arcsec: real(err).unwrap_or(1.0).abs(),
            rate_arcsec_per_h: real(rate_ra).zip(real(rate_dec)),
        });
    }
    Ok((places, n_bad))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
