//! Why a service gave no stars, in words that tell what to do.

use crate::formats::service_table::ServiceTableError;

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchRetry {
    /// Later.
    Later,
    /// Not before somebody changed something.
    Never,
}

/// A tile that could not be fetched. No text holds more of an address than its host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The client could not be made, e.g. without the system's root certificates.
    #[error("the HTTP client could not be started: are root certificates (ca-certificates) there?")]
    Client {
        /// What the client said.
        source: reqwest::Error,
    },
    /// The program's own runtime could not be started.
    #[error("no thread for the network could be started")]
    Runtime {
        /// What the system said.
        source: std::io::Error,
    },
    /// Nobody answered.
    #[error("{host} cannot be reached: is the network up, is the address in reference.urls right?")]
    Unreachable {
        /// The host.
        host: String,
        /// What the client said, without the address.
        source: reqwest::Error,
    },
    /// The answer did not come in time.
    #[error("{host} did not answer within {seconds:.0} s (reference.timeout_s)")]
    TimedOut {
        /// The host.
        host: String,
        /// Time that it had [s].
        seconds: f64,
    },
    /// The connection broke within the answer.
    #[error("the answer of {host} broke off")]
    BrokenOff {
        /// The host.
        host: String,
        /// What the client said, without the address.
        source: reqwest::Error,
    },
    /// The service refused.
    #[error("{host} answered with HTTP status {status}")]
    Status {
        /// The host.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// The answer is longer than allowed.
    #[error("the answer of {host} is longer than {limit_mib} MiB")]
    TooLong {
        /// The host.
        host: String,
        /// The limit [MiB].
        limit_mib: usize,
    },
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
    /// The service failed so often that it is left alone for now.
    #[error("the service did not answer before and is left alone for now")]
    LeftAlone,
}

impl FetchError {
    /// Whether another try may help.
    pub const fn retry(&self) -> FetchRetry {
        match self {
            Self::TooMany { .. } | Self::Client { .. } => FetchRetry::Never,
            // 408, 425 and 429 ask to come back; the others of this class are about the question.
            Self::Status { status: 400..=407 | 409..=424 | 426..=428 | 430..=499, .. } => {
                FetchRetry::Never
            }
            Self::NoTable { source: ServiceTableError::Refused { .. }, .. } => FetchRetry::Never,
            _ => FetchRetry::Later,
        }
    }
}
