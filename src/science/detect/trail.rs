//! Fits a trailed source: the frame's point spread function drawn evenly along a line.
//!
//! Unknowns are the middle, the light and half the line as a vector; weighted least squares as
//! for stars (`psf_fit`), damped after Levenberg and Marquardt.

use super::psf_fit::Stamp;
use super::psf_model::{PixelLight, Star};
use crate::science::sky::least_squares::NormalEquations;

/// Steps of the fit, and those after which a hopeless one is given up.
const STEPS_MAX: usize = 40;
const STEPS_HOPELESS: usize = 8;
/// A step that changes chi-squared by less than this, and this share of it, is the last.
const SETTLED_CHI2: f64 = 0.01;
const SETTLED_SHARE: f64 = 1e-4;
/// Damping at which no step can help any more.
const DAMPING_MAX: f64 = 1e4;
/// Longest trail that is fitted [px].
pub const LENGTH_MAX_PX: f64 = 400.0;
/// Spacing of the drawn stars in units of the seeing.
const SPACING_FWHM: f64 = 0.4;
/// Worst chi-squared per degree of freedom of a trail.
const CHI2_MAX: f64 = 3.0;

/// What makes a trail of what was fitted as one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// Chi-squared that it must save against a star.
    pub gain_chi2_min: f64,
    /// Shortest length in units of its own error.
    pub length_sigma_min: f64,
    /// Shortest length in units of the seeing.
    pub length_fwhm_min: f64,
}

impl Belief {
    /// For outlines that look like one.
    pub const OUTLINE: Self =
        Self { gain_chi2_min: 30.0, length_sigma_min: 5.0, length_fwhm_min: 0.8 };
}

/// A trail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trail {
    /// Column of the middle [px].
    pub x_px: f64,
    /// Row of the middle [px].
    pub y_px: f64,
    /// From end to end [px].
    pub length_px: f64,
    /// Angle from +x towards +y, -90 to 90 degrees [rad].
    pub angle_rad: f64,
    /// All its light [e-].
    pub flux_e: f64,
    /// Error of the light [e-].
    pub flux_err_e: f64,
    /// Error of the length [px].
    pub length_err_px: f64,
    /// Variance of the middle's column, covariance, variance of the row [px^2].
    pub place_var: [f64; 3],
    /// Chi-squared per degree of freedom.
    pub chi2: f64,
}

impl Trail {
    /// Both ends (x, y) [px].
    pub fn ends_px(&self) -> [(f64, f64); 2] {
        let (sin, cos) = self.angle_rad.sin_cos();
        let (dx, dy) = (0.5 * self.length_px * cos, 0.5 * self.length_px * sin);
        [(self.x_px - dx, self.y_px - dy), (self.x_px + dx, self.y_px + dy)]
    }
}

/// A first guess: middle, length and angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrailGuess {
    /// Column of the middle [px].
    pub x_px: f64,
    /// Row [px].
    pub y_px: f64,
    /// From end to end [px].
    pub length_px: f64,
    /// Angle from +x towards +y [rad].
    pub angle_rad: f64,
}

/// Unknowns: light, middle, half the line.
type Unknowns = [f64; 5];

/// Light of a unit trail in a pixel and its derivatives by middle and half line.
fn light(star: &Star<'_>, d: (f64, f64), half: (f64, f64), n: usize) -> ([f64; 2], PixelLight) {
    let (mut sum, mut by_half) = (PixelLight::default(), [0.0; 2]);
    for k in 0..n {
        let t = (2.0 * k as f64 + 1.0) / n as f64 - 1.0;
        let one = star.light(d.0 - t * half.0, d.1 - t * half.1);
        sum.share += one.share;
        sum.by_x += one.by_x;
        sum.by_y += one.by_y;
        by_half[0] += t * one.by_x;
        by_half[1] += t * one.by_y;
    }
    let per = 1.0 / n as f64;
    let mean = PixelLight { share: sum.share * per, by_x: sum.by_x * per, by_y: sum.by_y * per };
    (by_half.map(|v| v * per), mean)
}

