//! What a profile makes of the headers it was guessed from: the owner compares it with the truth.
//!
//! A sidereal time in the header proves clock and longitude: it moves on by 3.9 minutes a day and
//! by an hour for 15 degrees.

use super::super::angle::parse_sexagesimal;
use super::super::{IngestRefusal, Profile, interpret};
use super::Sample;
use super::draft::Draft;
use super::seen::Seen;
use crate::pipeline::artifact::frame_info::{FrameInfo, FrameKind};
use crate::science::sky::sun::mean_sidereal_deg;
use crate::science::units::DEG_RAD;

/// Keywords of the local sidereal time.
const SIDEREAL: [&str; 6] = ["LST", "LST-OBS", "LST_OBS", "SIDTIME", "ST", "SIDEREAL"];
/// Seconds of a degree of sidereal time.
const SECONDS_PER_DEG: f64 = 240.0;
/// Clocks that differ by less are the same [s]: the header's may be that of the file's writing.
const SIDEREAL_TOLERANCE_S: f64 = 90.0;

/// Numbers of files by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Bias frames.
    pub bias: usize,
    /// Darks.
    pub dark: usize,
    /// Flats.
    pub flat: usize,
    /// Science frames.
    pub science: usize,
    /// Frames that the profile leaves alone.
    pub ignored: usize,
    /// Frames that could not be used.
    pub unusable: usize,
}

/// Reads the headers by the profile and writes what came out as remarks.
pub(super) fn write(seen: &Seen<'_>, profile: &Profile, draft: &mut Draft) -> Counts {
    let mut counts = Counts::default();
    let mut first: Option<(&Sample, FrameInfo)> = None;
    let mut trouble: Vec<String> = Vec::new();
    for sample in seen.samples {
        match interpret(&sample.header, sample.nx, sample.ny, profile) {
            Ok(info) => {
                match info.kind {
                    FrameKind::Bias => counts.bias += 1,
                    FrameKind::Dark => counts.dark += 1,
                    FrameKind::Flat => counts.flat += 1,
                    FrameKind::Science => counts.science += 1,
                }
                if first.as_ref().is_none_or(|(_, first)| rank(first) < rank(&info)) {
                    first = Some((sample, info));
                }
            }
            Err(IngestRefusal::Ignored { .. }) => counts.ignored += 1,
            Err(refusal) => {
                counts.unusable += 1;
                trouble.push(format!("{}: {refusal}", sample.name));
            }
        }
    }
    draft.gap();
    draft.why(&format!("How this profile reads the files: {}.", counts.words()));
    if let Some((sample, info)) = &first {
        write_frame(draft, sample, info);
        write_sidereal(seen, draft, (sample, info));
    }
    for line in trouble.iter().take(3) {
        draft.doubt(line);
    }
    counts
}

/// Science frames tell most.
fn rank(info: &FrameInfo) -> u8 {
    u8::from(info.kind == FrameKind::Science) * 2 + u8::from(info.mid.is_some())
}

impl Counts {
    /// The counts as a list in words.
    pub fn words(&self) -> String {
        let named = [
            (self.bias, "bias"),
            (self.dark, "dark"),
            (self.flat, "flat"),
            (self.science, "science"),
            (self.ignored, "left alone"),
            (self.unusable, "unusable"),
        ];
        let told: Vec<String> =
            named.iter().filter(|(n, _)| *n > 0).map(|(n, name)| format!("{n} {name}")).collect();
        if told.is_empty() { "none".to_owned() } else { told.join(", ") }
    }
}

fn write_frame(draft: &mut Draft, sample: &Sample, info: &FrameInfo) {
    draft.why(&format!("{}, as it is understood:", sample.name));
    let unknown = || "unknown".to_owned();
    let mid = info.mid.map(|mid| format!("{} UTC", mid.to_iso())).unwrap_or_else(unknown);
    draft.why(&format!(
        "mid-exposure {mid}; exposure {} s; filter {}",
        info.exposure_s, info.filter
    ));
    let place = |(ra, dec): (f64, f64)| {
        format!("RA {:.4} deg, Dec {:+.4} deg (J2000)", ra / DEG_RAD, dec / DEG_RAD)
    };
    let scale = |arcsec: f64| format!("{arcsec:.3} arcsec/px");
    draft.why(&format!(
        "pointing {}; scale of a pixel {}; binning {} x {}",
        info.pointing_rad.map(place).unwrap_or_else(unknown),
        info.pixel_scale_arcsec.map(scale).unwrap_or_else(unknown),
        info.binning.0,
        info.binning.1,
    ));
    let number = |value: Option<f64>| value.map(|v| format!("{v}")).unwrap_or_else(unknown);
    draft.why(&format!(
        "gain {} e-/ADU; read noise {} e-; saturation {} ADU; temperature {} C",
        number(info.gain_e_per_adu),
        number(info.read_noise_e),
        number(info.saturation_adu),
        number(info.temperature_c),
    ));
    if let Some(site) = info.site {
        draft.why(&format!(
            "site: latitude {:+.5} deg, longitude {:+.5} deg (east positive), {} m",
            site.latitude_deg, site.longitude_deg, site.height_m
        ));
    }
    for remark in &info.remarks {
        draft.why(&format!("remark: {remark}"));
    }
}

/// Compares the header's sidereal time with that of the instant and the longitude.
fn write_sidereal(seen: &Seen<'_>, draft: &mut Draft, (sample, info): (&Sample, &FrameInfo)) {
    let keyword = SIDEREAL.into_iter().find(|keyword| !seen.distinct(keyword).is_empty());
    let Some((keyword, mid, site)) =
        keyword.zip(info.mid).zip(info.site).map(|((keyword, mid), site)| (keyword, mid, site))
    else {
        return;
    };
    let index = seen.samples.iter().position(|other| std::ptr::eq(other, sample));
    let text = index.and_then(|index| seen.texts(keyword).into_iter().nth(index)).flatten();
    let Some(read) = text.and_then(|text| parse_sexagesimal(&text)).filter(|r| r.fields > 1) else {
        return;
    };
    // Start, middle or end: the nearest counts.
    let apart_s = [-0.5, 0.0, 0.5]
        .map(|half| {
            let at = mid.plus_seconds(half * info.exposure_s);
            let ours_deg = mean_sidereal_deg(at) + site.longitude_deg;
            let apart_deg = (ours_deg - read.value * 15.0 + 180.0).rem_euclid(360.0) - 180.0;
            apart_deg * SECONDS_PER_DEG
        })
        .into_iter()
        .min_by(|a, b| a.abs().total_cmp(&b.abs()))
        .unwrap_or(0.0);
    if apart_s.abs() <= SIDEREAL_TOLERANCE_S {
        draft.why(&format!(
            "{keyword} agrees with date, time and longitude to {:.0} s: times are UTC and \
             longitudes have the right sign.",
            apart_s.abs()
        ));
    } else {
        draft.doubt(&format!(
            "{keyword} differs by {:.2} h from what date, time and longitude give: the times are \
             not UTC, the date is another day's, or the longitude has the wrong sign \
             (longitude_positive).",
            apart_s / 3600.0
        ));
    }
}
