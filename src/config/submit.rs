//! The section `[submit]`: what the Minor Planet Center is told of observers and telescope, and
//! what is held back from it.

use super::check::Checker;
use super::error::ConfigError;
use super::raw::{RawSubmit, RawTelescope};

/// Longest name or line of the header, by the schema [characters].
const LINE_LENGTH_MAX: usize = 100;
/// Longest word on telescope or detector, by the schema [characters].
const WORD_LENGTH_MAX: usize = 25;
/// Kinds of detectors, by the standard.
const MODES: [(&str, &str); 2] = [("CCD", "CCD"), ("CMO", "CMO")];
/// Star catalogues, by the standard.
const CATALOGUES: [(&str, &str); 4] =
    [("Gaia3", "Gaia3"), ("Gaia3E", "Gaia3E"), ("Gaia2", "Gaia2"), ("Gaia1", "Gaia1")];

/// What goes to the Minor Planet Center.
#[derive(Debug, Clone, PartialEq)]
pub struct Submit {
    /// Who submits.
    pub submitter: Option<String>,
    /// Their institution.
    pub institution: Option<String>,
    /// Who observes.
    pub observers: Vec<String>,
    /// Who measures.
    pub measurers: Vec<String>,
    /// Address and mail address for the header of 80-column reports.
    pub contact: Option<String>,
    /// Who pays.
    pub funding: Option<String>,
    /// Release of the star catalogue, as `Gaia3`.
    pub catalogue: &'static str,
    /// The telescope.
    pub telescope: SubmitTelescope,
    /// Smallest signal-to-noise ratio.
    pub snr_min: f64,
    /// Fewest observations of an object.
    pub detections_min: usize,
    /// Smallest distance to a star, in units of the seeing; 0 = none is held back for a star.
    pub near_star_fwhm: f64,
    /// Largest distance from the predicted place of a known object [arcsec].
    pub identity_max_arcsec: f64,
}

impl Default for Submit {
    fn default() -> Self {
        Self {
            submitter: None,
            institution: None,
            observers: Vec::new(),
            measurers: Vec::new(),
            contact: None,
            funding: None,
            catalogue: "Gaia3",
            telescope: SubmitTelescope::default(),
            snr_min: 5.0,
            detections_min: 3,
            near_star_fwhm: 1.0,
            identity_max_arcsec: 5.0,
        }
    }
}

/// A telescope as the Minor Planet Center wants to know it; what is not given is not told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SubmitTelescope {
    /// Design, as `reflector`.
    pub design: Option<String>,
    /// Aperture [m].
    pub aperture_m: Option<f64>,
    /// Focal ratio.
    pub focal_ratio: Option<f64>,
    /// Detector, as `CCD`.
    pub detector: Option<String>,
    /// Scale of a pixel [arcsec].
    pub pixel_scale_arcsec: Option<f64>,
    /// `CCD` or `CMO`.
    pub mode: Option<&'static str>,
    /// Error of the times [s]; wins over the instrument profile's.
    pub rms_time_s: Option<f64>,
}

impl SubmitTelescope {
    /// These values, and those of another where there are none.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            design: self.design.or_else(|| other.design.clone()),
            aperture_m: self.aperture_m.or(other.aperture_m),
            focal_ratio: self.focal_ratio.or(other.focal_ratio),
            detector: self.detector.or_else(|| other.detector.clone()),
            pixel_scale_arcsec: self.pixel_scale_arcsec.or(other.pixel_scale_arcsec),
            mode: self.mode.or(other.mode),
            rms_time_s: self.rms_time_s.or(other.rms_time_s),
        }
    }
}

/// Section and key of each value of a telescope, for the error's text.
struct TelescopeKeys {
    design: &'static str,
    aperture_m: &'static str,
    focal_ratio: &'static str,
    detector: &'static str,
    pixel_scale_arcsec: &'static str,
    mode: &'static str,
    rms_time_s: &'static str,
}

const PLAIN_KEYS: TelescopeKeys = TelescopeKeys {
    design: "submit.design",
    aperture_m: "submit.aperture_m",
    focal_ratio: "submit.focal_ratio",
    detector: "submit.detector",
    pixel_scale_arcsec: "submit.pixel_scale_arcsec",
    mode: "submit.mode",
    rms_time_s: "submit.rms_time_s",
};
const LISTED_KEYS: TelescopeKeys = TelescopeKeys {
    design: "telescope.design",
    aperture_m: "telescope.aperture_m",
    focal_ratio: "telescope.focal_ratio",
    detector: "telescope.detector",
    pixel_scale_arcsec: "telescope.pixel_scale_arcsec",
    mode: "telescope.mode",
    rms_time_s: "telescope.rms_time_s",
};

