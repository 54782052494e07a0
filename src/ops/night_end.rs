//! When a night is over: no new frame for a while, and the Sun has put an end to it.
//!
//! A Sun above the limit alone does not end a night: flats of the evening are taken while it is
//! up. It counts from the local midnight after the night's last exposure on, in the morning
//! half of the day, or when a noon with the Sun above the limit has passed since then. Where it
//! does not rise (polar winter), or the clocks contradict each other, a day ends the night.

use crate::config::Daemon;
use crate::science::sky::noon::noon_after;
use crate::science::sky::sun::sun_altitude_deg;
use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// Minutes of a day [min].
const DAY_MIN: f64 = 1440.0;
/// Time without a new frame that ends a night whose site is not known [min].
const QUIET_WITHOUT_SITE_MIN: f64 = 180.0;

/// What ends a night.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NightEndRule {
    /// Time without a new frame [s].
    pub quiet_s: f64,
    /// Altitude of the Sun's centre above which a night is over [deg].
    pub sun_altitude_min_deg: f64,
}

impl NightEndRule {
    /// The rule of the configuration.
    pub const fn of(daemon: &Daemon) -> Self {
        Self {
            quiet_s: daemon.close_after_min * 60.0,
            sun_altitude_min_deg: daemon.sun_altitude_min_deg,
        }
    }
}

/// Tells whether a night is over.
///
/// * `site`: latitude and longitude [deg]; without one, three quiet hours end a night.
/// * `newest_change`: when a file last came or changed, by this machine's clock.
/// * `newest_exposure`: of the science frames where there are any, since calibration frames may
///   be taken at noon; `newest_change` stands in where it is missing.
///
/// Times in the future (a clock set back) count by their distance, so that no night stays open
/// for longer than a day after its frames.
pub fn night_is_over(
    rule: &NightEndRule,
    now: Epoch,
    site: Option<(f64, f64)>,
    newest_change: Epoch,
    newest_exposure: Option<Epoch>,
) -> bool {
    let quiet_min = minutes(newest_change, now).abs();
    if quiet_min.is_nan() || quiet_min * 60.0 < rule.quiet_s {
        return false;
    }
    let usable = newest_exposure.filter(|at| at.mjd_utc().is_finite());
    let exposure = usable.unwrap_or(newest_change);
    if minutes(exposure, now).abs() > DAY_MIN {
        return true;
    }
    match site {
        None => quiet_min >= QUIET_WITHOUT_SITE_MIN,
        // An exposure of the future has a wrong time; the file's own is the best guess.
        Some(site) if minutes(exposure, now) < 0.0 => {
            let change = if minutes(newest_change, now) < 0.0 { now } else { newest_change };
            sun_has_ended(rule, now, site, change)
        }
        Some(site) => sun_has_ended(rule, now, site, exposure),
    }
}

/// Tells whether the Sun rose above the limit between the last exposure and now.
fn sun_has_ended(
    rule: &NightEndRule,
    now: Epoch,
    (latitude_deg, longitude_deg): (f64, f64),
    exposure: Epoch,
) -> bool {
    let is_up = |at| sun_altitude_deg(at, latitude_deg, longitude_deg) > rule.sun_altitude_min_deg;
    let noon = noon_after(exposure, longitude_deg);
    if minutes(noon, now) >= 0.0 {
        return is_up(noon);
    }
    let midnight = noon.plus_seconds(-SECONDS_PER_DAY / 2.0);
    minutes(midnight, now) >= 0.0 && is_up(now)
}

