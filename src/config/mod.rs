//! The configuration: what the user wrote, checked once, typed from then on.
//!
//! Order of sources, the later wins: built-in values, the file, the environment
//! (`AUTOSSOS_SECTION__KEY`), the command line (`--set section.key=value`). Each mistake names its
//! place, what is allowed and the likeliest intention. To add a key, see `raw`.
//!
//! `raw` is what the user may write, `keys` its names, `settings` what was written where,
//! `overrides` the environment and the command line, `check` the checks of single values, `allowed`
//! what they let pass; `resolved` puts the checked sections together, and `show` tells them with
//! their places.

mod allowed;
mod check;
mod cutouts;
mod daemon;
mod error;
mod extract;
mod filter;
pub mod import;
mod keys;
mod known;
mod mail;
mod night_pattern;
mod overrides;
mod params;
mod profiles;
mod raw;
mod reference;
mod resolved;
mod science;
pub mod secret;
mod settings;
mod show;
mod site;
mod submit;
mod telescope;
mod upkeep;
mod web;

use std::io::Read;
use std::path::Path;

pub use allowed::allowed;
pub use daemon::{Daemon, LateCalibration, WatchMode};
pub use error::{ConfigError, Place};
pub use extract::Extract;
pub use keys::{Key, Kind, known_keys};
pub use known::{Known, KnownSource};
pub use mail::{Encryption, Mail, MailTime};
pub use night_pattern::NightPattern;
pub use params::NightParams;
pub use profiles::ProfileChoice;
pub use reference::{Reference, ReferenceSource};
pub use resolved::{Config, Instrument, Limits, Report, Run};
pub use science::{Astrometry, Calibrate, Link, Photometry};
pub use show::{Setting, to_toml};
pub use site::SiteConfig;
pub use submit::{Submit, SubmitTelescope};
pub use telescope::Telescope;
pub use upkeep::{Keep, Log};
pub use web::Web;

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
/// Errors: the first mistake; [`examine`] tells more.
pub fn load(
    path: Option<&Path>,
    sets: &[String],
    env: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    match examine(path, sets, env) {
        Ok(examined) => Ok(examined.config),
        Err(mistakes) => {
            let first = mistakes.into_iter().next();
            Err(first.expect("what is refused has a mistake; `examine` says so"))
        }
    }
}

/// A configuration with the place of each setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// The configuration.
    pub config: Config,
    /// Every setting, the built-in ones too.
    pub settings: Vec<Setting>,
}

/// Reads and checks the configuration as [`load`] does.
///
/// Errors: at least one mistake: all wrong names and kinds; when there are none, the first wrong
/// value of each section; when there is none either, the first mistake in the telescopes.
pub fn examine(
    path: Option<&Path>,
    sets: &[String],
    env: impl Iterator<Item = (String, String)>,
) -> Result<Examined, Vec<ConfigError>> {
    let mut settings = settings::Settings::default();
    if let Some(path) = path {
        let text = read_text(path).map_err(|error| vec![error])?;
        settings.add(&text, &settings::Source::File(path));
    }
    overrides::add_environment(&mut settings, env);
    overrides::add_sets(&mut settings, sets);
    let mistakes = settings.take_mistakes();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let raw = settings.to_raw().map_err(|error| vec![error])?;
    let config = resolved::resolve(raw, &check::Checker::new(&settings))?;
    Ok(Examined { config, settings: show::settings_of(&settings) })
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
