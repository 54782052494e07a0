//! The sources of one frame, as columns.

use super::measure::Measured;
use super::moments::Moments;
use super::trail::Trail;

/// Set of remarks on a source's measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SourceFlags(u16);

impl SourceFlags {
    /// A neighbour was cut off by deblending.
    pub const BLENDED: Self = Self(1);
    /// The source holds a saturated pixel.
    pub const SATURATED: Self = Self(2);
    /// The source or its aperture touches the frame's edge.
    pub const EDGE: Self = Self(4);
    /// The aperture holds a bad pixel or a cosmic ray.
    pub const MASKED: Self = Self(8);
    /// The windowed centroid did not converge, the isophotal one stands; or a faint trail.
    pub const CENTROID: Self = Self(16);
    /// Sharper than the point spread function: a cosmic ray or a hot pixel.
    pub const SHARP: Self = Self(32);
    /// On the trail of a satellite or aircraft.
    pub const TRAIL: Self = Self(64);
    /// The Kron ellipse is cut by the frame's edge or holds pixels that are not good.
    pub const INCOMPLETE: Self = Self(128);

    /// The bits as a number, as written to tables.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set with this number.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// Tells whether any of the remarks holds.
    pub const fn is_any(self, remarks: Self) -> bool {
        self.0 & remarks.0 != 0
    }

    /// The union with other remarks.
    #[must_use]
    pub const fn with(self, remarks: Self) -> Self {
        Self(self.0 | remarks.0)
    }
}

/// Sources of one frame: columns of equal length, brightest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sources {
    /// Windowed centroid, column [px, 0-based].
    pub x_px: Vec<f64>,
    /// Windowed centroid, row [px, 0-based].
    pub y_px: Vec<f64>,
    /// Error of the centroid per axis [px].
    pub position_err_px: Vec<f64>,
    /// Variance of the column [px^2].
    pub var_xx_px2: Vec<f64>,
    /// Covariance of column and row [px^2].
    pub var_xy_px2: Vec<f64>,
    /// Variance of the row [px^2].
    pub var_yy_px2: Vec<f64>,
    /// Flux in the small aperture used for zero point and magnitudes [e-].
    pub flux_e: Vec<f64>,
    /// Error of that flux [e-].
    pub flux_err_e: Vec<f64>,
    /// Flux in the Kron ellipse [e-].
    pub flux_kron_e: Vec<f64>,
    /// Error of the Kron flux [e-].
    pub flux_kron_err_e: Vec<f64>,
    /// Light of the fitted star in the scale of the small aperture; NaN without a fit [e-].
    pub flux_psf_e: Vec<f64>,
    /// Error of that light [e-].
    pub flux_psf_err_e: Vec<f64>,
    /// Chi-squared per degree of freedom of that fit; NaN without.
    pub psf_chi2: Vec<f64>,
    /// Chance, 0..1, that a star's aperture and fitted light differ as much; NaN without a fit.
    pub star_chance: Vec<f64>,
    /// Radius of half the Kron flux; NaN without light [px].
    pub half_light_px: Vec<f64>,
    /// Isophotal centre, column [px].
    pub x_iso_px: Vec<f64>,
    /// Isophotal centre, row [px].
    pub y_iso_px: Vec<f64>,
    /// Light of the pixels above the threshold [e-].
    pub flux_iso_e: Vec<f64>,
    /// Number of those pixels.
    pub n_pixels: Vec<u32>,
    /// Windowed moments: semi-major axis; NaN where the window sees no light [px].
    pub a_win_px: Vec<f64>,
    /// Semi-minor axis [px].
    pub b_win_px: Vec<f64>,
    /// Angle of the major axis from +x towards +y [rad].
    pub theta_win_rad: Vec<f64>,
    /// Error of the semi-major axis [px].
    pub a_win_err_px: Vec<f64>,
    /// Error of the semi-minor axis [px].
    pub b_win_err_px: Vec<f64>,
    /// Error of the angle [rad].
    pub theta_win_err_rad: Vec<f64>,
    /// Signal-to-noise ratio of the matched filter's peak.
    pub snr: Vec<f64>,
    /// Semi-major axis, root of the larger second moment [px].
    pub a_px: Vec<f64>,
    /// Semi-minor axis [px].
    pub b_px: Vec<f64>,
    /// Angle of the major axis from +x towards +y [rad].
    pub theta_rad: Vec<f64>,
    /// Highest pixel above the background [e-].
    pub peak_e: Vec<f64>,
    /// Length of a source that is a trail; NaN for others [px].
    pub trail_length_px: Vec<f64>,
    /// Angle of the trail from +x towards +y, -90 to 90 degrees; NaN for others [rad].
    pub trail_angle_rad: Vec<f64>,
    /// Remarks.
    pub flags: Vec<SourceFlags>,
}

