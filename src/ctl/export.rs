//! `export`: tables and charts of a night as files.

use super::args::{ExportArgs, Format};
use super::output::say;
use crate::ops::export::{ExportFormat, export};

/// Writes a table or chart and says how much it is.
pub(super) fn run(args: &ExportArgs) -> anyhow::Result<()> {
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
    };
    let n = export(&args.data, &args.night, format, &args.output)?;
    let what = match args.format {
        Format::SkybotResiduals | Format::SkybotPm | Format::FieldMap => "The chart is".to_owned(),
        _ => format!("{n} rows"),
    };
    say(&format!("{what} written to {}.", args.output.display()))
}
