//! Who may open a data folder, and what is known of the process before.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::error::{Retry, StoreError};
use super::super::nights::NightSource;
use super::super::{DATABASE_NAME, Reader, Store, Writer, schema};
use super::{at, night, open};

#[test]
fn a_process_that_was_killed_is_known_by_its_mark() {
    let folder = tempfile::tempdir().expect("folder");
    let first = Store::open(folder.path()).expect("opened");
    assert!(!first.was_unclean(), "there was none before");
    first.close_cleanly().expect("closed");

    let second = Store::open(folder.path()).expect("opened");
    assert!(!second.was_unclean());
    drop(second); // as good as killed: nothing was noted

    let third = Store::open(folder.path()).expect("opened");
    assert!(third.was_unclean());
    third.close_cleanly().expect("closed"); // ended before its check was done

    let fourth = Store::open(folder.path()).expect("opened");
    assert!(fourth.was_unclean(), "the check is still due");
    fourth.note_checked();
    fourth.close_cleanly().expect("closed");
    assert!(!Store::open(folder.path()).expect("opened").was_unclean());
}

#[test]
fn a_network_file_system_is_refused_with_the_key_to_change() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    let refused = Store::open_if_local(&data, |_| Ok(true)).expect_err("refused");
    assert!(matches!(refused, StoreError::NetworkFolder { .. }), "{refused:?}");
    for word in ["network", "daemon.data", "--data"] {
        assert!(refused.to_string().contains(word), "{word} in {refused}");
    }
    assert!(refused.is_operators());
    assert!(!data.join(DATABASE_NAME).exists());
    let unknown = Store::open_if_local(&data, |_| Err(std::io::ErrorKind::TimedOut.into()));
    let unknown = unknown.expect_err("a file system that does not answer");
    assert!(!unknown.is_operators(), "it may come back: {unknown:?}");
}

#[test]
fn what_only_a_human_can_mend_is_told_apart() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join(DATABASE_NAME);
    drop(open(folder.path()));
    let connection = Connection::open(&path).expect("opened");
    connection.pragma_update(None, "user_version", 99).expect("set");
    drop(connection);
    assert!(Store::open(folder.path()).expect_err("newer").is_operators());

    std::fs::write(&path, [b'x'; 5000]).expect("written");
    for refused in [Store::open(folder.path()).err(), Reader::open(folder.path()).err()] {
        let refused = refused.expect("no database");
        assert!(matches!(refused, StoreError::Damaged { .. }), "{refused:?}");
        assert!(refused.is_operators());
        let command = format!("autossosctl db restore --data {}", folder.path().display());
        assert!(refused.to_string().contains(&command), "{refused}");
    }

    let file = folder.path().join("file");
    std::fs::write(&file, b"").expect("written");
    for impossible in [file.clone(), file.join("below")] {
        let refused = Store::open(&impossible).expect_err("a file is no folder");
        assert!(refused.is_operators(), "{refused:?}");
        assert!(refused.to_string().contains("data folder"), "{refused}");
    }
    let denied = |kind: std::io::ErrorKind| StoreError::DataFolder {
        path: file.clone(),
        source: kind.into(),
    };
    assert!(denied(std::io::ErrorKind::PermissionDenied).is_operators());
    let full = denied(std::io::ErrorKind::StorageFull);
    assert!(!full.is_operators());
    assert_eq!(full.retry(), Retry::WhenDiskFrees);

    let data = tempfile::tempdir().expect("folder");
    let _store = open(data.path());
    let in_use = Store::open(data.path()).expect_err("in use");
    assert!(!in_use.is_operators(), "the other process will end: {in_use:?}");
}

