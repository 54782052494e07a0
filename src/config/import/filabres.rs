//! Instruments and workspaces of Filabres (seeds.md 3.1, 3.2): YAML.

use std::collections::BTreeMap;

use yaml_rust2::{Yaml, YamlLoader};

use super::rules::{Row, Rule, key, translate};
use super::syntax::Word;
use super::{Fate, ImportError, ImportedFile, ImportedKey, automatic};
use crate::pipeline::ingest::{GENERIC_TOML, Profile};

const RULES_FILE: &str =
    "import that file as well: it becomes a rules file, see instrument.rules_files";
const OWN: &str = "steps have their own settings: import the .sex and .scamp files as well";

/// Keys of a workspace.
pub(super) const SETUP: &[Row] = &[
    ("instrument", Rule::By(automatic::instrument)),
    ("datadir", Rule::Text("daemon.incoming")),
    ("gaiadr_source", Rule::By(release)),
    ("tweak_order_astrometry", Rule::Idle("the order of the distortion is what the stars support")),
    ("ignored_images_file", Rule::Idle(RULES_FILE)),
    ("image_header_corrections_file", Rule::Idle(RULES_FILE)),
    ("forced_classifications_file", Rule::Idle(RULES_FILE)),
    ("default_param", Rule::Idle(OWN)),
    ("config_sex", Rule::Idle(OWN)),
    ("config_scamp", Rule::Idle(OWN)),
];

fn release(value: &str) -> Fate {
    let release = ["gaiadr3", "gaiaedr3", "gaiadr2"].into_iter().find(|r| value.starts_with(r));
    match release {
        Some("gaiadr2") => Fate::Set { key: "reference.release", value: "\"gaia-dr2\"".to_owned() },
        Some(_) => Fate::Set { key: "reference.release", value: "\"gaia-dr3\"".to_owned() },
        None => Fate::Refused("only releases of Gaia are used: gaia-dr3 is built in".to_owned()),
    }
}

/// The keys of a workspace's file.
pub(super) fn setup(file: &str, text: &str) -> Result<Vec<ImportedKey>, ImportError> {
    let pairs = pairs(&document(file, text)?);
    let words: Vec<Word<'_>> = pairs
        .iter()
        .map(|(key, value)| Word { key: key.as_str(), value: value.as_str() })
        .collect();
    Ok(translate(&words, SETUP))
}

/// An instrument's keys, and the profile made of them: the usual keywords with its rules of
/// recognising instrument and image types.
pub(super) fn instrument(
    file: &str,
    text: &str,
) -> Result<(Vec<ImportedKey>, ImportedFile), ImportError> {
    let document = document(file, text)?;
    let bad = |why: &str| ImportError::Yaml { file: file.to_owned(), why: why.to_owned() };
    let name = document["instname"].as_str().ok_or_else(|| bad("instname is missing"))?;
    let name = name.to_ascii_lowercase();
    let mut keys = vec![set_profile(&name)];
    let mut types = Types::default();
    for (key, value) in entries(&document) {
        match key.as_str() {
            "instname" => {}
            "requirements" => {}
            "imagetypes" => {
                for (kind, rules) in entries(value) {
                    keys.extend(types.take(&kind, rules));
                }
            }
            "version" => keys.push(idle(&key, value, "says nothing about frames")),
            "masterkeywords" => {
                keys.push(idle(&key, value, "whole headers are kept, as far as they matter"));
            }
            _ => keys.push(told(&key, value, Fate::Unknown)),
        }
    }
    let toml = profile(&name, &document["requirements"], &types).map_err(|why| bad(&why))?;
    Ok((keys, ImportedFile { file: format!("{name}.toml"), toml, is_profile: true }))
}

fn set_profile(name: &str) -> ImportedKey {
    let value = super::syntax::quoted(name);
    let fate = Fate::Set { key: "instrument.profile", value };
    key(Word { key: "instname", value: name }, vec![fate])
}

/// Values of IMAGETYP by what they mean.
#[derive(Default)]
struct Types {
    patterns: BTreeMap<&'static str, Vec<String>>,
    keyword: Option<String>,
}

impl Types {
    /// Takes an image type; gives what became of its keys.
    fn take(&mut self, kind: &str, rules: &Yaml) -> Vec<ImportedKey> {
        let mut keys = Vec::new();
        let meaning = match kind {
            "bias" => "bias",
            "dark" => "dark",
            "flat-imaging" => "flat",
            "science-imaging" => "science",
            _ => "ignored",
        };
        for (name, value) in entries(rules) {
            let path = format!("{kind}.{name}");
            match name.as_str() {
                "requirements" => {
                    for (keyword, wanted) in entries(value) {
                        keys.push(self.requirement(meaning, (kind, &keyword), wanted));
                    }
                }
                "requirementx" => {
                    let why = "frames are judged by their noise, saturation and headers";
                    keys.push(idle(&path, value, why));
                }
                "signature" => {
                    let why = "calibration fits by size, window, binning, amplifier, filter, flip";
                    keys.push(idle(&path, value, why));
                }
                "executable" | "classification" => {
                    keys.push(idle(&path, value, "follows from what a frame is for"));
                }
                "maxtimespan_hours" => {
                    keys.push(idle(&path, value, "calibration frames of a night are combined"));
                }
                "basicreduction" => {
                    keys.push(idle(&path, value, "flats are always freed of bias and scaled"));
                }
                "maxfieldview_arcmin" => {
                    keys.push(idle(&path, value, "the field follows from the pixels' scale"));
                }
                _ => keys.push(told(&path, value, Fate::Unknown)),
            }
        }
        keys
    }

