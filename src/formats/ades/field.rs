//! The fields of an observation in the schema's order, and an observation made of them.

use std::collections::BTreeMap;

use super::error::AdesError;
use super::rule::Rule;

/// A field of an optical or occultation observation; the order is the schema's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named as in the standard, which describes them")]
pub enum Field {
    PermId,
    ProvId,
    ArtSat,
    TrkSub,
    ObsSubId,
    Mode,
    Stn,
    Sys,
    Ctr,
    Pos1,
    Pos2,
    Pos3,
    ObsTime,
    RmsTime,
    RaStar,
    DecStar,
    Ra,
    Dec,
    DeltaRa,
    DeltaDec,
    RmsRa,
    RmsDec,
    RmsCorr,
    AstCat,
    Mag,
    RmsMag,
    Band,
    Fltr,
    PhotCat,
    PhotAp,
    LogSnr,
    ShapeOcc,
    Seeing,
    Exp,
    RmsFit,
    NStars,
    Disc,
    UncTime,
    Notes,
    Remarks,
}

impl Field {
    /// All fields in the schema's order.
    pub const ALL: [Self; 40] = [
        Self::PermId,
        Self::ProvId,
        Self::ArtSat,
        Self::TrkSub,
        Self::ObsSubId,
        Self::Mode,
        Self::Stn,
        Self::Sys,
        Self::Ctr,
        Self::Pos1,
        Self::Pos2,
        Self::Pos3,
        Self::ObsTime,
        Self::RmsTime,
        Self::RaStar,
        Self::DecStar,
        Self::Ra,
        Self::Dec,
        Self::DeltaRa,
        Self::DeltaDec,
        Self::RmsRa,
        Self::RmsDec,
        Self::RmsCorr,
        Self::AstCat,
        Self::Mag,
        Self::RmsMag,
        Self::Band,
        Self::Fltr,
        Self::PhotCat,
        Self::PhotAp,
        Self::LogSnr,
        Self::ShapeOcc,
        Self::Seeing,
        Self::Exp,
        Self::RmsFit,
        Self::NStars,
        Self::Disc,
        Self::UncTime,
        Self::Notes,
        Self::Remarks,
    ];

    /// Its name in the file.
    pub const fn tag(self) -> &'static str {
        self.row().0
    }

    /// The field of a name.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.tag() == tag)
    }

    /// Name and rule.
    const fn row(self) -> (&'static str, Rule) {
        match self {
            Self::PermId => ("permID", Rule::PermId),
            Self::ProvId => ("provID", Rule::ProvId),
            Self::ArtSat => ("artSat", Rule::Text(25)),
            Self::TrkSub => ("trkSub", Rule::Name(8)),
            Self::ObsSubId => ("obsSubID", Rule::Text(25)),
            Self::Mode => ("mode", Rule::Word(1, 3)),
            Self::Stn => ("stn", Rule::Word(3, 4)),
            Self::Sys => ("sys", Rule::System),
            Self::Ctr => ("ctr", Rule::Centre),
            Self::Pos1 => ("pos1", Rule::Signed(14)),
            Self::Pos2 => ("pos2", Rule::Signed(14)),
            Self::Pos3 => ("pos3", Rule::Signed(14)),
            Self::ObsTime => ("obsTime", Rule::Time),
            Self::RmsTime => ("rmsTime", Rule::Positive(8)),
            Self::RaStar => ("raStar", Rule::RightAscension),
            Self::DecStar => ("decStar", Rule::Declination),
            Self::Ra => ("ra", Rule::RightAscension),
            Self::Dec => ("dec", Rule::Declination),
            Self::DeltaRa => ("deltaRA", Rule::Signed(10)),
            Self::DeltaDec => ("deltaDec", Rule::Signed(10)),
            Self::RmsRa => ("rmsRA", Rule::Positive(7)),
            Self::RmsDec => ("rmsDec", Rule::Positive(7)),
            Self::RmsCorr => ("rmsCorr", Rule::Correlation),
            Self::AstCat => ("astCat", Rule::Catalogue),
            Self::Mag => ("mag", Rule::Magnitude),
            Self::RmsMag => ("rmsMag", Rule::Positive(6)),
            Self::Band => ("band", Rule::Word(1, 3)),
            Self::Fltr => ("fltr", Rule::Word(1, 3)),
            Self::PhotCat => ("photCat", Rule::Catalogue),
            Self::PhotAp => ("photAp", Rule::Positive(6)),
            Self::LogSnr => ("logSNR", Rule::Signed(6)),
            Self::ShapeOcc => ("shapeOcc", Rule::Flag),
            Self::Seeing => ("seeing", Rule::Positive(6)),
            Self::Exp => ("exp", Rule::Positive(6)),
            Self::RmsFit => ("rmsFit", Rule::Positive(6)),
            Self::NStars => ("nStars", Rule::Count),
            Self::Disc => ("disc", Rule::Discovery),
            Self::UncTime => ("uncTime", Rule::Positive(8)),
            Self::Notes => ("notes", Rule::Word(1, 6)),
            Self::Remarks => ("remarks", Rule::Text(300)),
        }
    }

    /// Whether the value is a number, which tables put to the right.
    pub(super) const fn is_number(self) -> bool {
        matches!(
            self.row().1,
            Rule::Signed(_)
                | Rule::Positive(_)
                | Rule::Magnitude
                | Rule::Correlation
                | Rule::RightAscension
                | Rule::Declination
                | Rule::Count
        )
    }
}

/// An observation: texts that fit their fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observation {
    values: BTreeMap<Field, String>,
}

impl Observation {
    /// Sets a field; blanks around the value go.
    pub fn set(&mut self, field: Field, value: &str) -> Result<(), AdesError> {
        let (value, (tag, rule)) = (value.trim(), field.row());
        if !rule.is_kept_by(value) {
            return Err(AdesError::Value { tag, expected: rule.words() });
        }
        self.values.insert(field, value.to_owned());
        Ok(())
    }

    /// The text of a field.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.values.get(&field).map(String::as_str)
    }

    /// The number that a field holds.
    pub fn number(&self, field: Field) -> Option<f64> {
        self.get(field).filter(|_| field.is_number())?.parse().ok()
    }

    /// All fields that are set, in the schema's order.
    pub fn fields(&self) -> impl Iterator<Item = (Field, &str)> {
        self.values.iter().map(|(field, text)| (*field, text.as_str()))
    }

    /// Whether it tells an occultation.
    pub(super) fn is_occultation(&self) -> bool {
        self.values.contains_key(&Field::RaStar)
    }

    /// The first field that must be there and is not.
    pub fn missing(&self) -> Option<Field> {
        let has = |field| self.values.contains_key(&field);
        let is_named =
            [Field::PermId, Field::ProvId, Field::ArtSat, Field::TrkSub].into_iter().any(has);
        if !is_named {
            return Some(Field::TrkSub);
        }
        let place: &[Field] = if self.is_occultation() {
            &[Field::DecStar, Field::DeltaRa, Field::DeltaDec]
        } else {
            &[Field::Ra, Field::Dec]
        };
        let needed = [Field::Mode, Field::Stn, Field::ObsTime, Field::AstCat];
        let found = needed.iter().chain(place).copied().find(|field| !has(*field));
        let photometry = [Field::RmsMag, Field::Fltr, Field::PhotCat, Field::PhotAp, Field::Band];
        found
            .or_else(|| (has(Field::Mag) && !has(Field::Band)).then_some(Field::Band))
            .or_else(|| (!has(Field::Mag) && photometry.into_iter().any(has)).then_some(Field::Mag))
    }
}
