//! The morning mail: text, and a page with pictures beside it, tables as files.
//!
//! Nothing is sent here. The same night to the same people at the same instant gives the same
//! bytes. `letter` chooses what is told, [`super::text`] and the templates tell it, `message` makes
//! bytes of it. What would make a mail too large is left out, and the mail says so.

mod letter;
mod message;
#[cfg(test)]
mod tests;

use askama::Template;

use crate::pipeline::artifact::report::NightReport;
use crate::science::time::Epoch;

use super::ReportError;
use super::html::CandidatePictures;
use super::text::{render_letter, render_text};
use super::words::printable;

pub(super) use letter::{Limits, NightLetter, Shares, enclosed_files, letter};
pub use message::hash_of;
pub(super) use message::{Content, File, Inline, plain, put_together};

/// Largest message [bytes]: many servers refuse 5 MB and more.
pub const MESSAGE_BYTES_MAX: usize = 4_900_000;
/// Largest page [bytes]: some mail programs cut what is longer than 102 kB.
pub const PAGE_BYTES_MAX: usize = 95_000;
/// Largest text [bytes].
pub(super) const TEXT_BYTES_MAX: usize = 400_000;
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

/// What goes with the report of a night.
#[derive(Debug, Clone, Copy, Default)]
pub struct Enclosed<'a> {
    /// Moving pictures of candidates; those of the most certain unknown ones are shown.
    pub pictures: &'a [CandidatePictures],
    /// Address of the night's page, as `https://host/night/2026-03-01`.
    pub page_url: Option<&'a str>,
    /// The draft for the Minor Planet Center.
    pub ades_psv: Option<&'a str>,
    /// Disk and health, a sentence each.
    pub house: &'a [String],
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
    /// The same for the same report: the outbox takes a key once.
    pub key: String,
    /// Its identifier, as in its bytes; a hash of all that is in it.
    pub message_id: String,
    /// Its subject.
    pub subject: String,
    /// The whole message.
    pub bytes: Vec<u8>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Letter<'a> {
    view: NightLetter,
    remark: Option<&'static str>,
    house: &'a [String],
}

/// Puts the first mail of a night together.
pub fn morning_mail(
    report: &NightReport,
    enclosed: &Enclosed<'_>,
    envelope: &Envelope<'_>,
) -> Result<ComposedMail, ReportError> {
    updated_mail(report, enclosed, &Former::default(), envelope)
}

/// Puts a mail of a night together that follows others about the same night.
pub fn updated_mail(
    report: &NightReport,
    enclosed: &Enclosed<'_>,
    former: &Former<'_>,
    envelope: &Envelope<'_>,
) -> Result<ComposedMail, ReportError> {
    smallest_enough(|shares| {
        put_together(night_content(report, enclosed, former, shares)?, envelope)
    })
}

/// Makes a mail with less and less pictures until it is small enough.
pub(super) fn smallest_enough(
    make: impl Fn(Shares) -> Result<ComposedMail, ReportError>,
) -> Result<ComposedMail, ReportError> {
    let mut shares = Shares::WHOLE;
    loop {
        let mail = make(shares)?;
        if mail.bytes.len() <= MESSAGE_BYTES_MAX || shares.picture_bytes_max == 0 {
            return Ok(mail);
        }
        shares = shares.with_less_pictures();
    }
}

fn night_content<'a>(
    report: &NightReport,
    enclosed: &Enclosed<'_>,
    former: &Former<'a>,
    shares: Shares,
) -> Result<Content<'a>, ReportError> {
    let hash = fingerprint(report)?;
    let remark = (former.n_mails > 0).then_some(REPLACES);
    let (html, pictures) = page(report, enclosed, remark, shares)?;
    let (files, _) = enclosed_files(report, enclosed, shares);
    let body = text(report, enclosed, shares);
    let night = printable(&report.night);
    let subject = super::verdict::verdict(report);
    let mut content = Content {
        key: format!("mail/{night}/{hash}"),
        name: plain(&night),
        subject,
        text: body,
        html: Some(html),
        pictures,
        files,
        answers: former.first_message_id,
    };
    if former.n_mails > 0 {
        // A report may come back to what was mailed two mails ago; that is told as well.
        content.key = format!("{}/{}", content.key, former.n_mails);
        content.name = format!("{}.{}", content.name, former.n_mails);
        content.subject = format!("{UPDATE}{}", content.subject);
        content.text = format!("{REPLACES}\n\n{}", content.text);
    }
    Ok(content)
}

/// A hash of what a report tells by mail: equal means that another mail would say nothing new.
pub fn fingerprint(report: &NightReport) -> Result<String, ReportError> {
    Ok(hash_of(&[&report.night, &render_text(report).body]))
}

/// The page of a night and its pictures, with as much as it may hold.
fn page(
    report: &NightReport,
    enclosed: &Enclosed<'_>,
    remark: Option<&'static str>,
    shares: Shares,
) -> Result<(String, Vec<Inline>), ReportError> {
    let mut level = 0;
    loop {
        let (view, pictures) = letter(report, enclosed, Limits::page(level), shares)?;
        let page = Letter { view, remark, house: enclosed.house };
        let html = page.render().map_err(ReportError::template(report))?;
        if html.len() <= PAGE_BYTES_MAX || level >= Limits::LEVELS {
            return Ok((html, pictures));
        }
        level += 1;
    }
}

/// The text of a night, with as much as it may hold.
pub(super) fn text(report: &NightReport, enclosed: &Enclosed<'_>, shares: Shares) -> String {
    let mut level = 0;
    loop {
        let body = render_letter(report, enclosed, Limits::text(level), shares);
        if body.len() <= TEXT_BYTES_MAX || level >= Limits::LEVELS {
            return body;
        }
        level += 1;
    }
}
