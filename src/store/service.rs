//! The service's own memory: a handful of values by name, kept over restarts.

use rusqlite::params;

use super::error::{StoreError, during};
use super::{Reader, Store};

impl Store {
    /// Keeps a value under a name; `None` forgets it.
    pub fn set_service_value(
        &self,
        key: &'static str,
        value: Option<&str>,
    ) -> Result<(), StoreError> {
        let value = value.map(str::to_owned);
        self.writer().transact(move |transaction| {
            match value {
                Some(value) => transaction.execute(
                    "INSERT INTO service (key, value) VALUES (?1, ?2) \
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    params![key, value],
                ),
                None => transaction.execute("DELETE FROM service WHERE key = ?1", [key]),
            }
            .map_err(during("keep the service's state"))?;
            Ok(())
        })
    }
}

impl Reader {
    /// The value under a name.
    pub fn service_value(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.row(
            "read the service's state",
            "SELECT value FROM service WHERE key = ?1",
            &[&key],
            |row| row.get(0),
        )
    }
}
