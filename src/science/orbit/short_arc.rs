//! What a night's detections of one object say by themselves: its motion, and where it goes next.
//!
//! In the plane touching the sky at the mean place the motion is a straight line; over days the
//! pull of the Sun, the Earth's motion and the observer's turn about the Earth's axis bend it. How
//! much depends on the distance, which a night does not show. So the bend is measured, held
//! against the largest one that bodies of such a speed have (a Gaussian prior), and what remains
//! unknown is part of the error:
//!
//!   err^2 = place^2 + (rate t)^2 + (parallax t)^2 + (bend t^2 / 2)^2.
//!
//! The largest bend: Sun and Earth change the line of sight by at most 2 GM / rho, the perspective
//! by 2 rho' omega / rho; a body of the speed omega at 0.006 au/d across is not nearer than
//! rho = 0.006 / omega. That is an estimate, not a law: what comes straight at us is nearer.

use crate::science::orbit::kepler::GM_SUN;
use crate::science::sky::vector::{UnitVector, dot, east_north, norm, ra_dec_rad, unit_vector};
use crate::science::units::{ARCSEC_RAD, wrap_positive_rad};

/// Speed across the line of sight that few bodies fall below while they move [au/d].
const SPEED_ACROSS_AU_PER_D: f64 = 0.006;
/// Speed along the line of sight of near bodies [au/d].
const SPEED_ALONG_AU_PER_D: f64 = 0.008;
/// Range of the smallest distance that is taken for a speed [au].
const DISTANCE_MIN_AU: (f64, f64) = (0.01, 0.8);
/// Parallax of the observer at 1 au [rad]: radius of the Earth's equator.
const PARALLAX_RAD: f64 = 8.794 * ARCSEC_RAD;
/// Fewest sightings that a bend is fitted to.
const SIGHTINGS_BENT_MIN: usize = 4;

/// One place of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Right ascension, ICRS [rad].
    pub ra_rad: f64,
    /// Declination [rad].
    pub dec_rad: f64,
    /// Error per axis [rad].
    pub err_rad: f64,
}

impl Sighting {
    /// Whether its numbers can be worked with.
    pub fn is_usable(&self) -> bool {
        let all = [self.mid_mjd_utc, self.ra_rad, self.dec_rad, self.err_rad];
        all.iter().all(|v| v.is_finite())
            && self.err_rad > 0.0
            && self.mid_mjd_utc.abs() < 1e6
            && self.dec_rad.abs() <= std::f64::consts::FRAC_PI_2
    }
}

/// Motion of one night: a straight line on the sky and its bend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Weighted mean of the times [d, MJD UTC].
    pub mean_mjd_utc: f64,
    /// Place at that time, ICRS [rad].
    pub ra_rad: f64,
    /// ... its declination [rad].
    pub dec_rad: f64,
    /// Rate to the east and to the north [rad/d].
    pub rate_rad_per_d: [f64; 2],
    /// Error of the place per axis [rad].
    pub place_err_rad: f64,
    /// Error of the rate per axis [rad/d].
    pub rate_err_rad_per_d: f64,
    /// Weighted scatter of the times [d].
    pub spread_d: f64,
    /// Chi-square of the straight line, or of the bent one where that is much better.
    pub chi2: f64,
    /// Degrees of freedom of that.
    pub n_free: usize,
    bend_rad_per_d2: [f64; 2],
    bend_err_rad_per_d2: f64,
    /// Weighted mean of the cubes of the times from the mean [d^3].
    skew_d3: f64,
}

/// A predicted place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predicted {
    /// Right ascension, ICRS [rad].
    pub ra_rad: f64,
    /// Declination [rad].
    pub dec_rad: f64,
    /// Error per axis [rad].
    pub err_rad: f64,
}

