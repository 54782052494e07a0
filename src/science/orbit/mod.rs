//! Orbits about the Sun: what the motion of one night says of them.
//!
//! [`population`] gives the motions that belts of asteroids show at a place of the sky,
//! [`neo_rating`] tells how unlike them a measured motion is.

pub mod neo_rating;
pub mod population;
