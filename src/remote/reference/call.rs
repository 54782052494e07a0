//! One question to one address.

use std::time::Duration;

use form_urlencoded::Serializer;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;

use super::{FetchError, ServiceLimits};
use crate::formats::service_table::ServiceTable;

/// Questions that this process asks at a time, whoever asks them.
pub(super) const AT_A_TIME: usize = 2;
/// Most redirections followed.
const REDIRECTS_MAX: usize = 5;

/// One place per question.
static PLACES: Semaphore = Semaphore::const_new(AT_A_TIME);

/// A client with the limits of a service.
pub(super) fn client(limits: &ServiceLimits) -> Result<reqwest::Client, FetchError> {
    // The service installed it already, the command line did not; a second time only gives an
    // error.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .connect_timeout(limits.connect)
        .timeout(limits.answer)
        .redirect(Policy::limited(REDIRECTS_MAX))
        .user_agent(concat!("autossos/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|source| FetchError::Client { source: source.without_url() })
}

/// The host of an address.
pub(super) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    host.rsplit('@').next().unwrap_or(host).to_owned()
}

/// Asks one address once; the answer is a whole table.
pub(super) async fn ask(
    client: &reqwest::Client,
    url: &str,
    (query, rows_max): (&str, u64),
    limits: &ServiceLimits,
) -> Result<ServiceTable, FetchError> {
    let Ok(_place) = PLACES.acquire().await else { return Err(FetchError::LeftAlone) };
    let body = Serializer::new(String::new())
        .append_pair("REQUEST", "doQuery")
        .append_pair("LANG", "ADQL")
        .append_pair("FORMAT", "votable")
        .append_pair("MAXREC", &rows_max.to_string())
        .append_pair("QUERY", query)
        .finish();
    let asked = client
        .post(format!("{}/sync", url.trim_end_matches('/')))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await;
    let mut answer = asked.map_err(|error| failed(url, error, limits.answer))?;
    let status = answer.status();
    // An error may still come as a VOTable that says what is wrong; its status is told.
    if !status.is_success() {
        return Err(FetchError::Status { host: host(url), status: status.as_u16() });
    }
    let too_long =
        || FetchError::TooLong { host: host(url), limit_mib: limits.answer_bytes_max >> 20 };
    if answer.content_length().is_some_and(|n| n > limits.answer_bytes_max as u64) {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    while let Some(part) =
        answer.chunk().await.map_err(|error| failed(url, error, limits.answer))?
    {
        if bytes.len() + part.len() > limits.answer_bytes_max {
            return Err(too_long());
        }
        bytes.extend_from_slice(&part);
    }
    ServiceTable::read(&bytes).map_err(|source| FetchError::NoTable { host: host(url), source })
}

fn failed(url: &str, error: reqwest::Error, limit: Duration) -> FetchError {
    let (host, source) = (host(url), error.without_url());
    if source.is_timeout() && !source.is_connect() {
        return FetchError::TimedOut { host, seconds: limit.as_secs_f64() };
    }
    if source.is_body() || source.is_decode() {
        return FetchError::BrokenOff { host, source };
    }
    FetchError::Unreachable { host, source }
}
