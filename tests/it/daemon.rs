//! The service itself: its configuration, one look at the incoming folder, its end.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use autossos::store::{NightId, Reader};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::simulated::{NightOnDisk, small};

/// An observatory on disk: incoming folder and configuration.
struct Observatory {
    folder: TempDir,
}

impl Observatory {
    /// With an empty incoming folder and further lines below `[daemon]`.
    fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("incoming")).expect("a folder");
        let config = format!("[daemon]\nincoming = \"incoming\"\ndata = \"data\"\n{lines}");
        std::fs::write(folder.path().join("autossos.toml"), config).expect("a configuration");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Brings the frames of a simulated night in; gives its star catalogue's path.
    fn receive(&self, night: &NightOnDisk, name: &str) {
        let to = self.path("incoming").join(name);
        std::fs::create_dir(&to).expect("a folder");
        for entry in std::fs::read_dir(&night.files.raw).expect("the frames") {
            let entry = entry.expect("a frame");
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = daemon(self.folder.path());
        command.arg("--config").arg(self.path("autossos.toml")).args(words);
        command
    }

    /// Number of usable frames of a night, when it is closed.
    fn n_frames_ok(&self, night: &str) -> Option<usize> {
        let reader = Reader::open(&self.path("data")).ok()?;
        let report = reader.report(&NightId::new(night).ok()?).ok()??;
        Some(report.frames.iter().filter(|f| f.zero_point_mag.is_some()).count())
    }
}

fn daemon(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autossosd"));
    command.current_dir(folder).env_remove("JOURNAL_STREAM");
    command
}

fn output(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let mut text = String::from_utf8_lossy(&stdout).into_owned();
    write!(text, "{}", String::from_utf8_lossy(&stderr)).expect("a text grows");
    (status.code(), text)
}

#[test]
fn the_configuration_is_checked_before_anything_starts() {
    let observatory = Observatory::new("");
    let (code, text) = output(observatory.command(&["--check-config"]));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("fine"), "{text}");
    assert!(!observatory.path("data").exists(), "a check makes nothing");

    let mut without = daemon(observatory.folder.path());
    without.arg("--check-config");
    let (code, text) = output(without);
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("daemon.incoming"), "{text}");

    for (line, told) in [
        ("setle_s = 3.0\n", "settle_s"),
        ("settle_s = -3.0\n", "settle_s"),
        ("[reference]\nfiles = [\"gaia.csv\"]\n", "gaia.csv"),
    ] {
        for words in [["--check-config"], ["--once"]] {
            let (code, text) = output(Observatory::new(line).command(&words));
            assert_eq!(code, Some(78), "{line}: {text}");
            assert!(text.contains(told), "{line}: {text}");
        }
    }
    std::fs::remove_dir(observatory.path("incoming")).expect("removed");
    let (code, text) = output(observatory.command(&["--once"]));
    assert_eq!(code, Some(78), "{text}");

    let mut version = daemon(observatory.folder.path());
    version.arg("--version");
    assert_eq!(
        output(version),
        (Some(0), concat!("autossosd ", env!("CARGO_PKG_VERSION"), "\n").to_owned())
    );
}

#[test]
fn one_look_processes_what_has_settled() {
    let night = NightOnDisk::new(&small(21));
    let stars = format!("settle_s = 0.1\n[reference]\nfiles = [{:?}]\n", night.files.reference);
    let observatory = Observatory::new(&stars);
    observatory.receive(&night, "2025-02-14");
    std::fs::create_dir(observatory.path("incoming/2025-02-15")).expect("a night without files");
    std::thread::sleep(Duration::from_millis(150));
    let (code, text) = output(observatory.command(&["--once"]));
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(observatory.n_frames_ok("2025-02-14"), Some(5), "{text}");

    // Files that were just written wait.
    let patient = Observatory::new("settle_s = 3600.0\n");
    patient.receive(&night, "2025-02-16");
    let (code, text) = output(patient.command(&["--once"]));
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(patient.n_frames_ok("2025-02-16"), None, "{text}");
}

#[test]
fn the_service_takes_a_night_that_comes_and_ends_when_asked() {
    let night = NightOnDisk::new(&small(22));
    let lines = format!(
        "settle_s = 0.3\nrescan_s = 3600.0\n[reference]\nfiles = [{:?}]\n",
        night.files.reference
    );
    let observatory = Observatory::new(&lines);
    let log = std::fs::File::create(observatory.path("log")).expect("a log");
    let mut service = observatory
        .command(&[])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the service starts");
    let told = || std::fs::read_to_string(observatory.path("log")).unwrap_or_default();
    let wait_until = |is_there: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !is_there() && began.elapsed() < Duration::from_secs(40) {
            std::thread::sleep(Duration::from_millis(50));
        }
        is_there()
    };
    let has_started = wait_until(&|| told().contains("Service started"));
    observatory.receive(&night, "2025-02-14");
    let is_done = wait_until(&|| observatory.n_frames_ok("2025-02-14") == Some(5));
    let asked = Instant::now();
    let pid = Pid::from_child(&service);
    kill_process(pid, Signal::TERM).expect("the service runs");
    let status = service.wait().expect("the service ends");
    assert!(has_started && is_done, "{}", told());
    assert_eq!(status.code(), Some(0), "{}", told());
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}
