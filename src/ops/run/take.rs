//! Taking files in: their identity (hash of the content) and what their headers say.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use super::super::error::OpsError;
use super::files::{FileStamp, NightFile};
use super::parallel;
use crate::config::Config;
use crate::formats::fits::{self, FitsError, ImageInfo};
use crate::pipeline::artifact::frame_info::{FrameInfo, FrameKind};
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::report::Note;
use crate::pipeline::clock_check::{FrameClock, clock_notes};
use crate::pipeline::ingest::{IngestRefusal, interpret_as};
use crate::pipeline::reduce::empty_record;
use crate::science::time::Epoch;

/// Piece of a file hashed at a time [bytes].
const HASH_CHUNK: usize = 1 << 20;

/// A readable frame of the night.
#[derive(Debug, Clone)]
pub(super) struct ScannedFrame {
    pub(super) file: NightFile,
    pub(super) content_hash: String,
    pub(super) info: FrameInfo,
}

/// A file that was taken in.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) stamp: FileStamp,
    /// Hash of its content; empty when it could not be read.
    pub(super) content_hash: String,
    pub(super) found: Found,
}

/// What a file turned out to be.
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
            match &taken.found {
                Found::Frame(frame) => {
                    if let Some(first) = seen.get(taken.content_hash.as_str()) {
                        scanned.note(name, &format!("same content as {first}: used once"));
                        continue;
                    }
                    seen.insert(&taken.content_hash, name);
                    if frame.info.kind == FrameKind::Science {
                        scanned.science.push(Arc::clone(frame));
                    } else {
                        scanned.calibration.push(Arc::clone(frame));
                    }
                }
                Found::Failed(record) => scanned.failed.push(record.as_ref().clone()),
                Found::Skipped(note) => scanned.notes.push(note.clone()),
            }
        }
        scanned
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
            (String::new(), Found::Failed(Box::new(record)))
        }
    };
    match FileStamp::read(&file.path) {
        Ok(stamp) if stamp == file.stamp => Taking::Done(Taken { stamp, content_hash, found }),
        _ => Taking::Unsteady,
    }
}

/// Content hash of a file, hexadecimal.
fn content_hash(path: &Path) -> std::io::Result<String> {
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

fn look_at(file: &NightFile, hash: &str, (night, config): (&str, &Config)) -> Found {
    let mut image = match fits::probe(&file.path, &config.fits_limits()) {
        Ok(image) => image,
        Err(error) => return unreadable(file, hash, &error),
    };
    match understand(&mut image, (night, &file.name), config) {
        Ok(info) => Found::Frame(Arc::new(ScannedFrame {
            file: file.clone(),
            content_hash: hash.to_owned(),
            info,
        })),
        Err(NotAFrame::LeftAlone(text)) => {
            Found::Skipped(Note { subject: file.name.clone(), text })
        }
        Err(NotAFrame::Unusable(reason)) => Found::Failed(Box::new(FrameRecord {
            reason: Some(reason),
            ..empty_record(&file.name, hash, FrameStatus::Failed)
        })),
    }
}

/// Why a file is no frame of its night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) enum NotAFrame {
    /// A profile or a rule leaves it alone.
    LeftAlone(String),
    /// Its header cannot be used.
    Unusable(String),
}

/// What a file's header says by the rules and profiles of the configuration; corrects the header.
pub(in crate::ops) fn understand(
    image: &mut ImageInfo,
    frame: (&str, &str),
    config: &Config,
) -> Result<FrameInfo, NotAFrame> {
    let ruled = config.instrument.rules.apply(frame, &mut image.header);
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
