//! Motion about the Sun alone: any conic, any time, without a special case.
//!
//! Universal variables (Danby 1988, "Fundamentals of Celestial Mechanics", 6.9; Battin 1999,
//! 4.5): with alpha = 2/r - v^2/mu, the anomaly chi solves
//!
//!   sqrt(mu) t = r0 chi + sigma0 chi^2 C(z) + (1 - alpha r0) chi^3 S(z),  z = alpha chi^2,
//!
//! by Laguerre's iteration (Conway 1986, Celest. Mech. 39, 199), which converges from any start.

use crate::science::sky::vector::dot;

/// GM of the Sun [au^3/d^2] (DE440, Park et al. 2021, AJ 161, 105).
pub const GM_SUN: f64 = 2.959_122_082_841_195_6e-4;
/// Steps of Laguerre's iteration.
const STEPS_MAX: usize = 60;
/// Relative change of the anomaly at which it is taken [relative].
const CHANGE_MIN: f64 = 1e-13;
/// Below this |z| the Stumpff functions are summed as series.
const SERIES_BELOW: f64 = 0.5;
/// 1/(2k + 2)! for k = 8 down to 0, with the signs of C(z).
const C_TERMS: [f64; 9] = [
    1.0 / 6_402_373_705_728_000.0,
    -1.0 / 20_922_789_888_000.0,
    1.0 / 87_178_291_200.0,
    -1.0 / 479_001_600.0,
    1.0 / 3_628_800.0,
    -1.0 / 40_320.0,
    1.0 / 720.0,
    -1.0 / 24.0,
    0.5,
];
/// 1/(2k + 3)! for k = 8 down to 0, with the signs of S(z).
const S_TERMS: [f64; 9] = [
    1.0 / 121_645_100_408_832_000.0,
    -1.0 / 355_687_428_096_000.0,
    1.0 / 1_307_674_368_000.0,
    -1.0 / 6_227_020_800.0,
    1.0 / 39_916_800.0,
    -1.0 / 362_880.0,
    1.0 / 5_040.0,
    -1.0 / 120.0,
    1.0 / 6.0,
];

/// Place and velocity from the Sun, axes of the ICRS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    /// Place [au].
    pub place_au: [f64; 3],
    /// Velocity [au/d].
    pub velocity_au_per_d: [f64; 3],
}

/// Classical elements, ecliptic and equinox of J2000.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Elements {
    /// Semi-major axis [au].
    pub axis_au: f64,
    /// Eccentricity, below 1.
    pub eccentricity_ratio: f64,
    /// Inclination [rad].
    pub inclination_rad: f64,
    /// Longitude of the ascending node [rad].
    pub node_rad: f64,
    /// Argument of the perihelion [rad].
    pub perihelion_rad: f64,
    /// Mean anomaly [rad].
    pub anomaly_rad: f64,
}

/// Obliquity of the ecliptic of J2000 [rad]: 84381.448 arcsec (IAU 1976), which the Minor Planet
/// Center and JPL use for elements.
const OBLIQUITY_RAD: f64 = 84_381.448 * crate::science::units::ARCSEC_RAD;

impl Elements {
    /// Place and velocity; `None` for what is no ellipse.
    pub fn state(&self) -> Option<State> {
        let e = self.eccentricity_ratio;
        let is_ellipse = self.axis_au > 0.0 && self.axis_au.is_finite() && (0.0..1.0).contains(&e);
        if !is_ellipse {
            return None;
        }
        // From the perihelion, where place and velocity are at right angles.
        let q_au = self.axis_au * (1.0 - e);
        let speed = (GM_SUN * (1.0 + e) / q_au).sqrt();
        let (sin_w, cos_w) = self.perihelion_rad.sin_cos();
        let (sin_n, cos_n) = self.node_rad.sin_cos();
        let (sin_i, cos_i) = self.inclination_rad.sin_cos();
        let (sin_e, cos_e) = OBLIQUITY_RAD.sin_cos();
        let turned = |u: f64, v: f64| {
            let (x, y) = (u * cos_w - v * sin_w, u * sin_w + v * cos_w);
            let ecliptic = [x * cos_n - y * cos_i * sin_n, x * sin_n + y * cos_i * cos_n];
            let height = y * sin_i;
            [
                ecliptic[0],
                ecliptic[1] * cos_e - height * sin_e,
                ecliptic[1] * sin_e + height * cos_e,
            ]
        };
        let perihelion =
            State { place_au: turned(q_au, 0.0), velocity_au_per_d: turned(0.0, speed) };
        let motion_rad_per_d = (GM_SUN / self.axis_au.powi(3)).sqrt();
        let anomaly_rad = crate::science::units::wrap_signed_rad(self.anomaly_rad);
        Arc::new(&perihelion)?.at(anomaly_rad / motion_rad_per_d, &mut 0.0)
    }
}

