//! Reading profiles from TOML, and those that are built into the program.

use std::sync::LazyLock;

use thiserror::Error;

use super::profile::{NumberRule, Profile};

/// File names and texts of the shipped profiles, the most specific first.
const SHIPPED: [(&str, &str); 6] = [
    ("lowell-nasa42.toml", include_str!("../../../config/profiles/lowell-nasa42.toml")),
    ("cafos.toml", include_str!("../../../config/profiles/cafos.toml")),
    ("lsss.toml", include_str!("../../../config/profiles/lsss.toml")),
    ("maxim.toml", include_str!("../../../config/profiles/maxim.toml")),
    ("ing.toml", include_str!("../../../config/profiles/ing.toml")),
    ("generic.toml", GENERIC_TOML),
];
/// The profile of any camera, for those that are made from it.
pub const GENERIC_TOML: &str = include_str!("../../../config/profiles/generic.toml");
/// A profile with every key and its meaning, to be copied.
pub const TEMPLATE_TOML: &str = include_str!("../../../config/profile-template.toml");
/// Largest difference of a civil clock from UTC [h]: the Line Islands keep UTC+14.
pub(super) const OFFSET_MAX_HOURS: f64 = 14.0;
/// Longest keyword that is looked up: a HIERARCH card's name fits one card [characters].
const KEYWORD_LENGTH_MAX: usize = 72;

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let parse = |&(_, text): &(&str, &str)| {
        Profile::parse(text).expect("shipped profiles are parsed by a test")
    };
    SHIPPED.iter().map(parse).collect()
});

/// Why a profile's text is no profile.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The text is not TOML, or not of a profile's shape.
    #[error("the profile cannot be read")]
    Parse {
        /// Line, column and cause.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The name is empty, `auto`, or has characters other than `a-z A-Z 0-9 - _ .`.
    #[error("`{name}` cannot be a profile's name: use letters, digits, `-`, `_`, `.`; not `auto`")]
    Name {
        /// The name found.
        name: String,
    },
    /// A keyword is empty, too long or not printable ASCII.
    #[error("`{keyword}` in the rule `{rule}` cannot be a header keyword")]
    Keyword {
        /// Rule of the profile.
        rule: &'static str,
        /// The keyword found.
        keyword: String,
    },
    /// A number of the profile is outside its range.
    #[error("`{rule}` is {value}; allowed are {min} to {max}")]
    OutOfRange {
        /// Key of the profile.
        rule: &'static str,
        /// The value found.
        value: f64,
        /// Least allowed value.
        min: f64,
        /// Greatest allowed value.
        max: f64,
    },
}

impl Profile {
    /// Reads and checks the text of a profile.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text)
            .map_err(|source| ProfileError::Parse { source: Box::new(source) })?;
        profile.check()?;
        Ok(profile)
    }

    /// Checks what the types cannot: name, keywords and ranges.
    fn check(&self) -> Result<(), ProfileError> {
        let is_name_char = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || self.name == "auto" || !self.name.chars().all(is_name_char) {
            return Err(ProfileError::Name { name: self.name.clone() });
        }
        self.check_keywords()?;
        let time = &self.time;
        in_range(
            "time.utc_offset_hours",
            time.utc_offset_hours,
            -OFFSET_MAX_HOURS,
            OFFSET_MAX_HOURS,
        )?;
        in_range("time.shutter_offset_s", time.shutter_offset_s, -3600.0, 3600.0)?;
        in_range("time.uncertainty_s", time.uncertainty_s, 0.0, 86_400.0)?;
        let dark = &self.calibration;
        in_range("calibration.dark_ratio_min", dark.dark_ratio_min, 0.0, 1.0)?;
        in_range("calibration.dark_ratio_max", dark.dark_ratio_max, 1.0, 1e3)?;
        if let Some(rule) = &self.amplifier {
            in_range("amplifier.count", f64::from(rule.count), 1.0, 99.0)?;
        }
        let number = |name, rule: &NumberRule, min, max| {
            [rule.measured, rule.assumed]
                .into_iter()
                .flatten()
                .try_for_each(|value| in_range(name, value, min, max))
        };
        number("exposure_s", &self.exposure_s, 0.0, 86_400.0)?;
        number("gain_e_per_adu", &self.gain_e_per_adu, 1e-3, 1e3)?;
        number("read_noise_e", &self.read_noise_e, 0.0, 1e4)?;
        number("saturation_adu", &self.saturation_adu, 1.0, 1e9)?;
        number("temperature_c", &self.temperature_c, -273.15, 100.0)?;
        number("pixel_scale.pixel_size_um", &self.pixel_scale.pixel_size_um, 0.1, 1e3)?;
        number("pixel_scale.focal_length_mm", &self.pixel_scale.focal_length_mm, 1.0, 1e6)?;
        if let Some(scale) = self.pixel_scale.unbinned_measured_arcsec {
            in_range("pixel_scale.unbinned_measured_arcsec", scale, 1e-3, 1e3)?;
        }
        Ok(())
    }

    /// Checks the names of all keywords.
    fn check_keywords(&self) -> Result<(), ProfileError> {
        let scale = &self.pixel_scale;
        let lists: [(&'static str, &[String]); 21] = [
            ("kind", &self.kind.keywords),
            ("exposure_s", &self.exposure_s.keywords),
            ("filter", &self.filter),
            ("object", &self.object),
            ("instrument", &self.instrument),
            ("pointing.equinox", &self.pointing.equinox),
            ("pixel_scale", &scale.keywords),
            ("pixel_scale.unbinned_keywords", &scale.unbinned_keywords),
            ("pixel_scale.pixel_size_um", &scale.pixel_size_um.keywords),
            ("pixel_scale.focal_length_mm", &scale.focal_length_mm.keywords),
            ("gain_e_per_adu", &self.gain_e_per_adu.keywords),
            ("read_noise_e", &self.read_noise_e.keywords),
            ("saturation_adu", &self.saturation_adu.keywords),
            ("sections.overscan", &self.sections.overscan),
            ("sections.trim", &self.sections.trim),
            ("binning.both", &self.binning.both),
            ("temperature_c", &self.temperature_c.keywords),
            ("flip", &self.flip.keywords),
            ("site.latitude", &self.site.latitude),
            ("site.longitude", &self.site.longitude),
            ("site.height_m", &self.site.height_m),
        ];
        for (rule, keywords) in lists {
            keywords.iter().try_for_each(|keyword| is_keyword(rule, keyword))?;
        }
        for (ra, dec) in &self.pointing.keywords {
            is_keyword("pointing", ra)?;
            is_keyword("pointing", dec)?;
        }
        for (x, y) in &self.binning.keywords {
            is_keyword("binning", x)?;
            is_keyword("binning", y)?;
        }
        for (x, y) in &self.sections.window_origin {
            is_keyword("sections.window_origin", x)?;
            is_keyword("sections.window_origin", y)?;
        }
        for stamp in &self.time.stamps {
            let all = [&stamp.date, &stamp.time, &stamp.end_time, &stamp.mjd];
            all.into_iter().flatten().try_for_each(|keyword| is_keyword("time.stamps", keyword))?;
        }
        let conditions = self.matches.iter().flat_map(|entry| &entry.all);
        conditions.into_iter().try_for_each(|condition| is_keyword("matches", &condition.keyword))
    }
}

