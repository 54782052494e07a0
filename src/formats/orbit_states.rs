//! Where the bodies of a table of orbits are at one common epoch.
//!
//! Layout, all little endian: header (128 byte: count, epoch [MJD, TDB], checksum of the table the
//! states belong to, own checksum), then place [au] and velocity [au/d] of each body in the table's
//! order, NaN for those that are lost.

use super::orbit_table::OrbitTableError;
use crate::science::orbit::kepler::State;

/// First bytes.
const MAGIC: [u8; 8] = *b"AUTOSTAT";
/// Version of the layout; also raised when the integration gives other numbers.
const VERSION: u64 = 1;
/// Length of the header [byte].
const HEADER_BYTES: usize = 128;
/// Where the table's checksum begins.
const TABLE_AT: usize = 64;
/// Where the own checksum begins; it covers all bytes but itself.
const CHECKSUM_AT: usize = 96;
/// Length of a state [byte].
const STATE_BYTES: usize = 48;

/// The bytes of the states.
pub fn encode(mjd_tdb: f64, table: [u8; 32], states: &[Option<State>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + states.len() * STATE_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((states.len() as u64).to_le_bytes());
    bytes.extend(mjd_tdb.to_le_bytes());
    bytes.resize(TABLE_AT, 0);
    bytes.extend(table);
    bytes.resize(HEADER_BYTES, 0);
    let lost = State { place_au: [f64::NAN; 3], velocity_au_per_d: [f64::NAN; 3] };
    for state in states {
        let state = state.unwrap_or(lost);
        for value in state.place_au.into_iter().chain(state.velocity_au_per_d) {
            bytes.extend(value.to_le_bytes());
        }
    }
    let checksum = checksum(&bytes);
    bytes[CHECKSUM_AT..]
        .first_chunk_mut::<32>()
        .expect("a whole header")
        .copy_from_slice(&checksum);
    bytes
}

/// States over bytes, usually a mapped file.
#[derive(Debug)]
pub struct OrbitStates<B> {
    bytes: B,
    mjd_tdb: f64,
}

impl<B: AsRef<[u8]>> OrbitStates<B> {
    /// Opens states: checks header, size and checksum.
    pub fn open(bytes: B) -> Result<Self, OrbitTableError> {
        let all = bytes.as_ref();
        if all.len() < HEADER_BYTES || !all.starts_with(&MAGIC) || number(all, 8) != VERSION {
            return Err(OrbitTableError::Other);
        }
        let count = usize::try_from(number(all, 16)).unwrap_or(usize::MAX);
        let length = count.checked_mul(STATE_BYTES).and_then(|n| n.checked_add(HEADER_BYTES));
        let own = &all[CHECKSUM_AT..HEADER_BYTES];
        if length != Some(all.len()) || own != checksum(all).as_slice() {
            return Err(OrbitTableError::Damaged);
        }
        let mjd_tdb = f64::from_bits(number(all, 24));
        Ok(Self { bytes, mjd_tdb })
    }

    /// Their epoch [MJD, TDB].
    pub fn mjd_tdb(&self) -> f64 {
        self.mjd_tdb
    }

    /// Whether they belong to the table with this checksum.
    pub fn belong_to(&self, table: [u8; 32]) -> bool {
        self.bytes.as_ref()[TABLE_AT..CHECKSUM_AT] == table
    }

    /// The state of the body with an index; `None` when it is lost.
    pub fn state(&self, index: usize) -> Option<State> {
        let at = index.checked_mul(STATE_BYTES)?.checked_add(HEADER_BYTES)?;
        let bytes = self.bytes.as_ref().get(at..at.checked_add(STATE_BYTES)?)?;
        let value = |k: usize| f64::from_bits(number(bytes, 8 * k));
        value(0).is_finite().then(|| State {
            place_au: [value(0), value(1), value(2)],
            velocity_au_per_d: [value(3), value(4), value(5)],
        })
    }
}

fn checksum(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..CHECKSUM_AT]);
    hasher.update(&bytes[HEADER_BYTES..]);
    *hasher.finalize().as_bytes()
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back_and_broken_bytes_do_not() {
        let state = State { place_au: [1.0, -2.0, 0.5], velocity_au_per_d: [0.01, 0.0, -0.02] };
        let bytes = encode(61_056.0, [7; 32], &[Some(state), None]);
        let states = OrbitStates::open(&bytes).expect("states");
        assert!((states.mjd_tdb() - 61_056.0).abs() < 1e-12);
        assert!(states.belong_to([7; 32]) && !states.belong_to([8; 32]));
        assert_eq!([0, 1, 2].map(|k| states.state(k)), [Some(state), None, None]);
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            assert!(OrbitStates::open(broken).is_err(), "{at}");
            assert!(OrbitStates::open(&bytes[..at]).is_err(), "{at}");
        }
    }
}
