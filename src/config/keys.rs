//! The keys that the configuration knows, found by asking the raw structs themselves.
//!
//! Method: serde tells a deserializer the names of a struct's fields. [`Probe`] is one that has
//! no data: it answers each field with an empty value and notes section, name and kind; a list of
//! sections gets one entry. So there is no second list of keys to keep in step.

use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::value::{Error, SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::raw::Raw;

static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let mut keys = Vec::new();
    let probe = Probe { path: [None, None], is_listed: false, keys: &mut keys };
    Raw::deserialize(probe).expect("raw structs hold supported kinds only; a test looks");
    keys
});

/// What a key's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Integer or floating point.
    Number,
    /// Integer.
    Integer,
    /// Text.
    Text,
    /// True or false.
    Flag,
    /// List of texts.
    List,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Text => "a text in quotes",
            Self::Flag => "true or false",
            Self::List => "a list of texts, as [\"a\", \"b\"]",
        })
    }
}

/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Section, as `limits`.
    pub section: &'static str,
    /// Name, as `pixels_max_mpx`.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// Whether its section is a list of tables, as `[[telescope]]`.
    pub is_listed: bool,
}

/// All keys in the order of the raw structs.
pub fn known_keys() -> &'static [Key] {
    &KEYS
}

/// The key of a section and name.
pub(super) fn find_key(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

/// Whether a section is a list of tables.
pub(super) fn is_listed(section: &str) -> bool {
    KEYS.iter().any(|key| key.section == section && key.is_listed)
}

/// A section as it stands in the file: `[run]`, `[[telescope]]`.
pub(super) fn heading(section: &str) -> String {
    if is_listed(section) { format!("[[{section}]]") } else { format!("[{section}]") }
}

/// All sections, each once.
pub(super) fn known_sections() -> Vec<&'static str> {
    let mut sections: Vec<&str> = KEYS.iter().map(|key| key.section).collect();
    sections.dedup();
    sections
}

/// The names in a section.
pub(super) fn names_in(section: &str) -> Vec<&'static str> {
    KEYS.iter().filter(|key| key.section == section).map(|key| key.name).collect()
}

/// The candidate that needs the fewest edits to become `word`; `None` when all need many.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let edits_max = (word.chars().count() / 3).max(2);
    candidates
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= edits_max)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance: insertions, deletions and replacements of characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// A deserializer without data that notes what is asked of it.
struct Probe<'a> {
    path: [Option<&'static str>; 2],
    is_listed: bool,
    keys: &'a mut Vec<Key>,
}

impl Probe<'_> {
    fn note(&mut self, kind: Kind) -> Result<(), Error> {
        let [Some(section), Some(name)] = self.path else {
            return Err(Error::custom("a key outside a section"));
        };
        self.keys.push(Key { section, name, kind, is_listed: self.is_listed });
        Ok(())
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a kind of value that the configuration does not have"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(ProbeFields { fields: fields.iter(), current: None, probe: self })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_f64<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note(Kind::Number)?;
        visitor.visit_f64(0.0)
    }

    fn deserialize_i64<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note(Kind::Integer)?;
        visitor.visit_i64(0)
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note(Kind::Flag)?;
        visitor.visit_bool(false)
    }

    fn deserialize_string<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        self.note(Kind::Text)?;
        visitor.visit_str("")
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        if matches!(self.path, [Some(_), None]) {
            self.is_listed = true;
            return visitor.visit_seq(OneEntry(Some(self)));
        }
        self.note(Kind::List)?;
        visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<&str>()))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 char str bytes byte_buf unit unit_struct
        newtype_struct tuple tuple_struct map enum identifier ignored_any
    }
}

/// A list of sections with a single entry.
struct OneEntry<'a>(Option<Probe<'a>>);

impl<'de> SeqAccess<'de> for OneEntry<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.take().map(|probe| seed.deserialize(probe)).transpose()
    }
}

/// The fields of a struct, one after the other.
struct ProbeFields<'a> {
    fields: std::slice::Iter<'static, &'static str>,
    current: Option<&'static str>,
    probe: Probe<'a>,
}

impl<'de> MapAccess<'de> for ProbeFields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.current = self.fields.next().copied();
        let Some(name) = self.current else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Error> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let path = match self.probe.path {
            [None, _] => [self.current, None],
            [section, None] => [section, self.current],
            _ => return Err(Error::custom("sections inside sections")),
        };
        let is_listed = self.probe.is_listed;
        seed.deserialize(Probe { path, is_listed, keys: &mut *self.probe.keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_raw_structs_tell_their_keys() {
        assert_eq!(find_key("run", "workers").map(|key| key.kind), Some(Kind::Integer));
        assert_eq!(find_key("site", "latitude_deg").map(|key| key.kind), Some(Kind::Number));
        assert_eq!(find_key("reference", "files").map(|key| key.kind), Some(Kind::List));
        assert_eq!(find_key("instrument", "profile").map(|key| key.kind), Some(Kind::Text));
        assert_eq!(find_key("run", "threads"), None);
        let incoming =
            Key { section: "telescope", name: "incoming", kind: Kind::Text, is_listed: true };
        assert_eq!(find_key("telescope", "incoming"), Some(&incoming));
        assert_eq!(find_key("daemon", "incoming").map(|key| key.is_listed), Some(false));
        assert_eq!([heading("run"), heading("telescope")], ["[run]", "[[telescope]]"]);
    }

    #[test]
    fn edits_are_counted() {
        // kitten -> sitten -> sittin -> sitting.
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(nearest("treshold", ["workers", "threshold"].into_iter()), Some("threshold"));
        assert_eq!(nearest("zzz", ["workers", "threshold"].into_iter()), None);
    }
}
