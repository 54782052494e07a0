//! The point spread function at any place of a frame: an elliptical Moffat profile whose shape
//! follows a polynomial in place.
//!
//! Moffat 1969, A&A 3, 455: I(d) = (beta - 1) / (pi sqrt(det S)) (1 + s)^-beta, s = d^T S^-1 d.
//! Its light over a pixel is the centre's value with the corrections of second and fourth order of
//! a Taylor series, in the core of a narrow star the sum over 3 x 3 Gauss-Legendre nodes. The
//! profile comes from a table.

use std::f64::consts::PI;
use std::sync::Arc;

/// Reach of the core, where pixels are integrated by nodes.
const CORE_S: f64 = 2.5;
/// Stars whose peak bends by less need no nodes: the series leaves out less than 0.1 % of the
/// peak. A Gaussian bends by 1 / sigma^2 [1/px^2].
const BEND_MAX: f64 = 1.2;
/// Coefficient of the bi-Laplacian in a pixel's mean, f + f'' / 24 + ..., for a round peak:
/// (3 + 3) / 1920 + 1 / 576 over 8.
const FOURTH_ORDER: f64 = (6.0 / 1920.0 + 1.0 / 576.0) / 8.0;
/// Entries of the table.
const TABLE_STEPS: usize = 4096;
/// Nodes of three points on [-1/2, 1/2] and their weights.
const NODES: [(f64, f64); 3] = [
    (-0.387_298_334_620_741_7, 5.0 / 18.0),
    (0.0, 8.0 / 18.0),
    (0.387_298_334_620_741_7, 5.0 / 18.0),
];
/// Terms of a polynomial of second order in two variables.
pub const TERMS: usize = 6;

/// (1 + s)^-beta and its derivative by s, from a table.
#[derive(Debug, Clone)]
pub struct Profile {
    beta: f64,
    per_s: f64,
    table: Vec<[f32; 2]>,
}

impl Profile {
    /// The table of an exponent up to `s_max`.
    pub fn new(beta: f64, s_max: f64) -> Self {
        let per_s = TABLE_STEPS as f64 / s_max.max(1.0);
        let entry = |i: usize| {
            let s = i as f64 / per_s;
            let value = (1.0 + s).powf(-beta);
            [value as f32, (-beta * value / (1.0 + s)) as f32]
        };
        Self { beta, per_s, table: (0..TABLE_STEPS + 2).map(entry).collect() }
    }

    /// The exponent.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// Value and slope at `s`.
    #[inline]
    fn at(&self, s: f64) -> (f64, f64) {
        let place = s * self.per_s;
        let i = place as usize;
        let Some([[v0, d0], [v1, d1]]) =
            self.table.get(i..i + 2).and_then(|two| <[[f32; 2]; 2]>::try_from(two).ok())
        else {
            let value = (1.0 + s).powf(-self.beta);
            return (value, -self.beta * value / (1.0 + s));
        };
        let part = (place - i as f64) as f32;
        (f64::from(v0 + part * (v1 - v0)), f64::from(d0 + part * (d1 - d0)))
    }
}

/// The matrix S of a Moffat profile [px^2].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Along x.
    pub xx: f64,
    /// Mixed.
    pub xy: f64,
    /// Along y.
    pub yy: f64,
}

impl Shape {
    /// The round shape of a full width at half maximum.
    pub fn round(fwhm_px: f64, beta: f64) -> Self {
        let a = fwhm_px / width_factor(beta);
        Self { xx: a * a, xy: 0.0, yy: a * a }
    }

    /// The determinant [px^4].
    pub fn det(&self) -> f64 {
        self.xx * self.yy - self.xy * self.xy
    }

    /// Whether it is an ellipse of believable size.
    pub fn is_sound(&self) -> bool {
        let det = self.det();
        self.xx > 0.05 && self.yy > 0.05 && det > 0.01 && det < 1e6
    }

    /// Ellipticity 1 - b/a.
    pub fn ellipticity(&self) -> f64 {
        let mean = 0.5 * (self.xx + self.yy);
        let spread = (0.25 * (self.xx - self.yy).powi(2) + self.xy * self.xy).sqrt();
        1.0 - ((mean - spread).max(0.0) / (mean + spread)).sqrt()
    }
}

