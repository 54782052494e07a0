//! The header: who observed with what, from the configuration.

use std::fmt::Display;

use crate::config::Config;
use crate::formats::ades::number::plain;
use crate::formats::ades::{AdesError, Header, HeaderKey};
use crate::formats::obs80;

/// Header lines in ADES; what the configuration does not say is left out.
pub(super) fn ades_header(config: &Config, station: Option<&str>) -> Result<Header, AdesError> {
    let (submit, telescope) = (&config.submit, &config.submit.telescope);
    let software = concat!("autossos ", env!("CARGO_PKG_VERSION"));
    let number = |value: Option<f64>, decimals| plain(value?, decimals, 6);
    let mut header = Header::default();
    let mut lines: Vec<(HeaderKey, String)> = Vec::new();
    let mut optional = |key, value: Option<String>| lines.extend(value.map(|value| (key, value)));
    optional(HeaderKey::ObservatoryCode, station.map(str::to_owned));
    optional(HeaderKey::SubmitterName, submit.submitter.clone());
    optional(HeaderKey::SubmitterInstitution, submit.institution.clone());
    optional(HeaderKey::TelescopeDesign, telescope.design.clone());
    optional(HeaderKey::TelescopeAperture, number(telescope.aperture_m, 2));
    optional(HeaderKey::TelescopeDetector, telescope.detector.clone());
    optional(HeaderKey::TelescopeFRatio, number(telescope.focal_ratio, 1));
    optional(HeaderKey::TelescopePixelScale, number(telescope.pixel_scale_arcsec, 3));
    optional(HeaderKey::SoftwareAstrometry, Some(software.to_owned()));
    optional(HeaderKey::SoftwarePhotometry, Some(software.to_owned()));
    optional(HeaderKey::SoftwareObjectDetection, Some(software.to_owned()));
    optional(HeaderKey::FundingSource, submit.funding.clone());
    let names = |key, names: &[String]| -> Vec<(HeaderKey, String)> {
        names.iter().map(|name| (key, name.clone())).collect()
    };
    lines.extend(names(HeaderKey::Observer, &submit.observers));
    lines.extend(names(HeaderKey::Measurer, &submit.measurers));
    for (key, value) in lines {
        header.add(key, &value)?;
    }
    Ok(header)
}

/// The keys that must be set before anything can be sent, and are not.
pub(super) fn missing_keys(config: &Config, station: Option<&str>) -> Vec<&'static str> {
    let (submit, telescope) = (&config.submit, &config.submit.telescope);
    let needed = [
        ("site.mpc_code", station.is_some()),
        ("submit.submitter", submit.submitter.is_some()),
        ("submit.observers", !submit.observers.is_empty()),
        ("submit.measurers", !submit.measurers.is_empty()),
        ("submit.design", telescope.design.is_some()),
        ("submit.aperture_m", telescope.aperture_m.is_some()),
        ("submit.detector", telescope.detector.is_some()),
    ];
    needed.into_iter().filter(|(_, is_set)| !is_set).map(|(key, _)| key).collect()
}

/// Header lines of a report in 80 columns.
pub(super) fn header_80(config: &Config, station: &str, night: &str) -> String {
    let (submit, telescope) = (&config.submit, &config.submit.telescope);
    let part = |text: &str, value: Option<&dyn Display>| {
        value.map_or_else(String::new, |value| text.replace("{}", &value.to_string()))
    };
    let as_display = |value: &'_ Option<f64>| value.map(|v| v.to_string());
    let aperture = as_display(&telescope.aperture_m);
    let ratio = as_display(&telescope.focal_ratio);
    let of_text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
    let instrument = [
        part("{}-m ", aperture.as_ref().map(|v| v as &dyn Display)),
        part("f/{} ", ratio.as_ref().map(|v| v as &dyn Display)),
        part("{} ", telescope.design.as_ref().map(|v| v as &dyn Display)),
        part("+ {}", telescope.detector.as_ref().map(|v| v as &dyn Display)),
    ]
    .concat();
    let contact: Vec<String> = [&submit.submitter, &submit.institution, &submit.contact]
        .into_iter()
        .map(of_text)
        .filter(|text| !text.is_empty())
        .collect();
    let catalogue = match submit.catalogue {
        "Gaia1" => "Gaia-DR1",
        "Gaia2" => "Gaia-DR2",
        "Gaia3E" => "Gaia-EDR3",
        _ => "Gaia-DR3",
    };
    obs80::header(&[
        ("COD", station),
        ("CON", &contact.join(", ")),
        ("OBS", &submit.observers.join(", ")),
        ("MEA", &submit.measurers.join(", ")),
        ("TEL", &instrument),
        ("NET", catalogue),
        ("ACK", &format!("autossos {night}")),
    ])
}
