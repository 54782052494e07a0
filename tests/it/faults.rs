//! What happens to a real service in a real observatory: full disks, locked databases, growing
//! and vanishing files, floods, clocks set back, servers that are down. It recovers alone, says
//! what happened and loses nothing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use autossos::pipeline::artifact::frame_record::FrameStatus;
use rusqlite::Connection;

use crate::mailbox::Mailbox;
use crate::observatory::{Observatory, Running, raw_files};
use crate::simulated::{NightOnDisk, small};

const NIGHT: &str = "2025-02-14";

fn is_slow() -> bool {
    std::env::var_os("AUTOSSOS_SLOW").is_some()
}

fn lines(night: &NightOnDisk) -> String {
    format!(
        "settle_s = 0.2\nrescan_s = 1.0\ndisk_free_min_mib = 0\n[reference]\nfiles = [{:?}]\n",
        night.files.reference
    )
}

/// The library that makes writes fail and moves the clock; built once by the C compiler.
pub static SHIM: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/shim.c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shim.so");
    let partial = library.with_extension(std::process::id().to_string());
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&partial, &source])
        .arg("-ldl")
        .status()
        .expect("a C compiler");
    assert!(built.success(), "the shim is built");
    std::fs::rename(&partial, &library).expect("a name");
    library
});

/// Starts a service whose writes fail with an error after a number of them, until a file is gone.
fn start_failing(
    observatory: &Observatory,
    after: usize,
    errno: i32,
) -> crate::observatory::Running {
    std::fs::write(observatory.path("full"), "").expect("a file");
    observatory.start_with(|command| {
        command
            .env("LD_PRELOAD", SHIM.as_os_str())
            .env("FAULT_UNDER", observatory.path("data"))
            .env("FAULT_AFTER", after.to_string())
            .env("FAULT_ERRNO", errno.to_string())
            .env("FAULT_WHILE", observatory.path("full"));
    })
}

/// Whether the log tells of an error, of the service at work or at its start.
fn is_trouble_told(observatory: &Observatory) -> bool {
    let told = observatory.told();
    told.contains("ERROR") || told.contains("autossosd:")
}

/// The state of an undisturbed run: tables and products.
fn undisturbed(night: &NightOnDisk) -> Observatory {
    let calm = Observatory::new(&lines(night));
    calm.receive(night, NIGHT);
    calm.mark_done(NIGHT);
    let service = calm.start();
    assert!(calm.wait_until(60, || calm.report(NIGHT).is_some()), "{}", calm.told());
    service.stop();
    calm
}

/// The service, or another one when it could not even begin: systemd would start it again.
fn begun_again(observatory: &Observatory, mut service: Running) -> Running {
    let has_given_up = observatory.told().contains("autossosd: ");
    let mut has_ended = || service.child.try_wait().expect("a child").is_some();
    if !has_ended() && !has_given_up {
        return service;
    }
    assert!(observatory.wait_until(30, has_ended), "{}", observatory.told());
    observatory.start()
}

fn assert_same_end(calm: &Observatory, found: &Observatory, what: &str) {
    let (a, b) = (calm.dump(), found.dump());
    for (a, b) in a.iter().zip(&b) {
        assert_eq!(a, b, "{what}:\n{}", found.told());
    }
    assert_eq!(a.len(), b.len(), "{what}");
    let (a, b) = (calm.products(), found.products());
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{what}");
    assert!(a == b, "{what}: products differ");
}

#[test]
fn a_disk_full_at_any_write_is_waited_out() {
    let night = NightOnDisk::new(&small(41));
    let calm = undisturbed(&night);
    let step = if is_slow() { 1 } else { 23 };
    let mut after = 0;
    loop {
        let observatory = Observatory::new(&lines(&night));
        observatory.receive(&night, NIGHT);
        observatory.mark_done(NIGHT);
        let mut service = start_failing(&observatory, after, 28);
        // Either the night gets through before the disk is full, or the trouble is told.
        let is_told = || is_trouble_told(&observatory);
        let came = observatory.wait_until(60, || observatory.report(NIGHT).is_some() || is_told());
        assert!(came, "full after {after} writes:\n{}", observatory.told());
        let is_through = !is_told();
        std::fs::remove_file(observatory.path("full")).expect("the disk has space again");
        std::thread::sleep(Duration::from_millis(50));
        service = begun_again(&observatory, service);
        let is_done = observatory.wait_until(60, || observatory.report(NIGHT).is_some());
        assert!(is_done, "full after {after} writes:\n{}", observatory.told());
        let (status, _) = service.stop();
        assert_eq!(status.code(), Some(0), "full after {after} writes:\n{}", observatory.told());
        assert_same_end(&calm, &observatory, &format!("full after {after} writes"));
        if is_through {
            println!("the night takes {after} writes or fewer");
            break;
        }
        after += step;
    }
}

