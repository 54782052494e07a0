//! The reference catalogue as bytes that are read cell by cell.
//!
//! Layout, all little endian: header (40 byte), directory (16 byte per occupied HEALPix cell:
//! number u32, stars u32, index of the first star u64; by rising number), records (56 byte per
//! star; by cell, then brightest first). Unknown values are NaN in a record. A reader loads the
//! directory and then only the cells that a cone touches. Every count is checked against the
//! size before anything is allocated: broken bytes give an error.

use std::io;

use crate::science::reference::motion::{StarAtEpoch, propagate};
use crate::science::reference::star::ReferenceStar;
use crate::science::reference::tiles::{
    CONE_STARS_MAX, CellGroups, Cone, ReferenceError, ReferenceSky, SkyCell, by_brightness,
    is_place, sky_cell,
};
use crate::science::sky::vector::{UnitVector, unit_vector};

/// First bytes of an index.
const MAGIC: [u8; 8] = *b"AUTOSTAR";
/// Version of the layout.
const VERSION: u16 = 1;
/// Length of the header [byte].
const HEADER_BYTES: usize = 40;
/// Length of a directory entry [byte].
const ENTRY_BYTES: usize = 16;
/// Length of a star's record [byte].
const RECORD_BYTES: usize = 56;
/// Deepest cells that are accepted; keeps the directory below 13 MB.
const DEPTH_MAX: u8 = 8;
/// Records read at once.
const CHUNK_RECORDS: usize = 512;

/// Bytes that can be read at any place, as files and slices can.
pub trait ReadAt: Sync {
    /// Number of bytes.
    fn size(&self) -> io::Result<u64>;
    /// Fills the buffer from an offset [byte], or fails.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for &[u8] {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(buffer.len())?));
        buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> io::Result<u64> {
        self.as_slice().size()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.as_slice().read_exact_at(buffer, offset)
    }
}

/// The index could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StarIndexError {
    /// The bytes could not be read.
    #[error("reading {length} bytes at {offset} failed")]
    Read {
        /// Where [byte].
        offset: u64,
        /// How many [byte].
        length: usize,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The size of the file could not be had.
    #[error("the size of the index is not known")]
    Size(#[source] io::Error),
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
        size: u64,
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
pub fn encode(stars: Vec<ReferenceStar>) -> Vec<u8> {
    let groups = CellGroups::new(stars);
    let size = HEADER_BYTES + groups.cells.len() * ENTRY_BYTES + groups.stars.len() * RECORD_BYTES;
    let mut bytes = Vec::with_capacity(size);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([groups.depth, 0]);
    bytes.extend([0; 12]);
    bytes.extend((groups.cells.len() as u64).to_le_bytes());
    bytes.extend((groups.stars.len() as u64).to_le_bytes());
    for (cell, range) in &groups.cells {
        // Cell numbers of depth 8 stay below 2^20; counts below 2^32 as memory holds the stars.
        bytes.extend(u32::try_from(*cell).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(u32::try_from(range.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend((range.start as u64).to_le_bytes());
    }
    for star in &groups.stars {
        encode_star(star, &mut bytes);
    }
    bytes
}

fn encode_star(star: &ReferenceStar, bytes: &mut Vec<u8>) {
    bytes.extend(star.source_id.to_le_bytes());
    for value in [star.ra_rad, star.dec_rad, star.ref_epoch_yr] {
        bytes.extend(value.to_le_bytes());
    }
    for value in [
        star.pm_ra_mas_per_yr,
        star.pm_dec_mas_per_yr,
        star.position_err_mas,
        star.g_mag,
        star.bp_rp_mag,
    ] {
        bytes.extend(value.map_or(f32::NAN, |v| v as f32).to_le_bytes());
    }
    bytes.extend([0; 4]);
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
        position_err_mas: narrow(40),
        g_mag: narrow(44),
        bp_rp_mag: narrow(48),
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
pub struct IndexReader<R> {
    bytes: R,
    depth: u8,
    n_stars: usize,
    records_offset: u64,
    directory: Vec<Entry>,
}

impl<R: ReadAt> IndexReader<R> {
    /// Opens an index: reads and checks header and directory.
    pub fn open(bytes: R) -> Result<Self, StarIndexError> {
        let size = bytes.size().map_err(StarIndexError::Size)?;
        let header = read(&bytes, 0, HEADER_BYTES)?;
        if bytes_at::<8>(&header, 0) != MAGIC {
            return Err(StarIndexError::Magic);
        }
        let found = u16::from_le_bytes(bytes_at(&header, 8));
        if found != VERSION {
            return Err(StarIndexError::Version { found, expected: VERSION });
        }
        let depth = header[10];
        let n_cells = u64::from_le_bytes(bytes_at(&header, 24));
        let n_stars = u64::from_le_bytes(bytes_at(&header, 32));
        let broken = StarIndexError::Header { depth, n_cells, n_stars, size };
        if depth > DEPTH_MAX || n_cells > cdshealpix::n_hash(depth) {
            return Err(broken);
        }
        let records_offset = HEADER_BYTES as u64 + n_cells * ENTRY_BYTES as u64;
        let expected = n_stars
            .checked_mul(RECORD_BYTES as u64)
            .and_then(|length| length.checked_add(records_offset));
        let (Some(n_stars), true) = (usize::try_from(n_stars).ok(), expected == Some(size)) else {
            return Err(broken);
        };
        let length = usize::try_from(n_cells).unwrap_or(0) * ENTRY_BYTES;
        let directory =
            decode_directory(&read(&bytes, HEADER_BYTES as u64, length)?, depth, n_stars as u64)?;
        Ok(Self { bytes, depth, n_stars, records_offset, directory })
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
        let mut done = 0;
        while done < entry.n_stars && stars.len() < wanted {
            let n = CHUNK_RECORDS.min(entry.n_stars - done);
            let first = entry.first + done as u64;
            let offset = self.records_offset + first * RECORD_BYTES as u64;
            let chunk = read(&self.bytes, offset, n * RECORD_BYTES)?;
            for (record, number) in chunk.chunks_exact(RECORD_BYTES).zip(first..) {
                let star = decode_star(record).ok_or(StarIndexError::Record { record: number })?;
                if cone.may_hold(unit_vector(star.ra_rad, star.dec_rad)) {
                    stars.push(star);
                }
            }
            done += n;
        }
        Ok(())
    }
}

fn read(bytes: &impl ReadAt, offset: u64, length: usize) -> Result<Vec<u8>, StarIndexError> {
    let mut buffer = vec![0; length];
    bytes.read_exact_at(&mut buffer, offset).map_err(|source| StarIndexError::Read {
        offset,
        length,
        source,
    })?;
    Ok(buffer)
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

impl<R: ReadAt> ReferenceSky for IndexReader<R> {
    fn brightest_in_cone(
        &self,
        centre_rad: (f64, f64),
        radius_rad: f64,
        epoch_yr: f64,
        limit: usize,
    ) -> Result<Vec<StarAtEpoch>, ReferenceError> {
        let cone = Cone::new(centre_rad, radius_rad)?;
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
        let at_epoch = stars.iter().map(|star| propagate(star, epoch_yr));
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
