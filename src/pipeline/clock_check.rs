//! Whether the camera's clock is right, judged by the times of its files.
//!
//! A file is written after its exposure. A header that ends its exposure later than its file was
//! written contradicts it: the camera's clock is ahead (or the one that stamped the file behind).
//! A jump shows between frames that come one by one: files go on as before, headers leap. Only
//! files that arrive at the pace of their exposures can tell, before the leap and after it; an
//! archive copied later, or frames copied in batches, say nothing and are passed over in silence.

use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// Clocks that differ by less than this are right enough [s].
const AHEAD_MIN_S: f64 = 60.0;
/// Header times that go back by less than this do not count [s].
const BACK_MIN_S: f64 = 60.0;
/// Leaps forward, or back within a pause, that are smaller do not count [s].
const LEAP_MIN_S: f64 = 600.0;
/// A leap is only seen between files that came within this time of each other [s].
const PAUSE_MAX_S: f64 = 7200.0;
/// A difference of file and header as large as this is that of a copy made later [s].
const FRESH_MAX_S: f64 = SECONDS_PER_DAY;
/// Frames at the pace of their exposures that are asked for on each side of a leap.
const WITNESSES: usize = 3;
/// A pair is in pace when its files are at least this share of its exposures apart, ...
const PACE_MIN: f64 = 0.5;
/// ... at most this many times as far, ...
const PACE_MAX: f64 = 2.0;
/// ... and this much more [s].
const PACE_SLACK_S: f64 = 60.0;
/// Most notes of a night.
const NOTES_MAX: usize = 20;

/// The times of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameClock<'a> {
    /// Name of its file.
    pub name: &'a str,
    /// End of the exposure, by the header.
    pub end: Epoch,
    /// When its file was last modified.
    pub modified: Epoch,
}

impl FrameClock<'_> {
    /// How much later the file is than its exposure [s].
    fn delay_s(&self) -> f64 {
        seconds(self.end, self.modified)
    }
}

