//! The reference catalogue as bytes that are read cell by cell.
//!
//! One layout for both kinds of catalogue: the index of the user's own star lists, which is one
//! file, and the tiles of a fetched catalogue, which are a file each.
//!
//! Layout, all little endian: header (128 byte: what the stars are, counts, checksum), directory
//! (16 byte per occupied HEALPix cell: number u32, stars u32, index of the first star u64; by
//! rising number), records (80 byte per star; by cell, then brightest first). Unknown values are
//! NaN in a record. A reader takes the bytes as they are, usually a mapped file, and looks only
//! at the cells that a cone touches. Every count is checked against the size before anything is
//! allocated, and the whole against its checksum: broken bytes give an error.

use crate::science::reference::motion::{Moment, StarAtEpoch, propagate};
use crate::science::reference::star::ReferenceStar;
use crate::science::reference::tile::Tile;
use crate::science::reference::tiles::{
    CONE_STARS_MAX, CellGroups, Cone, ReferenceError, ReferenceSky, SkyCell, by_brightness,
    is_place, sky_cell,
};
use crate::science::sky::vector::{UnitVector, unit_vector};

/// First bytes of an index.
const MAGIC: [u8; 8] = *b"AUTOSTAR";
/// Version of the layout.
const VERSION: u16 = 2;
/// Length of the header [byte].
const HEADER_BYTES: usize = 128;
/// Where the source's name begins in the header [byte].
const SOURCE_AT: usize = 48;
/// Where the checksum begins in the header; it covers all bytes but itself.
const CHECKSUM_AT: usize = 96;
/// Length of a directory entry [byte].
const ENTRY_BYTES: usize = 16;
/// Length of a star's record [byte].
const RECORD_BYTES: usize = 80;
/// Deepest cells that are accepted; keeps the directory below 13 MB.
const DEPTH_MAX: u8 = 8;
/// Number in the place of a tile's, when the stars are not those of a tile.
const NO_TILE: u32 = u32::MAX;

/// What an index says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexLabel {
    /// The tile whose stars these are; `None` for stars of any places.
    pub tile: Option<Tile>,
    /// Faintest magnitude up to which stars were asked for [mag, G]; `None` when nobody knows.
    pub g_max_mag: Option<f64>,
    /// Whether all stars of the tile up to that magnitude are there, as the source knows them.
    pub is_complete: bool,
    /// Where they come from, in plain words; at most 47 bytes are kept.
    pub source: String,
}

/// The index could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StarIndexError {
    /// There are fewer bytes than there must be.
    #[error("the file is cut off: {size} bytes")]
    CutOff {
        /// Size [byte].
        size: usize,
    },
    /// The bytes are not those that were written.
    #[error("the file is damaged (its checksum is another one)")]
    Damaged,
    /// The bytes are no index of stars.
    #[error("not an index of stars (wrong first bytes)")]
    Magic,
    /// The index was written by another version of the program.
    #[error("layout version {found}, this program reads {expected}; build the index anew")]
    Version {
        /// Version of the file.
        found: u16,
        /// Version that is read.
        expected: u16,
    },
    /// The counts of the header do not fit the size.
    #[error("header tells {n_cells} cells of depth {depth} and {n_stars} stars, size is {size}")]
    Header {
        /// Depth of the cells.
        depth: u8,
        /// Number of cells.
        n_cells: u64,
        /// Number of stars.
        n_stars: u64,
        /// Size [byte].
        size: usize,
    },
    /// An entry of the directory contradicts the others.
    #[error("directory entry {entry} is broken")]
    Directory {
        /// Number of the entry, from 0.
        entry: usize,
    },
    /// A star's record holds no star.
    #[error("star record {record} is broken")]
    Record {
        /// Number of the record, from 0.
        record: u64,
    },
}

