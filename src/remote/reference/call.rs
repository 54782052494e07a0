//! One question in ADQL to one address.

use form_urlencoded::Serializer;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use super::FetchError;
use crate::formats::service_table::ServiceTable;
use crate::remote::http::{ServiceLimits, body, host};

/// Asks one address once; the answer is a whole table.
pub(super) async fn ask(
    client: &Client,
    url: &str,
    (query, rows_max): (&str, u64),
    limits: &ServiceLimits,
) -> Result<ServiceTable, FetchError> {
    let form = Serializer::new(String::new())
        .append_pair("REQUEST", "doQuery")
        .append_pair("LANG", "ADQL")
        .append_pair("FORMAT", "votable")
        .append_pair("MAXREC", &rows_max.to_string())
        .append_pair("QUERY", query)
        .finish();
    let request = client
        .post(format!("{}/sync", url.trim_end_matches('/')))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form);
    let bytes = body(request, url, limits).await?;
    ServiceTable::read(&bytes).map_err(|source| FetchError::NoTable { host: host(url), source })
}
