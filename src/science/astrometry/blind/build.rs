//! Which shapes of the sky's stars go into the table.
//!
//! Sizes come in bands of a factor 2, each with cells of its own: every cell gives the shapes whose
//! middle lies in it, of the brightest stars around, the brightest first. So each part of the sky
//! has as many in each band, whatever its stars, and a frame of any width shows some of a band
//! that suits it. The smallest band is the one in which a cell still holds two stars on average.

use rayon::prelude::*;

use super::code::{Care, of_directions};
use super::table::{CELL_DEPTH, CELLS, PLACES_MAX, Place, QUADS_MAX, QuadTable, TableError};
use crate::science::reference::star::ReferenceStar;
use crate::science::reference::tiles::{by_brightness, is_place};
use crate::science::sky::vector::{UnitVector, dot, ra_dec_rad, unit_vector};

/// Depths of the cells of the bands: 14.7 deg to 0.06 deg.
const DEPTHS: std::ops::RangeInclusive<u8> = 2..=10;
/// Stars per cell that the smallest band needs, on average.
const STARS_PER_CELL: f64 = 2.0;
/// Shapes of a cell.
const QUADS_PER_CELL: usize = 12;
/// Shapes of a cell that may share a star.
const QUADS_PER_STAR: usize = 6;
/// Brightest stars around a cell of which shapes are made.
const STARS_AROUND: usize = 14;
/// Brightest stars of a cell that are looked at.
const STARS_IN_CELL: usize = 12;
/// Least distance of A and B in sides of a cell; twice that is the most.
const LONGEST_MIN: f64 = 0.9;
/// Distance from a cell's middle of the stars of its shapes, in sides of a cell.
const REACH: f64 = 1.7;

/// What a table was made of.
#[derive(Debug)]
pub struct Chosen {
    /// The table.
    pub table: QuadTable,
    /// Stars that were left out: without place, or the faintest beyond the limit.
    pub n_left_out: usize,
}

/// Makes the table of these stars, in any order; the result does not depend on it.
pub fn choose(stars: &[ReferenceStar]) -> Result<Chosen, TableError> {
    let mut usable: Vec<&ReferenceStar> =
        stars.iter().filter(|s| is_place(s.ra_rad, s.dec_rad)).collect();
    usable.par_sort_by(|a, b| {
        by_brightness((a.g_mag, a.source_id), (b.g_mag, b.source_id))
            .then(a.ra_rad.total_cmp(&b.ra_rad))
            .then(a.dec_rad.total_cmp(&b.dec_rad))
    });
    usable.dedup_by(|a, b| {
        a.source_id == b.source_id
            && a.ra_rad.total_cmp(&b.ra_rad).is_eq()
            && a.dec_rad.total_cmp(&b.dec_rad).is_eq()
    });
    usable.truncate(PLACES_MAX);
    let n_left_out = stars.len() - usable.len();
    let (places, counts) = by_cell(&usable);
    let vectors: Vec<UnitVector> = places.iter().map(Place::vector).collect();
    let mut quads = Vec::new();
    for depth in DEPTHS {
        let per_cell = places.len() as f64 / cdshealpix::n_hash(depth) as f64;
        if per_cell < STARS_PER_CELL {
            break;
        }
        let band = Band::new(depth, &places, &vectors);
        let found = band.quads();
        if quads.len() + found.len() > QUADS_MAX {
            break;
        }
        quads.extend(found);
    }
    Ok(Chosen { table: QuadTable::new(places, &counts, quads)?, n_left_out })
}

/// Stars, brightest first, as places grouped by cell, and the number of each cell.
fn by_cell(stars: &[&ReferenceStar]) -> (Vec<Place>, Vec<u32>) {
    let mut keyed: Vec<(u64, Place)> = stars
        .par_iter()
        .map(|star| {
            let cell = cdshealpix::nested::hash(CELL_DEPTH, star.ra_rad, star.dec_rad);
            let direction = unit_vector(star.ra_rad, star.dec_rad).map(|x| x as f32);
            (cell, Place { direction, mag: star.g_mag.map_or(f32::INFINITY, |g| g as f32) })
        })
        .collect();
    keyed.par_sort_by_key(|(cell, _)| *cell);
    let mut counts = vec![0; CELLS];
    for (cell, _) in &keyed {
        counts[*cell as usize] += 1;
    }
    (keyed.into_iter().map(|(_, place)| place).collect(), counts)
}

/// Shapes of one size.
struct Band<'a> {
    depth: u8,
    side_rad: f64,
    vectors: &'a [UnitVector],
    mags: Vec<f32>,
    /// Cell and star, the brightest of each cell, by cell.
    members: Vec<(u64, u32)>,
    /// First member of each cell.
    starts: Vec<u32>,
}

