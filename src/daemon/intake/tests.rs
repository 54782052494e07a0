//! Looks at real incoming folders.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::config::{Config, SiteConfig};
use crate::daemon::watch::FolderWatch;
use crate::ops::clock;

/// A frame without pixels that matter: 2880 bytes of header, 4 of data.
fn frame() -> Vec<u8> {
    let lines = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 2", "NAXIS2  = 2", "END"];
    let mut bytes: Vec<u8> =
        lines.iter().flat_map(|line| format!("{line:80}").into_bytes()).collect();
    bytes.resize(2880, b' ');
    bytes.resize(2884, 1);
    bytes
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(&path, bytes).expect("a file");
    path
}

fn intake(incoming: &Path, pattern: NightPattern) -> Intake {
    let config = Config::default();
    let telescope = Telescope {
        name: String::new(),
        incoming: incoming.to_owned(),
        night_pattern: pattern,
        profile: config.instrument.choice.clone(),
        site: SiteConfig { place_deg: Some((37.2, -2.5)), ..SiteConfig::default() },
        submit: config.submit.telescope.clone(),
    };
    Intake::new(&telescope, &config.daemon, Limits::default())
}

fn folders(incoming: &Path) -> Intake {
    intake(incoming, NightPattern::Folders("{date}".to_owned()))
}

const NOTHING_KNOWN: Known<'static> = Known { header_time: &|_, _| None, is_done: &|_, _| false };

fn look(intake: &mut Intake) -> Look {
    intake.look(clock::now(), &NOTHING_KNOWN).expect("a look")
}

/// A look half a minute later, when all has settled.
fn late_look(intake: &mut Intake, known: &Known<'_>) -> Look {
    let later = Instant::now() + Duration::from_secs(30);
    intake.look_at(clock::now().plus_seconds(30.0), later, known).expect("a look")
}

fn texts(look: &Look) -> Vec<String> {
    look.notes.iter().map(|note| format!("{}|{}|{}", note.night, note.subject, note.text)).collect()
}

#[test]
fn nights_come_newest_first_with_their_frames() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["2026-02-28/a.fits", "2026-03-01/a.fits", "2026-03-01/flat/a.fits"] {
        put(folder.path(), name, &frame());
    }
    put(folder.path(), "2026-02-28/night.done", b"");
    std::fs::create_dir(folder.path().join("2026-03-02")).expect("a folder");
    let mut intake = folders(folder.path());
    let first = look(&mut intake);
    let names: Vec<&str> = first.nights.iter().map(|night| night.name.as_str()).collect();
    assert_eq!(names, ["2026-03-02", "2026-03-01", "2026-02-28"]);
    let n_files: Vec<usize> = first.nights.iter().map(|night| night.files.len()).collect();
    assert_eq!(n_files, [0, 2, 1]);
    assert_eq!(first.nights[1].files[1].name, "flat/a.fits");
    assert!(first.nights[2].is_marked_done && !first.nights[1].is_marked_done);
    assert!(first.nights.iter().all(|night| {
        (clock::now().mjd_utc() - night.newest_change.mjd_utc()).abs() * 86_400.0 < 60.0
    }));
    assert!(first.next_look_s.is_some_and(|wait_s| wait_s > 0.0 && wait_s <= 10.0));
    assert!(first.notes.is_empty(), "{:?}", texts(&first));
    let late = late_look(&mut intake, &NOTHING_KNOWN);
    let states = late.nights.iter().flat_map(|night| &night.files).map(|file| &file.state);
    assert!(states.clone().count() == 3 && states.clone().all(|s| *s == FileState::Complete));
    assert_eq!(late.next_look_s, None);
}

#[test]
fn a_closing_that_was_heard_counts_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = put(folder.path(), "2026-03-01/a.fits", &frame());
    let mut intake = folders(folder.path());
    intake.heard(&[path, PathBuf::from("/elsewhere/b.fits")]);
    assert_eq!(intake.closed.len(), 1);
    assert_eq!(look(&mut intake).nights[0].files[0].state, FileState::Complete);
}

