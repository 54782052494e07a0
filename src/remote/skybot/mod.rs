//! SkyBoT, the cone search for solar system objects of IMCCE (Paris).
//!
//! One question is one cone at one time ([`ConeRequest`]); two are in work at a time, which is what
//! the service allows. "Nothing there" is an answer; a service that is down, a page about its
//! maintenance and an error told with HTTP status 200 are not, and are told apart.
//!
//! The functions block; they work on a small runtime of their own.

mod error;

use std::ops::ControlFlow;
use std::sync::Arc;

use super::http::{Caller, ServiceLimits, Step, body, host, in_turn};
use crate::formats::skybot::{Bodies, ConeRequest, SkybotError, SkybotReply, read_reply};

pub use error::SkybotFetchError;

/// Addresses that are asked when the user names none, in order.
pub const URLS: [&str; 1] = ["https://ssp.imcce.fr/webservices/skybot/api/conesearch.php"];
/// Size of an answer [byte]: 30,000 objects, more than any cone of 5 degrees holds.
const ANSWER_BYTES_MAX: usize = 48 << 20;

/// The service and how patiently it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct SkybotService {
    /// Addresses, tried in order.
    pub urls: Vec<String>,
    /// How patiently.
    pub limits: ServiceLimits,
}

impl SkybotService {
    /// The service at these addresses with this time for an answer [s].
    pub fn new(urls: Vec<String>, answer_s: f64) -> Self {
        let usual = ServiceLimits::with_answer_s(answer_s);
        Self { urls, limits: ServiceLimits { answer_bytes_max: ANSWER_BYTES_MAX, ..usual } }
    }
}

/// What the caller of a fetch is told.
#[derive(Debug)]
pub enum SkybotStep {
    /// An answer is waited for; told about once a second.
    Waiting,
    /// A request is done: its objects, or why there are none to be had.
    Reply(ConeRequest, Result<SkybotReply, SkybotFetchError>),
}

impl SkybotService {
    /// Asks all requests, two at a time; tells of each, and stops when it is told to.
    ///
    /// Once the service as a whole is found to be down, the other requests fail at once.
    /// Errors: nothing could be begun. What ails a request is told with it.
    pub fn fetch(
        &self,
        requests: &[ConeRequest],
        on_step: &mut dyn FnMut(SkybotStep) -> ControlFlow<()>,
    ) -> Result<(), SkybotFetchError> {
        let asker = Arc::new(Asker {
            caller: Caller::new(&self.urls, &self.limits)?,
            limits: self.limits.clone(),
        });
        let ask = |request: ConeRequest| {
            let asker = Arc::clone(&asker);
            async move { asker.reply(&request).await }
        };
        let mut told = |step| match step {
            Step::Waiting => on_step(SkybotStep::Waiting),
            Step::Done(request, reply) => on_step(SkybotStep::Reply(request, reply)),
        };
        Ok(in_turn(requests, ask, &mut told)?)
    }
}

struct Asker {
    caller: Caller,
    limits: ServiceLimits,
}

impl Asker {
    /// The objects of a request. Where the service cannot compute satellites of planets (its
    /// `calceph` errors), asteroids alone are asked for.
    async fn reply(&self, request: &ConeRequest) -> Result<SkybotReply, SkybotFetchError> {
        match self.ask(request, Bodies::All).await {
            Err(SkybotFetchError::Reply { source: SkybotError::Refused { said, .. }, .. })
                if said.contains("calceph") =>
            {
                let reply = self.ask(request, Bodies::Asteroids).await?;
                Ok(SkybotReply { is_asteroids_only: true, ..reply })
            }
            other => other,
        }
    }

    async fn ask(
        &self,
        request: &ConeRequest,
        bodies: Bodies,
    ) -> Result<SkybotReply, SkybotFetchError> {
        let query = request.query(bodies);
        let once = |url| self.once(url, &query, request);
        let (reply, _) = self.caller.ask(once).await?;
        Ok(reply)
    }

    async fn once(
        &self,
        url: &str,
        query: &str,
        request: &ConeRequest,
    ) -> Result<SkybotReply, SkybotFetchError> {
        let asked = self.caller.client.get(format!("{url}?{query}"));
        let bytes = body(asked, url, &self.limits).await?;
        read_reply(&bytes, request)
            .map_err(|source| SkybotFetchError::Reply { host: host(url), source })
    }
}

#[cfg(test)]
mod tests;
