//! The telescopes of the observatory: one by the plain sections, or those listed.
//!
//! What an entry of `[[telescope]]` leaves out, `[site]`, `[instrument]` and `[daemon]` say.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use super::check::Checker;
use super::error::ConfigError;
use super::night_pattern::{NightPattern, night_pattern};
use super::profiles::{ProfileChoice, resolve_choice};
use super::raw::{RawSite, RawTelescope};
use super::resolved::Config;
use super::site::{SiteConfig, SiteKeys, site};
use super::submit::{SubmitTelescope, listed};

/// Keys of a telescope's place.
const SITE_KEYS: SiteKeys = SiteKeys {
    latitude_deg: "telescope.latitude_deg",
    longitude_deg: "telescope.longitude_deg",
    height_m: "telescope.height_m",
    mpc_code: "telescope.mpc_code",
};
/// Longest name of a telescope [characters].
const NAME_LENGTH_MAX: usize = 32;

/// A telescope whose frames come in.
#[derive(Debug, Clone, PartialEq)]
pub struct Telescope {
    /// Its name, the start of its nights' names; empty for the only one that needs none.
    pub name: String,
    /// Folder that receives its raw frames.
    pub incoming: PathBuf,
    /// How its files make nights.
    pub night_pattern: NightPattern,
    /// Which profile reads its headers.
    pub profile: ProfileChoice,
    /// Its place.
    pub site: SiteConfig,
    /// What the Minor Planet Center is told of it.
    pub submit: SubmitTelescope,
}

/// One line for a person: `north: /srv/north, nights {date}, profile auto, 37.9800 -2.5700 deg`.
impl fmt::Display for Telescope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "{}: ", self.name)?;
        }
        let (folder, pattern) = (self.incoming.display(), &self.night_pattern);
        write!(f, "{folder}, nights {pattern}, profile {}", self.profile)?;
        if let Some((latitude_deg, longitude_deg)) = self.site.place_deg {
            write!(f, ", {latitude_deg:.4} {longitude_deg:.4} deg")?;
        }
        if let Some(code) = &self.site.mpc_code {
            write!(f, ", code {code}")?;
        }
        if self.site.place_deg.is_none() {
            f.write_str(", place by the headers")?;
        }
        Ok(())
    }
}

impl Config {
    /// The telescopes: those listed, else the one of `[daemon]`, `[site]` and `[instrument]`;
    /// none when no incoming folder is named.
    pub fn telescopes(&self) -> Vec<Telescope> {
        if !self.telescopes.is_empty() {
            return self.telescopes.clone();
        }
        let only = self.daemon.incoming.as_ref().map(|incoming| Telescope {
            name: String::new(),
            incoming: incoming.clone(),
            night_pattern: self.daemon.night_pattern.clone(),
            profile: self.instrument.choice.clone(),
            site: self.site.clone(),
            submit: self.submit.telescope.clone(),
        });
        only.into_iter().collect()
    }

    /// The configuration as one telescope sees it: what is its own stands in the plain sections,
    /// and no other telescope is listed.
    #[must_use]
    pub fn for_telescope(&self, telescope: &Telescope) -> Self {
        let mut config = self.clone();
        config.site = telescope.site.clone();
        config.submit.telescope = telescope.submit.clone();
        config.instrument.choice = telescope.profile.clone();
        config.daemon.incoming = Some(telescope.incoming.clone());
        config.daemon.night_pattern = telescope.night_pattern.clone();
        config.telescopes.retain(|listed| listed.name == telescope.name);
        config
    }
}

/// Checks the list of telescopes.
///
/// * `common`: the other sections, checked; they say what an entry leaves out.
pub(super) fn telescopes(
    raw: Vec<RawTelescope>,
    common: &Config,
    checker: &Checker<'_>,
) -> Result<Vec<Telescope>, ConfigError> {
    if !raw.is_empty() && common.daemon.incoming.is_some() {
        let key = "daemon.incoming";
        return Err(ConfigError::Contradiction {
            place: checker.place(key),
            key,
            other: "[[telescope]]",
            advice: "give each telescope its `incoming` and take this one away",
        });
    }
    let entries = raw.into_iter().enumerate();
    let telescopes = entries
        .map(|(entry, raw)| telescope(raw, common, &checker.entry(entry), entry))
        .collect::<Result<Vec<_>, _>>()?;
    each_for_itself(&telescopes, checker)?;
    Ok(telescopes)
}

fn telescope(
    raw: RawTelescope,
    common: &Config,
    checker: &Checker<'_>,
    entry: usize,
) -> Result<Telescope, ConfigError> {
    let needs = |missing| ConfigError::IncompleteEntry {
        place: checker.entry_places("telescope")[entry].clone(),
        section: "telescope",
        missing,
    };
    let submit = listed(&raw, checker);
    let name = raw.name.ok_or_else(|| needs("name"))?;
    let form = "1 to 32 letters, digits, - and _";
    let name = checker.text("telescope.name", name, is_name, form)?;
    let incoming = checker.optional_path("telescope.incoming", raw.incoming);
    let own_pattern = night_pattern("telescope.night_pattern", raw.night_pattern, checker)?;
    let profile = if raw.profile.is_some() {
        let place = || checker.place("telescope.profile");
        resolve_choice(raw.profile, &common.instrument.profiles, place)?
    } else {
        common.instrument.choice.clone()
    };
    let own_site = RawSite {
        latitude_deg: raw.latitude_deg,
        longitude_deg: raw.longitude_deg,
        height_m: raw.height_m,
        mpc_code: raw.mpc_code,
    };
    let own_site = site(own_site, &SITE_KEYS, checker)?;
    Ok(Telescope {
        name,
        incoming: incoming.ok_or_else(|| needs("incoming"))?,
        night_pattern: own_pattern.unwrap_or_else(|| common.daemon.night_pattern.clone()),
        profile,
        site: SiteConfig {
            place_deg: own_site.place_deg.or(common.site.place_deg),
            height_m: own_site.height_m.or(common.site.height_m),
            mpc_code: own_site.mpc_code.or_else(|| common.site.mpc_code.clone()),
        },
        submit: submit?.or(&common.submit.telescope),
    })
}

