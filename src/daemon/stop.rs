//! The system's wish that the service ends: SIGTERM and SIGINT.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::ops::{Event, Progress};

/// Tells whether the service was asked to end; clones tell the same.
#[derive(Debug, Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Begins to listen; must be called inside the runtime.
    pub(super) fn listen() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("Stopping at the next frame.");
            sender.send_replace(true);
        });
        Ok(Self(receiver))
    }

    /// Tells whether the service was asked to end.
    pub(super) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the service is asked to end.
    pub(super) async fn asked(&self) {
        if self.0.clone().wait_for(|is_asked| *is_asked).await.is_err() {
            // The listener ends only after it has told; without it there is nothing to wait for.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the service is asked to end, and then for `grace`.
    pub(super) async fn overdue(&self, grace: Duration) {
        self.asked().await;
        tokio::time::sleep(grace).await;
    }
}

/// Tells the log of a night's frames and stops it when the service is to end.
#[derive(Debug)]
pub(super) struct NightProgress {
    /// Name of the night.
    pub(super) night: String,
    /// Whether to go on.
    pub(super) stop: Stop,
}

impl Progress for NightProgress {
    fn event(&self, event: Event<'_>) -> ControlFlow<()> {
        let night = self.night.as_str();
        match event {
            Event::Scanned { n_files, n_science } => {
                tracing::info!(night, n_files, n_science, "Night looked through.");
            }
            Event::Masters => tracing::info!(night, "Masters ready."),
            Event::Frame { name, is_ok, seconds } => {
                tracing::info!(night, frame = name, is_ok, seconds, "Frame done.");
            }
            Event::Stage { name } => tracing::info!(night, stage = name, "Stage done."),
        }
        if self.stop.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
