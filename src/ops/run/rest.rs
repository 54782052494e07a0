//! How long a service is left alone after failures.

use std::time::{Duration, Instant};

/// Rest after the first failure of a service; doubled after each further one.
const REST_FIRST: Duration = Duration::from_secs(60);
/// Longest rest.
const REST_MAX: Duration = Duration::from_secs(3600);

/// How a service has behaved, and until when it is left alone.
#[derive(Debug, Default)]
pub(super) struct Rest {
    until: Option<Instant>,
    n_failures: u32,
    why: Option<String>,
}

impl Rest {
    /// Whether the service is left alone now.
    pub(super) fn is_resting(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// Why the service could not be had when it was last asked.
    pub(super) fn why(&self) -> Option<String> {
        self.why.clone()
    }

    /// Notes how a fetch went: why something of it failed, and how much came.
    pub(super) fn note(&mut self, failure: Option<String>, n_came: usize) {
        let Some(why) = failure else {
            *self = Self::default();
            return;
        };
        self.n_failures = if n_came > 0 { 1 } else { self.n_failures + 1 };
        let wait = REST_FIRST * 2_u32.pow(self.n_failures.saturating_sub(1).min(10));
        self.until = Instant::now().checked_add(wait.min(REST_MAX));
        self.why = Some(why);
    }
}