/// The bytes of the index of these stars; bad and repeated stars are left out.
pub fn encode(stars: Vec<ReferenceStar>, label: &IndexLabel) -> Vec<u8> {
    let groups = CellGroups::new(stars);
    let size = HEADER_BYTES + groups.cells.len() * ENTRY_BYTES + groups.stars.len() * RECORD_BYTES;
    let mut bytes = Vec::with_capacity(size);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([groups.depth, u8::from(label.is_complete)]);
    bytes.extend(label.tile.map_or(NO_TILE, Tile::number).to_le_bytes());
    bytes.extend((groups.cells.len() as u64).to_le_bytes());
    bytes.extend((groups.stars.len() as u64).to_le_bytes());
    bytes.extend(label.g_max_mag.unwrap_or(f64::NAN).to_le_bytes());
    bytes.resize(SOURCE_AT, 0);
    let mut source = label.source.clone();
    while source.len() >= CHECKSUM_AT - SOURCE_AT {
        source.pop();
    }
    bytes.extend(source.bytes());
    bytes.resize(HEADER_BYTES, 0);
    for (cell, range) in &groups.cells {
        // Cell numbers of depth 8 stay below 2^20; counts below 2^32 as memory holds the stars.
        bytes.extend(u32::try_from(*cell).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(u32::try_from(range.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend((range.start as u64).to_le_bytes());
    }
    for star in &groups.stars {
        encode_star(star, &mut bytes);
    }
    let checksum = checksum(&bytes);
    bytes[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum);
    bytes
}

/// Hash of all bytes but the checksum's own; the caller knows that the header is whole.
fn checksum(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..CHECKSUM_AT]);
    hasher.update(&bytes[HEADER_BYTES..]);
    *hasher.finalize().as_bytes()
}

fn encode_star(star: &ReferenceStar, bytes: &mut Vec<u8>) {
    bytes.extend(star.source_id.to_le_bytes());
    for value in [star.ra_rad, star.dec_rad, star.ref_epoch_yr] {
        bytes.extend(value.to_le_bytes());
    }
    for value in [
        star.pm_ra_mas_per_yr,
        star.pm_dec_mas_per_yr,
        star.pm_ra_err_mas_per_yr,
        star.pm_dec_err_mas_per_yr,
        star.ra_err_mas,
        star.dec_err_mas,
        star.parallax_mas,
        star.parallax_err_mas,
        star.g_mag,
        star.bp_mag,
        star.rp_mag,
        star.bp_rp_mag,
    ] {
        bytes.extend(value.map_or(f32::NAN, |v| v as f32).to_le_bytes());
    }
}

/// An array of `N` bytes from a place that the caller knows to exist.
fn bytes_at<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[start..start + N]);
    array
}

/// The star of a record; `None` when it is no place on the sphere or has no epoch.
fn decode_star(record: &[u8]) -> Option<ReferenceStar> {
    let wide = |start: usize| f64::from_le_bytes(bytes_at(record, start));
    let narrow = |start: usize| {
        let value = f64::from(f32::from_le_bytes(bytes_at(record, start)));
        value.is_finite().then_some(value)
    };
    let star = ReferenceStar {
        source_id: i64::from_le_bytes(bytes_at(record, 0)),
        ra_rad: wide(8),
        dec_rad: wide(16),
        ref_epoch_yr: wide(24),
        pm_ra_mas_per_yr: narrow(32),
        pm_dec_mas_per_yr: narrow(36),
        pm_ra_err_mas_per_yr: narrow(40),
        pm_dec_err_mas_per_yr: narrow(44),
        ra_err_mas: narrow(48),
        dec_err_mas: narrow(52),
        parallax_mas: narrow(56),
        parallax_err_mas: narrow(60),
        g_mag: narrow(64),
        bp_mag: narrow(68),
        rp_mag: narrow(72),
        bp_rp_mag: narrow(76),
    };
    (is_place(star.ra_rad, star.dec_rad) && star.ref_epoch_yr.is_finite()).then_some(star)
}

