//! Linking of made detection lists: `cargo bench --bench link`.
//!
//! Twenty visits of a field, ten minutes apart. Nineteen of twenty detections are stars, each seen
//! with a chance that falls towards the limit; one of twenty is spurious; movers go from 2
//! arcsec/h to 100 arcsec/min, mostly like main-belt objects, the fast ones drawn out to streaks.
//! Printed are time, memory, completeness of movers with four detections and more, and purity,
//! for a field of one square degree that fills up, and for one that grows at even density.

mod random;

use std::time::Instant;

use autossos::science::movers::associate::mark_repeated;
use autossos::science::movers::field::{FieldFrame, PlaneDetection, Role, Streak};
use autossos::science::movers::link::{LinkParams, Tracklet, link};
use autossos::science::movers::stationary::StationaryParams;
use random::Random;

/// Visits of the field.
const VISITS: usize = 20;
/// Time between them [h].
const STEP_H: f64 = 1.0 / 6.0;
/// Exposure [h]: half a minute.
const EXPOSURE_H: f64 = 30.0 / 3600.0;
/// Detections of all visits.
const TOTALS: [usize; 5] = [10_000, 31_623, 100_000, 316_228, 1_000_000];
/// Share of spurious detections.
const SPURIOUS: f64 = 0.05;
/// Magnitude of signal-to-noise ratio 5.
const LIMIT_MAG: f64 = 20.5;
/// Seeing [arcsec].
const FWHM_ARCSEC: f64 = 3.0;
/// Errors of bright places [arcsec].
const FLOOR_ARCSEC: f64 = 0.06;

fn main() {
    println!("in one square degree:");
    for total in TOTALS {
        tell(total, 3600.0);
    }
    println!("at 50,000 detections per square degree and visit:");
    for total in TOTALS {
        let side_deg = (total as f64 / TOTALS[TOTALS.len() - 1] as f64).sqrt();
        tell(total, 3600.0 * side_deg);
    }
}

/// Makes a night, links it and prints what came of it.
fn tell(total: usize, side_arcsec: f64) {
    let per_visit = total / VISITS;
    let n_movers = (500 * total / TOTALS[TOTALS.len() - 1]).max(50);
    let mut made = Made::new(per_visit, n_movers, side_arcsec);
    let start = Instant::now();
    let drifting = mark_repeated(&mut made.frames, &StationaryParams::default());
    let associated_s = start.elapsed().as_secs_f64();
    let linked = link(&made.frames, &LinkParams::default());
    let all_s = start.elapsed().as_secs_f64();
    let (n_true, found) = made.judge(&linked.tracklets);
    let n_possible = made.n_seen.iter().filter(|n| **n >= 4).count();
    let n_found = (0..n_movers).filter(|&m| made.n_seen[m] >= 4 && found[m]).count();
    println!(
        "{total:>8} detections: {all_s:7.3} s ({associated_s:.3} s for what stands still), \
         {} MiB; {n_found} of {n_possible} movers ({:.1} %), purity {:.1} % of {}; \
         {} pairs grown, {} drifting",
        peak_mib(),
        100.0 * n_found as f64 / n_possible.max(1) as f64,
        100.0 * n_true as f64 / linked.tracklets.len().max(1) as f64,
        linked.tracklets.len(),
        linked.n_seeds,
        drifting.len(),
    );
}

/// Largest memory of the program so far [MiB].
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// A made night and whose each detection is.
struct Made {
    frames: Vec<FieldFrame>,
    /// Mover of each detection.
    owners: Vec<Vec<Option<usize>>>,
    /// Detections of each mover.
    n_seen: Vec<usize>,
}

