//! TPV: polynomials on the tangent plane, as SCAMP writes and SWarp reads them.
//!
//! x and y are the intermediate coordinates CD (pixel - CRPIX) [deg]; xi is a polynomial of
//! (x, y), eta one of (y, x). Terms are numbered by rising degree; numbers 3, 11, 23 and 39 are
//! odd powers of the radius, which no polynomial gives: a WCS that uses them is not read.
//! As pixels from CRPIX map to (x, y) by a matrix, SIP and TPV of the same order say the same,
//! and one is turned into the other exactly.
//! Source: <https://fits.gsfc.nasa.gov/registry/tpvwcs/tpv.html>; SCAMP's PV under TAN is the
//! same with another CTYPE.

use super::polynomial::{Polynomial, exponents};
use super::sip::Sip;
use super::wcs::Wcs;
use crate::science::units::DEG_RAD;

/// Highest order that TPV has.
pub const TPV_ORDER_MAX: usize = 7;
/// Numbers of the terms of the radius.
const RADIAL: [usize; 4] = [3, 11, 23, 39];
/// Largest number of a term.
const NUMBER_MAX: usize = 39;

/// Number of the term x^i y^j.
fn number(i: usize, j: usize) -> usize {
    let degree = i + j;
    // Each odd degree below has a term of the radius behind it.
    degree * (degree + 1) / 2 + j + degree / 2
}

/// PV keywords (name, value) of a distortion; those that are zero are left out, PVi_1 is not.
///
/// `None` when the order is above 7.
pub fn to_pv(sip: &Sip, cd_rad_per_px: [[f64; 2]; 2]) -> Option<Vec<(String, f64)>> {
    let order = sip.a.order().max(sip.b.order()).max(1);
    if order > TPV_ORDER_MAX {
        return None;
    }
    let cd = cd_rad_per_px.map(|row| row.map(|c| c / DEG_RAD));
    let inverse = inverted(cd)?;
    // In pixels: u + A and v + B.
    let with = |p: &Polynomial, (i0, j0): (usize, usize)| {
        Polynomial::from_terms(order, |i, j| {
            p.coefficient(i, j) + if (i, j) == (i0, j0) { 1.0 } else { 0.0 }
        })
    };
    let u = substituted(&with(&sip.a, (1, 0)), inverse);
    let v = substituted(&with(&sip.b, (0, 1)), inverse);
    let combined = |row: [f64; 2]| {
        Polynomial::from_terms(order, |i, j| {
            row[0] * u.coefficient(i, j) + row[1] * v.coefficient(i, j)
        })
    };
    let (xi, eta) = (combined(cd[0]), combined(cd[1]));
    let mut keywords = Vec::new();
    for (axis, polynomial) in [(1, &xi), (2, &eta)] {
        let mut of_axis: Vec<(usize, f64)> = exponents(order)
            .map(|(i, j)| {
                let value = polynomial.coefficient(i, j);
                // The second axis counts y first.
                (if axis == 1 { number(i, j) } else { number(j, i) }, value)
            })
            .filter(|(number, value)| *number == 1 || value.abs() > 0.0)
            .collect();
        of_axis.sort_unstable_by_key(|(number, _)| *number);
        keywords.extend(of_axis.into_iter().map(|(k, value)| (format!("PV{axis}_{k}"), value)));
    }
    Some(keywords)
}

/// Tells whether there are PV keywords that make a distortion.
pub fn has_pv(get: &impl Fn(&str) -> Option<f64>) -> bool {
    // PV1_0 to PV1_4 and PV2_0 alone may also mean the native longitude of old headers.
    (1..=2).any(|axis| (4..=NUMBER_MAX).any(|k| get(&format!("PV{axis}_{k}")).is_some()))
        || (get("PV1_1").is_some() && get("PV2_1").is_some())
}

/// The distortion of PV keywords; `None` when it uses terms of the radius.
pub fn from_pv(get: &impl Fn(&str) -> Option<f64>, cd_rad_per_px: [[f64; 2]; 2]) -> Option<Sip> {
    let value = |axis: usize, k: usize| get(&format!("PV{axis}_{k}"));
    let is_radial =
        (1..=2).any(|axis| RADIAL.iter().any(|&k| value(axis, k).is_some_and(|v| v.abs() > 0.0)));
    if is_radial {
        return None;
    }
    let used = exponents(TPV_ORDER_MAX)
        .filter(|&(i, j)| (1..=2).any(|axis| value(axis, number(i, j)).is_some()));
    let order = used.map(|(i, j)| i + j).max().unwrap_or(1).max(1);
    // A missing PVi_1 is 1, all others 0.
    let term = |axis: usize, k: usize| value(axis, k).unwrap_or(if k == 1 { 1.0 } else { 0.0 });
    let xi = Polynomial::from_terms(order, |i, j| term(1, number(i, j)));
    let eta = Polynomial::from_terms(order, |i, j| term(2, number(j, i)));
    let cd = cd_rad_per_px.map(|row| row.map(|c| c / DEG_RAD));
    let inverse = inverted(cd)?;
    let (xi, eta) = (substituted(&xi, cd), substituted(&eta, cd));
    let pixels = |row: [f64; 2], (i0, j0): (usize, usize)| {
        Polynomial::from_terms(order, |i, j| {
            let whole = row[0] * xi.coefficient(i, j) + row[1] * eta.coefficient(i, j);
            whole - if (i, j) == (i0, j0) { 1.0 } else { 0.0 }
        })
    };
    let none = || Polynomial::new(0, Vec::new());
    Some(Sip {
        a: pixels(inverse[0], (1, 0)),
        b: pixels(inverse[1], (0, 1)),
        ap: none(),
        bp: none(),
    })
}

