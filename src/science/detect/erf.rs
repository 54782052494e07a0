//! The complementary error function.

/// erfc(x) for x >= 0, error below 1.5e-7.
///
/// Source: Abramowitz & Stegun 1964, Handbook of Mathematical Functions, 7.1.26.
pub fn erfc(x: f64) -> f64 {
    const P: f64 = 0.327_591_1;
    const A: [f64; 5] =
        [0.254_829_592, -0.284_496_736, 1.421_413_741, -1.453_152_027, 1.061_405_429];
    let t = 1.0 / (1.0 + P * x);
    let polynomial = A.iter().rev().fold(0.0, |sum, a| (sum + a) * t);
    polynomial * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values_come_out() {
        // Abramowitz & Stegun, table 7.1.
        for (x, expected) in
            [(0.0, 1.0), (0.5, 0.479_500_1), (1.0, 0.157_299_2), (2.0, 0.004_677_7)]
        {
            assert!((erfc(x) - expected).abs() < 2e-7, "{x}: {}", erfc(x));
        }
    }
}
