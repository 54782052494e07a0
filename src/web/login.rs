//! Logging in and out.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::assets;
use super::error::{Refusal, html, redirect};
use super::form::Fields;
use super::listener::Peer;
use super::page::Page;
use super::session::{self, Visitor};
use crate::ops::users::is_name;

/// Passwords that are checked at the same time: each takes 19 MiB and a core for some 50 ms.
const CHECKS_MAX: usize = 2;
/// How long a check may wait for its turn.
const CHECK_WAIT: Duration = Duration::from_secs(10);

static CHECKS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(CHECKS_MAX));

#[derive(Template)]
#[template(path = "templates/login.html")]
struct LoginPage<'a> {
    base: &'a str,
    style: &'a str,
    icon: &'a str,
    name: &'a str,
    to: &'a str,
    trouble: String,
}

/// The form.
pub(super) async fn form(State(page): State<Arc<Page>>, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::of_query(query.as_deref());
    let told = if fields.has("out") { "You are logged out." } else { "" };
    shown(&page, &fields, told.to_owned())
}

fn shown(page: &Page, fields: &Fields, trouble: String) -> Response {
    let name = fields.text("name");
    html(&LoginPage {
        base: page.base(),
        style: assets::STYLE,
        icon: assets::ICON,
        name: if is_name(name) { name } else { "" },
        to: own_path(page, fields.text("to")),
        trouble,
    })
}

/// A path of ours to go on to; never another host's address.
fn own_path<'a>(page: &Page, path: &'a str) -> &'a str {
    let rest = path.strip_prefix(page.base()).unwrap_or_default();
    let is_ours = rest.starts_with('/')
        && !rest.starts_with("//")
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours { path } else { "" }
}

/// Takes name and password.
pub(super) async fn enter(
    State(page): State<Arc<Page>>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let fields = Fields::of_body(&body);
    let (name, password) = (fields.text("name").to_owned(), fields.text("password").to_owned());
    let address = address_of(&page, peer.ip(), &headers);
    // A name that nobody can have counts as one.
    let counted = if is_name(&name) { name.as_str() } else { "" };
    if let Err(seconds) = page.guard.begin(address, counted, page.clock.now()) {
        tracing::warn!(%address, user = counted, "Too many wrong passwords: a login must wait.");
        return Err(Refusal::TooMany { seconds });
    }
    let turn = tokio::time::timeout(CHECK_WAIT, CHECKS.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(Refusal::Busy) };
    let user = name.clone();
    let check = move |page: &Page| {
        let users = session::users(page)?;
        match users.hash_of(&user).filter(|_| users.is_right(&user, &password)) {
            Some(hash) => session::begin(page, &user, hash).map(Some),
            // As much work for a name that nobody has.
            None if users.hash_of(&user).is_none() => {
                users.is_right(&user, &password);
                Ok(None)
            }
            None => Ok(None),
        }
    };
    let Some(cookie) = Arc::clone(&page).work(check).await? else {
        tracing::warn!(%address, user = counted, "A login was refused.");
        let trouble = "Name or password is wrong.".to_owned();
        return Ok((StatusCode::FORBIDDEN, shown(&page, &fields, trouble)).into_response());
    };
    page.guard.succeeded(address, counted);
    tracing::info!(%address, user = counted, "Logged in.");
    let to = own_path(&page, fields.text("to"));
    let home = format!("{}/", page.base());
    let answer = redirect(if to.is_empty() { &home } else { to });
    Ok(([(header::SET_COOKIE, cookie)], answer).into_response())
}

/// Ends the login.
pub(super) async fn leave(
    State(page): State<Arc<Page>>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    visitor.check(&headers, &Fields::of_body(&body))?;
    let cookie = session::no_cookie(&page);
    let answer = redirect(&format!("{}/login?out=1", page.base()));
    page.work(move |page| visitor.leave(page)).await?;
    Ok(([(header::SET_COOKIE, cookie)], answer).into_response())
}

/// Where a login comes from: behind a reverse proxy on this machine, what the proxy says last.
fn address_of(page: &Page, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if page.web.public_url.is_none() || !peer.is_loopback() {
        return peer;
    }
    let told = headers.get_all("x-forwarded-for").iter().next_back();
    let last = told.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.unwrap_or(peer)
}
