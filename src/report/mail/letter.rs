//! What a mail tells of a night, in which order, and how much of it.
//!
//! Text and page are made of the same [`NightLetter`]; only the limits differ.

use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::report::NightReport;
use crate::report::ReportError;
use crate::report::conditions::{conditions_in_words, conditions_png};
use crate::report::page::{self, FrameView, NoteView, ObjectView};
use crate::report::table::detections_csv;
use crate::report::verdict::verdict;
use crate::report::words::{plural, printable, shortened, url_part};

use super::message::{File, Inline, plain};
use super::{CandidatePictures, Enclosed};

/// Longest name of an object or a frame, and longest sentence [characters].
const NAME_LENGTH_MAX: usize = 80;
const TEXT_LENGTH_MAX: usize = 400;
/// A score below that of every candidate that was rated.
const UNRATED: f64 = -1.0;

/// Most entries per section.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Limits {
    cards: usize,
    rows: usize,
    known: usize,
    faint: usize,
    lost: usize,
    notes: usize,
    masters: usize,
}

impl Limits {
    /// Highest level: next to nothing is left.
    pub(in crate::report) const LEVELS: u32 = 9;
    /// Levels at which objects are still told in full.
    const SPARING_OBJECTS: u32 = 3;
    const PAGE: Self =
        Self { cards: 40, rows: 100, known: 120, faint: 40, lost: 40, notes: 60, masters: 30 };
    const TEXT: Self =
        Self { cards: 600, rows: 0, known: 600, faint: 200, lost: 600, notes: 1000, masters: 100 };

    /// Those of a page; each level halves them, those of objects later than the others.
    pub(in crate::report) fn page(level: u32) -> Self {
        Self::PAGE.at(level)
    }

    /// Those of a text.
    pub(in crate::report) fn text(level: u32) -> Self {
        Self::TEXT.at(level)
    }

    fn at(self, level: u32) -> Self {
        let objects = |n: usize| (n >> level.saturating_sub(Self::SPARING_OBJECTS)).max(1);
        let others = |n: usize| (n >> level).max(1);
        Self {
            cards: objects(self.cards),
            rows: if self.rows == 0 { 0 } else { objects(self.rows) },
            known: objects(self.known),
            faint: others(self.faint),
            lost: others(self.lost),
            notes: others(self.notes),
            masters: others(self.masters),
        }
    }

    /// Those of one of several nights in a mail.
    pub(in crate::report) fn shared(self, n_nights: usize) -> Self {
        const LEAST: usize = 5;
        let share = |n: usize| (n / n_nights.max(1)).max(LEAST.min(n));
        Self {
            cards: share(self.cards),
            rows: share(self.rows),
            known: share(self.known),
            faint: share(self.faint),
            lost: share(self.lost),
            notes: share(self.notes),
            masters: share(self.masters),
        }
    }
}

/// How much of a mail's size a night may take.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Shares {
    pub(in crate::report) picture_bytes_max: usize,
    n_pictures_max: usize,
    /// Of the table of detections; the draft for the Minor Planet Center may have half of it.
    file_bytes_max: usize,
    /// Whether the conditions are drawn.
    has_chart: bool,
}

impl Shares {
    /// All of it, for one night.
    pub(in crate::report) const WHOLE: Self = Self {
        picture_bytes_max: 2_800_000,
        n_pictures_max: 24,
        file_bytes_max: 700_000,
        has_chart: true,
    };
    /// Below this no picture is worth trying [bytes].
    const PICTURE_BYTES_LEAST: usize = 20_000;

    pub(in crate::report) fn with_less_pictures(self) -> Self {
        let half = self.picture_bytes_max / 2;
        let picture_bytes_max = if half < Self::PICTURE_BYTES_LEAST { 0 } else { half };
        Self { picture_bytes_max, ..self }
    }

    /// That of one of several nights: pictures of unknown objects only.
    pub(in crate::report) fn shared(self, n_nights: usize) -> Self {
        let n = n_nights.max(1);
        Self {
            picture_bytes_max: self.picture_bytes_max / n,
            n_pictures_max: (self.n_pictures_max / n).max(1),
            file_bytes_max: self.file_bytes_max / n,
            has_chart: false,
        }
    }

    pub(in crate::report) fn without_pictures(self) -> Self {
        Self { n_pictures_max: 0, has_chart: false, ..self }
    }
}

/// The first entries of a list, and how many more there are.
pub(in crate::report) struct Listed<T> {
    pub(in crate::report) entries: Vec<T>,
    pub(in crate::report) n_more: usize,
}

