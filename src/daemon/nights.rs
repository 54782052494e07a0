//! The nights in the incoming folder: which there are, and whether their files have settled.
//!
//! Each folder in the incoming folder is a night. Names, sizes and times of its files tell
//! whether somebody still writes and whether anything changed since the last look; contents are
//! left to the run itself.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Folders this deep below the night's are looked into, as the run does.
const DEPTH_MAX: usize = 3;
/// Most nights and most files of a night that are looked at.
const ENTRIES_MAX: usize = 100_000;

/// A folder of the incoming folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NightFolder {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its name, which is the night's.
    pub(super) name: String,
    /// Its files, in order of paths.
    pub(super) files: Vec<SeenFile>,
}

/// What a look at a file tells without opening it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeenFile {
    path: PathBuf,
    size_bytes: u64,
    modified: SystemTime,
}

impl NightFolder {
    /// Tells whether none of its files changed within the last `quiet`.
    ///
    /// A time in the future counts by its distance: a camera's clock may be wrong for ever.
    pub(super) fn is_settled(&self, quiet: Duration) -> bool {
        self.files.iter().all(|file| {
            let age = file.modified.elapsed().unwrap_or_else(|ahead| ahead.duration());
            age >= quiet
        })
    }
}

/// Lists the nights, newest name first; a folder that vanishes meanwhile is left out.
pub(super) fn list_nights(incoming: &Path) -> io::Result<Vec<NightFolder>> {
    let mut nights = Vec::new();
    for entry in fs::read_dir(incoming)?.take(ENTRIES_MAX) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if name.starts_with('.') || !path.is_dir() {
            continue;
        }
        match list_files(&path) {
            Ok(files) => nights.push(NightFolder { path, name, files }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(night = %name, %error, "The night cannot be listed."),
        }
    }
    nights.sort_by(|a, b| b.name.cmp(&a.name));
    Ok(nights)
}

fn list_files(folder: &Path) -> io::Result<Vec<SeenFile>> {
    let mut files = Vec::new();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((path, depth)) = open.pop() {
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            if files.len() >= ENTRIES_MAX || entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type()?.is_dir() {
                if depth < DEPTH_MAX {
                    open.push((entry.path(), depth + 1));
                }
                continue;
            }
            if let Some(seen) = look_at(&entry)? {
                files.push(seen);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Size and time of a file, of its target for a link; `None` when it is gone again.
fn look_at(entry: &DirEntry) -> io::Result<Option<SeenFile>> {
    let path = entry.path();
    match fs::metadata(&path) {
        Ok(data) => Ok(Some(SeenFile { path, size_bytes: data.len(), modified: data.modified()? })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "files with chosen ages")]
mod tests {
    use super::*;

    #[test]
    fn nights_come_newest_first_and_wait_until_quiet() {
        let incoming = tempfile::tempdir().expect("a folder");
        for night in ["2025-02-13", "2025-02-14", ".partial"] {
            fs::create_dir_all(incoming.path().join(night).join("flat")).expect("a folder");
        }
        fs::write(incoming.path().join("a.fits"), "no night").expect("a file");
        let young = incoming.path().join("2025-02-14").join("flat").join("f.fits");
        fs::write(&young, "being written").expect("a file");

        let nights = list_nights(incoming.path()).expect("a list");
        let names: Vec<&str> = nights.iter().map(|night| night.name.as_str()).collect();
        assert_eq!(names, ["2025-02-14", "2025-02-13"]);
        let quiet = Duration::from_secs(3600);
        assert!(!nights[0].is_settled(quiet), "its file is new");
        assert!(nights[1].is_settled(quiet), "it has no file");

        // One day off, past and future.
        for time in [SystemTime::now() - 24 * quiet, SystemTime::now() + 24 * quiet] {
            let file = fs::File::options().append(true).open(&young).expect("the file");
            file.set_modified(time).expect("a time");
            let again = list_nights(incoming.path()).expect("a list");
            assert!(again[0].is_settled(quiet));
            assert_ne!(again[0], nights[0], "a change of time is a change");
        }
    }
}
