//! Orbits about the Sun: where known bodies are, and what the motion of one night says of others.
//!
//! [`planets`] are Sun, planets and Moon; [`propagate()`] moves a body among them, [`place`] is
//! what an [`observer`] sees of it, [`uncertainty`] how sure that is, [`known`] finds the bodies of
//! a frame. [`short_arc`], [`vaisala`] and [`arc_fit`] say where the unknown object of a night is
//! in others. [`population`] gives the motions that belts of asteroids show at a place of the sky,
//! [`neo_rating`] tells how unlike them a measured motion is.

pub mod arc_fit;
mod collocation;
pub mod kepler;
pub mod known;
pub mod neo_rating;
pub mod observer;
pub mod place;
mod planet_motion;
pub mod planets;
pub mod population;
pub mod propagate;
pub mod short_arc;
pub mod uncertainty;
pub mod vaisala;
