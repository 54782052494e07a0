//! The stars that a frame or a night is worked with.

use std::sync::Arc;

use crate::formats::blind_index::BlindReader;
use crate::formats::mapped::Mapped;
use crate::formats::star_index::IndexReader;
use crate::science::astrometry::{BlindSky, Skies};
use crate::science::reference::tiles::{CONE_STARS_MAX, by_brightness};
use crate::science::reference::{ReferenceError, ReferenceSky, SkyCell, StarAtEpoch, Tile};

/// Digits of a key.
const KEY_LENGTH: usize = 24;

/// Stars from one index or from several tiles.
#[derive(Clone, Default)]
pub struct Sky {
    parts: Vec<Arc<IndexReader<Mapped>>>,
    key: String,
    lacking: Vec<Tile>,
    n_tiles: usize,
    blind: Option<Arc<BlindReader<Mapped>>>,
}

impl Sky {
    /// No stars.
    pub(super) fn none() -> Self {
        Self { key: "none".to_owned(), ..Self::default() }
    }

    /// The stars of an index of lists.
    pub(super) fn of_lists(index: Arc<IndexReader<Mapped>>, key: String) -> Self {
        Self { parts: vec![index], key, ..Self::default() }
    }

    /// The stars of tiles; `None` for one that is not stored.
    pub(super) fn of_tiles(
        tiles: impl Iterator<Item = (Tile, Option<Arc<IndexReader<Mapped>>>)>,
    ) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut sky = Self::default();
        for (tile, stored) in tiles {
            sky.n_tiles += 1;
            hasher.update(&tile.number().to_le_bytes());
            match stored {
                Some(index) => {
                    hasher.update(index.checksum_hex().as_bytes());
                    sky.parts.push(index);
                }
                None => {
                    hasher.update(b"none");
                    sky.lacking.push(tile);
                }
            }
        }
        sky.key = hasher.finalize().to_hex().chars().take(KEY_LENGTH).collect();
        sky
    }

    /// The same with the whole-sky index, where there is one.
    pub(super) fn with_blind(mut self, blind: Option<&Arc<BlindReader<Mapped>>>) -> Self {
        if let Some(blind) = blind {
            let hex: String = blind.key().iter().map(|byte| format!("{byte:02x}")).collect();
            self.key = format!("{} blind {hex}", self.key);
            self.blind = Some(Arc::clone(blind));
        }
        self
    }

    /// Where frames are looked for.
    pub(in crate::ops::run) fn skies(&self) -> Skies<'_> {
        let blind = self.blind.as_deref().map(|blind| blind as &dyn BlindSky);
        Skies { reference: self, blind }
    }

    /// Which stars these are.
    pub(in crate::ops::run) fn key(&self) -> &str {
        &self.key
    }

    /// Tiles whose stars are not stored.
    pub(in crate::ops::run) fn lacking(&self) -> &[Tile] {
        &self.lacking
    }

    /// Tiles that were asked for; 0 with lists.
    pub(in crate::ops::run) fn n_tiles(&self) -> usize {
        self.n_tiles
    }
}

impl ReferenceSky for Sky {
    fn brightest_in_cone(
        &self,
        centre_rad: (f64, f64),
        radius_rad: f64,
        epoch_yr: f64,
        limit: usize,
    ) -> Result<Vec<StarAtEpoch>, ReferenceError> {
        let limit = limit.min(CONE_STARS_MAX);
        if let [part] = &self.parts[..] {
            return part.brightest_in_cone(centre_rad, radius_rad, epoch_yr, limit);
        }
        let mut stars = Vec::new();
        for part in &self.parts {
            stars.extend(part.brightest_in_cone(centre_rad, radius_rad, epoch_yr, limit)?);
        }
        stars.sort_by(|a, b| by_brightness((a.g_mag, a.source_id), (b.g_mag, b.source_id)));
        stars.truncate(limit);
        Ok(stars)
    }

    fn cells_with_stars(&self) -> Vec<SkyCell> {
        self.parts.iter().flat_map(|part| part.cells_with_stars()).collect()
    }

    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::star_index::IndexLabel;
    use crate::science::reference::tile::tiles_in_cone;
    use crate::science::reference::{MemoryCatalogue, ReferenceStar, Release};
    use crate::store::tiles::TileFolder;

    /// Stars over some degrees of the sky around RA 0h.
    fn stars() -> Vec<ReferenceStar> {
        (0..4000_i64)
            .map(|i| {
                let t = i as f64;
                let place = ((t * 0.618_034).fract() * 0.1 - 0.05, (t * 0.414_214).fract() * 0.1);
                let g_mag = Some(8.0 + (i % 80) as f64 * 0.125);
                ReferenceStar { g_mag, ..ReferenceStar::at(i, place, 2016.0) }
            })
            .collect()
    }

    #[test]
    fn tiles_answer_as_one_catalogue_and_the_key_tells_them() {
        let data = tempfile::tempdir().expect("a folder");
        let folder = TileFolder::below(data.path(), Release::GaiaDr3);
        let tiles = tiles_in_cone((0.0, 0.05), 0.1, 1000);
        let mut by_tile: std::collections::BTreeMap<Tile, Vec<ReferenceStar>> = Default::default();
        for star in stars() {
            let tile = Tile::of(star.ra_rad.rem_euclid(std::f64::consts::TAU), star.dec_rad);
            by_tile.entry(tile).or_default().push(star);
        }
        assert!(by_tile.len() > 20 && by_tile.keys().all(|tile| tiles.contains(tile)));
        for (tile, stars) in by_tile {
            folder.put(stars, &IndexLabel::default(), tile).expect("written");
        }
        let open = |tile: &Tile| (*tile, folder.open(*tile).expect("whole").map(Arc::new));
        let sky = Sky::of_tiles(tiles.iter().map(open));
        let memory = MemoryCatalogue::new(stars());
        assert_eq!(sky.len(), memory.len());
        assert_eq!(sky.n_tiles(), tiles.len());
        for (centre, radius) in [((0.0, 0.05), 0.01), ((6.27, 0.02), 0.03), ((0.04, 0.09), 0.1)] {
            let expected = memory.stars_in_cone(centre, radius, 2024.0).expect("a cone");
            assert_eq!(sky.stars_in_cone(centre, radius, 2024.0).expect("a cone"), expected);
            let few = sky.brightest_in_cone(centre, radius, 2024.0, 7).expect("a cone");
            assert_eq!(few, expected.into_iter().take(7).collect::<Vec<_>>());
        }
        // Another tile far away changes nothing, one of these does.
        let same = Sky::of_tiles(tiles.iter().map(open));
        assert_eq!(sky.key(), same.key());
        let there = *tiles.iter().find(|tile| !sky.lacking().contains(tile)).expect("one");
        folder.set_aside(there).expect("renamed");
        let less = Sky::of_tiles(tiles.iter().map(open));
        assert_ne!(sky.key(), less.key());
        assert_eq!(less.lacking().len(), sky.lacking().len() + 1);
    }
}
