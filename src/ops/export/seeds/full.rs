//! The rows of `full_N.cat`: all detections of a field's frames with the number of their source.
//!
//! Columns and order of ../shared/spec/seeds.md 2.6. `SOURCE_NUMBER` of moving objects is that of
//! the ssos table; what stands still within a radius is one source, numbered on from there. Where
//! SCAMP chained neighbours in time, our own linker has already said what moves together.
//! Catalogue stars are the rows of `CATALOG_NUMBER` 0, each the head of its source.

use std::collections::BTreeMap;

use super::super::frame::Frame;
use super::super::reference::{ReferenceStar, measured_stars};
use super::super::source::{Source, SourceScale, ellipse_of, extraction_flags, place_moments};
use super::super::ssos::Objects;
use crate::formats::fits::{Column, ColumnData};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::photometry_table::PhotometryTable;
use crate::science::detect::sources::{SourceFlags, Sources};
use crate::science::sky::neighbours::SkyIndex;
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Detections of several frames within this distance are one source: the radius of ssos' pass for
/// stars [arcsec].
const SAME_SOURCE_ARCSEC: f64 = 1.0;
/// Remarks that SCAMP refuses by ssos' `FLAGS_MASK` 236.
const REFUSED: SourceFlags = SourceFlags::SATURATED.with(SourceFlags::EDGE);
/// Least signal-to-noise ratio of a row: ssos' first `SN_THRESHOLDS`.
const SNR_MIN: f64 = 3.0;
/// SCAMP's magnitude of what has no light.
const NO_LIGHT_MAG: f64 = 99.0;

/// A row: a detection, or a catalogue star.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct FullRow {
    pub(super) source_number: i32,
    /// That of its frame; 0 for catalogue stars.
    pub(super) catalog_number: i32,
    /// Number of its image in the file, from 1; 0 for catalogue stars.
    pub(super) extension: i16,
    /// Place on the frame, from 1 [px].
    pub(super) place_px: (f64, f64),
    /// Axes [px] and angle [deg] of the place's error.
    pub(super) err_px: (f64, f64, f64),
    /// Right ascension and declination [deg].
    pub(super) place_deg: (f64, f64),
    /// Errors along both [deg].
    pub(super) err_deg: (f64, f64),
    /// Julian year.
    pub(super) epoch_yr: f64,
    pub(super) mag: f64,
    pub(super) mag_err: f64,
    pub(super) flags: i16,
}

/// The rows of a field, frame by frame: a catalogue is let go before the next one is read.
pub(super) struct FieldRows<'a> {
    objects: &'a Objects,
    rows: Vec<FullRow>,
    standing: StandingSources,
}

impl<'a> FieldRows<'a> {
    /// Begins with the catalogue stars of a field; without the night's table of stars none.
    pub(super) fn begin(
        objects: &'a Objects,
        records: &[&FrameRecord],
        table: Option<&PhotometryTable>,
    ) -> Self {
        let mut rows = table.map(|table| reference_rows(records, table)).unwrap_or_default();
        let mut standing = StandingSources::new(objects.vetted.len() as i32 + 1);
        for row in &mut rows {
            row.source_number = standing.add(row.place_deg);
        }
        Self { objects, rows, standing }
    }

    /// Adds a frame; frames come in order of time.
    pub(super) fn add(&mut self, frame: &Frame<'_>) {
        self.rows.extend(frame_rows(frame, self.objects, &mut self.standing));
    }

    /// The rows by source, the catalogue's first, then in order of time.
    pub(super) fn finish(mut self) -> Vec<FullRow> {
        self.rows.sort_by(|a, b| {
            let of_one = a.source_number.cmp(&b.source_number);
            let catalogue = (a.catalog_number > 0).cmp(&(b.catalog_number > 0));
            let time = a.epoch_yr.total_cmp(&b.epoch_yr);
            of_one.then(catalogue).then(time).then(a.catalog_number.cmp(&b.catalog_number))
        });
        self.rows
    }
}

