//! Light curves as CSV: time, magnitude, error, session, and what reduces them.
//!
//! Columns by name, any order: `time` (ISO, UTC), `mjd` or `jd` [d] and `mag` [mag] are needed;
//! `mag_err` (or `err`) [mag], `session`, `filter`, `r_au`, `delta_au`, `phase_deg` are used when
//! there. Lines that begin with `#` are remarks. Without a heading the columns are time [d], mag,
//! err, session, parted by commas or blanks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::light_curve::{LightCurve, LightCurveError, Measured, ROWS_MAX, Session};
use crate::science::time::Epoch;

/// Days from JD to MJD.
const MJD_OF_JD0: f64 = 2_400_000.5;
/// Smallest number of days that must be a Julian date, no modified one.
const JD_LEAST: f64 = 1_000_000.0;

/// Reads a light curve.
///
/// Rows without a time or a magnitude are counted as bad and left out. Errors: `MissingColumn`,
/// `NoPoints`, `TooLong`.
pub fn read_csv(text: &str) -> Result<LightCurve, LightCurveError> {
    let remarks = text.lines().filter_map(|line| line.trim().strip_prefix('#'));
    let object = remarks
        .filter_map(|line| line.split(':').next())
        .map(str::trim)
        .find(|name| !name.is_empty())
        .unwrap_or_default()
        .to_owned();
    let mut lines =
        text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).peekable();
    let columns = match lines.peek().map(|line| cells(line)) {
        Some(first) if first.first().is_some_and(|cell| instant(cell).is_none()) => {
            lines.next();
            Columns::named(&first)?
        }
        _ => Columns::plain(),
    };
    let mut curve = LightCurve { object, ..LightCurve::default() };
    let mut sessions: BTreeMap<String, u32> = BTreeMap::new();
    for line in lines {
        if curve.points.len() >= ROWS_MAX {
            return Err(LightCurveError::TooLong { allowed: ROWS_MAX });
        }
        let row = cells(line);
        let (text, real) = (
            |at: Option<usize>| columns.text(&row, at),
            |at: Option<usize>| {
                columns.text(&row, at).and_then(|t| t.parse().ok()).filter(|v: &f64| v.is_finite())
            },
        );
        let time = text(Some(columns.time)).and_then(instant);
        let (Some(mid_mjd_utc), Some(mag)) = (time, real(Some(columns.mag))) else {
            curve.n_bad += 1;
            continue;
        };
        let name = text(columns.session).unwrap_or_default().to_owned();
        let session = *sessions.entry(name.clone()).or_insert_with(|| {
            let filter = text(columns.filter).unwrap_or_default().to_owned();
            curve.sessions.push(Session { name, filter, ..Session::default() });
            u32::try_from(curve.sessions.len() - 1).unwrap_or(u32::MAX)
        });
        curve.points.push(Measured {
            mid_mjd_utc,
            mag,
            err_mag: real(columns.err).filter(|e| *e > 0.0),
            session,
            sun_au: real(columns.sun),
            observer_au: real(columns.observer),
            phase_deg: real(columns.phase),
        });
    }
    if curve.points.is_empty() { Err(LightCurveError::NoPoints) } else { Ok(curve) }
}

/// Where the columns are.
struct Columns {
    time: usize,
    mag: usize,
    err: Option<usize>,
    session: Option<usize>,
    filter: Option<usize>,
    sun: Option<usize>,
    observer: Option<usize>,
    phase: Option<usize>,
}

impl Columns {
    fn plain() -> Self {
        Self {
            time: 0,
            mag: 1,
            err: Some(2),
            session: Some(3),
            filter: None,
            sun: None,
            observer: None,
            phase: None,
        }
    }

    fn named(heading: &[&str]) -> Result<Self, LightCurveError> {
        let column = |names: &[&str]| {
            names.iter().find_map(|n| heading.iter().position(|h| h.eq_ignore_ascii_case(n)))
        };
        let needed = |names: &[&'static str]| {
            column(names).ok_or(LightCurveError::MissingColumn { column: names[0] })
        };
        Ok(Self {
            time: needed(&["time", "mid_mjd_utc", "mjd", "jd"])?,
            mag: needed(&["mag", "mag_g"])?,
            err: column(&["mag_err", "err", "mag_err_mag"]),
            session: column(&["session"]),
            filter: column(&["filter"]),
            sun: column(&["r_au"]),
            observer: column(&["delta_au"]),
            phase: column(&["phase_deg"]),
        })
    }

