//! The configuration: what the user wrote, checked once, typed from then on.
//!
//! Order of sources, the later wins: built-in values, the file, the environment
//! (`AUTOSSOS_SECTION__KEY`), the command line (`--set section.key=value`). Each mistake names its
//! place, what is allowed and the likeliest intention. To add a key, see `raw`.

mod check;
mod error;
mod keys;
mod overrides;
mod params;
mod profiles;
mod raw;
mod resolved;
mod science;
mod service;
mod settings;
mod telescope;

use std::io::Read;
use std::path::Path;

pub use error::{ConfigError, Place};
pub use keys::{Key, Kind, known_keys};
pub use params::NightParams;
pub use profiles::ProfileChoice;
pub use resolved::{Config, Extract, Instrument, Limits, Reference, Report, Run, SiteConfig};
pub use science::{Astrometry, Link, Photometry};
pub use service::{
    Daemon, Encryption, Keep, LateCalibration, Log, Mail, MailTime, NightPattern, WatchMode,
};
pub use telescope::Telescope;

/// The shipped configuration: every key with its built-in value.
pub const DEFAULT_TOML: &str = include_str!("../../config/autossos.toml");

/// Largest configuration or profile file that is read [bytes].
const FILE_SIZE_MAX_BYTES: u64 = 1 << 20;

/// Reads and checks the configuration.
///
/// * `path`: the user's file; without it the built-in values hold.
/// * `sets`: the arguments of `--set`.
/// * `env`: the environment; only names that start with `AUTOSSOS_` and have `__` count.
///
/// Errors: the first mistake, sources in their order.
pub fn load(
    path: Option<&Path>,
    sets: &[String],
    env: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut settings = settings::Settings::default();
    if let Some(path) = path {
        settings.add(&read_text(path)?, &settings::Source::File(path))?;
    }
    overrides::add_environment(&mut settings, env)?;
    overrides::add_sets(&mut settings, sets)?;
    let raw = settings.to_raw()?;
    resolved::resolve(raw, &check::Checker::new(&settings))
}

/// Reads a text file of limited size.
fn read_text(path: &Path) -> Result<String, ConfigError> {
    let read = |source| ConfigError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(read)?;
    let mut text = String::new();
    file.take(FILE_SIZE_MAX_BYTES + 1).read_to_string(&mut text).map_err(read)?;
    if text.len() as u64 > FILE_SIZE_MAX_BYTES {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
            max_bytes: FILE_SIZE_MAX_BYTES,
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
