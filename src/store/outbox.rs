//! What shall leave the house: queued with the decision, sent later, once.
//!
//! A message is composed once and its bytes are kept: each try sends the same. A row is `pending`
//! until it was sent or given up; `next_try` tells when it may be tried (none: at once).

mod listing;
#[cfg(test)]
mod tests;

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::science::time::Epoch;

use super::error::{StoreError, during};
use super::{NightId, Reader, Store};

pub use listing::{MailHistory, OutboxRow, OutboxTrouble};

/// Kind of the mail of one night.
pub const KIND_MAIL: &str = "mail";
/// Kind of a mail about several nights.
pub const KIND_DIGEST: &str = "digest";
/// Kind of a mail that says that something is wrong.
pub const KIND_ALERT: &str = "alert";

/// A message to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// What it is, e.g. `mail/2026-03-01/<hash of the report>`; a key is queued once, for ever.
    pub key: String,
    /// How it goes out, e.g. [`KIND_MAIL`].
    pub kind: String,
    /// The nights it tells of.
    pub nights: Vec<String>,
    /// Its identifier, the same in every try.
    pub message_id: String,
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

impl OutboxState {
    /// The word of the table and of listings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

impl Store {
    /// Queues a message; `false` when its key was queued before, sent or not.
    pub fn enqueue(&self, message: OutboxMessage, at: Epoch) -> Result<bool, StoreError> {
        self.writer().transact(move |transaction| enqueue(transaction, &message, at))
    }

    /// Tells whether a message is still to be sent, by writing its row as it is.
    ///
    /// A database that cannot be written would not keep that the message went out either.
    pub fn begin_try(&self, row: &OutboxRow) -> Result<bool, StoreError> {
        let (id, key) = (row.id, row.message.key.clone());
        self.writer().transact(move |transaction| {
            let n = transaction
                .execute(
                    "UPDATE outbox SET attempts = attempts \
                     WHERE id = ?1 AND key = ?2 AND state = 'pending'",
                    params![id, key],
                )
                .map_err(during("begin to send a message"))?;
            Ok(n > 0)
        })
    }

    /// Notes that a message went out; `remark` tells whom the server did not take it for.
    ///
    /// A row that was replaced while its message was on the way is put back as sent.
    pub fn mark_sent(
        &self,
        row: &OutboxRow,
        remark: Option<&str>,
        at: Epoch,
    ) -> Result<(), StoreError> {
        let (row, remark) = (row.clone(), remark.map(str::to_owned));
        self.writer().transact(move |transaction| {
            let message = &row.message;
            transaction
                .execute(
                    "INSERT INTO outbox (key, kind, night, message_id, subject, body, state, \
                     attempts, last_error, created_mjd_utc, sent_mjd_utc) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'sent', 1, ?7, ?8, ?9) \
                     ON CONFLICT (key) DO UPDATE SET state = 'sent', attempts = attempts + 1, \
                     last_error = excluded.last_error, sent_mjd_utc = excluded.sent_mjd_utc, \
                     next_try_mjd_utc = NULL WHERE state <> 'sent'",
                    params![
                        message.key,
                        message.kind,
                        night_lines(&message.nights),
                        message.message_id,
                        message.subject,
                        message.body,
                        remark,
                        row.created.mjd_utc(),
                        at.mjd_utc()
                    ],
                )
                .map_err(during("mark a message as sent"))?;
            Ok(())
        })
    }

    /// Notes a failed try; the message is tried again at `next_try`.
    pub fn mark_attempt(&self, id: i64, error: &str, next_try: Epoch) -> Result<(), StoreError> {
        self.note_failure(id, error, OutboxState::Pending, Some(next_try))
    }

    /// Notes a failed try after which the message is given up.
    pub fn give_up(&self, id: i64, error: &str) -> Result<(), StoreError> {
        self.note_failure(id, error, OutboxState::Failed, None)
    }

    fn note_failure(
        &self,
        id: i64,
        error: &str,
        state: OutboxState,
        next_try: Option<Epoch>,
    ) -> Result<(), StoreError> {
        let error = error.to_owned();
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "UPDATE outbox SET state = ?2, attempts = attempts + 1, last_error = ?3, \
                     next_try_mjd_utc = ?4 WHERE id = ?1 AND state <> 'sent'",
                    params![id, state.word(), error, next_try.map(Epoch::mjd_utc)],
                )
                .map_err(during("note a failed try to send"))?;
            Ok(())
        })
    }

    /// Lets everything that is due wait: the server answers nobody.
    pub fn hold_outbox(&self, at: Epoch, until: Epoch) -> Result<(), StoreError> {
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "UPDATE outbox SET next_try_mjd_utc = ?2 WHERE state = 'pending' \
                     AND coalesce(next_try_mjd_utc, ?1) <= ?1",
                    params![at.mjd_utc(), until.mjd_utc()],
                )
                .map_err(during("let the outbox wait"))?;
            Ok(())
        })
    }

    /// Puts a message back to be sent at once, the same bytes; its subject, or `None` when there
    /// is no such message.
    pub fn resend(&self, id: i64, at: Epoch) -> Result<Option<String>, StoreError> {
        self.writer().transact(move |transaction| {
            transaction
                .query_row(
                    "UPDATE outbox SET state = 'pending', next_try_mjd_utc = NULL, \
                     created_mjd_utc = ?2 WHERE id = ?1 RETURNING subject",
                    params![id, at.mjd_utc()],
                    |row| row.get(0),
                )
                .optional()
                .map_err(during("put a message back into the outbox"))
        })
    }
}

/// Queues a message inside a transaction; `false` when its key was queued before.
///
/// The mail of a night replaces that night's former one while no try was made to send that.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    message: &OutboxMessage,
    at: Epoch,
) -> Result<bool, StoreError> {
    if message.kind == KIND_MAIL {
        supersede(transaction, message)?;
    }
    let n_new = transaction
        .execute(
            "INSERT INTO outbox \
             (key, kind, night, message_id, subject, body, state, created_mjd_utc) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', ?7) ON CONFLICT (key) DO NOTHING",
            params![
                message.key,
                message.kind,
                night_lines(&message.nights),
                message.message_id,
                message.subject,
                message.body,
                at.mjd_utc()
            ],
        )
        .map_err(during("queue a message"))?;
    Ok(n_new > 0)
}

/// Removes a night's other mails that nobody tried to send.
fn supersede(transaction: &Transaction<'_>, message: &OutboxMessage) -> Result<(), StoreError> {
    transaction
        .execute(
            "DELETE FROM outbox WHERE kind = ?1 AND night = ?2 AND key <> ?3 \
             AND state = 'pending' AND attempts = 0",
            params![KIND_MAIL, night_lines(&message.nights), message.key],
        )
        .map_err(during("replace a mail that was not sent"))?;
    Ok(())
}

/// Nights as the table keeps them, one a line; their names have no line feeds.
fn night_lines(nights: &[String]) -> Option<String> {
    (!nights.is_empty()).then(|| nights.join("\n"))
}
