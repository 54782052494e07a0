//! Carries the outbox: sends what is due, notes what came of it, waits longer each time.
//!
//! Exactly once as far as SMTP allows: a message is sent, then marked. A kill between the two
//! sends it once more, with the same identifier and bytes, so that readers see one mail. Before
//! each sending the row is written once, so that nothing is sent while nothing can be noted.

use crate::config::Mail;
use crate::ops::clock::Clock;
use crate::remote::smtp::Patience;
use crate::report::words::printable;
use crate::science::time::{Epoch, SECONDS_PER_DAY};
use crate::store::outbox::OutboxRow;
use crate::store::{Retry, Store, StoreError};

use super::transport::{Delivered, Outlook, SendError, Transport};

/// Most messages sent in one step.
const MESSAGES_PER_STEP: u32 = 10;
/// Waits after the first failures [min]; from then on [`WAIT_LAST_MIN`].
const WAITS_MIN: [f64; 4] = [1.0, 5.0, 15.0, 60.0];
/// Wait after later failures, and after a refusal, which only a human ends [min].
const WAIT_LAST_MIN: f64 = 60.0;
/// Fewest tries before a message is given up: a machine that was off for a week did not try.
const TRIES_MIN: u32 = 5;
/// Failed tries after which receivers that are to come back later are left out.
const PATIENT_TRIES: u32 = 4;
/// Tries to note that a message went out while the database is held by others (5 s each).
const NOTE_TRIES: u32 = 12;
/// Longest failure that is kept [characters].
const ERROR_LENGTH_MAX: usize = 600;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CourierReport {
    /// Messages that went out.
    pub n_sent: usize,
    /// Messages that did not, and wait.
    pub n_failed: usize,
    /// Messages given up.
    pub n_given_up: usize,
    /// When the next message is to be tried; `None` when none waits.
    pub next_try: Option<Epoch>,
}

/// Sends what is due, oldest first, until a failure or a bounded number; call it again at
/// `next_try`, which is at once when more is due.
///
/// While the server is away one message is tried, not each of them.
pub fn deliver_due(
    store: &Store,
    mail: &Mail,
    clock: &dyn Clock,
    transport: &dyn Transport,
) -> Result<CourierReport, StoreError> {
    let mut report = CourierReport::default();
    for row in store.read().outbox_due(clock.now(), MESSAGES_PER_STEP)? {
        if !store.begin_try(&row)? {
            continue;
        }
        match transport.send(&row.message, patience(&row)) {
            Ok(delivered) => {
                note_sent(store, &row, &delivered, clock.now())?;
                report.n_sent += 1;
            }
            Err(error) => {
                let outlook = error.outlook();
                note_failure(store, mail, &row, &error, clock.now(), &mut report)?;
                if matches!(outlook, Outlook::Away | Outlook::Misconfigured) {
                    let until = next_try(outlook, row.attempts, clock.now());
                    store.hold_outbox(clock.now(), until)?;
                }
                // A failure may have taken minutes; who calls this may have been asked to stop.
                break;
            }
        }
    }
    report.next_try = store.read().outbox_next_try(clock.now())?;
    Ok(report)
}

/// Whether receivers that are to come back later hold the others up.
fn patience(row: &OutboxRow) -> Patience {
    if row.attempts < PATIENT_TRIES { Patience::Wait } else { Patience::SendToOthers }
}

/// Notes that a message went out; while another program holds the database it tries for a minute,
/// because a message that is not marked is sent again.
fn note_sent(
    store: &Store,
    row: &OutboxRow,
    delivered: &Delivered,
    at: Epoch,
) -> Result<(), StoreError> {
    let left_out: Vec<String> =
        delivered.refused.iter().map(|r| format!("{} ({})", r.address, r.said)).collect();
    let remark = (!left_out.is_empty()).then(|| format!("not taken for {}", left_out.join(", ")));
    if let Some(remark) = &remark {
        tracing::warn!(mail = row.id, "Mail sent, but {remark}.");
    }
    let mut tried = 0;
    loop {
        tried += 1;
        match store.mark_sent(row, remark.as_deref(), at) {
            Err(error) if matches!(error.retry(), Retry::After(_)) && tried < NOTE_TRIES => {}
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }
    tracing::info!(
        mail = row.id,
        subject = %row.message.subject,
        said = %delivered.said,
        "Mail sent."
    );
    Ok(())
}

/// Notes a failed try: when to come back, or that it is enough.
fn note_failure(
    store: &Store,
    mail: &Mail,
    row: &OutboxRow,
    error: &SendError,
    at: Epoch,
    report: &mut CourierReport,
) -> Result<(), StoreError> {
    let told = in_words(error);
    let age_days = at.mjd_utc() - row.created.mjd_utc();
    if age_days >= mail.give_up_days && row.attempts + 1 >= TRIES_MIN {
        store.give_up(row.id, &told)?;
        report.n_given_up += 1;
        tracing::error!(mail = row.id, subject = %row.message.subject, "Mail given up: {told}.");
        return Ok(());
    }
    let next = next_try(error.outlook(), row.attempts, at);
    store.mark_attempt(row.id, &told, next)?;
    report.n_failed += 1;
    let minutes = (next.mjd_utc() - at.mjd_utc()) * SECONDS_PER_DAY / 60.0;
    tracing::warn!(mail = row.id, next_min = minutes.round(), "Mail not sent: {told}.");
    Ok(())
}

/// When a message is tried again that failed `n_before` times before this one.
fn next_try(outlook: Outlook, n_before: u32, at: Epoch) -> Epoch {
    let wait_min = match outlook {
        Outlook::Misconfigured | Outlook::Refused => WAIT_LAST_MIN,
        Outlook::Away | Outlook::Later => usize::try_from(n_before)
            .ok()
            .and_then(|n| WAITS_MIN.get(n))
            .copied()
            .unwrap_or(WAIT_LAST_MIN),
    };
    at.plus_seconds(wait_min * 60.0)
}

/// A failure with its causes on one line.
pub(super) fn in_words(error: &SendError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    printable(&text).chars().take(ERROR_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests;
