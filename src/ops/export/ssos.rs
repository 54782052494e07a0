//! The table of ssos: one row per detection, columns and units as its `--inspect` leaves them.
//!
//! Source: ../shared/spec/seeds.md 2.11; behind its 50 columns the three of the inspection and two
//! of Automatic-SSOs (`MAG_CALIB`, `MAG_CALIB_ERR`). Differences, all where the seeds are wrong:
//! `SOURCE_NUMBER` counts objects of the night, offsets are true arcseconds (their cosine was not),
//! a known object's detections all carry its name, and `UNK_n` and `AST_n` belong to objects.
//! `ERRAWIN_IMAGE` and those like it are errors of the place, as SExtractor has them; `ERRA_WORLD`
//! is that along right ascension and `ERRB_WORLD` along declination, as SCAMP has them.
//! `CATALOG_NUMBER` counts the night's frames in order of time, whatever field they show; of a file
//! with several images each is a frame, and `EXTENSION` is its number among them, from 1.

use std::collections::BTreeMap;

use super::super::error::OpsError;
use super::super::object_names::{Numbers, name, numbers};
use super::super::vetting::{Vetted, vetted_in};
use super::frame::{Frame, fixed, numbered};
use super::source::{Source, extraction_flags};
use crate::formats::known_csv::number_and_name;
use crate::pipeline::artifact::candidate::{CandidateDetection, Identity};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::known::KnownObject;
use crate::pipeline::artifact::report::NightReport;
use crate::report::csv_text;
use crate::science::time::Epoch;
use crate::science::units::DEG_RAD;
use crate::store::verdicts::Verdict;
use crate::store::{NightId, Reader};

/// Columns in order.
const COLUMNS: [&str; 55] = [
    "SOURCE_NUMBER",
    "CATALOG_NUMBER",
    "RA",
    "DEC",
    "EPOCH",
    "MAG",
    "MAGERR",
    "FLUX",
    "FLUXERR",
    "PM",
    "PMERR",
    "PMRA",
    "PMRA_ERR",
    "PMDEC",
    "PMDEC_ERR",
    "MID_EXPOSURE_MJD",
    "DATE-OBS",
    "EXPTIME",
    "OBJECT",
    "FILTER",
    "RA_IMAGE",
    "DEC_IMAGE",
    "MATCHED",
    "SKYBOT_NUMBER",
    "SKYBOT_NAME",
    "SKYBOT_CLASS",
    "SKYBOT_MAG",
    "SKYBOT_RA",
    "SKYBOT_DEC",
    "SKYBOT_PMRA",
    "SKYBOT_PMDEC",
    "SKYBOT_DELTARA",
    "SKYBOT_DELTADEC",
    "IMAGE_FILENAME",
    "EXTENSION",
    "XWIN_IMAGE",
    "YWIN_IMAGE",
    "AWIN_IMAGE",
    "ERRAWIN_IMAGE",
    "BWIN_IMAGE",
    "ERRBWIN_IMAGE",
    "THETAWIN_IMAGE",
    "ERRTHETAWIN_IMAGE",
    "ERRA_WORLD",
    "ERRB_WORLD",
    "ERRTHETA_WORLD",
    "FLAGS_EXTRACTION",
    "FLAGS_SCAMP",
    "FLAGS_IMA",
    "FLAGS_SSOS",
    "INSPECTED",
    "ASTEROID",
    "UNKNOWN",
    "MAG_CALIB",
    "MAG_CALIB_ERR",
];

/// Which of the seeds' tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedTable {
    /// That of ssos.
    Ssos,
    /// With the quality of each frame's photometry (`calib_`).
    Calib,
    /// The same without frames whose photometry is not valid (`validcalib_`).
    ValidCalib,
}

/// What the tables of Automatic-SSOs add.
const CALIB_COLUMNS: [&str; 2] = ["R2", "PHOT_OUTLIER"];

/// The objects of the table, in its order.
pub(super) struct Objects {
    /// The object of `SOURCE_NUMBER` one, and the next.
    pub(super) vetted: Vec<Vetted>,
    numbers: Numbers,
}

