//! What services answered about known objects, and which nights need which answers.
//!
//! An answer belongs to its question and is kept, so that a night needs the network once. A night's
//! rows say what its frames need, and what of it was missing when it was closed: once that has
//! come, whoever brought it, the night is to be done again.

use rusqlite::params;

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::{Reader, Store};
use crate::science::time::Epoch;

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownReply {
    /// The question.
    pub request: String,
    /// The places, as `formats::known_csv` writes them.
    pub places: String,
    /// Rows of the answer that could not be read.
    pub n_bad: u64,
    /// Whether only asteroids were asked for, since the service failed on satellites.
    pub is_asteroids_only: bool,
}

impl Store {
    /// Keeps an answer; replaces an older one.
    pub fn keep_known_reply(&self, reply: KnownReply, at: Epoch) -> Result<(), StoreError> {
        self.writer().transact(move |transaction| {
            let n_bad = i64::try_from(reply.n_bad).unwrap_or(i64::MAX);
            transaction
                .execute(
                    "INSERT OR REPLACE INTO known_reply \
                     (request, places, n_bad, is_asteroids_only, fetched_mjd_utc) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![
                        reply.request,
                        reply.places,
                        n_bad,
                        reply.is_asteroids_only,
                        at.mjd_utc()
                    ],
                )
                .map_err(during("keep an answer about known objects"))?;
            Ok(())
        })
    }

    /// Notes what a night needs and what of it is there; replaces what was noted before.
    pub fn set_known_requests(
        &self,
        night: &NightId,
        requests: Vec<String>,
    ) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            transaction
                .execute("DELETE FROM known_request WHERE night = ?1", [&night])
                .map_err(during("forget what a night needed"))?;
            for request in requests {
                transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO known_request (night, request, had_reply) \
                         VALUES (?1, ?2, EXISTS \
                         (SELECT 1 FROM known_reply WHERE known_reply.request = ?2))",
                    )
                    .and_then(|mut statement| statement.execute(params![night, request]))
                    .map_err(during("note what a night needs"))?;
            }
            Ok(())
        })
    }

    /// Opens nights again that were closed without an answer that is there now; tells which.
    pub fn open_answered_nights(&self) -> Result<Vec<String>, StoreError> {
        const ANSWERED: &str = "had_reply = 0 AND request IN (SELECT request FROM known_reply)";
        self.writer().transact(|transaction| {
            let work = || -> rusqlite::Result<Vec<String>> {
                let sql = format!(
                    "SELECT DISTINCT night FROM known_request WHERE {ANSWERED} ORDER BY night"
                );
                let mut statement = transaction.prepare(&sql)?;
                let nights: Vec<String> =
                    statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
                for night in &nights {
                    transaction.execute(
                        "UPDATE night SET state = 'open', listing = NULL WHERE id = ?1",
                        [night],
                    )?;
                }
                let sql = format!("UPDATE known_request SET had_reply = 1 WHERE {ANSWERED}");
                transaction.execute(&sql, [])?;
                Ok(nights)
            };
            work().map_err(during("open nights whose answers came"))
        })
    }
}

impl Reader {
    /// The kept answer to a question.
    pub fn known_reply(&self, request: &str) -> Result<Option<KnownReply>, StoreError> {
        self.row(
            "read an answer about known objects",
            "SELECT request, places, n_bad, is_asteroids_only FROM known_reply WHERE request = ?1",
            &[&request],
            |row| {
                Ok(KnownReply {
                    request: row.get(0)?,
                    places: row.get(1)?,
                    n_bad: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                    is_asteroids_only: row.get(3)?,
                })
            },
        )
    }

    /// What a night needed when it was last worked on, in order.
    pub fn known_requests(&self, night: &NightId) -> Result<Vec<String>, StoreError> {
        self.rows(
            "read what a night needs",
            "SELECT request FROM known_request WHERE night = ?1 ORDER BY request",
            &[&night.as_str()],
            |row| row.get(0),
        )
    }

    /// Questions that some night waits for and that have no answer yet; at most `limit`.
    pub fn wanted_known_requests(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        self.rows(
            "read what nights wait for",
            "SELECT DISTINCT request FROM known_request \
             WHERE request NOT IN (SELECT request FROM known_reply) ORDER BY request LIMIT ?1",
            &[&limit],
            |row| row.get(0),
        )
    }
}
