//! How two periods are related: halves, doubles, and what the sampling cannot tell apart.
//!
//! Nights that follow each other show the same part of a curve whether it turned n or n + 1 times
//! in between, and with two like halves n + 1/2 times. So rivals of a frequency f lie at f + m/2
//! cycles a day, and at its simple multiples.

use std::fmt;

/// Hours of a solar day.
const DAY_H: f64 = 24.0;
/// Half cycles a day beyond which an alias is not named.
const HALVES_MAX: i32 = 8;
/// Largest numbers of a ratio of frequencies.
const RATIO_MAX: u32 = 4;

/// How a frequency lies to the first choice's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The first choice itself.
    First,
    /// The period is `numerator/denominator` of the first choice's.
    Ratio {
        /// Numerator of the ratio of the periods.
        numerator: u32,
        /// Denominator of it.
        denominator: u32,
    },
    /// So many half cycles a day more (or fewer).
    DayAlias {
        /// Half cycles a day.
        halves: i32,
    },
    /// None of these.
    Other,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first choice"),
            Self::Ratio { numerator: 1, denominator: 2 } => f.write_str("half"),
            Self::Ratio { numerator: 2, denominator: 1 } => f.write_str("double"),
            Self::Ratio { numerator, denominator } => write!(f, "{numerator}/{denominator}"),
            Self::DayAlias { halves } => {
                write!(f, "{:+} cycle/day", f64::from(*halves) / 2.0)
            }
            Self::Other => f.write_str("other"),
        }
    }
}

/// Names the relation of a frequency to the first choice's [1/h], within a tolerance [1/h].
pub fn relation(frequency_per_h: f64, first_per_h: f64, tolerance_per_h: f64) -> Relation {
    let is_near = |wanted: f64| (frequency_per_h - wanted).abs() < tolerance_per_h;
    if is_near(first_per_h) {
        return Relation::First;
    }
    if let Some((_, ratio)) = ratios(first_per_h).into_iter().find(|(wanted, _)| is_near(*wanted)) {
        return ratio;
    }
    let alias = day_aliases(first_per_h).into_iter().find(|(wanted, _)| is_near(*wanted));
    alias.map_or(Relation::Other, |(_, relation)| relation)
}

/// Frequencies at simple ratios of the period, the half and the double first [1/h].
fn ratios(first_per_h: f64) -> Vec<(f64, Relation)> {
    let mut ratios = Vec::new();
    for (numerator, denominator) in [
        (1, 2),
        (2, 1),
        (2, 3),
        (3, 2),
        (1, 3),
        (3, 1),
        (3, 4),
        (4, 3),
        (1, RATIO_MAX),
        (RATIO_MAX, 1),
    ] {
        let wanted = first_per_h * f64::from(denominator) / f64::from(numerator);
        ratios.push((wanted, Relation::Ratio { numerator, denominator }));
    }
    ratios
}

/// Frequencies that differ by half cycles a day, the nearest first [1/h].
fn day_aliases(first_per_h: f64) -> Vec<(f64, Relation)> {
    (1..=HALVES_MAX)
        .flat_map(|n| [n, -n])
        .map(|halves| {
            let wanted = first_per_h + 0.5 * f64::from(halves) / DAY_H;
            (wanted, Relation::DayAlias { halves })
        })
        .filter(|(wanted, _)| *wanted > 0.0)
        .collect()
}

/// Frequencies that are always told of, whatever their odds [1/h]: half, double, and one and a half
/// cycle a day more and fewer.
pub(super) fn always_told(first_per_h: f64) -> Vec<(f64, Relation)> {
    ratios(first_per_h).into_iter().take(2).chain(near_days(first_per_h)).collect()
}

/// Frequencies half a cycle and one cycle a day more and fewer [1/h].
pub(super) fn near_days(first_per_h: f64) -> impl Iterator<Item = (f64, Relation)> {
    day_aliases(first_per_h).into_iter().filter(
        |(_, relation)| matches!(relation, Relation::DayAlias { halves } if halves.abs() <= 2),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_named() {
        let told = |f: f64| relation(f, 0.2, 0.001).to_string();
        assert_eq!(told(0.2004), "first choice");
        assert_eq!((told(0.4), told(0.1)), ("half".to_owned(), "double".to_owned()));
        assert_eq!(told(0.3), "2/3");
        // One cycle a day is 1/24 an hour.
        assert_eq!(told(0.2 + 1.0 / 24.0), "+1 cycle/day");
        assert_eq!(told(0.2 - 0.5 / 24.0), "-0.5 cycle/day");
        assert_eq!(told(0.2107), "other");
        assert_eq!(always_told(0.01).len(), 2 + 2);
    }
}