/// Full width at half maximum over the profile's scale.
pub fn width_factor(beta: f64) -> f64 {
    2.0 * (2.0_f64.powf(1.0 / beta) - 1.0).sqrt()
}

/// The point spread function of a frame.
#[derive(Debug, Clone)]
pub struct PsfModel {
    pub(super) profile: Arc<Profile>,
    /// Coefficients of xx, xy, yy over 1, u, v, u^2, uv, v^2 with u, v in -1..1 over the frame.
    pub(super) surfaces: [[f64; TERMS]; 3],
    pub(super) size_px: (usize, usize),
    /// Number of stars it rests on; 0 for an assumed one.
    pub n_stars: usize,
    /// Terms of the polynomials in use: 1, 3 or 6.
    pub n_terms: usize,
}

impl PsfModel {
    /// One shape for the whole frame.
    pub fn uniform(shape: Shape, beta: f64, size_px: (usize, usize)) -> Self {
        let constant = |v: f64| [v, 0.0, 0.0, 0.0, 0.0, 0.0];
        Self {
            profile: Arc::new(Profile::new(beta, 40.0)),
            surfaces: [constant(shape.xx), constant(shape.xy), constant(shape.yy)],
            size_px,
            n_stars: 0,
            n_terms: 1,
        }
    }

    /// A round star of this seeing and a typical profile (beta 3.1), where none is measured.
    pub fn assumed(fwhm_px: f64, size_px: (usize, usize)) -> Self {
        const BETA: f64 = 3.1;
        Self::uniform(Shape::round(fwhm_px, BETA), BETA, size_px)
    }

    /// The profile's exponent.
    pub fn beta(&self) -> f64 {
        self.profile.beta
    }

    /// Shape at a place; the frame's middle where the polynomial leads astray.
    pub fn shape_at(&self, x_px: f64, y_px: f64) -> Shape {
        let basis = basis(x_px, y_px, self.size_px);
        let value = |c: &[f64; TERMS]| c.iter().zip(&basis).map(|(c, b)| c * b).sum::<f64>();
        let [xx, xy, yy] = [0, 1, 2].map(|k| value(&self.surfaces[k]));
        let shape = Shape { xx, xy, yy };
        if shape.is_sound() {
            return shape;
        }
        let [xx, xy, yy] = [0, 1, 2].map(|k| self.surfaces[k][0]);
        Shape { xx, xy, yy }
    }

    /// Full width at half maximum at a place, geometric mean of both axes, pixels taken out [px].
    pub fn fwhm_at(&self, x_px: f64, y_px: f64) -> f64 {
        width_factor(self.beta()) * self.shape_at(x_px, y_px).det().powf(0.25)
    }

    /// Ellipticity 1 - b/a at a place.
    pub fn ellipticity_at(&self, x_px: f64, y_px: f64) -> f64 {
        self.shape_at(x_px, y_px).ellipticity()
    }

    /// Growth curve: share of a star's light within a radius at a place.
    pub fn share_within(&self, x_px: f64, y_px: f64, radius_px: f64) -> f64 {
        let scale2 = self.shape_at(x_px, y_px).det().sqrt();
        1.0 - (1.0 + radius_px * radius_px / scale2).powf(1.0 - self.beta())
    }

    /// The model as FITS keywords with values and comments.
    ///
    /// S = [xx xy; xy yy] at a place is the sum of coefficients 0 to 5 times 1, u, v, u^2, uv, v^2,
    /// with u and v from -1 at the first to 1 at the last column and row.
    pub fn keywords(&self) -> Vec<(String, f64, &'static str)> {
        let middle = (0.5 * self.size_px.0 as f64, 0.5 * self.size_px.1 as f64);
        let mut words = vec![
            ("PSFFWHM".to_owned(), self.fwhm_at(middle.0, middle.1), "[px] in the middle"),
            ("PSFELL".to_owned(), self.ellipticity_at(middle.0, middle.1), "1 - b/a there"),
            ("PSFBETA".to_owned(), self.beta(), "exponent of the Moffat profile"),
            ("PSFNSTAR".to_owned(), self.n_stars as f64, "stars it rests on; 0: assumed"),
        ];
        for (name, surface) in ["XX", "XY", "YY"].iter().zip(&self.surfaces) {
            for (k, value) in surface.iter().enumerate().take(self.n_terms) {
                words.push((format!("PSF{name}{k}"), *value, "[px^2] of 1, u, v, u2, uv, v2"));
            }
        }
        words
    }

