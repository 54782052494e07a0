//! Sends what waits in the outbox, and composes the mail of the clock time when it is due.
//!
//! It sleeps until a message is due, somebody notifies it, or the timer of the service passes:
//! the clock may have been set meanwhile.

use std::sync::Arc;
use std::time::Duration;

use super::run::Shared;
use crate::config::Config;
use crate::ops::OpsError;
use crate::ops::clock::{Clock, SystemClock};
use crate::ops::mail::{alerts, deliver_due, digest, next_digest, transport};
use crate::ops::status::Problem;
use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// Shortest sleep between two steps [s]: a server that is away is not asked in a circle.
const PAUSE_MIN_S: f64 = 0.2;

/// Sends until the service ends.
pub(super) async fn send_all(shared: Shared) {
    loop {
        let config = Arc::clone(&shared.config.borrow());
        let next = step(&shared, &config).await;
        let rescan_s = config.daemon.rescan_s;
        let now = SystemClock.now();
        let wait_s = next.map_or(f64::INFINITY, |next| seconds_between(now, next));
        // Without anything that waits, only a notification or a new configuration matters.
        let wait = match next {
            Some(_) => Duration::try_from_secs_f64(wait_s.min(rescan_s).max(PAUSE_MIN_S)),
            None => Ok(Duration::MAX),
        };
        let mut changes = shared.config.clone();
        changes.mark_unchanged();
        tokio::select! {
            () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)) => {}
            () = shared.post.notified() => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// Sends once what is due; for a service that ends.
pub(super) async fn send_now(shared: &Shared) {
    let config = Arc::clone(&shared.config.borrow());
    step(shared, &config).await;
}

fn seconds_between(from: Epoch, to: Epoch) -> f64 {
    (to.mjd_utc() - from.mjd_utc()) * SECONDS_PER_DAY
}

/// One step on a thread that may wait for the network; tells when the next one is due.
async fn step(shared: &Shared, config: &Arc<Config>) -> Option<Epoch> {
    let (work, rules) = (shared.clone(), Arc::clone(config));
    let done = tokio::task::spawn_blocking(move || send(&work, &rules)).await;
    match done {
        Ok(Ok(next)) => next,
        Ok(Err(error)) => {
            let error = anyhow::Error::from(error);
            tracing::error!("The outbox could not be worked on: {error:#}.");
            Some(SystemClock.now().plus_seconds(config.daemon.rescan_s))
        }
        Err(error) => {
            tracing::error!(%error, "Sending mail broke; it goes on later.");
            Some(SystemClock.now().plus_seconds(config.daemon.rescan_s))
        }
    }
}

fn send(shared: &Shared, config: &Config) -> Result<Option<Epoch>, OpsError> {
    let store = &shared.store;
    digest(store, config, &SystemClock)?;
    let next_try = match transport(&config.mail) {
        Some(transport) => {
            let report = deliver_due(store, &config.mail, &SystemClock, transport.as_ref())?;
            if report.n_sent > 0 {
                tracing::info!(mails = report.n_sent, "Mail sent.");
            }
            report.next_try
        }
        None => None,
    };
    let now = SystemClock.now();
    shared.state.set_outbox(store.read().outbox_pending()?);
    let trouble = alerts::undelivered(store.read(), &config.mail, now)?;
    shared.state.set_problem("mail", trouble.map(Problem::warning));
    let digest_at = next_digest(config, now);
    Ok([next_try, digest_at]
        .into_iter()
        .flatten()
        .min_by(|a, b| a.mjd_utc().total_cmp(&b.mjd_utc())))
}
