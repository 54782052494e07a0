//! Which known bodies a frame shows: all orbits brought to one night, sorted by sky.
//!
//! Every body is integrated to the middle of the night, once. Its direction from the Earth's
//! centre is kept with a margin: how far it may be seen from there at any time of the night, by
//! motion, parallax and error of its orbit. Those with small margins are sorted by declination
//! zones and right ascension; the others (close or lost ones, a few thousand) are looked through
//! each time. A body whose margin reaches into the frame is then integrated to the frame's instant
//! and gets its exact place.

use rayon::prelude::*;

use super::kepler::State;
use super::observer::Observer;
use super::place::{Seen, Sight};
use super::planets::{Planets, SpanError};
use super::propagate::propagate;
use super::uncertainty::Growth;
use crate::science::sky::vector::{separation_rad, unit_vector};
use crate::science::time::Epoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Height of a zone of declination [rad].
const ZONE_RAD: f64 = 0.5 * DEG_RAD;
/// Zones from pole to pole.
const ZONES: usize = 360;
/// Largest margin of bodies that are sorted [rad].
const SORTED_MARGIN_RAD: f64 = 1.5 * DEG_RAD;
/// The motion at the middle of the night is taken to grow at most by this factor.
const MOTION_FACTOR: f64 = 1.5;
/// Margin for what is rounded [rad].
const ROUNDING_RAD: f64 = 2.0 * ARCSEC_RAD;
/// Bodies nearer than this are always computed [au]: their motion changes within hours.
const NEAR_AU: f64 = 0.02;
/// The equator's radius as seen from 1 au [rad]: the solar parallax.
const PARALLAX_RAD: f64 = 8.794_143 * ARCSEC_RAD;
/// Longest span of a night [d].
const SPAN_MAX_D: f64 = 3.0;
/// Frames may lie this far outside the span [d].
const OUTSIDE_MAX_D: f64 = 0.01;
/// Seconds of an hour, hours of a day.
const PER_DAY: f64 = 24.0;

/// A body as it comes from a store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownBody {
    /// Epoch of the state [MJD, TDB].
    pub mjd_tdb: f64,
    /// Its state then.
    pub state: State,
    /// How its error grows.
    pub growth: Growth,
}

/// What is asked of a night.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownParams {
    /// Bodies with a larger error of the place are left out [arcsec].
    pub error_max_arcsec: f64,
}

impl Default for KnownParams {
    fn default() -> Self {
        Self { error_max_arcsec: 900.0 }
    }
}

/// The night cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KnownError {
    /// Too long, or backwards.
    #[error("a night lasts from 0 to {SPAN_MAX_D} d, not {span_d:.2} d")]
    Span {
        /// What was asked for [d].
        span_d: f64,
    },
    /// No planets for that time.
    #[error("the planets are not known then")]
    Planets(#[from] SpanError),
    /// A frame of another night.
    #[error("the frame's time, MJD {mjd_utc:.4}, is outside the night")]
    Outside {
        /// The frame's time [MJD, UTC].
        mjd_utc: f64,
    },
}

/// A body that may be in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownSeen {
    /// Its index in the store.
    pub index: u32,
    /// Where it is and how it moves.
    pub seen: Seen,
    /// How far from there it may be [arcsec].
    pub err_arcsec: f64,
}

/// A body at the middle of the night.
#[derive(Debug, Clone)]
struct Entry {
    index: u32,
    /// Right ascension [rad].
    ra_rad: f32,
    zone: u16,
    direction: [f32; 3],
    margin_rad: f32,
    growth: Growth,
    state: State,
}

/// All bodies of a night.
#[derive(Debug)]
pub struct KnownNight {
    first: Epoch,
    last: Epoch,
    middle_mjd_tdb: f64,
    params: KnownParams,
    planets: Planets,
    /// By zone and right ascension.
    sorted: Vec<Entry>,
    /// First entry of each zone.
    zones: Vec<usize>,
    apart: Vec<Entry>,
}