/// Equations of one step and chi-squared at the present unknowns.
fn equations(stamp: &Stamp, star: &Star<'_>, u: &Unknowns, n: usize) -> (NormalEquations, f64) {
    let mut normal = NormalEquations::new(5);
    let mut chi2 = 0.0;
    for (&(px, py), &value) in stamp.places.iter().zip(&stamp.values_e) {
        let d = (f64::from(px) - u[1], f64::from(py) - u[2]);
        let (by_half, mean) = light(star, d, (u[3], u[4]), n);
        let weight = 1.0 / (stamp.sky_e2 + u[0].max(0.0) * mean.share);
        let rest = f64::from(value) - u[0] * mean.share;
        chi2 += weight * rest * rest;
        let row =
            [mean.share, u[0] * mean.by_x, u[0] * mean.by_y, u[0] * by_half[0], u[0] * by_half[1]];
        normal.add(&row, [rest, 0.0], weight);
    }
    (normal, chi2)
}

/// Fits a trail; `None` when it does not settle or a star explains the pixels as well.
///
/// * `star_chi2`: chi-squared sum of the star fitted to the same pixels.
/// * `belief`: what is asked of it.
pub fn fit_trail(
    stamp: &Stamp,
    star: &Star<'_>,
    fwhm_px: f64,
    guess: &TrailGuess,
    (star_chi2, belief): (f64, Belief),
) -> Option<Trail> {
    let (sin, cos) = guess.angle_rad.sin_cos();
    let half = 0.5 * guess.length_px.min(LENGTH_MAX_PX);
    let flux: f64 = stamp.values_e.iter().map(|v| f64::from(*v)).sum();
    let mut u: Unknowns = [flux, guess.x_px, guess.y_px, half * cos, half * sin];
    let points = |u: &Unknowns| {
        let length = 2.0 * u[3].hypot(u[4]);
        ((length / (SPACING_FWHM * fwhm_px)).ceil() as usize).clamp(3, 500)
    };
    let (mut normal, mut chi2) = equations(stamp, star, &u, points(&u));
    let mut damping = 1e-3;
    for round in 0..STEPS_MAX {
        if round == STEPS_HOPELESS && chi2 > 5.0 * CHI2_MAX * stamp.values_e.len() as f64 {
            return None;
        }
        let step = damped(&normal, damping)?;
        let mut tried = u;
        tried.iter_mut().zip(&step).for_each(|(value, step)| *value += step);
        let is_near = (tried[1] - guess.x_px).hypot(tried[2] - guess.y_px)
            <= 0.5 * guess.length_px + 2.0 * fwhm_px;
        let length = 2.0 * tried[3].hypot(tried[4]);
        if !is_near || length > LENGTH_MAX_PX || tried[0].is_nan() {
            return None;
        }
        let (next, next_chi2) = equations(stamp, star, &tried, points(&tried));
        let has_settled = (chi2 - next_chi2).abs() < SETTLED_CHI2 + SETTLED_SHARE * chi2;
        if next_chi2 > chi2 {
            damping *= 10.0;
            if has_settled || damping > DAMPING_MAX {
                break;
            }
            continue;
        }
        (u, normal, chi2) = (tried, next, next_chi2);
        damping *= 0.2;
        if has_settled {
            break;
        }
    }
    let trail = trail_of(&u, &normal, chi2, stamp.values_e.len())?;
    believed(trail, star_chi2 - chi2, (fwhm_px, belief))
}

/// One step of the damped equations.
fn damped(normal: &NormalEquations, damping: f64) -> Option<Vec<f64>> {
    let mut equations = normal.clone();
    for i in 0..5 {
        let own = normal.diagonal(i);
        equations.damp(i, damping * own);
    }
    equations.solve().map(|[step, _]| step)
}

