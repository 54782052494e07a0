//! The queue of a night: to the next candidate that nobody judged.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use super::candidate::path_in;
use super::error::{Refusal, html, redirect};
use super::form::Fields;
use super::night::progress;
use super::page::{Page, Shell};
use super::session::Visitor;
use crate::ops::vetting::{next_open, vetted};
use crate::report::words::printable;

#[derive(Template)]
#[template(path = "templates/done.html")]
struct DonePage {
    shell: Shell,
    night: String,
    night_path: String,
    progress: String,
    last: Option<String>,
}

/// Leads to the next open candidate, or says that there is none.
pub(super) async fn page(
    State(page): State<Arc<Page>>,
    visitor: Visitor,
    Path(night): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    page.work(move |page| {
        let night = page.night(&night)?;
        let all = vetted(page.store.read(), &night)?;
        let fields = Fields::of_query(query.as_deref());
        let after = Some(fields.text("after")).filter(|id| !id.is_empty());
        if let Some(next) = next_open(&all, after) {
            return Ok(redirect(&path_in(page, &night, &next.candidate.id, true)));
        }
        let last = all.iter().find(|vetted| Some(vetted.candidate.id.as_str()) == after);
        Ok(html(&DonePage {
            shell: page.shell(&visitor, "All judged"),
            night: printable(night.as_str()),
            night_path: page.night_path(&night),
            progress: progress(all.len(), 0),
            last: last.map(|vetted| path_in(page, &night, &vetted.candidate.id, false)),
        }))
    })
    .await
}
