//! The service among people: several telescopes, orders, late files, reloads, damage.

use std::time::Duration;

use autossos::pipeline::artifact::frame_record::FrameStatus;
use autossos::science::simulate::Scenario;
use rustix::process::Signal;
use serde_json::Value;

use crate::faults::SHIM;
use crate::observatory::{Observatory, raw_files};
use crate::simulated::{NightOnDisk, small};

const NIGHT: &str = "2025-02-14";

fn lines(night: &NightOnDisk) -> String {
    format!(
        "settle_s = 0.2\nrescan_s = 1.0\ndisk_free_min_mib = 0\nsocket = \"control.sock\"\n\
         [reference]\nfiles = [{:?}]\n",
        night.files.reference
    )
}

/// An observatory with a service that is ready.
fn started(lines: &str) -> (Observatory, crate::observatory::Running) {
    let observatory = Observatory::new(lines);
    let service = observatory.start();
    let is_up = observatory.wait_until(20, || observatory.told().contains("Service started"));
    assert!(is_up, "{}", observatory.told());
    (observatory, service)
}

fn tell(observatory: &Observatory, words: &[&str]) -> String {
    let (code, text) = observatory.ctl(words);
    assert_eq!(code, Some(0), "{words:?}: {text}");
    text
}

fn closes(observatory: &Observatory, night: &str) {
    let is_done = observatory.wait_until(60, || observatory.report(night).is_some());
    assert!(is_done, "{night}:\n{}", observatory.told());
}

#[test]
fn two_telescopes_have_nights_of_their_own() {
    let night = NightOnDisk::new(&small(61));
    let observatory = Observatory::new("");
    for folder in ["north", "south"] {
        std::fs::create_dir(observatory.path(folder)).expect("a folder");
    }
    let config = format!(
        "[daemon]\ndata = \"data\"\nsettle_s = 0.2\nrescan_s = 1.0\ndisk_free_min_mib = 0\n\
         [reference]\nfiles = [{:?}]\n[[telescope]]\nname = \"north\"\nincoming = \"north\"\n\
         [[telescope]]\nname = \"south\"\nincoming = \"south\"\nnight_pattern = \"by-time\"\n\
         latitude_deg = -29.0\nlongitude_deg = -70.0\n",
        night.files.reference
    );
    std::fs::write(observatory.path("autossos.toml"), config).expect("a configuration");
    let in_folder = observatory.path("north").join(NIGHT);
    std::fs::create_dir(&in_folder).expect("a folder");
    for file in raw_files(&night) {
        let name = file.file_name().expect("a name");
        std::fs::copy(&file, in_folder.join(name)).expect("a copy");
        std::fs::copy(&file, observatory.path("south").join(name)).expect("a copy");
    }
    std::thread::sleep(Duration::from_millis(300));
    let (code, text) = crate::observatory::output(observatory.command(&["--once"]));
    assert_eq!(code, Some(0), "{text}");
    let listed: Value =
        serde_json::from_str(&tell(&observatory, &["night", "list", "--json"])).expect("JSON");
    let nights: Vec<(&str, &str, u64)> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|n| {
            let text = |key: &str| n[key].as_str().expect("a text");
            (text("night"), text("telescope"), n["n_frames_ok"].as_u64().expect("a number"))
        })
        .collect();
    assert_eq!(nights.len(), 2, "{listed}");
    assert_eq!(nights[0], ("north.2025-02-14", "north", 5), "{text}");
    assert_eq!((nights[1].1, nights[1].2), ("south", 5), "{text}");
    assert!(nights[1].0.starts_with("south.20"), "{listed}");
}

