//! The files of a night's folder, as a listing tells them: names and stamps, no contents.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::super::error::OpsError;
use super::RunRequest;
use crate::formats::fits::is_frame_name;
use crate::science::time::{Epoch, SECONDS_PER_DAY};
use crate::store::NightId;

/// Folders this deep below the night's are looked into (bias/, flat/, ...).
const DEPTH_MAX: usize = 3;
/// Most files taken from one night.
const FILES_MAX: usize = 100_000;
/// MJD of the Unix epoch [d].
const MJD_UNIX: f64 = 40_587.0;

/// A file of the night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name, with the folders below the night's.
    pub name: String,
    /// Its size, time of change and inode: equal means that it was not changed.
    pub stamp: FileStamp,
}

/// What a listing tells of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileStamp {
    /// Size [bytes].
    pub size_bytes: u64,
    /// Time of the last change [ns since 1970].
    pub modified_ns: i64,
    /// Number of the file in its file system.
    pub inode: u64,
}

impl FileStamp {
    /// The stamp of a file's metadata.
    pub fn of(data: &Metadata) -> Self {
        let nanoseconds = data.mtime().saturating_mul(1_000_000_000);
        Self {
            size_bytes: data.len(),
            modified_ns: nanoseconds.saturating_add(data.mtime_nsec()),
            inode: data.ino(),
        }
    }

    /// The stamp of a file, of a link's target for a link.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&fs::metadata(path)?))
    }

    /// When the file was last changed.
    pub fn modified(&self) -> Epoch {
        Epoch::from_mjd_utc(MJD_UNIX + self.modified_ns as f64 * 1e-9 / SECONDS_PER_DAY)
    }
}

/// As the database keeps it.
impl fmt::Display for FileStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.size_bytes, self.modified_ns, self.inode)
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
pub(in crate::ops) fn list(folder: &Path) -> Result<Vec<NightFile>, OpsError> {
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
            } else if (kind.is_file() || kind.is_symlink()) && is_frame_name(&name) {
                let path = entry.path();
                // What vanishes meanwhile is not there; a dead link is told when it is read.
                let stamp = FileStamp::read(&path)
                    .or_else(|_| entry.metadata().map(|data| FileStamp::of(&data)));
                if let Ok(stamp) = stamp {
                    files.push(NightFile { path, name: full_name, stamp });
                }
            }
        }
    }
    if files.is_empty() {
        return Err(OpsError::NoFrames { path: folder.to_owned() });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
