//! The user lists of Filabres, `ignored_images`, `forced_classifications` and
//! `image_header_corrections` (seeds.md 3.2), as one rules file for single frames.

use yaml_rust2::{Yaml, YamlLoader};

use super::filabres::{entries, texts, told};
use super::{Fate, ImportError, ImportedFile, ImportedKey};
use crate::pipeline::ingest::FrameRules;

/// What the blocks of a file became, and the rules file.
pub(super) fn lists(
    file: &str,
    text: &str,
) -> Result<(Vec<ImportedKey>, ImportedFile), ImportError> {
    let bad = |why: String| ImportError::Yaml { file: file.to_owned(), why };
    let documents = YamlLoader::load_from_str(text).map_err(|error| bad(error.to_string()))?;
    let (mut keys, mut rules) = (Vec::new(), Vec::new());
    for block in documents.iter().filter(|document| document.as_hash().is_some()) {
        let name = texts(&block["night"]).join(",");
        if block["enabled"].as_bool() == Some(false) {
            let why = "is not enabled: left out".to_owned();
            keys.push(told(&format!("block of night {name}"), block, Fate::NotNeeded(why)));
            continue;
        }
        let (rule, own) = rule(block);
        keys.extend(own);
        rules.push(toml::Value::Table(rule));
    }
    let mut table = toml::Table::new();
    table.insert("rule".to_owned(), toml::Value::Array(rules));
    let toml = toml::to_string(&table).map_err(|error| bad(error.to_string()))?;
    FrameRules::parse(&toml).map_err(|error| bad(error.to_string()))?;
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    Ok((keys, ImportedFile { file: format!("{stem}.toml"), toml, is_profile: false }))
}

/// A block as a rule.
fn rule(block: &Yaml) -> (toml::Table, Vec<ImportedKey>) {
    let text = |text: &str| toml::Value::String(text.to_owned());
    let (mut rule, mut keys) = (toml::Table::new(), Vec::new());
    let mut is_ignored = true;
    for (key, value) in entries(block) {
        let taken = || Fate::NotNeeded("is in the rules file now".to_owned());
        let fate = match key.as_str() {
            "night" => {
                rule.insert("night".to_owned(), text(&texts(value).concat()));
                taken()
            }
            "enabled" => continue,
            "files" => {
                let files = texts(value).iter().map(|pattern| text(pattern)).collect();
                rule.insert("files".to_owned(), toml::Value::Array(files));
                taken()
            }
            "classification" => {
                is_ignored = false;
                forced(&texts(value).concat(), &mut rule)
            }
            "replace-keyword" => {
                is_ignored = false;
                rule.insert("set".to_owned(), toml::Value::Table(corrections(value)));
                taken()
            }
            _ => Fate::Unknown,
        };
        keys.push(told(&key, value, fate));
    }
    if is_ignored {
        rule.insert("ignore".to_owned(), toml::Value::Boolean(true));
    }
    rule.entry("files").or_insert_with(|| toml::Value::Array(Vec::new()));
    (rule, keys)
}

/// A type of Filabres as what a frame is for; other types are left alone.
fn forced(kind: &str, rule: &mut toml::Table) -> Fate {
    let word = match kind {
        "bias" => "bias",
        "dark" => "dark",
        "flat-imaging" => "flat",
        "science-imaging" => "science",
        _ => {
            rule.insert("ignore".to_owned(), toml::Value::Boolean(true));
            return Fate::NotNeeded("frames of this type are left alone".to_owned());
        }
    };
    rule.insert("kind".to_owned(), toml::Value::String(word.to_owned()));
    Fate::NotNeeded("is in the rules file now".to_owned())
}

/// The values of `replace-keyword`: a list of single keywords, or all in one.
fn corrections(yaml: &Yaml) -> toml::Table {
    let parts = yaml.as_vec().map_or_else(|| vec![yaml], |all| all.iter().collect());
    let mut set = toml::Table::new();
    for (keyword, value) in parts.into_iter().flat_map(entries) {
        let value = match value {
            Yaml::Boolean(is) => toml::Value::Boolean(*is),
            Yaml::Integer(number) => toml::Value::Integer(*number),
            Yaml::Real(_) => value
                .as_f64()
                .map_or_else(|| toml::Value::String(texts(value).concat()), toml::Value::Float),
            _ => toml::Value::String(texts(value).concat()),
        };
        set.insert(keyword, value);
    }
    set
}