#[test]
fn damage_found_in_the_middle_of_work_names_the_way_out() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    store.close_cleanly().expect("closed");
    super::care::damage_middle(&folder.path().join(DATABASE_NAME));
    let found = Store::open(folder.path()).and_then(|store| store.read().nights().map(|_| ()));
    let found = found.expect_err("all pages but the first are rubbish");
    assert!(matches!(found, StoreError::Damaged { .. }), "{found:?}");
    let command = format!("autossosctl db restore --data {}", folder.path().display());
    assert!(found.to_string().contains(&command), "{found}");
}

/// Holds the database for writing, as another process would, until the time is over.
fn hold(folder: &Path, time: Duration) -> std::thread::JoinHandle<()> {
    let other = Connection::open(folder.join(DATABASE_NAME)).expect("opened");
    other.execute_batch("BEGIN EXCLUSIVE").expect("held");
    std::thread::spawn(move || {
        std::thread::sleep(time);
        other.execute_batch("ROLLBACK").expect("let go");
    })
}

/// How long the other process holds the database: a minute when there is time.
fn held_time() -> Duration {
    let is_slow = std::env::var_os("AUTOSSOS_SLOW").is_some();
    Duration::from_secs(if is_slow { 60 } else { 2 })
}

#[test]
fn a_database_held_by_another_process_is_waited_for_and_can_be_read() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let started = Instant::now();
    let other = hold(folder.path(), held_time());
    assert_eq!(store.read().nights().expect("readers go on").len(), 1);
    assert!(started.elapsed() < held_time() / 2, "reading did not wait");
    store.set_service_value("test", Some("x")).expect("written when it was free");
    assert!(started.elapsed() >= held_time(), "it cannot have been written before");
    other.join().expect("ended");
    assert_eq!(store.read().service_value("test").expect("read").as_deref(), Some("x"));

    store.close_cleanly().expect("closed");
    let other = hold(folder.path(), Duration::from_millis(500));
    assert!(Store::open(folder.path()).is_ok(), "opening waits as well");
    other.join().expect("ended");
}

#[test]
fn waiting_for_another_process_has_an_end() {
    let folder = tempfile::tempdir().expect("folder");
    let mut connection = Connection::open(folder.path().join(DATABASE_NAME)).expect("opened");
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).expect("WAL");
    schema::migrate(&mut connection).expect("made");
    connection.busy_timeout(Duration::from_millis(100)).expect("set");
    let writer = Writer::start(connection).expect("started");
    let other = hold(folder.path(), Duration::from_secs(1));
    let busy = writer.transact(|_| Ok(())).expect_err("held for longer");
    assert!(matches!(busy, StoreError::Busy { .. }), "{busy:?}");
    assert_eq!(busy.retry(), Retry::After(Duration::from_secs(10)));
    assert!(!busy.is_operators());
    other.join().expect("ended");
    writer.transact(|_| Ok(())).expect("free again");
}

#[test]
fn a_half_written_log_loses_only_what_was_not_committed() {
    let folder = tempfile::tempdir().expect("folder");
    let copy = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    store.set_service_value("first", Some("kept")).expect("written");
    let log = format!("{DATABASE_NAME}-wal");
    let length_before = std::fs::metadata(folder.path().join(&log)).expect("a log").len();
    store.set_service_value("second", Some("torn")).expect("written");
    for name in [DATABASE_NAME, &log] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).expect("copied");
    }
    // The last frame of the log reached the disk by half, as a power cut leaves it.
    let torn = std::fs::File::options().write(true).open(copy.path().join(&log)).expect("a log");
    let length = torn.metadata().expect("a length").len();
    assert!(length > length_before);
    torn.set_len(length_before + (length - length_before) / 2).expect("cut");
    let after = Store::open(copy.path()).expect("opened");
    assert!(after.was_unclean());
    let value = |key| after.read().service_value(key).expect("read");
    assert_eq!(value("first").as_deref(), Some("kept"));
    assert_eq!(value("second"), None);
    assert_eq!(super::super::check::full_check(copy.path()).expect("checked"), [""; 0]);
    after.begin_night(&night(), &NightSource::only("/raw"), at(1.0)).expect("work goes on");
}
