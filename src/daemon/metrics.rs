//! The service's numbers in the text form of Prometheus (version 0.0.4).
//!
//! Counters begin with the service's start, as Prometheus expects. A number that is not known is
//! left out rather than told as zero.

use std::fmt::Write as _;

use crate::ops::status::{Health, Phase, Snapshot};
use crate::science::time::SECONDS_PER_DAY;

/// MJD of the Unix epoch [d].
const MJD_UNIX: f64 = 40_587.0;
/// Bytes of a KiB, the unit of `/proc/self/status`.
const KIB_BYTES: u64 = 1024;

/// The text of a page of numbers.
///
/// * `resident_bytes`: memory of the process, from [`resident_bytes`].
pub(super) fn text(service: &Snapshot, resident_bytes: Option<u64>) -> String {
    let mut page = Page(String::new());
    page.head("autossos_build_info", "gauge", "Version of the program; always 1.");
    page.labelled("autossos_build_info", ("version", &service.version), 1.0);
    add_frames(&mut page, service);
    let (name, help) = ("autossos_nights_closed_total", "Nights closed.");
    page.head(name, "counter", help);
    page.line(name, service.n_nights_closed as f64);
    add_times(&mut page, service);
    page.gauge("autossos_queue_files", "Files that wait.", Some(service.n_files_waiting as f64));
    let (name, help) = ("autossos_open_nights", "Nights that are open.");
    page.gauge(name, help, Some(service.n_nights_open as f64));
    let (name, help) = ("autossos_outbox_pending", "Messages that wait to be sent.");
    page.gauge(name, help, Some(service.n_outbox_pending as f64));
    let (name, help) = ("autossos_disk_free_bytes", "Free space on the data folder's disk.");
    page.gauge(name, help, service.disk_free_bytes.map(|bytes| bytes as f64));
    let is_paused = matches!(service.phase, Phase::Paused { .. });
    let (name, help) = ("autossos_paused", "1 while no new work is begun.");
    page.gauge(name, help, Some(if is_paused { 1.0 } else { 0.0 }));
    let health = match service.health() {
        Health::Ok => 0.0,
        Health::Warning(_) => 1.0,
        Health::Bad(_) => 2.0,
    };
    page.gauge("autossos_health", "0 ok, 1 warning, 2 bad.", Some(health));
    let resident = resident_bytes.map(|bytes| bytes as f64);
    page.gauge("autossos_resident_bytes", "Memory of the process.", resident);
    page.0
}

/// Frames by how far they came, and the time they took.
fn add_frames(page: &mut Page, service: &Snapshot) {
    page.head("autossos_frames_total", "counter", "Frames done, by how far they came.");
    let counts = service.frames;
    for (status, n) in [("ok", counts.ok), ("rejected", counts.rejected), ("failed", counts.failed)]
    {
        page.labelled("autossos_frames_total", ("status", status), n as f64);
    }
    page.head("autossos_frame_seconds", "summary", "Time that a frame took.");
    page.line("autossos_frame_seconds_sum", service.frames_s);
    let n_frames = counts.ok + counts.rejected + counts.failed;
    page.line("autossos_frame_seconds_count", n_frames as f64);
}

/// When things happened last.
fn add_times(page: &mut Page, service: &Snapshot) {
    let mut time = |name, help, at: Option<f64>| page.gauge(name, help, at.map(unix_s));
    let start = Some(service.started_mjd_utc);
    time("autossos_start_timestamp_seconds", "When the service started.", start);
    let (name, help) = ("autossos_last_frame_timestamp_seconds", "When the last frame arrived.");
    time(name, help, service.last_frame_mjd_utc);
    let help = "When the last look at the incoming folders was finished.";
    time("autossos_last_pass_timestamp_seconds", help, service.last_pass_mjd_utc);
}

/// Memory of this process that lies in RAM [bytes]; `None` where the system does not tell.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(KIB_BYTES)
}

/// Seconds since 1970 [s].
fn unix_s(mjd_utc: f64) -> f64 {
    ((mjd_utc - MJD_UNIX) * SECONDS_PER_DAY * 1000.0).round() / 1000.0
}

/// The growing text.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("a text grows");
    }

    fn line(&mut self, name: &str, value: f64) {
        writeln!(self.0, "{name} {value}").expect("a text grows");
    }

    /// A number that goes up and down; nothing when it is not known.
    fn gauge(&mut self, name: &str, help: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.head(name, "gauge", help);
            self.line(name, value);
        }
    }

    fn labelled(&mut self, name: &str, (label, text): (&str, &str), value: f64) {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        writeln!(self.0, "{name}{{{label}=\"{text}\"}} {value}").expect("a text grows");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::daemon::state::ServiceState;
    use crate::ops::clock::SetClock;
    use crate::pipeline::artifact::frame_record::FrameStatus;
    use crate::science::time::Epoch;

    #[test]
    fn each_number_stands_under_its_name_and_unknown_ones_are_left_out() {
        // 2001-09-09T01:46:40 UTC is a thousand million seconds after 1970.
        let at = Epoch::from_date(2001, 9, 9, 6400.0);
        let state = ServiceState::new(Arc::new(SetClock::at(at)), 300.0);
        state.frame_done(FrameStatus::Ok, 1.25);
        state.frame_done(FrameStatus::Rejected, 0.25);
        state.set_queue(3, 2);
        state.pass_done(at);
        state.set_phase(Phase::Paused { why: "rain".to_owned() });
        let mut service = state.snapshot();
        service.version = "1\"\\\n".to_owned();
        let text = text(&service, Some(4096));
        for line in [
            "autossos_build_info{version=\"1\\\"\\\\\\n\"} 1",
            "# TYPE autossos_frames_total counter",
            "autossos_frames_total{status=\"ok\"} 1",
            "autossos_frames_total{status=\"rejected\"} 1",
            "autossos_frames_total{status=\"failed\"} 0",
            "autossos_frame_seconds_sum 1.5",
            "autossos_frame_seconds_count 2",
            "autossos_nights_closed_total 0",
            "autossos_last_pass_timestamp_seconds 1000000000",
            "autossos_queue_files 3",
            "autossos_open_nights 2",
            "autossos_outbox_pending 0",
            "autossos_paused 1",
            "autossos_health 1",
            "autossos_resident_bytes 4096",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in:\n{text}");
        }
        assert!(!text.contains("last_frame") && !text.contains("disk_free"), "{text}");
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1 << 20), "a test takes some MiB");
    }
}
