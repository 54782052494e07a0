//! The only place of the verbs that looks at the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// MJD of the Unix epoch [d].
const MJD_UNIX: f64 = 40_587.0;

/// The present instant.
#[expect(clippy::disallowed_methods, reason = "this is the clock the others are handed")]
pub fn now() -> Epoch {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Epoch::from_mjd_utc(MJD_UNIX + since.as_secs_f64() / SECONDS_PER_DAY)
}
