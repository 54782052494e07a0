//! The reference catalogue as a sky: stars in a cone, brightest first, from HEALPix cells.
//!
//! A cone reads the cells whose centre is nearer than the cone's radius plus that of a cell,
//! then tests every star, so that nothing depends on approximate coverage maps. Cells are
//! numbered by the nested scheme (Gorski et al. 2005, ApJ 622, 759; crate cdshealpix).

use super::motion::{Moment, StarAtEpoch, propagate};
use super::star::ReferenceStar;
use crate::science::sky::vector::{UnitVector, dot, unit_vector};
use crate::science::units::ARCSEC_RAD;

/// Largest distance from a cell's centre to its rim, times the number of cells along a side of a
/// base cell [rad]; the polar caps have the largest, 1.07.
const CELL_RADIUS_RAD: f64 = 1.1;
/// Depths the catalogue may have: cells of 1.8 deg to 0.23 deg.
const DEPTHS: std::ops::RangeInclusive<u8> = 5..=8;
/// Stars wanted in a cell, which decides the depth.
const STARS_PER_CELL: usize = 400;
/// How far stars may have moved between catalogue and frame [rad]; only 40 stars of the sky
/// move more than this in 20 years.
const MOTION_MARGIN_RAD: f64 = 60.0 * ARCSEC_RAD;
/// Most stars that one cone gives; the faintest are left off.
pub const CONE_STARS_MAX: usize = 200_000;

/// The catalogue could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The place or radius is no number, or off the sphere.
    #[error("cone at RA {ra_rad} rad, Dec {dec_rad} rad with radius {radius_rad} rad is none")]
    Cone {
        /// Right ascension [rad].
        ra_rad: f64,
        /// Declination [rad].
        dec_rad: f64,
        /// Radius [rad].
        radius_rad: f64,
    },
    /// The catalogue's bytes could not be read.
    #[error("the reference catalogue could not be read")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A part of the sky that holds reference stars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkyCell {
    /// Centre (RA, Dec) [rad].
    pub centre_rad: (f64, f64),
    /// Radius of a circle around the centre that encloses the cell [rad].
    pub radius_rad: f64,
    /// Number of stars.
    pub n_stars: usize,
}

/// A catalogue of reference stars that can be asked for a cone.
pub trait ReferenceSky: Sync {
    /// The brightest stars (at most `limit`) within `radius_rad` of a centre (RA, Dec) [rad],
    /// moved to an epoch [Julian year]; brightest first, those without G last.
    fn brightest_in_cone(
        &self,
        centre_rad: (f64, f64),
        radius_rad: f64,
        epoch_yr: f64,
        limit: usize,
    ) -> Result<Vec<StarAtEpoch>, ReferenceError>;

    /// The cells that hold stars, in order of their number.
    fn cells_with_stars(&self) -> Vec<SkyCell>;

    /// Number of stars of the catalogue.
    fn len(&self) -> usize;

    /// Tells whether the catalogue holds no star.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All stars of a cone, up to [`CONE_STARS_MAX`]; see [`Self::brightest_in_cone`].
    fn stars_in_cone(
        &self,
        centre_rad: (f64, f64),
        radius_rad: f64,
        epoch_yr: f64,
    ) -> Result<Vec<StarAtEpoch>, ReferenceError> {
        self.brightest_in_cone(centre_rad, radius_rad, epoch_yr, CONE_STARS_MAX)
    }
}

/// A checked cone, with the margins that cells and catalogue places need.
#[derive(Debug, Clone, Copy)]
pub struct Cone {
    centre: UnitVector,
    radius_rad: f64,
}

impl Cone {
    /// The cone around (RA, Dec) [rad], or the error that it is none.
    pub fn new(centre_rad: (f64, f64), radius_rad: f64) -> Result<Self, ReferenceError> {
        let (ra_rad, dec_rad) = centre_rad;
        let is_place = is_place(ra_rad, dec_rad);
        if !(is_place && radius_rad.is_finite() && radius_rad >= 0.0) {
            return Err(ReferenceError::Cone { ra_rad, dec_rad, radius_rad });
        }
        Ok(Self { centre: unit_vector(ra_rad, dec_rad), radius_rad })
    }

