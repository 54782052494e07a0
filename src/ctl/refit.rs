//! `refit`: what other limits would make of a night's magnitudes.

use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

use super::args::{MethodWord, RefitArgs, RefitLimits, ServiceArgs};
use super::client::configured;
use super::output::{file_stem, say, say_json, write_file};
use crate::config::Config;
use crate::ops::export::{SeedTable, coefficients, seed_table};
use crate::ops::orders::find_night;
use crate::ops::refit::{Refit, refit};
use crate::pipeline::artifact::frame_photometry::PhotometryMethod;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::report::words::printable;
use crate::store::{NightId, Reader};

/// Computes, prints and writes.
pub(super) fn run(args: &RefitArgs) -> anyhow::Result<()> {
    let (reader, config, night) = find(&args.night, &args.service)?;
    let again = refitted(&reader, &config, &night, &args.limits)?;
    if let Some(folder) = &args.to {
        write(folder, &reader, (&night, &again))?;
    }
    if args.service.json { say_json(&again.report.frames) } else { say(&text(&again)) }
}

/// The night that the words name, where it lies and how it is configured.
pub(super) fn find(
    night: &str,
    service: &ServiceArgs,
) -> anyhow::Result<(Reader, Config, NightId)> {
    let place = &service.place;
    let (config, data) = configured(place.config.as_deref(), place.data.as_deref(), &[])?;
    let reader = Reader::open(&data)?;
    let night = find_night(&reader, night)?;
    Ok((reader, config, night))
}

/// The night with the configured limits and those given instead of them.
pub(super) fn refitted(
    reader: &Reader,
    config: &Config,
    night: &NightId,
    limits: &RefitLimits,
) -> anyhow::Result<Refit> {
    let params = config.night_params();
    let (mut share, mut judge) = (params.photometry, params.judge_photometry);
    share.method = match limits.method {
        Some(MethodWord::Robust) => PhotometryMethod::Robust,
        Some(MethodWord::Regression) => PhotometryMethod::Regression,
        None => share.method,
    };
    let line = &mut share.regression;
    line.sigma = limits.sigma.unwrap_or(line.sigma);
    line.min_mag = limits.min_mag.unwrap_or(line.min_mag);
    line.max_mag = limits.max_mag.unwrap_or(line.max_mag);
    line.max_magerr_mag = limits.max_magerr.unwrap_or(line.max_magerr_mag);
    line.r2_min = limits.r2.unwrap_or(line.r2_min);
    judge.r2_min = line.r2_min;
    let values = [line.sigma, line.min_mag, line.max_mag, line.max_magerr_mag, line.r2_min];
    anyhow::ensure!(values.iter().all(|v| v.is_finite()), "a limit is no number");
    anyhow::ensure!(line.min_mag < line.max_mag, "--min-mag must be below --max-mag");
    Ok(refit(reader, night, &share, &judge)?)
}

/// Writes the tables of Automatic-SSOs.
fn write(folder: &Path, reader: &Reader, (night, again): (&NightId, &Refit)) -> anyhow::Result<()> {
    let put = |name: &str, text: String| write_file(&folder.join(name), text.as_bytes());
    let stem = file_stem(night.as_str());
    let table = |form| seed_table(reader, (night, &again.report), form);
    put("coeff_fit.csv", coefficients(&again.report))?;
    put(&format!("calib_{stem}.csv"), table(SeedTable::Calib)?)?;
    put(&format!("validcalib_{stem}.csv"), table(SeedTable::ValidCalib)?)
}

/// A row per frame, and what to do with it.
fn text(again: &Refit) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "frame",
        "stars",
        "zero point mag",
        "err",
        "slope",
        "R2",
        "not valid because",
    ]);
    let mut n_valid = 0;
    for frame in &again.report.frames {
        let Some(photometry) = frame.photometry.as_deref() else { continue };
        n_valid += usize::from(photometry.faults.is_empty());
        table.add_row(row(frame));
    }
    let n = again.report.frames.iter().filter(|frame| frame.photometry.is_some()).count();
    format!(
        "{table}\n{n_valid} of {n} frames have valid photometry. Nothing stored was changed: \
         limits belong into [photometry] of the configuration, then `autossosctl reprocess {} \
         --from share-photometry`.",
        printable(&again.report.night)
    )
}

fn row(frame: &FrameRecord) -> Vec<String> {
    let photometry = frame.photometry.as_deref();
    let solution = photometry.and_then(|scale| scale.solution.as_ref());
    let line = solution.and_then(|solution| solution.line.as_ref());
    let real = |value: Option<f64>, decimals: usize| {
        value.map(|value| format!("{value:.decimals$}")).unwrap_or_default()
    };
    vec![
        printable(&frame.frame),
        solution.map(|s| format!("{} of {}", s.n_used, s.n_in_range)).unwrap_or_default(),
        real(solution.map(|s| s.zero_point_mag), 4),
        real(solution.map(|s| s.zero_point_err_mag), 4),
        real(line.map(|l| l.slope), 4),
        real(line.map(|l| l.r2), 5),
        photometry.map(|scale| scale.faults.join("; ")).unwrap_or_default(),
    ]
}
