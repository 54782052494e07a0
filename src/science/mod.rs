//! Layer 0: pure functions on values. No files, clock, network or log.

pub mod astrometry;
pub mod box_plot;
pub mod calib;
pub mod detect;
pub mod image;
pub mod movers;
pub mod orbit;
pub mod period;
pub mod photometry;
pub mod reference;
pub mod simulate;
pub mod sky;
pub mod time;
pub mod units;
