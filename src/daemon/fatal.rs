//! What only a human can mend, found beside the reconciler: it ends the service.

use std::sync::{Arc, Mutex, PoisonError};

use super::bell::Bell;
use crate::ops::OpsError;

/// The reason to end, if there is one; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Fatal {
    bell: Bell,
    error: Arc<Mutex<Option<OpsError>>>,
}

impl Fatal {
    /// No reason so far; `bell` asks the reconciler to stop when there is one.
    pub(super) fn new(bell: Bell) -> Self {
        Self { bell, error: Arc::default() }
    }

    /// Ends the service with an error; the first one is kept.
    pub(super) fn end_with(&self, error: OpsError) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.bell.ring_stop();
    }

    /// The reason.
    pub(super) fn take(&self) -> Option<OpsError> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
