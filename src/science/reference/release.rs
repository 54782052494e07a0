//! Releases of the reference catalogue.

/// A release of the Gaia catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Release {
    /// Gaia DR3 (2022); its astrometry is that of EDR3.
    #[default]
    GaiaDr3,
    /// Gaia DR2 (2018).
    GaiaDr2,
}

impl Release {
    /// All releases.
    pub const ALL: [Self; 2] = [Self::GaiaDr3, Self::GaiaDr2];

    /// Its name in the configuration and on the disk.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GaiaDr3 => "gaia-dr3",
            Self::GaiaDr2 => "gaia-dr2",
        }
    }

    /// Epoch of its places [Julian year].
    pub const fn epoch_yr(self) -> f64 {
        match self {
            Self::GaiaDr3 => 2016.0,
            Self::GaiaDr2 => 2015.5,
        }
    }
}
