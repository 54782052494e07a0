//! What goes with a night's report into its mail: pictures, address of its page, draft of ADES.

use crate::config::Config;
use crate::ops::cutouts;
use crate::ops::submit::draft;
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::report::NightReport;
use crate::report::mail::Enclosed;
use crate::report::words::url_part;
use crate::report::{CandidatePictures, blink_gif};
use crate::store::{NightId, Products};

/// What goes with a report, but for the pictures.
#[derive(Debug, Clone, Default)]
pub(super) struct Enclosures {
    page_url: Option<String>,
    ades_psv: Option<String>,
}

impl Enclosures {
    /// Makes them as the configuration of the night's telescope asks for them.
    ///
    /// An address that only this machine can open is of no use in a mail.
    pub(super) fn of(config: &Config, report: &NightReport) -> Self {
        let path = format!("/night/{}", url_part(&report.night));
        let page_url = config.web.public_url.as_ref().and_then(|_| config.web.address_of(&path));
        Self { page_url, ades_psv: draft(config, report) }
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
    (products, night): (&Products, &NightId),
    report: &NightReport,
    blink_ms: u64,
    n_max: usize,
) -> Vec<CandidatePictures> {
    let is_unknown = |c: &&Candidate| !matches!(c.identity, Identity::Known { .. });
    let unknown = report.candidates.iter().filter(is_unknown).take(n_max);
    unknown
        .filter_map(|candidate| {
            let cutouts = cutouts::load(products, night, &candidate.id)?;
            let blink_gif = blink_gif(&cutouts, cutouts.best_view(), blink_ms).ok()?;
            Some(CandidatePictures { candidate_id: candidate.id.clone(), blink_gif })
        })
        .collect()
}
