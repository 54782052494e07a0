//! Instrument profiles: which header keyword says what, and what it means there.
//!
//! Why: every camera program writes its own keywords. A profile is a TOML file of rules;
//! `interpret` reads a header by them, so a new instrument needs no new code. The shipped
//! profiles lie in `config/profiles/` and are built into the program (see `shipped`).
//! Keywords are lists of alternatives: the first with a usable value wins. Values are compared
//! without regard to case or to blanks around them; `*` and `?` are wild (see `choose`).

use serde::Deserialize;

use super::extensions::ExtensionName;
use super::section::SectionText;
use crate::pipeline::artifact::frame_info::CalibrationRules;

/// The rules of one instrument or camera program.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name, as the configuration's `instrument.profile` gives it.
    pub name: String,
    /// One sentence for listings.
    #[serde(default)]
    pub description: String,
    /// When `auto` may choose this profile: one entry must hold. No entry = always, last.
    #[serde(default)]
    pub matches: Vec<Match>,
    /// Extensions with images of the sky, where a file has several images: numbers of HDUs (the
    /// primary one is 0) or names. None = those that are no masks, weights and the like.
    #[serde(default)]
    pub extensions: Vec<ExtensionName>,
    /// What a frame is for.
    #[serde(default)]
    pub kind: KindRule,
    /// When it was exposed.
    #[serde(default)]
    pub time: TimeRule,
    /// Exposure time [s].
    #[serde(default)]
    pub exposure_s: NumberRule,
    /// Keywords of the filter.
    #[serde(default)]
    pub filter: Vec<String>,
    /// Keywords of the target's name.
    #[serde(default)]
    pub object: Vec<String>,
    /// Keywords of the instrument's name.
    #[serde(default)]
    pub instrument: Vec<String>,
    /// Where the telescope pointed.
    #[serde(default)]
    pub pointing: PointingRule,
    /// Scale of a binned pixel.
    #[serde(default)]
    pub pixel_scale: ScaleRule,
    /// Gain [e-/ADU].
    #[serde(default)]
    pub gain_e_per_adu: NumberRule,
    /// Read noise [e-].
    #[serde(default)]
    pub read_noise_e: NumberRule,
    /// Gain and read noise listed per amplifier, with marks of the one in use.
    #[serde(default)]
    pub amplifier: Option<AmplifierRule>,
    /// Level at which a raw pixel is no longer linear [ADU].
    #[serde(default)]
    pub saturation_adu: NumberRule,
    /// Overscan and illuminated region.
    #[serde(default)]
    pub sections: SectionRule,
    /// Binning.
    #[serde(default)]
    pub binning: BinningRule,
    /// Detector temperature [deg C].
    #[serde(default)]
    pub temperature_c: NumberRule,
    /// Whether software turned the frame.
    #[serde(default)]
    pub flip: FlipRule,
    /// What calibration may do.
    #[serde(default)]
    pub calibration: CalibrationRule,
    /// Place of the telescope.
    #[serde(default)]
    pub site: SiteRule,
}

/// What calibration may do with this instrument's frames.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalibrationRule {
    /// What becomes of a gain and read noise measured on the night's flats and biases that
    /// disagree with the header. A number under `measured` in this profile always stands.
    pub photon_transfer: PhotonTransfer,
    /// Smallest factor that a dark may be multiplied with to fit an exposure.
    pub dark_ratio_min: f64,
    /// Largest factor that a dark may be multiplied with to fit an exposure.
    pub dark_ratio_max: f64,
}

impl Default for CalibrationRule {
    fn default() -> Self {
        let built_in = CalibrationRules::default();
        Self {
            photon_transfer: PhotonTransfer::default(),
            dark_ratio_min: built_in.dark_ratio_min,
            dark_ratio_max: built_in.dark_ratio_max,
        }
    }
}

/// What becomes of measured numbers of the detector that disagree with the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhotonTransfer {
    /// They are used and the report says so.
    #[default]
    Used,
    /// The report tells them, the header's are used.
    Reported,
}

/// One way to recognise an instrument: all conditions must hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The conditions; more of them make the match more specific.
    pub all: Vec<Condition>,
}

