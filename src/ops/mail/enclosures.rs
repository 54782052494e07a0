//! What goes with a night's report into its mail: pictures, address of its page, draft of ADES.

use crate::config::Config;
use crate::ops::cutouts;
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::cutouts::{Cutouts, FrameCutout};
use crate::pipeline::artifact::report::NightReport;
use crate::report::mail::Enclosed;
use crate::report::words::clock;
use crate::report::{CandidatePictures, Stamp, blink_gif};
use crate::store::{NightId, Products};

/// Most frames in a moving picture of a mail.
const STAMPS_MAX: usize = 12;

/// What goes with a report, but for the pictures.
#[derive(Debug, Clone, Default)]
pub(super) struct Enclosures {
    page_url: Option<String>,
    ades_psv: Option<String>,
}

impl Enclosures {
    /// Makes them as the configuration asks for them.
    pub(super) fn of(_config: &Config, _report: &NightReport) -> Self {
        Self { page_url: None, ades_psv: None }
    }

    /// As the mail takes them.
    pub(super) fn enclosed<'a>(
        &'a self,
        pictures: &'a [CandidatePictures],
        house: &'a [String],
    ) -> Enclosed<'a> {
        Enclosed {
            pictures,
            page_url: self.page_url.as_deref(),
            ades_psv: self.ades_psv.as_deref(),
            house,
        }
    }
}

/// Moving pictures of a closed night's unknown candidates, from the cut-outs that are kept.
pub(super) fn kept_pictures(
    products: &Products,
    night: &NightId,
    report: &NightReport,
    n_max: usize,
) -> Vec<CandidatePictures> {
    let is_unknown = |c: &&Candidate| !matches!(c.identity, Identity::Known { .. });
    let unknown = report.candidates.iter().filter(is_unknown).take(n_max);
    unknown
        .filter_map(|candidate| {
            let cutouts = cutouts::load(products, night, &candidate.id)?;
            let blink_gif = blink_gif(&stamps(&cutouts)).ok()?;
            Some(CandidatePictures { candidate_id: candidate.id.clone(), blink_gif })
        })
        .collect()
}

/// The sky stands still and the object moves, or, for an object that would leave the picture, the
/// other way round.
fn stamps(cutouts: &Cutouts) -> Vec<Stamp> {
    let place = |frame: &FrameCutout| {
        cutouts.place_px(cutouts.sky_centre_deg, frame.detected_deg.unwrap_or(frame.predicted_deg))
    };
    let side = cutouts.side_px as f64;
    let edge = 0.1 * side;
    let is_inside = |(x, y): (f64, f64)| {
        (edge..side - edge).contains(&x) && (edge..side - edge).contains(&y)
    };
    let stays = cutouts.frames.iter().all(|frame| is_inside(place(frame)));
    let step = cutouts.frames.len().div_ceil(STAMPS_MAX).max(1);
    let chosen = cutouts.frames.iter().step_by(step);
    chosen
        .map(|frame| {
            let centre = if stays { cutouts.sky_centre_deg } else { frame.predicted_deg };
            let image = if stays { &frame.on_sky } else { &frame.on_object };
            Stamp {
                label: clock(Some(frame.mid_mjd_utc)).chars().take(5).collect(),
                image: image.clone(),
                object_px: frame.detected_deg.map(|place| cutouts.place_px(centre, place)),
            }
        })
        .collect()
}