impl Motion {
    /// Fits a night's sightings; `None` for fewer than two instants.
    pub fn fit(sightings: &[Sighting]) -> Option<Self> {
        let usable: Vec<&Sighting> = sightings.iter().filter(|s| s.is_usable()).collect();
        if usable.len() < 2 {
            return None;
        }
        let weight = |s: &Sighting| s.err_rad.powi(-2);
        let total: f64 = usable.iter().map(|s| weight(s)).sum();
        let mean = |of: &dyn Fn(&Sighting) -> f64| {
            usable.iter().map(|s| weight(s) * of(s)).sum::<f64>() / total
        };
        let start_mjd = usable[0].mid_mjd_utc;
        let mean_mjd_utc = start_mjd + mean(&|s| s.mid_mjd_utc - start_mjd);
        let time = |s: &Sighting| s.mid_mjd_utc - mean_mjd_utc;
        let spread2 = mean(&|s| time(s).powi(2));
        let sum: [f64; 3] = std::array::from_fn(|k| mean(&|s| unit_vector(s.ra_rad, s.dec_rad)[k]));
        let (middle, basis) = frame_at(sum)?;
        let plane = |s: &Sighting| on_plane(unit_vector(s.ra_rad, s.dec_rad), middle, basis);
        if spread2 <= 0.0 || usable.iter().any(|s| plane(s).is_none()) {
            return None;
        }
        let x = |s: &Sighting, k: usize| plane(s).map_or(0.0, |p| p[k]);
        let skew_d3 = mean(&|s| time(s).powi(3));
        let place: [f64; 2] = std::array::from_fn(|k| mean(&|s| x(s, k)));
        let rate: [f64; 2] = std::array::from_fn(|k| mean(&|s| time(s) * x(s, k)) / spread2);
        let off = |s: &Sighting, k: usize| x(s, k) - place[k] - rate[k] * time(s);
        let chi2 = |bend: [f64; 2]| -> f64 {
            let one = |s: &&Sighting| {
                let b = bent(time(s), spread2, skew_d3);
                weight(s) * (0..2).map(|k| (off(s, k) - bend[k] * b).powi(2)).sum::<f64>()
            };
            usable.iter().map(one).sum()
        };
        let lever = mean(&|s| bent(time(s), spread2, skew_d3).powi(2)) * total;
        let speed = rate[0].hypot(rate[1]);
        let prior = bend_max(speed) / 2.0;
        let is_bent = usable.len() >= SIGHTINGS_BENT_MIN && lever > 0.0;
        let information = if is_bent { lever } else { 0.0 } + prior.powi(-2);
        let measured: [f64; 2] =
            std::array::from_fn(|k| total * mean(&|s| bent(time(s), spread2, skew_d3) * off(s, k)));
        let bend = if is_bent { measured.map(|value| value / information) } else { [0.0, 0.0] };
        let (straight_chi2, bent_chi2) = (chi2([0.0; 2]), chi2(bend));
        let is_better = straight_chi2 - bent_chi2 > 9.0;
        let (ra_rad, dec_rad) = ra_dec_rad(off_plane(place, middle, basis));
        Some(Self {
            mean_mjd_utc,
            ra_rad: wrap_positive_rad(ra_rad),
            dec_rad,
            rate_rad_per_d: rate,
            place_err_rad: total.powf(-0.5),
            rate_err_rad_per_d: (total * spread2).powf(-0.5),
            spread_d: spread2.sqrt(),
            chi2: if is_better { bent_chi2 } else { straight_chi2 },
            n_free: 2 * usable.len() - if is_better { 6 } else { 4 },
            bend_rad_per_d2: bend,
            bend_err_rad_per_d2: information.powf(-0.5),
            skew_d3,
        })
    }

    /// Speed [rad/d].
    pub fn speed_rad_per_d(&self) -> f64 {
        self.rate_rad_per_d[0].hypot(self.rate_rad_per_d[1])
    }

    /// Error of a rate that the observer's turn about the Earth's axis adds over days [rad/d].
    pub fn parallax_rate_rad_per_d(&self) -> f64 {
        std::f64::consts::TAU * PARALLAX_RAD / distance_min_au(self.speed_rad_per_d())
    }

    /// The place at a time by constant motion and the measured bend, with an error that holds
    /// what is not known of the bend.
    pub fn at(&self, mjd_utc: f64) -> Predicted {
        let time = mjd_utc - self.mean_mjd_utc;
        let basis = east_north(self.ra_rad, self.dec_rad);
        let lever = bent(time, self.spread_d.powi(2), self.skew_d3);
        let place: [f64; 2] = std::array::from_fn(|k| {
            self.rate_rad_per_d[k] * time + self.bend_rad_per_d2[k] * lever
        });
        // Beyond a quarter of the sky a plane says nothing.
        let length = place[0].hypot(place[1]);
        let factor = if length > 1.0 { 1.0 / length } else { 1.0 };
        let middle = unit_vector(self.ra_rad, self.dec_rad);
        let (ra_rad, dec_rad) = ra_dec_rad(off_plane(place.map(|v| v * factor), middle, basis));
        let err2 = self.place_err_rad.powi(2)
            + (self.rate_err_rad_per_d * time).powi(2)
            + (self.parallax_rate_rad_per_d() * time).powi(2)
            + (self.bend_err_rad_per_d2 * lever).powi(2);
        Predicted { ra_rad: wrap_positive_rad(ra_rad), dec_rad, err_rad: err2.sqrt() }
    }
}

/// t^2/2 without what place and rate of the fit hold of it already.
fn bent(time: f64, spread2: f64, skew: f64) -> f64 {
    0.5 * (time * time - skew / spread2 * time - spread2)
}

/// The smallest distance taken for a speed [au].
pub fn distance_min_au(speed_rad_per_d: f64) -> f64 {
    (SPEED_ACROSS_AU_PER_D / speed_rad_per_d.max(1e-9)).clamp(DISTANCE_MIN_AU.0, DISTANCE_MIN_AU.1)
}

