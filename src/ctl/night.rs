//! `night list|show|close|reopen`.

use std::fmt::Write as _;

use super::args::{NightCommand, NightListArgs, NightShowArgs};
use super::client::Place;
use super::output::{instant, line, say, say_json};
use super::{orders, table};
use crate::ops::orders::find_night;
use crate::ops::overview::{self, NightView};
use crate::pipeline::artifact::candidate::Candidate;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::report::words::{plural, printable, status};

/// Runs a verb on nights.
pub(super) fn run(command: &NightCommand) -> anyhow::Result<()> {
    match command {
        NightCommand::List(args) => list(args),
        NightCommand::Show(args) => show(args),
        NightCommand::Close(args) => orders::close(args),
        NightCommand::Reopen(args) => orders::reopen(args),
    }
}

fn list(args: &NightListArgs) -> anyhow::Result<()> {
    let reader = Place::find(&args.service.place)?.reader()?;
    let nights = overview::nights(&reader, args.telescope.as_deref())?;
    if args.service.json {
        return say_json(&nights);
    }
    say(&table::nights(&nights))
}

fn show(args: &NightShowArgs) -> anyhow::Result<()> {
    let reader = Place::find(&args.service.place)?.reader()?;
    let id = find_night(&reader, &args.night)?;
    let Some(view) = overview::night(&reader, &id)? else {
        anyhow::bail!("night {id} has just gone: `autossosctl night list` lists those there are");
    };
    if args.service.json {
        return say_json(&view);
    }
    say(&text(&view))
}

/// A night as text.
fn text(view: &NightView) -> String {
    let night = &view.line;
    let mut text = format!("Night {}: {}\n", printable(&night.night), table::state(night));
    line(&mut text, "result", view.verdict.as_deref().unwrap_or_default());
    line(&mut text, "telescope", &printable(&night.telescope));
    line(&mut text, "raw frames", &printable(&night.folder));
    line(&mut text, "opened", &instant(night.opened_mjd_utc));
    line(&mut text, "closed", &night.closed_mjd_utc.map(instant).unwrap_or_default());
    for kind in [FrameStatus::Ok, FrameStatus::Rejected, FrameStatus::Failed] {
        add_frames(&mut text, kind, &view.frames);
    }
    if night.is_closed || !view.candidates.is_empty() {
        let candidates: Vec<Candidate> =
            view.candidates.iter().map(|line| line.candidate.clone()).collect();
        writeln!(text, "\n{}", table::candidates(&candidates)).expect("a text grows");
        for line in &view.candidates {
            if let Some(also_seen) = &line.also_seen {
                let id = printable(&line.candidate.id);
                writeln!(text, "  {id}: {}", printable(also_seen)).expect("a text grows");
            }
        }
    }
    if !view.not_done.is_empty() {
        text.push_str("\nNotes:\n");
    }
    for note in &view.not_done {
        let (subject, what) = (printable(&note.subject), printable(&note.text));
        writeln!(text, "  {subject}: {what}").expect("a text grows");
    }
    text
}

/// The frames of one status with their reasons.
fn add_frames(text: &mut String, kind: FrameStatus, frames: &[FrameRecord]) {
    let these: Vec<&FrameRecord> = frames.iter().filter(|frame| frame.status == kind).collect();
    if these.is_empty() {
        return;
    }
    let n = plural(these.len(), "frame", "frames");
    writeln!(text, "\n{n} {}:", status(kind)).expect("a text grows");
    for frame in these {
        let name = printable(&frame.frame);
        let told = match &frame.reason {
            Some(reason) => printable(reason),
            None => numbers(frame),
        };
        writeln!(text, "  {name}  {told}").expect("a text grows");
    }
}

/// A good frame's numbers in a line.
fn numbers(frame: &FrameRecord) -> String {
    let mut told = Vec::new();
    told.extend(frame.mid_mjd_utc.map(instant));
    told.extend(frame.limiting_mag.map(|mag| format!("limit {mag:.1} mag")));
    told.extend(frame.fwhm_arcsec.map(|fwhm| format!("FWHM {fwhm:.1}\"")));
    told.extend(frame.rms_arcsec.map(|rms| format!("rms {rms:.2}\"")));
    told.extend(frame.n_sources.map(|n| format!("{n} sources")));
    told.join(", ")
}
