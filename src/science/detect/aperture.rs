//! Sums of pixels in circles and ellipses, a pixel on the rim with the share of its area inside.

use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};

/// Pixels a measurement reads, all of one shape.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Signal above the sky [e-].
    pub signal_e: &'a Image<f32>,
    /// Variance per pixel [e-^2].
    pub variance_e2: &'a Image<f32>,
    /// What is wrong with each pixel.
    pub mask: &'a Mask,
}

/// An ellipse on the frame; a circle when both axes are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    /// Centre, column [px].
    pub x_px: f64,
    /// Centre, row [px].
    pub y_px: f64,
    /// Semi-major axis [px].
    pub a_px: f64,
    /// Semi-minor axis [px].
    pub b_px: f64,
    /// Angle of the major axis from +x towards +y [rad].
    pub theta_rad: f64,
}

impl Ellipse {
    /// The circle of a radius.
    pub fn circle(x_px: f64, y_px: f64, radius_px: f64) -> Self {
        Self { x_px, y_px, a_px: radius_px, b_px: radius_px, theta_rad: 0.0 }
    }

    /// Calls `visit(index, share)` for each pixel of an `nx` x `ny` frame that the
    /// ellipse covers, with the share of its area inside; tells whether the frame's edge cut it.
    pub fn for_each_pixel(
        &self,
        (nx, ny): (usize, usize),
        mut visit: impl FnMut(usize, f64),
    ) -> bool {
        let (sin, cos) = self.theta_rad.sin_cos();
        let reach_x = ((self.a_px * cos).powi(2) + (self.b_px * sin).powi(2)).sqrt() + 0.5;
        let reach_y = ((self.a_px * sin).powi(2) + (self.b_px * cos).powi(2)).sqrt() + 0.5;
        let is_cut = self.x_px - reach_x < -0.5
            || self.y_px - reach_y < -0.5
            || self.x_px + reach_x > nx as f64 - 0.5
            || self.y_px + reach_y > ny as f64 - 0.5;
        let range = |centre: f64, reach: f64, n: usize| {
            let low = (centre - reach).ceil().max(0.0) as usize;
            let high = ((centre + reach).floor() + 1.0).clamp(0.0, n as f64) as usize;
            low..high
        };
        let rim = Rim::of(self, (sin, cos));
        for y in range(self.y_px, reach_y, ny) {
            let dy = y as f64 - self.y_px;
            for x in range(self.x_px, reach_x, nx) {
                let share = rim.share(x as f64 - self.x_px, dy);
                if share > 0.0 {
                    visit(y * nx + x, share);
                }
            }
        }
        is_cut
    }
}

/// An ellipse as the curve q(d) = d^T Q d = 1 around its centre.
struct Rim {
    xx: f64,
    xy: f64,
    yy: f64,
    /// Pixels whose centres have a smaller q lie wholly inside, those beyond the other outside.
    q_inner: f64,
    q_outer: f64,
}

impl Rim {
    fn of(ellipse: &Ellipse, (sin, cos): (f64, f64)) -> Self {
        let (ia, ib) = (ellipse.a_px.powi(-2), ellipse.b_px.powi(-2));
        // Half a pixel's diagonal in units of the narrow axis.
        let margin = std::f64::consts::FRAC_1_SQRT_2 / ellipse.b_px;
        Self {
            xx: cos * cos * ia + sin * sin * ib,
            xy: cos * sin * (ia - ib),
            yy: sin * sin * ia + cos * cos * ib,
            q_inner: (1.0 - margin).max(0.0).powi(2),
            q_outer: (1.0 + margin).powi(2),
        }
    }

