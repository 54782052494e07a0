//! Raw files of a night, or of a folder that was never processed.

use std::path::Path;

use super::super::error::OpsError;
use super::super::overview;
use super::super::run::{NightFile, NotAFrame, chain, chosen, list, understand};
use super::{Row, kind_word};
use crate::config::Config;
use crate::formats::fits::ImageInfo;
use crate::pipeline::artifact::frame_info::{FileImage, FrameInfo};
use crate::pipeline::ingest::Chosen;
use crate::science::units::DEG_RAD;
use crate::store::{NightId, Reader};

/// The raw files of a night with what is stored of them.
pub(super) fn night_rows(
    reader: &Reader,
    config: &Config,
    night: &NightId,
) -> Result<Vec<Row>, OpsError> {
    let telescope = reader.night_marks()?.remove(night.as_str()).unwrap_or_default().telescope;
    let own = config.telescopes().into_iter().find(|t| t.name == telescope);
    let config = own.map_or_else(|| config.clone(), |telescope| config.for_telescope(&telescope));
    let folder = reader.night_folder(night)?.unwrap_or_default();
    let files = if folder.is_dir() { list(&folder).unwrap_or_default() } else { Vec::new() };
    let recorded = reader.files(night)?;
    let records = overview::night(reader, night)?.map(|view| view.frames).unwrap_or_default();
    let mut rows: Vec<Row> =
        files.iter().flat_map(|file| file_rows(file, night.as_str(), &config)).collect();
    for row in &mut rows {
        let name = row.name();
        if let Some(found) = recorded.iter().find(|found| found.name == name) {
            row.set_text("content_hash", found.content_hash.as_str());
        }
        if let Some(record) = records.iter().find(|record| record.frame == name) {
            row.set_record(record);
        }
    }
    // Raw files may be gone; what was made of them is not.
    for record in &records {
        if !rows.iter().any(|row| row.name() == record.frame) {
            let mut row = Row::default();
            row.set_text("night", night.as_str());
            row.set_text("kind", "science");
            row.set_record(record);
            rows.push(row);
        }
    }
    Ok(rows)
}

/// The FITS files of a folder that is no night yet.
pub fn folder_rows(folder: &Path, config: &Config) -> Result<Vec<Row>, OpsError> {
    let night = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(list(folder)?.iter().flat_map(|file| file_rows(file, &night, config)).collect())
}

/// A row per frame of a file: its only image, or each image of the sky in its extensions.
fn file_rows(file: &NightFile, night: &str, config: &Config) -> Vec<Row> {
    let begun = |name: String| {
        let mut row = Row::default();
        row.set_text("night", night);
        row.set_text("name", name);
        row.set_text("path", file.path.to_string_lossy());
        row
    };
    let failed = |name: String, status: &str, why: String| {
        let mut row = begun(name);
        row.set_text("status", status);
        row.set_text("reason", why);
        row
    };
    let chosen = match chosen(file, config) {
        Ok(chosen) => chosen,
        Err(error) => return vec![failed(file.name.clone(), "unreadable", chain(&error))],
    };
    let row = |chosen| match chosen {
        Chosen::Whole(image) => told(begun(file.name.clone()), (*image, None), config),
        Chosen::Part(image, part) => {
            told(begun(format!("{}{}", file.name, part.suffix())), (*image, Some(&part)), config)
        }
        Chosen::Missing { listed, why } => {
            failed(format!("{}[{listed}]", file.name), "failed", why)
        }
    };
    chosen.into_iter().map(row).collect()
}

/// A row with what the header of its image says.
fn told(mut row: Row, (mut image, part): (ImageInfo, Option<&FileImage>), config: &Config) -> Row {
    row.set_number("nx", Some(image.nx as f64));
    row.set_number("ny", Some(image.ny as f64));
    let night = row.cell("night").map(|cell| cell.text()).unwrap_or_default();
    match understand(&mut image, (&night, &row.name()), part, config) {
        Ok(info) => set_info(&mut row, &info),
        Err(NotAFrame::LeftAlone(why)) => {
            row.set_text("kind", "ignored");
            row.set_text("reason", why);
        }
        Err(NotAFrame::Unusable(why)) => {
            row.set_text("status", "failed");
            row.set_text("reason", why);
        }
    }
    row.header = image.header;
    row
}

fn set_info(row: &mut Row, info: &FrameInfo) {
    row.set_text("kind", kind_word(info.kind));
    row.set_text("filter", info.filter.as_str());
    row.set_text("instrument", info.instrument.as_str());
    row.set_text("profile", info.profile.as_str());
    row.set_text("binning", format!("{}x{}", info.binning.0, info.binning.1));
    if let Some(object) = &info.object {
        row.set_text("object", object.as_str());
    }
    row.set_mid(info.mid);
    row.set_number("exposure_s", Some(info.exposure_s));
    row.set_number("temperature_c", info.temperature_c);
    row.set_number("ra_deg", info.pointing_rad.map(|(ra_rad, _)| ra_rad / DEG_RAD));
    row.set_number("dec_deg", info.pointing_rad.map(|(_, dec_rad)| dec_rad / DEG_RAD));
}
