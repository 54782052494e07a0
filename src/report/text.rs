//! The report as plain text: a subject line and a body for mail and terminal.

use std::fmt::Write as _;

use crate::pipeline::artifact::report::NightReport;

use super::page::{self, ObjectView};
use super::verdict::verdict;
use super::words::printable;

/// Most lines per section; the page has all.
pub(super) const ENTRIES_MAX: usize = 100;

/// A subject line and a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSummary {
    /// One line.
    pub subject: String,
    /// The body, ending with a line feed.
    pub body: String,
}

/// Puts a night into words.
pub fn render_text(report: &NightReport) -> TextSummary {
    render_short(report, ENTRIES_MAX)
}

/// Puts a night into words, with at most so many entries per section.
pub(super) fn render_short(report: &NightReport, entries_max: usize) -> TextSummary {
    let subject = verdict(report);
    let mut body = format!("{subject}\n");
    let unexplained = page::objects(report, page::is_unexplained);
    section(
        &mut body,
        ("Unknown or not compared with a list", entries_max),
        &unexplained,
        |object| format!("  {}\n     {}\n", object_line(object, &object.id), object.chance),
    );
    let known = page::objects(report, page::is_known);
    section(&mut body, ("Known", entries_max), &known, |object| {
        let line = object_line(object, object.title());
        format!("  {line}, {} arcsec off its prediction\n", object.separation)
    });
    let lost: Vec<_> = page::frames(report).into_iter().filter(|frame| frame.is_lost).collect();
    section(&mut body, ("Frames lost", entries_max), &lost, |frame| {
        format!("  {}: {}, {}\n", frame.frame, frame.status, frame.reason)
    });
    section(&mut body, ("Not done, and why", entries_max), &page::not_done(report), |note| {
        format!("  {}: {}\n", note.subject, note.text)
    });
    section(&mut body, ("Master frames", entries_max), &page::masters(report), |text| {
        format!("  {text}\n")
    });
    add(
        &mut body,
        format_args!(
            "\nautossos {}, {}\n",
            printable(&report.version),
            printable(&report.instrument)
        ),
    );
    TextSummary { subject, body }
}

/// One object on one line, under a name.
fn object_line(object: &ObjectView, name: &str) -> String {
    let first = object.first.as_ref().map_or_else(String::new, |first| {
        format!(", at {} UTC {} {}", first.clock, first.ra, first.dec)
    });
    format!(
        "{name}: G {}, {} arcsec/min towards {} deg, seen in {} frames{first}",
        object.mag, object.rate, object.pa, object.seen
    )
}

/// Adds a titled section, or nothing when it has no entry.
fn section<T>(
    body: &mut String,
    (title, entries_max): (&str, usize),
    entries: &[T],
    line: impl Fn(&T) -> String,
) {
    if entries.is_empty() {
        return;
    }
    add(body, format_args!("\n{title}\n"));
    for entry in entries.iter().take(entries_max) {
        body.push_str(&line(entry));
    }
    if entries.len() > entries_max {
        add(body, format_args!("  and {} more in the report\n", entries.len() - entries_max));
    }
}

/// Appends to a text.
fn add(body: &mut String, arguments: std::fmt::Arguments<'_>) {
    body.write_fmt(arguments).expect("a String takes any text");
}