impl KnownNight {
    /// Brings `n` bodies to the night from `first` to `last`; `body` gives each by its index, or
    /// nothing. In parallel; the result does not depend on the number of threads.
    pub fn new(
        (first, last): (Epoch, Epoch),
        params: KnownParams,
        n: usize,
        body: impl Fn(usize) -> Option<KnownBody> + Sync,
    ) -> Result<Self, KnownError> {
        let span_d = last.mjd_utc() - first.mjd_utc();
        if !(0.0..=SPAN_MAX_D).contains(&span_d) {
            return Err(KnownError::Span { span_d });
        }
        let middle = Epoch::from_mjd_utc((first.mjd_utc() + last.mjd_utc()) / 2.0);
        let middle_mjd_tdb = middle.mjd_tt();
        // The usual state is at most a month from the night.
        let planets = Planets::covering(first.mjd_tt() - 40.0, last.mjd_tt() + 40.0)?;
        let sight = Sight::new(&Observer::GEOCENTRE, middle, &planets);
        let half_d = span_d / 2.0 + OUTSIDE_MAX_D;
        let entry = |k: usize| {
            let body = body(k).filter(|body| planets.covers(body.mjd_tdb))?;
            entry(k, &body, (&sight, half_d), (&planets, &params))
        };
        let all: Vec<Option<Entry>> = (0..n).into_par_iter().map(entry).collect();
        let limit = SORTED_MARGIN_RAD as f32;
        let (mut sorted, apart): (Vec<_>, Vec<_>) =
            all.into_iter().flatten().partition(|entry| entry.margin_rad <= limit);
        sorted.par_sort_by(|a, b| a.zone.cmp(&b.zone).then(a.ra_rad.total_cmp(&b.ra_rad)));
        let zones = (0..=ZONES)
            .map(|zone| sorted.partition_point(|entry| usize::from(entry.zone) < zone))
            .collect();
        Ok(Self { first, last, middle_mjd_tdb, params, planets, sorted, zones, apart })
    }

    /// Bodies that are kept, and how many of them are looked through each time.
    pub fn counts(&self) -> (usize, usize) {
        (self.sorted.len() + self.apart.len(), self.apart.len())
    }

    /// Sun, planets and Moon of the night.
    pub fn planets(&self) -> &Planets {
        &self.planets
    }

    /// The bodies that an observer may see within `radius_rad` of `centre_rad` (RA, Dec) [rad],
    /// their errors included; by index.
    pub fn within(
        &self,
        centre_rad: (f64, f64),
        radius_rad: f64,
        observer: &Observer,
        at: Epoch,
    ) -> Result<Vec<KnownSeen>, KnownError> {
        let mjd_utc = at.mjd_utc();
        let inside = self.first.mjd_utc() - OUTSIDE_MAX_D..=self.last.mjd_utc() + OUTSIDE_MAX_D;
        if !inside.contains(&mjd_utc) {
            return Err(KnownError::Outside { mjd_utc });
        }
        let sight = Sight::new(observer, at, &self.planets);
        let mut candidates: Vec<&Entry> =
            self.in_zones(centre_rad, radius_rad).chain(&self.apart).collect();
        candidates.retain(|entry| entry.may_be_within(centre_rad, radius_rad));
        let mut found: Vec<KnownSeen> = candidates
            .into_par_iter()
            .filter_map(|entry| self.exact(entry, &sight))
            .filter(|known| {
                let place = (known.seen.ra_rad, known.seen.dec_rad);
                let reach_rad = radius_rad + known.err_arcsec * ARCSEC_RAD;
                known.err_arcsec <= self.params.error_max_arcsec
                    && separation_rad(centre_rad, place) <= reach_rad
            })
            .collect();
        found.sort_unstable_by_key(|known| known.index);
        Ok(found)
    }

    fn exact(&self, entry: &Entry, sight: &Sight) -> Option<KnownSeen> {
        let mjd = sight.mjd_tdb();
        let state = propagate(&entry.state, self.middle_mjd_tdb, mjd, &self.planets)?;
        let seen = sight.see(&state, 0.0)?;
        let err_arcsec = entry.growth.error_arcsec(mjd, seen.sun_distance_au, seen.distance_au);
        Some(KnownSeen { index: entry.index, seen, err_arcsec })
    }

