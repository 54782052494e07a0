//! Damage, checks, backups and the way back, with real files.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::backup::{BackupError, back_up, list};
use super::super::check::{full_check, integrity_check, quick_check, refuse_faults};
use super::super::error::StoreError;
use super::super::restore::{Refusal, RestoreError, RestoreFrom, restore};
use super::super::{DATABASE_NAME, Reader, Store};
use super::{at, closing, message, night, open, report};

/// Size of a page of SQLite [bytes].
const PAGE_BYTES: u64 = 4096;

/// Overwrites all pages of a database but the first.
pub(super) fn damage_middle(path: &Path) {
    let mut file = std::fs::File::options().write(true).open(path).expect("a database");
    let length = file.metadata().expect("a length").len();
    assert!(length > 4 * PAGE_BYTES, "pages to damage");
    file.seek(SeekFrom::Start(PAGE_BYTES)).expect("sought");
    let rubbish = usize::try_from(length - PAGE_BYTES).expect("a small file");
    file.write_all(&vec![0xA5; rubbish]).expect("damaged");
}

/// A closed night in a store that was closed: everything lies in the database's file.
fn filled(folder: &Path) {
    let store = open(folder);
    store.close_night(&night(), closing(), at(10.0)).expect("closed");
    store.close_cleanly().expect("closed");
    assert!(!folder.join(format!("{DATABASE_NAME}-wal")).exists(), "nothing left in the log");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn checks_find_damage_and_see_what_is_whole() {
    let folder = tempfile::tempdir().expect("folder");
    filled(folder.path());
    let whole: [&str; 0] = [];
    assert_eq!(quick_check(folder.path()).expect("checked"), whole);
    assert_eq!(full_check(folder.path()).expect("checked"), whole);
    let path = folder.path().join(DATABASE_NAME);
    let store = Store::open(folder.path()).expect("opened");
    store.enqueue(message(), at(1.0)).expect("written");
    assert_eq!(quick_check(folder.path()).expect("checked beside the writer"), whole);
    store.close_cleanly().expect("closed");

    // A row that names a night that is not there: no page is damaged.
    let connection = Connection::open(&path).expect("opened");
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO report_due VALUES ('nowhere');")
        .expect("written");
    drop(connection);
    assert_eq!(quick_check(folder.path()).expect("checked"), whole);
    let faults = full_check(folder.path()).expect("checked");
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("report_due") && faults[0].contains("night"), "{faults:?}");

    damage_middle(&path);
    let faults = quick_check(folder.path()).expect("checked");
    assert!(!faults.is_empty());
    let error = refuse_faults(folder.path(), &faults).expect_err("faults");
    assert!(error.is_operators());
    let command = format!("autossosctl db restore --data {}", folder.path().display());
    assert!(error.to_string().contains(&command), "{error}");
    assert!(refuse_faults(folder.path(), &[]).is_ok());

    std::fs::write(&path, [b'x'; 9000]).expect("written");
    assert!(!quick_check(folder.path()).expect("checked").is_empty(), "no database at all");
    std::fs::remove_file(&path).expect("removed");
    assert!(matches!(quick_check(folder.path()), Err(StoreError::NoDatabase { .. })));
}

