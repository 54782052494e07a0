//! Why SkyBoT gave no answer, in words that tell what to do.

use crate::formats::skybot::SkybotError;
use crate::remote::http::{CallError, FetchRetry, HttpError};

/// A request without an answer. No text holds more of an address than its host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SkybotFetchError {
    /// The question was not answered.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The answer is none.
    #[error("{host} gave no list of objects")]
    Reply {
        /// The host.
        host: String,
        /// Why.
        source: SkybotError,
    },
}

impl SkybotFetchError {
    /// Whether another try may help.
    pub const fn retry(&self) -> FetchRetry {
        match self {
            Self::Http(source) => source.retry(),
            // The service says so at once; a minute later it often does not any more.
            Self::Reply { source: SkybotError::Refused { .. }, .. }
            | Self::Reply { source: SkybotError::OtherObserver { .. }, .. } => FetchRetry::Never,
            Self::Reply { .. } => FetchRetry::Later,
        }
    }
}

impl CallError for SkybotFetchError {
    fn retry(&self) -> FetchRetry {
        self.retry()
    }
}
