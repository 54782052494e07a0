//! Whether the sessions agree on a period: what each of them says alone.
//!
//! All points together may choose a period by a few sessions, against others that are as good: with
//! wrong times, another object, or a light curve that is not one. Rivals at half and whole cycles a
//! day look alike from night to night, but not within a session that lasts a rotation. So each such
//! session is fitted alone, at the first choice and at these rivals, with a series of one order;
//! with unknown noise the likelihood of n independent points goes as chi2^(-n/2), and as many are
//! independent as residuals do not last over. A session that takes a rival with high odds
//! contradicts the choice.

use super::Series;
use super::alias::near_days;
use super::harmonics::prior_weight;
use crate::science::sky::least_squares::NormalEquations;

/// Order of the series: what the tens of points of a session carry.
const ORDER: usize = 3;
/// Points of a session beyond the unknowns.
const SPARE_POINTS: usize = 8;
/// A session lasts at least this share of the longer period.
const SPAN_SHARE: f64 = 0.8;
/// Odds of a session against the choice that are a contradiction: logarithm of 1000.
const LN_ODDS_MIN: f64 = 6.9;

/// What sessions say against a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Contradiction {
    /// Period that they take instead [h].
    pub(super) period_h: f64,
    /// Number of such sessions.
    pub(super) n_sessions: usize,
}

/// The rival that sessions take alone, with the highest odds together, against a frequency [1/h];
/// `None` when none does.
///
/// * `lasting_count`: how many points residuals last.
pub(super) fn contradiction(
    series: &Series,
    first_per_h: f64,
    lasting_count: f64,
) -> Option<Contradiction> {
    let mut worst: Option<(f64, Contradiction)> = None;
    for (rival_per_h, _) in near_days(first_per_h) {
        let against: Vec<f64> = series
            .sessions()
            .filter_map(|range| ln_odds(series, range, (first_per_h, rival_per_h)))
            .map(|odds| -odds / lasting_count.max(1.0))
            .filter(|odds| *odds > LN_ODDS_MIN)
            .collect();
        let total: f64 = against.iter().sum();
        if total > worst.map_or(0.0, |(most, _)| most) {
            let period_h = rival_per_h.recip();
            worst = Some((total, Contradiction { period_h, n_sessions: against.len() }));
        }
    }
    worst.map(|(_, contradiction)| contradiction)
}

/// Logarithm of the odds that a session gives to the first of two frequencies [1/h], its points
/// independent; `None` of one that is too short to tell.
fn ln_odds(
    series: &Series,
    range: std::ops::Range<usize>,
    (first_per_h, rival_per_h): (f64, f64),
) -> Option<f64> {
    let n = range.len();
    let times = &series.times_h()[range.clone()];
    let span_h = times.last()? - times.first()?;
    let needed_h = SPAN_SHARE / first_per_h.min(rival_per_h);
    if n < 1 + 2 * ORDER + SPARE_POINTS || span_h < needed_h {
        return None;
    }
    let first = chi2(series, range.clone(), first_per_h)?;
    let rival = chi2(series, range, rival_per_h)?;
    let odds = 0.5 * n as f64 * (rival / first).ln();
    odds.is_finite().then_some(odds)
}

/// Chi-squared of a session about a series of its own at a frequency [1/h].
fn chi2(series: &Series, range: std::ops::Range<usize>, frequency_per_h: f64) -> Option<f64> {
    let unknowns = 1 + 2 * ORDER;
    let basis = |time_h: f64| {
        let mut basis = [1.0; 1 + 2 * ORDER];
        for order in 1..=ORDER {
            let angle = std::f64::consts::TAU * order as f64 * frequency_per_h * time_h;
            (basis[2 * order], basis[2 * order - 1]) = angle.sin_cos();
        }
        basis
    };
    let rows = || {
        range.clone().map(|i| {
            let weight = series.errors_mag()[i].powi(-2);
            (basis(series.times_h()[i]), series.mags()[i], weight)
        })
    };
    let mut normal = NormalEquations::new(unknowns);
    for (basis, mag, weight) in rows() {
        normal.add(&basis, [mag, 0.0], weight);
    }
    for i in 1..unknowns {
        normal.damp(i, prior_weight(i - 1));
    }
    let [values, _] = normal.solve()?;
    let square = |(basis, mag, weight): ([f64; 1 + 2 * ORDER], f64, f64)| {
        let model: f64 = values.iter().zip(basis).map(|(v, b)| v * b).sum();
        weight * (mag - model).powi(2)
    };
    Some(rows().map(square).sum())
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::*;

    /// Sessions of 60 points in six hours, each with the period given.
    fn series(periods_h: &[f64]) -> Series {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut points = Vec::new();
        for (session, period_h) in (0_u32..).zip(periods_h) {
            for i in 0..60 {
                let time_h = 24.0 * f64::from(session) + 0.1 * f64::from(i);
                let angle = std::f64::consts::TAU * time_h / period_h;
                let noise = 0.04 * (uniform() + uniform() + uniform() - 1.5);
                let mag = 0.1 * (2.0 * angle).cos() + 0.02 * (angle + 1.0).sin() + noise;
                points.push(Point { time_h, mag, err_mag: Some(0.02), session });
            }
        }
        Series::new(&points).expect("points")
    }

    #[test]
    fn a_session_that_turns_otherwise_contradicts() {
        let first_h = 3.5;
        // A cycle a day more.
        let rival_h = 1.0 / (1.0 / first_h + 1.0 / 24.0);
        assert_eq!(contradiction(&series(&[first_h; 5]), 1.0 / first_h, 1.0), None);
        let mixed = series(&[first_h, first_h, first_h, rival_h, rival_h]);
        let found = contradiction(&mixed, 1.0 / first_h, 1.0).expect("a contradiction");
        assert_eq!(found.n_sessions, 2);
        assert!((found.period_h - rival_h).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn what_lasts_no_rotation_says_nothing() {
        let short = series(&[20.0; 4]);
        assert_eq!(ln_odds(&short, 0..60, (1.0 / 20.0, 1.0 / 12.0)), None);
        assert_eq!(contradiction(&short, 1.0 / 20.0, 1.0), None);
    }
}
