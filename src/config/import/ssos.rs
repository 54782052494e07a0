//! `default.ssos` (seeds.md 2.2).

use super::rules::{Row, Rule, key, translate as by_table};
use super::syntax::{Word, flag, quoted, real};
use super::{Fate, ImportedKey};

const FILE_TOO: &str = "import that file as well";
/// Smallest and largest side of a cut-out [px].
const SIDE_PX: (i64, i64) = (15, 255);
const OUTLIER: &str = "OUTLIER_THRESHOLD";

pub(super) const RULES: &[Row] = &[
    ("SCI_EXTENSION", Rule::By(extensions)),
    ("WEIGHT_IMAGES", Rule::By(weights)),
    ("DATE-OBS", Rule::Only("DATE-OBS", KEYWORD, OTHER_KEYWORD)),
    ("FILTER", Rule::Only("FILTER", KEYWORD, OTHER_KEYWORD)),
    ("EXPTIME", Rule::Only("EXPTIME", KEYWORD, OTHER_KEYWORD)),
    ("SEX_CONFIG", Rule::Idle(FILE_TOO)),
    ("SEX_PARAMS", Rule::Idle(FILE_TOO)),
    ("SEX_FILTER", Rule::Idle(FILE_TOO)),
    ("SEX_NNW", Rule::Idle("stars are told by the frame's own point spread function")),
    ("SCAMP_CONFIG", Rule::Idle(FILE_TOO)),
    (
        "REMOVE_REF_SOURCES",
        Rule::Idle(
            "sources at the catalogue's places of the night, proper motion and all, are never \
             linked, and neither is what shines at its place at other times",
        ),
    ),
    ("SWARP_CONFIG", Rule::Idle("cut-outs are resampled without SWarp")),
    ("FILTER_DETEC", Rule::Cut("detections")),
    ("DETECTIONS", Rule::Text("filter.unwanted_detections")),
    ("FILTER_PM", Rule::Cut("proper_motion")),
    ("PM_LOW", Rule::Number("filter.rate_low_arcsec_per_h")),
    ("PM_UP", Rule::Number("filter.rate_up_arcsec_per_h")),
    ("PM_SNR", Rule::Number("filter.rate_snr_min")),
    ("FILTER_PIXEL", Rule::Cut("pixel")),
    ("DELTA_PIXEL", Rule::Number("filter.shift_min_px")),
    ("FILTER_MOTION", Rule::Cut("motion")),
    ("R_SQU_M", Rule::Number("filter.r2_ratio_min")),
    ("FILTER_TRAIL", Rule::Cut("trail")),
    ("RATIO", Rule::Number("filter.trail_ratio_min")),
    ("FILTER_BRIGHT_SOURCES", Rule::Cut("bright_sources")),
    (
        "BRIGHT_SOURCES_CAT",
        Rule::Only(
            "REFCAT",
            "bright stars are those of the reference catalogue",
            "bright stars are those of the reference catalogue; other lists are not read",
        ),
    ),
    ("DISTANCE", Rule::Number("filter.bright_distance_arcsec")),
    ("CROSSMATCH_SKYBOT", Rule::By(crossmatch)),
    ("CROSSMATCH_RADIUS", Rule::Number("known.radius_arcsec")),
    ("OBSERVATORY_CODE", Rule::By(observatory)),
    ("FOV_DIMENSIONS", Rule::Idle("the field asked for is that of the plate solution")),
    ("EXTRACT_CUTOUTS", Rule::By(cutouts)),
    ("CUTOUT_SIZE", Rule::By(cutout_side)),
    ("FIXED_APER_MAGS", Rule::Flag("photometry.fixed_apertures")),
    ("REFERENCE_FILTER", Rule::By(filters)),
    (
        "CHECKPLOTS",
        Rule::Idle("the charts are on each night's page; `export` writes them as files"),
    ),
];

const KEYWORD: &str = "the instrument profile names it, with the usual variants";
const OTHER_KEYWORD: &str =
    "name this keyword in an instrument profile (`autossosctl profile guess` proposes one)";

