//! The list of nights, newest first, a page at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::error::{Refusal, html};
use super::form::Fields;
use super::page::{Page, Shell, encoded, instant};
use super::session::Visitor;
use crate::ops::overview::{self, NightLine};
use crate::report::words::{UNKNOWN, printable};
use crate::science::time::Epoch;

/// Nights on a page.
const PER_PAGE: usize = 50;

#[derive(Template)]
#[template(path = "templates/nights.html")]
struct NightsPage {
    shell: Shell,
    nights: Vec<NightView>,
    telescopes: Vec<TelescopeView>,
    newer: Option<String>,
    older: Option<String>,
    told: String,
}

struct NightView {
    name: String,
    path: String,
    telescope: String,
    state: &'static str,
    n_frames: u64,
    n_lost: u64,
    n_candidates: u64,
    closed: String,
}

/// A choice above the list.
struct TelescopeView {
    name: String,
    path: String,
    is_chosen: bool,
}

/// The page.
pub(super) async fn page(
    State(page): State<Arc<Page>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    page.work(move |page| show(page, &visitor, &Fields::of_query(query.as_deref()))).await
}

fn show(page: &Page, visitor: &Visitor, fields: &Fields) -> Result<Response, Refusal> {
    let mut nights = overview::nights(page.store.read(), None)?;
    let names: BTreeSet<String> = nights.iter().map(|night| night.telescope.clone()).collect();
    let chosen = fields.text("telescope");
    if !chosen.is_empty() {
        nights.retain(|night| night.telescope == chosen);
    }
    nights.sort_by(|a, b| b.opened_mjd_utc.total_cmp(&a.opened_mjd_utc));
    let n_pages = nights.len().div_ceil(PER_PAGE).max(1);
    let number = fields.text("page").parse().unwrap_or(1_usize).clamp(1, n_pages);
    let path = |telescope: &str, number: usize| {
        format!("{}/?telescope={}&page={number}", page.base(), encoded(telescope))
    };
    let telescopes = match names.len() {
        0 | 1 => Vec::new(),
        _ => std::iter::once(String::new())
            .chain(names)
            .map(|name| TelescopeView {
                path: path(&name, 1),
                is_chosen: name == chosen,
                name: if name.is_empty() { "all".to_owned() } else { printable(&name) },
            })
            .collect(),
    };
    let first = (number - 1) * PER_PAGE;
    let told = match nights.len() {
        0 => "No night yet: they appear when frames arrive.".to_owned(),
        n => format!("{} to {} of {n}", first + 1, (first + PER_PAGE).min(n)),
    };
    Ok(html(&NightsPage {
        shell: page.shell(visitor, "Nights"),
        nights: nights.iter().skip(first).take(PER_PAGE).map(|night| view(page, night)).collect(),
        telescopes,
        newer: (number > 1).then(|| path(chosen, number - 1)),
        older: (number < n_pages).then(|| path(chosen, number + 1)),
        told,
    }))
}

fn view(page: &Page, night: &NightLine) -> NightView {
    NightView {
        name: printable(&night.night),
        path: format!("{}/night/{}", page.base(), encoded(&night.night)),
        telescope: printable(&night.telescope),
        state: if night.is_closed { "closed" } else { "open" },
        n_frames: night.n_frames,
        n_lost: night.n_frames.saturating_sub(night.n_frames_ok),
        n_candidates: night.n_candidates,
        closed: night
            .closed_mjd_utc
            .map_or_else(|| UNKNOWN.to_owned(), |at| instant(Epoch::from_mjd_utc(at))),
    }
}
