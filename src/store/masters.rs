//! Master frames of all nights, so that a night without calibration frames can use older ones.

use std::path::PathBuf;

use rusqlite::params;

use crate::science::time::Epoch;

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::payload::{decode, encode};
use super::{Reader, Store};

/// A master frame.
#[derive(Debug, Clone, PartialEq)]
pub struct MasterRow {
    /// What a frame must be like to be calibrated with it, e.g. `flat/kind of camera/2x2/V`.
    pub key: String,
    /// Its file, relative to the data folder.
    pub path: PathBuf,
    /// Content hashes of the frames it was made from.
    pub made_from: Vec<String>,
    /// Middle of the time its frames were taken.
    pub taken: Epoch,
    /// What else its makers want to know, JSON of their own making.
    pub payload: String,
}

impl Store {
    /// Keeps a night's master; replaces the night's former one of the same key.
    pub fn put_master(&self, night: &NightId, master: &MasterRow) -> Result<(), StoreError> {
        let (night, master) = (night.to_string(), master.clone());
        let made_from = encode("list of hashes", &master.made_from)?;
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "INSERT OR REPLACE INTO master \
                     (key, night, path, made_from, taken_mjd_utc, payload) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        master.key,
                        night,
                        master.path.to_string_lossy(),
                        made_from,
                        master.taken.mjd_utc(),
                        master.payload
                    ],
                )
                .map_err(during("keep a master"))?;
            Ok(())
        })
    }
}

impl Store {
    /// Takes the row of a night's master away.
    pub fn forget_master(&self, night: &NightId, key: &str) -> Result<(), StoreError> {
        let (night, key) = (night.to_string(), key.to_owned());
        self.writer().transact(move |transaction| {
            transaction
                .execute("DELETE FROM master WHERE night = ?1 AND key = ?2", params![night, key])
                .map_err(during("forget a master"))?;
            Ok(())
        })
    }
}

impl Reader {
    /// The newest master of a key taken not later than `until`, whose file still lies there.
    pub fn newest_master(&self, key: &str, until: Epoch) -> Result<Option<MasterRow>, StoreError> {
        let rows = self.masters_where("key = ?1", key)?;
        Ok(rows.into_iter().find(|master| master.taken <= until))
    }

    /// All masters whose key starts with `prefix` and whose file still lies there, newest first.
    pub fn masters(&self, prefix: &str) -> Result<Vec<MasterRow>, StoreError> {
        self.masters_where("substr(key, 1, length(?1)) = ?1", prefix)
    }

    /// Masters by a condition on their key, newest first.
    fn masters_where(&self, condition: &str, key: &str) -> Result<Vec<MasterRow>, StoreError> {
        let sql = format!(
            "SELECT key, path, made_from, taken_mjd_utc, payload FROM master \
             WHERE {condition} ORDER BY taken_mjd_utc DESC, key, night"
        );
        let rows = self.rows("look up masters", &sql, &[&key], |row| {
            let made_from: String = row.get(2)?;
            let master = MasterRow {
                key: row.get(0)?,
                path: PathBuf::from(row.get::<_, String>(1)?),
                made_from: Vec::new(),
                taken: Epoch::from_mjd_utc(row.get(3)?),
                payload: row.get(4)?,
            };
            Ok((master, made_from))
        })?;
        let is_there = |master: &MasterRow| {
            self.products().resolve(&master.path).is_ok_and(|path| path.is_file())
        };
        rows.into_iter()
            .filter(|(master, _)| is_there(master))
            .map(|(master, text)| {
                Ok(MasterRow { made_from: decode("list of hashes", &text)?, ..master })
            })
            .collect()
    }
}
