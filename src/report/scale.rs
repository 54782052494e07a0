//! Axes of charts: round steps and where they fall.

/// A range of values mapped onto a range of a chart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    from_px: f64,
    to_px: f64,
}

impl Scale {
    /// Maps `low` to `from_px` and `high` to `to_px`, after widening by a margin on both sides.
    ///
    /// `least` is the smallest range shown, so that equal values do not look like noise.
    pub(super) fn around(values: &[f64], least: f64, (from_px, to_px): (f64, f64)) -> Option<Self> {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let low = finite().reduce(f64::min)?;
        let high = finite().reduce(f64::max)?;
        let middle = 0.5 * (low + high);
        let half = 0.55 * (high - low).max(least);
        Some(Self { low: middle - half, high: middle + half, from_px, to_px })
    }

    /// The place of a value.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.from_px + share * (self.to_px - self.from_px)
    }

    /// Round values inside the range, at most `n_max`, and the decimals they need.
    pub(super) fn ticks(&self, n_max: usize) -> (Vec<f64>, usize) {
        let range = self.high - self.low;
        let rough = range / n_max.max(1) as f64;
        let decade = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * decade)
            .find(|step| *step >= rough)
            .unwrap_or(10.0 * decade);
        let decimals = (-(step * 1.000_001).log10().floor()).clamp(0.0, 9.0) as usize;
        (self.multiples(step, n_max + 1), decimals)
    }

    /// Times of day [h] inside the range in steps of a clock, at most `n_max`.
    pub(super) fn hour_ticks(&self, n_max: usize) -> Vec<f64> {
        const STEPS_MINUTES: [f64; 11] =
            [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 180.0, 360.0, 720.0];
        let rough = (self.high - self.low) * 60.0 / n_max.max(1) as f64;
        let step = STEPS_MINUTES.into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or_else(|| 1440.0 * (rough / 1440.0).ceil());
        self.multiples(step / 60.0, n_max + 1)
    }

    /// Multiples of a step inside the range, at most `n_max`.
    fn multiples(&self, step: f64, n_max: usize) -> Vec<f64> {
        let first = (self.low / step).ceil();
        (0..n_max)
            .map(|i| (first + i as f64) * step)
            .take_while(|value| *value <= self.high)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = Scale::around(&[18.93, 19.41], 0.1, (0.0, 100.0)).expect("two values");
        let (ticks, decimals) = scale.ticks(4);
        assert_eq!(decimals, 1);
        let texts: Vec<String> = ticks.iter().map(|tick| format!("{tick:.decimals$}")).collect();
        assert_eq!(texts, ["19.0", "19.2", "19.4"]);
        assert!(ticks.iter().all(|tick| (0.0..=100.0).contains(&scale.place(*tick))));
    }

    #[test]
    fn one_value_gets_the_least_range_and_none_gets_no_scale() {
        let scale = Scale::around(&[5.0], 2.0, (0.0, 100.0)).expect("one value");
        assert!((scale.place(5.0) - 50.0).abs() < 1e-9);
        assert!(!scale.ticks(4).0.is_empty());
        assert!(Scale::around(&[f64::NAN], 1.0, (0.0, 1.0)).is_none());
    }

    #[test]
    fn times_of_day_tick_on_the_clock() {
        let scale = Scale::around(&[21.2, 24.9], 0.1, (0.0, 100.0)).expect("two values");
        assert_eq!(scale.hour_ticks(5), [22.0, 23.0, 24.0, 25.0]);
    }
}
