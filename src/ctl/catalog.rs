//! `autossosctl catalog fetch|import|index|info|verify`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::args::{
    CatalogCommand, CatalogFetchArgs, CatalogImportArgs, CatalogIndexArgs, DataArgs, DataPlaceArgs,
};
use super::client::configured;
use super::output::{say, say_json};
use super::{EXIT_FAILED, IS_STOPPED, stop_on_interrupt};
use crate::config::Config;
use crate::ops::blind_index::{self, MadeIndex};
use crate::ops::catalog::{self, Fetched, Imported, StoredRelease};
use crate::ops::{Event, Progress};

/// Bytes of a mebibyte.
const BYTES_PER_MIB: f64 = 1_048_576.0;

/// Does one of the verbs of `catalog`.
pub(super) fn act(command: &CatalogCommand) -> anyhow::Result<ExitCode> {
    match command {
        CatalogCommand::Fetch(args) => fetch(args),
        CatalogCommand::Import(args) => import(args),
        CatalogCommand::Index(args) => index(args),
        CatalogCommand::Info(place) => {
            let (_, data_dir) = find(place)?;
            let stored = catalog::info(&data_dir)?;
            tell(place, &stored_json(&stored), &stored_text(&stored))?;
            Ok(ExitCode::SUCCESS)
        }
        CatalogCommand::Verify(place) => {
            let (_, data_dir) = find(place)?;
            let stored = catalog::verify(&data_dir)?;
            tell(place, &stored_json(&stored), &verified_text(&stored))?;
            let is_whole = stored.iter().all(|release| release.faults.is_empty());
            Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
        }
    }
}

/// The configuration and the data folder that the words name.
fn find(place: &DataArgs) -> anyhow::Result<(Config, PathBuf)> {
    let DataPlaceArgs { config, data, set } = &place.place;
    configured(config.as_deref(), data.as_deref(), set)
}

fn tell(place: &DataArgs, value: &Value, text: &str) -> anyhow::Result<()> {
    if place.json { say_json(value) } else { say(text) }
}

/// Shows that something goes on, and hears Ctrl-C.
struct Waiting(ProgressBar);

