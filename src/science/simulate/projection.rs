//! From the sky to the detector and back: gnomonic projection, turn, radial distortion.
//!
//! Written for the simulator alone, so that an error in the pipeline's own projection cannot hide.
//! Source: Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3 (TAN).

use super::scenario::Camera;
use crate::science::units::{ARCSEC_RAD, DEG_RAD, wrap_positive_rad};

/// A plane touching the sphere in one point.
#[derive(Debug, Clone, Copy)]
pub(super) struct TangentPlane {
    ra_rad: f64,
    sin_dec: f64,
    cos_dec: f64,
}

impl TangentPlane {
    pub(super) fn new(ra_rad: f64, dec_rad: f64) -> Self {
        Self { ra_rad, sin_dec: dec_rad.sin(), cos_dec: dec_rad.cos() }
    }

    /// Standard coordinates (xi east, eta north) [rad]; `None` on the other hemisphere.
    pub(super) fn project(&self, ra_rad: f64, dec_rad: f64) -> Option<(f64, f64)> {
        let (sin_dec, cos_dec) = dec_rad.sin_cos();
        let (sin_ra, cos_ra) = (ra_rad - self.ra_rad).sin_cos();
        let depth = sin_dec * self.sin_dec + cos_dec * self.cos_dec * cos_ra;
        (depth > 0.0).then(|| {
            let eta = self.cos_dec * sin_dec - self.sin_dec * cos_dec * cos_ra;
            (cos_dec * sin_ra / depth, eta / depth)
        })
    }

    /// Right ascension and declination [rad] of standard coordinates [rad].
    pub(super) fn deproject(&self, xi: f64, eta: f64) -> (f64, f64) {
        let along = self.cos_dec - eta * self.sin_dec;
        let ra = self.ra_rad + xi.atan2(along);
        let dec = (self.sin_dec + eta * self.cos_dec).atan2(xi.hypot(along));
        (wrap_positive_rad(ra), dec)
    }
}

/// Where each place of the sky falls on one frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameGeometry {
    plane: TangentPlane,
    px_per_rad: f64,
    sin_turn: f64,
    cos_turn: f64,
    axis_px: (f64, f64),
    last_px: (f64, f64),
    distortion_per_px2: f64,
    is_image_turned: bool,
}

/// How the camera sits on the sky.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CameraSide {
    /// Before the meridian flip.
    Normal,
    /// After it: the sky is turned by 180 degrees on the detector.
    SkyTurned,
    /// After it, and the written frame is turned back.
    ImageTurned,
}

impl FrameGeometry {
    /// The geometry with the optical axis at `plane`'s point.
    ///
    /// The axis meets the detector 1.2 % of a side beside its centre, so that the distortion is
    /// not symmetric on the frame.
    pub(super) fn new(camera: &Camera, plane: TangentPlane, side: CameraSide) -> Self {
        let last_px = (camera.nx as f64 - 1.0, camera.ny as f64 - 1.0);
        let turn_deg = if side == CameraSide::Normal { 0.0 } else { 180.0 };
        let (sin_turn, cos_turn) = ((camera.rotation_deg + turn_deg) * DEG_RAD).sin_cos();
        Self {
            plane,
            px_per_rad: 1.0 / (camera.scale_arcsec_per_px * ARCSEC_RAD),
            sin_turn,
            cos_turn,
            axis_px: (0.512 * last_px.0, 0.488 * last_px.1),
            last_px,
            distortion_per_px2: camera.distortion_per_px2,
            is_image_turned: side == CameraSide::ImageTurned,
        }
    }

    /// Standard coordinates on this frame's tangent plane [rad].
    pub(super) fn standard(&self, ra_rad: f64, dec_rad: f64) -> Option<(f64, f64)> {
        self.plane.project(ra_rad, dec_rad)
    }

    /// Place on the detector [px] of standard coordinates [rad].
    pub(super) fn detector_px(&self, (xi, eta): (f64, f64)) -> (f64, f64) {
        let (east, north) = (xi * self.px_per_rad, eta * self.px_per_rad);
        let dx = -east * self.cos_turn - north * self.sin_turn;
        let dy = -east * self.sin_turn + north * self.cos_turn;
        let stretch = 1.0 + self.distortion_per_px2 * (dx * dx + dy * dy);
        (self.axis_px.0 + dx * stretch, self.axis_px.1 + dy * stretch)
    }

