//! Tukey's box plot: which values of a sample lie far from the others.
//!
//! Tukey (1977), Exploratory Data Analysis, section 2D: fences lie one and a half times the
//! distance of the quartiles beyond them.

use super::image::stats::quantile_of_sorted;

/// Distance of the fences from the quartiles, in units of the quartiles' distance.
const FENCE: f64 = 1.5;

/// Quartiles of a sample, in its unit and in order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxPlot {
    quartiles: [f64; 3],
}

impl BoxPlot {
    /// The quartiles of the finite values, linear between neighbours; `None` without any.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let quantile = |q| quantile_of_sorted(&sorted, q);
        Some(Self { quartiles: [quantile(0.25)?, quantile(0.5)?, quantile(0.75)?] })
    }

    /// A quarter of the values lie below.
    pub fn lower_quartile(&self) -> f64 {
        self.quartiles[0]
    }

    /// Half of the values lie below.
    pub fn median(&self) -> f64 {
        self.quartiles[1]
    }

    /// Three quarters of the values lie below.
    pub fn upper_quartile(&self) -> f64 {
        self.quartiles[2]
    }

    fn height(&self) -> f64 {
        self.quartiles[2] - self.quartiles[0]
    }

    /// Values above are outliers.
    pub fn upper_fence(&self) -> f64 {
        self.quartiles[2] + FENCE * self.height()
    }

    /// Values below are outliers.
    pub fn lower_fence(&self) -> f64 {
        self.quartiles[0] - FENCE * self.height()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_and_fences_are_those_of_numpy() {
        // numpy.percentile([1, 2, 4, 8, 16, 32], [25, 50, 75]) = 2.5, 6, 14.
        let plot = BoxPlot::of([16.0, 1.0, f64::NAN, 8.0, 2.0, 32.0, 4.0]).expect("values");
        assert_eq!((plot.lower_quartile(), plot.median(), plot.upper_quartile()), (2.5, 6.0, 14.0));
        assert!((plot.upper_fence() - 31.25).abs() < 1e-12);
        assert!((plot.lower_fence() + 14.75).abs() < 1e-12);
        assert_eq!(BoxPlot::of([f64::NAN]), None);
    }

    #[test]
    fn fliers_are_those_of_automatic_ssos() {
        // ../shared/spec/seeds.md 7.1. Backgrounds count both fliers, residuals the high one only.
        let values = [0.30, 0.31, 0.29, 0.33, 0.32, 0.28, 0.95, 0.05, 0.30, 0.34];
        let plot = BoxPlot::of(values).expect("values");
        let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-12, "{value}");
        near(plot.lower_quartile(), 0.2925);
        near(plot.median(), 0.305);
        near(plot.upper_quartile(), 0.3275);
        near(plot.height(), 0.035);
        let fliers = |plot: &BoxPlot, values: &[f64]| -> (Vec<f64>, Vec<f64>) {
            let above = values.iter().filter(|v| **v > plot.upper_fence()).copied().collect();
            (values.iter().filter(|v| **v < plot.lower_fence()).copied().collect(), above)
        };
        assert_eq!(fliers(&plot, &values), (vec![0.05], vec![0.95]));
        let few = [0.20, 0.21, 5.0];
        let plot = BoxPlot::of(few).expect("values");
        assert_eq!(fliers(&plot, &few), (Vec::new(), Vec::new()));
    }
}
