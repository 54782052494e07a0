//! Islands: pixels above a threshold that touch each other, across, down or by a corner.
//!
//! Only such pixels are listed, as runs along the rows, so that memory and time go with their
//! number and not with the frame's. Runs of neighbouring rows that touch belong together
//! (Rosenfeld & Pfaltz 1966, J. ACM 13, 471). Noise makes most islands; those whose highest pixel
//! is too low are dropped before anything is sorted.

use rayon::prelude::*;

use super::SegmentParams;
use crate::science::image::Image;

/// Pixels side by side in one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    /// First column [px].
    pub(super) x: u32,
    /// Row [px].
    pub(super) y: u32,
    /// Number of pixels.
    pub(super) n: u32,
    /// Place of its first value in the list of values.
    start: u32,
}

/// Runs in order of rows and columns, and the values of all their pixels in this order.
#[derive(Debug, Default)]
struct Runs {
    runs: Vec<Run>,
    values: Vec<f32>,
}

/// The islands of a map, each with its runs and values in order of rows and columns.
#[derive(Debug, Default)]
pub(super) struct Islands {
    all: Runs,
    /// First run and first value of each island, and the ends of the last one.
    starts: Vec<(usize, usize)>,
}

impl Islands {
    /// Number of islands.
    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Runs and values of an island.
    pub(super) fn island(&self, i: usize) -> (&[Run], &[f32]) {
        let ((run, value), (run_end, value_end)) = (self.starts[i], self.starts[i + 1]);
        (&self.all.runs[run..run_end], &self.all.values[value..value_end])
    }
}

/// Finds the islands whose highest pixel reaches the height of a summit.
///
/// Pixels at or below the threshold and infinite ones are left out, and above `pixels_max` the
/// faintest ones.
pub(super) fn islands_of(map: &Image<f32>, params: &SegmentParams) -> Islands {
    let threshold = params.pixel_snr_min as f32;
    let mut runs = runs_above(map, threshold, u64::MAX);
    if runs.values.len() > params.pixels_max {
        let last = last_kept(&runs, map.nx(), params.pixels_max);
        runs = last.map(|last| runs_above(map, threshold, last)).unwrap_or_default();
    }
    let roots = touching(&runs.runs);
    gathered(&runs, &roots, params.peak_snr_min)
}

/// A number that sorts by falling value, then by rising place.
pub(super) fn key(value: f32, place: u32) -> u64 {
    // Bits of positive floats sort as they do; negative ones the other way round.
    let bits = value.to_bits();
    let rising = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
    u64::from(!rising) << 32 | u64::from(place)
}

/// Key of the faintest of the `n` brightest pixels; `None` when `n` is zero.
fn last_kept(runs: &Runs, nx: usize, n: usize) -> Option<u64> {
    let places = runs.runs.iter().flat_map(|run| {
        let first = run.y * nx as u32 + run.x;
        first..first + run.n
    });
    let mut keys: Vec<u64> = runs.values.iter().zip(places).map(|(&v, p)| key(v, p)).collect();
    Some(*keys.select_nth_unstable(n.checked_sub(1)?).1)
}

/// Lists the pixels above the threshold whose key is at most `key_max`.
fn runs_above(map: &Image<f32>, threshold: f32, key_max: u64) -> Runs {
    const BAND_ROWS: usize = 64;
    let nx = map.nx();
    let bands: Vec<Runs> = map
        .pixels()
        .par_chunks(nx.max(1) * BAND_ROWS)
        .enumerate()
        .map(|(band, rows)| {
            let mut found = Runs::default();
            for (k, row) in rows.chunks(nx).enumerate() {
                let y = band * BAND_ROWS + k;
                let is_wanted = |value: f32, x: usize| {
                    value < f32::INFINITY
                        && value > threshold
                        && (key_max == u64::MAX || key(value, (y * nx + x) as u32) <= key_max)
                };
                add_row(&mut found, row, y as u32, threshold, is_wanted);
            }
            found
        })
        .collect();
    joined(&bands)
}

