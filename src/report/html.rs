//! The report as one self-contained page: no script, nothing loaded from anywhere.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::pipeline::artifact::report::NightReport;

use super::ReportError;
use super::known::{MissedView, known_rates_svg, known_residuals_svg, missed};
use super::map::field_maps_svg;
use super::page::{self, FrameView, NoteView, ObjectView};
use super::plot::{conditions_svgs, light_curve_svg, separations_svg};
use super::verdict::{Counts, counts, verdict};
use super::words::printable;

/// More frames than this are folded away at first.
const FRAMES_OPEN_MAX: usize = 60;

/// The blinking picture of one candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidatePictures {
    /// Identifier of the candidate.
    pub candidate_id: String,
    /// The picture, from [`super::blink_gif`].
    pub blink_gif: Vec<u8>,
}

/// An object with its pictures.
struct Card {
    object: ObjectView,
    /// The blinking picture in base 64.
    blink: Option<String>,
    light_curve: Option<String>,
}

#[derive(Template)]
#[template(path = "night.html")]
struct Page {
    verdict: String,
    instrument: String,
    version: String,
    counts: Counts,
    cards: Vec<Card>,
    known: Vec<ObjectView>,
    faint: Vec<ObjectView>,
    frames: Vec<FrameView>,
    is_frames_open: bool,
    conditions: Vec<String>,
    comparison: Vec<String>,
    maps: Vec<String>,
    missed: Vec<MissedView>,
    masters: Vec<String>,
    not_done: Vec<NoteView>,
}

/// Renders the page of a night; pictures of candidates it does not name are left out.
pub fn render_html(
    report: &NightReport,
    pictures: &[CandidatePictures],
) -> Result<String, ReportError> {
    let unexplained = report.candidates.iter().filter(|c| page::is_unexplained(&c.identity));
    let cards = unexplained
        .zip(page::objects(report, page::is_unexplained))
        .map(|(candidate, object)| Card {
            blink: pictures
                .iter()
                .find(|picture| picture.candidate_id == candidate.id)
                .map(|picture| STANDARD.encode(&picture.blink_gif)),
            light_curve: light_curve_svg(candidate),
            object,
        })
        .collect();
    let page = Page {
        verdict: verdict(report),
        instrument: printable(&report.instrument),
        version: printable(&report.version),
        counts: counts(report),
        cards,
        known: page::objects(report, page::is_known),
        faint: page::faint(report),
        frames: page::frames(report),
        is_frames_open: report.frames.len() <= FRAMES_OPEN_MAX,
        conditions: conditions_svgs(&report.frames)
            .into_iter()
            .chain(separations_svg(&report.frames))
            .collect(),
        comparison: [known_residuals_svg(report), known_rates_svg(report)].concat(),
        maps: field_maps_svg(report),
        missed: missed(report),
        masters: page::masters(report),
        not_done: page::not_done(report),
    };
    page.render().map_err(ReportError::template(report))
}
