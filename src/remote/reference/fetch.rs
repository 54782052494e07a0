//! Tiles, each whole or not at all.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::call::{AT_A_TIME, ask, client, host};
use super::query::Wanted;
use super::{FetchError, FetchRetry, FetchStep, ReferenceService};
use crate::formats::service_table::ServiceTable;
use crate::science::reference::tile::{Cell, ID_DEPTH};
use crate::science::reference::{ReferenceStar, Tile};
use crate::science::sky::vector::unit_vector;
use crate::science::units::ARCSEC_RAD;

/// Rounds over the mirrors for one question.
const TRIES_MAX: u32 = 3;
/// Questions asked for one tile.
const QUESTIONS_MAX: usize = 4096;
/// How often one who waits is told of it.
const TOLD_EVERY: Duration = Duration::from_secs(1);
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
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(AT_A_TIME)
            .thread_name("reference")
            .enable_all()
            .build()
            .map_err(|source| FetchError::Runtime { source })?;
        let asker = Arc::new(Asker {
            service: self.clone(),
            client: client(&self.limits)?,
            success: Mutex::new(Instant::now()),
            is_down: AtomicBool::new(false),
            rows_max: AtomicU64::new(u64::MAX),
        });
        let done = runtime.block_on(in_turn(&asker, tiles, on_step));
        // Whoever still waits for an answer is not waited for.
        runtime.shutdown_background();
        done
    }
}

/// Keeps two tiles in work.
async fn in_turn(
    asker: &Arc<Asker>,
    tiles: &[Tile],
    on_step: &mut dyn FnMut(FetchStep) -> ControlFlow<()>,
) -> Result<(), FetchError> {
    let mut waiting: VecDeque<Tile> = tiles.iter().copied().collect();
    let mut work = JoinSet::new();
    loop {
        while work.len() < AT_A_TIME
            && let Some(tile) = waiting.pop_front()
        {
            let asker = Arc::clone(asker);
            work.spawn(async move { (tile, asker.tile(tile).await) });
        }
        let told = match tokio::time::timeout(TOLD_EVERY, work.join_next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(Ok((tile, stars)))) => on_step(FetchStep::Tile(tile, stars)),
            // A task that broke its own rules: its tile stays missing.
            Ok(Some(Err(_))) => ControlFlow::Continue(()),
            Err(_) => on_step(FetchStep::Waiting),
        };
        if told.is_break() {
            return Ok(());
        }
    }
}

/// Asks on behalf of all tiles of a fetch.
struct Asker {
    service: ReferenceService,
    client: reqwest::Client,
    /// When a whole answer last came, or when asking began.
    success: Mutex<Instant>,
    is_down: AtomicBool,
    /// Rows that the service gives in one answer, once it is known.
    rows_max: AtomicU64,
}

impl Asker {
    /// All stars of a tile.
    async fn tile(&self, tile: Tile) -> Result<Vec<ReferenceStar>, FetchError> {
        let (answer, url) = self.ask(&self.wanted(tile.cell()).count(), 1).await?;
        let other = |what| FetchError::OtherTable { host: host(url), what };
        let expected = answer.count().ok_or_else(|| other("no count"))?;
        let limit = self.service.limits.tile_stars_max;
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

    /// Asks the mirrors in order, up to three times; gives the answer and who gave it.
    async fn ask(&self, query: &str, rows_max: u64) -> Result<(ServiceTable, &str), FetchError> {
        let limits = &self.service.limits;
        let mut mirrors: Vec<&str> = self.service.urls.iter().map(String::as_str).collect();
        let mut last = FetchError::LeftAlone;
        for round in 0..TRIES_MAX {
            if round > 0 {
                tokio::time::sleep(limits.back_off * round).await;
            }
            let mut rest = Vec::new();
            for url in mirrors {
                if self.is_down.load(Ordering::Relaxed) {
                    return Err(last);
                }
                if self.silence() > limits.patience {
                    self.is_down.store(true, Ordering::Relaxed);
                    return Err(last);
                }
                match ask(&self.client, url, (query, rows_max), limits).await {
                    Ok(table) => {
                        *self.success.lock().unwrap_or_else(PoisonError::into_inner) =
                            Instant::now();
                        return Ok((table, url));
                    }
                    Err(error) => {
                        if error.retry() == FetchRetry::Later {
                            rest.push(url);
                        }
                        last = error;
                    }
                }
            }
            mirrors = rest;
            if mirrors.is_empty() {
                break;
            }
        }
        self.is_down.store(true, Ordering::Relaxed);
        Err(last)
    }

    /// Time since a whole answer.
    fn silence(&self) -> Duration {
        self.success.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}
