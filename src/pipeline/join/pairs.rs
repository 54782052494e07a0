//! Pairs of candidates of two nights that one orbit explains.

use std::cell::OnceCell;

use rayon::prelude::*;

use super::chance::Crowd;
use super::{Sky, chi2_max, honest};
use crate::science::orbit::arc_fit::{
    ArcFit, Attributable, Free, NightSights, Origin, Pull, is_bound,
};
use crate::science::orbit::short_arc::{Motion, Sighting, bend_max};
use crate::science::orbit::vaisala::{Region, VaisalaArcs};
use crate::science::sky::vector::offset_rad;

/// Sightings of a night that orbits are fitted to.
const SIGHTINGS_MAX: usize = 8;
/// Orbits of the sheet from which a fit is begun.
const STARTS_MAX: usize = 3;
/// Distance from the sheet, in errors, beyond which no orbit is fitted.
const MISMATCH_MAX: f64 = 12.0;
/// Candidates of other nights that an orbit is tried with, of one candidate.
const FITS_MAX: usize = 300;
/// What is nearer in time is the same night under another name [d].
const NIGHTS_APART_MIN_D: f64 = 0.25;

/// A candidate made ready.
pub(super) struct Track<'a> {
    pub(super) id: &'a str,
    /// Its night and its place in it.
    pub(super) place: (usize, usize),
    pub(super) mag: Option<f64>,
    pub(super) motion: Motion,
    pub(super) sights: NightSights,
    sightings: Vec<Sighting>,
}

impl Track<'_> {
    pub(super) fn mjd_utc(&self) -> f64 {
        self.motion.mean_mjd_utc
    }

    pub(super) fn origin(&self, sky: &Sky<'_>) -> Origin {
        Origin::new(&self.motion, sky.observer, sky.planets)
    }
}

/// Two candidates that one orbit explains.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// Places among the tracks, the earlier one first.
    pub(super) tracks: (usize, usize),
    /// Expected number of unrelated candidates that would fit as well.
    pub(super) chance: f64,
    /// That, weighted by how well it fits: smaller is likelier.
    pub(super) odds: f64,
    /// Reduced chi-square of the orbit.
    pub(super) chi2_reduced: f64,
    /// The orbit as seen from the earlier one.
    pub(super) seen: Attributable,
}

/// All candidates that show a motion.
pub(super) fn tracks<'a>(sky: &Sky<'a>) -> Vec<Track<'a>> {
    let mut tracks = Vec::new();
    for (n, night) in sky.nights.iter().enumerate() {
        for (c, unnamed) in night.unnamed.iter().take(sky.params.unnamed_max).enumerate() {
            let Some((motion, sightings)) = honest(unnamed) else { continue };
            let sights = NightSights::new(&sightings, SIGHTINGS_MAX, (sky.observer, sky.planets));
            tracks.push(Track {
                id: &unnamed.id,
                place: (n, c),
                mag: unnamed.mag.filter(|mag| mag.is_finite()),
                motion,
                sights,
                sightings,
            });
        }
    }
    tracks
}

/// All pairs that one orbit explains.
pub(super) fn pairs(tracks: &[Track<'_>], sky: &Sky<'_>) -> Vec<Pair> {
    let crowd = Crowd::new(tracks, sky);
    let of_one = |i: usize| -> Vec<Pair> {
        let a = &tracks[i];
        let arcs = OnceCell::new();
        let is_near = |b: &Track<'_>| {
            let apart = b.mjd_utc() - a.mjd_utc();
            apart > NIGHTS_APART_MIN_D && apart <= sky.params.nights_apart_max_d
        };
        let others = tracks
            .iter()
            .enumerate()
            .filter(|(_, b)| a.place.0 != b.place.0 && is_near(b) && is_compatible(a, b, sky));
        let fit = |(j, _)| {
            let make = || VaisalaArcs::new(&a.sightings, sky.observer, sky.planets);
            let arcs = arcs.get_or_init(make).as_ref()?;
            pair((arcs, (i, j)), tracks, &crowd, sky)
        };
        others.take(FITS_MAX).filter_map(fit).collect()
    };
    // In the order of the tracks, however many threads there are.
    let found: Vec<Vec<Pair>> = (0..tracks.len()).into_par_iter().map(of_one).collect();
    found.into_iter().flatten().collect()
}

/// The rough test: brightness, and the mean of both rates against the way between.
fn is_compatible(a: &Track<'_>, b: &Track<'_>, sky: &Sky<'_>) -> bool {
    let difference = a.mag.zip(b.mag).map_or(0.0, |(a, b)| (a - b).abs());
    if difference > sky.params.mag_difference_max {
        return false;
    }
    let days = b.mjd_utc() - a.mjd_utc();
    let (m, n) = (&a.motion, &b.motion);
    let (east, north) = offset_rad((m.ra_rad, m.dec_rad), (n.ra_rad, n.dec_rad));
    let mean = |k: usize| 0.5 * (m.rate_rad_per_d[k] + n.rate_rad_per_d[k]) * days;
    let off = (east - mean(0)).hypot(north - mean(1));
    let speed = m.speed_rad_per_d().max(n.speed_rad_per_d());
    let err = m.rate_err_rad_per_d.hypot(n.rate_err_rad_per_d) * days / 2.0
        + m.place_err_rad.hypot(n.place_err_rad);
    let parallax = m.parallax_rate_rad_per_d().max(n.parallax_rate_rad_per_d()) * days;
    // The axes turn by the change of right ascension: seven degrees at most.
    let turned = 0.1 * speed * days * (east.hypot(north));
    off <= 5.0 * err + parallax + 0.25 * bend_max(speed) * days * days + turned
}

