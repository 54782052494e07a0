//! The middle of an exposure from a header, by the rules of a profile.
//!
//! Stamps are tried in the profile's order. An offset from UTC written in the value wins over one
//! in a keyword, which wins over the profile's. A date written apart from its time of day may
//! belong to the exposure's end; MJD-OBS, where it stands beside, settles the day.

use super::datetime::{Date, DateTime, parse_date_time, parse_offset};
use super::lookup::Reader;
use super::profile::{DateOf, OffsetApplies, OffsetSign, Stamp, StampMeaning, TimeRule};
use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// MJDs that are read: years 1950 to 2100 [d].
const MJD_SANE: std::ops::RangeInclusive<f64> = 33_282.0..=88_434.0;
/// Julian Date minus Modified Julian Date [d].
const JD_MINUS_MJD: f64 = 2_400_000.5;
/// Two clocks of one header agree within this [s].
const AGREEMENT_S: f64 = 2.0;
/// A day's shift shows in MJD-OBS within this [d]; below half a day, above any exposure.
const DAY_SHIFT_TOLERANCE: f64 = 0.1;
/// A UTC keyword this near to the stamp proves it to be UTC [s]; offsets are >= 15 minutes.
const UNIVERSAL_TOLERANCE_S: f64 = 300.0;
/// The keyword of the time scale (FITS paper IV).
const TIMESYS: &str = "TIMESYS";

/// The time of day of a stamp, and the MJD beside it.
struct TimeOfDay {
    /// Seconds since 0h of the stamp's clock.
    seconds: f64,
    /// The header's own instant, always UTC.
    mjd: Option<Epoch>,
}

/// What TIMESYS says of the stamps.
enum Scale {
    /// Not there, or not understood.
    Unknown,
    /// UTC or an approximation of it.
    Universal,
    /// The civil clock.
    Local,
    /// A fixed clock minus UTC [s].
    Offset(f64),
    /// TAI and its kin, which need leap seconds: not supported.
    Atomic,
}

/// The middle of the exposure; `None` with a remark when the header has no usable time.
///
/// * `exposure_s`: exposure time [s], >= 0.
pub(super) fn read_mid(reader: &mut Reader<'_>, rule: &TimeRule, exposure_s: f64) -> Option<Epoch> {
    let scale = read_scale(reader);
    if matches!(scale, Scale::Atomic) {
        let text = reader.text(TIMESYS).unwrap_or_default();
        reader.remark(format!("TIMESYS = '{text}' is not UTC and not supported; time unknown."));
        return None;
    }
    for stamp in &rule.stamps {
        let Some(instant) = read_stamp(reader, rule, stamp, &scale, exposure_s) else {
            continue;
        };
        let to_mid_s = match stamp.means {
            StampMeaning::Start => 0.5 * exposure_s,
            StampMeaning::Middle => 0.0,
            StampMeaning::End => -0.5 * exposure_s,
        };
        return Some(instant.plus_seconds(rule.shutter_offset_s + to_mid_s));
    }
    reader.remark("The header has no usable time of the exposure.".to_owned());
    None
}

/// The instant of one stamp: by date and time, else by MJD.
fn read_stamp(
    reader: &mut Reader<'_>,
    rule: &TimeRule,
    stamp: &Stamp,
    scale: &Scale,
    exposure_s: f64,
) -> Option<Epoch> {
    let mjd = read_mjd(reader, stamp);
    let Some((written, is_apart)) = read_written(reader, stamp, exposure_s) else {
        let instant = mjd?;
        reader.remark("The time is taken from the Modified Julian Date.".to_owned());
        return Some(instant);
    };
    let (date, seconds) = (written.date?, written.seconds?);
    let offset_s = match written.offset_s {
        Some(offset_s) => offset_s,
        None => header_offset_s(reader, rule, scale, &TimeOfDay { seconds, mjd })?,
    };
    let instant = Epoch::from_date(date.year, date.month, date.day, seconds - offset_s);
    let Some(mjd) = mjd else { return Some(instant) };
    let days = mjd.mjd_utc() - instant.mjd_utc();
    let shift = days.round();
    let is_day_off = shift.abs() > 0.5 && shift.abs() < 1.5;
    if is_apart && is_day_off && (days - shift).abs() < DAY_SHIFT_TOLERANCE {
        reader.remark(format!("The date is moved by {shift:+} day to agree with MJD-OBS."));
        return Some(instant.plus_seconds(shift * SECONDS_PER_DAY));
    }
    if days.abs() * SECONDS_PER_DAY > exposure_s + AGREEMENT_S {
        reader.remark(format!(
            "MJD-OBS differs by {:.1} s from date and time; these are used.",
            days * SECONDS_PER_DAY
        ));
    }
    Some(instant)
}

