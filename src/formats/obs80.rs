//! The 80-column line of an optical observation, and the header of a report made of such lines.
//!
//! Source: Minor Planet Center, "Format for optical astrometric observations". Columns, from 1:
//! 1-12 designation, 13 discovery asterisk, 14 note, 15 kind of detector, 16-32 date with decimals
//! of the day, 33-44 right ascension, 45-56 declination, 66-70 magnitude, 71 band, 72 catalogue,
//! 73-77 reference, 78-80 station. Numbers are rounded first and split then, carrying to the left,
//! so that no minute has 60 seconds. Two-line forms (satellites, radar, roving) are not known.

use std::fmt::Write as _;

use crate::science::time::{Epoch, civil_date};

/// Length of a line [characters].
pub const LENGTH: usize = 80;

/// Why a text is no line of an optical observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obs80Error {
    /// Not 80 characters of plain ASCII.
    #[error("a line has {LENGTH} characters of plain ASCII, this one {found}")]
    Length {
        /// Its length [characters].
        found: usize,
    },
    /// A line of a form that has two.
    #[error("column 15: this line needs another one; such forms are not read")]
    TwoLines,
    /// A column that must be blank is not.
    #[error("columns {first} to {last} must be blank")]
    NotBlank {
        /// First column, from 1.
        first: usize,
        /// Last column.
        last: usize,
    },
    /// The date is none.
    #[error("columns 16 to 32: no date as 2015 09 20.22723")]
    Date,
    /// The right ascension is none.
    #[error("columns 33 to 44: no right ascension as 21 41 07.88")]
    RightAscension,
    /// The declination is none.
    #[error("columns 45 to 56: no declination as -10 51 09.0")]
    Declination,
    /// The magnitude is none.
    #[error("columns 66 to 70: no magnitude as 21.8")]
    Magnitude,
    /// A value does not fit its columns.
    #[error("the {what} does not fit its columns")]
    Unfit {
        /// Which value.
        what: &'static str,
    },
}

/// A number and how many decimals of it are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounded {
    value: f64,
    decimals: u32,
}

impl Rounded {
    /// A number of which so many decimals are written.
    pub const fn new(value: f64, decimals: u32) -> Self {
        Self { value, decimals }
    }

    /// The number.
    pub const fn value(self) -> f64 {
        self.value
    }

    /// In units of the last decimal, after a change of unit.
    fn ticks(self, factor: f64) -> i64 {
        (self.value.abs() * factor * 10_f64.powi(self.decimals as i32)).round() as i64
    }
}

/// An observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Line80 {
    /// Columns 1-12: packed designation, or a temporary one from column 6.
    pub designation: String,
    /// Whether it is the discovery.
    pub is_discovery: bool,
    /// Note, as `K` for a stack.
    pub note: Option<char>,
    /// Kind of detector: `C` for a CCD, `B` for CMOS.
    pub detector: char,
    /// Middle of the exposure [d, MJD UTC]; 5 or 6 decimals are usual.
    pub mid_mjd_utc: Rounded,
    /// Right ascension [deg]; the decimals are those of its seconds, 2 or 3 are usual.
    pub ra_deg: Rounded,
    /// Declination [deg]; the decimals are those of its arcseconds, 1 or 2 are usual.
    pub dec_deg: Rounded,
    /// Magnitude.
    pub mag: Option<Rounded>,
    /// Its band.
    pub band: Option<char>,
    /// Catalogue of the astrometry, a letter that the Minor Planet Center sets.
    pub catalogue: Option<char>,
    /// Reference, which the Minor Planet Center sets.
    pub reference: String,
    /// Code of the station.
    pub station: String,
}

