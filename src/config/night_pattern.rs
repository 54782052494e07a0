//! How the files of an incoming folder make nights: folders by name, or frames by time.

use std::fmt;

use super::check::Checker;
use super::error::ConfigError;

/// Stands for a date.
const DATE: &str = "{date}";
/// Stands for anything.
const NAME: &str = "{name}";
/// The word for frames that are sorted by time.
const BY_TIME: &str = "by-time";

/// How the files of an incoming folder make nights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NightPattern {
    /// Each folder is a night. `{date}` stands for a date (`2026-03-01`, `20260301` or
    /// `2026_03_01`), `{name}` for anything; other folders are told and left alone.
    Folders(String),
    /// Frames lie anywhere; each belongs to the night between two local noons of the site.
    ByTime,
}

impl NightPattern {
    /// The night's name that a folder's name gives: a date as `2026-03-01`, or the part that
    /// `{name}` stands for as it is.
    ///
    /// `None`: the folder is no night. Always so where frames are sorted by time. Folders that
    /// write one date in two ways give one name.
    pub fn name_of(&self, folder_name: &str) -> Option<String> {
        let Self::Folders(pattern) = self else { return None };
        let between = |mark| {
            let (start, end) = pattern.split_once(mark)?;
            folder_name.strip_prefix(start)?.strip_suffix(end)
        };
        if pattern.contains(DATE) {
            return date_of(between(DATE)?);
        }
        between(NAME).filter(|name| !name.trim().is_empty()).map(str::to_owned)
    }
}

impl fmt::Display for NightPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folders(pattern) => pattern,
            Self::ByTime => BY_TIME,
        })
    }
}

/// Reads a pattern of the configuration.
pub(super) fn night_pattern(
    key: &'static str,
    value: Option<String>,
    checker: &Checker<'_>,
) -> Result<Option<NightPattern>, ConfigError> {
    let form = "by-time, or a folder's name with {date} or {name} once in it";
    let text = checker.optional_text(key, value, is_pattern, form)?;
    Ok(text.map(|text| match text.as_str() {
        BY_TIME => NightPattern::ByTime,
        _ => NightPattern::Folders(text),
    }))
}

fn is_pattern(text: &str) -> bool {
    let n_marks = text.matches(DATE).count() + text.matches(NAME).count();
    let rest = text.replace(DATE, "").replace(NAME, "");
    text == BY_TIME || (n_marks == 1 && !rest.contains(['{', '}', '/', '\0']))
}

/// A date of the calendar in one of the three forms, as `2026-03-01`.
fn date_of(text: &str) -> Option<String> {
    let digits: String = match text.len() {
        8 => text.to_owned(),
        10 => {
            let mark = text.chars().find(|c| matches!(c, '-' | '_'))?;
            let parts: Vec<&str> = text.split(mark).collect();
            if parts.iter().map(|part| part.len()).ne([4, 2, 2]) {
                return None;
            }
            parts.concat()
        }
        _ => return None,
    };
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let number: u32 = digits.parse().ok()?;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let is_date = (1..=days_of(year, month)).contains(&day);
    is_date.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// Days of a month of the Gregorian calendar; 0 when there is no such month.
fn days_of(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(pattern: &str, folder: &str) -> Option<String> {
        assert!(is_pattern(pattern), "{pattern}");
        NightPattern::Folders(pattern.to_owned()).name_of(folder)
    }

    #[test]
    fn dates_have_three_forms() {
        for folder in ["2026-03-01", "20260301", "2026_03_01"] {
            assert_eq!(name("{date}", folder).as_deref(), Some("2026-03-01"), "{folder}");
        }
        for folder in [
            "2026-03_01",
            "2026-0301",
            "26-03-01",
            "2026-3-01",
            "2026-03-1",
            "2026-03-01b",
            "a20260301",
            "2026.03.01",
            "+2260301",
            "2026-+3-01",
            "",
            "flats",
            "２０２６",
        ] {
            assert_eq!(name("{date}", folder), None, "{folder}");
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        // 2000 is a leap year by the rule of 400, 1900 is none by the rule of 100.
        for folder in ["20240229", "20000229", "20261231", "20260430"] {
            assert!(name("{date}", folder).is_some(), "{folder}");
        }
        for folder in ["20260229", "19000229", "20261301", "20260001", "20260431", "20260300"] {
            assert_eq!(name("{date}", folder), None, "{folder}");
        }
    }

    #[test]
    fn the_text_around_the_mark_is_literal() {
        assert_eq!(name("night_{date}_T1", "night_20260301_T1").as_deref(), Some("2026-03-01"));
        for folder in ["20260301", "night_20260301", "Night_20260301_T1", "night_20260301_T1x"] {
            assert_eq!(name("night_{date}_T1", folder), None, "{folder}");
        }
        assert_eq!(name("{name}", "M 31, März").as_deref(), Some("M 31, März"));
        assert_eq!(name("obs-{name}", "obs-2026-03-01").as_deref(), Some("2026-03-01"));
        assert_eq!(name("obs-{name}", "obs-"), None, "nothing is no name");
        assert_eq!(name("ab{name}ba", "aba"), None, "start and end may not overlap");
        assert_eq!(NightPattern::ByTime.name_of("2026-03-01"), None);
    }

    #[test]
    fn a_pattern_has_one_mark() {
        for wrong in ["", "raw", "{date}{name}", "{date}/{date}", "{Date}", "a/{name}", "{date"] {
            assert!(!is_pattern(wrong), "{wrong}");
        }
        assert!(is_pattern("by-time"));
    }
}
