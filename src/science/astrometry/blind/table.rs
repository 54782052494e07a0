//! The table of shapes: stars grouped by cells of the sky, quadrilaterals hashed by shape.
//!
//! A shape falls into a bin of its four numbers, the bin into one of 2^k buckets. A broken table
//! can waste time but not lie: whatever it proposes is judged by the stars.

use rayon::prelude::*;

use super::code::{self, Care, Code, TOLERANCE, is_like};
use crate::science::sky::vector::UnitVector;

/// Depth of the HEALPix cells by which stars are grouped: 1.8 deg.
pub const CELL_DEPTH: u8 = 5;
/// Number of these cells.
pub const CELLS: usize = 12 << (2 * CELL_DEPTH as usize);
/// Most stars of a table.
pub const PLACES_MAX: usize = 5_000_000;
/// Most shapes of a table.
pub const QUADS_MAX: usize = 8_000_000;
/// Width of a bin of codes, four times the tolerance.
const BIN: f64 = 4.0 * TOLERANCE;
/// Buckets, as powers of two.
const BUCKET_BITS: std::ops::RangeInclusive<u32> = 4..=22;
/// Cells of the coarse grouping, for wide frames: 7.3 deg.
const COARSE_DEPTH: u8 = 3;
/// Stars kept in a coarse cell.
const COARSE_STARS: usize = 64;

/// A star of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Direction, good to 0.02 arcsec.
    pub direction: [f32; 3],
    /// Brightness; unknown ones are infinite.
    pub mag: f32,
}

impl Place {
    /// The direction as a unit vector.
    pub fn vector(&self) -> UnitVector {
        self.direction.map(f64::from)
    }
}

/// Four stars and their code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// Numbers of A, B, C and D.
    pub stars: [u32; 4],
    /// The code in steps of 1 / 32,000.
    pub code: [i16; 4],
}

/// Steps of a stored code.
const CODE_STEPS: f64 = 32_000.0;

/// A table that contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The stars of the cells are not as many as there are stars.
    #[error("the cells hold {told} stars, there are {found}")]
    Cells {
        /// As the cells say.
        told: u64,
        /// Stars there are.
        found: usize,
    },
    /// A star is no direction.
    #[error("star {number} has no direction")]
    Direction {
        /// Number of the star.
        number: usize,
    },
    /// A shape names a star that is not there.
    #[error("shape {number} names a star that is not there")]
    Quad {
        /// Number of the shape.
        number: usize,
    },
    /// The buckets do not hold the shapes.
    #[error("{n_buckets} buckets do not hold the {n_quads} shapes")]
    Buckets {
        /// Number of buckets.
        n_buckets: usize,
        /// Number of shapes.
        n_quads: usize,
    },
}

/// Bright stars of the whole sky and their shapes.
#[derive(Debug, Clone, Default)]
pub struct QuadTable {
    places: Vec<Place>,
    /// First star of each cell, and their number at the end.
    cells: Vec<u32>,
    /// Brightest stars of the coarse cells.
    coarse: Vec<Vec<u32>>,
    quads: Vec<Shape>,
    /// First shape of each bucket, and their number at the end.
    buckets: Vec<u32>,
}

impl QuadTable {
    /// The table of stars by cell, brightest first, and shapes of them in any order.
    ///
    /// `counts`: stars of each of the [`CELLS`].
    ///
    /// Errors: what contradicts itself.
    pub fn new(
        places: Vec<Place>,
        counts: &[u32],
        quads: Vec<[u32; 4]>,
    ) -> Result<Self, TableError> {
        let mut table = Self::of_stars(places, counts)?;
        table.check_quads(quads.iter())?;
        table.hash(quads);
        Ok(table)
    }

