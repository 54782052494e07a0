//! Tiles: the parts of the sky by which a large catalogue is fetched and kept.
//!
//! A tile is a HEALPix cell (nested scheme) of one fixed depth. Gaia's identifiers begin with the
//! cell of depth 12 in which the star lies, so that the stars of any coarser cell are one range of
//! identifiers (Gaia DR3 documentation, gaia_source, `source_id`): exact, and quick to ask for.

use super::tiles::{cell_of, cell_radius_rad};
use crate::science::sky::vector::{UnitVector, unit_vector, vector_separation_rad};

/// Depth of the tiles: 49152 of 0.84 square degrees.
pub const TILE_DEPTH: u8 = 6;
/// Tiles of the sky.
pub const N_TILES: u32 = 12 << (2 * TILE_DEPTH as u32);
/// Depth below the tiles' at which overlap with a cone is looked at; widens it by 0.25 deg at most.
const FINE_STEPS: u8 = 3;
/// Depth of the cells in Gaia's identifiers.
pub const ID_DEPTH: u8 = 12;
/// Bits of Gaia's identifiers below the cell.
const ID_BITS_BELOW: u32 = 35;

/// A tile of the sky.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile(u32);

impl Tile {
    /// The tile with this number; `None` when there is none.
    pub fn new(number: u32) -> Option<Self> {
        (number < N_TILES).then_some(Self(number))
    }

    /// The tile of a place (RA, Dec) [rad], which the caller has checked.
    pub fn of(ra_rad: f64, dec_rad: f64) -> Self {
        Self(u32::try_from(cell_of(TILE_DEPTH, ra_rad, dec_rad)).unwrap_or(0))
    }

    /// Its number in the nested scheme.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Centre (RA, Dec) [rad].
    pub fn centre_rad(self) -> (f64, f64) {
        cdshealpix::nested::center(TILE_DEPTH, u64::from(self.0))
    }

    /// The cell that is this tile.
    pub fn cell(self) -> Cell {
        Cell { depth: TILE_DEPTH, number: u64::from(self.0) }
    }

    /// Tells whether a place may belong to a star of this tile, with a margin [rad].
    pub fn may_hold(self, place: UnitVector, margin_rad: f64) -> bool {
        let (ra, dec) = self.centre_rad();
        let reach_rad = cell_radius_rad(TILE_DEPTH) + margin_rad;
        vector_separation_rad(unit_vector(ra, dec), place) <= reach_rad
    }
}

/// A HEALPix cell of a depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Depth, up to [`ID_DEPTH`].
    pub depth: u8,
    /// Number in the nested scheme.
    pub number: u64,
}

impl Cell {
    /// The range of Gaia's identifiers, both ends included.
    pub fn source_ids(self) -> (i64, i64) {
        let bits = ID_BITS_BELOW + 2 * u32::from(ID_DEPTH.saturating_sub(self.depth));
        let first = self.number << bits;
        let last = first + ((1_u64 << bits) - 1);
        let whole = |id| i64::try_from(id).unwrap_or(i64::MAX);
        (whole(first), whole(last))
    }

    /// The cells this many steps deeper, or this one itself at the deepest that there is.
    pub fn split(self, steps: u8) -> Vec<Self> {
        let steps = steps.min(ID_DEPTH.saturating_sub(self.depth));
        let first = self.number << (2 * u32::from(steps));
        let cells = first..first + (1_u64 << (2 * u32::from(steps)));
        cells.map(|number| Self { depth: self.depth + steps, number }).collect()
    }

    /// Distance of its centre from a direction [rad].
    fn away_rad(self, from: UnitVector) -> f64 {
        let (ra, dec) = cdshealpix::nested::center(self.depth, self.number);
        vector_separation_rad(unit_vector(ra, dec), from)
    }

    /// Tells whether a cone (centre, radius [rad]) may reach into it.
    fn may_touch(self, (centre, radius_rad): (UnitVector, f64)) -> bool {
        self.away_rad(centre) <= radius_rad + cell_radius_rad(self.depth)
    }

    /// The tiles in this cell that a cone touches, by quarters: most of the sky is told by its
    /// largest cells.
    fn touched(self, cone: (UnitVector, f64)) -> Vec<Tile> {
        if !self.may_touch(cone) {
            return Vec::new();
        }
        if self.depth == TILE_DEPTH {
            let tile = u32::try_from(self.number).ok().and_then(Tile::new);
            return tile.filter(|_| self.is_reached(cone, FINE_STEPS)).into_iter().collect();
        }
        self.split(1).into_iter().flat_map(|part| part.touched(cone)).collect()
    }

