//! Pipe-separated values: `#` begins a group of the header, `!` a line in it, then a table.

use std::fmt::Write as _;

use super::error::AdesError;
use super::field::{Field, Observation};
use super::header::HeaderKey;
use super::{Submission, VERSION, VERSIONS_READ};

/// Most columns of a table.
const COLUMNS_MAX: usize = 64;

/// Writes a file; the columns stand under each other for those who read along.
pub(super) fn write(submission: &Submission) -> String {
    let mut text = format!("# version={VERSION}\n");
    let mut group = "";
    for (key, value) in submission.header.lines() {
        let written = if key.tag().is_empty() {
            writeln!(text, "# {} {value}", key.group())
        } else {
            if key.group() != group {
                text.push_str(&format!("# {}\n", key.group()));
            }
            writeln!(text, "! {} {value}", key.tag())
        };
        written.expect("a text grows");
        group = key.group();
    }
    write_table(&submission.observations, &mut text);
    text
}

fn write_table(observations: &[Observation], text: &mut String) {
    let is_used = |field: &Field| observations.iter().any(|o| o.get(*field).is_some());
    let columns: Vec<(Field, usize)> = Field::ALL
        .into_iter()
        .filter(is_used)
        .map(|field| {
            let widths = observations.iter().map(|o| o.get(field).map_or(0, |t| t.chars().count()));
            (field, widths.max().unwrap_or(0).max(field.tag().len()))
        })
        .collect();
    let mut row = |cell: &dyn Fn(Field) -> String| {
        let cells: Vec<String> = columns
            .iter()
            .map(|(field, width)| {
                let value = cell(*field);
                if field.is_number() {
                    format!("{value:>width$}")
                } else {
                    format!("{value:<width$}")
                }
            })
            .collect();
        text.push_str(cells.join("|").trim_end_matches(' '));
        text.push('\n');
    };
    row(&|field| field.tag().to_owned());
    for observation in observations {
        row(&|field| observation.get(field).unwrap_or_default().to_owned());
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    submission: Submission,
    has_version: bool,
    group: String,
    columns: Vec<Field>,
}

/// Reads a file of one block.
pub(super) fn read(text: &str) -> Result<Submission, AdesError> {
    let mut reading = Reading::default();
    for (number, line) in text.lines().enumerate() {
        let (line, number) = (line.trim_end_matches('\r'), number + 1);
        if line.trim().is_empty() {
            continue;
        }
        if let Some(rest) = line.strip_prefix('#') {
            reading.group_line(rest.trim(), number)?;
        } else if let Some(rest) = line.strip_prefix('!') {
            reading.header_line(rest.trim(), number)?;
        } else {
            reading.row(line, number)?;
        }
    }
    Ok(reading.submission)
}

impl Reading {
    fn group_line(&mut self, text: &str, line: usize) -> Result<(), AdesError> {
        if !self.has_version {
            let version = text.split_once('=').filter(|(name, _)| name.trim() == "version");
            let is_known = version.is_some_and(|(_, v)| VERSIONS_READ.contains(&v.trim()));
            self.has_version = is_known;
            return if is_known { Ok(()) } else { Err(AdesError::Version { line }) };
        }
        if !self.columns.is_empty() {
            return Err(AdesError::SecondBlock { line });
        }
        let (group, value) = text.split_once(' ').unwrap_or((text, ""));
        if !HeaderKey::is_group(group) {
            return Err(AdesError::UnknownGroup { line });
        }
        group.clone_into(&mut self.group);
        match (HeaderKey::find(group, ""), value.trim()) {
            (Some(key), value) => self.submission.header.add(key, value),
            (None, "") => Ok(()),
            (None, _) => Err(AdesError::UnknownGroup { line }),
        }
    }

    fn header_line(&mut self, text: &str, line: usize) -> Result<(), AdesError> {
        if !self.columns.is_empty() {
            return Err(AdesError::SecondBlock { line });
        }
        let (tag, value) = text.split_once(' ').unwrap_or((text, ""));
        let key = HeaderKey::find(&self.group, tag).filter(|key| !key.tag().is_empty());
        let key = key.ok_or(AdesError::UnknownHeaderLine { line })?;
        self.submission.header.add(key, value)
    }

    fn row(&mut self, text: &str, line: usize) -> Result<(), AdesError> {
        if !self.has_version {
            return Err(AdesError::Version { line });
        }
        let cells: Vec<&str> = text.split('|').map(str::trim).take(COLUMNS_MAX + 1).collect();
        if cells.len() > COLUMNS_MAX {
            return Err(AdesError::Cells { line, found: cells.len(), expected: COLUMNS_MAX });
        }
        if Field::from_tag(cells[0]).is_some() {
            return self.names(&cells, line);
        }
        if self.columns.is_empty() {
            return Err(AdesError::NoColumns { line });
        }
        if cells.len() != self.columns.len() {
            let (found, expected) = (cells.len(), self.columns.len());
            return Err(AdesError::Cells { line, found, expected });
        }
        let mut observation = Observation::default();
        for (field, cell) in self.columns.iter().zip(cells) {
            if !cell.is_empty() {
                observation.set(*field, cell)?;
            }
        }
        self.submission.push(observation)
    }

    /// The names of the columns; they may change between rows.
    fn names(&mut self, cells: &[&str], line: usize) -> Result<(), AdesError> {
        self.columns.clear();
        for cell in cells {
            let field = Field::from_tag(cell).ok_or(AdesError::UnknownField { line })?;
            if self.columns.contains(&field) {
                return Err(AdesError::FieldTwice { line, tag: field.tag() });
            }
            self.columns.push(field);
        }
        Ok(())
    }
}