    /// A table as [`Self::places`], [`Self::counts`], [`Self::quads`] and [`Self::buckets`] of
    /// another give it.
    ///
    /// Errors: what contradicts itself.
    pub fn from_parts(
        (places, counts): (Vec<Place>, &[u32]),
        (quads, buckets): (Vec<Shape>, Vec<u32>),
    ) -> Result<Self, TableError> {
        let mut table = Self::of_stars(places, counts)?;
        table.check_quads(quads.iter().map(|shape| &shape.stars))?;
        let n_buckets = buckets.len().saturating_sub(1);
        let bits = n_buckets.trailing_zeros();
        let is_whole = n_buckets.is_power_of_two()
            && BUCKET_BITS.contains(&bits)
            && buckets.first() == Some(&0)
            && buckets.is_sorted()
            && buckets.last().is_some_and(|&n| n as usize == quads.len());
        if !is_whole {
            return Err(TableError::Buckets { n_buckets, n_quads: quads.len() });
        }
        (table.quads, table.buckets) = (quads, buckets);
        Ok(table)
    }

    /// A table without shapes.
    fn of_stars(places: Vec<Place>, counts: &[u32]) -> Result<Self, TableError> {
        let told: u64 = counts.iter().map(|&n| u64::from(n)).sum();
        if counts.len() != CELLS || told != places.len() as u64 || places.len() > PLACES_MAX {
            return Err(TableError::Cells { told, found: places.len() });
        }
        let is_unit = |p: &Place| {
            let square: f64 = p.vector().iter().map(|x| x * x).sum();
            (square - 1.0).abs() < 1e-4
        };
        if let Some(number) = places.iter().position(|p| !is_unit(p)) {
            return Err(TableError::Direction { number });
        }
        let mut cells = Vec::with_capacity(CELLS + 1);
        cells.push(0);
        for count in counts {
            cells.push(cells.last().copied().unwrap_or(0) + count);
        }
        let mut table = Self { places, cells, ..Self::default() };
        table.coarse = table.coarse_cells();
        Ok(table)
    }

