//! The stored star catalogue by hand: fetch tiles beforehand, import lists, tell, verify.
//!
//! None of it needs the database: tiles are put in place whole, so that the service may run. It
//! finds new tiles by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::error::OpsError;
use super::progress::Progress;
use super::run::{Haul, TileCatalogue, read_lists};
use crate::config::{Config, ReferenceSource};
use crate::formats::star_index::IndexLabel;
use crate::remote::reference::ServiceKind;
use crate::science::reference::tile::tiles_in_cone;
use crate::science::reference::tiles::is_place;
use crate::science::reference::{ReferenceSky as _, ReferenceStar, Release, Tile};
use crate::store::tiles::{StoredTile, TileFolder};

/// Most tiles that one command fetches: a circle of some 30 degrees.
pub const TILES_MAX: usize = 4000;

/// What a fetch came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// Release.
    pub release: Release,
    /// Tiles of the circle.
    pub n_tiles: usize,
    /// Tiles fetched now.
    pub n_fetched: usize,
    /// Tiles that are still not stored, or not deep enough.
    pub lacking: Vec<Tile>,
    /// Why, as the service or the network said.
    pub why: Option<String>,
}

/// Fetches the tiles that a circle around (RA, Dec) [rad] touches and that are not stored.
///
/// With `reference.source = "files"` the Gaia archive is asked.
pub fn fetch(
    data_dir: &Path,
    config: &Config,
    (centre_rad, radius_rad): ((f64, f64), f64),
    progress: &dyn Progress,
) -> Result<Fetched, OpsError> {
    let kind = match config.reference.source {
        ReferenceSource::Files => ServiceKind::Gaia,
        ReferenceSource::Service(kind) => kind,
    };
    let catalogue = TileCatalogue::new(data_dir, config.reference.service_of(kind));
    let tiles = tiles_in_cone(centre_rad, radius_rad, TILES_MAX);
    let n_fetched = catalogue.bring(&tiles, Haul::All, progress)?;
    let lacking = tiles.iter().copied().filter(|tile| catalogue.is_wanting(*tile)).collect();
    Ok(Fetched {
        release: config.reference.release,
        n_tiles: tiles.len(),
        n_fetched,
        lacking,
        why: catalogue.why_failed(),
    })
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Release they were put under.
    pub release: Release,
    /// Stars of the lists.
    pub n_stars: usize,
    /// Tiles written.
    pub n_tiles: usize,
    /// What of the lists could not be used.
    pub remarks: Vec<String>,
}

/// Puts star lists into tiles, beside the stars that are there.
///
/// * `complete_to_mag`: the lists hold all stars up to this magnitude of all tiles they touch, so
///   that these need not be fetched [mag, G]; without it, a service still fetches them when it can.
pub fn import(
    data_dir: &Path,
    release: Release,
    files: &[PathBuf],
    complete_to_mag: Option<f64>,
) -> Result<Imported, OpsError> {
    let folder = TileFolder::below(data_dir, release);
    let (stars, remarks) = read_lists(files)?;
    let n_stars = stars.len();
    let mut by_tile: BTreeMap<Tile, Vec<ReferenceStar>> = BTreeMap::new();
    for star in stars.into_iter().filter(|star| is_place(star.ra_rad, star.dec_rad)) {
        by_tile.entry(Tile::of(star.ra_rad, star.dec_rad)).or_default().push(star);
    }
    let n_tiles = by_tile.len();
    for (tile, stars) in by_tile {
        // A damaged tile is replaced.
        let old = folder.open(tile).ok().flatten();
        let (stars, label) = merged(stars, old.as_ref(), complete_to_mag);
        folder.put(stars, &label, tile)?;
    }
    Ok(Imported { release, n_stars, n_tiles, remarks })
}

/// New stars and those of the old tile that are not among them.
fn merged(
    mut stars: Vec<ReferenceStar>,
    old: Option<&StoredTile>,
    complete_to_mag: Option<f64>,
) -> (Vec<ReferenceStar>, IndexLabel) {
    let known: BTreeSet<i64> = stars.iter().map(|star| star.source_id).collect();
    let before = old.and_then(|old| old.stars().ok()).unwrap_or_default();
    stars.extend(before.into_iter().filter(|star| !known.contains(&star.source_id)));
    let mut label = old.map(|old| old.label().clone()).unwrap_or_default();
    let deepest = label.g_max_mag.filter(|_| label.is_complete);
    if let Some(limit) = complete_to_mag.filter(|limit| deepest.is_none_or(|g| g < *limit)) {
        (label.g_max_mag, label.is_complete) = (Some(limit), true);
    }
    label.source = match label.source.as_str() {
        "" | IMPORTED => IMPORTED.to_owned(),
        other if other.ends_with(AND_IMPORTED) => other.to_owned(),
        other => format!("{other}{AND_IMPORTED}"),
    };
    (stars, label)
}

/// Source of tiles made from lists.
const IMPORTED: &str = "imported lists";
/// ... and of fetched ones to which lists were added.
const AND_IMPORTED: &str = " + lists";

/// What is stored of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRelease {
    /// Release.
    pub release: Release,
    /// Its folder.
    pub folder: PathBuf,
    /// Tiles stored.
    pub n_tiles: usize,
    /// Those that hold all stars up to their limit.
    pub n_complete: usize,
    /// Stars.
    pub n_stars: usize,
    /// Size of the files [byte].
    pub size_bytes: u64,
    /// Brightest and faintest limit of whole tiles [mag, G].
    pub g_max_mag: Option<(f64, f64)>,
    /// Where the stars come from, and how many tiles each.
    pub sources: BTreeMap<String, usize>,
    /// Tiles that cannot be used, and why.
    pub faults: Vec<(PathBuf, String)>,
}