    /// The model that [`PsfModel::keywords`] told; `None` where they do not tell a sound one.
    pub fn from_keywords(
        value: impl Fn(&str) -> Option<f64>,
        size_px: (usize, usize),
    ) -> Option<Self> {
        let beta = value("PSFBETA").filter(|beta| (1.1..50.0).contains(beta))?;
        let mut model = Self::uniform(Shape { xx: 1.0, xy: 0.0, yy: 1.0 }, beta, size_px);
        for (name, surface) in ["XX", "XY", "YY"].iter().zip(&mut model.surfaces) {
            for (k, coefficient) in surface.iter_mut().enumerate() {
                let told = value(&format!("PSF{name}{k}")).filter(|c| c.is_finite());
                *coefficient = if k == 0 { told? } else { told.unwrap_or(0.0) };
                model.n_terms = if told.is_some() { k + 1 } else { model.n_terms };
            }
        }
        model.n_stars = value("PSFNSTAR").map_or(0, |n| n.max(0.0) as usize);
        let [xx, xy, yy] = [0, 1, 2].map(|k| model.surfaces[k][0]);
        Shape { xx, xy, yy }.is_sound().then_some(model)
    }

    /// The star of unit light at a place.
    pub fn star_at(&self, x_px: f64, y_px: f64) -> Star<'_> {
        Star::new(&self.profile, self.shape_at(x_px, y_px))
    }
}

/// Terms of the polynomials at a place.
pub(super) fn basis(x_px: f64, y_px: f64, size_px: (usize, usize)) -> [f64; TERMS] {
    let u = 2.0 * x_px / (size_px.0.max(2) - 1) as f64 - 1.0;
    let v = 2.0 * y_px / (size_px.1.max(2) - 1) as f64 - 1.0;
    [1.0, u, v, u * u, u * v, v * v]
}

/// Light of a star in one pixel and its derivatives by the star's place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PixelLight {
    /// Share of the star's light.
    pub share: f64,
    /// Derivative by the star's column [1/px].
    pub by_x: f64,
    /// Derivative by the star's row [1/px].
    pub by_y: f64,
}

/// A star of unit light of one shape.
#[derive(Debug, Clone, Copy)]
pub struct Star<'a> {
    profile: &'a Profile,
    /// S^-1.
    ixx: f64,
    ixy: f64,
    iyy: f64,
    peak: f64,
    /// Factors of a round star's corrections of second and fourth order.
    second: f64,
    fourth: f64,
    /// Where nodes end: nowhere for stars so wide that the correction is enough.
    core_s: f64,
}

impl<'a> Star<'a> {
    /// The star of a shape.
    pub fn new(profile: &'a Profile, shape: Shape) -> Self {
        let det = shape.det();
        let bend = 2.0 * profile.beta / det.sqrt();
        Self {
            profile,
            ixx: shape.yy / det,
            ixy: -shape.xy / det,
            iyy: shape.xx / det,
            peak: (profile.beta - 1.0) / (PI * det.sqrt()),
            second: profile.beta * 4.0 / (24.0 * det.sqrt()),
            fourth: FOURTH_ORDER * 16.0 * profile.beta * (profile.beta + 1.0) / det,
            core_s: if bend > BEND_MAX { CORE_S } else { -1.0 },
        }
    }

    /// Light per pixel at (dx, dy), not averaged over the pixel.
    #[inline]
    pub(super) fn density(&self, dx: f64, dy: f64) -> f64 {
        self.peak * self.profile.at(self.s_at(dx, dy)).0
    }

    /// Distance beyond which no pixel gets `share` of the light [px].
    pub(super) fn reach_px(&self, share: f64) -> f64 {
        let s = (self.peak / share.max(f64::MIN_POSITIVE)).powf(1.0 / self.profile.beta) - 1.0;
        // The long axis of the ellipse s = 1 is at most 1 / sqrt of the smaller eigenvalue.
        let (mean, half) = (0.5 * (self.ixx + self.iyy), 0.5 * (self.ixx - self.iyy));
        let least = (mean - half.hypot(self.ixy)).max(1e-9);
        (s.max(0.0) / least).sqrt()
    }

    fn s_at(&self, dx: f64, dy: f64) -> f64 {
        self.ixx * dx * dx + 2.0 * self.ixy * dx * dy + self.iyy * dy * dy
    }

