//! A folder of files that appears whole or not at all, as exports of many files are.
//!
//! The folder is filled under a temporary name beside its place and then renamed. A folder that
//! holds what nobody here wrote is never touched: a file of a known name says that it was made
//! here and may be replaced. It is replaced in one step where the system can swap two names, else
//! in two.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::files::{FilesError, ProductFile, make_folder, temporary_name};

/// Name of the file that says that a folder was made here.
pub const MARK_NAME: &str = "autossos-export.txt";

/// A folder that appears whole or not at all.
#[derive(Debug)]
pub struct ProductFolder;

impl ProductFolder {
    /// Makes a folder: `fill` gets an empty one to write into.
    ///
    /// * `mark`: what the file [`MARK_NAME`] in it says.
    /// * Replaces an empty folder, or one that was made so before.
    ///
    /// When `fill` fails or panics nothing is left behind and what was there stays.
    /// Errors: `Occupied` for a folder with other content, a file of that name included.
    pub fn write<T, E: From<FilesError>>(
        path: &Path,
        mark: &str,
        fill: impl FnOnce(&Path) -> Result<T, E>,
    ) -> Result<T, E> {
        let is_there = is_replaceable(path)?;
        // Such names as `.` and `x/` cannot be swapped.
        let whole = if is_there { fs::canonicalize(path).ok() } else { None };
        let path = whole.as_deref().unwrap_or(path);
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        make_folder(parent)?;
        let staged = Staged(parent.join(temporary_name(path)));
        make_folder(&staged.0)?;
        let value = fill(&staged.0)?;
        ProductFile::write_bytes(&staged.0.join(MARK_NAME), mark.as_bytes())?;
        staged
            .place(path, is_there)
            .and_then(|()| File::open(parent)?.sync_all())
            .map_err(|source| FilesError::Place { path: path.to_owned(), source })?;
        Ok(value)
    }
}

/// Whether there is a folder that may be replaced; an error for one that may not.
fn is_replaceable(path: &Path) -> Result<bool, FilesError> {
    let occupied = || FilesError::Occupied { path: path.to_owned() };
    let failed = |source| FilesError::Folder { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(error)),
        Ok(found) if !found.is_dir() => Err(occupied()),
        Ok(_) => {
            let is_empty = fs::read_dir(path).map_err(failed)?.next().is_none();
            let is_ours = path.join(MARK_NAME).is_file();
            if is_empty || is_ours { Ok(true) } else { Err(occupied()) }
        }
    }
}

/// A folder under its temporary name; removed when dropped.
struct Staged(PathBuf);

impl Staged {
    /// Gives the folder its name; what had it before is removed.
    fn place(self, path: &Path, is_there: bool) -> io::Result<()> {
        if !is_there {
            return fs::rename(&self.0, path);
        }
        // Swapped, the old folder has the temporary name and goes with it.
        match renameat_with(CWD, &self.0, CWD, path, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            Err(_) => {
                fs::remove_dir_all(path)?;
                fs::rename(&self.0, path)
            }
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It may have its name already, and nothing better can be done if it stays.
        fs::remove_dir_all(&self.0).ok();
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("readable");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn write(path: &Path, name: &str) -> Result<(), FilesError> {
        ProductFolder::write(path, "made by a test\n", |folder| {
            ProductFile::write_bytes(&folder.join("sub").join(name), b"x")
        })
    }

    #[test]
    fn a_folder_is_whole_or_absent_and_others_are_left_alone() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("a/out");
        write(&path, "one").expect("made with its parents");
        assert_eq!(names(&path), [MARK_NAME, "sub"]);
        write(&path, "two").expect("replaced");
        assert_eq!(names(&path.join("sub")), ["two"], "nothing of the first stays");
        let failed = ProductFolder::write(&path, "", |folder| {
            ProductFile::write_bytes(&folder.join("half"), b"x")?;
            Err::<(), FilesError>(FilesError::Outside { path: folder.to_owned() })
        });
        assert!(failed.is_err());
        assert_eq!(names(&path.join("sub")), ["two"], "what was there stays");
        assert_eq!(names(&root.path().join("a")), ["out"], "no leftovers");
        // Folders that were not made here.
        let other = root.path().join("home");
        fs::create_dir(&other).expect("made");
        write(&other, "x").expect("an empty folder is fine");
        fs::remove_file(other.join(MARK_NAME)).expect("removed");
        let refused = write(&other, "y").expect_err("not ours");
        assert!(refused.to_string().contains("not empty"), "{refused}");
        let file = root.path().join("file");
        fs::write(&file, b"x").expect("written");
        assert!(matches!(write(&file, "y"), Err(FilesError::Occupied { .. })));
    }
}