/// What is stored, by release; each tile is opened and checked.
pub fn info(data_dir: &Path) -> Result<Vec<StoredRelease>, OpsError> {
    Release::ALL.iter().map(|release| look(&TileFolder::below(data_dir, *release))).collect()
}

/// Checks all stored tiles to the last star, and sets damaged ones aside: they are fetched again.
pub fn verify(data_dir: &Path) -> Result<Vec<StoredRelease>, OpsError> {
    let mut releases = info(data_dir)?;
    for release in &mut releases {
        let folder = TileFolder::below(data_dir, release.release);
        for tile in folder.list()? {
            let read = folder.open(tile);
            let is_damaged = match read {
                Err(error) => error.is_damage(),
                Ok(stored) => match stored.map(|stored| stored.stars()) {
                    Some(Err(error)) => {
                        release.faults.push((folder.path(tile), error.to_string()));
                        true
                    }
                    _ => false,
                },
            };
            if is_damaged {
                folder.set_aside(tile)?;
            }
        }
    }
    Ok(releases)
}

fn look(folder: &TileFolder) -> Result<StoredRelease, OpsError> {
    let mut stored = StoredRelease {
        release: folder.release(),
        folder: folder.root().to_owned(),
        n_tiles: 0,
        n_complete: 0,
        n_stars: 0,
        size_bytes: 0,
        g_max_mag: None,
        sources: BTreeMap::new(),
        faults: Vec::new(),
    };
    for tile in folder.list()? {
        let path = folder.path(tile);
        stored.size_bytes += std::fs::metadata(&path).map_or(0, |told| told.len());
        match folder.open(tile) {
            Ok(Some(index)) => {
                let label = index.label();
                stored.n_tiles += 1;
                stored.n_stars += index.len();
                stored.n_complete += usize::from(label.is_complete);
                if let Some(g) = label.g_max_mag.filter(|_| label.is_complete) {
                    let (low, high) = stored.g_max_mag.unwrap_or((g, g));
                    stored.g_max_mag = Some((low.min(g), high.max(g)));
                }
                *stored.sources.entry(label.source.clone()).or_default() += 1;
            }
            // It went in between.
            Ok(None) => {}
            Err(error) => stored.faults.push((path, super::run::chain(&error))),
        }
    }
    Ok(stored)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use super::*;

    const LIST: &str = "source_id,ra,dec,ref_epoch,phot_g_mean_mag\n\
                        1,10.0,20.0,2016.0,12\n2,10.01,20.0,2016.0,13\n3,200.0,-45.0,2016.0,14\n\
                        x,y\n";

    #[test]
    fn lists_become_tiles_and_damage_is_found() {
        let data = tempfile::tempdir().expect("a folder");
        let list = data.path().join("stars.csv");
        std::fs::write(&list, LIST).expect("written");
        let release = Release::GaiaDr3;
        let files = [list.clone()];
        let imported = import(data.path(), release, &files, None).expect("imported");
        assert_eq!((imported.n_stars, imported.n_tiles, imported.remarks.len()), (3, 2, 1));
        // The same again, and more of one tile, now said to be all.
        std::fs::write(&list, format!("{LIST}4,10.02,20.0,2016.0,15\n")).expect("written");
        import(data.path(), release, &files, Some(16.0)).expect("imported");
        let told = info(data.path()).expect("read");
        let stored = &told[0];
        assert_eq!((stored.release, stored.n_tiles, stored.n_stars), (release, 2, 4));
        assert_eq!((stored.n_complete, stored.g_max_mag), (2, Some((16.0, 16.0))));
        assert_eq!(stored.sources, BTreeMap::from([(IMPORTED.to_owned(), 2)]));
        assert!(stored.faults.is_empty() && told[1].n_tiles == 0);

        let folder = TileFolder::below(data.path(), release);
        let tile = Tile::of(10.0_f64.to_radians(), 20.0_f64.to_radians());
        let mut bytes = std::fs::read(folder.path(tile)).expect("read");
        bytes.truncate(bytes.len() - 10);
        std::fs::write(folder.path(tile), bytes).expect("written");
        let told = verify(data.path()).expect("read");
        assert_eq!((told[0].n_tiles, told[0].faults.len()), (1, 1));
        assert!(told[0].faults[0].1.contains("damaged"), "{:?}", told[0].faults);
        assert!(verify(data.path()).expect("read")[0].faults.is_empty());
        assert!(folder.open(tile).expect("no error").is_none());
    }

    #[test]
    fn a_fetched_tile_stays_whole_when_a_list_is_added() {
        let data = tempfile::tempdir().expect("a folder");
        let folder = TileFolder::below(data.path(), Release::GaiaDr2);
        let place = (10.0_f64.to_radians(), 20.0_f64.to_radians());
        let label = IndexLabel {
            g_max_mag: Some(18.0),
            is_complete: true,
            source: "VizieR".to_owned(),
            ..IndexLabel::default()
        };
        let old = vec![ReferenceStar::at(77, place, 2015.5), ReferenceStar::at(1, place, 2015.5)];
        let tile = Tile::of(place.0, place.1);
        folder.put(old, &label, tile).expect("written");
        let list = data.path().join("stars.csv");
        std::fs::write(&list, LIST).expect("written");
        import(data.path(), Release::GaiaDr2, &[list], Some(15.0)).expect("imported");
        let stored = folder.open(tile).expect("whole").expect("there");
        assert_eq!(stored.len(), 3);
        let label = stored.label();
        assert_eq!((label.g_max_mag, label.is_complete), (Some(18.0), true));
        assert_eq!(label.source, "VizieR + lists");
    }
}
