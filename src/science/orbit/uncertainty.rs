//! How far from its predicted place a body may be.
//!
//! The Minor Planet Center's uncertainty parameter U is the logarithm of how far the body runs off
//! along its orbit in ten years ("Uncertainty Parameter U", minorplanetcenter.net):
//!
//!   U = ln(runoff) / ln(648000) x 9, runoff [arcsec per decade as seen from the Sun],
//!
//! rounded down and kept within 0 and 9; we take the upper end of its class. A body at r from the
//! Sun and delta from us that has run off by L seems L r / delta displaced. The runoff begins with
//! the last observation, or with the epoch of the elements when that is not told.

/// Days of ten years [d].
const DECADE_D: f64 = 3_652.5;
/// Half of a circle [arcsec]: the largest runoff of U = 9 is anything; we take a half orbit.
const HALF_CIRCLE_ARCSEC: f64 = 648_000.0;
/// Error of the best orbits today [arcsec]: catalogue errors of old observations and what our
/// forces leave out.
const FLOOR_ARCSEC: f64 = 0.5;
/// U of orbits without one, by oppositions that were observed: 2, 3, more.
const BY_OPPOSITIONS: [u8; 3] = [5, 3, 2];
/// U of orbits of one opposition by the length of their arc [d].
const BY_ARC_D: [(f64, u8); 4] = [(180.0, 6), (60.0, 7), (20.0, 8), (0.0, 9)];
/// U when nothing is known.
const UNKNOWN: u8 = 9;

/// What the orbit rests on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Arc {
    /// Uncertainty parameter, 0 to 9.
    pub uncertainty: Option<u8>,
    /// Oppositions that were observed.
    pub oppositions: Option<u16>,
    /// Length of the arc, when only one opposition was [d].
    pub length_d: Option<f64>,
    /// Last observation [MJD].
    pub last_mjd: Option<f64>,
}

/// How the error of a place grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// Runoff as seen from the Sun [arcsec per day].
    pub runoff_arcsec_per_d: f64,
    /// When it begins [MJD].
    pub since_mjd: f64,
}

impl Arc {
    /// The uncertainty parameter, or the one that orbits of such arcs have.
    pub fn uncertainty_or_usual(&self) -> u8 {
        if let Some(known) = self.uncertainty {
            return known.min(UNKNOWN);
        }
        match (self.oppositions, self.length_d) {
            (Some(n @ 2..), _) => BY_OPPOSITIONS[usize::from(n.min(4)) - 2],
            (_, Some(length_d)) => {
                BY_ARC_D.iter().find(|(arc_d, _)| length_d >= *arc_d).map_or(UNKNOWN, |(_, u)| *u)
            }
            _ => UNKNOWN,
        }
    }

    /// How the error grows for elements of this epoch [MJD].
    pub fn growth(&self, epoch_mjd: f64) -> Growth {
        let u = self.uncertainty_or_usual();
        let exponent = f64::from((u + 1).min(9)) / 9.0;
        Growth {
            runoff_arcsec_per_d: HALF_CIRCLE_ARCSEC.powf(exponent) / DECADE_D,
            since_mjd: self.last_mjd.unwrap_or(epoch_mjd),
        }
    }
}

impl Growth {
    /// Error of a place [arcsec] at an instant [MJD], of a body at these distances [au].
    pub fn error_arcsec(&self, mjd: f64, sun_distance_au: f64, distance_au: f64) -> f64 {
        let runoff = self.runoff_arcsec_per_d * (mjd - self.since_mjd).abs();
        let seen = runoff * sun_distance_au / distance_au;
        FLOOR_ARCSEC.hypot(seen).min(HALF_CIRCLE_ARCSEC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_a_logarithmic_scale() {
        // The table of the Minor Planet Center: U = 1 ends at 19.6, U = 4 at 1692, U = 7 at
        // 146502 arcsec per decade.
        for (u, decade_arcsec) in [(1, 19.6), (4, 1_692.0), (7, 146_502.0)] {
            let arc = Arc { uncertainty: Some(u), ..Arc::default() };
            let runoff = arc.growth(0.0).runoff_arcsec_per_d * DECADE_D;
            assert!((runoff / decade_arcsec - 1.0).abs() < 3e-3, "{u}: {runoff}");
        }
    }

    #[test]
    fn errors_grow_with_time_and_nearness() {
        let arc = Arc { uncertainty: Some(1), last_mjd: Some(60_000.0), ..Arc::default() };
        let growth = arc.growth(61_000.0);
        assert!((growth.error_arcsec(60_000.0, 2.5, 1.5) - FLOOR_ARCSEC).abs() < 1e-12);
        let far = growth.error_arcsec(60_000.0 + DECADE_D, 2.5, 1.5);
        assert!((far - 19.57 * 2.5 / 1.5).abs() < 0.1, "{far}");
        assert!(growth.error_arcsec(60_000.0 - DECADE_D, 2.5, 1.5) >= far);
        // Without a date the epoch counts.
        let undated = Arc { uncertainty: Some(1), ..Arc::default() }.growth(61_000.0);
        assert!((undated.since_mjd - 61_000.0).abs() < 1e-12);
    }

    #[test]
    fn without_the_parameter_the_arc_tells() {
        let of = |oppositions, length_d| {
            Arc { oppositions, length_d, ..Arc::default() }.uncertainty_or_usual()
        };
        assert_eq!([of(None, None), of(Some(1), Some(3.0)), of(Some(1), Some(30.0))], [9, 9, 8]);
        assert_eq!([of(Some(1), Some(70.0)), of(Some(2), None), of(Some(9), None)], [7, 5, 2]);
    }
}
