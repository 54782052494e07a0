//! The Minor Planet Center's orbit file, MPCORB.DAT: one orbit a line in fixed columns.
//!
//! Source: Minor Planet Center, "Export Format For Minor-Planet Orbits". Columns (from 1): packed
//! designation 1-7, H 9-13, G 15-19, packed epoch (TT) 21-25, mean anomaly 27-35, argument of
//! perihelion 38-46, node 49-57, inclination 60-68 [deg, J2000], eccentricity 71-79, semi-major
//! axis 93-103 [au], uncertainty parameter 106, oppositions 124-126, arc 128-136, readable
//! designation 167-194, date of the last observation 195-202. Text before the first orbit is the
//! file's head; a blank line parts the file's sections. Lines of gzip'd files are read as well.

use std::io::{self, BufRead, BufReader, Read};

use super::designation::Designation;
use crate::science::orbit::kepler::Elements;
use crate::science::orbit::uncertainty::Arc;
use crate::science::time::Epoch;
use crate::science::units::DEG_RAD;

/// Longest line that is read [bytes]; the file's own are 203.
const LINE_MAX: usize = 1_000;
/// Lines of the file's head at most.
const HEAD_LINES_MAX: usize = 200;
/// Slope of the phase function where the file gives none.
const SLOPE_DEFAULT: f64 = 0.15;
/// Range of semi-major axes that are taken [au].
const AXIS_AU: std::ops::RangeInclusive<f64> = 0.05..=20_000.0;
/// Epochs that are taken [MJD]: 1852 to 2147, when the planets are known.
const EPOCHS_MJD: std::ops::RangeInclusive<f64> = -2_500.0..=105_500.0;
/// First bytes of a gzip'd file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// One orbit of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct MpcOrbit {
    /// Number or provisional designation.
    pub designation: Designation,
    /// Name or provisional designation beside the number; empty when there is none.
    pub name: String,
    /// Absolute magnitude [mag, V].
    pub h_mag: Option<f64>,
    /// Slope of the phase function.
    pub slope_ratio: f64,
    /// Epoch of the elements [MJD, TT].
    pub epoch_mjd: f64,
    /// The elements.
    pub elements: Elements,
    /// What is known of the orbit's quality.
    pub arc: Arc,
}

/// Why a line is no orbit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// Too short for elements.
    #[error("the line ends before the semi-major axis (column 103)")]
    Short,
    /// The designation.
    #[error("columns 1-7 are no packed designation")]
    Designation,
    /// The epoch.
    #[error("columns 21-25 are no packed date from 1852 to 2147")]
    Epoch,
    /// A number.
    #[error("an element (columns 27-103) is no number")]
    Number,
    /// Numbers that are no ellipse.
    #[error("eccentricity and semi-major axis are those of no closed orbit")]
    Ellipse,
    /// Longer than any line of the file.
    #[error("the line is longer than 1000 bytes")]
    Long,
}

/// A line that is no orbit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong.
    pub fault: RowFault,
}

/// The orbits of a file, one after the other.
pub struct MpcorbReader {
    source: Box<dyn BufRead + Send>,
    line: u64,
    has_begun: bool,
    buffer: Vec<u8>,
}

