//! Reduced frames and masters: what was made, of which raw files, and where it lies.

use serde::{Deserialize, Serialize};

use super::super::error::OpsError;
use super::super::overview;
use super::Row;
use crate::formats::fits::{self, Limits};
use crate::pipeline::artifact::frame_record::FrameStatus;
use crate::store::lookup::FoundFrame;
use crate::store::masters::MasterRow;
use crate::store::{NightId, Reader};

/// A raw file that a master was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Original {
    /// Its name; empty when the file is no longer recorded.
    pub name: String,
    /// Its content hash, hexadecimal.
    pub content_hash: String,
}

/// A master in full.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MasterView {
    /// Its name, which reports use.
    pub name: String,
    /// The night it was made in.
    pub night: String,
    /// What a frame must be like to be calibrated with it.
    pub key: String,
    /// Its file, relative to the data folder.
    pub path: String,
    /// Last mid-exposure of its frames [d, MJD UTC].
    pub taken_mjd_utc: f64,
    /// Number of frames combined.
    pub n_frames: u64,
    /// Exposure time [s].
    pub exposure_s: f64,
    /// Whether it differs too much from an earlier one to be used.
    pub is_refused: bool,
    /// The raw files it was made from.
    pub originals: Vec<Original>,
}

/// What is read of a master's payload.
#[derive(Deserialize)]
struct Payload {
    name: String,
    night: String,
    n_frames: u64,
    exposure_s: f64,
    #[serde(default)]
    is_refused: bool,
}

/// The masters of a night, newest first.
pub fn masters_of(reader: &Reader, night: &NightId) -> Result<Vec<MasterView>, OpsError> {
    let mut views = Vec::new();
    for row in reader.masters("")? {
        if let Some(view) = view(reader, &row)?.filter(|view| view.night == night.as_str()) {
            views.push(view);
        }
    }
    Ok(views)
}

/// The masters that a person means by a name, a file's name or a path.
pub fn find_master(
    reader: &Reader,
    text: &str,
    night: Option<&NightId>,
) -> Result<Vec<MasterView>, OpsError> {
    let mut found = Vec::new();
    for row in reader.masters("")? {
        let file = row.path.file_name().map(|n| n.to_string_lossy().into_owned());
        let is_file = file.as_deref() == Some(text) || row.path.to_string_lossy() == text;
        let Some(view) = view(reader, &row)? else { continue };
        let is_of_night = night.is_none_or(|night| night.as_str() == view.night);
        if is_of_night && (is_file || view.name == text) {
            found.push(view);
        }
    }
    Ok(found)
}

fn view(reader: &Reader, row: &MasterRow) -> Result<Option<MasterView>, OpsError> {
    let Ok(payload) = serde_json::from_str::<Payload>(&row.payload) else { return Ok(None) };
    let files = match NightId::new(&payload.night) {
        Ok(night) => reader.files(&night)?,
        Err(_) => Vec::new(),
    };
    let original = |hash: &String| {
        let file = files.iter().find(|file| file.content_hash == *hash);
        Original {
            name: file.map(|file| file.name.clone()).unwrap_or_default(),
            content_hash: hash.clone(),
        }
    };
    Ok(Some(MasterView {
        originals: row.made_from.iter().map(original).collect(),
        name: payload.name,
        night: payload.night,
        key: row.key.clone(),
        path: row.path.to_string_lossy().into_owned(),
        taken_mjd_utc: row.taken.mjd_utc(),
        n_frames: payload.n_frames,
        exposure_s: payload.exposure_s,
        is_refused: payload.is_refused,
    }))
}

/// Masters of a night, then its reduced frames.
pub(super) fn night_rows(reader: &Reader, night: &NightId) -> Result<Vec<Row>, OpsError> {
    let mut rows = Vec::new();
    for master in masters_of(reader, night)? {
        let kind = master.key.split('/').next().unwrap_or_default().to_lowercase();
        let mut row = Row::default();
        row.set_text("night", night.as_str());
        row.set_text("name", master.name);
        row.set_text("kind", format!("master-{kind}"));
        row.set_text("status", if master.is_refused { "refused" } else { "ok" });
        row.set_number("exposure_s", Some(master.exposure_s));
        row.set_number("n_frames", Some(master.n_frames as f64));
        row.set_number("mjd_mid", Some(master.taken_mjd_utc));
        add_file(reader, &mut row, &master.path);
        rows.push(row);
    }
    let frames = overview::night(reader, night)?.map(|view| view.frames).unwrap_or_default();
    for record in frames.iter().filter(|frame| frame.status != FrameStatus::Failed) {
        let found = FoundFrame {
            night: night.to_string(),
            name: record.frame.clone(),
            content_hash: record.content_hash.clone(),
        };
        let products = overview::frame(reader, &found)?.products;
        let Some(path) = products.iter().find(|path| is_image(path)) else { continue };
        let mut row = Row::default();
        row.set_text("night", night.as_str());
        row.set_text("kind", "science");
        row.set_record(record);
        add_file(reader, &mut row, path);
        rows.push(row);
    }
    Ok(rows)
}

/// Tells the calibrated frame from its mask and its table.
fn is_image(path: &str) -> bool {
    !path.ends_with(".mask.fits") && !path.ends_with(".cat.fits")
}

/// Where a product lies, its size and its header.
fn add_file(reader: &Reader, row: &mut Row, relative: &str) {
    row.set_text("path", relative);
    let Ok(path) = reader.products().resolve(relative.as_ref()) else { return };
    if let Ok(image) = fits::probe(&path, &Limits::default()) {
        row.set_number("nx", Some(image.nx as f64));
        row.set_number("ny", Some(image.ny as f64));
        row.header = image.header;
    }
}
