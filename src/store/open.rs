//! Opening and closing: what is refused, what is mended, and whether the last process ended well.
//!
//! A process that ends in order takes its mark (`running` in the table `service`) away; one that
//! was killed leaves it, and the next one knows that it must look twice.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, Transaction};
use rustix::fs::{Access, access};

use super::attempts::{self, LeftAttempt};
use super::error::{StoreError, during};
use super::files::Products;
use super::{DATABASE_NAME, Reader, Store, filesystem, restore, schema};
use super::{Writer, writer};

/// Name of the lock file in the data folder.
const LOCK_NAME: &str = "autossos.lock";
/// Name of the mark of a working process in the table `service`.
const RUNNING_KEY: &str = "running";

impl Store {
    /// Opens or makes a data folder, takes its lock and cleans up after a killed run.
    ///
    /// Refuses network file systems and databases that are damaged or from a newer program; see
    /// [`StoreError::is_operators`]. Waits for another process that holds the database.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        Self::open_if_local(data_dir, filesystem::is_network)
    }

    /// As [`Store::open`], with another judge of the file system: for tests.
    pub fn open_if_local(
        data_dir: &Path,
        is_network: impl Fn(&Path) -> io::Result<bool>,
    ) -> Result<Self, StoreError> {
        let lock = take_lock(data_dir, is_network)?;
        restore::finish(data_dir)?;
        Products::below(data_dir).remove_leftovers()?;
        let writer = Writer::start(open_connection(data_dir)?)?;
        let (was_unclean, left_running) = writer.transact(take_over)?;
        let reader = Reader::open(data_dir)?;
        Ok(Self {
            writer,
            reader,
            data_dir: data_dir.to_owned(),
            was_unclean,
            needs_check: AtomicBool::new(was_unclean),
            left_running,
            _lock: lock,
        })
    }

    /// Tells whether the last process that worked here was killed: `check::quick_check` is due.
    pub fn was_unclean(&self) -> bool {
        self.was_unclean
    }

    /// Notes that the check after an unclean stop found the database whole.
    ///
    /// Without it the mark of the killed process stays when this one ends, for the next one.
    pub fn note_checked(&self) {
        self.needs_check.store(false, Ordering::Relaxed);
    }

    /// Frames that the last process had in work when it was killed; already counted against them.
    pub fn left_running(&self) -> &[LeftAttempt] {
        &self.left_running
    }

    /// Notes that this process ends in order: frames still in work did not kill it.
    ///
    /// For a process that ends while a thread holds the store; else see [`Store::close_cleanly`].
    pub fn mark_clean(&self) -> Result<(), StoreError> {
        let needs_check = self.needs_check.load(Ordering::Relaxed);
        self.writer().transact(move |transaction| {
            attempts::release(transaction)?;
            if needs_check {
                return Ok(());
            }
            transaction
                .execute("DELETE FROM service WHERE key = ?1", [RUNNING_KEY])
                .map_err(during("note the end of the work"))?;
            Ok(())
        })
    }

    /// Ends the work in order; a store that is only dropped counts as killed at the next start.
    pub fn close_cleanly(self) -> Result<(), StoreError> {
        self.mark_clean()
    }
}

/// Sets the mark of a working process and settles what a killed one left.
fn take_over(transaction: &Transaction<'_>) -> Result<(bool, Vec<LeftAttempt>), StoreError> {
    let n_new = transaction
        .execute(
            "INSERT INTO service (key, value) VALUES (?1, 'yes') ON CONFLICT (key) DO NOTHING",
            [RUNNING_KEY],
        )
        .map_err(during("note the begin of the work"))?;
    Ok((n_new == 0, attempts::settle(transaction)?))
}

/// Makes the data folder and takes its lock, which the system gives back when the process ends.
pub(super) fn take_lock(
    data_dir: &Path,
    is_network: impl Fn(&Path) -> io::Result<bool>,
) -> Result<File, StoreError> {
    let refuse = |source| StoreError::DataFolder { path: data_dir.to_owned(), source };
    std::fs::create_dir_all(data_dir).map_err(refuse)?;
    // Before the lock: on a network file system it may hang or hold nothing.
    if is_network(data_dir).map_err(refuse)? {
        return Err(StoreError::NetworkFolder { path: data_dir.to_owned() });
    }
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data_dir.join(LOCK_NAME))
        .map_err(refuse)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: data_dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(refuse(source)),
    }
}

/// Opens the database for writing and brings it to the known form.
fn open_connection(data_dir: &Path) -> Result<Connection, StoreError> {
    let path = data_dir.join(DATABASE_NAME);
    // SQLite only says that it cannot open the file. It must not be opened here to find out:
    // closing it would give back the locks of this process's other connections.
    match access(&path, Access::READ_OK | Access::WRITE_OK) {
        Err(error) if error != rustix::io::Errno::NOENT => {
            return Err(StoreError::DataFolder { path, source: error.into() });
        }
        _ => {}
    }
    let prepare = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(&path)?;
        connection.busy_timeout(Duration::from_secs(writer::WAIT_MAX_S))?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", super::reader::CACHE_KIB)?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        Ok(connection)
    };
    let mut connection = prepare()
        .map_err(during("open the database"))
        .map_err(|error| error.in_folder(data_dir))?;
    schema::migrate(&mut connection).map_err(|error| error.in_folder(data_dir))?;
    Ok(connection)
}
