//! Numbers in the words of the report: signs, units, unknowns, chances.

use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection};
use crate::pipeline::artifact::frame_record::FrameStatus;
use crate::science::image::stats::{median, median_and_scatter};
use crate::science::time::SECONDS_PER_DAY;

/// What stands where a number is unknown.
pub const UNKNOWN: &str = "–";

/// Standard error of a median in units of that of the mean, sqrt(pi / 2), for a Gaussian.
const MEDIAN_ERROR_PER_MEAN: f64 = 1.253_314_137_315_500_3;

/// A number with fixed decimals, or a dash.
pub fn number(value: Option<f64>, decimals: usize) -> String {
    match value {
        Some(value) if value.is_finite() => without_negative_zero(format!("{value:.decimals$}")),
        _ => UNKNOWN.to_owned(),
    }
}

/// The signal-to-noise ratio of a detection, and whether it was measured without one.
pub fn seen(detection: &CandidateDetection) -> String {
    let snr = number(Some(detection.snr), 1);
    if detection.is_recovered { format!("{snr} (recovered)") } else { snr }
}

/// A count, or a dash.
pub fn count(value: Option<u64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| value.to_string())
}

/// A number and its noun.
pub fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Takes the sign off a number that rounded to zero.
fn without_negative_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

/// A text with control and direction characters replaced, safe for terminals and mail headers.
pub fn printable(text: &str) -> String {
    let is_bad =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if is_bad(c) { '\u{fffd}' } else { c }).collect()
}

/// A text as one part of the path of an address (RFC 3986).
pub fn url_part(text: &str) -> String {
    let mut part = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                part.push(char::from(byte));
            }
            _ => part.push_str(&format!("%{byte:02X}")),
        }
    }
    part
}

/// The status as the tables write it.
pub const fn status(status: FrameStatus) -> &'static str {
    match status {
        FrameStatus::Ok => "ok",
        FrameStatus::Rejected => "rejected",
        FrameStatus::Failed => "failed",
    }
}

/// Right ascension as `08 13 33.12` [h m s].
pub fn right_ascension(ra_deg: f64) -> String {
    const HUNDREDTHS_PER_DAY: i64 = 24 * 3600 * 100;
    if !ra_deg.is_finite() {
        return UNKNOWN.to_owned();
    }
    let turn = ra_deg.rem_euclid(360.0) / 360.0;
    let units = ((turn * HUNDREDTHS_PER_DAY as f64).round() as i64).rem_euclid(HUNDREDTHS_PER_DAY);
    let (hours, minutes) = (units / 360_000, units / 6000 % 60);
    format!("{hours:02} {minutes:02} {:02}.{:02}", units / 100 % 60, units % 100)
}

/// Declination as `+12 34 56.1` [deg arcmin arcsec].
pub fn declination(dec_deg: f64) -> String {
    if !dec_deg.is_finite() {
        return UNKNOWN.to_owned();
    }
    let units = (dec_deg.abs() * 36_000.0).round() as i64;
    let sign = if dec_deg < 0.0 { '-' } else { '+' };
    let (degrees, minutes) = (units / 36_000, units / 600 % 60);
    format!("{sign}{degrees:02} {minutes:02} {:02}.{}", units / 10 % 60, units % 10)
}

