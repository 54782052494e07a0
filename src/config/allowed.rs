//! Which values a key takes, asked of the checks themselves.
//!
//! Method: a configuration that holds one key, with a value that no check lets pass, is refused,
//! and the refusal tells what is allowed. So there is no second list of ranges to keep in step.

use std::path::Path;

use super::check::Checker;
use super::error::ConfigError;
use super::keys::{Key, Kind, heading};
use super::resolved::resolve;
use super::settings::{Settings, Source};

/// Numbers below this are told with an exponent.
const PLAIN_MIN: f64 = 1e-3;

/// Which values a key takes, in words; `None` when each value of its kind is taken.
pub fn allowed(key: &Key) -> Option<String> {
    let mut settings = Settings::default();
    settings.add(&refused_text(key), &Source::File(Path::new("asked.toml")));
    let raw = settings.to_raw().ok()?;
    let mistakes = resolve(raw, &Checker::new(&settings)).err()?;
    let name = format!("{}.{}", key.section, key.name);
    mistakes.into_iter().find_map(|mistake| match mistake {
        ConfigError::OutOfRange { key, min, max, .. } if key == name => {
            Some(format!("{} to {}", number(min), number(max)))
        }
        ConfigError::WrongWord { key, allowed, .. } if key == name => {
            let words: Vec<String> = allowed.iter().map(|word| format!("\"{word}\"")).collect();
            Some(words.join(", "))
        }
        ConfigError::WrongText { key, expected, .. } if key == name => Some(expected.to_owned()),
        _ => None,
    })
}

/// A configuration with a value of the right kind that no check lets pass.
fn refused_text(key: &Key) -> String {
    let value = match key.kind {
        Kind::Number => "1e300",
        Kind::Integer => "9223372036854775807",
        Kind::Text => "\"\\u0001\"",
        Kind::Flag => "true",
        Kind::List => "[\"\\u0001\"]",
    };
    // What an entry of a list of sections needs.
    let needed = [("name", "\"a\""), ("incoming", "\"/a\"")];
    let mut text = heading(key.section) + "\n";
    for (name, fine) in needed.iter().filter(|(name, _)| key.is_listed && *name != key.name) {
        text.push_str(&format!("{name} = {fine}\n"));
    }
    text + &format!("{} = {value}\n", key.name)
}

fn number(value: f64) -> String {
    if value > 0.0 && value < PLAIN_MIN { format!("{value:e}") } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::keys::known_keys;
    use super::*;

    fn of(section: &str, name: &str) -> Option<String> {
        let key = known_keys().iter().find(|key| (key.section, key.name) == (section, name));
        allowed(key.expect("a key"))
    }

    #[test]
    fn checks_tell_what_they_allow() {
        assert_eq!(of("link", "chance_odds_max").as_deref(), Some("1e-12 to 1"));
        assert_eq!(of("run", "workers").as_deref(), Some("0 to 1024"));
        assert_eq!(of("astrometry", "convention").as_deref(), Some("\"sip\", \"tpv\""));
        assert_eq!(of("telescope", "latitude_deg").as_deref(), Some("-90 to 90"));
        assert!(of("daemon", "metrics_listen").is_some_and(|told| told.contains("loopback")));
        assert_eq!(of("calibrate", "trails"), None);
    }

    #[test]
    fn each_number_has_a_range() {
        let is_number = |key: &&Key| matches!(key.kind, Kind::Number | Kind::Integer);
        for key in known_keys().iter().filter(is_number) {
            assert!(allowed(key).is_some(), "{}.{}", key.section, key.name);
        }
    }
}
