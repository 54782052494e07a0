//! The sections of the service: `[daemon]`, `[keep]`, `[log]`, `[mail]`, checked and typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::check::Checker;
use super::error::ConfigError;
use super::raw::{RawDaemon, RawKeep, RawLog, RawMail};

/// How the files of an incoming folder make nights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NightPattern {
    /// Each folder is a night. `{date}` stands for a date (`2026-03-01`, `20260301`), `{name}` for
    /// anything; other folders are told and left alone.
    Folders(String),
    /// Frames lie anywhere; each belongs to the night between two local noons of the site.
    ByTime,
}

/// Whether the events of the incoming folder are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchMode {
    /// Events, but timed looks only on network file systems, which send none.
    Auto,
    /// Events in any case.
    Events,
    /// Timed looks only.
    Poll,
}

/// When frames are reduced again because better masters were made after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateCalibration {
    /// When the night is closed.
    AtClose,
    /// As soon as the new masters are made, and when the night is closed.
    AtOnce,
}

/// The service.
#[derive(Debug, Clone, PartialEq)]
pub struct Daemon {
    /// Folder that receives raw frames.
    pub incoming: Option<PathBuf>,
    /// Folder of database and products.
    pub data: PathBuf,
    /// How files make nights.
    pub night_pattern: NightPattern,
    /// Quiet time before a file counts as complete [s].
    pub settle_s: f64,
    /// Time between full looks at the folder [s].
    pub rescan_s: f64,
    /// Whether the folder's events are believed.
    pub watch: WatchMode,
    /// Names that are never frames, with `*` and `?`.
    pub ignore: Vec<String>,
    /// Time after which a file that is too short is reported [min].
    pub partial_wait_min: f64,
    /// Time without a new frame before a night is closed [min].
    pub close_after_min: f64,
    /// Altitude of the Sun's centre above which a night is over [deg].
    pub sun_altitude_min_deg: f64,
    /// Name of a file that closes its night.
    pub close_marker: String,
    /// When frames are reduced again after better masters.
    pub late_calibration: LateCalibration,
    /// How often late calibration frames make an open night's masters anew.
    pub recalibrations_max: u32,
    /// Socket that `autossosctl` talks to; none = no socket.
    pub socket: Option<PathBuf>,
    /// Loopback address of metrics and health; none = closed.
    pub metrics_listen: Option<SocketAddr>,
    /// Address called after each pass.
    pub heartbeat_url: Option<String>,
    /// Free space on the data folder's disk below which work pauses [MiB].
    pub disk_free_min_mib: u64,
    /// Nights without a frame before a mail says so; 0 = never.
    pub silent_nights_max: u32,
}

impl Default for Daemon {
    fn default() -> Self {
        Self {
            incoming: None,
            data: PathBuf::from("autossos-data"),
            night_pattern: NightPattern::Folders("{name}".to_owned()),
            settle_s: 10.0,
            rescan_s: 300.0,
            watch: WatchMode::Auto,
            ignore: Vec::new(),
            partial_wait_min: 10.0,
            close_after_min: 20.0,
            sun_altitude_min_deg: -6.0,
            close_marker: "night.done".to_owned(),
            late_calibration: LateCalibration::AtClose,
            recalibrations_max: 3,
            socket: None,
            metrics_listen: None,
            heartbeat_url: None,
            disk_free_min_mib: 2048,
            silent_nights_max: 3,
        }
    }
}

/// How long things are kept; raw data are never touched.
#[derive(Debug, Clone, PartialEq)]
pub struct Keep {
    /// Backups of the database; 0 = none are made.
    pub backups: usize,
    /// Folder of the backups; `backups` in the data folder when none.
    pub backup_folder: Option<PathBuf>,
    /// Days that calibrated frames of closed nights are kept; 0 = for ever.
    pub calibrated_days: u32,
    /// Days that catalogues of closed nights are kept; 0 = for ever.
    pub catalogue_days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { backups: 7, backup_folder: None, calibrated_days: 0, catalogue_days: 0 }
    }
}

/// What is told in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// Least important level: error, warn, info, debug or trace.
    pub level: String,
    /// Levels of single modules of the program, as `daemon=debug`.
    pub modules: Vec<String>,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), modules: Vec::new() }
    }
}

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

