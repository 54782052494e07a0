//! The header of a frame's products: the raw one, corrected and completed.

use crate::formats::fits::Header;
use crate::pipeline::artifact::frame_record::{FrameRecord, WcsKeyword};
use crate::pipeline::calibrate::Calibrated;
use crate::science::detect::psf_model::PsfModel;

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
pub(super) fn product_header(
    raw: &Header,
    record: &FrameRecord,
    (calibrated, psf): (&Calibrated, Option<&PsfModel>),
) -> Header {
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
    set_keywords(&mut header, &record.wcs);
    if let Some(mid_mjd_utc) = record.mid_mjd_utc {
        header.set("MJD-AVG", mid_mjd_utc, "[d] UTC, middle of the exposure");
    }
    set_zero_point(&mut header, record);
    for (key, value, comment) in psf.map(PsfModel::keywords).unwrap_or_default() {
        header.set(&key, value, comment);
    }
    for line in record.steps.iter().chain(&record.notes) {
        header.push_history(&format!("autossos: {line}"));
    }
    header
}

/// Sets the zero point of a product's header.
pub(super) fn set_zero_point(header: &mut Header, record: &FrameRecord) {
    if let Some(zero_point) = record.zero_point_mag {
        header.set("MAGZERO", zero_point, "Gaia G of 1 ADU/s, BP-RP = 0.82");
    }
}

/// Tells whether a header has the record's zero point.
pub(super) fn has_zero_point(header: &Header, record: &FrameRecord) -> bool {
    const SAME_MAG: f64 = 1e-9;
    let told = header.real("MAGZERO");
    record.zero_point_mag.is_none_or(|zero| told.is_some_and(|t| (t - zero).abs() < SAME_MAG))
}

fn set_keywords(header: &mut Header, wcs: &[(String, WcsKeyword)]) {
    for (key, value) in wcs {
        match value {
            WcsKeyword::Integer(v) => header.set(key, *v, ""),
            WcsKeyword::Real(v) => header.set(key, *v, ""),
            WcsKeyword::Text(v) => header.set(key, v.as_str(), ""),
        }
    }
}

/// Replaces the plate solution of a product's header.
pub(super) fn set_wcs(header: &mut Header, wcs: &[(String, WcsKeyword)]) {
    let is_kept = |key: &str| wcs.iter().any(|(name, _)| name == key);
    let is_stale = |key: &str| STALE_STARTS.iter().any(|s| key.starts_with(s)) && !is_kept(key);
    let keys: Vec<String> = header.cards().iter().map(|card| card.key.clone()).collect();
    for key in keys.iter().filter(|key| is_stale(key)) {
        header.remove(key);
    }
    set_keywords(header, wcs);
}

/// Tells whether a header has this plate solution.
pub(super) fn has_wcs(header: &Header, wcs: &[(String, WcsKeyword)]) -> bool {
    /// Numbers are written with 15 digits at least.
    const SAME: f64 = 1e-13;
    wcs.iter().all(|(key, value)| match value {
        WcsKeyword::Integer(v) => header.integer(key) == Some(*v),
        WcsKeyword::Real(v) => {
            header.real(key).is_some_and(|have| (have - v).abs() <= SAME * v.abs())
        }
        WcsKeyword::Text(v) => header.text(key) == Some(v.as_str()),
    })
}
