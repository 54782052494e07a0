//! The catalogue in HEALPix tiles against a full scan; bad stars, doubles and bad cones.

use super::*;
use crate::science::sky::vector::separation_rad;
use crate::science::units::DEG_RAD;

fn star(source_id: i64, ra_rad: f64, dec_rad: f64, g_mag: Option<f64>) -> ReferenceStar {
    ReferenceStar {
        pm_ra_mas_per_yr: Some(5.0),
        pm_dec_mas_per_yr: Some(-5.0),
        g_mag,
        ..ReferenceStar::at(source_id, (ra_rad, dec_rad), 2016.0)
    }
}

/// Stars spread evenly over the whole sphere by the golden angle.
fn whole_sky(n: usize) -> Vec<ReferenceStar> {
    (0..n)
        .map(|i| {
            let z = 1.0 - 2.0 * (i as f64 + 0.5) / n as f64;
            let ra = (i as f64 * 2.399_963_229_728_653).rem_euclid(std::f64::consts::TAU);
            star(i as i64, ra, z.asin(), (i % 10 != 0).then_some(10.0 + (i % 97) as f64 * 0.1))
        })
        .collect()
}

#[test]
fn cone_gives_exactly_the_stars_a_full_scan_gives() {
    let stars = whole_sky(40_000);
    let sky = MemoryCatalogue::new(stars.clone());
    assert_eq!(sky.len(), stars.len());
    for (centre, radius_deg) in
        [((0.0, 0.0), 2.0), ((6.27, 1.56), 3.0), ((3.0, -1.2), 0.5), ((1.0, 0.5), 40.0)]
    {
        let radius_rad = radius_deg * DEG_RAD;
        let found = sky.stars_in_cone(centre, radius_rad, 2026.0).expect("a cone");
        let expected = stars
            .iter()
            .map(|s| propagate(s, &Moment::at(2026.0)))
            .filter(|s| separation_rad((s.ra_rad, s.dec_rad), centre) <= radius_rad)
            .count();
        assert_eq!(found.len(), expected);
        let order = |s: &StarAtEpoch| s.g_mag.unwrap_or(f64::INFINITY);
        assert!(found.windows(2).all(|w| order(&w[0]) <= order(&w[1])));
        let few = sky.brightest_in_cone(centre, radius_rad, 2026.0, 5).expect("a cone");
        assert_eq!(few, found.into_iter().take(5).collect::<Vec<_>>());
    }
}

#[test]
fn no_cell_reaches_beyond_its_radius() {
    for depth in DEPTHS {
        for cell in (0..cdshealpix::nested::n_hash(depth)).step_by(7) {
            let centre = cdshealpix::nested::center(depth, cell);
            for vertex in cdshealpix::nested::vertices(depth, cell) {
                assert!(separation_rad(centre, vertex) < cell_radius_rad(depth));
            }
        }
    }
}

#[test]
fn bad_stars_doubles_and_bad_cones() {
    let twin = star(1, 1.0, 0.5, Some(9.0));
    let bad = star(2, f64::NAN, 0.5, None);
    let off = star(3, 1.0, 2.0, None);
    let sky = MemoryCatalogue::new(vec![twin, twin, bad, off]);
    assert_eq!(sky.len(), 1);
    assert_eq!(sky.cells_with_stars().len(), 1);
    assert!(sky.stars_in_cone((f64::NAN, 0.0), 0.1, 2020.0).is_err());
    assert!(sky.stars_in_cone((0.0, 0.0), -0.1, 2020.0).is_err());
    let none = MemoryCatalogue::new(Vec::new());
    assert!(none.is_empty() && none.cells_with_stars().is_empty());
    assert!(none.stars_in_cone((0.0, 0.0), 0.1, 2020.0).expect("a cone").is_empty());
}
