//! The sections `[keep]` and `[log]`: how long things are kept, what is told.

use std::path::PathBuf;

use super::check::Checker;
use super::error::ConfigError;
use super::raw::{RawKeep, RawLog};

/// The levels of messages, the most important first.
const LEVELS: [(&str, &str); 5] = [
    ("error", "error"),
    ("warn", "warn"),
    ("info", "info"),
    ("debug", "debug"),
    ("trace", "trace"),
];

/// How long things are kept; raw data are never touched.
#[derive(Debug, Clone, PartialEq)]
pub struct Keep {
    /// Backups of the database; 0 = none are made.
    pub backups: usize,
    /// Folder of the backups; `backups` in the data folder when none.
    pub backup_folder: Option<PathBuf>,
    /// Days that calibrated frames of closed nights are kept; 0 = for ever.
    pub calibrated_days: u32,
    /// Days that catalogues of closed nights are kept; 0 = for ever.
    pub catalogue_days: u32,
    /// Days that cut-outs of closed nights are kept; 0 = for ever.
    pub cutout_days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            backups: 7,
            backup_folder: None,
            calibrated_days: 0,
            catalogue_days: 0,
            cutout_days: 0,
        }
    }
}

/// What is told in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// Least important level: error, warn, info, debug or trace.
    pub level: String,
    /// Levels of single modules of the program, as `daemon=debug`.
    pub modules: Vec<String>,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), modules: Vec::new() }
    }
}

/// Checks `[keep]`.
pub(super) fn keep(raw: RawKeep, checker: &Checker<'_>) -> Result<Keep, ConfigError> {
    let default = Keep::default();
    let days = |key, value, default| checker.whole(key, value, default, 0..=36_525);
    Ok(Keep {
        backups: checker.whole("keep.backups", raw.backups, default.backups, 0..=1000)?,
        backup_folder: checker.optional_path("keep.backup_folder", raw.backup_folder),
        calibrated_days: days(
            "keep.calibrated_days",
            raw.calibrated_days,
            default.calibrated_days,
        )?,
        catalogue_days: days("keep.catalogue_days", raw.catalogue_days, default.catalogue_days)?,
        cutout_days: days("keep.cutout_days", raw.cutout_days, default.cutout_days)?,
    })
}

/// Checks `[log]`.
pub(super) fn log(raw: RawLog, checker: &Checker<'_>) -> Result<Log, ConfigError> {
    let form = "module=level, as daemon=debug";
    Ok(Log {
        level: checker.word("log.level", raw.level, "info", &LEVELS)?.to_owned(),
        modules: checker.texts("log.modules", raw.modules, is_module, form)?,
    })
}

fn is_module(text: &str) -> bool {
    text.split_once('=').is_some_and(|(module, level)| {
        let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let is_level = LEVELS.iter().any(|(word, _)| *word == level);
        !module.is_empty() && module.chars().all(is_path) && is_level
    })
}
