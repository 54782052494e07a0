//! The section `[web]`: the page on which candidates are judged, checked and typed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::check::Checker;
use super::error::ConfigError;
use super::raw::RawWeb;

/// Name of the users' file in the data folder when none is given.
const USERS_NAME: &str = "web-users";
/// Longest start of the paths [bytes].
const BASE_PATH_LENGTH_MAX: usize = 100;

/// The page.
#[derive(Debug, Clone, PartialEq)]
pub struct Web {
    /// Where it listens; none = closed.
    pub listen: Option<SocketAddr>,
    /// Start of all paths: empty, or as `/autossos`.
    pub base_path: String,
    /// Scheme and host under which people open it, as `https://example.org`.
    pub public_url: Option<String>,
    /// File of names and passwords; see [`Web::users_file_in`].
    pub users_file: Option<PathBuf>,
    /// Time without use after which a login ends [d].
    pub session_days: f64,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: None,
            base_path: String::new(),
            public_url: None,
            users_file: None,
            session_days: 30.0,
        }
    }
}

impl Web {
    /// The users' file, for a data folder.
    pub fn users_file_in(&self, data: &Path) -> PathBuf {
        self.users_file.clone().unwrap_or_else(|| data.join(USERS_NAME))
    }

    /// Where people open a page, as `https://example.org/sky/night/N`; none while it is closed.
    ///
    /// * `path`: what follows the start of all paths, as `/night/N`.
    pub fn address_of(&self, path: &str) -> Option<String> {
        let listen = self.listen?;
        let origin = self.public_url.clone().unwrap_or_else(|| format!("http://{listen}"));
        Some(format!("{origin}{}{path}", self.base_path))
    }

    /// Whether people reach it encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}

/// Checks `[web]`.
pub(super) fn web(raw: RawWeb, checker: &Checker<'_>) -> Result<Web, ConfigError> {
    let default = Web::default();
    let is_socket = |text: &str| text.parse::<SocketAddr>().is_ok();
    let listen_form = "an address with its port, as 127.0.0.1:8480";
    let listen = checker.optional_text("web.listen", raw.listen, is_socket, listen_form)?;
    let listen: Option<SocketAddr> = listen.and_then(|text| text.parse().ok());
    let base_form = "empty, or a path as /autossos, without / at its end";
    let base_path = raw.base_path.unwrap_or(default.base_path);
    let url_form = "https:// or http:// and a host, without a path (that is web.base_path)";
    let web = Web {
        listen,
        base_path: checker.text("web.base_path", base_path, is_base_path, base_form)?,
        public_url: checker.optional_text("web.public_url", raw.public_url, is_origin, url_form)?,
        users_file: checker.optional_path("web.users_file", raw.users_file),
        session_days: checker.number(
            "web.session_days",
            raw.session_days,
            default.session_days,
            0.01..=365.0,
        )?,
    };
    // Passwords would cross the network in the clear.
    let open = web.listen.filter(|address| !address.ip().is_loopback() && !web.is_encrypted());
    open.map_or(Ok(web), |address| {
        let (key, value) = ("web.listen", address.to_string());
        let expected = "a loopback address, as 127.0.0.1:8480; another one when web.public_url \
                        starts with https://";
        Err(ConfigError::WrongText { place: checker.place(key), key, value, expected })
    })
}

fn is_base_path(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        !matches!(part, "" | "." | "..") && part.chars().all(is_allowed)
    };
    text.is_empty()
        || text.len() <= BASE_PATH_LENGTH_MAX
            && text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_part))
}

fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    host.is_some_and(|host| !host.is_empty() && host.len() <= 255 && host.chars().all(is_allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_origins_have_their_forms() {
        for fine in ["", "/autossos", "/a/b-c_d.e~f"] {
            assert!(is_base_path(fine), "{fine}");
        }
        for wrong in ["/", "a", "/a/", "//a", "/../a", "/a b", "/a\"b", "/a?b"] {
            assert!(!is_base_path(wrong), "{wrong}");
        }
        for fine in ["https://example.org", "http://10.0.0.1:8080", "http://[::1]:80"] {
            assert!(is_origin(fine), "{fine}");
        }
        for wrong in ["example.org", "https://", "https://a/b", "https://u@h", "ftp://a"] {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_those_that_people_open() {
        let mut web = Web { base_path: "/sky".to_owned(), ..Web::default() };
        assert_eq!(web.address_of("/night/a"), None);
        web.listen = "127.0.0.1:8480".parse().ok();
        let told = web.address_of("/night/a");
        assert_eq!(told.as_deref(), Some("http://127.0.0.1:8480/sky/night/a"));
        web.public_url = Some("https://example.org".to_owned());
        assert_eq!(web.address_of("/").as_deref(), Some("https://example.org/sky/"));
        assert!(web.is_encrypted());
    }
}