/// What is wrong with the clock: names of frames and texts, in order of the files' times.
///
/// * `frames`: of one telescope and night, in any order; not finite times are left out.
/// * A clock that is ahead is told once per run of frames, with their number.
pub fn clock_notes(frames: &[FrameClock<'_>]) -> Vec<(String, String)> {
    let mut frames: Vec<FrameClock<'_>> =
        frames.iter().filter(|frame| frame.delay_s().is_finite()).copied().collect();
    frames.sort_by(|a, b| {
        let times = a.modified.mjd_utc().total_cmp(&b.modified.mjd_utc());
        times.then(a.end.mjd_utc().total_cmp(&b.end.mjd_utc())).then(a.name.cmp(b.name))
    });
    let mut notes: Vec<(usize, String)> = leaps(&frames);
    notes.extend(ahead(&frames));
    notes.sort_by_key(|(index, _)| *index);
    notes.truncate(NOTES_MAX);
    notes.into_iter().map(|(index, text)| (frames[index].name.to_owned(), text)).collect()
}

/// Runs of frames whose exposure ends after their file was written.
fn ahead(frames: &[FrameClock<'_>]) -> Vec<(usize, String)> {
    let is_ahead = |frame: &FrameClock<'_>| frame.delay_s() < -AHEAD_MIN_S;
    let mut notes = Vec::new();
    let mut start = 0;
    for run in frames.chunk_by(|a, b| is_ahead(a) == is_ahead(b)) {
        if run.first().is_some_and(is_ahead) {
            let most_s = run.iter().map(|frame| -frame.delay_s()).fold(0.0, f64::max);
            let n = run.len();
            let which = if n == 1 { String::new() } else { format!(", for {n} frames from here") };
            let text = format!(
                "the exposure ends {} after the file was written{which}: the camera's clock is \
                 ahead, or the one of the file's computer behind; set both by NTP",
                words(most_s)
            );
            notes.push((start, text));
        }
        start += run.len();
    }
    notes
}

/// Leaps of the header times between frames that come one by one.
fn leaps(frames: &[FrameClock<'_>]) -> Vec<(usize, String)> {
    let in_pace: Vec<bool> = frames.windows(2).map(|pair| is_in_pace(&pair[0], &pair[1])).collect();
    // Pair number `i` joins frames `i` and `i + 1`.
    let all_in_pace = |range: std::ops::Range<usize>| {
        in_pace.get(range).is_some_and(|pairs| pairs.iter().all(|&is| is))
    };
    let mut notes = Vec::new();
    for (i, pair) in frames.windows(2).enumerate() {
        let is_witnessed = i + 1 >= WITNESSES && all_in_pace(i + 1 - WITNESSES..i) && {
            let after = i + 1..i + WITNESSES;
            all_in_pace(after)
        };
        if in_pace[i] || !is_witnessed {
            continue;
        }
        if let Some(text) = leap(&pair[0], &pair[1]) {
            notes.push((i + 1, text));
        }
    }
    notes
}

fn leap(before: &FrameClock<'_>, after: &FrameClock<'_>) -> Option<String> {
    let files_s = seconds(before.modified, after.modified);
    let headers_s = seconds(before.end, after.end);
    let is_fresh = before.delay_s().abs() < FRESH_MAX_S && after.delay_s().abs() < FRESH_MAX_S;
    if !is_fresh || files_s <= 0.0 || files_s > PAUSE_MAX_S {
        return None;
    }
    let back_s = files_s - headers_s;
    if headers_s < -BACK_MIN_S || back_s > LEAP_MIN_S {
        Some(format!(
            "the header's time jumps back by {} against the frame before: the camera's clock was \
             set, or was wrong before; check the times of this night",
            words(back_s)
        ))
    } else if back_s < -LEAP_MIN_S {
        Some(format!(
            "the header's time jumps ahead by {} against the frame before: the camera's clock was \
             set, or is wrong now; check the times of this night",
            words(-back_s)
        ))
    } else {
        None
    }
}

/// Tells whether two files are about as far apart as their exposures.
fn is_in_pace(before: &FrameClock<'_>, after: &FrameClock<'_>) -> bool {
    let files_s = seconds(before.modified, after.modified);
    let headers_s = seconds(before.end, after.end);
    headers_s > 0.0
        && files_s >= PACE_MIN * headers_s
        && files_s <= PACE_MAX * headers_s + PACE_SLACK_S
}

fn seconds(from: Epoch, to: Epoch) -> f64 {
    (to.mjd_utc() - from.mjd_utc()) * SECONDS_PER_DAY
}

/// A time in the unit that reads best.
fn words(time_s: f64) -> String {
    if time_s < 120.0 {
        format!("{time_s:.0} s")
    } else if time_s < 7200.0 {
        format!("{:.1} min", time_s / 60.0)
    } else if time_s < 2.0 * SECONDS_PER_DAY {
        format!("{:.1} h", time_s / 3600.0)
    } else {
        format!("{:.1} d", time_s / SECONDS_PER_DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of a minute each: (header's end, file's time) [s] of a night.
    fn notes_of(times: &[(f64, f64)]) -> Vec<(String, String)> {
        let midnight = Epoch::from_date(2026, 3, 1, 0.0);
        let names: Vec<String> = (0..times.len()).map(|i| format!("{i:04}.fits")).collect();
        let clocks: Vec<FrameClock<'_>> = times
            .iter()
            .zip(&names)
            .map(|(&(end_s, file_s), name)| FrameClock {
                name,
                end: midnight.plus_seconds(end_s),
                modified: midnight.plus_seconds(file_s),
            })
            .collect();
        clock_notes(&clocks)
    }

    fn minutes(n: usize) -> impl Iterator<Item = f64> {
        (0..n).map(|i| i as f64 * 60.0)
    }

    #[test]
    fn a_good_night_is_quiet() {
        let live: Vec<_> = minutes(300).map(|t_s| (t_s, t_s + 3.0)).collect();
        assert!(notes_of(&live).is_empty());
        // An hour of clouds, which files and headers share.
        let clouds: Vec<_> =
            minutes(100).map(|t_s| if t_s > 2000.0 { t_s + 3600.0 } else { t_s }).collect();
        let clouds: Vec<_> = clouds.into_iter().map(|t_s| (t_s, t_s + 3.0)).collect();
        assert!(notes_of(&clouds).is_empty());
        assert!(notes_of(&[]).is_empty() && notes_of(&[(0.0, 1.0)]).is_empty());
        assert!(notes_of(&[(f64::NAN, 1.0)]).is_empty());
    }

    #[test]
    fn a_clock_ahead_is_told_once() {
        let ahead: Vec<_> = minutes(50).map(|t_s| (t_s + 3600.0, t_s + 3.0)).collect();
        let notes = notes_of(&ahead);
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].0, "0000.fits");
        // 3600 s ahead, the files 3 s after the exposures: 3597 s = 59.95 min.
        assert!(notes[0].1.contains("ends 60.0 min after"), "{}", notes[0].1);
        assert!(notes[0].1.contains("for 50 frames"), "{}", notes[0].1);
        let slightly: Vec<_> = minutes(50).map(|t_s| (t_s + 59.0, t_s)).collect();
        assert!(notes_of(&slightly).is_empty());
    }

    #[test]
    fn jumps_are_told_with_their_size() {
        for (jump_s, word) in [(-3600.0, "back by 60.0 min"), (-90.0 - 60.0, "back by 150 s")] {
            let times: Vec<_> = minutes(40)
                .map(|t_s| (if t_s >= 1200.0 { t_s + jump_s } else { t_s }, t_s + 3.0))
                .collect();
            let notes = notes_of(&times);
            assert_eq!(notes.len(), 1, "{notes:?}");
            assert_eq!(notes[0].0, "0020.fits");
            let word = word.replace("150 s", "2.5 min");
            assert!(notes[0].1.contains(&word), "{}", notes[0].1);
        }
        // Ahead: from 1 h behind to right, so that no exposure ends after its file.
        let times: Vec<_> = minutes(40)
            .map(|t_s| (if t_s >= 1200.0 { t_s } else { t_s - 3600.0 }, t_s + 3.0))
            .collect();
        let notes = notes_of(&times);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].1.contains("ahead by 60.0 min"), "{}", notes[0].1);
        // 30 s back is no jump.
        let times: Vec<_> = minutes(40)
            .map(|t_s| (if t_s >= 1200.0 { t_s - 30.0 } else { t_s }, t_s + 3.0))
            .collect();
        assert!(notes_of(&times).is_empty());
    }

    #[test]
    fn archives_and_batches_say_nothing() {
        // Copied a year later at disk speed, in order and in a shuffled order (37 and 100 are
        // coprime, so each index comes once).
        for step in [1, 37] {
            for later_s in [3.2e7, 40_000.0] {
                let times: Vec<_> = (0..100)
                    .map(|i| ((i * step % 100) as f64 * 60.0, later_s + i as f64 * 0.2))
                    .collect();
                assert!(notes_of(&times).is_empty(), "{step} {later_s}");
            }
        }
        // Batches of half an hour, each copied at once without its times.
        let times: Vec<_> = minutes(240)
            .map(|t_s| (t_s, ((t_s / 1800.0).floor() + 1.0) * 1800.0 + t_s % 1800.0 / 60.0))
            .collect();
        assert!(notes_of(&times).is_empty(), "{:?}", notes_of(&times));
        // A network down for an hour: the frames of that hour come at once, then all goes on.
        let times: Vec<_> = minutes(200)
            .map(|t_s| {
                let is_held = (3000.0..6600.0).contains(&t_s);
                (t_s, if is_held { 6600.0 + t_s / 1000.0 } else { t_s + 10.0 })
            })
            .collect();
        assert!(notes_of(&times).is_empty(), "{:?}", notes_of(&times));
    }

    #[test]
    fn notes_are_bounded() {
        // Each second frame ahead: 500 runs.
        let times: Vec<_> =
            (0..1000).map(|i| (f64::from(i * 60 + i % 2 * 300), f64::from(i * 60))).collect();
        assert_eq!(notes_of(&times).len(), NOTES_MAX);
    }
}
