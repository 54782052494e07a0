//! Nights made for the tests, and the comparison of a report with the truth.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use autossos::config::Config;
use autossos::ops::Silent;
use autossos::ops::demo::{SimulatedFiles, write_night};
use autossos::ops::run::{RunRequest, RunSummary, run_night};
use autossos::pipeline::artifact::candidate::Candidate;
use autossos::pipeline::artifact::frame_record::{FrameRecord, FrameStatus, WcsKeyword};
use autossos::pipeline::artifact::report::NightReport;
use autossos::science::simulate::{Scenario, SimulatedNight, TrueMover, Truth};
use autossos::science::sky::vector::separation_rad;
use autossos::science::sky::wcs::Wcs;
use tempfile::TempDir;

/// Radians of a degree.
const DEG_RAD: f64 = std::f64::consts::PI / 180.0;
/// Radians of an arcsecond.
const ARCSEC_RAD: f64 = DEG_RAD / 3600.0;
/// A detection this near to a true place is that object [arcsec].
const SAME_PLACE_ARCSEC: f64 = 2.5;

/// A simulated night on disk.
pub struct NightOnDisk {
    /// Holds everything; deleted when dropped.
    pub folder: TempDir,
    /// Where its files are.
    pub files: SimulatedFiles,
    /// What a perfect pipeline would find.
    pub truth: Truth,
}

impl NightOnDisk {
    /// Simulates a night and writes its files.
    pub fn new(scenario: &Scenario) -> Self {
        let night = SimulatedNight::new(scenario);
        let folder = tempfile::tempdir().expect("a folder for the night");
        let files = write_night(&night, &folder.path().join("in")).expect("the night's files");
        Self { folder, files, truth: night.truth().clone() }
    }

    /// A data folder beside the night's.
    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The order to process it.
    pub fn request(&self, data: &str) -> RunRequest {
        RunRequest {
            night_dir: self.files.raw.clone(),
            night: Some("test".to_owned()),
            data_dir: self.data(data),
            reference: vec![self.files.reference.clone()],
            known: vec![self.files.known.clone()],
        }
    }

    /// Processes it with the built-in configuration.
    pub fn run(&self, data: &str) -> RunSummary {
        run_night(&self.request(data), &Config::default(), &Silent).expect("the night is processed")
    }
}

/// A smaller night than the demo's: for what does not depend on numbers.
pub fn small(seed: u64) -> Scenario {
    let mut scenario = Scenario::demo(seed);
    (scenario.n_science, scenario.n_bias, scenario.n_flat) = (5, 3, 3);
    (scenario.camera.nx, scenario.camera.ny) = (384, 384);
    scenario
}

/// The row of a frame.
pub fn row<'a>(report: &'a NightReport, frame: &str) -> &'a FrameRecord {
    report.frames.iter().find(|f| f.frame == frame).unwrap_or_else(|| panic!("no row of {frame}"))
}

/// Names of the frames that were used.
pub fn used_frames(report: &NightReport) -> Vec<&str> {
    let used = report.frames.iter().filter(|f| f.status == FrameStatus::Ok);
    used.map(|f| f.frame.as_str()).collect()
}

/// Every frame in a line, for messages.
pub fn told(report: &NightReport) -> String {
    let line = |f: &FrameRecord| format!("{} {:?} {:?}\n", f.frame, f.status, f.reason);
    report.frames.iter().map(line).collect()
}

/// The mover that most of a candidate's detections lie on, if more than half do.
pub fn mover_of<'a>(candidate: &Candidate, truth: &'a Truth) -> Option<&'a TrueMover> {
    truth.movers.iter().find(|mover| 2 * n_on(candidate, mover) > candidate.detections.len())
}

/// How many of a candidate's detections lie on a mover.
pub fn n_on(candidate: &Candidate, mover: &TrueMover) -> usize {
    let places: BTreeMap<&str, (f64, f64)> =
        mover.places.iter().map(|p| (p.frame.as_str(), (p.ra_deg, p.dec_deg))).collect();
    let is_on = |(ra, dec): (f64, f64), place: &(f64, f64)| {
        let here = (ra * DEG_RAD, dec * DEG_RAD);
        separation_rad(here, (place.0 * DEG_RAD, place.1 * DEG_RAD))
            < SAME_PLACE_ARCSEC * ARCSEC_RAD
    };
    let detections = candidate.detections.iter();
    detections
        .filter(|d| places.get(d.frame.as_str()).is_some_and(|p| is_on((d.ra_deg, d.dec_deg), p)))
        .count()
}

/// In how many of these frames a mover stands out by `snr_min`.
pub fn n_visible(mover: &TrueMover, frames: &[&str], snr_min: f64) -> usize {
    let places = mover.places.iter();
    places.filter(|p| p.in_frame && p.snr >= snr_min && frames.contains(&p.frame.as_str())).count()
}

/// Median distance of a frame's plate solution from the true one over the frame [arcsec].
pub fn wcs_error_arcsec(record: &FrameRecord, truth: &Truth) -> f64 {
    let wcs = Wcs::from_fits_keywords(|key| {
        record.wcs.iter().find(|(k, _)| k == key).and_then(|(_, value)| match value {
            WcsKeyword::Integer(v) => Some(*v as f64),
            WcsKeyword::Real(v) => Some(*v),
            WcsKeyword::Text(_) => None,
        })
    })
    .expect("a used frame is solved");
    let (shift_x, shift_y) = record.ltv_px.expect("a used frame is calibrated");
    let frame = truth.frames.iter().find(|f| f.name == record.frame).expect("a simulated frame");
    let mut errors: Vec<f64> = frame
        .grid
        .iter()
        .map(|(x, y, ra_deg, dec_deg)| {
            let got = wcs.to_sky(x + shift_x, y + shift_y);
            separation_rad(got, (ra_deg * DEG_RAD, dec_deg * DEG_RAD)) / ARCSEC_RAD
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    errors[errors.len() / 2]
}

/// Difference of a frame's zero point from the true one [mag].
pub fn zero_point_error_mag(record: &FrameRecord, truth: &Truth) -> f64 {
    let frame = truth.frames.iter().find(|f| f.name == record.frame).expect("a simulated frame");
    record.zero_point_mag.expect("a used frame has a zero point") - frame.zero_point_adu_mag
}

/// All files below a folder with their contents, by relative path.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).expect("a folder") {
            let entry = entry.expect("an entry");
            if entry.path().is_dir() {
                open.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).expect("a file");
            let relative = entry.path().strip_prefix(folder).expect("below it").to_owned();
            found.insert(relative, bytes);
        }
    }
    found
}
