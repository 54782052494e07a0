//! Finds and separates sources on a signal-to-noise map.
//!
//! Pixels are taken from the brightest downwards and join the source of a neighbour already
//! taken. Where two sources meet, the fainter survives as a source of its own when its summit
//! stands high enough above the pass between them (topological persistence; the same decision
//! SExtractor takes with its multi-threshold tree, but exact and without levels).

use rayon::prelude::*;

use crate::science::image::Image;

/// Which summits count as sources.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentParams {
    /// Lowest signal-to-noise ratio of a pixel that belongs to a source.
    pub pixel_snr_min: f64,
    /// Lowest signal-to-noise ratio of a source's summit.
    pub peak_snr_min: f64,
    /// Lowest height of a summit above the pass to a brighter one, in units of local noise.
    pub prominence_sigma_min: f64,
    /// Above this height the summit is in doubt: a source of its own until fits decide.
    pub doubt_sigma_min: f64,
    /// Lowest height of a summit above the pass, as a share of the brighter summit.
    pub prominence_share_min: f64,
    /// Fewest pixels of a source.
    pub pixels_min: usize,
    /// Most pixels that are looked at; the brightest stay.
    pub pixels_max: usize,
}

impl Default for SegmentParams {
    fn default() -> Self {
        Self {
            pixel_snr_min: 2.5,
            peak_snr_min: 4.0,
            prominence_sigma_min: 2.5,
            doubt_sigma_min: 1.5,
            prominence_share_min: 0.004,
            pixels_min: 1,
            pixels_max: 6_000_000,
        }
    }
}

/// Pixels of one source on the signal-to-noise map.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Column of the summit [px].
    pub peak_x: usize,
    /// Row of the summit [px].
    pub peak_y: usize,
    /// Signal-to-noise ratio of the summit.
    pub peak_snr: f32,
    /// Places of all pixels, as `y * nx + x`, brightest first.
    pub pixels: Vec<u32>,
    /// Whether it touches another source.
    pub is_blended: bool,
    /// Summit, as `y * nx + x`, of the brighter source it may be a mere bump of.
    pub doubted_by: Option<u32>,
}

/// Basin being grown: its parent after a merger, the basin it may be a bump of, its summit.
struct Basin {
    parent: u32,
    doubted_by: Option<u32>,
    peak: u32,
    peak_snr: f32,
    is_blended: bool,
}

/// What the map itself does not tell about a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ground {
    /// Standard deviation in units of the sky's, at least 1: a source's own photons add noise.
    pub noise_growth: f32,
    /// Whether everything that meets here is one source: a saturated star has false summits.
    pub is_one_source: bool,
}

/// Separates the sources of a map, in order of their summits' height.
///
/// * `snr`: signal-to-noise ratio per pixel; values that are not finite are left out.
/// * `ground`: noise and nature of a pixel, by its index in the map.
pub fn find_segments(
    snr: &Image<f32>,
    ground: impl Fn(usize) -> Ground,
    params: &SegmentParams,
) -> Vec<Segment> {
    let (nx, ny) = (snr.nx(), snr.ny());
    let map = snr.pixels();
    let order = descending(map, params);
    // Label 0 is none: memory given as zeros is touched only where sources are.
    let mut label = vec![0_u32; map.len()];
    let mut basins: Vec<Basin> = Vec::new();
    for &place in &order {
        let mut roots = [0_u32; 8];
        let mut n_roots = 0;
        let mut meet = |neighbour: u32| {
            if neighbour != 0 {
                let root = root_of(&mut basins, neighbour - 1);
                if !roots[..n_roots].contains(&root) {
                    roots[n_roots] = root;
                    n_roots += 1;
                }
            }
        };
        let (x, y) = (place as usize % nx, place as usize / nx);
        let (left, right) = (x.saturating_sub(1), (x + 2).min(nx));
        for row in y.saturating_sub(1)..(y + 2).min(ny) {
            label[row * nx + left..row * nx + right].iter().for_each(|&near| meet(near));
        }
        let value = map[place as usize];
        let basin = if n_roots == 0 {
            basins.push(Basin {
                parent: basins.len() as u32,
                doubted_by: None,
                peak: place,
                peak_snr: value,
                is_blended: false,
            });
            basins.len() as u32 - 1
        } else {
            join(&mut basins, &roots[..n_roots], value, ground(place as usize), params)
        };
        label[place as usize] = basin + 1;
    }
    collect(basins, &label, &order, nx, params)
}

/// Places above the threshold, brightest first; ties go by place, so that the result is the same
/// on every machine. Above `pixels_max` the faintest are left out.
fn descending(map: &[f32], params: &SegmentParams) -> Vec<u32> {
    const CHUNK: usize = 1 << 16;
    let threshold = params.pixel_snr_min as f32;
    let chunks: Vec<Vec<u64>> = map
        .par_chunks(CHUNK)
        .enumerate()
        .map(|(k, chunk)| {
            let mut keys = Vec::new();
            for (i, &value) in chunk.iter().enumerate() {
                if value > threshold && value < f32::INFINITY {
                    keys.push(key(value, (k * CHUNK + i) as u32));
                }
            }
            keys
        })
        .collect();
    let mut keys = chunks.concat();
    if keys.len() > params.pixels_max {
        keys.select_nth_unstable(params.pixels_max);
        keys.truncate(params.pixels_max);
    }
    keys.sort_unstable();
    keys.into_iter().map(|key| key as u32).collect()
}