/// Time of day as `21:34:05` [UTC], rounded to the second.
pub fn clock(mid_mjd_utc: Option<f64>) -> String {
    let Some(mjd) = mid_mjd_utc.filter(|mjd| mjd.is_finite()) else {
        return UNKNOWN.to_owned();
    };
    let day_s = SECONDS_PER_DAY as u32;
    // The fraction of a day in seconds, so not negative and at most a day.
    let seconds = (mjd.rem_euclid(1.0) * SECONDS_PER_DAY).round() as u32 % day_s;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Magnitude of an object and its error: the median's, from the larger of scatter and errors.
///
/// The error of a median is 1.2533 sigma / sqrt(n) for a Gaussian.
pub fn magnitude(candidate: &Candidate) -> (Option<f64>, Option<f64>) {
    let mags: Vec<f64> = candidate.detections.iter().filter_map(|d| d.mag).collect();
    let errors: Vec<f64> = candidate.detections.iter().filter_map(|d| d.mag_err).collect();
    let scatter = median_and_scatter(&mags).map(|(_, scatter)| scatter);
    let typical = median(&errors);
    let sigma = scatter.into_iter().chain(typical).reduce(f64::max);
    let err = sigma.map(|sigma| MEDIAN_ERROR_PER_MEAN * sigma / (mags.len().max(1) as f64).sqrt());
    (candidate.mag, err.filter(|_| candidate.mag.is_some()))
}

/// A magnitude with its error, e.g. `19.24 ± 0.05`.
pub fn with_error(value: Option<f64>, error: Option<f64>, decimals: usize) -> String {
    match (value, error) {
        (Some(_), Some(error)) if error.is_finite() => {
            format!("{} ± {}", number(value, decimals), number(Some(error), decimals))
        }
        _ => number(value, decimals),
    }
}

/// What an expected number of chance alignments means.
pub fn chance(false_alarms: f64) -> String {
    if !false_alarms.is_finite() || false_alarms < 0.0 {
        return "The expected number of chance alignments is unknown.".to_owned();
    }
    if false_alarms < 1e-6 {
        return "Not a chance alignment: one this good is expected in fewer than one of a million \
                such nights."
            .to_owned();
    }
    if false_alarms >= 1.0 {
        return format!(
            "Doubtful: about {} chance alignments as good as this are expected in such a night.",
            rounded_two_digits(false_alarms)
        );
    }
    let nights = rounded_two_digits(1.0 / false_alarms);
    let judgement = match false_alarms {
        f if f < 1e-3 => "Hardly a chance alignment",
        f if f < 0.05 => "Unlikely to be a chance alignment",
        _ => "Weak",
    };
    format!("{judgement}: one as good as this is expected in about one of {nights} such nights.")
}

/// The same in few words, for lists that explain it once.
pub fn chance_briefly(false_alarms: f64) -> String {
    if !false_alarms.is_finite() || false_alarms < 0.0 {
        return "unknown how often by chance".to_owned();
    }
    if false_alarms >= 1.0 {
        let n = rounded_two_digits(false_alarms);
        return format!("doubtful, by chance about {n} times in such a night");
    }
    if false_alarms < 1e-6 {
        return "strong, by chance in fewer than 1 of 1,000,000 nights".to_owned();
    }
    let judgement = match false_alarms {
        f if f < 1e-3 => "strong",
        f if f < 0.05 => "fair",
        _ => "weak",
    };
    format!("{judgement}, by chance in 1 of {} nights", rounded_two_digits(1.0 / false_alarms))
}

/// A text of at most so many characters; what is cut is marked.
pub fn shortened(text: &str, length_max: usize) -> String {
    if text.chars().count() <= length_max {
        return text.to_owned();
    }
    text.chars().take(length_max.saturating_sub(1)).chain(['…']).collect()
}

/// A number of at least 1 rounded to two digits, thousands set apart.
fn rounded_two_digits(value: f64) -> String {
    if value < 10.0 {
        return number(Some(value), 1);
    }
    let step = 10_f64.powf(value.log10().floor() - 1.0);
    let digits = format!("{:.0}", (value / step).round() * step);
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sexagesimal_places_carry_over() {
        // 359.99999 deg = 23h59m59.9976s, which rounds to 0h; 15 deg = 1h.
        assert_eq!(right_ascension(359.999_99), "00 00 00.00");
        assert_eq!(right_ascension(15.0), "01 00 00.00");
        assert_eq!(right_ascension(-15.0), "23 00 00.00");
        assert_eq!(declination(-0.5), "-00 30 00.0");
        assert_eq!(declination(59.999_999), "+60 00 00.0");
        assert_eq!(declination(f64::NAN), UNKNOWN);
    }

    #[test]
    fn numbers_have_no_negative_zero_and_no_filler() {
        assert_eq!(number(Some(-0.001), 2), "0.00");
        assert_eq!(number(Some(-0.01), 2), "-0.01");
        assert_eq!(number(None, 2), UNKNOWN);
        assert_eq!(number(Some(f64::INFINITY), 2), UNKNOWN);
        assert_eq!(clock(Some(61_100.5)), "12:00:00");
        assert_eq!(clock(Some(f64::NAN)), UNKNOWN);
        assert_eq!(clock(Some(61_100.999_999)), "00:00:00");
    }

    #[test]
    fn chances_read_as_nights() {
        assert!(chance(1e-9).contains("fewer than one of a million"));
        assert!(chance(0.000_8).contains("one of 1,300 such nights"), "{}", chance(0.000_8));
        assert!(chance(0.02).contains("Unlikely") && chance(0.02).contains("one of 50 "));
        assert!(chance(0.5).starts_with("Weak") && chance(0.5).contains("one of 2.0 "));
        assert!(chance(12.0).contains("about 12 chance"));
        assert!(chance(f64::NAN).contains("unknown"));
    }

    #[test]
    fn chances_are_told_briefly() {
        for (false_alarms, told) in [
            (1e-9, "strong, by chance in fewer than 1 of 1,000,000 nights"),
            (2e-4, "strong, by chance in 1 of 5,000 nights"),
            (0.02, "fair, by chance in 1 of 50 nights"),
            (0.5, "weak, by chance in 1 of 2.0 nights"),
            (12.0, "doubtful, by chance about 12 times in such a night"),
            (f64::NAN, "unknown how often by chance"),
        ] {
            assert_eq!(chance_briefly(false_alarms), told);
        }
    }

    #[test]
    fn parts_of_addresses_hold_no_delimiters() {
        assert_eq!(url_part("C14.2026-03-01"), "C14.2026-03-01");
        assert_eq!(url_part("a/b ?é"), "a%2Fb%20%3F%C3%A9");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("dé", 2), "dé");
        assert_eq!(shortened("délà vu", 4), "dél…");
    }

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(printable("a\u{1b}[31m\nb"), "a\u{fffd}[31m\u{fffd}b");
    }
}