    /// Between detector and written frame [px]; its own inverse.
    pub(super) fn turned_px(&self, (x, y): (f64, f64)) -> (f64, f64) {
        if self.is_image_turned { (self.last_px.0 - x, self.last_px.1 - y) } else { (x, y) }
    }

    /// Place on the written frame [px, 0-based]; `None` on the other hemisphere.
    pub(super) fn frame_px(&self, ra_rad: f64, dec_rad: f64) -> Option<(f64, f64)> {
        Some(self.turned_px(self.detector_px(self.standard(ra_rad, dec_rad)?)))
    }

    /// Right ascension and declination [rad] of a place on the written frame [px, 0-based].
    pub(super) fn sky(&self, x_px: f64, y_px: f64) -> (f64, f64) {
        let (u, v) = self.turned_px((x_px, y_px));
        let (du, dv) = (u - self.axis_px.0, v - self.axis_px.1);
        let radius = du.hypot(dv);
        // r (1 + k r^2) = radius by Newton's method; |k r^2| <= 0.05, so 8 rounds are plenty.
        let mut r = radius;
        for _ in 0..8 {
            let kr2 = self.distortion_per_px2 * r * r;
            r -= (r * (1.0 + kr2) - radius) / (1.0 + 3.0 * kr2);
        }
        let shrink = if radius > 0.0 { r / radius } else { 1.0 };
        let (dx, dy) = (du * shrink, dv * shrink);
        let east = -(dx * self.cos_turn + dy * self.sin_turn);
        let north = -dx * self.sin_turn + dy * self.cos_turn;
        self.plane.deproject(east / self.px_per_rad, north / self.px_per_rad)
    }

    /// Tells whether a place [px, 0-based] lies on the frame.
    pub(super) fn contains(&self, (x, y): (f64, f64)) -> bool {
        (0.0..=self.last_px.0).contains(&x) && (0.0..=self.last_px.1).contains(&y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(side: CameraSide) -> FrameGeometry {
        let plane = TangentPlane::new(359.99 * DEG_RAD, 60.0 * DEG_RAD);
        let camera = Camera { distortion_per_px2: 1e-7, ..Camera::default() };
        FrameGeometry::new(&camera, plane, side)
    }

    #[test]
    fn pixels_survive_the_way_to_the_sky_and_back() {
        for side in [CameraSide::Normal, CameraSide::SkyTurned, CameraSide::ImageTurned] {
            let geometry = geometry(side);
            for (x, y) in [(0.0, 0.0), (511.0, 3.0), (250.5, 511.0), (261.632, 249.368)] {
                let (ra, dec) = geometry.sky(x, y);
                let (x1, y1) = geometry.frame_px(ra, dec).expect("near");
                assert!((x1 - x).hypot(y1 - y) < 1e-7, "{side:?} {x} {y}");
            }
        }
    }

    #[test]
    fn a_point_north_lies_at_the_tangent_of_its_distance() {
        // 0.1 deg north of the tangent point: eta = tan(0.1 deg), xi = 0.
        let plane = TangentPlane::new(1.0, 0.5);
        let (xi, eta) = plane.project(1.0, 0.5 + 0.1 * DEG_RAD).expect("near");
        assert!(xi.abs() < 1e-15 && (eta - (0.1 * DEG_RAD).tan()).abs() < 1e-15);
        assert!(plane.project(1.0 + std::f64::consts::PI, -0.5).is_none());
    }

    #[test]
    fn north_is_up_and_east_left_before_the_flip() {
        let camera = Camera { rotation_deg: 0.0, distortion_per_px2: 0.0, ..Camera::default() };
        let plane = TangentPlane::new(1.0, 0.0);
        let at = |side, xi, eta| FrameGeometry::new(&camera, plane, side).detector_px((xi, eta));
        let step = 12.0 * ARCSEC_RAD; // ten pixels
        let (x0, y0) = at(CameraSide::Normal, 0.0, 0.0);
        let (x1, y1) = at(CameraSide::Normal, step, step);
        assert!((x1 - x0 + 10.0).abs() < 1e-9 && (y1 - y0 - 10.0).abs() < 1e-9);
        let (x2, y2) = at(CameraSide::SkyTurned, step, step);
        assert!((x2 - x0 - 10.0).abs() < 1e-9 && (y2 - y0 + 10.0).abs() < 1e-9);
    }
}
