//! Taking files in: their identity (hash of the content) and what their headers say.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use super::super::error::OpsError;
use super::files::{FileStamp, NightFile};
use super::parallel;
use super::weights::WeightMap;
use crate::config::Config;
use crate::formats::fits::{self, FitsError, Header, ImageInfo, Limits};
use crate::pipeline::artifact::frame_info::{FileImage, FrameInfo, FrameKind};
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::report::Note;
use crate::pipeline::clock_check::{FrameClock, clock_notes};
use crate::pipeline::ingest::{Chosen, IngestRefusal, choose_images, interpret_as};
use crate::pipeline::reduce::empty_record;
use crate::science::image::Image;
use crate::science::time::Epoch;

/// Piece of a file hashed at a time [bytes].
const HASH_CHUNK: usize = 1 << 20;

/// A readable frame of the night.
#[derive(Debug, Clone)]
pub(super) struct ScannedFrame {
    /// Its file; its name is the frame's.
    pub(super) file: NightFile,
    pub(super) content_hash: String,
    pub(super) info: FrameInfo,
    /// Number of the HDU with its pixels.
    pub(super) hdu: usize,
    /// Its map of weights.
    pub(super) weights: WeightMap,
}

impl ScannedFrame {
    /// Its image with the header; errors as the file is by now.
    pub(super) fn read(&self, limits: &Limits) -> Result<(Image<f32>, Header), FitsError> {
        let path = &self.file.path;
        let image = fits::probe_from(path, limits, self.hdu)?;
        Ok((fits::read_pixels(path, &image)?, image.header))
    }
}

/// A file that was taken in.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) stamp: FileStamp,
    /// Hash of its content; empty when it could not be read.
    pub(super) content_hash: String,
    /// Its frames, or what else it is; at least one.
    pub(super) found: Vec<Found>,
}

/// What a file, or one of its images, turned out to be.
#[derive(Debug, Clone)]
pub(super) enum Found {
    Frame(Arc<ScannedFrame>),
    Failed(Box<FrameRecord>),
    Skipped(Note),
}

/// Everything found in the night's folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Scanned {
    pub(super) n_files: usize,
    /// Science frames in order of names.
    pub(super) science: Vec<Arc<ScannedFrame>>,
    /// Bias, dark and flat frames in order of names.
    pub(super) calibration: Vec<Arc<ScannedFrame>>,
    /// Files that cannot be processed, as rows of the frame table.
    pub(super) failed: Vec<FrameRecord>,
    pub(super) notes: Vec<Note>,
}

impl Scanned {
    /// Sorts what was taken in by what it is for; of equal contents the first name counts.
    pub(super) fn of(taken: &BTreeMap<String, Taken>) -> Self {
        let mut scanned = Self { n_files: taken.len(), ..Self::default() };
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, taken) in taken {
            let has_frames = taken.found.iter().any(|found| matches!(found, Found::Frame(_)));
            if has_frames {
                if let Some(first) = seen.get(taken.content_hash.as_str()) {
                    scanned.note(name, &format!("same content as {first}: used once"));
                    continue;
                }
                seen.insert(&taken.content_hash, name);
            }
            scanned.add(&taken.found);
        }
        scanned
    }

    fn add(&mut self, found: &[Found]) {
        for found in found {
            match found {
                Found::Frame(frame) => {
                    if frame.info.kind == FrameKind::Science {
                        self.science.push(Arc::clone(frame));
                    } else {
                        self.calibration.push(Arc::clone(frame));
                    }
                }
                Found::Failed(record) => self.failed.push(record.as_ref().clone()),
                Found::Skipped(note) => self.notes.push(note.clone()),
            }
        }
    }

    /// Notes where header times and the files' own times contradict each other.
    pub(super) fn note_clocks(&mut self) {
        let clock = |frame: &Arc<ScannedFrame>| {
            let end = frame.info.mid?.plus_seconds(0.5 * frame.info.exposure_s);
            Some((frame.file.name.clone(), end, frame.file.stamp.modified()))
        };
        let times: Vec<(String, Epoch, Epoch)> =
            self.science.iter().chain(&self.calibration).filter_map(clock).collect();
        let clocks: Vec<FrameClock<'_>> = times
            .iter()
            .map(|(name, end, modified)| FrameClock { name, end: *end, modified: *modified })
            .collect();
        for (subject, text) in clock_notes(&clocks) {
            self.notes.push(Note { subject, text });
        }
    }

    pub(super) fn note(&mut self, subject: &str, text: &str) {
        self.notes.push(Note { subject: subject.to_owned(), text: text.to_owned() });
    }

    /// Time of the first frame that has one.
    pub(super) fn earliest(&self) -> Option<Epoch> {
        let times = self.science.iter().chain(&self.calibration).filter_map(|f| f.info.mid);
        times.min_by(|a, b| a.mjd_utc().total_cmp(&b.mjd_utc()))
    }
}

