//! Which mail a closed night gets, and when: at once, with others at a clock time, or none.

use crate::config::{Config, Mail, MailTime};
use crate::ops::clock::Clock;
use crate::pipeline::artifact::report::NightReport;
use crate::report::CandidatePictures;
use crate::report::digest::{DigestNight, digest_mail};
use crate::report::mail::{ComposedMail, Enclosed, Envelope, Former, fingerprint, updated_mail};
use crate::science::time::Epoch;
use crate::store::outbox::{KIND_DIGEST, KIND_MAIL, MailHistory, OutboxMessage};
use crate::store::report_due::DueNight;
use crate::store::{NightId, Store, StoreError};

use super::MailError;
use super::enclosures::{Enclosures, kept_pictures};
use super::house::house_lines;
use super::schedule::next_digest;

/// Most pictures that are made for a mail about nights closed before.
const PICTURES_MAX: usize = 48;

/// What the closing of a night does about the mail, in its transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailAtClose {
    /// Queues this mail; it replaces the night's former one if nobody tried to send that.
    Queue(Box<OutboxMessage>),
    /// Notes that the report is due for [`digest`].
    DueLater,
    /// Nothing: nobody is to get mail, or the newest mail says the same.
    Nothing,
}

/// A night that closes.
#[derive(Debug, Clone, Copy)]
pub struct ClosingNight<'a> {
    /// Its name.
    pub night: &'a NightId,
    /// What it gave.
    pub report: &'a NightReport,
    /// Moving pictures of its candidates.
    pub pictures: &'a [CandidatePictures],
}

/// Decides about the mail of a night that closes with a report.
pub fn on_close(
    store: &Store,
    config: &Config,
    closing: &ClosingNight<'_>,
    at: Epoch,
) -> Result<MailAtClose, MailError> {
    let Some(envelope) = envelope(&config.mail, at) else {
        return Ok(MailAtClose::Nothing);
    };
    let ClosingNight { night, report, pictures } = *closing;
    let history = store.read().mail_history(night)?;
    if history.last_fingerprint == Some(fingerprint(report)?) {
        return Ok(MailAtClose::Nothing);
    }
    match config.mail.when {
        MailTime::At { .. } => Ok(MailAtClose::DueLater),
        MailTime::AtClose => {
            let house = house_lines(store, config, Some(night), at)?;
            let enclosures = Enclosures::of(config, report);
            let enclosed = enclosures.enclosed(pictures, &house);
            let message = night_message((report, &history), &enclosed, &envelope)?;
            Ok(MailAtClose::Queue(Box::new(message)))
        }
    }
}

/// What a look at the reports that are due did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// It is not yet time.
    NotYet,
    /// It was time and there was nothing new to tell.
    NothingDue,
    /// A mail about so many nights was queued.
    Queued(usize),
}

/// Queues one mail about all nights whose reports are due, when it is time for it.
///
/// A machine that was off at that time does it once when it is back; one whose clock was in the
/// future goes by the present one again.
pub fn digest(store: &Store, config: &Config, clock: &dyn Clock) -> Result<Digest, MailError> {
    let now = clock.now();
    let Some(envelope) = envelope(&config.mail, now) else {
        return Ok(Digest::NothingDue);
    };
    let last = store.read().last_digest()?.filter(|last| *last <= now);
    match (config.mail.when, last) {
        // Reports that were due when the configuration still named a time go out now.
        (MailTime::AtClose, _) => {}
        (MailTime::At { .. }, Some(last)) => {
            if next_digest(config, last).is_none_or(|next| next > now) {
                return Ok(Digest::NotYet);
            }
        }
        (MailTime::At { .. }, None) => {
            store.settle_due(None, Vec::new(), now)?;
            return Ok(Digest::NotYet);
        }
    }
    let due = store.read().reports_due()?;
    if due.is_empty() && config.mail.when == MailTime::AtClose {
        return Ok(Digest::NothingDue);
    }
    let nights = new_reports(store, config, &due)?;
    let house = house_lines(store, config, None, now)?;
    let message = message_of(&nights, &house, &envelope)?;
    let n_nights = nights.len();
    store.settle_due(message, due, now)?;
    if n_nights == 0 {
        return Ok(Digest::NothingDue);
    }
    tracing::info!(nights = n_nights, "Mail queued.");
    Ok(Digest::Queued(n_nights))
}

