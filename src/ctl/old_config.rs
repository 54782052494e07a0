//! `config import`: files of the programs that autossos replaces.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::config::write_new;
use super::output::{say, say_json};
use crate::config::import::{FILE_BYTES_MAX, Fate, Imported, explain as imported_as, import};
use crate::report::words::printable;

/// Files taken from a folder: the ends of their names.
const ENDS: [&str; 9] =
    ["config.autossos", ".ssos", ".sex", ".param", ".conv", ".scamp", ".swarp", ".yaml", ".yml"];
/// Folders in a folder that are looked into: where ssos keeps its settings.
const INNER: [&str; 2] = ["semp", "SSOS"];
/// Most files taken from a folder.
const FILES_MAX: usize = 200;

/// What is imported and where it goes.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// Old files, or folders that hold them.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// File to write; profiles of instruments go beside it. None is overwritten.
    #[arg(long, value_name = "FILE", default_value = "autossos.toml")]
    to: PathBuf,
    /// Write no file, print the configuration.
    #[arg(long, conflicts_with = "json")]
    dry_run: bool,
    /// Print what became of each key as JSON.
    #[arg(long)]
    json: bool,
}

/// An old key.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// The key, as PM_UP.
    #[arg(value_name = "KEY")]
    key: String,
    /// Its value.
    #[arg(value_name = "VALUE")]
    value: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Tells what a key is called now.
pub(super) fn explain(args: &ExplainArgs) -> anyhow::Result<()> {
    let found = imported_as(&args.key, args.value.as_deref());
    if found.is_empty() {
        let key = printable(&args.key);
        bail!("no key {key} of Automatic-SSOs, ssos, SExtractor or SCAMP is known");
    }
    if args.json {
        return say_json(&found);
    }
    let mut text = String::new();
    for (kind, key) in &found {
        text.push_str(&format!("{} ({}):\n", printable(&key.key), kind.words()));
        for fate in &key.fates {
            text.push_str(&format!("  {}\n", told(fate, args.value.is_some())));
        }
    }
    say(&text)
}

/// A fate in words.
fn told(fate: &Fate, has_value: bool) -> String {
    match fate {
        Fate::Set { key, value } if has_value => {
            format!("--set {key}={}", printable(value.trim_matches('"')))
        }
        Fate::Set { key, .. } => format!("the key {key}"),
        Fate::Cut { cut, .. } => format!("the cut \"{cut}\" in the key filter.chain"),
        Fate::NotNeeded(why) => format!("not needed: {}", printable(why)),
        Fate::Refused(why) => format!("not taken: {}", printable(why)),
        Fate::Unknown => "unknown".to_owned(),
    }
}

/// Reads the old files, writes the new one, and tells what is to be looked at.
pub(super) fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for path in &args.paths {
        files.extend(texts(path)?);
    }
    if files.is_empty() {
        bail!(
            "none of the files named is one of Automatic-SSOs, ssos, SExtractor, SCAMP, Filabres"
        );
    }
    let imported = import(&files)?;
    let text = imported.to_toml();
    if args.dry_run {
        return say(&text);
    }
    let folder = args.to.parent().unwrap_or(Path::new(""));
    for made in &imported.made {
        write_new(&folder.join(&made.file), &made.toml)?;
    }
    write_new(&args.to, &text)?;
    if args.json {
        return say_json(&imported);
    }
    say(&summary(&imported, args))
}

/// What was taken and what was not.
fn summary(imported: &Imported, args: &ImportArgs) -> String {
    let mut text = String::new();
    for (file, kind) in &imported.files {
        text.push_str(&format!("{}: {}\n", printable(file), kind.words()));
    }
    let count = |is_it: fn(&Fate) -> bool| {
        imported.keys.iter().filter(|key| key.fates.iter().any(is_it)).count()
    };
    let n_set = count(|fate| matches!(fate, Fate::Set { .. } | Fate::Cut { .. }));
    let n_idle = count(|fate| matches!(fate, Fate::NotNeeded(_)));
    text.push_str(&format!("{n_set} keys are set, {n_idle} are not needed"));
    let lost: Vec<String> = imported
        .not_taken()
        .map(|key| {
            let why = match key.fates.iter().find(|fate| !matches!(fate, Fate::Set { .. })) {
                Some(Fate::Refused(why)) => why.clone(),
                _ => "no such key is known".to_owned(),
            };
            let at = format!("{} {} ({})", key.key, key.value, key.file);
            format!("  {}: {why}", printable(&at))
        })
        .collect();
    if !lost.is_empty() {
        text.push_str(&format!("; {} could not be taken:\n{}", lost.len(), lost.join("\n")));
    }
    let to = args.to.display();
    text.push_str(&format!("\n{to} is written: what became of each key stands in it. "));
    text.push_str(&format!("Next: `autossosctl config check --config {to}`."));
    text
}

/// The texts of a file, or of the files of a folder in order of their names.
fn texts(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    if path.is_dir() {
        for folder in [path.to_owned()].into_iter().chain(INNER.map(|inner| path.join(inner))) {
            files.extend(known_files(&folder)?);
        }
    } else {
        files.push(path.to_owned());
    }
    files.into_iter().map(|file| text(&file)).collect()
}

/// Files of a folder whose names are those of old files; none when there is no folder.
fn known_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let read = || format!("cannot read {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(read)?.take(100 * FILES_MAX) {
        let entry = entry.with_context(read)?;
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        if entry.path().is_file() && ENDS.iter().any(|end| name.ends_with(end)) {
            files.push(entry.path());
        }
    }
    files.sort();
    files.truncate(FILES_MAX);
    Ok(files)
}

/// A file's name and text.
fn text(path: &Path) -> anyhow::Result<(String, String)> {
    let read = || format!("cannot read {}", path.display());
    let size = std::fs::metadata(path).with_context(read)?.len();
    if size > FILE_BYTES_MAX {
        bail!("{} has {size} bytes: it is no configuration", path.display());
    }
    let bytes = std::fs::read(path).with_context(read)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok((name.unwrap_or_default(), String::from_utf8_lossy(&bytes).into_owned()))
}