impl MpcorbReader {
    /// Reads plain or gzip'd bytes.
    pub fn new(source: impl Read + Send + 'static) -> io::Result<Self> {
        let mut plain = BufReader::with_capacity(1 << 16, source);
        let source: Box<dyn BufRead + Send> = if plain.fill_buf()?.starts_with(&GZIP) {
            Box::new(BufReader::with_capacity(1 << 16, flate2::bufread::MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        Ok(Self { source, line: 0, has_begun: false, buffer: Vec::new() })
    }

    /// The next orbit or bad line; `None` at the end.
    ///
    /// Lines before the first orbit are passed over, at most two hundred.
    pub fn next_row(&mut self) -> io::Result<Option<Result<MpcOrbit, BadRow>>> {
        while self.read_line()? {
            let is_blank = self.buffer.iter().all(u8::is_ascii_whitespace);
            if is_blank {
                continue;
            }
            let read = if self.buffer.len() > LINE_MAX {
                Err(RowFault::Long)
            } else {
                parse(&self.buffer)
            };
            match read {
                Ok(orbit) => {
                    self.has_begun = true;
                    return Ok(Some(Ok(orbit)));
                }
                Err(_) if !self.has_begun && self.line < HEAD_LINES_MAX as u64 => {}
                Err(fault) => return Ok(Some(Err(BadRow { line: self.line, fault }))),
            }
        }
        Ok(None)
    }

    /// Reads a line into the buffer, at most a little more than the longest; `false` at the end.
    fn read_line(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let mut has_any = false;
        loop {
            let bytes = self.source.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            has_any = true;
            let end = bytes.iter().position(|b| *b == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = (LINE_MAX + 1).saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.source.consume(used);
            if end.is_some() {
                break;
            }
        }
        self.line += u64::from(has_any);
        Ok(has_any)
    }
}

/// Reads one line.
fn parse(line: &[u8]) -> Result<MpcOrbit, RowFault> {
    if line.len() < 103 {
        return Err(RowFault::Short);
    }
    let text = |first: usize, last: usize| {
        let bytes = line.get(first - 1..last.min(line.len())).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default().trim()
    };
    let number = |first, last| text(first, last).parse::<f64>().ok().filter(|v| v.is_finite());
    let needed = |first, last| number(first, last).ok_or(RowFault::Number);
    let designation = Designation::from_packed(text(1, 7)).ok_or(RowFault::Designation)?;
    let epoch_mjd = packed_date(text(21, 25)).filter(|mjd| EPOCHS_MJD.contains(mjd));
    let epoch_mjd = epoch_mjd.ok_or(RowFault::Epoch)?;
    let angle_rad = |first, last| needed(first, last).map(|deg| deg * DEG_RAD);
    let elements = Elements {
        anomaly_rad: angle_rad(27, 35)?,
        perihelion_rad: angle_rad(38, 46)?,
        node_rad: angle_rad(49, 57)?,
        inclination_rad: angle_rad(60, 68)?,
        eccentricity_ratio: needed(71, 79)?,
        axis_au: needed(93, 103)?,
    };
    let is_closed = (0.0..1.0).contains(&elements.eccentricity_ratio);
    if !(is_closed && AXIS_AU.contains(&elements.axis_au)) {
        return Err(RowFault::Ellipse);
    }
    Ok(MpcOrbit {
        name: name(&String::from_utf8_lossy(
            line.get(166..194.min(line.len())).unwrap_or_default(),
        )),
        designation,
        h_mag: number(9, 13),
        slope_ratio: number(15, 19).unwrap_or(SLOPE_DEFAULT),
        epoch_mjd,
        elements,
        arc: Arc {
            uncertainty: text(106, 106).parse().ok(),
            oppositions: text(124, 126).parse().ok(),
            length_d: text(133, 136)
                .eq_ignore_ascii_case("days")
                .then(|| text(128, 131).parse().ok())
                .flatten(),
            last_mjd: plain_date(text(195, 202)),
        },
    })
}

/// What stands beside the number: `(1) Ceres` is `Ceres`, `(614688)` and `2014 AA` are nothing.
///
/// JPL's files of this form have it nine columns to the right, so that flags stand before it.
fn name(readable: &str) -> String {
    let readable = readable.trim();
    let rest = readable.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    rest.map(|(_, name)| name.trim().to_owned()).unwrap_or_default()
}

/// A packed date as `K2289`: century letter, year, month and day to the base 32 [MJD].
fn packed_date(text: &str) -> Option<f64> {
    let [century, tens, ones, month, day] = *text.as_bytes() else { return None };
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(u32::from(c - b'0')),
        b'A'..=b'V' => Some(u32::from(c - b'A') + 10),
        _ => None,
    };
    let decimal = |c: u8| c.is_ascii_digit().then(|| i64::from(c - b'0'));
    let century = i64::from(digit(century).filter(|c| (18..=21).contains(c))?);
    let year = century * 100 + decimal(tens)? * 10 + decimal(ones)?;
    let (month, day) = (digit(month)?, digit(day)?);
    date(year, month, day)
}

/// A date as `20251120` [MJD].
fn plain_date(text: &str) -> Option<f64> {
    let is_date = text.len() == 8 && text.bytes().all(|c| c.is_ascii_digit());
    let value: u32 = text.parse().ok().filter(|_| is_date)?;
    date(i64::from(value / 10_000), value / 100 % 100, value % 100)
}

fn date(year: i64, month: u32, day: u32) -> Option<f64> {
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    is_date.then(|| Epoch::from_date(year, month, day, 0.0).mjd_utc())
}

#[cfg(test)]
mod tests;
