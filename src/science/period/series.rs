//! The points of a light curve as the periods see them: ordered, weighted, by session.
//!
//! A session is a stretch of points with one zero point: a night of a telescope in a filter. Points
//! are kept by session, then by time, so that a session is a range.

use std::ops::Range;

use super::PeriodError;

/// Fewest points a period is sought in.
pub const POINTS_MIN: usize = 5;
/// Most points: tables of the transforms stay below 100 MB.
pub const POINTS_MAX: usize = 50_000;
/// Points of which the error is not known, or none is: taken for it [mag].
const ERROR_UNKNOWN_MAG: f64 = 0.02;
/// Longest time span [h]: a thousand years; beyond it phases lose digits.
const SPAN_MAX_H: f64 = 8.8e6;

/// A measured magnitude at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Time [h] from any origin.
    pub time_h: f64,
    /// Magnitude [mag]; the zero point is the session's own.
    pub mag: f64,
    /// Its error [mag]; `None` when nobody knows.
    pub err_mag: Option<f64>,
    /// Session: any number that its points share.
    pub session: u32,
}

/// The points of an object, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Middle of the time span [h]: times count from here.
    middle_h: f64,
    time_h: Vec<f64>,
    mag: Vec<f64>,
    err_mag: Vec<f64>,
    /// Place of each point in the list it came from.
    source: Vec<usize>,
    /// Range of points and the number given, by session.
    sessions: Vec<(Range<usize>, u32)>,
    has_errors: bool,
}

impl Series {
    /// Checks and orders points; those without a finite time and magnitude are left out.
    ///
    /// Errors that are missing become the median of the others; without any, all points weigh the
    /// same. Errors: `TooFewPoints`, `TooManyPoints`, `NoTimeSpan`.
    pub fn new(points: &[Point]) -> Result<Self, PeriodError> {
        let is_usable = |p: &Point| p.time_h.is_finite() && p.mag.is_finite();
        let mut order: Vec<usize> = (0..points.len()).filter(|&i| is_usable(&points[i])).collect();
        if order.len() < POINTS_MIN {
            return Err(PeriodError::TooFewPoints { found: order.len(), needed: POINTS_MIN });
        }
        if order.len() > POINTS_MAX {
            return Err(PeriodError::TooManyPoints { found: order.len(), allowed: POINTS_MAX });
        }
        order.sort_by(|&a, &b| {
            let key = |i: usize| (points[i].session, points[i].time_h);
            key(a).0.cmp(&key(b).0).then(key(a).1.total_cmp(&key(b).1)).then(a.cmp(&b))
        });
        let times = || order.iter().map(|&i| points[i].time_h);
        let (first, last) =
            times().fold((f64::MAX, f64::MIN), |(low, high), t| (low.min(t), high.max(t)));
        let span = last - first;
        if !(span > 0.0 && span < SPAN_MAX_H) {
            return Err(PeriodError::NoTimeSpan { span_h: span });
        }
        let middle_h = first + 0.5 * span;
        let known = |i: usize| points[i].err_mag.filter(|e| e.is_finite() && *e > 0.0);
        let mut errors: Vec<f64> = order.iter().filter_map(|&i| known(i)).collect();
        let has_errors = !errors.is_empty();
        let typical = median(&mut errors).unwrap_or(ERROR_UNKNOWN_MAG);
        Ok(Self {
            middle_h,
            time_h: times().map(|t| t - middle_h).collect(),
            mag: order.iter().map(|&i| points[i].mag).collect(),
            err_mag: order.iter().map(|&i| known(i).unwrap_or(typical)).collect(),
            sessions: ranges(&order, points),
            source: order,
            has_errors,
        })
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.time_h.len()
    }

    /// Never: a series has points.
    pub fn is_empty(&self) -> bool {
        self.time_h.is_empty()
    }

    /// Times from [`Self::middle_h`] [h], by session, then ascending.
    pub fn times_h(&self) -> &[f64] {
        &self.time_h
    }

    /// The origin of the times [h], in the time the points came with.
    pub fn middle_h(&self) -> f64 {
        self.middle_h
    }

    /// Time of the first point [h], in the time the points came with.
    pub fn first_h(&self) -> f64 {
        self.middle_h - 0.5 * self.span_h()
    }

    /// From the first to the last point [h].
    pub fn span_h(&self) -> f64 {
        let bounds = |(low, high): (f64, f64), t: &f64| (low.min(*t), high.max(*t));
        let (low, high) = self.time_h.iter().fold((f64::MAX, f64::MIN), bounds);
        high - low
    }

    /// Magnitudes [mag].
    pub fn mags(&self) -> &[f64] {
        &self.mag
    }

    /// Errors [mag].
    pub fn errors_mag(&self) -> &[f64] {
        &self.err_mag
    }

    /// Whether any error was given.
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// Place of each point in the list it came from.
    pub fn sources(&self) -> &[usize] {
        &self.source
    }

