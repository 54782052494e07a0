//! Painting stars, galaxies and trails: elliptical Moffat functions integrated over pixels.
//!
//! I(s) = (beta - 1) / (pi sqrt(det S)) (1 + s)^-beta with s = d^T S^-1 d (Moffat 1969, A&A 3,
//! 455).
//! Integration over a pixel: 3 x 3 Gauss-Legendre nodes in the core (exact to degree 5), the
//! centre with the Laplacian's correction h^2/24 in the wings.

use crate::science::image::Image;
use std::f64::consts::PI;

/// Part of a source's light that may be left out beyond the painted radius.
const TAIL_LOST: f64 = 5e-4;
/// Sources are painted at least until their surface brightness falls below this [e-/px].
const SURFACE_MIN_E: f64 = 0.05;
/// The core, integrated by nine nodes, reaches to this s.
const CORE_S: f64 = 6.25;
/// Entries of the profile's table per unit of s, and its end.
const TABLE_STEPS_PER_S: f64 = 256.0;
const TABLE_END_S: f64 = 32.0;
/// Gauss-Legendre nodes of three points on [-1/2, 1/2] and their weights.
const NODES: [(f64, f64); 3] = [
    (-0.387_298_334_620_741_7, 5.0 / 18.0),
    (0.0, 8.0 / 18.0),
    (0.387_298_334_620_741_7, 5.0 / 18.0),
];

/// Width and elongation of a source: the matrix S [px^2].
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Shape {
    /// The shape of a point source; `e` is the ellipticity 1 - b/a along and across the axes
    /// (e cos 2 phi, e sin 2 phi); the width is kept as geometric mean of the axes.
    pub(super) fn of_seeing(fwhm_px: f64, beta: f64, e: (f64, f64)) -> Self {
        let a = fwhm_px / (2.0 * (2_f64.powf(1.0 / beta) - 1.0).sqrt());
        Self::elongated(a * a, e)
    }

    /// A shape of sqrt(det) `area_px2`.
    fn elongated(area_px2: f64, (e1, e2): (f64, f64)) -> Self {
        let unit = (1.0 - (e1 * e1 + e2 * e2).min(0.95)).sqrt();
        let area = area_px2 / unit;
        Self { xx: area * (1.0 + e1), xy: area * e2, yy: area * (1.0 - e1) }
    }

    /// The shape of a galaxy seen through this one: half-light radii are added in quadrature.
    #[must_use]
    pub(super) fn widened(&self, half_light_px: f64, beta: f64, e: (f64, f64)) -> Self {
        // Half of a Moffat's light lies within a sqrt(2^(1/(beta-1)) - 1).
        let area = half_light_px * half_light_px / (2_f64.powf(1.0 / (beta - 1.0)) - 1.0);
        let galaxy = Self::elongated(area, e);
        Self { xx: self.xx + galaxy.xx, xy: self.xy + galaxy.xy, yy: self.yy + galaxy.yy }
    }

    fn det(&self) -> f64 {
        self.xx * self.yy - self.xy * self.xy
    }

    /// Pixels over which the noise of the background counts for a fitted source, 1 / sum p^2.
    pub(super) fn noise_area_px(&self, beta: f64) -> f64 {
        (2.0 * beta - 1.0) / (beta - 1.0).powi(2) * PI * self.det().sqrt()
    }
}

/// A source at a place, by its light.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// Column of its centre [px].
    pub(super) x_px: f64,
    /// Row of its centre [px].
    pub(super) y_px: f64,
    /// All its light [e-].
    pub(super) flux_e: f64,
}

/// Paints sources onto a frame of expected electrons.
pub(super) struct Painter {
    beta: f64,
    table: Vec<f64>,
    canvas: Image<f32>,
}

impl Painter {
    /// Starts with a painted background.
    pub(super) fn new(canvas: Image<f32>, beta: f64) -> Self {
        let n = (TABLE_STEPS_PER_S * TABLE_END_S) as usize;
        let table = (0..=n + 1).map(|i| (1.0 + i as f64 / TABLE_STEPS_PER_S).powf(-beta)).collect();
        Self { beta, table, canvas }
    }

    /// The painted frame [e-].
    pub(super) fn finish(self) -> Image<f32> {
        self.canvas
    }

