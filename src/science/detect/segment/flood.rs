//! Separates the sources of one island, from its highest pixel downwards.

use super::islands::{Run, key};
use super::{Ground, Segment, SegmentParams};

/// Basin being grown: its parent after a merger, the basin it may be a bump of, its summit.
pub(super) struct Basin {
    pub(super) parent: u32,
    pub(super) doubted_by: Option<u32>,
    /// Number of the summit's pixel in the island.
    pub(super) peak: u32,
    pub(super) peak_snr: f32,
    pub(super) is_blended: bool,
    /// Number of its pixels, counted at the end in the roots.
    n_pixels: u32,
}

impl Basin {
    /// A basin of one pixel, its own parent.
    pub(super) fn of_summit(number: u32, peak: u32, peak_snr: f32) -> Self {
        Self { parent: number, doubted_by: None, peak, peak_snr, is_blended: false, n_pixels: 0 }
    }
}

/// Where the neighbours of a pixel stand in the island's list: those of one row side by side.
struct Near {
    above: u32,
    below: u32,
    n_above: u8,
    n_left: u8,
    n_right: u8,
    n_below: u8,
}

/// Work space for one island after another.
#[derive(Default)]
pub(super) struct Flood {
    /// Places as `y * (nx + 1) + x` from the island's first row on: rows do not touch at the ends.
    spots: Vec<usize>,
    /// Places in the frame, as `y * nx + x`.
    places: Vec<u32>,
    near: Vec<Near>,
    /// Basin of each pixel, counted from 1; 0 is none yet.
    labels: Vec<u32>,
    keys: Vec<u64>,
    basins: Vec<Basin>,
}

impl Flood {
    /// Separates the sources of an island, in order of their summits' height.
    ///
    /// * `nx`: the frame's width [px].
    pub(super) fn segments(
        &mut self,
        nx: usize,
        (runs, values): (&[Run], &[f32]),
        ground: &impl Fn(usize) -> Ground,
        params: &SegmentParams,
    ) -> Vec<Segment> {
        self.lay_out(nx, runs);
        self.keys.clear();
        self.keys.extend(values.iter().enumerate().map(|(i, &value)| key(value, i as u32)));
        self.keys.sort_unstable();
        self.labels.clear();
        self.labels.resize(values.len(), 0);
        self.basins.clear();
        for k in 0..self.keys.len() {
            let pixel = self.keys[k] as u32 as usize;
            let value = values[pixel];
            let (roots, n_roots) = self.roots_near(pixel);
            let basin = match n_roots {
                0 => {
                    let number = self.basins.len() as u32;
                    self.basins.push(Basin::of_summit(number, pixel as u32, value));
                    number
                }
                1 => roots[0],
                _ => {
                    let ground = ground(self.places[pixel] as usize);
                    join(&mut self.basins, &roots[..n_roots], value, ground, params)
                }
            };
            self.labels[pixel] = basin + 1;
        }
        self.collect(nx, params)
    }

    /// Writes the places of the pixels and where the neighbours of each begin.
    fn lay_out(&mut self, nx: usize, runs: &[Run]) {
        let stride = nx + 1;
        let top = runs.first().map_or(0, |run| run.y);
        self.spots.clear();
        self.places.clear();
        for run in runs {
            let spot = (run.y - top) as usize * stride + run.x as usize;
            let place = (run.y as usize * nx + run.x as usize) as u32;
            self.spots.extend(spot..spot + run.n as usize);
            self.places.extend(place..place + run.n);
        }
        self.near.clear();
        let spots = &self.spots;
        let at = |i: usize| spots.get(i).copied().unwrap_or(usize::MAX);
        let (mut above, mut below) = (0, 0);
        for (i, &spot) in spots.iter().enumerate() {
            while spots[above] + stride + 1 < spot {
                above += 1;
            }
            while at(below) < spot + stride - 1 {
                below += 1;
            }
            let count = |from: usize, last: usize| (0..3).filter(|k| at(from + k) <= last).count();
            self.near.push(Near {
                above: above as u32,
                below: below as u32,
                n_above: (spot + 1).checked_sub(stride).map_or(0, |last| count(above, last)) as u8,
                n_left: u8::from(i > 0 && at(i.wrapping_sub(1)) + 1 == spot),
                n_right: u8::from(at(i + 1) == spot + 1),
                n_below: count(below, spot + stride + 1) as u8,
            });
        }
    }

