//! `export`: tables, charts and folders of files of a night.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::args::{ExportArgs, Format};
use super::bar::Bar;
use super::output::say;
use crate::ops::export::{ExportFormat, TreeFormat, export, export_tree};
use crate::report::words::plural;

/// Writes what was asked for and says how much it is.
pub(super) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let to: PathBuf =
        args.to.clone().or_else(|| args.output.clone()).context("name the file to write")?;
    let format = match args.format {
        Format::Detections => ExportFormat::Detections,
        Format::Frames => ExportFormat::Frames,
        Format::Candidates => ExportFormat::Candidates,
        Format::Outliers => ExportFormat::Outliers,
        Format::NotSolved => ExportFormat::NotSolved,
        Format::Removed => ExportFormat::Removed,
        Format::Ssos => ExportFormat::Ssos,
        Format::Calib => ExportFormat::Calib,
        Format::Validcalib => ExportFormat::ValidCalib,
        Format::Stats => ExportFormat::Stats,
        Format::CoeffFit => ExportFormat::CoeffFit,
        Format::Skybot => ExportFormat::Skybot,
        Format::Known => ExportFormat::Known,
        Format::SkybotResiduals => ExportFormat::SkybotResiduals,
        Format::SkybotPm => ExportFormat::SkybotPm,
        Format::FieldMap => ExportFormat::FieldMap,
        Format::Seeds => return folder(args, TreeFormat::Seeds, &to),
        Format::Ldac => return folder(args, TreeFormat::Ldac, &to),
        Format::Ds9 => return folder(args, TreeFormat::Ds9, &to),
    };
    let n = export(&args.data, &args.night, format, &to)?;
    let what = match args.format {
        Format::SkybotResiduals | Format::SkybotPm | Format::FieldMap => "The chart is".to_owned(),
        _ => format!("{n} rows"),
    };
    say(&format!("{what} written to {}.", to.display()))
}

/// Fills a folder, with a bar that shows how far it is.
fn folder(args: &ExportArgs, format: TreeFormat, to: &Path) -> anyhow::Result<()> {
    let bar = Bar::new(false);
    let done = export_tree(&args.data, &args.night, format, to, &bar);
    bar.finish();
    let done = done?;
    let mut text =
        format!("{} written to {}.\n", plural(done.n_files, "file", "files"), to.display());
    for note in &done.notes {
        text.push_str(&format!("Not written: {note}.\n"));
    }
    say(&text)
}
