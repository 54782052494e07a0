//! From a header to [`FrameInfo`]: the profile's rules, one after the other.
//!
//! Values of the wrong kind or outside sane limits count as missing and leave a remark. Only
//! what no later stage can do without is a refusal.

use super::choose::any_fits;
use super::detector::{read_binning, read_detector, read_flip, read_window};
use super::lookup::{Quantity, Reader};
use super::pointing::{read_pointing, read_scale};
use super::profile::{KindFallback, KindRule, PhotonTransfer, Profile};
use super::section::read_sections;
use super::simulated::is_simulated;
use super::site::read_site;
use super::time::read_mid;
use super::{HeaderFault, IngestRefusal};
use crate::formats::fits::Header;
use crate::pipeline::artifact::frame_info::{CalibrationRules, FrameInfo, FrameKind};

/// Filter of frames whose header names none.
const FILTER_NONE: &str = "NONE";
/// Instrument of frames whose header names none.
const INSTRUMENT_UNKNOWN: &str = "unknown";
/// Exposure time [s]: a day is longer than any night.
const EXPOSURE: Quantity = Quantity { name: "exposure time", unit: "s", sane: 0.0..=86_400.0 };

/// Reads a header by the rules of a profile.
///
/// * `nx`, `ny`: size of the raw frame [px].
/// * Errors: `Ignored` when the profile wants this type of frame left alone; `Unusable` when the
///   type is unknown to a strict profile, or a dark or science frame has no exposure time.
pub fn interpret(
    header: &Header,
    nx: usize,
    ny: usize,
    profile: &Profile,
) -> Result<FrameInfo, IngestRefusal> {
    interpret_as(header, (nx, ny), profile, None)
}

/// The same for a frame that is said to be for something else than its header says.
pub fn interpret_as(
    header: &Header,
    (nx, ny): (usize, usize),
    profile: &Profile,
    forced: Option<FrameKind>,
) -> Result<FrameInfo, IngestRefusal> {
    let mut reader = Reader::new(header);
    let stated_exposure_s = reader.ruled_number(&profile.exposure_s, &EXPOSURE);
    let kind = match forced {
        Some(kind) => kind,
        None => read_kind(&mut reader, &profile.kind, stated_exposure_s)?,
    };
    let exposure_s = settle_exposure(&mut reader, kind, stated_exposure_s)?;
    let mid = read_mid(&mut reader, &profile.time, exposure_s);
    let binning = read_binning(&mut reader, &profile.binning);
    let detector = read_detector(&mut reader, profile);
    let (overscan, trim) = read_sections(&mut reader, &profile.sections, (nx, ny));
    let pointing_rad = read_pointing(&mut reader, &profile.pointing, mid);
    let pixel_scale_arcsec = read_scale(&mut reader, &profile.pixel_scale, binning);
    let flip = read_flip(&mut reader, &profile.flip);
    let window_px = read_window(&mut reader, &profile.sections);
    let site = read_site(&mut reader, &profile.site);
    Ok(FrameInfo {
        profile: profile.name.clone(),
        kind,
        instrument: reader
            .first_text(&profile.instrument)
            .unwrap_or_else(|| INSTRUMENT_UNKNOWN.to_owned()),
        image: None,
        object: reader.first_text(&profile.object),
        nx,
        ny,
        exposure_s,
        mid,
        mid_err_s: profile.time.uncertainty_s,
        filter: reader.first_text(&profile.filter).unwrap_or_else(|| FILTER_NONE.to_owned()),
        pointing_rad,
        pixel_scale_arcsec,
        gain_e_per_adu: detector.gain_e_per_adu,
        read_noise_e: detector.read_noise_e,
        saturation_adu: detector.saturation_adu,
        overscan,
        trim,
        binning,
        temperature_c: detector.temperature_c,
        flip,
        window_px,
        allowed: allowed(profile),
        site,
        is_simulated: is_simulated(&reader),
        remarks: reader.into_remarks(),
    })
}

/// What the profile allows; a number that its owner measured is not put in doubt.
fn allowed(profile: &Profile) -> CalibrationRules {
    let rule = &profile.calibration;
    let is_used = rule.photon_transfer == PhotonTransfer::Used;
    CalibrationRules {
        is_measured_gain_used: is_used && profile.gain_e_per_adu.measured.is_none(),
        is_measured_noise_used: is_used && profile.read_noise_e.measured.is_none(),
        dark_ratio_min: rule.dark_ratio_min,
        dark_ratio_max: rule.dark_ratio_max,
    }
}

/// What the frame is for.
fn read_kind(
    reader: &mut Reader<'_>,
    rule: &KindRule,
    exposure_s: Option<f64>,
) -> Result<FrameKind, IngestRefusal> {
    let has_zero_exposure = exposure_s.is_some_and(|exposure_s| exposure_s <= 0.0);
    let mut unknown: Option<(&String, String)> = None;
    for keyword in &rule.keywords {
        let Some(value) = reader.text(keyword) else {
            continue;
        };
        if any_fits(&rule.ignored, &value) {
            return Err(IngestRefusal::Ignored { keyword: keyword.clone(), value });
        }
        let kind = [
            (FrameKind::Bias, &rule.bias),
            (FrameKind::Dark, &rule.dark),
            (FrameKind::Flat, &rule.flat),
            (FrameKind::Science, &rule.science),
        ]
        .into_iter()
        .find_map(|(kind, patterns)| any_fits(patterns, &value).then_some(kind));
        match kind {
            Some(FrameKind::Dark) if has_zero_exposure => {
                reader.remark("A dark of zero exposure is taken as a bias.".to_owned());
                return Ok(FrameKind::Bias);
            }
            Some(kind) => return Ok(kind),
            None => unknown = unknown.or(Some((keyword, value))),
        }
    }
    let fallback = if unknown.is_some() { rule.unknown } else { rule.missing };
    match (fallback, unknown) {
        (KindFallback::Refuse, Some((keyword, value))) => {
            Err(HeaderFault::UnknownKind { keyword: keyword.clone(), value }.into())
        }
        (KindFallback::Refuse, None) => Err(HeaderFault::NoKind.into()),
        (KindFallback::Science, None) if has_zero_exposure => {
            reader.remark("No image type and zero exposure: taken as a bias.".to_owned());
            Ok(FrameKind::Bias)
        }
        (KindFallback::Science, None) => {
            reader.remark("No image type: taken as a science frame.".to_owned());
            Ok(FrameKind::Science)
        }
        (KindFallback::Science, Some((keyword, value))) => {
            reader.remark(format!("{keyword} = '{value}' is unknown: taken as a science frame."));
            Ok(FrameKind::Science)
        }
    }
}

/// The exposure time that this kind of frame needs [s].
fn settle_exposure(
    reader: &mut Reader<'_>,
    kind: FrameKind,
    stated_s: Option<f64>,
) -> Result<f64, IngestRefusal> {
    match (kind, stated_s) {
        (FrameKind::Bias, stated_s) => Ok(stated_s.unwrap_or(0.0)),
        (FrameKind::Flat, None) => {
            reader.remark("The flat has no exposure time; no dark is taken off.".to_owned());
            Ok(0.0)
        }
        (FrameKind::Flat, Some(exposure_s)) => Ok(exposure_s),
        (FrameKind::Dark | FrameKind::Science, Some(exposure_s)) if exposure_s > 0.0 => {
            Ok(exposure_s)
        }
        (FrameKind::Dark | FrameKind::Science, _) => Err(HeaderFault::NoExposure.into()),
    }
}
