//! Stars of a tile of the sky from the Gaia archive or from VizieR.
//!
//! Both speak TAP (IVOA, Table Access Protocol 1.1): a query in ADQL goes to `<url>/sync`, a
//! VOTable comes back. `query` writes the queries, `call` does one of them, `fetch` cuts a tile in
//! pieces where a service gives only so many rows. A tile is counted before it is asked for, so
//! that a part is never taken for all.
//!
//! The functions block; they work on a small runtime of their own.

mod call;
mod error;
mod fetch;
mod query;

use crate::science::reference::{ReferenceStar, Release, Tile};

pub use super::http::{FetchRetry, ServiceLimits};
pub use error::FetchError;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceKind {
    /// The Gaia archive or one that holds the same table under the same name.
    Gaia,
    /// VizieR.
    Vizier,
}

impl ServiceKind {
    /// In plain words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Gaia => "the Gaia archive (TAP)",
            Self::Vizier => "VizieR (TAP)",
        }
    }

    /// Addresses that are asked when the user names none, in order.
    pub const fn urls(self) -> &'static [&'static str] {
        match self {
            Self::Gaia => &[
                "https://gea.esac.esa.int/tap-server/tap",
                "https://gaia.ari.uni-heidelberg.de/tap",
            ],
            Self::Vizier => &["https://tapvizier.cds.unistra.fr/TAPVizieR/tap"],
        }
    }
}

/// Stars of a tile that are taken at most.
pub const TILE_STARS_MAX: u64 = 2_000_000;

/// A service and what is wanted of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceService {
    /// Who is asked.
    pub kind: ServiceKind,
    /// Addresses (without `/sync`), tried in order.
    pub urls: Vec<String>,
    /// Release of the catalogue.
    pub release: Release,
    /// Faintest magnitude wanted [mag, G].
    pub g_max_mag: f64,
    /// Stars of a tile that are taken at most.
    pub tile_stars_max: u64,
    /// How patiently.
    pub limits: ServiceLimits,
}

/// What the caller of a fetch is told.
#[derive(Debug)]
pub enum FetchStep {
    /// An answer is waited for; told about once a second.
    Waiting,
    /// A tile is done: its stars, or why not.
    Tile(Tile, Result<Vec<ReferenceStar>, FetchError>),
}

#[cfg(test)]
mod tests;
