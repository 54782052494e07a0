//! The night's astrometry: frames, records and product headers get the better solutions, and
//! frames that are worse than the night are found.
//!
//! The kept result of a frame stays as it was made, so that this is a function of the results
//! alone and may be done again after a kill, or when more frames have come.

use std::path::Path;
use std::sync::Arc;

use super::super::error::OpsError;
use super::frames::{FrameResult, FrameWork};
use super::product_header::{has_wcs, has_zero_point, set_wcs, set_zero_point};
use super::take::{Scanned, ScannedFrame, chain};
use crate::formats::fits::{self, Header, Limits};
use crate::pipeline::agree::{SolvedFrame, disagreements};
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::report::Note;
use crate::pipeline::judge_astrometry::judge_astrometry;
use crate::pipeline::link::NightFrame;
use crate::pipeline::reduce::wcs_keywords;
use crate::pipeline::share_astrometry::{SharedSolution, share_astrometry};
use crate::pipeline::share_photometry::apply;
use crate::pipeline::stage::Refusal;
use crate::science::astrometry::FrameSize;
use crate::science::reference::{ReferenceSky, StarAtEpoch};
use crate::science::sky::keywords::Convention;
use crate::science::sky::wcs::Wcs;
use crate::science::time::Epoch;
use crate::store::ProductFile;

/// Rejects solutions of few stars that contradict the night's other frames.
pub(super) fn reject_disagreeing(results: &mut [FrameResult], scanned: &Scanned) {
    let solved = |result: &FrameResult| -> Option<SolvedFrame> {
        let record = &result.record;
        let of_frame = |f: &&Arc<ScannedFrame>| f.content_hash == record.content_hash;
        let info = scanned.science.iter().find(of_frame).map(|frame| &frame.info);
        Some(SolvedFrame {
            size: FrameSize { nx: result.nx, ny: result.ny },
            wcs: record.solution()?,
            n_stars: record.n_reference?,
            mid_mjd_utc: record.mid_mjd_utc?,
            pointing_rad: info.and_then(|info| info.pointing_rad),
        })
    };
    let all: Vec<(usize, SolvedFrame)> =
        results.iter().enumerate().filter_map(|(k, r)| Some((k, solved(r)?))).collect();
    let frames: Vec<SolvedFrame> = all.iter().map(|(_, frame)| frame.clone()).collect();
    for (&(k, _), how) in all.iter().zip(disagreements(&frames)) {
        let Some(how) = how else { continue };
        let record = &mut results[k].record;
        record.wcs.clear();
        (record.rms_arcsec, record.n_reference) = (None, None);
        record.status = FrameStatus::Rejected;
        record.reason = Some(Refusal::Disagrees { how }.to_string());
    }
}

/// Gives frames of a camera its shared distortion, in their records and products too.
pub(super) fn share(
    work: &FrameWork<'_>,
    frames: &mut [NightFrame],
    results: &mut [FrameResult],
    notes: &mut Vec<Note>,
) {
    let stars = |centre, radius, mjd: f64| -> Vec<StarAtEpoch> {
        let epoch_yr = Epoch::from_mjd_utc(mjd).julian_year();
        // Without the catalogue the frames keep their own solutions.
        work.night_sky.stars_in_cone(centre, radius, epoch_yr).unwrap_or_default()
    };
    let params = work.config.night_params().share;
    let shared = share_astrometry(frames, &stars, &params);
    let note = |text| Note { subject: "astrometry".to_owned(), text };
    notes.extend(shared.notes.into_iter().map(note));
    for solution in shared.solutions {
        let Some(frame) = frames.get_mut(solution.frame) else { continue };
        take(frame, record_of(results, frame), solution, params.convention);
    }
}

/// Finds frames of bad astrometry, solves them anew or drops them by the rule.
pub(super) fn judge(
    work: &FrameWork<'_>,
    frames: &mut Vec<NightFrame>,
    results: &mut [FrameResult],
    notes: &mut Vec<Note>,
) {
    let params = work.config.night_params();
    let judged = match judge_astrometry(frames, work.night_sky, &params.judge) {
        Ok(judged) => judged,
        Err(error) => {
            let text = format!("frames of bad astrometry were not looked for: {}", chain(&error));
            notes.push(Note { subject: "astrometry".to_owned(), text });
            return;
        }
    };
    for (frame, separation) in frames.iter().zip(&judged.separations_arcsec) {
        if let Some(record) = record_of(results, frame) {
            record.separation_arcsec = *separation;
        }
    }
    for solution in judged.solved_anew {
        let Some(frame) = frames.get_mut(solution.frame) else { continue };
        let record = record_of(results, frame);
        if let Some(record) = &record {
            let text = format!(
                "its astrometry was an outlier; solved anew with {} stars",
                solution.n_used
            );
            notes.push(Note { subject: record.frame.clone(), text });
        }
        take(frame, record, solution, params.share.convention);
    }
    let mut is_kept = vec![true; frames.len()];
    for outlier in judged.outliers {
        let Some(record) = record_of(results, &frames[outlier.frame]) else { continue };
        record.separation_fence_arcsec = Some(outlier.fence_arcsec);
        let why = outlier.why.to_string();
        is_kept[outlier.frame] = outlier.is_kept;
        if outlier.is_kept {
            let text = format!("{why}; it is used all the same (astrometry.outliers)");
            notes.push(Note { subject: record.frame.clone(), text });
        } else {
            record.status = FrameStatus::Rejected;
            record.reason = Some(why);
        }
    }
    let mut kept = is_kept.into_iter();
    frames.retain(|_| kept.next().unwrap_or(true));
}

