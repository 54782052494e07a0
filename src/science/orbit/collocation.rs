//! Motion over one step from accelerations at eight Gauss points.
//!
//! Over a step of length h the acceleration is taken as the polynomial of degree 7 through its
//! values at the zeros c of the Legendre polynomial P_8 on [0, 1]; position and velocity follow by
//! integrating it twice and once. At the end of the step this is of order 16 (Gauss collocation;
//! Hairer, Lubich & Wanner 2006, "Geometric Numerical Integration", II.1.3), inside of order 10.
//! Everything is made from the Legendre polynomials and their integrals,
//!
//!   int P_k = (P_{k+1} - P_{k-1}) / (2 (2k + 1))      on [0, 1],
//!
//! so there is no table of coefficients to mistype.

use std::sync::LazyLock;

/// Points of a step.
pub(super) const NODES: usize = 8;
/// Legendre polynomials needed for two integrations of the last one.
const POLYNOMIALS: usize = NODES + 2;
/// Newton steps towards a zero of P_8; four give it to the last bit.
const ZERO_STEPS: usize = 8;

/// Weights by which accelerations become positions and velocities, for a step of length 1.
pub(super) struct Collocation {
    /// Instants of the points, rising, between 0 and 1.
    pub(super) nodes: [f64; NODES],
    /// `position[i][j]`: what the acceleration at point j adds to the position at point i.
    pub(super) position: [[f64; NODES]; NODES],
    /// The same for the velocity.
    pub(super) velocity: [[f64; NODES]; NODES],
    /// What the acceleration at a point adds to the position at the end.
    pub(super) end_position: [f64; NODES],
    /// The same for the velocity.
    pub(super) end_velocity: [f64; NODES],
    /// `legendre[k][j]`: what the acceleration at point j adds to its coefficient of P_k.
    pub(super) legendre: [[f64; NODES]; NODES],
}

/// The one set of weights.
pub(super) static COLLOCATION: LazyLock<Collocation> = LazyLock::new(Collocation::new);

impl Collocation {
    fn new() -> Self {
        let nodes: [f64; NODES] = std::array::from_fn(zero);
        let end_velocity = nodes.map(|c| {
            // Weight of a Gauss point: 1 / (4 c (1 - c) P_8'(c)^2), in x = 2c - 1.
            let slope = slope(2.0 * c - 1.0);
            1.0 / (4.0 * c * (1.0 - c) * slope * slope)
        });
        let legendre = std::array::from_fn(|k| {
            std::array::from_fn(|j| (2 * k + 1) as f64 * end_velocity[j] * polynomials(nodes[j])[k])
        });
        let by_points = |basis: [f64; NODES]| combine(&legendre, &basis);
        Self {
            nodes,
            position: nodes.map(|u| by_points(integrals(u).1)),
            velocity: nodes.map(|u| by_points(integrals(u).0)),
            end_position: std::array::from_fn(|j| end_velocity[j] * (1.0 - nodes[j])),
            end_velocity,
            legendre,
        }
    }

    /// What the accelerations at the points add to the position at the instant `u` in [0, 1].
    pub(super) fn position_weights(&self, u: f64) -> [f64; NODES] {
        combine(&self.legendre, &integrals(u).1)
    }
}

/// Weights of the points from weights of the polynomials.
fn combine(legendre: &[[f64; NODES]; NODES], basis: &[f64; NODES]) -> [f64; NODES] {
    std::array::from_fn(|j| legendre.iter().zip(basis).map(|(row, b)| row[j] * b).sum())
}

/// P_0 to P_9 on [0, 1].
fn polynomials(u: f64) -> [f64; POLYNOMIALS] {
    let x = 2.0 * u - 1.0;
    let mut p = [1.0; POLYNOMIALS];
    p[1] = x;
    for k in 2..POLYNOMIALS {
        let n = k as f64;
        p[k] = ((2.0 * n - 1.0) * x * p[k - 1] - (n - 1.0) * p[k - 2]) / n;
    }
    p
}

/// First and second integrals of P_0 to P_7 from 0 to `u`.
fn integrals(u: f64) -> ([f64; NODES], [f64; NODES]) {
    let p = polynomials(u);
    let by_difference = |after: f64, before: f64, k: usize| (after - before) / (4 * k + 2) as f64;
    let first: [f64; NODES + 1] = std::array::from_fn(|k| match k {
        0 => u,
        _ => by_difference(p[k + 1], p[k - 1], k),
    });
    let second = std::array::from_fn(|k| match k {
        0 => u * u / 2.0,
        _ => by_difference(first[k + 1], first[k - 1], k),
    });
    (std::array::from_fn(|k| first[k]), second)
}

/// Slope of P_8 with x = 2u - 1.
fn slope(x: f64) -> f64 {
    let p = polynomials((x + 1.0) / 2.0);
    let n = NODES as f64;
    n * (x * p[NODES] - p[NODES - 1]) / (x * x - 1.0)
}

/// The i-th zero of P_8 on [0, 1].
fn zero(i: usize) -> f64 {
    let n = NODES as f64;
    let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
    for _ in 0..ZERO_STEPS {
        x -= polynomials((x + 1.0) / 2.0)[NODES] / slope(x);
    }
    (x + 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_integrated_exactly() {
        // a(t) = t^n on [0, 1]: v = t^(n+1)/(n+1), x = t^(n+2)/((n+1)(n+2)); up to n = 7 at any
        // instant, up to n = 14 at the end.
        let c = &*COLLOCATION;
        let sum = |weights: &[f64; NODES], n: i32| -> f64 {
            weights.iter().zip(&c.nodes).map(|(w, t)| w * t.powi(n)).sum()
        };
        for n in 0..8 {
            let m = f64::from(n);
            for (i, t) in c.nodes.iter().enumerate() {
                let x = t.powi(n + 2) / ((m + 1.0) * (m + 2.0));
                assert!((sum(&c.position[i], n) - x).abs() < 1e-15);
                assert!((sum(&c.velocity[i], n) - t.powi(n + 1) / (m + 1.0)).abs() < 1e-15);
            }
            let x = 0.3_f64.powi(n + 2) / ((m + 1.0) * (m + 2.0));
            assert!((sum(&c.position_weights(0.3), n) - x).abs() < 1e-15);
        }
        for n in 0..15 {
            let m = f64::from(n);
            assert!((sum(&c.end_position, n) - 1.0 / ((m + 1.0) * (m + 2.0))).abs() < 1e-15);
            assert!((sum(&c.end_velocity, n) - 1.0 / (m + 1.0)).abs() < 1e-15);
        }
    }

    #[test]
    fn coefficients_are_those_of_the_polynomials() {
        // t^2 = P_2/6 + P_1/2 + P_0/3 on [0, 1].
        let c = &*COLLOCATION;
        for (k, expected) in [1.0 / 3.0, 0.5, 1.0 / 6.0, 0.0].into_iter().enumerate() {
            let found: f64 = c.legendre[k].iter().zip(&c.nodes).map(|(w, t)| w * t * t).sum();
            assert!((found - expected).abs() < 1e-15, "{k}: {found}");
        }
    }
}
