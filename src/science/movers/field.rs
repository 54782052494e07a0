//! The frames of one field with their detections on a common tangent plane.

use super::motion::PlanePoint;

/// What a detection is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May belong to a moving object.
    Free,
    /// A star of the reference catalogue.
    Star,
    /// Seen at the same place in frames long before or after.
    Static,
    /// At the same detector pixel while the sky moved under it.
    HotPixel,
    /// A piece of a satellite's trail.
    Trail,
    /// Too sharp, saturated or cut by the edge.
    Unfit,
    /// Measured where a tracklet leads, not detected.
    Recovered,
}

/// A line that a moving source drew during the exposure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Streak {
    /// From end to end [arcsec].
    pub length_arcsec: f64,
    /// Direction along the line, north through east; either end may be first [rad].
    pub pa_rad: f64,
}

/// One detection on the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlaneDetection {
    /// East on the plane [arcsec].
    pub east_arcsec: f64,
    /// North on the plane [arcsec].
    pub north_arcsec: f64,
    /// Error per axis, measurement and frame solution [arcsec].
    pub sigma_arcsec: f64,
    /// Magnitude from the matched filter, Gaia G [mag].
    pub mag: f64,
    /// Signal-to-noise ratio of the matched filter.
    pub snr: f64,
    /// Column on the detector, after undoing a software turn [px].
    pub detector_x_px: f64,
    /// Row on the detector [px].
    pub detector_y_px: f64,
    /// The line it is drawn out to, when it is.
    pub streak: Option<Streak>,
    /// What it is taken for.
    pub role: Role,
}

/// One frame of the field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldFrame {
    /// Middle of the exposure from the field's reference instant [h].
    pub t_h: f64,
    /// Magnitude of a point source with a signal-to-noise ratio of 5 [mag].
    pub limiting_mag: f64,
    /// Length of the exposure; zero when unknown [h].
    pub exposure_h: f64,
    /// Seeing [arcsec].
    pub fwhm_arcsec: f64,
    /// Corners of the frame on the plane, in order around it (east, north) [arcsec].
    pub outline_arcsec: [(f64, f64); 4],
    /// Its detections, ordered by `east_arcsec`.
    pub detections: Vec<PlaneDetection>,
}

impl FieldFrame {
    /// Tells whether a place lies inside the frame, at least `margin_arcsec` from its edges.
    pub fn contains(&self, east_arcsec: f64, north_arcsec: f64, margin_arcsec: f64) -> bool {
        let corners = &self.outline_arcsec;
        let mut signs = (false, false);
        for k in 0..4 {
            let (a, b) = (corners[k], corners[(k + 1) % 4]);
            let length = (b.0 - a.0).hypot(b.1 - a.1).max(1e-9);
            let side =
                ((b.0 - a.0) * (north_arcsec - a.1) - (b.1 - a.1) * (east_arcsec - a.0)) / length;
            if side.abs() < margin_arcsec {
                return false;
            }
            if side > 0.0 {
                signs.0 = true;
            } else {
                signs.1 = true;
            }
        }
        signs.0 != signs.1
    }

    /// Area of the frame on the plane [arcsec^2].
    pub fn area_arcsec2(&self) -> f64 {
        let c = &self.outline_arcsec;
        let doubled: f64 =
            (0..4).map(|k| c[k].0 * c[(k + 1) % 4].1 - c[(k + 1) % 4].0 * c[k].1).sum();
        0.5 * doubled.abs()
    }

    /// Indices of the detections within a radius of a place.
    pub fn near(
        &self,
        east_arcsec: f64,
        north_arcsec: f64,
        radius_arcsec: f64,
    ) -> impl Iterator<Item = usize> + '_ {
        let first =
            self.detections.partition_point(|d| d.east_arcsec < east_arcsec - radius_arcsec);
        self.detections[first..]
            .iter()
            .enumerate()
            .take_while(move |(_, d)| d.east_arcsec <= east_arcsec + radius_arcsec)
            .filter(move |(_, d)| {
                (d.east_arcsec - east_arcsec).hypot(d.north_arcsec - north_arcsec) <= radius_arcsec
            })
            .map(move |(i, _)| first + i)
    }

    /// The detection as a point of a motion.
    pub fn point(&self, index: usize) -> PlanePoint {
        let d = &self.detections[index];
        PlanePoint {
            t_h: self.t_h,
            east_arcsec: d.east_arcsec,
            north_arcsec: d.north_arcsec,
            sigma_arcsec: d.sigma_arcsec,
        }
    }

    /// Number of free detections.
    pub fn n_free(&self) -> usize {
        self.detections.iter().filter(|d| d.role == Role::Free).count()
    }
}

/// Name of a detection in a field: index of the frame, index in the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DetectionId {
    /// Index of the frame in the field.
    pub frame: u32,
    /// Index of the detection in the frame.
    pub index: u32,
}

#[cfg(test)]
impl PlaneDetection {
    /// A free point source for tests.
    pub fn example() -> Self {
        Self {
            east_arcsec: 0.0,
            north_arcsec: 0.0,
            sigma_arcsec: 0.3,
            mag: 19.0,
            snr: 10.0,
            detector_x_px: 0.0,
            detector_y_px: 0.0,
            streak: None,
            role: Role::Free,
        }
    }
}

#[cfg(test)]
impl FieldFrame {
    /// A square frame without detections for tests.
    pub fn example() -> Self {
        Self {
            t_h: 0.0,
            limiting_mag: 20.0,
            exposure_h: 0.0,
            fwhm_arcsec: 3.5,
            outline_arcsec: [(-600., -600.), (600., -600.), (600., 600.), (-600., 600.)],
            detections: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_is_inside_whichever_way_the_corners_run() {
        let mut frame = FieldFrame {
            outline_arcsec: [(-10.0, -10.0), (10.0, -10.0), (10.0, 20.0), (-10.0, 20.0)],
            ..FieldFrame::example()
        };
        for _ in 0..2 {
            assert!(frame.contains(0.0, 0.0, 1.0));
            assert!(!frame.contains(0.0, 19.5, 1.0));
            assert!(!frame.contains(30.0, 0.0, 1.0));
            assert!((frame.area_arcsec2() - 600.0).abs() < 1e-9);
            frame.outline_arcsec.reverse();
        }
    }
}
