//! A frame: its picture, its numbers, and why it was not used.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::error::{Refusal, html};
use super::night::frame_facts;
use super::page::{Page, Shell};
use super::pictures::version;
use super::session::Visitor;
use crate::ops::overview;
use crate::report::words::printable;

#[derive(Template)]
#[template(path = "templates/frame.html")]
struct FramePage {
    shell: Shell,
    night: String,
    night_path: String,
    name: String,
    picture: String,
    reason: String,
    facts: Vec<(&'static str, String)>,
    remarks: Vec<String>,
}

/// The page.
pub(super) async fn page(
    State(page): State<Arc<Page>>,
    visitor: Visitor,
    Path((night, hash)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    page.work(move |page| {
        let night = page.night(&night)?;
        let view = overview::night(page.store.read(), &night)?.ok_or_else(Refusal::no_night)?;
        let found = view.frames.iter().find(|frame| frame.content_hash == hash);
        let no_frame = || Refusal::NotFound("this night has no such frame".to_owned());
        let frame = found.ok_or_else(no_frame)?;
        let night_path = page.night_path(&night);
        let version = version(page, &night)?;
        Ok(html(&FramePage {
            shell: page.shell(&visitor, &printable(&frame.frame)),
            night: printable(night.as_str()),
            name: printable(&frame.frame),
            // The hash is that of a frame that was found: hexadecimal digits.
            picture: format!("{night_path}/frame/{hash}/large.png?v={version}"),
            night_path,
            reason: frame.reason.as_deref().map(printable).unwrap_or_default(),
            facts: frame_facts(frame),
            remarks: frame.steps.iter().chain(&frame.notes).map(|text| printable(text)).collect(),
        }))
    })
    .await
}