/// Date and time of day of a stamp, and whether they were written apart.
fn read_written(
    reader: &mut Reader<'_>,
    stamp: &Stamp,
    exposure_s: f64,
) -> Option<(DateTime, bool)> {
    for keyword in &stamp.date {
        let Some(text) = reader.text(keyword) else {
            continue;
        };
        let Some(written) = parse_date_time(&text) else {
            reader.dropped(keyword, &format!("'{text}'"), "time");
            continue;
        };
        let Some(date) = written.date else {
            reader.dropped(keyword, &format!("'{text}'"), "date");
            continue;
        };
        if written.is_guess {
            reader.remark(format!(
                "{keyword} = '{text}' is read as day/month/year of {}.",
                date.year
            ));
        }
        // Some programs write T00:00:00 into the date and the real time elsewhere.
        if written.seconds.is_some_and(|seconds| seconds > 0.0) {
            return Some((written, false));
        }
        let apart = stamp.time.iter().find_map(|keyword| read_time_of_day(reader, keyword));
        match (apart, written.seconds) {
            (Some(time), None) => {
                return Some((join(reader, stamp, date, &time, exposure_s), true));
            }
            (Some(time), Some(_)) if time.seconds.is_some_and(|seconds| seconds > 0.0) => {
                reader.remark(format!("{keyword} is at 0h; the time of day is from elsewhere."));
                return Some((join(reader, stamp, date, &time, exposure_s), true));
            }
            (_, Some(_)) => return Some((written, false)),
            (None, None) => {
                reader.remark(format!("{keyword} = '{text}' has no time of day."));
            }
        }
    }
    None
}

/// Time of day under a keyword; a full date and time gives its time.
fn read_time_of_day(reader: &mut Reader<'_>, keyword: &str) -> Option<DateTime> {
    let text = reader.text(keyword)?;
    let read = parse_date_time(&text).filter(|read| read.seconds.is_some());
    if read.is_none() {
        reader.dropped(keyword, &format!("'{text}'"), "time of day");
    }
    read
}

/// Joins a date and a time of day written apart, with the roll-over at 0h.
fn join(
    reader: &mut Reader<'_>,
    stamp: &Stamp,
    date: Date,
    time: &DateTime,
    exposure_s: f64,
) -> DateTime {
    let seconds = time.seconds.unwrap_or(0.0);
    let joined = DateTime {
        date: Some(date),
        seconds: Some(seconds),
        offset_s: time.offset_s,
        is_guess: false,
    };
    let left_s = match stamp.means {
        StampMeaning::Start => exposure_s,
        StampMeaning::Middle => 0.5 * exposure_s,
        StampMeaning::End => 0.0,
    };
    let end_s =
        stamp.end_time.iter().find_map(|keyword| read_time_of_day(reader, keyword)?.seconds);
    let crosses_0h = end_s.map_or(seconds + left_s >= SECONDS_PER_DAY, |end_s| end_s < seconds);
    if !crosses_0h {
        return joined;
    }
    match stamp.date_of {
        DateOf::Stamp => {
            reader.remark(
                "The exposure crosses 0h; the date is taken as that of the time.".to_owned(),
            );
            joined
        }
        DateOf::End => {
            reader.remark(
                "The exposure crosses 0h; the date is taken as that of its end.".to_owned(),
            );
            // Negative seconds reach into the day before.
            DateTime { seconds: Some(seconds - SECONDS_PER_DAY), ..joined }
        }
    }
}

