//! Frames whose pointing nobody knows: a table of the whole sky's quadrilaterals.
//!
//! Four stars have a shape that no shift, turn or scale changes ([`code`]). A table holds such
//! shapes of the bright stars of the whole sky, in bands of size, hashed ([`table`], chosen by
//! [`build`]); those of a frame's bright stars are looked up in it ([`propose`]). Each likeness
//! is a hypothesis about the whole frame, judged like any other by the stars that did not make it.
//! Source of the shape and the idea: Lang et al. 2010, AJ 139, 1782.

pub mod build;
pub mod code;
pub(super) mod propose;
pub mod table;

use crate::science::reference::tiles::{ReferenceError, ReferenceSky};

pub use build::{Chosen, choose};
pub use table::{Place, QuadTable, TableError};

/// A whole-sky index: the table of shapes and the stars that it was made of.
pub trait BlindSky: Sync {
    /// The shapes; may be read on the first call.
    fn quads(&self) -> Result<&QuadTable, ReferenceError>;

    /// The stars.
    fn stars(&self) -> &dyn ReferenceSky;
}

/// Where a frame is looked for.
#[derive(Clone, Copy)]
pub struct Skies<'a> {
    /// The reference stars for hinted searches, verification and fit; may have holes.
    pub reference: &'a dyn ReferenceSky,
    /// The whole-sky index for frames that are not where their header says.
    pub blind: Option<&'a dyn BlindSky>,
}

impl<'a> Skies<'a> {
    /// Reference stars without a whole-sky index.
    pub fn without_index(reference: &'a dyn ReferenceSky) -> Self {
        Self { reference, blind: None }
    }

    /// Tells whether no star is known anywhere.
    pub fn is_empty(&self) -> bool {
        self.reference.is_empty() && self.blind.is_none_or(|blind| blind.stars().is_empty())
    }
}

#[cfg(test)]
mod tests;
