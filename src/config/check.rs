//! Checks of single values, with the place of the mistake.
//!
//! Keys are `section.key`; in a list of sections the checker's entry tells which one is meant.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::error::{ConfigError, Place};
use super::keys::nearest;
use super::settings::{Settings, path_at};

/// Checks values and knows where each was written.
pub(super) struct Checker<'a> {
    settings: &'a Settings,
    entry: usize,
}

impl<'a> Checker<'a> {
    pub(super) const fn new(settings: &'a Settings) -> Self {
        Self { settings, entry: 0 }
    }

    /// The same for an entry of a list of sections.
    pub(super) const fn entry(&self, entry: usize) -> Self {
        Self { settings: self.settings, entry }
    }

    /// Where the entries of a list of sections begin.
    pub(super) fn entry_places(&self, section: &str) -> &'a [Place] {
        self.settings.entry_places(section)
    }

    /// Where a setting was written.
    pub(super) fn place(&self, key: &str) -> Place {
        self.settings.place(key, self.entry)
    }

    /// A number in a range, or its default; NaN is in no range.
    pub(super) fn number(
        &self,
        key: &'static str,
        value: Option<f64>,
        default: f64,
        range: RangeInclusive<f64>,
    ) -> Result<f64, ConfigError> {
        Ok(self.optional_number(key, value, range)?.unwrap_or(default))
    }

    /// A number in a range, if it is given.
    pub(super) fn optional_number(
        &self,
        key: &'static str,
        value: Option<f64>,
        range: RangeInclusive<f64>,
    ) -> Result<Option<f64>, ConfigError> {
        let Some(value) = value else { return Ok(None) };
        if range.contains(&value) {
            return Ok(Some(value));
        }
        let (min, max) = range.into_inner();
        Err(ConfigError::OutOfRange { place: self.place(key), key, value, min, max })
    }

    /// A whole number in a range, or its default.
    pub(super) fn whole<T: TryFrom<i64>>(
        &self,
        key: &'static str,
        value: Option<i64>,
        default: T,
        range: RangeInclusive<i64>,
    ) -> Result<T, ConfigError> {
        let Some(value) = value else {
            return Ok(default);
        };
        let typed = T::try_from(value).ok().filter(|_| range.contains(&value));
        typed.ok_or_else(|| ConfigError::OutOfRange {
            place: self.place(key),
            key,
            value: value as f64,
            min: *range.start() as f64,
            max: *range.end() as f64,
        })
    }

    /// A text of a form.
    pub(super) fn text(
        &self,
        key: &'static str,
        value: String,
        is_fine: impl Fn(&str) -> bool,
        expected: &'static str,
    ) -> Result<String, ConfigError> {
        if is_fine(&value) {
            return Ok(value);
        }
        Err(ConfigError::WrongText { place: self.place(key), key, value, expected })
    }

    /// A text of a form, if it is given.
    pub(super) fn optional_text(
        &self,
        key: &'static str,
        value: Option<String>,
        is_fine: impl Fn(&str) -> bool,
        expected: &'static str,
    ) -> Result<Option<String>, ConfigError> {
        value.map(|value| self.text(key, value, is_fine, expected)).transpose()
    }

    /// Texts of a form.
    pub(super) fn texts(
        &self,
        key: &'static str,
        values: Option<Vec<String>>,
        is_fine: impl Fn(&str) -> bool,
        expected: &'static str,
    ) -> Result<Vec<String>, ConfigError> {
        let values = values.unwrap_or_default().into_iter();
        values.map(|value| self.text(key, value, &is_fine, expected)).collect()
    }

    /// The meaning of a text that must be one of a few words, or its default.
    pub(super) fn word<T: Copy>(
        &self,
        key: &'static str,
        value: Option<String>,
        default: T,
        words: &[(&'static str, T)],
    ) -> Result<T, ConfigError> {
        let Some(value) = value else { return Ok(default) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == value) {
            return Ok(*meaning);
        }
        let allowed: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
        let hint = nearest(&value, words.iter().map(|(word, _)| *word));
        Err(ConfigError::WrongWord { place: self.place(key), key, value, allowed, hint })
    }

    /// A path; relative ones of a file start at its folder.
    pub(super) fn path(&self, key: &str, text: &str) -> PathBuf {
        path_at(&self.place(key), text)
    }

    /// A path, if it is given.
    pub(super) fn optional_path(&self, key: &str, text: Option<String>) -> Option<PathBuf> {
        text.map(|text| self.path(key, &text))
    }

    /// Paths; relative ones of a file start at its folder.
    pub(super) fn paths(&self, key: &str, texts: Option<Vec<String>>) -> Vec<PathBuf> {
        texts.unwrap_or_default().iter().map(|text| self.path(key, text)).collect()
    }
}
