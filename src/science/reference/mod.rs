//! The reference catalogue: stars, their motion, and the sky they are looked up in.

pub mod motion;
pub mod release;
pub mod star;
pub mod tile;
pub mod tiles;

pub use motion::{Moment, StarAtEpoch, propagate};
pub use release::Release;
pub use star::ReferenceStar;
pub use tile::Tile;
pub use tiles::{MemoryCatalogue, ReferenceError, ReferenceSky, SkyCell};
