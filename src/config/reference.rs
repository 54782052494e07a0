//! `[reference]`: where the stars come from.

use std::path::PathBuf;

use super::check::Checker;
use super::error::ConfigError;
use super::raw::RawReference;
use crate::remote::ServiceLimits;
use crate::remote::reference::{ReferenceService, ServiceKind, TILE_STARS_MAX};
use crate::science::reference::Release;

/// Longest list of mirrors.
const URLS_MAX: usize = 8;

/// Where the stars come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferenceSource {
    /// The user's own lists.
    #[default]
    Files,
    /// Tiles, fetched when they are first needed.
    Service(ServiceKind),
}

/// Star catalogues.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Where the stars come from.
    pub source: ReferenceSource,
    /// CSV files with the Gaia archive's column names.
    pub files: Vec<PathBuf>,
    /// Release of the fetched catalogue.
    pub release: Release,
    /// Faintest stars that are fetched [mag, G].
    pub g_max_mag: f64,
    /// Addresses of the service, tried in order; the built-in ones when empty.
    pub urls: Vec<String>,
    /// Time for one answer [s].
    pub timeout_s: f64,
}

impl Default for Reference {
    fn default() -> Self {
        Self {
            source: ReferenceSource::Files,
            files: Vec::new(),
            release: Release::GaiaDr3,
            g_max_mag: 19.0,
            urls: Vec::new(),
            timeout_s: 30.0,
        }
    }
}

impl Reference {
    /// The service that is asked for tiles; `None` when the user's own lists are used.
    pub fn service(&self) -> Option<ReferenceService> {
        match self.source {
            ReferenceSource::Files => None,
            ReferenceSource::Service(kind) => Some(self.service_of(kind)),
        }
    }

    /// A service with this release, depth and patience.
    pub fn service_of(&self, kind: ServiceKind) -> ReferenceService {
        let built_in = || kind.urls().iter().map(|url| (*url).to_owned()).collect();
        let urls = if self.urls.is_empty() { built_in() } else { self.urls.clone() };
        ReferenceService {
            kind,
            urls,
            release: self.release,
            g_max_mag: self.g_max_mag,
            tile_stars_max: TILE_STARS_MAX,
            limits: ServiceLimits::with_answer_s(self.timeout_s),
        }
    }
}

/// Checks the section.
pub(super) fn reference(
    raw: RawReference,
    checker: &Checker<'_>,
) -> Result<Reference, ConfigError> {
    let default = Reference::default();
    let sources = [
        ("files", ReferenceSource::Files),
        ("tap", ReferenceSource::Service(ServiceKind::Gaia)),
        ("vizier", ReferenceSource::Service(ServiceKind::Vizier)),
    ];
    let releases = Release::ALL.map(|release| (release.name(), release));
    let urls = checker.texts(
        "reference.urls",
        raw.urls,
        is_address,
        "an address as \"https://host/path\", without user name or password",
    )?;
    if urls.len() > URLS_MAX {
        return Err(ConfigError::OutOfRange {
            place: checker.place("reference.urls"),
            key: "reference.urls",
            value: urls.len() as f64,
            min: 0.0,
            max: URLS_MAX as f64,
        });
    }
    Ok(Reference {
        source: checker.word("reference.source", raw.source, default.source, &sources)?,
        files: checker.paths("reference.files", raw.files),
        release: checker.word("reference.release", raw.release, default.release, &releases)?,
        g_max_mag: checker.number(
            "reference.magnitude_max",
            raw.magnitude_max,
            default.g_max_mag,
            8.0..=21.5,
        )?,
        urls,
        timeout_s: checker.number(
            "reference.timeout_s",
            raw.timeout_s,
            default.timeout_s,
            1.0..=600.0,
        )?,
    })
}

/// Whether a text is an HTTP address with a host and nothing secret in it.
pub(super) fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '@' | '?' | '#');
    !host.is_empty() && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_no_secret() {
        for good in ["https://a.example/tap", "http://127.0.0.1:8080"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "a.example/tap", "ftp://a/b", "https://", "https://u:p@a/b", "http://a b"] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn without_addresses_the_built_in_ones_are_asked() {
        let mut reference = Reference::default();
        assert_eq!(reference.service(), None);
        reference.source = ReferenceSource::Service(ServiceKind::Vizier);
        let service = reference.service().expect("a service");
        assert_eq!(service.urls, ServiceKind::Vizier.urls());
        reference.urls = vec!["http://127.0.0.1:9/tap".to_owned()];
        reference.timeout_s = 2.0;
        let service = reference.service().expect("a service");
        assert_eq!(service.urls, reference.urls);
        assert_eq!(service.limits, ServiceLimits::with_answer_s(2.0));
    }
}