/// Adds the runs of one row.
fn add_row(
    found: &mut Runs,
    row: &[f32],
    y: u32,
    threshold: f32,
    is_wanted: impl Fn(f32, usize) -> bool,
) {
    /// Pixels looked at together: most pieces hold nothing and are passed by at once.
    const PIECE: usize = 32;
    // First column of the run being added; none while `x_next` differs from the column.
    let mut x_next = usize::MAX;
    for (k, piece) in row.chunks(PIECE).enumerate() {
        let any = match <&[f32; PIECE]>::try_from(piece) {
            Ok(piece) => piece.iter().fold(false, |any, &v| any | (v > threshold)),
            Err(_) => true,
        };
        if !any {
            continue;
        }
        for (i, &value) in piece.iter().enumerate() {
            let x = k * PIECE + i;
            if !is_wanted(value, x) {
                continue;
            }
            match found.runs.last_mut().filter(|_| x == x_next) {
                Some(run) => run.n += 1,
                None => {
                    let start = found.values.len() as u32;
                    found.runs.push(Run { x: x as u32, y, n: 1, start });
                }
            }
            found.values.push(value);
            x_next = x + 1;
        }
    }
}

fn joined(bands: &[Runs]) -> Runs {
    let mut all = Runs {
        runs: Vec::with_capacity(bands.iter().map(|b| b.runs.len()).sum()),
        values: Vec::with_capacity(bands.iter().map(|b| b.values.len()).sum()),
    };
    for band in bands {
        let start = all.values.len() as u32;
        all.runs.extend(band.runs.iter().map(|run| Run { start: start + run.start, ..*run }));
        all.values.extend_from_slice(&band.values);
    }
    all
}

/// For each run the first run of its island.
fn touching(runs: &[Run]) -> Vec<u32> {
    let mut parents: Vec<u32> = (0..runs.len() as u32).collect();
    // First run that may still touch the next one from the row above.
    let mut above = 0;
    for (i, run) in runs.iter().enumerate() {
        let is_left = |other: &Run| other.y + 1 < run.y || other.x + other.n < run.x;
        while above < i && runs[above].y < run.y && is_left(&runs[above]) {
            above += 1;
        }
        let mut k = above;
        while k < i && runs[k].y < run.y && runs[k].x <= run.x + run.n {
            let (a, b) = (root_of(&mut parents, k as u32), root_of(&mut parents, i as u32));
            parents[a.max(b) as usize] = a.min(b);
            k += 1;
        }
    }
    for i in 0..parents.len() {
        // The parent comes first and has found its root by now.
        parents[i] = parents[parents[i] as usize];
    }
    parents
}

fn root_of(parents: &mut [u32], mut i: u32) -> u32 {
    while parents[i as usize] != i {
        let grandparent = parents[parents[i as usize] as usize];
        parents[i as usize] = grandparent;
        i = grandparent;
    }
    i
}

/// Sorts runs and values by islands, in order of their first pixels; low islands are left out.
fn gathered(runs: &Runs, roots: &[u32], peak_min: f64) -> Islands {
    let values_of = |run: &Run| &runs.values[run.start as usize..(run.start + run.n) as usize];
    let mut is_high = vec![false; roots.len()];
    for (run, &root) in runs.runs.iter().zip(roots) {
        is_high[root as usize] |= values_of(run).iter().any(|&v| f64::from(v) >= peak_min);
    }
    // Sizes of the islands, then their ends while they fill.
    let mut index = vec![u32::MAX; roots.len()];
    let mut starts = vec![(0, 0)];
    for (i, (run, &root)) in runs.runs.iter().zip(roots).enumerate() {
        if !is_high[root as usize] {
            continue;
        }
        if root as usize == i {
            index[i] = starts.len() as u32 - 1;
            starts.push((0, 0));
        }
        let size = &mut starts[index[root as usize] as usize + 1];
        *size = (size.0 + 1, size.1 + run.n as usize);
    }
    for i in 1..starts.len() {
        starts[i] = (starts[i - 1].0 + starts[i].0, starts[i - 1].1 + starts[i].1);
    }
    let (n_runs, n_values) = starts.last().copied().unwrap_or_default();
    let mut all = Runs { runs: Vec::new(), values: vec![0.0; n_values] };
    all.runs.resize(n_runs, Run { x: 0, y: 0, n: 0, start: 0 });
    let mut next = starts.clone();
    for (run, &root) in runs.runs.iter().zip(roots).filter(|(_, root)| is_high[**root as usize]) {
        let (to_run, to_value) = &mut next[index[root as usize] as usize];
        let n = run.n as usize;
        all.runs[*to_run] = Run { start: *to_value as u32, ..*run };
        all.values[*to_value..*to_value + n].copy_from_slice(values_of(run));
        *to_run += 1;
        *to_value += n;
    }
    Islands { all, starts }
}
