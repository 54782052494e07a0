//! What the service says of itself: what it does, what it did, what ails it, and so its health.
//!
//! A [`Snapshot`] is taken by the service and read by people (`autossosctl status`), by systemd
//! (one line) and by a monitor (`/healthz`, `/metrics`): all say the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::science::time::SECONDS_PER_DAY;

/// Looks at the folders that may fall out before the service counts as stuck.
const RESCANS_MISSED_MAX: f64 = 3.0;

/// What the service is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum Phase {
    /// Opens what it needs.
    #[default]
    Starting,
    /// Waits for frames.
    Idle,
    /// Works on a night.
    Working {
        /// Name of the telescope; empty for the only one.
        telescope: String,
        /// Name of the night.
        night: String,
        /// A frame or a stage, in words.
        what: String,
    },
    /// Does not begin new work.
    Paused {
        /// Why.
        why: String,
    },
    /// Ends.
    Stopping,
}

/// Something wrong that stays so until somebody or something mends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Whether work is at stake; otherwise it is a warning.
    pub is_bad: bool,
    /// What it is, what it means, what to do.
    pub text: String,
}

impl Problem {
    /// One that a person must mend, or work is lost or stands still.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { is_bad: true, text: text.into() }
    }

    /// One that the service lives with.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { is_bad: false, text: text.into() }
    }
}

/// An error, and when it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastError {
    /// What it said.
    pub text: String,
    /// When [d, MJD UTC].
    pub at_mjd_utc: f64,
}

/// How the last night that came to an end did so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastNight {
    /// Its name.
    pub night: String,
    /// When [d, MJD UTC].
    pub at_mjd_utc: f64,
    /// Why it could not be closed; `None` when it was.
    pub failure: Option<String>,
}

/// Frames since the start, by how far they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameCounts {
    /// Solved and used.
    pub ok: u64,
    /// Readable, but not used.
    pub rejected: u64,
    /// Could not be processed.
    pub failed: u64,
}

/// The service at one instant; counts begin with its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Version of the program.
    pub version: String,
    /// Number of its process.
    pub pid: u32,
    /// When this was taken [d, MJD UTC].
    pub at_mjd_utc: f64,
    /// When it started [d, MJD UTC].
    pub started_mjd_utc: f64,
    /// What it is doing.
    #[serde(flatten)]
    pub phase: Phase,
    /// Files that wait to be taken or worked on.
    pub n_files_waiting: u64,
    /// Nights that are open.
    pub n_nights_open: u64,
    /// Messages that wait to be sent.
    pub n_outbox_pending: u64,
    /// Frames done.
    pub frames: FrameCounts,
    /// Time that those frames took together [s].
    pub frames_s: f64,
    /// Nights closed.
    pub n_nights_closed: u64,
    /// When the last frame arrived [d, MJD UTC].
    pub last_frame_mjd_utc: Option<f64>,
    /// When the last look at the folders was finished [d, MJD UTC].
    pub last_pass_mjd_utc: Option<f64>,
    /// Time between two looks [s].
    pub rescan_s: f64,
    /// Free space on the data folder's disk [bytes].
    pub disk_free_bytes: Option<u64>,
    /// How the last night ended.
    pub last_night: Option<LastNight>,
    /// The last error.
    pub last_error: Option<PastError>,
    /// Standing problems by what they concern.
    pub problems: BTreeMap<String, Problem>,
    /// Where people open the web page; none while it is closed.
    #[serde(default)]
    pub web_address: Option<String>,
}

/// How the service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", content = "reasons", rename_all = "kebab-case")]
pub enum Health {
    /// Nothing is wrong.
    Ok,
    /// It works, but somebody should look at this.
    Warning(Vec<String>),
    /// It does not do its work.
    Bad(Vec<String>),
}

impl Health {
    /// The word for tables.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning(_) => "warning",
            Self::Bad(_) => "bad",
        }
    }

    /// What is wrong, the worst first.
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Ok => &[],
            Self::Warning(reasons) | Self::Bad(reasons) => reasons,
        }
    }
}

impl Snapshot {
    /// Judges the service by what it says of itself.
    pub fn health(&self) -> Health {
        let mut bad: Vec<String> = Vec::new();
        if let Some(silent_s) = self.stuck_s() {
            bad.push(format!(
                "no look at the incoming folder was finished for {}, one is due every {}",
                duration(silent_s),
                duration(self.rescan_s)
            ));
        }
        if let Some(LastNight { night, failure: Some(failure), .. }) = &self.last_night {
            bad.push(format!("night {night} could not be closed: {failure}"));
        }
        let told = |is_bad: bool| {
            let these = self.problems.iter().filter(move |(_, p)| p.is_bad == is_bad);
            these.map(|(key, problem)| format!("{key}: {}", problem.text))
        };
        bad.extend(told(true));
        if !bad.is_empty() {
            bad.extend(told(false));
            return Health::Bad(bad);
        }
        let mut warnings: Vec<String> = told(false).collect();
        if let Phase::Paused { why } = &self.phase {
            warnings.push(format!("paused: {why}"));
        }
        if warnings.is_empty() { Health::Ok } else { Health::Warning(warnings) }
    }

