//! A telescope's place: the section `[site]` and the same keys of a listed telescope.

use super::check::Checker;
use super::error::ConfigError;
use super::raw::RawSite;

/// A telescope's place; wins over the header's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SiteConfig {
    /// Latitude, north positive; longitude, east positive [deg].
    pub place_deg: Option<(f64, f64)>,
    /// Height above the ellipsoid [m].
    pub height_m: Option<f64>,
    /// Observatory code of the Minor Planet Center.
    pub mpc_code: Option<String>,
}

/// Section and key of each value, for the error's text.
pub(super) struct SiteKeys {
    pub(super) latitude_deg: &'static str,
    pub(super) longitude_deg: &'static str,
    pub(super) height_m: &'static str,
    pub(super) mpc_code: &'static str,
}

impl SiteKeys {
    /// Those of the section `[site]`.
    pub(super) const PLAIN: Self = Self {
        latitude_deg: "site.latitude_deg",
        longitude_deg: "site.longitude_deg",
        height_m: "site.height_m",
        mpc_code: "site.mpc_code",
    };
}

/// Checks a place.
pub(super) fn site(
    raw: RawSite,
    keys: &SiteKeys,
    checker: &Checker<'_>,
) -> Result<SiteConfig, ConfigError> {
    let (latitude, longitude) = (keys.latitude_deg, keys.longitude_deg);
    let latitude_deg = checker.optional_number(latitude, raw.latitude_deg, -90.0..=90.0)?;
    let longitude_deg = checker.optional_number(longitude, raw.longitude_deg, -180.0..=360.0)?;
    let alone = |key, missing| ConfigError::Incomplete { place: checker.place(key), key, missing };
    let place_deg = match (latitude_deg, longitude_deg) {
        (Some(latitude_deg), Some(longitude_deg)) => Some((latitude_deg, longitude_deg)),
        (None, None) => None,
        (Some(_), None) => return Err(alone(latitude, longitude)),
        (None, Some(_)) => return Err(alone(longitude, latitude)),
    };
    let is_code = |text: &str| text.len() == 3 && text.bytes().all(|c| c.is_ascii_alphanumeric());
    let form = "three letters or digits, as 688";
    Ok(SiteConfig {
        place_deg,
        height_m: checker.optional_number(keys.height_m, raw.height_m, -500.0..=20_000.0)?,
        mpc_code: checker.optional_text(keys.mpc_code, raw.mpc_code, is_code, form)?,
    })
}