impl Made {
    fn new(per_visit: usize, n_movers: usize, side_arcsec: f64) -> Self {
        let mut random = Random(20_260_321);
        let n_spurious = (SPURIOUS * per_visit as f64) as usize;
        let half = 0.5 * side_arcsec;
        let place =
            |r: &mut Random| (side_arcsec * r.uniform() - half, side_arcsec * r.uniform() - half);
        // Stars rise by 0.3 dex per magnitude; the faintest are rarely seen.
        let n_stars = (1.35 * (1.0 - SPURIOUS) * per_visit as f64) as usize;
        let stars: Vec<((f64, f64), f64)> = (0..n_stars)
            .map(|_| {
                (place(&mut random), LIMIT_MAG + 0.7 + random.uniform().max(1e-9).log10() / 0.3)
            })
            .collect();
        let movers: Vec<Mover> =
            (0..n_movers).map(|m| Mover::new(m, place(&mut random), &mut random)).collect();
        let mut made = Self { frames: Vec::new(), owners: Vec::new(), n_seen: vec![0; n_movers] };
        for visit in 0..VISITS {
            let t_h = STEP_H * visit as f64;
            let mut rows: Vec<(PlaneDetection, Option<usize>)> = Vec::new();
            for (at, mag) in &stars {
                rows.extend(seen(*at, *mag, None, &mut random).map(|d| (d, None)));
            }
            for _ in 0..n_spurious {
                let mag = LIMIT_MAG + 0.25 - 0.4 * random.uniform().powi(2);
                rows.push((detection(place(&mut random), mag, None, &mut random), None));
            }
            for (m, mover) in movers.iter().enumerate() {
                let (at, streak) = mover.at(t_h);
                let is_inside = at.0.abs() < half && at.1.abs() < half;
                if let Some(d) = seen(at, mover.mag, streak, &mut random).filter(|_| is_inside) {
                    rows.push((d, Some(m)));
                    made.n_seen[m] += 1;
                }
            }
            rows.sort_by(|a, b| a.0.east_arcsec.total_cmp(&b.0.east_arcsec));
            let (detections, owners) = rows.into_iter().unzip();
            made.owners.push(owners);
            made.frames.push(FieldFrame {
                t_h,
                limiting_mag: LIMIT_MAG,
                exposure_h: EXPOSURE_H,
                fwhm_arcsec: FWHM_ARCSEC,
                outline_arcsec: [(-half, -half), (half, -half), (half, half), (-half, half)],
                detections,
            });
        }
        made
    }

    /// How many tracklets belong to one mover each, and which movers were found.
    fn judge(&self, tracklets: &[Tracklet]) -> (usize, Vec<bool>) {
        let mut found = vec![false; self.n_seen.len()];
        let mut n_true = 0;
        for tracklet in tracklets {
            let owners =
                tracklet.members.iter().map(|m| self.owners[m.frame as usize][m.index as usize]);
            let owners: Vec<usize> = owners.flatten().collect();
            let count = |m: usize| owners.iter().filter(|o| **o == m).count();
            let best = owners.iter().copied().max_by_key(|m| (count(*m), *m));
            if let Some(mover) = best.filter(|m| 2 * count(*m) > tracklet.members.len()) {
                n_true += 1;
                found[mover] = true;
            }
        }
        (n_true, found)
    }
}

struct Mover {
    start: (f64, f64),
    rate: (f64, f64),
    mag: f64,
}

impl Mover {
    /// Nine of ten like the main belt, one of twenty slow, one of twenty fast.
    fn new(number: usize, middle: (f64, f64), random: &mut Random) -> Self {
        let rate = match number % 20 {
            0 => 2.0 + 8.0 * random.uniform(),
            1 => 80.0 * 75.0_f64.powf(random.uniform()),
            _ => 15.0 + 50.0 * random.uniform(),
        };
        let (sin, cos) = (std::f64::consts::TAU * random.uniform()).sin_cos();
        let rate = (rate * cos, rate * sin);
        let middle_h = STEP_H * (VISITS as f64 - 1.0) * random.uniform();
        let start = (middle.0 - rate.0 * middle_h, middle.1 - rate.1 * middle_h);
        Self { start, rate, mag: LIMIT_MAG - 0.3 - 3.0 * random.uniform() }
    }

    fn at(&self, t_h: f64) -> ((f64, f64), Option<Streak>) {
        let length_arcsec = EXPOSURE_H * self.rate.0.hypot(self.rate.1);
        let pa_rad = self.rate.0.atan2(self.rate.1);
        let streak = Streak { length_arcsec, pa_rad };
        let place = (self.start.0 + self.rate.0 * t_h, self.start.1 + self.rate.1 * t_h);
        (place, (length_arcsec > FWHM_ARCSEC).then_some(streak))
    }
}

/// A detection of what is bright enough.
fn seen(
    at: (f64, f64),
    mag: f64,
    streak: Option<Streak>,
    random: &mut Random,
) -> Option<PlaneDetection> {
    let snr = 5.0 * 10.0_f64.powf(0.4 * (LIMIT_MAG - mag));
    let is_seen = snr + random.normal() > 4.0 && random.uniform() < 0.97;
    is_seen.then(|| detection(at, mag, streak, random))
}

fn detection(
    (east, north): (f64, f64),
    mag: f64,
    streak: Option<Streak>,
    random: &mut Random,
) -> PlaneDetection {
    let snr = 5.0 * 10.0_f64.powf(0.4 * (LIMIT_MAG - mag));
    let sigma_arcsec = (FWHM_ARCSEC / 2.355 / snr).hypot(FLOOR_ARCSEC);
    PlaneDetection {
        east_arcsec: east + sigma_arcsec * random.normal(),
        north_arcsec: north + sigma_arcsec * random.normal(),
        sigma_arcsec,
        mag: mag + 1.0857 / snr * random.normal(),
        snr,
        detector_x_px: east,
        detector_y_px: north,
        streak,
        role: Role::Free,
    }
}