impl Line80 {
    /// The line.
    pub fn write(&self) -> Result<String, Obs80Error> {
        let mark = |c: Option<char>| c.unwrap_or(' ');
        let asterisk = if self.is_discovery { '*' } else { ' ' };
        let magnitude = match self.mag {
            Some(mag) => {
                format!("{:>1$.2$}", mag.value, 3 + mag.decimals as usize, mag.decimals as usize)
            }
            None => String::new(),
        };
        let parts: [(&'static str, String, usize); 9] = [
            ("designation", self.designation.clone(), 12),
            ("kind", format!("{asterisk}{}{}", mark(self.note), self.detector), 3),
            ("date", date(self.mid_mjd_utc), 17),
            ("right ascension", right_ascension(self.ra_deg), 12),
            ("declination", declination(self.dec_deg), 21),
            ("magnitude", magnitude, 5),
            ("band", format!("{}{}", mark(self.band), mark(self.catalogue)), 2),
            ("reference", self.reference.clone(), 5),
            ("station", self.station.clone(), 3),
        ];
        let mut line = String::with_capacity(LENGTH);
        for (what, text, width) in parts {
            if text.len() > width || !is_plain(&text) {
                return Err(Obs80Error::Unfit { what });
            }
            write!(line, "{text:<width$}").expect("a text grows");
        }
        Ok(line)
    }

    /// Reads a line.
    pub fn read(line: &str) -> Result<Self, Obs80Error> {
        let line = line.trim_end_matches(['\r', '\n']);
        if line.len() != LENGTH || !is_plain(line) {
            return Err(Obs80Error::Length { found: line.chars().count() });
        }
        let part = |first: usize, last: usize| line.get(first - 1..last).unwrap_or_default();
        let mark = |column| part(column, column).chars().next().filter(|c| *c != ' ');
        let detector = part(15, 15).chars().next().unwrap_or(' ');
        if matches!(detector, 'S' | 's' | 'R' | 'r' | 'V' | 'v') {
            return Err(Obs80Error::TwoLines);
        }
        for (first, last) in [(57, 65)] {
            if !part(first, last).trim().is_empty() {
                return Err(Obs80Error::NotBlank { first, last });
            }
        }
        let mag = part(66, 70).trim();
        let mag =
            if mag.is_empty() { None } else { Some(number(mag).ok_or(Obs80Error::Magnitude)?) };
        Ok(Self {
            designation: part(1, 12).to_owned(),
            is_discovery: mark(13) == Some('*'),
            note: mark(14),
            detector,
            mid_mjd_utc: read_date(part(16, 32)).ok_or(Obs80Error::Date)?,
            ra_deg: read_angle(part(33, 44), 24)
                .map(|hours| Rounded { value: hours.value * 15.0, ..hours })
                .ok_or(Obs80Error::RightAscension)?,
            dec_deg: read_declination(part(45, 56)).ok_or(Obs80Error::Declination)?,
            mag,
            band: mark(71),
            catalogue: mark(72),
            reference: part(73, 77).trim().to_owned(),
            station: part(78, 80).to_owned(),
        })
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|c| (b' '..=b'~').contains(&c))
}

fn date(mid_mjd_utc: Rounded) -> String {
    let unit = 10_i64.pow(mid_mjd_utc.decimals);
    let ticks = mid_mjd_utc.ticks(1.0);
    let (year, month, day) = civil_date(ticks.div_euclid(unit));
    let (fraction, width) = (ticks.rem_euclid(unit), mid_mjd_utc.decimals as usize);
    format!("{year:04} {month:02} {day:02}.{fraction:0width$}")
}

/// Degrees (of declination) or hours as `DD MM SS.ss` of a count of the last decimal.
fn sexagesimal(ticks: i64, decimals: u32) -> String {
    let unit = 10_i64.pow(decimals);
    let second = ticks / unit;
    let head = format!("{:02} {:02} {:02}", second / 3600, second / 60 % 60, second % 60);
    let width = decimals as usize;
    if decimals == 0 { head } else { format!("{head}.{:0width$}", ticks % unit) }
}

fn right_ascension(ra_deg: Rounded) -> String {
    let turned = Rounded { value: ra_deg.value.rem_euclid(360.0), ..ra_deg };
    let day = 86_400 * 10_i64.pow(ra_deg.decimals);
    sexagesimal(turned.ticks(240.0) % day, ra_deg.decimals)
}

fn declination(dec_deg: Rounded) -> String {
    let sign = if dec_deg.value < 0.0 { '-' } else { '+' };
    let pole = 90 * 3600 * 10_i64.pow(dec_deg.decimals);
    format!("{sign}{}", sexagesimal(dec_deg.ticks(3600.0).min(pole), dec_deg.decimals))
}

/// A plain decimal number and how many decimals it has.
fn number(text: &str) -> Option<Rounded> {
    let is_digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if unsigned.is_empty() || !is_digits(unsigned) || !is_digits(fraction) {
        return None;
    }
    Some(Rounded { value: text.parse().ok()?, decimals: fraction.len() as u32 })
}

fn read_date(text: &str) -> Option<Rounded> {
    let mut words = text.split_whitespace();
    let (year, month, day) = (words.next()?, words.next()?, words.next()?);
    let day = number(day)?;
    let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    let is_date = (1..=12).contains(&month) && (1.0..32.0).contains(&day.value) && year > 999;
    if !is_date || words.next().is_some() || text.starts_with(' ') {
        return None;
    }
    let whole = Epoch::from_date(year.into(), month, day.value as u32, 0.0).mjd_utc();
    Some(Rounded { value: whole + day.value.fract(), ..day })
}

/// `DD MM SS.ss` below a limit in units of its first number.
fn read_angle(text: &str, limit: u32) -> Option<Rounded> {
    let mut words = text.split_whitespace();
    let (first, minutes, seconds) = (words.next()?, words.next()?, words.next()?);
    let seconds = number(seconds)?;
    let (first, minutes): (u32, u32) = (first.parse().ok()?, minutes.parse().ok()?);
    let is_angle = minutes < 60 && (0.0..60.0).contains(&seconds.value) && words.next().is_none();
    let value = f64::from(first) + f64::from(minutes) / 60.0 + seconds.value / 3600.0;
    (is_angle && value <= f64::from(limit)).then_some(Rounded { value, ..seconds })
}

fn read_declination(text: &str) -> Option<Rounded> {
    let is_negative = text.starts_with('-');
    let angle = read_angle(text.strip_prefix(['+', '-'])?, 90)?;
    Some(if is_negative { Rounded { value: -angle.value, ..angle } } else { angle })
}

/// Lines before the observations of a report, as (keyword, content).
///
/// Content longer than a line is broken at blanks and the keyword repeated; letters that are no
/// ASCII lose their marks or become `?`.
pub fn header(lines: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (keyword, content) in lines {
        let mut current = String::new();
        let folded: String = content.chars().map(folded).collect();
        for word in folded.split_whitespace() {
            let is_full =
                !current.is_empty() && keyword.len() + 1 + current.len() + 1 + word.len() > LENGTH;
            if is_full {
                text.push_str(&format!("{keyword} {current}\n"));
                current.clear();
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        if !current.is_empty() {
            text.push_str(&format!("{keyword} {current}\n"));
        }
    }
    text
}

/// The nearest ASCII letter.
fn folded(c: char) -> char {
    match c {
        ' '..='~' => c,
        'À'..='Å' => 'A',
        'à'..='å' => 'a',
        'È'..='Ë' => 'E',
        'è'..='ë' => 'e',
        'Ì'..='Ï' => 'I',
        'ì'..='ï' => 'i',
        'Ò'..='Ö' | 'Ø' => 'O',
        'ò'..='ö' | 'ø' => 'o',
        'Ù'..='Ü' => 'U',
        'ù'..='ü' => 'u',
        'Ñ' => 'N',
        'ñ' => 'n',
        'Ç' => 'C',
        'ç' => 'c',
        _ => '?',
    }
}

#[cfg(test)]
mod tests;