fn crossmatch(value: &str) -> Fate {
    match flag(value) {
        Some(true) => Fate::Set { key: "known.source", value: quoted("both") },
        Some(false) => Fate::Set { key: "known.source", value: quoted("none") },
        None => Fate::Refused("is no yes or no: set known.source by hand".to_owned()),
    }
}

/// Numbers of HDUs, which ssos counts as we do.
fn extensions(value: &str) -> Fate {
    if value.eq_ignore_ascii_case("all") {
        return Fate::NotNeeded("every image of the sky in a file is a frame".to_owned());
    }
    let numbers: Option<Vec<String>> =
        value.split(',').map(|n| n.trim().parse::<u32>().ok().map(|n| n.to_string())).collect();
    match numbers {
        Some(numbers) => {
            let listed: Vec<String> = numbers.iter().map(|n| quoted(n)).collect();
            let value = format!("[{}]", listed.join(", "));
            Fate::Set { key: "instrument.extensions", value }
        }
        None => Fate::Refused(
            "is no list of numbers: set instrument.extensions by hand, by numbers or names"
                .to_owned(),
        ),
    }
}

fn weights(value: &str) -> Fate {
    if flag(value) == Some(false) {
        let why = "every frame's noise is followed pixel by pixel from detector and masters";
        return Fate::NotNeeded(why.to_owned());
    }
    Fate::Set { key: "calibrate.weight_dir", value: quoted(value) }
}

fn filters(value: &str) -> Fate {
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(quoted).collect();
    Fate::Set { key: "photometry.reference_filters", value: format!("[{}]", names.join(", ")) }
}

fn observatory(value: &str) -> Fate {
    if value == "500" {
        return Fate::NotNeeded("500 is the Earth's centre: no code at all".to_owned());
    }
    Fate::Set { key: "site.mpc_code", value: quoted(value) }
}

fn cutouts(value: &str) -> Fate {
    match flag(value) {
        Some(true) => Fate::NotNeeded("candidates get cut-outs".to_owned()),
        Some(false) => Fate::Set { key: "cutouts.candidates_max", value: "0".to_owned() },
        None => Fate::Refused("is no yes or no: set cutouts.candidates_max by hand".to_owned()),
    }
}

/// As it is, within what cut-outs can be.
fn cutout_side(value: &str) -> Fate {
    match value.parse::<i64>() {
        Ok(side) => {
            let value = side.clamp(SIDE_PX.0, SIDE_PX.1).to_string();
            Fate::Set { key: "cutouts.side_px", value }
        }
        Err(_) => Fate::Refused("is no whole number: set cutouts.side_px by hand".to_owned()),
    }
}

/// All keys; those that belong together are looked at together.
pub(super) fn translate(words: &[Word<'_>]) -> Vec<ImportedKey> {
    let groups = words.iter().rev().find(|word| word.key == "IDENTIFY_OUTLIER");
    let is_grouped = groups.and_then(|word| flag(word.value)).unwrap_or(false);
    words
        .iter()
        .map(|word| match word.key {
            "IDENTIFY_OUTLIER" => {
                let why = format!("filter.gap_factor is {OUTLIER} with it and 0 without");
                key(*word, vec![Fate::NotNeeded(why)])
            }
            OUTLIER if is_grouped => {
                key(*word, vec![Rule::Number("filter.gap_factor").fate(word.value)])
            }
            OUTLIER => {
                let why = "is of IDENTIFY_OUTLIER only, which is off";
                key(*word, vec![Fate::NotNeeded(why.to_owned())])
            }
            "MAG_LIMITS" => key(*word, limits(word.value)),
            _ => by_table(std::slice::from_ref(word), RULES).remove(0),
        })
        .collect()
}

/// `MAG_LIMITS -99,6`.
fn limits(value: &str) -> Vec<Fate> {
    let parts: Vec<Option<f64>> = value.split(',').map(|part| part.trim().parse().ok()).collect();
    let [Some(low), Some(high)] = parts[..] else {
        return vec![Fate::Refused("is no pair of magnitudes".to_owned())];
    };
    vec![
        Fate::Set { key: "filter.bright_mag_min", value: real(low) },
        Fate::Set { key: "filter.bright_mag_max", value: real(high) },
    ]
}