/// Checks `[daemon]`.
pub(super) fn daemon(raw: RawDaemon, checker: &Checker<'_>) -> Result<Daemon, ConfigError> {
    let default = Daemon::default();
    let number = |key, value, default, range| checker.number(key, value, default, range);
    Ok(Daemon {
        incoming: raw.incoming.map(|text| checker.path("daemon.incoming", &text)),
        data: raw.data.map_or(default.data, |text| checker.path("daemon.data", &text)),
        night_pattern: night_pattern("daemon.night_pattern", raw.night_pattern, checker)?
            .unwrap_or(default.night_pattern),
        settle_s: number("daemon.settle_s", raw.settle_s, default.settle_s, 0.1..=3600.0)?,
        rescan_s: number("daemon.rescan_s", raw.rescan_s, default.rescan_s, 1.0..=86_400.0)?,
        watch: match word("daemon.watch", raw.watch, &["auto", "events", "poll"], checker)? {
            Some("events") => WatchMode::Events,
            Some("poll") => WatchMode::Poll,
            _ => WatchMode::Auto,
        },
        ignore: raw.ignore.unwrap_or_default(),
        partial_wait_min: number(
            "daemon.partial_wait_min",
            raw.partial_wait_min,
            default.partial_wait_min,
            0.0..=1440.0,
        )?,
        close_after_min: number(
            "daemon.close_after_min",
            raw.close_after_min,
            default.close_after_min,
            0.0..=1440.0,
        )?,
        sun_altitude_min_deg: number(
            "daemon.sun_altitude_min_deg",
            raw.sun_altitude_min_deg,
            default.sun_altitude_min_deg,
            -90.0..=90.0,
        )?,
        close_marker: checker
            .optional_text(
                "daemon.close_marker",
                raw.close_marker,
                |text| !text.is_empty() && !text.contains('/'),
                "a file name",
            )?
            .unwrap_or(default.close_marker),
        late_calibration: match word(
            "daemon.late_calibration",
            raw.late_calibration,
            &["at-close", "at-once"],
            checker,
        )? {
            Some("at-once") => LateCalibration::AtOnce,
            _ => LateCalibration::AtClose,
        },
        recalibrations_max: checker.whole(
            "daemon.recalibrations_max",
            raw.recalibrations_max,
            default.recalibrations_max,
            0..=1000,
        )?,
        socket: raw.socket.map(|text| checker.path("daemon.socket", &text)),
        metrics_listen: metrics_listen(raw.metrics_listen, checker)?,
        heartbeat_url: checker.optional_text(
            "daemon.heartbeat_url",
            raw.heartbeat_url,
            is_url,
            "an address that starts with https:// or http://",
        )?,
        disk_free_min_mib: checker.whole(
            "daemon.disk_free_min_mib",
            raw.disk_free_min_mib,
            default.disk_free_min_mib,
            0..=1_073_741_824,
        )?,
        silent_nights_max: checker.whole(
            "daemon.silent_nights_max",
            raw.silent_nights_max,
            default.silent_nights_max,
            0..=366,
        )?,
    })
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// A text that must be one of a few words.
fn word(
    key: &'static str,
    value: Option<String>,
    words: &[&'static str],
    checker: &Checker<'_>,
) -> Result<Option<&'static str>, ConfigError> {
    let expected: &'static str = match words {
        ["auto", "events", "poll"] => "auto, events or poll",
        ["at-close", "at-once"] => "at-close or at-once",
        ["tls", "starttls", "none"] => "tls, starttls or none",
        _ => "error, warn, info, debug or trace",
    };
    let value = checker.optional_text(key, value, |text| words.contains(&text), expected)?;
    Ok(value.and_then(|value| words.iter().find(|word| **word == value).copied()))
}

/// How files make nights.
pub(super) fn night_pattern(
    key: &'static str,
    value: Option<String>,
    checker: &Checker<'_>,
) -> Result<Option<NightPattern>, ConfigError> {
    let is_pattern = |text: &str| {
        let n_marks = text.matches("{date}").count() + text.matches("{name}").count();
        let rest = text.replace("{date}", "").replace("{name}", "");
        text == "by-time" || (n_marks == 1 && !rest.contains(['{', '}', '/']))
    };
    let form = "by-time, or a folder's name with {date} or {name} once in it";
    Ok(checker.optional_text(key, value, is_pattern, form)?.map(|text| match text.as_str() {
        "by-time" => NightPattern::ByTime,
        _ => NightPattern::Folders(text),
    }))
}

fn metrics_listen(
    value: Option<String>,
    checker: &Checker<'_>,
) -> Result<Option<SocketAddr>, ConfigError> {
    let is_loopback =
        |text: &str| text.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback());
    let form = "a loopback address with its port, as 127.0.0.1:9179";
    let text = checker.optional_text("daemon.metrics_listen", value, is_loopback, form)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Checks `[keep]`.
