//! Pixels of finished frames: for the static sky, and for the cut-outs that are kept and shown.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::cutouts::{remove_others, save};
use super::super::error::OpsError;
use super::super::run::frames::FrameResult;
use super::frames::FrameWork;
use crate::formats::fits::{self, Limits};
use crate::pipeline::artifact::candidate::{Candidate, Identity};
use crate::pipeline::artifact::cutouts::Cutouts;
use crate::pipeline::artifact::report::NightReport;
use crate::pipeline::cutouts::{CutoutInputs, make_cutouts};
use crate::pipeline::link::NightFrame;
use crate::pipeline::static_sky::PixelSource;
use crate::report::{CandidatePictures, blink_gif};
use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::store::Store;

/// Reads calibrated pixels back from their products.
pub(super) struct ProductPixels<'a> {
    pub(super) store: &'a Store,
    pub(super) results: &'a [FrameResult],
}

impl ProductPixels<'_> {
    fn read(&self, relative: &std::path::Path) -> Option<Image<f32>> {
        let path = self.store.products().resolve(relative).ok()?;
        let info = fits::probe(&path, &Limits::default()).ok()?;
        fits::read_pixels(&path, &info).ok()
    }
}

impl PixelSource for ProductPixels<'_> {
    fn load(&self, frame: &NightFrame) -> Option<(Image<f32>, Mask)> {
        let result = self.results.iter().find(|r| r.record.frame == frame.name)?;
        let products = result.products.as_ref()?;
        let pixels = self.read(&products.calibrated)?;
        let bits = self.read(&products.mask)?;
        let (nx, ny) = (bits.nx(), bits.ny());
        let mask = bits.into_pixels().into_iter().map(|v| MaskBits::from_bits(v as u8)).collect();
        Some((pixels, Image::from_pixels(nx, ny, mask)?))
    }
}

/// The cut-outs of a night that are in place.
pub(super) struct KeptCutouts {
    /// Pictures for the report's page.
    pub(super) pictures: Vec<CandidatePictures>,
    /// Files, relative to the data folder.
    files: BTreeSet<PathBuf>,
}

impl KeptCutouts {
    /// What the night's row says of them, so that nobody takes them for leftovers.
    pub(super) fn payload(&self) -> String {
        serde_json::json!({ "cutouts": self.files }).to_string()
    }
}

/// Makes and keeps the cut-outs of the candidates, removes those of vanished ones, and draws the
/// report's pictures.
pub(super) fn keep_cutouts(
    work: &FrameWork<'_>,
    report: &NightReport,
    frames: &[NightFrame],
    pixels: &ProductPixels<'_>,
) -> Result<KeptCutouts, OpsError> {
    let config = work.config;
    let wanted = wanted(report, config.cutouts.candidates_max);
    let shown: BTreeSet<&str> = unexplained(report)
        .take(config.report.candidates_max)
        .map(|candidate| candidate.id.as_str())
        .collect();
    let products = work.store.products();
    let mut kept = KeptCutouts { pictures: Vec::new(), files: BTreeSet::new() };
    let mut keep = |cutouts: Cutouts| -> Result<(), OpsError> {
        kept.files.insert(save(products, work.night, &cutouts)?);
        if shown.contains(cutouts.candidate_id.as_str())
            && let Ok(blink_gif) = blink_gif(&cutouts, cutouts.best_view(), config.report.blink_ms)
        {
            let candidate_id = cutouts.candidate_id;
            kept.pictures.push(CandidatePictures { candidate_id, blink_gif });
        }
        Ok(())
    };
    let inputs = CutoutInputs { frames, pixels, sky: work.night_sky };
    make_cutouts(&wanted, inputs, &config.cutout_params(), &mut keep)?;
    remove_others(products, work.night, &kept.files)?;
    Ok(kept)
}

/// Candidates that no list explains.
fn unexplained(report: &NightReport) -> impl Iterator<Item = &Candidate> {
    report.candidates.iter().filter(|c| !matches!(c.identity, Identity::Known { .. }))
}

/// The candidates that get cut-outs: the unknown ones, those at the limit, the known ones.
fn wanted(report: &NightReport, limit: usize) -> Vec<&Candidate> {
    let is_known = |c: &&Candidate| matches!(c.identity, Identity::Known { .. });
    let known = report.candidates.iter().filter(is_known);
    unexplained(report).chain(&report.faint).chain(known).take(limit).collect()
}