    /// How long no look was finished [s], when that is too long.
    ///
    /// A night in work may take hours; the watchdog looks after that.
    fn stuck_s(&self) -> Option<f64> {
        if matches!(self.phase, Phase::Working { .. } | Phase::Stopping) {
            return None;
        }
        let last = self.last_pass_mjd_utc.unwrap_or(self.started_mjd_utc);
        let silent_s = (self.at_mjd_utc - last) * SECONDS_PER_DAY;
        (silent_s > RESCANS_MISSED_MAX * self.rescan_s).then_some(silent_s)
    }

    /// What it is doing, in one line.
    pub fn headline(&self) -> String {
        match &self.phase {
            Phase::Starting => "starting".to_owned(),
            Phase::Idle => match self.n_files_waiting {
                0 => "idle".to_owned(),
                n => format!("idle; {n} files wait to be complete"),
            },
            Phase::Working { telescope, night, what } => {
                // The night's name holds the telescope's already where there are several.
                let of = if telescope.is_empty() || night.starts_with(telescope.as_str()) {
                    String::new()
                } else {
                    format!(" of {telescope}")
                };
                format!("working on night {night}{of}: {what}; {} waiting", self.n_files_waiting)
            }
            Phase::Paused { why } => format!("paused: {why}"),
            Phase::Stopping => "stopping".to_owned(),
        }
    }
}

/// A duration as people say it, e.g. `3 min`, `2.5 h`.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 2.0 * SECONDS_PER_DAY => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} d", s / SECONDS_PER_DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An idle service, started 2 h ago, that looked at its folders just now.
    fn idle() -> Snapshot {
        Snapshot {
            version: "0.1.0".to_owned(),
            pid: 1,
            at_mjd_utc: 61_100.0,
            started_mjd_utc: 61_100.0 - 2.0 / 24.0,
            phase: Phase::Idle,
            n_files_waiting: 0,
            n_nights_open: 0,
            n_outbox_pending: 0,
            frames: FrameCounts::default(),
            frames_s: 0.0,
            n_nights_closed: 0,
            last_frame_mjd_utc: None,
            last_pass_mjd_utc: Some(61_100.0),
            rescan_s: 300.0,
            disk_free_bytes: None,
            last_night: None,
            last_error: None,
            problems: BTreeMap::new(),
            web_address: None,
        }
    }

    #[test]
    fn a_service_that_stopped_looking_is_bad() {
        let mut service = idle();
        assert_eq!(service.health(), Health::Ok);
        // Looks are due every 300 s, so 900 s may pass; 14 min do not do, 16 min do.
        service.last_pass_mjd_utc = Some(service.at_mjd_utc - 14.0 / 1440.0);
        assert_eq!(service.health(), Health::Ok);
        service.last_pass_mjd_utc = Some(service.at_mjd_utc - 16.0 / 1440.0);
        let Health::Bad(reasons) = service.health() else { panic!("{:?}", service.health()) };
        assert!(reasons[0].contains("16 min") && reasons[0].contains("5 min"), "{reasons:?}");
        // Hours on a night are no silence, and a service that never looked counts from its start.
        let what = "f1.fits".to_owned();
        let (telescope, night) = (String::new(), "2026-03-01".to_owned());
        service.phase = Phase::Working { telescope, night, what };
        assert_eq!(service.health(), Health::Ok);
        service.phase = Phase::Starting;
        service.last_pass_mjd_utc = None;
        assert_eq!(service.health().word(), "bad");
        // A clock that was set back makes no alarm.
        service.at_mjd_utc -= 1.0;
        assert_eq!(service.health(), Health::Ok);
    }

    #[test]
    fn problems_count_by_weight() {
        let mut service = idle();
        service.problems.insert("mail".to_owned(), Problem::warning("the server refuses"));
        let warning = Health::Warning(vec!["mail: the server refuses".to_owned()]);
        assert_eq!(service.health(), warning);
        service.problems.insert("disk".to_owned(), Problem::bad("full"));
        let both = ["disk: full".to_owned(), "mail: the server refuses".to_owned()];
        assert_eq!(service.health(), Health::Bad(both.to_vec()));
        service.problems.clear();
        let night = "2026-03-01".to_owned();
        let failure = Some("no space".to_owned());
        service.last_night = Some(LastNight { night, at_mjd_utc: 61_100.0, failure });
        assert_eq!(service.health().word(), "bad");
        service.last_night = None;
        service.phase = Phase::Paused { why: "new camera".to_owned() };
        assert_eq!(service.health().reasons(), ["paused: new camera"]);
    }

    #[test]
    fn a_snapshot_reads_back() {
        let mut service = idle();
        service.phase = Phase::Paused { why: "rain".to_owned() };
        let text = serde_json::to_string(&service).expect("JSON");
        assert!(text.contains(r#""phase":"paused","why":"rain""#), "{text}");
        assert_eq!(serde_json::from_str::<Snapshot>(&text).expect("reads back"), service);
    }

    #[test]
    fn durations_are_told_in_fitting_units() {
        for (seconds, text) in [
            (-5.0, "0 s"),
            (119.0, "119 s"),
            (300.0, "5 min"),
            (9000.0, "2.5 h"),
            (777_600.0, "9.0 d"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
