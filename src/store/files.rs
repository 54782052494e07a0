//! Where products lie and how they get there whole or not at all.
//!
//! Layout: `products/<night>/{calibrated,catalogue,masters,report,cutouts}/<name>`. A product is
//! written under a temporary name in its own folder, synced, renamed, and the folder is synced:
//! after a kill or a power cut the final name holds the whole file or does not exist. Temporary
//! files of a killed run are removed when the store is opened.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::night_id::{NightId, NightIdError, check_component};

/// Folder of all products below the data folder.
pub(super) const PRODUCTS_FOLDER: &str = "products";
/// Start of the names of files that are not complete.
pub(super) const TEMPORARY_PREFIX: &str = ".tmp-";
/// Longest product name [bytes]; leaves room for the temporary prefix within 255.
const NAME_LENGTH_MAX: usize = 200;
/// Characters of a frame's name kept in its products' names.
const STEM_LENGTH_MAX: usize = 80;
/// Hexadecimal digits of the content hash in a product's name.
const HASH_LENGTH: usize = 12;

/// Kinds of products, one folder each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProductKind {
    /// Calibrated frames with WCS.
    Calibrated,
    /// Tables of sources.
    Catalogue,
    /// Master frames.
    Masters,
    /// The night's report.
    Report,
    /// Cut-outs of candidates.
    Cutouts,
}

impl ProductKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Calibrated, Self::Catalogue, Self::Masters, Self::Report, Self::Cutouts];

    /// Name of the folder.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Calibrated => "calibrated",
            Self::Catalogue => "catalogue",
            Self::Masters => "masters",
            Self::Report => "report",
            Self::Cutouts => "cutouts",
        }
    }
}

/// What one writes a product with may fail with.
pub type FillError = Box<dyn Error + Send + Sync>;

/// A failed operation on product files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// The name cannot be a file's name.
    #[error("A product cannot be named {name:?}.")]
    Name {
        /// The refused name.
        name: String,
        /// Why.
        source: NightIdError,
    },
    /// A stored path leads out of the data folder.
    #[error("The stored product path {path} leads out of the data folder.")]
    Outside {
        /// The refused path.
        path: PathBuf,
    },
    /// The folder could not be made or read.
    #[error("Cannot use the product folder {path}: check its owner, its permissions and the disk.")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder to be made is there and holds what was not made here.
    #[error(
        "{path} is not empty and no earlier export: name another folder, or one that is not there."
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The content could not be written.
    #[error("Cannot write the product {path}.")]
    Fill {
        /// The final path.
        path: PathBuf,
        /// What the writer of the content said.
        source: FillError,
    },
    /// The file could not be brought to the disk or to its name.
    #[error("Cannot put the product {path} in place: check the permissions and the disk.")]
    Place {
        /// The final path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FilesError {
    /// Tells whether the cause is a full disk or quota.
    pub fn is_disk_full(&self) -> bool {
        let source = match self {
            Self::Folder { source, .. } | Self::Place { source, .. } => Some(source),
            Self::Fill { source, .. } => source.downcast_ref::<io::Error>(),
            Self::Name { .. } | Self::Outside { .. } | Self::Occupied { .. } => None,
        };
        source.is_some_and(|e| {
            matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        })
    }
}

/// The product folders of a data folder.
#[derive(Debug, Clone)]
pub struct Products {
    data_dir: PathBuf,
}

impl Products {
    /// The products below a data folder; nothing is made yet.
    pub fn below(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned() }
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Path of a product relative to the data folder, as the database keeps it.
    ///
    /// `name` must be one path component; `frame_product_name` makes one from any frame's name.
    pub fn relative_path(
        &self,
        night: &NightId,
        kind: ProductKind,
        name: &str,
    ) -> Result<PathBuf, FilesError> {
        check_component(name, NAME_LENGTH_MAX)
            .map_err(|source| FilesError::Name { name: name.to_owned(), source })?;
        Ok([PRODUCTS_FOLDER, night.as_str(), kind.folder(), name].iter().collect())
    }

    /// Full path of a product from its stored relative path; refuses ways out of the data folder.
    pub fn resolve(&self, relative: &Path) -> Result<PathBuf, FilesError> {
        let mut parts = relative.components();
        let is_product = parts.next() == Some(Component::Normal(PRODUCTS_FOLDER.as_ref()));
        if !is_product || !parts.all(|part| matches!(part, Component::Normal(_))) {
            return Err(FilesError::Outside { path: relative.to_owned() });
        }
        Ok(self.data_dir.join(relative))
    }

    /// Makes the products folder and removes what a killed run left half written.
    ///
    /// Must be called under the lock of the data folder only. Returns how many files it removed.
    pub fn remove_leftovers(&self) -> Result<usize, FilesError> {
        let root = self.data_dir.join(PRODUCTS_FOLDER);
        fs::create_dir_all(&root)
            .map_err(|source| FilesError::Folder { path: root.clone(), source })?;
        let mut removed = 0;
        for night in entries(&root)? {
            for kind in ProductKind::ALL {
                let folder = night.join(kind.folder());
                if folder.is_dir() {
                    removed += remove_temporary(&folder)?;
                }
            }
        }
        Ok(removed)
    }
}

/// Name of a frame's product: its stem in harmless characters, a piece of the hash, an extension.
///
/// Any frame name on disk, however long or strange, gives a valid name; the hash keeps names
/// of equal stems apart.
pub fn frame_product_name(frame: &str, content_hash: &str, extension: &str) -> String {
    let stem = frame.split('.').find(|part| !part.is_empty()).unwrap_or("frame");
    let stem: String = stem
        .chars()
        .take(STEM_LENGTH_MAX)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' })
        .collect();
    let hash: String =
        content_hash.chars().filter(char::is_ascii_alphanumeric).take(HASH_LENGTH).collect();
    format!("{stem}-{hash}.{extension}")
}

