//! Is the database whole? Checks on a connection of their own, beside the one that writes.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{StoreError, during};
use super::reader::BUSY_TIMEOUT_MS;
use super::{DATABASE_NAME, schema};

/// Faults told of a database; a damaged one may have thousands.
const FAULTS_MAX: usize = 100;

/// Checks the pages of a data folder's database; an empty list says that it is whole.
///
/// Holds up nobody and reads the whole file: some seconds per gigabyte. After an unclean stop it
/// runs on a thread of its own while the work goes on; see [`refuse_faults`] for what it found.
pub fn quick_check(data_dir: &Path) -> Result<Vec<String>, StoreError> {
    let connection = open_live(data_dir)?;
    complaints(&connection, "quick_check").map_err(|error| error.in_folder(data_dir))
}

/// Checks pages, indices and foreign keys of a data folder's database: slower and complete.
pub fn full_check(data_dir: &Path) -> Result<Vec<String>, StoreError> {
    all_complaints(&open_live(data_dir)?).map_err(|error| error.in_folder(data_dir))
}

/// Checks a database file that nobody writes, such as a backup: pages, indices, foreign keys.
///
/// An empty list says that it is whole.
pub fn integrity_check(path: &Path) -> Result<Vec<String>, StoreError> {
    all_complaints(&open_file(path)?)
}

/// The error that faults of a check make: the service ends and names the way out.
pub fn refuse_faults(data_dir: &Path, faults: &[String]) -> Result<(), StoreError> {
    match faults.first() {
        None => Ok(()),
        Some(first) => Err(StoreError::Faulty {
            data_dir: data_dir.to_owned(),
            n_faults: faults.len(),
            first: first.clone(),
        }),
    }
}

/// Schema version of a database file; `None` when it is not one of this program's.
pub(super) fn schema_version(path: &Path) -> Result<Option<u32>, StoreError> {
    let connection = open_file(path)?;
    let has_nights: bool = connection
        .query_row("SELECT count(*) FROM sqlite_master WHERE name = 'night'", [], |row| row.get(0))
        .map_err(during("look for the table of nights"))?;
    let version = schema::version_of(&connection)?;
    Ok(Some(version).filter(|&version| has_nights && version > 0))
}

/// Opens a data folder's database for reading, of any version.
pub(super) fn open_live(data_dir: &Path) -> Result<Connection, StoreError> {
    open_file(&data_dir.join(DATABASE_NAME)).map_err(|error| error.in_folder(data_dir))
}

/// Opens a database file for reading.
pub(super) fn open_file(path: &Path) -> Result<Connection, StoreError> {
    if !path.is_file() {
        return Err(StoreError::NoDatabase { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| {
            connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
            Ok(connection)
        })
        .map_err(during("open the database for a check"))
}

/// What the complete check and the check of foreign keys complain about.
fn all_complaints(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut faults = complaints(connection, "integrity_check")?;
    if faults.is_empty() {
        faults = broken_references(connection).map_err(during("check the foreign keys"))?;
    }
    Ok(faults)
}

/// Lines of a check that are not `ok`; damage that ends the check is a complaint as well.
fn complaints(connection: &Connection, check: &str) -> Result<Vec<String>, StoreError> {
    let sql = format!("PRAGMA {check}({FAULTS_MAX})");
    let lines = || -> rusqlite::Result<Vec<String>> {
        connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
    };
    match lines() {
        Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
        Err(error) if is_damage(&error) => Ok(vec![error.to_string()]),
        Err(error) => Err(during("check the database")(error)),
    }
}

/// Rows whose foreign key leads nowhere.
fn broken_references(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let rows = statement.query_map([], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of {table} names a row of {parent} that is not there"))
    })?;
    rows.take(FAULTS_MAX).collect()
}

/// Tells whether SQLite found pages or the whole file damaged.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
