//! Questions about the outbox: what is due, what waits, what a night's people were told.

use rusqlite::Row;
use rusqlite::types::Type;

use crate::science::time::Epoch;

use super::{KIND_DIGEST, KIND_MAIL, NightId, OutboxMessage, OutboxState, Reader, StoreError};

/// A queued message.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// Its number.
    pub id: i64,
    /// The message.
    pub message: OutboxMessage,
    /// How far it came.
    pub state: OutboxState,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last failed try said, or whom a sent message did not reach.
    pub last_error: Option<String>,
    /// When it was queued, or asked to be sent again.
    pub created: Epoch,
    /// When it may be tried next; none means at once.
    pub next_try: Option<Epoch>,
    /// When it was sent.
    pub sent: Option<Epoch>,
}

/// What the receivers were told of a night so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailHistory {
    /// Mails about the night that somebody may have got.
    pub n_tried: usize,
    /// Fingerprint of the report in the newest mail, tried or not.
    pub last_fingerprint: Option<String>,
    /// Identifier of the first mail that somebody may have got.
    pub first_message_id: Option<String>,
}

/// Mails that do not get out.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxTrouble {
    /// Messages that were tried in vain and wait.
    pub n_waiting: u64,
    /// Messages given up.
    pub n_given_up: u64,
    /// When the oldest of those that wait was queued.
    pub oldest: Option<Epoch>,
    /// What the last try of the oldest one said.
    pub last_error: Option<String>,
}

const COLUMNS: &str = "id, key, kind, night, message_id, subject, body, state, attempts, \
                       last_error, created_mjd_utc, next_try_mjd_utc, sent_mjd_utc";

impl Reader {
    /// Messages in a state, oldest first.
    pub fn outbox(&self, state: OutboxState) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM outbox WHERE state = ?1 ORDER BY id");
        self.rows("read the outbox", &sql, &[&state.word()], outbox_row)
    }

    /// At most `n_max` messages of any state, newest first.
    pub fn outbox_newest(&self, n_max: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM outbox ORDER BY id DESC LIMIT ?1");
        self.rows("read the outbox", &sql, &[&n_max], outbox_row)
    }

    /// At most `n_max` messages that are to be tried at `at`, oldest first.
    pub fn outbox_due(&self, at: Epoch, n_max: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM outbox WHERE state = 'pending' \
             AND coalesce(next_try_mjd_utc, ?1) <= ?1 ORDER BY id LIMIT ?2"
        );
        self.rows("read what is to be sent", &sql, &[&at.mjd_utc(), &n_max], outbox_row)
    }

    /// When the next message is to be tried, at `at` or later; `None` when none waits.
    pub fn outbox_next_try(&self, at: Epoch) -> Result<Option<Epoch>, StoreError> {
        let earliest: Option<Option<f64>> = self.row(
            "read when to send",
            "SELECT min(coalesce(next_try_mjd_utc, ?1)) FROM outbox WHERE state = 'pending'",
            &[&at.mjd_utc()],
            |row| row.get(0),
        )?;
        Ok(earliest.flatten().map(|mjd| Epoch::from_mjd_utc(mjd.max(at.mjd_utc()))))
    }

    /// What does not get out; `None` when nothing was tried in vain or given up.
    pub fn outbox_trouble(&self) -> Result<Option<OutboxTrouble>, StoreError> {
        let waiting = "state = 'pending' AND attempts > 0 AND last_error IS NOT NULL";
        let count = |condition: &str| -> Result<u64, StoreError> {
            let sql = format!("SELECT count(*) FROM outbox WHERE {condition}");
            let n: Option<i64> =
                self.row("count what does not get out", &sql, &[], |row| row.get(0))?;
            Ok(n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
        };
        let (n_waiting, n_given_up) = (count(waiting)?, count("state = 'failed'")?);
        if n_waiting == 0 && n_given_up == 0 {
            return Ok(None);
        }
        let sql = format!(
            "SELECT created_mjd_utc, last_error FROM outbox WHERE {waiting} ORDER BY id LIMIT 1"
        );
        let oldest: Option<(f64, Option<String>)> =
            self.row("read what does not get out", &sql, &[], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let (created, last_error) = oldest.map_or((None, None), |(mjd, error)| (Some(mjd), error));
        let oldest = created.map(Epoch::from_mjd_utc);
        Ok(Some(OutboxTrouble { n_waiting, n_given_up, oldest, last_error }))
    }

    /// What was told of a night so far.
    pub fn mail_history(&self, night: &NightId) -> Result<MailHistory, StoreError> {
        let mails: Vec<(String, String, String, Option<String>, bool)> = self.rows(
            "read what was told of a night",
            "SELECT key, kind, night, message_id, state <> 'pending' OR attempts > 0 \
             FROM outbox WHERE kind IN (?1, ?2) \
             AND instr(char(10) || night || char(10), char(10) || ?3 || char(10)) > 0 \
             ORDER BY id",
            &[&KIND_MAIL, &KIND_DIGEST, &night.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )?;
        let mut history = MailHistory::default();
        for (key, kind, nights, message_id, is_tried) in mails {
            history.last_fingerprint = fingerprint(&key, &kind, &nights, night.as_str());
            if is_tried {
                history.n_tried += 1;
                history.first_message_id = history.first_message_id.or(message_id);
            }
        }
        Ok(history)
    }
}

/// The report's fingerprint in a key: `mail/NIGHT/FINGERPRINT[/n]`, or one per night in
/// `digest/TIME/FINGERPRINT,FINGERPRINT,...`.
fn fingerprint(key: &str, kind: &str, nights: &str, night: &str) -> Option<String> {
    let all = key.split('/').nth(2)?;
    if kind == KIND_MAIL {
        return Some(all.to_owned());
    }
    let place = nights.split('\n').position(|name| name == night)?;
    all.split(',').nth(place).map(str::to_owned)
}

/// Reads a row of [`COLUMNS`].
fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let word: String = row.get(7)?;
    let state = [OutboxState::Pending, OutboxState::Sent, OutboxState::Failed]
        .into_iter()
        .find(|state| state.word() == word)
        .ok_or_else(|| rusqlite::Error::InvalidColumnType(7, "state".to_owned(), Type::Text))?;
    let nights: Option<String> = row.get(3)?;
    let epoch = |mjd: Option<f64>| mjd.map(Epoch::from_mjd_utc);
    Ok(OutboxRow {
        id: row.get(0)?,
        message: OutboxMessage {
            key: row.get(1)?,
            kind: row.get(2)?,
            nights: nights.map_or_else(Vec::new, |n| n.split('\n').map(str::to_owned).collect()),
            // Rows of the first schema have none; their bytes hold it.
            message_id: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
            subject: row.get(5)?,
            body: row.get(6)?,
        },
        state,
        attempts: row.get(8)?,
        last_error: row.get(9)?,
        created: Epoch::from_mjd_utc(row.get(10)?),
        next_try: epoch(row.get(11)?),
        sent: epoch(row.get(12)?),
    })
}
