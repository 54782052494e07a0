//! Zero points of a night computed again with other limits, without pixels and without changing
//! what is stored: to see what limits do before they go into the configuration.

use super::error::OpsError;
use super::run::photometry_path;
use crate::formats::fits::{Limits, read_table};
use crate::pipeline::artifact::frame_photometry::{PhotometricSolution, PhotometryMethod};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::photometric_point::PhotometricPoint;
use crate::pipeline::artifact::photometry_table::PhotometryTable;
use crate::pipeline::artifact::report::NightReport;
use crate::pipeline::judge_photometry::{JudgePhotometryParams, judge_photometry};
use crate::pipeline::share_photometry::{SharePhotometryParams, refit as refit_table, take};
use crate::store::{NightId, Reader};

/// A night's report and stars with other limits.
#[derive(Debug, Clone)]
pub struct Refit {
    /// The report: zero points, faults and magnitudes are those of the limits.
    pub report: NightReport,
    /// What each star gave and what became of it.
    pub table: PhotometryTable,
}

/// What each catalogue star gave in a closed night.
pub fn photometry_table(reader: &Reader, night: &NightId) -> Result<PhotometryTable, OpsError> {
    let no_table = || OpsError::NoPhotometry { night: night.to_string() };
    let path = photometry_path(reader.products(), night)?;
    let (header, columns) = read_table(&path, &Limits::default()).map_err(|_| no_table())?;
    PhotometryTable::from_table(&header, &columns).ok_or_else(no_table)
}

/// Computes the zero points of a night again.
///
/// Errors: the night has no report, or its table of stars is gone.
pub fn refit(
    reader: &Reader,
    night: &NightId,
    params: &SharePhotometryParams,
    judge: &JudgePhotometryParams,
) -> Result<Refit, OpsError> {
    let not_closed = || OpsError::NotClosed { night: night.to_string() };
    let mut report = reader.report(night)?.ok_or_else(not_closed)?;
    let mut table = photometry_table(reader, night)?;
    let (solutions, _) = refit_table(&mut table, params);
    for (frame, solution) in table.frames.iter().zip(solutions) {
        let of_frame = |record: &&mut FrameRecord| record.frame == frame.name;
        let Some(record) = report.frames.iter_mut().find(of_frame) else { continue };
        let Some(mut scale) = record.photometry.as_deref().cloned() else { continue };
        scale.solution = solution;
        take(record, scale);
    }
    let records: Vec<&FrameRecord> = report.frames.iter().collect();
    let faults = judge_photometry(&records, judge);
    for (record, faults) in report.frames.iter_mut().zip(faults) {
        if let Some(scale) = &mut record.photometry {
            scale.faults = faults;
        }
    }
    let NightReport { frames, candidates, faint, .. } = &mut report;
    for candidate in candidates.iter_mut().chain(faint) {
        for point in &mut candidate.photometry {
            let record = frames.iter().find(|record| record.frame == point.frame);
            if let Some(scale) = record.and_then(|record| record.photometry.as_deref()) {
                point.photometry_valid = scale.faults.is_empty();
                scale.solution.iter().for_each(|solution| measure_again(point, solution));
            }
        }
        for detection in &mut candidate.detections {
            let points = &candidate.photometry;
            let own = points.iter().find(|p| p.is_detected && p.frame == detection.frame);
            if let Some((mag, err)) = own.and_then(|point| point.mag.zip(point.mag_err)) {
                (detection.mag, detection.mag_err) = (Some(mag), Some(err));
            }
        }
    }
    Ok(Refit { report, table })
}

/// The magnitude of a point by a regression; other limits do not change the robust one.
fn measure_again(point: &mut PhotometricPoint, solution: &PhotometricSolution) {
    let measured = point.instrumental_mag.zip(point.instrumental_err_mag);
    let Some((mag, err)) = measured.filter(|_| point.mag.is_some()) else { return };
    if solution.method == PhotometryMethod::Regression && solution.line.is_some() {
        point.mag = Some(solution.mag(mag, (0.0, 0.0)));
        point.mag_err = Some(solution.mag_err(mag, err).hypot(point.colour_err_mag));
    }
}
