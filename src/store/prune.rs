//! Old product files: which there are, which rows name them, and taking them away.
//!
//! Folders are opened one below the other without following links, and files are removed by name
//! in the opened folder: nothing outside `products/` can be reached, whatever lies there.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat, unlinkat};
use rustix::io::Errno;

use crate::science::time::Epoch;

use super::files::{FilesError, PRODUCTS_FOLDER, TEMPORARY_PREFIX};
use super::night_id::NightId;
use super::{ProductKind, Products, Reader, StoreError};

/// Files of one folder that are looked at; a night has a few thousand.
const FILES_MAX: usize = 200_000;
/// MJD of the Unix epoch [d].
const MJD_UNIX: f64 = 40_587.0;

/// A product file as it lies there.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundProduct {
    /// Its path relative to the data folder.
    pub relative: PathBuf,
    /// Its size [bytes].
    pub size_bytes: u64,
    /// When its content was last changed.
    pub changed: Epoch,
}

impl Products {
    /// Plain files of a night's folder in order of names; links, folders and half files are left
    /// out, and so is a folder that is a link itself.
    pub fn found(
        &self,
        night: &NightId,
        kind: ProductKind,
    ) -> Result<Vec<FoundProduct>, FilesError> {
        let relative: PathBuf = [PRODUCTS_FOLDER, night.as_str(), kind.folder()].iter().collect();
        let refuse = |error: Errno| FilesError::Folder {
            path: self.data_dir().join(&relative),
            source: error.into(),
        };
        let Some(folder) = self.open_folder(night, kind).map_err(refuse)? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for entry in Dir::read_from(&folder).map_err(refuse)?.take(FILES_MAX) {
            let entry = entry.map_err(refuse)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name.as_bytes().starts_with(TEMPORARY_PREFIX.as_bytes()) {
                continue;
            }
            let seen = match statat(&folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                seen => seen.map_err(refuse)?,
            };
            if FileType::from_raw_mode(seen.st_mode) == FileType::RegularFile {
                found.push(FoundProduct {
                    relative: relative.join(name),
                    size_bytes: u64::try_from(seen.st_size).unwrap_or(0),
                    changed: Epoch::from_mjd_utc(MJD_UNIX).plus_seconds(seen.st_mtime as f64),
                });
            }
        }
        found.sort_unstable_by(|a, b| a.relative.cmp(&b.relative));
        Ok(found)
    }

    /// Removes a file that [`Products::found`] found; one that is gone is no error.
    pub fn remove(
        &self,
        night: &NightId,
        kind: ProductKind,
        product: &FoundProduct,
    ) -> Result<(), FilesError> {
        let remove = || -> rustix::io::Result<()> {
            let Some(folder) = self.open_folder(night, kind)? else { return Ok(()) };
            let Some(name) = product.relative.file_name() else { return Ok(()) };
            match unlinkat(&folder, name, AtFlags::empty()) {
                Err(Errno::NOENT) => Ok(()),
                removed => removed,
            }
        };
        remove().map_err(|error| FilesError::Folder {
            path: self.data_dir().join(&product.relative),
            source: io::Error::from(error),
        })
    }

    /// Opens a night's folder; `None` when it is not there or a link. `products` itself may be a
    /// link: it is the owner's choice of a disk.
    fn open_folder(
        &self,
        night: &NightId,
        kind: ProductKind,
    ) -> rustix::io::Result<Option<OwnedFd>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open =
            |at: &OwnedFd, name: &str| openat(at, name, flags | OFlags::NOFOLLOW, Mode::empty());
        let root = self.data_dir().join(PRODUCTS_FOLDER);
        let opened = openat(CWD, &root, flags, Mode::empty())
            .and_then(|root| open(&root, night.as_str()))
            .and_then(|folder| open(&folder, kind.folder()));
        match opened {
            Ok(folder) => Ok(Some(folder)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Reader {
    /// Closed nights with the time of their closing, the oldest first.
    pub fn closed_nights(&self) -> Result<Vec<(NightId, Epoch)>, StoreError> {
        let rows = self.rows(
            "list the closed nights",
            "SELECT id, closed_mjd_utc FROM night \
             WHERE state = 'closed' AND closed_mjd_utc IS NOT NULL ORDER BY closed_mjd_utc, id",
            &[],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?)),
        )?;
        // A name that is no night's has no product folder either.
        let nights = rows.into_iter().filter_map(|(id, mjd_utc)| {
            Some((NightId::new(&id).ok()?, Epoch::from_mjd_utc(mjd_utc)))
        });
        Ok(nights.collect())
    }

    /// Product files that rows of a night name, relative to the data folder.
    ///
    /// A stage's payload is JSON of its own making; each text in it that begins with `products/`
    /// is a name. `None` when one cannot be read: then nobody knows what is still named.
    pub fn named_products(&self, night: &NightId) -> Result<Option<BTreeSet<PathBuf>>, StoreError> {
        let rows = self.rows(
            "list the products of a night",
            "SELECT product, payload FROM stage_result WHERE night = ?1",
            &[&night.as_str()],
            |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, String>(1)?)),
        )?;
        let mut names = BTreeSet::new();
        for (product, payload) in rows {
            names.extend(product.map(PathBuf::from));
            let Ok(value) = serde_json::from_str(&payload) else { return Ok(None) };
            collect_names(&value, &mut names);
        }
        Ok(Some(names))
    }
}

/// Collects the texts of a JSON value that name products.
fn collect_names(value: &serde_json::Value, names: &mut BTreeSet<PathBuf>) {
    match value {
        serde_json::Value::String(text) if Path::new(text).starts_with(PRODUCTS_FOLDER) => {
            names.insert(PathBuf::from(text));
        }
        serde_json::Value::Array(values) => values.iter().for_each(|v| collect_names(v, names)),
        serde_json::Value::Object(values) => {
            values.values().for_each(|v| collect_names(v, names));
        }
        _ => {}
    }
}
