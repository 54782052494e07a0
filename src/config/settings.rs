//! Settings from all sources, checked for name and kind, each with its place.
//!
//! The configuration is two levels deep, so settings are a flat map from slot (section, entry,
//! name) to value; a later source replaces the value of an earlier one. The entry is 0 except in
//! a list of sections. A mistake does not end the reading, so that all can be told at once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::keys::{
    Key, Kind, find_key, heading, is_listed, known_keys, known_sections, names_in, nearest,
};
use super::raw::Raw;

/// Most entries of a list of sections.
const ENTRIES_MAX: usize = 64;

/// Section, entry and name.
type Slot = (&'static str, usize, &'static str);

/// Settings of all sources so far.
#[derive(Debug, Default)]
pub(super) struct Settings {
    values: BTreeMap<Slot, (toml::Value, Place)>,
    /// Where each entry of a list of sections begins; an entry may be empty.
    entries: BTreeMap<&'static str, Vec<Place>>,
    mistakes: Vec<ConfigError>,
}

/// A text with settings and where it comes from.
pub(super) enum Source<'a> {
    /// A file.
    File(&'a Path),
    /// An override, all of whose settings are at one place.
    Override(&'a Place),
}

/// A text and its source.
struct Text<'a> {
    text: &'a str,
    source: &'a Source<'a>,
}

impl Settings {
    /// Adds the settings of a TOML text; they win over earlier ones.
    pub(super) fn add(&mut self, text: &str, source: &Source<'_>) {
        let origin = Text { text, source };
        let document = match DeTable::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let place = origin.place(&error.span().unwrap_or(0..0));
                return self.refuse(ConfigError::Syntax { place, cause: Box::new(error) });
            }
        };
        // The parser's map has the order of the alphabet; a reader's is the file's.
        let mut sections: Vec<_> = document.get_ref().iter().collect();
        sections.sort_by_key(|(section, _)| section.span().start);
        for (section, value) in sections {
            self.add_section(&origin, section, value);
        }
    }

    /// Notes a mistake.
    pub(super) fn refuse(&mut self, mistake: ConfigError) {
        self.mistakes.push(mistake);
    }

    /// Takes the mistakes noted so far, in the order of the sources.
    pub(super) fn take_mistakes(&mut self) -> Vec<ConfigError> {
        std::mem::take(&mut self.mistakes)
    }

    fn add_section(
        &mut self,
        origin: &Text<'_>,
        section: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) {
        let place = origin.place(&section.span());
        let name = section.get_ref().as_ref();
        let Some(section) = known_sections().into_iter().find(|known| *known == name) else {
            return self.refuse(unknown_section(place, name));
        };
        if !is_listed(section) {
            return match value.get_ref().as_table() {
                Some(table) => self.add_table(origin, (section, 0), table),
                None => self.refuse(ConfigError::NotASection { place, section }),
            };
        }
        let list = value
            .get_ref()
            .as_array()
            .filter(|list| list.iter().all(|entry| entry.get_ref().is_table()) && !list.is_empty());
        let Some(list) = list else {
            return self.refuse(ConfigError::NotAList { place, section });
        };
        if list.len() > ENTRIES_MAX {
            return self.refuse(ConfigError::TooMany { place, section, max: ENTRIES_MAX });
        }
        for (entry, value) in list.iter().enumerate() {
            let place = origin.place(&value.span());
            self.entries.entry(section).or_default().push(place);
            if let Some(table) = value.get_ref().as_table() {
                self.add_table(origin, (section, entry), table);
            }
        }
    }

    fn add_table(
        &mut self,
        origin: &Text<'_>,
        (section, entry): (&'static str, usize),
        table: &DeTable<'_>,
    ) {
        let mut lines: Vec<_> = table.iter().collect();
        lines.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in lines {
            let place = origin.place(&name.span());
            let name = name.get_ref().as_ref();
            let Some(key) = find_key(section, name) else {
                self.refuse(unknown_key(place, section, name));
                continue;
            };
            if !is_of_kind(value.get_ref(), key.kind) {
                self.refuse(wrong_kind(place, key, describe(value.get_ref())));
                continue;
            }
            match to_value(value, key.kind) {
                Some(value) => {
                    self.values.insert((key.section, entry, key.name), (value, place));
                }
                None => self.refuse(wrong_kind(place, key, "a number that does not fit 64 bits")),
            }
        }
    }

    /// The raw structs with these settings.
    pub(super) fn to_raw(&self) -> Result<Raw, ConfigError> {
        let mut sections = toml::Table::new();
        for section in known_sections() {
            let value = if is_listed(section) {
                let entries = 0..self.entry_places(section).len();
                entries.map(|entry| self.table(section, entry)).collect::<Vec<_>>().into()
            } else {
                toml::Value::Table(self.table(section, 0))
            };
            sections.insert(section.to_owned(), value);
        }
        Raw::deserialize(sections)
            .map_err(|source| ConfigError::Decode { source: Box::new(source) })
    }

    fn table(&self, section: &'static str, entry: usize) -> toml::Table {
        let slots = names_in(section).into_iter().map(|name| (section, entry, name));
        slots
            .filter_map(|slot| Some((slot.2.to_owned(), self.values.get(&slot)?.0.clone())))
            .collect()
    }

    /// Where the entries of a list of sections begin.
    pub(super) fn entry_places(&self, section: &str) -> &[Place] {
        self.entries.get(section).map_or(&[], Vec::as_slice)
    }

    /// The value of a key in an entry, and its place.
    pub(super) fn value(&self, key: &Key, entry: usize) -> Option<&(toml::Value, Place)> {
        self.values.get(&(key.section, entry, key.name))
    }

    /// Where the setting `section.key` was written; the entry counts in a list of sections.
    pub(super) fn place(&self, dotted: &str, entry: usize) -> Place {
        let found = dotted.split_once('.').and_then(|(section, name)| {
            let key = find_key(section, name)?;
            self.value(key, if key.is_listed { entry } else { 0 })
        });
        found.map_or(Place::BuiltIn, |(_, place)| place.clone())
    }
}

impl Text<'_> {
    /// Line and column of a span's start, or the override's place.
    fn place(&self, span: &Range<usize>) -> Place {
        let path = match self.source {
            Source::File(path) => path,
            Source::Override(place) => return (*place).clone(),
        };
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place::File {
            path: path.to_path_buf(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
        }
    }
}

/// A path that was written at a place: relative ones start at the file that names them.
pub(super) fn path_at(place: &Place, text: &str) -> PathBuf {
    match place {
        Place::File { path, .. } => path.parent().map_or_else(|| text.into(), |dir| dir.join(text)),
        _ => text.into(),
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
        (Some(key), _) => Some(format!("`{section}` in {}", heading(key.section))),
        (None, nearest) => nearest.map(heading),
    };
    ConfigError::UnknownSection { place, section: section.to_owned(), hint }
}

pub(super) fn unknown_key(place: Place, section: &str, name: &str) -> ConfigError {
    let elsewhere = known_keys().iter().find(|key| key.name == name);
    let hint = match (elsewhere, nearest(name, names_in(section).into_iter())) {
        (Some(key), _) => Some(format!("`{name}` in {}", heading(key.section))),
        (None, nearest) => nearest.map(|name| format!("`{name}`")),
    };
    ConfigError::UnknownKey { place, section: section.to_owned(), key: name.to_owned(), hint }
}
