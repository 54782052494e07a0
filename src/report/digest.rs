//! One mail about several nights: an overview, then each night, by telescope.

use std::collections::BTreeMap;

use askama::Template;

use crate::pipeline::artifact::report::NightReport;

use super::ReportError;
use super::mail::{
    ComposedMail, Content, Enclosed, Envelope, File, Inline, Limits, NightLetter, PAGE_BYTES_MAX,
    Shares, TEXT_BYTES_MAX, UPDATE, enclosed_files, fingerprint, letter, put_together,
    smallest_enough,
};
use super::text::{house, render_letter};
use super::verdict::{Counts, counts, in_words};
use super::words::{plural, printable};

/// Most nights told in full; of more, the newest of each telescope.
const NIGHTS_IN_FULL_MAX: usize = 31;
/// Most nights of a telescope in the overview; of more, the newest.
const ROWS_MAX: usize = 200;
/// Levels of the limits at which so many nights are still told.
const SPARING_NIGHTS: u32 = 4;
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
    /// What goes with it; its lines about the house are not told.
    pub enclosed: Enclosed<'a>,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct Page<'a> {
    verdict: String,
    has_headings: bool,
    has_unchecked: bool,
    groups: Vec<Group>,
    short: Option<String>,
    house: &'a [String],
}

/// The nights of a telescope.
struct Group {
    telescope: String,
    rows: Vec<Row>,
    n_rows_more: usize,
    views: Vec<NightLetter>,
}

/// A line of the overview.
struct Row {
    night: String,
    is_update: bool,
    counts: Counts,
}

/// All nights of a mail by telescope.
struct Nights<'a> {
    verdict: String,
    telescopes: BTreeMap<&'a str, Vec<&'a DigestNight<'a>>>,
    house: &'a [String],
}

/// Puts the mail about some nights together; by telescope, in the order given.
///
/// * `house`: disk and health, a sentence each.
pub fn digest_mail(
    nights: &[DigestNight<'_>],
    house: &[String],
    envelope: &Envelope<'_>,
) -> Result<ComposedMail, ReportError> {
    let mut telescopes: BTreeMap<&str, Vec<&DigestNight<'_>>> = BTreeMap::new();
    for night in nights {
        telescopes.entry(night.telescope).or_default().push(night);
    }
    let verdict = verdict_of(nights, telescopes.len());
    let all = Nights { verdict, telescopes, house };
    // The outbox finds the fingerprints in the order of the nights.
    let fingerprints = nights
        .iter()
        .map(|night| fingerprint(night.report))
        .collect::<Result<Vec<String>, ReportError>>()?;
    let time = envelope.at.to_iso();
    let text = all.text();
    smallest_enough(|shares| {
        let (html, pictures) = all.page(shares)?;
        let content = Content {
            key: format!("digest/{time}/{}", fingerprints.join(",")),
            name: format!("digest.{}", time.replace([':', '.'], "")),
            subject: all.verdict.clone(),
            text: text.clone(),
            html: Some(html),
            pictures,
            files: all.files(shares),
            answers: None,
        };
        put_together(content, envelope)
    })
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

/// What goes with a night, without the lines that stand once at the end of the mail.
fn enclosed<'a>(night: &DigestNight<'a>) -> Enclosed<'a> {
    Enclosed { house: &[], ..night.enclosed }
}

impl<'a> Nights<'a> {
    /// Nights per telescope that are told in full; fewer when they would not fit.
    fn n_in_full(&self, level: u32) -> usize {
        let n = (NIGHTS_IN_FULL_MAX / self.telescopes.len().max(1)).max(1);
        (n >> level.saturating_sub(SPARING_NIGHTS)).max(1)
    }

    fn n_told(&self, n_in_full: usize) -> usize {
        self.telescopes.values().map(|nights| nights.len().min(n_in_full)).sum()
    }

