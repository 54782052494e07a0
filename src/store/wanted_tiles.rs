//! Tiles of the star catalogue that nights wait for.
//!
//! A row says that frames of a night lack the stars of a tile, which could not be fetched. Who
//! fetches the tile later finds here which nights are to be done again.

use rusqlite::params;

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::{Reader, Store};
use crate::science::reference::{Release, Tile};

/// A tile that a night waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTile {
    /// The tile.
    pub tile: Tile,
    /// The night.
    pub night: NightId,
}

impl Store {
    /// Notes all tiles that a night waits for; what was noted before and is not among them goes.
    pub fn set_wanted_tiles(
        &self,
        night: &NightId,
        release: Release,
        tiles: &[Tile],
    ) -> Result<(), StoreError> {
        let (night, tiles) = (night.to_string(), tiles.to_vec());
        self.writer().transact(move |transaction| {
            transaction
                .execute("DELETE FROM wanted_tile WHERE night = ?1", [&night])
                .map_err(during("forget wanted tiles"))?;
            for tile in tiles {
                transaction
                    .execute(
                        "INSERT OR IGNORE INTO wanted_tile (release, tile, night) \
                         VALUES (?1, ?2, ?3)",
                        params![release.name(), tile.number(), night],
                    )
                    .map_err(during("note a wanted tile"))?;
            }
            Ok(())
        })
    }

    /// Takes a tile off the list of a night and opens the night again, in one step.
    pub fn tile_came(&self, wanted: &WantedTile, release: Release) -> Result<(), StoreError> {
        let (night, tile) = (wanted.night.to_string(), wanted.tile.number());
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "DELETE FROM wanted_tile WHERE release = ?1 AND tile = ?2 AND night = ?3",
                    params![release.name(), tile, night],
                )
                .and_then(|_| {
                    transaction.execute(
                        "UPDATE night SET state = 'open', listing = NULL WHERE id = ?1",
                        [&night],
                    )
                })
                .map_err(during("open a night whose stars came"))?;
            Ok(())
        })
    }
}

impl Reader {
    /// All tiles of a release that nights wait for, by number.
    pub fn wanted_tiles(&self, release: Release) -> Result<Vec<WantedTile>, StoreError> {
        let rows: Vec<(u32, String)> = self.rows(
            "read the wanted tiles",
            "SELECT tile, night FROM wanted_tile WHERE release = ?1 ORDER BY tile, night",
            &[&release.name()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        // Both were written from these types.
        let wanted = |(tile, night): (u32, String)| {
            Some(WantedTile { tile: Tile::new(tile)?, night: NightId::new(&night).ok()? })
        };
        Ok(rows.into_iter().filter_map(wanted).collect())
    }
}
