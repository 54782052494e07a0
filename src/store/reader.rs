//! Reading without writing: a read-only connection, usable while another process writes.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};

use super::DATABASE_NAME;
use super::error::{StoreError, during};
use super::files::Products;
use super::schema;

/// How long a reading connection waits for another one [ms].
pub(super) const BUSY_TIMEOUT_MS: u64 = 5000;

/// Pages that a connection keeps, as SQLite wants it: negative for KiB. Little is read twice.
pub(super) const CACHE_KIB: i32 = -512;

/// Answers questions about a data folder; its methods lie beside the writing ones of each table.
#[derive(Debug)]
pub struct Reader {
    connection: Mutex<Connection>,
    products: Products,
}

impl Reader {
    /// Opens the database of a data folder for reading; needs no lock.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let path: PathBuf = data_dir.join(DATABASE_NAME);
        if !path.is_file() {
            return Err(StoreError::NoDatabase { path });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)
            .and_then(|connection| {
                connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
                connection.pragma_update(None, "cache_size", CACHE_KIB)?;
                Ok(connection)
            })
            .map_err(during("open the database for reading"))
            .map_err(|error| error.in_folder(data_dir))?;
        let found = schema::version_of(&connection).map_err(|error| error.in_folder(data_dir))?;
        let known = schema::known_version();
        if found == 0 {
            // A service that starts for the first time has made the file and nothing in it.
            return Err(StoreError::NoDatabase { path });
        }
        match found.cmp(&known) {
            std::cmp::Ordering::Greater => Err(StoreError::NewerDatabase { found, known }),
            std::cmp::Ordering::Less => Err(StoreError::OlderDatabase { found, known }),
            std::cmp::Ordering::Equal => {
                Ok(Self { connection: Mutex::new(connection), products: Products::below(data_dir) })
            }
        }
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        self.products.data_dir()
    }

    /// The product folders.
    pub fn products(&self) -> &Products {
        &self.products
    }

    /// All rows of a query, each made into a value.
    pub(super) fn rows<T>(
        &self,
        operation: &'static str,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
        make: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        // Reading changes nothing, so a panic of another reader leaves nothing half done.
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let all = || -> rusqlite::Result<Vec<T>> {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(parameters, make)?.collect()
        };
        all().map_err(|error| during(operation)(error).in_folder_of(&connection))
    }

    /// The only row of a query, if there is one.
    pub(super) fn row<T>(
        &self,
        operation: &'static str,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
        make: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.rows(operation, sql, parameters, make)?.into_iter().next())
    }
}
