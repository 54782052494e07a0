//! The new configuration as text.

use std::fmt::Write as _;

use super::syntax::quoted;
use super::{Fate, Imported, ImportedKey};
use crate::config::keys::known_sections;

/// Order of the cuts, as ssos makes them.
const CUTS: [&str; 6] =
    ["detections", "proper_motion", "motion", "pixel", "trail", "bright_sources"];
/// Width of a remark.
const REMARK_WIDTH: usize = 96;

impl Imported {
    /// The settings as a configuration file: what was set, where it comes from, and behind it what
    /// was not needed and what was refused.
    ///
    /// Profiles and rules are named as files beside it.
    pub fn to_toml(&self) -> String {
        let mut text = String::from("# Made by `autossosctl config import` of:\n");
        for (file, kind) in &self.files {
            writeln!(text, "#   {file} ({})", kind.words()).expect("a text grows");
        }
        text.push_str(
            "# What is not set here has its built-in value: `autossosctl config show`.\n",
        );
        for section in known_sections() {
            let lines = self.section(section);
            if !lines.is_empty() {
                write!(text, "\n[{section}]\n{lines}").expect("a text grows");
            }
        }
        text.push_str(&self.remarks("Refused or unknown: to be looked at", is_lost));
        text.push_str(&self.remarks("Not needed", |fate| matches!(fate, Fate::NotNeeded(_))));
        text
    }

    /// The lines of a section; of keys that are set twice the last.
    fn section(&self, section: &str) -> String {
        let mut text = String::new();
        let set: Vec<(&ImportedKey, &'static str, &String)> = self
            .keys
            .iter()
            .flat_map(|key| key.fates.iter().map(move |fate| (key, fate)))
            .filter_map(|(old, fate)| match fate {
                Fate::Set { key, value } => Some((old, *key, value)),
                _ => None,
            })
            .collect();
        for (i, (old, key, value)) in set.iter().enumerate() {
            let is_last = set[i + 1..].iter().all(|(_, later, _)| later != key);
            let Some((of, name)) = key.split_once('.').filter(|_| is_last) else { continue };
            if of == section {
                let was = format!("{} {} of {}", old.key, old.value, old.file);
                writeln!(text, "# {}\n{name} = {value}", was.replace('\n', " "))
                    .expect("a text grows");
            }
        }
        for (key, is_profile) in [("profile_files", true), ("rules_files", false)] {
            let files = self.made.iter().filter(|made| made.is_profile == is_profile);
            let files: Vec<String> = files.map(|made| quoted(&made.file)).collect();
            if section == "instrument" && !files.is_empty() {
                writeln!(text, "{key} = [{}]", files.join(", ")).expect("a text grows");
            }
        }
        if section == "filter" {
            text.push_str(&self.chain());
        }
        text
    }

    /// The cuts that are switched on, in the order of ssos.
    fn chain(&self) -> String {
        let fates = self.keys.iter().flat_map(|key| &key.fates);
        let mut switches: Vec<(&str, bool)> = Vec::new();
        for fate in fates {
            if let Fate::Cut { cut, is_on } = fate {
                switches.retain(|(other, _)| other != cut);
                switches.push((*cut, *is_on));
            }
        }
        if switches.is_empty() {
            return String::new();
        }
        let is_on = |cut: &&&str| switches.contains(&(**cut, true));
        let chain: Vec<String> =
            CUTS.iter().filter(is_on).map(|cut| format!("\"{cut}\"")).collect();
        format!("# the FILTER_ switches of ssos, in its order\nchain = [{}]\n", chain.join(", "))
    }

    /// Keys with such fates as remarks.
    fn remarks(&self, title: &str, is_meant: fn(&Fate) -> bool) -> String {
        let mut text = String::new();
        for key in &self.keys {
            for fate in key.fates.iter().filter(|fate| is_meant(fate)) {
                let line =
                    format!("{} {} ({}): {}", key.key, key.value, key.file, fate_words(fate));
                text.push_str(&wrapped(&line));
            }
        }
        if text.is_empty() { text } else { format!("\n# {title}:\n{text}") }
    }
}

fn is_lost(fate: &Fate) -> bool {
    matches!(fate, Fate::Refused(_) | Fate::Unknown)
}

/// A fate in words.
pub(super) fn fate_words(fate: &Fate) -> String {
    match fate {
        Fate::Set { key, value } => format!("{key} = {value}"),
        Fate::Cut { cut, is_on } => format!("cut {cut} {}", if *is_on { "on" } else { "off" }),
        Fate::NotNeeded(why) => why.clone(),
        Fate::Refused(why) => format!("refused: {why}"),
        Fate::Unknown => "no such key is known".to_owned(),
    }
}

/// A remark broken at blanks.
fn wrapped(line: &str) -> String {
    let mut text = String::new();
    let mut row = String::from("#   ");
    for word in line.split_whitespace() {
        if row.len() + word.len() > REMARK_WIDTH {
            writeln!(text, "{}", row.trim_end()).expect("a text grows");
            row = String::from("#     ");
        }
        row.push_str(word);
        row.push(' ');
    }
    writeln!(text, "{}", row.trim_end()).expect("a text grows");
    text
}
