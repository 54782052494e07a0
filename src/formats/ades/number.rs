//! Numbers as texts whose decimals say how well they are known.
//!
//! The standard wants no more digits than the measurement earns, and no fewer. Here the last digit
//! of a place is at most a tenth of its error, so that rounding adds nothing to it; the last digit
//! of an instant is at most half the clock's error; errors themselves have two digits.

use crate::science::time::{Epoch, SECONDS_PER_DAY, civil_date};

/// Arcseconds of a degree.
const ARCSEC_PER_DEG: f64 = 3600.0;
/// Fewest and most decimals of a place in degrees: 0.36 and 0.000036 arcsec.
const PLACE_DECIMALS: (u32, u32) = (4, 8);
/// Most decimals of an instant, by the schema.
const TIME_DECIMALS_MAX: u32 = 6;

/// Decimals whose last digit is at most `share` of an error.
pub(crate) fn decimals_for(error: f64, share: f64, (fewest, most): (u32, u32)) -> u32 {
    let wanted = -(error * share).log10();
    // An error that is none (0, NaN, infinite) earns the fewest digits.
    if !wanted.is_finite() {
        fewest
    } else {
        wanted.ceil().clamp(fewest.into(), most.into()) as u32
    }
}

/// Right ascension [deg] with decimals by its error along the equator's parallel [arcsec].
pub fn right_ascension(ra_deg: f64, dec_deg: f64, err_arcsec: f64) -> String {
    let err_deg = err_arcsec / ARCSEC_PER_DEG / dec_deg.to_radians().cos().max(1e-4);
    let decimals = decimals_for(err_deg, 0.1, PLACE_DECIMALS);
    let circle = 360 * 10_i64.pow(decimals);
    fixed(scaled(ra_deg, decimals).rem_euclid(circle), decimals)
}

/// Declination [deg] with its sign and decimals by its error [arcsec].
pub fn declination(dec_deg: f64, err_arcsec: f64) -> String {
    let decimals = decimals_for(err_arcsec / ARCSEC_PER_DEG, 0.1, PLACE_DECIMALS);
    let limit = 90 * 10_i64.pow(decimals);
    let value = scaled(dec_deg, decimals).clamp(-limit, limit);
    let sign = if value < 0 { '-' } else { '+' };
    format!("{sign}{}", fixed(value.abs(), decimals))
}

/// An instant in UTC with the decimals that a clock of this error [s] earns.
pub fn instant(at: Epoch, clock_err_s: f64) -> String {
    let decimals = decimals_for(clock_err_s, 0.5, (0, TIME_DECIMALS_MAX));
    let unit = 10_i64.pow(decimals);
    let ticks = (at.mjd_utc() * SECONDS_PER_DAY * unit as f64).round() as i64;
    let day_ticks = SECONDS_PER_DAY as i64 * unit;
    let (year, month, day) = civil_date(ticks.div_euclid(day_ticks));
    let rest = ticks.rem_euclid(day_ticks);
    let second = rest / unit;
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}");
    if decimals > 0 {
        text.push_str(&format!(".{:0width$}", rest % unit, width = decimals as usize));
    }
    text + "Z"
}

/// An error above zero with two digits in at most `width` characters; `None` when it is none.
pub fn error(value: f64, width: usize) -> Option<String> {
    if !(value.is_finite() && value > 0.0) {
        return None;
    }
    // "0." takes two characters.
    let most = width.saturating_sub(2) as u32;
    let decimals = decimals_for(value, 0.1, (0, most)) as usize;
    let text = format!("{:.decimals$}", value.max(0.1_f64.powi(decimals as i32)));
    (text.len() <= width).then_some(text)
}

/// A number with so many decimals in at most `width` characters; `None` when it does not fit.
pub fn plain(value: f64, decimals: usize, width: usize) -> Option<String> {
    let text = format!("{value:.decimals$}");
    (value.is_finite() && text.len() <= width).then_some(text)
}

/// A value in units of its last decimal.
fn scaled(value: f64, decimals: u32) -> i64 {
    (value * 10_f64.powi(decimals as i32)).round() as i64
}

/// A count of last decimals as a number.
fn fixed(value: i64, decimals: u32) -> String {
    let unit = 10_i64.pow(decimals);
    format!("{}.{:0width$}", value / unit, value % unit, width = decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_the_digits_that_their_errors_earn() {
        // 0.1 arcsec = 2.8e-5 deg: a tenth of it needs the sixth decimal.
        assert_eq!(right_ascension(325.589_699_4, 0.56, 0.1), "325.589699");
        assert_eq!(declination(0.560_433_4, 0.1), "+0.560433");
        // 1 arcsec needs the fifth, and at declination 80 the right ascension needs one less.
        assert_eq!(declination(-0.560_433_4, 1.0), "-0.56043");
        assert_eq!(right_ascension(10.123_456_7, 80.0, 0.35), "10.12346");
        assert_eq!(right_ascension(10.123_456_7, 0.0, 0.35), "10.123457");
    }

    #[test]
    fn rounding_goes_around_the_circle_and_stays_at_the_pole() {
        assert_eq!(right_ascension(359.999_999_99, 0.0, 0.1), "0.000000");
        assert_eq!(right_ascension(-0.000_000_01, 0.0, 0.1), "0.000000");
        assert_eq!(declination(89.999_999_99, 0.1), "+90.000000");
        assert_eq!(declination(-0.000_000_01, 0.1), "+0.000000", "no negative zero");
        assert_eq!(right_ascension(1.0, 90.0, 0.1), "1.0000");
    }

    #[test]
    fn instants_have_the_decimals_that_the_clock_earns() {
        let at = Epoch::from_date(2023, 6, 15, 49_470.183_4);
        for (clock_err_s, text) in [
            (10.0, "2023-06-15T13:44:30Z"),
            (1.0, "2023-06-15T13:44:30.2Z"),
            (0.1, "2023-06-15T13:44:30.18Z"),
            (0.01, "2023-06-15T13:44:30.183Z"),
            (0.0, "2023-06-15T13:44:30Z"),
            (f64::NAN, "2023-06-15T13:44:30Z"),
        ] {
            assert_eq!(instant(at, clock_err_s), text);
        }
        let midnight = Epoch::from_date(2024, 12, 31, 86_399.999_7);
        assert_eq!(instant(midnight, 0.1), "2025-01-01T00:00:00.00Z");
    }

    #[test]
    fn errors_have_two_digits() {
        let texts: Vec<Option<String>> =
            [0.113, 0.0331, 1.52, 12.3, 0.096, 0.0].map(|v| error(v, 6)).to_vec();
        let expected = [Some("0.11"), Some("0.033"), Some("1.5"), Some("12"), Some("0.096"), None];
        assert_eq!(texts, expected.map(|t| t.map(str::to_owned)));
        assert_eq!(error(1e-9, 6).as_deref(), Some("0.0001"), "never zero");
        assert_eq!(error(f64::NAN, 6), None);
        assert_eq!(plain(1_234_567.0, 1, 6), None);
    }
}
