//! `[known]`: where the names of known objects come from.

use std::path::PathBuf;

use super::check::Checker;
use super::error::ConfigError;
use super::raw::RawKnown;
use super::reference::is_address;
use crate::remote::skybot::{SkybotService, URLS};

/// Longest list of mirrors.
const URLS_MAX: usize = 8;

/// Where the names of known objects come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KnownSource {
    /// SkyBoT; the orbits on disk when it does not answer, and to compare with when it does.
    #[default]
    Both,
    /// SkyBoT alone.
    Skybot,
    /// The orbits on disk alone.
    Offline,
    /// The user's own lists.
    Files,
    /// Nothing is named.
    None,
}

/// Known objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Where their places come from.
    pub source: KnownSource,
    /// Lists of predicted places (CSV).
    pub files: Vec<PathBuf>,
    /// Addresses of SkyBoT, tried in order; the built-in one when empty.
    pub urls: Vec<String>,
    /// Time for one answer [s].
    pub timeout_s: f64,
    /// Distance to the predicted place that is always allowed [arcsec].
    pub radius_arcsec: f64,
    /// Largest difference of the rates, besides a tenth of the rate [arcsec/h].
    pub rate_difference_arcsec_per_h: f64,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            source: KnownSource::Both,
            files: Vec::new(),
            urls: Vec::new(),
            timeout_s: 60.0,
            radius_arcsec: 5.0,
            rate_difference_arcsec_per_h: 8.0,
        }
    }
}

impl Known {
    /// SkyBoT, if it is asked.
    pub fn skybot(&self) -> Option<SkybotService> {
        if !matches!(self.source, KnownSource::Both | KnownSource::Skybot) {
            return None;
        }
        let built_in = || URLS.iter().map(|url| (*url).to_owned()).collect();
        let urls = if self.urls.is_empty() { built_in() } else { self.urls.clone() };
        Some(SkybotService::new(urls, self.timeout_s))
    }

    /// Whether the orbits on disk are used.
    pub fn is_offline_used(&self) -> bool {
        matches!(self.source, KnownSource::Both | KnownSource::Offline)
    }
}

/// Checks the section.
pub(super) fn known(raw: RawKnown, checker: &Checker<'_>) -> Result<Known, ConfigError> {
    let default = Known::default();
    let sources = [
        ("both", KnownSource::Both),
        ("skybot", KnownSource::Skybot),
        ("offline", KnownSource::Offline),
        ("files", KnownSource::Files),
        ("none", KnownSource::None),
    ];
    let form = "an address as \"https://host/path\", without user name or password";
    let urls = checker.texts("known.urls", raw.urls, is_address, form)?;
    if urls.len() > URLS_MAX {
        return Err(ConfigError::OutOfRange {
            place: checker.place("known.urls"),
            key: "known.urls",
            value: urls.len() as f64,
            min: 0.0,
            max: URLS_MAX as f64,
        });
    }
    Ok(Known {
        source: checker.word("known.source", raw.source, default.source, &sources)?,
        files: checker.paths("known.files", raw.files),
        urls,
        timeout_s: checker.number(
            "known.timeout_s",
            raw.timeout_s,
            default.timeout_s,
            1.0..=600.0,
        )?,
        radius_arcsec: checker.number(
            "known.radius_arcsec",
            raw.radius_arcsec,
            default.radius_arcsec,
            0.1..=120.0,
        )?,
        rate_difference_arcsec_per_h: checker.number(
            "known.rate_difference_arcsec_per_h",
            raw.rate_difference_arcsec_per_h,
            default.rate_difference_arcsec_per_h,
            0.1..=1000.0,
        )?,
    })
}
