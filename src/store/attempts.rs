//! Frames in work: which of them may have killed the process that worked on them.
//!
//! A row is written before a frame is begun and deleted when it is ended, well or not. What a
//! killed process leaves is settled when the store is opened: a frame that was alone in work is
//! counted one death; those that were in company stay as suspects, to be tried alone.

use rusqlite::{Transaction, params};

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::{Reader, Store};

/// Whether other frames are in work at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// No other: if the process dies, it was this one.
    Alone,
    /// Others: any of them may have killed it.
    Shared,
}

/// A frame that a killed process had in work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAttempt {
    /// Its night.
    pub night: String,
    /// Its content hash.
    pub content_hash: String,
    /// Whether others were in work.
    pub company: Company,
    /// Processes that died with it alone in work, this one included.
    pub n_deaths: u32,
}

/// A frame that was in work when a process died and was not ended since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// Its content hash.
    pub content_hash: String,
    /// Processes that died with it alone in work; 0 = it was only in company.
    pub n_deaths: u32,
}

impl Store {
    /// Notes that frames of a night are in work, in one transaction; deaths counted are kept.
    pub fn attempt_begin(
        &self,
        night: &NightId,
        content_hashes: &[&str],
        company: Company,
    ) -> Result<(), StoreError> {
        let night = night.to_string();
        let content_hashes: Vec<String> = content_hashes.iter().map(|&h| h.to_owned()).collect();
        self.writer().transact(move |transaction| {
            for content_hash in &content_hashes {
                transaction
                    .prepare_cached(
                        "INSERT INTO attempt (night, content_hash, is_running, is_alone, n_deaths) \
                         VALUES (?1, ?2, 1, ?3, 0) ON CONFLICT (night, content_hash) \
                         DO UPDATE SET is_running = 1, is_alone = excluded.is_alone",
                    )
                    .and_then(|mut statement| {
                        statement.execute(params![night, content_hash, company == Company::Alone])
                    })
                    .map_err(during("note a frame in work"))?;
            }
            Ok(())
        })
    }

    /// Notes that frames of a night are ended, well or not: they killed nobody.
    pub fn attempt_end(&self, night: &NightId, content_hashes: &[&str]) -> Result<(), StoreError> {
        let night = night.to_string();
        let content_hashes: Vec<String> = content_hashes.iter().map(|&h| h.to_owned()).collect();
        self.writer().transact(move |transaction| {
            for content_hash in &content_hashes {
                transaction
                    .prepare_cached("DELETE FROM attempt WHERE night = ?1 AND content_hash = ?2")
                    .and_then(|mut statement| statement.execute([&night, content_hash]))
                    .map_err(during("note the end of a frame"))?;
            }
            Ok(())
        })
    }

    /// Forgets what was held against a night's frames: they are tried anew.
    pub fn forget_attempts(&self, night: &NightId) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            transaction
                .execute("DELETE FROM attempt WHERE night = ?1", [&night])
                .map_err(during("forget the tries of a night"))?;
            Ok(())
        })
    }
}

impl Reader {
    /// Frames of a night that may have killed a process and are not in work now, by hash.
    pub fn suspects(&self, night: &NightId) -> Result<Vec<Suspect>, StoreError> {
        self.rows(
            "look up suspect frames",
            "SELECT content_hash, n_deaths FROM attempt \
             WHERE night = ?1 AND is_running = 0 ORDER BY content_hash",
            &[&night.as_str()],
            |row| Ok(Suspect { content_hash: row.get(0)?, n_deaths: row.get(1)? }),
        )
    }
}

/// Settles what a killed process left in work; returns it with its deaths counted.
pub(super) fn settle(transaction: &Transaction<'_>) -> Result<Vec<LeftAttempt>, StoreError> {
    let settle = || -> rusqlite::Result<Vec<LeftAttempt>> {
        transaction.execute(
            "UPDATE attempt SET n_deaths = n_deaths + 1 WHERE is_running = 1 AND is_alone = 1",
            [],
        )?;
        let left = transaction
            .prepare(
                "SELECT night, content_hash, is_alone, n_deaths FROM attempt \
                 WHERE is_running = 1 ORDER BY night, content_hash",
            )?
            .query_map([], |row| {
                Ok(LeftAttempt {
                    night: row.get(0)?,
                    content_hash: row.get(1)?,
                    company: if row.get(2)? { Company::Alone } else { Company::Shared },
                    n_deaths: row.get(3)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        transaction.execute("UPDATE attempt SET is_running = 0 WHERE is_running = 1", [])?;
        Ok(left)
    };
    settle().map_err(during("settle the frames that were in work"))
}

/// Lets the frames in work go without counting anything: the process ends in order.
///
/// Those that were suspects before stay suspects.
pub(super) fn release(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction
        .execute("DELETE FROM attempt WHERE is_running = 1 AND n_deaths = 0", [])
        .and_then(|_| {
            transaction.execute("UPDATE attempt SET is_running = 0 WHERE is_running = 1", [])
        })
        .map_err(during("let the frames in work go"))?;
    Ok(())
}
