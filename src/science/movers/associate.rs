//! Sources seen at one place all night: the stationary sky by lists alone.
//!
//! All free detections of all frames are sorted into one set of cells; what a detection's
//! neighbours of other times are tells what it is. Seen again in enough of the frames that lie far
//! enough in time, it stands still. Seen again, but drifting steadily by a good part of the
//! seeing over the night, it is a slow mover: it must neither be called a star here nor by the
//! light at its place at other times, which on a short night is its own.

use rayon::prelude::*;

use super::field::{DetectionId, FieldFrame, Role};
use super::stationary::{StationaryParams, is_other_time};

/// A neighbour lies within this of a detection, in units of the seeing.
const REACH_FWHM: f64 = 1.0;
/// ... and within this to be the same place, or within three errors.
const SAME_FWHM: f64 = 0.35;
/// Difference in magnitude beyond errors of what is seen twice [mag].
const SAME_MAG: f64 = 0.8;
/// Fewest other frames that make a place stationary.
const SEEN_MIN: usize = 2;
/// Mean number of accidents above which few repetitions prove nothing: two where 0.15 are expected
/// have a chance of 1 %.
const CHANCE_MAX: f64 = 0.15;
/// Fewest detections that make a drift.
const DRIFT_SEEN_MIN: usize = 4;
/// A drift over the night is at least this many of its errors.
const DRIFT_SIGMA: f64 = 6.0;
/// ... and at least this much of the seeing, which no colour of a star or blend explains.
const DRIFT_FWHM: f64 = 0.35;
/// Scatter about a drift in units of the errors, chi-squared per degree of freedom.
const DRIFT_CHI2_MAX: f64 = 3.0;

/// Marks what stands still by lists alone; gives the detections that drift slowly, in order.
pub fn mark_repeated(frames: &mut [FieldFrame], params: &StationaryParams) -> Vec<DetectionId> {
    let cells = Cells::of(frames);
    let span_h = match (frames.first(), frames.last()) {
        (Some(first), Some(last)) => last.t_h - first.t_h,
        _ => return Vec::new(),
    };
    let asked: &[FieldFrame] = frames;
    let densities: Vec<f64> =
        asked.iter().map(|f| f.n_free() as f64 / f.area_arcsec2().max(1.0)).collect();
    let night = Night { frames: asked, densities: &densities, span_h, params };
    let found: Vec<(DetectionId, Kind)> = cells
        .points
        .par_iter()
        .map_init(Vec::new, |near, p| {
            cells.neighbours(asked, p, near);
            (p.id, night.kind(p, near))
        })
        .filter(|(_, kind)| *kind != Kind::Other)
        .collect();
    let mut drifting = Vec::new();
    for (id, kind) in found {
        match kind {
            Kind::Still => {
                frames[id.frame as usize].detections[id.index as usize].role = Role::Static;
            }
            Kind::Drifting => drifting.push(id),
            Kind::Other => {}
        }
    }
    drifting.sort_unstable();
    mark_companions(frames, &cells, &drifting);
    drifting
}

/// Marks what lies at the place of something that stands still: of a star seen in a few frames in
/// a row only the first and last have seen it at another time.
fn mark_companions(frames: &mut [FieldFrame], cells: &Cells, drifting: &[DetectionId]) {
    let asked: &[FieldFrame] = frames;
    let is_still = |id: DetectionId| at(asked, id).role == Role::Static;
    let companions: Vec<DetectionId> = cells
        .points
        .par_iter()
        .filter(|p| !is_still(p.id) && drifting.binary_search(&p.id).is_err())
        .map_init(Vec::new, |near, p| {
            cells.neighbours(asked, p, near);
            near.iter().any(|n| is_still(n.id) && is_same(asked, p.id, n)).then_some(p.id)
        })
        .flatten()
        .collect();
    for id in companions {
        frames[id.frame as usize].detections[id.index as usize].role = Role::Static;
    }
}

/// Tells whether a neighbour is at the same place and as bright.
fn is_same(frames: &[FieldFrame], id: DetectionId, n: &Neighbour) -> bool {
    let (own, d) = (at(frames, id), at(frames, n.id));
    let fwhm = frames[id.frame as usize].fwhm_arcsec.max(frames[n.id.frame as usize].fwhm_arcsec);
    let reach = (SAME_FWHM * fwhm).max(3.0 * own.sigma_arcsec.hypot(d.sigma_arcsec));
    let mag_err = (1.0857 / own.snr.max(1.0)).hypot(1.0857 / d.snr.max(1.0));
    n.distance_arcsec <= reach && (d.mag - own.mag).abs() <= SAME_MAG + 2.0 * mag_err
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Still,
    Drifting,
    Other,
}

/// A free detection of any frame.
#[derive(Debug, Clone, Copy)]
struct Point {
    east_arcsec: f64,
    north_arcsec: f64,
    id: DetectionId,
}

