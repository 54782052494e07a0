//! Layer 4: the verbs. Command line and daemon call these; here stages, store and report meet.

pub mod clock;
pub mod demo;
pub mod error;
pub mod export;
pub mod progress;
pub mod run;
pub mod status;

pub use error::OpsError;
pub use progress::{Event, Progress, Silent};