impl Progress for Waiting {
    fn event(&self, _event: Event<'_>) -> ControlFlow<()> {
        self.0.tick();
        if IS_STOPPED.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

fn fetch(args: &CatalogFetchArgs) -> anyhow::Result<ExitCode> {
    let (config, data_dir) = find(&args.place)?;
    let bar = if args.place.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message("fetching stars");
    bar.enable_steady_tick(Duration::from_millis(200));
    stop_on_interrupt();
    let centre_rad = (args.ra.to_radians(), args.dec.to_radians());
    let circle = (centre_rad, args.radius.to_radians());
    let fetched = catalog::fetch(&data_dir, &config, circle, &Waiting(bar.clone()));
    bar.finish_and_clear();
    let fetched = fetched?;
    tell(&args.place, &fetched_json(&fetched), &fetched_text(&fetched))?;
    let is_done = fetched.lacking.is_empty();
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
}

fn fetched_json(fetched: &Fetched) -> Value {
    let lacking: Vec<u32> = fetched.lacking.iter().map(|tile| tile.number()).collect();
    json!({
        "release": fetched.release.name(),
        "tiles": fetched.n_tiles,
        "fetched": fetched.n_fetched,
        "lacking": lacking,
        "why": fetched.why,
    })
}

fn fetched_text(fetched: &Fetched) -> String {
    let Fetched { release, n_tiles, n_fetched, lacking, why } = fetched;
    let name = release.name();
    let mut text = format!(
        "{n_tiles} tiles of {name} touch the circle: {n_fetched} fetched now, {} were stored.",
        n_tiles.saturating_sub(n_fetched + lacking.len())
    );
    if !lacking.is_empty() {
        let why = why.as_deref().unwrap_or("no reason is known");
        text.push_str(&format!(
            "\n{} tiles could not be fetched: {why}.\nWhat came is kept: the same command goes on \
             from there. Without a network, `autossosctl catalog import` takes lists fetched \
             elsewhere.",
            lacking.len()
        ));
    }
    text
}

fn import(args: &CatalogImportArgs) -> anyhow::Result<ExitCode> {
    let (config, data_dir) = find(&args.place)?;
    let release = config.reference.release;
    let imported = catalog::import(&data_dir, release, &args.files, args.complete_to)?;
    tell(&args.place, &imported_json(&imported), &imported_text(&imported))?;
    Ok(ExitCode::SUCCESS)
}

fn imported_json(imported: &Imported) -> Value {
    json!({
        "release": imported.release.name(),
        "stars": imported.n_stars,
        "tiles": imported.n_tiles,
        "remarks": imported.remarks,
    })
}

fn imported_text(imported: &Imported) -> String {
    let Imported { release, n_stars, n_tiles, remarks } = imported;
    let mut text = format!("{n_stars} stars put into {n_tiles} tiles of {}.", release.name());
    for remark in remarks {
        text.push_str(&format!("\n{remark}"));
    }
    text
}

/// Makes the whole-sky index.
fn index(args: &CatalogIndexArgs) -> anyhow::Result<ExitCode> {
    let (config, data_dir) = find(&args.place)?;
    let by_config = config.astrometry.blind_index.clone();
    let path = args.output.clone().or(by_config);
    let path = path.unwrap_or_else(|| blind_index::path_in(&data_dir));
    let made = blind_index::make(&args.files, &path)?;
    tell(&args.place, &made_json(&made), &made_text(&made))?;
    Ok(ExitCode::SUCCESS)
}

fn made_json(made: &MadeIndex) -> Value {
    json!({
        "path": made.path.to_string_lossy(),
        "stars": made.n_stars,
        "shapes": made.n_shapes,
        "size_bytes": made.bytes,
        "remarks": made.remarks,
    })
}

fn made_text(made: &MadeIndex) -> String {
    let mut text = format!(
        "{}: {} stars, {} shapes, {:.1} MiB.",
        made.path.display(),
        made.n_stars,
        made.n_shapes,
        made.bytes as f64 / BYTES_PER_MIB
    );
    for remark in &made.remarks {
        text.push_str(&format!("\n{remark}"));
    }
    text
}

fn stored_json(stored: &[StoredRelease]) -> Value {
    let release = |stored: &StoredRelease| {
        let fault =
            |(path, why): &(PathBuf, String)| json!({ "path": path.to_string_lossy(), "why": why });
        json!({
            "release": stored.release.name(),
            "folder": stored.folder.to_string_lossy(),
            "tiles": stored.n_tiles,
            "complete": stored.n_complete,
            "stars": stored.n_stars,
            "size_bytes": stored.size_bytes,
            "magnitude_max": stored.g_max_mag.map(|(low, high)| [low, high]),
            "sources": stored.sources,
            "faults": stored.faults.iter().map(fault).collect::<Vec<_>>(),
        })
    };
    Value::Array(stored.iter().map(release).collect())
}

fn stored_text(stored: &[StoredRelease]) -> String {
    let mut text = String::new();
    for release in stored.iter().filter(|r| r.n_tiles > 0 || !r.faults.is_empty()) {
        text.push_str(&format!(
            "{}: {} stars in {} tiles ({} of them whole), {:.1} MiB, in {}\n",
            release.release.name(),
            release.n_stars,
            release.n_tiles,
            release.n_complete,
            release.size_bytes as f64 / BYTES_PER_MIB,
            release.folder.display(),
        ));
        if let Some((low, high)) = release.g_max_mag {
            text.push_str(&format!("  whole up to G = {low} to {high} mag\n"));
        }
        for (source, n) in &release.sources {
            text.push_str(&format!("  {n} tiles from {source}\n"));
        }
        for (path, why) in &release.faults {
            text.push_str(&format!("  {}: {why}\n", path.display()));
        }
    }
    if text.is_empty() {
        text.push_str(
            "No tile of a star catalogue is stored. `autossosctl catalog fetch` or `import` puts \
             some there, and so does a night with reference.source = \"tap\".",
        );
    }
    text
}

fn verified_text(stored: &[StoredRelease]) -> String {
    let n_tiles: usize = stored.iter().map(|release| release.n_tiles).sum();
    let faults: Vec<_> = stored.iter().flat_map(|release| &release.faults).collect();
    if faults.is_empty() {
        return format!("All {n_tiles} stored tiles are whole.");
    }
    let mut text = format!("{} tiles are damaged and were set aside:\n", faults.len());
    for (path, why) in &faults {
        text.push_str(&format!("  {}: {why}\n", path.display()));
    }
    text.push_str("They are fetched again when a night needs them, or by `catalog fetch`.");
    text
}