    /// (1 + s)^-beta.
    fn profile(&self, s: f64) -> f64 {
        if s >= TABLE_END_S {
            return (1.0 + s).powf(-self.beta);
        }
        let place = s * TABLE_STEPS_PER_S;
        let i = place as usize;
        self.table[i] + (place - i as f64) * (self.table[i + 1] - self.table[i])
    }

    /// The painted s of a source of this central brightness [e-/px].
    fn s_max(&self, peak_e: f64) -> f64 {
        let tail = TAIL_LOST.powf(-1.0 / (self.beta - 1.0)) - 1.0;
        let bright = (peak_e / SURFACE_MIN_E).max(1.0).powf(1.0 / self.beta) - 1.0;
        tail.max(bright)
    }

    /// Adds a source; what falls outside the frame is lost.
    pub(super) fn add_spot(&mut self, shape: &Shape, spot: Spot) {
        let (nx, ny) = (self.canvas.nx() as f64, self.canvas.ny() as f64);
        let det = shape.det();
        let peak_e = spot.flux_e * (self.beta - 1.0) / (PI * det.sqrt());
        let is_placed = spot.x_px.is_finite() && spot.y_px.is_finite();
        if !(is_placed && peak_e.is_finite() && peak_e > 0.0 && det > 0.0) {
            return;
        }
        let s_max = self.s_max(peak_e);
        let (reach_x, reach_y) = ((s_max * shape.xx).sqrt(), (s_max * shape.yy).sqrt());
        let (x0, x1) = ((spot.x_px - reach_x).ceil(), (spot.x_px + reach_x).floor());
        let (y0, y1) = ((spot.y_px - reach_y).ceil(), (spot.y_px + reach_y).floor());
        if x1 < 0.0 || y1 < 0.0 || x0 > nx - 1.0 || y0 > ny - 1.0 || x0 > x1 || y0 > y1 {
            return;
        }
        let (x0, x1) = (x0.max(0.0) as usize, x1.min(nx - 1.0) as usize);
        let (y0, y1) = (y0.max(0.0) as usize, y1.min(ny - 1.0) as usize);
        let (ixx, ixy, iyy) = (shape.yy / det, -shape.xy / det, shape.xx / det);
        let s_at = |dx: f64, dy: f64| ixx * dx * dx + 2.0 * ixy * dx * dy + iyy * dy * dy;
        // h^2/24 times the Laplacian of the profile, relative to it: 4 beta / a^2 (beta s - 1) /
        // (1 + s)^2, a^2 being the mean of the axes' squares.
        let wing = self.beta * 4.0 / (24.0 * det.sqrt());
        for y in y0..=y1 {
            let dy = y as f64 - spot.y_px;
            for x in x0..=x1 {
                let dx = x as f64 - spot.x_px;
                let s = s_at(dx, dy);
                if s > s_max {
                    continue;
                }
                let mean = if s > CORE_S {
                    self.profile(s) * (1.0 + wing * (self.beta * s - 1.0) / (1.0 + s).powi(2))
                } else {
                    let mut sum = 0.0;
                    for (node_y, weight_y) in NODES {
                        for (node_x, weight_x) in NODES {
                            sum +=
                                weight_x * weight_y * self.profile(s_at(dx + node_x, dy + node_y));
                        }
                    }
                    sum
                };
                self.canvas.row_mut(y)[x] += (peak_e * mean) as f32;
            }
        }
    }

