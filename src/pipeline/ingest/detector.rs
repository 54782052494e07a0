//! The detector's numbers in a header: gain, read noise, saturation, binning, temperature, flip.

use super::choose::any_fits;
use super::lookup::{Quantity, Reader};
use super::profile::{AmplifierRule, BinningRule, FlipRule, Profile, SectionRule};
use crate::pipeline::artifact::frame_info::FlipState;

/// Largest binning that is read [px].
const BINNING_MAX: u32 = 64;
/// Gain [e-/ADU]: larger numbers are a CMOS camera's gain setting, not a gain.
const GAIN: Quantity = Quantity { name: "gain", unit: "e-/ADU", sane: 0.001..=60.0 };
/// Read noise [e-].
const READ_NOISE: Quantity = Quantity { name: "read noise", unit: "e-", sane: 0.0..=1000.0 };
/// Saturation level [ADU]; zero would mask every pixel.
const SATURATION: Quantity = Quantity { name: "saturation level", unit: "ADU", sane: 100.0..=1e9 };
/// Origin of a read-out window [px].
const WINDOW: Quantity = Quantity { name: "read-out window", unit: "px", sane: 0.0..=1e6 };
/// Temperature [deg C].
const TEMPERATURE: Quantity =
    Quantity { name: "detector temperature", unit: "deg C", sane: -273.15..=100.0 };

/// Numbers of the detector, each `None` when unknown.
pub(super) struct Detector {
    /// Gain [e-/ADU].
    pub gain_e_per_adu: Option<f64>,
    /// Read noise [e-].
    pub read_noise_e: Option<f64>,
    /// Level at which a raw pixel is no longer linear [ADU].
    pub saturation_adu: Option<f64>,
    /// Temperature [deg C].
    pub temperature_c: Option<f64>,
}

/// Reads the detector's numbers by the rules of a profile.
pub(super) fn read_detector(reader: &mut Reader<'_>, profile: &Profile) -> Detector {
    let listed = profile.amplifier.as_ref().and_then(|rule| read_amplifier(reader, rule));
    let (listed_gain, listed_noise) = listed.unwrap_or_default();
    let gain = reader.first_number(&profile.gain_e_per_adu.keywords, &GAIN).or(listed_gain);
    let noise = reader.first_number(&profile.read_noise_e.keywords, &READ_NOISE).or(listed_noise);
    Detector {
        gain_e_per_adu: reader.settle(gain, &profile.gain_e_per_adu, &GAIN),
        read_noise_e: reader.settle(noise, &profile.read_noise_e, &READ_NOISE),
        saturation_adu: reader.ruled_number(&profile.saturation_adu, &SATURATION),
        temperature_c: reader.ruled_number(&profile.temperature_c, &TEMPERATURE),
    }
}

/// Gain and read noise of the one amplifier in use.
fn read_amplifier(
    reader: &mut Reader<'_>,
    rule: &AmplifierRule,
) -> Option<(Option<f64>, Option<f64>)> {
    let keyword = |pattern: &str, number: u8| pattern.replace("{nn}", &format!("{number:02}"));
    let used: Vec<u8> = (1..=rule.count)
        .filter(|&number| {
            matches!(reader.text(&keyword(&rule.used, number)).as_deref(), Some("1" | "T"))
        })
        .collect();
    let [number] = used[..] else {
        reader.remark(format!(
            "{} of {} amplifiers are marked as used; the header's gain is not taken.",
            used.len(),
            rule.count
        ));
        return None;
    };
    let gain = reader.first_number(&[keyword(&rule.gain, number)], &GAIN);
    let noise = reader.first_number(&[keyword(&rule.read_noise, number)], &READ_NOISE);
    Some((gain, noise))
}

/// Binning in x and y [px]; 1 x 1 when the header says nothing.
pub(super) fn read_binning(reader: &mut Reader<'_>, rule: &BinningRule) -> (u32, u32) {
    for (x_keyword, y_keyword) in &rule.keywords {
        let Some(x_text) = reader.text(x_keyword) else {
            continue;
        };
        let y_text = reader.text(y_keyword).unwrap_or_else(|| x_text.clone());
        if let (Some(x), Some(y)) = (parse_binning(&x_text), parse_binning(&y_text)) {
            return (x, y);
        }
        reader.dropped(x_keyword, &format!("'{x_text}', '{y_text}'"), "binning");
    }
    for keyword in &rule.both {
        let Some(text) = reader.text(keyword) else {
            continue;
        };
        let is_gap = |c: char| c.is_whitespace() || "xX,*".contains(c);
        let parts: Vec<&str> = text.split(is_gap).filter(|part| !part.is_empty()).collect();
        let read = match parts[..] {
            [both] => parse_binning(both).map(|bin| (bin, bin)),
            [x, y] => parse_binning(x).zip(parse_binning(y)),
            _ => None,
        };
        match read {
            Some(binning) => return binning,
            None => reader.dropped(keyword, &format!("'{text}'"), "binning"),
        }
    }
    (1, 1)
}

/// First pixel of the read-out window on the detector [binned px]; (0, 0) when unknown.
pub(super) fn read_window(reader: &mut Reader<'_>, rule: &SectionRule) -> (u32, u32) {
    for (x_keyword, y_keyword) in &rule.window_origin {
        let x = reader.first_number(std::slice::from_ref(x_keyword), &WINDOW);
        let y = reader.first_number(std::slice::from_ref(y_keyword), &WINDOW);
        if let (Some(x), Some(y)) = (x, y) {
            return (x.round() as u32, y.round() as u32);
        }
    }
    (0, 0)
}

/// A whole number from 1 to the largest binning, also written `2.0`.
fn parse_binning(text: &str) -> Option<u32> {
    let whole = text.trim().split_once('.').map_or(text.trim(), |(whole, fraction)| {
        if fraction.bytes().all(|byte| byte == b'0') { whole } else { "" }
    });
    whole.parse().ok().filter(|bin| (1..=BINNING_MAX).contains(bin))
}

/// How the pixels lie on the detector; an unknown value leaves a remark.
pub(super) fn read_flip(reader: &mut Reader<'_>, rule: &FlipRule) -> FlipState {
    let present = rule.keywords.iter().find(|keyword| reader.contains(keyword));
    let Some(keyword) = present else {
        return FlipState::AsRead;
    };
    let value = reader.text(keyword).unwrap_or_default();
    if any_fits(&rule.turned, &value) {
        return FlipState::Turned180;
    }
    if !value.is_empty() && !any_fits(&rule.as_read, &value) {
        reader.remark(format!("{keyword} = '{value}' is unknown; the frame is taken as read."));
    }
    FlipState::AsRead
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binning_is_a_small_whole_number() {
        assert_eq!(parse_binning(" 2 "), Some(2));
        assert_eq!(parse_binning("3.0"), Some(3));
        for text in ["0", "-1", "1.5", "65", "", "x", ".0"] {
            assert_eq!(parse_binning(text), None, "{text}");
        }
    }
}
