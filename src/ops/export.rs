//! Tables of a finished night for other programs.

use std::path::Path;

use super::error::OpsError;
use crate::report::{candidates_csv, detections_csv, frames_csv, not_solved_csv, outliers_csv};
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
}

/// Writes a table of a night, in one piece, to a file.
pub fn export(
    data_dir: &Path,
    night: &str,
    format: ExportFormat,
    output: &Path,
) -> Result<usize, OpsError> {
    let unknown = || OpsError::UnknownNight { night: night.to_owned(), data: data_dir.to_owned() };
    let id = NightId::new(night).map_err(|_| unknown())?;
    let reader = Reader::open(data_dir)?;
    let report = reader.report(&id)?.ok_or_else(unknown)?;
    let text = match format {
        ExportFormat::Detections => detections_csv(&report.candidates),
        ExportFormat::Frames => frames_csv(&report.frames),
        ExportFormat::Candidates => candidates_csv(&report),
        ExportFormat::Outliers => outliers_csv(&report.frames),
        ExportFormat::NotSolved => not_solved_csv(&report.frames),
    };
    ProductFile::write_bytes(output, text.as_bytes())?;
    Ok(text.lines().count().saturating_sub(1))
}
