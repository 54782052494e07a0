//! Dates and times as headers write them.
//!
//! FITS (Rots et al. 2015, A&A 574, A36, section 2.1) knows `YYYY-MM-DD[Thh:mm:ss[.s...]]` and,
//! from before 1998, `DD/MM/YY`; cameras add a blank for the `T`, slashes, `Z` and UTC offsets.

use super::lookup::parse_number;

/// Two-digit years from here on mean 19YY, smaller ones 20YY: no CCD is older.
const TWO_DIGIT_YEAR_FIRST: i64 = 70;
/// Years that are read; others are nonsense of a camera whose clock was not set.
const YEARS: std::ops::RangeInclusive<i64> = 1950..=2100;

/// A date of the Gregorian calendar, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    /// Year.
    pub year: i64,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
}

/// What a text says of an instant; at least one of date and time of day is there.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct DateTime {
    /// The date.
    pub date: Option<Date>,
    /// Seconds since 0h of the clock.
    pub seconds: Option<f64>,
    /// The clock minus UTC [s], if the text says so.
    pub offset_s: Option<f64>,
    /// Whether the order of a date's fields was guessed.
    pub is_guess: bool,
}

/// Reads a date, a time of day, or both; `None` when the text is neither.
pub(super) fn parse_date_time(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let is_gap = |c: char| c == 'T' || c == 't' || c.is_whitespace();
    match text.split_once(is_gap) {
        Some((date, time)) if !date.contains(':') && !time.trim().is_empty() => {
            let (date, is_guess) = parse_date(date)?;
            let (seconds, offset_s) = parse_time(time)?;
            Some(DateTime { date: Some(date), seconds: Some(seconds), offset_s, is_guess })
        }
        _ if text.contains(':') => {
            let (seconds, offset_s) = parse_time(text)?;
            Some(DateTime { seconds: Some(seconds), offset_s, ..DateTime::default() })
        }
        _ => {
            let (date, is_guess) = parse_date(text)?;
            Some(DateTime { date: Some(date), is_guess, ..DateTime::default() })
        }
    }
}

/// Reads `YYYY-MM-DD`, `YYYY/MM/DD`, `YYYYMMDD`, `DD/MM/YY`, `DD/MM/YYYY`; says if it guessed.
fn parse_date(text: &str) -> Option<(Date, bool)> {
    let text = text.trim();
    let (fields, is_guess) = match text.split(['-', '/']).collect::<Vec<_>>()[..] {
        [y, m, d] if y.len() == 4 => ((y, m, d), false),
        // The standard's old form is day first and means 19YY; after 1999 it was used wrongly.
        [d, m, y] if text.contains('/') && matches!(y.len(), 2 | 4) => ((y, m, d), true),
        [all] if all.len() == 8 => ((all.get(..4)?, all.get(4..6)?, all.get(6..)?), false),
        _ => return None,
    };
    let mut year = digits(fields.0)?;
    let mut is_guess = is_guess;
    if fields.0.len() == 2 {
        is_guess = year < TWO_DIGIT_YEAR_FIRST;
        year += if is_guess { 2000 } else { 1900 };
    }
    let month = u32::try_from(digits(fields.1)?).ok()?;
    let day = u32::try_from(digits(fields.2)?).ok()?;
    let is_date = YEARS.contains(&year) && (1..=days_of_month(year, month)?).contains(&day);
    is_date.then_some((Date { year, month, day }, is_guess))
}

fn days_of_month(year: i64, month: u32) -> Option<u32> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if is_leap { 29 } else { 28 }),
        1..=12 => Some(31),
        _ => None,
    }
}

/// Reads `hh:mm[:ss[.s...]]` with an optional `Z`, `UTC` or offset: seconds, offset [s].
fn parse_time(text: &str) -> Option<(f64, Option<f64>)> {
    let text = text.trim();
    let upper = text.to_ascii_uppercase();
    let (clock, offset_s) =
        match ["Z", "UTC", "UT", "GMT"].iter().find_map(|end| upper.strip_suffix(end)) {
            Some(clock) => (clock.to_owned(), Some(0.0)),
            None => match upper.find(['+', '-']) {
                Some(at) => (upper.get(..at)?.to_owned(), Some(parse_offset(upper.get(at..)?)?)),
                None => (upper, None),
            },
        };
    let fields: Vec<&str> = clock.trim().split(':').collect();
    let (hours, minutes, seconds) = match fields[..] {
        [h, m] => (digits(h)?, digits(m)?, 0.0),
        [h, m, s] => (digits(h)?, digits(m)?, seconds_of(s)?),
        _ => return None,
    };
    // 60.x is the leap second.
    let is_time = (0..24).contains(&hours) && (0..60).contains(&minutes) && seconds < 61.0;
    is_time.then_some(((hours * 3600 + minutes * 60) as f64 + seconds, offset_s))
}

