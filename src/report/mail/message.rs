//! A mail's content as the bytes of a message (RFC 5322, MIME).
//!
//! `mixed( alternative( text, related( page, pictures ) ), files )`; what has one part only is that
//! part. Identifier and boundaries come from a hash of everything in it, the date is handed in.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::{
    ContentDisposition, ContentTransferEncoding, ContentType, HeaderName, HeaderValue,
};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::{ComposedMail, Envelope};
use crate::report::ReportError;
use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// MJD of 1970-01-01 [d].
const MJD_UNIX: f64 = 40_587.0;
/// MJD of 9999-01-01 [d]; dates of messages have four digits of year.
const MJD_MAX: f64 = 2_973_119.0;
/// Hexadecimal digits of a hash in identifiers.
const HASH_LENGTH: usize = 24;
/// Says that no person wrote this, so that nobody's absence note answers (RFC 3834).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// The content of a message.
#[derive(Default)]
pub(in crate::report) struct Content<'a> {
    /// The outbox takes a key once.
    pub(in crate::report) key: String,
    /// Start of the message's identifier.
    pub(in crate::report) name: String,
    pub(in crate::report) subject: String,
    pub(in crate::report) text: String,
    pub(in crate::report) html: Option<String>,
    /// Pictures that the page shows.
    pub(in crate::report) pictures: Vec<Inline>,
    pub(in crate::report) files: Vec<File>,
    /// Identifier of the message this one answers.
    pub(in crate::report) answers: Option<&'a str>,
}

/// A picture inside a page.
#[derive(Debug, Clone)]
pub(in crate::report) struct Inline {
    /// The page names it as `cid:...`.
    pub(in crate::report) cid: String,
    kind: &'static str,
    bytes: Vec<u8>,
}

impl Inline {
    /// * `place`: tells pictures of a mail apart that have the same bytes.
    pub(in crate::report) fn new(kind: &'static str, place: &str, bytes: Vec<u8>) -> Self {
        let hash = hash_of_bytes(&[&bytes]);
        Self { cid: format!("{}.{hash}@autossos", plain(place)), kind, bytes }
    }
}

/// A file that goes with a message.
#[derive(Debug, Clone)]
pub(in crate::report) struct File {
    pub(in crate::report) name: String,
    pub(in crate::report) kind: &'static str,
    pub(in crate::report) text: String,
}

/// Makes the message.
pub(in crate::report) fn put_together(
    content: Content<'_>,
    envelope: &Envelope<'_>,
) -> Result<ComposedMail, ReportError> {
    let from = mailbox(envelope.from)?;
    let hash = content_hash(&content);
    let Content { key, name, subject, text, html, pictures, files, answers } = content;
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
        Some(html) => {
            let faces = MultiPart::alternative()
                .boundary(format!("autossos-faces-{hash}"))
                .singlepart(SinglePart::plain(text));
            let faces = match pictures.is_empty() {
                true => faces.singlepart(SinglePart::html(html)),
                false => faces.multipart(page_with(html, pictures, &hash)),
            };
            builder.multipart(with_files(faces, files, &hash))
        }
        None => builder.singlepart(SinglePart::plain(text)),
    };
    let message = made.map_err(|source| ReportError::Mail { subject: subject.clone(), source })?;
    Ok(ComposedMail { key, message_id, subject, bytes: message.formatted() })
}

fn page_with(html: String, pictures: Vec<Inline>, hash: &str) -> MultiPart {
    let page = MultiPart::related()
        .boundary(format!("autossos-page-{hash}"))
        .singlepart(SinglePart::html(html));
    pictures.into_iter().fold(page, |page, picture| {
        let part = Attachment::new_inline(picture.cid);
        page.singlepart(part.body(picture.bytes, content_type(picture.kind)))
    })
}

fn with_files(faces: MultiPart, files: Vec<File>, hash: &str) -> MultiPart {
    if files.is_empty() {
        return faces;
    }
    let whole = MultiPart::mixed().boundary(format!("autossos-whole-{hash}")).multipart(faces);
    files.into_iter().fold(whole, |whole, file| {
        // In base 64 no mail server on the way mends line ends.
        let part = SinglePart::builder()
            .header(ContentDisposition::attachment(&file.name))
            .header(content_type(file.kind))
            .header(ContentTransferEncoding::Base64)
            .body(file.text.into_bytes());
        whole.singlepart(part)
    })
}

fn content_type(kind: &'static str) -> ContentType {
    ContentType::parse(kind).expect("our own kinds are well formed")
}

/// Hash of all that makes one message another than the next, but for the date.
fn content_hash(content: &Content<'_>) -> String {
    let mut parts: Vec<&[u8]> = vec![
        content.key.as_bytes(),
        content.subject.as_bytes(),
        content.text.as_bytes(),
        content.html.as_deref().unwrap_or_default().as_bytes(),
        content.answers.unwrap_or_default().as_bytes(),
    ];
    parts.extend(content.pictures.iter().map(|picture| picture.bytes.as_slice()));
    parts
        .extend(content.files.iter().flat_map(|file| [file.name.as_bytes(), file.text.as_bytes()]));
    hash_of_bytes(&parts)
}

/// Hash of some texts.
pub fn hash_of(texts: &[&str]) -> String {
    blake3::hash(texts.join("\0").as_bytes()).to_hex().chars().take(HASH_LENGTH).collect()
}

fn hash_of_bytes(parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex().chars().take(HASH_LENGTH).collect()
}

/// Reads an address.
fn mailbox(text: &str) -> Result<Mailbox, ReportError> {
    text.parse().map_err(|source| ReportError::Address { address: text.to_owned(), source })
}

/// A text in the characters an identifier of a message or the name of a file may have.
pub(in crate::report) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// An instant as the mail library wants it, within the years it can write.
fn system_time(at: Epoch) -> SystemTime {
    let mjd = if at.mjd_utc().is_finite() { at.mjd_utc() } else { MJD_UNIX };
    let seconds = (mjd.clamp(MJD_UNIX, MJD_MAX) - MJD_UNIX) * SECONDS_PER_DAY;
    // Not negative and below 3e11 by the clamp.
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.round() as u64)
}