pub(super) fn keep(raw: RawKeep, checker: &Checker<'_>) -> Result<Keep, ConfigError> {
    let default = Keep::default();
    let days = |key, value, default| checker.whole(key, value, default, 0..=36_525);
    Ok(Keep {
        backups: checker.whole("keep.backups", raw.backups, default.backups, 0..=1000)?,
        backup_folder: raw.backup_folder.map(|text| checker.path("keep.backup_folder", &text)),
        calibrated_days: days(
            "keep.calibrated_days",
            raw.calibrated_days,
            default.calibrated_days,
        )?,
        catalogue_days: days("keep.catalogue_days", raw.catalogue_days, default.catalogue_days)?,
    })
}

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Checks `[log]`.
pub(super) fn log(raw: RawLog, checker: &Checker<'_>) -> Result<Log, ConfigError> {
    let is_module = |text: &str| {
        text.split_once('=').is_some_and(|(module, level)| {
            let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
            !module.is_empty() && module.chars().all(is_path) && LEVELS.contains(&level)
        })
    };
    let modules = raw.modules.unwrap_or_default().into_iter();
    let form = "module=level, as daemon=debug";
    Ok(Log {
        level: word("log.level", raw.level, &LEVELS, checker)?.unwrap_or("info").to_owned(),
        modules: modules
            .map(|text| checker.text("log.modules", text, is_module, form))
            .collect::<Result<Vec<String>, ConfigError>>()?,
    })
}

/// Checks `[mail]`.
pub(super) fn mail(raw: RawMail, checker: &Checker<'_>) -> Result<Mail, ConfigError> {
    let default = Mail::default();
    let is_address = |text: &str| {
        let parts: Vec<&str> = text.split('@').collect();
        let is_whole = parts.len() == 2 && parts.iter().all(|part| !part.is_empty());
        is_whole && text.bytes().all(|c| (b'!'..=b'~').contains(&c))
    };
    let form = "a mail address, as observer@example.org";
    let from = checker.optional_text("mail.from", raw.from, is_address, form)?;
    let receivers = raw.to.unwrap_or_default().into_iter();
    let to = receivers
        .map(|text| checker.text("mail.to", text, is_address, form))
        .collect::<Result<Vec<String>, ConfigError>>()?;
    let needs = |key, missing| ConfigError::Incomplete { place: checker.place(key), key, missing };
    if from.is_none() && !to.is_empty() {
        return Err(needs("mail.to", "mail.from"));
    }
    if raw.user.is_some() && raw.password_file.is_none() && raw.password_credential.is_none() {
        return Err(needs("mail.user", "mail.password_file"));
    }
    let is_time = |text: &str| text == "close" || clock_time(text).is_some();
    let when = checker.optional_text("mail.when", raw.when, is_time, "close, or HH:MM")?;
    let path = |key: &str, value: Option<String>| value.map(|text| checker.path(key, &text));
    let encryption =
        word("mail.encryption", raw.encryption, &["tls", "starttls", "none"], checker)?;
    let port = checker.whole("mail.smtp_port", raw.smtp_port, 0_u16, 1..=65_535)?;
    Ok(Mail {
        from,
        to,
        when: when
            .and_then(|text| clock_time(&text))
            .map_or(default.when, |(hour, minute)| MailTime::At { hour, minute }),
        time_zone: raw.time_zone,
        smtp_host: raw.smtp_host,
        smtp_port: (port > 0).then_some(port),
        encryption: match encryption {
            Some("tls") => Encryption::Tls,
            Some("none") => Encryption::None,
            _ => default.encryption,
        },
        user: raw.user,
        password_file: path("mail.password_file", raw.password_file),
        password_credential: raw.password_credential,
        ca_file: path("mail.ca_file", raw.ca_file),
        spool: path("mail.spool", raw.spool),
        give_up_days: checker.number(
            "mail.give_up_days",
            raw.give_up_days,
            default.give_up_days,
            0.01..=365.0,
        )?,
    })
}

/// Hour and minute of `HH:MM`.
fn clock_time(text: &str) -> Option<(u8, u8)> {
    let (hour, minute) = text.split_once(':')?;
    let is_pair = |part: &str| part.len() == 2 && part.bytes().all(|c| c.is_ascii_digit());
    if !is_pair(hour) || !is_pair(minute) {
        return None;
    }
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some((hour, minute))
}
