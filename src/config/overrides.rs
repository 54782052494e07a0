//! Settings from the command line (`--set section.key=value`) and from the environment
//! (`AUTOSSOS_SECTION__KEY=value`).
//!
//! Values are TOML; quotes and brackets may be left away where the key takes text or a list:
//! `--set site.mpc_code=688` and `--set reference.files=gaia.csv` mean what they seem to.

use toml::de::DeTable;

use super::error::{ConfigError, Place};
use super::keys::{Kind, find_key, is_listed, known_sections};
use super::settings::{Settings, Source, unknown_key, unknown_section, wrong_kind};

/// Start of the environment variables that are settings.
const PREFIX: &str = "AUTOSSOS_";
/// Between section and key in a variable's name; names without it are not settings.
const SEPARATOR: &str = "__";
/// The form of a command line override.
const SET_FORM: &str = "section.key=value";
/// The form of the value of an override.
const VALUE_FORM: &str = "a value on one line, without control characters";

/// Adds the environment's settings, in order of their names.
pub(super) fn add_environment(
    settings: &mut Settings,
    variables: impl Iterator<Item = (String, String)>,
) {
    let mut ours: Vec<(String, String)> = variables
        .filter(|(name, _)| name.starts_with(PREFIX) && name.contains(SEPARATOR))
        .collect();
    ours.sort();
    for (name, value) in ours {
        let bare = name.strip_prefix(PREFIX).unwrap_or(&name).to_ascii_lowercase();
        let (section, key) = bare.split_once(SEPARATOR).unwrap_or((&bare, ""));
        let place = Place::Environment { name: name.clone() };
        add_one(settings, (section, key), &value, &place);
    }
}

/// Adds the command line's settings; the last of a key wins.
pub(super) fn add_sets(settings: &mut Settings, sets: &[String]) {
    for argument in sets {
        let place = Place::Set { argument: argument.clone() };
        let parts = argument
            .split_once('=')
            .and_then(|(key, value)| Some((key.trim().split_once('.')?, value)));
        let Some((key, value)) = parts else {
            settings.refuse(ConfigError::BadOverride { place, form: SET_FORM });
            continue;
        };
        add_one(settings, key, value.trim(), &place);
    }
}

fn add_one(settings: &mut Settings, key: (&str, &str), value: &str, place: &Place) {
    match as_toml(key, value, place) {
        Ok(text) => settings.add(&text, &Source::Override(place)),
        Err(mistake) => settings.refuse(mistake),
    }
}

/// An override as the text of a file with this one setting.
fn as_toml(
    (section, name): (&str, &str),
    value: &str,
    place: &Place,
) -> Result<String, ConfigError> {
    if !known_sections().contains(&section) {
        return Err(unknown_section(place.clone(), section));
    }
    if is_listed(section) {
        return Err(ConfigError::OnlyInFile { place: place.clone(), section: section.to_owned() });
    }
    let Some(key) = find_key(section, name) else {
        return Err(unknown_key(place.clone(), section, name));
    };
    if value.chars().any(char::is_control) {
        return Err(ConfigError::BadOverride { place: place.clone(), form: VALUE_FORM });
    }
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let value = match key.kind {
        Kind::Text if !value.starts_with(['"', '\'']) => quoted(value),
        Kind::List if value.is_empty() => "[]".to_owned(),
        Kind::List if !value.starts_with('[') => format!("[{}]", quoted(value)),
        _ => value.to_owned(),
    };
    if DeTable::parse(&format!("value = {value}")).is_err() {
        return Err(wrong_kind(place.clone(), key, "something else"));
    }
    Ok(format!("[{section}]\n{name} = {value}\n"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::raw::Raw;
    use super::*;

    fn raw(sets: &[&str], variables: &[(&str, &str)]) -> Result<Raw, ConfigError> {
        let mut settings = Settings::default();
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        add_environment(&mut settings, variables);
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        add_sets(&mut settings, &sets);
        settings.take_mistakes().into_iter().next().map_or_else(|| settings.to_raw(), Err)
    }

    #[test]
    fn quotes_and_brackets_may_be_left_away() {
        let raw = raw(&["site.mpc_code=688", "reference.files=a b.csv", "mail.to=[\"x@y\"]"], &[]);
        let raw = raw.unwrap();
        assert_eq!(raw.site.mpc_code.as_deref(), Some("688"));
        assert_eq!(raw.reference.files, Some(vec!["a b.csv".to_owned()]));
        assert_eq!(raw.mail.to, Some(vec!["x@y".to_owned()]));
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_its_last_word_counts() {
        let variables = [("AUTOSSOS_RUN__WORKERS", "3"), ("AUTOSSOS_LOG", "debug"), ("HOME", "/")];
        assert_eq!(raw(&[], &variables).unwrap().run.workers, Some(3));
        assert_eq!(
            raw(&["run.workers=1", "run.workers=2"], &variables).unwrap().run.workers,
            Some(2)
        );
    }

    #[test]
    fn mistakes_name_the_override() {
        let message = |sets: &[&str]| raw(sets, &[]).unwrap_err().to_string();
        assert_eq!(message(&["run.workers"]), "--set run.workers: allowed: section.key=value");
        assert_eq!(
            message(&["run.workers=two"]),
            "--set run.workers=two: `run.workers` is something else; allowed: a whole number"
        );
        assert!(message(&["run.worker=2"]).ends_with("hint: did you mean `workers`?"));
        assert!(message(&["run.workers=1\n[mail]"]).contains("on one line"));
        let error = raw(&[], &[("AUTOSSOS_RUNN__WORKERS", "1")]).unwrap_err().to_string();
        assert!(error.starts_with("environment variable AUTOSSOS_RUNN__WORKERS: unknown section"));
    }

    #[test]
    fn telescopes_stand_in_the_file_only() {
        let error = raw(&["telescope.name=north"], &[]).unwrap_err().to_string();
        let told = "[[telescope]] can only be written in the configuration file";
        assert_eq!(error, format!("--set telescope.name=north: {told}"));
        let error = raw(&[], &[("AUTOSSOS_TELESCOPE__NAME", "north")]).unwrap_err().to_string();
        assert!(error.ends_with(told), "{error}");
    }
}
