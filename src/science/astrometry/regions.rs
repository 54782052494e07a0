//! Parts of the sky where a frame could lie, in the order in which they are tried.
//!
//! Centres come from one grid over the sphere, bands of declination with steps in right
//! ascension, so that neighbouring cells of the catalogue never give the same centre twice.

use std::collections::BTreeSet;

use crate::science::reference::tiles::SkyCell;
use crate::science::sky::tan::TangentPlane;
use crate::science::sky::vector::{separation_rad, unit_vector, vector_separation_rad};

/// Most grid points looked at per catalogue cell and axis.
const STEPS_MAX: i64 = 200;
/// Most centres gathered before sorting.
const CENTRES_MAX: usize = 200_000;

/// Centres (RA, Dec) [rad] around a pointing, nearest first, on a square grid.
///
/// Covers a circle of `radius_rad`; the pointing itself comes first.
pub fn around(
    pointing_rad: (f64, f64),
    radius_rad: f64,
    step_rad: f64,
    limit: usize,
) -> Vec<(f64, f64)> {
    let plane = TangentPlane::at(pointing_rad);
    let steps = ((radius_rad / step_rad).ceil() as i64).clamp(0, STEPS_MAX);
    let mut offsets: Vec<(i64, i64)> = (-steps..=steps)
        .flat_map(|i| (-steps..=steps).map(move |j| (i, j)))
        .filter(|(i, j)| ((i * i + j * j) as f64).sqrt() * step_rad <= radius_rad + 0.5 * step_rad)
        .collect();
    offsets.sort_by_key(|(i, j)| (i * i + j * j, *i, *j));
    offsets.truncate(limit);
    offsets
        .into_iter()
        .map(|(i, j)| plane.deproject(i as f64 * step_rad, j as f64 * step_rad))
        .collect()
}

/// Centres (RA, Dec) [rad] over all cells of the catalogue, nearest to the pointing first.
///
/// Without pointing the cells with most stars come first. At most `limit` centres are given;
/// the second value tells whether some were left off.
pub fn everywhere(
    cells: &[SkyCell],
    pointing_rad: Option<(f64, f64)>,
    step_rad: f64,
    limit: usize,
) -> (Vec<(f64, f64)>, bool) {
    let mut order: Vec<&SkyCell> = cells.iter().collect();
    match pointing_rad {
        Some(from) => order.sort_by(|a, b| {
            separation_rad(a.centre_rad, from).total_cmp(&separation_rad(b.centre_rad, from))
        }),
        None => order.sort_by_key(|cell| std::cmp::Reverse(cell.n_stars)),
    }
    let mut seen: BTreeSet<(i64, i64)> = BTreeSet::new();
    let mut centres = Vec::new();
    let mut is_cut_off = false;
    for cell in order {
        if centres.len() >= CENTRES_MAX {
            is_cut_off = true;
            break;
        }
        for key in grid_keys(cell, step_rad) {
            if seen.insert(key) {
                centres.push(grid_centre(key, step_rad));
            }
        }
    }
    if let Some(from) = pointing_rad {
        let from = unit_vector(from.0, from.1);
        let mut keyed: Vec<(f64, (f64, f64))> = centres
            .into_iter()
            .map(|c| (vector_separation_rad(unit_vector(c.0, c.1), from), c))
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        centres = keyed.into_iter().map(|(_, c)| c).collect();
    }
    is_cut_off |= centres.len() > limit;
    centres.truncate(limit);
    (centres, is_cut_off)
}

/// Grid points (band, step) within the circle of a cell.
fn grid_keys(cell: &SkyCell, step_rad: f64) -> Vec<(i64, i64)> {
    let steps = ((cell.radius_rad / step_rad).ceil() as i64).clamp(0, STEPS_MAX);
    let plane = TangentPlane::at(cell.centre_rad);
    let mut keys: Vec<(i64, i64)> = (-steps..=steps)
        .flat_map(|i| (-steps..=steps).map(move |j| (i, j)))
        .filter(|(i, j)| ((i * i + j * j) as f64).sqrt() * step_rad <= cell.radius_rad + step_rad)
        .map(|(i, j)| {
            let (ra, dec) = plane.deproject(i as f64 * step_rad, j as f64 * step_rad);
            let band = (dec / step_rad).round() as i64;
            let n = steps_of_band(band, step_rad);
            (band, ((ra / std::f64::consts::TAU * n as f64).round() as i64).rem_euclid(n))
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Number of steps around a band of declination.
fn steps_of_band(band: i64, step_rad: f64) -> i64 {
    let cosine = (band as f64 * step_rad).cos().max(0.0);
    ((std::f64::consts::TAU * cosine / step_rad).ceil() as i64).max(1)
}

fn grid_centre((band, step): (i64, i64), step_rad: f64) -> (f64, f64) {
    let n = steps_of_band(band, step_rad);
    let quarter = std::f64::consts::FRAC_PI_2;
    (
        step as f64 / n as f64 * std::f64::consts::TAU,
        (band as f64 * step_rad).clamp(-quarter, quarter),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::reference::tiles::sky_cell;
    use crate::science::units::DEG_RAD;

    #[test]
    fn every_place_of_a_cell_is_near_a_centre() {
        let step = 0.3 * DEG_RAD;
        // Cells at the equator, in the cap and at the pole.
        for number in [0, 3000, 1023, 8191] {
            let cell = sky_cell(5, number, 10);
            let (centres, is_cut_off) = everywhere(&[cell], None, step, 10_000);
            assert!(!is_cut_off);
            for vertex in cdshealpix::nested::vertices(5, number) {
                let nearest = centres
                    .iter()
                    .map(|&c| separation_rad(c, vertex))
                    .fold(f64::INFINITY, f64::min);
                assert!(nearest < step, "cell {number}: {}", nearest / DEG_RAD);
            }
        }
    }

    #[test]
    fn nearest_centres_come_first_and_the_limit_is_told() {
        let cells = [sky_cell(5, 5, 10), sky_cell(5, 6, 90)];
        let pointing = (0.3, 0.2);
        let (centres, is_cut_off) = everywhere(&cells, Some(pointing), 0.2 * DEG_RAD, 20);
        assert!(is_cut_off && centres.len() == 20);
        let far: Vec<f64> = centres.iter().map(|&c| separation_rad(c, pointing)).collect();
        assert!(far.windows(2).all(|w| w[0] <= w[1] + 1e-12));
        let near = around(pointing, 0.0, 0.01, 10);
        assert_eq!(near.len(), 1);
        assert!(separation_rad(near[0], pointing) < 1e-12);
    }
}
