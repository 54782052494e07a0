//! All known orbits in one file, each found by its index.
//!
//! Layout, all little endian: header (128 byte: counts, range of epochs, checksum), records (88
//! byte per orbit: place [au] and velocity [au/d] from the Sun at the orbit's own epoch, epoch
//! [MJD, TT], magnitude and slope, growth of the error, where its texts are), texts (UTF-8, one
//! after the other). Unknown values are NaN in a record. Counts are checked against the size before
//! anything is read, and the whole against its checksum: broken bytes give an error.

use super::mpcorb::MpcOrbit;
use crate::science::orbit::kepler::State;
use crate::science::orbit::known::KnownBody;
use crate::science::orbit::place::Brightness;
use crate::science::orbit::uncertainty::Growth;

/// First bytes of a table.
const MAGIC: [u8; 8] = *b"AUTOORBT";
/// Version of the layout.
const VERSION: u64 = 1;
/// Length of the header [byte].
const HEADER_BYTES: usize = 128;
/// Where the checksum begins in the header; it covers all bytes but itself.
const CHECKSUM_AT: usize = 96;
/// Length of a record [byte].
const RECORD_BYTES: usize = 88;
/// Most orbits of a table: the texts' places must fit into 32 bit.
pub const ORBITS_MAX: usize = 20_000_000;

/// The table could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrbitTableError {
    /// Other bytes than those of a table.
    #[error("the file is no table of orbits of this version")]
    Other,
    /// Sizes that do not fit, or a wrong checksum.
    #[error("the file is damaged")]
    Damaged,
}

/// Collects orbits for a table.
#[derive(Debug, Default)]
pub struct OrbitTableBuilder {
    records: Vec<u8>,
    texts: Vec<u8>,
    epochs: Option<(f64, f64)>,
}

impl OrbitTableBuilder {
    /// Orbits so far.
    pub fn count(&self) -> usize {
        self.records.len() / RECORD_BYTES
    }

    /// Adds an orbit; `false` when it is none or the table is full.
    pub fn push(&mut self, orbit: &MpcOrbit) -> bool {
        let Some(state) = orbit.elements.state().filter(|_| self.count() < ORBITS_MAX) else {
            return false;
        };
        let texts = [orbit.designation.to_string(), orbit.name.clone()];
        let lengths = [0, 1].map(|k| u8::try_from(texts[k].len()));
        let ([Ok(first), Ok(second)], Ok(at)) = (lengths, u32::try_from(self.texts.len())) else {
            return false;
        };
        let growth = orbit.arc.growth(orbit.epoch_mjd);
        let mut put = |value: f64| self.records.extend(value.to_le_bytes());
        state.place_au.into_iter().chain(state.velocity_au_per_d).for_each(&mut put);
        put(orbit.epoch_mjd);
        put(growth.runoff_arcsec_per_d);
        put(growth.since_mjd);
        for value in [orbit.h_mag.unwrap_or(f64::NAN), orbit.slope_ratio] {
            self.records.extend((value as f32).to_le_bytes());
        }
        self.records.extend(at.to_le_bytes());
        self.records.extend([first, second, orbit.arc.uncertainty_or_usual(), 0]);
        texts.iter().for_each(|text| self.texts.extend(text.as_bytes()));
        let (low, high) = self.epochs.unwrap_or((orbit.epoch_mjd, orbit.epoch_mjd));
        self.epochs = Some((low.min(orbit.epoch_mjd), high.max(orbit.epoch_mjd)));
        true
    }

    /// The table's bytes.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.records.len() + self.texts.len());
        let (low, high) = self.epochs.unwrap_or_default();
        bytes.extend(MAGIC);
        for value in [VERSION, self.count() as u64, self.texts.len() as u64] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(low.to_le_bytes());
        bytes.extend(high.to_le_bytes());
        bytes.resize(HEADER_BYTES, 0);
        bytes.extend(&self.records);
        bytes.extend(&self.texts);
        let checksum = checksum(&bytes);
        bytes[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum);
        bytes
    }
}

/// What a table tells of an orbit for people.
#[derive(Debug, Clone, PartialEq)]
pub struct OrbitLabel {
    /// Number or provisional designation, as `433` or `2014 AA`.
    pub designation: String,
    /// Name, or provisional designation of a numbered body; may be empty.
    pub name: String,
    /// Brightness, when the absolute magnitude is known.
    pub brightness: Option<Brightness>,
    /// The uncertainty parameter, or the one that such arcs have.
    pub uncertainty: u8,
}

/// A table of orbits over bytes, usually a mapped file.
#[derive(Debug)]
pub struct OrbitTable<B> {
    bytes: B,
    count: usize,
    texts_at: usize,
    /// First and last epoch [MJD, TT].
    epochs_mjd: (f64, f64),
}

impl<B: AsRef<[u8]>> OrbitTable<B> {
    /// Opens a table: checks header, sizes and checksum.
    pub fn open(bytes: B) -> Result<Self, OrbitTableError> {
        let all = bytes.as_ref();
        if all.len() < HEADER_BYTES || !all.starts_with(&MAGIC) || number(all, 8) != VERSION {
            return Err(OrbitTableError::Other);
        }
        let damaged = || OrbitTableError::Damaged;
        let count = usize::try_from(number(all, 16)).map_err(|_| damaged())?;
        let n_texts = usize::try_from(number(all, 24)).map_err(|_| damaged())?;
        let texts_at = count.checked_mul(RECORD_BYTES).and_then(|n| n.checked_add(HEADER_BYTES));
        let texts_at = texts_at.ok_or_else(damaged)?;
        let is_whole = count <= ORBITS_MAX
            && texts_at.checked_add(n_texts) == Some(all.len())
            && checksum(all) == array::<32>(all, CHECKSUM_AT);
        if !is_whole {
            return Err(damaged());
        }
        let epochs_mjd = (real(all, 32), real(all, 40));
        Ok(Self { count, texts_at, epochs_mjd, bytes })
    }

