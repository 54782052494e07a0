//! What is known and done, kept over kills and restarts: SQLite and the product folders.
//!
//! A data folder holds `autossos.sqlite` (the only truth), `products/` (files that can be made
//! again) and a lock file. [`Store`] owns the folder for one process and writes; [`Reader`] only
//! reads and needs no lock. Methods of both lie in one file per table: `nights`, `frames`,
//! `stages`, `candidates`, `verdicts`, `outbox`, `masters`. All writing is one IMMEDIATE
//! transaction per call on one thread (`writer`), and repeating a call changes nothing.

pub mod candidates;
pub mod error;
pub mod files;
pub mod filesystem;
pub mod frames;
pub mod masters;
pub mod night_id;
pub mod nights;
pub mod outbox;
mod payload;
pub mod reader;
mod schema;
pub mod service;
pub mod stages;
pub mod verdicts;
pub mod writer;

#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

pub use error::{Retry, StoreError};
pub use files::{ProductFile, ProductKind, Products};
pub use night_id::NightId;
pub use reader::Reader;
pub use writer::Writer;

/// Name of the database in the data folder.
pub const DATABASE_NAME: &str = "autossos.sqlite";
/// Name of the lock file in the data folder.
const LOCK_NAME: &str = "autossos.lock";

/// The state of the observatory, owned by this process.
#[derive(Debug)]
pub struct Store {
    // Fields drop in this order: the connections are closed before the lock is given back.
    writer: Writer,
    reader: Reader,
    data_dir: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens or makes a data folder, takes its lock and cleans up after a killed run.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let lock = take_lock(data_dir)?;
        Products::below(data_dir).remove_leftovers()?;
        let connection = open_connection(&data_dir.join(DATABASE_NAME))?;
        let writer = Writer::start(connection)?;
        let reader = Reader::open(data_dir)?;
        Ok(Self { writer, reader, data_dir: data_dir.to_owned(), _lock: lock })
    }

    /// Everything that can be asked.
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// The connection that writes, for work that must be one transaction.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The product folders.
    pub fn products(&self) -> &Products {
        self.reader.products()
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}

/// Makes the data folder and takes its lock, which the system gives back when the process ends.
fn take_lock(data_dir: &Path) -> Result<File, StoreError> {
    let refuse = |source| StoreError::DataFolder { path: data_dir.to_owned(), source };
    std::fs::create_dir_all(data_dir).map_err(refuse)?;
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
fn open_connection(path: &Path) -> Result<Connection, StoreError> {
    let prepare = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_millis(reader::BUSY_TIMEOUT_MS))?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        Ok(connection)
    };
    let mut connection = prepare().map_err(error::during("open the database"))?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}
