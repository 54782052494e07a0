//! Nights between two local noons.
//!
//! Noon is that of the site's mean solar time: UTC shifted by the longitude. Zones and daylight
//! saving do not come in, so no night is ever 23 or 25 hours long.

use crate::science::time::Epoch;

/// Longitude of a full turn [deg].
const TURN_DEG: f64 = 360.0;

/// Date (`2026-03-01`) of the local noon before an instant: the night's name.
///
/// * `longitude_deg`: east positive; 0 to 360 is taken as -180 to 180, so that 190 and -170 are
///   the same site with the same date. At exactly 180 the side of the sign decides.
pub fn night_date(at: Epoch, longitude_deg: f64) -> String {
    let local = local_mjd(at, longitude_deg);
    let day = Epoch::from_mjd_utc((local - 0.5).floor());
    day.to_iso().split('T').next().unwrap_or_default().to_owned()
}

/// The first local noon later than an instant.
pub fn noon_after(at: Epoch, longitude_deg: f64) -> Epoch {
    let local = local_mjd(at, longitude_deg);
    let noon = (local - 0.5).floor() + 1.5;
    Epoch::from_mjd_utc(at.mjd_utc() + (noon - local))
}

/// Local mean solar time as a Modified Julian Date [d].
fn local_mjd(at: Epoch, longitude_deg: f64) -> f64 {
    let folded_deg = if longitude_deg.abs() <= TURN_DEG / 2.0 {
        longitude_deg
    } else {
        (longitude_deg + TURN_DEG / 2.0).rem_euclid(TURN_DEG) - TURN_DEG / 2.0
    };
    at.mjd_utc() + folded_deg / TURN_DEG
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u32, hour: f64) -> Epoch {
        Epoch::from_date(2026, 3, day, hour * 3600.0)
    }

    #[test]
    fn a_night_has_the_date_of_its_evening() {
        // Greenwich: noon to noon.
        assert_eq!(night_date(at(2, 11.999), 0.0), "2026-03-01");
        assert_eq!(night_date(at(2, 12.001), 0.0), "2026-03-02");
        assert_eq!(night_date(at(1, 3.0), 0.0), "2026-02-28");
        // 15 deg are one hour: noon at -2.57 deg is 10.3 minutes after that of Greenwich.
        assert_eq!(night_date(at(2, 12.0 + 10.0 / 60.0), -2.57), "2026-03-01");
        assert_eq!(night_date(at(2, 12.0 + 11.0 / 60.0), -2.57), "2026-03-02");
        // Hawaii (-155.47 deg): its noon is 22.36 h UTC; New Zealand (170.46 deg): 0.64 h UTC.
        assert_eq!(night_date(at(2, 22.3), -155.47), "2026-03-01");
        assert_eq!(night_date(at(2, 22.4), -155.47), "2026-03-02");
        assert_eq!(night_date(at(2, 0.6), 170.46), "2026-03-01");
        assert_eq!(night_date(at(2, 0.7), 170.46), "2026-03-02");
    }

    #[test]
    fn the_date_line_is_at_180_degrees() {
        // Local time is UTC + 12 h on the one side and UTC - 12 h on the other.
        assert_eq!(night_date(at(2, 6.0), 180.0), "2026-03-02");
        assert_eq!(night_date(at(2, 6.0), -180.0), "2026-03-01");
        for longitude_deg in [190.0, 270.0, 359.5] {
            let same = night_date(at(2, 6.0), longitude_deg - 360.0);
            assert_eq!(night_date(at(2, 6.0), longitude_deg), same);
        }
        assert_eq!(night_date(at(2, 23.0), 204.53), night_date(at(2, 23.0), -155.47));
    }

    #[test]
    fn noon_comes_within_a_day() {
        let noon = noon_after(at(1, 20.0), 0.0);
        assert!((noon.mjd_utc() - at(2, 12.0).mjd_utc()).abs() < 1e-9);
        let noon = noon_after(at(1, 20.0), 90.0);
        assert!((noon.mjd_utc() - at(2, 6.0).mjd_utc()).abs() < 1e-9);
        for hour in 0..48 {
            let at = at(1, f64::from(hour) + 0.25);
            let wait_h = (noon_after(at, 33.0).mjd_utc() - at.mjd_utc()) * 24.0;
            assert!(wait_h > 0.0 && wait_h <= 24.0, "{wait_h}");
        }
    }
}
