//! Instrument profiles of the configuration: the user's files, the shipped ones, and the choice.

use std::fmt;
use std::path::PathBuf;

use super::error::{ConfigError, Place};
use super::keys::nearest;
use super::read_text;
use super::resolved::Instrument;
use crate::formats::fits::Header;
use crate::pipeline::ingest::{
    ExtensionName, FrameRules, Profile, choose_profile, generic, shipped,
};

/// The name that leaves the choice to the headers.
const AUTO: &str = "auto";

/// Which profile reads the headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileChoice {
    /// Each header chooses.
    Auto,
    /// Always this one.
    Named(String),
}

impl fmt::Display for ProfileChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => AUTO,
            Self::Named(name) => name,
        })
    }
}

impl Instrument {
    /// Extensions that are frames, as the configuration lists them, else the header's profile.
    pub fn extensions_for(&self, header: &Header) -> &[ExtensionName] {
        if self.extensions.is_empty() {
            &self.profile_for(header).extensions
        } else {
            &self.extensions
        }
    }

    /// The profile that reads a header.
    pub fn profile_for(&self, header: &Header) -> &Profile {
        match &self.choice {
            ProfileChoice::Auto => choose_profile(header, &self.profiles),
            ProfileChoice::Named(name) => self
                .profiles
                .iter()
                .find(|profile| profile.name == *name)
                .unwrap_or_else(|| generic()),
        }
    }
}

/// The user's profiles, then the shipped ones; a user's profile hides a shipped namesake.
pub(super) fn load_profiles(files: &[PathBuf]) -> Result<Vec<Profile>, ConfigError> {
    let mut profiles = Vec::new();
    for path in files {
        let text = read_text(path)?;
        let profile = Profile::parse(&text)
            .map_err(|source| ConfigError::Profile { path: path.clone(), source })?;
        profiles.push(profile);
    }
    for profile in shipped() {
        if !profiles.iter().any(|own| own.name == profile.name) {
            profiles.push(profile.clone());
        }
    }
    Ok(profiles)
}

/// The rules of files, one after the other.
pub(super) fn load_rules(files: &[PathBuf]) -> Result<FrameRules, ConfigError> {
    let mut rules = FrameRules::default();
    for path in files {
        let own = FrameRules::parse(&read_text(path)?).map_err(|source| {
            ConfigError::FrameRules { path: path.clone(), source: Box::new(source) }
        })?;
        rules.rule.extend(own.rule);
    }
    Ok(rules)
}

/// The choice that `instrument.profile` names.
pub(super) fn resolve_choice(
    name: Option<String>,
    profiles: &[Profile],
    place: impl Fn() -> Place,
) -> Result<ProfileChoice, ConfigError> {
    match name {
        None => Ok(ProfileChoice::Auto),
        Some(name) if name == AUTO => Ok(ProfileChoice::Auto),
        Some(name) if profiles.iter().any(|profile| profile.name == name) => {
            Ok(ProfileChoice::Named(name))
        }
        Some(name) => {
            let known: Vec<String> = profiles.iter().map(|profile| profile.name.clone()).collect();
            let hint = nearest(&name, known.iter().map(String::as_str).chain([AUTO]));
            let hint = hint.map(|hint| format!("\"{hint}\""));
            Err(ConfigError::UnknownProfile { place: place(), name, known, hint })
        }
    }
}
