//! The relation between the pixels of a frame and the sky: tangent plane with SIP distortion.
//!
//! pixel -> (u, v) = pixel - CRPIX -> (u', v') = SIP -> (xi, eta) = CD (u', v') -> sky by TAN.
//! Inside the program pixels are 0-based and angles are radians.
//! Source: Greisen & Calabretta 2002, A&A 395, 1061; Calabretta & Greisen 2002, A&A 395, 1077.

use super::sip::Sip;
use super::tan::TangentPlane;
use crate::science::units::ARCSEC_RAD;

/// A TAN or TAN-SIP world coordinate system.
#[derive(Debug, Clone, PartialEq)]
pub struct Wcs {
    /// Tangent point (RA, Dec), ICRS [rad].
    pub crval_rad: (f64, f64),
    /// Pixel of the tangent point [px, 0-based].
    pub crpix_px: (f64, f64),
    /// Matrix from corrected pixels to standard coordinates, rows xi and eta [rad/px].
    pub cd_rad_per_px: [[f64; 2]; 2],
    /// Distortion, if any.
    pub sip: Option<Sip>,
}

impl Wcs {
    /// The direction (RA in [0, 2 pi), Dec) [rad] of a pixel [px, 0-based].
    pub fn to_sky(&self, x_px: f64, y_px: f64) -> (f64, f64) {
        let (xi, eta) = self.to_plane(x_px, y_px);
        TangentPlane::at(self.crval_rad).deproject(xi, eta)
    }

    /// The pixel [px, 0-based] of a direction (RA, Dec) [rad].
    ///
    /// `None` on the far hemisphere and where the distortion has no inverse. Far outside the
    /// frame the polynomials mean nothing; test the pixel against the frame.
    pub fn to_pixel(&self, ra_rad: f64, dec_rad: f64) -> Option<(f64, f64)> {
        let (xi, eta) = TangentPlane::at(self.crval_rad).project(ra_rad, dec_rad)?;
        self.plane_to_pixel(xi, eta)
    }

    /// Standard coordinates (xi, eta) [rad] of a pixel [px, 0-based].
    pub fn to_plane(&self, x_px: f64, y_px: f64) -> (f64, f64) {
        let (u, v) = (x_px - self.crpix_px.0, y_px - self.crpix_px.1);
        let (u, v) = self.sip.as_ref().map_or((u, v), |sip| sip.forward(u, v));
        let [[c00, c01], [c10, c11]] = self.cd_rad_per_px;
        (c00 * u + c01 * v, c10 * u + c11 * v)
    }

    /// The pixel [px, 0-based] of standard coordinates [rad].
    pub fn plane_to_pixel(&self, xi_rad: f64, eta_rad: f64) -> Option<(f64, f64)> {
        let [[c00, c01], [c10, c11]] = self.cd_rad_per_px;
        let determinant = c00 * c11 - c01 * c10;
        let u = (c11 * xi_rad - c01 * eta_rad) / determinant;
        let v = (c00 * eta_rad - c10 * xi_rad) / determinant;
        if !(u.is_finite() && v.is_finite()) {
            return None;
        }
        let (u, v) = match &self.sip {
            Some(sip) => sip.inverse(u, v)?,
            None => (u, v),
        };
        Some((u + self.crpix_px.0, v + self.crpix_px.1))
    }

    /// Derivatives of the standard coordinates by the pixel, [[xi by x, xi by y], [eta ...]]
    /// [rad/px].
    pub fn jacobian_rad_per_px(&self, x_px: f64, y_px: f64) -> [[f64; 2]; 2] {
        let c = self.cd_rad_per_px;
        let Some(sip) = &self.sip else { return c };
        let m = sip.jacobian(x_px - self.crpix_px.0, y_px - self.crpix_px.1);
        let entry = |row: usize, column: usize| c[row][0] * m[0][column] + c[row][1] * m[1][column];
        [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
    }

    /// Scale at the tangent point, the root of a pixel's area [arcsec/px].
    pub fn pixel_scale_arcsec(&self) -> f64 {
        self.determinant().abs().sqrt() / ARCSEC_RAD
    }

    /// Tells whether the frame shows the sky mirrored (east clockwise from north with +y up
    /// and +x to the right, so that the determinant of CD is positive).
    pub fn is_mirrored(&self) -> bool {
        self.determinant() > 0.0
    }

    fn determinant(&self) -> f64 {
        let [[c00, c01], [c10, c11]] = self.cd_rad_per_px;
        c00 * c11 - c01 * c10
    }
}

#[cfg(test)]
#[path = "wcs_tests.rs"]
mod tests;