    /// Share of the pixel at (dx, dy) that lies inside; 0.1 % of all for radii above 2 px.
    ///
    /// On the rim the curve is taken for its tangent, moved inwards by a 24th of the curvature,
    /// which is what a unit of arc lies below its tangent on the mean.
    #[inline]
    fn share(&self, dx: f64, dy: f64) -> f64 {
        let (gx, gy) = (self.xx * dx + self.xy * dy, self.xy * dx + self.yy * dy);
        let q = dx * gx + dy * gy;
        if q <= self.q_inner {
            return 1.0;
        }
        if q >= self.q_outer {
            return 0.0;
        }
        let slope2 = gx * gx + gy * gy;
        if slope2 <= 0.0 {
            // The centre of an ellipse smaller than a pixel.
            return 1.0;
        }
        let (slope, d) = (slope2.sqrt(), q.sqrt());
        let bent = self.xx * gy * gy - 2.0 * self.xy * gx * gy + self.yy * gx * gx;
        // Distance to the rim along the normal; curvature of the curve of equal q through here.
        let inwards = d * (1.0 - d) / slope - bent / (24.0 * slope2 * slope);
        square_share(inwards, (gx / slope).abs(), (gy / slope).abs())
    }
}

/// Share of a unit square on the inner side of a line at distance `inwards` from its middle; the
/// line's normal has the absolute components (u, v).
#[inline]
fn square_share(inwards: f64, u: f64, v: f64) -> f64 {
    let (large, small) = if u > v { (u, v) } else { (v, u) };
    let (far, t) = (0.5 * (large + small), inwards.abs());
    let beyond = if t >= far {
        0.0
    } else if t <= 0.5 * (large - small) {
        0.5 - t / large
    } else {
        (far - t) * (far - t) / (2.0 * large * small)
    };
    if inwards >= 0.0 { 1.0 - beyond } else { beyond }
}

/// Result of summing an aperture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ApertureSum {
    /// Signal inside [e-].
    pub flux_e: f64,
    /// Its error from the pixels' variances [e-].
    pub flux_err_e: f64,
    /// Share of the area on untrustworthy pixels, 0..=1.
    pub masked_share: f64,
    /// All reasons found on the pixels inside.
    pub reasons: MaskBits,
    /// Whether the frame's edge cuts the aperture.
    pub is_cut: bool,
}

/// Sums the signal inside an ellipse; untrustworthy pixels count with the values they have.
pub fn sum_aperture(scene: Scene<'_>, ellipse: &Ellipse) -> ApertureSum {
    let shape = (scene.signal_e.nx(), scene.signal_e.ny());
    let (signal, variance, mask) =
        (scene.signal_e.pixels(), scene.variance_e2.pixels(), scene.mask.pixels());
    let mut sum = ApertureSum::default();
    let (mut area, mut masked, mut var) = (0.0, 0.0, 0.0);
    sum.is_cut = ellipse.for_each_pixel(shape, |i, share| {
        area += share;
        sum.flux_e += share * f64::from(signal[i]);
        var += share * f64::from(variance[i]);
        if !mask[i].is_good() {
            masked += share;
            sum.reasons = sum.reasons.with(mask[i]);
        }
    });
    sum.flux_err_e = var.sqrt();
    sum.masked_share = if area > 0.0 { masked / area } else { 1.0 };
    sum
}

