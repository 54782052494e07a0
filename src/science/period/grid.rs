//! Which frequencies are tried: told by the sampling, not by the number of points.
//!
//! The time span gives the resolution: peaks are 1/span wide, and a step is a fraction of that.
//! The time between neighbours in a session gives the end: what is faster than two points a cycle
//! is not seen. (The seeds ended at N/(2 span), for several nights far below that.)

use super::{PeriodError, Series};

/// Frequencies `start + i step`, i below n [1/h].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// First frequency [1/h].
    pub start_per_h: f64,
    /// Step [1/h].
    pub step_per_h: f64,
    /// End [1/h]: no frequency of the grid reaches it.
    pub end_per_h: f64,
    /// Number of frequencies.
    pub n: usize,
}

impl Grid {
    /// Most frequencies of a grid: 8 bytes of power each.
    pub const N_MAX: usize = 20_000_000;

    /// A grid from `start` to below `end` [1/h].
    ///
    /// Errors: `BadGrid` when the numbers make none, or more than [`Self::N_MAX`] frequencies.
    pub fn new(start_per_h: f64, end_per_h: f64, step_per_h: f64) -> Result<Self, PeriodError> {
        // A thousandth of a step: an end that is a multiple of the step is not reached by rounding.
        let n = ((end_per_h - start_per_h) / step_per_h - 1e-3).ceil();
        let is_grid = start_per_h > 0.0 && step_per_h > 0.0 && n >= 1.0 && n <= Self::N_MAX as f64;
        if !is_grid {
            return Err(PeriodError::BadGrid { start_per_h, end_per_h, step_per_h });
        }
        Ok(Self { start_per_h, step_per_h, end_per_h, n: n as usize })
    }

    /// The seeds' grid (`gls.py`): steps of 1/(10 span) from one step to N/(2 span).
    pub fn of_count(series: &Series) -> Result<Self, PeriodError> {
        let span = series.span_h();
        let step = 1.0 / (10.0 * span);
        Self::new(step, series.len() as f64 / (2.0 * span), step)
    }

    /// A frequency of the grid [1/h].
    pub fn frequency_per_h(&self, i: usize) -> f64 {
        self.start_per_h + i as f64 * self.step_per_h
    }
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::*;

    #[test]
    fn a_grid_ends_below_its_end_and_nonsense_is_none() {
        let grid = Grid::new(0.1, 0.5, 0.1).expect("four steps");
        assert_eq!(grid.n, 4);
        assert!((grid.frequency_per_h(3) - 0.4).abs() < 1e-12);
        for (start, end, step) in [
            (0.0, 1.0, 0.1),
            (0.5, 0.4, 0.1),
            (0.1, 1.0, 0.0),
            (0.1, f64::NAN, 0.1),
            (0.1, 1e9, 1e-9),
        ] {
            assert!(Grid::new(start, end, step).is_err(), "{start} {end} {step}");
        }
    }

    #[test]
    fn the_seeds_grid_is_theirs() {
        // seeds.md 7.6: 14 points over 765.820950 give 69 frequencies.
        let time = |i: u32| 765.820_95 * f64::from(i) / 13.0;
        let points: Vec<Point> = (0..14)
            .map(|i| Point { time_h: time(i), mag: f64::from(i % 3), err_mag: None, session: 0 })
            .collect();
        let grid = Grid::of_count(&Series::new(&points).expect("points")).expect("a grid");
        assert_eq!(grid.n, 69);
        assert!((grid.step_per_h - 0.000_130_578_825_2).abs() < 1e-12);
        assert!((grid.end_per_h - 0.009_140_517_767).abs() < 1e-12);
    }
}
