//! Tables and charts of a finished night for other programs.

mod ds9;
mod frame;
mod frames;
mod ldac;
mod reference;
mod seeds;
mod source;
mod ssos;
mod tree;

pub use frames::coefficients;
pub use ssos::SeedTable;
pub use ssos::table as seed_table;
pub use tree::{TreeExport, TreeFormat, export_tree};

use std::path::Path;

use super::error::OpsError;
use super::run::known_path;
use crate::pipeline::artifact::report::NightReport;
use crate::report::{
    candidates_csv, detections_csv, field_maps_svg, frames_csv, known_csv, known_rates_svg,
    known_residuals_svg, not_solved_csv, outliers_csv, removed_csv, standalone_svg,
};
use crate::store::files::ProductFile;
use crate::store::{NightId, Reader};

/// A table that can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A row per detection of a reported candidate.
    Detections,
    /// A row per science file.
    Frames,
    /// A row per candidate with its motion, identity and ratings.
    Candidates,
    /// A row per frame whose astrometry is an outlier of the night.
    Outliers,
    /// A row per frame without a plate solution.
    NotSolved,
    /// A row per tracklet that a cut removed.
    Removed,
    /// A row per detection with the columns of ssos.
    Ssos,
    /// The same with the quality of each frame's photometry, as Automatic-SSOs (`calib_`).
    Calib,
    /// The same without frames whose photometry is not valid (`validcalib_`).
    ValidCalib,
    /// A row per frame with the statistics of its sky (`Stats.dat` of Automatic-SSOs).
    Stats,
    /// A row per frame with its regression (`coeff_fit.csv` of Automatic-SSOs).
    CoeffFit,
    /// A row per known object and frame that it is in, found or not.
    Skybot,
    /// A row per known object in the night's frames: where, how bright, found or not.
    Known,
    /// Observed minus predicted places of known objects, a chart (SVG).
    SkybotResiduals,
    /// Observed against predicted rates of known objects, a chart (SVG).
    SkybotPm,
    /// The night's fields with all objects, a chart (SVG).
    FieldMap,
}

/// Writes a table of a night, in one piece, to a file.
pub fn export(
    data_dir: &Path,
    night: &str,
    format: ExportFormat,
    output: &Path,
) -> Result<usize, OpsError> {
    let (reader, id, report) = closed_night(data_dir, night)?;
    let text = match format {
        ExportFormat::Detections => detections_csv(&report.candidates),
        ExportFormat::Frames => frames_csv(&report.frames),
        ExportFormat::Candidates => candidates_csv(&report),
        ExportFormat::Outliers => outliers_csv(&report.frames),
        ExportFormat::NotSolved => not_solved_csv(&report.frames),
        ExportFormat::Removed => removed_csv(&report.removed),
        ExportFormat::Ssos => ssos::table(&reader, (&id, &report), SeedTable::Ssos)?,
        ExportFormat::Calib => ssos::table(&reader, (&id, &report), SeedTable::Calib)?,
        ExportFormat::ValidCalib => ssos::table(&reader, (&id, &report), SeedTable::ValidCalib)?,
        ExportFormat::Stats => frames::stats(&report),
        ExportFormat::CoeffFit => coefficients(&report),
        ExportFormat::Skybot => {
            let path = known_path(reader.products(), &id)?;
            std::fs::read_to_string(&path).map_err(|source| OpsError::Read { path, source })?
        }
        ExportFormat::Known => known_csv(&report.known),
        ExportFormat::SkybotResiduals => chart(known_residuals_svg(&report))?,
        ExportFormat::SkybotPm => chart(known_rates_svg(&report))?,
        ExportFormat::FieldMap => chart(field_maps_svg(&report))?,
    };
    ProductFile::write_bytes(output, text.as_bytes())?;
    // Charts are one line each.
    Ok(text.lines().count().saturating_sub(1))
}

/// The reader, the night and its report.
fn closed_night(data_dir: &Path, night: &str) -> Result<(Reader, NightId, NightReport), OpsError> {
    let unknown = || OpsError::UnknownNight { night: night.to_owned(), data: data_dir.to_owned() };
    let id = NightId::new(night).map_err(|_| unknown())?;
    let reader = Reader::open(data_dir)?;
    let report = reader.report(&id)?.ok_or_else(unknown)?;
    Ok((reader, id, report))
}

#[cfg(test)]
mod tests;

/// Charts below each other as one file.
fn chart(charts: Vec<String>) -> Result<String, OpsError> {
    if charts.is_empty() { Err(OpsError::NothingToDraw) } else { Ok(standalone_svg(&charts)) }
}