/// The record of a frame.
pub(super) fn record_of<'a>(
    results: &'a mut [FrameResult],
    frame: &NightFrame,
) -> Option<&'a mut FrameRecord> {
    let of_frame = |r: &&mut FrameResult| r.record.content_hash == frame.content_hash;
    results.iter_mut().find(of_frame).map(|result| &mut result.record)
}

/// Gives a frame and its record another solution.
fn take(
    frame: &mut NightFrame,
    record: Option<&mut FrameRecord>,
    solution: SharedSolution,
    convention: Convention,
) {
    place(&mut frame.catalogue, &solution.wcs);
    if let Some(record) = record {
        record.wcs = wcs_keywords(&solution.wcs, convention);
        record.rms_arcsec = Some(solution.rms_arcsec);
        record.n_reference = Some(solution.n_used as u64);
    }
    frame.wcs = solution.wcs;
}

/// Writes the solutions of the records to the frames' products, where they have others.
pub(super) fn write_all(work: &FrameWork<'_>, results: &[FrameResult]) -> Result<(), OpsError> {
    results.iter().try_for_each(|result| write(work, result))
}

/// Gives the sources their places on the sky.
fn place(catalogue: &mut Catalogue, wcs: &Wcs) {
    for i in 0..catalogue.sources.len() {
        let (ra_rad, dec_rad) = wcs.to_sky(catalogue.sources.x_px[i], catalogue.sources.y_px[i]);
        (catalogue.ra_rad[i], catalogue.dec_rad[i]) = (ra_rad, dec_rad);
    }
}

/// Writes the solution of a record to the frame's products, where they have another.
fn write(work: &FrameWork<'_>, result: &FrameResult) -> Result<(), OpsError> {
    let Some(files) = result.products.as_ref() else { return Ok(()) };
    let products = work.store.products();
    let image = products.resolve(&files.calibrated)?;
    // The table is written last: when its header is right, all is.
    let last = files.catalogue.as_ref().map(|relative| products.resolve(relative)).transpose()?;
    let told = match &last {
        Some(path) => fits::read_table(path, &Limits::default()).map(|(header, _)| header),
        None => fits::probe(&image, &work.config.fits_limits()).map(|image| image.header),
    };
    // A product that cannot be read is told of elsewhere.
    let is_other = |header: &Header| match result.record.wcs.is_empty() {
        // A solution that was found and is not believed.
        true => header.text("CTYPE1").is_some(),
        false => !has_wcs(header, &result.record.wcs) || !has_zero_point(header, &result.record),
    };
    if told.is_ok_and(|header| is_other(&header)) {
        write_image(work, &image, &result.record)?;
        if let Some(path) = &last {
            write_table(path, result)?;
        }
    }
    Ok(())
}

fn write_image(work: &FrameWork<'_>, path: &Path, record: &FrameRecord) -> Result<(), OpsError> {
    let Ok(info) = fits::probe(path, &work.config.fits_limits()) else { return Ok(()) };
    let Ok(pixels) = fits::read_pixels(path, &info) else { return Ok(()) };
    let mut header = info.header.clone();
    set_wcs(&mut header, &record.wcs);
    set_zero_point(&mut header, record);
    Ok(ProductFile::write(path, |path| Ok(fits::write_image(path, &pixels, &header)?))?)
}

fn write_table(path: &Path, result: &FrameResult) -> Result<(), OpsError> {
    let record = &result.record;
    let Ok((mut header, columns)) = fits::read_table(path, &Limits::default()) else {
        return Ok(());
    };
    let Some(mut catalogue) = Catalogue::from_columns(&columns) else { return Ok(()) };
    if let Some(wcs) = record.solution() {
        place(&mut catalogue, &wcs);
    }
    apply(&mut catalogue, record, (result.nx, result.ny, result.is_turned));
    set_wcs(&mut header, &record.wcs);
    set_zero_point(&mut header, record);
    Ok(ProductFile::write(path, |path| {
        Ok(fits::write_table(path, &catalogue.to_columns(), &header, "SOURCES")?)
    })?)
}
