//! One binary of integration tests: nights from raw frames to candidates, and the real programs.

mod ctl;
mod daemon;
mod night;
mod resume;
mod simulated;
