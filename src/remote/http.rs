//! Questions over HTTP: what every service that is asked for something has in common.
//!
//! [`body`] does one question to one address with every limit it needs. [`Caller`] asks the mirrors
//! of a service in order, up to three times, and finds out when all of it is down. [`in_turn`]
//! keeps two questions in work and tells of each answer. All of it blocks: it works on a small
//! runtime of its own.

use std::collections::VecDeque;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Questions that this process asks at a time, whoever asks them.
pub(super) const AT_A_TIME: usize = 2;
/// Most redirections followed.
const REDIRECTS_MAX: usize = 5;
/// Rounds over the mirrors for one question.
const TRIES_MAX: u32 = 3;
/// How often one who waits is told of it.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// One place per question.
static PLACES: Semaphore = Semaphore::const_new(AT_A_TIME);

/// How long and how often a service is asked, and how much it may say.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceLimits {
    /// Time for the connection.
    pub connect: Duration,
    /// Time for one whole answer.
    pub answer: Duration,
    /// Time without a success after which no further try is begun.
    pub patience: Duration,
    /// Wait before the second try; twice that before the third.
    pub back_off: Duration,
    /// Size of an answer [byte].
    pub answer_bytes_max: usize,
}

impl ServiceLimits {
    /// The usual limits with this time for an answer [s], the connection's within it.
    pub fn with_answer_s(answer_s: f64) -> Self {
        let usual = Self::default();
        let answer = Duration::try_from_secs_f64(answer_s).unwrap_or(usual.answer);
        Self { answer, connect: usual.connect.min(answer), ..usual }
    }
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            patience: Duration::from_secs(20),
            back_off: Duration::from_secs(1),
            answer_bytes_max: 64 << 20,
        }
    }
}

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchRetry {
    /// Later.
    Later,
    /// Not before somebody changed something.
    Never,
}

/// A question without an answer. No text holds more of an address than its host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The client could not be made, e.g. without the system's root certificates.
    #[error("the HTTP client could not be started: are root certificates (ca-certificates) there?")]
    Client {
        /// What the client said.
        source: reqwest::Error,
    },
    /// The program's own runtime could not be started.
    #[error("no thread for the network could be started")]
    Runtime {
        /// What the system said.
        source: std::io::Error,
    },
    /// Nobody answered.
    #[error(
        "{host} cannot be reached: is the network up, is the address in the configuration right?"
    )]
    Unreachable {
        /// The host.
        host: String,
        /// What the client said, without the address.
        source: reqwest::Error,
    },
    /// The answer did not come in time.
    #[error("{host} did not answer within {seconds:.0} s (its timeout_s in the configuration)")]
    TimedOut {
        /// The host.
        host: String,
        /// Time that it had [s].
        seconds: f64,
    },
    /// The connection broke within the answer.
    #[error("the answer of {host} broke off")]
    BrokenOff {
        /// The host.
        host: String,
        /// What the client said, without the address.
        source: reqwest::Error,
    },
    /// The service refused.
    #[error("{host} answered with HTTP status {status}")]
    Status {
        /// The host.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// The answer is longer than allowed.
    #[error("the answer of {host} is longer than {limit_mib} MiB")]
    TooLong {
        /// The host.
        host: String,
        /// The limit [MiB].
        limit_mib: usize,
    },
    /// The service failed so often that it is left alone for now.
    #[error("the service did not answer before and is left alone for now")]
    LeftAlone,
}

impl HttpError {
    /// Whether another try may help.
    pub const fn retry(&self) -> FetchRetry {
        match self {
            Self::Client { .. } => FetchRetry::Never,
            // 408, 425 and 429 ask to come back; the others of this class are about the question.
            Self::Status { status: 400..=407 | 409..=424 | 426..=428 | 430..=499, .. } => {
                FetchRetry::Never
            }
            _ => FetchRetry::Later,
        }
    }
}

/// The error of a service's own client.
pub(super) trait CallError: From<HttpError> {
    /// Whether another try may help.
    fn retry(&self) -> FetchRetry;
}

/// The host of an address.
pub(super) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    host.rsplit('@').next().unwrap_or(host).to_owned()
}

