//! Files of the Minor Planet Center by HTTP: whole, or not at all, and only when they are new.
//!
//! One file at a time into memory, with limits on connection, silence, time and size; what a later
//! try may mend is tried three times. The function blocks; it works on a small runtime of its own.

use std::ops::ControlFlow;
use std::time::Duration;

use reqwest::header::{IF_MODIFIED_SINCE, LAST_MODIFIED};

use super::http::client_builder;

/// Tries for one file.
const TRIES_MAX: u32 = 3;

/// How long and how much.
#[derive(Debug, Clone, PartialEq)]
pub struct DownloadLimits {
    /// Time for the connection.
    pub connect: Duration,
    /// Longest silence.
    pub silence: Duration,
    /// Time for the whole file.
    pub whole: Duration,
    /// Wait before the second try; twice that before the third.
    pub back_off: Duration,
    /// Largest file [bytes].
    pub bytes_max: usize,
}

impl Default for DownloadLimits {
    /// MPCORB.DAT.gz has 100 MB; half a megabit per second brings it in half an hour.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            silence: Duration::from_secs(60),
            whole: Duration::from_secs(1800),
            back_off: Duration::from_secs(5),
            bytes_max: 512 << 20,
        }
    }
}

/// A file that could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// No runtime.
    #[error("the network cannot be used by this process")]
    Runtime(#[source] std::io::Error),
    /// No client.
    #[error("the network cannot be used: is {url} an address?")]
    Client {
        /// The address.
        url: String,
        /// What the library said.
        source: reqwest::Error,
    },
    /// Another answer than the file.
    #[error("{url} answered with status {status}: check the address")]
    Status {
        /// The address.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// Too large.
    #[error("{url} holds more than {limit_mib} MiB: it is no file of the Minor Planet Center")]
    TooLong {
        /// The address.
        url: String,
        /// The limit [MiB].
        limit_mib: usize,
    },
    /// No connection, a silence, or an end in the middle.
    #[error("{url} could not be fetched: is the network up? Try again later")]
    BrokenOff {
        /// The address.
        url: String,
        /// What the library said.
        source: reqwest::Error,
    },
    /// Somebody said stop.
    #[error("stopped")]
    Stopped,
}

impl DownloadError {
    /// Whether a later try may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::BrokenOff { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Download {
    /// The file has not changed since.
    Unchanged,
    /// The file, and when it was changed last, as the server wrote it.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// The server's `Last-Modified`.
        modified: Option<String>,
    },
}

/// Fetches a file that is newer than `since`, the server's `Last-Modified` of an earlier one.
///
/// `on_bytes` hears how many bytes came, of how many when the server tells, and may stop it.
pub fn download(
    url: &str,
    since: Option<&str>,
    limits: &DownloadLimits,
    on_bytes: &dyn Fn(usize, Option<usize>) -> ControlFlow<()>,
) -> Result<Download, DownloadError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(DownloadError::Runtime)?;
    let client = client_builder()
        .connect_timeout(limits.connect)
        .read_timeout(limits.silence)
        .timeout(limits.whole)
        .build()
        .map_err(|source| DownloadError::Client { url: url.to_owned(), source })?;
    let outcome = runtime.block_on(async {
        let mut tries = 1;
        loop {
            match once(&client, (url, since), limits, on_bytes).await {
                Err(error) if error.is_transient() && tries < TRIES_MAX => {
                    tokio::time::sleep(limits.back_off * tries).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    });
    runtime.shutdown_background();
    outcome
}

async fn once(
    client: &reqwest::Client,
    (url, since): (&str, Option<&str>),
    limits: &DownloadLimits,
    on_bytes: &dyn Fn(usize, Option<usize>) -> ControlFlow<()>,
) -> Result<Download, DownloadError> {
    let broken = |source: reqwest::Error| {
        let (url, source) = (url.to_owned(), source.without_url());
        if source.is_builder() {
            DownloadError::Client { url, source }
        } else {
            DownloadError::BrokenOff { url, source }
        }
    };
    let mut request = client.get(url);
    if let Some(since) = since {
        request = request.header(IF_MODIFIED_SINCE, since);
    }
    let mut answer = request.send().await.map_err(broken)?;
    let status = answer.status().as_u16();
    if status == 304 && since.is_some() {
        return Ok(Download::Unchanged);
    }
    if status != 200 {
        return Err(DownloadError::Status { url: url.to_owned(), status });
    }
    let too_long =
        || DownloadError::TooLong { url: url.to_owned(), limit_mib: limits.bytes_max >> 20 };
    let length = answer.content_length().and_then(|n| usize::try_from(n).ok());
    if length.is_some_and(|n| n > limits.bytes_max) {
        return Err(too_long());
    }
    let modified = answer.headers().get(LAST_MODIFIED);
    let modified = modified.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        if bytes.len() + part.len() > limits.bytes_max {
            return Err(too_long());
        }
        bytes.extend_from_slice(&part);
        if on_bytes(bytes.len(), length).is_break() {
            return Err(DownloadError::Stopped);
        }
    }
    Ok(Download::File { bytes, modified })
}

#[cfg(test)]
mod tests;
