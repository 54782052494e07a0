//! `autossosctl db check|backup|restore` and `autossosctl prune`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::EXIT_FAILED;
use super::args::{DataArgs, DataPlaceArgs, DbVerb, PruneArgs};
use super::client::configured;
use super::output::{say, say_json};
use crate::config::Config;
use crate::ops::clock::now;
use crate::ops::db::{self, CheckDepth};
use crate::ops::prune::{PruneMode, PruneReason, PruneReport};
use crate::store::backup::BackupReport;
use crate::store::restore::RestoreReport;
use crate::store::{Reader, Store};

/// Bytes of a mebibyte.
const BYTES_PER_MIB: f64 = 1_048_576.0;

/// Does one of the verbs of `db`.
pub(super) fn act(verb: DbVerb) -> anyhow::Result<ExitCode> {
    match verb {
        DbVerb::Check { full, place } => {
            let (_, data_dir) = find(&place)?;
            let depth = if full { CheckDepth::Full } else { CheckDepth::Quick };
            let faults = db::check(&data_dir, depth)?;
            tell(&place, &check_json(&data_dir, &faults), &check_text(&data_dir, &faults))?;
            Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
        }
        DbVerb::Backup { to, place } => {
            let (config, data_dir) = find(&place)?;
            let made = db::back_up(&data_dir, to.as_deref(), &config.keep, now())?;
            tell(&place, &backup_json(&made), &backup_text(&made))?;
            Ok(ExitCode::SUCCESS)
        }
        DbVerb::Restore { file, place } => {
            let (config, data_dir) = find(&place)?;
            let done = db::restore(&data_dir, file.as_deref(), &config.keep, now())?;
            tell(&place, &restore_json(&done), &restore_text(&done))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Takes old products away, or lists them.
pub(super) fn prune(args: &PruneArgs) -> anyhow::Result<ExitCode> {
    let (config, data_dir) = find(&args.place)?;
    // The reader first: a wrong folder shall not become a data folder.
    let reader = Reader::open(&data_dir)?;
    let report = if args.dry_run {
        crate::ops::prune::prune(PruneMode::List(&reader), &config.keep, now())?
    } else {
        let store = Store::open(&data_dir)?;
        let report = crate::ops::prune::prune(PruneMode::Remove(&store), &config.keep, now());
        store.close_cleanly()?;
        report?
    };
    tell(&args.place, &prune_json(&report), &prune_text(&report, args))?;
    Ok(ExitCode::SUCCESS)
}

/// The configuration and the data folder that the words name.
fn find(place: &DataArgs) -> anyhow::Result<(Config, PathBuf)> {
    let DataPlaceArgs { config, data, set } = &place.place;
    configured(config.as_deref(), data.as_deref(), set)
}

fn tell(place: &DataArgs, value: &Value, text: &str) -> anyhow::Result<()> {
    if place.json { say_json(value) } else { say(text) }
}

fn check_json(data_dir: &Path, faults: &[String]) -> Value {
    json!({ "data": data_dir.to_string_lossy(), "is_whole": faults.is_empty(), "faults": faults })
}

fn check_text(data_dir: &Path, faults: &[String]) -> String {
    if faults.is_empty() {
        return format!("The database in {} is whole.", data_dir.display());
    }
    let mut text = format!("The database in {} is damaged:", data_dir.display());
    for fault in faults {
        text.push_str(&format!("\n  {fault}"));
    }
    text.push_str(&format!(
        "\nStop the service and put the newest whole backup in its place: \
         autossosctl db restore --data {}",
        data_dir.display()
    ));
    text
}

fn backup_json(made: &BackupReport) -> Value {
    let deleted: Vec<_> = made.deleted.iter().map(|path| path.to_string_lossy()).collect();
    json!({
        "backup": made.path.to_string_lossy(),
        "size_bytes": made.size_bytes,
        "deleted": deleted,
    })
}

fn backup_text(made: &BackupReport) -> String {
    let mut text = format!(
        "Backup {} made and checked ({:.1} MiB).",
        made.path.display(),
        mib(made.size_bytes)
    );
    for path in &made.deleted {
        text.push_str(&format!("\nThe older {} was deleted.", path.display()));
    }
    text
}

fn restore_json(done: &RestoreReport) -> Value {
    let refused: Vec<Value> = done
        .refused
        .iter()
        .map(|(path, why)| json!({ "backup": path.to_string_lossy(), "why": why.to_string() }))
        .collect();
    json!({
        "backup": done.backup.to_string_lossy(),
        "old": done.old.as_ref().map(|path| path.to_string_lossy()),
        "refused": refused,
    })
}

fn restore_text(done: &RestoreReport) -> String {
    let mut text = String::new();
    for (path, why) in &done.refused {
        text.push_str(&format!("{} was left out: {why}.\n", path.display()));
    }
    text.push_str(&format!("{} is the database now.", done.backup.display()));
    if let Some(old) = &done.old {
        text.push_str(&format!("\nThe old one lies in {}.", old.display()));
    }
    text.push_str(
        "\nStart the service: it processes again what came after the backup. Reports mailed \
         since then may come a second time; verdicts given since then are in the old file.",
    );
    text
}

fn prune_json(report: &PruneReport) -> Value {
    let files: Vec<Value> = report
        .files
        .iter()
        .map(|file| {
            json!({
                "path": file.path.to_string_lossy(),
                "size_bytes": file.size_bytes,
                "reason": reason(file.reason),
            })
        })
        .collect();
    json!({ "files": files, "size_bytes": report.size_bytes(), "has_more": report.has_more })
}

fn prune_text(report: &PruneReport, args: &PruneArgs) -> String {
    let mut text = String::new();
    if args.dry_run {
        for file in &report.files {
            text.push_str(&format!("{} ({})\n", file.path.display(), reason(file.reason)));
        }
    }
    let verb = if args.dry_run { "would go" } else { "taken away" };
    let (n, size_mib) = (report.files.len(), mib(report.size_bytes()));
    text.push_str(&format!("{n} product files {verb} ({size_mib:.1} MiB)."));
    if report.has_more {
        text.push_str(" There are more: prune again.");
    }
    text
}

const fn reason(reason: PruneReason) -> &'static str {
    match reason {
        PruneReason::Old => "old",
        PruneReason::Unnamed => "unnamed",
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / BYTES_PER_MIB
}