/// The shipped profiles, the most specific first.
pub fn shipped() -> &'static [Profile] {
    &PROFILES
}

/// The shipped profile of last resort.
pub fn generic() -> &'static Profile {
    PROFILES.last().expect("the list of shipped profiles is not empty")
}

fn is_keyword(rule: &'static str, keyword: &str) -> Result<(), ProfileError> {
    let is_fine = !keyword.trim().is_empty()
        && keyword.len() <= KEYWORD_LENGTH_MAX
        && keyword.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_fine {
        return Ok(());
    }
    Err(ProfileError::Keyword { rule, keyword: keyword.to_owned() })
}

fn in_range(rule: &'static str, value: f64, min: f64, max: f64) -> Result<(), ProfileError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ProfileError::OutOfRange { rule, value, min, max })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_shipped_profile_is_read_and_named_like_its_file() {
        for (file, text) in SHIPPED {
            let profile = Profile::parse(text).unwrap_or_else(|error| panic!("{file}: {error:?}"));
            assert_eq!(format!("{}.toml", profile.name), file);
        }
        assert_eq!(generic().name, "generic");
    }

    #[test]
    fn the_template_is_a_profile_and_names_every_key() {
        Profile::parse(TEMPLATE_TOML).unwrap();
        // Whatever is only remarked is a key as well.
        let bare: String = TEMPLATE_TOML
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(key) if !key.starts_with([' ', '\0']) => format!("{key}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        Profile::parse(&bare).unwrap();
        let fields = include_str!("profile.rs").lines().filter_map(|line| {
            line.strip_prefix("    pub ")?.split_once(':').map(|(name, _)| name)
        });
        for field in fields {
            assert!(bare.contains(field), "the template does not show `{field}`");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = Profile::parse("name = 'x'\nexposure = ['EXPTIME']\n").unwrap_err();
        assert!(matches!(error, ProfileError::Parse { .. }));
    }

    #[test]
    fn wrong_names_keywords_and_numbers_are_refused() {
        assert!(matches!(Profile::parse("name = 'auto'"), Err(ProfileError::Name { .. })));
        assert!(matches!(
            Profile::parse("name = 'x'\nfilter = ['']"),
            Err(ProfileError::Keyword { rule: "filter", .. })
        ));
        assert!(matches!(
            Profile::parse("name = 'x'\n[time]\nutc_offset_hours = 25"),
            Err(ProfileError::OutOfRange { .. })
        ));
        assert!(matches!(
            Profile::parse("name = 'x'\n[gain_e_per_adu]\nmeasured = nan"),
            Err(ProfileError::OutOfRange { .. })
        ));
    }
}