/// A night with its report and what was told of it before.
struct Told {
    due: DueNight,
    report: NightReport,
    history: MailHistory,
    pictures: Vec<CandidatePictures>,
    enclosures: Enclosures,
}

/// The reports that say something new; one that cannot be read is told in the log and left out.
fn new_reports(store: &Store, config: &Config, due: &[DueNight]) -> Result<Vec<Told>, MailError> {
    let mut nights = Vec::new();
    for due in due {
        let report = match store.read().report(&due.night) {
            Ok(Some(report)) => report,
            Ok(None) => continue,
            Err(error @ StoreError::Payload { .. }) => {
                tracing::error!(night = %due.night, "Night not mailed: {error}");
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let history = store.read().mail_history(&due.night)?;
        if history.last_fingerprint != Some(fingerprint(&report)?) {
            let enclosures = Enclosures::of(&of_telescope(config, &due.telescope), &report);
            let pictures = Vec::new();
            nights.push(Told { due: due.clone(), report, history, pictures, enclosures });
        }
    }
    // The newest nights first: of a backlog only so many pictures are looked up.
    let mut n_left = PICTURES_MAX;
    for told in nights.iter_mut().rev() {
        let place = (store.products(), &told.due.night);
        told.pictures = kept_pictures(place, &told.report, config.report.blink_ms, n_left);
        n_left -= told.pictures.len().min(n_left);
    }
    Ok(nights)
}

/// The configuration as the telescope of a night sees it.
fn of_telescope(config: &Config, name: &str) -> Config {
    let telescopes = config.telescopes();
    let its = telescopes.iter().find(|telescope| telescope.name == name);
    its.map_or_else(|| config.clone(), |telescope| config.for_telescope(telescope))
}

/// The mail about some nights: that of a single one looks as if it were mailed at its closing.
fn message_of(
    nights: &[Told],
    house: &[String],
    envelope: &Envelope<'_>,
) -> Result<Option<OutboxMessage>, MailError> {
    let many = match nights {
        [] => return Ok(None),
        [one] => {
            let enclosed = one.enclosures.enclosed(&one.pictures, house);
            return night_message((&one.report, &one.history), &enclosed, envelope).map(Some);
        }
        many => many,
    };
    let views: Vec<DigestNight<'_>> = many
        .iter()
        .map(|told| DigestNight {
            report: &told.report,
            telescope: &told.due.telescope,
            is_update: told.history.n_tried > 0,
            enclosed: told.enclosures.enclosed(&told.pictures, &[]),
        })
        .collect();
    let names = many.iter().map(|told| told.due.night.to_string()).collect();
    Ok(Some(message(digest_mail(&views, house, envelope)?, KIND_DIGEST, names)))
}

fn night_message(
    (report, history): (&NightReport, &MailHistory),
    enclosed: &Enclosed<'_>,
    envelope: &Envelope<'_>,
) -> Result<OutboxMessage, MailError> {
    let first_message_id = history.first_message_id.as_deref().filter(|id| !id.is_empty());
    let former = Former { n_mails: history.n_tried, first_message_id };
    let mail = updated_mail(report, enclosed, &former, envelope)?;
    Ok(message(mail, KIND_MAIL, vec![report.night.clone()]))
}

/// A composed mail as the outbox takes it.
pub(super) fn message(mail: ComposedMail, kind: &str, nights: Vec<String>) -> OutboxMessage {
    OutboxMessage {
        key: mail.key,
        kind: kind.to_owned(),
        nights,
        message_id: mail.message_id,
        subject: mail.subject,
        body: mail.bytes,
    }
}

/// From whom to whom; `None` when nobody is to get mail.
pub(super) fn envelope(mail: &Mail, at: Epoch) -> Option<Envelope<'_>> {
    let from = mail.from.as_deref()?;
    (!mail.to.is_empty()).then_some(Envelope { from, to: &mail.to, at })
}

#[cfg(test)]
mod tests;
