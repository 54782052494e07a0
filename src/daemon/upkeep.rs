//! What is done beside the nights, at the service's own timer: the check after a kill, backups,
//! pruning, the sign of life, and the alarm when no frame comes.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use super::fatal::Fatal;
use super::run::Shared;
use crate::config::Config;
use crate::ops::clock::{Clock, SystemClock};
use crate::ops::mail::alerts::{self, Arrival};
use crate::ops::prune::{PruneMode, prune};
use crate::ops::status::{Health, Problem};
use crate::ops::{OpsError, db};
use crate::remote::heartbeat;
use crate::science::time::Epoch;
use crate::store::{check, filesystem};

/// Time between two prunings [d].
const PRUNE_EVERY_D: f64 = 1.0;
/// Key of the time of the last pruning.
const LAST_PRUNE_KEY: &str = "last_prune";
/// Key of the time when the service first ran.
const FIRST_RUN_KEY: &str = "first_run";

/// Does what is due, at each tick of the timer, until the service ends.
pub(super) async fn keep_up(shared: Shared, fatal: Fatal) {
    check_after_kill(&shared, &fatal).await;
    let mut heartbeat = Heartbeat { is_failing: false };
    loop {
        let config = Arc::clone(&shared.config.borrow());
        let (once, rules) = (shared.clone(), Arc::clone(&config));
        let done = tokio::task::spawn_blocking(move || tick(&once, &rules)).await;
        if let Ok(Err(error)) = done {
            let error = anyhow::Error::from(error);
            tracing::error!("Upkeep failed, it is tried again later: {error:#}.");
        }
        if !matches!(shared.state.snapshot().health(), Health::Bad(_)) {
            heartbeat.beat(&config).await;
        }
        let wait = Duration::try_from_secs_f64(config.daemon.rescan_s).unwrap_or(Duration::MAX);
        tokio::time::sleep(wait).await;
    }
}

/// Looks whether the database survived a kill; frames are worked on meanwhile.
async fn check_after_kill(shared: &Shared, fatal: &Fatal) {
    if !shared.store.was_unclean() {
        return;
    }
    let store = Arc::clone(&shared.store);
    let checked = tokio::task::spawn_blocking(move || {
        let faults = check::quick_check(store.data_dir())?;
        check::refuse_faults(store.data_dir(), &faults)?;
        store.note_checked();
        Ok::<_, OpsError>(())
    });
    match checked.await {
        Ok(Ok(())) => tracing::info!("The last service was killed; the database is whole."),
        Ok(Err(error)) if error.is_operators() => fatal.end_with(error),
        Ok(Err(error)) => {
            let error = anyhow::Error::from(error);
            tracing::warn!("The database could not be checked: {error:#}.");
        }
        Err(error) => tracing::error!(%error, "The database's check broke."),
    }
}

/// One tick.
fn tick(shared: &Shared, config: &Config) -> Result<(), OpsError> {
    let Shared { store, state, .. } = shared;
    state.set_disk_free(filesystem::free_bytes(store.data_dir()).ok());
    match db::back_up_if_due(store, &config.keep, &SystemClock) {
        Ok(Some(report)) => {
            tracing::info!(file = %report.path.display(), "Database backed up.");
            state.set_problem("backup", None);
        }
        Ok(None) => {}
        Err(error) => {
            let text = format!("no backup of the database: {:#}", anyhow::Error::from(error));
            tracing::error!("{text}.");
            state.set_problem("backup", Some(Problem::warning(text)));
        }
    }
    prune_daily(shared, config)?;
    tell_silence(shared, config)
}

/// Tells by mail when a telescope has sent nothing for too long.
fn tell_silence(shared: &Shared, config: &Config) -> Result<(), OpsError> {
    let store = &shared.store;
    let now = SystemClock.now();
    let first_run = match store.read().service_value(FIRST_RUN_KEY)? {
        Some(text) => text.parse::<f64>().map_or(now, Epoch::from_mjd_utc),
        None => {
            store.set_service_value(FIRST_RUN_KEY, Some(&now.mjd_utc().to_string()))?;
            now
        }
    };
    for telescope in config.telescopes() {
        let longitude_deg = telescope.site.place_deg.map_or(0.0, |(_, longitude)| longitude);
        let newest = store.read().newest_file(&telescope.name)?;
        let since = newest.map_or(Arrival::NoneSince(first_run), Arrival::Frame);
        let n_max = config.daemon.silent_nights_max;
        let alert = alerts::silence((&telescope.name, longitude_deg), since, now, n_max);
        if let Some(alert) = alert
            && alerts::raise(store, config, &alert, &SystemClock)?
        {
            shared.post.notify_one();
        }
    }
    Ok(())
}

fn prune_daily(shared: &Shared, config: &Config) -> Result<(), OpsError> {
    let store = &shared.store;
    let now = SystemClock.now();
    let last = store.read().service_value(LAST_PRUNE_KEY)?.and_then(|t| t.parse::<f64>().ok());
    let is_due = last.is_none_or(|last| (now.mjd_utc() - last).abs() >= PRUNE_EVERY_D);
    if !is_due {
        return Ok(());
    }
    let report = prune(PruneMode::Remove(store), &config.keep, now)?;
    if !report.files.is_empty() {
        let mib = report.size_bytes() >> 20;
        tracing::info!(files = report.files.len(), mib, "Old products removed.");
    }
    store.set_service_value(LAST_PRUNE_KEY, Some(&now.mjd_utc().to_string()))?;
    Ok(())
}

/// The sign of life; a failure is told once, until it works again.
struct Heartbeat {
    is_failing: bool,
}

impl Heartbeat {
    /// Tells the outside world that the service lives.
    async fn beat(&mut self, config: &Config) {
        let Some(url) = config.daemon.heartbeat_url.as_deref() else { return };
        let sent = heartbeat::send(url).await;
        if let Err(error) = &sent
            && !self.is_failing
        {
            let causes = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
            tracing::warn!("Heartbeat not sent, told once: {error}{causes}.");
        }
        self.is_failing = sent.is_err();
    }
}
