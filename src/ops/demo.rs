//! A simulated night, raw FITS files and all, processed exactly like a real one.

use std::path::{Path, PathBuf};

use super::error::OpsError;
use super::progress::Progress;
use super::run::{RunRequest, RunSummary, run_night};
use crate::config::Config;
use crate::formats::fits::{Header, write_image_u16};
use crate::science::simulate::{Scenario, SimulatedNight, SimulatedValue};
use crate::store::files::ProductFile;

/// Name of the demo's night.
const NIGHT: &str = "demo";

/// Files of a simulated night on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedFiles {
    /// Folder of the raw frames.
    pub raw: PathBuf,
    /// Star catalogue with the Gaia archive's columns.
    pub reference: PathBuf,
    /// List of predicted places of known objects.
    pub known: PathBuf,
}

/// Simulates a night below the data folder and processes it.
pub fn demo(
    data_dir: &Path,
    seed: u64,
    config: &Config,
    progress: &dyn Progress,
) -> Result<RunSummary, OpsError> {
    let night = SimulatedNight::new(&Scenario::demo(seed));
    let files = write_night(&night, &data_dir.join("simulated"))?;
    let request = RunRequest {
        night_dir: files.raw,
        night: Some(NIGHT.to_owned()),
        data_dir: data_dir.to_owned(),
        reference: vec![files.reference],
        known: vec![files.known],
    };
    run_night(&request, config, progress)
}

/// Writes a simulated night as a telescope would leave it.
pub fn write_night(night: &SimulatedNight, folder: &Path) -> Result<SimulatedFiles, OpsError> {
    let files = SimulatedFiles {
        raw: folder.join("raw"),
        reference: folder.join("gaia.csv"),
        known: folder.join("known.csv"),
    };
    for index in 0..night.n_frames() {
        let frame = night.frame(index);
        let mut header = Header::new();
        for (key, value, comment) in &frame.cards {
            match value {
                SimulatedValue::Text(v) => header.set(key, v.as_str(), comment),
                SimulatedValue::Integer(v) => header.set(key, *v, comment),
                SimulatedValue::Real(v) => header.set(key, *v, comment),
            }
        }
        ProductFile::write(&files.raw.join(&frame.name), |path| {
            Ok(write_image_u16(path, &frame.pixels, &header)?)
        })?;
    }
    ProductFile::write_bytes(&files.reference, night.reference_csv().as_bytes())?;
    ProductFile::write_bytes(&files.known, night.known_csv().as_bytes())?;
    Ok(files)
}
