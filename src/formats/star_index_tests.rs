//! The index file of a star catalogue against the catalogue in memory; broken bytes.

use super::*;
use crate::science::reference::tiles::MemoryCatalogue;

/// 3000 stars within some degrees of RA 0h, in f32-exact magnitudes.
fn stars() -> Vec<ReferenceStar> {
    (0..3000_i64)
        .map(|i| {
            let t = i as f64;
            ReferenceStar {
                source_id: 1_000_000 + i,
                ra_rad: (t * 0.618_034).fract() * 0.08 - 0.04,
                dec_rad: (t * 0.414_214).fract() * 0.08,
                position_err_mas: Some(0.25),
                ref_epoch_yr: 2016.0,
                pm_ra_mas_per_yr: (i % 3 != 0).then_some(2.0),
                pm_dec_mas_per_yr: (i % 3 != 0).then_some(-1.0),
                g_mag: (i % 11 != 0).then_some(8.0 + (i % 80) as f64 * 0.125),
                bp_rp_mag: None,
            }
        })
        .collect()
}

#[test]
fn index_answers_as_the_catalogue_in_memory() {
    let memory = MemoryCatalogue::new(stars());
    let index = IndexReader::open(encode(stars())).expect("our own bytes");
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
    let index = IndexReader::open(encode(Vec::new())).expect("our own bytes");
    assert!(index.is_empty() && index.cells_with_stars().is_empty());
}

#[test]
fn broken_bytes_never_panic() {
    let good = encode(stars().into_iter().take(60).collect());
    for length in 0..good.len().min(400) {
        assert!(IndexReader::open(&good[..length]).is_err());
    }
    // Every byte of header and directory, and some of the records, changed in three ways.
    for i in 0..good.len().min(1200) {
        for flip in [0xff, 0x80, 0x01] {
            let mut bad = good.clone();
            bad[i] ^= flip;
            if let Ok(index) = IndexReader::open(bad) {
                // Either answer is right; it must only come back.
                let answer = index.stars_in_cone((0.0, 0.04), 0.2, 2024.0);
                assert!(answer.is_err() || answer.is_ok_and(|s| s.len() <= 60));
            }
        }
    }
    assert!(matches!(IndexReader::open(vec![0_u8; 64]), Err(StarIndexError::Magic)));
}
