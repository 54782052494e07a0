//! The section `[mail]`: the morning mail, checked and typed.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::check::Checker;
use super::error::ConfigError;
use super::raw::RawMail;

/// When a report is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTime {
    /// When its night is closed.
    AtClose,
    /// At a local clock time, for all nights closed since the last one.
    At {
        /// Hour, 0 to 23.
        hour: u8,
        /// Minute, 0 to 59.
        minute: u8,
    },
}

/// How the connection to the mail server is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS, which must work.
    StartTls,
    /// None: for a server on the same machine.
    None,
}

/// The morning mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// Sender.
    pub from: Option<String>,
    /// Receivers; none = no mail.
    pub to: Vec<String>,
    /// When a report is due.
    pub when: MailTime,
    /// IANA time zone of that time; the system's when none.
    pub time_zone: Option<String>,
    /// Mail server; none = mails stay in the outbox (or go to the spool).
    pub smtp_host: Option<String>,
    /// Its port; by the encryption (465, 587, 25) when none.
    pub smtp_port: Option<u16>,
    /// How the connection is kept secret.
    pub encryption: Encryption,
    /// Name to log in with; none = no login.
    pub user: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Name of the systemd credential with the password.
    pub password_credential: Option<String>,
    /// Certificates (PEM) of the server's authority, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Folder that gets the mails as files instead of a server.
    pub spool: Option<PathBuf>,
    /// Time after which a mail that cannot be sent is given up [d].
    pub give_up_days: f64,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            from: None,
            to: Vec::new(),
            when: MailTime::AtClose,
            time_zone: None,
            smtp_host: None,
            smtp_port: None,
            encryption: Encryption::StartTls,
            user: None,
            password_file: None,
            password_credential: None,
            ca_file: None,
            spool: None,
            give_up_days: 5.0,
        }
    }
}

/// Checks `[mail]`.
pub(super) fn mail(raw: RawMail, checker: &Checker<'_>) -> Result<Mail, ConfigError> {
    let default = Mail::default();
    let form = "a mail address, as observer@example.org";
    let from = checker.optional_text("mail.from", raw.from, is_address, form)?;
    let to = checker.texts("mail.to", raw.to, is_address, form)?;
    let needs = |key, missing| ConfigError::Incomplete { place: checker.place(key), key, missing };
    if from.is_none() && !to.is_empty() {
        return Err(needs("mail.to", "mail.from"));
    }
    if raw.user.is_some() && raw.password_file.is_none() && raw.password_credential.is_none() {
        return Err(needs("mail.user", "mail.password_file` or `mail.password_credential"));
    }
    let host_form = "a host's name or address, as mail.example.org";
    let credential_form = "the name of a credential, without /";
    let zone_form = "a time zone that this machine knows (package tzdata), as Europe/Madrid";
    let port = checker.whole("mail.smtp_port", raw.smtp_port, 0_u16, 1..=65_535)?;
    Ok(Mail {
        from,
        to,
        when: when(raw.when, checker)?.unwrap_or(default.when),
        time_zone: checker.optional_text("mail.time_zone", raw.time_zone, is_zone, zone_form)?,
        smtp_host: checker.optional_text("mail.smtp_host", raw.smtp_host, is_host, host_form)?,
        smtp_port: (port > 0).then_some(port),
        encryption: checker.word(
            "mail.encryption",
            raw.encryption,
            default.encryption,
            &[
                ("tls", Encryption::Tls),
                ("starttls", Encryption::StartTls),
                ("none", Encryption::None),
            ],
        )?,
        user: raw.user,
        password_file: checker.optional_path("mail.password_file", raw.password_file),
        password_credential: checker.optional_text(
            "mail.password_credential",
            raw.password_credential,
            |text| !text.is_empty() && !text.starts_with('.') && !text.contains('/'),
            credential_form,
        )?,
        ca_file: checker.optional_path("mail.ca_file", raw.ca_file),
        spool: checker.optional_path("mail.spool", raw.spool),
        give_up_days: checker.number(
            "mail.give_up_days",
            raw.give_up_days,
            default.give_up_days,
            0.01..=365.0,
        )?,
    })
}

fn is_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('@').collect();
    let is_whole = parts.len() == 2 && parts.iter().all(|part| !part.is_empty());
    is_whole && text.bytes().all(|c| (b'!'..=b'~').contains(&c))
}

fn is_host(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    !text.is_empty() && text.chars().all(is_allowed)
}

fn is_zone(text: &str) -> bool {
    TimeZone::get(text).is_ok()
}

fn when(value: Option<String>, checker: &Checker<'_>) -> Result<Option<MailTime>, ConfigError> {
    let form = "close, or a clock time from 00:00 to 23:59";
    let text = checker.optional_text("mail.when", value, |text| mail_time(text).is_some(), form)?;
    Ok(text.as_deref().and_then(mail_time))
}

/// The meaning of `close` or `HH:MM`.
fn mail_time(text: &str) -> Option<MailTime> {
    if text == "close" {
        return Some(MailTime::AtClose);
    }
    let (hour, minute) = text.split_once(':')?;
    let is_pair = |part: &str| part.len() == 2 && part.bytes().all(|c| c.is_ascii_digit());
    if !is_pair(hour) || !is_pair(minute) {
        return None;
    }
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(MailTime::At { hour, minute })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_times_have_four_digits() {
        assert_eq!(mail_time("close"), Some(MailTime::AtClose));
        assert_eq!(mail_time("07:30"), Some(MailTime::At { hour: 7, minute: 30 }));
        assert_eq!(mail_time("23:59"), Some(MailTime::At { hour: 23, minute: 59 }));
        for wrong in ["24:00", "12:60", "7:30", "0730", "07:30:00", "+7:30", "", "closing"] {
            assert_eq!(mail_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn zones_are_those_of_the_iana() {
        assert!(is_zone("Europe/Madrid") && is_zone("UTC"));
        assert!(!is_zone("Europe/Springfield") && !is_zone("") && !is_zone("/etc/passwd"));
    }
}
