//! Configuration files of the programs that autossos replaces, as settings of autossos.
//!
//! Read are `config.autossos` (Automatic-SSOs), `default.ssos`, SExtractor's `.sex`, `.param` and
//! `.conv`, SCAMP's `.scamp`, and Filabres' instrument and setup files (../shared/spec/seeds.md
//! 1.3, 1.18, 2.2, 2.4, 2.5, 3.1, 3.2). Each key of each file ends as a setting, as not needed
//! (and why), as refused (and what to do), or as unknown; none is dropped without a word.

mod automatic;
mod filabres;
mod filabres_lists;
mod old_names;
mod recognise;
mod render;
mod rules;
mod scamp;
mod sextractor;
mod ssos;
mod syntax;

use serde::Serialize;

pub use old_names::{OldName, old_names};
pub use recognise::OldKind;

/// Most bytes of an old file: they have some kilobytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// What became of a key of an old file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is a setting now.
    Set {
        /// Section and name, as `link.rate_max_arcsec_per_h`.
        key: &'static str,
        /// Its value as TOML.
        value: String,
    },
    /// It switches a cut of `[filter]`.
    Cut {
        /// The cut.
        cut: &'static str,
        /// Whether it is made.
        is_on: bool,
    },
    /// Nothing is to be set, and why.
    NotNeeded(String),
    /// It asks for what there is not, and what to do instead.
    Refused(String),
    /// No such key is known of such files.
    Unknown,
}

/// A key of an old file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportedKey {
    /// The file's name.
    pub file: String,
    /// The key as it stood there.
    pub key: String,
    /// Its value as it stood there.
    pub value: String,
    /// What became of it: at least one.
    pub fates: Vec<Fate>,
}

/// A file to write beside the configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportedFile {
    /// Its name.
    pub file: String,
    /// Its text.
    pub toml: String,
    /// Whether it is an instrument profile; else it holds rules for single frames.
    pub is_profile: bool,
}

/// What old files became.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Imported {
    /// Each file with what it was taken for.
    pub files: Vec<(String, OldKind)>,
    /// All keys in the order of files and lines.
    pub keys: Vec<ImportedKey>,
    /// Instrument profiles and rules for single frames, made of files of Filabres.
    pub made: Vec<ImportedFile>,
}

/// An old file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Its kind is not known.
    #[error(
        "{file} is no file of Automatic-SSOs, ssos, SExtractor, SCAMP or Filabres that is known: \
         give config.autossos, default.ssos, .sex, .param, .conv, .scamp or .yaml files"
    )]
    Kind {
        /// The file.
        file: String,
    },
    /// It is no YAML, or not as Filabres writes it.
    #[error("{file} cannot be read as a file of Filabres: {why}")]
    Yaml {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
}

/// Reads old files, each with its name and text; where two of them set the same, the later counts.
pub fn import(files: &[(String, String)]) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    // A threshold means what the kernel makes of it.
    let kernel = files.iter().find_map(|(_, text)| sextractor::kernel_pixels(text));
    for (name, text) in files {
        let no_kind = || ImportError::Kind { file: name.clone() };
        let kind = recognise::recognise(name, text).ok_or_else(no_kind)?;
        imported.files.push((name.clone(), kind));
        let keys = match kind {
            OldKind::Autossos => rules::translate(&syntax::words(text), automatic::RULES),
            OldKind::Ssos => ssos::translate(&syntax::words(text)),
            OldKind::Sextractor => sextractor::translate(&syntax::words(text), kernel),
            OldKind::SextractorColumns => sextractor::columns(text),
            OldKind::SextractorKernel | OldKind::SextractorNetwork | OldKind::Swarp => {
                vec![recognise::whole_file(kind)]
            }
            OldKind::Scamp => rules::translate(&syntax::words(text), scamp::RULES),
            OldKind::FilabresSetup => filabres::setup(name, text)?,
            OldKind::FilabresInstrument => {
                let (keys, profile) = filabres::instrument(name, text)?;
                imported.made.push(profile);
                keys
            }
            OldKind::FilabresLists => {
                let (keys, rules) = filabres_lists::lists(name, text)?;
                imported.made.push(rules);
                keys
            }
        };
        imported.keys.extend(keys.into_iter().map(|key| ImportedKey { file: name.clone(), ..key }));
    }
    Ok(imported)
}

/// Values that a key is tried with when none is given: of each type one.
const TRIED: [&str; 3] = ["1", "True", "x"];

/// What became of a key, of whichever old program: with the kind of file that has it.
///
/// * `value`: its value; without one, a value that is taken stands for it.
pub fn explain(key: &str, value: Option<&str>) -> Vec<(OldKind, ImportedKey)> {
    let is_taken = |key: &ImportedKey| !key.fates.iter().any(|f| matches!(f, Fate::Refused(_)));
    let known = |value: &str| -> Vec<(OldKind, ImportedKey)> {
        let text = format!("{key} {value}");
        let words = syntax::words(&text);
        let all = [
            (OldKind::Autossos, rules::translate(&words, automatic::RULES)),
            (OldKind::Ssos, ssos::translate(&words)),
            (OldKind::Sextractor, sextractor::translate(&words, None)),
            (OldKind::Scamp, rules::translate(&words, scamp::RULES)),
        ];
        let each =
            all.into_iter().flat_map(|(kind, keys)| keys.into_iter().map(move |k| (kind, k)));
        each.filter(|(_, key)| !key.fates.contains(&Fate::Unknown)).collect()
    };
    if let Some(value) = value {
        return known(value);
    }
    let mut found: Vec<(OldKind, ImportedKey)> = Vec::new();
    for (kind, key) in TRIED.iter().flat_map(|value| known(value)) {
        match found.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, before)) if !is_taken(before) && is_taken(&key) => *before = key,
            Some(_) => {}
            None => found.push((kind, key)),
        }
    }
    found
}

impl Imported {
    /// Keys that are unknown or refused.
    pub fn not_taken(&self) -> impl Iterator<Item = &ImportedKey> {
        let is_lost = |fate: &Fate| matches!(fate, Fate::Unknown | Fate::Refused(_));
        self.keys.iter().filter(move |key| key.fates.iter().any(is_lost))
    }
}

#[cfg(test)]
mod tests;
