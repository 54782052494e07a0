//! When frames were exposed: keywords of date and time, which instant they mean, how well.

use super::super::datetime::{parse_date_time, parse_offset};
use super::super::generic;
use super::super::lookup::parse_number;
use super::super::profile::{OffsetApplies, Stamp, StampMeaning};
use super::draft::{Draft, array, quoted};
use super::seen::Seen;
use crate::science::time::SECONDS_PER_DAY;

/// Further keywords of dates, times, ends and exposure times than the generic profile's.
const DATES: [&str; 5] = ["DATE-STA", "DATESTAR", "DATE-LOC", "OBSDATE", "DATE"];
const TIMES: [&str; 8] =
    ["UT-OBS", "UTSTA", "TIME-STA", "STARTTIM", "UTIME", "EXPSTART", "UTSHUT", "TIME"];
const EXPOSURES: [&str; 5] = ["EXP", "EXPTM", "TEXP", "EXPOSTIM", "INTTIME"];
/// Longest reading-out and shutter time that an exposure's end may include [s].
const EXCESS_MAX_S: f64 = 60.0;
/// What is assumed of a clock that nothing is known of [s].
const UNCERTAINTY_UNKNOWN_S: f64 = 1.0;
/// Least uncertainty that start and end can prove [s].
const UNCERTAINTY_LEAST_S: f64 = 0.1;

/// What a text says of date and time of day.
fn has_date(text: &str) -> bool {
    parse_date_time(text).is_some_and(|read| read.date.is_some())
}

fn has_time(text: &str) -> bool {
    parse_date_time(text).is_some_and(|read| read.seconds.is_some())
}

fn is_number(text: &str) -> bool {
    parse_number(text).is_some_and(|number| number > 0.0)
}

/// Which instant of the exposure a comment names.
fn named(comment: &str) -> Option<StampMeaning> {
    let has = |words: &[&str]| words.iter().any(|word| comment.contains(word));
    if has(&["mid"]) {
        return Some(StampMeaning::Middle);
    }
    if has(&["start", "begin", "open"]) {
        return Some(StampMeaning::Start);
    }
    has(&["end of", "close", "finish"]).then_some(StampMeaning::End)
}

fn word(means: StampMeaning) -> &'static str {
    match means {
        StampMeaning::Start => "start",
        StampMeaning::Middle => "middle",
        StampMeaning::End => "end",
    }
}

/// A stamp of the generic profile, cut to what these headers have.
fn cut(seen: &Seen<'_>, stamp: &Stamp) -> Stamp {
    let list = |keywords: &[String], further: &[&str], fit: &dyn Fn(&str) -> bool| {
        let known = keywords.iter().map(String::as_str).chain(further.iter().copied());
        seen.present(known, fit)
    };
    let is_main = stamp.means == StampMeaning::Start && !stamp.time.is_empty();
    let (dates, times): (&[&str], &[&str]) = if is_main { (&DATES, &TIMES) } else { (&[], &[]) };
    let mut date = list(&stamp.date, &[], &has_date);
    if date.is_empty() {
        date = list(&[], dates, &has_date);
    }
    let is_whole =
        date.iter().any(|keyword| seen.texts(keyword).iter().flatten().any(|text| has_time(text)));
    let mut time = if is_whole { Vec::new() } else { list(&stamp.time, &[], &has_time) };
    if time.is_empty() && !is_whole {
        time = list(&[], times, &has_time);
    }
    if time.is_empty() && !is_whole {
        date.clear();
    }
    Stamp {
        end_time: list(&stamp.end_time, &[], &has_time),
        mjd: list(&stamp.mjd, &[], &is_number),
        means: stamp.means,
        date_of: stamp.date_of,
        date,
        time,
    }
}

/// By how much the exposures' ends lie behind start and exposure time [s], least and most.
fn excess_s(seen: &Seen<'_>, stamp: &Stamp, exposures: &[String]) -> Option<(f64, f64)> {
    let start = stamp.time.first().or(stamp.date.first())?;
    let (end, exposure) = (stamp.end_time.first()?, exposures.first()?);
    let seconds = |text: &Option<String>| parse_date_time(text.as_deref()?)?.seconds;
    let starts_and_ends = seen.texts(start).into_iter().zip(seen.texts(end));
    let mut range: Option<(f64, f64)> = None;
    for ((start, end), exposed) in starts_and_ends.zip(seen.texts(exposure)) {
        let read = seconds(&start).zip(seconds(&end));
        let exposed_s = exposed.and_then(|text| parse_number(&text));
        let (Some((start_s, end_s)), Some(exposed_s)) = (read, exposed_s) else { continue };
        let apart_s = (end_s - start_s - exposed_s + 0.5 * SECONDS_PER_DAY)
            .rem_euclid(SECONDS_PER_DAY)
            - 0.5 * SECONDS_PER_DAY;
        let (least, most) = range.unwrap_or((apart_s, apart_s));
        range = Some((least.min(apart_s), most.max(apart_s)));
    }
    range
}

