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

pub(super) fn load_text(text: &str) -> Result<Config, Vec<ConfigError>> {
    let mut settings = settings::Settings::default();
    settings.add(text, &settings::Source::File(Path::new("autossos.toml")));
    let mistakes = settings.take_mistakes();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    resolved::resolve(settings.to_raw().unwrap(), &check::Checker::new(&settings))
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
        let bare = line.strip_prefix('#').unwrap_or(line);
        if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = name.trim_start_matches('[').to_owned();
        }
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

/// The shipped file with the commented keys uncommented that `is_wanted` (section, key).
fn uncommented(is_wanted: impl Fn(&str, &str) -> bool) -> String {
    let keys = shipped_keys();
    let is_commented = |number: usize| {
        let key = keys.iter().find(|(_, _, line, _)| *line == number);
        key.is_some_and(|(section, name, _, is_commented)| {
            *is_commented && is_wanted(section, name)
        })
    };
    let lines = DEFAULT_TOML.lines().enumerate().map(|(number, line)| match line {
        "#[[telescope]]" if is_wanted("telescope", "") => "[[telescope]]",
        _ if is_commented(number) => line.trim_start_matches('#'),
        _ => line,
    });
    lines.collect::<Vec<&str>>().join("\n")
}

#[test]
fn the_commented_keys_of_the_shipped_file_work_when_uncommented() {
    let config = load_text(&uncommented(|section, _| section != "telescope")).unwrap();
    assert!(config.site.place_deg.is_some() && config.daemon.incoming.is_some());
    assert!(config.mail.time_zone.is_some() && config.telescopes.is_empty());

    let listed = uncommented(|section, key| (section, key) != ("daemon", "incoming"));
    let config = load_text(&listed).unwrap();
    assert_eq!(config.telescopes.len(), 1);
    assert!(config.telescopes[0].site.place_deg.is_some());
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
    let mut told = String::new();
    for path in cases("invalid") {
        let error = load(Some(&path), &[], std::iter::empty()).unwrap_err();
        let folder = format!("{}/", path.parent().unwrap().display());
        let message = error.to_string().replace(&folder, "");
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        if message.trim_end() != expected.trim_end() {
            told.push_str(&format!("\n{}\nis {message}\nnot {expected}", path.display()));
        }
    }
    assert!(told.is_empty(), "{told}");
}

#[test]
fn paths_of_a_file_start_at_its_folder_and_others_do_not() {
    let path = cases("valid").into_iter().find(|path| path.ends_with("full.toml")).unwrap();
    let config = load(Some(&path), &[], std::iter::empty()).unwrap();
    assert_eq!(config.reference.files[0], path.parent().unwrap().join("gaia.csv"));
    let index = config.astrometry.blind_index.as_deref();
    assert_eq!(index, Some(path.parent().unwrap().join("bright.index").as_path()));
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

#[test]
fn all_mistakes_of_a_kind_are_told_at_once() {
    let told = |text: &str| {
        let mistakes = load_text(text).unwrap_err();
        mistakes.iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    let names = told("[run]\nworker = 2\nmemory_max_mib = \"x\"\n[lnk]\n[link]\nrate = 1\n");
    let starts = ["autossos.toml:2:1: unknown key `worker`", "autossos.toml:3:1: `run.memory"];
    assert!(names.iter().zip(starts).all(|(told, start)| told.starts_with(start)), "{names:?}");
    assert!(names[2].contains("[lnk]") && names[3].contains("`rate`"), "{names:?}");
    assert_eq!(names.len(), 4);

    // Of values the first of each section.
    let values = "[run]\nworkers = -1\nmemory_max_mib = 0\n[mail]\nwhen = \"noon\"\n";
    let values = told(values);
    assert_eq!(values.len(), 2, "{values:?}");
    assert!(values[0].contains("run.workers") && values[1].contains("mail.when"));
}