#[test]
fn a_backup_is_whole_named_by_its_time_and_old_ones_go() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    store.close_night(&night(), closing(), at(10.0)).expect("closed");
    let backups = folder.path().join("a/b");
    let strangers = ["notes.txt", "autossos-2026-03-01T12000.sqlite", "autossos-.sqlite"];
    std::fs::create_dir_all(&backups).expect("a folder");
    for name in strangers {
        std::fs::write(backups.join(name), b"").expect("written");
    }
    // at(12.0) is 2026-03-01, 12 h; each copy is a day younger.
    let mut made = Vec::new();
    for day in 0..4 {
        let copy = back_up(folder.path(), &backups, 2, at(12.0 + 24.0 * f64::from(day)));
        made.push(copy.expect("made while the store is open"));
    }
    assert!(made[0].deleted.is_empty());
    assert_eq!(made[2].deleted, [made[0].path.clone()]);
    let left = list(&backups).expect("listed");
    assert_eq!(left, [made[3].path.clone(), made[2].path.clone()], "the newest first");
    assert_eq!(names(&backups).len(), strangers.len() + 2, "{:?}", names(&backups));
    let name = file_name(&made[3].path);
    let stamp = at(84.0).to_iso().replace(':', "");
    assert_eq!(name, format!("autossos-{}.sqlite", stamp.split('.').next().expect("a part")));
    assert_eq!(made[3].size_bytes, std::fs::metadata(&made[3].path).expect("a file").len());
    assert_eq!(integrity_check(&made[3].path).expect("checked"), [""; 0]);
    let copied = Connection::open(&made[3].path).expect("opened");
    let n: i64 = copied.query_row("SELECT count(*) FROM frame", [], |r| r.get(0)).expect("counted");
    assert_eq!(n, 2, "what was in the log is in the copy");

    // A clock set back: the copy just made is kept though its name is the oldest.
    let early = back_up(folder.path(), &backups, 1, at(-1000.0)).expect("made");
    assert_eq!(list(&backups).expect("listed"), [early.path]);
}

#[test]
fn a_damaged_database_gives_no_backup_and_costs_none() {
    let folder = tempfile::tempdir().expect("folder");
    let backups = folder.path().join("backups");
    filled(folder.path());
    let good = back_up(folder.path(), &backups, 1, at(12.0)).expect("made");
    damage_middle(&folder.path().join(DATABASE_NAME));
    let refused = back_up(folder.path(), &backups, 1, at(36.0)).expect_err("damaged");
    assert!(matches!(refused, BackupError::Copy(StoreError::Damaged { .. })), "{refused:?}");
    assert_eq!(names(&backups), [file_name(&good.path)], "the good one stays, nothing beside it");
}

#[test]
fn a_copy_with_a_fault_is_deleted() {
    let folder = tempfile::tempdir().expect("folder");
    let backups = folder.path().join("backups");
    filled(folder.path());
    let connection = Connection::open(folder.path().join(DATABASE_NAME)).expect("opened");
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO report_due VALUES ('nowhere');")
        .expect("written");
    drop(connection);
    let refused = back_up(folder.path(), &backups, 1, at(36.0)).expect_err("a fault");
    assert!(matches!(refused, BackupError::Faulty { n_faults: 1, .. }), "{refused:?}");
    assert_eq!(names(&backups), [""; 0]);
}

#[test]
fn what_a_killed_backup_left_is_removed_and_two_do_not_meet() {
    let folder = tempfile::tempdir().expect("folder");
    let backups = folder.path().join("backups");
    filled(folder.path());
    std::fs::create_dir(&backups).expect("a folder");
    let half = ".tmp-autossos-2026-03-01T120000.sqlite";
    for name in [half.to_owned(), format!("{half}-journal")] {
        std::fs::write(backups.join(name), [b'h'; 100]).expect("written");
    }
    assert!(list(&backups).expect("listed").is_empty(), "half a copy is none");
    let made = back_up(folder.path(), &backups, 1, at(12.0)).expect("made");
    assert_eq!(names(&backups), [file_name(&made.path)]);

    let other = std::fs::File::open(&backups).expect("opened");
    other.lock().expect("another backup works there");
    let refused = back_up(folder.path(), &backups, 1, at(13.0)).expect_err("in work");
    assert!(matches!(refused, BackupError::InWork { .. }), "{refused:?}");
}

