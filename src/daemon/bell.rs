//! What wakes the reconciler: a change, an order, the wish to stop. It carries no work.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Why the bell was rung since the reconciler last heard it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rung {
    /// Something may have changed in an incoming folder or in the database.
    pub(super) is_changed: bool,
    /// The configuration is to be read again.
    pub(super) is_reload: bool,
    /// A person gave an order: what is remembered of nights may be out of date.
    pub(super) is_order: bool,
}

#[derive(Debug, Default)]
struct State {
    rung: Rung,
    is_stop: bool,
}

/// A bell that anybody may ring; clones are the same bell.
#[derive(Debug, Clone, Default)]
pub(super) struct Bell(Arc<(Mutex<State>, Condvar)>);

impl Bell {
    fn with(&self, change: impl FnOnce(&mut State)) {
        let (state, rings) = &*self.0;
        change(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
        rings.notify_all();
    }

    /// Tells that something may have changed.
    pub(super) fn ring(&self) {
        self.with(|state| state.rung.is_changed = true);
    }

    /// Tells that an order was written into the database.
    pub(super) fn ring_order(&self) {
        self.with(|state| {
            state.rung.is_changed = true;
            state.rung.is_order = true;
        });
    }

    /// Asks to read the configuration again.
    pub(super) fn ring_reload(&self) {
        self.with(|state| state.rung.is_reload = true);
    }

    /// Asks to stop; for ever.
    pub(super) fn ring_stop(&self) {
        self.with(|state| state.is_stop = true);
    }

    /// Tells whether somebody asked to stop.
    pub(super) fn is_stop(&self) -> bool {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).is_stop
    }

    /// Waits until somebody asks to stop.
    pub(super) fn wait_for_stop(&self) {
        let (state, rings) = &*self.0;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.is_stop {
            state = rings.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells what was rung since the last time, without waiting.
    pub(super) fn heard(&self) -> Rung {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.rung)
    }

    /// Waits until the bell rings, at most this long.
    pub(super) fn wait(&self, at_most: Duration) {
        let (state, rings) = &*self.0;
        let until = Instant::now() + at_most;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.rung == Rung::default() && !state.is_stop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = rings.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_ends_the_wait_and_is_heard_once() {
        let bell = Bell::default();
        let began = Instant::now();
        bell.wait(Duration::from_millis(20));
        assert!(began.elapsed() >= Duration::from_millis(20), "nobody rang");
        let ringer = bell.clone();
        let thread = std::thread::spawn(move || ringer.ring_order());
        bell.wait(Duration::from_secs(60));
        thread.join().expect("no panic");
        let heard = bell.heard();
        assert!(heard.is_changed && heard.is_order);
        assert_eq!(bell.heard(), Rung::default());
        bell.ring_stop();
        bell.wait(Duration::from_secs(60));
        assert!(bell.is_stop());
    }
}
