//! The morning mail as the bytes of a message (RFC 5322): text, and a small page beside it.
//!
//! Nothing is sent here. The same night to the same people at the same instant gives the same
//! bytes: identifier and boundary come from a hash of the content, the date is handed in.

use std::time::{Duration, SystemTime};

use askama::Template;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use crate::pipeline::artifact::report::NightReport;
use crate::science::time::{Epoch, SECONDS_PER_DAY};

use super::ReportError;
use super::page::{self, NoteView, ObjectView};
use super::text::{ENTRIES_MAX, render_text};
use super::verdict::verdict;
use super::words::printable;

/// MJD of 1970-01-01 [d].
const MJD_UNIX: f64 = 40_587.0;
/// MJD of 9999-01-01 [d]; dates of messages have four digits of year.
const MJD_MAX: f64 = 2_973_119.0;
/// Hexadecimal digits of the content's hash in the message's identifier.
const HASH_LENGTH: usize = 24;
/// Says that no person wrote this, so that nobody's absence note answers (RFC 3834).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
/// Start of the subject of a night's second mail.
pub(super) const UPDATE: &str = "Update: ";
/// First sentence of a night's second mail.
const REPLACES: &str = "This replaces the report mailed before: the night was closed again since.";

/// From whom, to whom, when.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Sender, `name@host` or `Name <name@host>`.
    pub from: &'a str,
    /// Receivers, at least one.
    pub to: &'a [String],
    /// The date of the message.
    pub at: Epoch,
}

/// What the receivers got about a night before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Former<'a> {
    /// Number of mails.
    pub n_mails: usize,
    /// Identifier of the first of them, which this one answers.
    pub first_message_id: Option<&'a str>,
}

/// A message ready for the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComposedMail {
    /// The same for the same content: the outbox takes a key once.
    pub key: String,
    /// Its identifier, as in its bytes.
    pub message_id: String,
    /// Its subject.
    pub subject: String,
    /// The whole message.
    pub bytes: Vec<u8>,
}

/// The content of a message; `name` and `hash` make its identifier.
pub(super) struct Content<'a> {
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: Option<String>,
    pub(super) answers: Option<&'a str>,
}

/// The small page of a night.
pub(super) struct NightLetter {
    pub(super) verdict: String,
    pub(super) night: String,
    pub(super) instrument: String,
    pub(super) version: String,
    pub(super) objects: Vec<ObjectView>,
    pub(super) n_objects_more: usize,
    pub(super) notes: Vec<NoteView>,
    pub(super) n_notes_more: usize,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Letter {
    view: NightLetter,
    remark: Option<&'static str>,
}

/// Puts the first mail of a night together.
pub fn morning_mail(
    report: &NightReport,
    envelope: &Envelope<'_>,
) -> Result<ComposedMail, ReportError> {
    updated_mail(report, &Former::default(), envelope)
}

/// Puts a mail of a night together that follows others about the same night.
pub fn updated_mail(
    report: &NightReport,
    former: &Former<'_>,
    envelope: &Envelope<'_>,
) -> Result<ComposedMail, ReportError> {
    let hash = fingerprint(report)?;
    let remark = (former.n_mails > 0).then_some(REPLACES);
    let (verdict, text, html) = faces(report, remark)?;
    let night = printable(&report.night);
    let mut key = format!("mail/{night}/{hash}");
    let (mut name, mut subject, mut body) = (plain(&night), verdict, text);
    if former.n_mails > 0 {
        // A report may come back to what was mailed two mails ago; that is told as well.
        key = format!("{key}/{}", former.n_mails);
        name = format!("{name}.{}", former.n_mails);
        subject = format!("{UPDATE}{subject}");
        body = format!("{REPLACES}\n\n{body}");
    }
    let content = Content {
        name,
        hash,
        subject,
        text: body,
        html: Some(html),
        answers: former.first_message_id,
    };
    put_together(content, key, envelope)
}

/// A hash of what a report tells by mail: equal means that another mail would say nothing new.
pub fn fingerprint(report: &NightReport) -> Result<String, ReportError> {
    let (_, text, html) = faces(report, None)?;
    Ok(hash_of(&[&report.night, &text, &html]))
}

/// Verdict, text and page of a night; the page begins with the remark.
fn faces(
    report: &NightReport,
    remark: Option<&'static str>,
) -> Result<(String, String, String), ReportError> {
    let text = render_text(report);
    let page = Letter { view: letter(report, ENTRIES_MAX), remark };
    let html = page.render().map_err(ReportError::template(report))?;
    Ok((text.subject, text.body, html))
}

/// The small page of a night, with at most so many objects and notes.
pub(super) fn letter(report: &NightReport, entries_max: usize) -> NightLetter {
    let mut objects = page::objects(report, page::is_unexplained);
    let mut notes = page::not_done(report);
    let n_objects_more = objects.len().saturating_sub(entries_max);
    let n_notes_more = notes.len().saturating_sub(entries_max);
    objects.truncate(entries_max);
    notes.truncate(entries_max);
    NightLetter {
        verdict: verdict(report),
        night: printable(&report.night),
        instrument: printable(&report.instrument),
        version: printable(&report.version),
        objects,
        n_objects_more,
        notes,
        n_notes_more,
    }
}

/// Makes the message.
pub(super) fn put_together(
    content: Content<'_>,
    key: String,
    envelope: &Envelope<'_>,
) -> Result<ComposedMail, ReportError> {
    let Content { name, hash, subject, text, html, answers } = content;
    let from = mailbox(envelope.from)?;
    if envelope.to.is_empty() {
        return Err(ReportError::NoRecipient { subject });
    }
    let message_id = format!("<{name}.{hash}@{}>", from.email.domain());
    let mut builder = Message::builder()
        .from(from)
        .subject(subject.clone())
        .date(system_time(envelope.at))
        .message_id(Some(message_id.clone()))
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()));
    for to in envelope.to {
        builder = builder.to(mailbox(to)?);
    }
    if let Some(first) = answers {
        builder = builder.in_reply_to(first.to_owned()).references(first.to_owned());
    }
    let made = match html {
        Some(html) => builder.multipart(
            MultiPart::alternative()
                .boundary(format!("autossos-{hash}"))
                .singlepart(SinglePart::plain(text))
                .singlepart(SinglePart::html(html)),
        ),
        None => builder.singlepart(SinglePart::plain(text)),
    };
    let message = made.map_err(|source| ReportError::Mail { subject: subject.clone(), source })?;
    Ok(ComposedMail { key, message_id, subject, bytes: message.formatted() })
}

/// Hash of some texts.
pub fn hash_of(texts: &[&str]) -> String {
    blake3::hash(texts.join("\0").as_bytes()).to_hex().chars().take(HASH_LENGTH).collect()
}

/// Reads an address.
fn mailbox(text: &str) -> Result<Mailbox, ReportError> {
    text.parse().map_err(|source| ReportError::Address { address: text.to_owned(), source })
}

/// A text in the characters an identifier of a message may have.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// An instant as the mail library wants it, within the years it can write.
fn system_time(at: Epoch) -> SystemTime {
    let mjd = if at.mjd_utc().is_finite() { at.mjd_utc() } else { MJD_UNIX };
    let seconds = (mjd.clamp(MJD_UNIX, MJD_MAX) - MJD_UNIX) * SECONDS_PER_DAY;
    // Not negative and below 3e11 by the clamp.
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.round() as u64)
}
