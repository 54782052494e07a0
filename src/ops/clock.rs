//! The clock: the only place that asks the system for the time.
//!
//! What waits, retries or closes by time is handed a [`Clock`], so that tests can let days pass.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// MJD of the Unix epoch [d].
const MJD_UNIX: f64 = 40_587.0;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Epoch;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Epoch {
        now()
    }
}

/// A clock that stands until it is set: for tests.
#[derive(Debug)]
pub struct SetClock(Mutex<Epoch>);

impl SetClock {
    /// A clock that stands at an instant.
    pub const fn at(instant: Epoch) -> Self {
        Self(Mutex::new(instant))
    }

    /// Lets time pass [s]; negative sets the clock back.
    pub fn pass(&self, seconds: f64) {
        let mut instant = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *instant = instant.plus_seconds(seconds);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Epoch {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The present instant by the system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock the others are handed")]
pub fn now() -> Epoch {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Epoch::from_mjd_utc(MJD_UNIX + since.as_secs_f64() / SECONDS_PER_DAY)
}