/// Flux-weighted mean radius inside an ellipse, in units of its shape: Kron's first moment.
///
/// `shape` gives axes (a, b) and angle; the sum runs to `reach` times these axes. `None` when
/// the signal inside is not positive. Source: Kron 1980, ApJS 43, 305, eq. 3.
pub fn kron_radius(signal_e: &Image<f32>, shape: &Ellipse, reach: f64) -> Option<f64> {
    let (sin, cos) = shape.theta_rad.sin_cos();
    let reach_x = reach * ((shape.a_px * cos).powi(2) + (shape.b_px * sin).powi(2)).sqrt();
    let reach_y = reach * ((shape.a_px * sin).powi(2) + (shape.b_px * cos).powi(2)).sqrt();
    let range = |centre: f64, reach: f64, n: usize| {
        let low = (centre - reach).ceil().max(0.0) as usize;
        low..((centre + reach).floor() + 1.0).clamp(0.0, n as f64) as usize
    };
    // Squared distance in units of the shape: cxx dx^2 + cyy dy^2 + cxy dx dy.
    let (ia, ib) = (shape.a_px.powi(-2), shape.b_px.powi(-2));
    let (cxx, cyy) = (cos * cos * ia + sin * sin * ib, sin * sin * ia + cos * cos * ib);
    let cxy = 2.0 * cos * sin * (ia - ib);
    let columns = range(shape.x_px, reach_x, signal_e.nx());
    let (mut moment, mut flux) = (0.0, 0.0);
    for y in range(shape.y_px, reach_y, signal_e.ny()) {
        let dy = y as f64 - shape.y_px;
        let row = &signal_e.row(y)[columns.clone()];
        for (x, &value) in columns.clone().zip(row) {
            let dx = x as f64 - shape.x_px;
            let d2 = cxx * dx * dx + cyy * dy * dy + cxy * dx * dy;
            // Whole pixels by their centres, as SExtractor counts here.
            let value = if d2 <= reach * reach { f64::from(value) } else { 0.0 };
            moment += d2.max(0.0).sqrt() * value;
            flux += value;
        }
    }
    (flux > 0.0 && moment > 0.0).then(|| moment / flux)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_on_a_flat_frame_has_its_area() {
        let signal = Image::filled(60, 60, 1.0_f32);
        let variance = Image::filled(60, 60, 4.0_f32);
        let mask = Image::filled(60, 60, MaskBits::GOOD);
        let scene = Scene { signal_e: &signal, variance_e2: &variance, mask: &mask };
        for radius in [2.0, 3.7, 10.0] {
            let sum = sum_aperture(scene, &Ellipse::circle(30.2, 29.7, radius));
            let area = std::f64::consts::PI * radius * radius;
            assert!((sum.flux_e / area - 1.0).abs() < 2e-3, "{radius}: {}", sum.flux_e / area);
            assert!((sum.flux_err_e.powi(2) / (4.0 * area) - 1.0).abs() < 2e-3);
            assert!(!sum.is_cut);
        }
        assert!(sum_aperture(scene, &Ellipse::circle(1.0, 30.0, 3.0)).is_cut);
        let tilted = Ellipse { x_px: 30.0, y_px: 30.0, a_px: 9.0, b_px: 4.0, theta_rad: 0.6 };
        let area = std::f64::consts::PI * 36.0;
        assert!((sum_aperture(scene, &tilted).flux_e / area - 1.0).abs() < 0.01);
    }

    #[test]
    fn shares_are_those_of_many_sub_pixels() {
        for (a_px, b_px, theta_rad) in [(4.5, 4.5, 0.0), (9.0, 4.0, 0.6), (3.0, 2.0, -1.1)] {
            let ellipse = Ellipse { x_px: 0.3, y_px: -0.2, a_px, b_px, theta_rad };
            let (sin, cos) = f64::sin_cos(theta_rad);
            let rim = Rim::of(&ellipse, (sin, cos));
            let inside = |x: f64, y: f64| {
                ((x * cos + y * sin) / a_px).powi(2) + ((y * cos - x * sin) / b_px).powi(2) <= 1.0
            };
            for y in -11..=11 {
                for x in -11..=11 {
                    let (dx, dy) = (f64::from(x) - 0.3, f64::from(y) + 0.2);
                    let step = |k: i32| (f64::from(k) + 0.5) / 50.0 - 0.5;
                    let n: usize = (0..2500)
                        .map(|k| usize::from(inside(dx + step(k % 50), dy + step(k / 50))))
                        .sum();
                    let (got, expected) = (rim.share(dx, dy), n as f64 / 2500.0);
                    assert!((got - expected).abs() < 0.04, "{a_px} {x} {y}: {got} {expected}");
                }
            }
        }
    }

    #[test]
    fn the_kron_radius_of_a_gaussian_is_its_mean_radius() {
        // Mean radius of a round Gaussian of unit sigma: sqrt(pi / 2) = 1.2533.
        let sigma = 3.0;
        let pixels = (0..81 * 81)
            .map(|i| {
                let (x, y) = ((i % 81) as f64 - 40.0, (i / 81) as f64 - 40.0);
                (1000.0 * (-(x * x + y * y) / (2.0 * sigma * sigma)).exp()) as f32
            })
            .collect();
        let image = Image::from_pixels(81, 81, pixels).expect("counted");
        let shape = Ellipse::circle(40.0, 40.0, sigma);
        let radius = kron_radius(&image, &shape, 6.0).expect("positive flux");
        assert!((radius - (std::f64::consts::PI / 2.0).sqrt()).abs() < 0.005, "{radius}");
    }
}
