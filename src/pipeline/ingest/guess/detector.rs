//! The detector: gain, noise, saturation, overscan, binning, temperature, flips.

use super::super::lookup::parse_number;
use super::super::profile::NumberRule;
use super::super::section::parse_section;
use super::super::{Profile, generic};
use super::draft::{Draft, pairs, quoted};
use super::seen::Seen;

/// Gains of detectors [e-/ADU]; a larger number is a setting of the camera.
const GAIN_SANE: std::ops::RangeInclusive<f64> = 0.02..=30.0;
/// Read noises of detectors [e-].
const NOISE_SANE: std::ops::RangeInclusive<f64> = 0.3..=100.0;
/// ESO's keywords of the first output's gain [e-/ADU] and noise [e-], and of its binning.
const ESO_GAIN: &str = "ESO DET OUT1 CONAD";
const ESO_NOISE: &str = "ESO DET OUT1 RON";
const ESO_BINNING: (&str, &str) = ("ESO DET WIN1 BINX", "ESO DET WIN1 BINY");
/// Most amplifiers that are looked for.
const AMPLIFIERS_MAX: u8 = 99;
/// Assumed end of linearity of a camera that stores 16 bits [ADU].
const SATURATION_16_BIT: &str = "60000.0";
/// Value of BZERO by which unsigned 16-bit numbers are stored.
const BZERO_16_BIT: f64 = 32_768.0;

/// Writes all tables of the detector.
pub(super) fn write(seen: &Seen<'_>, draft: &mut Draft) {
    if !write_amplifiers(seen, draft) {
        let profile = generic();
        let gain = ("gain_e_per_adu", "gain", GAIN_SANE, "[e-/ADU]");
        write_number(seen, draft, (&profile.gain_e_per_adu, ESO_GAIN), gain);
        let noise = ("read_noise_e", "read noise", NOISE_SANE, "[e-]");
        write_number(seen, draft, (&profile.read_noise_e, ESO_NOISE), noise);
    }
    write_saturation(seen, draft);
    write_sections(seen, draft);
    write_binning(seen, draft);
    write_temperature_and_flip(seen, draft);
}

/// A number by keywords whose values are sane; others are told.
fn write_number(
    seen: &Seen<'_>,
    draft: &mut Draft,
    (rule, further): (&NumberRule, &str),
    (table, name, sane, unit): (&str, &str, std::ops::RangeInclusive<f64>, &str),
) {
    let number = |text: &str| parse_number(text);
    let known: Vec<&str> = rule.keywords.iter().map(String::as_str).chain([further]).collect();
    let all = seen.present(known, &|text| number(text).is_some());
    let (fine, odd): (Vec<String>, Vec<String>) = all
        .into_iter()
        .partition(|keyword| seen.numbers(keyword).iter().all(|value| sane.contains(value)));
    draft.table(&format!("[{table}]"));
    for keyword in &odd {
        draft.doubt(&format!(
            "{} is no {name} in {unit}, perhaps a setting of the camera; not used.",
            seen.told(keyword)
        ));
    }
    match fine.first() {
        Some(first) => draft.why(&seen.told(first)),
        None => draft.doubt(&format!(
            "No keyword of the {name} was found: it is measured on the night's flats and biases; \
             without those, put it here: measured = ... {unit}."
        )),
    }
    draft.list("keywords", &fine);
}

/// Gain and noise that are listed per amplifier; tells whether they are.
fn write_amplifiers(seen: &Seen<'_>, draft: &mut Draft) -> bool {
    let stem = |phrases: &[&str]| {
        let stems: Vec<String> = seen
            .commented(phrases)
            .iter()
            .filter_map(|keyword| keyword.strip_suffix("01").map(str::to_owned))
            .collect();
        stems.into_iter().next()
    };
    let used = stem(&["if used", "in use"]);
    let gain = stem(&["gain"]);
    let noise = stem(&["read noise", "readnoise", "read-noise", "readout noise"]);
    let (Some(used), Some(gain), Some(noise)) = (used, gain, noise) else {
        return false;
    };
    let is_there = |n: &u8| !seen.distinct(&format!("{used}{n:02}")).is_empty();
    let count = (1..=AMPLIFIERS_MAX).take_while(is_there).count();
    draft.table("[amplifier]");
    draft.why("Gain and noise stand per amplifier; a mark says which one was read.");
    for stem in [&used, &gain, &noise] {
        draft.why(&seen.told(&format!("{stem}01")));
    }
    draft.doubt(
        "Headers' gains are often old. The night's flats and biases are measured and win; a \
         number that you trust more goes into [gain_e_per_adu] and [read_noise_e]: measured = ...",
    );
    draft.key("count", &count.to_string());
    for (key, stem) in [("used", used), ("gain", gain), ("read_noise", noise)] {
        draft.key(key, &quoted(&format!("{stem}{{nn}}")));
    }
    true
}

