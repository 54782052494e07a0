//! One science frame: read, reduced, its products put in place, its result recorded.
//!
//! A frame that breaks the program's own rules (a panic) or takes too long is tried once more and
//! then set aside as failed, so that it cannot stop the night.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::super::error::OpsError;
use super::files::FileStamp;
use super::frames::{FrameProducts, FrameResult, FrameWork};
use super::keys::FRAME_UNIT;
use super::product_header::product_header;
use super::take::{ScannedFrame, chain};
use crate::formats::fits::{self, Header};
use crate::pipeline::artifact::frame_info::FlipState;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::masters::select::MasterSet;
use crate::pipeline::reduce::{Overdue, RawFrame, ReducedFrame, empty_record, reduce_frame};
use crate::store::files::frame_product_name;
use crate::store::stages::{StageOutcome, StageRow};
use crate::store::{ProductFile, ProductKind};

/// Times a frame is tried before it is set aside.
const TRIES_MAX: usize = 2;

/// A frame that was reduced now.
pub(super) struct Made {
    pub(super) result: FrameResult,
    /// Time it took [s].
    pub(super) seconds: f64,
}

/// Reduces a frame, puts its products in place and records the result under its key.
pub(super) fn reduce_and_keep(
    work: &FrameWork<'_>,
    frame: &ScannedFrame,
    masters: &MasterSet,
    key: &str,
) -> Result<Made, OpsError> {
    let began = Instant::now();
    let result = reduce(work, frame, masters)?;
    record(work, frame, &result, key)?;
    Ok(Made { result, seconds: began.elapsed().as_secs_f64() })
}

/// Records a frame's result under its key.
pub(super) fn record(
    work: &FrameWork<'_>,
    frame: &ScannedFrame,
    result: &FrameResult,
    key: &str,
) -> Result<(), OpsError> {
    let payload = serde_json::to_string(result)
        .map_err(|source| OpsError::Payload { subject: frame.file.name.clone(), source })?;
    let is_ok = result.record.status == FrameStatus::Ok;
    let row = StageRow {
        subject: frame.content_hash.clone(),
        stage: FRAME_UNIT.to_owned(),
        version: 1,
        key: key.to_owned(),
        outcome: if is_ok { StageOutcome::Done } else { StageOutcome::Quarantine },
        product: result.products.as_ref().map(|p| p.calibrated.clone()),
        payload,
    };
    work.store.record_frame(work.night, row, result.record.clone())?;
    Ok(())
}

fn reduce(
    work: &FrameWork<'_>,
    frame: &ScannedFrame,
    masters: &MasterSet,
) -> Result<FrameResult, OpsError> {
    let mut reason = String::new();
    for _ in 0..TRIES_MAX {
        let raw = match read(work, frame)? {
            Ok(raw) => raw,
            Err(reason) => return Ok(failed(frame, reason)),
        };
        match guarded(work, raw.0, masters) {
            Ok(reduced) => return keep(work, frame, &raw.1, reduced),
            Err(why) => reason = why,
        }
    }
    Ok(failed(frame, format!("set aside after {TRIES_MAX} tries: {reason}")))
}

/// The frame's pixels and header, or why they cannot be had; an error when the file is no
/// longer the one that was taken in.
fn read(
    work: &FrameWork<'_>,
    frame: &ScannedFrame,
) -> Result<Result<(RawFrame, Header), String>, OpsError> {
    let path = &frame.file.path;
    let read = || {
        let image = fits::probe(path, &work.config.fits_limits())?;
        Ok((fits::read_pixels(path, &image)?, image.header))
    };
    let pixels: Result<_, fits::FitsError> = read();
    if FileStamp::read(path).ok() != Some(frame.file.stamp) {
        return Err(OpsError::Changed { path: path.clone() });
    }
    Ok(pixels.map_err(|error| chain(&error)).map(|(pixels, header)| {
        let raw = RawFrame {
            name: frame.file.name.clone(),
            content_hash: frame.content_hash.clone(),
            info: frame.info.clone(),
            pixels,
        };
        (raw, header)
    }))
}

/// The frame's stages, with a time limit; what breaks them is told.
fn guarded(
    work: &FrameWork<'_>,
    raw: RawFrame,
    masters: &MasterSet,
) -> Result<ReducedFrame, String> {
    let limit_s = work.config.run.frame_time_max_s;
    let began = Instant::now();
    let is_overdue = || began.elapsed().as_secs_f64() > limit_s;
    let params = work.config.frame_params();
    let reduced = catch_unwind(AssertUnwindSafe(|| {
        reduce_frame(raw, masters, work.sky, &params, &is_overdue)
    }));
    match reduced {
        Ok(Ok(reduced)) => Ok(reduced),
        Ok(Err(Overdue)) => Err(format!("it took longer than the {limit_s:.0} s allowed")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("the program broke over it ({}): please report", text.unwrap_or("no text")))
        }
    }
}

/// The result of a frame that could not be reduced.
pub(super) fn failed(frame: &ScannedFrame, reason: String) -> FrameResult {
    let record = FrameRecord {
        reason: Some(reason),
        ..empty_record(&frame.file.name, &frame.content_hash, FrameStatus::Failed)
    };
    FrameResult { record, nx: 0, ny: 0, is_turned: false, products: None }
}

/// Puts the products of a frame in place.
fn keep(
    work: &FrameWork<'_>,
    frame: &ScannedFrame,
    raw_header: &Header,
    reduced: ReducedFrame,
) -> Result<FrameResult, OpsError> {
    let ReducedFrame { record, calibrated, catalogue } = reduced;
    let Some(calibrated) = calibrated else {
        return Ok(FrameResult { record, nx: 0, ny: 0, is_turned: false, products: None });
    };
    let products = work.store.products();
    let place = |kind, ending: &str| {
        let name = frame_product_name(&frame.file.name, &frame.content_hash, ending);
        products.relative_path(work.night, kind, &name)
    };
    let header = product_header(raw_header, &record, &calibrated);
    let image = place(ProductKind::Calibrated, "fits")?;
    let mask = place(ProductKind::Calibrated, "mask.fits")?;
    ProductFile::write(&products.resolve(&image)?, |path| {
        Ok(fits::write_image(path, &calibrated.pixels.pixels_e, &header)?)
    })?;
    ProductFile::write(&products.resolve(&mask)?, |path| {
        Ok(fits::write_mask(path, &calibrated.pixels.mask, &Header::new())?)
    })?;
    let table = match catalogue {
        Some(catalogue) => {
            let relative = place(ProductKind::Catalogue, "cat.fits")?;
            ProductFile::write(&products.resolve(&relative)?, |path| {
                Ok(fits::write_table(path, &catalogue.to_columns(), &header, "SOURCES")?)
            })?;
            Some(relative)
        }
        None => None,
    };
    Ok(FrameResult {
        nx: calibrated.pixels.pixels_e.nx(),
        ny: calibrated.pixels.pixels_e.ny(),
        is_turned: frame.info.flip == FlipState::Turned180,
        record,
        products: Some(FrameProducts { calibrated: image, mask, catalogue: table }),
    })
}