impl<T> Listed<T> {
    fn first(mut entries: Vec<T>, n_max: usize) -> Self {
        let n_more = entries.len().saturating_sub(n_max);
        entries.truncate(n_max);
        Self { entries, n_more }
    }
}

/// An unknown object with its picture and the address of its page.
pub(in crate::report) struct Card {
    pub(in crate::report) object: ObjectView,
    pub(in crate::report) cid: Option<String>,
    pub(in crate::report) url: Option<String>,
}

/// A night as its mail tells it.
pub(in crate::report) struct NightLetter {
    pub(in crate::report) verdict: String,
    pub(in crate::report) night: String,
    pub(in crate::report) instrument: String,
    pub(in crate::report) version: String,
    pub(in crate::report) page_url: Option<String>,
    /// Whether a list was there to compare all objects with.
    pub(in crate::report) is_compared: bool,
    /// Unknown objects in full, the best first.
    pub(in crate::report) cards: Vec<Card>,
    /// Further ones in a line each.
    pub(in crate::report) rows: Listed<Card>,
    pub(in crate::report) has_ratings: bool,
    pub(in crate::report) n_pictures_left: usize,
    pub(in crate::report) known: Listed<Card>,
    pub(in crate::report) faint: Listed<Card>,
    /// Content identifier of the picture of the conditions.
    pub(in crate::report) chart_cid: Option<String>,
    pub(in crate::report) conditions: Vec<String>,
    pub(in crate::report) lost: Listed<FrameView>,
    pub(in crate::report) notes: Listed<NoteView>,
    pub(in crate::report) masters: Listed<String>,
    /// What is attached, and what is not.
    pub(in crate::report) files: Vec<String>,
}

/// Chooses what is told of a night, and the pictures that the page shows.
pub(in crate::report) fn letter(
    report: &NightReport,
    enclosed: &Enclosed<'_>,
    limits: Limits,
    shares: Shares,
) -> Result<(NightLetter, Vec<Inline>), ReportError> {
    let page_url = enclosed.page_url.filter(|url| is_web_address(url));
    let unknown = ranked(report);
    let mut cards: Vec<Card> = unknown.iter().map(|c| card(c, report, page_url)).collect();
    let rest = cards.split_off(limits.cards.min(cards.len()));
    let mut pictures = Vec::new();
    let mut budget = shares.picture_bytes_max;
    for (card, candidate) in cards.iter_mut().zip(&unknown) {
        let Some(gif) = picture_of(candidate, enclosed.pictures) else { continue };
        if pictures.len() < shares.n_pictures_max && gif.len() <= budget {
            budget -= gif.len();
            let place = format!("{}.{}", report.night, pictures.len());
            let picture = Inline::new("image/gif", &place, gif.to_vec());
            card.cid = Some(picture.cid.clone());
            pictures.push(picture);
        }
    }
    let is_there = |c: &&&Candidate| picture_of(c, enclosed.pictures).is_some();
    let n_pictures_left = unknown.iter().filter(is_there).count() - pictures.len();
    let chart = if shares.has_chart { conditions_png(&report.frames)? } else { None };
    let chart =
        chart.map(|png| Inline::new("image/png", &format!("{}.conditions", report.night), png));
    let chart_cid = chart.as_ref().map(|picture| picture.cid.clone());
    pictures.extend(chart);
    let known = report.candidates.iter().filter(|c| page::is_known(&c.identity));
    let known = known.map(|c| card(c, report, page_url)).collect();
    let faint = report.faint.iter().map(|c| card(c, report, page_url)).collect();
    let lost = page::frames(report).into_iter().filter(|frame| frame.is_lost).map(short_frame);
    let masters = page::masters(report).iter().map(|m| shortened(m, TEXT_LENGTH_MAX)).collect();
    let view = NightLetter {
        verdict: verdict(report),
        night: printable(&report.night),
        instrument: shortened(&printable(&report.instrument), TEXT_LENGTH_MAX),
        version: printable(&report.version),
        page_url: page_url.map(printable),
        is_compared: report.candidates.iter().all(|c| c.identity != Identity::Unchecked),
        cards,
        has_ratings: unknown.iter().any(|c| c.rating.is_some()),
        rows: Listed::first(rest, limits.rows),
        n_pictures_left,
        known: Listed::first(known, limits.known),
        faint: Listed::first(faint, limits.faint),
        chart_cid,
        conditions: conditions_in_words(&report.frames),
        lost: Listed::first(lost.collect(), limits.lost),
        notes: Listed::first(
            page::not_done(report).into_iter().map(short_note).collect(),
            limits.notes,
        ),
        masters: Listed::first(masters, limits.masters),
        files: enclosed_files(report, enclosed, shares).1,
    };
    Ok((view, pictures))
}