/// How a file was taken in.
pub(super) enum Taking {
    /// It is taken.
    Done(Taken),
    /// It is gone, or it was changed while it was read: to be looked at again.
    Unsteady,
}

/// Hashes files and reads their headers, some at a time.
///
/// * `night`: its name, for rules about single frames.
/// * `known`: content hash of a file that was hashed before under the same name and stamp.
pub(super) fn take_files(
    files: &[&NightFile],
    (night, config): (&str, &Config),
    known: &(dyn Fn(&NightFile) -> Option<String> + Sync),
) -> Result<Vec<Taking>, OpsError> {
    parallel::for_each(files, config.run.workers, |file| {
        Ok(take_file(file, (night, config), known(file)))
    })
}

fn take_file(file: &NightFile, (night, config): (&str, &Config), known: Option<String>) -> Taking {
    let hashed = match known {
        Some(hash) => Ok(hash),
        None => content_hash(&file.path),
    };
    let (content_hash, found) = match hashed {
        Ok(hash) => {
            let found = look_at(file, &hash, (night, config));
            (hash, found)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Taking::Unsteady,
        Err(error) => {
            let reason = Some(format!("cannot be read: {error}"));
            let record =
                FrameRecord { reason, ..empty_record(&file.name, "", FrameStatus::Failed) };
            (String::new(), vec![Found::Failed(Box::new(record))])
        }
    };
    match FileStamp::read(&file.path) {
        Ok(stamp) if stamp == file.stamp => Taking::Done(Taken { stamp, content_hash, found }),
        _ => Taking::Unsteady,
    }
}

/// Content hash of a file, hexadecimal.
pub(super) fn content_hash(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; HASH_CHUNK];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hasher.finalize().to_hex().to_string());
        }
        hasher.update(&buffer[..n]);
    }
}

/// The frames of a file: one, or one for each image of the sky in its extensions.
fn look_at(file: &NightFile, hash: &str, (night, config): (&str, &Config)) -> Vec<Found> {
    let chosen = match chosen(file, config) {
        Ok(chosen) => chosen,
        Err(error) => return vec![unreadable(file, hash, &error)],
    };
    let look = |chosen| match chosen {
        Chosen::Whole(image) => frame((file, hash), (*image, None), (night, config)),
        Chosen::Part(image, part) => {
            let (name, hash) = part_of((&file.name, hash), &part.suffix());
            let own = NightFile { name, ..file.clone() };
            frame((&own, &hash), (*image, Some(part)), (night, config))
        }
        Chosen::Missing { listed, why } => {
            let (name, hash) = part_of((&file.name, hash), &format!("[{listed}]"));
            let reason = Some(why);
            let record = FrameRecord { reason, ..empty_record(&name, &hash, FrameStatus::Failed) };
            Found::Failed(Box::new(record))
        }
    };
    chosen.into_iter().map(look).collect()
}

/// The images that are to be frames.
pub(in crate::ops) fn chosen(file: &NightFile, config: &Config) -> Result<Vec<Chosen>, FitsError> {
    let limits = config.fits_limits();
    let first = fits::probe(&file.path, &limits)?;
    let listed = config.instrument.extensions_for(&first.header);
    if listed.is_empty() && first.hdu == 0 {
        return Ok(vec![Chosen::Whole(Box::new(first))]);
    }
    Ok(choose_images(fits::probe_images(&file.path, &limits)?, listed))
}

/// Name and content hash of a frame that is a part of a file.
fn part_of((name, hash): (&str, &str), suffix: &str) -> (String, String) {
    let own = blake3::hash(format!("{hash}{suffix}").as_bytes());
    (format!("{name}{suffix}"), own.to_hex().to_string())
}