/// The orbit through two candidates and its chance, when there is one.
fn pair(
    (arcs, (i, j)): (&VaisalaArcs, (usize, usize)),
    tracks: &[Track<'_>],
    crowd: &Crowd<'_>,
    sky: &Sky<'_>,
) -> Option<Pair> {
    let (a, b) = (&tracks[i], &tracks[j]);
    let region = arcs.region((b.mjd_utc(), b.motion.spread_d), sky.observer, sky.planets)?;
    let starts = starts(arcs, &region, &b.motion)?;
    let nights = [&a.sights, &b.sights];
    let with = |pull| ArcFit { origin: arcs.origin(), nights: &nights, planets: sky.planets, pull };
    let fits = starts.iter().filter_map(|start| with(Pull::Sun).fit(start, Free::All));
    let rough = fits.min_by(|a, b| a.chi2.total_cmp(&b.chi2))?;
    let n_free = (2 * rough.n_sightings).checked_sub(6)?;
    if rough.chi2 > 20.0 + 3.0 * chi2_max(n_free) {
        return None;
    }
    let fitted = with(Pull::All).fit(&rough.seen, Free::All)?;
    let is_orbit = is_bound(&arcs.origin().state(&fitted.seen).0);
    if !is_orbit || fitted.chi2 > chi2_max(n_free) {
        return None;
    }
    let excess = (fitted.chi2 - a.motion.chi2 - b.motion.chi2).max(0.0);
    let chance = crowd.chance((a, b), &region, excess);
    Some(Pair {
        tracks: (i, j),
        chance,
        odds: chance * (0.5 * excess).exp(),
        chi2_reduced: fitted.chi2 / n_free.max(1) as f64,
        seen: fitted.seen,
    })
}

/// Whitening of a place and its rate by the errors of both nights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whitening {
    /// Lower triangle of the Cholesky root of the covariance of one axis.
    root: [f64; 3],
}

impl Whitening {
    pub(super) fn new(a: &Motion, b: &Motion) -> Self {
        let days = b.mean_mjd_utc - a.mean_mjd_utc;
        let rate2 = a.rate_err_rad_per_d.powi(2);
        let place = a.place_err_rad.powi(2) + rate2 * days * days + b.place_err_rad.powi(2);
        let both = rate2 * days;
        let rate = rate2 + b.rate_err_rad_per_d.powi(2);
        let p = place.sqrt();
        Self { root: [p, both / p, (rate - both * both / place).sqrt()] }
    }

    /// Volume of the unit of both axes [rad^4/d^2].
    pub(super) fn volume(&self) -> f64 {
        (self.root[0] * self.root[2]).powi(2)
    }

    /// A difference of places and rates in units of their errors.
    pub(super) fn of(&self, difference: [f64; 4]) -> [f64; 4] {
        let [p, both, r] = self.root;
        let axis = |k: usize| {
            let place = difference[k] / p;
            (place, (difference[k + 2] - both * place) / r)
        };
        let ((x, x_rate), (y, y_rate)) = (axis(0), axis(1));
        [x, y, x_rate, y_rate]
    }
}

/// Orbits of the sheet that come nearest to a motion; `None` when none comes near.
fn starts(arcs: &VaisalaArcs, region: &Region, b: &Motion) -> Option<Vec<Attributable>> {
    let whitening = Whitening::new(arcs.motion(), b);
    let [x, y] = region.on_plane((b.ra_rad, b.dec_rad))?;
    let goal = [x, y, b.rate_rad_per_d[0], b.rate_rad_per_d[1]];
    let off = |values: [f64; 4]| {
        let white = whitening.of(std::array::from_fn(|k| goal[k] - values[k]));
        white.iter().map(|v| v * v).sum::<f64>().sqrt()
    };
    let mut nearest = f64::INFINITY;
    for mesh in region.meshes() {
        for i in 0..=4 {
            for j in 0..=4 {
                let (p, q) = (f64::from(i) / 4.0, f64::from(j) / 4.0);
                let at = |k: usize| {
                    let [a, b, c, d] = mesh.map(|f| f.values[k]);
                    (1.0 - q) * ((1.0 - p) * a + p * b) + q * ((1.0 - p) * c + p * d)
                };
                // Between the points a straight step is not the sheet: half of it is allowed.
                let step: [f64; 4] =
                    std::array::from_fn(|k| (mesh[3].values[k] - mesh[0].values[k]) / 8.0);
                let slack = whitening.of(step).iter().map(|v| v * v).sum::<f64>().sqrt();
                nearest = nearest.min(off(std::array::from_fn(at)) - slack);
            }
        }
    }
    if nearest > MISMATCH_MAX {
        return None;
    }
    let mut all: Vec<(f64, Attributable)> =
        region.labelled(arcs).map(|(foreseen, h)| (off(foreseen.values), h.seen)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut kept: Vec<Attributable> = Vec::new();
    for (_, seen) in all {
        if kept.len() < STARTS_MAX && kept.iter().all(|k| (k[4] - seen[4]).abs() > 0.1) {
            kept.push(seen);
        }
    }
    Some(kept)
}