    fn check_quads<'a>(
        &self,
        mut quads: impl Iterator<Item = &'a [u32; 4]>,
    ) -> Result<(), TableError> {
        let is_there = |quad: &[u32; 4]| quad.iter().all(|&k| (k as usize) < self.places.len());
        match quads.position(|quad| !is_there(quad)) {
            Some(number) => Err(TableError::Quad { number }),
            None => Ok(()),
        }
    }

    /// Sorts the shapes into buckets.
    fn hash(&mut self, quads: Vec<[u32; 4]>) {
        let bits = quads.len().next_power_of_two().trailing_zeros();
        let n_buckets = 1_usize << bits.clamp(*BUCKET_BITS.start(), *BUCKET_BITS.end());
        let mut keyed: Vec<(u32, Shape)> = quads
            .into_par_iter()
            .filter_map(|quad| {
                let found = code::of_directions(quad.map(|k| self.vector(k)), Care::None)?;
                let code = found.code.map(|x| (x * CODE_STEPS).round() as i16);
                let shape = Shape { stars: found.order.map(|k| quad[k]), code };
                Some((bucket_of(bins(&shape.numbers()), n_buckets), shape))
            })
            .collect();
        keyed.par_sort_unstable();
        keyed.dedup();
        self.buckets = vec![0; n_buckets + 1];
        for (bucket, _) in &keyed {
            self.buckets[*bucket as usize + 1] += 1;
        }
        for k in 1..self.buckets.len() {
            self.buckets[k] += self.buckets[k - 1];
        }
        self.quads = keyed.into_iter().map(|(_, shape)| shape).collect();
    }

    /// The brightest stars of each coarse cell.
    fn coarse_cells(&self) -> Vec<Vec<u32>> {
        let children = 1_usize << (2 * (CELL_DEPTH - COARSE_DEPTH));
        let brightest = |cell: usize| -> Vec<u32> {
            let first = cell * children;
            let mut all: Vec<u32> = (first..first + children)
                .flat_map(|cell| self.cell(cell).take(COARSE_STARS))
                .collect();
            all.sort_by(|&a, &b| {
                let mag = |k: u32| self.places[k as usize].mag;
                mag(a).total_cmp(&mag(b)).then(a.cmp(&b))
            });
            all.truncate(COARSE_STARS);
            all
        };
        (0..CELLS / children).map(brightest).collect()
    }

    fn cell(&self, cell: usize) -> std::ops::Range<u32> {
        self.cells[cell]..self.cells[cell + 1]
    }

    /// The direction of a star.
    pub fn vector(&self, number: u32) -> UnitVector {
        self.places[number as usize].vector()
    }

    /// Stars of the table, by cell.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Number of stars of each cell.
    pub fn counts(&self) -> impl Iterator<Item = u32> {
        self.cells.windows(2).map(|w| w[1] - w[0])
    }

    /// The shapes.
    pub fn quads(&self) -> &[Shape] {
        &self.quads
    }

    /// First shape of each bucket, and their number at the end.
    pub fn buckets(&self) -> &[u32] {
        &self.buckets
    }

    /// Calls `act` with the stars A, B, C, D of every shape like a code.
    pub fn for_each_like(&self, wanted: &Code, mut act: impl FnMut(&[u32; 4])) {
        let low = bins(&wanted.map(|x| x - TOLERANCE));
        let high = bins(&wanted.map(|x| x + TOLERANCE));
        if self.buckets.len() < 2 {
            return;
        }
        // A bin is wider than twice the tolerance: at most two along each axis.
        for choice in 0..16_u32 {
            let is_high = |axis: usize| choice >> axis & 1 == 1;
            if (0..4).any(|axis| is_high(axis) && low[axis] == high[axis]) {
                continue;
            }
            let bin = std::array::from_fn(|k| if is_high(k) { high[k] } else { low[k] });
            let bucket = bucket_of(bin, self.buckets.len() - 1) as usize;
            let range = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
            for shape in &self.quads[range] {
                let code = shape.numbers();
                // Another bin of the same bucket has its own turn.
                if is_like(&code, wanted) && bins(&code) == bin {
                    act(&shape.stars);
                }
            }
        }
    }

    /// Stars around a direction, the brighter ones of each cell first.
    ///
    /// * `reach_rad`: how far stars are of use; beyond 4 deg only the brightest are given.
    /// * `area_sr`: so large an area shall have `wanted` of them.
    pub fn around(
        &self,
        centre: (f64, f64),
        reach_rad: f64,
        area_sr: f64,
        wanted: f64,
    ) -> Vec<u32> {
        /// Reach of one ring of fine cells around one, and of two [rad].
        const FINE_REACHES_RAD: [f64; 2] = [0.035, 0.07];
        let n_rings = FINE_REACHES_RAD.iter().position(|reach| reach_rad <= *reach);
        let depth = if n_rings.is_some() { CELL_DEPTH } else { COARSE_DEPTH };
        let mut cells = vec![cdshealpix::nested::hash(depth, centre.0, centre.1)];
        for _ in 0..=n_rings.unwrap_or(0) {
            for cell in cells.clone() {
                cdshealpix::nested::append_bulk_neighbours(depth, cell, &mut cells);
            }
            cells.sort_unstable();
            cells.dedup();
        }
        let cell_sr = 4.0 * std::f64::consts::PI / cdshealpix::n_hash(depth) as f64;
        let each = (wanted * cell_sr / area_sr).ceil().clamp(3.0, 200.0) as usize;
        let lists: Vec<Vec<u32>> = cells
            .into_iter()
            .map(|cell| match depth {
                CELL_DEPTH => self.cell(cell as usize).take(each).collect(),
                _ => self.coarse[cell as usize].iter().take(each).copied().collect(),
            })
            .collect();
        (0..each).flat_map(|rank| lists.iter().filter_map(move |l| l.get(rank).copied())).collect()
    }
}

impl Shape {
    /// The code.
    fn numbers(&self) -> Code {
        self.code.map(|x| f64::from(x) / CODE_STEPS)
    }
}

/// Bins of the four numbers; numbers of a code lie in [-1, 1].
fn bins(code: &Code) -> [i16; 4] {
    code.map(|x| (x / BIN).floor() as i16)
}

/// The bucket of a bin (Fibonacci hashing, Knuth 6.4).
fn bucket_of(bin: [i16; 4], n_buckets: usize) -> u32 {
    let key = bin.iter().fold(0_u64, |key, b| key << 16 | u64::from(*b as u16));
    let mixed = (key ^ key >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = n_buckets.trailing_zeros().max(1);
    (mixed >> (64 - bits)) as u32
}