/// The largest bend taken for a speed [rad/d^2].
pub fn bend_max(speed_rad_per_d: f64) -> f64 {
    let distance_au = distance_min_au(speed_rad_per_d);
    (2.0 * GM_SUN + 2.0 * SPEED_ALONG_AU_PER_D * speed_rad_per_d) / distance_au
}

/// Unit vector of a sum of directions, and the axes to its east and north.
pub(super) fn frame_at(sum: [f64; 3]) -> Option<(UnitVector, (UnitVector, UnitVector))> {
    let length = norm(sum);
    if length.is_nan() || length <= 0.5 {
        return None;
    }
    let middle = sum.map(|v| v / length);
    let (ra_rad, dec_rad) = ra_dec_rad(middle);
    Some((middle, east_north(ra_rad, dec_rad)))
}

/// A direction in the plane touching the sky at `middle`; `None` behind it.
pub(super) fn on_plane(
    u: UnitVector,
    middle: UnitVector,
    (east, north): (UnitVector, UnitVector),
) -> Option<[f64; 2]> {
    let depth = dot(u, middle);
    (depth > 0.1).then(|| [dot(u, east) / depth, dot(u, north) / depth])
}

/// The direction of a point of the plane, not of unit length.
pub(super) fn off_plane(
    place: [f64; 2],
    middle: UnitVector,
    (east, north): (UnitVector, UnitVector),
) -> [f64; 3] {
    std::array::from_fn(|k| middle[k] + place[0] * east[k] + place[1] * north[k])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::sky::vector::separation_rad;
    use crate::science::units::DEG_RAD;

    fn line(n: usize, bend_rad_per_d2: f64) -> Vec<Sighting> {
        // East along the equator by 0.2 deg/d, n sightings within 0.1 d.
        (0..n)
            .map(|i| {
                let t = 0.1 * i as f64 / (n - 1) as f64;
                let x = (0.2 * DEG_RAD) * t + 0.5 * bend_rad_per_d2 * t * t;
                Sighting {
                    mid_mjd_utc: 61_000.0 + t,
                    ra_rad: 1.0 + x.atan(),
                    dec_rad: 0.0,
                    err_rad: 0.1 * ARCSEC_RAD,
                }
            })
            .collect()
    }

    #[test]
    fn a_line_is_continued_with_an_error_that_grows() {
        let motion = Motion::fit(&line(5, 0.0)).expect("a motion");
        assert!((motion.rate_rad_per_d[0] / DEG_RAD - 0.2).abs() < 1e-6);
        assert!(motion.rate_rad_per_d[1].abs() < 1e-9 && motion.chi2 < 1e-3);
        // Five at 0, 25, .. 100 % of 0.1 d: variance 0.1^2/8 d^2; sigma 0.1" / sqrt(5 / 800) /d.
        let expected = 0.1 * ARCSEC_RAD / (5.0 * 0.01_f64 / 8.0).sqrt();
        assert!((motion.rate_err_rad_per_d / expected - 1.0).abs() < 1e-9);
        let (one, four) = (motion.at(61_001.05), motion.at(61_004.05));
        let true_place = (1.0 + (0.2 * DEG_RAD * 4.05).atan(), 0.0);
        // A line in one plane is bent by x^3 / 3 = 9e-7 in another.
        assert!(separation_rad((four.ra_rad, four.dec_rad), true_place) < 1e-6);
        assert!(four.err_rad > 4.0 * one.err_rad && one.err_rad > expected);
    }

    #[test]
    fn a_bend_is_measured_and_held_against_what_bodies_do() {
        // 3e-3 rad/d^2 = 10 arcmin/d^2, 3 arcsec within the night: far above 0.1 arcsec.
        let motion = Motion::fit(&line(7, 1e-3)).expect("a motion");
        let straight = Motion::fit(&line(7, 0.0)).expect("a motion");
        assert!((straight.at(61_002.0).ra_rad - 1.0 - 2.0 * 0.2 * DEG_RAD).abs() < 1e-6);
        let moved = motion.at(61_002.0).ra_rad - straight.at(61_002.0).ra_rad;
        assert!(moved > 0.0, "{moved}");
        let off = (moved - 0.5 * 1e-3 * 4.0).abs();
        assert!(off < 3.0 * motion.at(61_002.0).err_rad, "{off}");
        // Three sightings cannot tell a bend.
        let few = Motion::fit(&line(3, 1e-3)).expect("a motion");
        assert_eq!(few.bend_rad_per_d2, [0.0, 0.0]);
        assert!(Motion::fit(&line(5, 0.0)[..1]).is_none());
        let twice = [line(5, 0.0)[0]; 3];
        assert!(Motion::fit(&twice).is_none());
    }
}