#[test]
fn people_give_orders_through_the_socket() {
    let night = NightOnDisk::new(&small(62));
    let (observatory, service) = started(&lines(&night));
    tell(&observatory, &["pause", "--reason", "telescope in the mail"]);
    observatory.receive(&night, NIGHT);
    std::thread::sleep(Duration::from_secs(2));
    let status = tell(&observatory, &["status"]);
    assert!(status.contains("telescope in the mail"), "{status}");
    assert!(observatory.report(NIGHT).is_none());
    let (code, text) = observatory.ctl(&["night", "close", NIGHT]);
    assert_ne!(code, Some(0), "nothing was taken in while it was paused: {text}");
    tell(&observatory, &["resume"]);
    // Its last exposure is long ago, so quiet is all that is waited for; nobody waits.
    let is_taken =
        observatory.wait_until(30, || tell(&observatory, &["night", "list"]).contains(NIGHT));
    assert!(is_taken, "{}", observatory.told());
    tell(&observatory, &["night", "close", NIGHT]);
    closes(&observatory, NIGHT);
    let first = observatory.report(NIGHT).expect("closed");
    let shown = tell(&observatory, &["frame", "show", "demo-D1-001.fits"]);
    assert!(shown.contains("zero point"), "{shown}");

    tell(&observatory, &["reprocess", NIGHT, "--from", "link"]);
    assert!(observatory.wait_until(10, || observatory.report(NIGHT).is_none()));
    tell(&observatory, &["night", "close", NIGHT]);
    closes(&observatory, NIGHT);
    assert_eq!(observatory.report(NIGHT).as_ref(), Some(&first), "the same again");
    let log = tell(&observatory, &["log", "-n", "5"]);
    assert_eq!(log.lines().count(), 5, "{log}");
    let (status, _) = service.stop();
    assert_eq!(status.code(), Some(0));
    // Without the service the same words work on the database.
    let listed = tell(&observatory, &["night", "list"]);
    assert!(listed.contains(NIGHT), "{listed}");
    let status = tell(&observatory, &["status"]);
    assert!(status.contains("not running"), "{status}");
}

#[test]
fn late_calibration_frames_and_late_frames_count() {
    let night = NightOnDisk::new(&small(63));
    let (observatory, service) = started(&lines(&night));
    let (science, calibration): (Vec<_>, Vec<_>) =
        raw_files(&night).into_iter().partition(|f| f.to_string_lossy().contains("demo-"));
    for file in &science[..4] {
        observatory.receive_file(file, NIGHT);
    }
    let n_done = |n: usize| observatory.told().matches("Frame done").count() >= n;
    assert!(observatory.wait_until(30, || n_done(4)), "{}", observatory.told());
    for file in &calibration {
        observatory.receive_file(file, NIGHT);
    }
    std::thread::sleep(Duration::from_secs(2));
    assert!(!n_done(5), "nothing is reduced again before the night is closed");
    observatory.mark_done(NIGHT);
    closes(&observatory, NIGHT);
    let report = observatory.report(NIGHT).expect("closed");
    assert!(n_done(8), "{}", observatory.told());
    let steps = |name: &str| {
        let frame = report.frames.iter().find(|f| f.frame == name).expect("a frame");
        frame.steps.join("; ")
    };
    assert!(steps("demo-D1-001.fits").contains("flat"), "{}", steps("demo-D1-001.fits"));

    // A late frame opens the night again; asked to close, it is in the report.
    observatory.receive_file(&science[4], NIGHT);
    assert!(observatory.wait_until(30, || n_done(9)), "{}", observatory.told());
    assert!(observatory.report(NIGHT).is_none(), "open again");
    tell(&observatory, &["night", "close", NIGHT]);
    closes(&observatory, NIGHT);
    assert_eq!(observatory.n_frames_ok(NIGHT), Some(5), "{}", observatory.told());
    service.stop();
}

#[test]
fn a_reload_takes_a_good_configuration_and_refuses_a_broken_one() {
    let night = NightOnDisk::new(&small(64));
    let (observatory, service) =
        started(&lines(&night).replace("disk_free_min_mib = 0", "disk_free_min_mib = 1073741824"));
    observatory.receive(&night, NIGHT);
    observatory.mark_done(NIGHT);
    let is_told = |text: &str| observatory.wait_until(10, || observatory.told().contains(text));
    assert!(is_told("are free on the data folder"), "{}", observatory.told());
    observatory.configure("settle_s = \"soon\"\n");
    service.signal(Signal::HUP);
    assert!(is_told("was not taken over"), "{}", observatory.told());
    let mut words = std::process::Command::new(env!("CARGO_BIN_EXE_autossosctl"));
    words.current_dir(observatory.folder.path());
    words.args(["status", "--socket", "control.sock", "--data", "data"]);
    let (code, status) = crate::observatory::output(words);
    assert_eq!(code, Some(0), "{status}");
    assert!(status.contains("settle_s"), "{status}");
    assert!(observatory.report(NIGHT).is_none(), "still paused by the old one");
    observatory.configure(&lines(&night));
    tell(&observatory, &["reload"]);
    closes(&observatory, NIGHT);
    let (status, _) = service.stop();
    assert_eq!(status.code(), Some(0));
}

