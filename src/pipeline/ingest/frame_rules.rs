//! Rules for single frames: what to leave alone, what is for something else than its header says,
//! and which header values are wrong.
//!
//! A rules file is TOML, a `[[rule]]` each; all rules that fit a frame count, in their order. It
//! does what the lists `ignored_images`, `forced_classifications` and `image_header_corrections` of
//! Filabres do (../shared/spec/seeds.md 3.2). A rule for a night or a file that is not there does
//! nothing. Raw files are never changed: headers are corrected as they are read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::choose::{any_fits, pattern_fits};
use crate::formats::fits::{Header, Value};
use crate::pipeline::artifact::frame_info::FrameKind;

/// A file of rules with an example of each kind, to be copied.
pub const FRAME_RULES_TOML: &str = include_str!("../../../config/frame-rules.toml");

/// Rules of a file.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameRules {
    /// The rules.
    #[serde(default)]
    pub rule: Vec<FrameRule>,
}

/// A rule for some frames.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameRule {
    /// Pattern of the nights' names; every night when it is missing.
    #[serde(default = "any")]
    pub night: String,
    /// Patterns of the files' names.
    pub files: Vec<String>,
    /// Whether the frames are left alone.
    #[serde(default)]
    pub ignore: bool,
    /// What the frames are for, whatever their headers say.
    #[serde(default)]
    pub kind: Option<ForcedKind>,
    /// Header values that hold instead of the file's.
    #[serde(default)]
    pub set: BTreeMap<String, CardValue>,
}

fn any() -> String {
    "*".to_owned()
}

/// What a frame is for, in the words of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForcedKind {
    /// Bias.
    Bias,
    /// Dark.
    Dark,
    /// Flat.
    Flat,
    /// Science.
    Science,
}

/// A header value in a rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum CardValue {
    /// True or false.
    Flag(bool),
    /// Whole number.
    Whole(i64),
    /// Number.
    Real(f64),
    /// Text.
    Text(String),
}

/// What the rules say of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ruled {
    /// It is left alone.
    pub is_ignored: bool,
    /// What it is for.
    pub kind: Option<FrameKind>,
}

impl FrameRules {
    /// Reads a rules file.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Corrects the header of a frame and says what else holds for it.
    ///
    /// * `night`, `file`: names as the rules mean them; a file in a folder of its night is meant by
    ///   its last part as well.
    pub fn apply(&self, (night, file): (&str, &str), header: &mut Header) -> Ruled {
        let mut ruled = Ruled::default();
        let last = file.rsplit('/').next().unwrap_or(file);
        for rule in &self.rule {
            let fits = |name: &str| any_fits(&rule.files, name);
            if !pattern_fits(&rule.night, night) || !(fits(file) || fits(last)) {
                continue;
            }
            ruled.is_ignored |= rule.ignore;
            ruled.kind = rule.kind.map(FrameKind::from).or(ruled.kind);
            for (keyword, value) in &rule.set {
                header.set(keyword, value.clone(), "by a rules file");
            }
        }
        ruled
    }
}

impl From<ForcedKind> for FrameKind {
    fn from(kind: ForcedKind) -> Self {
        match kind {
            ForcedKind::Bias => Self::Bias,
            ForcedKind::Dark => Self::Dark,
            ForcedKind::Flat => Self::Flat,
            ForcedKind::Science => Self::Science,
        }
    }
}

impl From<CardValue> for Value {
    fn from(value: CardValue) -> Self {
        match value {
            CardValue::Flag(is) => is.into(),
            CardValue::Whole(number) => number.into(),
            CardValue::Real(number) => number.into(),
            CardValue::Text(text) => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "[[rule]]\nnight = \"2019*\"\nfiles = [\"bad-*.fits\", \"focus*\"]\n\
        ignore = true\n[[rule]]\nfiles = [\"dome??.fits\"]\nkind = \"flat\"\n\
        set = { FILTER = \"R\", EXPTIME = 2, MJD-OBS = 58000.5 }\n";

    #[test]
    fn frames_are_meant_by_night_and_name() {
        let rules = FrameRules::parse(RULES).expect("rules");
        let mut header = Header::new();
        header.set("FILTER", "V", "");
        let of = |night, file, header: &mut Header| rules.apply((night, file), header);
        assert!(of("20190102", "bad-1.fits", &mut header).is_ignored);
        assert!(of("20190102", "run1/FOCUS7.fits", &mut header).is_ignored);
        assert!(!of("20200102", "bad-1.fits", &mut header).is_ignored);
        assert_eq!(header.text("FILTER"), Some("V"));
        let ruled = of("any", "dome01.fits", &mut header);
        assert_eq!(ruled, Ruled { is_ignored: false, kind: Some(FrameKind::Flat) });
        assert_eq!((header.text("FILTER"), header.integer("EXPTIME")), (Some("R"), Some(2)));
        assert_eq!(header.real("MJD-OBS"), Some(58_000.5));
        assert_eq!(FrameRules::parse(FRAME_RULES_TOML).expect("the example").rule.len(), 3);
        assert!(FrameRules::parse("[[rule]]\nnight = \"x\"\n").is_err(), "no files");
        assert!(FrameRules::parse("[[rule]]\nfiles = []\nkind = \"arc\"\n").is_err());
    }
}