/// The conic through a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    start: State,
    r0: f64,
    /// r.v / sqrt(mu).
    sigma: f64,
    /// 2/r - v^2/mu [1/au].
    alpha: f64,
}

impl Arc {
    /// `None` when the state is not finite or at the Sun.
    pub(super) fn new(start: &State) -> Option<Self> {
        let (r, v) = (start.place_au, start.velocity_au_per_d);
        let r0 = dot(r, r).sqrt();
        let alpha = 2.0 / r0 - dot(v, v) / GM_SUN;
        let is_fine = r0 > 0.0 && r0.is_finite() && alpha.is_finite();
        is_fine.then(|| Self { start: *start, r0, sigma: dot(r, v) / GM_SUN.sqrt(), alpha })
    }

    /// The state `days` later [d]; `chi` is the anomaly to begin with and the one found, so that
    /// the next instant is found faster. `None` when there is no answer.
    #[inline(always)]
    pub(super) fn at(&self, days: f64, chi: &mut f64) -> Option<State> {
        let Self { start, r0, sigma, alpha } = *self;
        let goal = GM_SUN.sqrt() * days;
        let one_minus = 1.0 - alpha * r0;
        let mut x = *chi;
        if x == 0.0 {
            x = if alpha > 0.0 { goal * alpha } else { goal / r0 };
        }
        let mut found = None;
        for _ in 0..STEPS_MAX {
            let z = alpha * x * x;
            let (c, s) = stumpff(z);
            let x2 = x * x;
            let r = r0 * (1.0 - z * c) + sigma * x * (1.0 - z * s) + x2 * c;
            let time = r0 * x + sigma * x2 * c + one_minus * x2 * x * s - goal;
            let bend = sigma * (1.0 - z * c) + one_minus * x * (1.0 - z * s);
            // Laguerre's iteration for a polynomial of degree 5.
            let root = (16.0 * r * r - 20.0 * time * bend).abs().sqrt();
            let change = -5.0 * time / (r + if r < 0.0 { -root } else { root });
            if !change.is_finite() {
                return None;
            }
            x += change;
            if change.abs() <= CHANGE_MIN * x.abs() {
                found = Some(x);
                break;
            }
        }
        let x = found.or((days == 0.0).then_some(0.0))?;
        *chi = x;
        let z = alpha * x * x;
        let (c, s) = stumpff(z);
        let (x2c, x3s) = (x * x * c, x * x * x * s);
        let r = r0 * (1.0 - z * c) + sigma * x * (1.0 - z * s) + x2c;
        let (f, g) = (1.0 - x2c / r0, days - x3s / GM_SUN.sqrt());
        let f_dot = GM_SUN.sqrt() / (r * r0) * x * (z * s - 1.0);
        let g_dot = 1.0 - x2c / r;
        let (p, v) = (start.place_au, start.velocity_au_per_d);
        Some(State {
            place_au: std::array::from_fn(|k| f * p[k] + g * v[k]),
            velocity_au_per_d: std::array::from_fn(|k| f_dot * p[k] + g_dot * v[k]),
        })
    }
}