#[test]
fn a_folder_that_may_not_be_written_is_told_and_waited_for() {
    let night = NightOnDisk::new(&small(42));
    let observatory = Observatory::new(&lines(&night));
    observatory.receive(&night, NIGHT);
    observatory.mark_done(NIGHT);
    // 13: permission denied; root would not be refused by the folder's mode.
    let mut service = start_failing(&observatory, 60, 13);
    assert!(observatory.wait_until(30, || is_trouble_told(&observatory)), "{}", observatory.told());
    std::thread::sleep(Duration::from_millis(100));
    std::fs::remove_file(observatory.path("full")).expect("it may be written again");
    service = begun_again(&observatory, service);
    let is_done = observatory.wait_until(60, || observatory.report(NIGHT).is_some());
    assert!(is_done, "{}", observatory.told());
    service.stop();
    assert_same_end(&undisturbed(&night), &observatory, "after a folder that refused");
}

#[test]
fn a_database_locked_by_another_program_is_waited_for() {
    let night = NightOnDisk::new(&small(43));
    let observatory = Observatory::new(&lines(&night));
    observatory.receive(&night, "2025-02-13");
    observatory.mark_done("2025-02-13");
    let service = observatory.start();
    assert!(observatory.wait_until(60, || observatory.report("2025-02-13").is_some()));
    let lock_s = if is_slow() { 60 } else { 7 };
    let other = Connection::open(observatory.path("data/autossos.sqlite")).expect("the database");
    other.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    observatory.receive(&night, NIGHT);
    observatory.mark_done(NIGHT);
    std::thread::sleep(Duration::from_secs(lock_s));
    other.execute_batch("ROLLBACK").expect("no lock");
    let is_done = observatory.wait_until(60, || observatory.report(NIGHT).is_some());
    assert!(is_done, "{}", observatory.told());
    assert_eq!(observatory.n_frames_ok(NIGHT), Some(5), "{}", observatory.told());
    service.stop();
}

#[test]
fn growing_cut_and_vanishing_files_lose_nothing() {
    let night = NightOnDisk::new(&small(44));
    let config = lines(&night).replace("rescan_s", "partial_wait_min = 0.05\nrescan_s");
    let observatory = Observatory::new(&config);
    let files = raw_files(&night);
    let science: Vec<&PathBuf> =
        files.iter().filter(|f| f.to_string_lossy().contains("demo-")).collect();
    assert!(science.len() >= 3, "{files:?}");
    let service = observatory.start();
    for file in &files {
        observatory.receive_file(file, NIGHT);
    }
    let folder = observatory.path("incoming").join(NIGHT);
    // One more frame grows for longer than a file takes to settle.
    let mut bytes = std::fs::read(science[0]).expect("a frame");
    bytes[2880 * 2] ^= 1;
    let mut growing = std::fs::File::create(folder.join("science-growing.fits")).expect("a file");
    for piece in bytes.chunks(bytes.len() / 8 + 1) {
        growing.write_all(piece).expect("a piece");
        std::thread::sleep(Duration::from_millis(150));
    }
    drop(growing);
    // One stays cut, one vanishes, one is a link out of the folder, one is a sync program's.
    std::fs::write(folder.join("science-cut.fits"), &bytes[..bytes.len() / 2]).expect("a file");
    std::fs::write(folder.join("science-gone.fits"), &bytes[..bytes.len() / 3]).expect("a file");
    std::fs::remove_file(folder.join("science-gone.fits")).expect("gone");
    std::os::unix::fs::symlink(science[1], folder.join("science-link.fits")).expect("a link");
    std::fs::copy(science[1], folder.join(".science-1.fits.Xy12ab")).expect("a partial copy");
    // And the same content under another name.
    std::fs::copy(science[1], folder.join("science-twice.fits")).expect("a copy");
    std::thread::sleep(Duration::from_secs(5));
    observatory.mark_done(NIGHT);
    let is_done = observatory.wait_until(60, || observatory.report(NIGHT).is_some());
    assert!(is_done, "{}", observatory.told());
    service.stop();
    let report = observatory.report(NIGHT).expect("closed");
    let status = |name: &str| report.frames.iter().find(|f| f.frame == name).map(|f| f.status);
    assert_eq!(status("science-growing.fits"), Some(FrameStatus::Ok), "{}", observatory.told());
    assert_eq!(status("science-cut.fits"), Some(FrameStatus::Failed));
    assert_eq!(status("science-gone.fits"), None);
    assert_eq!(status("science-link.fits"), None);
    assert_eq!(status("science-twice.fits"), None);
    let told: Vec<&str> = report.not_done.iter().map(|n| n.text.as_str()).collect();
    assert!(told.iter().any(|t| t.contains("same content as")), "{told:?}");
    assert_eq!(report.frames.iter().filter(|f| f.status == FrameStatus::Ok).count(), 6);
}

