//! The tiles of the star catalogue on the disk, kept for ever.
//!
//! Layout: `reference/<release>/<hundreds>/tile-<number>.stars` below the data folder, each an
//! index of stars (`formats::star_index`) that is written whole or not at all. One that is damaged
//! is set aside under another name and counts as missing from then on, so that it is fetched again.
//! No lock is needed: whoever writes a tile gives it its name in one step.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::files::{FilesError, ProductFile};
use crate::formats::mapped::Mapped;
use crate::formats::star_index::{IndexLabel, IndexReader, StarIndexError, encode};
use crate::science::reference::{ReferenceStar, Release, Tile};

/// Folder of star catalogues below the data folder.
pub const REFERENCE_FOLDER: &str = "reference";
/// Tiles in a folder.
const TILES_PER_FOLDER: u32 = 100;
/// Ending of a tile's file.
const ENDING: &str = "stars";
/// Ending of a damaged tile that was set aside.
const ASIDE_ENDING: &str = "damaged";

/// A tile's stars.
pub type StoredTile = IndexReader<Mapped>;

/// A tile that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TileError {
    /// The system does not give the file.
    #[error("cannot read {path}: check its owner and permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what was written.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way.
        source: StarIndexError,
    },
    /// The file holds another tile.
    #[error("{path} holds the stars of another place")]
    OtherTile {
        /// The file.
        path: PathBuf,
    },
}

impl TileError {
    /// Tells whether the file is of no use any more.
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::OtherTile { .. })
    }
}

/// What tells one version of a tile's file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileStamp {
    inode: u64,
    size_bytes: u64,
}

/// The tiles of a release.
#[derive(Debug, Clone)]
pub struct TileFolder {
    root: PathBuf,
    release: Release,
}

impl TileFolder {
    /// The tiles below a data folder; nothing is made yet.
    pub fn below(data_dir: &Path, release: Release) -> Self {
        Self { root: data_dir.join(REFERENCE_FOLDER).join(release.name()), release }
    }

    /// The folder of the release.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The release.
    pub const fn release(&self) -> Release {
        self.release
    }

    /// Where a tile lies or would lie.
    pub fn path(&self, tile: Tile) -> PathBuf {
        let hundreds = tile.number() / TILES_PER_FOLDER;
        self.root.join(format!("{hundreds:03}")).join(format!("tile-{:05}.{ENDING}", tile.number()))
    }

    /// Which version of a tile's file lies there; `None` when there is none.
    pub fn stamp(&self, tile: Tile) -> Option<TileStamp> {
        use std::os::unix::fs::MetadataExt as _;
        let told = fs::metadata(self.path(tile)).ok()?;
        Some(TileStamp { inode: told.ino(), size_bytes: told.len() })
    }

    /// Opens and checks a tile; `None` when it is not there.
    pub fn open(&self, tile: Tile) -> Result<Option<StoredTile>, TileError> {
        let path = self.path(tile);
        let mapped = match Mapped::open(&path) {
            Ok(mapped) => mapped,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(TileError::Read { path, source }),
        };
        match IndexReader::open(mapped) {
            Ok(index) if index.label().tile == Some(tile) => Ok(Some(index)),
            Ok(_) => Err(TileError::OtherTile { path }),
            Err(source) => Err(TileError::Damaged { path, source }),
        }
    }

    /// Puts a tile in place; replaces an older one.
    pub fn put(
        &self,
        stars: Vec<ReferenceStar>,
        label: &IndexLabel,
        tile: Tile,
    ) -> Result<(), FilesError> {
        let label = IndexLabel { tile: Some(tile), ..label.clone() };
        ProductFile::write_bytes(&self.path(tile), &encode(stars, &label))
    }

    /// Gives a damaged tile another name; an older one of that name goes.
    pub fn set_aside(&self, tile: Tile) -> Result<PathBuf, FilesError> {
        let path = self.path(tile);
        let aside = path.with_extension(ASIDE_ENDING);
        ProductFile::rename(&path, &aside)?;
        Ok(aside)
    }

    /// The tiles that are there, by number; a folder that does not exist holds none.
    pub fn list(&self) -> Result<Vec<Tile>, FilesError> {
        let mut tiles = Vec::new();
        for folder in names(&self.root)? {
            let Some(folder) = folder.to_str().filter(|name| name.len() == 3) else { continue };
            for name in names(&self.root.join(folder))? {
                let number = name.to_str().and_then(|name| {
                    name.strip_prefix("tile-")?.strip_suffix(ENDING)?.strip_suffix('.')
                });
                let tile = number.and_then(|n| n.parse().ok()).and_then(Tile::new);
                // A file that was copied elsewhere by hand is none.
                tiles.extend(tile.filter(|tile| self.path(*tile).is_file()));
            }
        }
        tiles.sort_unstable();
        tiles.dedup();
        Ok(tiles)
    }
}

/// Names in a folder; none when it is not there or no folder.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>, FilesError> {
    let read = || -> io::Result<Vec<_>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
    };
    match read() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(source) => Err(FilesError::Folder { path: folder.to_owned(), source }),
        Ok(names) => Ok(names),
    }
}