/// A neighbour of a detection: frame, offset (east, north) and distance [arcsec].
#[derive(Debug, Clone, Copy)]
struct Neighbour {
    id: DetectionId,
    east_arcsec: f64,
    north_arcsec: f64,
    distance_arcsec: f64,
}

/// Free detections of all frames, sorted into cells as wide as the reach.
struct Cells {
    points: Vec<Point>,
    /// Cell (row, column) of each point, rising.
    keys: Vec<(i64, i64)>,
    cell_arcsec: f64,
}

impl Cells {
    fn of(frames: &[FieldFrame]) -> Self {
        let widest = frames.iter().map(|f| f.fwhm_arcsec).fold(0.5, f64::max);
        let cell_arcsec = REACH_FWHM * widest;
        let free = (0_u32..).zip(frames).flat_map(|(frame, f)| {
            let rows = (0_u32..).zip(&f.detections).filter(|(_, d)| d.role == Role::Free);
            rows.map(move |(index, d)| Point {
                east_arcsec: d.east_arcsec,
                north_arcsec: d.north_arcsec,
                id: DetectionId { frame, index },
            })
        });
        let key = |p: &Point| {
            let cell = |v: f64| (v / cell_arcsec).floor() as i64;
            (cell(p.north_arcsec), cell(p.east_arcsec))
        };
        let mut keyed: Vec<((i64, i64), Point)> = free.map(|p| (key(&p), p)).collect();
        keyed.par_sort_unstable_by_key(|(key, p)| (*key, p.id));
        let (keys, points) = keyed.into_iter().unzip();
        Self { points, keys, cell_arcsec }
    }

    /// The nearest detection of each other frame within reach.
    fn neighbours(&self, frames: &[FieldFrame], p: &Point, near: &mut Vec<Neighbour>) {
        near.clear();
        let cell = |v: f64| (v / self.cell_arcsec).floor() as i64;
        let (row, column) = (cell(p.north_arcsec), cell(p.east_arcsec));
        let fwhm = frames[p.id.frame as usize].fwhm_arcsec;
        for row in row - 1..=row + 1 {
            let first = self.keys.partition_point(|k| *k < (row, column - 1));
            let in_row = self.keys[first..].iter().take_while(|k| **k <= (row, column + 1)).count();
            for other in &self.points[first..first + in_row] {
                let (de, dn) =
                    (other.east_arcsec - p.east_arcsec, other.north_arcsec - p.north_arcsec);
                let distance = (de * de + dn * dn).sqrt();
                let reach = REACH_FWHM * fwhm.max(frames[other.id.frame as usize].fwhm_arcsec);
                if distance > reach || other.id.frame == p.id.frame {
                    continue;
                }
                near.push(Neighbour {
                    id: other.id,
                    east_arcsec: de,
                    north_arcsec: dn,
                    distance_arcsec: distance,
                });
            }
        }
        // Of each frame the nearest.
        near.sort_unstable_by(|a, b| {
            let frame = a.id.frame.cmp(&b.id.frame);
            frame.then(a.distance_arcsec.total_cmp(&b.distance_arcsec)).then(a.id.cmp(&b.id))
        });
        near.dedup_by_key(|n| n.id.frame);
    }
}

/// The frames and what is asked of all of them.
struct Night<'a> {
    frames: &'a [FieldFrame],
    /// Free detections of each frame [1/arcsec^2].
    densities: &'a [f64],
    /// From the first to the last frame [h].
    span_h: f64,
    params: &'a StationaryParams,
}

impl Night<'_> {
    /// What a detection is by its neighbours.
    fn kind(&self, p: &Point, near: &[Neighbour]) -> Kind {
        let (frames, params) = (self.frames, self.params);
        if near.len() < SEEN_MIN {
            return Kind::Other;
        }
        let own_frame = &frames[p.id.frame as usize];
        let own = &own_frame.detections[p.id.index as usize];
        let is_apart = |k: usize| {
            let fwhm = own_frame.fwhm_arcsec.max(frames[k].fwhm_arcsec);
            is_other_time(frames[k].t_h, own_frame.t_h, self.span_h, fwhm, params)
        };
        let seen = near.iter().filter(|n| is_same(frames, p.id, n));
        let n_seen = seen.filter(|n| is_apart(n.id.frame as usize)).count();
        let covers = |k: &usize| frames[*k].contains(own.east_arcsec, own.north_arcsec, 0.0);
        if n_seen < SEEN_MIN {
            return if is_drifting(frames, p, near) { Kind::Drifting } else { Kind::Other };
        }
        let n_apart = (0..frames.len()).filter(|&k| is_apart(k)).filter(covers).count() as f64;
        // Chance puts this many unrelated detections there.
        let density = self.densities[p.id.frame as usize];
        let place = std::f64::consts::PI * (SAME_FWHM * own_frame.fwhm_arcsec).powi(2);
        let is_no_accident = density * place * n_apart <= CHANCE_MAX;
        let is_still = is_no_accident || n_seen as f64 >= params.static_frames_min * n_apart;
        if is_drifting(frames, p, near) {
            Kind::Drifting
        } else if is_still {
            Kind::Still
        } else {
            Kind::Other
        }
    }
}

