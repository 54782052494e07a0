//! The section `[daemon]`: the service, checked and typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::check::Checker;
use super::error::ConfigError;
use super::night_pattern::{NightPattern, night_pattern};
use super::raw::RawDaemon;

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

/// Checks `[daemon]`.
pub(super) fn daemon(raw: RawDaemon, checker: &Checker<'_>) -> Result<Daemon, ConfigError> {
    let mut daemon = Daemon::default();
    incoming(&raw, &mut daemon, checker)?;
    night_end(&raw, &mut daemon, checker)?;
    daemon.night_pattern = night_pattern("daemon.night_pattern", raw.night_pattern, checker)?
        .unwrap_or(daemon.night_pattern);
    daemon.incoming = checker.optional_path("daemon.incoming", raw.incoming);
    daemon.data = checker.optional_path("daemon.data", raw.data).unwrap_or(daemon.data);
    daemon.socket = checker.optional_path("daemon.socket", raw.socket);
    daemon.metrics_listen = metrics_listen(raw.metrics_listen, checker)?;
    daemon.heartbeat_url = heartbeat_url(raw.heartbeat_url, checker)?;
    daemon.disk_free_min_mib = checker.whole(
        "daemon.disk_free_min_mib",
        raw.disk_free_min_mib,
        daemon.disk_free_min_mib,
        0..=1_073_741_824,
    )?;
    daemon.silent_nights_max = checker.whole(
        "daemon.silent_nights_max",
        raw.silent_nights_max,
        daemon.silent_nights_max,
        0..=366,
    )?;
    Ok(daemon)
}

/// The keys about files that come in.
fn incoming(
    raw: &RawDaemon,
    daemon: &mut Daemon,
    checker: &Checker<'_>,
) -> Result<(), ConfigError> {
    let settle = "daemon.settle_s";
    daemon.settle_s = checker.number(settle, raw.settle_s, daemon.settle_s, 0.1..=3600.0)?;
    let rescan = "daemon.rescan_s";
    daemon.rescan_s = checker.number(rescan, raw.rescan_s, daemon.rescan_s, 1.0..=86_400.0)?;
    daemon.watch = checker.word(
        "daemon.watch",
        raw.watch.clone(),
        daemon.watch,
        &[("auto", WatchMode::Auto), ("events", WatchMode::Events), ("poll", WatchMode::Poll)],
    )?;
    let form = "names of files, with * and ? and without /";
    daemon.ignore = checker.texts("daemon.ignore", raw.ignore.clone(), is_file_name, form)?;
    daemon.partial_wait_min = checker.number(
        "daemon.partial_wait_min",
        raw.partial_wait_min,
        daemon.partial_wait_min,
        0.0..=1440.0,
    )?;
    Ok(())
}

/// The keys about the end of a night and what comes after it.
fn night_end(
    raw: &RawDaemon,
    daemon: &mut Daemon,
    checker: &Checker<'_>,
) -> Result<(), ConfigError> {
    daemon.close_after_min = checker.number(
        "daemon.close_after_min",
        raw.close_after_min,
        daemon.close_after_min,
        0.0..=1440.0,
    )?;
    daemon.sun_altitude_min_deg = checker.number(
        "daemon.sun_altitude_min_deg",
        raw.sun_altitude_min_deg,
        daemon.sun_altitude_min_deg,
        -90.0..=90.0,
    )?;
    let marker = raw.close_marker.clone().unwrap_or_else(|| daemon.close_marker.clone());
    daemon.close_marker =
        checker.text("daemon.close_marker", marker, is_file_name, "a file's name, without /")?;
    daemon.late_calibration = checker.word(
        "daemon.late_calibration",
        raw.late_calibration.clone(),
        daemon.late_calibration,
        &[("at-close", LateCalibration::AtClose), ("at-once", LateCalibration::AtOnce)],
    )?;
    daemon.recalibrations_max = checker.whole(
        "daemon.recalibrations_max",
        raw.recalibrations_max,
        daemon.recalibrations_max,
        0..=1000,
    )?;
    Ok(())
}

fn is_file_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['/', '\0'])
}

/// An address without a user's name or password: those would end in logs.
fn heartbeat_url(
    value: Option<String>,
    checker: &Checker<'_>,
) -> Result<Option<String>, ConfigError> {
    let key = "daemon.heartbeat_url";
    if value.as_deref().is_some_and(|text| host_of(text).is_some_and(|host| host.contains('@'))) {
        return Err(ConfigError::Secret { place: checker.place(key), key });
    }
    let is_url = |text: &str| {
        host_of(text).is_some_and(|host| !host.is_empty()) && !text.contains(char::is_whitespace)
    };
    let form = "an address that starts with https:// or http://";
    checker.optional_text(key, value, is_url, form)
}

/// What stands between `//` and the path of an address.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    rest.split(['/', '?', '#']).next()
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