#[test]
fn the_newest_whole_backup_takes_the_place_of_a_damaged_database() {
    let folder = tempfile::tempdir().expect("folder");
    let backups = folder.path().join("backups");
    filled(folder.path());
    let good = back_up(folder.path(), &backups, 9, at(12.0)).expect("made").path;
    let torn = back_up(folder.path(), &backups, 9, at(36.0)).expect("made").path;
    damage_middle(&torn);
    let newer = back_up(folder.path(), &backups, 9, at(60.0)).expect("made").path;
    let connection = Connection::open(&newer).expect("opened");
    connection.pragma_update(None, "user_version", 99).expect("set");
    drop(connection);
    let rubbish = backups.join("autossos-2030-01-01T000000.sqlite");
    std::fs::write(&rubbish, b"").expect("written");

    let path = folder.path().join(DATABASE_NAME);
    damage_middle(&path);
    let log = folder.path().join(format!("{DATABASE_NAME}-wal"));
    std::fs::write(&log, b"an old log").expect("written");
    let done = restore(folder.path(), RestoreFrom::NewestIn(&backups), at(100.0)).expect("done");
    assert_eq!(done.backup, good);
    let refused: Vec<&PathBuf> = done.refused.iter().map(|(path, _)| path).collect();
    assert_eq!(refused, [&rubbish, &newer, &torn]);
    assert!(matches!(done.refused[0].1, Refusal::Foreign));
    assert!(matches!(done.refused[1].1, Refusal::Newer { found: 99, .. }));
    assert!(matches!(done.refused[2].1, Refusal::Damaged(_) | Refusal::Faulty { .. }));
    let old = done.old.expect("kept");
    assert!(old.exists() && file_name(&old).starts_with("autossos.sqlite.damaged-2026-03-05T"));
    let old_log = folder.path().join(format!("{}-wal", file_name(&old)));
    assert_eq!(std::fs::read(old_log).expect("kept"), b"an old log");
    assert!(!log.exists(), "no old log beside the new database");
    assert!(good.exists());

    assert_eq!(full_check(folder.path()).expect("checked"), [""; 0]);
    let store = Store::open(folder.path()).expect("works again");
    assert_eq!(store.read().report(&night()).expect("read"), Some(report()));
    let in_use = restore(folder.path(), RestoreFrom::NewestIn(&backups), at(101.0));
    let in_use = in_use.expect_err("the service runs");
    assert!(matches!(in_use, RestoreError::Store(StoreError::InUse { .. })), "{in_use:?}");
}

#[test]
fn a_restoration_without_a_usable_backup_changes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    filled(folder.path());
    let before = std::fs::read(folder.path().join(DATABASE_NAME)).expect("read");
    let backups = folder.path().join("backups");
    let none = restore(folder.path(), RestoreFrom::NewestIn(&backups), at(1.0));
    assert!(matches!(none, Err(RestoreError::NoBackup { .. })), "{none:?}");
    std::fs::create_dir(&backups).expect("a folder");
    let bad = backups.join("autossos-2026-03-01T120000.sqlite");
    std::fs::write(&bad, [b'x'; 5000]).expect("written");
    let none = restore(folder.path(), RestoreFrom::NewestIn(&backups), at(1.0));
    assert!(matches!(none, Err(RestoreError::NoneWhole { n: 1, .. })), "{none:?}");
    let none = restore(folder.path(), RestoreFrom::File(&bad), at(1.0));
    assert!(matches!(none, Err(RestoreError::Unusable { .. })), "{none:?}");
    let none = restore(folder.path(), RestoreFrom::File(Path::new("/no/such")), at(1.0));
    assert!(matches!(none, Err(RestoreError::Read { .. })), "{none:?}");
    assert_eq!(std::fs::read(folder.path().join(DATABASE_NAME)).expect("read"), before);
    let expected = ["autossos.lock", DATABASE_NAME, "backups", "products"];
    assert_eq!(names(folder.path()), expected, "no copy is left");
}

#[test]
fn an_exchange_that_was_killed_is_ended_when_the_store_is_opened() {
    let folder = tempfile::tempdir().expect("folder");
    filled(folder.path());
    let copy = back_up(folder.path(), &folder.path().join("backups"), 9, at(12.0)).expect("made");
    let path = folder.path().join(DATABASE_NAME);
    let restoring = folder.path().join("autossos.sqlite.restoring-2026-03-02T000000");
    let damaged = folder.path().join("autossos.sqlite.damaged-2026-03-02T000000");
    // Killed before the old database was moved, and after.
    for is_moved in [false, true] {
        std::fs::copy(&copy.path, &restoring).expect("copied");
        if is_moved {
            std::fs::rename(&path, &damaged).expect("moved");
            let log = folder.path().join(format!("{DATABASE_NAME}-wal"));
            std::fs::write(log, b"an old log").expect("written");
        } else {
            damage_middle(&path);
        }
        let store = Store::open(folder.path()).expect("the exchange is ended");
        assert_eq!(store.read().report(&night()).expect("read"), Some(report()));
        store.close_cleanly().expect("closed");
        assert!(!restoring.exists() && damaged.exists());
        assert_eq!(full_check(folder.path()).expect("checked"), [""; 0]);
    }
}