/// One occupied cell of the directory.
#[derive(Debug, Clone, Copy)]
struct Entry {
    cell: u64,
    centre: UnitVector,
    n_stars: usize,
    first: u64,
}

/// A catalogue that reads its cells from bytes when they are asked for.
#[derive(Debug)]
pub struct IndexReader<B> {
    bytes: B,
    label: IndexLabel,
    depth: u8,
    n_stars: usize,
    records_at: usize,
    directory: Vec<Entry>,
}

impl<B: AsRef<[u8]> + Sync> IndexReader<B> {
    /// Opens an index: checks header, directory and checksum.
    pub fn open(bytes: B) -> Result<Self, StarIndexError> {
        let all = bytes.as_ref();
        let size = all.len();
        if !all.starts_with(&MAGIC) {
            return Err(StarIndexError::Magic);
        }
        if size < HEADER_BYTES {
            return Err(StarIndexError::CutOff { size });
        }
        let found = u16::from_le_bytes(bytes_at(all, 8));
        if found != VERSION {
            return Err(StarIndexError::Version { found, expected: VERSION });
        }
        let depth = all[10];
        let n_cells = u64::from_le_bytes(bytes_at(all, 16));
        let n_stars = u64::from_le_bytes(bytes_at(all, 24));
        let broken = StarIndexError::Header { depth, n_cells, n_stars, size };
        if depth > DEPTH_MAX || n_cells > cdshealpix::n_hash(depth) {
            return Err(broken);
        }
        let records_at = HEADER_BYTES + usize::try_from(n_cells).unwrap_or(0) * ENTRY_BYTES;
        let expected = n_stars
            .checked_mul(RECORD_BYTES as u64)
            .and_then(|length| length.checked_add(records_at as u64));
        let (Some(n_stars), true) = (usize::try_from(n_stars).ok(), expected == Some(size as u64))
        else {
            return Err(broken);
        };
        if checksum(all) != bytes_at::<32>(all, CHECKSUM_AT) {
            return Err(StarIndexError::Damaged);
        }
        let directory = decode_directory(&all[HEADER_BYTES..records_at], depth, n_stars as u64)?;
        let label = decode_label(all);
        Ok(Self { bytes, label, depth, n_stars, records_at, directory })
    }

    /// What the index says of itself.
    pub fn label(&self) -> &IndexLabel {
        &self.label
    }

    /// The checksum, hexadecimal: the same for the same stars and label.
    pub fn checksum_hex(&self) -> String {
        let sum = bytes_at::<32>(self.bytes.as_ref(), CHECKSUM_AT);
        blake3::Hash::from_bytes(sum).to_hex().to_string()
    }

    /// All stars, by cell and brightness.
    pub fn stars(&self) -> Result<Vec<ReferenceStar>, StarIndexError> {
        let records = self.bytes.as_ref()[self.records_at..].chunks_exact(RECORD_BYTES).zip(0..);
        let star =
            |(record, number)| decode_star(record).ok_or(StarIndexError::Record { record: number });
        records.map(star).collect()
    }

    /// Adds the brightest stars of a cell that may be in the cone, at most `limit`.
    fn read_cell(
        &self,
        entry: &Entry,
        cone: &Cone,
        limit: usize,
        stars: &mut Vec<ReferenceStar>,
    ) -> Result<(), StarIndexError> {
        let wanted = stars.len().saturating_add(limit);
        // `open` checked that the entries lie within the records.
        let first = usize::try_from(entry.first).unwrap_or(usize::MAX);
        let start = self.records_at + first * RECORD_BYTES;
        let records = &self.bytes.as_ref()[start..start + entry.n_stars * RECORD_BYTES];
        for (record, number) in records.chunks_exact(RECORD_BYTES).zip(entry.first..) {
            if stars.len() >= wanted {
                break;
            }
            let star = decode_star(record).ok_or(StarIndexError::Record { record: number })?;
            if cone.may_hold(unit_vector(star.ra_rad, star.dec_rad)) {
                stars.push(star);
            }
        }
        Ok(())
    }
}

