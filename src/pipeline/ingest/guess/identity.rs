//! Which keywords tell the camera from others, and what a frame is of: filter, target.

use super::super::choose::{choose_profile, specificity};
use super::super::{generic, shipped};
use super::draft::{Draft, array, quoted};
use super::seen::Seen;

/// Keywords that may name the camera, the surest first.
const CAMERAS: [&str; 10] = [
    "INSTRUME", "CAMERA", "CAMNAME", "CAMERAID", "LCAMMOD", "DETNAME", "DETECTOR", "CCDNAME",
    "DETID", "CHIPID",
];
/// Keywords that may name the telescope or its place, the surest first.
const TELESCOPES: [&str; 7] =
    ["TELESCOP", "LTELMOD", "TELNAME", "OBSERVAT", "SITENAME", "OBSERVER_SITE", "ORIGIN"];
/// Programs; their presence tells cameras apart, their version does not.
const PROGRAMS: [&str; 6] = ["SWCREATE", "LOISVERS", "CREATOR", "PROGRAM", "SOFTWARE", "SWVERSIO"];
/// Further keywords of filters and targets than the generic profile's.
const FILTERS: [&str; 8] = [
    "CLRBAND",
    "FILTER2",
    "FILTERS",
    "FILTERNAME",
    "FLTNAME",
    "FILTNM",
    "WFFBAND",
    "ESO INS FILT1 NAME",
];
/// Longest value that recognises a camera [characters]; what is longer holds more than a name.
const VALUE_LENGTH_MAX: usize = 60;

/// Keywords of the camera, then of the telescope, whose value is the same in all files.
fn constants(seen: &Seen<'_>) -> Vec<(String, String)> {
    let fixed = |keywords: &[&str]| -> Option<(String, String)> {
        keywords.iter().find_map(|keyword| {
            let value = seen.constant(keyword)?;
            let is_name = value.chars().any(char::is_alphabetic)
                && value.len() <= VALUE_LENGTH_MAX
                && !matches!(value.to_lowercase().as_str(), "none" | "unknown" | "null");
            is_name.then(|| ((*keyword).to_owned(), value))
        })
    };
    [fixed(&CAMERAS), fixed(&TELESCOPES)].into_iter().flatten().collect()
}

/// The shipped profile that all files choose, when it is a special one.
pub(super) fn shipped_match(seen: &Seen<'_>) -> Option<String> {
    let mut names = seen.samples.iter().map(|s| &choose_profile(&s.header, shipped()).name);
    let first = names.next()?;
    (*first != generic().name && names.all(|name| name == first)).then(|| first.clone())
}

/// Writes name, filter, target, instrument, and how the headers are recognised.
pub(super) fn write(seen: &Seen<'_>, draft: &mut Draft, name: &str, kind_keywords: &[String]) {
    draft.key("name", &quoted(name));
    let (made_of, n) = (constants(seen), seen.n());
    let names: Vec<&str> = made_of.iter().map(|(_, value)| value.as_str()).collect();
    let about = if names.is_empty() { "Unnamed camera".to_owned() } else { names.join(", ") };
    draft.key("description", &quoted(&format!("{about}: guessed from {n} headers.")));
    draft.gap();
    write_filter(seen, draft);
    let objects = seen.present(generic().object.iter().map(String::as_str), &|_| true);
    if let Some(first) = objects.first() {
        draft.why(&format!("Name of the target. {}", seen.told(first)));
    }
    draft.list("object", &objects);
    write_instrument(seen, draft, &made_of);
    write_matches(seen, draft, made_of, kind_keywords);
}

