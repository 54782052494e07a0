//! `autossosctl config`: is it right, what holds, where to begin.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::old_config::{self, ExplainArgs, ImportArgs};
use super::output::say;
use super::{EXIT_CONFIG, environment};
use crate::config::{DEFAULT_TOML, Examined, Setting, examine, to_toml};
use crate::ops::preflight::{PreflightError, preflight};
use crate::pipeline::ingest::{FRAME_RULES_TOML, TEMPLATE_TOML};

/// Rights of a new configuration file: its group may read it, nobody else.
const FILE_MODE: u32 = 0o640;

/// The words after `config`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum ConfigVerb {
    /// Tell what is wrong: keys, values, and folders and files that are not there.
    Check(SourceArgs),
    /// Print every setting that holds and where it comes from.
    Show(ShowArgs),
    /// Write a configuration from files of Automatic-SSOs, ssos, SExtractor, SCAMP and Filabres.
    Import(ImportArgs),
    /// Tell what a key of Automatic-SSOs, ssos, SExtractor or SCAMP is called now.
    Explain(ExplainArgs),
    /// Write the files to begin with: a configuration with every key and its built-in value, a
    /// template of an instrument profile, rules for single frames; none is overwritten.
    Init(InitArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct SourceArgs {
    /// Configuration file; without one the built-in values hold.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set a configuration key, e.g. `--set extract.threshold_sigma=5`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Print JSON instead of TOML.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// Folder for the files; with a name that ends in .toml only the configuration is written.
    #[arg(value_name = "DIR", default_value = ".")]
    place: PathBuf,
}

/// Does what the words say.
pub(super) fn act(verb: ConfigVerb) -> anyhow::Result<ExitCode> {
    match verb {
        ConfigVerb::Check(source) => check(&source),
        ConfigVerb::Show(show) => Ok(match examined(&show.source) {
            Ok(examined) if show.json => {
                println!("{}", to_json(&examined.settings)?);
                ExitCode::SUCCESS
            }
            Ok(examined) => {
                print!("{}", to_toml(&examined.settings));
                ExitCode::SUCCESS
            }
            Err(code) => code,
        }),
        ConfigVerb::Import(import) => old_config::run(&import).map(|()| ExitCode::SUCCESS),
        ConfigVerb::Explain(args) => old_config::explain(&args).map(|()| ExitCode::SUCCESS),
        ConfigVerb::Init(init) => begin(&init.place).map(|()| ExitCode::SUCCESS),
    }
}

/// The configuration, or the exit code when its mistakes are told.
fn examined(source: &SourceArgs) -> Result<Examined, ExitCode> {
    examine(source.config.as_deref(), &source.set, environment()).map_err(tell)
}

/// Files to begin with, and what to do with them.
const FIRST_FILES: [(&str, &str, &str); 3] = [
    ("autossos.toml", DEFAULT_TOML, "name daemon.incoming in it for the service"),
    (
        "profile-template.toml",
        TEMPLATE_TOML,
        "for a camera that no shipped profile reads (`autossosctl profile guess` writes one)",
    ),
    ("frame-rules.toml", FRAME_RULES_TOML, "examples of rules for single frames"),
];

/// Writes the files to begin with; those that are there stay, and if all are, it is told.
fn begin(place: &Path) -> anyhow::Result<()> {
    if place.extension().is_some_and(|end| end == "toml") && !place.is_dir() {
        write_new(place, DEFAULT_TOML)?;
        return say(&format!("{} is written: {}.", place.display(), FIRST_FILES[0].2));
    }
    std::fs::create_dir_all(place)
        .with_context(|| format!("cannot make the folder {}", place.display()))?;
    let (mut told, mut n_written) = (Vec::new(), 0);
    for (name, text, what) in FIRST_FILES {
        let path = place.join(name);
        if path.symlink_metadata().is_ok() {
            told.push(format!("{} is there already and stays as it is.", path.display()));
            continue;
        }
        write_new(&path, text)?;
        n_written += 1;
        told.push(format!("{} is written: {what}.", path.display()));
    }
    if n_written == 0 {
        anyhow::bail!("nothing is written: {}", told.join(" "));
    }
    say(&told.join("\n"))
}

/// Tells mistakes with their causes.
fn tell<E: std::error::Error + Send + Sync + 'static>(mistakes: Vec<E>) -> ExitCode {
    for mistake in mistakes {
        eprintln!("autossosctl: {:#}", anyhow::Error::from(mistake));
    }
    ExitCode::from(EXIT_CONFIG)
}

fn check(source: &SourceArgs) -> anyhow::Result<ExitCode> {
    let examined = match examined(source) {
        Ok(examined) => examined,
        Err(code) => return Ok(code),
    };
    let telescopes = match preflight(&examined.config) {
        Ok(telescopes) => telescopes,
        // Nights can be worked on by hand without an incoming folder.
        Err(mistakes) if matches!(mistakes[..], [PreflightError::NoIncoming]) => Vec::new(),
        Err(mistakes) => return Ok(tell(mistakes)),
    };
    say("The configuration is fine.")?;
    if telescopes.is_empty() {
        say("No incoming folder is named: enough for `autossosctl run`, not for the service.")?;
    }
    for telescope in &telescopes {
        say(&format!("  {telescope}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Sections as objects, a list of sections as an array; each key with its value and its place.
fn to_json(settings: &[Setting]) -> anyhow::Result<Value> {
    let mut sections = Map::new();
    for setting in settings {
        let key = setting.key;
        let value = json!({ "value": setting.value, "from": setting.place.to_string() });
        let empty = if key.is_listed { json!([]) } else { json!({}) };
        let section = sections.entry(key.section).or_insert(empty);
        let table = match section {
            Value::Array(list) => {
                if list.len() <= setting.entry {
                    list.push(json!({}));
                }
                list.last_mut()
            }
            table => Some(table),
        };
        let table = table.and_then(Value::as_object_mut).context("a section is a table")?;
        table.insert(key.name.to_owned(), value);
    }
    Ok(Value::Object(sections))
}

/// Writes a text to a file that is not there yet.
pub(super) fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            anyhow::bail!("{} is there already and stays as it is", path.display());
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot write {}", path.display()));
        }
    };
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err()
        && let Err(error) = std::fs::remove_file(path)
    {
        tracing::warn!(%error, "Half a configuration file is left.");
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_new_file_is_the_shipped_one_and_no_file_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.toml");
        write_new(&path, DEFAULT_TOML).expect("a file");
        let mode = path.metadata().expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode & !FILE_MODE, 0, "{mode:o}: at most what is asked for");
        assert_eq!(mode & 0o600, 0o600);
        assert_eq!(std::fs::read_to_string(&path).expect("a text"), DEFAULT_TOML);

        std::fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink("own.toml", &path).expect("a link to nowhere");
        let error = write_new(&path, DEFAULT_TOML).expect_err("a link is there");
        assert!(error.to_string().contains("already"), "{error}");
        assert!(!folder.path().join("own.toml").exists());
    }

    #[test]
    fn json_has_a_value_and_a_place_for_each_key() {
        let sets = ["run.workers=3".to_owned()];
        let examined = examine(None, &sets, std::iter::empty()).expect("a configuration");
        let json = to_json(&examined.settings).expect("JSON");
        assert_eq!(json["run"]["workers"]["value"], 3);
        assert_eq!(json["run"]["workers"]["from"], "--set run.workers=3");
        assert_eq!(json["site"]["mpc_code"]["value"], Value::Null);
        assert_eq!(json["telescope"], Value::Null, "none is listed");
    }
}
