//! What becomes of a key: a table per kind of file.

use super::syntax::{Word, flag, quoted, real};
use super::{Fate, ImportedKey};

/// What becomes of a key.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// A number for a setting.
    Number(&'static str),
    /// A whole number for a setting.
    Whole(&'static str),
    /// A number for a setting in another unit: to be multiplied.
    Scaled(&'static str, f64),
    /// Yes or no for a setting.
    Flag(&'static str),
    /// A text for a setting.
    Text(&'static str),
    /// A cut of `[filter]`.
    Cut(&'static str),
    /// Not needed, and why.
    Idle(&'static str),
    /// Not needed with this value, refused with others, and why each.
    Only(&'static str, &'static str, &'static str),
    /// By a function of its value.
    By(fn(&str) -> Fate),
}

/// A key and its rule.
pub(super) type Row = (&'static str, Rule);

/// All keys of a file by a table; what is not in it is unknown.
pub(super) fn translate(words: &[Word<'_>], table: &[Row]) -> Vec<ImportedKey> {
    words
        .iter()
        .map(|word| {
            let rule = table.iter().find(|(key, _)| key.eq_ignore_ascii_case(word.key));
            let fate = rule.map_or(Fate::Unknown, |(_, rule)| rule.fate(word.value));
            key(*word, vec![fate])
        })
        .collect()
}

/// A key with its fates; the file is known to the caller.
pub(super) fn key(word: Word<'_>, fates: Vec<Fate>) -> ImportedKey {
    let (key, value) = (word.key.to_owned(), word.value.to_owned());
    ImportedKey { file: String::new(), key, value, fates }
}

impl Rule {
    /// What becomes of a value.
    pub(super) fn fate(self, value: &str) -> Fate {
        let number = || value.parse::<f64>().ok().filter(|v| v.is_finite());
        let made = |key: &'static str, value: Option<String>, what: &str| match value {
            Some(value) => Fate::Set { key, value },
            None => Fate::Refused(format!("is no {what}: set {key} by hand")),
        };
        match self {
            Self::Number(key) => made(key, number().map(real), "number"),
            Self::Whole(key) => {
                made(key, value.parse::<i64>().ok().map(|v| v.to_string()), "whole number")
            }
            Self::Scaled(key, factor) => {
                made(key, number().map(|v| real((v * factor * 1e6).round() / 1e6)), "number")
            }
            Self::Flag(key) => made(key, flag(value).map(|v| v.to_string()), "yes or no"),
            Self::Text(key) => Fate::Set { key, value: quoted(value) },
            Self::Cut(cut) => match flag(value) {
                Some(is_on) => Fate::Cut { cut, is_on },
                None => Fate::Refused("is no yes or no: set filter.chain by hand".to_owned()),
            },
            Self::Idle(why) => Fate::NotNeeded(why.to_owned()),
            Self::Only(usual, why, _) if value.eq_ignore_ascii_case(usual) => {
                Fate::NotNeeded(why.to_owned())
            }
            Self::Only(_, _, refused) => Fate::Refused(refused.to_owned()),
            Self::By(function) => function(value),
        }
    }
}