    /// Light in the pixel whose centre lies (dx, dy) from the star.
    #[inline]
    pub fn light(&self, dx: f64, dy: f64) -> PixelLight {
        let s = self.s_at(dx, dy);
        if s > self.core_s {
            let (value, slope) = self.profile.at(s);
            let (gx, gy) = (self.ixx * dx + self.ixy * dy, self.ixy * dx + self.iyy * dy);
            let (growth, growth_slope) = self.growth(s, gx * gx + gy * gy);
            let slope = -2.0 * self.peak * (slope * growth + value * growth_slope);
            return PixelLight {
                share: self.peak * value * growth,
                by_x: slope * gx,
                by_y: slope * gy,
            };
        }
        self.core_light(dx, dy)
    }

    /// What a pixel's mean is to its centre's value, and the derivative by s.
    ///
    /// The Laplacian of (1 + s)^-beta is, in units of it and with g = S^-1 d and p = 1 / (1 + s),
    /// beta p (4 (beta + 1) p |g|^2 - 2 tr S^-1); the fourth order and the derivative are those of
    /// a round star of the same area.
    #[inline]
    fn growth(&self, s: f64, g2: f64) -> (f64, f64) {
        let (beta, per) = (self.profile.beta, 1.0 / (1.0 + s));
        let per2 = per * per;
        let trace = self.ixx + self.iyy;
        let second = beta * per * (4.0 * (beta + 1.0) * per * g2 - 2.0 * trace) / 24.0;
        let second_slope = (beta * (1.0 - s) + 2.0) * per2 * per;
        let bracket = 2.0 + (beta + 1.0) * s * (beta * s - 4.0);
        let fourth = bracket * per2 * per2;
        let fourth_slope =
            ((beta + 1.0) * (2.0 * beta * s - 4.0) - 4.0 * bracket * per) * per2 * per2;
        (
            1.0 + second + self.fourth * fourth,
            self.second * second_slope + self.fourth * fourth_slope,
        )
    }

    fn core_light(&self, dx: f64, dy: f64) -> PixelLight {
        let (mut value, mut by_x, mut by_y) = (0.0, 0.0, 0.0);
        for (node_y, weight_y) in NODES {
            let y = dy + node_y;
            for (node_x, weight_x) in NODES {
                let x = dx + node_x;
                let (gx, gy) = (self.ixx * x + self.ixy * y, self.ixy * x + self.iyy * y);
                let (v, slope) = self.profile.at(x * gx + y * gy);
                let weight = weight_x * weight_y;
                value += weight * v;
                by_x += weight * slope * gx;
                by_y += weight * slope * gy;
            }
        }
        PixelLight {
            share: self.peak * value,
            by_x: -2.0 * self.peak * by_x,
            by_y: -2.0 * self.peak * by_y,
        }
    }

