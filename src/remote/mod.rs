//! Layer 4: the network. Each call has time limits, and its failure never stops the work.

pub mod heartbeat;
pub mod orbits;
pub mod reference;
pub mod smtp;
