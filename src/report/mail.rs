//! The morning mail as the bytes of a message (RFC 5322): text, and a small page beside it.
//!
//! Nothing is sent here. The same night to the same people at the same instant gives the same
//! bytes: identifier and boundary come from a hash of the content, the date is handed in.

use std::time::{Duration, SystemTime};

use askama::Template;
use lettre::Message;
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

/// A message ready for the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MorningMail {
    /// The same for the same content: the outbox takes a key once.
    pub key: String,
    /// Its subject.
    pub subject: String,
    /// The whole message.
    pub bytes: Vec<u8>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Letter {
    verdict: String,
    night: String,
    instrument: String,
    version: String,
    objects: Vec<ObjectView>,
    n_objects_more: usize,
    notes: Vec<NoteView>,
    n_notes_more: usize,
}

/// Puts the morning mail of a night together.
pub fn morning_mail(
    report: &NightReport,
    envelope: &Envelope<'_>,
) -> Result<MorningMail, ReportError> {
    let text = render_text(report);
    let html = letter(report).render().map_err(ReportError::template(report))?;
    let digest = blake3::hash(format!("{}\0{}\0{html}", report.night, text.body).as_bytes());
    let hash: String = digest.to_hex().chars().take(HASH_LENGTH).collect();
    let from = mailbox(envelope.from)?;
    let night = printable(&report.night);
    if envelope.to.is_empty() {
        return Err(ReportError::NoRecipient { night });
    }
    let identifier = format!("<{}.{hash}@{}>", plain(&night), from.email.domain());
    let mut builder = Message::builder()
        .from(from)
        .subject(text.subject.clone())
        .date(system_time(envelope.at))
        .message_id(Some(identifier));
    for to in envelope.to {
        builder = builder.to(mailbox(to)?);
    }
    let parts = MultiPart::alternative()
        .boundary(format!("autossos-{hash}"))
        .singlepart(SinglePart::plain(text.body))
        .singlepart(SinglePart::html(html));
    let message = builder
        .multipart(parts)
        .map_err(|source| ReportError::Mail { night: night.clone(), source })?;
    let key = format!("mail/{night}/{hash}");
    Ok(MorningMail { key, subject: text.subject, bytes: message.formatted() })
}

/// The small page of a night.
fn letter(report: &NightReport) -> Letter {
    let mut objects = page::objects(report, page::is_unexplained);
    let mut notes = page::not_done(report);
    let n_objects_more = objects.len().saturating_sub(ENTRIES_MAX);
    let n_notes_more = notes.len().saturating_sub(ENTRIES_MAX);
    objects.truncate(ENTRIES_MAX);
    notes.truncate(ENTRIES_MAX);
    Letter {
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

/// Reads an address.
fn mailbox(text: &str) -> Result<Mailbox, ReportError> {
    text.parse().map_err(|source| ReportError::Address { address: text.to_owned(), source })
}

/// A text in the characters an identifier of a message may have.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// An instant as the mail library wants it, within the years it can write.
fn system_time(at: Epoch) -> SystemTime {
    let mjd = if at.mjd_utc().is_finite() { at.mjd_utc() } else { MJD_UNIX };
    let seconds = (mjd.clamp(MJD_UNIX, MJD_MAX) - MJD_UNIX) * SECONDS_PER_DAY;
    // Not negative and below 3e11 by the clamp.
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.round() as u64)
}
