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
use super::reference::Sky;
use super::take::{ScannedFrame, chain};
use crate::formats::fits::{self, Header};
use crate::pipeline::artifact::frame_info::FlipState;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::masters::select::MasterSet;
use crate::pipeline::reduce::{
    FrameParams, Overdue, RawFrame, ReducedFrame, empty_record, reduce_frame,
};
use crate::science::astrometry::Skies;
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
    (masters, sky): (&MasterSet, &Sky),
    key: &str,
) -> Result<Made, OpsError> {
    let began = Instant::now();
    let mut result = reduce(work, frame, (masters, sky))?;
    if !sky.lacking().is_empty() {
        result.record.notes.push(format!(
            "the star catalogue lacks {} of the {} tiles around its pointing",
            sky.lacking().len(),
            sky.n_tiles(),
        ));
    }
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
    (masters, sky): (&MasterSet, &Sky),
) -> Result<FrameResult, OpsError> {
    let mut reason = String::new();
    for _ in 0..TRIES_MAX {
        let raw = match read(work, frame)? {
            Ok(raw) => raw,
            Err(reason) => return Ok(failed(frame, reason)),
        };
        let params = work.config.frame_params();
        let limit_s = work.config.run.frame_time_max_s;
        match guarded(raw.0, masters, &sky.skies(), &params, limit_s) {
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
    let pixels = frame.read(&work.config.fits_limits());
    if FileStamp::read(path).ok() != Some(frame.file.stamp) {
        return Err(OpsError::Changed { path: path.clone() });
    }
    Ok(pixels.map_err(|error| chain(&error)).map(|(pixels, header)| {
        let mut info = frame.info.clone();
        let weights = match frame.weights.read(&work.config.fits_limits()) {
            Ok(weights) => Some(weights),
            Err(remark) => {
                info.remarks.extend(remark);
                None
            }
        };
        let (name, content_hash) = (frame.file.name.clone(), frame.content_hash.clone());
        let raw = RawFrame { name, content_hash, info, pixels, weights };
        (raw, header)
    }))
}

/// The frame's stages, with a time limit [s]; what breaks them is told.
fn guarded(
    raw: RawFrame,
    masters: &MasterSet,
    skies: &Skies<'_>,
    params: &FrameParams,
    limit_s: f64,
) -> Result<ReducedFrame, String> {
    let began = Instant::now();
    let is_overdue = || began.elapsed().as_secs_f64() > limit_s;
    let reduced =
        catch_unwind(AssertUnwindSafe(|| reduce_frame(raw, masters, skies, params, &is_overdue)));
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
        image: frame.info.image.clone(),
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
    let ReducedFrame { record, calibrated, catalogue, psf } = reduced;
    let Some(calibrated) = calibrated else {
        return Ok(FrameResult { record, nx: 0, ny: 0, is_turned: false, products: None });
    };
    let products = work.store.products();
    let place = |kind, ending: &str| {
        let name = frame_product_name(&frame.file.name, &frame.content_hash, ending);
        products.relative_path(work.night, kind, &name)
    };
    let header = product_header(raw_header, &record, (&calibrated, psf.as_ref()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::fits::Value;
    use crate::pipeline::ingest::{choose_profile, interpret, shipped};
    use crate::science::image::Image;
    use crate::science::reference::{ReferenceError, ReferenceSky, SkyCell, StarAtEpoch};

    /// A catalogue that breaks whoever asks it.
    struct Broken;

    impl ReferenceSky for Broken {
        fn brightest_in_cone(
            &self,
            _centre_rad: (f64, f64),
            _radius_rad: f64,
            _epoch_yr: f64,
            _limit: usize,
        ) -> Result<Vec<StarAtEpoch>, ReferenceError> {
            panic!("a broken rule")
        }

        fn cells_with_stars(&self) -> Vec<SkyCell> {
            panic!("a broken rule")
        }

        fn len(&self) -> usize {
            1000
        }
    }

    /// A frame of 25 round stars on a flat sky.
    fn raw() -> RawFrame {
        let mut pixels = Image::filled(250, 250, 500.0_f32);
        for star in 0..25 {
            let (x, y) = (25 + star % 5 * 50, 25 + star / 5 * 50);
            for (dx, dy) in (-4_i32..=4).flat_map(|dx| (-4..=4).map(move |dy| (dx, dy))) {
                let value = 5000.0 * (-f64::from(dx * dx + dy * dy) / 4.0).exp();
                let place = (x + dx) as usize;
                pixels.row_mut((y + dy) as usize)[place] += value as f32;
            }
        }
        // A checkered sky has a scatter that is not zero.
        for y in 0..250 {
            for (x, value) in pixels.row_mut(y).iter_mut().enumerate() {
                *value += ((x * 7 + y * 13) % 11) as f32;
            }
        }
        let mut header = Header::new();
        header.set("IMAGETYP", Value::Text("Light Frame".to_owned()), "");
        header.set("DATE-OBS", Value::Text("2026-03-01T23:00:00".to_owned()), "");
        header.set("EXPTIME", Value::Real(60.0), "");
        header.set("RA", Value::Real(150.0), "");
        header.set("DEC", Value::Real(20.0), "");
        let profile = choose_profile(&header, shipped());
        let info = interpret(&header, 250, 250, profile).expect("a science frame");
        let (name, content_hash) = ("a.fits".to_owned(), "a".to_owned());
        RawFrame { name, content_hash, info, pixels, weights: None }
    }

    #[test]
    fn what_breaks_over_a_frame_or_takes_too_long_becomes_a_reason() {
        let (masters, params) = (MasterSet::default(), FrameParams::default());
        let skies = Skies::without_index(&Broken);
        let broken = guarded(raw(), &masters, &skies, &params, 60.0).expect_err("it panics");
        assert!(broken.contains("a broken rule") && broken.contains("report"), "{broken}");
        let late = guarded(raw(), &masters, &skies, &params, -1.0).expect_err("no time");
        assert!(late.starts_with("it took longer"), "{late}");
    }
}
