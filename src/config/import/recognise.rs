//! Which program an old file belongs to.

use serde::Serialize;

use super::rules::key;
use super::syntax::{Word, words};
use super::{Fate, ImportedKey};

/// Kinds of old files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OldKind {
    /// `config.autossos`.
    Autossos,
    /// `default.ssos`.
    Ssos,
    /// Settings of SExtractor.
    Sextractor,
    /// Columns of SExtractor's catalogue.
    SextractorColumns,
    /// SExtractor's filter.
    SextractorKernel,
    /// SExtractor's weights of its star classifier.
    SextractorNetwork,
    /// Settings of SCAMP.
    Scamp,
    /// Settings of SWarp.
    Swarp,
    /// An instrument of Filabres.
    FilabresInstrument,
    /// A workspace of Filabres.
    FilabresSetup,
    /// Frames that Filabres leaves alone, forces or corrects.
    FilabresLists,
}

impl OldKind {
    /// The kind in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Autossos => "configuration of Automatic-SSOs",
            Self::Ssos => "configuration of ssos",
            Self::Sextractor => "configuration of SExtractor",
            Self::SextractorColumns => "columns of SExtractor's catalogue",
            Self::SextractorKernel => "filter of SExtractor",
            Self::SextractorNetwork => "star classifier of SExtractor",
            Self::Scamp => "configuration of SCAMP",
            Self::Swarp => "configuration of SWarp",
            Self::FilabresInstrument => "instrument of Filabres",
            Self::FilabresSetup => "setup of Filabres",
            Self::FilabresLists => "list of frames of Filabres",
        }
    }
}

/// Keys that only one kind of file has.
const SIGNS: [(&str, OldKind); 10] = [
    ("FLIPSTAT", OldKind::Autossos),
    ("RECALIB", OldKind::Autossos),
    ("SEX_CONFIG", OldKind::Ssos),
    ("FILTER_DETEC", OldKind::Ssos),
    ("CROSSMATCH_SKYBOT", OldKind::Ssos),
    ("DETECT_THRESH", OldKind::Sextractor),
    ("PHOT_APERTURES", OldKind::Sextractor),
    ("ASTREF_CATALOG", OldKind::Scamp),
    ("CROSSID_RADIUS", OldKind::Scamp),
    ("RESAMPLING_TYPE", OldKind::Swarp),
];
/// The same by the ends of names, for files without such a key.
const ENDS: [(&str, OldKind); 6] = [
    ("config.autossos", OldKind::Autossos),
    (".ssos", OldKind::Ssos),
    (".sex", OldKind::Sextractor),
    (".scamp", OldKind::Scamp),
    (".swarp", OldKind::Swarp),
    (".param", OldKind::SextractorColumns),
];

/// What a file is, by its content first.
pub(super) fn recognise(name: &str, text: &str) -> Option<OldKind> {
    let lower = name.to_ascii_lowercase();
    if text.trim_start().starts_with("CONV") {
        return Some(OldKind::SextractorKernel);
    }
    if text.trim_start().starts_with("NNW") {
        return Some(OldKind::SextractorNetwork);
    }
    if lower.ends_with(".yaml") || lower.ends_with(".yml") {
        let has = |key: &str| text.lines().any(|line| line.trim_start().starts_with(key));
        let signs = [
            ("instname", OldKind::FilabresInstrument),
            ("datadir", OldKind::FilabresSetup),
            ("files", OldKind::FilabresLists),
        ];
        return signs.into_iter().find(|(key, _)| has(key)).map(|(_, kind)| kind);
    }
    let words = words(text);
    let sign = words.iter().find_map(|word| {
        SIGNS.iter().find(|(key, _)| key.eq_ignore_ascii_case(word.key)).map(|(_, kind)| *kind)
    });
    sign.or_else(|| ENDS.iter().find(|(end, _)| lower.ends_with(end)).map(|(_, kind)| *kind))
}

/// A file that is not needed as a whole.
pub(super) fn whole_file(kind: OldKind) -> ImportedKey {
    let why = match kind {
        OldKind::SextractorKernel => {
            "the filter is the frame's own point spread function, measured on its stars"
        }
        OldKind::SextractorNetwork => "stars are told by the frame's own point spread function",
        _ => "cut-outs are resampled without SWarp",
    };
    key(Word { key: "(the whole file)", value: "" }, vec![Fate::NotNeeded(why.to_owned())])
}