/// A number that sorts by falling value, then by rising place.
fn key(value: f32, place: u32) -> u64 {
    // Bits of positive floats sort as they do; negative ones the other way round.
    let bits = value.to_bits();
    let rising = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
    u64::from(!rising) << 32 | u64::from(place)
}

/// Merges the basins that meet at a pixel of `value` where they must; gives the pixel's basin.
fn join(
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

fn root_of(basins: &mut [Basin], mut label: u32) -> u32 {
    while basins[label as usize].parent != label {
        let grandparent = basins[basins[label as usize].parent as usize].parent;
        basins[label as usize].parent = grandparent;
        label = grandparent;
    }
    label
}

fn collect(
    mut basins: Vec<Basin>,
    label: &[u32],
    order: &[u32],
    nx: usize,
    params: &SegmentParams,
) -> Vec<Segment> {
    let mut index = vec![u32::MAX; basins.len()];
    let mut segments: Vec<Segment> = Vec::new();
    for i in 0..basins.len() {
        let doubted_by = basins[i].doubted_by.map(|other| root_of(&mut basins, other));
        let doubted_by = doubted_by.map(|root| basins[root as usize].peak);
        let basin = &basins[i];
        if basin.parent == i as u32 && f64::from(basin.peak_snr) >= params.peak_snr_min {
            index[i] = segments.len() as u32;
            segments.push(Segment {
                peak_x: basin.peak as usize % nx,
                peak_y: basin.peak as usize / nx,
                peak_snr: basin.peak_snr,
                pixels: Vec::new(),
                is_blended: basin.is_blended,
                doubted_by,
            });
        }
    }
    for &place in order {
        let root = root_of(&mut basins, label[place as usize] - 1);
        if let Some(segment) = segments.get_mut(index[root as usize] as usize) {
            segment.pixels.push(place);
        }
    }
    segments.retain(|segment| segment.pixels.len() >= params.pixels_min);
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two Gaussian hills of equal width on a flat map.
    fn two_hills(distance: f64, heights: (f64, f64)) -> Image<f32> {
        let hill = |x: f64, y: f64, x0: f64, height: f64| {
            height * (-((x - x0).powi(2) + (y - 20.0).powi(2)) / (2.0 * 2.0_f64.powi(2))).exp()
        };
        let pixels = (0..60 * 40)
            .map(|i| {
                let (x, y) = ((i % 60) as f64, (i / 60) as f64);
                (hill(x, y, 20.0, heights.0) + hill(x, y, 20.0 + distance, heights.1)) as f32
            })
            .collect();
        Image::from_pixels(60, 40, pixels).expect("counted")
    }

    fn quiet(_: usize) -> Ground {
        Ground { noise_growth: 1.0, is_one_source: false }
    }

    #[test]
    fn summits_of_a_saturated_star_are_one_source() {
        let map = two_hills(10.0, (100.0, 90.0));
        let saturated = |_| Ground { noise_growth: 1.0, is_one_source: true };
        assert_eq!(find_segments(&map, quiet, &SegmentParams::default()).len(), 2);
        assert_eq!(find_segments(&map, saturated, &SegmentParams::default()).len(), 1);
    }

    #[test]
    fn two_hills_apart_are_two_sources() {
        let map = two_hills(10.0, (100.0, 30.0));
        let found = find_segments(&map, quiet, &SegmentParams::default());
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].peak_x, found[0].peak_y), (20, 20));
        assert_eq!((found[1].peak_x, found[1].peak_y), (30, 20));
        assert!(found[0].is_blended && found[1].is_blended);
    }

    #[test]
    fn two_hills_that_merge_are_one_source() {
        // Two equal Gaussians closer than two sigmas have one summit.
        let found = find_segments(&two_hills(3.0, (50.0, 50.0)), quiet, &SegmentParams::default());
        assert_eq!(found.len(), 1);
        assert!(!found[0].is_blended);
    }

    #[test]
    fn a_bump_below_the_noise_of_its_place_is_no_source() {
        // The pass lies 4.5 below the bump's summit of 12.
        let map = two_hills(9.0, (400.0, 12.0));
        let plain = find_segments(&map, quiet, &SegmentParams::default());
        let noisy = find_segments(
            &map,
            |_| Ground { noise_growth: 20.0, is_one_source: false },
            &SegmentParams::default(),
        );
        assert_eq!((plain.len(), noisy.len()), (2, 1));
    }

    #[test]
    fn every_pixel_above_the_threshold_has_one_owner() {
        let map = two_hills(10.0, (100.0, 30.0));
        let found = find_segments(&map, quiet, &SegmentParams::default());
        let n_above = map.pixels().iter().filter(|&&v| v > 2.5).count();
        let mut all: Vec<u32> = found.iter().flat_map(|s| s.pixels.clone()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), n_above);
    }

    #[test]
    fn small_sources_and_faint_pixels_are_left_out_on_demand() {
        let map = two_hills(10.0, (100.0, 3.0));
        let whole = find_segments(&map, quiet, &SegmentParams::default());
        let n = whole[0].pixels.len();
        let params = SegmentParams { pixels_min: n + 1, ..SegmentParams::default() };
        assert!(find_segments(&map, quiet, &params).is_empty());
        let params = SegmentParams { pixels_max: 30, ..SegmentParams::default() };
        let cut = find_segments(&map, quiet, &params);
        assert_eq!(cut.len(), 1);
        assert_eq!(cut[0].pixels, whole[0].pixels[..30]);
    }

    #[test]
    fn a_map_without_signal_has_no_source() {
        let map = Image::filled(30, 30, f32::NAN);
        assert!(find_segments(&map, quiet, &SegmentParams::default()).is_empty());
    }
}