/// A file that appears whole or not at all.
#[derive(Debug)]
pub struct ProductFile;

impl ProductFile {
    /// Writes a file: `fill` gets a path that does not exist yet in the final path's folder.
    ///
    /// The temporary name keeps the final one's ending. Replaces a file of the final name.
    /// When `fill` fails or panics nothing is left behind.
    pub fn write<T>(
        path: &Path,
        fill: impl FnOnce(&Path) -> Result<T, FillError>,
    ) -> Result<T, FilesError> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        make_folder(folder)?;
        let temporary = Temporary { path: folder.join(temporary_name(path)), is_placed: false };
        let value = fill(&temporary.path)
            .map_err(|source| FilesError::Fill { path: path.to_owned(), source })?;
        temporary
            .place(path, folder)
            .map_err(|source| FilesError::Place { path: path.to_owned(), source })?;
        Ok(value)
    }

    /// Gives a whole file another name in its folder, and brings that to the disk.
    pub fn rename(from: &Path, to: &Path) -> Result<(), FilesError> {
        let renamed = fs::rename(from, to).and_then(|()| match to.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            _ => Ok(()),
        });
        renamed.map_err(|source| FilesError::Place { path: to.to_owned(), source })
    }

    /// Writes these bytes to a file.
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), FilesError> {
        Self::write(path, |temporary| Ok(fs::write(temporary, bytes)?))
    }
}

/// A file under its temporary name; removed when dropped before it is placed.
struct Temporary {
    path: PathBuf,
    is_placed: bool,
}

impl Temporary {
    /// Brings the content to the disk, then the name.
    fn place(mut self, path: &Path, folder: &Path) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        fs::rename(&self.path, path)?;
        self.is_placed = true;
        File::open(folder)?.sync_all()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_placed {
            // It may not exist yet; what stays is removed at the next start.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// A name no other write of this process uses, with the ending of the final one.
pub(super) fn temporary_name(path: &Path) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    format!("{TEMPORARY_PREFIX}{}-{number}-{name}", std::process::id())
}

/// Makes a folder with its parents and syncs the parent, so that the new name lasts.
pub(super) fn make_folder(folder: &Path) -> Result<(), FilesError> {
    if folder.is_dir() {
        return Ok(());
    }
    let made = fs::create_dir_all(folder).and_then(|()| match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    });
    made.map_err(|source| FilesError::Folder { path: folder.to_owned(), source })
}

/// Paths in a folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, FilesError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    read().map_err(|source| FilesError::Folder { path: folder.to_owned(), source })
}

/// Removes the temporary files of a folder.
fn remove_temporary(folder: &Path) -> Result<usize, FilesError> {
    let mut removed = 0;
    for path in entries(folder)? {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if name.starts_with(TEMPORARY_PREFIX) {
            fs::remove_file(&path)
                .map_err(|source| FilesError::Folder { path: path.clone(), source })?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use super::*;

    fn night() -> NightId {
        NightId::new("2026-03-01").expect("a good name")
    }

    #[test]
    fn a_product_is_whole_or_absent() {
        let folder = tempfile::tempdir().expect("folder");
        let products = Products::below(folder.path());
        let relative = products
            .relative_path(&night(), ProductKind::Calibrated, "a.fits")
            .expect("a good name");
        let path = products.resolve(&relative).expect("inside");
        let failed = ProductFile::write(&path, |temporary| {
            fs::write(temporary, b"half")?;
            Err::<(), FillError>("on purpose".into())
        });
        assert!(matches!(failed, Err(FilesError::Fill { .. })));
        assert!(!path.exists());
        let parent = path.parent().expect("a parent");
        assert_eq!(entries(parent).expect("readable").len(), 0, "nothing left behind");
        ProductFile::write_bytes(&path, b"one").expect("written");
        ProductFile::write_bytes(&path, b"two").expect("replaced");
        assert_eq!(fs::read(&path).expect("readable"), b"two");
        assert_eq!(entries(parent).expect("readable").len(), 1);
    }

    #[test]
    fn leftovers_of_a_killed_run_are_removed_and_products_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let products = Products::below(folder.path());
        let path = folder.path().join("products/2026-03-01/report/night.html");
        ProductFile::write_bytes(&path, b"whole").expect("written");
        fs::write(path.with_file_name(".tmp-1-0-night.html"), b"half").expect("written");
        assert_eq!(products.remove_leftovers().expect("cleaned"), 1);
        assert!(path.exists());
        assert_eq!(products.remove_leftovers().expect("clean"), 0);
    }

    #[test]
    fn names_and_stored_paths_stay_inside() {
        let products = Products::below(Path::new("/data"));
        assert!(products.relative_path(&night(), ProductKind::Report, "../x").is_err());
        for bad in ["/etc/passwd", "products/../../x", "other/x", ""] {
            assert!(products.resolve(Path::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn any_frame_name_gives_a_valid_product_name() {
        let hash = "0123456789abcdef";
        assert_eq!(frame_product_name("R1-001.fits.fz", hash, "fits"), "R1-001-0123456789ab.fits");
        for strange in ["", "...", "x[1:10,*].fits", "a/b\n.fit", "ü.fts", &"n".repeat(255)] {
            let name = frame_product_name(strange, hash, "fits");
            assert_eq!(check_component(&name, NAME_LENGTH_MAX), Ok(()), "{name}");
            assert!(!name.contains(['[', '/', '*']), "{name}");
        }
    }
}