    /// Orbits.
    pub fn count(&self) -> usize {
        self.count
    }

    /// First and last epoch [MJD, TT].
    pub fn epochs_mjd(&self) -> (f64, f64) {
        self.epochs_mjd
    }

    /// What tells this table from any other.
    pub fn checksum(&self) -> [u8; 32] {
        array(self.bytes.as_ref(), CHECKSUM_AT)
    }

    /// The orbit with an index below [`Self::count`].
    pub fn body(&self, index: usize) -> Option<KnownBody> {
        let record = self.record(index)?;
        let value = |k: usize| real(record, 8 * k);
        Some(KnownBody {
            mjd_tdb: value(6),
            state: State {
                place_au: [value(0), value(1), value(2)],
                velocity_au_per_d: [value(3), value(4), value(5)],
            },
            growth: Growth { runoff_arcsec_per_d: value(7), since_mjd: value(8) },
        })
    }

    /// What is told of the orbit with an index.
    pub fn label(&self, index: usize) -> Option<OrbitLabel> {
        let record = self.record(index)?;
        let single = |at: usize| f64::from(f32::from_le_bytes(array(record, at)));
        let texts = self.bytes.as_ref().get(self.texts_at..)?;
        let at = u32::from_le_bytes(array(record, 80)) as usize;
        let (first, second) = (usize::from(record[84]), usize::from(record[85]));
        let text = |from: usize, length: usize| {
            Some(String::from_utf8_lossy(texts.get(from..from.checked_add(length)?)?).into_owned())
        };
        let (h_mag, slope_ratio) = (single(72), single(76));
        Some(OrbitLabel {
            designation: text(at, first)?,
            name: text(at + first, second)?,
            brightness: h_mag.is_finite().then_some(Brightness { h_mag, slope_ratio }),
            uncertainty: record[86],
        })
    }

    fn record(&self, index: usize) -> Option<&[u8]> {
        if index >= self.count {
            return None;
        }
        let at = HEADER_BYTES + index * RECORD_BYTES;
        self.bytes.as_ref().get(at..at + RECORD_BYTES)
    }
}

/// Hash of all bytes but the checksum's own; the caller knows that the header is whole.
fn checksum(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..CHECKSUM_AT]);
    hasher.update(&bytes[HEADER_BYTES..]);
    *hasher.finalize().as_bytes()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the length is N")
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

fn real(bytes: &[u8], at: usize) -> f64 {
    f64::from_le_bytes(array(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::designation::Designation;
    use crate::science::orbit::kepler::Elements;
    use crate::science::orbit::uncertainty::Arc;

    fn orbit(number: u32, h_mag: Option<f64>) -> MpcOrbit {
        MpcOrbit {
            designation: Designation::Number(number),
            name: "Ω-name".to_owned(),
            h_mag,
            slope_ratio: 0.15,
            epoch_mjd: 61_000.0 + f64::from(number),
            elements: Elements {
                axis_au: 2.5,
                eccentricity_ratio: 0.1,
                inclination_rad: 0.2,
                node_rad: 0.3,
                perihelion_rad: 0.4,
                anomaly_rad: 0.5,
            },
            arc: Arc { uncertainty: Some(3), ..Arc::default() },
        }
    }

    fn table() -> Vec<u8> {
        let mut builder = OrbitTableBuilder::default();
        assert!(builder.push(&orbit(7, Some(15.25))));
        assert!(builder.push(&orbit(620_001, None)));
        let mut open = orbit(8, None);
        open.elements.eccentricity_ratio = 1.2;
        assert!(!builder.push(&open));
        builder.finish()
    }

    #[test]
    fn what_is_put_in_comes_out() {
        let table = OrbitTable::open(table()).expect("a table");
        assert_eq!(table.count(), 2);
        assert_eq!(table.epochs_mjd(), (61_007.0, 681_001.0));
        let (given, body) = (orbit(7, Some(15.25)), table.body(0).expect("a body"));
        assert_eq!(Some(body.state), given.elements.state());
        assert_eq!(body.growth, given.arc.growth(61_007.0));
        let label = table.label(0).expect("a label");
        assert_eq!((label.designation.as_str(), label.name.as_str()), ("7", "Ω-name"));
        assert_eq!(label.brightness.map(|b| b.h_mag), Some(15.25));
        assert_eq!(label.uncertainty, 3);
        let second = table.label(1).expect("a label");
        assert_eq!((second.designation.as_str(), second.brightness), ("620001", None));
        assert!(table.body(2).is_none() && table.label(2).is_none());
    }

    #[test]
    fn broken_bytes_are_refused() {
        let whole = table();
        for length in [0, 50, 127, 128, whole.len() - 1] {
            assert!(OrbitTable::open(&whole[..length]).is_err(), "{length}");
        }
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0x40;
            assert!(OrbitTable::open(broken).is_err(), "{at}");
        }
        let empty = OrbitTableBuilder::default().finish();
        assert_eq!(OrbitTable::open(empty).expect("an empty table").count(), 0);
    }
}
