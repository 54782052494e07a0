//! Labels: what people said of candidates, with the features they saw, to train and check with.
//!
//! A row is an act of a person: who, when, which candidate, which verdict. Its features and ratings
//! are those kept when it was given, whatever later versions of the program make of the night. What
//! was taken back, overruled by the same person, or only noted is left out unless all is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::error::OpsError;
use super::vetting::{About, standing, vetted_in};
use crate::report::{csv_text, rating_cells, rating_columns};
use crate::store::files::ProductFile;
use crate::store::verdicts::VerdictRow;
use crate::store::{NightId, Reader};

/// Columns before those of the rating.
const COLUMNS: [&str; 10] = [
    "night",
    "candidate_id",
    "verdict",
    "stands",
    "who",
    "at_utc",
    "note",
    "name",
    "n_detections",
    "version",
];

/// How labels are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelFormat {
    /// A table.
    Csv,
    /// A list of objects, features by name.
    Json,
}

/// Which acts become labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelChoice {
    /// Verdicts that hold: per person and candidate the last one that was not taken back.
    Standing,
    /// All that was ever done: verdicts, undoing, notes.
    All,
}

/// One act and what was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Label {
    /// Name of the night.
    pub night: String,
    /// Identifier of the candidate when it was judged.
    pub candidate_id: String,
    /// `real`, `false` or `unsure`; of all acts also `undo` and `note`.
    pub verdict: &'static str,
    /// Whether it is a verdict that holds.
    pub stands: bool,
    /// Who.
    pub who: String,
    /// When, ISO 8601, UTC.
    pub at_utc: String,
    /// Why, in their words; may be empty.
    pub note: String,
    /// What was looked at: detections, name, ratings with features, version of the program; `None`
    /// when it was not kept.
    pub about: Option<About>,
}

/// The labels of one night or of all, nights in order of their names, oldest first.
pub fn labels(
    reader: &Reader,
    night: Option<&NightId>,
    choice: LabelChoice,
) -> Result<Vec<Label>, OpsError> {
    let mut nights: BTreeMap<String, Vec<VerdictRow>> = BTreeMap::new();
    for (name, row) in reader.all_verdicts()? {
        if night.is_none_or(|wanted| wanted.as_str() == name) {
            nights.entry(name).or_default().push(row);
        }
    }
    let mut all = Vec::new();
    for (name, rows) in nights {
        let holding = holding(reader, &name, &rows)?;
        let labels = rows.into_iter().map(|row| label(&name, row, &holding));
        all.extend(labels.filter(|label| choice == LabelChoice::All || label.stands));
    }
    Ok(all)
}

/// Tokens of the verdicts of a night that hold.
fn holding(
    reader: &Reader,
    night: &str,
    rows: &[VerdictRow],
) -> Result<BTreeSet<String>, OpsError> {
    // A candidate that was found again under another name shares its history with the new one; of
    // those that vanished for good each has its own.
    let report = NightId::new(night).ok().map(|id| reader.report(&id)).transpose()?.flatten();
    let found = report.map(|report| vetted_in(report, rows.to_vec())).unwrap_or_default();
    let mut histories: Vec<Vec<VerdictRow>> =
        found.into_iter().map(|candidate| candidate.history).collect();
    let told: BTreeSet<String> = histories.iter().flatten().map(|row| row.token.clone()).collect();
    let mut vanished: BTreeMap<&str, Vec<VerdictRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !told.contains(&row.token)) {
        vanished.entry(&row.candidate_id).or_default().push(row.clone());
    }
    histories.extend(vanished.into_values());
    let tokens = histories
        .iter()
        .flat_map(|history| standing(history).into_iter().map(|i| history[i].token.clone()));
    Ok(tokens.collect())
}

fn label(night: &str, row: VerdictRow, holding: &BTreeSet<String>) -> Label {
    Label {
        night: night.to_owned(),
        candidate_id: row.candidate_id,
        verdict: row.act.word(),
        stands: holding.contains(&row.token),
        who: row.who,
        at_utc: row.at.to_iso(),
        note: row.note,
        about: serde_json::from_str(&row.about).ok(),
    }
}

/// Writes labels to a file, in one piece; returns their number.
pub fn export(labels: &[Label], format: LabelFormat, output: &Path) -> Result<usize, OpsError> {
    let text = match format {
        LabelFormat::Csv => csv(labels),
        LabelFormat::Json => {
            let subject = "the labels".to_owned();
            serde_json::to_string_pretty(labels)
                .map_err(|source| OpsError::Payload { subject, source })?
                + "\n"
        }
    };
    ProductFile::write_bytes(output, text.as_bytes())?;
    Ok(labels.len())
}

fn csv(labels: &[Label]) -> String {
    let mut header: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    header.extend(rating_columns());
    let rows = labels.iter().map(|label| {
        let about = label.about.as_ref();
        let mut cells = vec![
            label.night.clone(),
            label.candidate_id.clone(),
            label.verdict.to_owned(),
            u8::from(label.stands).to_string(),
            label.who.clone(),
            label.at_utc.clone(),
            label.note.clone(),
            about.and_then(|about| about.name.clone()).unwrap_or_default(),
            about.map(|about| about.detections.len().to_string()).unwrap_or_default(),
            about.map(|about| about.version.clone()).unwrap_or_default(),
        ];
        cells.extend(rating_cells(about.and_then(|about| about.rating.as_ref())));
        cells
    });
    csv_text(header, rows)
}

#[cfg(test)]
mod tests;