#[test]
fn a_clock_set_back_by_an_hour_stops_nothing() {
    let night = NightOnDisk::new(&small(45));
    let observatory = Observatory::new(&lines(&night));
    let clock = observatory.path("clock");
    std::fs::write(&clock, "0").expect("a file");
    let service = observatory.start_with(|command| {
        command.env("LD_PRELOAD", SHIM.as_os_str()).env("FAULT_CLOCK", &clock);
    });
    let files = raw_files(&night);
    for (i, file) in files.iter().enumerate() {
        observatory.receive_file(file, NIGHT);
        if i == files.len() / 2 {
            std::fs::write(&clock, "-3600").expect("an hour back");
        }
    }
    observatory.mark_done(NIGHT);
    let is_done = observatory.wait_until(60, || observatory.report(NIGHT).is_some());
    assert!(is_done, "{}", observatory.told());
    assert_eq!(observatory.n_frames_ok(NIGHT), Some(5), "{}", observatory.told());
    // Forward again, and the next night comes as ever.
    std::fs::write(&clock, "0").expect("right again");
    observatory.receive(&night, "2025-02-15");
    observatory.mark_done("2025-02-15");
    assert!(observatory.wait_until(60, || observatory.report("2025-02-15").is_some()));
    service.stop();
}

#[test]
fn without_any_remote_service_the_night_is_done_and_the_mail_waits() {
    let night = NightOnDisk::new(&small(46));
    let mailbox = Mailbox::open();
    mailbox.refuse(true);
    let config = lines(&night)
        .replace("rescan_s", "heartbeat_url = \"http://127.0.0.1:1/ping\"\nrescan_s")
        + &mailbox.lines();
    let observatory = Observatory::new(&config);
    observatory.receive(&night, NIGHT);
    observatory.mark_done(NIGHT);
    let service = observatory.start();
    let is_done = observatory.wait_until(60, || observatory.report(NIGHT).is_some());
    assert!(is_done, "{}", observatory.told());
    assert!(
        observatory.wait_until(20, || observatory.told().contains("554")),
        "{}",
        observatory.told()
    );
    assert!(mailbox.messages().is_empty());
    let (code, text) = observatory.ctl(&["mail", "list"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("554"), "{text}");
    service.stop();
}

#[test]
fn a_flood_of_files_and_junk_is_worked_through() {
    let (n_files, n_junk) = if is_slow() { (10_000, 100_000) } else { (600, 5_000) };
    let night = NightOnDisk::new(&small(47));
    let observatory = Observatory::new(&lines(&night));
    let folder = observatory.path("incoming").join(NIGHT);
    std::fs::create_dir_all(&folder).expect("a folder");
    observatory.receive(&night, NIGHT);
    let frame = std::fs::read(&raw_files(&night)[0]).expect("a frame");
    // Each file has a content of its own: a frame too small for anything.
    let header = String::from_utf8_lossy(&frame[..2880]).replace(" 384", "   8");
    let mut small = header.into_bytes();
    small.extend(vec![0; 2880]);
    for i in 0..n_files {
        let at = small.len() - 8;
        small[at..].copy_from_slice(&(i as u64).to_be_bytes());
        std::fs::write(folder.join(format!("flood-{i:06}.fits")), &small).expect("a file");
    }
    for i in 0..n_junk {
        std::fs::write(folder.join(format!("junk-{i:06}.txt")), "junk").expect("a file");
    }
    observatory.mark_done(NIGHT);
    let began = Instant::now();
    let service = observatory.start();
    let limit_s = if is_slow() { 1800 } else { 120 };
    let is_done = observatory.wait_until(limit_s, || observatory.report(NIGHT).is_some());
    assert!(is_done, "{}", observatory.told());
    let (resident_kib, _) = service.usage();
    println!(
        "{n_files} files and {n_junk} of junk: {:.1} s, {} MiB",
        began.elapsed().as_secs_f64(),
        resident_kib / 1024
    );
    assert!(resident_kib < 1 << 20, "{resident_kib} KiB");
    service.stop();
    let report = observatory.report(NIGHT).expect("closed");
    let n_ok = report.frames.iter().filter(|f| f.status == FrameStatus::Ok).count();
    assert_eq!(n_ok, 5, "{}", observatory.told());
}
