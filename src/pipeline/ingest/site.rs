//! The place of the telescope in a header.
//!
//! Latitudes are positive in the north. Longitudes follow the profile's sign unless the text has
//! a letter: `02 34 12 W` and, with `longitude_positive = "east"`, `-02 34 12` are the same place.

use super::angle::parse_sexagesimal;
use super::lookup::{Quantity, Reader};
use super::profile::{LongitudePositive, SiteRule};
use crate::pipeline::artifact::frame_info::Site;

/// Height above the ellipsoid [m]: from the Dead Sea to the highest peak, and aircraft.
const HEIGHT: Quantity =
    Quantity { name: "height of the site", unit: "m", sane: -500.0..=20_000.0 };

/// The site; `None` when latitude or longitude is missing or absurd.
pub(super) fn read_site(reader: &mut Reader<'_>, rule: &SiteRule) -> Option<Site> {
    let latitude_deg = read_angle(reader, &rule.latitude, 1.0, 90.0)?;
    let sign = match rule.longitude_positive {
        LongitudePositive::East => 1.0,
        LongitudePositive::West => -1.0,
    };
    let longitude_deg = match read_angle(reader, &rule.longitude, sign, 360.0)? {
        east if east > 180.0 => east - 360.0,
        west if west < -180.0 => west + 360.0,
        longitude_deg => longitude_deg,
    };
    let height_m = reader.first_number(&rule.height_m, &HEIGHT);
    Some(Site {
        latitude_deg,
        longitude_deg,
        height_m: height_m.unwrap_or_else(|| {
            reader.remark("The header has no height of the site; 0 m assumed.".to_owned());
            0.0
        }),
    })
}

/// The first readable angle [deg], north or east positive.
fn read_angle(
    reader: &mut Reader<'_>,
    keywords: &[String],
    sign: f64,
    max_deg: f64,
) -> Option<f64> {
    for keyword in keywords {
        let Some(text) = reader.text(keyword) else {
            continue;
        };
        let read = parse_sexagesimal(&text).filter(|read| read.value.abs() <= max_deg);
        let Some(read) = read else {
            reader.dropped(keyword, &format!("'{text}'"), "place on Earth");
            continue;
        };
        return Some(match read.direction {
            Some('N' | 'E') => read.value,
            Some(_) => -read.value,
            None => sign * read.value,
        });
    }
    None
}
