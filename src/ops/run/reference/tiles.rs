//! Tiles: which ones are needed, stored, fetched.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::sky::Sky;
use crate::config::Config;
use crate::formats::star_index::IndexLabel;
use crate::ops::error::OpsError;
use crate::ops::progress::{Event, Progress};
use crate::ops::run::rest::Rest;
use crate::ops::run::take::chain;
use crate::pipeline::artifact::frame_info::FrameInfo;
use crate::remote::reference::{FetchStep, ReferenceService};
use crate::science::reference::tile::tiles_in_cone;
use crate::science::reference::{ReferenceStar, Tile};
use crate::science::units::{ARCSEC_RAD, DEG_RAD};
use crate::store::Store;
use crate::store::tiles::{StoredTile, TileFolder, TileStamp};

/// Tiles that one frame may need.
const FRAME_TILES_MAX: usize = 128;
/// Half the diagonal of a frame whose header tells no scale [rad].
const UNKNOWN_FIELD_RAD: f64 = 1.0 * DEG_RAD;
/// Largest part of the pointing's error that tiles are fetched for [rad].
const POINTING_ERR_MAX_RAD: f64 = 1.0 * DEG_RAD;
/// Largest circle around a pointing that tiles are fetched for [rad].
const RADIUS_MAX_RAD: f64 = 5.0 * DEG_RAD;
/// Tiles kept open; they are mapped, so that this costs addresses, not memory.
const OPEN_MAX: usize = 1024;

/// What is fetched at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haul {
    /// All tiles that are wanted.
    All,
    /// What comes within some minutes, for one who has other work waiting.
    Some,
}

/// Time after which a haul of [`Haul::Some`] ends.
const SOME: Duration = Duration::from_secs(240);

/// A fetched catalogue: its stored tiles and the service that has the others.
pub struct TileCatalogue {
    folder: TileFolder,
    service: ReferenceService,
    open: Mutex<HashMap<Tile, (TileStamp, Arc<StoredTile>)>>,
    rest: Mutex<Rest>,
}

/// The tiles that a frame needs by its header: the field, the pointing's error, the scale's error.
///
/// Without a pointing there are none: such a frame is tried with the stars of the whole night.
pub(super) fn tiles_of(info: &FrameInfo, config: &Config) -> Vec<Tile> {
    let Some(pointing_rad) = info.pointing_rad else { return Vec::new() };
    let hint = config.frame_params().hint;
    let half_px = 0.5 * (info.nx as f64).hypot(info.ny as f64);
    let field_rad = info
        .pixel_scale_arcsec
        .map_or(UNKNOWN_FIELD_RAD, |scale| half_px * scale * ARCSEC_RAD * (1.0 + hint.scale_range));
    let margin_rad = (hint.pointing_err_deg * DEG_RAD).min(POINTING_ERR_MAX_RAD);
    tiles_in_cone(pointing_rad, (field_rad + margin_rad).min(RADIUS_MAX_RAD), FRAME_TILES_MAX)
}

impl TileCatalogue {
    /// The catalogue below a data folder.
    pub fn new(data_dir: &Path, service: ReferenceService) -> Self {
        Self {
            folder: TileFolder::below(data_dir, service.release),
            service,
            open: Mutex::default(),
            rest: Mutex::default(),
        }
    }

    /// The stored tiles.
    pub fn folder(&self) -> &TileFolder {
        &self.folder
    }

    /// Why the service could not be had when it was last asked.
    pub(in crate::ops) fn why_failed(&self) -> Option<String> {
        self.rest().why()
    }

    /// A stored tile; one that is damaged is set aside.
    pub fn tile(&self, tile: Tile) -> Option<Arc<StoredTile>> {
        let stamp = self.folder.stamp(tile)?;
        if let Some((known, stored)) = self.open().get(&tile)
            && *known == stamp
        {
            return Some(Arc::clone(stored));
        }
        match self.folder.open(tile) {
            Ok(stored) => {
                let stored = Arc::new(stored?);
                let mut open = self.open();
                if open.len() >= OPEN_MAX {
                    open.clear();
                }
                open.insert(tile, (stamp, Arc::clone(&stored)));
                Some(stored)
            }
            Err(error) => {
                let is_damage = error.is_damage();
                let text = chain(&error);
                tracing::warn!("A tile of the star catalogue cannot be used: {text}.");
                if is_damage && let Err(error) = self.folder.set_aside(tile) {
                    tracing::warn!("It could not be set aside: {}.", chain(&error));
                }
                None
            }
        }
    }

