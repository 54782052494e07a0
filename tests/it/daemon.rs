//! The service itself: its configuration, one look at the incoming folder, its end.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::observatory::{Observatory, output};
use crate::simulated::{NightOnDisk, small};

fn daemon(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autossosd"));
    command.current_dir(folder).env_remove("JOURNAL_STREAM");
    command
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
    let stars = format!(
        "settle_s = 0.1\ndisk_free_min_mib = 0\n[reference]\nfiles = [{:?}]\n",
        night.files.reference
    );
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
        "settle_s = 0.3\nrescan_s = 3600.0\ndisk_free_min_mib = 0\n[reference]\nfiles = [{:?}]\n",
        night.files.reference
    );
    let observatory = Observatory::new(&lines);
    let service = observatory.start();
    assert!(observatory.wait_until(20, || observatory.told().contains("Service started")));
    observatory.receive(&night, "2025-02-14");
    observatory.mark_done("2025-02-14");
    let is_done = observatory.wait_until(40, || observatory.n_frames_ok("2025-02-14") == Some(5));
    assert!(is_done, "{}", observatory.told());
    let (status, time) = service.stop();
    assert_eq!(status.code(), Some(0), "{}", observatory.told());
    assert!(time < Duration::from_secs(10), "{time:?}");
}