fn trail_of(u: &Unknowns, normal: &NormalEquations, chi2: f64, n: usize) -> Option<Trail> {
    let covariance = normal.clone().covariance()?;
    let at = |i: usize, j: usize| covariance[i * 5 + j];
    let half = u[3].hypot(u[4]).max(1e-9);
    let (cos, sin) = (u[3] / half, u[4] / half);
    let along = cos * cos * at(3, 3) + 2.0 * cos * sin * at(3, 4) + sin * sin * at(4, 4);
    let mut angle_rad = u[4].atan2(u[3]);
    let quarter = std::f64::consts::FRAC_PI_2;
    if angle_rad > quarter {
        angle_rad -= std::f64::consts::PI;
    } else if angle_rad <= -quarter {
        angle_rad += std::f64::consts::PI;
    }
    Some(Trail {
        x_px: u[1],
        y_px: u[2],
        length_px: 2.0 * half,
        angle_rad,
        flux_e: u[0],
        flux_err_e: at(0, 0).sqrt(),
        length_err_px: 2.0 * along.max(0.0).sqrt(),
        place_var: [at(1, 1), at(1, 2), at(2, 2)],
        chi2: chi2 / (n as f64 - 5.0).max(1.0),
    })
}

/// The trail, if it is long enough, explains the pixels and does so better than a star.
fn believed(trail: Trail, gain: f64, (fwhm_px, belief): (f64, Belief)) -> Option<Trail> {
    let is_long = trail.length_px > belief.length_fwhm_min * fwhm_px
        && trail.length_px > belief.length_sigma_min * trail.length_err_px;
    let is_better = gain > belief.gain_chi2_min;
    (trail.flux_e > 0.0 && is_long && is_better && trail.chi2 < CHI2_MAX).then_some(trail)
}

#[cfg(test)]
mod tests {
    use super::super::psf_model::{Profile, Shape};
    use super::*;

    /// Pixels of a trail drawn by 400 stars, without noise.
    fn drawn(star: &Star<'_>, middle: (f64, f64), half: (f64, f64), flux: f64) -> Stamp {
        let mut stamp = Stamp { sky_e2: 200.0, ..Stamp::default() };
        for y in 0..50 {
            for x in 0..50 {
                let (px, py) = (f64::from(x), f64::from(y));
                let share = light(star, (px - middle.0, py - middle.1), half, 400).1.share;
                stamp.places.push((px as f32, py as f32));
                stamp.values_e.push((flux * share) as f32);
            }
        }
        stamp
    }

    #[test]
    fn a_trail_is_found_again() {
        let profile = Profile::new(3.0, 40.0);
        let star = Star::new(&profile, Shape { xx: 3.0, xy: 0.0, yy: 3.0 });
        let angle = 0.6_f64;
        let half = (8.0 * angle.cos(), 8.0 * angle.sin());
        let stamp = drawn(&star, (24.3, 25.1), half, 2e4);
        let guess = TrailGuess { x_px: 24.0, y_px: 25.0, length_px: 12.0, angle_rad: 0.5 };
        let found = fit_trail(&stamp, &star, 1.8, &guess, (1e6, Belief::OUTLINE)).expect("settles");
        assert!((found.length_px - 16.0).abs() < 0.05, "{found:?}");
        assert!((found.angle_rad - angle).abs() < 0.005, "{found:?}");
        assert!((found.flux_e / 2e4 - 1.0).abs() < 0.005, "{found:?}");
        let [start, end] = found.ends_px();
        assert!((start.0 - (24.3 - half.0)).abs() < 0.05 && (end.1 - (25.1 + half.1)).abs() < 0.05);
        // The same pixels explained by a star as well: no trail.
        assert!(fit_trail(&stamp, &star, 1.8, &guess, (1.0, Belief::OUTLINE)).is_none());
    }

    #[test]
    fn a_star_is_no_trail() {
        let profile = Profile::new(3.0, 40.0);
        let star = Star::new(&profile, Shape { xx: 3.0, xy: 0.0, yy: 3.0 });
        let stamp = drawn(&star, (24.3, 25.1), (0.0, 0.0), 2e4);
        let guess = TrailGuess { x_px: 24.0, y_px: 25.0, length_px: 3.0, angle_rad: 0.5 };
        assert!(fit_trail(&stamp, &star, 1.8, &guess, (50.0, Belief::OUTLINE)).is_none());
    }
}
