//! Numbers of a night's unnamed objects: given once, kept over reprocessing, never given twice.

use rusqlite::params;

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::{Reader, Store};

/// The number of an object of a night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectNumber {
    /// The number, from 1.
    pub number: u32,
    /// Identifier of the candidate that it belongs to.
    pub candidate_id: String,
    /// Its detections, as JSON of `ops::vetting`: they tell it when its identifier has changed.
    pub about: String,
}

impl Store {
    /// Keeps numbers of a night; those of the same number are replaced, others stay.
    pub fn keep_object_numbers(
        &self,
        night: &NightId,
        numbers: Vec<ObjectNumber>,
    ) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            let work = || -> rusqlite::Result<()> {
                // All go first: two objects may have changed their identifiers with each other.
                for row in &numbers {
                    transaction.execute(
                        "DELETE FROM object_number WHERE night = ?1 AND number = ?2",
                        params![night, row.number],
                    )?;
                }
                for row in &numbers {
                    transaction.execute(
                        "INSERT INTO object_number (night, number, candidate_id, about) \
                         VALUES (?1, ?2, ?3, ?4)",
                        params![night, row.number, row.candidate_id, row.about],
                    )?;
                }
                Ok(())
            };
            work().map_err(during("keep the numbers of a night's objects"))
        })
    }
}

impl Reader {
    /// The numbers of a night's objects, in order.
    pub fn object_numbers(&self, night: &NightId) -> Result<Vec<ObjectNumber>, StoreError> {
        self.rows(
            "read the numbers of a night's objects",
            "SELECT number, candidate_id, about FROM object_number WHERE night = ?1 \
             ORDER BY number",
            &[&night.as_str()],
            |row| {
                Ok(ObjectNumber {
                    number: row.get(0)?,
                    candidate_id: row.get(1)?,
                    about: row.get(2)?,
                })
            },
        )
    }
}