    /// Tells whether a cell of this depth may hold stars of the cone.
    pub fn touches_cell(&self, depth: u8, cell_centre: UnitVector) -> bool {
        self.is_within(cell_centre, cell_radius_rad(depth) + MOTION_MARGIN_RAD)
    }

    /// Tells whether a star whose catalogue place is this may be in the cone at another epoch.
    pub fn may_hold(&self, place: UnitVector) -> bool {
        self.is_within(place, MOTION_MARGIN_RAD)
    }

    /// Tells whether a star at its epoch is in the cone.
    pub fn holds(&self, star: &StarAtEpoch) -> bool {
        self.is_within(unit_vector(star.ra_rad, star.dec_rad), 0.0)
    }

    fn is_within(&self, v: UnitVector, margin_rad: f64) -> bool {
        let reach_rad = self.radius_rad + margin_rad;
        if reach_rad >= std::f64::consts::PI {
            return true;
        }
        // By the chord: 2 sin(angle / 2), exact for small angles too.
        let d: UnitVector = std::array::from_fn(|k| v[k] - self.centre[k]);
        let chord_max = 2.0 * (0.5 * reach_rad).sin();
        dot(d, d) <= chord_max * chord_max
    }
}

/// Tells whether (RA, Dec) [rad] is a place on the sphere.
pub fn is_place(ra_rad: f64, dec_rad: f64) -> bool {
    ra_rad.is_finite() && ra_rad.abs() < 100.0 && dec_rad.abs() <= std::f64::consts::FRAC_PI_2
}

/// Radius of a circle that encloses any cell of a depth [rad].
pub fn cell_radius_rad(depth: u8) -> f64 {
    CELL_RADIUS_RAD / f64::from(1_u32 << depth.min(29))
}

/// Number of the cell of (RA, Dec) [rad]; the caller has checked the place with [`is_place`].
pub fn cell_of(depth: u8, ra_rad: f64, dec_rad: f64) -> u64 {
    cdshealpix::nested::hash(depth, ra_rad, dec_rad)
}

/// The cell with this number; the caller knows that the number is below 12 * 4^depth.
pub fn sky_cell(depth: u8, cell: u64, n_stars: usize) -> SkyCell {
    let centre_rad = cdshealpix::nested::center(depth, cell);
    SkyCell { centre_rad, radius_rad: cell_radius_rad(depth), n_stars }
}

/// Order of brightness: bright before faint, unknown last, then by identifier.
pub fn by_brightness(a: (Option<f64>, i64), b: (Option<f64>, i64)) -> std::cmp::Ordering {
    let magnitude = |g: Option<f64>| g.unwrap_or(f64::INFINITY);
    magnitude(a.0).total_cmp(&magnitude(b.0)).then(a.1.cmp(&b.1))
}

/// Stars grouped by cell, each group brightest first.
#[derive(Debug, Clone, Default)]
pub struct CellGroups {
    /// Depth of the cells.
    pub depth: u8,
    /// Number of the cell and its range in `stars`, by rising number.
    pub cells: Vec<(u64, std::ops::Range<usize>)>,
    /// The stars.
    pub stars: Vec<ReferenceStar>,
}

impl CellGroups {
    /// Groups stars; those that are no place on the sphere are dropped, of stars with the same
    /// identifier and place one is kept. The depth follows from the density.
    pub fn new(mut stars: Vec<ReferenceStar>) -> Self {
        stars.retain(|s| is_place(s.ra_rad, s.dec_rad) && s.ref_epoch_yr.is_finite());
        let depth = depth_for(&stars);
        let mut keyed: Vec<(u64, ReferenceStar)> =
            stars.into_iter().map(|s| (cell_of(depth, s.ra_rad, s.dec_rad), s)).collect();
        keyed.sort_by(|(cell_a, a), (cell_b, b)| {
            cell_a
                .cmp(cell_b)
                .then_with(|| by_brightness((a.g_mag, a.source_id), (b.g_mag, b.source_id)))
                .then(a.ra_rad.total_cmp(&b.ra_rad))
                .then(a.dec_rad.total_cmp(&b.dec_rad))
        });
        keyed.dedup_by(|(_, a), (_, b)| {
            a.source_id == b.source_id
                && a.ra_rad.total_cmp(&b.ra_rad).is_eq()
                && a.dec_rad.total_cmp(&b.dec_rad).is_eq()
        });
        let mut cells: Vec<(u64, std::ops::Range<usize>)> = Vec::new();
        for (i, (cell, _)) in keyed.iter().enumerate() {
            match cells.last_mut() {
                Some((last, range)) if last == cell => range.end = i + 1,
                _ => cells.push((*cell, i..i + 1)),
            }
        }
        Self { depth, cells, stars: keyed.into_iter().map(|(_, star)| star).collect() }
    }
}

