//! Tiles, each whole or not at all.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::call::ask;
use super::query::Wanted;
use super::{FetchError, FetchStep, ReferenceService};
use crate::formats::service_table::ServiceTable;
use crate::remote::http::{Caller, Step, host, in_turn};
use crate::science::reference::tile::{Cell, ID_DEPTH};
use crate::science::reference::{ReferenceStar, Tile};
use crate::science::sky::vector::unit_vector;
use crate::science::units::ARCSEC_RAD;

/// Questions asked for one tile.
const QUESTIONS_MAX: usize = 4096;
/// How far outside its tile a star may lie [rad]: identifiers were given by earlier places.
const OUTSIDE_MAX_RAD: f64 = 120.0 * ARCSEC_RAD;
/// A tile without a star is believed where only stars brighter than this were asked for [mag]:
/// no tile of the sky holds less than 50 of G < 15.
const EMPTY_BELOW_MAG: f64 = 13.0;

impl ReferenceService {
    /// Fetches tiles, two at a time; tells of each, and stops when it is told to.
    ///
    /// Once the service as a whole is found to be down, the other tiles fail at once.
    /// Errors: nothing could be begun. What ails a tile is told with it.
    pub fn fetch(
        &self,
        tiles: &[Tile],
        on_step: &mut dyn FnMut(FetchStep) -> ControlFlow<()>,
    ) -> Result<(), FetchError> {
        let asker = Arc::new(Asker {
            service: self.clone(),
            caller: Caller::new(&self.urls, &self.limits)?,
            rows_max: AtomicU64::new(u64::MAX),
        });
        let ask = |tile| {
            let asker = Arc::clone(&asker);
            async move { asker.tile(tile).await }
        };
        let mut told = |step| match step {
            Step::Waiting => on_step(FetchStep::Waiting),
            Step::Done(tile, stars) => on_step(FetchStep::Tile(tile, stars)),
        };
        Ok(in_turn(tiles, ask, &mut told)?)
    }
}

/// Asks on behalf of all tiles of a fetch.
struct Asker {
    service: ReferenceService,
    caller: Caller,
    /// Rows that the service gives in one answer, once it is known.
    rows_max: AtomicU64,
}

impl Asker {
    /// All stars of a tile.
    async fn tile(&self, tile: Tile) -> Result<Vec<ReferenceStar>, FetchError> {
        let (answer, url) = self.ask(&self.wanted(tile.cell()).count(), 1).await?;
        let other = |what| FetchError::OtherTable { host: host(url), what };
        let expected = answer.count().ok_or_else(|| other("no count"))?;
        let limit = self.service.tile_stars_max;
        if expected > limit {
            return Err(FetchError::TooMany { found: expected, limit });
        }
        if expected == 0 && self.service.g_max_mag > EMPTY_BELOW_MAG {
            return Err(other("no stars where there must be some"));
        }
        let mut stars = Vec::new();
        let mut cells = VecDeque::from(self.pieces(tile.cell(), expected));
        for _ in 0..QUESTIONS_MAX {
            let Some(cell) = cells.pop_front() else { break };
            match self.piece(tile, cell, expected).await? {
                Some(piece) => stars.extend(piece),
                None => {
                    let inside = cells.iter().filter(|c| c.depth == cell.depth).count() as u64 + 1;
                    let share = (expected - stars.len() as u64) / inside.max(1);
                    let mut pieces = self.pieces(cell, share);
                    if pieces.len() < 2 {
                        pieces = cell.split(1);
                    }
                    cells.extend(pieces);
                }
            }
        }
        let found = stars.len() as u64;
        if found != expected || !cells.is_empty() {
            return Err(FetchError::Incomplete { host: host(url), found, expected });
        }
        Ok(stars)
    }

    /// The cells by which a cell with so many stars is asked for.
    fn pieces(&self, cell: Cell, n_stars: u64) -> Vec<Cell> {
        let rows_max = self.rows_max.load(Ordering::Relaxed);
        // Half the rows on average, as stars are not spread evenly.
        let mut steps = 0;
        while steps < ID_DEPTH - cell.depth && n_stars >> (2 * steps) > rows_max / 2 {
            steps += 1;
        }
        cell.split(steps)
    }

    /// The stars of a piece of a tile; `None` when the service does not give all of them at once.
    async fn piece(
        &self,
        tile: Tile,
        cell: Cell,
        expected: u64,
    ) -> Result<Option<Vec<ReferenceStar>>, FetchError> {
        let (table, url) = self.ask(&self.wanted(cell).stars(), expected + 1).await?;
        let n_rows = table.n_rows() as u64;
        let is_whole_tile = cell == tile.cell();
        let is_part = table.is_overflown
            || n_rows >= self.rows_max.load(Ordering::Relaxed)
            || (is_whole_tile && n_rows < expected);
        if is_part {
            if cell.depth >= ID_DEPTH || n_rows == 0 {
                return Err(FetchError::Incomplete { host: host(url), found: n_rows, expected });
            }
            self.rows_max.fetch_min(n_rows, Ordering::Relaxed);
            return Ok(None);
        }
        let other = |what| FetchError::OtherTable { host: host(url), what };
        let (stars, n_bad) = table
            .stars(self.service.release.epoch_yr())
            .map_err(|_| other("a column is missing"))?;
        let faintest = self.service.g_max_mag + 0.001;
        let is_right = |star: &ReferenceStar| {
            star.g_mag.is_some_and(|g| g <= faintest)
                && tile.may_hold(unit_vector(star.ra_rad, star.dec_rad), OUTSIDE_MAX_RAD)
        };
        if n_bad > 0 || !stars.iter().all(is_right) {
            return Err(other("rows that are no stars of this tile"));
        }
        Ok(Some(stars))
    }

    fn wanted(&self, cell: Cell) -> Wanted {
        let ReferenceService { kind, release, g_max_mag, .. } = self.service;
        Wanted { kind, release, cell, g_max_mag }
    }

    /// Asks the mirrors; gives the answer and who gave it.
    async fn ask(&self, query: &str, rows_max: u64) -> Result<(ServiceTable, &str), FetchError> {
        let (client, limits) = (&self.caller.client, &self.service.limits);
        self.caller.ask(|url| ask(client, url, (query, rows_max), limits)).await
    }
}
