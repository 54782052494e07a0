//! Shift, turn, scale and mirror: the map from the tangent plane to the pixels of a frame.
//!
//! Points are complex numbers: pixel = a w + b with w = xi + i eta, or its conjugate for the
//! other parity.

/// A map from the tangent plane [rad] to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Real and imaginary part of the factor [px/rad].
    a: (f64, f64),
    /// Pixel of the plane's origin [px].
    b: (f64, f64),
    /// Whether eta is negated first.
    is_conjugate: bool,
}

/// A point of either plane.
pub type Point = (f64, f64);

impl Similarity {
    /// The least-squares map of plane points to pixels, for one parity.
    ///
    /// `None` for fewer than two points or when all are one.
    #[inline]
    pub fn fit(pairs: &[(Point, Point)], is_conjugate: bool) -> Option<Self> {
        let sign = if is_conjugate { -1.0 } else { 1.0 };
        let n = pairs.len() as f64;
        let mut mean = [0.0; 4];
        for ((xi, eta), (x, y)) in pairs {
            for (sum, value) in mean.iter_mut().zip([*xi, sign * eta, *x, *y]) {
                *sum += value / n;
            }
        }
        let (mut re, mut im, mut norm) = (0.0, 0.0, 0.0);
        for ((xi, eta), (x, y)) in pairs {
            let (u, v) = (xi - mean[0], sign * eta - mean[1]);
            let (dx, dy) = (x - mean[2], y - mean[3]);
            re += u * dx + v * dy;
            im += u * dy - v * dx;
            norm += u * u + v * v;
        }
        let is_usable = pairs.len() >= 2 && norm > 0.0 && norm.is_finite();
        if !is_usable {
            return None;
        }
        let a = (re / norm, im / norm);
        let b =
            (mean[2] - (a.0 * mean[0] - a.1 * mean[1]), mean[3] - (a.0 * mean[1] + a.1 * mean[0]));
        Some(Self { a, b, is_conjugate })
    }

    /// The pixel of a point of the plane.
    #[inline]
    pub fn to_pixel(&self, (xi, eta): Point) -> Point {
        let v = if self.is_conjugate { -eta } else { eta };
        (self.a.0 * xi - self.a.1 * v + self.b.0, self.a.0 * v + self.a.1 * xi + self.b.1)
    }

    /// The point of the plane of a pixel.
    pub fn to_plane(&self, (x, y): Point) -> Point {
        let norm = self.a.0 * self.a.0 + self.a.1 * self.a.1;
        let (dx, dy) = (x - self.b.0, y - self.b.1);
        let (u, v) =
            ((self.a.0 * dx + self.a.1 * dy) / norm, (self.a.0 * dy - self.a.1 * dx) / norm);
        (u, if self.is_conjugate { -v } else { v })
    }

    /// The derivative of [`Self::to_plane`], rows xi and eta [rad/px].
    pub fn matrix_rad_per_px(&self) -> [[f64; 2]; 2] {
        let norm = self.a.0 * self.a.0 + self.a.1 * self.a.1;
        let (c, s) = (self.a.0 / norm, self.a.1 / norm);
        if self.is_conjugate { [[c, s], [s, -c]] } else { [[c, s], [-s, c]] }
    }

    /// Whether the second axis is mirrored.
    pub fn is_conjugate(&self) -> bool {
        self.is_conjugate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_recovers_either_parity() {
        for is_conjugate in [false, true] {
            let truth = Similarity { a: (1e5, -3e4), b: (500.0, 400.0), is_conjugate };
            let plane = [(0.0, 0.001), (0.002, -0.001), (-0.003, 0.0005), (0.001, 0.004)];
            let pairs: Vec<_> = plane.iter().map(|&w| (w, truth.to_pixel(w))).collect();
            let found = Similarity::fit(&pairs, is_conjugate).expect("four points");
            for w in plane {
                let (x, y) = truth.to_pixel(w);
                let (fx, fy) = found.to_pixel(w);
                assert!((x - fx).hypot(y - fy) < 1e-8);
                let (xi, eta) = found.to_plane((x, y));
                assert!((xi - w.0).hypot(eta - w.1) < 1e-13);
            }
            let m = found.matrix_rad_per_px();
            let (there, here) = (found.to_plane((11.0, 3.0)), found.to_plane((10.0, 1.0)));
            assert!((there.0 - here.0 - (m[0][0] + 2.0 * m[0][1])).abs() < 1e-14);
            assert!((there.1 - here.1 - (m[1][0] + 2.0 * m[1][1])).abs() < 1e-14);
        }
    }

    #[test]
    fn one_point_has_no_map() {
        assert!(Similarity::fit(&[((0.0, 0.0), (1.0, 1.0))], false).is_none());
        assert!(Similarity::fit(&[((0.1, 0.0), (1.0, 1.0)); 3], false).is_none());
    }
}
