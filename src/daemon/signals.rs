//! The system's wishes: SIGTERM and SIGINT end the service, SIGHUP reads the configuration again.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::bell::Bell;
use super::state::ServiceState;
use crate::ops::status::Phase;

/// Begins to listen; must be called inside the runtime.
pub(super) fn listen(bell: Bell, state: ServiceState) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => {
                    bell.ring_reload();
                    continue;
                }
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("Stopping at the next frame.");
            state.set_phase(Phase::Stopping);
            bell.ring_stop();
            return;
        }
    });
    Ok(())
}
