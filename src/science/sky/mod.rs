//! Directions on the sky and their places on a frame.

pub mod earth;
pub mod keywords;
pub mod least_squares;
pub mod neighbours;
pub mod noon;
pub mod polynomial;
pub mod sip;
pub mod sun;
pub mod tan;
pub mod tpv;
pub mod vector;
pub mod wcs;
