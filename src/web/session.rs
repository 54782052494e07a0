//! Who asks: the browser's cookie, the login it belongs to, the token that its forms must hold.
//!
//! A cookie is 256 random bits and a name. Kept is a hash of the bits and of the name's password
//! hash: who reads the database cannot log in, and a changed password or a removed user ends all
//! logins at once.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use subtle::ConstantTimeEq as _;

use super::error::Refusal;
use super::form::Fields;
use super::page::{Page, token};
use crate::ops::users::{Users, is_name};
use crate::science::time::{Epoch, SECONDS_PER_DAY};
use crate::store::sessions::SessionRow;

/// Name of the cookie.
const COOKIE: &str = "autossos";
/// Hexadecimal digits of its secret.
const SECRET_LENGTH: usize = 64;
/// The use of a login is noted when this much time passed since the last note [s].
const TOUCH_AFTER_S: f64 = 3600.0;
/// Header in which scripts send the token of their forms.
const CSRF_HEADER: &str = "x-csrf-token";

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// Who.
    pub(super) user: String,
    /// What their forms must hold.
    pub(super) csrf: String,
    /// Hash of the cookie: names the login.
    id_hash: String,
}

impl Visitor {
    /// Refuses what does not hold the login's token, as a field or as a header.
    pub(super) fn check(&self, headers: &HeaderMap, fields: &Fields) -> Result<(), Refusal> {
        let header = headers.get(CSRF_HEADER).map(|value| value.as_bytes());
        let given = header.unwrap_or(fields.text("csrf").as_bytes());
        match bool::from(given.ct_eq(self.csrf.as_bytes())) {
            true => Ok(()),
            false => Err(Refusal::Forged),
        }
    }

    /// Ends this login.
    pub(super) fn leave(&self, page: &Page) -> Result<(), Refusal> {
        Ok(page.store.end_session(&self.id_hash)?)
    }
}

impl FromRequestParts<Arc<Page>> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, page: &Arc<Page>) -> Result<Self, Refusal> {
        let base = page.base().to_owned();
        // Only looking can be taken up again after a login.
        let wanted = match parts.method {
            Method::GET => parts.uri.path().to_owned(),
            _ => format!("{base}/"),
        };
        let needs_login = || Refusal::NeedsLogin { base, wanted };
        let Some((secret, name)) = cookie(&parts.headers) else { return Err(needs_login()) };
        let found = Arc::clone(page).work(move |page| find(page, &secret, &name)).await?;
        found.ok_or_else(needs_login)
    }
}

/// Secret and name of the cookie.
fn cookie(headers: &HeaderMap) -> Option<(String, String)> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut ours = cookies.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    });
    let (secret, name) = ours.next()?.split_once('.')?;
    let is_secret = secret.len() == SECRET_LENGTH && secret.bytes().all(|b| b.is_ascii_hexdigit());
    (is_secret && is_name(name)).then(|| (secret.to_owned(), name.to_owned()))
}

/// The login of a cookie, if it is one.
fn find(page: &Page, secret: &str, name: &str) -> Result<Option<Visitor>, Refusal> {
    let users = users(page)?;
    let Some(hash) = users.hash_of(name) else { return Ok(None) };
    let id_hash = id_hash(secret, hash);
    let Some(row) = page.store.read().session(&id_hash)? else { return Ok(None) };
    let now = page.clock.now();
    let unused_s = (now.mjd_utc() - row.last_used.mjd_utc()) * SECONDS_PER_DAY;
    if row.user != name || unused_s > page.web.session_days * SECONDS_PER_DAY {
        return Ok(None);
    }
    if unused_s > TOUCH_AFTER_S {
        page.store.touch_session(&id_hash, now)?;
    }
    Ok(Some(Visitor { user: row.user, csrf: row.csrf, id_hash }))
}

/// The users as the file has them now.
pub(super) fn users(page: &Page) -> Result<Users, Refusal> {
    Users::load(&page.web.users_file_in(page.store.data_dir())).map_err(Refusal::Users)
}

fn id_hash(secret: &str, password_hash: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(secret.as_bytes()).update(b"\0").update(password_hash.as_bytes());
    hasher.finalize().to_hex().to_string()
}

/// Begins a login; returns the cookie's header.
///
/// * `password_hash`: the user's, as the file has it.
pub(super) fn begin(page: &Page, user: &str, password_hash: &str) -> Result<String, Refusal> {
    let secret = token()?;
    let now = page.clock.now();
    let row = SessionRow { user: user.to_owned(), csrf: token()?, last_used: now };
    let idle_since = Epoch::from_mjd_utc(now.mjd_utc() - page.web.session_days);
    page.store.add_session(&id_hash(&secret, password_hash), &row, idle_since)?;
    let age_s = (page.web.session_days * SECONDS_PER_DAY) as u64;
    Ok(set_cookie(page, &format!("{secret}.{user}"), age_s))
}

/// The header that takes the cookie away.
pub(super) fn no_cookie(page: &Page) -> String {
    set_cookie(page, "", 0)
}

fn set_cookie(page: &Page, value: &str, age_s: u64) -> String {
    let path = if page.base().is_empty() { "/" } else { page.base() };
    let secure = if page.web.is_encrypted() { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path={path}; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_cookie_of_the_right_form_counts() {
        let secret = "a".repeat(SECRET_LENGTH);
        let of = |text: String| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, text.parse().expect("a header"));
            cookie(&headers)
        };
        let expected = Some((secret.clone(), "ada".to_owned()));
        assert_eq!(of(format!("x=1; {COOKIE}={secret}.ada; y=2")), expected);
        for wrong in [
            format!("{COOKIE}={secret}"),
            format!("{COOKIE}={secret}.a/b"),
            format!("{COOKIE}=zz.ada"),
            format!("other={secret}.ada"),
        ] {
            assert_eq!(of(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn a_login_is_named_by_secret_and_password_hash() {
        assert_ne!(id_hash("s", "p"), id_hash("s", "q"));
        assert_ne!(id_hash("s", "p"), id_hash("sp", ""));
    }
}
