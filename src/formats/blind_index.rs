//! The whole-sky index as bytes: bright stars and the shapes of four of them.
//!
//! Layout, all little endian: header (64 byte), number of stars of each HEALPix cell (u32), stars
//! (16 byte: direction 3 x f32, magnitude f32), first shape of each bucket (u32), shapes (24 byte:
//! 4 x u32, 4 x i16), and the same stars once more as a `star_index` with motion and errors. A
//! reader checks the header against the size before it asks for memory; the table is read on
//! first use and takes 40 byte per star at most 5 million, 24 per shape at most 8
//! million. Broken bytes give an error, or at worst shapes of no use.

use std::sync::{Arc, OnceLock};

use super::star_index::{IndexLabel, IndexReader, StarIndexError, encode as encode_stars};
use crate::science::astrometry::blind::table::{CELLS, PLACES_MAX, QUADS_MAX, Shape};
use crate::science::astrometry::blind::{BlindSky, Place, QuadTable, TableError, choose};
use crate::science::reference::star::ReferenceStar;
use crate::science::reference::tiles::{ReferenceError, ReferenceSky};

/// First bytes of an index.
const MAGIC: [u8; 8] = *b"AUTOBLND";
/// Version of the layout and of the choice of shapes.
const VERSION: u16 = 1;
/// Length of the header [byte].
const HEADER_BYTES: u64 = 64;
/// Length of a star's place [byte].
const PLACE_BYTES: usize = 16;
/// Length of a shape [byte].
const SHAPE_BYTES: usize = 24;
/// Most buckets.
const BUCKETS_MAX: u64 = 1 << 22;

/// Names what an index was made of: a hash of the lists.
pub type IndexKey = [u8; 16];

