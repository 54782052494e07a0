//! Everything about mail: composed when a night closes, queued, carried, tried, sent again.
//!
//! `compose` decides which mail a closed night gets and `schedule` when the mail of several is due;
//! `enclosures` and `house` are what goes with a report; `alerts` are mails about trouble;
//! `courier` carries the outbox through a `transport`.

pub mod alerts;
pub mod compose;
pub mod courier;
mod enclosures;
mod house;
pub mod schedule;
pub mod transport;

use crate::config::{Config, Mail};
use crate::ops::clock::Clock;
use crate::remote::smtp::Patience;
use crate::report::ReportError;
use crate::report::alert::{Alert, alert_mail};
use crate::science::time::Epoch;
use crate::store::StoreError;
use crate::store::outbox::KIND_ALERT;

pub use compose::{ClosingNight, Digest, MailAtClose, digest, on_close};
pub use courier::{CourierReport, deliver_due};
pub use schedule::next_digest;
pub use transport::{Delivered, SendError, Transport, transport};

/// A mail that could not be made, found or sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// The configuration names nobody to write to.
    #[error("nobody is to get mail: set mail.from and mail.to in the configuration")]
    NoReceiver,
    /// The configuration names no way out.
    #[error("there is no way out for mail: set mail.smtp_host or mail.spool in the configuration")]
    NoTransport,
    /// The time zone is not in the system's database.
    #[error(
        "`mail.time_zone` is {name:?}, which is no known time zone: write it like \
         \"Europe/Madrid\", and is tzdata installed?"
    )]
    TimeZone {
        /// As written.
        name: String,
        /// What the library said.
        source: jiff::Error,
    },
    /// The mail could not be put together.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The outbox could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mail did not go out.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Checks what only a first mail would show: addresses and time zone.
pub fn check(mail: &Mail) -> Result<(), MailError> {
    schedule::time_zone(mail)?;
    test_message(mail, Epoch::from_mjd_utc(0.0)).map(drop).or_else(|error| match error {
        MailError::NoReceiver => Ok(()),
        error => Err(error),
    })
}

/// Sends a test mail past the outbox, at once; tells what the other side said.
pub fn send_test(config: &Config, clock: &dyn Clock) -> Result<Delivered, MailError> {
    let message = test_message(&config.mail, clock.now())?;
    let transport = transport(&config.mail).ok_or(MailError::NoTransport)?;
    Ok(transport.send(&message, Patience::SendToOthers)?)
}

fn test_message(mail: &Mail, at: Epoch) -> Result<crate::store::outbox::OutboxMessage, MailError> {
    let envelope = compose::envelope(mail, at).ok_or(MailError::NoReceiver)?;
    let key = format!("test/{}", at.to_iso());
    let composed = alert_mail(&Alert::Test, &key, &envelope)?;
    Ok(compose::message(composed, KIND_ALERT, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::clock::SystemClock;

    #[test]
    fn what_only_a_first_mail_would_show_is_checked_before() {
        let mut config = Config::default();
        check(&config.mail).expect("no mail is fine");
        assert!(matches!(send_test(&config, &SystemClock), Err(MailError::NoReceiver)));
        config.mail.from = Some("dome@example.org".to_owned());
        config.mail.to = vec!["a@example.org".to_owned()];
        check(&config.mail).expect("a good address");
        assert!(matches!(send_test(&config, &SystemClock), Err(MailError::NoTransport)));
        // The configuration's own check lets this pass.
        config.mail.to = vec!["a@b..c".to_owned()];
        let wrong = check(&config.mail).expect_err("no address").to_string();
        assert!(wrong.contains("a@b..c"), "{wrong}");
        config.mail.time_zone = Some("Europe/Atlantis".to_owned());
        assert!(matches!(check(&config.mail), Err(MailError::TimeZone { .. })));
    }
}
