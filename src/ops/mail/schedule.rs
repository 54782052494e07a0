//! When the mail of several nights is due: at a local clock time, once a day.
//!
//! A clock time that a day does not have (the clocks go forward) counts as the time it would have
//! been, an hour later by the new clock; one that a day has twice counts the first time.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::config::{Config, Mail, MailTime};
use crate::science::time::{Epoch, SECONDS_PER_DAY};

use super::MailError;

/// MJD of the Unix epoch [d].
const MJD_UNIX: f64 = 40_587.0;
/// Days looked through for the next time; a zone may skip one.
const DAYS_MAX: i64 = 4;

/// The first mail time after an instant; `None` when reports are mailed as nights close.
pub fn next_digest(config: &Config, after: Epoch) -> Option<Epoch> {
    let MailTime::At { hour, minute } = config.mail.when else {
        return None;
    };
    let zone = time_zone(&config.mail).unwrap_or_else(|error| {
        tracing::error!("The mail's time is taken by the system's time zone: {error}.");
        TimeZone::system()
    });
    next_time(&zone, hour, minute, after)
}

/// The time zone of the mail.
pub fn time_zone(mail: &Mail) -> Result<TimeZone, MailError> {
    match &mail.time_zone {
        Some(name) => {
            TimeZone::get(name).map_err(|source| MailError::TimeZone { name: name.clone(), source })
        }
        None => Ok(TimeZone::system()),
    }
}

/// The first time after an instant at which the clocks of a zone show hour and minute.
fn next_time(zone: &TimeZone, hour: u8, minute: u8, after: Epoch) -> Option<Epoch> {
    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
    // Rounded down: a mail at exactly this second is not after it.
    let seconds = ((after.mjd_utc() - MJD_UNIX) * SECONDS_PER_DAY + 1e-3).floor();
    if !seconds.is_finite() {
        return None;
    }
    let start = Timestamp::from_second(seconds as i64).ok()?;
    let today: Date = zone.to_datetime(start).date();
    (-1..=DAYS_MAX)
        .filter_map(|day| {
            let date = today.checked_add(day.days()).ok()?;
            let at = zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()?;
            (at > start).then_some(at)
        })
        .min()
        .map(|at| Epoch::from_mjd_utc(MJD_UNIX + at.as_second() as f64 / SECONDS_PER_DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone of the database")
    }

    /// All mail times of a year as UTC minutes, each looked for after the one before.
    fn times(name: &str, hour: u8, minute: u8, year: i64, n_days: usize) -> Vec<String> {
        let mut at = Epoch::from_date(year, 1, 1, 0.0);
        let mut found = Vec::new();
        while found.len() < n_days {
            at = next_time(&zone(name), hour, minute, at).expect("there is always a next one");
            found.push(at.to_iso().chars().take(16).collect());
        }
        found
    }

    #[test]
    fn each_day_of_a_year_has_one_time_over_both_changes_of_the_clock() {
        // Madrid 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC.
        let times = times("Europe/Madrid", 7, 30, 2026, 365);
        assert_eq!(times[0], "2026-01-01T06:30");
        assert_eq!(times[364], "2026-12-31T06:30");
        assert!(times.contains(&"2026-03-28T06:30".to_owned()));
        assert!(times.contains(&"2026-03-29T05:30".to_owned()));
        assert!(times.contains(&"2026-10-24T05:30".to_owned()));
        assert!(times.contains(&"2026-10-25T06:30".to_owned()));
        let mut days: Vec<String> = times.iter().map(|t| t.chars().take(10).collect()).collect();
        days.dedup();
        assert_eq!(days.len(), 365, "one a day");
    }

    #[test]
    fn a_time_that_is_missing_or_there_twice_counts_once() {
        // 02:30 does not exist on 29 March: 03:30 summer time, 01:30 UTC, which is where 02:30
        // winter time would have been. On 25 October it comes at 00:30 and 01:30 UTC: the first.
        let times = times("Europe/Madrid", 2, 30, 2026, 365);
        let on = |day: &str| times.iter().filter(|t| t.starts_with(day)).collect::<Vec<_>>();
        assert_eq!(on("2026-03-28"), ["2026-03-28T01:30"]);
        assert_eq!(on("2026-03-29"), ["2026-03-29T01:30"]);
        assert_eq!(on("2026-03-30"), ["2026-03-30T00:30"]);
        assert_eq!(on("2026-10-25"), ["2026-10-25T00:30"]);
        assert_eq!(on("2026-10-26"), ["2026-10-26T01:30"]);
    }

    #[test]
    fn zones_far_from_greenwich_and_days_that_were_skipped() {
        // Kiritimati is 14 h ahead: 07:30 there is 17:30 UTC of the day before.
        let after = Epoch::from_date(2026, 6, 10, 12.0 * 3600.0);
        let next = next_time(&zone("Pacific/Kiritimati"), 7, 30, after).expect("a time");
        assert_eq!(next.to_iso(), "2026-06-10T17:30:00.000");
        // Samoa had no 30 December 2011; the times around it are a day apart, not none or two.
        let after = Epoch::from_date(2011, 12, 29, 18.0 * 3600.0);
        let first = next_time(&zone("Pacific/Apia"), 7, 30, after).expect("a time");
        let second = next_time(&zone("Pacific/Apia"), 7, 30, first).expect("a time");
        assert_eq!(first.to_iso(), "2011-12-30T17:30:00.000");
        assert_eq!(second.to_iso(), "2011-12-31T17:30:00.000");
        assert_eq!(next_time(&zone("UTC"), 7, 30, Epoch::from_mjd_utc(f64::NAN)), None);
    }

    #[test]
    fn the_configuration_chooses() {
        let mut config = Config::default();
        let noon = Epoch::from_date(2026, 3, 1, 43_200.0);
        assert_eq!(next_digest(&config, noon), None, "reports go as nights close");
        config.mail.when = MailTime::At { hour: 7, minute: 30 };
        config.mail.time_zone = Some("Europe/Madrid".to_owned());
        let next = next_digest(&config, noon).expect("a time");
        assert_eq!(next.to_iso(), "2026-03-02T06:30:00.000");
        assert!(next_digest(&config, next).expect("a time") > next, "strictly later");
        config.mail.time_zone = Some("Europe/Atlantis".to_owned());
        assert!(
            time_zone(&config.mail).expect_err("no such zone").to_string().contains("Atlantis")
        );
        assert!(next_digest(&config, noon).is_some(), "still a mail a day");
    }
}