#[test]
fn what_is_left_alone_is_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "loose.fits", &frame());
    put(folder.path(), "flats/a.fits", &frame());
    put(folder.path(), "2026-03-01/empty.fits", b"");
    let mut intake = folders(folder.path());
    let first = look(&mut intake);
    let told = texts(&first);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("1 frames lie outside any night's folder"), "{told:?}");
    assert!(told[1].starts_with("|flats|is no night by the pattern {date}"), "{told:?}");
    assert!(look(&mut intake).notes.is_empty(), "told before");
    put(folder.path(), "loose2.fits", &frame());
    assert!(look(&mut intake).notes.is_empty(), "the same matter");
    std::fs::remove_dir_all(folder.path().join("flats")).expect("the folder");
    look(&mut intake);
    put(folder.path(), "flats/a.fits", &frame());
    assert_eq!(look(&mut intake).notes.len(), 1, "gone and there again");
    // An empty file is waited for, then told.
    let later = Instant::now() + Duration::from_secs(700);
    let now = clock::now().plus_seconds(700.0);
    let told = texts(&intake.look_at(now, later, &NOTHING_KNOWN).expect("a look"));
    assert_eq!(told, ["2026-03-01|empty.fits|is empty: copy it again"]);
    assert!(intake.look_at(now, later, &NOTHING_KNOWN).expect("a look").notes.is_empty());
}

#[test]
fn done_nights_are_not_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = put(folder.path(), "2026-03-01/a.fits", b"");
    let mut intake = folders(folder.path());
    let first = look(&mut intake);
    let print = first.nights[0].fingerprint().to_owned();
    let is_done = |name: &str, found: &str| name == "2026-03-01" && found == print;
    let known = Known { is_done: &is_done, ..NOTHING_KNOWN };
    let late = late_look(&mut intake, &known);
    // An empty file would be partial if it had been looked at.
    assert!(late.nights[0].is_done);
    assert_eq!(late.nights[0].files[0].state, FileState::Complete);
    std::fs::write(&path, frame()).expect("a file");
    let late = late_look(&mut intake, &known);
    assert!(!late.nights[0].is_done, "its files changed");
    // The same tree gives the same fingerprint to another service.
    let again = look(&mut folders(folder.path()));
    assert_eq!(again.nights[0].fingerprint(), late.nights[0].fingerprint());
}

#[test]
fn a_file_on_its_way_keeps_the_night_awake() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "2026-03-01/a.fits", &frame());
    let mut intake = folders(folder.path());
    let before = look(&mut intake).nights[0].newest_change;
    std::thread::sleep(Duration::from_millis(50));
    put(folder.path(), "2026-03-01/.b.fits.Xy12", b"half");
    let night = &look(&mut intake).nights[0];
    assert!(night.newest_change > before);
    assert_eq!(night.files.len(), 1);
}

#[test]
fn frames_that_lie_anywhere_are_sorted_by_local_noon() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a.fits", "m31/b.fits", "m31/c.fits", "x/y/z/u/d.fits"] {
        put(folder.path(), name, &frame());
    }
    let asked = Cell::new(0);
    let header_time = |path: &Path, _: FileStamp| {
        asked.set(asked.get() + 1);
        let at = |day, hour: f64| Some(Epoch::from_date(2026, 3, day, hour * 3600.0));
        match path.file_name()?.to_str()? {
            "a.fits" => at(1, 22.0),
            "b.fits" => at(2, 5.0),
            "c.fits" => at(2, 20.0),
            _ => None,
        }
    };
    let known = Known { header_time: &header_time, ..NOTHING_KNOWN };
    let mut intake = intake(folder.path(), NightPattern::ByTime);
    let first = late_look(&mut intake, &known);
    let names: Vec<&str> = first.nights.iter().map(|night| night.name.as_str()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names[0] > "2026-03-02" || names[2] < "2026-03-01", "the file's own time: {names:?}");
    let night = first.nights.iter().find(|night| night.name == "2026-03-01").expect("a night");
    let files: Vec<&str> = night.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(files, ["a.fits", "m31/b.fits"]);
    assert_eq!(night.folder, folder.path());
    let mut told = 0;
    late_look(&mut intake, &known).nights.iter().for_each(|night| told += night.files.len());
    assert_eq!((told, asked.get()), (4, 5), "only the file without a time is asked again");

    // The marker closes what came before it.
    std::thread::sleep(Duration::from_millis(50));
    put(folder.path(), "night.done", b"");
    let closed = late_look(&mut intake, &known);
    assert!(closed.nights.iter().all(|night| night.is_marked_done));
    std::thread::sleep(Duration::from_millis(50));
    put(folder.path(), "m31/b.fits", &frame());
    let marked: Vec<bool> = late_look(&mut intake, &known)
        .nights
        .iter()
        .filter(|night| night.name.starts_with("2026-03-0"))
        .map(|night| night.is_marked_done)
        .collect();
    assert_eq!(marked, [true, false]);
}

