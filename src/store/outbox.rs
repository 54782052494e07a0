//! What shall leave the house: queued with the decision, sent later, once.

use rusqlite::{Transaction, params};

use crate::science::time::Epoch;

use super::error::{StoreError, during};
use super::{Reader, Store};

/// A message to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// What it is, e.g. `mail/2026-03-01/<hash of the report>`; a key is queued once, for ever.
    pub key: String,
    /// How it goes out, e.g. `mail`.
    pub kind: String,
    /// One line for listings.
    pub subject: String,
    /// The bytes to be sent.
    pub body: Vec<u8>,
}

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxState {
    /// Waits to be sent.
    Pending,
    /// Went out.
    Sent,
    /// Given up.
    Failed,
}

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
    /// What the last failed try said.
    pub last_error: Option<String>,
    /// When it was queued.
    pub created: Epoch,
}

impl Store {
    /// Queues a message; a key that was queued before, sent or not, changes nothing.
    pub fn enqueue(&self, message: OutboxMessage, at: Epoch) -> Result<(), StoreError> {
        self.writer().transact(move |transaction| enqueue(transaction, &message, at))
    }

    /// Notes that a message went out.
    pub fn mark_sent(&self, id: i64, at: Epoch) -> Result<(), StoreError> {
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "UPDATE outbox SET state = 'sent', attempts = attempts + 1, \
                     last_error = NULL, sent_mjd_utc = ?2 WHERE id = ?1 AND state <> 'sent'",
                    params![id, at.mjd_utc()],
                )
                .map_err(during("mark a message as sent"))?;
            Ok(())
        })
    }

    /// Notes a failed try; the message stays pending unless `next` is [`OutboxState::Failed`].
    pub fn mark_attempt(&self, id: i64, error: &str, next: OutboxState) -> Result<(), StoreError> {
        let error = error.to_owned();
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "UPDATE outbox SET state = ?2, attempts = attempts + 1, last_error = ?3 \
                     WHERE id = ?1 AND state <> 'sent'",
                    params![id, state_word(next), error],
                )
                .map_err(during("note a failed try to send"))?;
            Ok(())
        })
    }
}

impl Reader {
    /// Messages in a state, oldest first.
    pub fn outbox(&self, state: OutboxState) -> Result<Vec<OutboxRow>, StoreError> {
        self.rows(
            "read the outbox",
            "SELECT id, key, kind, subject, body, attempts, last_error, created_mjd_utc \
             FROM outbox WHERE state = ?1 ORDER BY id",
            &[&state_word(state)],
            |row| {
                Ok(OutboxRow {
                    id: row.get(0)?,
                    message: OutboxMessage {
                        key: row.get(1)?,
                        kind: row.get(2)?,
                        subject: row.get(3)?,
                        body: row.get(4)?,
                    },
                    state,
                    attempts: row.get(5)?,
                    last_error: row.get(6)?,
                    created: Epoch::from_mjd_utc(row.get(7)?),
                })
            },
        )
    }
}

/// Queues a message inside a transaction.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    message: &OutboxMessage,
    at: Epoch,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "INSERT INTO outbox (key, kind, subject, body, state, created_mjd_utc) \
             VALUES (?1, ?2, ?3, ?4, 'pending', ?5) ON CONFLICT (key) DO NOTHING",
            params![message.key, message.kind, message.subject, message.body, at.mjd_utc()],
        )
        .map_err(during("queue a message"))?;
    Ok(())
}

/// The word of the table.
fn state_word(state: OutboxState) -> &'static str {
    match state {
        OutboxState::Pending => "pending",
        OutboxState::Sent => "sent",
        OutboxState::Failed => "failed",
    }
}
