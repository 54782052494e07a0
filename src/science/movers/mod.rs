//! Moving objects of one field over one night.
//!
//! The way of a night: sources that stand still are set apart ([`stationary`]), pieces of
//! satellite trails too ([`trail`]); pairs of what is left ([`free`], [`pairs`]) grow ([`grow`])
//! into tracklets ([`link`]) whose chance of being an accident is computed from the density of such
//! left-overs ([`score`]); tracklets may pass cuts ([`filters`]), are compared with predicted
//! places ([`known`], [`identify`]) and asked whether they look like artefacts ([`real_score`]).
//! All places lie on one tangent plane per field.

pub mod associate;
pub mod difference;
pub mod field;
pub mod filters;
pub mod free;
pub mod grow;
pub mod hidden;
pub mod identify;
pub mod known;
pub mod link;
pub mod motion;
pub mod pairs;
pub mod real_score;
pub mod score;
pub mod stationary;
pub mod trail;
