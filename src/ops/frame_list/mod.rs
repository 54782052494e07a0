//! Lists of frames: raw files by what they are for, and what was made of them.
//!
//! A raw file's row comes from its header, read by the night's profile and rules as a run reads it,
//! and from what is stored of the frame. Rows are cells by column; keywords of the header are
//! columns too. `filter` chooses rows by a condition.

pub mod filter;
mod products;
mod raw;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::error::OpsError;
use crate::config::Config;
use crate::formats::fits::{Header, Value};
use crate::pipeline::artifact::frame_info::FrameKind;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::report::words;
use crate::science::time::Epoch;
use crate::store::{NightId, Reader};
use filter::Filter;

pub use products::{MasterView, Original, find_master, masters_of};
pub use raw::folder_rows;

/// Names of all columns, in the order in which a long list shows them.
pub const COLUMNS: [&str; 29] = [
    "night",
    "name",
    "kind",
    "status",
    "reason",
    "object",
    "filter",
    "exposure_s",
    "date",
    "mjd_mid",
    "ra_deg",
    "dec_deg",
    "nx",
    "ny",
    "binning",
    "temperature_c",
    "instrument",
    "profile",
    "n_sources",
    "n_reference",
    "fwhm_arcsec",
    "limiting_mag",
    "zero_point_mag",
    "rms_arcsec",
    "separation_arcsec",
    "sky_e",
    "n_frames",
    "path",
    "content_hash",
];

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A number in the unit that the column's name ends with.
    Number(f64),
}

impl Cell {
    /// The value as a number, if it is one or is written as one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        }
    }

    /// The value as a text.
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// A frame of a list.
#[derive(Debug, Clone, Default)]
pub struct Row {
    cells: BTreeMap<&'static str, Cell>,
    header: Header,
}

impl Row {
    /// The value of a column, or of a keyword of the header; `None` where it is missing.
    pub fn cell(&self, column: &str) -> Option<Cell> {
        if let Some(cell) = self.cells.get(column) {
            return Some(cell.clone());
        }
        Some(match self.header.value(column)? {
            Value::Text(text) => Cell::Text(text.trim().to_owned()),
            Value::Integer(number) => Cell::Number(*number as f64),
            Value::Real(number) => Cell::Number(*number),
            Value::Logical(truth) => Cell::Text(if *truth { "T" } else { "F" }.to_owned()),
        })
    }

    /// The file's name, with the image's for those of several.
    fn name(&self) -> String {
        self.cells.get("name").map(Cell::text).unwrap_or_default()
    }

    fn set_text(&mut self, column: &'static str, text: impl Into<String>) {
        self.cells.insert(column, Cell::Text(text.into()));
    }

    fn set_number(&mut self, column: &'static str, number: Option<f64>) {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            self.cells.insert(column, Cell::Number(number));
        }
    }

    fn set_mid(&mut self, mid: Option<Epoch>) {
        if let Some(mid) = mid {
            self.set_text("date", mid.to_iso());
            self.set_number("mjd_mid", Some(mid.mjd_utc()));
        }
    }

    /// Takes over what is stored of a frame.
    fn set_record(&mut self, record: &FrameRecord) {
        self.set_text("name", record.frame.as_str());
        self.set_text("status", words::status(record.status));
        self.set_text("content_hash", record.content_hash.as_str());
        if let Some(reason) = &record.reason {
            self.set_text("reason", reason.as_str());
        }
        if let Some(filter) = &record.filter {
            self.set_text("filter", filter.as_str());
        }
        self.set_mid(record.mid_mjd_utc.map(Epoch::from_mjd_utc));
        let count = |n: Option<u64>| n.map(|n| n as f64);
        for (column, number) in [
            ("exposure_s", record.exposure_s),
            ("n_sources", count(record.n_sources)),
            ("n_reference", count(record.n_reference)),
            ("fwhm_arcsec", record.fwhm_arcsec),
            ("limiting_mag", record.limiting_mag),
            ("zero_point_mag", record.zero_point_mag),
            ("rms_arcsec", record.rms_arcsec),
            ("separation_arcsec", record.separation_arcsec),
            ("sky_e", record.sky_e),
        ] {
            self.set_number(column, number);
        }
    }
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Raw files.
    Raw,
    /// Reduced frames and masters.
    Products,
}

/// The name of a kind of frame, as in lists and conditions.
pub const fn kind_word(kind: FrameKind) -> &'static str {
    match kind {
        FrameKind::Bias => "bias",
        FrameKind::Dark => "dark",
        FrameKind::Flat => "flat",
        FrameKind::Science => "science",
    }
}

/// The frames of nights, in order of nights and names.
pub fn rows(
    reader: &Reader,
    config: &Config,
    nights: &[NightId],
    listed: Listed,
) -> Result<Vec<Row>, OpsError> {
    let mut rows = Vec::new();
    for night in nights {
        rows.extend(match listed {
            Listed::Raw => raw::night_rows(reader, config, night)?,
            Listed::Products => products::night_rows(reader, night)?,
        });
    }
    Ok(rows)
}

/// Keeps the rows that fit all conditions, in order of a column if one is named; what is missing
/// comes last.
///
/// * `sort`: the column, and whether the largest come first.
pub fn choose(mut rows: Vec<Row>, conditions: &[Filter], sort: Option<(&str, bool)>) -> Vec<Row> {
    rows.retain(|row| conditions.iter().all(|c| c.holds(&|column| row.cell(column))));
    if let Some((column, is_descending)) = sort {
        rows.sort_by(|a, b| match (a.cell(column), b.cell(column)) {
            (Some(a), Some(b)) if is_descending => compare(&b, &a),
            (Some(a), Some(b)) => compare(&a, &b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
    }
    rows
}

/// Numbers by size, before texts in the order of letters.
fn compare(a: &Cell, b: &Cell) -> Ordering {
    match (a.number(), b.number()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.text().to_lowercase().cmp(&b.text().to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_and_sorted_with_the_missing_last() {
        let row = |name: &str, exposure_s: Option<f64>| {
            let mut row = Row::default();
            row.set_text("name", name);
            row.set_number("exposure_s", exposure_s);
            row.header.set("EGAIN", 1.5, "");
            row
        };
        let all = vec![row("b", Some(9.0)), row("a", None), row("c", Some(60.0)), row("D", None)];
        let names = |rows: Vec<Row>| -> String {
            rows.iter().filter_map(|row| row.cell("name")).map(|cell| cell.text()).collect()
        };
        assert_eq!(names(choose(all.clone(), &[], Some(("exposure_s", false)))), "bcaD");
        assert_eq!(names(choose(all.clone(), &[], Some(("exposure_s", true)))), "cbaD");
        assert_eq!(names(choose(all.clone(), &[], Some(("name", true)))), "Dcba");
        let long = Filter::parse("exposure_s > 10 or EGAIN > 2", &COLUMNS).expect("a condition");
        assert_eq!(names(choose(all, &[long], None)), "c");
    }
}