/// The smallest depth at which the occupied cells hold no more than wanted on average.
fn depth_for(stars: &[ReferenceStar]) -> u8 {
    let deepest = *DEPTHS.end();
    DEPTHS
        .clone()
        .find(|&depth| {
            let mut cells: Vec<u64> =
                stars.iter().map(|s| cell_of(depth, s.ra_rad, s.dec_rad)).collect();
            cells.sort_unstable();
            cells.dedup();
            stars.len() <= STARS_PER_CELL * cells.len().max(1)
        })
        .unwrap_or(deepest)
}

/// A catalogue held in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryCatalogue {
    groups: CellGroups,
    places: Vec<UnitVector>,
    centres: Vec<UnitVector>,
}

impl MemoryCatalogue {
    /// The catalogue of these stars, in any order.
    pub fn new(stars: Vec<ReferenceStar>) -> Self {
        let groups = CellGroups::new(stars);
        let places = groups.stars.iter().map(|s| unit_vector(s.ra_rad, s.dec_rad)).collect();
        let centres = groups
            .cells
            .iter()
            .map(|(cell, _)| {
                let (ra, dec) = cdshealpix::nested::center(groups.depth, *cell);
                unit_vector(ra, dec)
            })
            .collect();
        Self { groups, places, centres }
    }

    /// The stars, grouped by cell.
    pub fn stars(&self) -> &[ReferenceStar] {
        &self.groups.stars
    }
}

impl ReferenceSky for MemoryCatalogue {
    fn brightest_in_cone(
        &self,
        centre_rad: (f64, f64),
        radius_rad: f64,
        epoch_yr: f64,
        limit: usize,
    ) -> Result<Vec<StarAtEpoch>, ReferenceError> {
        let cone = Cone::new(centre_rad, radius_rad)?;
        let moment = Moment::at(epoch_yr);
        let mut inside: Vec<&ReferenceStar> = Vec::new();
        for ((_, range), &centre) in self.groups.cells.iter().zip(&self.centres) {
            if !cone.touches_cell(self.groups.depth, centre) {
                continue;
            }
            let stars = &self.groups.stars[range.clone()];
            let near = stars.iter().zip(&self.places[range.clone()]);
            // Each cell is sorted: no more than the first `limit` of it can be wanted, save for
            // those that leave the cone by their motion.
            inside.extend(near.filter(|(_, place)| cone.may_hold(**place)).map(|(s, _)| s));
        }
        let limit = limit.min(CONE_STARS_MAX);
        let order = |a: &&ReferenceStar, b: &&ReferenceStar| {
            by_brightness((a.g_mag, a.source_id), (b.g_mag, b.source_id))
        };
        // Sorting all of a rich cone for a few stars would take most of a search's time; half as
        // many again make up for those that left the cone.
        let wanted = limit + limit / 2 + 10;
        let mut faint = Vec::new();
        if wanted < inside.len() {
            inside.select_nth_unstable_by(wanted, order);
            faint = inside.split_off(wanted);
        }
        inside.sort_by(order);
        let at_epoch = inside.into_iter().map(|star| propagate(star, &moment));
        let mut stars: Vec<StarAtEpoch> =
            at_epoch.filter(|star| cone.holds(star)).take(limit).collect();
        if stars.len() < limit {
            faint.sort_by(order);
            let at_epoch = faint.into_iter().map(|star| propagate(star, &moment));
            stars.extend(at_epoch.filter(|s| cone.holds(s)).take(limit - stars.len()));
        }
        Ok(stars)
    }

    fn cells_with_stars(&self) -> Vec<SkyCell> {
        let depth = self.groups.depth;
        self.groups.cells.iter().map(|(cell, range)| sky_cell(depth, *cell, range.len())).collect()
    }

    fn len(&self) -> usize {
        self.groups.stars.len()
    }
}

#[cfg(test)]
#[path = "tiles_tests.rs"]
mod tests;
