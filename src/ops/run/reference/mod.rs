//! The reference catalogue of a run: the user's own lists, or tiles that are fetched once.
//!
//! What a frame is solved with is a [`Sky`]: with lists all of them, with tiles those around the
//! frame's pointing. Its key says exactly which stars these are, so that a frame is done again when
//! a tile that it lacked has come, and for no other tile.

mod lists;
mod sky;
mod tiles;

use std::path::PathBuf;
use std::sync::Arc;

use super::super::error::OpsError;
use crate::config::Config;
use crate::pipeline::artifact::frame_info::FrameInfo;
use crate::science::reference::Tile;
use crate::store::Store;
use lists::Lists;

pub(in crate::ops) use lists::read_lists;
pub use sky::Sky;
pub use tiles::{Haul, TileCatalogue};

/// The reference catalogue of a run.
pub struct RunReference(Kind);

enum Kind {
    Lists(Lists),
    Tiles(Box<TileCatalogue>),
    Nothing,
}

impl RunReference {
    /// Opens the catalogue that the configuration names; lists named beside it win.
    pub(super) fn open(
        store: &Store,
        config: &Config,
        named: &[PathBuf],
    ) -> Result<Self, OpsError> {
        let reference = &config.reference;
        if named.is_empty()
            && let Some(service) = reference.service()
        {
            let tiles = TileCatalogue::new(store.data_dir(), service);
            return Ok(Self(Kind::Tiles(Box::new(tiles))));
        }
        let files = [&reference.files[..], named].concat();
        Ok(Self(if files.is_empty() {
            Kind::Nothing
        } else {
            Kind::Lists(lists::open(store, &files)?)
        }))
    }

    /// What of the star lists could not be used.
    pub(super) fn remarks(&self) -> &[String] {
        match &self.0 {
            Kind::Lists(lists) => &lists.remarks,
            Kind::Tiles(_) | Kind::Nothing => &[],
        }
    }

    /// The tiles, when the catalogue has some.
    pub fn tiles(&self) -> Option<&TileCatalogue> {
        match &self.0 {
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
        match &self.0 {
            Kind::Lists(lists) => Sky::of_lists(Arc::clone(&lists.index), lists.key.clone()),
            Kind::Tiles(catalogue) => catalogue.sky(tiles),
            Kind::Nothing => Sky::none(),
        }
    }
}
