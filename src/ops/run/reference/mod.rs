//! The reference catalogue of a run: the user's own lists, or tiles that are fetched once.
//!
//! What a frame is solved with is a [`Sky`]: with lists all of them, with tiles those around the
//! frame's pointing. Its key says exactly which stars these are, so that a frame is done again when
//! a tile that it lacked has come, and for no other tile.

mod lists;
mod sky;
mod tiles;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::blind_index::path_in;
use super::super::error::OpsError;
use crate::config::Config;
use crate::formats::blind_index::BlindReader;
use crate::formats::mapped::Mapped;
use crate::pipeline::artifact::frame_info::FrameInfo;
use crate::science::reference::Tile;
use crate::store::Store;
use lists::Lists;

pub(in crate::ops) use lists::{hash_of_lists, read_lists};
pub use sky::Sky;
pub use tiles::{Haul, TileCatalogue};

/// The reference catalogue of a run.
pub struct RunReference {
    kind: Kind,
    remarks: Vec<String>,
    blind: Option<Arc<BlindReader<Mapped>>>,
}

enum Kind {
    Lists(Lists),
    Tiles(Box<TileCatalogue>),
    Nothing,
}

impl Kind {
    fn open(store: &Store, config: &Config, named: &[PathBuf]) -> Result<Self, OpsError> {
        let reference = &config.reference;
        if named.is_empty()
            && let Some(service) = reference.service()
        {
            let tiles = TileCatalogue::new(store.data_dir(), service);
            return Ok(Self::Tiles(Box::new(tiles)));
        }
        let files = [&reference.files[..], named].concat();
        Ok(if files.is_empty() { Self::Nothing } else { Self::Lists(lists::open(store, &files)?) })
    }
}

impl Kind {
    fn remarks(&self, config: &Config) -> Vec<String> {
        match self {
            Self::Lists(lists) => lists.remarks.clone(),
            Self::Tiles(_) if !config.reference.files.is_empty() => vec![
                "reference.files is not used while reference.source names a service; \
                 `autossosctl catalog import` puts lists among its stars"
                    .to_owned(),
            ],
            Self::Tiles(_) | Self::Nothing => Vec::new(),
        }
    }
}

impl RunReference {
    /// Opens the catalogue that the configuration names; lists named beside it win.
    pub(super) fn open(
        store: &Store,
        config: &Config,
        named: &[PathBuf],
    ) -> Result<Self, OpsError> {
        let blind = open_blind(store, config.astrometry.blind_index.as_deref())?;
        let kind = Kind::open(store, config, named)?;
        let remarks = kind.remarks(config);
        Ok(Self { kind, remarks, blind })
    }

    /// What of the star lists is not used, and why.
    pub(super) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The tiles, when the catalogue has some.
    pub fn tiles(&self) -> Option<&TileCatalogue> {
        match &self.kind {
            Kind::Tiles(tiles) => Some(tiles),
            Kind::Lists(_) | Kind::Nothing => None,
        }
    }

    /// The tiles that a frame needs.
    pub(super) fn tiles_of(&self, info: &FrameInfo, config: &Config) -> Vec<Tile> {
        self.tiles().map(|_| tiles::tiles_of(info, config)).unwrap_or_default()
    }

    /// The stars of these tiles, as far as they are stored; with lists, all of them.
    pub(super) fn sky(&self, tiles: &[Tile]) -> Sky {
        let sky = match &self.kind {
            Kind::Lists(lists) => Sky::of_lists(Arc::clone(&lists.index), lists.key.clone()),
            Kind::Tiles(catalogue) => catalogue.sky(tiles),
            Kind::Nothing => Sky::none(),
        };
        sky.with_blind(self.blind.as_ref())
    }
}

/// Opens the whole-sky index: the one named, or that of the data folder, if it is there.
fn open_blind(
    store: &Store,
    named: Option<&Path>,
) -> Result<Option<Arc<BlindReader<Mapped>>>, OpsError> {
    let by_itself = path_in(store.data_dir());
    let Some(path) = named.or_else(|| by_itself.is_file().then_some(by_itself.as_path())) else {
        return Ok(None);
    };
    let bytes =
        Mapped::open(path).map_err(|source| OpsError::Read { path: path.to_owned(), source })?;
    let blind = BlindReader::open(bytes)
        .map_err(|source| OpsError::BlindIndex { path: path.to_owned(), source })?;
    Ok(Some(Arc::new(blind)))
}