/// The index could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlindIndexError {
    /// There are fewer bytes than there must be.
    #[error("the file is cut off: {size} bytes")]
    CutOff {
        /// Size [byte].
        size: usize,
    },
    /// The bytes are no index.
    #[error("not a whole-sky index (wrong first bytes)")]
    Magic,
    /// The index was written by another version of the program.
    #[error("layout version {found}, this program reads {expected}; make it anew")]
    Version {
        /// Version of the file.
        found: u16,
        /// Version that is read.
        expected: u16,
    },
    /// The counts of the header do not fit the size or the limits.
    #[error("header tells {n_places} stars and {n_shapes} shapes, size is {size}")]
    Header {
        /// Number of stars.
        n_places: u64,
        /// Number of shapes.
        n_shapes: u64,
        /// Size [byte].
        size: u64,
    },
    /// Stars or shapes contradict each other.
    #[error("the table of shapes is broken")]
    Table(#[from] TableError),
    /// The stars cannot be read.
    #[error("the stars of the index cannot be read")]
    Stars(#[source] StarIndexError),
}

/// Bytes of an index and what they hold.
#[derive(Debug)]
pub struct Encoded {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Number of stars.
    pub n_stars: usize,
    /// Number of shapes.
    pub n_shapes: usize,
}

/// Makes the index of bright stars of the whole sky.
///
/// Errors: a table that contradicts itself, which only a mistake of the program makes.
pub fn encode(stars: Vec<ReferenceStar>, key: IndexKey) -> Result<Encoded, BlindIndexError> {
    let table = choose(&stars)?.table;
    let (places, shapes) = (table.places(), table.quads());
    let stars = encode_stars(stars, &IndexLabel::default());
    let mut bytes = Vec::new();
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([0; 6]);
    let n_buckets = table.buckets().len().saturating_sub(1);
    for count in [places.len(), shapes.len(), n_buckets, stars.len()] {
        bytes.extend((count as u64).to_le_bytes());
    }
    bytes.extend(key);
    bytes.extend(table.counts().flat_map(u32::to_le_bytes));
    for place in places {
        bytes.extend(place.direction.into_iter().chain([place.mag]).flat_map(f32::to_le_bytes));
    }
    bytes.extend(table.buckets().iter().flat_map(|n| n.to_le_bytes()));
    for shape in shapes {
        bytes.extend(shape.stars.into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(shape.code.into_iter().flat_map(i16::to_le_bytes));
    }
    bytes.extend(stars);
    Ok(Encoded { bytes, n_stars: places.len(), n_shapes: shapes.len() })
}

/// A whole-sky index that reads its table when it is first asked for.
#[derive(Debug)]
pub struct BlindReader<R> {
    bytes: Arc<R>,
    n_places: usize,
    n_shapes: usize,
    n_buckets: usize,
    key: IndexKey,
    stars: IndexReader<Part<R>>,
    table: OnceLock<Result<QuadTable, Arc<BlindIndexError>>>,
}

impl<R: AsRef<[u8]> + Send + Sync> BlindReader<R> {
    /// Opens an index: reads and checks its header and the stars' directory.
    ///
    /// Errors: no index, one of another version, one that is not whole.
    pub fn open(bytes: R) -> Result<Self, BlindIndexError> {
        let bytes = Arc::new(bytes);
        let size = (*bytes).as_ref().len() as u64;
        let whole = Arc::clone(&bytes);
        let header = read((*whole).as_ref(), 0, HEADER_BYTES as usize)?;
        if at::<8>(header, 0) != MAGIC {
            return Err(BlindIndexError::Magic);
        }
        let found = u16::from_le_bytes(at(header, 8));
        if found != VERSION {
            return Err(BlindIndexError::Version { found, expected: VERSION });
        }
        let [n_places, n_shapes, n_buckets, stars_bytes] =
            [16, 24, 32, 40].map(|start| u64::from_le_bytes(at(header, start)));
        let is_bounded = n_places <= PLACES_MAX as u64
            && n_shapes <= QUADS_MAX as u64
            && n_buckets <= BUCKETS_MAX
            && stars_bytes <= size;
        let broken = BlindIndexError::Header { n_places, n_shapes, size };
        if !is_bounded {
            return Err(broken);
        }
        let start = HEADER_BYTES
            + 4 * (CELLS as u64 + n_buckets + 1)
            + n_places * PLACE_BYTES as u64
            + n_shapes * SHAPE_BYTES as u64;
        if start + stars_bytes != size {
            return Err(broken);
        }
        // Within the size, which is one of memory.
        let part = Part { whole: Arc::clone(&bytes), start: start as usize };
        Ok(Self {
            stars: IndexReader::open(part).map_err(BlindIndexError::Stars)?,
            bytes,
            // Below the limits that were checked.
            n_places: n_places as usize,
            n_shapes: n_shapes as usize,
            n_buckets: n_buckets as usize,
            key: at(header, 48),
            table: OnceLock::new(),
        })
    }

    /// What the index was made of.
    pub fn key(&self) -> IndexKey {
        self.key
    }

    /// Number of shapes.
    pub fn n_shapes(&self) -> usize {
        self.n_shapes
    }

    /// Reads the table.
    fn load(&self) -> Result<QuadTable, BlindIndexError> {
        let mut offset = HEADER_BYTES;
        let counts = self.records(&mut offset, (CELLS, 4), |r| u32::from_le_bytes(at(r, 0)))?;
        let places = self.records(&mut offset, (self.n_places, PLACE_BYTES), |r| {
            let [x, y, z, mag] = [0, 4, 8, 12].map(|start| f32::from_le_bytes(at(r, start)));
            Place { direction: [x, y, z], mag }
        })?;
        let buckets =
            self.records(&mut offset, (self.n_buckets + 1, 4), |r| u32::from_le_bytes(at(r, 0)))?;
        let shapes = self.records(&mut offset, (self.n_shapes, SHAPE_BYTES), |r| Shape {
            stars: [0, 4, 8, 12].map(|start| u32::from_le_bytes(at(r, start))),
            code: [16, 18, 20, 22].map(|start| i16::from_le_bytes(at(r, start))),
        })?;
        Ok(QuadTable::from_parts((places, &counts), (shapes, buckets))?)
    }

    /// Reads records of a length from an offset, which moves behind them.
    fn records<T>(
        &self,
        offset: &mut u64,
        (n, length): (usize, usize),
        record: impl Fn(&[u8]) -> T,
    ) -> Result<Vec<T>, BlindIndexError> {
        let bytes = read((*self.bytes).as_ref(), *offset, n * length)?;
        *offset += bytes.len() as u64;
        Ok(bytes.chunks_exact(length).map(record).collect())
    }
}

impl<R: AsRef<[u8]> + Send + Sync> BlindSky for BlindReader<R> {
    fn quads(&self) -> Result<&QuadTable, ReferenceError> {
        let loaded = self.table.get_or_init(|| self.load().map_err(Arc::new));
        loaded.as_ref().map_err(|error| ReferenceError::Read(Box::new(Arc::clone(error))))
    }

    fn stars(&self) -> &dyn ReferenceSky {
        &self.stars
    }
}

/// The bytes from a place on, which the maker knows to exist.
#[derive(Debug)]
struct Part<R> {
    whole: Arc<R>,
    start: usize,
}

impl<R: AsRef<[u8]>> AsRef<[u8]> for Part<R> {
    fn as_ref(&self) -> &[u8] {
        (*self.whole).as_ref().get(self.start..).unwrap_or_default()
    }
}

/// An array of `N` bytes from a place that the caller knows to exist.
fn at<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[start..start + N]);
    array
}

