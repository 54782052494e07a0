//! A WCS as FITS keywords, and back.
//!
//! Pixels become 1-based and angles degrees here and nowhere else in the science. The names are
//! those of Greisen & Calabretta 2002 and of the SIP convention (Shupe et al. 2005).

use super::polynomial::{ORDER_MAX, Polynomial, exponents};
use super::sip::Sip;
use super::tpv::{from_pv, has_pv, to_pv};
use super::wcs::Wcs;
use crate::science::units::{DEG_RAD, wrap_positive_rad};

/// Value of a FITS keyword.
#[derive(Debug, Clone, PartialEq)]
pub enum KeywordValue {
    /// Integer, as `A_ORDER`.
    Integer(i64),
    /// Floating point, as `CRVAL1`.
    Real(f64),
    /// Text, as `CTYPE1`.
    Text(String),
}

/// How a distortion is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Convention {
    /// Polynomials of pixels (Shupe et al. 2005).
    #[default]
    Sip,
    /// Polynomials on the tangent plane, as SCAMP and SWarp use them.
    Tpv,
}

impl Wcs {
    /// The keywords that describe this WCS in one of the conventions.
    ///
    /// A distortion that TPV has no terms for (above order 7) is written as SIP.
    pub fn fits_keywords_as(&self, convention: Convention) -> Vec<(String, KeywordValue)> {
        let pv = match (&self.sip, convention) {
            (Some(sip), Convention::Tpv) => to_pv(sip, self.cd_rad_per_px),
            _ => None,
        };
        let Some(pv) = pv else { return self.fits_keywords() };
        let mut keywords = Self { sip: None, ..self.clone() }.fits_keywords();
        for (key, value) in &mut keywords {
            if let ("CTYPE1" | "CTYPE2", KeywordValue::Text(text)) = (key.as_str(), value) {
                *text = text.replace("-TAN", "-TPV");
            }
        }
        keywords.extend(pv.into_iter().map(|(key, value)| (key, KeywordValue::Real(value))));
        keywords
    }

    /// The keywords that describe this WCS, in the order of a header.
    ///
    /// Pixels are 1-based, angles degrees; AP and BP are given so that readers without an
    /// iterative inverse work as well.
    pub fn fits_keywords(&self) -> Vec<(String, KeywordValue)> {
        let suffix = if self.sip.is_some() { "-SIP" } else { "" };
        let text = |name: &str, value: String| (name.to_owned(), KeywordValue::Text(value));
        let real = |name: &str, value: f64| (name.to_owned(), KeywordValue::Real(value));
        let cd = self.cd_rad_per_px;
        let mut keywords = vec![
            ("WCSAXES".to_owned(), KeywordValue::Integer(2)),
            text("CTYPE1", format!("RA---TAN{suffix}")),
            text("CTYPE2", format!("DEC--TAN{suffix}")),
            text("CUNIT1", "deg".to_owned()),
            text("CUNIT2", "deg".to_owned()),
            text("RADESYS", "ICRS".to_owned()),
            real("CRVAL1", wrap_positive_rad(self.crval_rad.0) / DEG_RAD),
            real("CRVAL2", self.crval_rad.1 / DEG_RAD),
            real("CRPIX1", self.crpix_px.0 + 1.0),
            real("CRPIX2", self.crpix_px.1 + 1.0),
            real("CD1_1", cd[0][0] / DEG_RAD),
            real("CD1_2", cd[0][1] / DEG_RAD),
            real("CD2_1", cd[1][0] / DEG_RAD),
            real("CD2_2", cd[1][1] / DEG_RAD),
        ];
        if let Some(sip) = &self.sip {
            for (name, polynomial, degree_min) in
                [("A", &sip.a, 2), ("B", &sip.b, 2), ("AP", &sip.ap, 0), ("BP", &sip.bp, 0)]
            {
                push_polynomial(&mut keywords, name, polynomial, degree_min);
            }
        }
        keywords
    }

    /// The WCS of keywords: SIP where it stands, else PV as TPV has it, whatever CTYPE says.
    ///
    /// `get` returns the number of a keyword. `None` when a keyword of the linear part is
    /// missing, or the values make no WCS. Without AP and BP the inverse is left empty, which
    /// only [`Self::fits_keywords`] would show: [`Self::to_pixel`] iterates.
    pub fn from_fits_keywords(get: impl Fn(&str) -> Option<f64>) -> Option<Self> {
        let number = |name: &str| get(name).filter(|v| v.is_finite());
        let cd_rad_per_px = [
            [number("CD1_1")? * DEG_RAD, number("CD1_2")? * DEG_RAD],
            [number("CD2_1")? * DEG_RAD, number("CD2_2")? * DEG_RAD],
        ];
        let polynomial = |name: &str| {
            let order = number(&format!("{name}_ORDER"))?;
            // `ORDER_MAX` is 9: the comparison also keeps the conversion exact.
            (0.0..=ORDER_MAX as f64).contains(&order).then(|| {
                Polynomial::from_terms(order as usize, |i, j| {
                    number(&format!("{name}_{i}_{j}")).unwrap_or(0.0)
                })
            })
        };
        let sip = match (polynomial("A"), polynomial("B")) {
            (Some(a), Some(b)) => {
                let zero = || Polynomial::new(0, Vec::new());
                let ap = polynomial("AP").unwrap_or_else(zero);
                let bp = polynomial("BP").unwrap_or_else(zero);
                Some(Sip { a, b, ap, bp })
            }
            _ if has_pv(&number) => Some(from_pv(&number, cd_rad_per_px)?),
            _ => None,
        };
        let crval_rad = (number("CRVAL1")? * DEG_RAD, number("CRVAL2")? * DEG_RAD);
        let crpix_px = (number("CRPIX1")? - 1.0, number("CRPIX2")? - 1.0);
        let has_low_terms = sip.as_ref().is_some_and(|sip| {
            let low = [(0, 0), (1, 0), (0, 1)];
            let is_there =
                |p: &Polynomial| low.iter().any(|&(i, j)| p.coefficient(i, j).abs() > 0.0);
            is_there(&sip.a) || is_there(&sip.b)
        });
        let mut wcs = Self { crval_rad, crpix_px, cd_rad_per_px, sip };
        if has_low_terms {
            wcs = wcs.without_low_terms()?;
        }
        let is_regular = wcs.pixel_scale_arcsec() > 0.0 && wcs.crval_rad.1.abs() <= DEG_RAD * 90.0;
        is_regular.then_some(wcs)
    }
}

fn push_polynomial(
    keywords: &mut Vec<(String, KeywordValue)>,
    name: &str,
    polynomial: &Polynomial,
    degree_min: usize,
) {
    let order = i64::try_from(polynomial.order()).unwrap_or(0);
    keywords.push((format!("{name}_ORDER"), KeywordValue::Integer(order)));
    for (i, j) in exponents(polynomial.order()).filter(|(i, j)| i + j >= degree_min) {
        let value = polynomial.coefficient(i, j);
        keywords.push((format!("{name}_{i}_{j}"), KeywordValue::Real(value)));
    }
}
