//! Mails about trouble: which, when, and each only once.
//!
//! An alert has a key of what happened; the outbox takes a key once, for ever. A mail that does
//! not get out cannot be told by mail: [`undelivered`] is for the status and the health.

use std::path::Path;

use crate::config::{Config, Mail};
use crate::ops::clock::Clock;
use crate::report::alert::{Alert, alert_mail};
use crate::report::mail::hash_of;
use crate::science::time::Epoch;
use crate::store::outbox::KIND_ALERT;
use crate::store::{Reader, Store, StoreError};

use super::MailError;
use super::compose::{envelope, message};

/// Degrees per turn of the Earth.
const DEGREES_PER_DAY: f64 = 360.0;

/// An alert and what it is about: the same key is mailed once.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyedAlert {
    /// What it is about.
    pub key: String,
    /// What it says.
    pub alert: Alert,
}

/// The alert about nights without a frame, at N, 2 N, 4 N ... of them; none before.
///
/// * `telescope`: its name, empty for the only one, and its longitude, east positive [deg].
/// * `since`: when its last frame arrived, or when the service first ran if none ever did.
/// * `n_max`: N, `daemon.silent_nights_max`; 0 = never.
///
/// A night lasts from one mean noon at the site to the next; the present one does not count.
pub fn silence(
    (telescope, longitude_deg): (&str, f64),
    since: Arrival,
    now: Epoch,
    n_max: u32,
) -> Option<KeyedAlert> {
    let last_arrival = match since {
        Arrival::Frame(at) => Some(at),
        Arrival::NoneSince(_) => None,
    };
    let (Arrival::Frame(start) | Arrival::NoneSince(start)) = since;
    let night_of =
        |at: Epoch| (at.mjd_utc() + longitude_deg / DEGREES_PER_DAY - 0.5).floor() as i64;
    let first = night_of(start);
    let n_silent = u32::try_from(night_of(now) - first - 1).ok()?;
    if n_max == 0 || n_silent < n_max {
        return None;
    }
    let mut n_nights = n_max;
    while n_nights <= n_silent / 2 {
        n_nights *= 2;
    }
    Some(KeyedAlert {
        key: format!("alert/silence/{telescope}/{first}/{n_nights}"),
        alert: Alert::Silence { telescope: telescope.to_owned(), n_nights, last_arrival },
    })
}

/// Since when there was no frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrival {
    /// The last frame arrived then.
    Frame(Epoch),
    /// None ever arrived; the service first ran then.
    NoneSince(Epoch),
}

/// The alert about a report that could not be made, once per night and reason.
pub fn report_failed(night: &str, why: &str) -> KeyedAlert {
    // Sizes and times change from try to try; the words tell one reason from another.
    let reason: String = why.chars().filter(|c| !c.is_ascii_digit()).collect();
    KeyedAlert {
        key: format!("alert/report/{night}/{}", hash_of(&[&reason])),
        alert: Alert::ReportFailed { night: night.to_owned(), why: why.to_owned() },
    }
}

/// The alert about work that pauses because the disk is nearly full, at most once a day.
pub fn disk_full(folder: &Path, free_mib: u64, needed_mib: u64, at: Epoch) -> KeyedAlert {
    KeyedAlert {
        key: format!("alert/disk/{}", at.mjd_utc().floor()),
        alert: Alert::DiskFull { folder: folder.display().to_string(), free_mib, needed_mib },
    }
}

/// Queues an alert; `false` when it was queued before or nobody is to get mail.
pub fn raise(
    store: &Store,
    config: &Config,
    alert: &KeyedAlert,
    clock: &dyn Clock,
) -> Result<bool, MailError> {
    let now = clock.now();
    let Some(envelope) = envelope(&config.mail, now) else {
        return Ok(false);
    };
    let mail = alert_mail(&alert.alert, &alert.key, &envelope)?;
    let message = message(mail, KIND_ALERT, Vec::new());
    let subject = message.subject.clone();
    let is_new = store.enqueue(message, now)?;
    if is_new {
        tracing::warn!(subject, "Alert queued.");
    }
    Ok(is_new)
}

/// Mails that do not get out, in a sentence; `None` when all is well.
///
/// A mail counts as late after a first day of tries.
pub fn undelivered(reader: &Reader, mail: &Mail, now: Epoch) -> Result<Option<String>, StoreError> {
    const LATE_DAYS: f64 = 1.0;
    let Some(trouble) = reader.outbox_trouble()? else {
        return Ok(None);
    };
    let mut told = Vec::new();
    let age_days = trouble.oldest.map_or(0.0, |oldest| now.mjd_utc() - oldest.mjd_utc());
    if trouble.n_waiting > 0 && age_days >= LATE_DAYS.min(mail.give_up_days) {
        let said = trouble.last_error.unwrap_or_default();
        told.push(format!(
            "{} not delivered, the oldest for {age_days:.1} days: {said}",
            mails(trouble.n_waiting)
        ));
    }
    if trouble.n_given_up > 0 {
        told.push(format!(
            "{} given up: `autossosctl mail list` tells why, `autossosctl mail resend` sends again",
            mails(trouble.n_given_up)
        ));
    }
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

fn mails(n: u64) -> String {
    format!("{n} {}", if n == 1 { "mail" } else { "mails" })
}

#[cfg(test)]
mod tests;
