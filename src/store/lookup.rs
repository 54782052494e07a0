//! Finding nights and frames by what a person types, and the rows behind a single frame.

use std::collections::BTreeMap;

use super::Reader;
use super::error::StoreError;
use super::night_id::NightId;

/// Most frames that one text may find; more than one is too many already.
const FOUND_MAX: i64 = 20;
/// Fewest characters of a content hash that name a frame.
pub const HASH_PREFIX_MIN: usize = 6;

/// What the service notes on a night.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NightMark {
    /// Name of its telescope; empty for the only one.
    pub telescope: String,
    /// Whether its report is written.
    pub is_closed: bool,
    /// What a person asked for and was not yet done: `close`, `reopen`.
    pub request: Option<String>,
}

/// A frame that a name or the start of a content hash found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFrame {
    /// Its night.
    pub night: String,
    /// Its file's name.
    pub name: String,
    /// Its content hash, hexadecimal.
    pub content_hash: String,
}

/// The stored result of a frame as its maker wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptResult {
    /// Content hash of the frame.
    pub subject: String,
    /// Name of the stage or unit of stages.
    pub stage: String,
    /// JSON of the stage's own making.
    pub payload: String,
}

impl Reader {
    /// Telescope and request of each night.
    pub fn night_marks(&self) -> Result<BTreeMap<String, NightMark>, StoreError> {
        let rows = self.rows(
            "read the nights' marks",
            "SELECT id, telescope, state = 'closed', request FROM night",
            &[],
            |row| {
                let mark = NightMark {
                    telescope: row.get(1)?,
                    is_closed: row.get(2)?,
                    request: row.get(3)?,
                };
                Ok((row.get::<_, String>(0)?, mark))
            },
        )?;
        Ok(rows.into_iter().collect())
    }

    /// When a night's present report was written [d, MJD UTC]; `None` while there is none.
    pub fn night_closed_at(&self, night: &NightId) -> Result<Option<f64>, StoreError> {
        let found: Option<Option<f64>> = self.row(
            "look up a night's report",
            "SELECT closed_mjd_utc FROM night WHERE id = ?1",
            &[&night.as_str()],
            |row| row.get(0),
        )?;
        Ok(found.flatten())
    }

    /// Whether a night's report is written and nothing came since.
    pub fn night_is_closed(&self, night: &NightId) -> Result<bool, StoreError> {
        let found: Option<bool> = self.row(
            "look up a night's state",
            "SELECT state = 'closed' FROM night WHERE id = ?1",
            &[&night.as_str()],
            |row| row.get(0),
        )?;
        Ok(found.unwrap_or(false))
    }

    /// Science frames of a name or of a content hash that starts so, the newest night first.
    ///
    /// * `night`: only of this night.
    ///
    /// A frame counts once it was worked on: it has a row, a stage result or a noted try.
    pub fn find_frames(
        &self,
        text: &str,
        night: Option<&NightId>,
    ) -> Result<Vec<FoundFrame>, StoreError> {
        // No prefix: the hash must be equal to something that no hash is.
        let is_hash = text.len() >= HASH_PREFIX_MIN && text.bytes().all(|b| b.is_ascii_hexdigit());
        let prefix = if is_hash { text.to_ascii_lowercase() } else { "-".to_owned() };
        self.rows(
            "find a frame",
            "SELECT night, name, content_hash FROM ( \
               SELECT night, name, content_hash FROM frame \
               UNION SELECT night, name, content_hash FROM night_file AS f WHERE EXISTS ( \
                 SELECT 1 FROM stage_result AS s \
                 WHERE s.night = f.night AND s.subject = f.content_hash) \
               OR EXISTS ( \
                 SELECT 1 FROM attempt AS a \
                 WHERE a.night = f.night AND a.content_hash = f.content_hash)) \
             WHERE (name = ?1 OR substr(content_hash, 1, length(?2)) = ?2) \
               AND (?3 IS NULL OR night = ?3) \
             ORDER BY night DESC, name LIMIT ?4",
            &[&text, &prefix, &night.map(NightId::as_str), &FOUND_MAX],
            |row| {
                Ok(FoundFrame { night: row.get(0)?, name: row.get(1)?, content_hash: row.get(2)? })
            },
        )
    }

    /// The stored results of a night's frames; of one only when its content hash is given.
    pub fn frame_results(
        &self,
        night: &NightId,
        content_hash: Option<&str>,
    ) -> Result<Vec<KeptResult>, StoreError> {
        self.rows(
            "read the results of frames",
            "SELECT subject, stage, payload FROM stage_result \
             WHERE night = ?1 AND subject <> 'night' AND (?2 IS NULL OR subject = ?2) \
             ORDER BY subject, stage",
            &[&night.as_str(), &content_hash],
            |row| Ok(KeptResult { subject: row.get(0)?, stage: row.get(1)?, payload: row.get(2)? }),
        )
    }

    /// Number of messages that wait to be sent.
    pub fn outbox_pending(&self) -> Result<u64, StoreError> {
        let n: Option<i64> = self.row(
            "count the outbox",
            "SELECT count(*) FROM outbox WHERE state = 'pending'",
            &[],
            |row| row.get(0),
        )?;
        Ok(n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    }

    /// When the first message that waits was queued and why its last try failed [d, MJD UTC].
    pub fn outbox_oldest(&self) -> Result<Option<(f64, Option<String>)>, StoreError> {
        self.row(
            "read the oldest message",
            "SELECT created_mjd_utc, last_error FROM outbox WHERE state = 'pending' \
             ORDER BY created_mjd_utc, id LIMIT 1",
            &[],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }
}

#[cfg(test)]
impl super::Store {
    /// Gives each night the telescope of the first part of its name.
    pub(crate) fn set_telescopes_for_tests(&self) {
        let sql = "UPDATE night SET telescope = substr(id, 1, instr(id, '.') - 1)";
        let work = move |transaction: &rusqlite::Transaction<'_>| {
            transaction.execute(sql, []).map_err(super::error::during("set telescopes"))
        };
        self.writer().transact(work).expect("set");
    }
}
