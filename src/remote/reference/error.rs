//! Why a service gave no stars, in words that tell what to do.

use crate::formats::service_table::ServiceTableError;
use crate::remote::http::{CallError, FetchRetry, HttpError};

/// A tile that could not be fetched. No text holds more of an address than its host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The question was not answered.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The answer is not a whole table.
    #[error("{host} gave no whole table")]
    NoTable {
        /// The host.
        host: String,
        /// Why.
        source: ServiceTableError,
    },
    /// The table is not the one that was asked for.
    #[error("{host} gave another table than was asked for: {what}")]
    OtherTable {
        /// The host.
        host: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Rows are missing.
    #[error("{host} counts {expected} stars in this tile but gave {found}")]
    Incomplete {
        /// The host.
        host: String,
        /// Stars given.
        found: u64,
        /// Stars counted.
        expected: u64,
    },
    /// The tile holds too many stars.
    #[error(
        "this tile holds {found} stars, at most {limit} are taken: lower reference.magnitude_max"
    )]
    TooMany {
        /// Stars counted.
        found: u64,
        /// The limit.
        limit: u64,
    },
}

impl FetchError {
    /// Whether another try may help.
    pub const fn retry(&self) -> FetchRetry {
        match self {
            Self::Http(source) => source.retry(),
            Self::TooMany { .. } => FetchRetry::Never,
            Self::NoTable { source: ServiceTableError::Refused { .. }, .. } => FetchRetry::Never,
            _ => FetchRetry::Later,
        }
    }
}

impl CallError for FetchError {
    fn retry(&self) -> FetchRetry {
        self.retry()
    }
}
