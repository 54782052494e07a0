//! Instants in UTC as Modified Julian Dates, and the calendar around them.
//!
//! An `f64` MJD resolves 0.6 microseconds today; leap seconds stretch the day they end, as FITS
//! paper IV (Rots et al. 2015, A&A 574, A36) allows for UTC.

/// Seconds of a day [s].
pub const SECONDS_PER_DAY: f64 = 86_400.0;
/// MJD of J2000.0 (2000-01-01T12:00) [d].
const MJD_J2000: f64 = 51_544.5;
/// Days of a Julian year [d].
const DAYS_PER_JULIAN_YEAR: f64 = 365.25;

/// TT minus TAI [s].
const TT_AHEAD_OF_TAI_S: f64 = 32.184;
/// TAI minus UTC in 1972 [s]; also taken before, where UTC was another scale (off by up to 12 s).
const TAI_AHEAD_1972_S: f64 = 10.0;
/// MJD from which UTC is one more second behind: the leap seconds since 1972 (IERS Bulletin C).
/// None is announced after the last.
const LEAPS_MJD: [f64; 27] = [
    41_499.0, 41_683.0, 42_048.0, 42_413.0, 42_778.0, 43_144.0, 43_509.0, 43_874.0, 44_239.0,
    44_786.0, 45_151.0, 45_516.0, 46_247.0, 47_161.0, 47_892.0, 48_257.0, 48_804.0, 49_169.0,
    49_534.0, 50_083.0, 50_630.0, 51_179.0, 53_736.0, 54_832.0, 56_109.0, 57_204.0, 57_754.0,
];

/// An instant on the UTC scale.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Epoch {
    mjd_utc: f64,
}

impl Epoch {
    /// The instant of a Modified Julian Date [d, UTC].
    pub const fn from_mjd_utc(mjd_utc: f64) -> Self {
        Self { mjd_utc }
    }

    /// The instant of a calendar date (proleptic Gregorian) and the seconds since its 0h UTC.
    pub fn from_date(year: i64, month: u32, day: u32, seconds: f64) -> Self {
        Self { mjd_utc: days_from_civil(year, month, day) as f64 + seconds / SECONDS_PER_DAY }
    }

    /// The Modified Julian Date [d, UTC].
    pub const fn mjd_utc(self) -> f64 {
        self.mjd_utc
    }

    /// The same instant on the scale of orbits [MJD, TT]; TDB is never 2 ms from it.
    pub fn mjd_tt(self) -> f64 {
        let leaps = LEAPS_MJD.iter().filter(|leap| self.mjd_utc >= **leap).count() as f64;
        self.mjd_utc + (TAI_AHEAD_1972_S + leaps + TT_AHEAD_OF_TAI_S) / SECONDS_PER_DAY
    }

    /// The Julian epoch [yr], for proper motions.
    pub fn julian_year(self) -> f64 {
        2000.0 + (self.mjd_utc - MJD_J2000) / DAYS_PER_JULIAN_YEAR
    }

    /// The instant `seconds` later.
    #[must_use]
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self { mjd_utc: self.mjd_utc + seconds / SECONDS_PER_DAY }
    }

    /// ISO 8601 with milliseconds, without zone letter, as DATE-OBS has it.
    pub fn to_iso(self) -> String {
        let total_ms = (self.mjd_utc * SECONDS_PER_DAY * 1000.0).round() as i64;
        let day_ms = 86_400_000;
        let (day, ms) = (total_ms.div_euclid(day_ms), total_ms.rem_euclid(day_ms));
        let (year, month, date) = civil_date(day);
        let (hour, minute, milli) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
        format!(
            "{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{:02}.{:03}",
            milli / 1000,
            milli % 1000
        )
    }
}

/// Days from MJD 0 (1858-11-17) to a date of the proleptic Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms" (2013).
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted_month = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 678_881
}

/// The date (year, month, day) that an integer MJD begins, in the proleptic Gregorian calendar.
pub fn civil_date(mjd: i64) -> (i64, u32, u32) {
    let z = mjd + 678_881;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates_have_their_mjd() {
        // MJD 0 is 1858-11-17; J2000.0 is MJD 51544.5; 2024-02-29 is MJD 60369.
        assert_eq!(days_from_civil(1858, 11, 17), 0);
        assert_eq!(days_from_civil(2024, 2, 29), 60_369);
        assert!((Epoch::from_date(2000, 1, 1, 43_200.0).julian_year() - 2000.0).abs() < 1e-12);
    }

    #[test]
    fn terrestrial_time_counts_the_leap_seconds() {
        // IERS: TAI - UTC is 10 s from 1972, 32 s in 2000, 36 s in 2016, 37 s from 2017.
        let ahead_s = |year, month, day| {
            let epoch = Epoch::from_date(year, month, day, 0.0);
            (epoch.mjd_tt() - epoch.mjd_utc()) * SECONDS_PER_DAY
        };
        for (date, tai_s) in [
            ((1972, 1, 1), 10.0),
            ((1972, 7, 1), 11.0),
            ((2000, 1, 1), 32.0),
            ((2016, 12, 31), 36.0),
            ((2017, 1, 1), 37.0),
            ((2026, 11, 21), 37.0),
        ] {
            let (year, month, day) = date;
            assert!((ahead_s(year, month, day) - tai_s - 32.184).abs() < 1e-5, "{date:?}");
        }
    }

    #[test]
    fn dates_round_trip_over_four_centuries() {
        for mjd in (-50_000..100_000).step_by(13) {
            let (year, month, day) = civil_date(mjd);
            assert_eq!(days_from_civil(year, month, day), mjd);
        }
    }

    #[test]
    fn iso_text_rounds_to_the_next_day() {
        let epoch = Epoch::from_date(2024, 12, 31, 86_399.999_7);
        assert_eq!(epoch.to_iso(), "2025-01-01T00:00:00.000");
    }
}