fn seconds_of(text: &str) -> Option<f64> {
    let text = text.trim().replace(',', ".");
    let is_plain = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if is_plain { parse_number(&text) } else { None }
}

/// Reads a UTC offset: `+02:00`, `-0330`, `+2`, `5.5`, `UTC-3`; the result is in seconds.
pub(super) fn parse_offset(text: &str) -> Option<f64> {
    let upper = text.trim().to_ascii_uppercase();
    let bare = ["UTC", "GMT", "UT"].iter().find_map(|name| upper.strip_prefix(name));
    let text = bare.unwrap_or(&upper).trim();
    let (sign, body) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let hours = match body.split_once(':') {
        Some((h, m)) => digits(h)? as f64 + minutes_of_offset(m)? / 60.0,
        None if body.len() == 4 && digits(body).is_some() => {
            digits(body.get(..2)?)? as f64 + minutes_of_offset(body.get(2..)?)? / 60.0
        }
        None => seconds_of(body)?,
    };
    (hours <= super::shipped::OFFSET_MAX_HOURS).then_some(sign * hours * 3600.0)
}

fn minutes_of_offset(text: &str) -> Option<f64> {
    digits(text).filter(|minutes| *minutes < 60).map(|minutes| minutes as f64)
}

/// A number of one to eight decimal digits and nothing else.
fn digits(text: &str) -> Option<i64> {
    let text = text.trim();
    let is_plain = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn check(text: &str, date: Option<(i64, u32, u32)>, seconds: Option<f64>, offset: Option<f64>) {
        let read = parse_date_time(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(read.date.map(|d| (d.year, d.month, d.day)), date, "{text}");
        for (found, wanted) in [(read.seconds, seconds), (read.offset_s, offset)] {
            assert_eq!(found.is_some(), wanted.is_some(), "{text}");
            assert!((found.unwrap_or(0.0) - wanted.unwrap_or(0.0)).abs() < 1e-9, "{text}");
        }
    }

    #[test]
    fn usual_forms() {
        let day = Some((2024, 3, 1));
        // 22:10:05.25 is 79805.25 s after 0h.
        let t = Some(79_805.25);
        check("2024-03-01T22:10:05.25", day, t, None);
        check("2024-03-01 22:10:05.25", day, t, None);
        check("2024/03/01T22:10:05,25Z", day, t, Some(0.0));
        check("2024-03-01T22:10:05.25+02:00", day, t, Some(7200.0));
        check("2024-03-01T22:10:05.25 -0330", day, t, Some(-12_600.0));
        check("20240301", day, None, None);
        check("01/03/24", day, None, None);
        check("01/03/1994", Some((1994, 3, 1)), None, None);
        check("01/03/94", Some((1994, 3, 1)), None, None);
        check("22:10:05.25", None, t, None);
        check("22:10:5.25 UT", None, t, Some(0.0));
        check("22:10", None, Some(79_800.0), None);
        check("2016-12-31T23:59:60.5", Some((2016, 12, 31)), Some(86_400.5), None);
    }

    #[test]
    fn nonsense_is_none() {
        for text in [
            "",
            "T",
            "2024-13-01",
            "2023-02-29",
            "2024-03-01T25:00:00",
            "2024-03-01T22:61:00",
            "abc",
            "2024-03-01T",
            "0000-00-00",
            "2024-03-01T22:10:05+99:00",
            "1e3",
            "NaN",
            "2024-03-0é",
        ] {
            assert!(parse_date_time(text).is_none(), "{text}");
        }
    }

    #[test]
    fn offsets() {
        for (text, hours) in
            [("2", 2.0), ("-7", -7.0), ("UTC-3", -3.0), ("+05:30", 5.5), ("5.75", 5.75)]
        {
            assert!((parse_offset(text).unwrap() - hours * 3600.0).abs() < 1e-9, "{text}");
        }
        for text in ["", "UTC", "99", "+", "1:99"] {
            assert_eq!(parse_offset(text), None, "{text}");
        }
    }
}
