//! Tiles on the disk, whole, damaged and in the wrong place; nights that wait for tiles.

use super::*;
use crate::formats::star_index::IndexLabel;
use crate::science::reference::{ReferenceSky as _, ReferenceStar, Release, Tile};
use crate::store::tiles::{TileError, TileFolder};
use crate::store::wanted_tiles::WantedTile;

fn tile(number: u32) -> Tile {
    Tile::new(number).expect("a tile")
}

fn stars(tile: Tile) -> Vec<ReferenceStar> {
    (0..20)
        .map(|i| ReferenceStar {
            g_mag: Some(10.0 + f64::from(i)),
            ..ReferenceStar::at(i64::from(i), tile.centre_rad(), 2016.0)
        })
        .collect()
}

#[test]
fn a_tile_comes_back_and_a_damaged_one_is_set_aside() {
    let data = tempfile::tempdir().expect("a folder");
    let folder = TileFolder::below(data.path(), Release::GaiaDr3);
    assert!(folder.list().expect("read").is_empty());
    assert!(folder.open(tile(7)).expect("no error").is_none() && folder.stamp(tile(7)).is_none());
    let label = IndexLabel { g_max_mag: Some(18.0), is_complete: true, ..IndexLabel::default() };
    for number in [12_345, 7, 49_151] {
        folder.put(stars(tile(number)), &label, tile(number)).expect("written");
    }
    assert_eq!(folder.list().expect("read"), [tile(7), tile(12_345), tile(49_151)]);
    let read = folder.open(tile(7)).expect("whole").expect("there");
    assert_eq!((read.len(), read.label().g_max_mag), (20, Some(18.0)));
    assert_eq!(read.label().tile, Some(tile(7)));

    // One byte of the last record; then a file that is cut off; then another tile's file.
    let path = folder.path(tile(7));
    let good = std::fs::read(&path).expect("read");
    let mut bad = good.clone();
    *bad.last_mut().expect("bytes") ^= 1;
    for damaged in [bad, good[..good.len() / 2].to_vec(), Vec::new()] {
        std::fs::write(data.path().join("new"), damaged).expect("written");
        std::fs::rename(data.path().join("new"), &path).expect("renamed");
        let error = folder.open(tile(7)).expect_err("damaged");
        assert!(matches!(error, TileError::Damaged { .. }) && error.is_damage(), "{error:?}");
    }
    let aside = folder.set_aside(tile(7)).expect("renamed");
    assert!(aside.is_file() && folder.open(tile(7)).expect("no error").is_none());
    assert_eq!(folder.list().expect("read").len(), 2);
    std::fs::copy(folder.path(tile(12_345)), &path).expect("copied");
    assert!(matches!(folder.open(tile(7)), Err(TileError::OtherTile { .. })));
    // The mapped one is as it was.
    assert_eq!(read.stars().expect("whole").len(), 20);
}

#[test]
fn a_night_is_opened_again_when_a_tile_came() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let night = night();
    let release = Release::GaiaDr3;
    store.set_wanted_tiles(&night, release, &[tile(9), tile(4), tile(9)]).expect("noted");
    let wanted = store.read().wanted_tiles(release).expect("read");
    let expected = [tile(4), tile(9)].map(|tile| WantedTile { tile, night: night.clone() });
    assert_eq!(wanted, expected);
    assert!(store.read().wanted_tiles(Release::GaiaDr2).expect("read").is_empty());
    store.tile_came(&wanted[0], release).expect("noted");
    store.tile_came(&wanted[0], release).expect("twice is once");
    assert_eq!(store.read().wanted_tiles(release).expect("read"), expected[1..]);
    assert_eq!(store.read().closed_listings().expect("read").len(), 0);
    store.set_wanted_tiles(&night, release, &[]).expect("noted");
    assert!(store.read().wanted_tiles(release).expect("read").is_empty());
}