    /// The basins around a pixel, in order of rows and columns, each once.
    fn roots_near(&mut self, pixel: usize) -> ([u32; 8], usize) {
        let (mut roots, mut n_roots) = ([0_u32; 8], 0);
        let (labels, basins) = (&self.labels, &mut self.basins);
        let mut meet = |from: usize, n: usize| {
            for label in labels[from..from + n].iter().filter(|label| **label != 0) {
                let root = root_of(basins, label - 1);
                if !roots[..n_roots].contains(&root) {
                    roots[n_roots] = root;
                    n_roots += 1;
                }
            }
        };
        let near = &self.near[pixel];
        let left = usize::from(near.n_left);
        meet(near.above as usize, usize::from(near.n_above));
        // The pixel itself has no label yet.
        meet(pixel - left, left + 1 + usize::from(near.n_right));
        meet(near.below as usize, usize::from(near.n_below));
        (roots, n_roots)
    }

    /// Hands the pixels out to the basins that are sources.
    fn collect(&mut self, nx: usize, params: &SegmentParams) -> Vec<Segment> {
        let basins = &mut self.basins;
        for label in &mut self.labels {
            *label = root_of(basins, *label - 1);
            basins[*label as usize].n_pixels += 1;
        }
        let mut index = vec![u32::MAX; basins.len()];
        let mut segments: Vec<Segment> = Vec::new();
        for i in 0..basins.len() {
            let doubted_by = basins[i].doubted_by.map(|other| root_of(basins, other));
            let doubted_by = doubted_by.map(|r| self.places[basins[r as usize].peak as usize]);
            let basin = &basins[i];
            let is_root = basin.parent == i as u32;
            let is_large = basin.n_pixels as usize >= params.pixels_min;
            if is_root && is_large && f64::from(basin.peak_snr) >= params.peak_snr_min {
                index[i] = segments.len() as u32;
                let place = self.places[basin.peak as usize] as usize;
                segments.push(Segment {
                    peak_x: place % nx,
                    peak_y: place / nx,
                    peak_snr: basin.peak_snr,
                    pixels: Vec::with_capacity(basin.n_pixels as usize),
                    is_blended: basin.is_blended,
                    doubted_by,
                });
            }
        }
        for &key in &self.keys {
            let pixel = key as u32 as usize;
            if let Some(segment) = segments.get_mut(index[self.labels[pixel] as usize] as usize) {
                segment.pixels.push(self.places[pixel]);
            }
        }
        segments
    }
}

/// Merges the basins that meet at a pixel of `value` where they must; gives the pixel's basin.
pub(super) fn join(
    basins: &mut [Basin],
    roots: &[u32],
    value: f32,
    ground: Ground,
    params: &SegmentParams,
) -> u32 {
    let mut highest = roots[0];
    for &root in &roots[1..] {
        if basins[root as usize].peak_snr > basins[highest as usize].peak_snr {
            highest = root;
        }
    }
    let summit = basins[highest as usize].peak_snr;
    // Below the threshold of summits two sources are apart however bright one of them is: the
    // share counts only where they would be one island.
    let is_one_island = value >= params.peak_snr_min as f32;
    let share = if is_one_island { params.prominence_share_min as f32 } else { 0.0 };
    let noise = ground.noise_growth.max(1.0);
    let needed = (params.prominence_sigma_min as f32 * noise).max(share * summit);
    let doubtful = (params.doubt_sigma_min as f32 * noise).max(share * summit).min(needed);
    // The pixel goes to the basin whose summit is nearest in height, so that a faint neighbour
    // keeps its own foot.
    let mut owner = highest;
    for &root in roots {
        if root == highest {
            continue;
        }
        let peak_snr = basins[root as usize].peak_snr;
        let height = peak_snr - value;
        let may_stand = height >= doubtful && peak_snr >= params.peak_snr_min as f32;
        if may_stand && !ground.is_one_source {
            // The first pass is the highest and tells; lower ones follow along the border.
            if height >= needed && basins[root as usize].doubted_by.is_none() {
                basins[root as usize].is_blended = true;
                basins[highest as usize].is_blended = true;
            } else if basins[root as usize].doubted_by.is_none() {
                basins[root as usize].doubted_by = Some(highest);
            }
            if owner == highest || peak_snr < basins[owner as usize].peak_snr {
                owner = root;
            }
        } else {
            basins[root as usize].parent = highest;
        }
    }
    owner
}

pub(super) fn root_of(basins: &mut [Basin], mut label: u32) -> u32 {
    while basins[label as usize].parent != label {
        let grandparent = basins[basins[label as usize].parent as usize].parent;
        basins[label as usize].parent = grandparent;
        label = grandparent;
    }
    label
}