impl Sources {
    /// Adds a source.
    pub fn push(&mut self, snr: f64, m: &Measured, flags: SourceFlags) {
        self.x_px.push(m.x_px);
        self.y_px.push(m.y_px);
        let [xx, xy, yy] = m.place_var;
        self.position_err_px.push((0.5 * (xx + yy)).sqrt());
        self.var_xx_px2.push(xx);
        self.var_xy_px2.push(xy);
        self.var_yy_px2.push(yy);
        self.flux_e.push(m.aperture.flux_e);
        self.flux_err_e.push(m.aperture.flux_err_e);
        self.flux_kron_e.push(m.kron.flux_e);
        self.flux_kron_err_e.push(m.kron.flux_err_e);
        self.flux_psf_e.push(m.psf.0);
        self.flux_psf_err_e.push(m.psf.1);
        self.psf_chi2.push(m.psf_chi2);
        self.star_chance.push(m.star_chance);
        self.half_light_px.push(m.half_light_px);
        self.x_iso_px.push(m.isophotal_px.0);
        self.y_iso_px.push(m.isophotal_px.1);
        self.flux_iso_e.push(m.flux_iso_e);
        self.n_pixels.push(m.n_pixels as u32);
        let moments = |of: fn(&Moments) -> f64| m.moments.as_ref().map_or(f64::NAN, of);
        self.a_win_px.push(moments(|v| v.a_px));
        self.b_win_px.push(moments(|v| v.b_px));
        self.theta_win_rad.push(moments(|v| v.theta_rad));
        self.a_win_err_px.push(moments(|v| v.a_err_px));
        self.b_win_err_px.push(moments(|v| v.b_err_px));
        self.theta_win_err_rad.push(moments(|v| v.theta_err_rad));
        self.snr.push(snr);
        self.a_px.push(m.a_px);
        self.b_px.push(m.b_px);
        self.theta_rad.push(m.theta_rad);
        self.peak_e.push(m.peak_e);
        let trail = |of: fn(&Trail) -> f64| m.trail.as_ref().map_or(f64::NAN, of);
        self.trail_length_px.push(trail(|t| t.length_px));
        self.trail_angle_rad.push(trail(|t| t.angle_rad));
        self.flags.push(flags);
    }

    /// The best light of source `i` in the scale of the small aperture, with its error [e-].
    ///
    /// The fitted light of what looks like a star or is a trail, else the aperture's: a fit of a
    /// star loses light of a galaxy.
    pub fn light_e(&self, i: usize) -> (f64, f64) {
        /// Stars that are taken for something else, one in so many.
        const LIKENESS_MIN: f64 = 1e-3;
        let is_point = self.star_chance[i] >= LIKENESS_MIN
            || self.trail_length_px[i].is_finite()
            || self.flags[i].is_any(SourceFlags::SATURATED);
        let (fitted, err) = (self.flux_psf_e[i], self.flux_psf_err_e[i]);
        if is_point && fitted > 0.0 && err.is_finite() {
            return (fitted, err);
        }
        (self.flux_e[i], self.flux_err_e[i])
    }

    /// Number of sources.
    pub fn len(&self) -> usize {
        self.x_px.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.x_px.is_empty()
    }
}