/// The stamp's Modified Julian Date; a Julian Date is recognised by its size.
fn read_mjd(reader: &mut Reader<'_>, stamp: &Stamp) -> Option<Epoch> {
    for keyword in &stamp.mjd {
        let Some(number) = reader.number(keyword) else {
            continue;
        };
        let mjd = if number > JD_MINUS_MJD { number - JD_MINUS_MJD } else { number };
        if MJD_SANE.contains(&mjd) {
            return Some(Epoch::from_mjd_utc(mjd));
        }
        reader.dropped(keyword, &number, "Modified Julian Date");
    }
    None
}

fn read_scale(reader: &Reader<'_>) -> Scale {
    let Some(text) = reader.text(TIMESYS) else {
        return Scale::Unknown;
    };
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "UTC" | "UT" | "UT1" | "GMT" | "Z" => Scale::Universal,
        "TAI" | "TT" | "TDT" | "ET" | "TDB" | "TCB" | "TCG" | "GPS" | "IAT" => Scale::Atomic,
        name if name.starts_with("LOCAL") || name == "LT" => Scale::Local,
        name if name.starts_with("UT") || name.starts_with("GMT") => {
            parse_offset(name).map_or(Scale::Unknown, Scale::Offset)
        }
        _ => Scale::Unknown,
    }
}

/// The clock of the stamps minus UTC [s], by header and profile; `None` when it is unknown.
///
/// * `shown`: time of day of the stamp, to compare with what is certainly UTC.
fn header_offset_s(
    reader: &mut Reader<'_>,
    rule: &TimeRule,
    scale: &Scale,
    shown: &TimeOfDay,
) -> Option<f64> {
    if let Scale::Offset(offset_s) = scale {
        return Some(*offset_s);
    }
    let is_local = matches!(scale, Scale::Local);
    let is_universal = matches!(scale, Scale::Universal)
        || (!is_local && shows_universal(reader, &rule.universal_keywords, shown));
    for offset in &rule.offset_keywords {
        let applies = match offset.applies {
            OffsetApplies::Always => true,
            OffsetApplies::UnlessUniversal => !is_universal,
            OffsetApplies::WhenLocal => is_local,
        };
        let Some(text) = reader.text(&offset.keyword).filter(|_| applies) else {
            continue;
        };
        let Some(stated_s) = parse_offset(&text) else {
            reader.dropped(&offset.keyword, &format!("'{text}'"), "UTC offset");
            continue;
        };
        let offset_s = match offset.sign {
            OffsetSign::LocalMinusUtc => stated_s,
            OffsetSign::UtcMinusLocal => -stated_s,
        };
        if offset_s.abs() > 0.0 {
            reader.remark(format!(
                "Times are taken as local, {:+} h from UTC ({} = {text}).",
                offset_s / 3600.0,
                offset.keyword
            ));
        }
        return Some(offset_s);
    }
    if is_universal {
        return Some(0.0);
    }
    let profile_s = rule.utc_offset_hours * 3600.0;
    if is_local && profile_s.abs() < 1.0 {
        reader.remark("TIMESYS says local time without a UTC offset; time unknown.".to_owned());
        return None;
    }
    Some(profile_s)
}

/// Whether the MJD or a keyword of UTC shows the same time of day as the stamp.
fn shows_universal(reader: &Reader<'_>, keywords: &[String], shown: &TimeOfDay) -> bool {
    let agrees = |seconds: f64| {
        let apart = (seconds - shown.seconds).rem_euclid(SECONDS_PER_DAY);
        apart.min(SECONDS_PER_DAY - apart) < UNIVERSAL_TOLERANCE_S
    };
    let by_mjd = shown.mjd.map(|mjd| mjd.mjd_utc().rem_euclid(1.0) * SECONDS_PER_DAY);
    by_mjd.is_some_and(agrees)
        || keywords.iter().any(|keyword| {
            let read = reader.text(keyword).and_then(|text| parse_date_time(&text)?.seconds);
            read.is_some_and(agrees)
        })
}
