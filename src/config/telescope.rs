//! The telescopes of the observatory: one by the plain sections, or those listed.

use std::path::PathBuf;

use super::profiles::ProfileChoice;
use super::resolved::{Config, SiteConfig};
use super::service::NightPattern;

/// A telescope whose frames come in.
#[derive(Debug, Clone, PartialEq)]
pub struct Telescope {
    /// Its name, the start of its nights' names; empty for the only one that needs none.
    pub name: String,
    /// Folder that receives its raw frames.
    pub incoming: PathBuf,
    /// How its files make nights.
    pub night_pattern: NightPattern,
    /// Which profile reads its headers.
    pub profile: ProfileChoice,
    /// Its place.
    pub site: SiteConfig,
}

impl Config {
    /// The telescopes: those listed, else the one of `[daemon]`, `[site]` and `[instrument]`;
    /// none when no incoming folder is named.
    pub fn telescopes(&self) -> Vec<Telescope> {
        if !self.telescopes.is_empty() {
            return self.telescopes.clone();
        }
        let only = self.daemon.incoming.as_ref().map(|incoming| Telescope {
            name: String::new(),
            incoming: incoming.clone(),
            night_pattern: self.daemon.night_pattern.clone(),
            profile: self.instrument.choice.clone(),
            site: self.site.clone(),
        });
        only.into_iter().collect()
    }

    /// The configuration as one telescope sees it: its site and profile in the plain sections.
    #[must_use]
    pub fn for_telescope(&self, telescope: &Telescope) -> Self {
        let mut config = self.clone();
        config.site = telescope.site.clone();
        config.instrument.choice = telescope.profile.clone();
        config
    }
}