impl Wcs {
    /// The same WCS with what a distortion has of degree 0 and 1 put into CRPIX and CD.
    ///
    /// SIP has no such terms. The tangent point stays; its pixel is looked for.
    pub fn without_low_terms(mut self) -> Option<Self> {
        let Some(sip) = self.sip.take() else { return Some(self) };
        let (u, v) = sip.inverse(0.0, 0.0)?;
        let (a, b) = (shifted(&sip.a, (u, v)), shifted(&sip.b, (u, v)));
        // u + A around the new origin: (1 + a10) u + a01 v + ..., the constant is zero there.
        let linear = [
            [1.0 + a.coefficient(1, 0), a.coefficient(0, 1)],
            [b.coefficient(1, 0), 1.0 + b.coefficient(0, 1)],
        ];
        let inverse = inverted(linear)?;
        let high = |row: [f64; 2]| {
            Polynomial::from_terms(a.order().max(b.order()), |i, j| {
                let is_high = i + j >= 2;
                let sum = row[0] * a.coefficient(i, j) + row[1] * b.coefficient(i, j);
                if is_high { sum } else { 0.0 }
            })
        };
        let cd = self.cd_rad_per_px;
        let entry = |i: usize, j: usize| cd[i][0] * linear[0][j] + cd[i][1] * linear[1][j];
        self.cd_rad_per_px = [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]];
        self.crpix_px = (self.crpix_px.0 + u, self.crpix_px.1 + v);
        let none = || Polynomial::new(0, Vec::new());
        self.sip = Some(Sip { a: high(inverse[0]), b: high(inverse[1]), ap: none(), bp: none() });
        Some(self)
    }
}

fn inverted([[a, b], [c, d]]: [[f64; 2]; 2]) -> Option<[[f64; 2]; 2]> {
    let determinant = a * d - b * c;
    let is_regular = determinant.is_finite() && determinant.abs() > 0.0;
    is_regular.then(|| [[d / determinant, -b / determinant], [-c / determinant, a / determinant]])
}

/// p(m (x, y)) as a polynomial of (x, y).
fn substituted(p: &Polynomial, m: [[f64; 2]; 2]) -> Polynomial {
    composed(p, [[0.0, m[0][0], m[0][1]], [0.0, m[1][0], m[1][1]]])
}

/// p(x + dx, y + dy) as a polynomial of (x, y).
fn shifted(p: &Polynomial, (dx, dy): (f64, f64)) -> Polynomial {
    composed(p, [[dx, 1.0, 0.0], [dy, 0.0, 1.0]])
}

/// p(c00 + c01 x + c02 y, c10 + c11 x + c12 y) as a polynomial of (x, y).
fn composed(p: &Polynomial, c: [[f64; 3]; 2]) -> Polynomial {
    let order = p.order();
    let one = Polynomial::from_terms(order, |i, j| if i + j == 0 { 1.0 } else { 0.0 });
    let times = |q: &Polynomial, row: [f64; 3]| {
        Polynomial::from_terms(order, |i, j| {
            let from_x = if i > 0 { row[1] * q.coefficient(i - 1, j) } else { 0.0 };
            let from_y = if j > 0 { row[2] * q.coefficient(i, j - 1) } else { 0.0 };
            row[0] * q.coefficient(i, j) + from_x + from_y
        })
    };
    let mut sum = Polynomial::new(order, Vec::new());
    for (i, j) in exponents(order) {
        let factor = p.coefficient(i, j);
        let mut power = one.clone();
        for _ in 0..i {
            power = times(&power, c[0]);
        }
        for _ in 0..j {
            power = times(&power, c[1]);
        }
        let before = sum.clone();
        sum = Polynomial::from_terms(order, |k, l| {
            before.coefficient(k, l) + factor * power.coefficient(k, l)
        });
    }
    sum
}

#[cfg(test)]
#[path = "tpv_tests.rs"]
mod tests;
