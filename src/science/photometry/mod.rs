//! From electrons in an aperture to Gaia G.

pub mod growth;
pub mod outliers;
pub mod zero_point;
