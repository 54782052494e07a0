//! `check`: the astrometry of a night's frames, and whether it can be trusted.

use std::process::ExitCode;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};

use super::EXIT_FOUND;
use super::args::NightShowArgs;
use super::client::Place;
use super::output::{say, say_json};
use crate::ops::astrometry_check::{Astrometry, AstrometryCheck, CheckedFrame, check};
use crate::ops::orders::find_night;
use crate::report::words::{plural, printable};

/// Prints the check; the exit code tells whether there are outliers or unsolved frames.
pub(super) fn run(args: &NightShowArgs) -> anyhow::Result<ExitCode> {
    let reader = Place::find(&args.service.place)?.reader()?;
    let night = find_night(&reader, &args.night)?;
    let Some(check) = check(&reader, &night)? else {
        anyhow::bail!("night {night} has just gone: `autossosctl night list` lists all");
    };
    if args.service.json {
        say_json(&check)?;
    } else {
        say(&text(&check))?;
    }
    Ok(if check.is_fine() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}

fn text(check: &AstrometryCheck) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(["frame", "separation \"", "stars", "says"]);
    for column in 1..3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for frame in &check.frames {
        table.add_row(row(frame));
    }
    let mut text = format!("{table}\n");
    if let Some(night) = check.quartiles {
        text.push_str(&format!(
            "Median separation of the night {:.3}\", quartiles {:.3}\" and {:.3}\"; outliers lie \
             above {:.3}\".\n",
            night.median_arcsec, night.q1_arcsec, night.q3_arcsec, night.fence_arcsec
        ));
    }
    text.push_str(&format!(
        "{}, {} of {}.",
        plural(check.n_outliers, "outlier", "outliers"),
        plural(check.n_not_solved, "frame not solved", "frames not solved"),
        plural(check.frames.len(), "frame", "frames"),
    ));
    if check.frames.iter().any(|frame| frame.astrometry == Astrometry::NotChecked) {
        text.push_str(" Those not checked are compared when the night is closed.");
    }
    text
}

fn row(frame: &CheckedFrame) -> Vec<String> {
    let says = match frame.astrometry {
        Astrometry::Fine => "fine",
        Astrometry::Outlier => "outlier",
        Astrometry::NotSolved => "not solved",
        Astrometry::NotChecked => "not checked yet",
    };
    let reason = frame.reason.as_deref().map(|why| format!(": {}", printable(why)));
    vec![
        printable(&frame.frame),
        frame.separation_arcsec.map(|s| format!("{s:.3}")).unwrap_or_default(),
        frame.n_reference.map(|n| n.to_string()).unwrap_or_default(),
        format!("{says}{}", reason.unwrap_or_default()),
    ]
}
