//! Layer 4: the network. Each call has time limits, and its failure never stops the work.

pub mod heartbeat;
mod http;
pub mod orbits;
pub mod reference;
pub mod skybot;
pub mod smtp;
#[cfg(test)]
mod test_server;

pub use http::{FetchRetry, HttpError, ServiceLimits};
