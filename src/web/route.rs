//! Which path is whose, and what is around all of them: hosts, limits, headers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::error::{Refusal, redirect};
use super::page::Page;
use super::{assets, candidate, frame, login, night, nights, pictures, queue, stamps, verdict};

/// Largest form [bytes]: a note of 2000 characters and some fields.
const BODY_MAX_BYTES: usize = 32 << 10;
/// How long an answer may take; the writer waits up to 75 s for another program.
const ANSWER_TIME: Duration = Duration::from_secs(80);
/// Longest address [bytes].
const PATH_LENGTH_MAX: usize = 2048;

/// What a browser may do with our pages: nothing that they do not need.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// All paths.
pub(super) fn router(page: Arc<Page>) -> Router {
    let base = page.base().to_owned();
    let at = |path: &str| format!("{base}{path}");
    let of_candidate = |rest: &str| at(&format!("/night/{{night}}/candidate/{{id}}{rest}"));
    let mut router = Router::new()
        .route(&at("/"), get(nights::page))
        .route(&at("/login"), get(login::form).post(login::enter))
        .route(&at("/logout"), post(login::leave))
        .route(&at("/assets/{name}"), get(assets::asset))
        .route(&at("/night/{night}"), get(night::page))
        .route(&at("/night/{night}/queue"), get(queue::page))
        .route(&at("/night/{night}/frame/{hash}"), get(frame::page))
        .route(&at("/night/{night}/frame/{hash}/{picture}"), get(pictures::frame))
        .route(&of_candidate(""), get(candidate::page))
        .route(&of_candidate("/verdict"), post(verdict::take))
        .route(&of_candidate("/stamps.json"), get(stamps::description))
        .route(&of_candidate("/stamps.bin"), get(stamps::pixels))
        .route(&of_candidate("/{picture}"), get(pictures::candidate));
    if !base.is_empty() {
        let home = at("/");
        router = router.route(&base, get(async move || redirect(&home)));
    }
    router
        .fallback(async || Refusal::NotFound("there is no such page".to_owned()))
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&page), around))
        .with_state(page)
}

/// What happens before and after every page.
async fn around(State(page): State<Arc<Page>>, request: Request, next: Next) -> Response {
    let mut response = match admit(&page, &request) {
        Ok(()) => match tokio::time::timeout(ANSWER_TIME, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Refusal::Busy.into_response(),
        },
        Err(refusal) => refusal.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Refuses names of hosts that are not ours (a page elsewhere that points its name at this
/// machine), forms of other pages, and addresses that are too long.
fn admit(page: &Page, request: &Request) -> Result<(), Refusal> {
    if request.uri().path().len() > PATH_LENGTH_MAX {
        return Err(Refusal::Strange("the address is too long"));
    }
    let headers = request.headers();
    let host = text(headers, header::HOST).ok_or(Refusal::Strange("a host must be named"))?;
    if !is_our_host(page, host) {
        return Err(Refusal::Strange(
            "this host's name is not known here: open the page by web.public_url or by localhost",
        ));
    }
    if request.method() == Method::GET || request.method() == Method::HEAD {
        return Ok(());
    }
    // Browsers say where a form comes from; what says nothing still needs the login's token.
    let is_from_elsewhere = match text(headers, header::ORIGIN) {
        Some(origin) => origin.split_once("//").is_none_or(|(_, from)| !is_our_host(page, from)),
        None => matches!(
            headers.get("sec-fetch-site").and_then(|value| value.to_str().ok()),
            Some("cross-site" | "same-site")
        ),
    };
    if is_from_elsewhere { Err(Refusal::Forged) } else { Ok(()) }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a host, with or without a port, is one under which people open the page.
fn is_our_host(page: &Page, host: &str) -> bool {
    let name = name_of(host).to_ascii_lowercase();
    let is_local = matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    let is_listening = page.web.listen.is_some_and(|address| name_of(&address.to_string()) == name);
    let public = page.web.public_url.as_deref().and_then(|url| url.split_once("//"));
    is_local
        || is_listening
        || public.is_some_and(|(_, host)| name_of(host).eq_ignore_ascii_case(&name))
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_with_and_without_ports() {
        for (host, name) in [
            ("localhost:8480", "localhost"),
            ("example.org", "example.org"),
            ("[::1]:80", "[::1]"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(name_of(host), name);
        }
    }
}