#[test]
fn a_database_put_aside_can_be_taken_back_with_its_log() {
    let folder = tempfile::tempdir().expect("folder");
    let backups = folder.path().join("backups");
    filled(folder.path());
    back_up(folder.path(), &backups, 9, at(12.0)).expect("made");
    // Killed with a value that is in the log only.
    let killed = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path()).expect("opened");
    store.set_service_value("late", Some("in the log")).expect("written");
    for ending in ["", "-wal"] {
        let name = format!("{DATABASE_NAME}{ending}");
        std::fs::copy(folder.path().join(&name), killed.path().join(&name)).expect("copied");
    }
    drop(store);
    let first = restore(killed.path(), RestoreFrom::NewestIn(&backups), at(50.0)).expect("done");
    let old = first.old.expect("kept");
    let back = restore(killed.path(), RestoreFrom::File(&old), at(50.0)).expect("taken back");
    assert_ne!(back.old.as_ref(), Some(&old), "within a second two names");
    let reader = Reader::open(killed.path()).expect("opened");
    assert_eq!(reader.service_value("late").expect("read").as_deref(), Some("in the log"));
}

/// Rows of one MiB each, so that the database has a size.
fn put_ballast(store: &Store, rows: std::ops::Range<usize>) {
    for i in rows {
        let body = vec![u8::try_from(i % 251).expect("small"); 1 << 20];
        let mut message = message();
        message.key = format!("ballast/{i}");
        // A night's newer mail would take the place of the one before.
        message.nights = vec![message.key.clone()];
        message.body = body;
        store.enqueue(message, at(0.0)).expect("written");
    }
}

/// Writes as fast as it goes while a backup is made; the writes that went through and the longest.
fn write_beside_a_backup(store: &Store, data: &Path) -> (u64, Duration) {
    let (data, backups) = (data.to_owned(), data.join("backups"));
    let started = Instant::now();
    let backup = std::thread::spawn(move || back_up(&data, &backups, 1, at(1.0)).expect("made"));
    let (mut n_writes, mut longest) = (0_u64, Duration::ZERO);
    while !backup.is_finished() {
        let before = Instant::now();
        store.set_service_value("beat", Some(&n_writes.to_string())).expect("written");
        longest = longest.max(before.elapsed());
        n_writes += 1;
    }
    let made = backup.join().expect("ended");
    println!(
        "{} MiB in {:.2} s beside {n_writes} writes, the longest {longest:?}",
        made.size_bytes >> 20,
        started.elapsed().as_secs_f64()
    );
    (n_writes, longest)
}

#[test]
fn a_backup_does_not_hold_up_who_writes() {
    /// Sizes of the database that are tried [MiB]: a fast disk copies the first in a blink.
    const SIZES_MIB: [usize; 4] = [16, 64, 256, 1024];
    let is_slow = std::env::var_os("AUTOSSOS_SLOW").is_some();
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let (mut size_mib, mut n_writes, mut longest) = (0, 0, Duration::ZERO);
    for wanted_mib in SIZES_MIB.into_iter().skip(if is_slow { 2 } else { 0 }) {
        put_ballast(&store, size_mib..wanted_mib);
        size_mib = wanted_mib;
        (n_writes, longest) = write_beside_a_backup(&store, folder.path());
        if n_writes > 3 {
            break;
        }
    }
    assert!(n_writes > 3, "{n_writes} writes went through meanwhile");
    // The busy timeout is 75 s; a machine with other work to do may take its time to sync.
    assert!(longest < Duration::from_secs(5), "a write took {longest:?}");
}
