//! `<NAME>_period.txt`: the periods of the night's objects that may be published.
//!
//! As Automatic-SSOs' `-period` on the table of valid magnitudes; where it took any sine for an
//! answer, only objects get a file whose period nothing speaks against (`science::period`). Those
//! of other objects are told by `autossosctl period`, with the reasons.

use super::super::super::error::OpsError;
use super::super::frame::plain_name;
use super::super::ssos::Objects;
use super::super::tree::{Night, Tree};
use super::checkplots::valid_points;
use crate::report::light_curve::DrawnPoint;
use crate::report::period::{facts, period_file};
use crate::report::words::printable;
use crate::science::period::{Point, Series, Wanted, analyse};

/// Fewest magnitudes that are worth a search.
const POINTS_MIN: usize = 12;
/// Hours of a day.
const DAY_H: f64 = 24.0;

/// Writes the files; an object that cannot be searched has none.
pub(super) fn write(
    tree: &mut Tree<'_>,
    night: &Night<'_>,
    objects: &Objects,
) -> Result<(), OpsError> {
    for object in &objects.vetted {
        let (_, name) = objects.number_and_name(object);
        let points = valid_points(night, object);
        if name.is_empty() || points.len() < POINTS_MIN {
            continue;
        }
        if let Some(text) = period_of(&name, &points) {
            tree.text(&format!("{}_period.txt", plain_name(&name)), &text)?;
        }
    }
    Ok(())
}

/// The text of an object's file; `None` when its period may not be published.
fn period_of(name: &str, points: &[DrawnPoint]) -> Option<String> {
    let point = |p: &DrawnPoint| Point {
        time_h: p.mjd * DAY_H,
        mag: p.mag,
        err_mag: p.err_mag,
        session: 0,
    };
    let series = Series::new(&points.iter().map(point).collect::<Vec<_>>()).ok()?;
    // Without the bootstrap first, which takes the time.
    let quick = analyse(&series, &Wanted { trials: 0, ..Wanted::default() }).ok()?;
    if !facts(name, &quick).is_published {
        return None;
    }
    let facts = facts(&printable(name), &analyse(&series, &Wanted::default()).ok()?);
    facts.is_published.then(|| period_file(&facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_period_has_a_file_and_noise_has_none() {
        // Two maxima a rotation of 2.5 h, seen through four rotations.
        let curve = |amplitude_mag: f64| -> Vec<DrawnPoint> {
            (0..120)
                .map(|k| {
                    let hours = f64::from(k) * 10.0 / 120.0;
                    let phase = std::f64::consts::TAU * hours / 2.5;
                    let noise = 0.01 * (1e3 * f64::from(k * k)).sin();
                    DrawnPoint {
                        night: "n".to_owned(),
                        mjd: 60_000.0 + hours / DAY_H,
                        mag: 17.0
                            + amplitude_mag * ((2.0 * phase).sin() + 0.35 * (phase + 0.3).cos())
                            + noise,
                        err_mag: Some(0.01),
                        is_trusted: true,
                    }
                })
                .collect()
        };
        let text = period_of("AST_1", &curve(0.3)).expect("a period");
        assert!(text.starts_with("\n Iteration:1\nBest period: 1.2"), "{text}");
        assert!(text.contains("hours") && text.contains("Rotation period: 2.5"), "{text}");
        assert_eq!(period_of("AST_2", &curve(0.0)), None);
    }
}
