//! Pieces of a satellite's or aircraft's trail: many detections of one frame on one line.
//!
//! A Hough transform over direction and distance (Duda & Hart 1972, Comm. ACM 15, 11): each
//! detection votes for all lines through it, and a line with many more votes than its length
//! and the density of detections explain is a trail.

use super::field::{FieldFrame, Role};

/// Directions tried over half a turn.
const DIRECTIONS: usize = 720;
/// Fewest detections of a trail.
const MEMBERS_MIN: usize = 7;
/// Expected number of accidental lines as rich as a trail, over all lines of the frame.
const ACCIDENTS_MAX: f64 = 1e-3;
/// Half width of what is left out around a trail, in units of the line's.
const EDGE_WIDTHS: f64 = 2.5;
/// Most trails looked for in one frame.
const TRAILS_MAX: usize = 4;
/// Most detections that vote; the brightest.
const VOTERS_MAX: usize = 3000;

/// Marks the free detections that lie on trails; gives the number of trails found.
pub fn mark_trails(frame: &mut FieldFrame) -> usize {
    let width_arcsec = 1.5 * frame.fwhm_arcsec;
    let area = frame.area_arcsec2();
    if width_arcsec <= 0.0 || area <= 0.0 {
        return 0;
    }
    let mut n_trails = 0;
    while n_trails < TRAILS_MAX {
        let mut voters: Vec<usize> = (0..frame.detections.len())
            .filter(|&i| frame.detections[i].role == Role::Free)
            .collect();
        voters.sort_by(|&a, &b| {
            frame.detections[b].snr.total_cmp(&frame.detections[a].snr).then(a.cmp(&b))
        });
        voters.truncate(VOTERS_MAX);
        let Some((sin, cos, rho)) = best_line(frame, &voters, width_arcsec) else {
            break;
        };
        let members: Vec<usize> = voters
            .iter()
            .copied()
            .filter(|&i| {
                let d = &frame.detections[i];
                (d.east_arcsec * cos + d.north_arcsec * sin - rho).abs() < width_arcsec
            })
            .collect();
        let expected = voters.len() as f64 * 2.0 * width_arcsec * area.sqrt() / area;
        let n_lines = DIRECTIONS as f64 * area.sqrt() / width_arcsec;
        let accidents = n_lines * poisson_tail(members.len(), expected);
        if members.len() < MEMBERS_MIN || accidents > ACCIDENTS_MAX {
            break;
        }
        // A bright trail is wider than the line found, and its edges are sources, too.
        for d in frame.detections.iter_mut().filter(|d| d.role == Role::Free) {
            let distance = (d.east_arcsec * cos + d.north_arcsec * sin - rho).abs();
            if distance < EDGE_WIDTHS * width_arcsec {
                d.role = Role::Trail;
            }
        }
        n_trails += 1;
    }
    n_trails
}

/// Chance of at least `n` events where `mean` are expected.
fn poisson_tail(n: usize, mean: f64) -> f64 {
    const TERMS: usize = 200;
    let mut term = (-mean).exp();
    for k in 1..=n {
        term *= mean / k as f64;
    }
    let mut sum = 0.0;
    for k in n..n + TERMS {
        sum += term;
        term *= mean / (k + 1) as f64;
    }
    sum
}

/// The line (sine and cosine of its normal's direction, distance) with the most votes.
fn best_line(frame: &FieldFrame, voters: &[usize], width_arcsec: f64) -> Option<(f64, f64, f64)> {
    let reach = frame.outline_arcsec.iter().map(|c| c.0.hypot(c.1)).fold(width_arcsec, f64::max);
    let n_bins = (2.0 * reach / width_arcsec).ceil() as usize + 2;
    let mut best = (0_u32, 0.0, 0.0, 0.0);
    let mut votes = vec![0_u32; n_bins];
    for k in 0..DIRECTIONS {
        let angle = std::f64::consts::PI * k as f64 / DIRECTIONS as f64;
        let (sin, cos) = angle.sin_cos();
        votes.fill(0);
        for &i in voters {
            let d = &frame.detections[i];
            let rho = d.east_arcsec * cos + d.north_arcsec * sin;
            let bin = ((rho + reach) / width_arcsec).max(0.0) as usize;
            votes[bin.min(n_bins - 1)] += 1;
        }
        for (bin, pair) in votes.windows(2).enumerate() {
            let count = pair[0] + pair[1];
            if count > best.0 {
                best = (count, sin, cos, (bin as f64 + 1.0) * width_arcsec - reach);
            }
        }
    }
    (best.0 as usize >= MEMBERS_MIN).then_some((best.1, best.2, best.3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::movers::field::PlaneDetection;

    fn frame(places: &[(f64, f64)]) -> FieldFrame {
        let mut detections: Vec<PlaneDetection> = places
            .iter()
            .map(|&(east_arcsec, north_arcsec)| PlaneDetection {
                east_arcsec,
                north_arcsec,
                ..PlaneDetection::example()
            })
            .collect();
        detections.sort_by(|a, b| a.east_arcsec.total_cmp(&b.east_arcsec));
        FieldFrame {
            fwhm_arcsec: 3.0,
            outline_arcsec: [(-500., -500.), (500., -500.), (500., 500.), (-500., 500.)],
            detections,
            ..FieldFrame::example()
        }
    }

    fn scattered(n: usize) -> Vec<(f64, f64)> {
        let mut state = 42_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        (0..n).map(|_| (1000.0 * uniform() - 500.0, 1000.0 * uniform() - 500.0)).collect()
    }

    #[test]
    fn a_trail_is_marked_and_its_surroundings_are_not() {
        let mut places = scattered(60);
        places.extend((0..25).map(|i| {
            let s = 40.0 * f64::from(i) - 480.0;
            (s, 0.4 * s + 30.0)
        }));
        let mut frame = frame(&places);
        assert_eq!(mark_trails(&mut frame), 1);
        let marked = frame.detections.iter().filter(|d| d.role == Role::Trail).count();
        assert!((25..=32).contains(&marked), "{marked}");
    }

    #[test]
    fn the_poisson_tail_is_that_of_the_tables() {
        // P(X >= 2 | 1) = 1 - 2/e.
        assert!((poisson_tail(2, 1.0) - (1.0 - 2.0 / std::f64::consts::E)).abs() < 1e-12);
        assert!((poisson_tail(0, 3.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn scattered_detections_are_no_trail() {
        assert_eq!(mark_trails(&mut frame(&scattered(80))), 0);
        assert_eq!(mark_trails(&mut frame(&[])), 0);
    }
}
