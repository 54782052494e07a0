//! Separation of sources: hills of known shape, and random maps against the plain method.

use super::flood::{Basin, join, root_of};
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

/// The method without islands: all pixels from the brightest down, a frame of labels.
fn plainly(
    snr: &Image<f32>,
    ground: impl Fn(usize) -> Ground,
    params: &SegmentParams,
) -> Vec<Segment> {
    let (nx, ny, map) = (snr.nx(), snr.ny(), snr.pixels());
    let threshold = params.pixel_snr_min as f32;
    let mut order: Vec<usize> =
        (0..map.len()).filter(|&i| map[i] > threshold && map[i] < f32::INFINITY).collect();
    order.sort_by(|&a, &b| map[b].total_cmp(&map[a]).then(a.cmp(&b)));
    order.truncate(params.pixels_max);
    let mut label = vec![None; map.len()];
    let mut basins: Vec<Basin> = Vec::new();
    for &place in &order {
        let (x, y) = (place % nx, place / nx);
        let mut roots = Vec::new();
        for row in y.saturating_sub(1)..(y + 2).min(ny) {
            for column in x.saturating_sub(1)..(x + 2).min(nx) {
                if let Some(near) = label[row * nx + column] {
                    let root = root_of(&mut basins, near);
                    if !roots.contains(&root) {
                        roots.push(root);
                    }
                }
            }
        }
        label[place] = Some(if roots.is_empty() {
            basins.push(Basin::of_summit(basins.len() as u32, place as u32, map[place]));
            basins.len() as u32 - 1
        } else {
            join(&mut basins, &roots, map[place], ground(place), params)
        });
    }
    let roots: Vec<_> =
        order.iter().map(|&place| root_of(&mut basins, label[place].expect("visited"))).collect();
    let mut segments = Vec::new();
    for i in 0..basins.len() as u32 {
        let doubter = basins[i as usize].doubted_by.map(|other| root_of(&mut basins, other));
        let basin = &basins[i as usize];
        let own = order.iter().zip(&roots).filter(|(_, root)| **root == i);
        let pixels: Vec<u32> = own.map(|(&place, _)| place as u32).collect();
        let is_high = f64::from(basin.peak_snr) >= params.peak_snr_min;
        if basin.parent == i && is_high && pixels.len() >= params.pixels_min {
            segments.push(Segment {
                peak_x: basin.peak as usize % nx,
                peak_y: basin.peak as usize / nx,
                peak_snr: basin.peak_snr,
                pixels,
                is_blended: basin.is_blended,
                doubted_by: doubter.map(|root| basins[root as usize].peak),
            });
        }
    }
    segments
}

/// Numbers in 0..1 that look random.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.0 >> 40) as f64 / (1_u64 << 24) as f64
    }
}

/// Noise, hills and spoiled pixels; coarse steps make many pixels equal.
fn random_map(nx: usize, ny: usize, random: &mut Random) -> Image<f32> {
    let coarse = [0.0, 0.25, 1.0][(random.next() * 3.0) as usize];
    let hills: Vec<[f64; 3]> = (0..nx * ny / 60)
        .map(|_| {
            let height = 2.0 / (0.02 + random.next());
            [random.next() * nx as f64, random.next() * ny as f64, height]
        })
        .collect();
    let pixels = (0..nx * ny)
        .map(|i| {
            let (x, y) = ((i % nx) as f64, (i / nx) as f64);
            let hill = |[x0, y0, height]: &[f64; 3]| {
                height * (-((x - x0).powi(2) + (y - y0).powi(2)) / 5.0).exp()
            };
            let noise = 3.0 * (random.next() + random.next() - 1.0);
            let value = noise + hills.iter().map(hill).sum::<f64>();
            match (random.next() * 200.0) as u32 {
                0 => f32::NAN,
                1 => f32::INFINITY,
                2 => f32::NEG_INFINITY,
                _ if coarse > 0.0 => ((value / coarse).round() * coarse) as f32,
                _ => value as f32,
            }
        })
        .collect();
    Image::from_pixels(nx, ny, pixels).expect("counted")
}

#[test]
fn islands_give_what_the_whole_map_gives_on_any_number_of_threads() {
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
    let (one, four) = (pool(1), pool(4));
    let mut random = Random(5);
    // Wider than a piece, higher than a band, by odd numbers; and the thinnest.
    let shapes = [(67, 131), (1, 90), (90, 1), (33, 65), (2, 40), (64, 64), (40, 2), (7, 9)];
    let mut n_all = [0; 3];
    for round in 0..96 {
        let (nx, ny) = shapes[round % shapes.len()];
        let map = random_map(nx, ny, &mut random);
        let below = random.next();
        let params = SegmentParams {
            pixel_snr_min: [2.5, 0.5, -1.0][round % 3],
            peak_snr_min: 1.0 + 3.0 * random.next(),
            prominence_sigma_min: 2.5 * random.next(),
            doubt_sigma_min: 1.5 * random.next(),
            prominence_share_min: 0.02 * random.next(),
            pixels_min: 1 + (4.0 * random.next()) as usize,
            pixels_max: if below < 0.3 { (below * (nx * ny) as f64) as usize } else { 1 << 20 },
        };
        let noises: Vec<f64> = (0..nx * ny).map(|_| random.next()).collect();
        let ground = |i: usize| Ground {
            noise_growth: 1.0 + noises[i] as f32,
            is_one_source: noises[i] > 0.98,
        };
        let expected = plainly(&map, ground, &params);
        let found = one.install(|| find_segments(&map, ground, &params));
        assert_eq!(found, expected, "{nx} x {ny} {params:?}");
        assert_eq!(four.install(|| find_segments(&map, ground, &params)), expected);
        n_all[0] += found.len();
        n_all[1] += found.iter().filter(|s| s.is_blended).count();
        n_all[2] += found.iter().filter(|s| s.doubted_by.is_some()).count();
    }
    // The maps do hold what is compared.
    assert!(n_all.iter().all(|&n| n > 200), "{n_all:?}");
}
