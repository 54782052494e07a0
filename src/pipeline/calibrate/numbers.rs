//! Gain, read noise and saturation of a frame: the header's, the night's own, or assumed.
//!
//! Headers are copied from data sheets and outlive a repair. Where photon transfer on the
//! night's flats and biases disagrees by more than it can err, it is right: the measured value
//! is used and the report says so, unless the instrument's profile forbids it.

use super::CalibrateParams;
use crate::pipeline::artifact::frame_info::FrameInfo;
use crate::pipeline::masters::select::MasterSet;
use crate::science::calib::gain::Measured;
use crate::science::calib::overscan::Overscan;
use crate::science::image::Image;

/// Gains beyond these are a fault of the flats, not of the header [e-/ADU].
const GAIN_SANE: std::ops::RangeInclusive<f64> = 0.01..=60.0;
/// A measured value this many errors off is no accident.
const SIGNIFICANT_SIGMA: f64 = 3.0;

/// The numbers of the detector that are used.
pub(super) struct Numbers {
    /// Gain [e-/ADU].
    pub(super) gain: f64,
    /// Read noise [e-].
    pub(super) read_noise_e: f64,
    /// Saturation level of the raw frame [ADU].
    pub(super) saturation_adu: Option<f64>,
}

impl Numbers {
    /// Settles the numbers of a frame; what is unusual goes to the notes.
    pub(super) fn of(
        raw: &Image<f32>,
        info: &FrameInfo,
        masters: &MasterSet,
        (overscan, params): (Option<&Overscan>, &CalibrateParams),
        notes: &mut Vec<String>,
    ) -> Self {
        let gain = gain(info, masters.measured.gain_e_per_adu, params, notes);
        let on_overscan = overscan.map(|o| Measured { value: o.noise_adu, error: 0.0 });
        let measured = masters.measured.read_noise_adu.or(on_overscan).filter(is_positive);
        let read_noise_e = read_noise(info, measured, (gain, params), notes);
        let saturation_adu = saturation(raw, info, params, notes);
        Self { gain, read_noise_e, saturation_adu }
    }
}

fn is_positive(measured: &Measured) -> bool {
    measured.value.is_finite() && measured.value > 0.0
}

/// Whether a measured value contradicts another one.
fn disagrees(measured: &Measured, other: f64, params: &CalibrateParams) -> bool {
    let allowed = (params.disagreement * other).max(SIGNIFICANT_SIGMA * measured.error);
    (measured.value - other).abs() > allowed
}

/// Gain [e-/ADU].
fn gain(
    info: &FrameInfo,
    measured: Option<Measured>,
    params: &CalibrateParams,
    notes: &mut Vec<String>,
) -> f64 {
    let header = info.gain_e_per_adu.filter(|v| v.is_finite() && *v > 0.0);
    let measured = measured.filter(|m| GAIN_SANE.contains(&m.value));
    let (header, m) = match (header, measured) {
        (Some(header), Some(m)) if disagrees(&m, header, params) => (header, m),
        (Some(header), _) => return header,
        (None, Some(m)) => {
            let (value, error) = (m.value, m.error);
            notes.push(format!("gain {value:.3} +- {error:.3} e-/ADU from photon transfer"));
            return value;
        }
        (None, None) => {
            let assumed = params.gain_assumed_e_per_adu;
            notes.push(format!("WARNING: gain unknown: {assumed} e-/ADU assumed"));
            return assumed;
        }
    };
    let is_sure = m.error <= params.gain_error_share_max * m.value;
    let (used, which) = match (info.allowed.is_measured_gain_used, is_sure) {
        (true, true) => (m.value, "the measured one is used"),
        (true, false) => (header, "too uncertain, the header's is used"),
        (false, _) => (header, "the header's or profile's is used, as the profile asks"),
    };
    notes.push(format!(
        "gain: header {header:.2} e-/ADU, photon transfer {:.2} +- {:.2}: {which}",
        m.value, m.error
    ));
    used
}

/// Read noise [e-].
fn read_noise(
    info: &FrameInfo,
    measured_adu: Option<Measured>,
    (gain, params): (f64, &CalibrateParams),
    notes: &mut Vec<String>,
) -> f64 {
    let header = info.read_noise_e.filter(|v| v.is_finite() && *v > 0.0);
    let measured = measured_adu.map(|m| Measured { value: m.value * gain, error: m.error * gain });
    match (header, measured) {
        (Some(header), Some(m)) if disagrees(&m, header, params) => {
            let is_used = info.allowed.is_measured_noise_used;
            let which = if is_used {
                "the measured one is used"
            } else {
                "the header's or profile's is used, as the profile asks"
            };
            notes.push(format!(
                "read noise: header {header:.1} e-, measured {:.1} e-: {which}",
                m.value
            ));
            if is_used { m.value } else { header }
        }
        (Some(header), _) => header,
        (None, Some(m)) => {
            notes.push(format!("read noise {:.1} e- measured on bias or overscan", m.value));
            m.value
        }
        (None, None) => {
            let assumed = params.read_noise_assumed_e;
            notes.push(format!("WARNING: read noise unknown: {assumed} e- assumed"));
            assumed
        }
    }
}

/// The header's saturation level, or the plateau of the brightest value.
fn saturation(
    raw: &Image<f32>,
    info: &FrameInfo,
    params: &CalibrateParams,
    notes: &mut Vec<String>,
) -> Option<f64> {
    if let Some(header) = info.saturation_adu.filter(|s| s.is_finite() && *s > 0.0) {
        return Some(header);
    }
    let finite = || raw.pixels().iter().copied().filter(|v| v.is_finite());
    let top = finite().fold(f32::NEG_INFINITY, f32::max);
    let n_top = finite().filter(|&v| v >= top).count();
    if top > params.plateau_level_min_adu && n_top >= params.plateau_pixels_min {
        notes.push(format!(
            "saturation level unknown: {top:.0} ADU taken, the largest value, of {n_top} pixels"
        ));
        return Some(f64::from(top));
    }
    notes.push("saturation level unknown and no plateau seen: none marked".to_owned());
    None
}