    /// Tells whether a cone reaches one of the parts this many steps deeper.
    fn is_reached(self, cone: (UnitVector, f64), steps: u8) -> bool {
        self.may_touch(cone)
            && (steps == 0
                || self.split(1).into_iter().any(|part| part.is_reached(cone, steps - 1)))
    }
}

/// The tiles that a cone around (RA, Dec) [rad] touches, nearest first, at most `limit`.
pub fn tiles_in_cone(centre_rad: (f64, f64), radius_rad: f64, limit: usize) -> Vec<Tile> {
    let cone = (unit_vector(centre_rad.0, centre_rad.1), radius_rad);
    let mut found: Vec<(f64, Tile)> = (0..12)
        .flat_map(|number| Cell { depth: 0, number }.touched(cone))
        .map(|tile| (tile.cell().away_rad(cone.0), tile))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    found.truncate(limit);
    found.into_iter().map(|(_, tile)| tile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::sky::vector::displaced;
    use crate::science::units::DEG_RAD;

    #[test]
    fn gaias_identifiers_lie_in_the_range_of_their_tile() {
        // Gaia DR3, from the archive: identifier, RA, Dec [deg].
        let known = [
            (4_472_832_130_942_575_872_i64, 269.448_502_525_438_36, 4.739_420_051_112_412),
            (5_853_498_713_190_525_696, 217.392_321_472_009, -62.676_075_116_766_7),
            (4_295_806_720, 44.996_153_6, 0.005_615_8),
        ];
        for (source_id, ra_deg, dec_deg) in known {
            let tile = Tile::of(ra_deg * DEG_RAD, dec_deg * DEG_RAD);
            let (first, last) = tile.cell().source_ids();
            assert!((first..=last).contains(&source_id), "{source_id}");
            let inside = tile.cell().split(3).into_iter().filter(|cell| {
                let (first, last) = cell.source_ids();
                (first..=last).contains(&source_id)
            });
            assert_eq!(inside.count(), 1);
        }
    }

    #[test]
    fn parts_of_a_cell_are_the_whole_without_gap() {
        let cell = Cell { depth: 6, number: 4711 };
        for steps in 1..=3 {
            let parts = cell.split(steps);
            assert_eq!(parts.len(), 1 << (2 * steps));
            assert_eq!(parts[0].source_ids().0, cell.source_ids().0);
            assert_eq!(parts[parts.len() - 1].source_ids().1, cell.source_ids().1);
            let follows = |w: &[Cell]| w[0].source_ids().1 + 1 == w[1].source_ids().0;
            assert!(parts.windows(2).all(follows));
        }
        assert_eq!(Cell { depth: 12, number: 3 }.split(2), [Cell { depth: 12, number: 3 }]);
        let (_, last) = Tile::new(N_TILES - 1).expect("the last").cell().source_ids();
        assert_eq!(last, (12_i64 << 59) - 1);
        assert!(Tile::new(N_TILES).is_none());
    }

    #[test]
    fn a_cone_lies_in_its_tiles() {
        for (centre, radius_deg) in
            [((0.0, 0.0), 0.7), ((6.27, 1.56), 1.5), ((3.0, -1.2), 0.05), ((1.0, 0.73), 2.5)]
        {
            let radius_rad = radius_deg * DEG_RAD;
            let tiles = tiles_in_cone(centre, radius_rad, 1000);
            for i in 0..300 {
                let share = f64::from(i) / 299.0;
                let angle = f64::from(i) * 2.399_963;
                let (ra, dec) = displaced(centre, radius_rad * share.sqrt(), angle);
                assert!(tiles.contains(&Tile::of(ra, dec)), "{centre:?} {i}");
            }
            // No more than the area with a rim of the tile's diagonal asks for.
            let wide_deg = radius_deg + 1.5;
            let most = std::f64::consts::PI * wide_deg * wide_deg / 0.84;
            assert!((tiles.len() as f64) < most, "{} of {most}", tiles.len());
            assert_eq!(tiles_in_cone(centre, radius_rad, 2), tiles[..2.min(tiles.len())]);
        }
    }
}
