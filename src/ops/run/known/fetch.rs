//! SkyBoT's answers: which are wanting, fetching them, keeping them.

use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::formats::known_csv::{read_known, write_known};
use crate::formats::skybot::{Bodies, ConeRequest, SkybotReply};
use crate::ops::clock::now;
use crate::ops::error::OpsError;
use crate::ops::progress::{Event, Progress};
use crate::ops::run::reference::Haul;
use crate::ops::run::rest::Rest;
use crate::ops::run::take::chain;
use crate::remote::skybot::{SkybotService, SkybotStep};
use crate::science::movers::known::KnownPlace;
use crate::store::Store;
use crate::store::known_replies::KnownReply;

/// Time after which a haul of [`Haul::Some`] ends.
const SOME: Duration = Duration::from_secs(120);
/// Questions of closed nights that are asked again at a time.
const SETTLED_MAX: u32 = 200;

/// The service and how it has behaved.
pub(super) struct Skybot {
    service: SkybotService,
    rest: Mutex<Rest>,
}

/// An answer read back from the store.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) places: Vec<KnownPlace>,
    pub(super) n_bad: u64,
    pub(super) is_asteroids_only: bool,
}

/// Name of a request in the store.
pub(super) fn name_of(request: &ConeRequest) -> String {
    request.query(Bodies::All)
}

impl Skybot {
    pub(super) fn new(service: SkybotService) -> Self {
        Self { service, rest: Mutex::default() }
    }

    /// Why the service could not be had when it was last asked.
    pub(super) fn why_failed(&self) -> Option<String> {
        self.rest().why()
    }

    /// Fetches answers that are not kept yet, unless the service rests; tells how many came.
    pub(super) fn bring(
        &self,
        store: &Store,
        requests: &[ConeRequest],
        haul: Haul,
        progress: &dyn Progress,
    ) -> Result<usize, OpsError> {
        let mut wanting = Vec::new();
        for request in requests {
            if store.read().known_reply(&name_of(request))?.is_none() {
                wanting.push(request.clone());
            }
        }
        if wanting.is_empty() || self.rest().is_resting() {
            return Ok(0);
        }
        self.fetch(store, &wanting, haul, progress)
    }

    fn fetch(
        &self,
        store: &Store,
        wanting: &[ConeRequest],
        haul: Haul,
        progress: &dyn Progress,
    ) -> Result<usize, OpsError> {
        let began = Instant::now();
        let (mut n_came, mut failure, mut outcome) = (0, None, Ok(()));
        let mut on_step = |step: SkybotStep| {
            if let SkybotStep::Reply(request, reply) = step {
                match reply {
                    Ok(reply) => {
                        outcome = keep(store, &request, &reply);
                        n_came += usize::from(outcome.is_ok());
                    }
                    Err(error) => {
                        let text = chain(&error);
                        tracing::info!(mjd = request.mjd_utc, "No known objects: {text}.");
                        // The first one says most; the others are often its consequences.
                        failure.get_or_insert(text);
                    }
                }
            }
            if outcome.is_ok() && progress.event(Event::Fetching).is_break() {
                outcome = Err(OpsError::Stopped);
            }
            let is_over = haul == Haul::Some && began.elapsed() > SOME;
            if outcome.is_err() || is_over {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        if let Err(error) = self.service.fetch(wanting, &mut on_step) {
            failure = Some(chain(&error));
        }
        if let Some(why) = &failure {
            tracing::warn!("Not all known objects could be asked for: {why}.");
        }
        self.rest().note(failure, n_came);
        outcome.map(|()| n_came)
    }

    /// Fetches what closed nights wait for.
    pub(super) fn settle(&self, store: &Store, progress: &dyn Progress) -> Result<(), OpsError> {
        let wanted = store.read().wanted_known_requests(SETTLED_MAX)?;
        let requests: Vec<ConeRequest> =
            wanted.iter().filter_map(|query| ConeRequest::from_query(query)).collect();
        self.bring(store, &requests, Haul::Some, progress).map(|_| ())
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(store: &Store, request: &ConeRequest, reply: &SkybotReply) -> Result<(), OpsError> {
    tracing::info!(mjd = request.mjd_utc, objects = reply.places.len(), "Known objects fetched.");
    let kept = KnownReply {
        request: name_of(request),
        places: write_known(reply.places.iter()),
        n_bad: reply.n_bad as u64,
        is_asteroids_only: reply.is_asteroids_only,
    };
    Ok(store.keep_known_reply(kept, now())?)
}

/// The kept answer to a request; `None` when it is not there.
pub(super) fn kept(store: &Store, request: &ConeRequest) -> Result<Option<Kept>, OpsError> {
    let Some(reply) = store.read().known_reply(&name_of(request))? else { return Ok(None) };
    // Written by ourselves; what is damaged counts as missing and is asked for again by hand.
    let Ok((places, n_lost)) = read_known(reply.places.as_bytes()) else { return Ok(None) };
    let n_bad = reply.n_bad + n_lost as u64;
    Ok(Some(Kept { places, n_bad, is_asteroids_only: reply.is_asteroids_only }))
}
