//! The sources of one frame, as columns.

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
    /// The windowed centroid did not converge; the isophotal one stands.
    pub const CENTROID: Self = Self(16);
    /// Sharper than the point spread function: a cosmic ray or a hot pixel.
    pub const SHARP: Self = Self(32);
    /// On the trail of a satellite or aircraft.
    pub const TRAIL: Self = Self(64);

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
    /// Flux in the small aperture used for zero point and magnitudes [e-].
    pub flux_e: Vec<f64>,
    /// Error of that flux [e-].
    pub flux_err_e: Vec<f64>,
    /// Flux in the Kron ellipse [e-].
    pub flux_kron_e: Vec<f64>,
    /// Error of the Kron flux [e-].
    pub flux_kron_err_e: Vec<f64>,
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
    /// Remarks.
    pub flags: Vec<SourceFlags>,
}

impl Sources {
    /// Number of sources.
    pub fn len(&self) -> usize {
        self.x_px.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.x_px.is_empty()
    }
}
