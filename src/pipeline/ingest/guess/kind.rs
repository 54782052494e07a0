//! What frames are for: the keyword of the image type, and what its values mean.

use super::super::choose::any_fits;
use super::super::generic;
use super::super::profile::KindRule;
use super::draft::Draft;
use super::seen::Seen;

/// Further keywords of image types than the generic profile's.
const KEYWORDS: [&str; 6] =
    ["IMGTYP", "EXP_TYPE", "PICTTYPE", "OBSMODE", "DPRTYPE", "ESO DPR TYPE"];
/// Phrases in the comments of such keywords.
const PHRASES: [&str; 6] =
    ["type of image", "image type", "type of frame", "frame type", "type of exposure", "bias"];
/// The target's name, which tells the type where no other keyword does.
const OBJECT: &str = "OBJECT";
/// Meanings in the order in which a header is asked, as keys of the profile.
const MEANINGS: [&str; 5] = ["ignored", "bias", "dark", "flat", "science"];
/// Longest value that is taken for a type [characters].
const TYPE_LENGTH_MAX: usize = 30;

/// The rule of image types as far as the headers tell.
pub(super) struct Kinds {
    pub(super) keywords: Vec<String>,
    /// Values with their meaning, if it is known, and the number of files.
    values: Vec<(String, Option<&'static str>, usize)>,
    /// Values whose meaning was taken from the targets' names of their files.
    by_target: Vec<String>,
    /// Whether targets' names had to be asked.
    is_by_target: bool,
}

/// The usual words of a meaning.
fn usual<'a>(rule: &'a KindRule, meaning: &str) -> &'a [String] {
    match meaning {
        "ignored" => &rule.ignored,
        "bias" => &rule.bias,
        "dark" => &rule.dark,
        "flat" => &rule.flat,
        _ => &rule.science,
    }
}

/// What a value of an image type usually means.
fn meaning(value: &str) -> Option<&'static str> {
    MEANINGS.into_iter().find(|meaning| any_fits(usual(&generic().kind, meaning), value))
}

/// Finds the keywords of the image type and sorts their values.
pub(super) fn find(seen: &Seen<'_>) -> Kinds {
    let understood = |text: &str| text.len() <= TYPE_LENGTH_MAX && meaning(text).is_some();
    let mut known: Vec<String> = generic().kind.keywords.clone();
    known.extend(KEYWORDS.map(str::to_owned));
    known.extend(seen.commented(&PHRASES));
    known.retain(|keyword| keyword != OBJECT);
    let mut keywords = seen.present(known.iter().map(String::as_str), &understood);
    // Those that tell most files come first; equal ones in the order of trust.
    let n_told = |keyword: &String| {
        seen.texts(keyword).iter().flatten().filter(|text| understood(text)).count()
    };
    keywords.sort_by_key(|keyword| std::cmp::Reverse(n_told(keyword)));
    // One that contradicts the first says something else.
    if let Some(first) = keywords.first().map(|first| seen.texts(first)) {
        keywords.retain(|keyword| {
            let pairs = seen.texts(keyword).into_iter().zip(&first);
            let mut both = pairs.filter_map(|(a, b)| Some((a?, b.clone()?)));
            both.all(|(a, b)| meaning(&a) == meaning(&b))
        });
    }
    let is_calibration = |text: &str| matches!(meaning(text), Some("bias" | "dark" | "flat"));
    let knows_calibration = keywords
        .iter()
        .any(|keyword| seen.texts(keyword).iter().flatten().any(|text| is_calibration(text)));
    let is_by_target =
        !knows_calibration && seen.texts(OBJECT).iter().flatten().any(|text| is_calibration(text));
    let (values, by_target) = sorted(seen, &keywords);
    if is_by_target {
        keywords.insert(0, OBJECT.to_owned());
    }
    Kinds { keywords, values, by_target, is_by_target }
}

/// All values with their meaning and number of files; and those that only targets' names explain.
#[expect(clippy::type_complexity, reason = "a list and its exceptions, for one caller")]
fn sorted(
    seen: &Seen<'_>,
    keywords: &[String],
) -> (Vec<(String, Option<&'static str>, usize)>, Vec<String>) {
    let targets = seen.texts(OBJECT);
    let (mut values, mut by_target) = (Vec::new(), Vec::new());
    for keyword in keywords {
        for (value, n) in seen.distinct(keyword) {
            let value = value.to_lowercase();
            if values.iter().any(|(known, _, _)| *known == value) {
                continue;
            }
            let mut means = meaning(&value);
            if means.is_none() {
                let is_it = |text: &Option<String>| {
                    text.as_ref().is_some_and(|text| text.to_lowercase() == value)
                };
                let texts = seen.texts(keyword);
                let named = texts.iter().zip(&targets).filter(|(text, _)| is_it(text));
                let mut meanings = named.map(|(_, target)| meaning(target.as_deref()?));
                let first = meanings.next().flatten().filter(|word| *word != "science");
                means = first.filter(|first| meanings.all(|other| other == Some(*first)));
                by_target.extend(means.map(|_| value.clone()));
            }
            values.push((value, means, n));
        }
    }
    (values, by_target)
}

/// Writes the table `[kind]`.
pub(super) fn write(seen: &Seen<'_>, draft: &mut Draft, kinds: &Kinds) {
    draft.table("[kind]");
    for keyword in kinds.keywords.iter().take(2) {
        draft.why(&seen.told(keyword));
    }
    if kinds.keywords.is_empty() {
        draft.doubt(
            "No keyword of an image type was found: frames of zero exposure count as bias, all \
             others as science. Name the keyword here; or tell biases, darks and flats by their \
             files' names in a rules file (instrument.rules_files).",
        );
        return;
    }
    if kinds.is_by_target {
        draft.doubt(
            "Only the target's name tells calibration frames here: targets named like them would \
             be taken for them.",
        );
    }
    draft.list("keywords", &kinds.keywords);
    for meaning in MEANINGS {
        let seen_here = kinds.values.iter().filter(|(_, known, _)| *known == Some(meaning));
        // A value's own wild characters stand for themselves.
        let mut patterns: Vec<String> =
            seen_here.map(|(value, ..)| value.replace('*', "?")).collect();
        let n_seen = patterns.len();
        patterns.extend(usual(&generic().kind, meaning).iter().cloned());
        match n_seen {
            0 => draft.why(&format!("{meaning}: none seen; these are the usual words.")),
            _ => draft.why(&format!("{meaning}: the first {n_seen} seen, then the usual words.")),
        }
        draft.list(meaning, &patterns);
    }
    for value in &kinds.by_target {
        draft.doubt(&format!(
            "What '{value}' means is told by the targets' names of those files only; see that it \
             stands in the right list."
        ));
    }
    let unknown: Vec<String> = kinds
        .values
        .iter()
        .filter(|(_, meaning, _)| meaning.is_none())
        .map(|(value, _, n)| format!("'{value}' ({n} files)"))
        .collect();
    if !unknown.is_empty() {
        draft.doubt(&format!(
            "Not understood, so taken for science: {}. Put each of them into one of the lists.",
            unknown.join(", ")
        ));
    }
    for meaning in ["bias", "flat", "science"] {
        if !kinds.is_by_target && !kinds.values.iter().any(|(_, known, _)| *known == Some(meaning))
        {
            draft.doubt(&format!("No {meaning} frame was among the files; check its words."));
        }
    }
}