    /// The ranges of points of the sessions.
    pub fn sessions(&self) -> impl ExactSizeIterator<Item = Range<usize>> + '_ {
        self.sessions.iter().map(|(range, _)| range.clone())
    }

    /// Number of sessions.
    pub fn n_sessions(&self) -> usize {
        self.sessions.len()
    }

    /// The number a session was given.
    pub fn session_number(&self, session: usize) -> u32 {
        self.sessions[session].1
    }

    /// The same points with other errors [mag], in this order.
    pub(super) fn with_errors(&self, err_mag: Vec<f64>) -> Self {
        Self { err_mag, ..self.clone() }
    }

    /// The same points with other magnitudes [mag], in this order.
    pub fn with_mags(&self, mag: Vec<f64>) -> Self {
        Self { mag, ..self.clone() }
    }

    /// The same points in one session: one zero point for all of them.
    pub fn in_one_session(&self) -> Self {
        let number = self.sessions.first().map_or(0, |(_, number)| *number);
        Self { sessions: vec![(0..self.len(), number)], ..self.clone() }
    }

    /// The points for which `keep` is set; sessions may vanish.
    pub(super) fn kept(&self, keep: &[bool]) -> Self {
        let chosen = |values: &[f64]| -> Vec<f64> {
            values.iter().zip(keep).filter(|(_, kept)| **kept).map(|(v, _)| *v).collect()
        };
        let mut sessions = Vec::new();
        let mut begin = 0;
        for (range, number) in &self.sessions {
            let n = keep[range.clone()].iter().filter(|kept| **kept).count();
            if n > 0 {
                sessions.push((begin..begin + n, *number));
            }
            begin += n;
        }
        Self {
            time_h: chosen(&self.time_h),
            mag: chosen(&self.mag),
            err_mag: chosen(&self.err_mag),
            source: self.source.iter().zip(keep).filter(|(_, k)| **k).map(|(s, _)| *s).collect(),
            sessions,
            ..*self
        }
    }

    /// Weights 1/err^2 [1/mag^2].
    pub(super) fn weights(&self) -> Vec<f64> {
        self.err_mag.iter().map(|e| 1.0 / (e * e)).collect()
    }

    /// Magnitudes less the weighted mean of their session [mag].
    pub(super) fn centred(&self, weights: &[f64]) -> Vec<f64> {
        let mut centred = self.mag.clone();
        self.centre(&mut centred, weights);
        centred
    }

    /// Takes the weighted mean of each session from values.
    pub(super) fn centre(&self, values: &mut [f64], weights: &[f64]) {
        for range in self.sessions() {
            let w = &weights[range.clone()];
            let sum: f64 = w.iter().sum();
            let mean = values[range.clone()].iter().zip(w).map(|(v, w)| v * w).sum::<f64>() / sum;
            values[range].iter_mut().for_each(|v| *v -= mean);
        }
    }

    /// Median time between neighbours in a session [h]; `None` when no session has two times.
    pub fn cadence_h(&self) -> Option<f64> {
        let mut gaps: Vec<f64> = self
            .sessions()
            .flat_map(|range| {
                self.time_h[range].windows(2).map(|t| t[1] - t[0]).collect::<Vec<f64>>()
            })
            .filter(|gap| *gap > 0.0)
            .collect();
        median(&mut gaps)
    }
}

/// Ranges of ordered points that share a session.
fn ranges(order: &[usize], points: &[Point]) -> Vec<(Range<usize>, u32)> {
    let mut ranges: Vec<(Range<usize>, u32)> = Vec::new();
    for (place, &i) in order.iter().enumerate() {
        match ranges.last_mut() {
            Some((range, number)) if *number == points[i].session => range.end = place + 1,
            _ => ranges.push((place..place + 1, points[i].session)),
        }
    }
    ranges
}

/// The upper median of values; `None` of none.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(time_h: f64, mag: f64, session: u32) -> Point {
        Point { time_h, mag, err_mag: Some(0.1), session }
    }

    #[test]
    fn points_are_ordered_and_bad_ones_left_out() {
        let mut points: Vec<Point> =
            (0..8).map(|i| point(f64::from(8 - i), 10.0 + f64::from(i), i % 2)).collect();
        points.push(point(f64::NAN, 1.0, 0));
        points[3].err_mag = None;
        let series = Series::new(&points).expect("eight points");
        assert_eq!(series.len(), 8);
        // Times 8, 6, 4, 2 are session 0 and 7, 5, 3, 1 session 1; the middle is 4.5.
        assert_eq!(series.times_h(), [-2.5, -0.5, 1.5, 3.5, -3.5, -1.5, 0.5, 2.5]);
        assert_eq!(series.sources(), [6, 4, 2, 0, 7, 5, 3, 1]);
        assert_eq!(series.sessions().collect::<Vec<_>>(), [0..4, 4..8]);
        assert_eq!(series.cadence_h(), Some(2.0));
        assert!(series.errors_mag().iter().all(|e| (e - 0.1).abs() < 1e-12));
        let weights = series.weights();
        let centred = series.centred(&weights);
        assert!(centred[..4].iter().sum::<f64>().abs() < 1e-9);
        let kept = series.kept(&[false, false, false, false, true, true, true, true]);
        assert_eq!((kept.n_sessions(), kept.sources()), (1, &[7, 5, 3, 1][..]));
    }

    #[test]
    fn what_cannot_have_a_period_is_refused() {
        let few: Vec<Point> = (0..4).map(|i| point(f64::from(i), 1.0, 0)).collect();
        assert!(matches!(Series::new(&few), Err(PeriodError::TooFewPoints { found: 4, .. })));
        let same = vec![point(1.0, 1.0, 0); 9];
        assert!(matches!(Series::new(&same), Err(PeriodError::NoTimeSpan { .. })));
        let far: Vec<Point> = (0..9).map(|i| point(f64::from(i) * 1e300, 1.0, 0)).collect();
        assert!(matches!(Series::new(&far), Err(PeriodError::NoTimeSpan { .. })));
    }
}
