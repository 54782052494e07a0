//! Pixels of finished frames: for the static sky and for the pictures of candidates.

use rayon::prelude::*;

use super::super::run::frames::FrameResult;
use crate::config::Report;
use crate::formats::fits::{self, Limits};
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::pipeline::artifact::report::NightReport;
use crate::pipeline::cutout::cutout;
use crate::pipeline::link::NightFrame;
use crate::pipeline::static_sky::PixelSource;
use crate::report::{CandidatePictures, Stamp, blink_gif};
use crate::science::image::Image;
use crate::science::image::mask::{Mask, MaskBits};
use crate::science::sky::vector::{offset_rad, separation_rad};
use crate::science::units::{ARCSEC_RAD, DEG_RAD};
use crate::store::Store;

/// Side of a cut-out [px].
const STAMP_SIDE_PX: usize = 64;
/// Most frames in one blinking picture.
const STAMPS_MAX: usize = 12;

/// Reads calibrated pixels back from their products.
pub(super) struct ProductPixels<'a> {
    pub(super) store: &'a Store,
    pub(super) results: &'a [FrameResult],
}

impl ProductPixels<'_> {
    fn image(&self, name: &str) -> Option<Image<f32>> {
        let result = self.results.iter().find(|r| r.record.frame == name)?;
        self.read(&result.products.as_ref()?.calibrated)
    }

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

/// Blinking cut-outs of the candidates the report shows, the unknown ones first.
pub(super) fn candidate_pictures(
    report: &NightReport,
    frames: &[NightFrame],
    pixels: &ProductPixels<'_>,
    config: &Report,
) -> Vec<CandidatePictures> {
    let is_known = |c: &&Candidate| matches!(c.identity, Identity::Known { .. });
    let mut shown: Vec<&Candidate> = report.candidates.iter().filter(|c| !is_known(c)).collect();
    shown.extend(report.candidates.iter().filter(is_known));
    shown.truncate(config.candidates_max);
    let mut stamps: Vec<Vec<Stamp>> = shown.iter().map(|_| Vec::new()).collect();
    // Frame by frame: each frame's pixels are read once, whatever the number of candidates.
    for frame in frames {
        let wanted: Vec<bool> = shown.iter().map(|c| is_in_strip(c, frame)).collect();
        if !wanted.contains(&true) {
            continue;
        }
        let Some(image) = pixels.image(&frame.name) else {
            continue;
        };
        for ((candidate, strip), wanted) in shown.iter().zip(&mut stamps).zip(wanted) {
            if wanted && let Some(stamp) = stamp(candidate, frame, &image) {
                strip.push(stamp);
            }
        }
    }
    shown
        .par_iter()
        .zip(stamps)
        .filter_map(|(candidate, strip)| {
            let blink_gif = blink_gif(&strip).ok()?;
            Some(CandidatePictures { candidate_id: candidate.id.clone(), blink_gif })
        })
        .collect()
}

/// Tells whether a frame is among those a candidate's picture shows.
fn is_in_strip(candidate: &Candidate, frame: &NightFrame) -> bool {
    let n = candidate.detections.len();
    let step = n.div_ceil(STAMPS_MAX).max(1);
    candidate.detections.iter().step_by(step).any(|d| d.frame == frame.name)
}

/// Tells whether a candidate leaves a cut-out of this scale during the night.
fn is_fast(candidate: &Candidate, scale_arcsec: f64) -> bool {
    let place = |d: &CandidateDetection| (d.ra_deg * DEG_RAD, d.dec_deg * DEG_RAD);
    let (Some(first), Some(last)) = (candidate.detections.first(), candidate.detections.last())
    else {
        return false;
    };
    separation_rad(place(first), place(last)) / ARCSEC_RAD
        > 0.8 * STAMP_SIDE_PX as f64 * scale_arcsec
}

/// The candidate's surroundings in a frame: the sky stands still and the object moves, or, for
/// an object that would leave the picture, the other way round.
fn stamp(candidate: &Candidate, frame: &NightFrame, image: &Image<f32>) -> Option<Stamp> {
    let detection = candidate.detections.iter().find(|d| d.frame == frame.name)?;
    let middle = &candidate.detections[candidate.detections.len() / 2];
    let scale_arcsec = frame.wcs.pixel_scale_arcsec();
    let middle = if is_fast(candidate, scale_arcsec) { detection } else { middle };
    let centre = (middle.ra_deg * DEG_RAD, middle.dec_deg * DEG_RAD);
    let cut = cutout(image, &frame.wcs, centre, STAMP_SIDE_PX, scale_arcsec)?;
    let (east_rad, north_rad) =
        offset_rad(centre, (detection.ra_deg * DEG_RAD, detection.dec_deg * DEG_RAD));
    let half = (STAMP_SIDE_PX as f64 - 1.0) / 2.0;
    let step = scale_arcsec * ARCSEC_RAD;
    let minutes = (frame.mid_mjd_utc.fract() * 1440.0) as u32;
    Some(Stamp {
        label: format!("{:02}:{:02}", minutes / 60, minutes % 60),
        image: cut,
        object_px: Some((half - east_rad / step, half + north_rad / step)),
    })
}