/// Middles that differ by less from start and half an exposure confirm these [s].
const MIDDLE_TOLERANCE_S: f64 = 2.0;
/// Exposures that a middle can be told from a start by [s].
const EXPOSURE_TELLING_S: f64 = 10.0;

/// Tells whether a keyword of the middle lies half an exposure after that of the first stamp.
fn is_confirmed_by_middle(seen: &Seen<'_>, stamps: &[Stamp], exposures: &[String]) -> bool {
    let middle = stamps.iter().find(|stamp| stamp.means == StampMeaning::Middle);
    let carrier = |stamp: &Stamp| stamp.time.first().or(stamp.date.first()).cloned();
    let all = stamps.first().and_then(carrier).zip(middle.and_then(carrier));
    let Some(((start, middle), exposure)) = all.zip(exposures.first()) else { return false };
    let seconds = |text: &Option<String>| parse_date_time(text.as_deref()?)?.seconds;
    let mut n_telling = 0;
    let times = seen.texts(&start).into_iter().zip(seen.texts(&middle));
    for ((start, middle), exposed) in times.zip(seen.texts(exposure)) {
        let exposed_s = exposed.and_then(|text| parse_number(&text)).unwrap_or(0.0);
        let Some((start_s, middle_s)) = seconds(&start).zip(seconds(&middle)) else { continue };
        if exposed_s < EXPOSURE_TELLING_S {
            continue;
        }
        n_telling += 1;
        let later_s = (middle_s - start_s).rem_euclid(SECONDS_PER_DAY);
        if (later_s - 0.5 * exposed_s).abs() > MIDDLE_TOLERANCE_S {
            return false;
        }
    }
    n_telling > 0
}

/// Writes `[time]` and `[exposure_s]`.
pub(super) fn write(seen: &Seen<'_>, draft: &mut Draft) {
    let rule = &generic().exposure_s;
    let known = rule.keywords.iter().map(String::as_str).chain(EXPOSURES);
    let exposures = seen.present(known, &|text| parse_number(text).is_some());
    let stamps: Vec<Stamp> = generic().time.stamps.iter().map(|stamp| cut(seen, stamp)).collect();
    let stamps: Vec<Stamp> =
        stamps.into_iter().filter(|s| !s.date.is_empty() || !s.mjd.is_empty()).collect();
    draft.table("[time]");
    let excess = stamps.first().and_then(|stamp| excess_s(seen, stamp, &exposures));
    write_uncertainty(draft, excess);
    write_scale(seen, draft, &stamps);
    if stamps.is_empty() {
        draft.doubt(
            "No keyword of date and time was found: without it a frame is of no use. Add a table \
             [[time.stamps]] that names it (config/profile-template.toml shows how).",
        );
    }
    let by_end = excess.is_some_and(|(least, most)| least > -1.0 && most < EXCESS_MAX_S);
    let by_middle = is_confirmed_by_middle(seen, &stamps, &exposures);
    let proof = match (by_end, by_middle) {
        (true, _) => Some("The end keyword lies an exposure time later."),
        (false, true) => Some("The keyword of the middle lies half an exposure later."),
        (false, false) => None,
    };
    for stamp in &stamps {
        write_stamp(seen, draft, stamp, proof);
    }
    draft.table("[exposure_s]");
    match exposures.first() {
        Some(first) => {
            draft.why(&seen.told(first));
            if seen.comment(first).contains("milli") || seen.comment(first).contains("[ms]") {
                draft.doubt("The comment says milliseconds; seconds are read.");
            }
            draft.list("keywords", &exposures);
        }
        None => draft
            .doubt("No keyword of the exposure time was found; name it: keywords = [\"EXPTIME\"]."),
    }
}

