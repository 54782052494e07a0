//! The report as plain text: a subject line and a body for mail and terminal.

use std::fmt::Write as _;

use crate::pipeline::artifact::report::NightReport;

use super::mail::{Enclosed, Limits, NightLetter, Shares, letter};
use super::page::ObjectView;
use super::verdict::verdict;

/// Says once what the numbers of each unknown object mean.
pub(super) const LEGEND: &str = "How sure: how many such nights it takes for one chance alignment \
                                 as good as this.";
/// The same for ratings.
pub(super) const LEGEND_RATINGS: &str = "Real: 0 looks like an artefact, 1 like a real source. NEO \
                                         rating: 0 moves as the main belt does, 100 as nothing \
                                         there; a rating, no probability.";

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
    let body = super::mail::text(report, &Enclosed::default(), Shares::WHOLE);
    TextSummary { subject: verdict(report), body }
}

/// Puts a night and what goes with it into words.
pub(super) fn render_letter(
    report: &NightReport,
    enclosed: &Enclosed<'_>,
    limits: Limits,
    shares: Shares,
) -> String {
    // Without pictures nothing can fail.
    let Ok((view, _)) = letter(report, enclosed, limits, shares.without_pictures()) else {
        return verdict(report);
    };
    let mut body = format!("{}\n", view.verdict);
    unknown(&mut body, &view);
    section(&mut body, "Known", (&view.known.entries, view.known.n_more), |card| {
        let (object, title) = (&card.object, card.object.title());
        format!("  {title} ({}): O-C {} arcsec\n{}", object.id, object.separation, motion(object))
    });
    section(
        &mut body,
        "At the limit of detection, not exported",
        (&view.faint.entries, view.faint.n_more),
        |card| format!("  {}\n{}", named(&card.object), motion(&card.object)),
    );
    section(&mut body, "Conditions of the frames used", (&view.conditions, 0), |line| {
        format!("  {line}\n")
    });
    section(&mut body, "Frames lost", (&view.lost.entries, view.lost.n_more), |frame| {
        format!("  {}: {}, {}\n", frame.frame, frame.status, frame.reason)
    });
    section(&mut body, "Not done, and why", (&view.notes.entries, view.notes.n_more), |note| {
        format!("  {}: {}\n", note.subject, note.text)
    });
    if view.notes.entries.is_empty() {
        body.push_str("\nEverything was done.\n");
    }
    section(&mut body, "Master frames", (&view.masters.entries, view.masters.n_more), |text| {
        format!("  {text}\n")
    });
    house(&mut body, enclosed.house);
    section(&mut body, "Attached", (&view.files, 0), |file| format!("  {file}\n"));
    if let Some(url) = &view.page_url {
        add(&mut body, format_args!("\nLinks\n  The night: {url}\n"));
        for card in &view.cards {
            if let Some(url) = &card.url {
                add(&mut body, format_args!("  {}: {url}\n", card.object.id));
            }
        }
    }
    add(
        &mut body,
        format_args!(
            "\nautossos {}, {}\nThe whole report lies in the data folder under \
             products/{}/report.\n",
            view.version, view.instrument, view.night
        ),
    );
    body
}

/// Adds disk and health.
pub(super) fn house(body: &mut String, lines: &[String]) {
    section(body, "Disk and health", (lines, 0), |line| format!("  {line}\n"));
}

/// Adds the objects that no list explains.
fn unknown(body: &mut String, view: &NightLetter) {
    let title = if view.is_compared { "Unknown" } else { "Not compared with a list, or unknown" };
    section(body, title, (&view.cards, view.rows.n_more), |card| {
        let object = &card.object;
        let mut text = format!("  {}\n{}", object.id, motion(object));
        if let Some(first) = &object.first {
            let place = format!("{} {}", first.ra, first.dec);
            add(&mut text, format_args!("     first at {} UTC, {place}\n", first.clock));
        }
        add(&mut text, format_args!("     how sure: {}\n", object.certainty));
        if let Some(joined) = &object.joined {
            add(&mut text, format_args!("     {joined}\n"));
        }
        let real = object.real.as_ref().map(|real| format!("real {real}"));
        let neo = object.neo.as_ref().map(|neo| format!("NEO rating {neo}"));
        let ratings: Vec<String> = real.into_iter().chain(neo).collect();
        if !ratings.is_empty() {
            add(&mut text, format_args!("     {}\n", ratings.join(", ")));
        }
        if !object.reasons.is_empty() {
            add(&mut text, format_args!("     why: {}\n", object.reasons.join("; ")));
        }
        text
    });
    if !view.cards.is_empty() {
        add(body, format_args!("  {LEGEND}\n"));
    }
    if view.has_ratings {
        add(body, format_args!("  {LEGEND_RATINGS}\n"));
    }
}

/// Magnitude, motion and detections of an object on one line.
fn motion(object: &ObjectView) -> String {
    format!(
        "     G {}, {} arcsec/min towards {} deg, seen in {} frames\n",
        object.mag, object.rate, object.pa, object.seen
    )
}

/// Identifier, and the name where there is one.
fn named(object: &ObjectView) -> String {
    match &object.name {
        Some(name) => format!("{name} ({})", object.id),
        None => object.id.clone(),
    }
}

/// Adds a titled section, or nothing when it has no entry.
fn section<T>(
    body: &mut String,
    title: &str,
    (entries, n_more): (&[T], usize),
    line: impl Fn(&T) -> String,
) {
    if entries.is_empty() {
        return;
    }
    add(body, format_args!("\n{title}\n"));
    for entry in entries {
        body.push_str(&line(entry));
    }
    if n_more > 0 {
        add(body, format_args!("  and {n_more} more in the report\n"));
    }
}

/// Appends to a text.
fn add(body: &mut String, arguments: std::fmt::Arguments<'_>) {
    body.write_fmt(arguments).expect("a String takes any text");
}
