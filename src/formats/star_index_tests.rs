//! The index file of a star catalogue against the catalogue in memory; broken bytes.

use super::*;
use crate::science::reference::tiles::MemoryCatalogue;

/// 3000 stars within some degrees of RA 0h, in f32-exact magnitudes.
fn stars() -> Vec<ReferenceStar> {
    (0..3000_i64)
        .map(|i| {
            let t = i as f64;
            let place = ((t * 0.618_034).fract() * 0.08 - 0.04, (t * 0.414_214).fract() * 0.08);
            ReferenceStar {
                ra_err_mas: Some(0.25),
                dec_err_mas: Some(0.5),
                pm_ra_mas_per_yr: (i % 3 != 0).then_some(2.0),
                pm_dec_mas_per_yr: (i % 3 != 0).then_some(-1.0),
                pm_ra_err_mas_per_yr: (i % 3 != 0).then_some(0.125),
                pm_dec_err_mas_per_yr: (i % 3 != 0).then_some(0.25),
                parallax_mas: (i % 5 != 0).then_some(i as f64 * 0.25),
                parallax_err_mas: (i % 5 != 0).then_some(0.0625),
                g_mag: (i % 11 != 0).then_some(8.0 + (i % 80) as f64 * 0.125),
                bp_mag: (i % 7 != 0).then_some(9.5),
                rp_mag: (i % 13 != 0).then_some(8.5),
                bp_rp_mag: (i % 7 != 0 && i % 13 != 0).then_some(1.0),
                ..ReferenceStar::at(1_000_000 + i, place, 2016.0)
            }
        })
        .collect()
}

#[test]
fn index_answers_as_the_catalogue_in_memory() {
    let memory = MemoryCatalogue::new(stars());
    let index = IndexReader::open(encode(stars(), &IndexLabel::default())).expect("our own bytes");
    assert_eq!(index.len(), memory.len());
    assert_eq!(index.cells_with_stars(), memory.cells_with_stars());
    for (centre, radius) in [((0.0, 0.04), 0.01), ((6.27, 0.02), 0.03), ((1.0, 0.0), 0.01)] {
        let expected = memory.stars_in_cone(centre, radius, 2024.0).expect("a cone");
        assert_eq!(index.stars_in_cone(centre, radius, 2024.0).expect("a cone"), expected);
        let few = index.brightest_in_cone(centre, radius, 2024.0, 7).expect("a cone");
        assert_eq!(few, expected.into_iter().take(7).collect::<Vec<_>>());
    }
}

#[test]
fn an_empty_index_is_no_error() {
    let index =
        IndexReader::open(encode(Vec::new(), &IndexLabel::default())).expect("our own bytes");
    assert!(index.is_empty() && index.cells_with_stars().is_empty());
}

#[test]
fn stars_and_label_come_back_as_they_were() {
    let label = IndexLabel {
        tile: Tile::new(4711),
        g_max_mag: Some(18.25),
        is_complete: true,
        source: "the Gaia archive, \u{e9}toiles: a name that is too long to be kept".to_owned(),
    };
    let index = IndexReader::open(encode(stars(), &label)).expect("our own bytes");
    assert_eq!(index.label().source, "the Gaia archive, \u{e9}toiles: a name that is too ");
    assert_eq!(index.label(), &IndexLabel { source: index.label().source.clone(), ..label });
    let mut back = index.stars().expect("all of them");
    back.sort_by_key(|star| star.source_id);
    assert_eq!(back, stars());
    assert_eq!(index.checksum_hex().len(), 64);
    let other = IndexReader::open(encode(stars(), &IndexLabel::default())).expect("our own bytes");
    assert_ne!(index.checksum_hex(), other.checksum_hex());
    assert_eq!(other.label(), &IndexLabel::default());
}

#[test]
fn broken_bytes_are_refused() {
    let stars = stars().into_iter().take(60).collect();
    let good = encode(stars, &IndexLabel::default());
    for length in 0..good.len() {
        assert!(IndexReader::open(&good[..length]).is_err(), "{length}");
    }
    for i in 0..good.len() {
        let mut bad = good.clone();
        bad[i] ^= 0x80;
        assert!(IndexReader::open(bad).is_err(), "byte {i}");
    }
    assert!(matches!(IndexReader::open(vec![0_u8; 64]), Err(StarIndexError::Magic)));
}

/// Bytes with a right checksum that somebody made up: counts and places beyond the file.
#[test]
fn hostile_bytes_never_panic() {
    let good = encode(stars().into_iter().take(60).collect(), &IndexLabel::default());
    for i in 8..good.len().min(1600) {
        for flip in [0xff, 0x80, 0x01] {
            let mut bad = good.clone();
            bad[i] ^= flip;
            let sum = checksum(&bad);
            bad[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&sum);
            if let Ok(index) = IndexReader::open(bad) {
                // Either answer is right; it must only come back.
                let answer = index.stars_in_cone((0.0, 0.04), 0.2, 2024.0);
                assert!(answer.is_err() || answer.is_ok_and(|s| s.len() <= 60));
            }
        }
    }
}
