//! The night's photometry: records, catalogues and product headers get the shared magnitude scales.
//!
//! As with the astrometry the kept result of a frame stays as it was made, so that this may be done
//! again after a kill, or when more frames have come.

use std::path::PathBuf;

use super::super::error::OpsError;
use super::astrometry::record_of;
use super::finish::electron_mag;
use super::frames::{FrameResult, FrameWork};
use super::pictures::ProductPixels;
use crate::formats::fits;
use crate::pipeline::artifact::candidate::Candidate;
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::pipeline::artifact::photometry_table::PhotometryTable;
use crate::pipeline::artifact::report::Note;
use crate::pipeline::judge_photometry::judge_photometry;
use crate::pipeline::link::NightFrame;
use crate::pipeline::measure_movers::{MoverFrame, Stars, measure_movers};
use crate::pipeline::share_photometry::{apply, share_photometry, take};
use crate::science::detect::psf_model::PsfModel;
use crate::science::reference::{ReferenceSky, StarAtEpoch};
use crate::science::time::Epoch;
use crate::store::{NightId, ProductFile, ProductKind, Products};

/// Name of the table of what each catalogue star gave.
const TABLE_NAME: &str = "photometry.fits";

/// Gives the frames the magnitude scales that they share, and keeps what each star gave.
pub(super) fn share(
    work: &FrameWork<'_>,
    frames: &mut [NightFrame],
    results: &mut [FrameResult],
    notes: &mut Vec<Note>,
) -> Result<(), OpsError> {
    let stars = |centre, radius, mjd: f64| -> Vec<StarAtEpoch> {
        let epoch_yr = Epoch::from_mjd_utc(mjd).julian_year();
        // Without the catalogue the frames keep their own zero points.
        work.night_sky.stars_in_cone(centre, radius, epoch_yr).unwrap_or_default()
    };
    let records: Vec<FrameRecord> = frames
        .iter()
        .filter_map(|frame| record_of(results, frame).map(|record| record.clone()))
        .collect();
    if records.len() != frames.len() {
        return Ok(());
    }
    let borrowed: Vec<&FrameRecord> = records.iter().collect();
    let params = work.config.night_params().photometry;
    let shared = share_photometry(frames, &borrowed, &stars, &params);
    let note = |text| Note { subject: "photometry".to_owned(), text };
    notes.extend(shared.notes.into_iter().map(note));
    for (frame, scale) in frames.iter_mut().zip(shared.frames) {
        let (Some(record), Some(scale)) = (record_of(results, frame), scale) else { continue };
        let gain = Some(scale.gain_e_per_adu);
        take(record, scale);
        apply(&mut frame.catalogue, record, (frame.nx, frame.ny, frame.is_turned));
        frame.limiting_mag = record.limiting_mag.unwrap_or(frame.limiting_mag);
        frame.zero_point_err_mag = record.zero_point_err_mag.unwrap_or(frame.zero_point_err_mag);
        frame.electron_mag = electron_mag(record, gain);
    }
    keep(work, &shared.table)
}

/// Flags the frames whose photometry cannot be trusted, and says why.
pub(super) fn judge(work: &FrameWork<'_>, results: &mut [FrameResult], notes: &mut Vec<Note>) {
    let records: Vec<&FrameRecord> = results.iter().map(|result| &result.record).collect();
    let judged = judge_photometry(&records, &work.config.night_params().judge_photometry);
    for (result, judgement) in results.iter_mut().zip(judged) {
        let record = &mut result.record;
        let Some(scale) = record.photometry.as_mut() else { continue };
        if !judgement.faults.is_empty() {
            let text = format!("its photometry is not valid: {}", judgement.faults.join("; "));
            notes.push(Note { subject: record.frame.clone(), text });
        }
        scale.faults = judgement.faults;
        scale.is_sky_outlier = judgement.is_sky_outlier;
        scale.transparency_mag = judgement.transparency_mag;
    }
}

/// Measures the candidates in all frames that cover their paths.
pub(super) fn measure(
    work: &FrameWork<'_>,
    candidates: &mut [Candidate],
    (frames, pixels): (&[NightFrame], &ProductPixels<'_>),
    stars: &Stars<'_>,
) {
    let mover = |frame| -> Option<MoverFrame<'_>> {
        let frame: &NightFrame = frame;
        let of_frame = |r: &&FrameResult| r.record.content_hash == frame.content_hash;
        let result = pixels.results.iter().find(of_frame)?;
        let path = work.store.products().resolve(&result.products.as_ref()?.calibrated).ok()?;
        let header = fits::probe(&path, &work.config.fits_limits()).ok()?.header;
        let psf = PsfModel::from_keywords(|key| header.real(key), (frame.nx, frame.ny))?;
        Some(MoverFrame { frame, psf, scale: result.record.photometry.as_deref()? })
    };
    let movers: Vec<MoverFrame<'_>> = frames.iter().filter_map(mover).collect();
    let fixed = work.config.night_params().fixed_apertures;
    measure_movers(candidates, &movers, stars, pixels, fixed.as_ref());
}

/// Puts what each star gave beside the page, for `refit` and the plots.
fn keep(work: &FrameWork<'_>, table: &PhotometryTable) -> Result<(), OpsError> {
    let path = photometry_path(work.store.products(), work.night)?;
    let (columns, header) = table.to_table();
    ProductFile::write(&path, |to| Ok(fits::write_table(to, &columns, &header, "PHOTOMETRY")?))?;
    Ok(())
}

/// Where what each star gave lies.
pub(in crate::ops) fn photometry_path(
    products: &Products,
    night: &NightId,
) -> Result<PathBuf, OpsError> {
    Ok(products.resolve(&products.relative_path(night, ProductKind::Report, TABLE_NAME)?)?)
}
