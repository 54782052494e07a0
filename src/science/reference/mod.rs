//! The reference catalogue: stars, their motion, and the sky they are looked up in.

pub mod motion;
pub mod star;
pub mod tiles;

pub use motion::{StarAtEpoch, propagate};
pub use star::ReferenceStar;
pub use tiles::{MemoryCatalogue, ReferenceError, ReferenceSky, SkyCell};
