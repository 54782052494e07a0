//! The shipped file against the built-in values, and the cases of `tests/configs`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use super::*;

fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(kind);
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {}", folder.display());
    paths
}

fn load_text(text: &str) -> Result<Config, ConfigError> {
    let mut settings = settings::Settings::default();
    settings.add(text, &settings::Source::File(Path::new("autossos.toml")))?;
    resolved::resolve(settings.to_raw()?, &check::Checker::new(&settings))
}

#[test]
fn the_shipped_file_gives_the_built_in_values() {
    assert_eq!(load_text(DEFAULT_TOML).unwrap(), Config::default());
    assert_eq!(load(None, &[], std::iter::empty()).unwrap(), Config::default());
}

/// The shipped file's keys: (section, key, line, whether it is commented out).
fn shipped_keys() -> Vec<(String, String, usize, bool)> {
    let mut section = String::new();
    let mut keys = Vec::new();
    for (number, line) in DEFAULT_TOML.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = name.to_owned();
        }
        let bare = line.strip_prefix('#').unwrap_or(line);
        let Some((key, _)) = bare.split_once(" = ") else {
            continue;
        };
        if key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            keys.push((section.clone(), key.to_owned(), number, bare.len() < line.len()));
        }
    }
    keys
}

#[test]
fn the_shipped_file_has_every_key_once_with_a_sentence_above() {
    let found = shipped_keys();
    let lines: Vec<&str> = DEFAULT_TOML.lines().collect();
    for key in known_keys() {
        let mut here =
            found.iter().filter(|(section, name, ..)| section == key.section && name == key.name);
        let (_, _, line, _) = here.next().unwrap_or_else(|| panic!("{}.{}", key.section, key.name));
        assert!(here.next().is_none(), "{}.{} twice", key.section, key.name);
        let above = lines[line - 1];
        assert!(above.starts_with("# ") && above.ends_with('.'), "{}: {above}", key.name);
    }
    assert_eq!(found.len(), known_keys().len(), "the file has keys that the program does not know");
}

#[test]
fn the_commented_keys_of_the_shipped_file_work_when_uncommented() {
    let commented: Vec<usize> =
        shipped_keys().into_iter().filter(|key| key.3).map(|(_, _, line, _)| line).collect();
    let text: Vec<&str> = DEFAULT_TOML
        .lines()
        .enumerate()
        .map(
            |(number, line)| {
                if commented.contains(&number) { line.trim_start_matches('#') } else { line }
            },
        )
        .collect();
    let config = load_text(&text.join("\n")).unwrap();
    assert!(config.site.place_deg.is_some() && config.daemon.incoming.is_some());
}

#[test]
fn valid_cases_are_accepted() {
    for path in cases("valid") {
        if let Err(error) = load(Some(&path), &[], std::iter::empty()) {
            panic!("{}: {error}", path.display());
        }
    }
}

#[test]
fn invalid_cases_give_the_message_beside_them() {
    for path in cases("invalid") {
        let error = load(Some(&path), &[], std::iter::empty()).unwrap_err();
        let folder = format!("{}/", path.parent().unwrap().display());
        let message = error.to_string().replace(&folder, "");
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        assert_eq!(message.trim_end(), expected.trim_end(), "{}", path.display());
    }
}

#[test]
fn paths_of_a_file_start_at_its_folder_and_others_do_not() {
    let path = cases("valid").into_iter().find(|path| path.ends_with("full.toml")).unwrap();
    let config = load(Some(&path), &[], std::iter::empty()).unwrap();
    assert_eq!(config.reference.files[0], path.parent().unwrap().join("gaia.csv"));
    let sets = ["reference.files=here.csv".to_owned()];
    let config = load(Some(&path), &sets, std::iter::empty()).unwrap();
    assert_eq!(config.reference.files, [PathBuf::from("here.csv")]);
    assert_eq!(config.instrument.choice, ProfileChoice::Named("own-camera".to_owned()));
    assert_eq!(config.instrument.profiles[0].name, "own-camera");
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let error = load(Some(Path::new("/nowhere/a.toml")), &[], std::iter::empty()).unwrap_err();
    assert_eq!(error.to_string(), "/nowhere/a.toml: the file cannot be read");
}
