//! Directions on the sky and their places on a frame.

pub mod vector;
pub mod wcs;
