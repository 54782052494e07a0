//! Lines of old files: a key, a value, a remark.

/// A key with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

/// The keys of a file: lines that begin with a letter, up to a `#`; the value is what follows the
/// first blanks, without quotes.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    text.lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map(|line| {
            let line = line.split('#').next().unwrap_or_default().trim();
            let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            Word { key, value: value.trim().trim_matches(['"', '\'']) }
        })
        .collect()
}

/// Yes or no, as the old programs write them.
pub(super) fn flag(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A text as TOML.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A number as TOML that has a point.
pub(super) fn real(value: f64) -> String {
    toml::Value::Float(value).to_string()
}
