//! The settings that hold, each with the place it comes from: what `config show` prints.

use std::fmt::Write as _;

use super::DEFAULT_TOML;
use super::error::Place;
use super::keys::{Key, heading, known_keys};
use super::settings::Settings;

/// A setting and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The key.
    pub key: Key,
    /// Which entry of a list of sections, from 0; 0 in other sections.
    pub entry: usize,
    /// Its value as it was written; none when it is not set and has no built-in value.
    pub value: Option<toml::Value>,
    /// Where it was written.
    pub place: Place,
}

/// All settings in the order of the sections; of listed sections those that were written.
pub(super) fn settings_of(settings: &Settings) -> Vec<Setting> {
    let built_in: toml::Table =
        DEFAULT_TOML.parse().expect("the shipped configuration is TOML; a test reads it");
    let mut all = Vec::new();
    for key in known_keys().iter().filter(|key| !key.is_listed) {
        let (value, place) = match settings.value(key, 0) {
            Some((value, place)) => (Some(value.clone()), place.clone()),
            None => {
                let section = built_in.get(key.section);
                (section.and_then(|section| section.get(key.name)).cloned(), Place::BuiltIn)
            }
        };
        all.push(Setting { key: *key, entry: 0, value, place });
    }
    let mut listed: Vec<&str> =
        known_keys().iter().filter(|key| key.is_listed).map(|key| key.section).collect();
    listed.dedup();
    for section in listed {
        for entry in 0..settings.entry_places(section).len() {
            for key in known_keys().iter().filter(|key| key.section == section) {
                let written = settings.value(key, entry).cloned();
                all.extend(written.map(|(value, place)| Setting {
                    key: *key,
                    entry,
                    value: Some(value),
                    place,
                }));
            }
        }
    }
    all
}

/// Settings as a configuration file with a remark where each comes from.
///
/// Relative paths stand as they were written: they start at the folder of the file beside them.
pub fn to_toml(settings: &[Setting]) -> String {
    let mut text = String::new();
    let mut current = None;
    for setting in settings {
        let (key, entry) = (setting.key, setting.entry);
        if current != Some((key.section, entry)) {
            let gap = if current.is_some() { "\n" } else { "" };
            current = Some((key.section, entry));
            text.push_str(&format!("{gap}{}\n", heading(key.section)));
            if key.is_listed {
                text.push_str("# What is left out here, [site], [instrument] and [daemon] say.\n");
            }
        }
        // A control character in a path would end the remark.
        let place = setting.place.to_string().replace(char::is_control, "?");
        let written = match &setting.value {
            Some(value) => writeln!(text, "{} = {value}  # {place}", key.name),
            None => writeln!(text, "# {} is not set", key.name),
        };
        written.expect("a text grows");
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;

    use super::super::tests::load_text;
    use super::super::{Config, check, overrides, resolved, settings};
    use super::*;

    const FILE: &str = r#"
[limits]
pixels_max_mpx = 0x20
[mail]
to = ["a@b.c"]
from = "d@e.f"
[[telescope]]
name = "north"
incoming = "/north \" # 1"
[[telescope]]
incoming = "/south"
name = "south"
height_m = 20
"#;

    fn shown(text: &str, sets: &[&str]) -> (Config, String) {
        let mut settings = Settings::default();
        settings.add(text, &settings::Source::File(Path::new("a.toml")));
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        overrides::add_sets(&mut settings, &sets);
        assert!(settings.take_mistakes().is_empty());
        let checker = check::Checker::new(&settings);
        let config = resolved::resolve(settings.to_raw().unwrap(), &checker).unwrap();
        (config, to_toml(&settings_of(&settings)))
    }

    #[test]
    fn what_is_shown_is_what_holds() {
        for (text, sets) in [("", &[][..]), (FILE, &[]), (FILE, &["run.workers=3", "mail.to="])] {
            let (config, shown) = shown(text, sets);
            assert_eq!(load_text(&shown).unwrap(), config, "{shown}");
        }
    }

    #[test]
    fn each_line_names_its_place() {
        let (_, shown) = shown(FILE, &["run.workers=3"]);
        for line in [
            "file_size_max_mib = 1024  # built-in configuration",
            "pixels_max_mpx = 32  # a.toml:3:1",
            "workers = 3  # --set run.workers=3",
            "to = [\"a@b.c\"]  # a.toml:5:1",
            "# smtp_host is not set",
            "height_m = 20  # a.toml:13:1",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line} is not in:\n{shown}");
        }
        assert_eq!(shown.matches("[[telescope]]").count(), 2);
    }
}
