//! Style sheet, scripts and icon, inside the program; browsers ask whether they changed.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::error::Refusal;
use super::page::Page;

/// Paths below the start of all paths.
pub(super) const STYLE: &str = "/assets/style.css";
pub(super) const BLINK: &str = "/assets/blink.js";
pub(super) const VET: &str = "/assets/vet.js";
pub(super) const ICON: &str = "/assets/icon.svg";

/// A file and what it is.
struct Asset {
    path: &'static str,
    kind: &'static str,
    content: &'static str,
    /// Names the content, for browsers that ask whether it changed.
    tag: LazyLock<String>,
}

static ASSETS: [Asset; 4] = [
    Asset {
        path: STYLE,
        kind: "text/css; charset=utf-8",
        content: include_str!("assets/style.css"),
        tag: LazyLock::new(|| tag_of(include_str!("assets/style.css"))),
    },
    Asset {
        path: BLINK,
        kind: "text/javascript; charset=utf-8",
        content: include_str!("assets/blink.js"),
        tag: LazyLock::new(|| tag_of(include_str!("assets/blink.js"))),
    },
    Asset {
        path: VET,
        kind: "text/javascript; charset=utf-8",
        content: include_str!("assets/vet.js"),
        tag: LazyLock::new(|| tag_of(include_str!("assets/vet.js"))),
    },
    Asset {
        path: ICON,
        kind: "image/svg+xml",
        content: include_str!("assets/icon.svg"),
        tag: LazyLock::new(|| tag_of(include_str!("assets/icon.svg"))),
    },
];

fn tag_of(content: &str) -> String {
    format!("\"{}\"", blake3::hash(content.as_bytes()).to_hex())
}

/// Sends one of them; a browser that has it is told so.
pub(super) async fn asset(
    State(_page): State<Arc<Page>>,
    Path(name): Path<String>,
    headers: axum::http::HeaderMap,
) -> Result<Response, Refusal> {
    let found = ASSETS.iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(&name));
    let asset = found.ok_or_else(|| Refusal::NotFound("there is no such file".to_owned()))?;
    let head = [
        (header::CONTENT_TYPE, asset.kind),
        (header::ETAG, asset.tag.as_str()),
        (header::CACHE_CONTROL, "public, no-cache"),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known == Some(asset.tag.as_str()) {
        return Ok((axum::http::StatusCode::NOT_MODIFIED, head).into_response());
    }
    Ok((head, asset.content).into_response())
}