fn is_name(text: &str) -> bool {
    let is_allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    (1..=NAME_LENGTH_MAX).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// Refuses two telescopes with one name or with files in common.
fn each_for_itself(telescopes: &[Telescope], checker: &Checker<'_>) -> Result<(), ConfigError> {
    for (later, telescope) in telescopes.iter().enumerate() {
        for (earlier, other) in telescopes.iter().enumerate().take(later) {
            let places = |key| (checker.entry(later).place(key), checker.entry(earlier).place(key));
            if telescope.name.eq_ignore_ascii_case(&other.name) {
                let (place, first) = places("telescope.name");
                return Err(ConfigError::SameName { place, name: other.name.clone(), first });
            }
            let (folder, others) = (plain(&telescope.incoming), plain(&other.incoming));
            if folder.starts_with(&others) || others.starts_with(&folder) {
                let (place, other) = places("telescope.incoming");
                return Err(ConfigError::SharedFolder { place, other });
            }
        }
    }
    Ok(())
}

/// A path without `.` and `..`, by its text alone; links are seen when the service begins.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            _ => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::tests::load_text;
    use super::*;

    const TWO: &str = r#"
        [site]
        latitude_deg = 37.0
        longitude_deg = -2.5
        height_m = 1500.0
        mpc_code = "J75"
        [instrument]
        profile = "maxim"
        [daemon]
        night_pattern = "by-time"
        [[telescope]]
        name = "north"
        incoming = "/srv/north"
        [[telescope]]
        name = "south"
        incoming = "/srv/south"
        night_pattern = "{date}"
        profile = "auto"
        latitude_deg = -30.0
        longitude_deg = 289.0
        height_m = 2400.0
        mpc_code = "809"
    "#;

    #[test]
    fn what_an_entry_leaves_out_the_plain_sections_say() {
        let config = load_text(TWO).unwrap();
        let telescopes = config.telescopes();
        assert_eq!(telescopes.len(), 2);
        let (north, south) = (&telescopes[0], &telescopes[1]);
        assert_eq!((&*north.name, &*north.incoming), ("north", Path::new("/srv/north")));
        assert_eq!(north.site, config.site);
        assert_eq!(north.site.place_deg, Some((37.0, -2.5)));
        assert_eq!(north.night_pattern, NightPattern::ByTime);
        assert_eq!(north.profile, ProfileChoice::Named("maxim".to_owned()));
        assert_eq!(south.site.place_deg, Some((-30.0, 289.0)));
        assert_eq!(south.site.height_m, Some(2400.0));
        assert_eq!(south.site.mpc_code.as_deref(), Some("809"));
        assert_eq!(south.night_pattern, NightPattern::Folders("{date}".to_owned()));
        assert_eq!(south.profile, ProfileChoice::Auto);
        assert_eq!(
            south.to_string(),
            "south: /srv/south, nights {date}, profile auto, -30.0000 289.0000 deg, code 809"
        );
    }

    #[test]
    fn a_telescope_sees_its_own_values_in_the_plain_sections() {
        let config = load_text(TWO).unwrap();
        let south = config.telescopes().pop().unwrap();
        let own = config.for_telescope(&south);
        assert_eq!((&own.site, &own.instrument.choice), (&south.site, &south.profile));
        assert_eq!(own.daemon.incoming.as_ref(), Some(&south.incoming));
        assert_eq!(own.daemon.night_pattern, south.night_pattern);
        assert_eq!(own.telescopes(), std::slice::from_ref(&south));
        assert_eq!(own.limits, config.limits);
    }

    #[test]
    fn the_only_telescope_needs_no_words_of_its_own() {
        let config = load_text("[site]\nmpc_code = \"J75\"\n[daemon]\nincoming = \"/in\"").unwrap();
        let telescopes = config.telescopes();
        assert_eq!(telescopes.len(), 1);
        assert_eq!((&*telescopes[0].name, &*telescopes[0].incoming), ("", Path::new("/in")));
        assert_eq!(telescopes[0].site, config.site);
        assert_eq!(
            telescopes[0].to_string(),
            "/in, nights {name}, profile auto, code J75, place by the headers"
        );
        assert_eq!(config.for_telescope(&telescopes[0]), config);
        assert!(load_text("").unwrap().telescopes().is_empty(), "no folder, no telescope");
    }

    #[test]
    fn names_are_short_and_plain() {
        assert!(is_name("T1") && is_name("north-1_b") && is_name(&"x".repeat(32)));
        for wrong in ["", "a.b", "a b", "ñ", "a/b", &"x".repeat(33)] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn folders_are_compared_without_detours() {
        assert_eq!(plain(Path::new("/a/./b/../c/")), Path::new("/a/c"));
        assert_eq!(plain(Path::new("../a/../../b")), Path::new("../../b"));
        assert!(!plain(Path::new("/srv/north2")).starts_with(plain(Path::new("/srv/north"))));
    }
}