fn read(bytes: &[u8], offset: u64, length: usize) -> Result<&[u8], BlindIndexError> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let cut_off = BlindIndexError::CutOff { size: bytes.len() };
    bytes.get(start..start.saturating_add(length)).ok_or(cut_off)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stars on a spiral over the whole sky.
    fn stars(n: usize) -> Vec<ReferenceStar> {
        (0..n)
            .map(|i| {
                let ra_rad = (i as f64 * 2.399_963).rem_euclid(std::f64::consts::TAU);
                let dec_rad = (2.0 * (i as f64 + 0.5) / n as f64 - 1.0).asin();
                ReferenceStar {
                    pm_ra_mas_per_yr: Some(1.0),
                    g_mag: Some(4.0 + (i * 7919 % 600) as f64 * 0.01),
                    ..ReferenceStar::at(i as i64, (ra_rad, dec_rad), 2016.0)
                }
            })
            .collect()
    }

    #[test]
    fn an_index_reads_back_as_it_was_made() {
        let made = choose(&stars(2000)).expect("a table").table;
        let encoded = encode(stars(2000), [7; 16]).expect("an index");
        assert_eq!((encoded.n_stars, encoded.n_shapes), (2000, made.quads().len()));
        assert!(encoded.n_shapes > 300);
        let index = BlindReader::open(encoded.bytes).expect("our own bytes");
        assert_eq!(index.key(), [7; 16]);
        let table = index.quads().expect("a table");
        assert_eq!(table.quads(), made.quads());
        assert_eq!(table.places(), made.places());
        assert_eq!(table.buckets(), made.buckets());
        assert_eq!(index.stars().len(), 2000);
    }

    #[test]
    fn broken_bytes_are_refused_or_harmless() {
        let good = encode(stars(500), [0; 16]).expect("an index").bytes;
        for length in (0..good.len()).step_by(9973) {
            assert!(BlindReader::open(good[..length].to_vec()).is_err());
        }
        for i in (0..80).chain((80..good.len()).step_by(7919)) {
            for flip in [0xff, 0x80, 0x01] {
                let mut bad = good.clone();
                bad[i] ^= flip;
                let Ok(index) = BlindReader::open(bad) else { continue };
                if let Ok(table) = index.quads() {
                    // Must come back, whatever it says.
                    table.for_each_like(&[0.3, 0.1, 0.5, -0.2], |_| ());
                    table.around((1.0, 0.2), 0.01, 1e-3, 40.0);
                }
            }
        }
    }

    #[test]
    fn an_index_without_stars_is_no_error() {
        let empty = encode(Vec::new(), [0; 16]).expect("an index").bytes;
        let index = BlindReader::open(empty).expect("our own bytes");
        assert!(index.stars().is_empty());
        index.quads().expect("a table").for_each_like(&[0.3, 0.1, 0.5, -0.2], |_| ());
    }
}
