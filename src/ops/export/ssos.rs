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
use crate::pipeline::artifact::photometric_point::AperturePoint;
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
/// FLAGS_SSOS of the detection that gave the object's aperture.
const FLAG_APERTURE_REFERENCE: u8 = 2;
/// Columns behind MAGERR where objects have an aperture (`photometry.fixed_apertures`).
const APERTURE_COLUMNS: [&str; 4] = ["MAG_APER", "MAG_APER_ERR", "FLUX_APER", "FLUX_APER_ERR"];
/// Cells before those.
const N_BEFORE_APERTURE: usize = 7;
/// What is known of an object: the first of these cells, and their number.
const SKYBOT: (usize, usize) = (22, 11);

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
    let has_apertures = objects
        .vetted
        .iter()
        .any(|v| v.candidate.photometry.iter().any(|point| point.aperture.is_some()));
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
            if has_apertures {
                with_aperture(&mut row, about.aperture(detection, frame));
            }
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
    let mut columns: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
    if has_apertures {
        with_aperture(&mut columns, APERTURE_COLUMNS.map(str::to_owned));
    }
    columns.extend(added.iter().map(|name| (*name).to_owned()));
    Ok(csv_text(columns, rows.into_iter()))
}

/// Puts cells of an aperture behind MAGERR. What is known of the object keeps its place in the row
/// and so comes before OBJECT, as in ssos, whose scripts count columns.
fn with_aperture(cells: &mut Vec<String>, aperture: [String; 4]) {
    let known: Vec<String> = cells.drain(SKYBOT.0..SKYBOT.0 + SKYBOT.1).collect();
    cells.splice(N_BEFORE_APERTURE..N_BEFORE_APERTURE, aperture);
    cells.splice(SKYBOT.0..SKYBOT.0, known);
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
        let is_reference = self.aperture_point(detection).is_some_and(|point| point.is_reference);
        let flags = if is_reference { FLAG_APERTURE_REFERENCE } else { 0 };
        cells.push(flags.to_string());
        let said = self.object.verdict();
        cells.extend(
            [said.is_some(), said == Some(Verdict::Real), said == Some(Verdict::Unsure)].map(truth),
        );
        cells.extend([fixed(detection.mag, 4), fixed(detection.mag_err, 4)]);
        cells
    }

    /// The detection's light through the object's own aperture: instrumental magnitude of one ADU
    /// per second, light [ADU], each with its error.
    fn aperture(&self, detection: &CandidateDetection, frame: Option<&Frame<'_>>) -> [String; 4] {
        let Some(aperture) = self.aperture_point(detection) else { return Default::default() };
        let record = frame.map(|frame| frame.record);
        let gain = record.and_then(|r| r.photometry.as_deref()).map_or(1.0, |p| p.gain_e_per_adu);
        let in_adu = 2.5 * gain.log10();
        [
            fixed(aperture.instrumental_mag.map(|mag| mag + in_adu), 4),
            fixed(aperture.instrumental_err_mag, 4),
            fixed(Some(aperture.flux_e / gain), 3),
            fixed(Some(aperture.flux_err_e / gain), 3),
        ]
    }

    fn aperture_point(&self, detection: &CandidateDetection) -> Option<&AperturePoint> {
        let mut points = self.object.candidate.photometry.iter();
        points.find(|point| point.frame == detection.frame)?.aperture.as_ref()
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

/// Cells from the ellipse to the flags, without those of ssos.
fn shape(source: &Source, detection: &CandidateDetection) -> Vec<String> {
    let ellipse = |k: usize| fixed(source.ellipse.map(|ellipse| ellipse[k]), 4);
    let mut cells: Vec<String> = (0..6).map(ellipse).collect();
    let round = detection.position_err_arcsec / 3600.0;
    let (ra, dec) = source.sky_err_deg.unwrap_or((round, round));
    cells.extend([fixed(Some(ra), 9), fixed(Some(dec), 9), fixed(Some(0.0), 2)]);
    cells.push(source.flags.map_or_else(String::new, |flags| extraction_flags(flags).to_string()));
    cells.extend(["0", "0"].map(str::to_owned));
    cells
}

fn truth(is: bool) -> String {
    (if is { "True" } else { "False" }).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aperture_comes_behind_the_magnitude_and_the_rest_as_in_ssos() {
        let mut columns: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
        with_aperture(&mut columns, APERTURE_COLUMNS.map(str::to_owned));
        assert_eq!(columns.len(), COLUMNS.len() + 4);
        // ../shared/spec/seeds.md 2.11: four columns after MAGERR, the SkyBoT block before OBJECT.
        for (number, name) in [
            (7, "MAGERR"),
            (8, "MAG_APER"),
            (11, "FLUX_APER_ERR"),
            (12, "FLUX"),
            (22, "EXPTIME"),
            (23, "MATCHED"),
            (33, "SKYBOT_DELTADEC"),
            (34, "OBJECT"),
            (38, "IMAGE_FILENAME"),
            (54, "FLAGS_SSOS"),
        ] {
            assert_eq!(columns[number - 1], name, "{number}");
        }
    }

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