/// Stumpff's functions C(z) = (1 - cos sqrt z)/z and S(z) = (sqrt z - sin sqrt z)/sqrt(z^3).
#[inline(always)]
fn stumpff(z: f64) -> (f64, f64) {
    if z.abs() < SERIES_BELOW {
        let sum = |terms: &[f64; 9]| terms.iter().fold(0.0, |sum, term| sum * z + term);
        return (sum(&C_TERMS), sum(&S_TERMS));
    }
    let root = z.abs().sqrt();
    if z > 0.0 {
        let (sine, cosine) = root.sin_cos();
        ((1.0 - cosine) / z, (root - sine) / (z * root))
    } else {
        ((1.0 - root.cosh()) / z, (root - root.sinh()) / (z * root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::{PI, TAU};

    fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
        let d: [f64; 3] = std::array::from_fn(|k| a[k] - b[k]);
        dot(d, d).sqrt()
    }

    #[test]
    fn the_series_meet_the_closed_forms() {
        for z in [-0.5, -0.2, 0.1, 0.49, 0.5] {
            let root = f64::abs(z).sqrt();
            let c = if z > 0.0 { (1.0 - root.cos()) / z } else { (1.0 - root.cosh()) / z };
            let s = if z > 0.0 {
                (root - root.sin()) / root.powi(3)
            } else {
                (root.sinh() - root) / root.powi(3)
            };
            let found = stumpff(z);
            assert!((found.0 - c).abs() < 1e-14 && (found.1 - s).abs() < 1e-14, "{z}");
        }
    }

    #[test]
    fn a_circle_turns_uniformly_and_a_year_comes_back() {
        let speed = GM_SUN.sqrt();
        let start = State { place_au: [1.0, 0.0, 0.0], velocity_au_per_d: [0.0, speed, 0.0] };
        let arc = Arc::new(&start).expect("an arc");
        for angle in [1e-6, 0.5, PI, 5.0, TAU] {
            let at = arc.at(angle / speed, &mut 0.0).expect("a state");
            assert!(distance(at.place_au, [angle.cos(), angle.sin(), 0.0]) < 1e-13, "{angle}");
        }
    }

    #[test]
    fn all_conics_keep_energy_and_areas_and_go_back() {
        // Speeds at 0.5 au: ellipse, near parabola on both sides, hyperbola.
        for share in [0.6, 0.999_999, 1.0, 1.000_001, 1.7] {
            let speed = share * (2.0 * GM_SUN / 0.5_f64).sqrt();
            let start = State {
                place_au: [0.5, 0.0, 0.0],
                velocity_au_per_d: [0.3 * speed, (1.0 - 0.09_f64).sqrt() * speed, 0.0],
            };
            for days in [-400.0, -1.0, 0.0, 1e-3, 30.0, 900.0] {
                let at = Arc::new(&start).expect("arc").at(days, &mut 0.0).expect("state");
                let area = |s: &State| {
                    s.place_au[0] * s.velocity_au_per_d[1] - s.place_au[1] * s.velocity_au_per_d[0]
                };
                assert!((area(&at) / area(&start) - 1.0).abs() < 1e-11, "{share} {days}");
                let back = Arc::new(&at).expect("arc").at(-days, &mut 0.0).expect("state");
                assert!(distance(back.place_au, start.place_au) < 1e-9, "{share} {days}");
            }
        }
    }

    #[test]
    fn elements_give_the_place_that_kepler_s_equation_gives() {
        // In the plane of the ecliptic, e = 0.5, E = 1 rad: M = 1 - 0.5 sin 1.
        let elements = Elements {
            axis_au: 2.0,
            eccentricity_ratio: 0.5,
            inclination_rad: 0.0,
            node_rad: 0.0,
            perihelion_rad: 0.0,
            anomaly_rad: 1.0 - 0.5 * 1.0_f64.sin(),
        };
        let (x, y) = (2.0 * (1.0_f64.cos() - 0.5), 2.0 * 0.75_f64.sqrt() * 1.0_f64.sin());
        let (sin_e, cos_e) = OBLIQUITY_RAD.sin_cos();
        let found = elements.state().expect("a state").place_au;
        assert!(distance(found, [x, y * cos_e, y * sin_e]) < 1e-13, "{found:?}");
        for eccentricity_ratio in [1.0, -0.1, f64::NAN] {
            assert!(Elements { eccentricity_ratio, ..elements }.state().is_none());
        }
    }
}
