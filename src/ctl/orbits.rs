//! `autossosctl orbits import|update|info|ephemeris`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::args::{
    DataArgs, DataPlaceArgs, OrbitsCommand, OrbitsEphemerisArgs, OrbitsImportArgs,
    OrbitsUpdateArgs, Site,
};
use super::client::configured;
use super::output::{instant, line, say, say_json};
use super::{IS_STOPPED, stop_on_interrupt};
use crate::config::Config;
use crate::ops::orbits::{self, EphemerisRow, EphemerisTimes, ImportedOrbits, StoredInfo};
use crate::remote::orbits::DownloadLimits;
use crate::science::orbit::observer::Observer;

/// Does one of the verbs of `orbits`.
pub(super) fn act(command: &OrbitsCommand) -> anyhow::Result<ExitCode> {
    match command {
        OrbitsCommand::Import(args) => import(args),
        OrbitsCommand::Update(args) => update(args),
        OrbitsCommand::Info(place) => info(place),
        OrbitsCommand::Ephemeris(args) => ephemeris(args),
    }?;
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

/// A bar for a verb; hidden when the output is for a program.
fn bar(place: &DataArgs, message: &'static str) -> ProgressBar {
    let bar = if place.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {human_pos}, {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(message);
    bar.enable_steady_tick(Duration::from_millis(200));
    stop_on_interrupt();
    bar
}

/// Moves a bar, and hears Ctrl-C.
fn moved(bar: &ProgressBar, n: usize) -> ControlFlow<()> {
    bar.set_position(n as u64);
    if IS_STOPPED.load(Ordering::Relaxed) {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

fn import(args: &OrbitsImportArgs) -> anyhow::Result<()> {
    let (_, data_dir) = find(&args.place)?;
    let bar = bar(&args.place, "orbits");
    let imported = orbits::import(&data_dir, &args.file, &|n, _| moved(&bar, n));
    bar.finish_and_clear();
    let imported = imported?;
    let n_codes =
        args.codes.as_deref().map(|file| orbits::import_codes(&data_dir, file)).transpose()?;
    let mut value = imported_json(&imported);
    let mut text = imported_text(&imported);
    if let Some(n_codes) = n_codes {
        value["codes"] = json!(n_codes);
        text.push_str(&format!("\n{n_codes} observatories with a place are stored."));
    }
    tell(&args.place, &value, &text)
}

fn imported_json(imported: &ImportedOrbits) -> Value {
    let bad: Vec<Value> = imported
        .bad
        .iter()
        .map(|row| json!({"line": row.line, "fault": row.fault.to_string()}))
        .collect();
    json!({
        "orbits": imported.n_orbits,
        "bad_rows": imported.n_bad,
        "first_bad_rows": bad,
        "epochs_mjd": [imported.epochs_mjd.0, imported.epochs_mjd.1],
    })
}

fn imported_text(imported: &ImportedOrbits) -> String {
    let ImportedOrbits { n_orbits, n_bad, bad, epochs_mjd } = imported;
    let mut text = format!(
        "{n_orbits} orbits are stored, of epochs from {} to {}.",
        day(epochs_mjd.0),
        day(epochs_mjd.1)
    );
    if *n_bad > 0 {
        text.push_str(&format!("\n{n_bad} lines are no orbits:"));
        for row in bad {
            text.push_str(&format!("\n  line {}: {}", row.line, row.fault));
        }
    }
    text
}

/// A day as people read it.
fn day(mjd: f64) -> String {
    instant(mjd).split(' ').next().unwrap_or_default().to_owned()
}

fn update(args: &OrbitsUpdateArgs) -> anyhow::Result<()> {
    let (_, data_dir) = find(&args.place)?;
    let bar = bar(&args.place, "bytes, orbits");
    let urls = (args.url.as_str(), args.codes_url.as_str());
    let limits = DownloadLimits::default();
    let updated = orbits::update(&data_dir, urls, &limits, &|n, _| moved(&bar, n));
    bar.finish_and_clear();
    let updated = updated?;
    let orbits = updated.orbits.as_ref();
    let mut text = match orbits {
        None => "The stored orbits are the newest.".to_owned(),
        Some(imported) => imported_text(imported),
    };
    let why = updated.codes.as_ref().err().map(|error| format!("{:#}", anyhow::anyhow!("{error}")));
    match (&updated.codes, &why) {
        (Ok(n_codes), _) => {
            text.push_str(&format!("\n{n_codes} observatories with a place are stored."));
        }
        (_, why) => text.push_str(&format!(
            "\nThe list of observatories could not be fetched: {}.",
            why.as_deref().unwrap_or_default()
        )),
    }
    let value = json!({
        "orbits": orbits.map(imported_json),
        "codes": updated.codes.ok(),
        "codes_why": why,
    });
    tell(&args.place, &value, &text)
}

fn info(place: &DataArgs) -> anyhow::Result<()> {
    let (_, data_dir) = find(place)?;
    let stored = orbits::info(&data_dir)?;
    let value = stored.as_ref().map(|stored| {
        json!({
            "path": stored.path,
            "orbits": stored.n_orbits,
            "epochs_mjd": [stored.epochs_mjd.0, stored.epochs_mjd.1],
            "states_mjd": stored.states_mjd,
            "codes": stored.n_codes,
        })
    });
    let text = stored.as_ref().map_or_else(
        || {
            "No orbits are stored: `autossosctl orbits import MPCORB.DAT` or `orbits update`."
                .to_owned()
        },
        info_text,
    );
    tell(place, &json!(value), &text)
}

fn info_text(stored: &StoredInfo) -> String {
    let mut text = format!("{}\n", stored.path.display());
    line(&mut text, "orbits", &stored.n_orbits.to_string());
    let (first, last) = stored.epochs_mjd;
    line(&mut text, "epochs", &format!("{} to {}", day(first), day(last)));
    let days: Vec<String> = stored.states_mjd.iter().map(|mjd| day(*mjd)).collect();
    line(&mut text, "brought to", &days.join(", "));
    line(&mut text, "observatories", &stored.n_codes.to_string());
    text
}

fn ephemeris(args: &OrbitsEphemerisArgs) -> anyhow::Result<()> {
    let (config, data_dir) = find(&args.place)?;
    let observer = observer(&config, &data_dir, args.site.as_ref())?;
    let times = EphemerisTimes { start: args.start, step_d: args.step, count: args.count as usize };
    let (label, rows) = orbits::ephemeris(&data_dir, &args.name, &times, &observer)?;
    let values: Vec<Value> = rows.iter().map(row_json).collect();
    let value = json!({
        "designation": label.designation,
        "name": label.name,
        "uncertainty": label.uncertainty,
        "rows": values,
    });
    let text = format!("{} {}\n{}", label.designation, label.name, rows_text(&rows));
    tell(&args.place, &value, &text)
}

/// Who looks: as told, else the configured site, else the Earth's centre.
pub(super) fn observer(
    config: &Config,
    data_dir: &Path,
    site: Option<&Site>,
) -> anyhow::Result<Observer> {
    let by_code = |code: &str| Ok(orbits::observer_of(data_dir, code)?);
    match (site, config.site.place_deg, &config.site.mpc_code) {
        (Some(Site::Place(observer)), ..) => Ok(*observer),
        (Some(Site::Code(code)), ..) => by_code(code),
        (None, Some((latitude, longitude)), _) => {
            let height_m = config.site.height_m.unwrap_or_default();
            Ok(Observer::at_place(latitude, longitude, height_m))
        }
        (None, None, Some(code)) => by_code(code),
        (None, None, None) => Ok(Observer::GEOCENTRE),
    }
}

fn row_json(row: &EphemerisRow) -> Value {
    let seen = &row.seen;
    json!({
        "mjd_utc": row.at.mjd_utc(),
        "utc": row.at.to_iso(),
        "ra_deg": seen.ra_rad.to_degrees(),
        "dec_deg": seen.dec_rad.to_degrees(),
        "err_arcsec": row.err_arcsec,
        "east_arcsec_per_h": seen.east_arcsec_per_h,
        "north_arcsec_per_h": seen.north_arcsec_per_h,
        "v_mag": row.v_mag,
        "sun_distance_au": seen.sun_distance_au,
        "distance_au": seen.distance_au,
        "phase_deg": seen.phase_rad.to_degrees(),
    })
}

fn rows_text(rows: &[EphemerisRow]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "UTC",
        "RA deg",
        "Dec deg",
        "err \"",
        "east \"/h",
        "north \"/h",
        "V",
        "r au",
        "delta au",
        "phase deg",
    ]);
    for row in rows {
        let seen = &row.seen;
        table.add_row([
            instant(row.at.mjd_utc()),
            format!("{:.6}", seen.ra_rad.to_degrees()),
            format!("{:+.6}", seen.dec_rad.to_degrees()),
            format!("{:.1}", row.err_arcsec),
            format!("{:.2}", seen.east_arcsec_per_h),
            format!("{:.2}", seen.north_arcsec_per_h),
            row.v_mag.map(|mag| format!("{mag:.2}")).unwrap_or_default(),
            format!("{:.4}", seen.sun_distance_au),
            format!("{:.4}", seen.distance_au),
            format!("{:.2}", seen.phase_rad.to_degrees()),
        ]);
    }
    table.to_string()
}
