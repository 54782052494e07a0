//! docs/CONFIGURATION.md: every key with its meaning, built-in value, range and old names.
//!
//! Meaning and value come from the shipped configuration file, ranges from the checks, old names
//! from the tables that import old files; tests/it/manual.rs compares the page with the file in
//! docs.

use super::explained::{Entry, Section, explained};
use crate::config::import::{OldKind, old_names};
use crate::config::{Key, allowed, known_keys};

/// Longest line of the page [characters].
const LINE_WIDTH_MAX: usize = 100;
/// What stands before the sections.
const HEAD: &str = "\
# Configuration: all keys

This page is written by `autossosctl man --configuration docs/CONFIGURATION.md`; a test compares it
with the program. [INSTALL.md](INSTALL.md#first-configuration) tells how to begin a configuration,
[TUNING.md](TUNING.md) which key helps against what.

A configuration is a TOML file of sections and keys. All keys may be left out: the built-in value
holds then. A key or section that is not on this page is refused. The end of a key's name is its
unit: `_s` seconds, `_min` minutes (`_d` or `_days` days, `_h` hours), `_deg` degrees, `_arcsec`
arcseconds, `_px` pixels, `_mag` magnitudes, `_mib` mebibytes, `_sigma` times the noise, `_fwhm`
times the seeing; `_max` and `_min` behind a quantity are its limits. The unit stands in brackets as
well. Relative paths start at the folder of the file.

Each key can also be set on the command line (`--set extract.threshold_sigma=5`) or in the
environment (`AUTOSSOS_EXTRACT__THRESHOLD_SIGMA=5`). The command line wins over the environment,
that over the file, that over the built-in value. Only `[[telescope]]` must stand in the file.
`autossosctl config show` prints what holds and where each value comes from.
";

/// The page.
///
/// * `toml`: the shipped file.
pub(super) fn configuration(toml: &str) -> String {
    let file = explained(toml);
    let mut page = String::from(HEAD);
    page.push_str("\n| section | keys |\n|---|---|\n");
    for section in &file.sections {
        let name = section_name(section);
        let n = section.keys.len();
        page.push_str(&format!("| [`{}`](#{name}) | {n} |\n", section.heading));
    }
    for section in &file.sections {
        page.push_str(&format!("\n## {}\n", section.heading));
        if !section.told.is_empty() {
            page.push_str(&format!("\n{}\n", wrapped(&section.told.join(" "))));
        }
        for key in &section.keys {
            page.push_str(&entry(section_name(section), key));
        }
    }
    page
}

/// `telescope` of `[[telescope]]`.
fn section_name<'a>(section: &Section<'a>) -> &'a str {
    section.heading.trim_matches(['[', ']'])
}

/// What is said of a key.
fn entry(section: &str, entry: &Entry<'_>) -> String {
    let name = format!("{section}.{}", entry.name);
    let mut facts = if entry.is_set {
        format!("Built in: `{}`.", entry.value)
    } else {
        format!("Not set; for example `{}`.", entry.value)
    };
    let key = known_keys().iter().find(|key| key.section == section && key.name == entry.name);
    if let Some(key) = key {
        facts.push_str(&format!(" Value: {}.", value(key)));
    }
    let formerly = formerly(&name);
    if !formerly.is_empty() {
        facts.push_str(&format!(" Formerly {}.", formerly.join(", ")));
    }
    format!("\n### {name}\n\n{}\n\n{}\n", wrapped(&entry.told.join(" ")), wrapped(&facts))
}

/// What a value must be: its kind and what the checks allow.
fn value(key: &Key) -> String {
    match allowed(key) {
        Some(words) if words.starts_with('"') => words.replace(", ", " or "),
        Some(allowed) => format!("{}, {allowed}", key.kind),
        None => key.kind.to_string(),
    }
}

/// The old names of a key with their programs.
fn formerly(key: &str) -> Vec<String> {
    let program = |kind| match kind {
        OldKind::Autossos => "Automatic-SSOs",
        OldKind::Ssos => "ssos",
        OldKind::Sextractor | OldKind::SextractorColumns => "SExtractor",
        OldKind::SextractorKernel | OldKind::SextractorNetwork => "SExtractor",
        OldKind::Scamp => "SCAMP",
        OldKind::Swarp => "SWarp",
        OldKind::FilabresInstrument | OldKind::FilabresSetup | OldKind::FilabresLists => "Filabres",
    };
    let names = old_names().into_iter().filter(|name| name.key == key);
    names.map(|name| format!("`{}` ({})", name.old, program(name.kind))).collect()
}

/// A paragraph in lines.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= LINE_WIDTH_MAX {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DEFAULT_TOML;

    #[test]
    fn a_key_tells_value_range_and_old_name() {
        let page = configuration(
            "# Head.\n\n[link]\n# Fewest detections.\ndetections_min = 3\n\n[filter]\n\
             # Slowest motion [arcsec/h].\n#rate_low_arcsec_per_h = 1.5\n",
        );
        let expected = "\n## [link]\n\n### link.detections_min\n\nFewest detections.\n\n\
            Built in: `3`. Value: a whole number, 3 to 1000.\n\n## [filter]\n\n\
            ### filter.rate_low_arcsec_per_h\n\nSlowest motion [arcsec/h].\n\n\
            Not set; for example `1.5`. Value: a number, ";
        assert!(page.contains(expected), "{page}");
        assert!(page.trim_end().ends_with("Formerly `PM_LOW` (ssos)."), "{page}");
        assert!(page.contains("| [`[link]`](#link) | 1 |\n"), "{page}");
    }

    #[test]
    fn all_keys_are_on_the_page() {
        let page = configuration(DEFAULT_TOML);
        for key in known_keys() {
            assert!(page.contains(&format!("\n### {}.{}\n", key.section, key.name)), "{key:?}");
        }
        assert!(page.lines().all(|line| line.chars().count() <= LINE_WIDTH_MAX));
    }
}
