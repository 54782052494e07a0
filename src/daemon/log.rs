//! Where messages go: to the journal when standard error leads there, else to standard error.
//!
//! tracing hands each event to `log` too (feature `log-always`); the journal listens there.

use std::io::IsTerminal;

use systemd_journal_logger::{JournalLog, connected_to_journal};
use tracing_subscriber::EnvFilter;

/// What is told: one line per frame and night, nothing from the libraries below a warning.
const FILTER: &str = "warn,autossos=info";

/// Starts the log; what cannot be started is told on standard error.
pub(super) fn start() {
    if connected_to_journal() {
        match start_journal() {
            Ok(()) => return,
            Err(error) => eprintln!("The journal cannot be used, so this goes to stderr: {error}"),
        }
    }
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(FILTER))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        eprintln!("A log was started before.");
    }
}

fn start_journal() -> anyhow::Result<()> {
    JournalLog::new()?.install()?;
    log::set_max_level(log::LevelFilter::Info);
    Ok(())
}
