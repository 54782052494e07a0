//! Checks of single values, with the place of the mistake.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::error::{ConfigError, Place};
use super::settings::Settings;

/// Checks values and knows where each was written. Keys are `section.key`.
pub(super) struct Checker<'a> {
    settings: &'a Settings,
}

impl<'a> Checker<'a> {
    pub(super) const fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    /// Where a setting was written.
    pub(super) fn place(&self, key: &str) -> Place {
        self.settings.place(key)
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

    /// A path; relative ones of a file start at its folder.
    pub(super) fn path(&self, key: &str, text: &str) -> PathBuf {
        self.settings.path(key, text)
    }

    /// Paths; relative ones of a file start at its folder.
    pub(super) fn paths(&self, key: &str, texts: Option<Vec<String>>) -> Vec<PathBuf> {
        texts.unwrap_or_default().iter().map(|text| self.path(key, text)).collect()
    }
}