/// The catalogue stars that were measured in the field's frames.
fn reference_rows(records: &[&FrameRecord], table: &PhotometryTable) -> Vec<FullRow> {
    let epochs: Vec<f64> = records.iter().filter_map(|record| epoch_yr(record)).collect();
    let epoch_yr = epochs.iter().sum::<f64>() / epochs.len().max(1) as f64;
    let row = |star: ReferenceStar| FullRow {
        place_deg: star.place_deg,
        err_deg: (star.err_deg, star.err_deg),
        epoch_yr,
        mag: star.g_mag,
        mag_err: star.g_err_mag,
        ..FullRow::default()
    };
    measured_stars(records, table).into_iter().map(row).collect()
}

/// Middle of a frame's exposure [yr].
fn epoch_yr(record: &FrameRecord) -> Option<f64> {
    record.mid_mjd_utc.map(|mjd| Epoch::from_mjd_utc(mjd).julian_year())
}

/// The rows of a frame that SCAMP would have taken.
fn frame_rows(
    frame: &Frame<'_>,
    objects: &Objects,
    standing: &mut StandingSources,
) -> Vec<FullRow> {
    let Some((_, catalogue)) = &frame.catalogue else { return Vec::new() };
    let (sources, scale) = (&catalogue.sources, frame.scale());
    let moving = moving_rows(frame, objects);
    let mut rows = Vec::new();
    let mut loose = Vec::new();
    for i in 0..sources.len() {
        let number = moving.get(&i).copied();
        if number.is_none() && !is_taken(sources, i) {
            continue;
        }
        let place_deg = (catalogue.ra_rad[i] / DEG_RAD, catalogue.dec_rad[i] / DEG_RAD);
        let mut row = row(sources, i, &scale);
        (row.place_deg, row.epoch_yr) = (place_deg, epoch_yr(frame.record).unwrap_or(f64::NAN));
        row.catalog_number = frame.number as i32;
        row.extension = frame.record.image.as_ref().map_or(1, |image| image.number as i16);
        match number {
            Some(number) => row.source_number = number,
            None => loose.push(rows.len()),
        }
        rows.push(row);
    }
    let places: Vec<(f64, f64)> = loose.iter().map(|i| rows[*i].place_deg).collect();
    for (i, number) in loose.into_iter().zip(standing.assign(&places)) {
        rows[i].source_number = number;
    }
    rows
}

/// Rows of a frame's catalogue that are moving objects, and their numbers.
fn moving_rows(frame: &Frame<'_>, objects: &Objects) -> BTreeMap<usize, i32> {
    let of_frame = (1..).zip(&objects.vetted).flat_map(|(number, object)| {
        let here = object.candidate.detections.iter();
        here.filter(|d| d.frame == frame.record.frame).map(move |d| (d, number))
    });
    of_frame.filter_map(|(detection, number)| Some((frame.row_of(detection)?, number))).collect()
}

/// Whether SCAMP takes a source: limits of ssos.
fn is_taken(sources: &Sources, i: usize) -> bool {
    let (flux, err) = (sources.flux_kron_e[i], sources.flux_kron_err_e[i]);
    let [xx, yy, _] = place_moments(sources, i);
    !sources.flags[i].is_any(REFUSED) && err > 0.0 && flux >= SNR_MIN * err && xx > 0.0 && yy > 0.0
}

/// A source without its place on the sky, time and numbers.
fn row(sources: &Sources, i: usize, scale: &SourceScale) -> FullRow {
    let source = Source::of(sources, i, scale);
    FullRow {
        place_px: (sources.x_px[i] + 1.0, sources.y_px[i] + 1.0),
        err_px: ellipse_of(place_moments(sources, i)),
        err_deg: source.sky_err_deg.unwrap_or((f64::NAN, f64::NAN)),
        mag: source.mag.unwrap_or(NO_LIGHT_MAG),
        mag_err: source.mag_err.unwrap_or(NO_LIGHT_MAG),
        flags: extraction_flags(sources.flags[i]) as i16,
        ..FullRow::default()
    }
}

/// Sources that stand still, by where they were first seen.
struct StandingSources {
    next_number: i32,
    numbers: Vec<i32>,
    places_rad: Vec<(f64, f64)>,
}

impl StandingSources {
    fn new(next_number: i32) -> Self {
        Self { next_number, numbers: Vec::new(), places_rad: Vec::new() }
    }

    /// A source of its own; its number.
    fn add(&mut self, (ra_deg, dec_deg): (f64, f64)) -> i32 {
        self.numbers.push(self.next_number);
        self.places_rad.push((ra_deg * DEG_RAD, dec_deg * DEG_RAD));
        self.next_number += 1;
        self.next_number - 1
    }