impl Objects {
    /// The objects of a night in order of time and place.
    pub(super) fn of(
        reader: &Reader,
        (night, report): (&NightId, &NightReport),
    ) -> Result<Self, OpsError> {
        let mut vetted = vetted_in(report.clone(), reader.verdicts(night)?);
        // What is at the limit of detection counts once somebody says that it is real.
        vetted.retain(|v| !v.is_faint || v.verdict() == Some(Verdict::Real));
        vetted.sort_by(|a, b| {
            let first = |v: &Vetted| {
                v.candidate.detections.first().map_or((0.0, 0.0), |d| (d.mid_mjd_utc, d.ra_deg))
            };
            let ((time_a, ra_a), (time_b, ra_b)) = (first(a), first(b));
            let place = time_a.total_cmp(&time_b).then(ra_a.total_cmp(&ra_b));
            place.then_with(|| a.candidate.id.cmp(&b.candidate.id))
        });
        Ok(Self { vetted, numbers: numbers(reader, night)? })
    }

    /// Number and name of an object as the table's columns have them, either may be empty.
    pub(super) fn number_and_name(&self, object: &Vetted) -> (String, String) {
        let name = name(object, &self.numbers).unwrap_or_default();
        let (number, own_name) = match &object.candidate.identity {
            Identity::Known { .. } => number_and_name(&name),
            Identity::Unknown | Identity::Unchecked => (None, name.as_str()),
        };
        let number = number.unwrap_or_default();
        // An object with a number and no name is called by its number.
        let own_name = if own_name.is_empty() { number } else { own_name };
        (number.to_owned(), own_name.to_owned())
    }
}

/// A table of a night.
pub fn table(
    reader: &Reader,
    (night, report): (&NightId, &NightReport),
    form: SeedTable,
) -> Result<String, OpsError> {
    let objects = Objects::of(reader, (night, report))?;
    let wanted: Vec<&str> = objects
        .vetted
        .iter()
        .flat_map(|v| v.candidate.detections.iter().map(|d| d.frame.as_str()))
        .collect();
    let frames: BTreeMap<&str, Frame<'_>> = numbered(report)
        .filter(|(_, record)| wanted.contains(&record.frame.as_str()))
        .map(|numbered| (numbered.1.frame.as_str(), Frame::read(reader, night, numbered)))
        .collect();
    let mut rows = Vec::new();
    for (number, object) in (1..).zip(&objects.vetted) {
        let known = report.known.iter().find(|known| {
            known.found.as_ref().is_some_and(|fit| fit.candidate == object.candidate.id)
        });
        let about = About { number, object, known, names: objects.number_and_name(object) };
        for (i, detection) in object.candidate.detections.iter().enumerate() {
            let frame = frames.get(detection.frame.as_str());
            let photometry = frame.and_then(|frame| frame.record.photometry.as_deref());
            let is_valid = photometry.is_some_and(|scale| scale.faults.is_empty());
            if form == SeedTable::ValidCalib && !is_valid {
                continue;
            }
            let mut row = about.row((i, detection), frame);
            if form != SeedTable::Ssos {
                let solution = photometry.and_then(|scale| scale.solution.as_ref());
                let line = solution.and_then(|solution| solution.line.as_ref());
                let is_outlier = photometry.is_some_and(|scale| scale.is_sky_outlier);
                row.extend([fixed(line.map(|line| line.r2), 6), truth(is_outlier)]);
            }
            rows.push(row);
        }
    }
    let added = if form == SeedTable::Ssos { &[][..] } else { &CALIB_COLUMNS[..] };
    let columns = COLUMNS.iter().chain(added).map(|name| (*name).to_owned());
    Ok(csv_text(columns.collect(), rows.into_iter()))
}

/// An object and what is said of it.
struct About<'a> {
    number: usize,
    object: &'a Vetted,
    known: Option<&'a KnownObject>,
    /// Number and name.
    names: (String, String),
}

