//! All science frames of the night through their stages, a bounded number at a time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::super::error::OpsError;
use super::super::progress::{Event, Progress};
use super::finish::wcs_of;
use super::keys::{FRAME_UNIT, calibration_key, frame_key};
use super::master_files::StoredMasters;
use super::reference::RunReference;
use super::scan::{Scanned, ScannedFrame, chain};
use super::{parallel, report_to};
use crate::config::Config;
use crate::formats::fits::{self, Header};
use crate::pipeline::artifact::frame_info::FlipState;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus, WcsKeyword};
use crate::pipeline::calibrate::Calibrated;
use crate::pipeline::masters::MasterLibrary;
use crate::pipeline::masters::select::MasterSet;
use crate::pipeline::reduce::{RawFrame, ReducedFrame, empty_record, reduce_frame};
use crate::store::files::frame_product_name;
use crate::store::stages::{StageOutcome, StageRow};
use crate::store::{NightId, ProductFile, ProductKind, Store};

/// What the work on frames needs to see.
pub(super) struct FrameWork<'a> {
    pub(super) store: &'a Store,
    pub(super) night: &'a NightId,
    pub(super) config: &'a Config,
    pub(super) library: &'a MasterLibrary,
    pub(super) earlier: &'a StoredMasters<'a>,
    pub(super) sky: &'a RunReference,
}

/// What is kept of a reduced frame besides its pixels and sources.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FrameResult {
    pub(super) record: FrameRecord,
    /// Shape of the calibrated frame [px].
    pub(super) nx: usize,
    pub(super) ny: usize,
    /// Whether its pixels lie turned by 180 degrees on the detector.
    pub(super) is_turned: bool,
    pub(super) products: Option<FrameProducts>,
}

/// Files of a frame, relative to the data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FrameProducts {
    pub(super) calibrated: PathBuf,
    pub(super) mask: PathBuf,
    pub(super) catalogue: Option<PathBuf>,
}

/// The frames' results in order of names, and how many were made in this run.
pub(super) struct FramesDone {
    pub(super) results: Vec<FrameResult>,
    pub(super) n_reduced: usize,
}

/// Reduces all science frames; those whose key is in the store are only looked up.
///
/// Frames of one camera share their pixel scale: the first solved one, in order of names, tells
/// the others. A header's scale may be missing or wrong, and the search without it is long.
pub(super) fn reduce_all(
    work: &FrameWork<'_>,
    scanned: &Scanned,
    progress: &dyn Progress,
) -> Result<FramesDone, OpsError> {
    let calibration_key = calibration_key(scanned, work.config);
    let reduce = |frame: &ScannedFrame| {
        let (result, is_new) = work.frame(frame, &calibration_key)?;
        let is_ok = result.record.status == FrameStatus::Ok;
        report_to(progress, Event::Frame { name: &frame.file.name, is_ok })?;
        Ok::<_, OpsError>((result, is_new))
    };
    let mut frames = scanned.science.clone();
    let mut done: Vec<Option<(FrameResult, bool)>> = frames.iter().map(|_| None).collect();
    for camera in cameras(&frames) {
        for &pilot in camera.iter().take(PILOTS_MAX) {
            let result = reduce(&frames[pilot])?;
            let scale = wcs_of(&result.0.record).map(|wcs| wcs.pixel_scale_arcsec());
            done[pilot] = Some(result);
            if let Some(scale_arcsec) = scale {
                for &other in &camera {
                    frames[other].info.pixel_scale_arcsec = Some(scale_arcsec);
                }
                break;
            }
        }
    }
    let rest: Vec<(usize, &ScannedFrame)> =
        frames.iter().enumerate().filter(|(i, _)| done[*i].is_none()).collect();
    let results = parallel::for_each(&rest, work.config.run.workers, |(_, frame)| reduce(frame))?;
    for ((i, _), result) in rest.into_iter().zip(results) {
        done[i] = Some(result);
    }
    let done: Vec<(FrameResult, bool)> = done.into_iter().flatten().collect();
    let n_reduced = done.iter().filter(|(_, is_new)| *is_new).count();
    Ok(FramesDone { results: done.into_iter().map(|(result, _)| result).collect(), n_reduced })
}

/// Frames tried one after the other until one tells the camera's scale.
const PILOTS_MAX: usize = 3;

/// Indices of the frames of each camera: same instrument, size and binning.
fn cameras(frames: &[ScannedFrame]) -> Vec<Vec<usize>> {
    let camera =
        |f: &ScannedFrame| (f.info.instrument.clone(), f.info.nx, f.info.ny, f.info.binning);
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (i, frame) in frames.iter().enumerate() {
        groups.entry(camera(frame)).or_default().push(i);
    }
    groups.into_values().collect()
}

