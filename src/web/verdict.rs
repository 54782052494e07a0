//! Takes what a person says of a candidate; the answer goes out when it is on disk.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::candidate::path_in;
use super::error::{Refusal, redirect};
use super::form::Fields;
use super::page::{Page, act_word, encoded, opinion_line};
use super::session::Visitor;
use crate::ops::vetting::{Judgement, Vetted, judge, next_open};
use crate::report::words::{clock, printable};
use crate::store::NightId;
use crate::store::verdicts::Act;

/// The answer to a script.
#[derive(Debug, Serialize)]
struct Answer {
    is_stored: bool,
    /// What happened, for people.
    text: String,
    /// Where the queue goes on.
    next: Option<String>,
    /// Whether somebody must log in before trying again.
    needs_login: bool,
}

/// Stores an act.
pub(super) async fn take(
    State(page): State<Arc<Page>>,
    visitor: Result<Visitor, Refusal>,
    Path((night, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let wants_json = accepted.is_some_and(|kinds| kinds.starts_with("application/json"));
    let taken = async {
        let visitor = visitor?;
        let fields = Fields::of_body(&body);
        visitor.check(&headers, &fields)?;
        page.work(move |page| store(page, &visitor, (&night, &id), &fields)).await
    };
    match taken.await {
        Ok(stored) if wants_json => json(&stored.answer),
        Ok(stored) => redirect(&stored.path),
        Err(refusal) if wants_json => {
            refusal.log();
            let needs_login = matches!(refusal, Refusal::NeedsLogin { .. });
            let answer =
                Answer { is_stored: false, text: refusal.sentence(), next: None, needs_login };
            (refusal.status(), json(&answer)).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn json(answer: &Answer) -> Response {
    // A struct of texts and flags always has a form as JSON.
    let text = serde_json::to_string(answer).unwrap_or_default();
    let kind = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (kind, text).into_response()
}

/// What is answered to a script, and where a browser without one goes.
struct Stored {
    answer: Answer,
    path: String,
}

fn store(
    page: &Page,
    visitor: &Visitor,
    (night, id): (&str, &str),
    fields: &Fields,
) -> Result<Stored, Refusal> {
    let night = page.night(night)?;
    let act = Act::from_word(fields.text("act"));
    let act = act.ok_or(Refusal::Strange("the form does not say what to do"))?;
    let judgement = Judgement {
        candidate: id.to_owned(),
        act,
        who: visitor.user.clone(),
        // Forms send line ends as CR LF.
        note: fields.text("note").replace("\r\n", "\n").trim().to_owned(),
        token: format!("web-{}", fields.text("token")),
    };
    if fields.text("token").is_empty() {
        return Err(Refusal::Strange("the form has no token: load the page again"));
    }
    let judged = judge(&page.store, &night, &judgement, page.clock.now())?;
    let next = next_open(&judged.all, Some(id));
    let is_queue = fields.has("queue");
    let path = after(page, &night, (id, act), next.filter(|_| is_queue), is_queue);
    let next = next.map(|next| path_in(page, &night, &next.candidate.id, true));
    let text = told(judged.candidate(), visitor, act);
    Ok(Stored { answer: Answer { is_stored: true, text, next, needs_login: false }, path })
}

/// Where a browser without scripts goes after an act.
fn after(
    page: &Page,
    night: &NightId,
    (id, act): (&str, Act),
    next: Option<&Vetted>,
    is_queue: bool,
) -> String {
    let after = encoded(id);
    match (act, next) {
        (Act::Judge(_), Some(next)) => {
            format!("{}&after={after}", path_in(page, night, &next.candidate.id, true))
        }
        (Act::Judge(_), None) if is_queue => {
            format!("{}/queue?after={after}", page.night_path(night))
        }
        _ => {
            let joint = if is_queue { '&' } else { '?' };
            format!("{}{joint}after={after}", path_in(page, night, id, is_queue))
        }
    }
}

/// What was stored, and what others think.
fn told(vetted: &Vetted, visitor: &Visitor, act: Act) -> String {
    let newest = vetted.history.iter().rev().find(|row| row.who == visitor.user);
    let at = clock(newest.map(|row| row.at.mjd_utc()));
    let id = printable(&vetted.candidate.id);
    let mut text = format!("Stored: {id}: {}, {at}.", act_word(act));
    let others = vetted.opinions.iter().filter(|opinion| opinion.who != visitor.user);
    let others: Vec<String> = others.map(opinion_line).collect();
    if !others.is_empty() {
        text.push_str(&format!(" Others: {}.", others.join("; ")));
    }
    text
}
