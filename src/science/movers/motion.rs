//! Motion of one object over a night on the tangent plane: place, rate, small acceleration.
//!
//! Weighted least squares per axis of p(t) = p0 + v t + a t^2 / 2. The acceleration, the
//! observer's own turn around the Earth's axis seen from the object, is held near zero by a
//! Gaussian prior whose width grows with the rate: near objects are fast and swing more.

/// Diurnal swing of a slow, distant object [arcsec/h^2].
const ACCELERATION_BASE_ARCSEC_PER_H2: f64 = 0.15;
/// Growth of the swing with the rate [1/h].
const ACCELERATION_PER_RATE_PER_H: f64 = 0.01;

/// Width of the acceleration's prior at a rate [arcsec/h] in [arcsec/h^2].
pub fn acceleration_prior_arcsec_per_h2(rate_arcsec_per_h: f64) -> f64 {
    ACCELERATION_BASE_ARCSEC_PER_H2 + ACCELERATION_PER_RATE_PER_H * rate_arcsec_per_h
}

/// One place at one instant on the tangent plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanePoint {
    /// Time from the reference instant [h].
    pub t_h: f64,
    /// East on the plane [arcsec].
    pub east_arcsec: f64,
    /// North on the plane [arcsec].
    pub north_arcsec: f64,
    /// Error per axis [arcsec].
    pub sigma_arcsec: f64,
}

/// Fitted motion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Instant of the coefficients, mean of the points' times [h].
    pub t0_h: f64,
    /// Place, rate and acceleration east [arcsec, arcsec/h, arcsec/h^2].
    pub east: [f64; 3],
    /// Place, rate and acceleration north [arcsec, arcsec/h, arcsec/h^2].
    pub north: [f64; 3],
    /// Covariance of (place, rate, acceleration), equal for both axes.
    pub covariance: [[f64; 3]; 3],
    /// Width of the acceleration's prior [arcsec/h^2].
    pub acceleration_prior_arcsec_per_h2: f64,
    /// Sum of squared residuals over their errors, both axes, with the prior's share.
    pub chi2: f64,
    /// Number of points.
    pub n: usize,
}

impl Motion {
    /// Fits at least two points; `None` when their times coincide.
    pub fn fit(points: &[PlanePoint]) -> Option<Self> {
        if points.len() < 2 {
            return None;
        }
        let t0_h = points.iter().map(|p| p.t_h).sum::<f64>() / points.len() as f64;
        let first = points.iter().min_by(|a, b| a.t_h.total_cmp(&b.t_h))?;
        let last = points.iter().max_by(|a, b| a.t_h.total_cmp(&b.t_h))?;
        let span = last.t_h - first.t_h;
        if span <= 0.0 {
            return None;
        }
        let moved =
            (last.east_arcsec - first.east_arcsec).hypot(last.north_arcsec - first.north_arcsec);
        let prior_sigma = acceleration_prior_arcsec_per_h2(moved / span);
        let mut normal = [[0.0; 3]; 3];
        normal[2][2] = 1.0 / (prior_sigma * prior_sigma);
        let (mut rhs_east, mut rhs_north) = ([0.0; 3], [0.0; 3]);
        for p in points {
            let t = p.t_h - t0_h;
            let basis = [1.0, t, 0.5 * t * t];
            let weight = 1.0 / (p.sigma_arcsec * p.sigma_arcsec);
            for i in 0..3 {
                for j in 0..3 {
                    normal[i][j] += weight * basis[i] * basis[j];
                }
                rhs_east[i] += weight * basis[i] * p.east_arcsec;
                rhs_north[i] += weight * basis[i] * p.north_arcsec;
            }
        }
        let covariance = inverse3(&normal)?;
        let solve = |rhs: &[f64; 3]| -> [f64; 3] {
            std::array::from_fn(|i| (0..3).map(|j| covariance[i][j] * rhs[j]).sum())
        };
        let (east, north) = (solve(&rhs_east), solve(&rhs_north));
        let mut motion = Self {
            t0_h,
            east,
            north,
            covariance,
            acceleration_prior_arcsec_per_h2: prior_sigma,
            chi2: 0.0,
            n: points.len(),
        };
        let swing = (east[2].powi(2) + north[2].powi(2)) / (prior_sigma * prior_sigma);
        motion.chi2 = points.iter().map(|p| motion.pull2(p)).sum::<f64>() + swing;
        Some(motion)
    }

    /// Place at an instant [arcsec east, arcsec north].
    pub fn place(&self, t_h: f64) -> (f64, f64) {
        let t = t_h - self.t0_h;
        let at = |c: &[f64; 3]| c[0] + c[1] * t + 0.5 * c[2] * t * t;
        (at(&self.east), at(&self.north))
    }

