//! The loop: list the nights, process those that have settled and changed, wait.
//!
//! Events and timers only wake it; what there is to do comes from the folder and the store. A
//! night runs on a thread of its own, so signals are heard meanwhile. Killing the process at any
//! instant loses nothing but time, which is why a night that does not stop in time is left.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::nights::{NightFolder, SeenFile, list_nights};
use super::start::Service;
use super::stop::{NightProgress, Stop};
use super::watch::FolderWatch;
use crate::config::Config;
use crate::ops::OpsError;
use crate::ops::run::{RunRequest, RunSummary, run_night};
use crate::remote::heartbeat;

/// Threads for timers, signals and the heartbeat.
const RUNTIME_THREADS: usize = 2;
/// How long a night may take to stop [s]; the service must end within 10 s.
const GRACE_S: f64 = 8.0;

/// How long the service goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// One look at the folder.
    Once,
    /// Until it is asked to stop.
    Forever,
}

/// What a look at the incoming folder gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pass {
    /// Nights that could not be processed.
    pub(super) n_failed: usize,
    /// Nights whose files have not settled.
    pub(super) n_waiting: usize,
}

/// How a night ended for the loop.
enum NightEnd {
    /// Nothing to do until its files change.
    Done,
    /// To be tried again at the next look.
    Failed,
    /// The program broke over it; the same files would only break it again.
    Broken,
    /// The service was asked to stop.
    Stopped,
}

/// Runs the service; the last look's result, all zero when it was asked to stop.
pub(super) fn run(service: Service, mode: Mode) -> anyhow::Result<Pass> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .enable_all()
        .build()
        .context("cannot start the service's threads")?;
    let ended = runtime.block_on(async {
        let stop = Stop::listen().context("cannot listen to signals")?;
        let looped = Loop {
            config: Arc::new(service.config),
            incoming: service.incoming,
            stop,
            done: HashMap::new(),
        };
        looped.go_on(mode).await
    });
    runtime.shutdown_background();
    ended
}

/// What the loop remembers.
struct Loop {
    config: Arc<Config>,
    incoming: PathBuf,
    stop: Stop,
    /// Files of each night as they were when there was nothing left to do.
    done: HashMap<String, Vec<SeenFile>>,
}

impl Loop {
    async fn go_on(mut self, mode: Mode) -> anyhow::Result<Pass> {
        // The watch begins before the first look: nothing falls between them.
        let watch = FolderWatch::over(&self.incoming);
        tracing::info!(incoming = %self.incoming.display(), "Service started.");
        loop {
            let pass = match self.pass().await {
                Ok(pass) => pass,
                Err(error) if mode == Mode::Once => return Err(error),
                Err(error) => {
                    tracing::error!("No look at the incoming folder: {error:#}.");
                    Some(Pass::default())
                }
            };
            let Some(pass) = pass else {
                tracing::info!("Service stopped.");
                return Ok(Pass::default());
            };
            if mode == Mode::Once {
                if pass.n_waiting > 0 {
                    tracing::warn!(nights = pass.n_waiting, "Nights left: files still change.");
                }
                return Ok(pass);
            }
            self.wait(pass, &watch).await;
        }
    }

    /// One look at the folder; `None` when the service was asked to stop.
    async fn pass(&mut self) -> anyhow::Result<Option<Pass>> {
        let mut pass = Pass::default();
        let incoming = self.incoming.clone();
        let nights = tokio::task::spawn_blocking(move || list_nights(&incoming))
            .await
            .context("listing the incoming folder failed")?
            .with_context(|| format!("cannot list {}", self.incoming.display()))?;
        self.done.retain(|name, _| nights.iter().any(|night| night.name == *name));
        let quiet = seconds(self.config.daemon.settle_s);
        for night in nights {
            if self.stop.is_asked() {
                return Ok(None);
            }
            if self.done.get(&night.name) == Some(&night.files) {
                continue;
            }
            if !night.is_settled(quiet) {
                pass.n_waiting += 1;
                continue;
            }
            match self.process(&night).await {
                NightEnd::Done => {
                    self.done.insert(night.name, night.files);
                }
                NightEnd::Failed => pass.n_failed += 1,
                NightEnd::Broken => {
                    pass.n_failed += 1;
                    self.done.insert(night.name, night.files);
                }
                NightEnd::Stopped => return Ok(None),
            }
        }
        self.beat().await;
        Ok(if self.stop.is_asked() { None } else { Some(pass) })
    }

    /// Processes one night on a thread of its own.
    async fn process(&self, night: &NightFolder) -> NightEnd {
        let request = RunRequest {
            night_dir: night.path.clone(),
            night: Some(night.name.clone()),
            data_dir: self.config.daemon.data.clone(),
            reference: Vec::new(),
            known: Vec::new(),
        };
        let config = Arc::clone(&self.config);
        let progress = NightProgress { night: night.name.clone(), stop: self.stop.clone() };
        let job = tokio::task::spawn_blocking(move || run_night(&request, &config, &progress));
        tokio::select! {
            ended = job => match ended {
                Ok(result) => told(&night.name, result),
                Err(error) => {
                    tracing::error!(
                        night = %night.name,
                        %error,
                        "Night given up until it changes."
                    );
                    NightEnd::Broken
                }
            },
            () = self.stop.overdue(seconds(GRACE_S)) => {
                tracing::warn!(night = %night.name, "Night left in work; the next start goes on.");
                NightEnd::Stopped
            }
        }
    }

    /// Tells the outside world that a look was done.
    async fn beat(&self) {
        let Some(url) = self.config.daemon.heartbeat_url.as_deref() else {
            return;
        };
        tokio::select! {
            sent = heartbeat::send(url) => {
                if let Err(error) = sent {
                    let error = anyhow::Error::from(error);
                    tracing::warn!("Heartbeat not sent: {error:#}.");
                }
            }
            () = self.stop.asked() => {}
        }
    }

    /// Waits for the next look: a change, the timer, or the end.
    async fn wait(&self, pass: Pass, watch: &FolderWatch) {
        let settle = seconds(self.config.daemon.settle_s);
        let rescan = seconds(self.config.daemon.rescan_s);
        let timer = if pass.n_waiting > 0 { settle.min(rescan) } else { rescan };
        let changed = async {
            watch.changed().await;
            // Files come in flocks: one look when they have had time to settle.
            tokio::time::sleep(settle).await;
        };
        tokio::select! {
            () = tokio::time::sleep(timer) => {}
            () = changed => {}
            () = self.stop.asked() => {}
        }
    }
}

/// Tells the log how a night ended.
fn told(night: &str, result: Result<RunSummary, OpsError>) -> NightEnd {
    match result {
        Ok(summary) => {
            tracing::info!(
                night,
                frames = summary.report.frames.len(),
                frames_new = summary.n_reduced,
                candidates = summary.report.candidates.len(),
                report = %summary.html_path.display(),
                "Night processed."
            );
            NightEnd::Done
        }
        Err(OpsError::Stopped) => NightEnd::Stopped,
        Err(OpsError::NoFrames { .. }) => {
            tracing::info!(night, "No FITS file yet.");
            NightEnd::Done
        }
        Err(error) => {
            let error = anyhow::Error::from(error);
            tracing::error!(night, "Night not processed: {error:#}.");
            NightEnd::Failed
        }
    }
}

/// A checked configuration value as a time; nonsense counts as none at all.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
