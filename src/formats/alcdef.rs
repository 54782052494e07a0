//! ALCDEF: the format in which light curves of asteroids are exchanged.
//!
//! ALCDEF Standard 2.x (Stephens, Warner & Harris; alcdef.org): blocks of `STARTMETADATA`,
//! `KEY=VALUE` lines, `ENDMETADATA`, then `DATA=jd|mag|err|airmass` lines up to `ENDDATA`; a block
//! is a session. The separator is a vertical bar unless `DELIMITER` says TAB, SEMICOLON or else.
//! Times are UTC Julian dates; `LTCAPP` other than NONE says that light time is taken off.

use std::fmt::Write as _;

use super::light_curve::{LightCurve, LightCurveError, Measured, ROWS_MAX, Session};

/// Days from JD to MJD.
const MJD_OF_JD0: f64 = 2_400_000.5;
/// Most sessions read.
const SESSIONS_MAX: usize = 10_000;

/// Tells whether a text looks like ALCDEF.
pub fn is_alcdef(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| line.eq_ignore_ascii_case("STARTMETADATA"))
}

/// Reads all sessions of a text.
///
/// Rows without a time or magnitude are counted as bad and left out. Errors: `NoPoints`, `TooLong`.
pub fn read_alcdef(text: &str) -> Result<LightCurve, LightCurveError> {
    let mut curve = LightCurve::default();
    let (mut session, mut delimiter) = (Session::default(), '|');
    let (mut number, mut name) = (String::new(), String::new());
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        if line.eq_ignore_ascii_case("STARTMETADATA") {
            (session, delimiter, is_open) = (Session::default(), '|', false);
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim().to_ascii_uppercase(), value.trim());
        let is_yes = value.eq_ignore_ascii_case("YES") || value.eq_ignore_ascii_case("TRUE");
        match key.as_str() {
            "OBJECTNUMBER" => number = value.to_owned(),
            "OBJECTNAME" => name = value.to_owned(),
            "DELIMITER" => delimiter = separator(value),
            "FILTER" => session.filter = value.to_owned(),
            "MPCCODE" => session.observatory = value.to_owned(),
            "OBSERVERS" => session.observers = value.to_owned(),
            "SESSIONDATE" => session.name = value.to_owned(),
            "SESSIONTIME" => session.name = format!("{}T{value}", session.name),
            "LTCAPP" => session.is_light_time_applied = is_applied(value),
            "DIFFERMAGS" => session.is_differential = is_yes,
            "REDUCEDMAGS" => session.is_distance_applied = is_applied(value),
            "DATA" => {
                if !is_open {
                    if curve.sessions.len() >= SESSIONS_MAX {
                        return Err(LightCurveError::TooLong { allowed: ROWS_MAX });
                    }
                    curve.sessions.push(session.clone());
                    is_open = true;
                }
                add_row(&mut curve, value, delimiter)?;
            }
            _ => {}
        }
    }
    let parts = [number, name];
    let parts = parts.iter().filter(|p| !p.is_empty() && *p != "0");
    curve.object = parts.cloned().collect::<Vec<_>>().join(" ");
    if curve.points.is_empty() { Err(LightCurveError::NoPoints) } else { Ok(curve) }
}

/// Whether `LTCAPP` or `REDUCEDMAGS` names a correction: NONE, or AVERAGE, POINT and the like.
fn is_applied(value: &str) -> bool {
    !["", "NONE", "NO", "FALSE"].iter().any(|no| value.eq_ignore_ascii_case(no))
}

/// The separator a file names.
fn separator(value: &str) -> char {
    match value.to_ascii_uppercase().as_str() {
        "TAB" => '\t',
        "SEMICOLON" => ';',
        "COMMA" => ',',
        "SPACE" => ' ',
        "" | "PIPE" => '|',
        other => other.chars().next().unwrap_or('|'),
    }
}

/// Adds a point of the last session.
fn add_row(curve: &mut LightCurve, row: &str, delimiter: char) -> Result<(), LightCurveError> {
    if curve.points.len() >= ROWS_MAX {
        return Err(LightCurveError::TooLong { allowed: ROWS_MAX });
    }
    let mut cells =
        row.split(delimiter).map(|cell| cell.trim().parse::<f64>().ok().filter(|v| v.is_finite()));
    let (jd, mag, err) = (cells.next().flatten(), cells.next().flatten(), cells.next().flatten());
    let (Some(jd), Some(mag)) = (jd, mag) else {
        curve.n_bad += 1;
        return Ok(());
    };
    curve.points.push(Measured {
        mid_mjd_utc: jd - MJD_OF_JD0,
        mag,
        err_mag: err.filter(|e| *e > 0.0),
        session: u32::try_from(curve.sessions.len() - 1).unwrap_or(u32::MAX),
        sun_au: None,
        observer_au: None,
        phase_deg: None,
    });
    Ok(())
}