    /// Numbers of the detections of a frame, no two of them the same; the closest pairs count.
    fn assign(&mut self, places_deg: &[(f64, f64)]) -> Vec<i32> {
        let index = SkyIndex::new(&self.places_rad);
        let radians = |(ra, dec): (f64, f64)| (ra * DEG_RAD, dec * DEG_RAD);
        let near = |(row, place): (usize, &(f64, f64))| {
            let found = index.nearest(radians(*place), SAME_SOURCE_ARCSEC * ARCSEC_RAD)?;
            Some((found.1, row, found.0))
        };
        let mut pairs: Vec<(f64, usize, usize)> =
            places_deg.iter().enumerate().filter_map(near).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut is_used = vec![false; self.numbers.len()];
        let mut found: Vec<Option<i32>> = vec![None; places_deg.len()];
        for (_, row, source) in pairs {
            if !std::mem::replace(&mut is_used[source], true) {
                found[row] = Some(self.numbers[source]);
            }
        }
        let assigned = found.into_iter().zip(places_deg);
        assigned.map(|(number, place)| number.unwrap_or_else(|| self.add(*place))).collect()
    }
}

/// The columns of `full_N.cat`.
pub(super) fn full_columns(rows: &[FullRow]) -> Vec<Column> {
    let column = |name: &str, unit: &str, data| Column {
        name: name.to_owned(),
        unit: unit.to_owned(),
        data,
    };
    let whole = |of: fn(&FullRow) -> i32| ColumnData::I32(rows.iter().map(of).collect());
    let short = |of: fn(&FullRow) -> i16| ColumnData::I16(rows.iter().map(of).collect());
    let exact = |of: fn(&FullRow) -> f64| ColumnData::F64(rows.iter().map(of).collect());
    let real =
        |of: fn(&FullRow) -> f64| ColumnData::F32(rows.iter().map(|row| of(row) as f32).collect());
    vec![
        column("SOURCE_NUMBER", "", whole(|r| r.source_number)),
        column("CATALOG_NUMBER", "", whole(|r| r.catalog_number)),
        column("EXTENSION", "", short(|r| r.extension)),
        column("ASTR_INSTRUM", "", short(|r| i16::from(r.catalog_number > 0))),
        column("PHOT_INSTRUM", "", short(|r| i16::from(r.catalog_number > 0))),
        column("X_IMAGE", "pixel", exact(|r| r.place_px.0)),
        column("Y_IMAGE", "pixel", exact(|r| r.place_px.1)),
        column("ERRA_IMAGE", "pixel", real(|r| r.err_px.0)),
        column("ERRB_IMAGE", "pixel", real(|r| r.err_px.1)),
        column("ERRTHETA_IMAGE", "deg", real(|r| r.err_px.2)),
        column("ALPHA_J2000", "deg", exact(|r| r.place_deg.0)),
        column("DELTA_J2000", "deg", exact(|r| r.place_deg.1)),
        column("ERRA_WORLD", "deg", real(|r| r.err_deg.0)),
        column("ERRB_WORLD", "deg", real(|r| r.err_deg.1)),
        column("ERRTHETA_WORLD", "deg", real(|_| 0.0)),
        column("EPOCH", "yr", exact(|r| r.epoch_yr)),
        column("MAG", "mag", real(|r| r.mag)),
        column("MAGERR", "mag", real(|r| r.mag_err)),
        column("FLAGS_EXTRACTION", "", short(|r| r.flags)),
        column("FLAGS_SCAMP", "", short(|_| 0)),
        column("FLAGS_IMA", "", whole(|_| 0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_still_keeps_its_number_and_neighbours_do_not_share_one() {
        let arcsec = 1.0 / 3600.0;
        let mut sources = StandingSources::new(5);
        assert_eq!(sources.add((10.0, 0.0)), 5);
        // The second is nearer to the star; the first becomes a source of its own.
        let first = sources.assign(&[(10.0 + 0.5 * arcsec, 0.0), (10.0 - 0.2 * arcsec, 0.0)]);
        assert_eq!(first, [6, 5]);
        let second = sources.assign(&[(10.0 + 0.6 * arcsec, 0.0), (10.0, 3.0 * arcsec)]);
        assert_eq!(second, [6, 7]);
    }
}