/// Starts the service again and again until the night is closed over a file that kills it when it
/// is opened for the n-th time; gives the number of deaths.
fn deaths_until_closed(observatory: &Observatory, opens: &str) -> usize {
    observatory.mark_done(NIGHT);
    for n_deaths in 0..12 {
        let mut service = observatory.start_with(|command| {
            command.env("LD_PRELOAD", SHIM.as_os_str());
            command.env("FAULT_ABORT", "demo-D1-003").env("FAULT_OPENS", opens);
        });
        for _ in 0..600 {
            if observatory.report(NIGHT).is_some() {
                return n_deaths;
            }
            if service.child.try_wait().expect("a child").is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    panic!("{}", observatory.told());
}

#[test]
fn an_incoming_folder_that_is_mounted_late_is_waited_for() {
    let night = NightOnDisk::new(&Scenario { n_science: 3, ..small(67) });
    let observatory = Observatory::new(&lines(&night));
    std::fs::remove_dir(observatory.path("incoming")).expect("not mounted");
    let service = observatory.start();
    let is_told = || observatory.told().contains("waited for");
    assert!(observatory.wait_until(10, is_told), "{}", observatory.told());
    let is_up = || observatory.told().contains("Service started");
    assert!(observatory.wait_until(10, is_up), "{}", observatory.told());
    std::thread::sleep(Duration::from_millis(500));
    assert!(tell(&observatory, &["status"]).contains("incoming"), "{}", observatory.told());
    observatory.receive(&night, NIGHT);
    observatory.mark_done(NIGHT);
    closes(&observatory, NIGHT);
    service.stop();
}

#[test]
fn a_frame_that_kills_the_program_is_set_aside() {
    let night = NightOnDisk::new(&small(65));
    // The third opening is that of the header, the fourth and fifth those of the pixels.
    for (opens, n_deaths_max, reason) in [("4", 4, "while it worked on"), ("2", 3, "opened")] {
        let observatory = Observatory::new(&lines(&night));
        observatory.receive(&night, NIGHT);
        let n_deaths = deaths_until_closed(&observatory, opens);
        assert!((2..=n_deaths_max).contains(&n_deaths), "{n_deaths}");
        let report = observatory.report(NIGHT).expect("closed");
        let ok = report.frames.iter().filter(|f| f.status == FrameStatus::Ok).count();
        assert_eq!(ok, 4, "{}", observatory.told());
        let bad = report.frames.iter().find(|f| f.frame == "demo-D1-003.fits").expect("its row");
        assert_eq!(bad.status, FrameStatus::Failed);
        assert!(bad.reason.as_deref().is_some_and(|r| r.contains(reason)), "{:?}", bad.reason);
    }
}

#[test]
fn a_damaged_database_ends_the_service_and_its_backup_brings_it_back() {
    let night = NightOnDisk::new(&Scenario { n_science: 3, ..small(66) });
    let (observatory, service) = started(&lines(&night));
    observatory.receive(&night, NIGHT);
    observatory.mark_done(NIGHT);
    closes(&observatory, NIGHT);
    service.stop();
    tell(&observatory, &["db", "backup"]);
    let database = observatory.path("data/autossos.sqlite");
    let mut bytes = std::fs::read(&database).expect("the database");
    bytes[..4096].fill(0x55);
    std::fs::write(&database, bytes).expect("damage");
    let (code, told) = crate::observatory::output(observatory.command(&["--once"]));
    assert_eq!(code, Some(78), "{told}");
    assert!(told.contains("autossosctl db restore"), "{told}");
    tell(&observatory, &["db", "restore"]);
    let (code, told) = crate::observatory::output(observatory.command(&["--once"]));
    assert_eq!(code, Some(0), "{told}");
    assert!(observatory.report(NIGHT).is_some(), "{told}");
}
