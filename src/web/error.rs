//! What is told when a page cannot be shown: a page itself, with what to do.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::ops::OpsError;
use crate::ops::users::UsersError;
use crate::ops::vetting::VettingError;
use crate::store::{NightId, StoreError};

/// What stands where a picture is missing.
const NO_PICTURE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\">\
     <path d=\"M6 8h4\" stroke=\"#888\"/></svg>";

/// Why a request is not answered as hoped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// Somebody who must log in first; the path to come back to.
    #[error("log in first")]
    NeedsLogin {
        /// Start of all paths.
        base: String,
        /// Where they wanted to go.
        wanted: String,
    },
    /// Nothing of that name.
    #[error("{0}")]
    NotFound(String),
    /// A picture that cannot be made: its product was pruned or never made.
    #[error("there is no such picture: its product may have been pruned")]
    NoPicture,
    /// A request that no page of ours makes.
    #[error("{0}")]
    Strange(&'static str),
    /// A form without this login's token.
    #[error("this form is not from your login: load the page again and repeat it")]
    Forged,
    /// Too many tries.
    #[error("too many wrong passwords: wait {seconds} s and try again")]
    TooMany {
        /// How long to wait [s].
        seconds: u64,
    },
    /// Too much to do.
    #[error("the machine is busy: try again in a minute")]
    Busy,
    /// A verdict that was not taken.
    #[error(transparent)]
    Vetting(VettingError),
    /// The users' file is not in order.
    #[error("nobody can log in: the log of the service says why")]
    Users(#[source] UsersError),
    /// The state could not be read or written.
    #[error("the database could not be used: the log of the service says why")]
    Store(#[from] StoreError),
    /// A look at a night failed.
    #[error("the night could not be read: the log of the service says why")]
    Ops(#[from] OpsError),
    /// The program broke.
    #[error("the page broke: please report what the log of the service says")]
    Broken,
}

impl From<VettingError> for Refusal {
    fn from(error: VettingError) -> Self {
        match error {
            VettingError::Store(error) => Self::Store(error),
            VettingError::NoReport { night } => Self::no_report(&night),
            VettingError::UnknownCandidate { .. } => Self::NotFound(error.to_string()),
            other => Self::Vetting(other),
        }
    }
}

impl Refusal {
    /// No night of that name.
    pub(super) fn no_night() -> Self {
        Self::NotFound("there is no night of that name".to_owned())
    }

    fn no_report(night: &NightId) -> Self {
        Self::NotFound(format!("night {night} is not there, or not yet closed"))
    }

    /// The answer's number.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::NeedsLogin { .. } => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) | Self::NoPicture => StatusCode::NOT_FOUND,
            Self::Strange(_) | Self::Vetting(_) => StatusCode::BAD_REQUEST,
            Self::Forged => StatusCode::FORBIDDEN,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Store(_) | Self::Ops(_) | Self::Users(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What people read: a sentence.
    pub(super) fn sentence(&self) -> String {
        let text = self.to_string();
        let mut letters = text.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}.", letters.as_str())
    }

    /// Logs what only the operator can mend.
    pub(super) fn log(&self) {
        match self {
            Self::Store(_) | Self::Ops(_) | Self::Users(_) => {
                let mut causes = String::new();
                let mut cause = std::error::Error::source(self);
                while let Some(error) = cause {
                    causes.push_str(&format!(": {error}"));
                    cause = error.source();
                }
                tracing::error!("A page was not shown{causes}.");
            }
            Self::Broken => tracing::error!("A page broke."),
            _ => {}
        }
    }
}

#[derive(Template)]
#[template(path = "templates/error.html")]
struct ErrorPage {
    status: u16,
    sentence: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.log();
        if let Self::NeedsLogin { base, wanted } = &self {
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair("to", wanted).finish();
            return redirect(&format!("{base}/login?{query}"));
        }
        let status = self.status();
        if matches!(self, Self::NoPicture) {
            // Browsers show a picture whatever the answer's number is.
            return (status, [(header::CONTENT_TYPE, "image/svg+xml")], NO_PICTURE).into_response();
        }
        let page = ErrorPage { status: status.as_u16(), sentence: self.sentence() };
        let mut response = (status, html(&page)).into_response();
        if let Self::TooMany { seconds } = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A page from its template.
pub(super) fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let kind = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CACHE_CONTROL, "private, no-store"),
            ];
            (kind, text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "A page could not be put into its template.");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Sends the browser to one of our own paths.
pub(super) fn redirect(path: &str) -> Response {
    // Our paths are encoded; what is not a header's value goes home.
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}