impl<'a> Band<'a> {
    fn new(depth: u8, places: &[Place], vectors: &'a [UnitVector]) -> Self {
        let mags: Vec<f32> = places.iter().map(|p| p.mag).collect();
        let mut members: Vec<(u64, u32)> = vectors
            .par_iter()
            .enumerate()
            .map(|(k, v)| {
                let (ra, dec) = ra_dec_rad(*v);
                (cdshealpix::nested::hash(depth, ra, dec), k as u32)
            })
            .collect();
        let key = |&(cell, k): &(u64, u32)| (cell, mags[k as usize], k);
        members.par_sort_unstable_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
        });
        let (mut last, mut rank) = (u64::MAX, 0);
        members.retain(|(cell, _)| {
            rank = if *cell == last { rank + 1 } else { 0 };
            last = *cell;
            rank < STARS_IN_CELL
        });
        let n_cells = cdshealpix::n_hash(depth) as usize;
        let mut starts = vec![0_u32; n_cells + 1];
        for (cell, _) in &members {
            starts[*cell as usize + 1] += 1;
        }
        for k in 1..starts.len() {
            starts[k] += starts[k - 1];
        }
        let side_rad = (4.0 * std::f64::consts::PI / n_cells as f64).sqrt();
        Self { depth, side_rad, vectors, mags, members, starts }
    }

    fn quads(&self) -> Vec<[u32; 4]> {
        (0..cdshealpix::n_hash(self.depth))
            .into_par_iter()
            .flat_map_iter(|cell| self.quads_of(cell))
            .collect()
    }

    /// The brightest stars around a cell, brightest first.
    fn around(&self, cell: u64) -> Vec<u32> {
        let (ra, dec) = cdshealpix::nested::center(self.depth, cell);
        let centre = unit_vector(ra, dec);
        let mut ring = vec![cell];
        cdshealpix::nested::append_bulk_neighbours(self.depth, cell, &mut ring);
        let mut cells = ring.clone();
        for cell in ring {
            cdshealpix::nested::append_bulk_neighbours(self.depth, cell, &mut cells);
        }
        cells.sort_unstable();
        cells.dedup();
        let cosine_min = (REACH * self.side_rad).cos();
        let mut stars: Vec<u32> = cells
            .into_iter()
            .flat_map(|c| self.starts[c as usize]..self.starts[c as usize + 1])
            .map(|member| self.members[member as usize].1)
            .filter(|&k| dot(self.vectors[k as usize], centre) >= cosine_min)
            .collect();
        let mag = |k: u32| self.mags[k as usize];
        stars.sort_unstable_by(|&a, &b| mag(a).total_cmp(&mag(b)).then(a.cmp(&b)));
        stars.truncate(STARS_AROUND);
        stars
    }

    /// The shapes whose middle lies in a cell.
    fn quads_of(&self, cell: u64) -> Vec<[u32; 4]> {
        let stars = self.around(cell);
        let pairs = self.pairs(cell, &stars);
        let mut uses = [0; STARS_AROUND];
        let mut found = Vec::new();
        for faintest in 3..stars.len() {
            for i in 0..faintest {
                for j in i + 1..faintest {
                    for k in j + 1..faintest {
                        let ranks = [i, j, k, faintest];
                        let is_worn = ranks.iter().any(|&r| uses[r] >= QUADS_PER_STAR);
                        if is_worn || !pairs.suit(ranks) {
                            continue;
                        }
                        let quad = ranks.map(|r| stars[r]);
                        let vectors = quad.map(|star| self.vectors[star as usize]);
                        if of_directions(vectors, Care::Margin).is_none() {
                            continue;
                        }
                        ranks.iter().for_each(|&r| uses[r] += 1);
                        found.push(quad);
                        if found.len() == QUADS_PER_CELL {
                            return found;
                        }
                    }
                }
            }
        }
        found
    }

    /// Distances of stars, and which of them make a shape of this cell and band.
    fn pairs(&self, cell: u64, stars: &[u32]) -> Pairs {
        let mut pairs = Pairs::default();
        let sides = LONGEST_MIN * self.side_rad..2.0 * LONGEST_MIN * self.side_rad;
        for (i, a) in stars.iter().enumerate() {
            for (j, b) in stars.iter().enumerate().skip(i + 1) {
                let (a, b) = (self.vectors[*a as usize], self.vectors[*b as usize]);
                let chord = (0..3).map(|k| (a[k] - b[k]) * (a[k] - b[k])).sum::<f64>().sqrt();
                let is_here = || {
                    let (ra, dec) = ra_dec_rad(std::array::from_fn(|k| a[k] + b[k]));
                    cdshealpix::nested::hash(self.depth, ra, dec) == cell
                };
                pairs.0[i][j] = (chord as f32, sides.contains(&chord) && is_here());
            }
        }
        pairs
    }
}

/// For each two stars their chord [rad], and whether they may be the ends of a shape.
#[derive(Default)]
struct Pairs([[(f32, bool); STARS_AROUND]; STARS_AROUND]);

impl Pairs {
    /// Tells whether the two farthest of four stars, by rising rank, may be the ends.
    fn suit(&self, [a, b, c, d]: [usize; 4]) -> bool {
        let all = [(a, b), (a, c), (a, d), (b, c), (b, d), (c, d)].map(|(i, j)| self.0[i][j]);
        all.into_iter().max_by(|p, q| p.0.total_cmp(&q.0)).is_some_and(|(_, may_be)| may_be)
    }
}