#[test]
fn a_missing_incoming_folder_is_an_error_and_no_empty_sky() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut intake = folders(&folder.path().join("none"));
    assert!(intake.look(clock::now(), &NOTHING_KNOWN).is_err());
    std::fs::create_dir(folder.path().join("none")).expect("a folder");
    assert!(look(&mut intake).nights.is_empty());
}

/// Looks as the service does, woken by events and by the time that a look asks for, until all
/// `n` frames are complete; how often it looked.
async fn looks_until_complete(watch: &FolderWatch, intake: &mut Intake, n: usize) -> usize {
    let end = Instant::now() + Duration::from_secs(60);
    for n_looks in 1.. {
        intake.heard(&watch.take_closed());
        let found = look(intake);
        let files = found.nights.iter().flat_map(|night| &night.files);
        let n_complete = files.filter(|file| file.state == FileState::Complete).count();
        if n_complete == n {
            return n_looks;
        }
        assert!(Instant::now() < end, "{n_complete} of {n} complete");
        let timer =
            Duration::from_millis((found.next_look_s.unwrap_or(20.0).min(20.0) * 1e3) as u64);
        let ear = watch.ear();
        tokio::select! {
            () = ear.changed() => {}
            () = tokio::time::sleep(timer) => {}
        }
    }
    0
}

#[test]
fn events_make_files_complete_without_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let night = folder.path().join("2026-03-01");
    std::fs::create_dir(&night).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let watch = FolderWatch::over_all(&[folder.path().to_owned()], &Daemon::default());
        let mut intake = folders(folder.path());
        intake.readiness = Readiness::new(3600.0, 3600.0, Place::Local, Limits::default());
        // A slow writer: half a frame, closed; then the rest.
        let path = put(folder.path(), "2026-03-01/a.fits", &frame()[..2882]);
        let woken = tokio::time::timeout(Duration::from_secs(20), watch.ear().changed()).await;
        woken.expect("a wake");
        intake.heard(&watch.take_closed());
        let state = look(&mut intake).nights[0].files[0].state.clone();
        let partial = FileState::Partial { expected_bytes: Some(2884), found_bytes: 2882 };
        // The wake may be that of the creation.
        assert!(state == partial || state == FileState::Waiting, "{state:?}");
        std::fs::write(&path, frame()).expect("the rest");
        looks_until_complete(&watch, &mut intake, 1).await;
        // As rsync does.
        let temporary = put(folder.path(), "2026-03-01/.b.fits.Xy12", &frame());
        std::fs::rename(temporary, night.join("b.fits")).expect("put in place");
        looks_until_complete(&watch, &mut intake, 2).await;
    });
}

#[test]
fn ten_thousand_files_at_once_are_all_taken() {
    const N: usize = 10_000;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("2026-03-01")).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let watch = FolderWatch::over_all(&[folder.path().to_owned()], &Daemon::default());
        let mut intake = folders(folder.path());
        // Should the queue of events overflow, the settle time must do.
        intake.readiness = Readiness::new(3.0, 3600.0, Place::Local, Limits::default());
        let start = Instant::now();
        let writer = tokio::task::spawn_blocking({
            let incoming = folder.path().to_owned();
            move || {
                for i in 0..N {
                    put(&incoming, &format!("2026-03-01/{i:05}.fits"), &frame());
                }
            }
        });
        let n_looks = looks_until_complete(&watch, &mut intake, N).await;
        writer.await.expect("written");
        println!("{N} files taken after {n_looks} looks, {:?}", start.elapsed());
    });
}