    /// The page with as much as it may hold, and its pictures.
    fn page(&self, shares: Shares) -> Result<(String, Vec<Inline>), ReportError> {
        let mut level = 0;
        loop {
            let (page, pictures) = self.page_at(level, shares)?;
            let html = page
                .render()
                .map_err(|source| ReportError::Template { night: self.verdict.clone(), source })?;
            if html.len() <= PAGE_BYTES_MAX || level >= Limits::LEVELS {
                return Ok((html, pictures));
            }
            level += 1;
        }
    }

    fn page_at(&self, level: u32, shares: Shares) -> Result<(Page<'a>, Vec<Inline>), ReportError> {
        let n_in_full = self.n_in_full(level);
        let n_told = self.n_told(n_in_full);
        let (limits, shares) = (Limits::page(level).shared(n_told), shares.shared(n_told));
        let mut pictures = Vec::new();
        let mut groups = Vec::new();
        for (telescope, nights) in &self.telescopes {
            let mut views = Vec::new();
            for night in newest(nights, n_in_full) {
                let (view, its) = letter(night.report, &enclosed(night), limits, shares)?;
                pictures.extend(its);
                views.push(view);
            }
            let rows: Vec<Row> =
                newest(nights, self.n_rows(level)).iter().map(|n| row(n)).collect();
            let telescope = printable(telescope);
            groups.push(Group { telescope, n_rows_more: nights.len() - rows.len(), rows, views });
        }
        let rows = || groups.iter().flat_map(|group| &group.rows);
        let n_short = self.telescopes.values().map(Vec::len).sum::<usize>() - n_told;
        let page = Page {
            verdict: self.verdict.clone(),
            has_headings: groups.len() > 1,
            has_unchecked: rows().any(|row| row.counts.n_unchecked > 0),
            short: (n_short > 0).then(|| short(n_short)),
            groups,
            house: self.house,
        };
        Ok((page, pictures))
    }

    /// Lines of the overview per telescope.
    fn n_rows(&self, level: u32) -> usize {
        ((ROWS_MAX / self.telescopes.len().max(1)) >> level.saturating_sub(SPARING_NIGHTS)).max(1)
    }

    /// The mail as plain text, with as much as it may hold.
    fn text(&self) -> String {
        let mut level = 0;
        loop {
            let body = self.text_at(level);
            if body.len() <= TEXT_BYTES_MAX || level >= Limits::LEVELS {
                return body;
            }
            level += 1;
        }
    }

    fn text_at(&self, level: u32) -> String {
        let n_in_full = self.n_in_full(level);
        let n_told = self.n_told(n_in_full);
        let (limits, shares) = (Limits::text(level).shared(n_told), Shares::WHOLE.shared(n_told));
        let mut body = format!("{}\n", self.verdict);
        for (telescope, nights) in &self.telescopes {
            body.push('\n');
            if self.telescopes.len() > 1 {
                body.push_str(&format!("{}\n", printable(telescope)));
            }
            let told = newest(nights, self.n_rows(level));
            for night in told {
                let Row { night, is_update, counts } = row(night);
                let update = if is_update { " (update)" } else { "" };
                body.push_str(&format!("  {night}{update}: {}\n", in_words(&counts)));
            }
            if nights.len() > told.len() {
                body.push_str(&format!("  and {} more before these\n", nights.len() - told.len()));
            }
        }
        for nights in self.telescopes.values() {
            for night in newest(nights, n_in_full) {
                let told = render_letter(night.report, &enclosed(night), limits, shares);
                body.push_str(&format!("\n{RULE}\n{told}"));
            }
        }
        let n_short = self.telescopes.values().map(Vec::len).sum::<usize>() - n_told;
        if n_short > 0 || !self.house.is_empty() {
            body.push_str(&format!("\n{RULE}\n"));
        }
        if n_short > 0 {
            body.push_str(&format!("{}\n", short(n_short)));
        }
        house(&mut body, self.house);
        body
    }

    /// The tables of the nights that are told in full.
    fn files(&self, shares: Shares) -> Vec<File> {
        let n_in_full = self.n_in_full(0);
        let shares = shares.shared(self.n_told(n_in_full));
        let told = self.telescopes.values().flat_map(|nights| newest(nights, n_in_full));
        told.flat_map(|night| enclosed_files(night.report, &enclosed(night), shares).0).collect()
    }
}
