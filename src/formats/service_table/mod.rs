//! Tables as astronomical services answer them: VOTable or the JSON of the Gaia archive.
//!
//! What such an answer claims is not believed: one that is cut off, that holds something else (a
//! page that tells of an outage), or that says itself that rows are missing is never taken for
//! a whole table. Sources: VOTable 1.4 (IVOA recommendation 2019), DALI 1.1 section 4.4
//! (`QUERY_STATUS`), the recorded answers in ../shared/data/services.

mod binary;
mod json;
mod votable;

use super::star_columns::{MissingColumn, StarColumns, StarRow};
use crate::science::reference::ReferenceStar;

/// Most columns of a table; the Gaia archive's widest has 152.
const COLUMNS_MAX: usize = 1000;
/// Longest text of a service that is kept [characters].
const SAID_LENGTH_MAX: usize = 200;

/// A cell of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TableCell {
    /// No value, or one that is no number.
    Empty,
    /// A whole number; identifiers have more digits than a floating point number keeps.
    Whole(i64),
    /// A number.
    Number(f64),
}

/// A table that a service answered, whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceTable {
    /// Names of the columns.
    pub names: Vec<String>,
    /// The cells, row by row.
    cells: Vec<TableCell>,
    /// Whether the service says that there are more rows than it gave.
    pub is_overflown: bool,
}

/// A table of words that a service answered, whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextTable {
    /// Names of the columns.
    pub names: Vec<String>,
    /// The cells, row by row, without blanks around them.
    cells: Vec<String>,
    /// Identifiers (or names) of its parameters, and their values.
    pub parameters: Vec<(String, String)>,
}

impl TextTable {
    /// Reads a VOTable whose rows are elements.
    ///
    /// Errors: whatever is not certainly a whole table; see [`ServiceTableError`].
    pub fn read(text: &str) -> Result<Self, ServiceTableError> {
        votable::read_texts(text)
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.cells.len().checked_div(self.names.len()).unwrap_or(0)
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[String]> {
        self.cells.chunks(self.names.len().max(1))
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let is_it = |(found, _): &&(String, String)| found.eq_ignore_ascii_case(name);
        self.parameters.iter().find(is_it).map(|(_, value)| value.as_str())
    }
}

/// Why an answer is no table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceTableError {
    /// It is something else, a web page perhaps.
    #[error("no table, but a text that begins with `{begin}`")]
    NoTable {
        /// Its begin, on one line.
        begin: String,
    },
    /// The service tells of an error in place of the rows.
    #[error("the service says: {said}")]
    Refused {
        /// What it says, on one line.
        said: String,
    },
    /// The answer ends before its end, or its parts do not fit each other.
    #[error("a part of the answer is missing or damaged: {what}")]
    Broken {
        /// What.
        what: &'static str,
    },
    /// It is no valid XML.
    #[error("a part of the answer is missing or damaged: no valid XML")]
    Xml(#[source] quick_xml::Error),
    /// It is no valid JSON.
    #[error("a part of the answer is missing or damaged: no valid JSON")]
    Json(#[source] serde_json::Error),
}

impl ServiceTable {
    /// Reads an answer.
    ///
    /// Errors: whatever is not certainly a whole table; see [`ServiceTableError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ServiceTableError> {
        let text = std::str::from_utf8(bytes).map_err(|_| no_table(bytes))?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.starts_with('{') {
            return json::read(text);
        }
        if text.starts_with('<') {
            return votable::read(text);
        }
        Err(no_table(bytes))
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.cells.len().checked_div(self.names.len()).unwrap_or(0)
    }

    /// The cells of a row.
    pub fn row(&self, row: usize) -> &[TableCell] {
        let n = self.names.len();
        self.cells.get(row * n..(row + 1) * n).unwrap_or_default()
    }

    /// The whole number of a table with one row and one column: the answer to a count.
    pub fn count(&self) -> Option<u64> {
        match (self.n_rows(), self.row(0)) {
            (1, [TableCell::Whole(n)]) => u64::try_from(*n).ok(),
            (1, [TableCell::Number(n)]) if n.fract().abs() < 0.5 && *n >= 0.0 => Some(*n as u64),
            _ => None,
        }
    }

    /// The stars of the table, and the number of rows that hold none.
    ///
    /// * `epoch_yr`: epoch of all places [Julian year] when the table has no column for it.
    pub fn stars(&self, epoch_yr: f64) -> Result<(Vec<ReferenceStar>, usize), MissingColumn> {
        let columns = StarColumns::find(self.names.iter().map(String::as_str), Some(epoch_yr))?;
        let mut stars = Vec::with_capacity(self.n_rows());
        let mut n_bad = 0;
        for row in 0..self.n_rows() {
            match columns.star(&self.row(row), row + 1) {
                Some(star) => stars.push(star),
                None => n_bad += 1,
            }
        }
        Ok((stars, n_bad))
    }
}

impl StarRow for &[TableCell] {
    fn number(&self, column: usize) -> Option<f64> {
        match self.get(column)? {
            TableCell::Empty => None,
            TableCell::Whole(value) => Some(*value as f64),
            TableCell::Number(value) => value.is_finite().then_some(*value),
        }
    }

    fn integer(&self, column: usize) -> Option<i64> {
        match self.get(column)? {
            TableCell::Whole(value) => Some(*value),
            _ => None,
        }
    }
}

/// The cell of a number written as text.
fn text_cell(text: &str) -> TableCell {
    let text = text.trim();
    match text.parse::<i64>() {
        Ok(value) => TableCell::Whole(value),
        Err(_) => number_cell(text.parse::<f64>().unwrap_or(f64::NAN)),
    }
}

/// The cell of a number; one that is not finite is none.
fn number_cell(value: f64) -> TableCell {
    if value.is_finite() { TableCell::Number(value) } else { TableCell::Empty }
}

fn no_table(bytes: &[u8]) -> ServiceTableError {
    ServiceTableError::NoTable { begin: said(&String::from_utf8_lossy(bytes)) }
}

/// The begin of a text on one line.
pub(super) fn said(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let words: String = plain.take(4 * SAID_LENGTH_MAX).collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    words.join(" ").chars().take(SAID_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests;