fn write_uncertainty(draft: &mut Draft, excess: Option<(f64, f64)>) {
    let uncertainty_s = match excess.filter(|(least, most)| *least > -1.0 && *most < EXCESS_MAX_S) {
        Some((_, most)) => {
            draft.why(&format!(
                "Start and end lie up to {most:.2} s further apart than the exposure time; how \
                 much of that is before the shutter opens is not known: half of it is the \
                 uncertainty."
            ));
            (5.0 * most.max(0.0)).round().max(10.0 * UNCERTAINTY_LEAST_S) / 10.0
        }
        None => {
            draft.doubt(
                "Nothing in the header tells how good the clock is: put the uncertainty of the \
                 times here [s]; delays of the shutter go into shutter_offset_s.",
            );
            UNCERTAINTY_UNKNOWN_S
        }
    };
    draft.key("uncertainty_s", &format!("{uncertainty_s:.1}"));
}

/// Which keywords prove the times to be UTC, and which tell what the clock shows instead.
fn write_scale(seen: &Seen<'_>, draft: &mut Draft, stamps: &[Stamp]) {
    let rule = &generic().time;
    let proofs = seen.present(rule.universal_keywords.iter().map(String::as_str), &has_time);
    let systems = seen.distinct("TIMESYS");
    let used = stamps.iter().flat_map(|stamp| stamp.date.iter().chain(&stamp.time));
    let comments: Vec<String> = used.map(|keyword| seen.comment(keyword)).collect();
    let says = |word: &str| comments.iter().any(|comment| comment.contains(word));
    if !systems.is_empty() {
        draft.why(&seen.told("TIMESYS"));
    }
    if says("local") && !says("utc") && !says("universal") {
        draft.doubt(
            "A comment calls the time local: put what the clock shows minus UTC here [h], unless a \
             keyword tells it.",
        );
        draft.key("utc_offset_hours", "0.0");
    } else if proofs.is_empty() && systems.is_empty() && !says("ut") && !says("universal") {
        draft.doubt("No keyword or comment says that the times are UTC; it is assumed.");
    }
    draft.list("universal_keywords", &proofs);
    let is_there = |keyword: &str| {
        seen.texts(keyword).iter().flatten().any(|text| parse_offset(text).is_some())
    };
    let offsets: Vec<String> = rule
        .offset_keywords
        .iter()
        .filter(|offset| is_there(&offset.keyword))
        .map(|offset| {
            let applies = match offset.applies {
                OffsetApplies::UnlessUniversal => "unless-universal",
                OffsetApplies::WhenLocal => "when-local",
                OffsetApplies::Always => "always",
            };
            let keyword = quoted(&offset.keyword);
            format!("  {{ keyword = {keyword}, applies = {} }},", quoted(applies))
        })
        .collect();
    if !offsets.is_empty() {
        draft.doubt("These may tell a clock of local time; remove those that only tell the zone.");
        draft.key("offset_keywords", &format!("[\n{}\n]", offsets.join("\n")));
    }
}

fn write_stamp(seen: &Seen<'_>, draft: &mut Draft, stamp: &Stamp, proof: Option<&str>) {
    draft.table("[[time.stamps]]");
    let telling = [stamp.date.first(), stamp.time.first(), stamp.mjd.first()];
    for keyword in telling.into_iter().flatten() {
        draft.why(&seen.told(keyword));
    }
    draft.list("date", &stamp.date);
    draft.list("time", &stamp.time);
    draft.list("end_time", &stamp.end_time);
    draft.list("mjd", &stamp.mjd);
    let telling = [stamp.time.first(), stamp.date.first(), stamp.mjd.first()];
    let said = telling.into_iter().flatten().find_map(|keyword| named(&seen.comment(keyword)));
    let means = said.unwrap_or(stamp.means);
    match (said, proof.filter(|_| stamp.means == StampMeaning::Start)) {
        (Some(_), _) => draft.why("Its comment says which instant it is."),
        (None, Some(proof)) => draft.why(proof),
        (None, None) if stamp.means == StampMeaning::Start && !stamp.date.is_empty() => draft.doubt(
            "Nothing says which instant this is; the FITS standard's start is assumed. `middle` \
             and `end` are the others. A wrong one displaces fast objects.",
        ),
        (None, None) => {}
    }
    draft.key("means", &quoted(word(means)));
    if !stamp.time.is_empty() {
        draft.doubt(&format!(
            "{} has no time of day: it is taken for the date of {} itself. Where files begun \
             before 0h carry the date of their end, write \"end\".",
            stamp.date.join(", "),
            array(&stamp.time),
        ));
        draft.key("date_of", "\"stamp\"");
    }
}
