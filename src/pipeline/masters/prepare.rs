//! What is done to every frame before it can be compared: overscan, trim, orientation.

use crate::pipeline::artifact::frame_info::{FlipState, FrameInfo, FrameKind, Section};
use crate::science::calib::apply::TrimWindow;
use crate::science::calib::overscan::{Overscan, OverscanParams, measure_overscan, trimmed};
use crate::science::image::Image;

use super::{Geometry, MasterKey, MasterParams, exposure_ms, temperature_class};

/// The window that becomes the calibrated frame: the header's trim section if it lies inside
/// the frame, else all of it.
pub fn trim_window(info: &FrameInfo) -> TrimWindow {
    match info.trim.filter(|s| lies_inside(s, info)) {
        Some(s) => TrimWindow { columns: s.x0..s.x1, rows: s.y0..s.y1 },
        None => TrimWindow { columns: 0..info.nx, rows: 0..info.ny },
    }
}

/// The header's overscan section, if it lies inside the frame.
pub fn overscan_section(info: &FrameInfo) -> Option<Section> {
    info.overscan.filter(|s| lies_inside(s, info))
}

fn lies_inside(section: &Section, info: &FrameInfo) -> bool {
    section.x0 < section.x1
        && section.x1 <= info.nx
        && section.y0 < section.y1
        && section.y1 <= info.ny
}

/// Measures the overscan of a raw frame by its header; `None` without a usable section.
pub fn overscan_of(
    raw: &Image<f32>,
    info: &FrameInfo,
    params: &OverscanParams,
) -> Option<Overscan> {
    let section = overscan_section(info)?;
    measure_overscan(raw, section.x0..section.x1, section.y0..section.y1, params)
}

/// The pixels of the detector a frame will have after trimming.
pub fn geometry_of(info: &FrameInfo) -> Geometry {
    let window = trim_window(info);
    let origin_px = match info.flip {
        FlipState::AsRead => (window.columns.start, window.rows.start),
        FlipState::Turned180 => (info.nx - window.columns.end, info.ny - window.rows.end),
    };
    Geometry {
        instrument: info.instrument.clone(),
        chip: info.image.as_ref().map(|image| image.chip.clone()).unwrap_or_default(),
        binning: info.binning,
        nx: window.columns.len(),
        ny: window.rows.len(),
        origin_px,
        window_px: info.window_px,
        is_overscan_subtracted: overscan_section(info).is_some(),
    }
}

/// The key of the master that a frame, taken as this kind, belongs to or asks for.
pub fn key_of(info: &FrameInfo, kind: FrameKind, params: &MasterParams) -> MasterKey {
    let is_dark = kind == FrameKind::Dark;
    let class = temperature_class(info.temperature_c, params.temperature_class_c);
    MasterKey {
        kind,
        geometry: geometry_of(info),
        filter: (kind == FrameKind::Flat).then(|| info.filter.clone()),
        exposure_ms: is_dark.then(|| exposure_ms(info.exposure_s)),
        temperature_class: class.filter(|_| is_dark),
    }
}

/// A calibration frame minus overscan, trimmed, as the detector reads it.
///
/// `None` when the frame's size is not the one its header says.
pub fn prepared(
    raw: &Image<f32>,
    info: &FrameInfo,
    params: &OverscanParams,
) -> Option<(Image<f32>, Option<Overscan>)> {
    if raw.nx() != info.nx || raw.ny() != info.ny || info.nx == 0 || info.ny == 0 {
        return None;
    }
    let overscan = overscan_of(raw, info, params);
    let window = trim_window(info);
    let frame = trimmed(raw, overscan.as_ref(), window.columns, window.rows);
    let frame = match info.flip {
        FlipState::AsRead => frame,
        FlipState::Turned180 => frame.turned_180(),
    };
    Some((frame, overscan))
}