    /// Sorted bodies whose margin may reach the circle.
    fn in_zones(&self, centre_rad: (f64, f64), radius_rad: f64) -> impl Iterator<Item = &Entry> {
        let reach = radius_rad + SORTED_MARGIN_RAD;
        let (low, high) = (zone(centre_rad.1 - reach), zone(centre_rad.1 + reach));
        let half_rad = half_width_rad(centre_rad.1, reach);
        (low..=high).flat_map(move |zone| {
            let entries = &self.sorted[self.zones[zone]..self.zones[zone + 1]];
            ra_ranges(centre_rad.0, half_rad).into_iter().flat_map(move |(from, to)| {
                let begin = entries.partition_point(|entry| f64::from(entry.ra_rad) < from);
                let end = entries.partition_point(|entry| f64::from(entry.ra_rad) <= to);
                &entries[begin..end.max(begin)]
            })
        })
    }
}

/// Half the range of right ascensions that a circle covers [rad]; all when it holds a pole.
fn half_width_rad(dec_rad: f64, radius_rad: f64) -> f64 {
    let ratio = radius_rad.min(std::f64::consts::FRAC_PI_2).sin() / dec_rad.cos().max(0.0);
    let holds_pole = dec_rad.abs() + radius_rad >= std::f64::consts::FRAC_PI_2;
    if holds_pole || ratio >= 1.0 { std::f64::consts::PI } else { ratio.asin() + 1e-6 }
}

/// The one or two ranges of right ascension within `half_rad` of `ra_rad` [rad].
fn ra_ranges(ra_rad: f64, half_rad: f64) -> Vec<(f64, f64)> {
    let turn = std::f64::consts::TAU;
    let (from, to) = (ra_rad - half_rad, ra_rad + half_rad);
    if half_rad >= std::f64::consts::PI {
        return vec![(-1.0, turn + 1.0)];
    }
    if from < 0.0 {
        return vec![(from + turn, turn + 1.0), (-1.0, to)];
    }
    if to > turn {
        return vec![(from, turn + 1.0), (-1.0, to - turn)];
    }
    vec![(from, to)]
}

/// The zone of a declination.
fn zone(dec_rad: f64) -> usize {
    let zone = (dec_rad + std::f64::consts::FRAC_PI_2) / ZONE_RAD;
    zone.clamp(0.0, (ZONES - 1) as f64) as usize
}

/// A body at the middle of the night; `None` when it is lost.
fn entry(
    index: usize,
    body: &KnownBody,
    (sight, half_d): (&Sight, f64),
    (planets, params): (&Planets, &KnownParams),
) -> Option<Entry> {
    let state = propagate(&body.state, body.mjd_tdb, sight.mjd_tdb(), planets)?;
    let seen = sight.see(&state, 0.0)?;
    let distance_au = seen.distance_au;
    let err_arcsec = body.growth.error_arcsec(sight.mjd_tdb(), seen.sun_distance_au, distance_au);
    // Within the night the distance, and with it the error, may change.
    if err_arcsec > 2.0 * params.error_max_arcsec {
        return None;
    }
    let rate = seen.east_arcsec_per_h.hypot(seen.north_arcsec_per_h) * PER_DAY * ARCSEC_RAD;
    let margin_rad = if distance_au < NEAR_AU {
        std::f64::consts::PI
    } else {
        MOTION_FACTOR * (rate * half_d + PARALLAX_RAD / distance_au)
            + err_arcsec * ARCSEC_RAD
            + ROUNDING_RAD
    };
    Some(Entry {
        index: u32::try_from(index).ok()?,
        ra_rad: seen.ra_rad as f32,
        zone: zone(seen.dec_rad) as u16,
        direction: unit_vector(seen.ra_rad, seen.dec_rad).map(|v| v as f32),
        margin_rad: margin_rad as f32,
        growth: body.growth,
        state,
    })
}

impl Entry {
    /// Whether the margin reaches into a circle.
    fn may_be_within(&self, (ra_rad, dec_rad): (f64, f64), radius_rad: f64) -> bool {
        let reach = radius_rad + f64::from(self.margin_rad);
        let chord2: f64 = unit_vector(ra_rad, dec_rad)
            .iter()
            .zip(self.direction)
            .map(|(a, b)| (a - f64::from(b)).powi(2))
            .sum();
        reach >= std::f64::consts::PI || chord2.sqrt() <= 2.0 * (reach / 2.0).sin()
    }
}

#[cfg(test)]
mod tests;