/// Asks one address once; gives the whole answer.
pub(super) async fn body(
    request: RequestBuilder,
    url: &str,
    limits: &ServiceLimits,
) -> Result<Vec<u8>, HttpError> {
    let Ok(_place) = PLACES.acquire().await else { return Err(HttpError::LeftAlone) };
    let failed = |error| failed(url, error, limits.answer);
    let mut answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    // An error may still come as a table that says what is wrong; its status is told.
    if !status.is_success() {
        return Err(HttpError::Status { host: host(url), status: status.as_u16() });
    }
    let too_long =
        || HttpError::TooLong { host: host(url), limit_mib: limits.answer_bytes_max >> 20 };
    if answer.content_length().is_some_and(|n| n > limits.answer_bytes_max as u64) {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(failed)? {
        if bytes.len() + part.len() > limits.answer_bytes_max {
            return Err(too_long());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn failed(url: &str, error: reqwest::Error, limit: Duration) -> HttpError {
    let (host, source) = (host(url), error.without_url());
    if source.is_timeout() && !source.is_connect() {
        return HttpError::TimedOut { host, seconds: limit.as_secs_f64() };
    }
    if source.is_body() || source.is_decode() {
        return HttpError::BrokenOff { host, source };
    }
    HttpError::Unreachable { host, source }
}

/// A client as every part of this program uses it; times are for the caller to set.
pub(super) fn client_builder() -> ClientBuilder {
    // The service installed it already, the command line did not; a second time only gives an
    // error.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder()
        .redirect(Policy::limited(REDIRECTS_MAX))
        .user_agent(concat!("autossos/", env!("CARGO_PKG_VERSION")))
}

/// The mirrors of a service, and how they have behaved.
pub(super) struct Caller {
    pub(super) client: Client,
    urls: Vec<String>,
    limits: ServiceLimits,
    /// When a whole answer last came, or when asking began.
    success: Mutex<Instant>,
    is_down: AtomicBool,
}

impl Caller {
    pub(super) fn new(urls: &[String], limits: &ServiceLimits) -> Result<Self, HttpError> {
        let client = client_builder()
            .connect_timeout(limits.connect)
            .timeout(limits.answer)
            .build()
            .map_err(|source| HttpError::Client { source: source.without_url() })?;
        Ok(Self {
            client,
            urls: urls.to_vec(),
            limits: limits.clone(),
            success: Mutex::new(Instant::now()),
            is_down: AtomicBool::new(false),
        })
    }

    /// Asks the mirrors in order, up to three times; gives the answer and who gave it.
    ///
    /// A mirror that says that the question itself is wrong is not asked it again.
    pub(super) async fn ask<'a, T, E, Asking>(
        &'a self,
        once: impl Fn(&'a str) -> Asking,
    ) -> Result<(T, &'a str), E>
    where
        E: CallError,
        Asking: Future<Output = Result<T, E>>,
    {
        let mut mirrors: Vec<&str> = self.urls.iter().map(String::as_str).collect();
        let mut last = E::from(HttpError::LeftAlone);
        let mut is_refused = false;
        for round in 0..TRIES_MAX {
            if round > 0 {
                tokio::time::sleep(self.limits.back_off * round).await;
            }
            let mut rest = Vec::new();
            for url in mirrors {
                if self.is_down.load(Ordering::Relaxed) {
                    return Err(last);
                }
                if self.silence() > self.limits.patience {
                    self.is_down.store(true, Ordering::Relaxed);
                    return Err(last);
                }
                match once(url).await {
                    Ok(answer) => {
                        *self.success.lock().unwrap_or_else(PoisonError::into_inner) =
                            Instant::now();
                        return Ok((answer, url));
                    }
                    Err(error) => {
                        match error.retry() {
                            FetchRetry::Later => rest.push(url),
                            FetchRetry::Never => is_refused = true,
                        }
                        last = error;
                    }
                }
            }
            mirrors = rest;
            if mirrors.is_empty() {
                break;
            }
        }
        // One that answers that a question is wrong is up.
        self.is_down.store(!is_refused, Ordering::Relaxed);
        Err(last)
    }

    /// Time since a whole answer.
    fn silence(&self) -> Duration {
        self.success.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// What the one who waits is told.
pub(super) enum Step<Item, Answer> {
    /// An answer is waited for; told about once a second.
    Waiting,
    /// A question is done.
    Done(Item, Answer),
}

/// Keeps two questions in work; tells of each, and stops when it is told to.
pub(super) fn in_turn<Item, Answer, Asking>(
    items: &[Item],
    ask: impl Fn(Item) -> Asking,
    on_step: &mut dyn FnMut(Step<Item, Answer>) -> ControlFlow<()>,
) -> Result<(), HttpError>
where
    Item: Clone + Send + 'static,
    Answer: Send + 'static,
    Asking: Future<Output = Answer> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(AT_A_TIME)
        .thread_name("fetch")
        .enable_all()
        .build()
        .map_err(|source| HttpError::Runtime { source })?;
    runtime.block_on(async {
        let mut waiting: VecDeque<Item> = items.iter().cloned().collect();
        let mut work = JoinSet::new();
        loop {
            while work.len() < AT_A_TIME
                && let Some(item) = waiting.pop_front()
            {
                let asking = ask(item.clone());
                work.spawn(async move { (item, asking.await) });
            }
            let told = match tokio::time::timeout(TOLD_EVERY, work.join_next()).await {
                Ok(None) => return,
                Ok(Some(Ok((item, answer)))) => on_step(Step::Done(item, answer)),
                // A task that broke its own rules: its item stays missing.
                Ok(Some(Err(_))) => ControlFlow::Continue(()),
                Err(_) => on_step(Step::Waiting),
            };
            if told.is_break() {
                return;
            }
        }
    });
    // Whoever still waits for an answer is not waited for.
    runtime.shutdown_background();
    Ok(())
}
