//! A night: its result, its candidates with what people say of them, its frames with reasons.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::error::{Refusal, html};
use super::page::{Page, Shell, standing};
use super::pictures::version;
use super::session::Visitor;
use crate::ops::overview;
use crate::ops::vetting::{Vetted, VettingError, vetted, vetted_in};
use crate::pipeline::artifact::candidate::Identity;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::report::Note;
use crate::report::verdict::verdict;
use crate::report::words::{clock, count, number, plural, printable, status};
use crate::store::NightId;

#[derive(Template)]
#[template(path = "templates/night.html")]
struct NightPage {
    shell: Shell,
    path: String,
    version: String,
    verdict: String,
    is_open: bool,
    progress: String,
    n_open: usize,
    candidates: Vec<CandidateRow>,
    frames: Vec<FrameRow>,
    n_lost: usize,
    not_done: Vec<(String, String)>,
}

/// A row of the table of candidates.
struct CandidateRow {
    id: String,
    path: String,
    name: String,
    mag: String,
    rate: String,
    seen: String,
    real: String,
    neo: String,
    standing_class: &'static str,
    standing: String,
}

/// A row of the table of frames.
struct FrameRow {
    name: String,
    path: String,
    status: &'static str,
    is_lost: bool,
    reason: String,
    clock: String,
    filter: String,
    exposure: String,
    zero_point: String,
    fwhm: String,
    limiting: String,
}

/// The page.
pub(super) async fn page(
    State(page): State<Arc<Page>>,
    visitor: Visitor,
    Path(night): Path<String>,
) -> Result<Response, Refusal> {
    page.work(move |page| {
        let night = page.night(&night)?;
        show(page, &visitor, &night)
    })
    .await
}

fn show(page: &Page, visitor: &Visitor, night: &NightId) -> Result<Response, Refusal> {
    let Contents { verdict, is_open, frames, not_done, all } = contents(page, night)?;
    let path = page.night_path(night);
    let n_open = all.iter().filter(|vetted| vetted.opinions.is_empty()).count();
    let n_lost = frames.iter().filter(|frame| frame.status != FrameStatus::Ok).count();
    Ok(html(&NightPage {
        shell: page.shell(visitor, &printable(night.as_str())),
        version: version(page, night)?,
        verdict,
        is_open,
        progress: progress(all.len(), n_open),
        n_open,
        candidates: all.iter().map(|vetted| candidate_row(page, night, vetted)).collect(),
        frames: frames.iter().map(|frame| frame_row(&path, frame)).collect(),
        n_lost,
        not_done: not_done.iter().map(remark).collect(),
        path,
    }))
}

/// What there is to show of a night.
struct Contents {
    verdict: String,
    is_open: bool,
    frames: Vec<FrameRecord>,
    not_done: Vec<Note>,
    all: Vec<Vetted>,
}

/// Reads a night; a closed one is its report, which is read once only.
fn contents(page: &Page, night: &NightId) -> Result<Contents, Refusal> {
    let reader = page.store.read();
    let report = if reader.night_is_closed(night)? { reader.report(night)? } else { None };
    if let Some(mut report) = report {
        let verdict = verdict(&report);
        let frames = std::mem::take(&mut report.frames);
        let not_done = std::mem::take(&mut report.not_done);
        let all = vetted_in(report, reader.verdicts(night)?);
        return Ok(Contents { verdict, is_open: false, frames, not_done, all });
    }
    let view = overview::night(reader, night)?.ok_or_else(Refusal::no_night)?;
    let all = match vetted(reader, night) {
        Ok(all) => all,
        Err(VettingError::NoReport { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let verdict = view.verdict.unwrap_or_else(|| "This night has no report yet.".to_owned());
    let (frames, not_done) = (view.frames, view.not_done);
    Ok(Contents { verdict, is_open: true, frames, not_done, all })
}

/// How far the judging is.
pub(super) fn progress(n: usize, n_open: usize) -> String {
    match (n, n_open) {
        (0, _) => "no candidates".to_owned(),
        (n, 0) => format!("{} judged, none open", plural(n, "candidate", "candidates")),
        (n, n_open) => format!("{n_open} of {} open", plural(n, "candidate", "candidates")),
    }
}

fn remark(note: &Note) -> (String, String) {
    (printable(&note.subject), printable(&note.text))
}

/// The name of a candidate, or what it is without one.
pub(super) fn name_of(vetted: &Vetted) -> String {
    match &vetted.candidate.identity {
        Identity::Known { name, .. } => printable(name),
        Identity::Unknown if vetted.is_faint => "unknown, at the limit".to_owned(),
        Identity::Unknown => "unknown".to_owned(),
        Identity::Unchecked => "not compared with a list".to_owned(),
    }
}

fn candidate_row(page: &Page, night: &NightId, vetted: &Vetted) -> CandidateRow {
    let candidate = &vetted.candidate;
    let (standing_class, standing) = standing(vetted);
    let rating = candidate.rating.as_ref();
    CandidateRow {
        id: printable(&candidate.id),
        path: page.candidate_path(night, &candidate.id),
        name: name_of(vetted),
        mag: number(candidate.mag, 1),
        rate: number(Some(candidate.rate_arcsec_per_min), 2),
        seen: format!("{} of {}", candidate.detections.len(), candidate.n_covered),
        real: number(rating.map(|rating| rating.real_score), 2),
        neo: number(rating.and_then(|rating| rating.neo_rating), 0),
        standing_class,
        standing,
    }
}

fn frame_row(path: &str, frame: &FrameRecord) -> FrameRow {
    let reasons = frame.reason.iter().chain(&frame.notes).map(|text| printable(text));
    // A hash is made of hexadecimal digits; what is not cannot be asked for.
    let hash = frame.content_hash.chars().filter(char::is_ascii_hexdigit);
    FrameRow {
        name: printable(&frame.frame),
        path: format!("{path}/frame/{}", hash.collect::<String>()),
        status: status(frame.status),
        is_lost: frame.status != FrameStatus::Ok,
        reason: reasons.collect::<Vec<_>>().join("; "),
        clock: clock(frame.mid_mjd_utc),
        filter: frame.filter.as_deref().map(printable).unwrap_or_default(),
        exposure: number(frame.exposure_s, 0),
        zero_point: number(frame.zero_point_mag, 2),
        fwhm: number(frame.fwhm_arcsec, 1),
        limiting: number(frame.limiting_mag, 1),
    }
}

/// Numbers of a frame's page.
pub(super) fn frame_facts(frame: &FrameRecord) -> Vec<(&'static str, String)> {
    vec![
        ("Status", status(frame.status).to_owned()),
        ("Middle of the exposure", clock(frame.mid_mjd_utc)),
        ("Exposure [s]", number(frame.exposure_s, 1)),
        ("Filter", frame.filter.as_deref().map(printable).unwrap_or_default()),
        ("Sources", count(frame.n_sources)),
        ("Reference stars", count(frame.n_reference)),
        ("Residuals [arcsec]", number(frame.rms_arcsec, 3)),
        ("Zero point [mag]", number(frame.zero_point_mag, 3)),
        ("Seeing [arcsec]", number(frame.fwhm_arcsec, 2)),
        ("Limiting magnitude", number(frame.limiting_mag, 2)),
        ("Sky [e-/px]", number(frame.sky_e, 0)),
    ]
}