/// Checks `[submit]`.
pub(super) fn submit(raw: RawSubmit, checker: &Checker<'_>) -> Result<Submit, ConfigError> {
    let default = Submit::default();
    let form = "1 to 100 characters without | and line breaks, as A. Observer";
    let line = |key, value| checker.optional_text(key, value, is_line, form);
    let own = RawTelescope {
        design: raw.design,
        aperture_m: raw.aperture_m,
        focal_ratio: raw.focal_ratio,
        detector: raw.detector,
        pixel_scale_arcsec: raw.pixel_scale_arcsec,
        mode: raw.mode,
        rms_time_s: raw.rms_time_s,
        ..RawTelescope::default()
    };
    Ok(Submit {
        submitter: line("submit.submitter", raw.submitter)?,
        institution: line("submit.institution", raw.institution)?,
        observers: checker.texts("submit.observers", raw.observers, is_line, form)?,
        measurers: checker.texts("submit.measurers", raw.measurers, is_line, form)?,
        contact: line("submit.contact", raw.contact)?,
        funding: line("submit.funding", raw.funding)?,
        catalogue: checker.word(
            "submit.catalogue",
            raw.catalogue,
            default.catalogue,
            &CATALOGUES,
        )?,
        telescope: telescope(&own, &PLAIN_KEYS, checker)?,
        snr_min: checker.number("submit.snr_min", raw.snr_min, default.snr_min, 0.0..=100.0)?,
        detections_min: checker.whole(
            "submit.detections_min",
            raw.detections_min,
            default.detections_min,
            3..=100,
        )?,
        near_star_fwhm: checker.number(
            "submit.near_star_fwhm",
            raw.near_star_fwhm,
            default.near_star_fwhm,
            0.0..=20.0,
        )?,
        identity_max_arcsec: checker.number(
            "submit.identity_max_arcsec",
            raw.identity_max_arcsec,
            default.identity_max_arcsec,
            0.1..=600.0,
        )?,
    })
}

/// Checks what an entry of `[[telescope]]` says.
pub(super) fn listed(
    raw: &RawTelescope,
    checker: &Checker<'_>,
) -> Result<SubmitTelescope, ConfigError> {
    telescope(raw, &LISTED_KEYS, checker)
}

fn telescope(
    raw: &RawTelescope,
    keys: &TelescopeKeys,
    checker: &Checker<'_>,
) -> Result<SubmitTelescope, ConfigError> {
    let form = "1 to 25 characters without | and line breaks";
    let word =
        |key, value: &Option<String>| checker.optional_text(key, value.clone(), is_word, form);
    let number = |key, value, range| checker.optional_number(key, value, range);
    let mode = match &raw.mode {
        Some(mode) => Some(checker.word(keys.mode, Some(mode.clone()), MODES[0].1, &MODES)?),
        None => None,
    };
    Ok(SubmitTelescope {
        design: word(keys.design, &raw.design)?,
        aperture_m: number(keys.aperture_m, raw.aperture_m, 0.01..=100.0)?,
        focal_ratio: number(keys.focal_ratio, raw.focal_ratio, 0.1..=200.0)?,
        detector: word(keys.detector, &raw.detector)?,
        pixel_scale_arcsec: number(keys.pixel_scale_arcsec, raw.pixel_scale_arcsec, 0.001..=600.0)?,
        mode,
        rms_time_s: number(keys.rms_time_s, raw.rms_time_s, 1e-5..=3600.0)?,
    })
}

fn is_text(text: &str, longest: usize) -> bool {
    let is_plain = text.chars().all(|c| !c.is_control() && c != '|');
    is_plain && !text.trim().is_empty() && text.chars().count() <= longest
}

fn is_line(text: &str) -> bool {
    is_text(text, LINE_LENGTH_MAX)
}

fn is_word(text: &str) -> bool {
    is_text(text, WORD_LENGTH_MAX)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::tests::load_text;

    #[test]
    fn a_listed_telescope_says_what_is_its_own() {
        let text = r#"
            [submit]
            observers = ["A. One", "B. Two"]
            design = "reflector"
            aperture_m = 0.45
            rms_time_s = 0.5
            [[telescope]]
            name = "north"
            incoming = "/n"
            aperture_m = 1.2
            mode = "CMO"
            [[telescope]]
            name = "south"
            incoming = "/s"
        "#;
        let config = load_text(text).unwrap();
        let own = |at: usize| config.for_telescope(&config.telescopes()[at]).submit;
        assert_eq!(own(0).observers, ["A. One", "B. Two"]);
        let north = own(0).telescope;
        assert_eq!((north.aperture_m, north.mode), (Some(1.2), Some("CMO")));
        assert_eq!((north.design.as_deref(), north.rms_time_s), (Some("reflector"), Some(0.5)));
        assert_eq!(own(1).telescope, config.submit.telescope);
        assert_eq!(config.submit.catalogue, "Gaia3");
    }

    #[test]
    fn what_the_schema_refuses_is_refused_here() {
        for wrong in [
            "submitter = \"a|b\"",
            "submitter = \" \"",
            "observers = [\"\"]",
            "design = \"a telescope of a design that nobody knows\"",
            "detections_min = 2",
            "mode = \"EYE\"",
            "catalogue = \"UCAC4\"",
            "rms_time_s = 0",
        ] {
            let told = load_text(&format!("[submit]\n{wrong}\n")).unwrap_err();
            assert!(told[0].to_string().contains("submit."), "{wrong}: {}", told[0]);
        }
    }
}