    /// A requirement of an image type: the first keyword names types, others cannot be asked.
    fn requirement(
        &mut self,
        meaning: &'static str,
        (kind, keyword): (&str, &str),
        wanted: &Yaml,
    ) -> ImportedKey {
        let path = format!("{kind}.{keyword}");
        let is_type = ["IMAGETYP", "OBSTYPE", "FRAME", "EXPTYPE"].contains(&keyword);
        if !is_type || self.keyword.as_deref().is_some_and(|known| known != keyword) {
            let why = format!(
                "frames are told by their image type only: put those with another {keyword} into \
                 a rules file (instrument.rules_files) as ignored"
            );
            return told(&path, wanted, Fate::Refused(why));
        }
        self.keyword = Some(keyword.to_owned());
        for value in texts(wanted) {
            let value = value.to_ascii_lowercase();
            // LSSS calls its darks biases.
            let meaning =
                if meaning == "bias" && value.contains("dark") { "dark" } else { meaning };
            let is_taken = self.patterns.values().flatten().any(|other| *other == value);
            if !is_taken {
                self.patterns.entry(meaning).or_default().push(value);
            }
        }
        told(&path, wanted, Fate::NotNeeded("is a rule of the profile now".to_owned()))
    }
}

/// The profile: the generic one's keywords with this instrument's conditions and types.
fn profile(name: &str, requirements: &Yaml, types: &Types) -> Result<String, String> {
    let mut table: toml::Table = toml::from_str(GENERIC_TOML).map_err(|e| e.to_string())?;
    let text = |text: &str| toml::Value::String(text.to_owned());
    table.insert("name".to_owned(), text(name));
    let about = "Made of Filabres' definition; keywords as generic.toml has them.";
    table.insert("description".to_owned(), text(about));
    let conditions: Vec<toml::Value> = entries(requirements)
        .into_iter()
        .map(|(keyword, wanted)| {
            let values = texts(wanted).iter().map(|v| text(&v.to_ascii_lowercase())).collect();
            let mut condition = toml::Table::new();
            condition.insert("keyword".to_owned(), text(&keyword));
            condition.insert("values".to_owned(), toml::Value::Array(values));
            toml::Value::Table(condition)
        })
        .collect();
    if conditions.is_empty() {
        return Err("it has no requirements to recognise the instrument by".to_owned());
    }
    let mut all = toml::Table::new();
    all.insert("all".to_owned(), toml::Value::Array(conditions));
    table.insert("matches".to_owned(), toml::Value::Array(vec![toml::Value::Table(all)]));
    if let Some(toml::Value::Table(kind)) = table.get_mut("kind") {
        if let Some(keyword) = &types.keyword {
            kind.insert("keywords".to_owned(), toml::Value::Array(vec![text(keyword)]));
        }
        for (meaning, patterns) in &types.patterns {
            let patterns = patterns.iter().map(|pattern| text(pattern)).collect();
            kind.insert((*meaning).to_owned(), toml::Value::Array(patterns));
        }
    }
    let made = toml::to_string(&table).map_err(|e| e.to_string())?;
    Profile::parse(&made).map_err(|e| with_causes(&e))?;
    Ok(made)
}

/// An error with its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// The first document of a file.
fn document(file: &str, text: &str) -> Result<Yaml, ImportError> {
    let bad = |why: String| ImportError::Yaml { file: file.to_owned(), why };
    let documents = YamlLoader::load_from_str(text).map_err(|error| bad(error.to_string()))?;
    let first = documents.into_iter().next().ok_or_else(|| bad("it is empty".to_owned()))?;
    if first.as_hash().is_some() { Ok(first) } else { Err(bad("it has no keys".to_owned())) }
}

/// Keys and values of a mapping; nothing of anything else.
pub(super) fn entries(yaml: &Yaml) -> Vec<(String, &Yaml)> {
    let all = yaml.as_hash().into_iter().flatten();
    all.map(|(key, value)| (texts(key).concat(), value)).collect()
}

fn pairs(yaml: &Yaml) -> Vec<(String, String)> {
    entries(yaml).into_iter().map(|(key, value)| (key, texts(value).join(","))).collect()
}

/// A value's texts: one of a scalar, all of a list.
pub(super) fn texts(yaml: &Yaml) -> Vec<String> {
    match yaml {
        Yaml::Array(all) => all.iter().flat_map(texts).collect(),
        Yaml::String(text) | Yaml::Real(text) => vec![text.clone()],
        Yaml::Integer(number) => vec![number.to_string()],
        Yaml::Boolean(is) => vec![is.to_string()],
        Yaml::Hash(_) => entries(yaml)
            .into_iter()
            .map(|(key, value)| format!("{key} {}", texts(value).join(",")))
            .collect(),
        _ => Vec::new(),
    }
}

fn idle(path: &str, value: &Yaml, why: &str) -> ImportedKey {
    told(path, value, Fate::NotNeeded(why.to_owned()))
}

pub(super) fn told(path: &str, value: &Yaml, fate: Fate) -> ImportedKey {
    key(Word { key: path, value: &texts(value).join(",") }, vec![fate])
}