/// Names and content hashes of the frames of files that are gone: the files', and those of their
/// parts as far as these are known.
pub(super) fn frames_of<'a>(
    gone: &'a [(String, String)],
    known: &'a [FrameRecord],
) -> Vec<(&'a str, &'a str)> {
    let mut frames = Vec::new();
    for (name, hash) in gone {
        frames.push((name.as_str(), hash.as_str()));
        let parts = known.iter().filter(|frame| frame.image.is_some() && frame.file_name() == name);
        frames.extend(parts.map(|frame| (frame.frame.as_str(), frame.content_hash.as_str())));
    }
    frames
}

/// What the header of an image says.
fn frame(
    (file, hash): (&NightFile, &str),
    (mut image, part): (ImageInfo, Option<FileImage>),
    (night, config): (&str, &Config),
) -> Found {
    match understand(&mut image, (night, &file.name), part.as_ref(), config) {
        Ok(info) => {
            let info = FrameInfo { pointing_rad: pointing(&image, part.as_ref(), &info), ..info };
            let info = FrameInfo { image: part, ..info };
            Found::Frame(Arc::new(ScannedFrame {
                file: file.clone(),
                content_hash: hash.to_owned(),
                weights: WeightMap::look_for(
                    file_name(&file.name, info.image.as_ref()),
                    &info,
                    config,
                ),
                info,
                hdu: image.hdu,
            }))
        }
        Err(NotAFrame::LeftAlone(text)) => {
            Found::Skipped(Note { subject: file.name.clone(), text })
        }
        Err(NotAFrame::Unusable(reason)) => Found::Failed(Box::new(FrameRecord {
            reason: Some(reason),
            ..empty_record(&file.name, hash, FrameStatus::Failed)
        })),
    }
}

/// Where a frame points [rad]: the telescope points at the middle of all its detectors, so that a
/// part's own plate solution, where it has one, tells better than the profile's keywords.
fn pointing(image: &ImageInfo, part: Option<&FileImage>, info: &FrameInfo) -> Option<(f64, f64)> {
    let own = part.and_then(|_| fits::read_wcs(&image.header));
    let centre = (0.5 * image.nx as f64 - 0.5, 0.5 * image.ny as f64 - 0.5);
    own.map(|wcs| wcs.to_sky(centre.0, centre.1)).or(info.pointing_rad)
}

/// Why a file is no frame of its night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) enum NotAFrame {
    /// A profile or a rule leaves it alone.
    LeftAlone(String),
    /// Its header cannot be used.
    Unusable(String),
}

/// What a frame's header says by the rules and profiles of the configuration; corrects the header.
///
/// * `part`: which image of its file the frame is, where it is one of several; rules may mean the
///   file or the part.
pub(in crate::ops) fn understand(
    image: &mut ImageInfo,
    (night, name): (&str, &str),
    part: Option<&FileImage>,
    config: &Config,
) -> Result<FrameInfo, NotAFrame> {
    let file = file_name(name, part);
    let rules = &config.instrument.rules;
    let mut ruled = rules.apply((night, file), &mut image.header);
    if part.is_some() {
        let own = rules.apply((night, name), &mut image.header);
        ruled.is_ignored |= own.is_ignored;
        ruled.kind = own.kind.or(ruled.kind);
    }
    if ruled.is_ignored {
        return Err(NotAFrame::LeftAlone("left alone by a rules file".to_owned()));
    }
    let profile = config.instrument.profile_for(&image.header);
    interpret_as(&image.header, (image.nx, image.ny), profile, ruled.kind).map_err(|refusal| {
        match refusal {
            IngestRefusal::Ignored { .. } => NotAFrame::LeftAlone(refusal.to_string()),
            _ => NotAFrame::Unusable(refusal.to_string()),
        }
    })
}

/// The name of the file that a frame is a part of.
fn file_name<'a>(frame: &'a str, part: Option<&FileImage>) -> &'a str {
    let suffix = part.map(FileImage::suffix).unwrap_or_default();
    frame.strip_suffix(suffix.as_str()).unwrap_or(frame)
}

/// A file whose pixels cannot be had.
fn unreadable(file: &NightFile, hash: &str, error: &FitsError) -> Found {
    Found::Failed(Box::new(FrameRecord {
        reason: Some(chain(error)),
        ..empty_record(&file.name, hash, FrameStatus::Failed)
    }))
}

/// An error with its causes, in one line.
pub(in crate::ops) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
