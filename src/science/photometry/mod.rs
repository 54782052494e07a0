//! From electrons in an aperture to Gaia G.

pub mod fixed_aperture;
pub mod forced;
pub mod growth;
pub mod outliers;
pub mod overlap;
pub mod path;
pub mod regression;
pub mod shared;
pub mod sky_stats;
pub mod zero_point;
