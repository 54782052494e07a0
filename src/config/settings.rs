//! Settings from all sources, checked for name and kind, each with its place.
//!
//! The configuration is two levels deep, so settings are a flat map from (section, key) to value;
//! a later source replaces the value of an earlier one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::keys::{Key, Kind, find_key, known_keys, known_sections, names_in, nearest};
use super::raw::Raw;

/// Settings of all sources so far.
#[derive(Debug, Default)]
pub(super) struct Settings {
    values: BTreeMap<(&'static str, &'static str), (toml::Value, Place)>,
}

/// A text with settings and where it comes from.
pub(super) enum Source<'a> {
    /// A file.
    File(&'a Path),
    /// An override, all of whose settings are at one place.
    Override(&'a Place),
}

impl Settings {
    /// Adds the settings of a TOML text; they win over earlier ones.
    pub(super) fn add(&mut self, text: &str, source: &Source<'_>) -> Result<(), ConfigError> {
        let document = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: place_of(text, source, &error.span().unwrap_or(0..0)),
            cause: Box::new(error),
        })?;
        for (section, value) in document.get_ref() {
            self.add_section(text, source, section, value)?;
        }
        Ok(())
    }

    fn add_section(
        &mut self,
        text: &str,
        source: &Source<'_>,
        section: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let place = place_of(text, source, &section.span());
        let section = section.get_ref().as_ref();
        if !known_sections().contains(&section) {
            return Err(unknown_section(place, section));
        }
        let Some(table) = value.get_ref().as_table() else {
            return Err(ConfigError::NotASection { place, section: section.to_owned() });
        };
        for (name, value) in table {
            let place = place_of(text, source, &name.span());
            let name = name.get_ref().as_ref();
            let Some(key) = find_key(section, name) else {
                return Err(unknown_key(place, section, name));
            };
            if !is_of_kind(value.get_ref(), key.kind) {
                return Err(wrong_kind(place, key, describe(value.get_ref())));
            }
            let value = to_value(value, key.kind).ok_or_else(|| {
                wrong_kind(place.clone(), key, "a number that does not fit 64 bits")
            })?;
            self.values.insert((key.section, key.name), (value, place));
        }
        Ok(())
    }

    /// The raw structs with these settings.
    pub(super) fn to_raw(&self) -> Result<Raw, ConfigError> {
        let mut sections = toml::Table::new();
        for ((section, name), (value, _)) in &self.values {
            let section =
                sections.entry(*section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let Some(table) = section.as_table_mut() {
                table.insert((*name).to_owned(), value.clone());
            }
        }
        Raw::deserialize(sections)
            .map_err(|source| ConfigError::Decode { source: Box::new(source) })
    }

    /// Where the setting `section.key` was written.
    pub(super) fn place(&self, dotted: &str) -> Place {
        let found = dotted.split_once('.').and_then(|(section, name)| {
            let key = find_key(section, name)?;
            self.values.get(&(key.section, key.name))
        });
        found.map_or(Place::BuiltIn, |(_, place)| place.clone())
    }

    /// A path of the setting `section.key`: relative ones start at the file that names them.
    pub(super) fn path(&self, dotted: &str, text: &str) -> PathBuf {
        match self.place(dotted) {
            Place::File { path, .. } => {
                path.parent().map_or_else(|| text.into(), |dir| dir.join(text))
            }
            _ => text.into(),
        }
    }
}

/// The value as an owned one of the key's kind; `None` when an integer is too large.
fn to_value(value: &Spanned<DeValue<'_>>, kind: Kind) -> Option<toml::Value> {
    match (value.get_ref(), kind) {
        (DeValue::String(text), _) => Some(toml::Value::String(text.to_string())),
        (DeValue::Boolean(flag), _) => Some(toml::Value::Boolean(*flag)),
        (DeValue::Integer(number), _) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).ok()?;
            Some(toml::Value::Integer(number))
        }
        (DeValue::Float(number), _) => number.as_str().parse().ok().map(toml::Value::Float),
        (DeValue::Array(list), _) => {
            let texts = list.iter().filter_map(|entry| entry.get_ref().as_str());
            Some(toml::Value::Array(texts.map(|text| text.into()).collect()))
        }
        _ => None,
    }
}

fn is_of_kind(value: &DeValue<'_>, kind: Kind) -> bool {
    match kind {
        Kind::Number => value.is_float() || value.is_integer(),
        Kind::Integer => value.is_integer(),
        Kind::Text => value.is_str(),
        Kind::Flag => value.is_bool(),
        Kind::List => {
            value.as_array().is_some_and(|list| list.iter().all(|entry| entry.get_ref().is_str()))
        }
    }
}

fn describe(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list of something else",
        DeValue::Table(_) => "a table",
    }
}

pub(super) fn wrong_kind(place: Place, key: &Key, found: &'static str) -> ConfigError {
    let dotted = format!("{}.{}", key.section, key.name);
    ConfigError::WrongKind { place, key: dotted, expected: key.kind, found }
}

pub(super) fn unknown_section(place: Place, section: &str) -> ConfigError {
    // A key at the top of the file lacks its section.
    let as_key = known_keys().iter().find(|key| key.name == section);
    let hint = match (as_key, nearest(section, known_sections().into_iter())) {
        (Some(key), _) => Some(format!("`{section}` in [{}]", key.section)),
        (None, nearest) => nearest.map(|name| format!("[{name}]")),
    };
    ConfigError::UnknownSection { place, section: section.to_owned(), hint }
}

pub(super) fn unknown_key(place: Place, section: &str, name: &str) -> ConfigError {
    let elsewhere = known_keys().iter().find(|key| key.name == name);
    let hint = match (elsewhere, nearest(name, names_in(section).into_iter())) {
        (Some(key), _) => Some(format!("`{name}` in [{}]", key.section)),
        (None, nearest) => nearest.map(|name| format!("`{name}`")),
    };
    ConfigError::UnknownKey { place, section: section.to_owned(), key: name.to_owned(), hint }
}

/// Line and column of a span's start, or the override's place.
fn place_of(text: &str, source: &Source<'_>, span: &Range<usize>) -> Place {
    let path = match source {
        Source::File(path) => path,
        Source::Override(place) => return (*place).clone(),
    };
    let before = text.get(..span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place::File {
        path: path.to_path_buf(),
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
    }
}