/// The label in a whole header.
fn decode_label(bytes: &[u8]) -> IndexLabel {
    let g_max_mag = f64::from_le_bytes(bytes_at(bytes, 32));
    let source = &bytes[SOURCE_AT..CHECKSUM_AT];
    let length = source.iter().position(|b| *b == 0).unwrap_or(source.len());
    IndexLabel {
        tile: Tile::new(u32::from_le_bytes(bytes_at(bytes, 12))),
        g_max_mag: g_max_mag.is_finite().then_some(g_max_mag),
        is_complete: bytes[11] != 0,
        source: String::from_utf8_lossy(&source[..length]).into_owned(),
    }
}

/// The entries of a directory: cells rise, stars follow each other without gap.
fn decode_directory(bytes: &[u8], depth: u8, n_stars: u64) -> Result<Vec<Entry>, StarIndexError> {
    let mut entries: Vec<Entry> = Vec::with_capacity(bytes.len() / ENTRY_BYTES);
    let mut next = 0_u64;
    for (number, part) in bytes.chunks_exact(ENTRY_BYTES).enumerate() {
        let cell = u64::from(u32::from_le_bytes(bytes_at(part, 0)));
        let count = u32::from_le_bytes(bytes_at(part, 4));
        let first = u64::from_le_bytes(bytes_at(part, 8));
        let rises = entries.last().is_none_or(|last| last.cell < cell);
        let end = first.saturating_add(u64::from(count));
        if !rises || cell >= cdshealpix::n_hash(depth) || first != next || end > n_stars {
            return Err(StarIndexError::Directory { entry: number });
        }
        next = end;
        let (ra, dec) = cdshealpix::nested::center(depth, cell);
        let n_stars = usize::try_from(count).unwrap_or(usize::MAX);
        entries.push(Entry { cell, centre: unit_vector(ra, dec), n_stars, first });
    }
    if next != n_stars {
        return Err(StarIndexError::Directory { entry: entries.len() });
    }
    Ok(entries)
}

impl<B: AsRef<[u8]> + Sync> ReferenceSky for IndexReader<B> {
    fn brightest_in_cone(
        &self,
        centre_rad: (f64, f64),
        radius_rad: f64,
        epoch_yr: f64,
        limit: usize,
    ) -> Result<Vec<StarAtEpoch>, ReferenceError> {
        let cone = Cone::new(centre_rad, radius_rad)?;
        let moment = Moment::at(epoch_yr);
        let limit = limit.min(CONE_STARS_MAX);
        // Stars at the rim may leave the cone by their motion: read some more than wanted.
        let wanted = limit + limit / 8 + 16;
        let order = |stars: &mut Vec<ReferenceStar>| {
            stars.sort_by(|a, b| by_brightness((a.g_mag, a.source_id), (b.g_mag, b.source_id)));
        };
        let mut stars = Vec::new();
        for entry in self.directory.iter().filter(|e| cone.touches_cell(self.depth, e.centre)) {
            self.read_cell(entry, &cone, wanted, &mut stars)
                .map_err(|error| ReferenceError::Read(Box::new(error)))?;
            if stars.len() > 4 * wanted {
                order(&mut stars);
                stars.truncate(wanted);
            }
        }
        order(&mut stars);
        let at_epoch = stars.iter().map(|star| propagate(star, &moment));
        Ok(at_epoch.filter(|star| cone.holds(star)).take(limit).collect())
    }

    fn cells_with_stars(&self) -> Vec<SkyCell> {
        self.directory.iter().map(|e| sky_cell(self.depth, e.cell, e.n_stars)).collect()
    }

    fn len(&self) -> usize {
        self.n_stars
    }
}

#[cfg(test)]
#[path = "star_index_tests.rs"]
mod tests;
