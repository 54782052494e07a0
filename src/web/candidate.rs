//! A candidate: the player, the verdicts, the numbers behind it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;

use super::error::{Refusal, html};
use super::form::Fields;
use super::night::{name_of, progress};
use super::page::{HistoryView, Page, Shell, act_word, opinion_line, standing, token};
use super::pictures::version;
use super::session::Visitor;
use crate::ops::cutouts;
use crate::ops::vetting::{Vetted, next_open, vetted};
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::report::plot::{light_curve_svg, residual_svgs};
use crate::report::words::{
    chance, clock, declination, magnitude, number, printable, right_ascension, seen, with_error,
};
use crate::store::NightId;

#[derive(Template)]
#[template(path = "templates/candidate.html")]
struct CandidatePage {
    shell: Shell,
    night: String,
    night_path: String,
    path: String,
    id: String,
    name: String,
    place: String,
    progress: String,
    is_queue: bool,
    previous: Option<String>,
    next: Option<String>,
    next_stamps: Option<String>,
    stamps: Option<String>,
    still: String,
    token: String,
    standing_class: &'static str,
    standing: String,
    told: String,
    undo: Option<UndoView>,
    facts: Vec<(&'static str, String)>,
    why: Vec<String>,
    charts: Vec<String>,
    detections: Vec<DetectionView>,
    opinions: Vec<String>,
    own: Option<String>,
    history: Vec<HistoryView>,
}

/// Takes back what was said of the candidate before, for those without scripts.
struct UndoView {
    path: String,
    id: String,
    token: String,
}

struct DetectionView {
    frame: String,
    clock: String,
    ra: String,
    dec: String,
    east: String,
    north: String,
    mag: String,
    snr: String,
}

impl DetectionView {
    fn new(detection: &CandidateDetection) -> Self {
        Self {
            frame: printable(&detection.frame),
            clock: clock(Some(detection.mid_mjd_utc)),
            ra: right_ascension(detection.ra_deg),
            dec: declination(detection.dec_deg),
            east: number(Some(detection.residual_arcsec.0), 2),
            north: number(Some(detection.residual_arcsec.1), 2),
            mag: with_error(detection.mag, detection.mag_err, 2),
            snr: seen(detection),
        }
    }
}

/// The page.
pub(super) async fn page(
    State(page): State<Arc<Page>>,
    visitor: Visitor,
    Path((night, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    page.work(move |page| {
        let night = page.night(&night)?;
        let all = vetted(page.store.read(), &night)?;
        show(page, &visitor, (&night, &id), &all, &Fields::of_query(query.as_deref()))
    })
    .await
}

/// Path of a candidate in the queue or beside it.
pub(super) fn path_in(page: &Page, night: &NightId, id: &str, is_queue: bool) -> String {
    let path = page.candidate_path(night, id);
    if is_queue { format!("{path}?queue=1") } else { path }
}

fn show(
    page: &Page,
    visitor: &Visitor,
    (night, id): (&NightId, &str),
    all: &[Vetted],
    fields: &Fields,
) -> Result<Response, Refusal> {
    let position = all.iter().position(|vetted| vetted.candidate.id == id);
    let position = position.ok_or_else(|| {
        Refusal::NotFound(
            "there is no such candidate: the night may have been processed again".to_owned(),
        )
    })?;
    let vetted = &all[position];
    let is_queue = fields.has("queue");
    let n_open = all.iter().filter(|vetted| vetted.opinions.is_empty()).count();
    let next_in_queue = next_open(all, Some(id));
    let next = if is_queue { next_in_queue } else { all.get(position + 1) };
    let version = version(page, night)?;
    let path_of = |vetted: &Vetted| path_in(page, night, &vetted.candidate.id, is_queue);
    let stamps_of = |vetted: &Vetted| {
        let has = cutouts::is_kept(page.store.products(), night, &vetted.candidate.id);
        let path = page.candidate_path(night, &vetted.candidate.id);
        has.then(|| format!("{path}/stamps.json?v={version}"))
    };
    let path = page.candidate_path(night, id);
    let (told, undo) = before(page, visitor, night, (all, fields.text("after")))?;
    let (standing_class, standing) = standing(vetted);
    let candidate = &vetted.candidate;
    let charts = light_curve_svg(candidate).into_iter().chain(residual_svgs(candidate));
    Ok(html(&CandidatePage {
        shell: page.shell(visitor, &printable(id)),
        night: printable(night.as_str()),
        night_path: page.night_path(night),
        id: printable(id),
        name: name_of(vetted),
        place: format!("{} of {}", position + 1, all.len()),
        progress: progress(all.len(), n_open),
        is_queue,
        previous: position.checked_sub(1).map(|before| path_of(&all[before])),
        next: next.map(path_of),
        next_stamps: next.and_then(stamps_of),
        stamps: stamps_of(vetted),
        still: format!("{path}/sky.png?v={version}"),
        path,
        token: token()?,
        standing_class,
        standing,
        told,
        undo,
        facts: facts(candidate).into_iter().chain(other_nights(vetted)).collect(),
        why: why(candidate),
        charts: charts.collect(),
        detections: candidate.detections.iter().map(DetectionView::new).collect(),
        opinions: vetted.opinions.iter().map(opinion_line).collect(),
        own: vetted.opinion_of(&visitor.user).map(opinion_line),
        history: vetted.history.iter().rev().map(HistoryView::new).collect(),
    }))
}

/// What was stored just before, when a form without scripts has led here, and how to undo it.
fn before(
    page: &Page,
    visitor: &Visitor,
    night: &NightId,
    (all, after): (&[Vetted], &str),
) -> Result<(String, Option<UndoView>), Refusal> {
    let Some(vetted) = all.iter().find(|vetted| vetted.candidate.id == after) else {
        return Ok((String::new(), None));
    };
    let Some(row) = vetted.history.iter().rev().find(|row| row.who == visitor.user) else {
        return Ok((String::new(), None));
    };
    let id = printable(after);
    let told = format!("Stored: {id}: {}, {}.", act_word(row.act), clock(Some(row.at.mjd_utc())));
    let path = page.candidate_path(night, after);
    let undo = vetted.opinion_of(&visitor.user).map(|_| token()).transpose()?;
    Ok((told, undo.map(|token| UndoView { path, id, token })))
}

fn facts(candidate: &Candidate) -> Vec<(&'static str, String)> {
    let (mag, mag_err) = magnitude(candidate);
    let rate = Some(candidate.rate_arcsec_per_min);
    let rate_err = Some(candidate.rate_err_arcsec_per_min);
    let pa_tenths = (candidate.pa_deg * 10.0).round().rem_euclid(3600.0);
    let seen = candidate.detections.len();
    let mut facts = vec![
        ("Magnitude [G]", with_error(mag, mag_err, 2)),
        ("Rate [arcsec/min]", with_error(rate, rate_err, 3)),
        ("Position angle [deg]", number(Some(pa_tenths / 10.0), 1)),
        ("Seen on", format!("{seen} of {} frames that cover it", candidate.n_covered)),
        ("Residuals [arcsec]", number(Some(candidate.rms_arcsec), 2)),
        ("Chi2 per degree of freedom", number(Some(candidate.chi2_reduced), 2)),
    ];
    if let Identity::Known { separation_arcsec, .. } = candidate.identity {
        facts.push(("From its predicted place [arcsec]", number(Some(separation_arcsec), 2)));
    }
    if let Some(rating) = &candidate.rating {
        facts.push(("Looks real, 0 to 1", number(Some(rating.real_score), 2)));
        facts.push(("NEO rating, 0 to 100 (no probability)", number(rating.neo_rating, 0)));
    }
    facts
}

/// What other nights say of it.
fn other_nights(vetted: &Vetted) -> Option<(&'static str, String)> {
    vetted.joined.as_ref().map(|joined| ("Other nights", printable(&joined.words())))
}

/// Why it is rated so.
fn why(candidate: &Candidate) -> Vec<String> {
    let reasons = candidate.rating.iter().flat_map(|rating| &rating.reasons);
    let chance = std::iter::once(chance(candidate.false_alarms));
    chance.chain(reasons.map(|reason| printable(reason))).collect()
}
