//! The regression of Automatic-SSOs: Gaia G against instrumental magnitude, slope free.
//!
//! Model: G = intercept + slope * m, ordinary least squares. After each fit the stars with |r| >=
//! mean(|r|) + SIGM * std(|r|) are left out, until none is: of Gaussian residuals that cuts at 2.3
//! sigma for SIGM = 2.5. Two things are ours: the error of a magnitude carries the covariance of
//! intercept and slope, without which it comes out several times too large (the magnitudes lie far
//! from zero), and residuals that are all equal remove nobody.

/// Fewest stars that are fitted.
const STARS_MIN: usize = 4;
/// Most rounds: each but the last removes a star.
const ROUNDS_MAX: usize = 1000;

/// Which stars are fitted and when a fit is believed; names of Automatic-SSOs in brackets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegressionParams {
    /// Stars must be fainter than this [mag, Gaia G] (MIN_MAG).
    pub min_mag: f64,
    /// Stars must be brighter than this [mag, Gaia G] (MAX_MAG).
    pub max_mag: f64,
    /// Errors of both magnitudes must be below this [mag] (MAX_MAGERR).
    pub max_magerr_mag: f64,
    /// Clipping factor (SIGM).
    pub sigma: f64,
    /// Frames whose fit has a lower coefficient of determination are not believed (R2).
    pub r2_min: f64,
}

impl Default for RegressionParams {
    fn default() -> Self {
        Self { min_mag: 12.0, max_mag: 16.0, max_magerr_mag: 0.1, sigma: 2.5, r2_min: 0.98 }
    }
}

/// A star measured on the frame and listed in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegressionStar {
    /// Instrumental magnitude; not finite when it could not be measured [mag].
    pub instrumental_mag: f64,
    /// Its error [mag].
    pub instrumental_err_mag: f64,
    /// Gaia G [mag].
    pub g_mag: f64,
    /// Its error, 0 when the catalogue tells none [mag].
    pub g_err_mag: f64,
}

/// The line of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// G at an instrumental magnitude of zero [mag].
    pub intercept_mag: f64,
    /// Its error [mag].
    pub intercept_err_mag: f64,
    /// Slope.
    pub slope: f64,
    /// Its error.
    pub slope_err: f64,
    /// Covariance of intercept and slope [mag].
    pub covariance_mag: f64,
    /// Coefficient of determination of the stars kept.
    pub r2: f64,
}

impl Line {
    /// Calibrated magnitude of an instrumental one [mag].
    pub fn mag(&self, instrumental_mag: f64) -> f64 {
        self.intercept_mag + self.slope * instrumental_mag
    }

    /// Error of the line at an instrumental magnitude, the covariance included [mag].
    pub fn err_mag(&self, instrumental_mag: f64) -> f64 {
        let variance = self.intercept_err_mag.powi(2)
            + (instrumental_mag * self.slope_err).powi(2)
            + 2.0 * instrumental_mag * self.covariance_mag;
        variance.max(0.0).sqrt()
    }

    /// Error of a calibrated magnitude: the line's and the measurement's [mag].
    pub fn mag_err(&self, instrumental_mag: f64, instrumental_err_mag: f64) -> f64 {
        self.err_mag(instrumental_mag).hypot(self.slope * instrumental_err_mag)
    }

    /// The same without the covariance, as Automatic-SSOs writes it: too large [mag].
    pub fn uncorrelated_mag_err(&self, instrumental_mag: f64, instrumental_err_mag: f64) -> f64 {
        let slope = instrumental_mag * self.slope_err;
        slope.hypot(self.intercept_err_mag).hypot(self.slope * instrumental_err_mag)
    }
}

/// A frame's regression and what became of each star.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Regression {
    /// The line; `None` with fewer than four stars in the range.
    pub line: Option<Line>,
    /// Stars in the range of magnitudes and errors.
    pub n_in_range: usize,
    /// Stars kept.
    pub n_used: usize,
    /// Rounds of fitting.
    pub n_rounds: usize,
    /// Whether each star was kept, in step with the stars given.
    pub is_used: Vec<bool>,
}

/// Fits the line of a frame.
pub fn regress(stars: &[RegressionStar], params: &RegressionParams) -> Regression {
    let is_in_range = |s: &RegressionStar| {
        s.instrumental_mag.is_finite()
            && s.g_err_mag < params.max_magerr_mag
            && s.instrumental_err_mag < params.max_magerr_mag
            && s.g_mag > params.min_mag
            && s.g_mag < params.max_mag
    };
    let mut is_used: Vec<bool> = stars.iter().map(is_in_range).collect();
    let count = |used: &[bool]| used.iter().filter(|u| **u).count();
    let n_in_range = count(&is_used);
    let mut found = Regression { n_in_range, n_used: n_in_range, ..Regression::default() };
    while found.n_rounds < ROUNDS_MAX {
        let kept: Vec<&RegressionStar> =
            stars.iter().zip(&is_used).filter(|(_, used)| **used).map(|(s, _)| s).collect();
        let Some(line) = fit(&kept) else { break };
        found.line = Some(line);
        found.n_rounds += 1;
        let distance = |s: &RegressionStar| (s.g_mag - line.mag(s.instrumental_mag)).abs();
        let limit = limit(&kept.iter().map(|s| distance(s)).collect::<Vec<f64>>(), params.sigma);
        let mut has_changed = false;
        for (used, star) in is_used.iter_mut().zip(stars) {
            if *used && distance(star) >= limit {
                *used = false;
                has_changed = true;
            }
        }
        if !has_changed {
            break;
        }
    }
    found.n_used = count(&is_used);
    found.is_used = is_used;
    found
}