/// A keyword is present and, where patterns are given, its value fits one of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Header keyword.
    pub keyword: String,
    /// Patterns of its value; empty = any value.
    #[serde(default)]
    pub values: Vec<String>,
}

/// A number found under keywords, measured for the instrument, or assumed.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberRule {
    /// Header keywords in order of trust.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// A value measured by the owner: wins over the header.
    #[serde(default)]
    pub measured: Option<f64>,
    /// A value for headers that have none.
    #[serde(default)]
    pub assumed: Option<f64>,
}

/// What a frame is for, by the values of the image type.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRule {
    /// Header keywords of the image type.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Patterns that mean a frame to leave alone (focus, junk); looked at first.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// Patterns that mean bias.
    #[serde(default)]
    pub bias: Vec<String>,
    /// Patterns that mean dark.
    #[serde(default)]
    pub dark: Vec<String>,
    /// Patterns that mean flat.
    #[serde(default)]
    pub flat: Vec<String>,
    /// Patterns that mean science.
    #[serde(default)]
    pub science: Vec<String>,
    /// What to do with a value that fits no pattern.
    #[serde(default)]
    pub unknown: KindFallback,
    /// What to do with a header that has no image type.
    #[serde(default)]
    pub missing: KindFallback,
}

/// How a frame of unknown type is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KindFallback {
    /// Taken for a science frame, with a remark.
    #[default]
    Science,
    /// Refused as unusable.
    Refuse,
}

/// When a frame was exposed.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRule {
    /// Places to look for an instant, in order of trust.
    #[serde(default)]
    pub stamps: Vec<Stamp>,
    /// What the clock shows minus UTC when neither value nor keyword says so [h].
    #[serde(default)]
    pub utc_offset_hours: f64,
    /// Keywords that state what the clock shows minus UTC.
    #[serde(default)]
    pub offset_keywords: Vec<OffsetKeyword>,
    /// Keywords that show the time of day on the UTC scale, as proof of it.
    #[serde(default)]
    pub universal_keywords: Vec<String>,
    /// Added to every instant of the header: shutter and clock delay [s].
    #[serde(default)]
    pub shutter_offset_s: f64,
    /// Uncertainty of the instant after that [s].
    #[serde(default)]
    pub uncertainty_s: f64,
}

/// One place of the header with an instant of the exposure.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// Keywords of the date, with or without the time of day.
    #[serde(default)]
    pub date: Vec<String>,
    /// Keywords of the time of day, for dates without one.
    #[serde(default)]
    pub time: Vec<String>,
    /// Keywords of the time of day at the exposure's end (roll-over when `date_of = "end"`).
    #[serde(default)]
    pub end_time: Vec<String>,
    /// Keywords of a Modified Julian Date [d, UTC]; a Julian Date is recognised by its size.
    #[serde(default)]
    pub mjd: Vec<String>,
    /// Which instant of the exposure is stated.
    #[serde(default)]
    pub means: StampMeaning,
    /// Which instant a separate date belongs to.
    #[serde(default)]
    pub date_of: DateOf,
}

/// Which instant of the exposure a stamp states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StampMeaning {
    /// Shutter opens.
    #[default]
    Start,
    /// Half way.
    Middle,
    /// Shutter closes.
    End,
}

/// Which instant a date without time of day belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateOf {
    /// The instant that the time of day states.
    #[default]
    Stamp,
    /// The end of the exposure, when the file was made.
    End,
}

/// A keyword that states what the clock of the time stamps shows minus UTC.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffsetKeyword {
    /// Header keyword; hours as a number, or text such as `+02:00` or `UTC-3`.
    pub keyword: String,
    /// When it counts.
    #[serde(default)]
    pub applies: OffsetApplies,
    /// Which difference it states.
    #[serde(default)]
    pub sign: OffsetSign,
}

/// When an offset keyword counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OffsetApplies {
    /// Unless TIMESYS or a universal keyword proves the stamps to be UTC.
    #[default]
    UnlessUniversal,
    /// Only when TIMESYS says `LOCAL`; otherwise it merely describes the site.
    WhenLocal,
    /// Whatever else the header says.
    Always,
}

/// Which difference an offset keyword states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OffsetSign {
    /// Local minus UTC, positive in the east (ISO 8601).
    #[default]
    LocalMinusUtc,
    /// UTC minus local, positive in the west.
    UtcMinusLocal,
}

