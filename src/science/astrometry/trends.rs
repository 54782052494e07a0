//! Terms of places that depend on the magnitude or the colour of the star.
//!
//! Charge transfer, guiding and blends shift faint stars against bright ones; refraction and lenses
//! shift red stars against blue ones. The residuals of a night's stars, along the detector's
//! axes, are fitted with a constant and both slopes, weighted and clipped. Measured and told, not
//! applied: what a moving object's colour is nobody knows, and a mean of the night hides that
//! refraction turns with the zenith.

use super::fit::median;
use crate::science::sky::least_squares::NormalEquations;

/// Stars with colour that tell slopes.
const STARS_MIN: usize = 50;
/// Rounds of clipping.
const ROUNDS: usize = 5;
/// Residual along an axis beyond which a star is left out, in units of its error and the scatter.
const CLIP_SIGMA: f64 = 3.5;
/// The scatter is the median of lengths over this, for a normal law: 0.6745.
const MEDIAN_OF_NORMAL: f64 = 0.674_489_750_196_082;
/// Errors of places are taken for no smaller than this [mas].
const ERR_MIN_MAS: f64 = 1.0;

/// The residual of a star.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StarResidual {
    /// Catalogue minus solution along the detector's columns and rows [mas].
    pub residual_mas: (f64, f64),
    /// Its error per axis [mas].
    pub err_mas: f64,
    /// Gaia G [mag].
    pub mag: f64,
    /// Gaia BP-RP [mag].
    pub colour_mag: f64,
}

/// A slope and its error, each along the detector's axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// Slopes along x and y [mas/mag].
    pub mas_per_mag: (f64, f64),
    /// Their errors [mas/mag].
    pub err_mas_per_mag: (f64, f64),
}

/// How places depend on magnitude and colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trends {
    /// Per magnitude of G; fainter is positive.
    pub magnitude: Slope,
    /// Per magnitude of BP-RP; redder is positive.
    pub colour: Slope,
    /// Number of stars.
    pub n_stars: usize,
}

/// Value and error of both slopes along one axis.
type AxisSlopes = [(f64, f64); 2];

/// Fits both slopes; `None` with too few stars, or when magnitude and colour go together.
pub fn trends(stars: &[StarResidual]) -> Option<Trends> {
    if stars.len() < STARS_MIN {
        return None;
    }
    let mean = |value: &dyn Fn(&StarResidual) -> f64| {
        stars.iter().map(value).sum::<f64>() / stars.len() as f64
    };
    let means = (mean(&|s| s.mag), mean(&|s| s.colour_mag));
    let x = axis(stars, means, |s| s.residual_mas.0)?;
    let y = axis(stars, means, |s| s.residual_mas.1)?;
    let slope =
        |k: usize| Slope { mas_per_mag: (x[k].0, y[k].0), err_mas_per_mag: (x[k].1, y[k].1) };
    Some(Trends { magnitude: slope(0), colour: slope(1), n_stars: stars.len() })
}

/// The slopes along one axis, by least squares with clipping; errors grow with the scatter.
fn axis(
    stars: &[StarResidual],
    means: (f64, f64),
    residual: impl Fn(&StarResidual) -> f64,
) -> Option<AxisSlopes> {
    let mut is_used = vec![true; stars.len()];
    let mut found = None;
    for _ in 0..ROUNDS {
        let mut equations = NormalEquations::new(3);
        for (star, _) in stars.iter().zip(&is_used).filter(|(_, used)| **used) {
            let row = [1.0, star.mag - means.0, star.colour_mag - means.1];
            equations.add(&row, [residual(star), 0.0], err_mas(star).powi(-2));
        }
        let covariance = equations.clone().covariance()?;
        let [fitted, _] = equations.solve()?;
        let pulls: Vec<f64> = stars
            .iter()
            .map(|s| {
                let value = fitted[0]
                    + fitted[1] * (s.mag - means.0)
                    + fitted[2] * (s.colour_mag - means.1);
                ((residual(s) - value) / err_mas(s)).abs()
            })
            .collect();
        let used = pulls.iter().zip(&is_used).filter(|(_, used)| **used).map(|(pull, _)| *pull);
        let scatter = median(used)? / MEDIAN_OF_NORMAL;
        is_used = pulls.iter().map(|pull| *pull <= CLIP_SIGMA * scatter.max(1e-9)).collect();
        let error = |k: usize| scatter * covariance[k * 3 + k].sqrt();
        found = Some([(fitted[1], error(1)), (fitted[2], error(2))]);
    }
    found
}

fn err_mas(star: &StarResidual) -> f64 {
    star.err_mas.max(ERR_MIN_MAS)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Random;
    use super::*;

    #[test]
    fn known_slopes_are_found_within_their_errors() {
        let mut random = Random::new(11);
        let n = 4000;
        let mut stars: Vec<StarResidual> = (0..n)
            .map(|_| {
                let (mag, colour_mag) =
                    (12.0 + 6.0 * random.uniform(), 0.8 + 0.4 * random.normal());
                // Twice the error told: errors must grow with the scatter.
                let noise = (20.0 * random.normal(), 20.0 * random.normal());
                let residual_mas = (3.0 * (mag - 15.0) + noise.0, -5.0 * colour_mag + noise.1);
                StarResidual { residual_mas, err_mas: 10.0, mag, colour_mag }
            })
            .collect();
        for star in stars.iter_mut().step_by(40) {
            star.residual_mas.0 += 5000.0;
        }
        let found = trends(&stars).expect("many stars");
        // A uniform magnitude of width 6 has sigma 1.73: 20 / (1.73 sqrt(4000)) = 0.18 mas/mag;
        // colours of sigma 0.4: 0.79 mas/mag.
        assert!((found.magnitude.err_mas_per_mag.0 - 0.18).abs() < 0.02);
        assert!((found.colour.err_mas_per_mag.1 - 0.79).abs() < 0.08);
        assert!((found.magnitude.mas_per_mag.0 - 3.0).abs() < 0.6);
        assert!(found.magnitude.mas_per_mag.1.abs() < 0.6);
        assert!((found.colour.mas_per_mag.1 + 5.0).abs() < 2.5);
        assert!(found.colour.mas_per_mag.0.abs() < 2.5);
    }

    #[test]
    fn few_stars_or_one_colour_tell_nothing() {
        let star = |k: usize| StarResidual {
            residual_mas: (0.0, 1.0),
            err_mas: 5.0,
            mag: 10.0 + 0.01 * k as f64,
            colour_mag: 1.0,
        };
        let all: Vec<StarResidual> = (0..200).map(star).collect();
        assert!(trends(&all[..20]).is_none());
        assert!(trends(&all).is_none());
        assert!(trends(&[]).is_none());
    }
}