fn write_saturation(seen: &Seen<'_>, draft: &mut Draft) {
    let rule = &generic().saturation_adu;
    let is_level = |text: &str| parse_number(text).is_some_and(|level| level > 1.0);
    let found = seen.present(rule.keywords.iter().map(String::as_str), &is_level);
    draft.table("[saturation_adu]");
    if let Some(first) = found.first() {
        draft.why(&seen.told(first));
        draft.list("keywords", &found);
        return;
    }
    let is_16_bit = seen.constant("BITPIX").as_deref() == Some("16")
        && seen.numbers("BZERO").iter().any(|zero| (zero - BZERO_16_BIT).abs() < 0.5);
    if is_16_bit {
        draft.doubt(
            "No keyword of the saturation: a little below the end of 16 bits is assumed. Cameras \
             of 12 or 14 bits, or with a small full well, end earlier: look at a saturated star.",
        );
        draft.key("assumed", SATURATION_16_BIT);
    } else {
        draft.doubt("No keyword of the saturation: put the level here: assumed = ... [ADU].");
    }
}

fn write_sections(seen: &Seen<'_>, draft: &mut Draft) {
    let rule = &generic().sections;
    let is_section = |text: &str| parse_section(text).is_some();
    let overscan = seen.present(rule.overscan.iter().map(String::as_str), &is_section);
    let trim = seen.present(rule.trim.iter().map(String::as_str), &is_section);
    let is_number = |text: &str| parse_number(text).is_some();
    let window: Vec<(String, String)> = rule
        .window_origin
        .iter()
        .filter(|(x, y)| !seen.present([x.as_str(), y.as_str()], &is_number).is_empty())
        .cloned()
        .collect();
    draft.table("[sections]");
    for keyword in overscan.first().into_iter().chain(trim.first()) {
        draft.why(&seen.told(keyword));
    }
    if overscan.is_empty() {
        let hints: Vec<String> = ["PRESCAN", "POSTSCAN", "OVERSCAN", "OVRSCAN"]
            .into_iter()
            .filter(|keyword| seen.numbers(keyword).iter().any(|n| *n > 0.0))
            .map(|keyword| seen.told(keyword))
            .collect();
        if hints.is_empty() {
            draft.why("No overscan is named; when there is one: overscan_assumed = \"[a:b,c:d]\".");
        } else {
            draft.doubt(&format!(
                "There seems to be an overscan ({}), but no section of it: write \
                 overscan_assumed and trim_assumed = \"[first:last,first:last]\", pixels from 1.",
                hints.join("; ")
            ));
        }
    }
    draft.list("overscan", &overscan);
    draft.list("trim", &trim);
    if !window.is_empty() {
        draft.key("window_origin", &pairs(&window));
    }
}

fn write_binning(seen: &Seen<'_>, draft: &mut Draft) {
    let rule = &generic().binning;
    let has = |keyword: &str| !seen.distinct(keyword).is_empty();
    let eso = (ESO_BINNING.0.to_owned(), ESO_BINNING.1.to_owned());
    let known = rule.keywords.iter().cloned().chain([eso]);
    let found: Vec<(String, String)> = known.filter(|(x, y)| has(x) && has(y)).collect();
    let both: Vec<String> = rule.both.iter().filter(|keyword| has(keyword)).cloned().collect();
    draft.table("[binning]");
    match found.first().map(|(x, _)| x).or(both.first()) {
        Some(first) => draft.why(&seen.told(first)),
        None => draft.why("No keyword of the binning was found: 1 x 1."),
    }
    if !found.is_empty() {
        draft.key("keywords", &pairs(&found));
    }
    draft.list("both", &both);
}

fn write_temperature_and_flip(seen: &Seen<'_>, draft: &mut Draft) {
    let profile: &Profile = generic();
    let is_number = |text: &str| parse_number(text).is_some();
    let known = profile.temperature_c.keywords.iter().map(String::as_str);
    let temperatures = seen.present(known.chain(["TEMPERAT", "CCDTEMPE", "DETTEM"]), &is_number);
    draft.table("[temperature_c]");
    match temperatures.first() {
        Some(first) => draft.why(&seen.told(first)),
        None => draft.why("No keyword of the detector's temperature was found."),
    }
    draft.list("keywords", &temperatures);
    let is_there = |keyword: &&String| seen.samples.iter().any(|s| s.header.contains(keyword));
    let flips: Vec<String> = profile.flip.keywords.iter().filter(is_there).cloned().collect();
    if !flips.is_empty() {
        draft.table("[flip]");
        draft.why("Whether software turned the frame after a meridian flip.");
        draft.why(&seen.told(&flips[0]));
        draft.list("keywords", &flips);
        draft.list("turned", &profile.flip.turned);
    }
}
