//! Robust statistics of pixels and of short lists.

use crate::science::units::MAG_PER_LN_FLUX;

/// Standard deviation of a Gaussian in units of its median absolute deviation.
pub const SIGMA_PER_MAD: f64 = 1.482_602_218_505_602;

/// Median of finite values; `None` when there is none. The slice is reordered.
///
/// For an even number the mean of the two middle values.
pub fn median_in_place(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let is_even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if !is_even {
        return Some(upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(0.5 * (lower + upper))
}

/// Median of finite values; `None` when there is none.
pub fn median(values: &[f64]) -> Option<f64> {
    median_in_place(&mut values.to_vec())
}

/// Median and 1.4826 times the median absolute deviation from it.
pub fn median_and_scatter(values: &[f64]) -> Option<(f64, f64)> {
    let middle = median(values)?;
    let mut deviations: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    Some((middle, SIGMA_PER_MAD * median_in_place(&mut deviations)?))
}

/// Quantile `q` in 0..=1 of sorted values, linear between neighbours (as numpy's default).
pub fn quantile_of_sorted(sorted: &[f64], q: f64) -> Option<f64> {
    if sorted.is_empty() {
        return None;
    }
    let place = q.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    Some(sorted[low] + (place - low as f64) * (sorted[high] - sorted[low]))
}

/// Mean, median and standard deviation after clipping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClippedStats {
    /// Mean of the kept values.
    pub mean: f64,
    /// Median of the kept values.
    pub median: f64,
    /// Standard deviation of the kept values.
    pub sigma: f64,
    /// Number of kept values.
    pub n_kept: usize,
}

/// Clips sorted values at `n_sigma` around their median until nothing changes.
///
/// One prefix sum makes each round cost two binary searches. At most 20 rounds; `None` for
/// fewer than two values.
pub fn clipped_of_sorted(sorted: &[f32], n_sigma: f64) -> Option<ClippedStats> {
    const ROUNDS_MAX: usize = 20;
    if sorted.len() < 2 {
        return None;
    }
    let origin = f64::from(sorted[sorted.len() / 2]);
    let mut sums = Vec::with_capacity(sorted.len() + 1);
    sums.push((0.0_f64, 0.0_f64));
    for &value in sorted {
        let d = f64::from(value) - origin;
        let (s1, s2) = sums[sums.len() - 1];
        sums.push((s1 + d, s2 + d * d));
    }
    let (mut low, mut high) = (0, sorted.len());
    let mut stats = None;
    for _ in 0..ROUNDS_MAX {
        let n = high - low;
        if n < 2 {
            break;
        }
        let s1 = sums[high].0 - sums[low].0;
        let s2 = sums[high].1 - sums[low].1;
        let mean = s1 / n as f64;
        let sigma = (s2 / n as f64 - mean * mean).max(0.0).sqrt();
        let middle = low + n / 2;
        let median = if n.is_multiple_of(2) {
            0.5 * (f64::from(sorted[middle - 1]) + f64::from(sorted[middle]))
        } else {
            f64::from(sorted[middle])
        };
        stats = Some(ClippedStats { mean: mean + origin, median, sigma, n_kept: n });
        let new_low = sorted.partition_point(|&v| f64::from(v) < median - n_sigma * sigma);
        let new_high = sorted.partition_point(|&v| f64::from(v) <= median + n_sigma * sigma);
        if (new_low, new_high) == (low, high) || new_high <= new_low {
            break;
        }
        (low, high) = (new_low, new_high);
    }
    stats
}

/// Error in magnitudes of a flux with a relative error.
pub fn mag_error(flux: f64, flux_err: f64) -> f64 {
    MAG_PER_LN_FLUX * flux_err / flux
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_even_count_is_the_middle_pair_mean() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn quantiles_agree_with_the_published_box_plot() {
        // Specification 7.1: q1 0.2925, median 0.305, q3 0.3275.
        let mut v = [0.30, 0.31, 0.29, 0.33, 0.32, 0.28, 0.95, 0.05, 0.30, 0.34];
        v.sort_by(f64::total_cmp);
        for (q, expected) in [(0.25, 0.2925), (0.5, 0.305), (0.75, 0.3275)] {
            let got = quantile_of_sorted(&v, q).expect("ten values");
            assert!((got - expected).abs() < 1e-12, "{got}");
        }
    }

    #[test]
    fn percentiles_are_those_of_filabres() {
        // ../shared/spec/seeds.md 7.8: k^1.5 for k = 0..99.
        let v: Vec<f64> = (0..100).map(|k| f64::from(k).powf(1.5)).collect();
        let quantile = |q| quantile_of_sorted(&v, q).expect("values");
        for (percent, expected) in [
            (2.5, 3.953_096_64),
            (15.9, 62.470_540_3),
            (25.0, 123.143_876_91),
            (50.0, 348.276_695_3),
            (75.0, 639.808_815_53),
            (84.1, 759.716_030_06),
            (97.5, 948.340_012_64),
        ] {
            let got = quantile(percent / 100.0);
            assert!((got - expected).abs() < 1e-7, "{percent} %: {got}");
        }
        // Its ROBUSTSTD is 0.7413 times the distance of the quartiles.
        let robust = 0.7413 * (quantile(0.75) - quantile(0.25));
        assert!((robust - 383.003_718_997).abs() < 1e-8, "{robust}");
    }

    #[test]
    fn clipping_removes_a_far_tail() {
        // 100 values 0..=9 repeated, and three at 1000: the clipped mean is 4.5.
        let mut v: Vec<f32> = (0..100).map(|i| (i % 10) as f32).collect();
        v.extend([1000.0; 3]);
        v.sort_by(f32::total_cmp);
        let stats = clipped_of_sorted(&v, 3.0).expect("enough values");
        assert_eq!(stats.n_kept, 100);
        assert!((stats.mean - 4.5).abs() < 1e-12);
        // Variance of 0..=9 is (10^2 - 1) / 12.
        assert!((stats.sigma - (99.0_f64 / 12.0).sqrt()).abs() < 1e-12);
    }
}
