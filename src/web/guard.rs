//! Who guesses passwords must wait: longer after each wrong one, by address and by name.
//!
//! Counts are kept in memory, a bounded number of them; a try counts as wrong until it is known to
//! be right, so that many at once are no way around.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// Wrong passwords without a wait.
const FREE_TRIES: u32 = 5;
/// Longest wait [s] by address, and by name: a stranger must not lock a person out for long.
const WAIT_ADDRESS_MAX_S: u64 = 900;
const WAIT_NAME_MAX_S: u64 = 60;
/// Time after which wrong passwords are forgotten [s].
const MEMORY_S: f64 = 3600.0;
/// Addresses and names remembered; of more, the oldest is forgotten.
const REMEMBERED_MAX: usize = 4096;

/// Remembers wrong passwords.
#[derive(Debug, Default)]
pub(super) struct Guard {
    tries: Mutex<Tries>,
}

#[derive(Debug, Default)]
struct Tries {
    by_address: HashMap<IpAddr, Failures>,
    by_name: HashMap<String, Failures>,
}

/// Wrong passwords of one address or name.
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Epoch,
}

impl Guard {
    /// Notes a try; `Err` with the seconds to wait when it comes too early.
    pub(super) fn begin(&self, address: IpAddr, name: &str, now: Epoch) -> Result<(), u64> {
        let address = network_of(address);
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let by_address = wait_s(tries.by_address.get(&address), WAIT_ADDRESS_MAX_S, now);
        let by_name = wait_s(tries.by_name.get(name), WAIT_NAME_MAX_S, now);
        let wait = by_address.max(by_name);
        if wait > 0 {
            return Err(wait);
        }
        count(&mut tries.by_address, address, now);
        count(&mut tries.by_name, name.to_owned(), now);
        Ok(())
    }

    /// The password was right: all is forgotten.
    pub(super) fn succeeded(&self, address: IpAddr, name: &str) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.by_address.remove(&network_of(address));
        tries.by_name.remove(name);
    }
}

/// Seconds that are left to wait: 2, 4, 8 ... after the free tries.
fn wait_s(failures: Option<&Failures>, most_s: u64, now: Epoch) -> u64 {
    let Some(failures) = failures else { return 0 };
    let since_s = (now.mjd_utc() - failures.last.mjd_utc()) * SECONDS_PER_DAY;
    if failures.count < FREE_TRIES || since_s > MEMORY_S {
        return 0;
    }
    let wait_s = most_s.min(2 << (failures.count - FREE_TRIES).min(20));
    // A clock that was set back must not lock anybody out for longer than the wait.
    (wait_s as f64 - since_s.max(0.0)).ceil().max(0.0) as u64
}

/// Counts a try, and forgets the oldest when there are too many.
fn count<K: Hash + Eq + Clone>(map: &mut HashMap<K, Failures>, key: K, now: Epoch) {
    let is_old = |failures: &Failures| {
        (now.mjd_utc() - failures.last.mjd_utc()) * SECONDS_PER_DAY > MEMORY_S
    };
    if map.len() >= REMEMBERED_MAX && !map.contains_key(&key) {
        map.retain(|_, failures| !is_old(failures));
        let oldest = map.iter().min_by(|a, b| a.1.last.mjd_utc().total_cmp(&b.1.last.mjd_utc()));
        if let Some(oldest) = oldest.map(|(key, _)| key.clone())
            && map.len() >= REMEMBERED_MAX
        {
            map.remove(&oldest);
        }
    }
    let before = map.get(&key).filter(|failures| !is_old(failures)).map_or(0, |f| f.count);
    map.insert(key, Failures { count: before.saturating_add(1), last: now });
}

/// An address; of IPv6 the network of 64 bits that one customer has.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => IpAddr::V6((six.to_bits() & !u128::from(u64::MAX)).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Epoch = Epoch::from_mjd_utc(61_100.0);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn waits_grow_and_end() {
        let guard = Guard::default();
        for _ in 0..FREE_TRIES {
            assert_eq!(guard.begin(address(1), "ada", START), Ok(()));
        }
        assert_eq!(guard.begin(address(1), "ada", START), Err(2));
        assert_eq!(guard.begin(address(2), "ada", START), Err(2), "the name waits everywhere");
        assert_eq!(guard.begin(address(1), "bob", START), Err(2), "the address for all names");
        assert_eq!(guard.begin(address(2), "bob", START), Ok(()));
        let later = START.plus_seconds(2.1);
        assert_eq!(guard.begin(address(1), "ada", later), Ok(()));
        assert_eq!(guard.begin(address(1), "ada", later), Err(4));
        let mut now = later;
        for _ in 0..30 {
            now = now.plus_seconds(901.0);
            assert_eq!(guard.begin(address(1), "ada", now), Ok(()));
        }
        assert_eq!(guard.begin(address(1), "x", now), Err(WAIT_ADDRESS_MAX_S));
        assert_eq!(guard.begin(address(3), "ada", now), Err(WAIT_NAME_MAX_S));
        guard.succeeded(address(1), "ada");
        assert_eq!(guard.begin(address(1), "ada", now), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_networks_count_as_one() {
        let guard = Guard::default();
        for number in 0..2 * REMEMBERED_MAX as u64 {
            let place =
                IpAddr::from((0x2001_0db8_u128 << 96 | u128::from(number) << 64).to_be_bytes());
            assert_eq!(guard.begin(place, &number.to_string(), START), Ok(()));
        }
        let tries = guard.tries.lock().expect("no panic");
        assert_eq!(tries.by_address.len(), REMEMBERED_MAX);
        assert_eq!(tries.by_name.len(), REMEMBERED_MAX);
        let one: IpAddr = "2001:db8::1".parse().expect("an address");
        let two: IpAddr = "2001:db8::2:3".parse().expect("an address");
        assert_eq!(network_of(one), network_of(two));
    }
}