/// Writes a light curve, a block for each session that has points.
///
/// Magnitudes and times are written as they are held: not reduced unless the session says so.
pub fn write_alcdef(curve: &LightCurve) -> String {
    let mut text = String::new();
    let (number, name) = match curve.object.split_once(' ') {
        Some((number, name)) if number.chars().all(|c| c.is_ascii_digit()) => (number, name),
        _ => ("0", curve.object.as_str()),
    };
    let yes_no = |is: bool| if is { "TRUE" } else { "FALSE" };
    for (i, session) in curve.sessions.iter().enumerate() {
        let points: Vec<&Measured> =
            curve.points.iter().filter(|p| p.session as usize == i).collect();
        let Some(first) = points.first() else { continue };
        let start = crate::science::time::Epoch::from_mjd_utc(first.mid_mjd_utc).to_iso();
        let (date, clock) = start.split_once('T').unwrap_or((&start, ""));
        let clock = clock.split('.').next().unwrap_or_default();
        let is_reduced = if session.is_distance_applied { "AVERAGE" } else { "NONE" };
        let lines = [
            "STARTMETADATA".to_owned(),
            format!("OBJECTNUMBER={number}"),
            format!("OBJECTNAME={}", name.replace(['\n', '\r', '='], " ")),
            format!("SESSIONDATE={date}"),
            format!("SESSIONTIME={clock}"),
            format!("MPCCODE={}", session.observatory.replace(['\n', '\r', '='], " ")),
            format!("OBSERVERS={}", session.observers.replace(['\n', '\r', '='], " ")),
            format!("FILTER={}", session.filter.replace(['\n', '\r', '='], " ")),
            format!("DIFFERMAGS={}", yes_no(session.is_differential)),
            format!("LTCAPP={}", if session.is_light_time_applied { "AVERAGE" } else { "NONE" }),
            format!("REDUCEDMAGS={is_reduced}"),
            "STANDARD=NONE".to_owned(),
            "DELIMITER=PIPE".to_owned(),
            "ENDMETADATA".to_owned(),
        ];
        lines.iter().for_each(|line| writeln!(text, "{line}").expect("a text grows"));
        for point in points {
            let (jd, mag) = (point.mid_mjd_utc + MJD_OF_JD0, point.mag);
            match point.err_mag {
                Some(err) => writeln!(text, "DATA={jd:.6}|{mag:.3}|{err:.3}"),
                None => writeln!(text, "DATA={jd:.6}|{mag:.3}"),
            }
            .expect("a text grows");
        }
        text.push_str("ENDDATA\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "STARTMETADATA\nOBJECTNUMBER=1627\nOBJECTNAME=Ivar\nFILTER=C\n\
        MPCCODE=716\nLTCAPP=NONE\nDELIMITER=PIPE\nENDMETADATA\nDATA=2454714.861|14.363|0.006\n\
        DATA=2454714.869|14.344|+0.006|1.2\nDATA=bad|1\nENDDATA\nSTARTMETADATA\nLTCAPP=YES\n\
        DELIMITER=TAB\nENDMETADATA\nDATA=2454715.861\t14.4\nENDDATA\n";

    #[test]
    fn blocks_are_sessions_and_written_blocks_are_read_again() {
        assert!(is_alcdef(TEXT) && !is_alcdef("time,mag\n"));
        let curve = read_alcdef(TEXT).expect("three points");
        assert_eq!(curve.object, "1627 Ivar");
        assert_eq!((curve.points.len(), curve.sessions.len(), curve.n_bad), (3, 2, 1));
        assert!((curve.points[0].mid_mjd_utc - 54_714.361).abs() < 1e-9);
        assert_eq!(curve.points[2].err_mag, None);
        assert!(
            curve.sessions[1].is_light_time_applied && !curve.sessions[0].is_light_time_applied
        );
        let again = read_alcdef(&write_alcdef(&curve)).expect("the same");
        assert_eq!((again.object.as_str(), again.points.len()), ("1627 Ivar", 3));
        for (a, b) in again.points.iter().zip(&curve.points) {
            assert!((a.mid_mjd_utc - b.mid_mjd_utc).abs() < 1e-6 && (a.mag - b.mag).abs() < 1e-9);
        }
        assert!(again.sessions[1].is_light_time_applied);
        assert_eq!(again.sessions[0].observatory, "716");
        assert!(matches!(read_alcdef("STARTMETADATA\n"), Err(LightCurveError::NoPoints)));
    }

    #[test]
    fn light_time_and_distance_are_taken_off_once() {
        let mut curve = read_alcdef(TEXT).expect("points");
        for point in &mut curve.points {
            (point.sun_au, point.observer_au) = (Some(2.0), Some(1.0));
        }
        // One au: 499.005 s; r Delta = 2: 5 log 2 = 1.505 mag.
        let (hours, mag) = curve.reduced(&curve.points[0]);
        assert!((24.0 * curve.points[0].mid_mjd_utc - hours - 499.004_784 / 3600.0).abs() < 1e-8);
        assert!((curve.points[0].mag - mag - 1.505_15).abs() < 1e-4);
        let (hours, _) = curve.reduced(&curve.points[2]);
        assert!((24.0 * curve.points[2].mid_mjd_utc - hours).abs() < 1e-12);
        // At 90 deg the phase functions are exp(-3.33) and exp(-1.87).
        curve.points[0].phase_deg = Some(90.0);
        let lit = 0.85 * (-3.33_f64).exp() + 0.15 * (-1.87_f64).exp();
        let (_, mag) = curve.reduced(&curve.points[0]);
        assert!((curve.points[0].mag - mag - 1.505_15 + 2.5 * lit.log10()).abs() < 1e-4);
    }
}