fn at(frames: &[FieldFrame], id: DetectionId) -> &super::field::PlaneDetection {
    &frames[id.frame as usize].detections[id.index as usize]
}

/// Tells whether a detection and its neighbours move evenly by a good part of the seeing.
fn is_drifting(frames: &[FieldFrame], p: &Point, near: &[Neighbour]) -> bool {
    if near.len() + 1 < DRIFT_SEEN_MIN {
        return false;
    }
    let own = at(frames, p.id).sigma_arcsec;
    let here = (frames[p.id.frame as usize].t_h, 0.0, 0.0, own);
    let rows = near.iter().map(|n| {
        let sigma = at(frames, n.id).sigma_arcsec;
        (frames[n.id.frame as usize].t_h, n.east_arcsec, n.north_arcsec, sigma)
    });
    let rows = rows.chain([here]);
    let (mut w, mut wt, mut we, mut wn) = (0.0, 0.0, 0.0, 0.0);
    for (t, east, north, sigma) in rows.clone() {
        let weight = 1.0 / (sigma * sigma);
        w += weight;
        wt += weight * t;
        we += weight * east;
        wn += weight * north;
    }
    let (mt, me, mn) = (wt / w, we / w, wn / w);
    let (mut tt, mut te, mut tn) = (0.0, 0.0, 0.0);
    let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
    for (t, east, north, sigma) in rows.clone() {
        let weight = 1.0 / (sigma * sigma);
        tt += weight * (t - mt) * (t - mt);
        te += weight * (t - mt) * (east - me);
        tn += weight * (t - mt) * (north - mn);
        (first, last) = (first.min(t), last.max(t));
    }
    if tt <= 0.0 {
        return false;
    }
    let (rate_east, rate_north) = (te / tt, tn / tt);
    let drift = rate_east.hypot(rate_north) * (last - first);
    let drift_err = (last - first) / tt.sqrt();
    let chi2: f64 = rows
        .map(|(t, east, north, sigma)| {
            let miss_east = east - me - rate_east * (t - mt);
            let miss_north = north - mn - rate_north * (t - mt);
            (miss_east * miss_east + miss_north * miss_north) / (sigma * sigma)
        })
        .sum();
    let freedom = 2.0 * (near.len() as f64 + 1.0) - 4.0;
    drift >= DRIFT_SIGMA * drift_err
        && drift >= DRIFT_FWHM * frames[p.id.frame as usize].fwhm_arcsec
        && chi2 <= DRIFT_CHI2_MAX * freedom
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::movers::field::PlaneDetection;

    /// Ten frames, a quarter of an hour apart, of a source that moves by a rate [arcsec/h].
    fn night(rate: (f64, f64), seen: impl Fn(usize) -> bool) -> Vec<FieldFrame> {
        (0..10_usize)
            .map(|k| {
                let t_h = 0.25 * k as f64;
                // A fixed scatter of a third of the errors.
                let jitter = 0.1 * (k as f64 * 2.3).sin();
                let source = PlaneDetection {
                    east_arcsec: 40.0 + rate.0 * t_h + jitter,
                    north_arcsec: -7.0 + rate.1 * t_h - jitter,
                    ..PlaneDetection::example()
                };
                let detections = if seen(k) { vec![source] } else { Vec::new() };
                FieldFrame { t_h, detections, ..FieldFrame::example() }
            })
            .collect()
    }

    fn n_static(frames: &[FieldFrame]) -> usize {
        let all = frames.iter().flat_map(|f| &f.detections);
        all.filter(|d| d.role == Role::Static).count()
    }

    #[test]
    fn what_stays_is_still_and_what_moves_is_not() {
        let params = StationaryParams::default();
        let mut stays = night((0.0, 0.0), |_| true);
        assert!(mark_repeated(&mut stays, &params).is_empty());
        assert_eq!(n_static(&stays), 10);
        let mut moves = night((30.0, 10.0), |_| true);
        assert!(mark_repeated(&mut moves, &params).is_empty());
        assert_eq!(n_static(&moves), 0);
    }

    #[test]
    fn a_slow_mover_drifts() {
        let mut slow = night((2.0, -0.5), |_| true);
        assert!(!mark_repeated(&mut slow, &StationaryParams::default()).is_empty());
        assert_eq!(n_static(&slow), 0);
    }

    #[test]
    fn a_flash_seen_in_two_frames_is_not_a_star() {
        let mut flash = night((0.0, 0.0), |k| k == 3 || k == 4);
        assert!(mark_repeated(&mut flash, &StationaryParams::default()).is_empty());
        assert_eq!(n_static(&flash), 0);
    }
}