impl FrameWork<'_> {
    /// The result of one frame, from the store or made now.
    fn frame(
        &self,
        frame: &ScannedFrame,
        calibration_key: &str,
    ) -> Result<(FrameResult, bool), OpsError> {
        let masters = self.library.select(&frame.info, self.earlier, &self.config.master_params());
        let key = frame_key(frame, &masters, self.config, (calibration_key, self.sky.key()));
        let hash = &frame.content_hash;
        if let Some(row) = self.store.read().stage_done(self.night, hash, FRAME_UNIT, &key)?
            && let Ok(result) = serde_json::from_str::<FrameResult>(&row.payload)
            && self.has_products(&result)
        {
            return Ok((result, false));
        }
        let result = self.reduce(frame, &masters)?;
        let payload = serde_json::to_string(&result)
            .map_err(|source| OpsError::Payload { subject: frame.file.name.clone(), source })?;
        let is_ok = result.record.status == FrameStatus::Ok;
        let row = StageRow {
            subject: hash.clone(),
            stage: FRAME_UNIT.to_owned(),
            version: 1,
            key,
            outcome: if is_ok { StageOutcome::Done } else { StageOutcome::Quarantine },
            product: result.products.as_ref().map(|p| p.calibrated.clone()),
            payload,
        };
        self.store.record_stage(self.night, row)?;
        Ok((result, true))
    }

    fn has_products(&self, result: &FrameResult) -> bool {
        result.products.as_ref().is_none_or(|p| {
            [Some(&p.calibrated), Some(&p.mask), p.catalogue.as_ref()]
                .into_iter()
                .flatten()
                .all(|path| self.store.products().resolve(path).is_ok_and(|full| full.is_file()))
        })
    }

    fn reduce(&self, frame: &ScannedFrame, masters: &MasterSet) -> Result<FrameResult, OpsError> {
        let pixels = match fits::read_pixels(&frame.file.path, &frame.image) {
            Ok(pixels) => pixels,
            Err(error) => {
                let record = FrameRecord {
                    reason: Some(chain(&error)),
                    ..empty_record(&frame.file.name, &frame.content_hash, FrameStatus::Failed)
                };
                return Ok(FrameResult { record, nx: 0, ny: 0, is_turned: false, products: None });
            }
        };
        let raw = RawFrame {
            name: frame.file.name.clone(),
            content_hash: frame.content_hash.clone(),
            info: frame.info.clone(),
            pixels,
        };
        let params = self.config.frame_params();
        let reduced = reduce_frame(raw, masters, self.sky, &params);
        self.keep(frame, reduced)
    }

    /// Puts the products of a frame in place.
    fn keep(&self, frame: &ScannedFrame, reduced: ReducedFrame) -> Result<FrameResult, OpsError> {
        let ReducedFrame { record, calibrated, catalogue } = reduced;
        let Some(calibrated) = calibrated else {
            return Ok(FrameResult { record, nx: 0, ny: 0, is_turned: false, products: None });
        };
        let products = self.store.products();
        let place = |kind, ending: &str| {
            let name = frame_product_name(&frame.file.name, &frame.content_hash, ending);
            products.relative_path(self.night, kind, &name)
        };
        let header = product_header(&frame.image.header, &record, &calibrated);
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
}

/// Keywords of the raw header that say something else after calibration.
const STALE_KEYS: [&str; 22] = [
    "SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "EXTEND", "BSCALE", "BZERO", "BLANK", "BUNIT",
    "XTENSION", "PCOUNT", "GCOUNT", "TFIELDS", "CHECKSUM", "DATASUM", "TRIMSEC", "BIASSEC", "GAIN",
    "EGAIN", "RDNOISE", "SATURATE",
];
/// Starts of keywords of an older plate solution.
const STALE_STARTS: [&str; 16] = [
    "CTYPE", "CRVAL", "CRPIX", "CUNIT", "CDELT", "CROTA", "CD1_", "CD2_", "PC1_", "PC2_", "PV1_",
    "PV2_", "A_", "B_", "AP_", "BP_",
];

/// Header of the products: the raw one, corrected and completed.
fn product_header(raw: &Header, record: &FrameRecord, calibrated: &Calibrated) -> Header {
    let mut header = raw.clone();
    let stale: Vec<String> = raw
        .cards()
        .iter()
        .map(|card| card.key.clone())
        .filter(|key| {
            STALE_KEYS.contains(&key.as_str()) || STALE_STARTS.iter().any(|s| key.starts_with(s))
        })
        .collect();
    for key in stale {
        header.remove(&key);
    }
    header.set("BUNIT", "electron", "unit of the pixels");
    header.set("GAIN", 1.0, "[e-/unit] the pixels are electrons");
    header.set("RAWGAIN", calibrated.gain_e_per_adu, "[e-/ADU] gain used");
    header.set("RDNOISE", calibrated.read_noise_e, "[e-] read noise used");
    header.set("LTV1", calibrated.ltv_px.0, "calibrated x = raw x + LTV1");
    header.set("LTV2", calibrated.ltv_px.1, "calibrated y = raw y + LTV2");
    for (key, value) in &record.wcs {
        match value {
            WcsKeyword::Integer(v) => header.set(key, *v, ""),
            WcsKeyword::Real(v) => header.set(key, *v, ""),
            WcsKeyword::Text(v) => header.set(key, v.as_str(), ""),
        }
    }
    if let Some(mid_mjd_utc) = record.mid_mjd_utc {
        header.set("MJD-AVG", mid_mjd_utc, "[d] UTC, middle of the exposure");
    }
    if let Some(zero_point) = record.zero_point_mag {
        header.set("MAGZERO", zero_point, "Gaia G of 1 ADU/s, BP-RP = 0.82");
    }
    for line in record.steps.iter().chain(&record.notes) {
        header.push_history(&format!("autossos: {line}"));
    }
    header
}