    /// Adds a source that moved evenly by (dx, dy) [px], `spot` being its middle.
    ///
    /// Midpoint sum with steps of at most a tenth of the source's width, at most 20 000 steps.
    pub(super) fn add_trail(&mut self, shape: &Shape, spot: Spot, (dx, dy): (f64, f64)) {
        let width = shape.det().sqrt().sqrt();
        let n = (dx.hypot(dy) / (0.1 * width)).ceil().clamp(1.0, 20_000.0);
        for i in 0..n as usize {
            let part = (i as f64 + 0.5) / n - 0.5;
            let step = Spot {
                x_px: spot.x_px + part * dx,
                y_px: spot.y_px + part * dy,
                flux_e: spot.flux_e / n,
            };
            self.add_spot(shape, step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BETA: f64 = 3.2;

    fn painted(fwhm_px: f64, e: (f64, f64), spot: Spot, trail: (f64, f64)) -> Image<f32> {
        let mut painter = Painter::new(Image::filled(160, 160, 0.0), BETA);
        painter.add_trail(&Shape::of_seeing(fwhm_px, BETA, e), spot, trail);
        painter.finish()
    }

    fn total(image: &Image<f32>) -> f64 {
        image.pixels().iter().map(|&v| f64::from(v)).sum()
    }

    #[test]
    fn all_light_arrives() {
        for (fwhm, x) in [(1.6, 80.0), (1.6, 80.5), (2.8, 79.3), (5.0, 80.1)] {
            let spot = Spot { x_px: x, y_px: 80.27, flux_e: 1000.0 };
            let sum = total(&painted(fwhm, (0.05, -0.03), spot, (0.0, 0.0)));
            // Tail of 0.05 % left out, plus quadrature.
            assert!((sum / 1000.0 - 1.0).abs() < 1.2e-3, "{fwhm} {x}: {sum}");
        }
    }

    #[test]
    fn pixels_agree_with_a_dense_sum() {
        let (fwhm, spot) = (1.6, Spot { x_px: 80.3, y_px: 80.6, flux_e: 1.0 });
        let image = painted(fwhm, (0.0, 0.0), Spot { flux_e: 1e4, ..spot }, (0.0, 0.0));
        let a2 = (fwhm / (2.0 * (2_f64.powf(1.0 / BETA) - 1.0).sqrt())).powi(2);
        for (x, y) in [(80, 80), (80, 81), (82, 80), (84, 83), (88, 80)] {
            let mut sum = 0.0;
            for i in 0..2500 {
                let dx = x as f64 + f64::from(i % 50) / 50.0 - 0.49 - spot.x_px;
                let dy = y as f64 + f64::from(i / 50) / 50.0 - 0.49 - spot.y_px;
                sum += (1.0 + (dx * dx + dy * dy) / a2).powf(-BETA);
            }
            let expected = 1e4 * sum / 2500.0 * (BETA - 1.0) / (PI * a2);
            let got = f64::from(image.at(x, y));
            // In the first wing pixels the Laplacian's next term is worth 0.3 % at this width.
            assert!((got / expected - 1.0).abs() < 4e-3, "({x}, {y}): {got} {expected}");
        }
    }

    #[test]
    fn half_of_the_peak_lies_at_half_the_width() {
        // Wide profile, so that pixels hardly blur it: FWHM 20 px, centre on a pixel.
        let spot = Spot { x_px: 80.0, y_px: 80.0, flux_e: 1e6 };
        let image = painted(20.0, (0.0, 0.0), spot, (0.0, 0.0));
        let ratio = f64::from(image.at(90, 80)) / f64::from(image.at(80, 80));
        assert!((ratio - 0.5).abs() < 2e-3, "{ratio}");
    }

    #[test]
    fn a_trail_has_its_length_and_all_its_light() {
        // Variance along a trail of length L: that of the point plus L^2/12.
        let (fwhm, length, flux_e) = (2.0, 24.0, 1e5);
        let spot = Spot { x_px: 80.0, y_px: 80.0, flux_e };
        let second = |image: &Image<f32>| {
            let rows = (0..160).flat_map(|y| (0..160).map(move |x| (x, y)));
            let sum = rows.map(|(x, y)| (x as f64 - 80.0).powi(2) * f64::from(image.at(x, y)));
            sum.sum::<f64>() / total(image)
        };
        let trailed = painted(fwhm, (0.0, 0.0), spot, (length, 0.0));
        let point = painted(fwhm, (0.0, 0.0), spot, (0.0, 0.0));
        let got = (12.0 * (second(&trailed) - second(&point))).sqrt();
        assert!((got / length - 1.0).abs() < 0.01, "{got}");
        assert!((total(&trailed) / flux_e - 1.0).abs() < 2e-3);
    }

    #[test]
    fn sources_outside_or_without_light_do_nothing() {
        for (x_px, flux_e) in [(1e9, 1.0), (f64::NAN, 1.0), (80.0, 0.0), (80.0, f64::NAN)] {
            let spot = Spot { x_px, y_px: 80.0, flux_e };
            assert!(total(&painted(2.0, (0.0, 0.0), spot, (0.0, 0.0))).abs() < 1e-9);
        }
    }
}
