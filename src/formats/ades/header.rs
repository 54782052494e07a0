//! The lines of the header (who observed with what) as a table.

use std::collections::BTreeMap;

use super::error::AdesError;
use super::rule::Rule;

/// A line of the header; the order is the one in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named as in the standard, which describes them")]
pub enum HeaderKey {
    ObservatoryCode,
    ObservatoryName,
    SubmitterName,
    SubmitterInstitution,
    Observer,
    Measurer,
    TelescopeName,
    TelescopeDesign,
    TelescopeAperture,
    TelescopeDetector,
    TelescopeFRatio,
    TelescopeFilter,
    TelescopeArraySize,
    TelescopePixelScale,
    SoftwareAstrometry,
    SoftwareFitOrder,
    SoftwarePhotometry,
    SoftwareObjectDetection,
    Coinvestigator,
    Collaborator,
    FundingSource,
    CommentLine,
}

/// Whether a header line must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Once,
    Optional,
    /// Any number of times, at least once.
    Some,
    /// Any number of times.
    Any,
}

impl HeaderKey {
    /// All lines in the order in which they are written.
    pub const ALL: [Self; 22] = [
        Self::ObservatoryCode,
        Self::ObservatoryName,
        Self::SubmitterName,
        Self::SubmitterInstitution,
        Self::Observer,
        Self::Measurer,
        Self::TelescopeName,
        Self::TelescopeDesign,
        Self::TelescopeAperture,
        Self::TelescopeDetector,
        Self::TelescopeFRatio,
        Self::TelescopeFilter,
        Self::TelescopeArraySize,
        Self::TelescopePixelScale,
        Self::SoftwareAstrometry,
        Self::SoftwareFitOrder,
        Self::SoftwarePhotometry,
        Self::SoftwareObjectDetection,
        Self::Coinvestigator,
        Self::Collaborator,
        Self::FundingSource,
        Self::CommentLine,
    ];

    /// Name of its group; the funding source is a group by itself.
    pub const fn group(self) -> &'static str {
        self.row().0
    }

    /// Its name in the group; empty for the funding source.
    pub const fn tag(self) -> &'static str {
        self.row().1
    }

    const fn row(self) -> (&'static str, &'static str, Rule, Need) {
        use Need::{Any, Once, Optional, Some};
        let (long, short, number) = (Rule::Text(100), Rule::Text(25), Rule::Positive(6));
        match self {
            Self::ObservatoryCode => ("observatory", "mpcCode", Rule::Word(3, 4), Once),
            Self::ObservatoryName => ("observatory", "name", long, Optional),
            Self::SubmitterName => ("submitter", "name", long, Once),
            Self::SubmitterInstitution => ("submitter", "institution", long, Optional),
            Self::Observer => ("observers", "name", long, Any),
            Self::Measurer => ("measurers", "name", long, Some),
            Self::TelescopeName => ("telescope", "name", long, Optional),
            Self::TelescopeDesign => ("telescope", "design", short, Once),
            Self::TelescopeAperture => ("telescope", "aperture", number, Once),
            Self::TelescopeDetector => ("telescope", "detector", short, Once),
            Self::TelescopeFRatio => ("telescope", "fRatio", number, Optional),
            Self::TelescopeFilter => ("telescope", "filter", short, Optional),
            Self::TelescopeArraySize => ("telescope", "arraySize", short, Optional),
            Self::TelescopePixelScale => ("telescope", "pixelScale", number, Optional),
            Self::SoftwareAstrometry => ("software", "astrometry", long, Optional),
            Self::SoftwareFitOrder => ("software", "fitOrder", short, Optional),
            Self::SoftwarePhotometry => ("software", "photometry", long, Optional),
            Self::SoftwareObjectDetection => ("software", "objectDetection", long, Optional),
            Self::Coinvestigator => ("coinvestigators", "name", long, Any),
            Self::Collaborator => ("collaborators", "name", long, Any),
            Self::FundingSource => ("fundingSource", "", long, Optional),
            Self::CommentLine => ("comment", "line", long, Any),
        }
    }

    /// The line of a group and a name.
    pub(super) fn find(group: &str, tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.group() == group && key.tag() == tag)
    }

    /// Whether there is such a group.
    pub(super) fn is_group(group: &str) -> bool {
        Self::ALL.into_iter().any(|key| key.group() == group)
    }

    /// Whether it may stand several times.
    const fn is_repeated(self) -> bool {
        matches!(self.row().3, Need::Some | Need::Any)
    }

    /// Whether it must be there.
    const fn is_needed(self) -> bool {
        matches!(self.row().3, Need::Some | Need::Once)
    }
}

/// The header: texts that fit their lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    lines: BTreeMap<HeaderKey, Vec<String>>,
}

impl Header {
    /// Adds a line; blanks around the value go.
    pub fn add(&mut self, key: HeaderKey, value: &str) -> Result<(), AdesError> {
        let value = value.trim();
        let (group, tag, rule, _) = key.row();
        if !rule.is_kept_by(value) {
            let tag = if tag.is_empty() { group } else { tag };
            return Err(AdesError::Value { tag, expected: rule.words() });
        }
        let lines = self.lines.entry(key).or_default();
        if !key.is_repeated() && !lines.is_empty() {
            return Err(AdesError::HeaderTwice { group, tag });
        }
        lines.push(value.to_owned());
        Ok(())
    }

    /// The lines of a key.
    pub fn get(&self, key: HeaderKey) -> &[String] {
        self.lines.get(&key).map_or(&[], Vec::as_slice)
    }

    /// What must be there and is not.
    pub fn missing(&self) -> Vec<HeaderKey> {
        let is_missing = |key: &HeaderKey| key.is_needed() && self.get(*key).is_empty();
        HeaderKey::ALL.into_iter().filter(is_missing).collect()
    }

    /// All lines in the order in which they are written.
    pub fn lines(&self) -> impl Iterator<Item = (HeaderKey, &str)> {
        let all = self.lines.iter();
        all.flat_map(|(key, lines)| lines.iter().map(|line| (*key, line.as_str())))
    }
}