    fn text<'a>(&self, row: &[&'a str], at: Option<usize>) -> Option<&'a str> {
        at.and_then(|i| row.get(i)).copied().filter(|cell| !cell.is_empty())
    }
}

/// The cells of a line: by commas when it has one, else by blanks.
fn cells(line: &str) -> Vec<&str> {
    if line.contains(',') {
        line.split(',').map(str::trim).collect()
    } else {
        line.split_whitespace().collect()
    }
}

/// A time as MJD [d]: ISO, or days as JD or MJD.
fn instant(text: &str) -> Option<f64> {
    if let Ok(days) = text.parse::<f64>() {
        let mjd = if days > JD_LEAST { days - MJD_OF_JD0 } else { days };
        return days.is_finite().then_some(mjd);
    }
    let (date, clock) = text.trim_end_matches('Z').split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(str::parse::<u32>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut clock = clock.splitn(3, ':').map(str::parse::<f64>);
    let (hour, minute) = (clock.next()?.ok()?, clock.next()?.ok()?);
    let second = clock.next().and_then(Result::ok).unwrap_or(0.0);
    let is_date =
        (1..=12).contains(&month) && (1..=31).contains(&day) && (1000..=9999).contains(&year);
    let is_clock = (0.0..24.0).contains(&hour)
        && (0.0..60.0).contains(&minute)
        && (0.0..61.0).contains(&second);
    (is_date && is_clock).then(|| {
        let seconds = 3600.0 * hour + 60.0 * minute + second;
        Epoch::from_date(i64::from(year), month, day, seconds).mjd_utc()
    })
}

/// Writes a light curve; a heading, then a row per point.
pub fn write_csv(curve: &LightCurve) -> String {
    let mut text = String::from("mjd,mag,mag_err,r_au,delta_au,phase_deg,session,filter\n");
    let cell = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    for point in &curve.points {
        let session = curve.sessions.get(point.session as usize);
        let name = |of: fn(&Session) -> &str| session.map(of).unwrap_or_default().replace(',', " ");
        writeln!(
            text,
            "{:.8},{:.4},{},{},{},{},{},{}",
            point.mid_mjd_utc,
            point.mag,
            cell(point.err_mag),
            cell(point.sun_au),
            cell(point.observer_au),
            cell(point.phase_deg),
            name(|s| &s.name),
            name(|s| &s.filter),
        )
        .expect("a text grows");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_by_its_heading() {
        let text = "# 1011_Laodamia: LCDB rotation period 5.17247 h\n\
                    time,mag,mag_err,r_au,delta_au,phase_deg,session,filter\n\
                    2000-01-01T12:00:00.000,1.168,nan,1.6,0.72,23.4,9027,R\n\
                    2000-01-01T12:02:39,1.156,0.01,1.6,0.72,23.4,9028,R\n\
                    soon,1,1,1,1,1,1,R\n";
        let curve = read_csv(text).expect("two points");
        assert_eq!((curve.points.len(), curve.n_bad, curve.sessions.len()), (2, 1, 2));
        assert_eq!(curve.object, "1011_Laodamia");
        // J2000.0 is JD 2451545.0, MJD 51544.5.
        assert!((curve.points[0].mid_mjd_utc - 51_544.5).abs() < 1e-9);
        assert_eq!((curve.points[0].err_mag, curve.points[1].err_mag), (None, Some(0.01)));
        assert_eq!(curve.sessions[1].name, "9028");
        let again = read_csv(&write_csv(&curve)).expect("the same");
        assert_eq!(again.points.len(), 2);
        assert!((again.points[1].mid_mjd_utc - curve.points[1].mid_mjd_utc).abs() < 1e-8);
        assert_eq!(again.sessions[1].filter, "R");
    }

    #[test]
    fn bare_columns_are_time_mag_err_session() {
        let curve = read_csv("2451545.0 10.5 0.1 3\n51545.5 10.6 0.1 4\n").expect("two");
        assert!((curve.points[0].mid_mjd_utc - 51_544.5).abs() < 1e-9);
        assert!((curve.points[1].mid_mjd_utc - 51_545.5).abs() < 1e-9);
        assert_eq!(curve.sessions.len(), 2);
        assert!(matches!(read_csv("a,b\n1,2\n"), Err(LightCurveError::MissingColumn { .. })));
        assert!(matches!(read_csv(""), Err(LightCurveError::NoPoints)));
        assert!(matches!(
            read_csv("time,mag\n2020-13-01T00:00:00,4\n"),
            Err(LightCurveError::NoPoints)
        ));
    }
}