impl About<'_> {
    /// The row of one of its detections.
    fn row(
        &self,
        (i, detection): (usize, &CandidateDetection),
        frame: Option<&Frame<'_>>,
    ) -> Vec<String> {
        let mut measured = self.object.candidate.photometry.iter();
        let source = match measured.find(|p| p.frame == detection.frame) {
            Some(point) if detection.is_recovered => Source::measured(point, frame),
            _ => frame.and_then(|frame| frame.source_at(detection)).unwrap_or_default(),
        };
        let mut cells = vec![
            self.number.to_string(),
            frame.map_or_else(String::new, |frame| frame.number.to_string()),
            fixed(Some(detection.ra_deg), 8),
            fixed(Some(detection.dec_deg), 8),
            fixed(Some(Epoch::from_mjd_utc(detection.mid_mjd_utc).julian_year()), 11),
            fixed(source.mag, 4),
            fixed(source.mag_err, 4),
            fixed(source.flux, 3),
            fixed(source.flux_err, 3),
        ];
        cells.extend(self.motion());
        let header = |key: &str| frame.and_then(|frame| frame.text(key)).unwrap_or_default();
        let record = frame.map(|frame| frame.record);
        let centre = frame.and_then(|frame| frame.centre_deg);
        cells.extend([
            fixed(Some(detection.mid_mjd_utc), 9),
            header("DATE-OBS"),
            fixed(record.and_then(|record| record.exposure_s), 3),
            header("OBJECT"),
            record.and_then(|record| record.filter.clone()).unwrap_or_default(),
            fixed(centre.map(|centre| centre.0), 6),
            fixed(centre.map(|centre| centre.1), 6),
        ]);
        cells.extend(self.skybot(i));
        let file = record.map_or(detection.frame.as_str(), FrameRecord::file_name);
        let image = record.and_then(|record| record.image.as_ref());
        cells.extend([file.to_owned(), image.map_or(1, |image| image.number).to_string()]);
        cells.extend([fixed(Some(detection.x_px + 1.0), 4), fixed(Some(detection.y_px + 1.0), 4)]);
        cells.extend(shape(&source, detection));
        let said = self.object.verdict();
        cells.extend(
            [said.is_some(), said == Some(Verdict::Real), said == Some(Verdict::Unsure)].map(truth),
        );
        cells.extend([fixed(detection.mag, 4), fixed(detection.mag_err, 4)]);
        cells
    }

    /// Rates of the object [arcsec/h]: whole, east, north, each with its error.
    fn motion(&self) -> [String; 6] {
        let candidate = &self.object.candidate;
        let speed = 60.0 * candidate.rate_arcsec_per_min;
        let err = fixed(Some(60.0 * candidate.rate_err_arcsec_per_min), 4);
        let pa_rad = candidate.pa_deg * DEG_RAD;
        let rate = |value: f64| fixed(Some(value), 4);
        [
            rate(speed),
            err.clone(),
            rate(speed * pa_rad.sin()),
            err.clone(),
            rate(speed * pa_rad.cos()),
            err,
        ]
    }

    /// What is known of the object at one of its detections.
    fn skybot(&self, i: usize) -> [String; 11] {
        let identity = &self.object.candidate.identity;
        let matched = truth(matches!(identity, Identity::Known { .. }));
        let (number, own_name) = self.names.clone();
        let fit = self.known.and_then(|known| known.found.as_ref());
        let predicted = fit.and_then(|fit| fit.predicted_deg.get(i).copied().flatten());
        let offset = fit.and_then(|fit| fit.offsets_arcsec.get(i).copied().flatten());
        let rate = fit.and_then(|fit| fit.predicted_rate_arcsec_per_h);
        [
            matched,
            number,
            own_name,
            self.known.and_then(|known| known.class.clone()).unwrap_or_default(),
            fixed(self.known.and_then(|known| known.v_mag), 2),
            fixed(predicted.map(|p| p.0), 8),
            fixed(predicted.map(|p| p.1), 8),
            fixed(rate.map(|r| r.0), 4),
            fixed(rate.map(|r| r.1), 4),
            fixed(offset.map(|o| o.0), 4),
            fixed(offset.map(|o| o.1), 4),
        ]
    }
}

/// Cells from the ellipse to the flags.
fn shape(source: &Source, detection: &CandidateDetection) -> Vec<String> {
    let ellipse = |k: usize| fixed(source.ellipse.map(|ellipse| ellipse[k]), 4);
    let mut cells: Vec<String> = (0..6).map(ellipse).collect();
    let round = detection.position_err_arcsec / 3600.0;
    let (ra, dec) = source.sky_err_deg.unwrap_or((round, round));
    cells.extend([fixed(Some(ra), 9), fixed(Some(dec), 9), fixed(Some(0.0), 2)]);
    cells.push(source.flags.map_or_else(String::new, |flags| extraction_flags(flags).to_string()));
    cells.extend(["0", "0", "0"].map(str::to_owned));
    cells
}

fn truth(is: bool) -> String {
    (if is { "True" } else { "False" }).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_the_seeds_have_them() {
        // Numbers of ../shared/spec/seeds.md 2.11, from 1.
        for (number, name) in [
            (1, "SOURCE_NUMBER"),
            (5, "EPOCH"),
            (10, "PM"),
            (16, "MID_EXPOSURE_MJD"),
            (21, "RA_IMAGE"),
            (23, "MATCHED"),
            (27, "SKYBOT_MAG"),
            (32, "SKYBOT_DELTARA"),
            (36, "XWIN_IMAGE"),
            (44, "ERRA_WORLD"),
            (50, "FLAGS_SSOS"),
        ] {
            assert_eq!(COLUMNS[number - 1], name);
        }
    }
}
