//! What lies in a night's folder: files, their identity, what their headers say.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::super::error::OpsError;
use super::{RunRequest, parallel};
use crate::config::Config;
use crate::formats::fits::{self, FitsError, ImageInfo};
use crate::pipeline::artifact::frame_info::{FrameInfo, FrameKind};
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::report::Note;
use crate::pipeline::ingest::{IngestRefusal, interpret};
use crate::pipeline::reduce::empty_record;
use crate::science::time::Epoch;
use crate::store::nights::FoundFile;
use crate::store::{NightId, Store};

/// Folders this deep below the night's are looked into (bias/, flat/, ...).
const DEPTH_MAX: usize = 3;
/// Most files taken from one night.
const FILES_MAX: usize = 100_000;
/// Piece of a file hashed at a time [bytes].
const HASH_CHUNK: usize = 1 << 20;

/// A FITS file of the night.
#[derive(Debug, Clone)]
pub(super) struct NightFile {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its name, with the folders below the night's.
    pub(super) name: String,
}

/// A readable frame of the night.
#[derive(Debug, Clone)]
pub(super) struct ScannedFrame {
    pub(super) file: NightFile,
    pub(super) content_hash: String,
    pub(super) image: ImageInfo,
    pub(super) info: FrameInfo,
}

/// Everything found in the night's folder.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) n_files: usize,
    /// Science frames in order of names.
    pub(super) science: Vec<ScannedFrame>,
    /// Bias, dark and flat frames in order of names.
    pub(super) calibration: Vec<ScannedFrame>,
    /// Files that cannot be processed, as rows of the frame table.
    pub(super) failed: Vec<FrameRecord>,
    pub(super) notes: Vec<Note>,
}

impl Scanned {
    pub(super) fn note(&mut self, subject: &str, text: &str) {
        self.notes.push(Note { subject: subject.to_owned(), text: text.to_owned() });
    }

    /// Time of the first frame that has one.
    pub(super) fn earliest(&self) -> Option<Epoch> {
        let times = self.science.iter().chain(&self.calibration).filter_map(|f| f.info.mid);
        times.min_by(|a, b| a.mjd_utc().total_cmp(&b.mjd_utc()))
    }
}

/// The night's name: as asked for, or the folder's; a folder `raw` takes its parent's.
pub(super) fn night_id(request: &RunRequest) -> Result<NightId, OpsError> {
    let refuse = |source| OpsError::NightName { path: request.night_dir.clone(), source };
    if let Some(name) = &request.night {
        return NightId::new(name).map_err(refuse);
    }
    let full = fs::canonicalize(&request.night_dir)
        .map_err(|source| OpsError::Read { path: request.night_dir.clone(), source })?;
    let name_of = |path: &Path| {
        path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let own = name_of(&full);
    let name = if own.eq_ignore_ascii_case("raw") {
        full.parent().map(name_of).unwrap_or(own)
    } else {
        own
    };
    NightId::new(&name).map_err(refuse)
}

/// Lists the FITS files of a folder and the folders in it, in order of names.
pub(super) fn scan(folder: &Path) -> Result<Vec<NightFile>, OpsError> {
    let mut files = Vec::new();
    let mut open = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((path, prefix, depth)) = open.pop() {
        let refuse = |source| OpsError::Read { path: path.clone(), source };
        for entry in fs::read_dir(&path).map_err(refuse)? {
            let entry = entry.map_err(refuse)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Hidden files are other programs' temporary ones.
            if name.starts_with('.') || files.len() >= FILES_MAX {
                continue;
            }
            let kind = entry.file_type().map_err(refuse)?;
            let full_name = format!("{prefix}{name}");
            if kind.is_dir() && depth < DEPTH_MAX {
                open.push((entry.path(), format!("{full_name}/"), depth + 1));
            } else if (kind.is_file() || kind.is_symlink()) && is_fits_name(&name) {
                files.push(NightFile { path: entry.path(), name: full_name });
            }
        }
    }
    if files.is_empty() {
        return Err(OpsError::NoFrames { path: folder.to_owned() });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn is_fits_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_suffix(".fz").or_else(|| lower.strip_suffix(".gz")).unwrap_or(&lower);
    [".fits", ".fit", ".fts"].iter().any(|ending| plain.ends_with(ending))
}

/// What one file turned out to be.
enum Found {
    Frame(Box<ScannedFrame>),
    Failed(Box<FrameRecord>),
    Skipped(Note),
}

/// Hashes the files, reads their headers and sorts them by what they are for.
pub(super) fn read_headers(
    files: Vec<NightFile>,
    config: &Config,
    store: &Store,
    night: &NightId,
    at: Epoch,
) -> Result<Scanned, OpsError> {
    let limits = config.fits_limits();
    let mut scanned = Scanned { n_files: files.len(), ..Scanned::default() };
    let found = parallel::for_each(&files, config.run.workers, |file| {
        let hashed = content_hash(&file.path);
        let found = match &hashed {
            Ok((hash, _)) => look_at(file, hash, config, &limits),
            Err(error) => Found::Failed(Box::new(FrameRecord {
                reason: Some(format!("cannot be read: {error}")),
                ..empty_record(&file.name, "", FrameStatus::Failed)
            })),
        };
        Ok::<_, OpsError>((hashed.ok(), found))
    })?;
    for (file, (hashed, found)) in files.iter().zip(found) {
        if let Some((content_hash, size_bytes)) = hashed {
            let seen = store.record_file(
                night,
                &FoundFile { name: file.name.clone(), content_hash, size_bytes },
                at,
            )?;
            for (other_night, other_name) in seen.elsewhere {
                scanned.note(&file.name, &format!("same content as {other_name} of {other_night}"));
            }
        }
        match found {
            Found::Frame(frame) if frame.info.kind == FrameKind::Science => {
                scanned.science.push(*frame);
            }
            Found::Frame(frame) => scanned.calibration.push(*frame),
            Found::Failed(record) => scanned.failed.push(*record),
            Found::Skipped(note) => scanned.notes.push(note),
        }
    }
    Ok(scanned)
}

/// Content hash (hexadecimal) and size of a file.
fn content_hash(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; HASH_CHUNK];
    let mut size = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((hasher.finalize().to_hex().to_string(), size));
        }
        hasher.update(&buffer[..n]);
        size += n as u64;
    }
}

fn look_at(file: &NightFile, hash: &str, config: &Config, limits: &fits::Limits) -> Found {
    let image = match fits::probe(&file.path, limits) {
        Ok(image) => image,
        Err(error) => return unreadable(file, hash, &error),
    };
    let profile = config.instrument.profile_for(&image.header);
    match interpret(&image.header, image.nx, image.ny, profile) {
        Ok(info) => Found::Frame(Box::new(ScannedFrame {
            file: file.clone(),
            content_hash: hash.to_owned(),
            image,
            info,
        })),
        Err(refusal @ IngestRefusal::Ignored { .. }) => {
            Found::Skipped(Note { subject: file.name.clone(), text: refusal.to_string() })
        }
        Err(refusal) => Found::Failed(Box::new(FrameRecord {
            reason: Some(refusal.to_string()),
            ..empty_record(&file.name, hash, FrameStatus::Failed)
        })),
    }
}

/// A file whose pixels cannot be had.
fn unreadable(file: &NightFile, hash: &str, error: &FitsError) -> Found {
    Found::Failed(Box::new(FrameRecord {
        reason: Some(chain(error)),
        ..empty_record(&file.name, hash, FrameStatus::Failed)
    }))
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
