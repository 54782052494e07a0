//! One mail about several nights: an overview, then each night, by telescope.

use std::collections::BTreeMap;

use askama::Template;

use crate::pipeline::artifact::report::NightReport;

use super::ReportError;
use super::mail::{
    ComposedMail, Content, Envelope, NightLetter, UPDATE, fingerprint, hash_of, letter,
    put_together,
};
use super::text::{ENTRIES_MAX, render_short};
use super::verdict::{Counts, counts, in_words};
use super::words::{plural, printable};

/// Most nights told in full; of more, the newest of each telescope.
const NIGHTS_IN_FULL_MAX: usize = 31;
/// Fewest entries of a section, however many nights share the mail.
const ENTRIES_MIN: usize = 10;
/// The line between nights in the text.
const RULE: &str = "----------------------------------------------------------------------";

/// A night of the mail.
#[derive(Debug, Clone, Copy)]
pub struct DigestNight<'a> {
    /// What it gave.
    pub report: &'a NightReport,
    /// Its telescope; empty for the only one.
    pub telescope: &'a str,
    /// Whether it was mailed before.
    pub is_update: bool,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct Page {
    verdict: String,
    has_headings: bool,
    has_unchecked: bool,
    groups: Vec<Group>,
    short: Option<String>,
}

/// The nights of a telescope.
struct Group {
    telescope: String,
    rows: Vec<Row>,
    views: Vec<NightLetter>,
}

/// A line of the overview.
struct Row {
    night: String,
    is_update: bool,
    counts: Counts,
}

/// Puts the mail about some nights together; by telescope, in the order given.
pub fn digest_mail(
    nights: &[DigestNight<'_>],
    envelope: &Envelope<'_>,
) -> Result<ComposedMail, ReportError> {
    let mut telescopes: BTreeMap<&str, Vec<&DigestNight<'_>>> = BTreeMap::new();
    for night in nights {
        telescopes.entry(night.telescope).or_default().push(night);
    }
    let n_in_full = (NIGHTS_IN_FULL_MAX / telescopes.len().max(1)).max(1);
    let entries_max = (ENTRIES_MAX / nights.len().max(1)).max(ENTRIES_MIN);
    let verdict = verdict_of(nights, telescopes.len());
    let text = text(&verdict, &telescopes, n_in_full, entries_max);
    let groups: Vec<Group> = telescopes
        .iter()
        .map(|(telescope, nights)| Group {
            telescope: printable(telescope),
            rows: nights.iter().map(|night| row(night)).collect(),
            views: newest(nights, n_in_full)
                .iter()
                .map(|night| letter(night.report, entries_max))
                .collect(),
        })
        .collect();
    let n_short: usize = groups.iter().map(|group| group.rows.len() - group.views.len()).sum();
    let page = Page {
        verdict: verdict.clone(),
        has_headings: telescopes.len() > 1,
        has_unchecked: groups.iter().flat_map(|g| &g.rows).any(|row| row.counts.n_unchecked > 0),
        short: (n_short > 0).then(|| short(n_short)),
        groups,
    };
    let html =
        page.render().map_err(|source| ReportError::Template { night: verdict.clone(), source })?;
    // The outbox finds the fingerprints in the order of the nights.
    let fingerprints = nights
        .iter()
        .map(|night| fingerprint(night.report))
        .collect::<Result<Vec<String>, ReportError>>()?;
    let time = envelope.at.to_iso();
    let content = Content {
        name: format!("digest.{}", time.replace([':', '.'], "")),
        hash: hash_of(&[&verdict, &text, &html]),
        subject: verdict,
        text,
        html: Some(html),
        answers: None,
    };
    put_together(content, format!("digest/{time}/{}", fingerprints.join(",")), envelope)
}

/// The heading, e.g. `2 nights: 3 unknown, 41 known, 2 of 180 frames lost`.
fn verdict_of(nights: &[DigestNight<'_>], n_telescopes: usize) -> String {
    let sum: Counts = nights.iter().map(|night| counts(night.report)).sum();
    let is_update = !nights.is_empty() && nights.iter().all(|night| night.is_update);
    let update = if is_update { UPDATE } else { "" };
    let n_nights = plural(nights.len(), "night", "nights");
    let of =
        if n_telescopes > 1 { format!(" of {n_telescopes} telescopes") } else { String::new() };
    format!("{update}{n_nights}{of}: {}", in_words(&sum))
}

/// Says what became of the nights that are not told in full.
fn short(n_short: usize) -> String {
    format!(
        "{n_short} of the nights are told in one line each; their reports lie in the data folder."
    )
}

/// The last ones of a telescope's nights.
fn newest<'a, 'b>(nights: &'b [&'a DigestNight<'a>], n_max: usize) -> &'b [&'a DigestNight<'a>] {
    nights.get(nights.len().saturating_sub(n_max)..).unwrap_or_default()
}

fn row(night: &DigestNight<'_>) -> Row {
    Row {
        night: printable(&night.report.night),
        is_update: night.is_update,
        counts: counts(night.report),
    }
}

/// The mail as plain text.
fn text(
    verdict: &str,
    telescopes: &BTreeMap<&str, Vec<&DigestNight<'_>>>,
    n_in_full: usize,
    entries_max: usize,
) -> String {
    let has_headings = telescopes.len() > 1;
    let mut body = format!("{verdict}\n");
    for (telescope, nights) in telescopes {
        body.push('\n');
        if has_headings {
            body.push_str(&format!("{}\n", printable(telescope)));
        }
        for night in nights {
            let Row { night, is_update, counts } = row(night);
            let update = if is_update { " (update)" } else { "" };
            body.push_str(&format!("  {night}{update}: {}\n", in_words(&counts)));
        }
    }
    let mut n_short = 0;
    for nights in telescopes.values() {
        let in_full = newest(nights, n_in_full);
        n_short += nights.len() - in_full.len();
        for night in in_full {
            let told = render_short(night.report, entries_max);
            body.push_str(&format!("\n{RULE}\n{}", told.body));
        }
    }
    if n_short > 0 {
        body.push_str(&format!("\n{}\n", short(n_short)));
    }
    body
}
