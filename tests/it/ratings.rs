//! Ratings against real objects: their places by JPL Horizons.

use std::collections::BTreeMap;
use std::path::PathBuf;

use autossos::science::orbit::neo_rating::{NeoRater, SkyMotion};
use autossos::science::sky::vector::offset_rad;
use autossos::science::time::Epoch;
use autossos::science::units::{ARCSEC_RAD, DEG_RAD};

/// A place of an object by Horizons.
struct Row {
    mjd_utc: f64,
    place_rad: (f64, f64),
    elongation_deg: f64,
}

/// The rows per object; `None` without the data.
fn ephemerides() -> Option<BTreeMap<String, Vec<Row>>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/ephemeris");
    let text = std::fs::read_to_string(path.join("horizons.csv")).ok()?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut objects: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("a table");
        let number = |i: usize| row[i].parse::<f64>().expect("a number");
        objects.entry(row[0].to_owned()).or_default().push(Row {
            mjd_utc: number(1),
            place_rad: (number(5) * DEG_RAD, number(6) * DEG_RAD),
            elongation_deg: number(13),
        });
    }
    Some(objects)
}

/// Ratings of consecutive rows less than two hours apart, seen in the night sky.
fn ratings(rows: &[Row], rater: &mut NeoRater) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    for pair in rows.windows(2) {
        let minutes = (pair[1].mjd_utc - pair[0].mjd_utc) * 1440.0;
        if minutes <= 0.0 || minutes > 120.0 || pair[0].elongation_deg < 60.0 {
            continue;
        }
        let (east, north) = offset_rad(pair[0].place_rad, pair[1].place_rad);
        let motion = SkyMotion {
            east_arcsec_per_min: east / ARCSEC_RAD / minutes,
            north_arcsec_per_min: north / ARCSEC_RAD / minutes,
            err_arcsec_per_min: 0.01,
        };
        let at = Epoch::from_mjd_utc(pair[0].mjd_utc);
        let rated = rater.rate(at, pair[0].place_rad, &motion).expect("well known");
        found.push((rated.rating, rated.sun_distance_deg));
    }
    found
}

#[test]
fn real_objects_are_rated_by_their_class() {
    let Some(objects) = ephemerides() else {
        println!("skipped: no ../shared/data/ephemeris/horizons.csv");
        return;
    };
    let mut rater = NeoRater::default();
    let mut medians: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, rows) in &objects {
        let mut found: Vec<f64> = ratings(rows, &mut rater).iter().map(|r| r.0).collect();
        found.sort_by(f64::total_cmp);
        if let (Some(low), Some(high)) = (found.first(), found.last()) {
            let median = found[found.len() / 2];
            println!("{name}: {low:.0} .. {median:.0} .. {high:.0} of {}", found.len());
            medians.insert(name, median);
        }
    }
    println!("{medians:?}");
}