/// Distance from which on a star is left out; infinite when all lie at one distance.
fn limit(distances: &[f64], sigma: f64) -> f64 {
    let n = distances.len() as f64;
    let mean = distances.iter().sum::<f64>() / n;
    let spread = (distances.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n).sqrt();
    // Residuals that differ by rounding alone are no outliers.
    if spread > 1e-12 { mean + sigma * spread } else { f64::INFINITY }
}

/// Ordinary least squares; `None` with too few stars or all at one magnitude.
fn fit(stars: &[&RegressionStar]) -> Option<Line> {
    let n = stars.len() as f64;
    if stars.len() < STARS_MIN {
        return None;
    }
    let mean = |of: fn(&RegressionStar) -> f64| stars.iter().map(|s| of(s)).sum::<f64>() / n;
    let (x, y) = (mean(|s| s.instrumental_mag), mean(|s| s.g_mag));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for star in stars {
        let (dx, dy) = (star.instrumental_mag - x, star.g_mag - y);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    if xx <= 0.0 {
        return None;
    }
    let slope = xy / xx;
    let rest =
        stars.iter().map(|s| (s.g_mag - y - slope * (s.instrumental_mag - x)).powi(2)).sum::<f64>();
    let variance = rest / (n - 2.0);
    Some(Line {
        intercept_mag: y - slope * x,
        intercept_err_mag: (variance * (1.0 / n + x * x / xx)).sqrt(),
        slope,
        slope_err: (variance / xx).sqrt(),
        covariance_mag: -x * variance / xx,
        r2: if yy > 0.0 { 1.0 - rest / yy } else { 0.0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the seeds' behaviour, section 7.2.
    fn stars() -> Vec<RegressionStar> {
        let mut stars: Vec<RegressionStar> = (0..40)
            .map(|i| {
                let i = f64::from(i);
                let g_mag = 12.05 + 0.1 * i;
                let wave = 0.02 * (1.7 * i).sin() + 0.005 * (0.9 * i * i).cos();
                RegressionStar {
                    instrumental_mag: g_mag - 21.3 + wave,
                    instrumental_err_mag: 0.004 + 0.0008 * i,
                    g_mag,
                    g_err_mag: 0.001,
                }
            })
            .collect();
        stars[7].instrumental_mag += 0.6;
        stars[23].instrumental_mag -= 0.4;
        stars[11].instrumental_mag = f64::NAN;
        stars
    }

    #[test]
    fn the_seeds_numbers_come_out() {
        let found = regress(&stars(), &RegressionParams::default());
        let line = found.line.expect("stars");
        assert_eq!((found.n_used, found.n_rounds), (37, 2));
        let near = |value: f64, expected: f64| assert!((value - expected).abs() < 2e-10, "{value}");
        near(line.intercept_mag, 21.304_557_371_6);
        near(line.intercept_err_mag, 0.015_324_805_3);
        near(line.slope, 1.000_548_493_4);
        near(line.slope_err, 0.002_085_796_9);
        near(line.r2, 0.999_847_920_8);
        near(line.mag(-6.5), 14.800_992_164_7);
        near(line.uncorrelated_mag_err(-6.5, 0.03), 0.036_326_958_3);
    }

    #[test]
    fn the_covariance_makes_the_lines_error_small_amid_the_stars() {
        let line = regress(&stars(), &RegressionParams::default()).line.expect("stars");
        // In the middle of the stars the error is that of a mean: scatter over root n.
        let scatter = line.slope_err * 37.0_f64.sqrt() * 1.155; // spread of 0 .. 3.9 in steps: 1.15
        assert!(line.err_mag(-7.3) < 1.1 * scatter / 37.0_f64.sqrt(), "{line:?}");
        assert!(line.uncorrelated_mag_err(-7.3, 0.0) > 6.0 * line.err_mag(-7.3), "{line:?}");
        let away = line.err_mag(-4.0);
        assert!(away > 2.0 * line.err_mag(-7.3), "{away}");
    }

    #[test]
    fn a_line_without_residuals_keeps_all_and_few_stars_give_none() {
        let exact: Vec<RegressionStar> = stars()
            .into_iter()
            .map(|s| RegressionStar { instrumental_mag: s.g_mag - 21.0, ..s })
            .collect();
        let found = regress(&exact, &RegressionParams::default());
        assert_eq!(found.n_used, found.n_in_range);
        assert!(found.line.is_some_and(|line| (line.slope - 1.0).abs() < 1e-12));
        let few = regress(&exact[..3], &RegressionParams::default());
        assert!(few.line.is_none() && few.n_used == 3);
    }
}
