//! Stars of a tile of the sky from the Gaia archive or from VizieR.
//!
//! Both speak TAP (IVOA, Table Access Protocol 1.1): a query in ADQL goes to `<url>/sync`, a
//! VOTable comes back. `query` writes the queries, `call` does one of them with every limit it
//! needs, `fetch` asks again, asks mirrors, and cuts a tile in pieces where a service gives only so
//! many rows. A tile is counted before it is asked for, so that a part is never taken for all.
//!
//! The functions block; they work on a small runtime of their own.

mod call;
mod error;
mod fetch;
mod query;

use std::time::Duration;

use crate::science::reference::{ReferenceStar, Release, Tile};

pub use error::{FetchError, FetchRetry};

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

/// How long and how often a service is asked, and how much it may say.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceLimits {
    /// Time for the connection.
    pub connect: Duration,
    /// Time for one whole answer.
    pub answer: Duration,
    /// Time without a success after which no further try is begun.
    pub patience: Duration,
    /// Wait before the second try; twice that before the third.
    pub back_off: Duration,
    /// Size of an answer [byte].
    pub answer_bytes_max: usize,
    /// Stars of a tile.
    pub tile_stars_max: u64,
}

impl ServiceLimits {
    /// The usual limits with this time for an answer [s], the connection's within it.
    pub fn with_answer_s(answer_s: f64) -> Self {
        let usual = Self::default();
        let answer = Duration::try_from_secs_f64(answer_s).unwrap_or(usual.answer);
        Self { answer, connect: usual.connect.min(answer), ..usual }
    }
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            patience: Duration::from_secs(20),
            back_off: Duration::from_secs(1),
            answer_bytes_max: 64 << 20,
            tile_stars_max: 2_000_000,
        }
    }
}

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