/// Unexplained objects: those that look most like a real source first, of equal ones the least
/// likely accident.
fn ranked(report: &NightReport) -> Vec<&Candidate> {
    let unexplained = report.candidates.iter().filter(|c| page::is_unexplained(&c.identity));
    let mut ranked: Vec<&Candidate> = unexplained.collect();
    let score = |c: &Candidate| c.rating.as_ref().map_or(UNRATED, |r| r.real_score);
    ranked.sort_by(|a, b| {
        let by_score = score(b).total_cmp(&score(a));
        let by_chance = a.false_alarms.total_cmp(&b.false_alarms);
        by_score.then(by_chance).then_with(|| a.id.cmp(&b.id))
    });
    ranked
}

fn card(candidate: &Candidate, report: &NightReport, page_url: Option<&str>) -> Card {
    let mut object = ObjectView::new(candidate, report);
    object.id = shortened(&object.id, NAME_LENGTH_MAX);
    object.name = object.name.map(|name| shortened(&name, NAME_LENGTH_MAX));
    // The mail has no room for each place; the table of detections has them.
    object.detections = Vec::new();
    let url = page_url.map(|url| candidate_url(&printable(url), &candidate.id));
    Card { object, cid: None, url: url.filter(|url| url.len() <= TEXT_LENGTH_MAX) }
}

fn short_frame(mut frame: FrameView) -> FrameView {
    frame.frame = shortened(&frame.frame, NAME_LENGTH_MAX);
    frame.reason = shortened(&frame.reason, TEXT_LENGTH_MAX);
    frame
}

fn short_note(note: NoteView) -> NoteView {
    NoteView {
        subject: shortened(&note.subject, NAME_LENGTH_MAX),
        text: shortened(&note.text, TEXT_LENGTH_MAX),
    }
}

fn picture_of<'a>(candidate: &Candidate, pictures: &'a [CandidatePictures]) -> Option<&'a [u8]> {
    let its = pictures.iter().find(|picture| picture.candidate_id == candidate.id)?;
    (!its.blink_gif.is_empty()).then_some(its.blink_gif.as_slice())
}

/// Whether a mail may lead there.
fn is_web_address(url: &str) -> bool {
    url.len() <= TEXT_LENGTH_MAX && (url.starts_with("https://") || url.starts_with("http://"))
}

/// Where a candidate is judged.
fn candidate_url(page_url: &str, id: &str) -> String {
    format!("{}/candidate/{}", page_url.trim_end_matches('/'), url_part(id))
}

/// The files that go with a night, and what is said of them.
pub(in crate::report) fn enclosed_files(
    report: &NightReport,
    enclosed: &Enclosed<'_>,
    shares: Shares,
) -> (Vec<File>, Vec<String>) {
    let (mut files, mut told) = (Vec::new(), Vec::new());
    let mut attach = |name: String, kind, text: &str, what: String| {
        told.push(format!("{name}: {what}"));
        files.push(File { name, kind, text: text.to_owned() });
    };
    let night = plain(&report.night);
    let csv = detections_csv(&report.candidates);
    let n_rows = report.candidates.iter().map(|c| c.detections.len()).sum::<usize>();
    let rows = plural(n_rows, "detection", "detections");
    let is_small = csv.len() <= shares.file_bytes_max;
    if n_rows > 0 && is_small {
        attach(format!("{night}.csv"), "text/csv; charset=utf-8", &csv, rows.clone());
    }
    let ades = enclosed.ades_psv.filter(|text| !text.trim().is_empty());
    let is_draft_small = ades.is_none_or(|text| text.len() <= shares.file_bytes_max / 2);
    if let Some(text) = ades.filter(|_| is_draft_small) {
        let what =
            "ADES draft of the unknown and known objects, for your eyes only: nothing was sent";
        let kind = "text/plain; charset=utf-8";
        attach(format!("{night}.draft.psv"), kind, text, what.to_owned());
    }
    if !is_small {
        told.push(format!(
            "The table of {rows} would make this mail too large: \
             `autossosctl export {} --format detections --output FILE` writes it.",
            printable(&report.night)
        ));
    }
    if !is_draft_small {
        told.push(format!(
            "The ADES draft would make this mail too large: `autossosctl submit {} --check` tells \
             what would go to the Minor Planet Center.",
            printable(&report.night)
        ));
    }
    (files, told)
}