fn write_filter(seen: &Seen<'_>, draft: &mut Draft) {
    let known = generic().filter.iter().map(String::as_str).chain(FILTERS);
    let is_name = |text: &str| text.parse::<f64>().is_err();
    let mut filters = seen.present(known, &is_name);
    let by_comment = seen.commented(&["filter name", "name of filter", "name of the filter"]);
    for keyword in seen.present(by_comment.iter().map(String::as_str), &is_name) {
        if !filters.contains(&keyword) {
            filters.push(keyword);
        }
    }
    match filters.first() {
        Some(first) => draft.why(&format!("Filter. {}", seen.told(first))),
        None => draft.doubt(
            "No keyword of a filter was found: all frames count as filter 'NONE'. Name the \
             keyword here, or leave it when the telescope has no filters.",
        ),
    }
    draft.list("filter", &filters);
}

fn write_instrument(seen: &Seen<'_>, draft: &mut Draft, made_of: &[(String, String)]) {
    let several = CAMERAS.iter().find(|keyword| seen.distinct(keyword).len() > 1);
    if let Some(keyword) = several {
        draft.doubt(&format!(
            "The files may come from several cameras; guess a profile for each of them. {}",
            seen.told(keyword)
        ));
    }
    let named = made_of.iter().find(|(keyword, _)| CAMERAS.contains(&keyword.as_str()));
    match named.map(|(keyword, _)| keyword.clone()).or(several.map(|k| (*k).to_owned())) {
        Some(keyword) => {
            draft.why(&format!("Name of the camera. {}", seen.told(&keyword)));
            draft.list("instrument", &[keyword]);
        }
        None => draft.doubt(
            "No keyword names the camera: put one here when there is one. Calibration frames are \
             kept apart by it.",
        ),
    }
}

/// The conditions by which `auto` chooses this profile: at least as many as a shipped one that
/// fits has, for among equals the user's own wins.
fn write_matches(
    seen: &Seen<'_>,
    draft: &mut Draft,
    made_of: Vec<(String, String)>,
    kind_keywords: &[String],
) {
    let rival = |sample: &super::Sample| {
        let profile = choose_profile(&sample.header, shipped());
        specificity(&sample.header, profile).unwrap_or(0)
    };
    let n_needed = seen.samples.iter().map(rival).max().unwrap_or(0);
    let mut conditions: Vec<(String, Option<String>)> =
        made_of.into_iter().map(|(keyword, value)| (keyword, Some(value))).collect();
    let further = PROGRAMS.iter().map(|keyword| (*keyword).to_owned());
    for keyword in further.chain(kind_keywords.iter().cloned()) {
        let is_enough = conditions.len() >= n_needed && !conditions.is_empty();
        let is_everywhere = seen.samples.iter().all(|s| s.header.contains(&keyword));
        if !is_enough && is_everywhere && !conditions.iter().any(|(known, _)| *known == keyword) {
            conditions.push((keyword, None));
        }
    }
    if conditions.is_empty() {
        draft.gap();
        draft.doubt(
            "Nothing in all headers tells this camera from others: without `matches` the profile \
             reads every frame that no other one recognises. To use it always, set \
             instrument.profile to its name.",
        );
        return;
    }
    draft.table("[[matches]]");
    draft.why("All of these must hold for a header to be read by this profile; * and ? are wild.");
    for (keyword, _) in conditions.iter().filter(|(_, value)| value.is_some()) {
        draft.why(&seen.told(keyword));
    }
    if conditions.len() < n_needed {
        draft.doubt(
            "A shipped profile recognises these headers by more keywords and would be chosen: set \
             instrument.profile to this profile's name.",
        );
    }
    let line = |(keyword, value): &(String, Option<String>)| match value {
        Some(value) => {
            let pattern = value.to_lowercase().replace(['*', '[', ']'], "?");
            let values = array(&[pattern]);
            format!("  {{ keyword = {}, values = {values} }},", quoted(keyword))
        }
        None => format!("  {{ keyword = {} }},", quoted(keyword)),
    };
    let lines: Vec<String> = conditions.iter().map(line).collect();
    draft.key("all", &format!("[\n{}\n]", lines.join("\n")));
}
