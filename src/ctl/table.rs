//! Tables for the terminal.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};

use crate::ops::overview::NightLine;
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::frame_record::FrameStatus;
use crate::pipeline::artifact::report::NightReport;
use crate::report::verdict::verdict;
use crate::report::words::printable;

/// The candidates of a night, one a row.
pub(super) fn candidates(candidates: &[Candidate]) -> String {
    if candidates.is_empty() {
        return "No moving object found.".to_owned();
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "candidate",
        "identity",
        "G mag",
        "\"/min",
        "PA deg",
        "seen",
        "rms \"",
        "chance",
    ]);
    for column in 2..8 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for candidate in candidates {
        table.add_row(row(candidate));
    }
    table.to_string()
}

fn row(candidate: &Candidate) -> Vec<String> {
    let identity = match &candidate.identity {
        Identity::Known { name, .. } => name.clone(),
        Identity::Unknown => "unknown".to_owned(),
        Identity::Unchecked => "not checked".to_owned(),
    };
    vec![
        candidate.id.clone(),
        identity,
        candidate.mag.map_or_else(String::new, |m| format!("{m:.2}")),
        format!("{:.2}", candidate.rate_arcsec_per_min),
        format!("{:.0}", candidate.pa_deg),
        format!("{}/{}", candidate.detections.len(), candidate.n_expected),
        format!("{:.2}", candidate.rms_arcsec),
        format!("{:.0e}", candidate.false_alarms),
    ]
}

/// The night in one line, and every frame that was not used.
pub(super) fn frames_summary(report: &NightReport) -> String {
    let mut text = verdict(report);
    for frame in report.frames.iter().filter(|f| f.status != FrameStatus::Ok) {
        let word = match frame.status {
            FrameStatus::Failed => "failed",
            _ => "rejected",
        };
        let reason = frame.reason.as_deref().unwrap_or("no reason known");
        text.push_str(&format!("\n  {} {word}: {reason}", frame.frame));
    }
    if !report.faint.is_empty() {
        text.push_str(&format!(
            "\n  {} more at the limit of detection: see the report",
            report.faint.len()
        ));
    }
    for note in &report.not_done {
        text.push_str(&format!("\n  {}: {}", note.subject, note.text));
    }
    text
}

/// The nights of a data folder, one a row.
pub(super) fn nights(nights: &[NightLine]) -> String {
    if nights.is_empty() {
        return "No night was processed yet.".to_owned();
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "night",
        "state",
        "frames ok",
        "objects",
        "folder",
    ]);
    for night in nights {
        table.add_row([
            printable(&night.night),
            state(night),
            format!("{}/{}", night.n_frames_ok, night.n_frames),
            night.n_candidates.to_string(),
            printable(&night.folder),
        ]);
    }
    table.to_string()
}

/// Open or closed, and what was asked for since.
pub(super) fn state(night: &NightLine) -> String {
    let state = if night.is_closed { "closed" } else { "open" };
    match night.request.as_deref() {
        Some("close") => format!("{state}, to be closed"),
        Some("reopen") => format!("{state} on request"),
        _ => state.to_owned(),
    }
}
