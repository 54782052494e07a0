//! Zero points of a night computed again with other limits, without pixels and without changing
//! what is stored: to see what limits do before they go into the configuration.

use std::collections::BTreeMap;

use super::error::OpsError;
use super::run::photometry_path;
use crate::formats::fits::{Limits, read_table};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::photometry_table::{PhotometryTable, TableStar};
use crate::pipeline::artifact::report::NightReport;
use crate::pipeline::judge_photometry::{JudgePhotometryParams, judge_photometry};
use crate::pipeline::measure_movers::rescale;
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
    let judged = judge_photometry(&records, judge);
    for (record, judgement) in report.frames.iter_mut().zip(judged) {
        if let Some(scale) = &mut record.photometry {
            (scale.faults, scale.is_sky_outlier) = (judgement.faults, judgement.is_sky_outlier);
            scale.transparency_mag = judgement.transparency_mag;
        }
    }
    let places = place_maps(&table);
    let NightReport { frames, candidates, faint, .. } = &mut report;
    for candidate in candidates.iter_mut().chain(faint) {
        for point in &mut candidate.photometry {
            let Some(record) = frames.iter().find(|record| record.frame == point.frame) else {
                continue;
            };
            let Some(scale) = record.photometry.as_deref() else { continue };
            point.photometry_valid = scale.faults.is_empty();
            let place =
                places.get(point.frame.as_str()).map(|map| map.at((point.x_px, point.y_px)));
            if let Some((solution, place)) = scale.solution.as_ref().zip(place) {
                rescale(point, solution, (record.exposure_s, place));
            }
        }
        for detection in &mut candidate.detections {
            if detection.is_recovered {
                continue;
            }
            let points = &candidate.photometry;
            let own = points.iter().find(|p| p.is_detected && p.frame == detection.frame);
            if let Some((mag, err)) = own.and_then(|point| point.mag.zip(point.mag_err)) {
                (detection.mag, detection.mag_err) = (Some(mag), Some(err));
            }
        }
    }
    Ok(Refit { report, table })
}

/// From pixels to places on the detector: a line for each coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PlaceMap {
    /// Place at pixel 0, and its change per pixel, of columns and rows.
    lines: [(f64, f64); 2],
}

impl PlaceMap {
    /// The map that a frame's stars tell; `None` when they lie in one column or row.
    fn of(stars: &[&TableStar]) -> Option<Self> {
        let line = |pixel: fn(&TableStar) -> f64, place: fn(&TableStar) -> f64| {
            let by_pixel = |a: &&&TableStar, b: &&&TableStar| pixel(a).total_cmp(&pixel(b));
            let (low, high) = (stars.iter().min_by(by_pixel)?, stars.iter().max_by(by_pixel)?);
            let apart_px = pixel(high) - pixel(low);
            let per_px = (place(high) - place(low)) / apart_px;
            (apart_px > 1.0).then(|| (place(low) - per_px * pixel(low), per_px))
        };
        Some(Self { lines: [line(|s| s.x_px, |s| s.place.0)?, line(|s| s.y_px, |s| s.place.1)?] })
    }

    fn at(&self, (x_px, y_px): (f64, f64)) -> (f64, f64) {
        let [(u, per_x), (v, per_y)] = self.lines;
        (u + per_x * x_px, v + per_y * y_px)
    }
}

/// The maps of the frames by their names.
fn place_maps(table: &PhotometryTable) -> BTreeMap<&str, PlaceMap> {
    let mut stars: Vec<Vec<&TableStar>> = vec![Vec::new(); table.frames.len()];
    for star in &table.stars {
        stars[star.frame].push(star);
    }
    let maps = table.frames.iter().zip(&stars);
    maps.filter_map(|(frame, stars)| Some((frame.name.as_str(), PlaceMap::of(stars)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_tell_where_on_the_detector_a_pixel_is() {
        let star = |x: f64, y: f64| TableStar {
            x_px: x,
            y_px: y,
            // A frame of 101 x 201 px that lies turned.
            place: (1.0 - 2.0 * x / 100.0, 1.0 - 2.0 * y / 200.0),
            ..TableStar::default()
        };
        let stars = [star(10.0, 150.0), star(80.0, 20.0), star(40.0, 60.0)];
        let all: Vec<&TableStar> = stars.iter().collect();
        let (u, v) = PlaceMap::of(&all).expect("a map").at((50.0, 0.0));
        assert!(u.abs() < 1e-12 && (v - 1.0).abs() < 1e-12, "{u} {v}");
        assert_eq!(PlaceMap::of(&all[..1]), None);
    }
}