/// Where the telescope pointed.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointingRule {
    /// Pairs of keywords (RA, Dec) in order of trust. Text with two or three fields is
    /// sexagesimal (RA in hours); CRVALn count only beside a celestial CTYPEn.
    #[serde(default)]
    pub keywords: Vec<(String, String)>,
    /// Unit of an RA written as one number.
    #[serde(default)]
    pub ra_number: RaUnit,
    /// Keywords of the equinox; CRVALn are taken as ICRS.
    #[serde(default)]
    pub equinox: Vec<String>,
}

/// Unit of a right ascension written as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RaUnit {
    /// Degrees.
    #[default]
    Deg,
    /// Hours.
    Hours,
}

/// Scale of a binned pixel, by the first way that gives a sane number.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleRule {
    /// Measured scale of an unbinned pixel [arcsec/px]: wins over the header.
    #[serde(default)]
    pub unbinned_measured_arcsec: Option<f64>,
    /// Keywords of the binned scale [arcsec/px].
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Keywords of the unbinned scale [arcsec/px].
    #[serde(default)]
    pub unbinned_keywords: Vec<String>,
    /// Keywords of the pixel size [um].
    #[serde(default)]
    pub pixel_size_um: NumberRule,
    /// Whether that size includes binning, as MaxIm DL's XPIXSZ does.
    #[serde(default)]
    pub pixel_size: PixelSize,
    /// Keywords of the focal length [mm].
    #[serde(default)]
    pub focal_length_mm: NumberRule,
}

/// Whether a header's pixel size is that of binned pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelSize {
    /// Size of a pixel of the file.
    #[default]
    Binned,
    /// Size of a pixel of the detector.
    Unbinned,
}

/// Gain and read noise listed per amplifier; `{nn}` stands for the two-digit number.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmplifierRule {
    /// Number of amplifiers, 1 to 99.
    pub count: u8,
    /// Keyword that is 1 (or T) for an amplifier in use, as `AAMP_{nn}`.
    pub used: String,
    /// Keyword of the gain [e-/ADU].
    pub gain: String,
    /// Keyword of the read noise [e-].
    pub read_noise: String,
}

/// Overscan and illuminated region of the raw frame.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionRule {
    /// Keywords of the overscan region.
    #[serde(default)]
    pub overscan: Vec<String>,
    /// Overscan region for headers without.
    #[serde(default)]
    pub overscan_assumed: Option<SectionText>,
    /// Keywords of the illuminated region.
    #[serde(default)]
    pub trim: Vec<String>,
    /// Illuminated region for headers without.
    #[serde(default)]
    pub trim_assumed: Option<SectionText>,
    /// Pairs of keywords (x, y) of the read-out window's first pixel on the detector.
    #[serde(default)]
    pub window_origin: Vec<(String, String)>,
}

/// Binning.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinningRule {
    /// Pairs of keywords (x, y).
    #[serde(default)]
    pub keywords: Vec<(String, String)>,
    /// Keywords with both in one text, as `3 3`, `3x3` or `3,3`.
    #[serde(default)]
    pub both: Vec<String>,
}

/// Whether software turned the frame by 180 degrees.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlipRule {
    /// Header keywords.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Patterns that mean: as the detector reads it.
    #[serde(default)]
    pub as_read: Vec<String>,
    /// Patterns that mean: turned.
    #[serde(default)]
    pub turned: Vec<String>,
}

/// Place of the telescope on Earth.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRule {
    /// Keywords of the latitude: degrees, or sexagesimal text; N and S are understood.
    #[serde(default)]
    pub latitude: Vec<String>,
    /// Keywords of the longitude; E and W in the text win over `longitude_positive`.
    #[serde(default)]
    pub longitude: Vec<String>,
    /// Direction in which longitudes without letter are positive.
    #[serde(default)]
    pub longitude_positive: LongitudePositive,
    /// Keywords of the height [m].
    #[serde(default)]
    pub height_m: Vec<String>,
}

/// Direction in which longitudes are positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongitudePositive {
    /// East, as the IAU has it.
    #[default]
    East,
    /// West, as some American programs have it.
    West,
}