/// Time from one instant to another [min].
fn minutes(from: Epoch, to: Epoch) -> f64 {
    (to.mjd_utc() - from.mjd_utc()) * DAY_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: NightEndRule = NightEndRule { quiet_s: 1200.0, sun_altitude_min_deg: -6.0 };
    /// Calar Alto: sunset near 18.0 h UTC, sunrise near 6.6 h UTC at the start of March.
    const SITE: Option<(f64, f64)> = Some((37.22, -2.55));

    /// Hours of UTC since 2026-03-01T00:00.
    fn hour(hour: f64) -> Epoch {
        Epoch::from_date(2026, 3, 1, hour * 3600.0)
    }

    #[test]
    fn the_sun_ends_a_quiet_night() {
        let last = hour(29.5); // 5:30 on the second
        let over = |now_h| night_is_over(&RULE, hour(now_h), SITE, last, Some(last));
        assert!(!over(29.6), "frames still come");
        assert!(!over(29.9), "quiet, but dark: clouds perhaps");
        assert!(over(30.6), "quiet, and the Sun is 1 deg below the horizon");
        assert!(over(40.0), "the next evening");
        // A pause of hours in the dark ends nothing.
        assert!(!night_is_over(&RULE, hour(27.0), SITE, hour(21.0), Some(hour(21.0))));
        // Flats of the morning keep the night open until they are done.
        assert!(!night_is_over(&RULE, hour(30.6), SITE, hour(30.5), Some(hour(30.5))));
    }

    #[test]
    fn calibration_of_the_afternoon_does_not_end_the_night_before_it_begins() {
        // Darks at 15 h, flats at 17:50; the Sun is up, it is quiet.
        for at_h in [15.0, 17.8] {
            let at = hour(at_h);
            assert!(!night_is_over(&RULE, hour(at_h + 0.5), SITE, at, Some(at)));
            assert!(!night_is_over(&RULE, hour(23.0), SITE, at, Some(at)));
            assert!(night_is_over(&RULE, hour(31.0), SITE, at, Some(at)), "the next morning");
        }
        // Darks of the next afternoon in a folder whose science frames are of the night.
        assert!(night_is_over(&RULE, hour(38.0), SITE, hour(37.5), Some(hour(29.0))));
    }

    #[test]
    fn a_service_that_slept_through_the_day_ends_the_night_in_the_dark() {
        let last = hour(28.0);
        assert!(night_is_over(&RULE, hour(45.0), SITE, last, Some(last)), "21 h, Sun down");
    }

    #[test]
    fn an_old_archive_ends_as_soon_as_it_is_quiet() {
        let old = Epoch::from_date(2019, 7, 4, 0.0);
        assert!(!night_is_over(&RULE, hour(23.0), SITE, hour(22.9), Some(old)), "still copied");
        assert!(night_is_over(&RULE, hour(23.4), SITE, hour(22.9), Some(old)));
        assert!(night_is_over(&RULE, hour(23.4), None, hour(22.9), Some(old)));
    }

    #[test]
    fn a_site_that_is_not_known_needs_three_quiet_hours() {
        let last = hour(29.0);
        assert!(!night_is_over(&RULE, hour(31.9), None, last, Some(last)));
        assert!(night_is_over(&RULE, hour(32.1), None, last, Some(last)));
        let patient = NightEndRule { quiet_s: 18_000.0, ..RULE };
        assert!(!night_is_over(&patient, hour(32.1), None, last, Some(last)));
    }

    #[test]
    fn polar_days_and_nights_end_too() {
        // 85 deg north: in December the Sun stays 18 deg below the horizon even at noon.
        let winter = |hours: f64| Epoch::from_date(2026, 12, 21, hours * 3600.0);
        let (site, last) = (Some((85.0, 0.0)), winter(20.0));
        for now_h in [20.5, 30.0, 37.0, 43.9] {
            assert!(!night_is_over(&RULE, winter(now_h), site, last, Some(last)), "{now_h}");
        }
        assert!(night_is_over(&RULE, winter(44.1), site, last, Some(last)));
        // In June it never sets: the local midnight ends what the evening began.
        let summer = |hours: f64| Epoch::from_date(2026, 6, 21, hours * 3600.0);
        let last = summer(22.0);
        assert!(!night_is_over(&RULE, summer(23.5), site, last, Some(last)));
        assert!(night_is_over(&RULE, summer(24.5), site, last, Some(last)));
    }

    #[test]
    fn a_clock_set_back_keeps_no_night_open_for_ever() {
        // The camera's clock is a year ahead.
        let ahead = hour(29.0).plus_seconds(365.0 * SECONDS_PER_DAY);
        assert!(night_is_over(&RULE, hour(29.5), SITE, hour(29.0), Some(ahead)));
        // Two hours ahead, so that the last exposure has not been yet.
        assert!(!night_is_over(&RULE, hour(29.5), SITE, hour(29.0), Some(hour(31.0))));
        assert!(night_is_over(&RULE, hour(30.6), SITE, hour(29.0), Some(hour(31.0))));
        // Our own clock went back by an hour after the last frame.
        assert!(!night_is_over(&RULE, hour(28.9), SITE, hour(29.0), Some(hour(28.9))));
        assert!(night_is_over(&RULE, hour(30.6), SITE, hour(29.0), Some(hour(28.9))));
        // Nothing usable in the headers.
        let none = Some(Epoch::from_mjd_utc(f64::NAN));
        assert!(!night_is_over(&RULE, hour(29.5), SITE, hour(29.0), none));
        assert!(night_is_over(&RULE, hour(30.6), SITE, hour(29.0), None));
        // A future change a month ahead.
        let far = hour(29.0).plus_seconds(30.0 * SECONDS_PER_DAY);
        assert!(night_is_over(&RULE, hour(29.0), SITE, far, None));
    }
}
