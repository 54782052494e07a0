//! Polynomials in two variables, as distortion is written.
//!
//! Terms x^i y^j with i + j <= order, by rising degree d = i + j, then rising j:
//! 1; x, y; x^2, x y, y^2; ... The term (i, j) has the index d (d + 1) / 2 + j.

/// Highest order that is read or written (the SIP convention allows 9).
pub const ORDER_MAX: usize = 9;

/// Terms of that order.
pub const TERMS_MAX: usize = term_count(ORDER_MAX);

/// A polynomial in two variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Polynomial {
    order: usize,
    coefficients: Vec<f64>,
}

/// Value and gradient of a polynomial at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// The value.
    pub value: f64,
    /// Derivative by x.
    pub by_x: f64,
    /// Derivative by y.
    pub by_y: f64,
}

/// Number of terms of a polynomial of this order.
pub const fn term_count(order: usize) -> usize {
    (order + 1) * (order + 2) / 2
}

/// Exponents (i, j) of the terms of a polynomial in the order of its coefficients.
pub fn exponents(order: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..=order).flat_map(|degree| (0..=degree).map(move |j| (degree - j, j)))
}

/// Values of all terms at a point, in the order of the coefficients.
pub fn terms(order: usize, x: f64, y: f64) -> Vec<f64> {
    let mut values = [0.0; TERMS_MAX];
    terms_into(order, (x, y), &mut values).to_vec()
}

/// The same without asking for memory; returns the part that was filled.
pub fn terms_into(order: usize, (x, y): (f64, f64), into: &mut [f64; TERMS_MAX]) -> &[f64] {
    let order = order.min(ORDER_MAX);
    let (px, py) = (powers(order, x), powers(order, y));
    let mut k = 0;
    for degree in 0..=order {
        for j in 0..=degree {
            into[k] = px[degree - j] * py[j];
            k += 1;
        }
    }
    &into[..k]
}

fn powers(order: usize, x: f64) -> [f64; ORDER_MAX + 1] {
    let mut result = [1.0; ORDER_MAX + 1];
    for k in 1..=order.min(ORDER_MAX) {
        result[k] = result[k - 1] * x;
    }
    result
}

impl Polynomial {
    /// The polynomial with these coefficients; missing ones are 0, the order is at most 9.
    pub fn new(order: usize, mut coefficients: Vec<f64>) -> Self {
        let order = order.min(ORDER_MAX);
        coefficients.resize(term_count(order), 0.0);
        Self { order, coefficients }
    }

    /// The polynomial whose coefficient of x^i y^j is `coefficient(i, j)`.
    pub fn from_terms(order: usize, coefficient: impl Fn(usize, usize) -> f64) -> Self {
        let order = order.min(ORDER_MAX);
        Self { order, coefficients: exponents(order).map(|(i, j)| coefficient(i, j)).collect() }
    }

    /// The highest degree.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Coefficient of x^i y^j; 0 beyond the order.
    pub fn coefficient(&self, i: usize, j: usize) -> f64 {
        let degree = i + j;
        if degree > self.order {
            return 0.0;
        }
        self.coefficients[degree * (degree + 1) / 2 + j]
    }

    /// The value at a point, by Horner's scheme in x for each power of y.
    pub fn value(&self, x: f64, y: f64) -> f64 {
        let mut sum = 0.0;
        for j in (0..=self.order).rev() {
            let mut in_x = 0.0;
            let mut k = self.order * (self.order + 1) / 2 + j;
            for degree in (j..=self.order).rev() {
                in_x = in_x * x + self.coefficients.get(k).copied().unwrap_or(0.0);
                k = k.wrapping_sub(degree);
            }
            sum = sum * y + in_x;
        }
        sum
    }

    /// Value and gradient at a point.
    pub fn slope(&self, x: f64, y: f64) -> Slope {
        let (px, py) = (powers(self.order, x), powers(self.order, y));
        let mut slope = Slope { value: 0.0, by_x: 0.0, by_y: 0.0 };
        let mut coefficients = self.coefficients.iter();
        for degree in 0..=self.order {
            for (j, c) in (0..=degree).zip(&mut coefficients) {
                let i = degree - j;
                slope.value += c * px[i] * py[j];
                if i > 0 {
                    slope.by_x += c * i as f64 * px[i - 1] * py[j];
                }
                if j > 0 {
                    slope.by_y += c * j as f64 * px[i] * py[j - 1];
                }
            }
        }
        slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_and_slope_of_a_known_polynomial() {
        // p = 2 + 3 y + x^2 y - y^3 at (2, -1): 2 - 3 - 4 + 1 = -4; dp/dx = 2 x y = -4;
        // dp/dy = 3 + x^2 - 3 y^2 = 4.
        let p = Polynomial::from_terms(3, |i, j| match (i, j) {
            (0, 0) => 2.0,
            (0, 1) => 3.0,
            (2, 1) => 1.0,
            (0, 3) => -1.0,
            _ => 0.0,
        });
        let slope = p.slope(2.0, -1.0);
        assert!((slope.value + 4.0).abs() < 1e-14 && (p.value(2.0, -1.0) + 4.0).abs() < 1e-14);
        assert!((slope.by_x + 4.0).abs() < 1e-14 && (slope.by_y - 4.0).abs() < 1e-14);
        assert!((p.coefficient(2, 1) - 1.0).abs() < 1e-14 && p.coefficient(4, 4).abs() < 1e-14);
        assert_eq!(terms(3, 2.0, -1.0).len(), term_count(3));
    }
}
