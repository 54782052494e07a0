//! Where messages go: to the journal when standard error leads there, else to standard error; and
//! in any case to whoever wants the last lines (`autossosctl log`).
//!
//! What is told: the program's own events from the level of the configuration on, single modules
//! from theirs on, libraries from warnings on. [`LogControl`] changes that while the service runs.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use systemd_journal_logger::{JournalLog, connected_to_journal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Registry, fmt, reload};

use super::journal::JournalLayer;
use crate::config::Log;

/// The program's own modules begin so.
const OWN: &str = "autossos";
/// Longest line for the last lines [bytes]; longer ones are cut.
const LINE_MAX_BYTES: usize = 4096;

/// Takes each line of the log; must not log itself.
pub(super) type LineSink = Arc<dyn Fn(String) + Send + Sync>;

/// Changes what is told.
#[derive(Debug, Clone)]
pub(super) struct LogControl {
    levels: reload::Handle<Targets, Registry>,
}

impl LogControl {
    /// Tells from now on what the configuration says.
    ///
    /// Errors: the log has ended.
    pub(super) fn set(&self, settings: &Log) -> Result<(), reload::Error> {
        self.levels.reload(levels(settings))
    }
}

/// Starts the log; what cannot be started is told on standard error.
///
/// * `sink`: gets each line as well, whatever else becomes of it.
pub(super) fn start(settings: &Log, sink: LineSink) -> LogControl {
    let (levels, handle) = reload::Layer::new(levels(settings));
    let journal = journal();
    let stderr = journal
        .is_none()
        .then(|| fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()));
    let lines = fmt::layer().with_writer(Lines(sink)).with_ansi(false);
    // Also listens to what libraries give to `log`.
    let started =
        tracing_subscriber::registry().with(levels).with(journal).with(stderr).with(lines);
    if started.try_init().is_err() {
        eprintln!("A log was started before.");
    }
    LogControl { levels: handle }
}

/// The way to the journal, if standard error leads there.
fn journal() -> Option<JournalLayer<JournalLog>> {
    if !connected_to_journal() {
        return None;
    }
    JournalLog::new()
        .map(JournalLayer::new)
        .inspect_err(|e| eprintln!("The journal cannot be used, so this goes to stderr: {e}"))
        .ok()
}

/// Levels of the program's modules and of the libraries.
fn levels(settings: &Log) -> Targets {
    let level = |name: &str| name.parse().unwrap_or(LevelFilter::INFO);
    let own = level(&settings.level);
    let modules = settings.modules.iter().filter_map(|text| {
        let (module, name) = text.split_once('=')?;
        let is_whole = module == OWN || module.starts_with(&format!("{OWN}::"));
        let path = if is_whole { module.to_owned() } else { format!("{OWN}::{module}") };
        Some((path, level(name)))
    });
    Targets::new()
        .with_default(own.min(LevelFilter::WARN))
        .with_target(OWN, own)
        .with_targets(modules)
}

/// Hands lines to a sink.
struct Lines(LineSink);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(&self.0)
    }
}

/// The subscriber writes an event at once.
struct Line<'a>(&'a LineSink);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let kept = bytes.get(..LINE_MAX_BYTES).unwrap_or(bytes);
        (self.0)(String::from_utf8_lossy(kept).trim_end().to_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn settings(level: &str, modules: &[&str]) -> Log {
        let modules = modules.iter().map(|&module| module.to_owned()).collect();
        Log { level: level.to_owned(), modules }
    }

    #[test]
    fn levels_follow_the_configuration() {
        use tracing::Level;
        let quiet = levels(&settings("info", &["daemon=debug", "store=error"]));
        for (target, level, is_told) in [
            ("autossos::ops::run", Level::INFO, true),
            ("autossos::ops::run", Level::DEBUG, false),
            ("autossos::daemon::run", Level::DEBUG, true),
            ("autossos::daemon", Level::TRACE, false),
            ("autossos::store::writer", Level::WARN, false),
            ("autossos::store", Level::ERROR, true),
            ("notify::inotify", Level::WARN, true),
            ("notify", Level::INFO, false),
        ] {
            assert_eq!(quiet.would_enable(target, &level), is_told, "{target} {level}");
        }
        let only_errors = levels(&settings("error", &[]));
        assert!(!only_errors.would_enable("notify", &Level::WARN));
        // Libraries do not grow louder with the program.
        let loud = levels(&settings("trace", &["autossos::ops=info"]));
        assert!(!loud.would_enable("reqwest", &Level::INFO));
        assert!(loud.would_enable("autossos::config", &Level::TRACE));
        assert!(!loud.would_enable("autossos::ops::run", &Level::DEBUG));
    }

    #[test]
    fn lines_reach_the_sink_and_levels_change_while_running() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink: LineSink = {
            let told = Arc::clone(&told);
            Arc::new(move |line| told.lock().expect("one thread").push(line))
        };
        let (filter, handle) = reload::Layer::new(levels(&settings("info", &[])));
        let control = LogControl { levels: handle };
        let lines = fmt::layer().with_writer(Lines(sink)).with_ansi(false);
        let subscriber = tracing_subscriber::registry().with(filter).with(lines);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(frame = "a", "First.");
            tracing::debug!("Not told.");
            control.set(&settings("warn", &["daemon::log=debug"])).expect("the log runs");
            tracing::debug!("Second.");
            control.set(&settings("error", &[])).expect("the log runs");
            tracing::warn!("Not told either.");
            let long = "x".repeat(10_000);
            tracing::error!("{long}");
        });
        let told = told.lock().expect("one thread");
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].ends_with("First. frame=\"a\""), "{}", told[0]);
        assert!(told[1].ends_with("Second."), "{}", told[1]);
        assert_eq!(told[2].len(), LINE_MAX_BYTES);
    }
}