    /// The stars of these tiles, as far as they are stored.
    pub(super) fn sky(&self, tiles: &[Tile]) -> Sky {
        Sky::of_tiles(tiles.iter().map(|tile| (*tile, self.tile(*tile))))
    }

    /// Whether a tile is to be fetched: it is not stored, or not whole, or not deep enough.
    pub fn is_wanting(&self, tile: Tile) -> bool {
        self.tile(tile).is_none_or(|stored| {
            let label = stored.label();
            !label.is_complete || label.g_max_mag.is_none_or(|g| g < self.service.g_max_mag)
        })
    }

    /// Fetches what is wanting of these tiles, unless the service rests; tells how many came.
    ///
    /// A service that is down costs some seconds, is noted, and is left alone for a while.
    pub fn bring(
        &self,
        tiles: &[Tile],
        haul: Haul,
        progress: &dyn Progress,
    ) -> Result<usize, OpsError> {
        let is_resting = self.rest().is_resting();
        let wanting: Vec<Tile> = tiles.iter().copied().filter(|t| self.is_wanting(*t)).collect();
        if wanting.is_empty() || is_resting {
            return Ok(0);
        }
        self.fetch(&wanting, haul, progress)
    }

    /// Fetches tiles, stored or not, resting or not; tells how many came.
    pub fn fetch(
        &self,
        tiles: &[Tile],
        haul: Haul,
        progress: &dyn Progress,
    ) -> Result<usize, OpsError> {
        let began = Instant::now();
        let mut n_came = 0;
        let mut failure = None;
        let mut outcome = Ok(());
        let mut on_step = |step: FetchStep| {
            if let FetchStep::Tile(tile, fetched) = step {
                match fetched {
                    Ok(stars) => {
                        outcome = self.keep(tile, stars);
                        n_came += usize::from(outcome.is_ok());
                    }
                    Err(error) => {
                        let text = chain(&error);
                        tracing::info!(tile = tile.number(), "No stars: {text}.");
                        // The first one says most; the others are often its consequences.
                        failure.get_or_insert(text);
                    }
                }
            }
            if outcome.is_ok() && progress.event(Event::Fetching).is_break() {
                outcome = Err(OpsError::Stopped);
            }
            let is_over = haul == Haul::Some && began.elapsed() > SOME;
            if outcome.is_err() || is_over {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        if let Err(error) = self.service.fetch(tiles, &mut on_step) {
            failure = Some(chain(&error));
        }
        self.note(failure, n_came);
        outcome.map(|()| n_came)
    }

    fn keep(&self, tile: Tile, stars: Vec<ReferenceStar>) -> Result<(), OpsError> {
        let label = IndexLabel {
            tile: Some(tile),
            g_max_mag: Some(self.service.g_max_mag),
            is_complete: true,
            source: self.service.kind.words().to_owned(),
        };
        tracing::info!(tile = tile.number(), stars = stars.len(), "Stars fetched.");
        Ok(self.folder.put(stars, &label, tile)?)
    }

    /// Notes how a fetch went.
    fn note(&self, failure: Option<String>, n_came: usize) {
        if let Some(why) = &failure {
            tracing::warn!("Not all stars of the catalogue could be fetched: {why}.");
        }
        self.rest().note(failure, n_came);
    }

    /// Opens nights again whose missing tiles are stored by now, and fetches what others wait for;
    /// tells how many nights were opened.
    pub fn settle(&self, store: &Store, progress: &dyn Progress) -> Result<usize, OpsError> {
        let release = self.folder.release();
        let wanted = store.read().wanted_tiles(release)?;
        if wanted.is_empty() {
            return Ok(0);
        }
        let mut tiles: Vec<Tile> = wanted.iter().map(|wanted| wanted.tile).collect();
        tiles.dedup();
        self.bring(&tiles, Haul::Some, progress)?;
        let came: Vec<_> = wanted.iter().filter(|w| self.tile(w.tile).is_some()).collect();
        for wanted in &came {
            tracing::info!(night = %wanted.night, tile = wanted.tile.number(), "Stars came.");
            store.tile_came(wanted, release)?;
        }
        let mut nights: Vec<&str> = came.iter().map(|wanted| wanted.night.as_str()).collect();
        nights.sort_unstable();
        nights.dedup();
        Ok(nights.len())
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Tile, (TileStamp, Arc<StoredTile>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