    /// Derivatives of a pixel's light by the elements xx, xy, yy of the shape.
    pub fn by_shape(&self, dx: f64, dy: f64) -> [f64; 3] {
        if self.s_at(dx, dy) > self.core_s {
            return self.by_shape_at(dx, dy);
        }
        let mut sums = [0.0; 3];
        for (node_y, weight_y) in NODES {
            for (node_x, weight_x) in NODES {
                let values = self.by_shape_at(dx + node_x, dy + node_y);
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += weight_x * weight_y * value;
                }
            }
        }
        sums
    }

    /// The same at a point.
    fn by_shape_at(&self, x: f64, y: f64) -> [f64; 3] {
        let (gx, gy) = (self.ixx * x + self.ixy * y, self.ixy * x + self.iyy * y);
        let (value, slope) = self.profile.at(x * gx + y * gy);
        [
            self.peak * (-0.5 * self.ixx * value - slope * gx * gx),
            self.peak * (-self.ixy * value - 2.0 * slope * gx * gy),
            self.peak * (-0.5 * self.iyy * value - slope * gy * gy),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BETA: f64 = 3.2;

    /// The mean over a pixel by 41 x 41 points.
    fn by_brute_force(shape: Shape, dx: f64, dy: f64) -> f64 {
        let det = shape.det();
        let peak = (BETA - 1.0) / (PI * det.sqrt());
        let mut sum = 0.0;
        for j in 0..41 {
            for i in 0..41 {
                let x = dx + (f64::from(i) + 0.5) / 41.0 - 0.5;
                let y = dy + (f64::from(j) + 0.5) / 41.0 - 0.5;
                let s = (shape.yy * x * x - 2.0 * shape.xy * x * y + shape.xx * y * y) / det;
                sum += peak * (1.0 + s).powf(-BETA) / 1681.0;
            }
        }
        sum
    }

    #[test]
    fn a_pixel_holds_the_mean_of_its_area() {
        let profile = Profile::new(BETA, 40.0);
        for shape in [
            Shape { xx: 3.0, xy: 0.4, yy: 2.5 },
            Shape { xx: 6.0, xy: 0.5, yy: 5.5 },
            Shape { xx: 9.0, xy: -1.0, yy: 7.0 },
        ] {
            let star = Star::new(&profile, shape);
            let peak = by_brute_force(shape, 0.0, 0.0);
            for (dx, dy) in [(0.0, 0.0), (0.5, 0.3), (1.4, -0.8), (3.2, 2.9), (0.1, 5.0)] {
                let expected = by_brute_force(shape, dx, dy);
                let got = star.light(dx, dy).share;
                assert!((got - expected).abs() < 1e-3 * peak, "{dx} {dy}: {got} {expected}");
            }
        }
    }

    #[test]
    fn derivatives_are_differences() {
        let profile = Profile::new(BETA, 40.0);
        let shape = Shape { xx: 4.0, xy: 0.5, yy: 3.0 };
        let star = Star::new(&profile, shape);
        let h = 1e-2;
        for (dx, dy) in [(0.3, 0.2), (1.5, -1.0), (4.0, 1.0)] {
            let light = star.light(dx, dy);
            // The star moves by +h: the pixel lies at -h from there.
            let along_x = (star.light(dx - h, dy).share - star.light(dx + h, dy).share) / (2.0 * h);
            let along_y = (star.light(dx, dy - h).share - star.light(dx, dy + h).share) / (2.0 * h);
            assert!((light.by_x - along_x).abs() < 3e-4, "{} {along_x}", light.by_x);
            assert!((light.by_y - along_y).abs() < 3e-4, "{} {along_y}", light.by_y);
            let changed = |xx: f64, xy: f64, yy: f64| {
                by_brute_force(Shape { xx: 4.0 + xx, xy: 0.5 + xy, yy: 3.0 + yy }, dx, dy)
            };
            let expected = [
                (changed(h, 0.0, 0.0) - changed(-h, 0.0, 0.0)) / (2.0 * h),
                (changed(0.0, h, 0.0) - changed(0.0, -h, 0.0)) / (2.0 * h),
                (changed(0.0, 0.0, h) - changed(0.0, 0.0, -h)) / (2.0 * h),
            ];
            for (got, expected) in star.by_shape(dx, dy).iter().zip(expected) {
                assert!((got - expected).abs() < 3e-4, "{got} {expected}");
            }
        }
    }

    #[test]
    fn keywords_tell_the_terms_in_use() {
        let words = PsfModel::assumed(3.0, (100, 100)).keywords();
        let value = |key: &str| words.iter().find(|w| w.0 == key).map(|w| w.1);
        assert!((value("PSFFWHM").expect("told") - 3.0).abs() < 1e-9);
        assert!(value("PSFELL").expect("told").abs() < 1e-9);
        let a = 3.0 / width_factor(3.1);
        assert!((value("PSFXX0").expect("told") - a * a).abs() < 1e-9);
        let back = PsfModel::from_keywords(value, (100, 100)).expect("a sound model");
        assert!((back.fwhm_at(20.0, 80.0) - 3.0).abs() < 1e-9);
        assert!(PsfModel::from_keywords(|_| None, (100, 100)).is_none());
        assert!(value("PSFXX1").is_none() && words.iter().all(|w| w.0.len() <= 8));
    }

    #[test]
    fn the_growth_curve_reaches_half_at_the_half_light_radius() {
        let psf = PsfModel::assumed(3.0, (100, 100));
        let a = 3.0 / width_factor(3.1);
        let half = a * (2.0_f64.powf(1.0 / 2.1) - 1.0).sqrt();
        assert!((psf.share_within(50.0, 50.0, half) - 0.5).abs() < 1e-9);
        assert!((psf.fwhm_at(10.0, 90.0) - 3.0).abs() < 1e-9);
    }
}