    /// Error of the place at an instant, per axis [arcsec].
    pub fn place_err(&self, t_h: f64) -> f64 {
        let t = t_h - self.t0_h;
        let basis = [1.0, t, 0.5 * t * t];
        let mut variance = 0.0;
        for i in 0..3 {
            for j in 0..3 {
                variance += basis[i] * self.covariance[i][j] * basis[j];
            }
        }
        variance.max(0.0).sqrt()
    }

    /// Residual of a point, observed minus fitted [arcsec east, arcsec north].
    pub fn residual(&self, p: &PlanePoint) -> (f64, f64) {
        let (east, north) = self.place(p.t_h);
        (p.east_arcsec - east, p.north_arcsec - north)
    }

    /// Squared residual of a point in units of its own variance, both axes.
    pub fn pull2(&self, p: &PlanePoint) -> f64 {
        let (east, north) = self.residual(p);
        (east * east + north * north) / (p.sigma_arcsec * p.sigma_arcsec)
    }

    /// Rate at an instant [arcsec/h east, arcsec/h north].
    pub fn rates_arcsec_per_h(&self, t_h: f64) -> (f64, f64) {
        let t = t_h - self.t0_h;
        (self.east[1] + self.east[2] * t, self.north[1] + self.north[2] * t)
    }

    /// Speed [arcsec/h].
    pub fn rate_arcsec_per_h(&self) -> f64 {
        self.east[1].hypot(self.north[1])
    }

    /// Error of the speed [arcsec/h].
    pub fn rate_err_arcsec_per_h(&self) -> f64 {
        self.covariance[1][1].max(0.0).sqrt()
    }

    /// Direction of motion, north through east [deg in 0..360].
    pub fn position_angle_deg(&self) -> f64 {
        self.east[1].atan2(self.north[1]).to_degrees().rem_euclid(360.0)
    }

    /// Volume of (place, rate) of one axis that the points leave open, times the share of the
    /// acceleration's prior that they leave [ln(arcsec^2/h)].
    pub fn ln_volume(&self) -> f64 {
        let determinant = determinant3(&self.covariance).max(f64::MIN_POSITIVE);
        0.5 * determinant.ln() - self.acceleration_prior_arcsec_per_h2.ln()
    }
}

fn determinant3(m: &[[f64; 3]; 3]) -> f64 {
    m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
        - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
        + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
}

/// Inverse of a symmetric 3 x 3 matrix by cofactors; `None` when singular.
fn inverse3(m: &[[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let cofactor = |i: usize, j: usize| {
        let (a, b) = ((i + 1) % 3, (i + 2) % 3);
        let (c, d) = ((j + 1) % 3, (j + 2) % 3);
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    let determinant = (0..3).map(|j| m[0][j] * cofactor(0, j)).sum::<f64>();
    if !determinant.is_finite() || determinant <= 0.0 {
        return None;
    }
    Some(std::array::from_fn(|i| std::array::from_fn(|j| cofactor(j, i) / determinant)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(accel: f64, sigma: f64) -> Vec<PlanePoint> {
        (0..7)
            .map(|i| {
                let t = 0.2 * f64::from(i);
                PlanePoint {
                    t_h: t,
                    east_arcsec: 10.0 - 30.0 * t + 0.5 * accel * t * t,
                    north_arcsec: -5.0 + 40.0 * t,
                    sigma_arcsec: sigma,
                }
            })
            .collect()
    }

    #[test]
    fn uniform_motion_is_recovered() {
        let motion = Motion::fit(&track(0.0, 0.1)).expect("seven points");
        assert!((motion.rate_arcsec_per_h() - 50.0).abs() < 1e-9);
        // East -30, north 40: 323.13 degrees.
        assert!((motion.position_angle_deg() - 323.130_102).abs() < 1e-5);
        assert!(motion.chi2 < 1e-12);
        let (east, north) = motion.place(2.0);
        assert!((east + 50.0).abs() < 1e-8 && (north - 75.0).abs() < 1e-8);
        // Seven points of error s, evenly spaced by d: rate error s / (d sqrt(28)), before the
        // prior on the symmetric acceleration, which does not touch it.
        assert!((motion.rate_err_arcsec_per_h() - 0.1 / (0.2 * 28.0_f64.sqrt())).abs() < 1e-6);
    }

    #[test]
    fn precise_points_show_an_acceleration_and_poor_ones_do_not() {
        let precise = Motion::fit(&track(0.4, 0.001)).expect("points");
        assert!((precise.east[2] - 0.4).abs() < 0.01);
        let poor = Motion::fit(&track(0.4, 1.0)).expect("points");
        assert!(poor.east[2].abs() < 0.1);
    }

    #[test]
    fn coincident_times_give_no_motion() {
        let point = track(0.0, 0.1)[0];
        assert!(Motion::fit(&[point, point]).is_none());
        assert!(Motion::fit(&[point]).is_none());
    }
}
