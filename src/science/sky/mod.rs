//! Directions on the sky and their places on a frame.

pub mod keywords;
pub mod least_squares;
pub mod polynomial;
pub mod sip;
pub mod tan;
pub mod vector;
pub mod wcs;
